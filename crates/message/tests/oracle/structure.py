#!/usr/bin/env python3
"""Say how Python's email package understands messages: structure.py < list of paths

For each path one line with the columns path, reason to skip, parts, From, To, Date, separated by tabs. Parts are
"DEPTH TYPE OCTETS LINES" in pre-order, separated by semicolons, with "-" where Python keeps no sizes; addresses are separated
by spaces; the date is in seconds since 1970; "?" is what Python cannot tell. A message is skipped where the two are known
to differ by intent; the reason says how. With --cpython it lists the messages that CPython's own tests are made of.
"""

import email.utils
import pathlib
import re
import sys
from email import policy
from email.parser import BytesParser

IDENTITY = {"", "7bit", "8bit", "binary"}
# What Python makes of mail that is broken in these ways is its own: a header that ends at the first line that is no field,
# a multipart without boundary that keeps its type, one never closed whose last line end is left out.
BROKEN = {"CloseBoundaryNotFoundDefect", "MissingHeaderBodySeparatorDefect", "NoBoundaryInMultipartDefect", "StartBoundaryNotFoundDefect",
          "FirstHeaderLineIsContinuationDefect", "MultipartInvariantViolationDefect", "MalformedHeaderDefect"}


def raw(payload):
    return payload.encode("ascii", "surrogateescape")


def sized(depth, kind, payload):
    return f"{depth} {kind} {len(payload)} {payload.count(bytes([10]))}"


def walk(part, depth, out):
    field = str(part.get("content-type", ""))
    if re.search(r"[^\r\n\t -~]", field):
        raise Differs("a Content-Type that is not ASCII")
    if re.match(r"\s*[^\s;/]+/[^\s;]+\s+\w", field):
        raise Differs("a Content-Type without semicolon")
    kind = part.get_content_type()
    encoding = str(part.get("content-transfer-encoding", "")).strip().lower()
    broken = {type(defect).__name__ for defect in part.defects} & BROKEN
    if broken:
        raise Differs("/".join(sorted(broken)))
    if part.is_multipart() and kind.startswith("message/"):
        if kind in ("message/rfc822", "message/global"):
            if encoding not in IDENTITY:
                out.append(f"{depth} application/octet-stream -")
                return
            out.append(f"{depth} {kind} -")
            walk(part.get_payload(0), depth + 1, out)
        else:
            # Python reads blocks of fields where IMAP has a leaf.
            out.append(f"{depth} {kind} -")
    elif part.is_multipart():
        out.append(f"{depth} {kind} -")
        for inner in part.get_payload():
            walk(inner, depth + 1, out)
    else:
        # What get_payload returns is decoded already if the part names a charset.
        out.append(sized(depth, kind, raw(part._payload or "")))


class Differs(Exception):
    pass


def header(message, name):
    return [re.sub(r"\r?\n", "", str(value)) for value in message.get_all(name, [])]


def addresses(message, name):
    values = header(message, name)
    # Raw octets; names written as "user at host"; syntax within <> or beside @ that is none and read as either likes; an
    # address before <, which Python takes for one of its own; a field without any address.
    odd = r"[^\t -~]| at |<[^>@]*[ :;]|[][\\]|@[^,]*:|@\S*@|@\S+\s*<"
    if any(re.search(odd, value) or "@" not in value for value in values):
        return "?"
    # Older versions have no other way than this, newer ones must be asked for it.
    lenient = {"strict": False} if hasattr(email.utils, "supports_strict_parsing") else {}
    found = [address for _, address in email.utils.getaddresses(values, **lenient)]
    return " ".join(address.replace('"', "") for address in found if address)


def date(message):
    values = header(message, "date")
    # Zones that are none (two signs, no sign, too many digits) and hours of a half day, which Python does not know.
    if values and re.search(r"\+-|\s0\d{3,4}$| [AP]M\b", values[0]):
        return "?"
    try:
        parsed = email.utils.parsedate_tz(values[0]) if values else None
        # The year 0102 is 2002 to us and 102 to Python.
        return str(email.utils.mktime_tz(parsed)) if parsed and parsed[0] > 200 else "?"
    except (ValueError, OverflowError, TypeError):
        return "?"


def understand(path):
    """Reason to skip, parts, From, To, Date."""
    octets = pathlib.Path(path).read_bytes()
    if re.search(rb"\r(?!\n)", octets):
        return "a bare CR, which ends a line for Python", "", "", "", ""
    if octets.startswith(b"From "):
        return "an mbox line, which is no header field", "", "", "", ""
    if re.search(rb"^(--[^\r\n]+)\r?\n\1\r?$", octets, re.MULTILINE):
        return "delimiters in a row, which Python takes for one", "", "", "", ""
    message = BytesParser(policy=policy.compat32).parsebytes(octets)
    parts = []
    try:
        walk(message, 0, parts)
    except Differs as reason:
        return str(reason), "", "", "", ""
    except Exception as error:  # Python's own parser trips over some mail.
        return f"Python fails: {type(error).__name__}", "", "", "", ""
    return "", ";".join(parts), addresses(message, "from"), addresses(message, "to"), date(message)


def cpython_messages():
    import test.test_email
    return sorted((pathlib.Path(test.test_email.__file__).parent / "data").glob("*.txt"))


if __name__ == "__main__":
    if sys.argv[1:] == ["--cpython"]:
        print("\n".join(map(str, cpython_messages())))
    else:
        for line in sys.stdin:
            path = line.rstrip("\n")
            print("\t".join(field.replace("\t", " ") for field in (path, *understand(path))))
