//! Content-Transfer-Encoding (RFC 2045 section 6) to octets, in pieces, for BINARY (RFC 3516) and for reading text.

use crate::encoded_word::hex_digit;
use crate::limits;

/// The part's octets are not valid in its transfer encoding: `NO [UNKNOWN-CTE]` (RFC 9051 section 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeError;

impl std::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the octets are not valid in their Content-Transfer-Encoding")
    }
}

impl std::error::Error for DecodeError {}

/// What to do about octets that are not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leniency {
    /// A client asked for the decoded octets: rather none than wrong ones.
    Binary,
    /// Text is searched or shown in part: skip what base64 does not know (RFC 2045 section 6.8), keep what quoted-printable
    /// does not know (section 6.7, note 2).
    Search,
}

/// A decoder that takes a part's octets in pieces of any size; the pieces do not show in its output.
#[derive(Debug)]
pub struct Decoder {
    encoding: Encoding,
    leniency: Leniency,
}

#[derive(Debug)]
enum Encoding {
    Identity,
    Base64(Base64),
    QuotedPrintable(QuotedPrintable),
}

impl Decoder {
    /// A decoder for the value of a Content-Transfer-Encoding field, in any case; empty means 7bit. `None` for an encoding
    /// that is unknown, which is answered with `UNKNOWN-CTE`.
    ///
    /// It refuses base64 with octets outside of the alphabet (line ends and white space apart) and broken padding, and
    /// quoted-printable with a `=` that begins nothing.
    #[must_use]
    pub fn new(encoding: &[u8]) -> Option<Decoder> {
        Decoder::with(encoding, Leniency::Binary)
    }

    pub(crate) fn with(encoding: &[u8], leniency: Leniency) -> Option<Decoder> {
        let encoding = encoding.trim_ascii();
        let is = |name: &str| encoding.eq_ignore_ascii_case(name.as_bytes());
        if is("base64") {
            Some(Decoder { encoding: Encoding::Base64(Base64::default()), leniency })
        } else if is("quoted-printable") {
            Some(Decoder { encoding: Encoding::QuotedPrintable(QuotedPrintable::default()), leniency })
        } else if encoding.is_empty() || is("7bit") || is("8bit") || is("binary") {
            Some(Decoder { encoding: Encoding::Identity, leniency })
        } else {
            None
        }
    }

    pub(crate) fn base64(leniency: Leniency) -> Decoder {
        Decoder { encoding: Encoding::Base64(Base64::default()), leniency }
    }

    /// Does decoding change nothing?
    #[must_use]
    pub fn is_identity(&self) -> bool {
        matches!(self.encoding, Encoding::Identity)
    }

    /// Decodes the next octets of the part and appends what is complete to `decoded`; never more than `octets` has, plus the
    /// few held back before.
    ///
    /// # Errors
    /// The octets are not valid in the encoding. What was appended until then stays appended.
    pub fn push(&mut self, octets: &[u8], decoded: &mut Vec<u8>) -> Result<(), DecodeError> {
        match &mut self.encoding {
            Encoding::Identity => decoded.extend_from_slice(octets),
            Encoding::Base64(base64) => base64.push(octets, decoded, self.leniency)?,
            Encoding::QuotedPrintable(quoted) => {
                for &octet in octets {
                    quoted.push(octet, decoded, self.leniency)?;
                }
            }
        }
        Ok(())
    }

    /// Ends the part and appends what was held back.
    ///
    /// # Errors
    /// The part ends in the middle of an encoded octet.
    pub fn finish(&mut self, decoded: &mut Vec<u8>) -> Result<(), DecodeError> {
        match &mut self.encoding {
            Encoding::Identity => Ok(()),
            Encoding::Base64(base64) => base64.finish(decoded, self.leniency),
            Encoding::QuotedPrintable(quoted) => quoted.finish(decoded, self.leniency),
        }
    }
}

/// `VALUES[octet]`: 0 to 63 for the alphabet, and the marks below.
const VALUES: [u8; 256] = values();
const SPACE: u8 = 64;
const PADDING: u8 = 65;
const FOREIGN: u8 = 66;

const fn values() -> [u8; 256] {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut values = [FOREIGN; 256];
    let mut value = 0;
    while value < 64 {
        values[alphabet[value as usize] as usize] = value;
        value += 1;
    }
    values[b'=' as usize] = PADDING;
    values[b' ' as usize] = SPACE;
    values[b'\t' as usize] = SPACE;
    values[b'\r' as usize] = SPACE;
    values[b'\n' as usize] = SPACE;
    values
}

#[derive(Debug, Default)]
struct Base64 {
    /// Bits of the group of four that is being read.
    bits: u32,
    /// Characters of that group, padding included.
    len: u8,
    /// Padding characters in that group.
    padding: u8,
    /// A padded group ended the data.
    ended: bool,
}

impl Base64 {
    fn push(
        &mut self,
        mut octets: &[u8],
        decoded: &mut Vec<u8>,
        leniency: Leniency,
    ) -> Result<(), DecodeError> {
        decoded.reserve(octets.len() / 4 * 3 + 3);
        while let Some((&octet, rest)) = octets.split_first() {
            if self.len == 0 && !self.ended {
                let fast = decode_groups(octets, decoded);
                if fast > 0 {
                    octets = &octets[fast..];
                    continue;
                }
            }
            octets = rest;
            match VALUES[usize::from(octet)] {
                SPACE => {}
                PADDING => self.pad(decoded, leniency)?,
                FOREIGN if leniency == Leniency::Search => {}
                FOREIGN => return Err(DecodeError),
                value => self.add(value, decoded, leniency)?,
            }
        }
        Ok(())
    }

    fn add(&mut self, value: u8, decoded: &mut Vec<u8>, leniency: Leniency) -> Result<(), DecodeError> {
        if self.padding > 0 || self.ended {
            if leniency == Leniency::Binary {
                return Err(DecodeError);
            }
            // Two base64 texts in a row, as mailing lists append them.
            *self = Base64::default();
        }
        self.bits = self.bits << 6 | u32::from(value);
        self.len += 1;
        if self.len == 4 {
            decoded.extend_from_slice(&self.bits.to_be_bytes()[1..]);
            (self.bits, self.len) = (0, 0);
        }
        Ok(())
    }

    fn pad(&mut self, decoded: &mut Vec<u8>, leniency: Leniency) -> Result<(), DecodeError> {
        if self.len < 2 || self.ended {
            return if leniency == Leniency::Binary { Err(DecodeError) } else { Ok(()) };
        }
        self.padding += 1;
        if self.len + self.padding == 4 {
            self.flush(decoded);
            *self = Base64 { ended: true, ..Base64::default() };
        }
        Ok(())
    }

    /// Appends the whole octets of a group of two or three characters.
    fn flush(&mut self, decoded: &mut Vec<u8>) {
        match self.len {
            2 => decoded.push((self.bits >> 4) as u8),
            3 => decoded.extend_from_slice(&((self.bits >> 2) as u16).to_be_bytes()),
            _ => {}
        }
    }

    /// Padding may be missing altogether (much software leaves it out) but not half of it.
    fn finish(&mut self, decoded: &mut Vec<u8>, leniency: Leniency) -> Result<(), DecodeError> {
        let cut_off = self.len == 1 || self.padding > 0;
        if cut_off && leniency == Leniency::Binary {
            return Err(DecodeError);
        }
        self.flush(decoded);
        *self = Base64 { ended: true, ..Base64::default() };
        Ok(())
    }
}

/// Decodes whole groups of four alphabet characters and returns how many octets these are. Base64 lines have 76 of them in a
/// row, so that this is where the time goes.
fn decode_groups(octets: &[u8], decoded: &mut Vec<u8>) -> usize {
    let mut used = 0;
    for group in octets.chunks_exact(4) {
        let [a, b, c, d] = [group[0], group[1], group[2], group[3]].map(|octet| VALUES[usize::from(octet)]);
        if (a | b | c | d) >= 64 {
            break;
        }
        let bits = u32::from(a) << 18 | u32::from(b) << 12 | u32::from(c) << 6 | u32::from(d);
        decoded.extend_from_slice(&bits.to_be_bytes()[1..]);
        used += 4;
    }
    used
}

#[derive(Debug, Default)]
struct QuotedPrintable {
    state: QuotedState,
    /// White space that is dropped if a line ends after it (RFC 2045 section 6.7, rule 3).
    padding: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy)]
enum QuotedState {
    #[default]
    Text,
    /// After `=`.
    Equals,
    /// After `=` and a hexadecimal digit.
    Digit(u8),
    /// After `=` and white space: a soft line break, if the line ends.
    SoftBreak,
    /// After `=` and CR.
    SoftBreakCr,
}

impl QuotedPrintable {
    fn push(&mut self, octet: u8, decoded: &mut Vec<u8>, leniency: Leniency) -> Result<(), DecodeError> {
        match (self.state, octet) {
            (QuotedState::Text, _) => self.text(octet, decoded),
            (QuotedState::Equals, b' ' | b'\t') => self.state = QuotedState::SoftBreak,
            (QuotedState::SoftBreak, b' ' | b'\t') => {}
            (QuotedState::Equals | QuotedState::SoftBreak, b'\r') => self.state = QuotedState::SoftBreakCr,
            (QuotedState::Equals | QuotedState::SoftBreak | QuotedState::SoftBreakCr, b'\n') => {
                self.state = QuotedState::Text;
            }
            (QuotedState::Equals, _) if octet.is_ascii_hexdigit() => self.state = QuotedState::Digit(octet),
            (QuotedState::Digit(high), _) if octet.is_ascii_hexdigit() => {
                decoded.push(hex_digit(high) << 4 | hex_digit(octet));
                self.state = QuotedState::Text;
            }
            (broken, _) => {
                if leniency == Leniency::Binary {
                    return Err(DecodeError);
                }
                decoded.push(b'=');
                match broken {
                    QuotedState::Digit(high) => decoded.push(high),
                    QuotedState::SoftBreak => decoded.push(b' '),
                    QuotedState::SoftBreakCr => decoded.push(b'\r'),
                    QuotedState::Text | QuotedState::Equals => {}
                }
                self.state = QuotedState::Text;
                self.text(octet, decoded);
            }
        }
        Ok(())
    }

    fn text(&mut self, octet: u8, decoded: &mut Vec<u8>) {
        match octet {
            b' ' | b'\t' => {
                if self.padding.len() == limits::QUOTED_PRINTABLE_PADDING_MAX {
                    decoded.append(&mut self.padding);
                }
                self.padding.push(octet);
                return;
            }
            b'\n' => {
                // The CR of the line end waits among the padding.
                let carriage_return = self.padding.last() == Some(&b'\r');
                self.padding.clear();
                if carriage_return {
                    decoded.push(b'\r');
                }
                decoded.push(b'\n');
                return;
            }
            _ => {}
        }
        if octet == b'\r' && self.padding.last() != Some(&b'\r') {
            self.padding.push(octet);
            return;
        }
        decoded.append(&mut self.padding);
        match octet {
            b'=' => self.state = QuotedState::Equals,
            b'\r' => self.padding.push(octet),
            _ => decoded.push(octet),
        }
    }

    /// A `=` at the very end is a soft line break whose line end went to the boundary.
    fn finish(&mut self, decoded: &mut Vec<u8>, leniency: Leniency) -> Result<(), DecodeError> {
        decoded.append(&mut self.padding);
        match std::mem::take(&mut self.state) {
            QuotedState::Digit(_) if leniency == Leniency::Binary => Err(DecodeError),
            QuotedState::Digit(high) => {
                decoded.extend_from_slice(&[b'=', high]);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
