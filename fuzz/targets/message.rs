//! Any bytes are a message: the parts lie within one another, what is counted is there, every string can be written to
//! a client, and how the message arrived in pieces makes no difference. Any bytes in a summary's place are harmless, too.
#![no_main]

use libfuzzer_sys::fuzz_target;
use message::{
    AddressField, Addresses, Decoder, Derived, Envelope, Params, Part, Scanner, SearchField, SearchText,
    SectionKind, Summary, Text, TextContent, TextKind, TextMatcher, derive, fold, fold_header, header_fields,
    header_values,
};
use std::ops::Range;

/// Characters of a preview (RFC 8970, section 3.1).
const PREVIEW_CHARACTERS_MAX: usize = 256;

fuzz_target!(|bytes: &[u8]| {
    let derived = derive(bytes);
    same_in_pieces(bytes, &derived);
    let summary = Summary::new(&derived.summary).expect("what was derived can be read");
    whole(bytes, &summary);
    strings(&summary);
    searched(bytes, &summary, &derived.text);
    headers(bytes, &summary);
    // Damaged on disk, and yet with a checksum that fits: it may be refused or say nonsense, no more.
    if let Ok(nonsense) = Summary::new(bytes) {
        strings(&nonsense);
        let _ = (nonsense.section(&[1, 2, 1], SectionKind::Mime), nonsense.text_sections());
    }
    let _ = SearchText::new(bytes);
});

fn same_in_pieces(bytes: &[u8], whole: &Derived) {
    let size = 1 + usize::from(bytes.first().copied().unwrap_or(0));
    let mut scanner = Scanner::new();
    bytes.chunks(size).for_each(|piece| scanner.push(piece));
    let pieces = scanner.finish();
    assert_eq!(whole.summary, pieces.summary, "pieces of {size}");
    assert_eq!(whole.text, pieces.text, "pieces of {size}");
}

/// The tree of parts against the octets.
fn whole(bytes: &[u8], summary: &Summary<'_>) {
    assert_eq!(summary.size(), bytes.len() as u64);
    let root = summary.structure();
    // A message that is no multipart is its own part 1 (RFC 9051, section 6.4.5.1).
    let mut open = vec![(root, if root.is_multipart() { Vec::new() } else { vec![1] })];
    assert_eq!(summary.structure().header().end, summary.header_len());
    while let Some((part, path)) = open.pop() {
        let body = &bytes[usize_range(&part.body())];
        assert!(part.header().end <= part.body().start);
        assert_eq!(part.octets(), body.len() as u64);
        if part.is_text() || part.is_message() {
            let ends = body.iter().filter(|&&octet| octet == b'\n').count() as u64;
            assert_eq!(part.lines(), ends, "{path:?}");
        }
        let below: Vec<Part<'_>> = part.children().chain(part.nested()).collect();
        let mut from = part.body().start;
        for (part_below, number) in below.into_iter().zip(1..) {
            assert!(
                from <= part_below.header().start && part_below.body().end <= part.body().end,
                "{path:?}"
            );
            from = part_below.body().end;
            let mut path = path.clone();
            // A multipart takes over the number of the message that it is the body of; anything else is that message's part 1.
            if part.is_multipart() || !part_below.is_multipart() {
                path.push(number);
                assert_eq!(summary.section(&path, SectionKind::Whole), Some(part_below.body()), "{path:?}");
                assert_eq!(summary.section(&path, SectionKind::Mime), Some(part_below.header()), "{path:?}");
            }
            open.push((part_below, path));
        }
    }
}

/// Reads every string there is.
fn strings(summary: &Summary<'_>) {
    envelope(&summary.envelope());
    let mut open = vec![summary.structure()];
    while let Some(part) = open.pop() {
        let texts = [
            part.media_type(),
            part.subtype(),
            part.id(),
            part.description(),
            part.encoding(),
            part.md5(),
            part.disposition(),
            part.location(),
        ];
        texts.into_iter().chain(part.languages().iter()).for_each(written);
        params(&part.params());
        params(&part.disposition_params());
        if let Some(nested) = part.envelope() {
            envelope(&nested);
        }
        open.extend(part.children().chain(part.nested()));
    }
    assert!(summary.preview().chars().count() <= PREVIEW_CHARACTERS_MAX);
    let fields = [
        AddressField::From,
        AddressField::To,
        AddressField::Cc,
        AddressField::DisplayFrom,
        AddressField::DisplayTo,
    ];
    fields.into_iter().for_each(|field| drop(summary.sort_address(field)));
    let _ = (summary.base_subject(), summary.is_reply(), summary.sent_date(), summary.thread_id());
    assert!(summary.references().all(|reference| !reference.is_empty()));
}

fn envelope(envelope: &Envelope<'_>) {
    let addresses = |addresses: &Addresses<'_>| {
        for address in addresses.iter() {
            [address.name, address.route, address.mailbox, address.host].into_iter().for_each(written);
        }
    };
    [envelope.date, envelope.subject, envelope.in_reply_to, envelope.message_id]
        .into_iter()
        .for_each(written);
    let lists =
        [&envelope.from, &envelope.sender, &envelope.reply_to, &envelope.to, &envelope.cc, &envelope.bcc];
    lists.into_iter().for_each(addresses);
}

fn params(params: &Params<'_>) {
    params.iter().for_each(|(name, value)| {
        written(name);
        written(value);
    });
}

/// A string's kind is what a writer relies on instead of looking.
fn written(text: Text<'_>) {
    let has = |octets: &[u8]| text.bytes.iter().any(|octet| octets.contains(octet));
    assert!(!has(b"\0\r\n"), "{text:?}");
    match text.kind {
        TextKind::Nil => assert!(text.bytes.is_empty()),
        TextKind::Plain => assert!(text.bytes.is_ascii() && !has(b"\"\\"), "{text:?}"),
        TextKind::Quotable => assert!(text.bytes.is_ascii() && has(b"\"\\"), "{text:?}"),
        TextKind::EightBit => assert!(!text.bytes.is_ascii(), "{text:?}"),
    }
}

/// What SEARCH looks through.
fn searched(bytes: &[u8], summary: &Summary<'_>, packed: &[u8]) {
    let text = SearchText::new(packed).expect("what was derived can be read");
    let fields =
        [SearchField::Subject, SearchField::From, SearchField::To, SearchField::Cc, SearchField::Bcc];
    for field in fields {
        assert_eq!(fold(text.field(field)), text.field(field), "folded twice is folded once");
    }
    for section in summary.text_sections() {
        let octets = &bytes[usize_range(&section.octets)];
        match section.content {
            TextContent::Header => drop(fold_header(octets)),
            TextContent::Text { encoding, charset } => {
                let size = 1 + octets.len() / 3;
                let mut pieces = TextMatcher::new(encoding, charset, "ab");
                octets.chunks(size).for_each(|piece| drop(pieces.push(piece)));
                let mut whole = TextMatcher::new(encoding, charset, "ab");
                whole.push(octets);
                assert_eq!(pieces.finish(), whole.finish());
                decoded(encoding, octets);
            }
        }
    }
}

fn decoded(encoding: &[u8], octets: &[u8]) {
    let decode = |size: usize| {
        let mut decoder = Decoder::new(encoding)?;
        let mut decoded = Vec::new();
        let pushed = octets.chunks(size).try_for_each(|piece| decoder.push(piece, &mut decoded));
        pushed.and_then(|()| decoder.finish(&mut decoded)).ok().map(|()| decoded)
    };
    assert_eq!(decode(7), decode(octets.len().max(1)));
}

fn headers(bytes: &[u8], summary: &Summary<'_>) {
    let header = &bytes[..summary.header_len() as usize];
    let names: [&[u8]; 2] = [b"subject", b"to"];
    let (with, without) = (header_fields(header, &names, false), header_fields(header, &names, true));
    let _ = header_values(header, b"Subject");
    assert!(with.len() + without.len() <= 2 * (header.len() + 2), "nothing is made up");
}

fn usize_range(range: &Range<u64>) -> Range<usize> {
    range.start as usize..range.end as usize
}
