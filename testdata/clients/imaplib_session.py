#!/usr/bin/env python3
"""A session with Python's imaplib, each step checked by what the server then says: imaplib_session.py

Prints {"checked": [names of the steps]}; a step that fails ends the script.
"""

import imaplib
import re

from connection import ANSWER_TIMEOUT, HOST, PASSWORD, PORT, USER, report, tls

checked = []
LETTER = (b"From: Ann <ann@example.org>\r\nTo: Bob <bob@example.net>\r\nDate: Mon, 01 Feb 2016 23:59:00 -0800\r\n"
          b"Subject: %s\r\n\r\n%s\r\n")


def ok(answer):
    status, data = answer
    assert status == "OK", answer
    return data


def step(name):
    checked.append(name)


def fetched_flags(mail, number):
    return set(imaplib.ParseFlags(ok(mail.fetch(number, "(FLAGS)"))[0])) - {rb"\Recent"}


def refuse_wrong_password():
    mail = imaplib.IMAP4_SSL(HOST, PORT, ssl_context=tls(), timeout=ANSWER_TIMEOUT)
    try:
        mail.login(USER, "not " + PASSWORD)
    except imaplib.IMAP4.error:
        mail.logout()
        return step("a wrong password is refused")
    raise AssertionError("a wrong password is accepted")


def append_and_read(mail):
    date = '"09-Feb-2016 12:30:00 +0000"'
    ok(mail.append("INBOX", r"(\Flagged Work)", date, LETTER % (b"first", b"alpha beta")))
    ok(mail.append("INBOX", None, None, LETTER % (b"second", "naïve café".encode())))
    ok(mail.append("INBOX", r"(\Seen)", None, LETTER % (b"third", b"gamma")))
    assert ok(mail.select("INBOX")) == [b"3"]
    assert fetched_flags(mail, "1") == {rb"\Flagged", b"Work"}
    moment = imaplib.Internaldate2tuple(ok(mail.fetch("1", "(INTERNALDATE)"))[0])
    assert imaplib.Time2Internaldate(moment) == imaplib.Time2Internaldate(1455021000), moment
    assert ok(mail.fetch("2", "(BODY.PEEK[TEXT])"))[0][1] == "naïve café\r\n".encode()
    step("append keeps flags, date and bytes")
    assert fetched_flags(mail, "2") == set()
    ok(mail.fetch("2", "(BODY[TEXT])"))
    assert fetched_flags(mail, "2") == {rb"\Seen"}
    step("reading marks as seen, peeking does not")


def search(mail):
    def found(*keys):
        return ok(mail.search(None, *keys))[0].split()

    assert found("UNSEEN") == [b"1"]
    assert found("FLAGGED", "KEYWORD", "Work") == [b"1"]
    assert found("SUBJECT", '"second"') == [b"2"]
    assert found("BODY", '"gamma"') == [b"3"]
    assert found("OR", "BODY", "alpha", "BODY", "gamma") == [b"1", b"3"]
    assert found("NOT", "SEEN") == [b"1"]
    assert found("BEFORE", "10-Feb-2016") == [b"1"]
    assert found("SINCE", "10-Feb-2016") == [b"2", b"3"]
    assert found("SENTON", "1-Feb-2016") == [b"1", b"2", b"3"], "the date as written, whatever its zone"
    assert found("HEADER", "From", "ANN@EXAMPLE") == [b"1", b"2", b"3"]
    assert found("LARGER", "60", "SMALLER", "1000") == [b"1", b"2", b"3"]
    mail.literal = "CAFÉ".encode()
    assert ok(mail.search("UTF-8", "BODY"))[0].split() == [b"2"], "case does not matter in any script"
    step("search")


def store(mail):
    ok(mail.store("1:2", "+FLAGS", r"(\Answered Later)"))
    assert fetched_flags(mail, "1") == {rb"\Flagged", b"Work", rb"\Answered", b"Later"}
    ok(mail.store("1", "-FLAGS.SILENT", r"(\Flagged Work)"))
    assert fetched_flags(mail, "1") == {rb"\Answered", b"Later"}
    ok(mail.store("1", "FLAGS", r"(\Draft)"))
    assert fetched_flags(mail, "1") == {rb"\Draft"}
    step("store adds, removes and replaces")


def copy_and_expunge(mail):
    ok(mail.create("Copies"))
    ok(mail.copy("2:3", "Copies"))
    assert ok(mail.status("Copies", "(MESSAGES UNSEEN)"))[0] == b"Copies (MESSAGES 2 UNSEEN 0)"
    status, data = mail.copy("1", "Nowhere")
    assert status == "NO" and b"TRYCREATE" in data[0], (status, data)
    step("copy keeps flags; without the mailbox it says so")
    ok(mail.store("2", "+FLAGS", r"(\Deleted)"))
    assert ok(mail.expunge()) == [b"2"]
    assert ok(mail.search(None, "ALL"))[0] == b"1 2"
    ok(mail.select("Copies"))
    assert ok(mail.fetch("1", "(BODY.PEEK[TEXT])"))[0][1] == "naïve café\r\n".encode()
    step("expunge takes the message here and not its copy")


def mailboxes(mail):
    def subscribed():
        return {line.split()[-1].strip(b'"') for line in ok(mail.lsub()) if line}

    before = subscribed()
    ok(mail.create("a"))
    ok(mail.create("a/b/c"))
    ok(mail.rename("a/b", "x/y"))
    names = {re.search(rb'"?([^" ]+)"?$', line)[1] for line in ok(mail.list())}
    assert {b"INBOX", b"Copies", b"a", b"x", b"x/y", b"x/y/c"} <= names and b"a/b/c" not in names, names
    ok(mail.subscribe("x/y/c"))
    assert subscribed() - before == {b"x/y/c"}
    ok(mail.delete("x/y/c"))
    assert mail.select("x/y/c")[0] == "NO"
    mail.create("again")
    assert mail.create("again")[0] == "NO" and mail.delete("never")[0] == "NO" and mail.delete("INBOX")[0] == "NO"
    step("create, rename with children, subscribe, delete")


def parts(mail):
    message = (b"Subject: parts\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
               b"--b\r\n\r\none\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>two\r\n--b--\r\n")
    ok(mail.select("again"))
    ok(mail.append("again", None, None, message))
    ok(mail.noop())
    assert ok(mail.fetch("1", "(BODY.PEEK[1])"))[0][1] == b"one"
    assert ok(mail.fetch("1", "(BODY.PEEK[2.MIME])"))[0][1] == b"Content-Type: text/html\r\n\r\n"
    assert ok(mail.fetch("1", "(BODY.PEEK[2]<1.3>)"))[0][1] == b"p>t"
    assert ok(mail.fetch("1", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])"))[0][1] == b"Subject: parts\r\n\r\n"
    assert b'"multipart"' not in ok(mail.fetch("1", "(BODYSTRUCTURE)"))[0].lower()
    assert b'"mixed"' in ok(mail.fetch("1", "(BODYSTRUCTURE)"))[0].lower()
    step("parts, ranges and header fields")


refuse_wrong_password()
mail = imaplib.IMAP4_SSL(HOST, PORT, ssl_context=tls(), timeout=ANSWER_TIMEOUT)
mail.login(USER, PASSWORD)
for part in (append_and_read, search, store, copy_and_expunge, mailboxes, parts):
    part(mail)
mail.close()
assert mail.logout()[0] == "BYE"
report({"checked": checked})
