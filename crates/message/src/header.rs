//! Header fields (RFC 5322 section 2.2): where each begins and ends, and its unfolded value.

use std::borrow::Cow;
use std::collections::HashSet;

use memchr::{memchr, memchr3};

use crate::encoded_word;
use crate::limits;

/// One header field as it stands in the header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field<'a> {
    /// The field name; empty if the line is no field at all.
    pub name: &'a [u8],
    /// What follows the colon, folds included, without the last line end.
    pub body: &'a [u8],
    /// The whole field with all its line ends.
    pub raw: &'a [u8],
}

impl<'a> Field<'a> {
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The value on one line, free of NUL, CR and LF.
    pub(crate) fn unfolded(&self) -> Cow<'a, [u8]> {
        unfold(self.body)
    }
}

/// The fields of a header, in order, up to its blank line.
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
}

pub(crate) fn fields(header: &[u8]) -> Fields<'_> {
    Fields { rest: header }
}

impl<'a> Fields<'a> {
    /// What the iteration has not used: after the last field, the blank line if there is one.
    fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let rest = self.rest;
        if rest.is_empty() || rest.starts_with(b"\n") || rest.starts_with(b"\r\n") {
            return None;
        }
        let mut end = line_end(rest, 0);
        let first_line = &rest[..end];
        while matches!(rest.get(end), Some(b' ' | b'\t')) {
            end = line_end(rest, end);
        }
        let raw = &rest[..end];
        self.rest = &rest[end..];
        let name = memchr(b':', first_line).map(|colon| trim_end(&first_line[..colon]));
        Some(match name {
            Some(name) if is_field_name(name) => {
                let colon = memchr(b':', raw).map_or(raw.len(), |colon| colon + 1);
                Field { name, body: without_line_end(&raw[colon..]), raw }
            }
            _ => Field { name: b"", body: without_line_end(raw), raw },
        })
    }
}

/// The offset after the line that contains `from`.
fn line_end(octets: &[u8], from: usize) -> usize {
    memchr(b'\n', &octets[from..]).map_or(octets.len(), |at| from + at + 1)
}

fn without_line_end(octets: &[u8]) -> &[u8] {
    let octets = octets.strip_suffix(b"\n").unwrap_or(octets);
    octets.strip_suffix(b"\r").unwrap_or(octets)
}

/// `field-name = 1*ftext`, RFC 5322 section 3.6.8.
fn is_field_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|octet| (33..=126).contains(octet))
}

fn is_space(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

pub(crate) fn trim_end(mut octets: &[u8]) -> &[u8] {
    while let [rest @ .., last] = octets
        && is_space(*last)
    {
        octets = rest;
    }
    octets
}

pub(crate) fn trim(octets: &[u8]) -> &[u8] {
    let mut octets = trim_end(octets);
    while let [first, rest @ ..] = octets
        && is_space(*first)
    {
        octets = rest;
    }
    octets
}

/// Takes the line ends out (RFC 5322 section 2.2.3) and the white space around. A NUL or a CR that ends no line becomes a
/// space: neither may appear in an IMAP string, and dropping it would join what the sender kept apart.
pub(crate) fn unfold(body: &[u8]) -> Cow<'_, [u8]> {
    let body = trim(body);
    let Some(first) = memchr3(b'\r', b'\n', 0, body) else { return Cow::Borrowed(body) };
    let mut value = Vec::with_capacity(body.len());
    let (mut rest, mut at) = (body, first);
    loop {
        value.extend_from_slice(&rest[..at]);
        let skipped = match &rest[at..] {
            [b'\r', b'\n', ..] => 2,
            [b'\n', ..] => 1,
            _ => {
                value.push(b' ');
                1
            }
        };
        rest = &rest[at + skipped..];
        match memchr3(b'\r', b'\n', 0, rest) {
            Some(next) => at = next,
            None => break,
        }
    }
    value.extend_from_slice(rest);
    Cow::Owned(value)
}

/// HEADER.FIELDS and HEADER.FIELDS.NOT (RFC 9051 section 6.4.5.1): the fields whose name is among `names` (or is not, with
/// `not`), byte for byte in the order of the message, and the blank line if `header` has one.
///
/// `header` is the octets of a header, as [`Summary::section`](crate::Summary::section) finds them. Lines that are no field
/// match no name.
#[must_use]
pub fn header_fields(header: &[u8], names: &[&[u8]], not: bool) -> Vec<u8> {
    let names: HashSet<Vec<u8>> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
    let mut chosen = Vec::new();
    let mut name = Vec::new();
    let mut fields = fields(header);
    for field in fields.by_ref() {
        name.clear();
        name.extend(field.name.iter().map(u8::to_ascii_lowercase));
        if names.contains(&name) != not {
            chosen.extend_from_slice(field.raw);
        }
    }
    let blank = fields.rest();
    chosen.extend_from_slice(&blank[..line_end(blank, 0)]);
    chosen
}

/// The values of all fields called `name`, unfolded and with encoded words decoded (RFC 2047), for SEARCH HEADER.
///
/// A value holds no line ends and no NUL, whatever its encoded words say. At most [`limits::FIELDS_MAX`] fields are looked at.
#[must_use]
pub fn header_values(header: &[u8], name: &[u8]) -> Vec<String> {
    let named = |field: &Field<'_>| !name.is_empty() && field.name.eq_ignore_ascii_case(name);
    fields(header)
        .take(limits::FIELDS_MAX)
        .filter(named)
        .map(|field| encoded_word::decode(&field.unfolded()))
        .collect()
}
