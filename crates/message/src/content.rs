//! The MIME fields of an entity: Content-Type (RFC 2045), Content-Disposition (RFC 2183) and their parameters (RFC 2231),
//! and the plain ones beside them.

use crate::encoded_word::hex_digit;
use crate::header::{trim, trim_end};
use crate::limits;
use crate::token::{comment, quoted_string, skip_cfws};

/// A field of the form `word *(";" parameter)`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Parameterised {
    pub value: Vec<u8>,
    pub params: Params,
}

/// Attribute and value of each parameter, in order of first appearance, continuations joined.
pub(crate) type Params = Vec<(Vec<u8>, Vec<u8>)>;

/// A valid Content-Type.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ContentType {
    pub media_type: Vec<u8>,
    pub subtype: Vec<u8>,
    pub params: Params,
}

/// Reads `type "/" subtype *(";" parameter)`. `None` if that is not what stands there; the default applies then (RFC 2045
/// section 5.2).
pub(crate) fn content_type(field: &[u8]) -> Option<ContentType> {
    let mut scratch = Vec::new();
    let rest = skip_cfws(field, &mut scratch);
    let (media_type, rest) = mime_token(rest)?;
    let rest = skip_cfws(rest, &mut scratch).strip_prefix(b"/")?;
    let rest = skip_cfws(rest, &mut scratch);
    let (subtype, rest) = mime_token(rest)?;
    Some(ContentType { media_type: media_type.to_vec(), subtype: subtype.to_vec(), params: params(rest) })
}

/// Reads `disposition-type *(";" parameter)`; `None` if there is no type.
pub(crate) fn disposition(field: &[u8]) -> Option<Parameterised> {
    let mut scratch = Vec::new();
    let (value, rest) = mime_token(skip_cfws(field, &mut scratch))?;
    Some(Parameterised { value: value.to_vec(), params: params(rest) })
}

/// The mechanism of a Content-Transfer-Encoding field; `None` if there is none.
pub(crate) fn transfer_encoding(field: &[u8]) -> Option<&[u8]> {
    let mut scratch = Vec::new();
    mime_token(skip_cfws(field, &mut scratch)).map(|(encoding, _)| encoding)
}

/// The tags of a Content-Language field (RFC 3282).
pub(crate) fn languages(field: &[u8]) -> Vec<&[u8]> {
    let mut scratch = Vec::new();
    field
        .split(|&octet| octet == b',')
        .filter_map(|tag| mime_token(skip_cfws(tag, &mut scratch)).map(|(tag, _)| tag))
        .take(limits::LANGUAGES_MAX)
        .collect()
}

/// `token := 1*<any (US-ASCII) CHAR except SPACE, CTLs, or tspecials>` (RFC 2045 section 5.1)
fn mime_token(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let is_token = |octet: &u8| (33..=126).contains(octet) && !b"()<>@,;:\\\"/[]?=".contains(octet);
    let len = octets.iter().position(|octet| !is_token(octet)).unwrap_or(octets.len());
    (len > 0).then(|| octets.split_at(len))
}

/// Reads `*(";" attribute "=" value)` from after the first word of a field. Whatever stands between the words and the
/// semicolons is passed over.
fn params(mut rest: &[u8]) -> Params {
    let mut segments = Vec::new();
    let mut scratch = Vec::new();
    while segments.len() < limits::PARAM_SEGMENTS_MAX {
        rest = after_semicolon(rest, &mut scratch);
        rest = skip_cfws(rest, &mut scratch);
        if rest.is_empty() {
            break;
        }
        let name_len = rest.iter().position(|octet| b"=; \t(".contains(octet)).unwrap_or(rest.len());
        let (name, after) = rest.split_at(name_len);
        rest = skip_cfws(after, &mut scratch);
        let Some(after) = rest.strip_prefix(b"=") else { continue };
        let mut value = Vec::new();
        rest = param_value(skip_cfws(after, &mut scratch), &mut value);
        if !name.is_empty() {
            segments.push(Segment::new(name, value));
        }
    }
    join(segments)
}

/// What follows the next semicolon that is neither quoted nor in a comment.
fn after_semicolon<'a>(mut rest: &'a [u8], scratch: &mut Vec<u8>) -> &'a [u8] {
    loop {
        scratch.clear();
        rest = match rest {
            [] => return rest,
            [b';', rest @ ..] => return rest,
            [b'"', ..] => quoted_string(rest, scratch),
            [b'(', ..] => comment(rest, scratch),
            [_, rest @ ..] => rest,
        };
    }
}

/// A quoted string, or everything up to the semicolon: tokens may not hold spaces, slashes or `=`, but file names and
/// boundaries do. A comment ends the value.
fn param_value<'a>(octets: &'a [u8], value: &mut Vec<u8>) -> &'a [u8] {
    if octets.starts_with(b"\"") {
        return quoted_string(octets, value);
    }
    let end = octets.iter().position(|&octet| octet == b';').unwrap_or(octets.len());
    let (whole, rest) = octets.split_at(end);
    let comment =
        whole.windows(2).position(|pair| matches!(pair, [b' ' | b'\t', b'('])).unwrap_or(whole.len());
    value.extend_from_slice(trim_end(&whole[..comment]));
    rest
}

/// One parameter as it is written: `name`, `name*`, `name*0`, `name*0*` (RFC 2231 sections 3 and 4).
struct Segment {
    /// The attribute in lower case, the joining key.
    key: Vec<u8>,
    name: Vec<u8>,
    /// `None` for a parameter that is whole.
    number: Option<u32>,
    /// Percent encoded, the first segment with charset and language.
    extended: bool,
    value: Vec<u8>,
}

impl Segment {
    fn new(name: &[u8], value: Vec<u8>) -> Segment {
        let plain = |name: &[u8]| Segment {
            key: name.to_ascii_lowercase(),
            name: name.to_vec(),
            number: None,
            extended: false,
            value: Vec::new(),
        };
        let (base, extended) = match name.strip_suffix(b"*") {
            Some(base) if !base.is_empty() => (base, true),
            _ => (name, false),
        };
        let section = base.iter().rposition(|&octet| octet == b'*').filter(|&star| star > 0);
        let number = section.and_then(|star| section_number(&base[star + 1..]).map(|number| (star, number)));
        match number {
            Some((star, number)) => Segment { number: Some(number), extended, value, ..plain(&base[..star]) },
            None => Segment { extended, value, ..plain(base) },
        }
    }
}

fn section_number(digits: &[u8]) -> Option<u32> {
    let valid = (1..=9).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    valid.then(|| digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0')))
}

/// Joins continuations (RFC 2231 section 6 wants a server to). A value with charset and language keeps them, and its
/// asterisk, so that a client decodes it as it would a parameter that was never continued; Dovecot does the same.
fn join(segments: Vec<Segment>) -> Params {
    let mut whole: Vec<(usize, Segment)> = Vec::new();
    let mut continued: Vec<(usize, Segment)> = Vec::new();
    for (order, segment) in segments.into_iter().enumerate() {
        if segment.number.is_some() { &mut continued } else { &mut whole }.push((order, segment));
    }
    // Stable, so that of two segments of one number the first counts.
    continued.sort_by(|(_, a), (_, b)| a.key.cmp(&b.key).then(a.number.cmp(&b.number)));
    for run in continued.chunk_by(|(_, a), (_, b)| a.key == b.key) {
        whole.extend(join_run(run));
    }
    whole.sort_by_key(|&(order, _)| order);
    let named = |(_, segment): (usize, Segment)| {
        let mut name = segment.name;
        if segment.extended {
            name.push(b'*');
        }
        (name, segment.value)
    };
    whole.into_iter().take(limits::PARAMS_MAX).map(named).collect()
}

/// Joins the segments of one parameter, from number 0 up to the first that is missing.
fn join_run(run: &[(usize, Segment)]) -> Option<(usize, Segment)> {
    let order = run.iter().map(|(order, _)| *order).min()?;
    let mut parts: Vec<&Segment> = Vec::with_capacity(run.len());
    for (_, segment) in run {
        let next = u32::try_from(parts.len()).ok()?;
        if segment.number == Some(next) {
            parts.push(segment);
        }
    }
    let first = parts.first()?;
    let extended = parts.iter().any(|part| part.extended);
    let mut value = Vec::new();
    if extended && !first.extended {
        // RFC 2231 section 4.1 forbids this; an empty charset and language make it readable.
        value.extend_from_slice(b"''");
    }
    for part in &parts {
        if extended && !part.extended {
            percent_encode(&part.value, &mut value);
        } else {
            value.extend_from_slice(&part.value);
        }
    }
    let joined = Segment { key: first.key.clone(), name: first.name.clone(), number: None, extended, value };
    Some((order, joined))
}

/// Encodes what an `attribute-char` may not be (RFC 2231 section 7).
fn percent_encode(octets: &[u8], encoded: &mut Vec<u8>) {
    for &octet in octets {
        if (33..=126).contains(&octet) && !b"*'%()<>@,;:\\\"/[]?=".contains(&octet) {
            encoded.push(octet);
        } else {
            const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
            encoded.extend_from_slice(&[
                b'%',
                DIGITS[usize::from(octet >> 4)],
                DIGITS[usize::from(octet & 15)],
            ]);
        }
    }
}

/// The value of a parameter as octets, whether it is extended or not.
pub(crate) fn param(params: &Params, name: &str) -> Option<Vec<u8>> {
    params.iter().find_map(|(attribute, value)| {
        if attribute.eq_ignore_ascii_case(name.as_bytes()) {
            return Some(value.clone());
        }
        let extended =
            attribute.strip_suffix(b"*").is_some_and(|base| base.eq_ignore_ascii_case(name.as_bytes()));
        extended.then(|| percent_decode(value))
    })
}

/// The octets of `charset'language'percent-encoded`.
fn percent_decode(value: &[u8]) -> Vec<u8> {
    let mut rest = value.splitn(3, |&octet| octet == b'\'').nth(2).unwrap_or(value);
    let mut octets = Vec::with_capacity(rest.len());
    while let Some((&octet, after)) = rest.split_first() {
        rest = after;
        match (octet, after) {
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                octets.push(hex_digit(*high) << 4 | hex_digit(*low));
                rest = after;
            }
            _ => octets.push(octet),
        }
    }
    octets
}

/// The boundary of a multipart, if it can be one (RFC 2046 section 5.1.1): trailing white space does not count, and line ends
/// or NUL, which percent encoding could smuggle in, make it none.
pub(crate) fn boundary(params: &Params) -> Option<Vec<u8>> {
    let boundary = param(params, "boundary")?;
    let boundary = trim_end(&boundary);
    let possible = (1..=limits::BOUNDARY_OCTETS_MAX).contains(&boundary.len())
        && !boundary.iter().any(|octet| matches!(octet, b'\r' | b'\n' | 0));
    possible.then(|| boundary.to_vec())
}

/// The id between the first `<` and `>` of a Message-ID, References or In-Reply-To field, and what follows it. Quotes and
/// white space within are no part of it (RFC 5256 section 3, step 1 of REFERENCES, wants ids compared without quoting).
pub(crate) fn message_id(field: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut rest = field;
    loop {
        let start = memchr::memchr(b'<', rest)?;
        let inner = &rest[start + 1..];
        let end = memchr::memchr2(b'<', b'>', inner)?;
        let after = &inner[end..];
        rest = after;
        let id = trim(&inner[..end]);
        if after.starts_with(b">") && id.contains(&b'@') && id.len() <= limits::MESSAGE_ID_OCTETS_MAX {
            let unquoted = id.iter().copied().filter(|octet| !matches!(octet, b'"' | b'\\' | b' ' | b'\t'));
            return Some((unquoted.collect(), &after[1..]));
        }
    }
}
