//! Charsets (RFC 2046 section 4.1.2) to Unicode, in pieces.

use encoding_rs::Encoding;

use crate::utf7::Utf7Decoder;

/// Charsets to name in a `BADCHARSET` response code (RFC 9051 section 7.1): those that search strings may be written in.
/// [`charset_decode`] knows more, and all their aliases.
pub const CHARSETS: &[&str] = &[
    "US-ASCII",
    "UTF-8",
    "ISO-8859-1",
    "ISO-8859-2",
    "ISO-8859-5",
    "ISO-8859-7",
    "ISO-8859-15",
    "WINDOWS-1250",
    "WINDOWS-1251",
    "WINDOWS-1252",
    "WINDOWS-1253",
    "WINDOWS-1254",
    "WINDOWS-1255",
    "WINDOWS-1256",
    "KOI8-R",
    "KOI8-U",
    "TIS-620",
    "SHIFT_JIS",
    "EUC-JP",
    "EUC-KR",
    "GBK",
    "GB18030",
    "BIG5",
];

/// The octets were not valid in the charset they claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotInCharset;

impl std::fmt::Display for NotInCharset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the octets are not valid in their charset")
    }
}

impl std::error::Error for NotInCharset {}

/// Decodes a client's search string. `None`: the charset is unknown or not fit for search strings (stateful and multi-octet
/// ones such as ISO-2022-JP and UTF-16, where an ASCII octet may be half a character), which is answered with `BADCHARSET`.
/// An error: the string is not valid in it.
#[must_use]
pub fn charset_decode(label: &str, octets: &[u8]) -> Option<Result<String, NotInCharset>> {
    let label = label.trim();
    if is_ascii_label(label.as_bytes()) {
        let ascii = octets.is_ascii().then(|| octets.iter().map(|&octet| char::from(octet)).collect());
        return Some(ascii.ok_or(NotInCharset));
    }
    let encoding = for_label(label.as_bytes())?;
    if !encoding.is_ascii_compatible() || encoding == encoding_rs::ISO_2022_JP {
        return None;
    }
    let decoded = encoding.decode_without_bom_handling_and_without_replacement(octets);
    Some(decoded.map(std::borrow::Cow::into_owned).ok_or(NotInCharset))
}

fn is_ascii_label(label: &[u8]) -> bool {
    ["us-ascii", "ascii", "ansi_x3.4-1968", "iso646-us", "us"]
        .iter()
        .any(|ascii| label.eq_ignore_ascii_case(ascii.as_bytes()))
}

/// The encoding of a label that really decodes. The label table of encoding_rs is the one of browsers; mail has a few more.
fn for_label(label: &[u8]) -> Option<&'static Encoding> {
    let aliased = match label.to_ascii_lowercase().as_slice() {
        b"cp932" | b"windows-932" => Some(encoding_rs::SHIFT_JIS),
        b"cp936" | b"windows-936" | b"ms936" => Some(encoding_rs::GBK),
        b"cp949" | b"ms949" | b"ks_c_5601" => Some(encoding_rs::EUC_KR),
        b"cp950" | b"windows-950" | b"ms950" => Some(encoding_rs::BIG5),
        b"iso-8859-1-windows-1252" | b"cp-1252" => Some(encoding_rs::WINDOWS_1252),
        _ => None,
    };
    aliased.or_else(|| Encoding::for_label_no_replacement(label))
}

/// A decoder that takes octets in pieces of any size and never fails; the pieces do not show in its output.
pub(crate) struct CharsetDecoder(Kind);

enum Kind {
    Tolerant(Tolerant),
    Encoding(Box<encoding_rs::Decoder>),
    Utf7(Utf7Decoder),
}

impl CharsetDecoder {
    /// UTF-8 where it is valid and windows-1252 where it is not: for text that names no charset, US-ASCII (and has octets
    /// above 127 all the same), UTF-8, or a charset nobody knows.
    pub(crate) fn tolerant() -> CharsetDecoder {
        CharsetDecoder(Kind::Tolerant(Tolerant::default()))
    }

    pub(crate) fn for_label(label: &[u8]) -> CharsetDecoder {
        let label = label.trim_ascii();
        let utf7 = ["utf-7", "unicode-1-1-utf-7", "x-unicode-2-0-utf-7", "utf7"];
        if utf7.iter().any(|name| label.eq_ignore_ascii_case(name.as_bytes())) {
            return CharsetDecoder(Kind::Utf7(Utf7Decoder::default()));
        }
        match for_label(label) {
            Some(encoding) if encoding != encoding_rs::UTF_8 && !is_ascii_label(label) => {
                CharsetDecoder(Kind::Encoding(Box::new(encoding.new_decoder())))
            }
            _ => CharsetDecoder::tolerant(),
        }
    }

    /// Does a text in this charset begin in a state of its own? Then two texts do not join to one, not even when a character
    /// was split between them.
    pub(crate) fn is_stateful(&self) -> bool {
        match &self.0 {
            Kind::Tolerant(_) => false,
            Kind::Encoding(decoder) => decoder.encoding() == encoding_rs::ISO_2022_JP,
            Kind::Utf7(_) => true,
        }
    }

    /// Appends the characters that are complete.
    pub(crate) fn push(&mut self, octets: &[u8], text: &mut String) {
        match &mut self.0 {
            Kind::Tolerant(tolerant) => tolerant.push(octets, text),
            Kind::Encoding(decoder) => decode_some(decoder, octets, text, false),
            Kind::Utf7(decoder) => decoder.push(octets, text),
        }
    }

    /// Appends what a character cut off by the end comes to. Nothing may be pushed afterwards.
    pub(crate) fn finish(&mut self, text: &mut String) {
        match &mut self.0 {
            Kind::Tolerant(tolerant) => tolerant.finish(text),
            Kind::Encoding(decoder) => decode_some(decoder, b"", text, true),
            Kind::Utf7(decoder) => decoder.finish(text),
        }
    }
}

fn decode_some(decoder: &mut encoding_rs::Decoder, mut octets: &[u8], text: &mut String, last: bool) {
    loop {
        // At most three octets of UTF-8 for one of any charset, and the decoder's own small state.
        text.reserve(octets.len() * 3 + 16);
        let (result, used, _) = decoder.decode_to_string(octets, text, last);
        octets = &octets[used..];
        if result == encoding_rs::CoderResult::InputEmpty {
            return;
        }
    }
}

/// See [`CharsetDecoder::tolerant`].
#[derive(Default)]
struct Tolerant {
    /// The beginning of a UTF-8 sequence that the next piece may complete: at most three octets.
    begun: Vec<u8>,
}

impl Tolerant {
    fn push(&mut self, octets: &[u8], text: &mut String) {
        if self.begun.is_empty() {
            let rest = Self::decode(octets, text);
            self.begun.extend_from_slice(rest);
        } else {
            let mut joined = std::mem::take(&mut self.begun);
            joined.extend_from_slice(octets);
            let rest = Self::decode(&joined, text);
            self.begun.extend_from_slice(rest);
        }
    }

    fn finish(&mut self, text: &mut String) {
        text.extend(std::mem::take(&mut self.begun).into_iter().map(windows_1252));
    }

    /// Decodes up to a sequence that more octets could complete, and returns that.
    fn decode<'a>(mut octets: &'a [u8], text: &mut String) -> &'a [u8] {
        loop {
            let error = match std::str::from_utf8(octets) {
                Ok(valid) => {
                    text.push_str(valid);
                    return b"";
                }
                Err(error) => error,
            };
            let (valid, rest) = octets.split_at(error.valid_up_to());
            text.push_str(std::str::from_utf8(valid).unwrap_or_default());
            if error.error_len().is_none() {
                return rest;
            }
            let Some((&octet, rest)) = rest.split_first() else { return b"" };
            text.push(windows_1252(octet));
            octets = rest;
        }
    }
}

fn windows_1252(octet: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
        '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match octet {
        0x80..=0x9f => HIGH[usize::from(octet - 0x80)],
        _ => char::from(octet),
    }
}
