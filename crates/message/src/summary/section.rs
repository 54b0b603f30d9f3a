//! Section addressing (RFC 9051 section 6.4.5.1): part numbers to octets.

use std::ops::Range;

use super::{Part, Summary};

/// What of a part is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SectionKind {
    /// `BODY[]`, `BODY[1]`: the whole message, or the body of the part.
    Whole,
    /// `BODY[HEADER]`, `BODY[1.HEADER]`: the header of the message, or of a message within; none for any other part.
    Header,
    /// `BODY[TEXT]`, `BODY[1.TEXT]`: the body without header; likewise.
    Text,
    /// `BODY[1.MIME]`: the MIME header of the part, which is the message's own for the one part of a message that is no
    /// multipart; none without part number.
    Mime,
}

impl<'a> Summary<'a> {
    /// The part at a path of part numbers. The empty path is the message itself.
    #[must_use]
    pub fn part(&self, path: &[u32]) -> Option<Part<'a>> {
        let root = self.structure();
        let Some((&first, path)) = path.split_first() else { return Some(root) };
        let mut part = part_of_message(root, first)?;
        for &number in path {
            part = if part.is_multipart() {
                child(part, number)?
            } else {
                part_of_message(part.nested()?, number)?
            };
        }
        Some(part)
    }

    /// The octets of a section. `None` if the message has no such part, or the part no such thing; IMAP sends NIL or an
    /// empty string then.
    #[must_use]
    pub fn section(&self, path: &[u32], kind: SectionKind) -> Option<Range<u64>> {
        let part = self.part(path)?;
        if path.is_empty() {
            return match kind {
                SectionKind::Whole => Some(0..self.size()),
                SectionKind::Header => Some(part.header()),
                SectionKind::Text => Some(part.body()),
                SectionKind::Mime => None,
            };
        }
        match kind {
            SectionKind::Whole => Some(part.body()),
            SectionKind::Header => part.nested().map(|message| message.header()),
            SectionKind::Text => part.nested().map(|message| message.body()),
            SectionKind::Mime => Some(part.header()),
        }
    }
}

/// "Every message has at least one part number. Non-MIME messages, and non-multipart MIME messages with no encapsulated
/// message, only have a part 1."
fn part_of_message(root: Part<'_>, number: u32) -> Option<Part<'_>> {
    if root.is_multipart() { child(root, number) } else { (number == 1).then_some(root) }
}

fn child(multipart: Part<'_>, number: u32) -> Option<Part<'_>> {
    multipart.children().at(number.checked_sub(1)?)
}
