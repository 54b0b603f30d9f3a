#!/usr/bin/env python3
"""Write hard messages that real mail seldom shows: generate.py SEED DIR

The same seed gives the same bytes. Each file is NAME.eml, as a client would append it or a Maildir would hold it; the
names say what is hard about it. Attachments reach 10 MB. No message has a NUL byte, which IMAP cannot carry.
"""

import base64
import pathlib
import random
import sys

CHARSETS = [
    "us-ascii", "utf-8", "utf-16", "iso-8859-1", "iso-8859-2", "iso-8859-5", "iso-8859-6", "iso-8859-7", "iso-8859-8",
    "iso-8859-9", "iso-8859-15", "windows-1250", "windows-1251", "windows-1252", "windows-1255", "windows-1256",
    "koi8-r", "koi8-u", "iso-2022-jp", "shift_jis", "euc-jp", "euc-kr", "iso-2022-kr", "gb2312", "gbk", "gb18030",
    "big5", "tis-620", "utf-7", "macintosh", "cp437", "hz",
]
SAMPLES = [
    "Größe und Übermut", "Příliš žluťoučký kůň", "Съешь ещё этих мягких булок", "ξεσκεπάζω την ψυχοφθόρα",
    "דג סקרן שט בים", "نص حكيم له سر قاطع", "色は匂へど散りぬるを", "키스의 고유조건은", "天地玄黃宇宙洪荒", "เป็นมนุษย์สุดประเสริฐ",
    "plain words only",
]
DEEP = 90
HEADER_FIELDS = 2000


class Writer:
    def __init__(self, seed, directory):
        self.random = random.Random(seed)
        self.directory = directory

    def write(self, name, data):
        assert b"\0" not in data, name
        (self.directory / f"{name}.eml").write_bytes(data)

    def words(self, count):
        return " ".join("".join(self.random.choices("abcdefghijklmnopqrstuvwxyz", k=self.random.randint(2, 9)))
                        for _ in range(count))

    def header(self, name, extra=""):
        day = self.random.randint(1, 28)
        return (f"From: Sender {name} <sender@example.org>\r\nTo: Reader <reader@example.org>\r\n"
                f"Subject: {name}\r\nDate: {day} Mar 2021 10:11:12 +0000\r\n"
                f"Message-ID: <{name}.{self.random.getrandbits(40):x}@generated.example>\r\n{extra}")

    def body(self, lines):
        return "".join(self.words(self.random.randint(1, 11)) + "\r\n" for _ in range(lines))

    def encoded_attachment(self, size):
        return base64.encodebytes(self.random.randbytes(size)).replace(b"\n", b"\r\n")

    def with_attachment(self, name, size):
        """Two text parts, then an attachment whose encoded form is about `size` bytes."""
        mime = 'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="outer"\r\n\r\n'
        text = ('--outer\r\nContent-Type: multipart/alternative; boundary="inner"\r\n\r\n'
                f"--inner\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{self.body(12)}"
                f"--inner\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>{self.words(40)}</p>\r\n--inner--\r\n"
                "--outer\r\nContent-Type: application/octet-stream; name=big.bin\r\n"
                "Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=big.bin\r\n\r\n")
        data = (self.header(name, mime) + text).encode()
        self.write(name, data + self.encoded_attachment(size * 56 // 78) + b"--outer--\r\n")


def plain_edges(w):
    w.write("no-body-no-empty-line", w.header("no-body-no-empty-line").encode())
    w.write("header-only", (w.header("header-only") + "\r\n").encode())
    w.write("no-final-newline", (w.header("no-final-newline") + "\r\nlast line").encode())
    w.write("one-byte", b"x")
    w.write("only-a-newline", b"\r\n")
    w.write("only-a-body", b"\r\nno header at all\r\n")
    w.write("lf-only", (w.header("lf-only") + "\r\n" + w.body(20)).replace("\r\n", "\n").encode())
    w.write("mixed-line-ends", (w.header("mixed-line-ends") + "\r\n").encode() + b"a\r\nb\nc\r\nd\n")
    w.write("dots-and-froms", (w.header("dots-and-froms") + "\r\n.\r\n..\r\nFrom here on\r\n>From there\r\n").encode())
    w.write("literal-lookalike", (w.header("literal-lookalike") + "\r\n{5}\r\n)\r\na OK done\r\n* BYE\r\n").encode())


def headers(w):
    many = "".join(f"X-Field-{n}: {w.words(6)}\r\n" for n in range(HEADER_FIELDS))
    w.write("many-header-fields", (w.header("many-header-fields", many) + "\r\nbody\r\n").encode())
    w.write("header-of-one-megabyte", (w.header("huge", "X-Huge: " + "h" * 1_000_000 + "\r\n") + "\r\nb\r\n").encode())
    folded = "X-Folded: " + "\r\n ".join(w.words(3) for _ in range(500)) + "\r\n"
    w.write("folded-500-times", (w.header("folded-500-times", folded) + "\r\nbody\r\n").encode())
    people = ",\r\n ".join(f'"{w.words(2)}" <{w.words(1)}{n}@example.org>' for n in range(3000))
    w.write("three-thousand-recipients", (w.header("recipients", f"Cc: {people}\r\n") + "\r\nbody\r\n").encode())
    w.write("group-addresses", (w.header("group", "Cc: Team: a@example.org, b@example.org;, nobody:;\r\n")
                                + "\r\nb\r\n").encode())
    w.write("quotes-in-addresses", (w.header("quotes", 'Cc: "a \\"b\\" \\\\ c" <"d e"@example.org>, (x (y)) f@g\r\n')
                                    + "\r\nb\r\n").encode())
    w.write("empty-fields", b"From:\r\nTo: \r\nSubject:\r\nDate:\r\nMessage-ID:\r\n\r\nempty fields\r\n")
    w.write("bad-date", b"From: a@example.org\r\nDate: yesterday at tea time\r\nSubject: bad-date\r\n\r\nbody\r\n")
    w.write("eight-bit-header", b"From: J\xf6rg <j@example.org>\r\nSubject: raw \xe4\xf6\xfc latin1\r\n\r\nbody\r\n")
    w.write("utf8-header", "From: Jörg <jörg@example.org>\r\nSubject: 日本語 raw\r\n\r\nbody\r\n".encode())
    w.write("line-of-100000", (w.header("line-of-100000") + "\r\n" + "long" * 25_000 + "\r\n").encode())


def charsets(w):
    for charset in CHARSETS:
        for index, sample in enumerate(SAMPLES):
            try:
                text = sample.encode(charset)
            except (UnicodeEncodeError, LookupError):
                continue
            if b"\0" in text:
                transfer, payload = "base64", base64.encodebytes(text).replace(b"\n", b"\r\n")
            else:
                transfer, payload = "8bit", text + b"\r\n"
            word = base64.b64encode(text).decode()
            mime = (f"X-Word: =?{charset}?B?{word}?=\r\nMIME-Version: 1.0\r\n"
                    f"Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: {transfer}\r\n\r\n")
            name = f"charset-{charset}-{index}"
            w.write(name, w.header(name, mime).encode() + payload)


def nested(depth, w):
    opening = "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\r\n\r\n--b{n}\r\n' for n in range(depth))
    closing = "".join(f"--b{n}--\r\n" for n in reversed(range(depth)))
    return w.header(f"deep-{depth}", "MIME-Version: 1.0\r\n") + opening + "\r\n" + w.body(2) + closing


def mime(w):
    w.write("deep-multipart", nested(DEEP, w).encode())
    inner = w.header("innermost") + "\r\n" + w.body(3)
    for level in range(20):
        inner = w.header(f"message-{level}", "MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\n") + inner
    w.write("messages-in-messages", inner.encode())
    parts = "".join(f"--p\r\nContent-Type: text/plain\r\n\r\npart {n}\r\n" for n in range(1500))
    opening = 'MIME-Version: 1.0\r\nContent-Type: multipart/digest; boundary="p"\r\n\r\n'
    w.write("many-parts", (w.header("many-parts", opening) + parts + "--p--\r\n").encode())
    opening = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=never\r\n\r\n"
    w.write("boundary-never-comes", (w.header("boundary-never-comes", opening) + w.body(9)).encode())
    opening = 'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="open"\r\n\r\n--open\r\n\r\n'
    w.write("boundary-never-closes", (w.header("boundary-never-closes", opening) + w.body(9)).encode())
    opening = 'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=""\r\n\r\n--\r\n\r\n'
    w.write("boundary-is-empty", (w.header("boundary-is-empty", opening) + w.body(2)).encode())
    name = "".join(f' filename*{n}*="%E2%82%AC{n}";\r\n' for n in range(40)).replace("filename*0*=\"", "filename*0*=\"utf-8''")
    opening = f"MIME-Version: 1.0\r\nContent-Type: text/plain\r\nContent-Disposition: attachment;\r\n{name} x=y\r\n\r\n"
    w.write("parameter-continuations", (w.header("parameters", opening) + w.body(2)).encode())
    bytes_but_nul = bytes(b for b in w.random.randbytes(60_000) if b not in (0, 10, 13))
    lines = b"\r\n".join(bytes_but_nul[n:n + 700] for n in range(0, len(bytes_but_nul), 700))
    w.write("every-byte-but-nul", w.header("every-byte-but-nul", "\r\n").encode() + lines + b"\r\n")


def attachments(w):
    for kilobytes in (60, 500, 1000, 1100, 3000):
        w.with_attachment(f"attachment-{kilobytes}-kB", kilobytes * 1000)
    w.with_attachment("attachment-10-MB", 10_000_000)


def main():
    directory = pathlib.Path(sys.argv[2])
    directory.mkdir(parents=True, exist_ok=True)
    writer = Writer(int(sys.argv[1]), directory)
    for kind in (plain_edges, headers, charsets, mime, attachments):
        kind(writer)


if __name__ == "__main__":
    main()
