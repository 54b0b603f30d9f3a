//! UTF-7 (RFC 2152) to Unicode, in pieces. Browsers gave it up, mail of the nineties did not.

/// Never fails: what is no UTF-7 comes out as U+FFFD or as it stands.
#[derive(Default)]
pub(crate) struct Utf7Decoder {
    state: State,
    bits: u32,
    bits_len: u32,
    high_surrogate: Option<u16>,
}

#[derive(Default, PartialEq)]
enum State {
    #[default]
    Direct,
    /// Just after the `+`.
    Shifted,
    /// In the base64 run.
    Base64,
}

impl Utf7Decoder {
    pub(crate) fn push(&mut self, octets: &[u8], text: &mut String) {
        for &octet in octets {
            self.push_octet(octet, text);
        }
    }

    pub(crate) fn finish(&mut self, text: &mut String) {
        self.end_run(text);
    }

    fn push_octet(&mut self, octet: u8, text: &mut String) {
        if self.state == State::Direct {
            self.push_direct(octet, text);
        } else if let Some(value) = base64_value(octet) {
            self.state = State::Base64;
            self.push_bits(value, text);
        } else {
            let empty = self.state == State::Shifted;
            self.end_run(text);
            match octet {
                b'-' if empty => text.push('+'),
                b'-' => {}
                _ => self.push_direct(octet, text),
            }
        }
    }

    fn push_direct(&mut self, octet: u8, text: &mut String) {
        match octet {
            b'+' => self.state = State::Shifted,
            0..=0x7f => text.push(char::from(octet)),
            _ => text.push(char::REPLACEMENT_CHARACTER),
        }
    }

    fn push_bits(&mut self, value: u8, text: &mut String) {
        self.bits = self.bits << 6 | u32::from(value);
        self.bits_len += 6;
        if self.bits_len >= 16 {
            self.bits_len -= 16;
            let unit = (self.bits >> self.bits_len) & 0xffff;
            self.bits &= (1 << self.bits_len) - 1;
            self.push_unit(u16::try_from(unit).unwrap_or_default(), text);
        }
    }

    /// A UTF-16 code unit. A high surrogate waits for its low one; either without the other is no character.
    fn push_unit(&mut self, unit: u16, text: &mut String) {
        if let Some(high) = self.high_surrogate.take() {
            if let Some(Ok(c)) = char::decode_utf16([high, unit]).next() {
                text.push(c);
                return;
            }
            text.push(char::REPLACEMENT_CHARACTER);
        }
        if (0xd800..0xdc00).contains(&unit) {
            self.high_surrogate = Some(unit);
        } else {
            text.push(char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
    }

    fn end_run(&mut self, text: &mut String) {
        if self.high_surrogate.take().is_some() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
        *self = Utf7Decoder::default();
    }
}

fn base64_value(octet: u8) -> Option<u8> {
    match octet {
        b'A'..=b'Z' => Some(octet - b'A'),
        b'a'..=b'z' => Some(octet - b'a' + 26),
        b'0'..=b'9' => Some(octet - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}
