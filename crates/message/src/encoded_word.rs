//! Encoded words (RFC 2047, with the language tags of RFC 2231 section 5) to text.
//!
//! Read as tolerantly as mail is written: encoded words inside quoted strings, with spaces, longer than 75 octets, without
//! white space around them, and characters that are split between two words of one charset all come out as meant.

use memchr::memmem;

use crate::charset::CharsetDecoder;
use crate::transfer::{Decoder, Leniency};

/// Octets of a charset name. The longest registered one has 45.
const CHARSET_OCTETS_MAX: usize = 64;

/// An encoded word at the start of some octets.
pub(crate) struct EncodedWord<'a> {
    charset: &'a [u8],
    base64: bool,
    text: &'a [u8],
    /// Octets from `=?` to `?=`.
    pub len: usize,
}

/// Reads `=?charset[*language]?encoding?text?=` at the start of `octets`. Looks no further than the next `?` that cannot
/// belong to the word, so that reading a field full of beginnings stays linear.
pub(crate) fn read(octets: &[u8]) -> Option<EncodedWord<'_>> {
    let rest = octets.strip_prefix(b"=?")?;
    let charset_len = rest.iter().take(CHARSET_OCTETS_MAX + 1).position(|&octet| octet == b'?')?;
    let (charset, rest) = (&rest[..charset_len], &rest[charset_len + 1..]);
    if charset.is_empty() || !charset.iter().all(|octet| (33..=126).contains(octet)) {
        return None;
    }
    let charset = charset.split(|&octet| octet == b'*').next().unwrap_or(charset);
    let (encoding, rest) = rest.split_first()?;
    let base64 = match encoding {
        b'B' | b'b' => true,
        b'Q' | b'q' => false,
        _ => return None,
    };
    let rest = rest.strip_prefix(b"?")?;
    let text_len = memchr::memchr(b'?', rest)?;
    let text = &rest[..text_len];
    (rest.get(text_len + 1) == Some(&b'=')).then(|| EncodedWord {
        charset,
        base64,
        text,
        len: octets.len() - rest.len() + text_len + 2,
    })
}

/// Unstructured text with its encoded words decoded.
pub(crate) fn decode(octets: &[u8]) -> String {
    let mut text = String::new();
    decode_into(octets, &mut text);
    text
}

/// Appends `octets` with their encoded words decoded. Control characters that come out of a word, CR and LF above all,
/// become spaces: what was one line stays one line.
pub(crate) fn decode_into(octets: &[u8], text: &mut String) {
    let mut rest = octets;
    // The word before, if nothing but white space came since: its decoder may hold the first half of a character.
    let mut open: Option<(&[u8], CharsetDecoder)> = None;
    while let Some(start) = memmem::find(rest, b"=?") {
        let Some(word) = read(&rest[start..]) else {
            finish(&mut open, text);
            literal(&rest[..start + 2], text);
            rest = &rest[start + 2..];
            continue;
        };
        let between = &rest[..start];
        if open.is_none() || !between.iter().all(u8::is_ascii_whitespace) {
            finish(&mut open, text);
            literal(between, text);
        }
        rest = &rest[start + word.len..];
        let joins = |(charset, decoder): &(&[u8], CharsetDecoder)| {
            charset.eq_ignore_ascii_case(word.charset) && !decoder.is_stateful()
        };
        if !open.as_ref().is_some_and(joins) {
            finish(&mut open, text);
        }
        let (_, decoder) =
            open.get_or_insert_with(|| (word.charset, CharsetDecoder::for_label(word.charset)));
        let from = text.len();
        decoder.push(&payload(&word), text);
        make_one_line(text, from);
    }
    finish(&mut open, text);
    literal(rest, text);
}

fn finish(open: &mut Option<(&[u8], CharsetDecoder)>, text: &mut String) {
    if let Some((_, mut decoder)) = open.take() {
        decoder.finish(text);
    }
}

/// The octets that a word encodes.
fn payload(word: &EncodedWord<'_>) -> Vec<u8> {
    let mut octets = Vec::with_capacity(word.text.len());
    if word.base64 {
        let mut decoder = Decoder::base64(Leniency::Search);
        // A lenient decoder refuses nothing.
        let _ = decoder.push(word.text, &mut octets);
        let _ = decoder.finish(&mut octets);
        return octets;
    }
    let mut rest = word.text;
    while let Some((&octet, after)) = rest.split_first() {
        rest = after;
        octets.push(match octet {
            b'_' => b' ',
            b'=' => match after {
                [high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                    rest = after;
                    hex_digit(*high) << 4 | hex_digit(*low)
                }
                _ => b'=',
            },
            _ => octet,
        });
    }
    octets
}

/// The value of a hexadecimal digit; anything else is 0.
pub(crate) fn hex_digit(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0,
    }
}

/// Octets outside of encoded words: ASCII, or raw 8-bit of a charset nobody named.
fn literal(octets: &[u8], text: &mut String) {
    let from = text.len();
    match std::str::from_utf8(octets) {
        Ok(octets) => text.push_str(octets),
        Err(_) => {
            let mut decoder = CharsetDecoder::tolerant();
            decoder.push(octets, text);
            decoder.finish(text);
        }
    }
    make_one_line(text, from);
}

/// Control characters but the tab become spaces, from `from` on.
fn make_one_line(text: &mut String, from: usize) {
    let is_control = |octet: u8| (octet < b' ' && octet != b'\t') || octet == 0x7f;
    // Without branches: all header text passes here, and next to none has any.
    if text.as_bytes()[from..].iter().fold(false, |any, &octet| any | is_control(octet)) {
        let line = text[from..].replace(|c: char| c.is_ascii_control() && c != '\t', " ");
        text.truncate(from);
        text.push_str(&line);
    }
}
