//! The body structure (RFC 9051 section 7.5.2): parts, their fields and where they lie in the message.

use std::ops::Range;

use super::codec::Cursor;
use super::envelope::Envelope;
use crate::text::Text;

/// One part of a message: the message itself, a part of a multipart, or a message within a message.
///
/// All ranges are octets of the message; that of a child lies within its parent's body, after its elder sibling.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    flags: u8,
    header_start: u64,
    header_octets: u64,
    body_octets: u64,
    lines: u64,
    media_type: Text<'a>,
    subtype: Text<'a>,
    params: Params<'a>,
    id: Text<'a>,
    description: Text<'a>,
    encoding: Text<'a>,
    md5: Text<'a>,
    disposition: Text<'a>,
    disposition_params: Params<'a>,
    languages: Languages<'a>,
    location: Text<'a>,
    envelope: &'a [u8],
    below: &'a [u8],
}

pub(super) const FLAG_MULTIPART: u8 = 1;
pub(super) const FLAG_MESSAGE: u8 = 2;
pub(super) const FLAG_TEXT: u8 = 4;

impl<'a> Part<'a> {
    /// Reads the part at the cursor and leaves the cursor after all that is below it.
    pub(super) fn read(cursor: &mut Cursor<'a>) -> Part<'a> {
        let own_len = cursor.number();
        let below_len = cursor.number();
        let mut own = Cursor::new(cursor.octets(own_len));
        Part {
            flags: own.octet(),
            header_start: own.number(),
            header_octets: own.number(),
            body_octets: own.number(),
            lines: own.number(),
            media_type: own.text(),
            subtype: own.text(),
            params: Params { packed: own.block() },
            id: own.text(),
            description: own.text(),
            encoding: own.text(),
            md5: own.text(),
            disposition: own.text(),
            disposition_params: Params { packed: own.block() },
            languages: Languages { packed: own.block() },
            location: own.text(),
            envelope: own.block(),
            below: cursor.octets(below_len),
        }
    }

    /// Moves the cursor over a part and all that is below it.
    pub(super) fn skip(cursor: &mut Cursor<'a>) {
        let own_len = cursor.number();
        let below_len = cursor.number();
        cursor.octets(own_len.saturating_add(below_len));
    }

    /// Is it a multipart? Then it has at least one child, and of the fields of a body only the type's parameters,
    /// disposition, languages and location are sent.
    #[must_use]
    pub fn is_multipart(&self) -> bool {
        self.flags & FLAG_MULTIPART != 0
    }

    /// Is it a message within the message (message/rfc822, message/global)? Then [`Part::nested`] is there.
    #[must_use]
    pub fn is_message(&self) -> bool {
        self.flags & FLAG_MESSAGE != 0
    }

    /// Is it text, whose lines are sent?
    #[must_use]
    pub fn is_text(&self) -> bool {
        self.flags & FLAG_TEXT != 0
    }

    /// The media type, such as `text`, as written. Always a token.
    ///
    /// It is the type that the structure bears out. `text`/`plain` stands for one that is missing or not valid, and for a
    /// multipart without usable boundary (RFC 2045 section 5.2); `application`/`octet-stream` for a message in base64 or
    /// quoted-printable, which RFC 2046 section 5.2.1 forbids and nobody can address into, and for what nests too deep.
    #[must_use]
    pub fn media_type(&self) -> Text<'a> {
        self.media_type
    }

    /// The subtype, such as `plain`, as written. Always a token.
    #[must_use]
    pub fn subtype(&self) -> Text<'a> {
        self.subtype
    }

    /// The parameters of the type. Text without charset is given the default, `us-ascii` (RFC 2046 section 4.1.2).
    #[must_use]
    pub fn params(&self) -> Params<'a> {
        self.params
    }

    /// Content-ID.
    #[must_use]
    pub fn id(&self) -> Text<'a> {
        self.id
    }

    /// Content-Description.
    #[must_use]
    pub fn description(&self) -> Text<'a> {
        self.description
    }

    /// Content-Transfer-Encoding, `7bit` where there is none. Always a token.
    #[must_use]
    pub fn encoding(&self) -> Text<'a> {
        self.encoding
    }

    /// Octets of the body as it is transferred.
    #[must_use]
    pub fn octets(&self) -> u64 {
        self.body_octets
    }

    /// Line ends in the body as it is transferred. Sent for text and messages.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Content-MD5.
    #[must_use]
    pub fn md5(&self) -> Text<'a> {
        self.md5
    }

    /// The type of Content-Disposition; NIL where there is none. Its parameters are [`Part::disposition_params`].
    #[must_use]
    pub fn disposition(&self) -> Text<'a> {
        self.disposition
    }

    /// The parameters of Content-Disposition.
    #[must_use]
    pub fn disposition_params(&self) -> Params<'a> {
        self.disposition_params
    }

    /// The tags of Content-Language.
    #[must_use]
    pub fn languages(&self) -> Languages<'a> {
        self.languages
    }

    /// Content-Location.
    #[must_use]
    pub fn location(&self) -> Text<'a> {
        self.location
    }

    /// The header: of the message if this is one, else the MIME header, with its blank line.
    #[must_use]
    pub fn header(&self) -> Range<u64> {
        self.header_start..self.header_end()
    }

    fn header_end(&self) -> u64 {
        self.header_start.saturating_add(self.header_octets)
    }

    /// The body, as it is transferred.
    #[must_use]
    pub fn body(&self) -> Range<u64> {
        self.header_end()..self.header_end().saturating_add(self.body_octets)
    }

    /// The parts of a multipart, in order; none for anything else.
    #[must_use]
    pub fn children(&self) -> Children<'a> {
        Children { cursor: Cursor::new(if self.is_multipart() { self.below } else { b"" }) }
    }

    /// The message within a message part.
    #[must_use]
    pub fn nested(&self) -> Option<Part<'a>> {
        (self.is_message() && !self.below.is_empty()).then(|| Part::read(&mut Cursor::new(self.below)))
    }

    /// The envelope: of the nested message for a message part, else of the message that this part is the root of.
    #[must_use]
    pub fn envelope(&self) -> Option<Envelope<'a>> {
        let block = match self.nested() {
            Some(nested) => nested.envelope,
            None => self.envelope,
        };
        (!block.is_empty()).then(|| Envelope::read(block))
    }

    pub(super) fn own_envelope(&self) -> Envelope<'a> {
        Envelope::read(self.envelope)
    }
}

/// Goes through the parts of a multipart.
#[derive(Debug, Clone)]
pub struct Children<'a> {
    cursor: Cursor<'a>,
}

impl<'a> Children<'a> {
    /// The child at `index` from 0; what comes before is passed over without reading it.
    pub(super) fn at(mut self, index: u32) -> Option<Part<'a>> {
        for _ in 0..index {
            if self.cursor.rest.is_empty() {
                return None;
            }
            Part::skip(&mut self.cursor);
        }
        self.next()
    }
}

impl<'a> Iterator for Children<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        (!self.cursor.rest.is_empty()).then(|| Part::read(&mut self.cursor))
    }
}

/// Attributes and values of a Content-Type or Content-Disposition, in order of appearance. Continuations are joined
/// (RFC 2231 section 6); a value with charset and language keeps both, and the `*` at its attribute.
#[derive(Debug, Clone, Copy)]
pub struct Params<'a> {
    packed: &'a [u8],
}

impl<'a> Params<'a> {
    /// Is there no parameter? IMAP sends NIL then.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.packed.is_empty()
    }

    /// The pairs in order.
    #[must_use]
    pub fn iter(&self) -> ParamIter<'a> {
        ParamIter { cursor: Cursor::new(self.packed) }
    }

    /// The value of the first parameter of that name, in any case, as it stands.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Text<'a>> {
        self.iter()
            .find(|(attribute, _)| attribute.bytes.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value)
    }
}

impl<'a> IntoIterator for Params<'a> {
    type Item = (Text<'a>, Text<'a>);
    type IntoIter = ParamIter<'a>;

    fn into_iter(self) -> ParamIter<'a> {
        self.iter()
    }
}

/// Goes through [`Params`].
#[derive(Debug, Clone)]
pub struct ParamIter<'a> {
    cursor: Cursor<'a>,
}

impl<'a> Iterator for ParamIter<'a> {
    type Item = (Text<'a>, Text<'a>);

    fn next(&mut self) -> Option<(Text<'a>, Text<'a>)> {
        (!self.cursor.rest.is_empty()).then(|| (self.cursor.text(), self.cursor.text()))
    }
}

/// Language tags, in order.
#[derive(Debug, Clone, Copy)]
pub struct Languages<'a> {
    packed: &'a [u8],
}

impl<'a> Languages<'a> {
    /// Is there no tag? IMAP sends NIL then.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.packed.is_empty()
    }

    /// The tags in order.
    pub fn iter(&self) -> impl Iterator<Item = Text<'a>> + use<'a> {
        let mut cursor = Cursor::new(self.packed);
        std::iter::from_fn(move || (!cursor.rest.is_empty()).then(|| cursor.text()))
    }
}
