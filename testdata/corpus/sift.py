"""Find the mail messages inside package archives.

An archive is walked without being unpacked to disk, and archives inside it are walked too. A file counts as a
message when its first lines are a header block that a mail program would have written; a file that starts with a
"From " line is split as an mbox. Everything else is left alone, so pointing this at a whole source tree is safe.
"""

import bz2
import gzip
import io
import lzma
import re
import tarfile
import zipfile
import zlib

# An archive member above this is not looked at: the largest message in the known packages is about 3 MB.
MEMBER_BYTES_MAX = 32 * 1024 * 1024
# Archives inside archives inside archives exist (test data of unpackers); deeper ones are decompression bombs.
NESTING_MAX = 3

FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:(.*)")
MBOX_FROM = re.compile(rb"^From \S.*\d\d:\d\d.*\d{4}", re.MULTILINE)
# Two of these, one of them naming a person, a place or a time, make a header block a mail header.
KNOWN = {
    b"from", b"to", b"cc", b"subject", b"date", b"message-id", b"received", b"return-path", b"mime-version",
    b"content-type", b"reply-to", b"sender", b"delivered-to", b"in-reply-to", b"references", b"x-mailer", b"list-id",
}
TELLING = {b"from", b"received", b"date", b"message-id", b"return-path", b"subject", b"to"}


def header_names(data):
    """The field names of the header block that `data` starts with; empty when it does not start with one."""
    names = []
    for line in data[:262144].split(b"\n"):
        line = line.rstrip(b"\r")
        if not line:
            return names
        if line[:1] in b" \t":
            if not names:
                return []
            continue
        field = FIELD.match(line)
        if not field:
            return []
        names.append(field.group(1).lower())
    return names


def is_message(data):
    names = set(header_names(data))
    return len(names & KNOWN) >= 2 and bool(names & TELLING)


def split_mbox(data):
    """The messages of an mbox, each without its "From " line; quoting (">From ") is left as it is."""
    starts = [m.start() for m in MBOX_FROM.finditer(data) if m.start() == 0 or data[m.start() - 1 : m.start()] == b"\n"]
    for start, end in zip(starts, starts[1:] + [len(data)]):
        body = data[start:end]
        newline = body.find(b"\n")
        message = body[newline + 1 :] if newline >= 0 else b""
        # The empty line before the next "From " belongs to the mbox and not to the message.
        yield message[:-1] if end != len(data) and message.endswith(b"\n\n") else message


def messages_in_file(name, data):
    if data.startswith(b"From ") and MBOX_FROM.match(data):
        for index, message in enumerate(split_mbox(data)):
            if is_message(message):
                yield f"{name}#{index}", message
    elif is_message(data):
        yield name, data


def unpack(name, data):
    """The members of `data` if it is an archive, else None."""
    if data[:2] == b"PK":
        return list(zip_members(name, data))
    for magic, module in ((b"\x1f\x8b", gzip), (b"BZh", bz2), (b"\xfd7zXZ", lzma)):
        if data.startswith(magic):
            data = module.open(io.BytesIO(data)).read(1 << 30)
            break
    else:
        if data[257:262] != b"ustar":
            return None
    if data[257:262] == b"ustar":
        return list(tar_members(name, data))
    return [(name, data)]


def tar_members(name, data):
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            if member.isfile() and member.size <= MEMBER_BYTES_MAX:
                yield f"{name}!{member.name}", archive.extractfile(member).read()


def zip_members(name, data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.infolist():
            if not member.is_dir() and member.file_size <= MEMBER_BYTES_MAX and not member.flag_bits & 1:
                yield f"{name}!{member.filename}", archive.read(member)


def messages(name, data, depth=0):
    """Every (origin, message) found in the archive or file `data`, in the archive's own order."""
    try:
        members = unpack(name, data) if depth < NESTING_MAX else None
    except (OSError, EOFError, ValueError, RuntimeError, NotImplementedError, lzma.LZMAError, tarfile.TarError,
            zipfile.BadZipFile, zlib.error):
        # Test data of mail programs includes archives that are broken on purpose.
        return
    if members is None:
        yield from messages_in_file(name, data)
        return
    for member, content in members:
        yield from messages(member, content, depth + 1)
