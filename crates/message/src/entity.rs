//! What the header of an entity says: the strings of its body structure and envelope, and how its body is to be scanned.

use std::borrow::Cow;
use std::ops::Range;

use crate::address::{self, Item};
use crate::content::{self, ContentType, Params};
use crate::header::{self, Field};
use crate::limits;
use crate::summary::codec::{put_block, put_nil, put_nstring, put_text};

/// Where an entity stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// In a multipart/digest, where a part without Content-Type is a message (RFC 2046 section 5.1.5).
    pub in_digest: bool,
    /// The root of a message, which has an envelope.
    pub is_message_root: bool,
    /// Neither too deep nor too late to have parts of its own.
    pub may_nest: bool,
}

/// How the body of an entity is scanned.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Leaf,
    Text(TextBody),
    Multipart { boundary: Vec<u8>, is_digest: bool },
    Message,
}

/// How the text of a text part is read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TextBody {
    pub encoding: Vec<u8>,
    pub charset: Vec<u8>,
    /// Fit for a preview, and whether tags must come out.
    pub preview: Option<Markup>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Markup {
    Plain,
    Html,
}

/// The fields that matter, first occurrence each; address lists already packed.
#[derive(Default)]
struct Relevant<'a> {
    content_type: Option<Cow<'a, [u8]>>,
    encoding: Option<Cow<'a, [u8]>>,
    id: Option<Cow<'a, [u8]>>,
    description: Option<Cow<'a, [u8]>>,
    md5: Option<Cow<'a, [u8]>>,
    disposition: Option<Cow<'a, [u8]>>,
    language: Option<Cow<'a, [u8]>>,
    location: Option<Cow<'a, [u8]>>,
    date: Option<Cow<'a, [u8]>>,
    subject: Option<Cow<'a, [u8]>>,
    in_reply_to: Option<Cow<'a, [u8]>>,
    message_id: Option<Cow<'a, [u8]>>,
    /// From, Sender, Reply-To, To, Cc, Bcc.
    addresses: [Vec<u8>; 6],
}

const ADDRESS_FIELDS: [&str; 6] = ["From", "Sender", "Reply-To", "To", "Cc", "Bcc"];

/// Reads a header, appends the packed strings of its part to `strings`, and says what kind of body follows. `addresses_left`
/// is what remains of [`limits::ADDRESSES_MAX`].
pub(crate) fn read(header: &[u8], place: Place, strings: &mut Vec<u8>, addresses_left: &mut usize) -> Kind {
    let mut relevant = Relevant::default();
    for field in header::fields(header).take(limits::FIELDS_MAX) {
        if place.is_message_root && relevant.note_address(&field, addresses_left) {
            continue;
        }
        if let Some(slot) = relevant.slot(&field, place.is_message_root)
            && slot.is_none()
        {
            *slot = Some(field.unfolded());
        }
    }
    let encoding = relevant.encoding.as_deref().and_then(content::transfer_encoding).unwrap_or(b"7bit");
    let disposition = relevant.disposition.as_deref().and_then(content::disposition);
    let (content_type, shape) = classify(relevant.content_type.as_deref(), encoding, place);
    put_text(strings, &content_type.media_type);
    put_text(strings, &content_type.subtype);
    put_params(strings, &content_type.params);
    put_nstring(strings, relevant.id.as_deref());
    put_nstring(strings, relevant.description.as_deref());
    put_text(strings, encoding);
    put_nstring(strings, relevant.md5.as_deref());
    put_nstring(strings, disposition.as_ref().map(|disposition| disposition.value.as_slice()));
    put_params(strings, disposition.as_ref().map_or(&Params::new(), |disposition| &disposition.params));
    put_languages(strings, relevant.language.as_deref());
    put_nstring(strings, relevant.location.as_deref().map(without_space).as_deref());
    if place.is_message_root {
        put_block(strings, &relevant.envelope())
    } else {
        put_block(strings, b"")
    }
    match shape {
        Shape::Leaf => Kind::Leaf,
        Shape::Message => Kind::Message,
        Shape::Multipart(boundary) => {
            Kind::Multipart { boundary, is_digest: content_type.is("multipart", "digest") }
        }
        Shape::Text => {
            let attached =
                disposition.is_some_and(|disposition| disposition.value.eq_ignore_ascii_case(b"attachment"));
            let charset = content::param(&content_type.params, "charset").unwrap_or_default();
            let preview = if attached { None } else { content_type.markup() };
            Kind::Text(TextBody { encoding: encoding.to_vec(), charset, preview })
        }
    }
}

impl<'a> Relevant<'a> {
    /// Packs the field if it is one of addresses. Several fields of one name, which RFC 5322 forbids, are one list.
    fn note_address(&mut self, field: &Field<'a>, addresses_left: &mut usize) -> bool {
        let Some(index) = ADDRESS_FIELDS.iter().position(|name| field.is(name)) else { return false };
        if *addresses_left > 0 {
            let list = &mut self.addresses[index];
            address::parse(&field.unfolded(), &mut |item| {
                put_item(list, item);
                *addresses_left = addresses_left.saturating_sub(1);
                *addresses_left > 0
            });
        }
        true
    }

    /// Where the value of a field goes.
    fn slot(&mut self, field: &Field<'_>, is_message_root: bool) -> Option<&mut Option<Cow<'a, [u8]>>> {
        let content = field.name.get(..8).is_some_and(|prefix| prefix.eq_ignore_ascii_case(b"content-"));
        if !content && !is_message_root {
            return None;
        }
        let slots: [(&str, &mut Option<Cow<'a, [u8]>>); 12] = [
            ("Content-Type", &mut self.content_type),
            ("Content-Transfer-Encoding", &mut self.encoding),
            ("Content-ID", &mut self.id),
            ("Content-Description", &mut self.description),
            ("Content-MD5", &mut self.md5),
            ("Content-Disposition", &mut self.disposition),
            ("Content-Language", &mut self.language),
            ("Content-Location", &mut self.location),
            ("Date", &mut self.date),
            ("Subject", &mut self.subject),
            ("In-Reply-To", &mut self.in_reply_to),
            ("Message-ID", &mut self.message_id),
        ];
        slots.into_iter().find(|(name, _)| field.is(name)).map(|(_, slot)| slot)
    }

    /// The packed envelope, in the order in which [`Envelope`](crate::Envelope) reads it.
    fn envelope(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        put_nstring(&mut out, self.date.as_deref());
        put_nstring(&mut out, self.subject.as_deref());
        for list in &self.addresses {
            put_block(&mut out, list);
        }
        put_nstring(&mut out, self.in_reply_to.as_deref());
        put_nstring(&mut out, self.message_id.as_deref());
        out
    }
}

impl ContentType {
    fn new(media_type: &str, subtype: &str) -> ContentType {
        ContentType { media_type: media_type.into(), subtype: subtype.into(), params: Params::new() }
    }

    /// RFC 2045 section 5.2.
    fn default_text() -> ContentType {
        ContentType::new("text", "plain").with_charset()
    }

    fn with_charset(mut self) -> ContentType {
        if content::param(&self.params, "charset").is_none() {
            self.params.push((b"charset".to_vec(), b"us-ascii".to_vec()));
        }
        self
    }

    fn is(&self, media_type: &str, subtype: &str) -> bool {
        self.media_type.eq_ignore_ascii_case(media_type.as_bytes())
            && self.subtype.eq_ignore_ascii_case(subtype.as_bytes())
    }

    fn markup(&self) -> Option<Markup> {
        if self.subtype.eq_ignore_ascii_case(b"plain") {
            Some(Markup::Plain)
        } else if self.subtype.eq_ignore_ascii_case(b"html") {
            Some(Markup::Html)
        } else {
            None
        }
    }
}

enum Shape {
    Leaf,
    Text,
    Multipart(Vec<u8>),
    Message,
}

/// The type an entity is given, and what its body is. They always agree: see [`Part::media_type`](crate::Part::media_type).
fn classify(field: Option<&[u8]>, encoding: &[u8], place: Place) -> (ContentType, Shape) {
    let content_type = match field {
        Some(field) => content::content_type(field).unwrap_or_else(ContentType::default_text),
        None if place.in_digest => ContentType::new("message", "rfc822"),
        None => ContentType::default_text(),
    };
    let opaque = |params: Params| {
        (ContentType { params, ..ContentType::new("application", "octet-stream") }, Shape::Leaf)
    };
    if content_type.media_type.eq_ignore_ascii_case(b"multipart") {
        return match content::boundary(&content_type.params) {
            None => (ContentType::default_text(), Shape::Text),
            Some(_) if !place.may_nest => opaque(content_type.params),
            Some(boundary) => (content_type, Shape::Multipart(boundary)),
        };
    }
    if content_type.is("message", "rfc822") || content_type.is("message", "global") {
        let identity =
            ["7bit", "8bit", "binary"].iter().any(|name| encoding.eq_ignore_ascii_case(name.as_bytes()));
        return if identity && place.may_nest {
            (content_type, Shape::Message)
        } else {
            opaque(content_type.params)
        };
    }
    if content_type.media_type.eq_ignore_ascii_case(b"text") {
        return (content_type.with_charset(), Shape::Text);
    }
    (content_type, Shape::Leaf)
}

/// Packs the strings of an empty text part and returns where they lie: the one part of a multipart that has none, which
/// `body-type-mpart = 1*body SP media-subtype` (RFC 9051 section 9) cannot do without.
pub(crate) fn put_empty_part(strings: &mut Vec<u8>) -> Range<usize> {
    let start = strings.len();
    let place = Place { in_digest: false, is_message_root: false, may_nest: false };
    read(b"", place, strings, &mut 0);
    start..strings.len()
}

fn put_params(strings: &mut Vec<u8>, params: &Params) {
    let mut packed = Vec::new();
    for (attribute, value) in params {
        put_text(&mut packed, attribute);
        put_text(&mut packed, value);
    }
    put_block(strings, &packed);
}

fn put_languages(strings: &mut Vec<u8>, field: Option<&[u8]>) {
    let mut packed = Vec::new();
    for tag in field.map(content::languages).unwrap_or_default() {
        put_text(&mut packed, tag);
    }
    put_block(strings, &packed);
}

/// Name, route, mailbox and host of one item of an address list.
fn put_item(list: &mut Vec<u8>, item: Item<'_>) {
    match item {
        Item::Mailbox { name, route, mailbox, host } => {
            put_nstring(list, name);
            put_nstring(list, route);
            put_text(list, mailbox);
            put_text(list, host);
        }
        Item::GroupStart { name } => {
            put_nil(list);
            put_nil(list);
            put_text(list, name);
            put_nil(list);
        }
        Item::GroupEnd => (0..4).for_each(|_| put_nil(list)),
    }
}

/// A Content-Location without the white space that folding put into the URI (RFC 2557 section 4.4.2).
fn without_space(field: &[u8]) -> Vec<u8> {
    field.iter().copied().filter(|octet| !matches!(octet, b' ' | b'\t')).collect()
}
