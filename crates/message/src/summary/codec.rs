//! The packing of a summary: numbers in seven-bit groups (LEB128), strings behind `length << 2 | kind`.

use crate::text::{Text, TextKind};

pub(super) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Octets that [`put_number`] takes.
pub(super) fn number_len(number: u64) -> usize {
    (64 - (number | 1).leading_zeros() as usize).div_ceil(7)
}

/// A string that is present.
pub(crate) fn put_text(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, (bytes.len() as u64) << 2 | TextKind::of(bytes) as u64);
    out.extend_from_slice(bytes);
}

pub(crate) fn put_nil(out: &mut Vec<u8>) {
    out.push(TextKind::Nil as u8);
}

pub(crate) fn put_nstring(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => put_text(out, bytes),
        None => put_nil(out),
    }
}

/// A run of octets behind its length.
pub(crate) fn put_block(out: &mut Vec<u8>, block: &[u8]) {
    put_number(out, block.len() as u64);
    out.extend_from_slice(block);
}

/// Reads what the functions above write. Past the end, or at nonsense, everything is zero, empty and absent: a reader of
/// damaged octets gets wrong answers but always an answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    pub rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) fn new(rest: &'a [u8]) -> Cursor<'a> {
        Cursor { rest }
    }

    pub(super) fn octet(&mut self) -> u8 {
        let Some((&octet, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        octet
    }

    pub(super) fn number(&mut self) -> u64 {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let octet = self.octet();
            number |= u64::from(octet & 0x7f) << shift;
            if octet < 0x80 {
                break;
            }
        }
        number
    }

    pub(super) fn octets(&mut self, len: u64) -> &'a [u8] {
        let len = usize::try_from(len).unwrap_or(usize::MAX).min(self.rest.len());
        let (octets, rest) = self.rest.split_at(len);
        self.rest = rest;
        octets
    }

    pub(super) fn block(&mut self) -> &'a [u8] {
        let len = self.number();
        self.octets(len)
    }

    pub(super) fn utf8(&mut self) -> &'a str {
        std::str::from_utf8(self.block()).unwrap_or_default()
    }

    pub(super) fn text(&mut self) -> Text<'a> {
        let head = self.number();
        let kind = TextKind::from_bits(head);
        if kind == TextKind::Nil { Text::NIL } else { Text { bytes: self.octets(head >> 2), kind } }
    }
}
