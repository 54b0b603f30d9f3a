#!/usr/bin/env python3
"""The hash of every message of a mailbox by UID, fetched whole with imaplib: imaplib_hashes.py MAILBOX

Prints {"uidvalidity": n, "messages": {uid: {"sha256", "size", "flags", "date"}}}; MAILBOX is in modified UTF-7.
"""

import imaplib
import re
import sys
import time

from connection import ANSWER_TIMEOUT, HOST, PASSWORD, PORT, USER, digest, report, tls

# So many messages in one FETCH; more would only cost memory.
BATCH = 200

mail = imaplib.IMAP4_SSL(HOST, PORT, ssl_context=tls(), timeout=ANSWER_TIMEOUT)
mail.login(USER, PASSWORD)
assert mail.select(f'"{sys.argv[1]}"', readonly=True)[0] == "OK"
uidvalidity = int(mail.response("UIDVALIDITY")[1][0])
uids = mail.uid("SEARCH", "ALL")[1][0].split()
messages = {}
for at in range(0, len(uids), BATCH):
    batch = b",".join(uids[at : at + BATCH]).decode()
    status, answers = mail.uid("FETCH", batch, "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])")
    assert status == "OK", answers
    for index, answer in enumerate(answers):
        if not isinstance(answer, tuple):
            continue
        # The items may stand before the literal or after it.
        items = answer[0] + (answers[index + 1] if isinstance(answers[index + 1], bytes) else b"")
        uid = int(re.search(rb"UID (\d+)", items)[1])
        messages[uid] = {
            "sha256": digest(answer[1]),
            "size": int(re.search(rb"RFC822\.SIZE (\d+)", items)[1]),
            "flags": sorted(re.search(rb"FLAGS \(([^)]*)\)", items)[1].decode().split()),
            "date": int(time.mktime(imaplib.Internaldate2tuple(items))),
        }
mail.logout()
report({"uidvalidity": uidvalidity, "messages": messages})
