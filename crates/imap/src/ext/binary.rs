//! BINARY (RFC 3516, RFC 9051 6.4.5): parts with their transfer encoding undone. What cannot be undone is refused with
//! `NO [UNKNOWN-CTE]` before a word of the answer is written.

use std::ops::Range;

use account::Pending;
use message::{Decoder, SectionKind};

use crate::command::Failure;
use crate::command::fetch::{FetchItem, Fetched, Needs, Section, partial, section};
use crate::peer::Peer;
use crate::registry::{Extension, FetchItemRow, Shown};
use crate::response::{Code, OUTPUT_BYTES_MAX};
use crate::wire::{Bad, Reader, Writer};

pub(crate) const EXTENSION: Extension = Extension {
    capability: "BINARY",
    rfc: 3516,
    shown: Shown::AfterLogin,
    file: "ext/binary.rs",
    fetch_items: &[
        FetchItemRow { name: "BINARY", parse: |reader, _| parse(reader, Kind::Octets { seen: true }) },
        FetchItemRow { name: "BINARY.PEEK", parse: |reader, _| parse(reader, Kind::Octets { seen: false }) },
        FetchItemRow { name: "BINARY.SIZE", parse: |reader, _| parse(reader, Kind::Size) },
    ],
    ..Extension::NONE
};

const PIECE_BYTES: u64 = 64 * 1024;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Octets { seen: bool },
    Size,
}

struct Binary {
    section: Section,
    partial: Option<(u64, u64)>,
    kind: Kind,
}

/// `section-binary ["<" number64 "." nz-number64 ">"]`: part numbers only.
fn parse(reader: &mut Reader<'_>, kind: Kind) -> Result<Box<dyn FetchItem>, Bad> {
    let section = section(reader)?;
    if section.kind != SectionKind::Whole {
        return Err(reader.bad("BINARY takes a part number only"));
    }
    let partial = if kind == Kind::Size { None } else { partial(reader)? };
    Ok(Box::new(Binary { section, partial, kind }))
}

impl FetchItem for Binary {
    fn needs(&self) -> Needs {
        Needs::Body
    }

    fn marks_seen(&self) -> bool {
        self.kind == Kind::Octets { seen: true }
    }

    fn stream<'a>(
        &'a self,
        message: &'a Fetched<'_>,
        peer: &'a mut dyn Peer,
    ) -> Pending<'a, Result<bool, Failure>> {
        Box::pin(async move {
            let source = self.source(message)?;
            let mut measured = Measure::default();
            if let Some(source) = &source {
                source.decode(message, &mut |octets| measured.add(octets)).await?;
            }
            let mut writer = Writer::new(peer.output(), false);
            writer.raw(if self.kind == Kind::Size { b"BINARY.SIZE[" } else { b"BINARY[" });
            self.section.write(&mut writer);
            writer.raw(b"]");
            if self.kind == Kind::Size {
                writer.raw(b" ");
                writer.number(measured.octets);
                return Ok(false);
            }
            if let Some((offset, _)) = self.partial {
                writer.raw(format!("<{offset}>").as_bytes());
            }
            let Some(source) = source else {
                writer.raw(b" NIL");
                return Ok(false);
            };
            let wanted = slice(measured.octets, self.partial);
            writer.raw(b" ");
            if measured.nul {
                writer.literal8_header(wanted.end - wanted.start);
            } else {
                writer.literal_header(wanted.end - wanted.start);
            }
            source.copy(message, wanted, peer).await
        })
    }
}

fn slice(octets: u64, partial: Option<(u64, u64)>) -> Range<u64> {
    let Some((offset, count)) = partial else { return 0..octets };
    let start = offset.min(octets);
    start..start.saturating_add(count).min(octets)
}

/// What a first pass over the decoded octets learns, since a literal names its length ahead.
#[derive(Default)]
struct Measure {
    octets: u64,
    nul: bool,
}

impl Measure {
    fn add(&mut self, octets: &[u8]) {
        self.octets += octets.len() as u64;
        self.nul |= memchr::memchr(0, octets).is_some();
    }
}

/// Where encoded octets stand, and how they are encoded.
struct Source {
    range: Range<u64>,
    encoding: Vec<u8>,
}

impl Binary {
    /// `None`: the message has no such part.
    fn source(&self, message: &Fetched<'_>) -> Result<Option<Source>, Failure> {
        let summary = message.summary()?;
        let Some(range) = summary.section(&self.section.path, SectionKind::Whole) else { return Ok(None) };
        let part = if self.section.path.is_empty() { None } else { summary.part(&self.section.path) };
        // The whole message, and parts made of parts, have no encoding to undo.
        let encoding = match part {
            Some(part) if !part.is_multipart() => part.encoding().bytes.to_vec(),
            _ => b"binary".to_vec(),
        };
        Ok(Some(Source { range, encoding }))
    }
}

fn unknown_cte() -> Failure {
    Failure::no(Code::UnknownCte, "The part cannot be decoded")
}

impl Source {
    /// Decodes everything, piece by piece.
    async fn decode(
        &self,
        message: &Fetched<'_>,
        sink: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<(), Failure> {
        let mut decoder = Decoder::new(&self.encoding).ok_or_else(unknown_cte)?;
        let (mut at, mut decoded) = (self.range.start, Vec::new());
        while at < self.range.end {
            let end = self.range.end.min(at + PIECE_BYTES);
            let octets = message.account.body(message.row.blob, at..end).await?;
            decoded.clear();
            decoder.push(&octets, &mut decoded).map_err(|_| unknown_cte())?;
            sink(&decoded);
            at = end;
        }
        decoded.clear();
        decoder.finish(&mut decoded).map_err(|_| unknown_cte())?;
        sink(&decoded);
        Ok(())
    }

    /// Decodes once more and writes the wanted octets, letting the peer drain in between; says whether it did.
    async fn copy(
        &self,
        message: &Fetched<'_>,
        wanted: Range<u64>,
        peer: &mut dyn Peer,
    ) -> Result<bool, Failure> {
        let broken = |_| Failure::Broken("a part changed between two readings");
        let mut decoder = Decoder::new(&self.encoding).ok_or_else(unknown_cte)?;
        let (mut at, mut place, mut drained, mut decoded) = (self.range.start, 0_u64, false, Vec::new());
        loop {
            decoded.clear();
            let last = at >= self.range.end;
            if last {
                decoder.finish(&mut decoded).map_err(broken)?;
            } else {
                let end = self.range.end.min(at + PIECE_BYTES);
                let octets = message.account.body(message.row.blob, at..end).await;
                let octets = octets.map_err(|_| Failure::Broken("a message is damaged in the middle"))?;
                decoder.push(&octets, &mut decoded).map_err(broken)?;
                at = end;
            }
            let from = wanted.start.saturating_sub(place).min(decoded.len() as u64) as usize;
            let to = wanted.end.saturating_sub(place).min(decoded.len() as u64) as usize;
            peer.output().extend_from_slice(&decoded[from..to]);
            place += decoded.len() as u64;
            if last || place >= wanted.end {
                return Ok(drained);
            }
            if peer.output().len() >= OUTPUT_BYTES_MAX {
                peer.drain().await?;
                drained = true;
            }
        }
    }
}
