//! FETCH items that are octets of the message: BODY[…], BODY.PEEK[…] and the RFC822 items of RFC 3501 (RFC 9051 6.4.5,
//! 6.4.5.1). They stream: a message of 50 MB is never in memory.

use std::ops::Range;

use account::{Fault, Pending};
use message::SectionKind;

use super::{FetchItem, Fetched, Needs};
use crate::command::Failure;
use crate::limits;
use crate::peer::Peer;
use crate::registry::FetchItemRow;
use crate::response::OUTPUT_BYTES_MAX;
use crate::wire::{Bad, Reader, Writer};

pub(crate) const ITEMS: &[FetchItemRow] = &[
    FetchItemRow { name: "BODY.PEEK", parse: |reader, _| parse(reader, "BODY", false) },
    FetchItemRow { name: "RFC822", parse: |_, _| Ok(old("RFC822", SectionKind::Whole, true)) },
    FetchItemRow {
        name: "RFC822.HEADER",
        parse: |_, _| Ok(old("RFC822.HEADER", SectionKind::Header, false)),
    },
    FetchItemRow { name: "RFC822.TEXT", parse: |_, _| Ok(old("RFC822.TEXT", SectionKind::Text, true)) },
];

/// How much of a message is asked of the store at a time.
const PIECE_BYTES: u64 = 64 * 1024;

/// `section`: a part, and what of it.
pub(crate) struct Section {
    pub path: Vec<u32>,
    pub kind: SectionKind,
    /// HEADER.FIELDS and HEADER.FIELDS.NOT.
    fields: Option<Fields>,
}

struct Fields {
    names: Vec<Vec<u8>>,
    not: bool,
}

struct Body {
    /// How the answer names it.
    label: &'static str,
    section: Option<Section>,
    /// `<offset.count>`
    partial: Option<(u64, u64)>,
    seen: bool,
    old_kind: SectionKind,
}

fn old(label: &'static str, kind: SectionKind, seen: bool) -> Box<dyn FetchItem> {
    Box::new(Body { label, section: None, partial: None, seen, old_kind: kind })
}

/// `"[" [section-spec] "]" ["<" number64 "." nz-number64 ">"]`
pub(super) fn parse(
    reader: &mut Reader<'_>,
    label: &'static str,
    seen: bool,
) -> Result<Box<dyn FetchItem>, Bad> {
    let section = section(reader)?;
    let partial = partial(reader)?;
    Ok(Box::new(Body { label, section: Some(section), partial, seen, old_kind: SectionKind::Whole }))
}

/// `section` of RFC 9051 9, with its brackets.
pub(crate) fn section(reader: &mut Reader<'_>) -> Result<Section, Bad> {
    reader.expect(b"[")?;
    let mut section = Section { path: Vec::new(), kind: SectionKind::Whole, fields: None };
    while matches!(reader.peek(), Some(b'0'..=b'9')) {
        if section.path.len() >= limits::SECTION_LEVELS_MAX {
            return Err(reader.bad("Section too deep"));
        }
        section.path.push(reader.nz_number()?);
        if !reader.eat(b".") {
            reader.expect(b"]")?;
            return Ok(section);
        }
    }
    if section.path.is_empty() && reader.eat(b"]") {
        return Ok(section);
    }
    if reader.eat_word("HEADER.FIELDS.NOT") {
        section.fields = Some(fields(reader, true)?);
    } else if reader.eat_word("HEADER.FIELDS") {
        section.fields = Some(fields(reader, false)?);
    } else if reader.eat_word("HEADER") {
        section.kind = SectionKind::Header;
    } else if reader.eat_word("TEXT") {
        section.kind = SectionKind::Text;
    } else if !section.path.is_empty() && reader.eat_word("MIME") {
        section.kind = SectionKind::Mime;
    } else {
        return Err(reader.bad("Unknown section"));
    }
    if section.fields.is_some() {
        section.kind = SectionKind::Header;
    }
    reader.expect(b"]")?;
    Ok(section)
}

/// `SP "(" header-fld-name *(SP header-fld-name) ")"`
fn fields(reader: &mut Reader<'_>, not: bool) -> Result<Fields, Bad> {
    reader.sp()?;
    reader.expect(b"(")?;
    let mut names = Vec::new();
    loop {
        if names.len() >= limits::HEADER_FIELDS_MAX {
            return Err(reader.bad("Too many header fields"));
        }
        names.push(reader.astring()?.to_vec());
        if reader.eat(b")") {
            return Ok(Fields { names, not });
        }
        reader.sp()?;
    }
}

/// `"<" number64 "." nz-number64 ">"`
pub(crate) fn partial(reader: &mut Reader<'_>) -> Result<Option<(u64, u64)>, Bad> {
    if !reader.eat(b"<") {
        return Ok(None);
    }
    let offset = reader.number64()?;
    reader.expect(b".")?;
    let count = reader.number64()?;
    reader.expect(b">")?;
    if count == 0 {
        return Err(reader.bad("A partial fetch of nothing"));
    }
    Ok(Some((offset, count)))
}

/// The slice of a range that `<offset.count>` means; empty when it begins beyond the end.
pub(crate) fn slice(range: &Range<u64>, partial: Option<(u64, u64)>) -> Range<u64> {
    let Some((offset, count)) = partial else { return range.clone() };
    let start = range.start.saturating_add(offset).min(range.end);
    start..start.saturating_add(count).min(range.end)
}

impl Section {
    /// As the answer names it: `1.2.HEADER.FIELDS (FROM TO)`.
    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        for (place, level) in self.path.iter().enumerate() {
            if place > 0 {
                writer.raw(b".");
            }
            writer.number(u64::from(*level));
        }
        if !self.path.is_empty() && self.kind != SectionKind::Whole {
            writer.raw(b".");
        }
        match (&self.fields, self.kind) {
            (Some(fields), _) => {
                writer.raw(if fields.not { b"HEADER.FIELDS.NOT (" } else { b"HEADER.FIELDS (" });
                for (place, name) in fields.names.iter().enumerate() {
                    if place > 0 {
                        writer.raw(b" ");
                    }
                    writer.astring(name);
                }
                writer.raw(b")");
            }
            (None, SectionKind::Header) => writer.raw(b"HEADER"),
            (None, SectionKind::Text) => writer.raw(b"TEXT"),
            (None, SectionKind::Mime) => writer.raw(b"MIME"),
            (None, SectionKind::Whole) => {}
        }
    }
}

impl FetchItem for Body {
    fn needs(&self) -> Needs {
        Needs::Body
    }

    fn marks_seen(&self) -> bool {
        self.seen
    }

    fn stream<'a>(
        &'a self,
        message: &'a Fetched<'_>,
        peer: &'a mut dyn Peer,
    ) -> Pending<'a, Result<bool, Failure>> {
        Box::pin(async move {
            let range = self.range(message)?;
            let mut writer = Writer::new(peer.output(), message.modes.utf8_names());
            writer.raw(self.label.as_bytes());
            if let Some(section) = &self.section {
                writer.raw(b"[");
                section.write(&mut writer);
                writer.raw(b"]");
            }
            if let Some((offset, _)) = self.partial {
                writer.raw(format!("<{offset}>").as_bytes());
            }
            writer.raw(b" ");
            let Some(range) = range else {
                writer.raw(b"NIL");
                return Ok(false);
            };
            let Some(fields) = self.section.as_ref().and_then(|section| section.fields.as_ref()) else {
                return stream(message, slice(&range, self.partial), peer).await;
            };
            let end = range.end.min(range.start + limits::HEADER_BYTES_MAX);
            let header = message.account.body(message.row.blob, range.start..end).await?;
            let names: Vec<&[u8]> = fields.names.iter().map(Vec::as_slice).collect();
            let chosen = message::header_fields(&header, &names, fields.not);
            let part = slice(&(0..chosen.len() as u64), self.partial);
            Writer::new(peer.output(), false).literal(&chosen[part.start as usize..part.end as usize]);
            Ok(false)
        })
    }
}

impl Body {
    /// The octets meant; `None` when the message has no such part.
    fn range(&self, message: &Fetched<'_>) -> Result<Option<Range<u64>>, Failure> {
        let summary = message.summary()?;
        let (path, kind) = match &self.section {
            Some(section) => (&section.path[..], section.kind),
            None => (&[][..], self.old_kind),
        };
        Ok(summary.section(path, kind))
    }
}

/// Writes octets of the message as a literal, letting the peer drain in between; says whether it did.
async fn stream(message: &Fetched<'_>, range: Range<u64>, peer: &mut dyn Peer) -> Result<bool, Failure> {
    let (mut at, mut drained) = (range.start, false);
    // The first piece comes before the literal is announced, so that damaged octets break no answer.
    let mut piece = message.account.body(message.row.blob, at..range.end.min(at + PIECE_BYTES)).await?;
    Writer::new(peer.output(), false).literal_header(range.end - range.start);
    loop {
        peer.output().extend_from_slice(&piece);
        at += piece.len() as u64;
        if at >= range.end {
            return Ok(drained);
        }
        if piece.is_empty() {
            return Err(Failure::Broken("the store gave fewer octets than the message has"));
        }
        if peer.output().len() >= OUTPUT_BYTES_MAX {
            peer.drain().await?;
            drained = true;
        }
        piece = match message.account.body(message.row.blob, at..range.end.min(at + PIECE_BYTES)).await {
            Ok(piece) => piece,
            // The literal is begun; its octets cannot be taken back.
            Err(Fault::Damaged(_)) => return Err(Failure::Broken("a message is damaged in the middle")),
            Err(fault) => return Err(fault.into()),
        };
    }
}
