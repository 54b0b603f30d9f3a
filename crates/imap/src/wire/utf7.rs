//! Modified UTF-7 for mailbox names (RFC 3501 section 5.1.3), spoken until IMAP4rev2 or UTF8=ACCEPT is enabled.
//!
//! Only the canonical form is read: it is the one that [`encode`] writes. Anything else (printable ASCII in base64, two
//! shifts where one would do, padding bits that are not zero, lone surrogates) would give one mailbox several names.

use base64::Engine as _;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::general_purpose::NO_PAD;
use base64::engine::{DecodePaddingMode, GeneralPurpose};

const BASE64: GeneralPurpose =
    GeneralPurpose::new(&IMAP_MUTF7, NO_PAD.with_decode_padding_mode(DecodePaddingMode::RequireNone));

/// The octets are not the canonical modified UTF-7 of any text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotCanonical;

/// Appends the modified UTF-7 of `text`: printable ASCII stands for itself, `&` is `&-`.
pub fn encode(text: &str, out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let direct = is_direct(first);
        let end = rest.find(|next| is_direct(next) != direct).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        rest = after;
        if direct {
            for &octet in run.as_bytes() {
                out.extend_from_slice(if octet == b'&' { b"&-" } else { std::slice::from_ref(&octet) });
            }
        } else {
            let utf16: Vec<u8> = run.encode_utf16().flat_map(u16::to_be_bytes).collect();
            out.push(b'&');
            out.extend_from_slice(BASE64.encode(utf16).as_bytes());
            out.push(b'-');
        }
    }
}

/// The text whose modified UTF-7 this is.
///
/// # Errors
/// [`NotCanonical`] for everything that [`encode`] would not have written.
pub fn decode(octets: &[u8]) -> Result<String, NotCanonical> {
    let mut text = String::with_capacity(octets.len());
    let mut rest = octets;
    while let Some((&first, after)) = rest.split_first() {
        if first != b'&' {
            text.push(char::from(first));
            rest = after;
            continue;
        }
        let end = memchr::memchr(b'-', after).ok_or(NotCanonical)?;
        if end == 0 {
            text.push('&');
        } else {
            let utf16 = BASE64.decode(&after[..end]).map_err(|_| NotCanonical)?;
            let (units, odd) = utf16.as_chunks::<2>();
            if !odd.is_empty() {
                return Err(NotCanonical);
            }
            let units = units.iter().map(|&unit| u16::from_be_bytes(unit));
            for character in char::decode_utf16(units) {
                text.push(character.map_err(|_| NotCanonical)?);
            }
        }
        rest = &after[end + 1..];
    }
    let mut canonical = Vec::with_capacity(octets.len());
    encode(&text, &mut canonical);
    if canonical == octets { Ok(text) } else { Err(NotCanonical) }
}

/// Does the character stand for itself (or, `&`, for its own escape)?
const fn is_direct(character: char) -> bool {
    matches!(character, ' '..='~')
}
