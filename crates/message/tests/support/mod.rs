//! What the tests of this crate share: reading a summary the way an IMAP server does.
#![allow(dead_code)] // Each test file is a crate of its own and uses a part of this.

use std::ops::Range;

use message::{Address, Addresses, Envelope, Params, Part, SectionKind, Summary, Text, TextKind};

/// Text with LF line ends as it is on the wire.
pub fn crlf(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

/// `BODYSTRUCTURE` as a server writes it (RFC 9051 section 9, `body`), asserting on the way what the grammar demands.
pub fn body_structure(part: &Part<'_>, out: &mut String) {
    out.push('(');
    if part.is_multipart() {
        let children: Vec<_> = part.children().collect();
        assert!(!children.is_empty(), "body-type-mpart = 1*body");
        for child in &children {
            body_structure(child, out);
        }
        out.push(' ');
        string(part.subtype(), out);
        out.push(' ');
        params(part.params(), out);
    } else {
        single(part, out);
    }
    out.push(' ');
    if part.disposition().is_nil() {
        out.push_str("NIL");
    } else {
        out.push('(');
        string(part.disposition(), out);
        out.push(' ');
        params(part.disposition_params(), out);
        out.push(')');
    }
    out.push(' ');
    languages(part, out);
    out.push(' ');
    nstring(part.location(), out);
    out.push(')');
}

fn single(part: &Part<'_>, out: &mut String) {
    string(part.media_type(), out);
    out.push(' ');
    string(part.subtype(), out);
    out.push(' ');
    params(part.params(), out);
    out.push(' ');
    nstring(part.id(), out);
    out.push(' ');
    nstring(part.description(), out);
    out.push(' ');
    string(part.encoding(), out);
    out.push_str(&format!(" {}", part.octets()));
    let kind = (part.media_type().bytes.to_ascii_lowercase(), part.subtype().bytes.to_ascii_lowercase());
    let is_message = kind.0 == b"message" && (kind.1 == b"rfc822" || kind.1 == b"global");
    assert_eq!(part.is_message(), is_message, "the type decides the syntax");
    assert_eq!(part.is_text(), kind.0 == b"text");
    assert_ne!(kind.0, b"multipart", "a multipart has children");
    if part.is_message() {
        out.push(' ');
        envelope(&part.envelope().expect("a message part has an envelope"), out);
        out.push(' ');
        body_structure(&part.nested().expect("a message part has a structure"), out);
    }
    if part.is_message() || part.is_text() {
        out.push_str(&format!(" {}", part.lines()));
    }
    out.push(' ');
    nstring(part.md5(), out);
}

fn languages(part: &Part<'_>, out: &mut String) {
    if part.languages().is_empty() {
        out.push_str("NIL");
        return;
    }
    let tags: Vec<_> =
        part.languages().iter().map(|tag| String::from_utf8_lossy(tag.bytes).into_owned()).collect();
    out.push_str(&format!("({})", tags.join(" ")));
}

pub fn params(params: Params<'_>, out: &mut String) {
    if params.is_empty() {
        out.push_str("NIL");
        return;
    }
    let mut separator = '(';
    for (attribute, value) in params {
        out.push(separator);
        string(attribute, out);
        out.push(' ');
        string(value, out);
        separator = ' ';
    }
    out.push(')');
}

pub fn envelope(envelope: &Envelope<'_>, out: &mut String) {
    out.push('(');
    nstring(envelope.date, out);
    out.push(' ');
    nstring(envelope.subject, out);
    for list in [envelope.from, envelope.sender, envelope.reply_to, envelope.to, envelope.cc, envelope.bcc] {
        out.push(' ');
        addresses(list, out);
    }
    out.push(' ');
    nstring(envelope.in_reply_to, out);
    out.push(' ');
    nstring(envelope.message_id, out);
    out.push(')');
}

pub fn addresses(list: Addresses<'_>, out: &mut String) {
    if list.is_empty() {
        out.push_str("NIL");
        return;
    }
    out.push('(');
    let mut in_group = false;
    for address in list {
        if address.host.is_nil() {
            // RFC 9051 section 7.5.2: a group begins with its name as mailbox and ends with NIL for it.
            assert_eq!(in_group, address.mailbox.is_nil(), "groups begin and end in turn");
            in_group = !in_group;
        }
        one_address(address, out);
    }
    assert!(!in_group, "a group that begins ends");
    out.push(')');
}

fn one_address(address: Address<'_>, out: &mut String) {
    let mut separator = '(';
    for text in [address.name, address.route, address.mailbox, address.host] {
        out.push(separator);
        nstring(text, out);
        separator = ' ';
    }
    out.push(')');
}

pub fn string(text: Text<'_>, out: &mut String) {
    assert!(!text.is_nil(), "a string is never NIL");
    nstring(text, out);
}

/// Writes the string by its kind alone, and asserts that the kind tells the truth.
pub fn nstring(text: Text<'_>, out: &mut String) {
    let octets = text.bytes;
    assert!(!octets.iter().any(|octet| matches!(octet, 0 | b'\r' | b'\n')), "NUL, CR or LF in a string");
    let eight_bit = !octets.is_ascii();
    let special = octets.iter().any(|octet| matches!(octet, b'"' | b'\\'));
    match text.kind {
        TextKind::Nil => {
            assert!(octets.is_empty());
            out.push_str("NIL");
        }
        TextKind::Plain => {
            assert!(!eight_bit && !special);
            out.push_str(&format!("\"{}\"", String::from_utf8_lossy(octets)));
        }
        TextKind::Quotable => {
            assert!(!eight_bit && special);
            let escaped = String::from_utf8_lossy(octets).replace('\\', "\\\\").replace('"', "\\\"");
            out.push_str(&format!("\"{escaped}\""));
        }
        TextKind::EightBit => {
            assert!(eight_bit);
            out.push_str(&format!("{{{}}}\r\n{}", octets.len(), String::from_utf8_lossy(octets)));
        }
    }
}

/// The structure of a message, checked in every way that holds for every message.
pub fn structure_of(message: &[u8], summary: &Summary<'_>) -> String {
    assert_eq!(summary.size(), message.len() as u64);
    let root = summary.structure();
    assert_eq!(root.header().start, 0);
    assert_eq!(root.body().end, message.len() as u64);
    check_ranges(message, &root);
    let mut out = String::new();
    body_structure(&root, &mut out);
    envelope(&summary.envelope(), &mut String::new());
    out
}

/// Ranges nest, follow one another, and the counts agree with the octets they stand for.
pub fn check_ranges(message: &[u8], part: &Part<'_>) {
    let body = octets(message, part.body());
    assert_eq!(part.octets(), body.len() as u64);
    assert_eq!(
        part.lines(),
        body.iter().filter(|&&octet| octet == b'\n').count() as u64,
        "line ends of the body"
    );
    assert_eq!(part.header().end, part.body().start);
    let mut from = part.body().start;
    for inner in part.children().chain(part.nested()) {
        assert!(from <= inner.header().start, "after the elder sibling");
        assert!(inner.body().end <= part.body().end, "within the parent");
        check_ranges(message, &inner);
        from = inner.body().end;
    }
    if let Some(nested) = part.nested() {
        assert_eq!(nested.header().start, part.body().start, "a nested message is the body");
        assert_eq!(nested.body().end, part.body().end);
    }
}

pub fn octets(message: &[u8], range: Range<u64>) -> &[u8] {
    &message[range.start as usize..range.end as usize]
}

/// The octets of a section, as text.
pub fn section(message: &[u8], summary: &Summary<'_>, path: &[u32], kind: SectionKind) -> Option<String> {
    summary.section(path, kind).map(|range| String::from_utf8_lossy(octets(message, range)).into_owned())
}
