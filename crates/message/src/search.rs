//! Text for SEARCH: packed at delivery, decoded and folded, and a matcher for what was too long to be packed.
//!
//! ```text
//! text = version:u8 flags:u8 *(length:u32 UTF-8)     subject from to cc bcc headers body
//! ```

use std::ops::Range;

use memchr::memmem;

use crate::body_text::BodyText;
use crate::encoded_word;
use crate::fold::{Folder, fold, fold_into};
use crate::header;
use crate::limits;
use crate::summary::{Addresses, Envelope, Part, Summary};

/// The version that this build writes and reads.
const VERSION: u8 = 1;
const FLAG_TRUNCATED: u8 = 1;
const FIELDS: usize = 5;

/// A packed search text cannot be read: of another version, or cut off. Derive it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchTextError;

impl std::fmt::Display for SearchTextError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("search text of unknown version, or damaged")
    }
}

impl std::error::Error for SearchTextError {}

/// The fields that SEARCH has keys for (RFC 9051 section 6.4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchField {
    /// SUBJECT
    Subject = 0,
    /// FROM
    From = 1,
    /// TO
    To = 2,
    /// CC
    Cc = 3,
    /// BCC
    Bcc = 4,
}

/// Reads a packed search text in place. All of it is decoded and [folded](crate::fold()); search it for a folded needle.
#[derive(Debug, Clone, Copy)]
pub struct SearchText<'a> {
    truncated: bool,
    fields: [&'a str; FIELDS],
    headers: &'a str,
    body: &'a str,
}

impl<'a> SearchText<'a> {
    /// Checks version, lengths and UTF-8.
    ///
    /// # Errors
    /// The octets are no search text of this version, or not a whole one.
    pub fn new(packed: &'a [u8]) -> Result<SearchText<'a>, SearchTextError> {
        let (&[version, flags], mut rest) = packed.split_first_chunk::<2>().ok_or(SearchTextError)?;
        if version != VERSION {
            return Err(SearchTextError);
        }
        let mut next = || -> Result<&'a str, SearchTextError> {
            let (len, after) = rest.split_first_chunk::<4>().ok_or(SearchTextError)?;
            let len = u32::from_le_bytes(*len) as usize;
            let text = after.get(..len).ok_or(SearchTextError)?;
            rest = &after[len..];
            std::str::from_utf8(text).map_err(|_| SearchTextError)
        };
        let mut fields = [""; FIELDS];
        for field in &mut fields {
            *field = next()?;
        }
        Ok(SearchText { truncated: flags & FLAG_TRUNCATED != 0, fields, headers: next()?, body: next()? })
    }

    /// A field: the subject, or the addresses of a list as `name <mailbox@host>`.
    #[must_use]
    pub fn field(&self, field: SearchField) -> &'a str {
        self.fields[field as usize]
    }

    /// The fields of the message's header, one `NAME: VALUE` a line, for TEXT. Of a header above
    /// [`limits::HEADER_BYTES_MAX`], its beginning.
    #[must_use]
    pub fn headers(&self) -> &'a str {
        self.headers
    }

    /// The values of the header fields of that name (in any case), for HEADER.
    pub fn header(&self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let name = name.to_ascii_uppercase();
        self.headers.lines().filter_map(move |line| line.strip_prefix(name.as_str())?.strip_prefix(": "))
    }

    /// The text of the body for BODY and TEXT: all text parts, and the headers of parts and nested messages. `None` if it
    /// was too long to be kept whole; then look into [`SearchText::body_start`], and search the octets of
    /// [`Summary::text_sections`].
    #[must_use]
    pub fn body(&self) -> Option<&'a str> {
        (!self.truncated).then_some(self.body)
    }

    /// What was kept of the text of the body, which may be its beginning only: what is found in it is found.
    #[must_use]
    pub fn body_start(&self) -> &'a str {
        self.body
    }
}

/// Collects the search text while a message is scanned.
#[derive(Default)]
pub(crate) struct SearchDraft {
    headers: String,
    body: String,
    truncated: bool,
}

impl SearchDraft {
    pub(crate) fn add_message_header(&mut self, header: &[u8]) {
        fold_header_into(header, &mut self.headers);
    }

    /// The header of a part or of a nested message: it is in the body of the message.
    pub(crate) fn add_inner_header(&mut self, header: &[u8]) {
        if !self.truncated {
            fold_header_into(header, &mut self.body);
            self.note_length();
        }
    }

    /// Where folded body text is to be appended; `None` if there is enough of it.
    pub(crate) fn body(&mut self) -> Option<&mut String> {
        (!self.truncated).then_some(&mut self.body)
    }

    /// Ends one text, so that nothing is found across two parts, and sees to the limit.
    pub(crate) fn end_text(&mut self) {
        if !self.truncated && !self.body.is_empty() && !self.body.ends_with('\n') {
            self.body.push('\n');
        }
        self.note_length();
    }

    pub(crate) fn note_length(&mut self) {
        if self.body.len() > limits::TEXT_BYTES_MAX {
            self.truncated = true;
            self.body.truncate(self.body.floor_char_boundary(limits::TEXT_BYTES_MAX));
        }
    }

    pub(crate) fn pack(&self, envelope: &Envelope<'_>) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.headers.len() + self.body.len() + 512);
        out.extend_from_slice(&[VERSION, if self.truncated { FLAG_TRUNCATED } else { 0 }]);
        put(&mut out, &fold(&encoded_word::decode(envelope.subject.bytes)));
        for list in [envelope.from, envelope.to, envelope.cc, envelope.bcc] {
            put(&mut out, &fold(&readable(list)));
        }
        put(&mut out, &self.headers);
        put(&mut out, &self.body);
        out
    }
}

fn put(out: &mut Vec<u8>, text: &str) {
    // No text comes near 4 GiB: headers and body are limited to megabytes.
    out.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// Addresses as people write them, decoded.
fn readable(list: Addresses<'_>) -> String {
    let mut text = String::new();
    for address in list {
        if address.mailbox.is_nil() {
            continue;
        }
        if !text.is_empty() {
            text.push_str(", ");
        }
        if !address.name.is_nil() {
            encoded_word::decode_into(address.name.bytes, &mut text);
            text.push(' ');
        }
        text.push('<');
        encoded_word::decode_into(address.mailbox.bytes, &mut text);
        if !address.host.is_nil() {
            text.push('@');
            encoded_word::decode_into(address.host.bytes, &mut text);
        }
        text.push('>');
    }
    text
}

/// The fields of a header as [`SearchText::headers`] has them: one `NAME: VALUE` a line, decoded and folded.
#[must_use]
pub fn fold_header(header: &[u8]) -> String {
    let mut text = String::with_capacity(header.len());
    fold_header_into(header, &mut text);
    text
}

fn fold_header_into(header: &[u8], text: &mut String) {
    let mut line = String::new();
    for field in header::fields(header).take(limits::FIELDS_MAX) {
        line.clear();
        if !field.name.is_empty() {
            encoded_word::decode_into(field.name, &mut line);
            line.push_str(": ");
        }
        encoded_word::decode_into(&field.unfolded(), &mut line);
        fold_into(&line, text);
        text.push('\n');
    }
}

/// A run of octets that BODY and TEXT search, when the packed text is truncated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextSection<'a> {
    /// The octets within the message.
    pub octets: Range<u64>,
    /// What they are.
    pub content: TextContent<'a>,
}

/// What a [`TextSection`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextContent<'a> {
    /// A header, for [`fold_header`].
    Header,
    /// The body of a text part, for a [`TextMatcher`].
    Text {
        /// Its transfer encoding.
        encoding: &'a [u8],
        /// Its charset.
        charset: &'a [u8],
    },
}

impl<'a> Summary<'a> {
    /// The octets that [`SearchText::body`] is made of, in order of the message.
    #[must_use]
    pub fn text_sections(&self) -> Vec<TextSection<'a>> {
        let mut sections = Vec::new();
        let mut pending = vec![self.structure()];
        while let Some(part) = pending.pop() {
            if part.header().start > 0 && !part.header().is_empty() {
                sections.push(TextSection { octets: part.header(), content: TextContent::Header });
            }
            if part.is_text() {
                sections.push(TextSection { octets: part.body(), content: text_content(&part) });
            }
            let from = pending.len();
            pending.extend(part.children());
            pending.extend(part.nested());
            pending[from..].reverse();
        }
        sections
    }
}

fn text_content<'a>(part: &Part<'a>) -> TextContent<'a> {
    let extended =
        || part.params().find("charset*").and_then(|value| value.bytes.splitn(3, |&o| o == b'\'').nth(2));
    let charset =
        part.params().find("charset").map(|value| value.bytes).or_else(extended).unwrap_or_default();
    TextContent::Text { encoding: part.encoding().bytes, charset }
}

/// Finds a needle in the octets of one text part, in bounded memory: decodes, folds, and searches across the pieces.
pub struct TextMatcher {
    text: BodyText,
    folder: Folder,
    needle: memmem::Finder<'static>,
    /// Folded text that the needle may still begin in.
    window: String,
    found: bool,
}

impl TextMatcher {
    /// A matcher for a text part of that transfer encoding and charset; both may be unknown, and are then read as they
    /// stand. The needle must be [folded](crate::fold()).
    #[must_use]
    pub fn new(encoding: &[u8], charset: &[u8], needle: &str) -> TextMatcher {
        TextMatcher {
            text: BodyText::new(encoding, charset),
            folder: Folder::default(),
            needle: memmem::Finder::new(needle).into_owned(),
            window: String::new(),
            found: needle.is_empty(),
        }
    }

    /// Takes the next octets of the part and tells whether the needle has been found. Once it has, nothing more need be
    /// pushed.
    pub fn push(&mut self, octets: &[u8]) -> bool {
        let TextMatcher { text, folder, needle, window, found } = self;
        if !*found {
            text.push(octets, &mut |piece| {
                folder.push(piece, window);
                *found = *found || search(window, needle);
                !*found
            });
        }
        self.found
    }

    /// Ends the part and tells whether the needle was found in it.
    #[must_use]
    pub fn finish(mut self) -> bool {
        let TextMatcher { text, folder, needle, window, found } = &mut self;
        if !*found {
            text.finish(&mut |piece| {
                folder.push(piece, window);
                true
            });
            folder.finish(window);
            *found = search(window, needle);
        }
        *found
    }
}

/// Searches the window and drops what the needle cannot begin in any more.
fn search(window: &mut String, needle: &memmem::Finder<'static>) -> bool {
    if needle.find(window.as_bytes()).is_some() {
        return true;
    }
    let keep = needle.needle().len().saturating_sub(1);
    let cut = window.floor_char_boundary(window.len().saturating_sub(keep));
    window.drain(..cut);
    false
}
