#!/usr/bin/env python3
"""A session with IMAPClient: names in every script, IDLE, MOVE, special use, search: imapclient_session.py

Prints {"checked": [names of the steps]}; a step that fails ends the script.
"""

import datetime

from connection import ANSWER_TIMEOUT, HOST, PASSWORD, PORT, USER, report, tls
from imapclient import IMAPClient

checked = []
NAMES = ["日本語", "العربية", "📬 post", "Tom & Jerry", 'with "quotes"', "back\\slash", "nested/Größe/深い", "spaces  in"]
LETTER = "From: Ann <ann@example.org>\r\nSubject: {}\r\n\r\nbody of {}\r\n"


def connect():
    client = IMAPClient(HOST, port=PORT, ssl=True, ssl_context=tls(), timeout=ANSWER_TIMEOUT)
    client.login(USER, PASSWORD)
    return client


def step(name):
    checked.append(name)


def names(client):
    before = {name for _, _, name in client.list_sub_folders()}
    for name in NAMES:
        client.create_folder(name)
        client.subscribe_folder(name)
    listed = {name for _, _, name in client.list_folders()}
    assert set(NAMES) | {"INBOX", "nested", "nested/Größe"} <= listed, listed
    assert {name for _, _, name in client.list_sub_folders()} - before == set(NAMES)
    for name in NAMES:
        client.append(name, LETTER.format("名前", name).encode())
        assert client.folder_status(name, ["MESSAGES", "UNSEEN"]) == {b"MESSAGES": 1, b"UNSEEN": 1}
    client.rename_folder("日本語", "中文/日本語")
    client.select_folder("中文/日本語")
    text = client.fetch([1], ["BODY[TEXT]"])[1][b"BODY[TEXT]"].decode()
    assert text == "body of 日本語\r\n", text
    assert client.list_folders(pattern="日本語") == []
    client.close_folder()
    step("names in every script")


def special_use(client):
    if not client.has_capability("SPECIAL-USE"):
        return  # The caller counts the steps.
    for use in ("Archive", "Drafts", "Junk", "Sent", "Trash"):
        assert client.find_special_folder(b"\\" + use.encode()) == use
    client.rename_folder("Sent", "Gesendet/Größe")
    assert client.find_special_folder(b"\\Sent") == "Gesendet/Größe", "the use goes with the mailbox"
    step("special use")


def flags_copy_move(client):
    client.create_folder("Target")
    client.select_folder("INBOX")
    when = datetime.datetime(2015, 5, 6, 7, 8, 9, tzinfo=datetime.timezone.utc)
    for number in range(4):
        client.append("INBOX", LETTER.format(number, number).encode(), flags=[b"\\Seen", f"k{number}"], msg_time=when)
    uids = client.search("ALL")
    assert uids == sorted(uids) and len(uids) == 4
    client.add_flags(uids[:2], [b"\\Flagged", "$Forwarded"])
    client.remove_flags(uids[1], [b"\\Seen"])
    flags = client.get_flags(uids)
    assert set(flags[uids[0]]) - {b"\\Recent"} == {b"\\Seen", b"k0", b"\\Flagged", b"$Forwarded"}, flags
    assert set(flags[uids[1]]) - {b"\\Recent"} == {b"k1", b"\\Flagged", b"$Forwarded"}, flags
    client.copy(uids[:2], "Target")
    client.move(uids[2:], "Target")
    assert client.search("ALL") == uids[:2]
    client.select_folder("Target")
    arrived = client.fetch(client.search("ALL"), ["FLAGS", "INTERNALDATE", "BODY[HEADER.FIELDS (SUBJECT)]"])
    subjects = [arrived[uid][b"BODY[HEADER.FIELDS (SUBJECT)]"] for uid in sorted(arrived)]
    assert subjects == [b"Subject: %d\r\n\r\n" % number for number in range(4)], subjects
    keywords = [{flag for flag in arrived[uid][b"FLAGS"] if flag.startswith(b"k")} for uid in sorted(arrived)]
    assert keywords == [{b"k0"}, {b"k1"}, {b"k2"}, {b"k3"}]
    assert all(client.normalise_times and m[b"INTERNALDATE"].timestamp() == when.timestamp() for m in arrived.values())
    client.delete_messages(client.search("KEYWORD k1"))
    client.expunge()
    assert len(client.search("ALL")) == 3
    step("flags, copy, move, expunge")


def search(client):
    client.select_folder("Target")
    assert len(client.search(["SEEN", "FLAGGED"])) == 1
    assert len(client.search(["TEXT", "body of 3"])) == 1
    assert len(client.search(["SINCE", datetime.date(2015, 5, 6), "BEFORE", datetime.date(2015, 5, 7)])) == 3
    assert client.search(["SUBJECT", "dé"], charset="UTF-8") == []
    client.select_folder("中文/日本語")
    assert len(client.search(["BODY", "日本"], charset="UTF-8")) == 1
    step("search")


def idle(client):
    other = connect()
    other.select_folder("INBOX")
    client.select_folder("INBOX")
    count = len(client.search("ALL"))
    client.idle()
    other.append("INBOX", LETTER.format("new", "new").encode())
    told = wait(client, lambda line: line[1:] == (b"EXISTS",))
    assert told[0] == count + 1
    other.noop()
    other.add_flags(other.search("ALL")[0], [b"\\Answered"])
    told = wait(client, lambda line: line[1] == b"FETCH")
    assert told[0] == 1 and b"\\Answered" in told[2][told[2].index(b"FLAGS") + 1]
    other.delete_messages(other.search("ALL")[0])
    other.expunge()
    assert wait(client, lambda line: line[1:] == (b"EXPUNGE",))[0] == 1
    client.idle_done()
    assert len(client.search("ALL")) == count
    other.logout()
    step("idle is told of arrival, flags and expunge")


def wait(client, fits):
    """The first line in IDLE that fits."""
    for _ in range(20):
        for line in client.idle_check(timeout=ANSWER_TIMEOUT / 20):
            if len(line) > 1 and fits(line):
                return line
    raise AssertionError("nothing came")


client = connect()
for part in (names, special_use, flags_copy_move, search, idle):
    part(client)
client.logout()
report({"checked": checked})
