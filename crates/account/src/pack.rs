//! Numbers, texts and sets as bytes: the alphabet of entries, parts and manifests (`docs/journal.md`, section 1).
//!
//! Reading never trusts an announced count: a list is only believed as far as bytes for it are really there.

use crate::{DecodeError, UidSet};

/// Writes values one after the other.
#[derive(Debug, Default)]
pub(crate) struct Packer {
    bytes: Vec<u8>,
}

impl Packer {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    /// Four bytes, little-endian.
    pub(crate) fn u32(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// The low `width` bytes of the value, little-endian.
    pub(crate) fn fixed(&mut self, value: u64, width: usize) {
        self.bytes.extend_from_slice(&value.to_le_bytes()[..width.min(8)]);
    }

    /// LEB128: seven bits a byte, lowest first, high bit set on all but the last.
    pub(crate) fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    /// A signed number as varint, sign in the lowest bit, so that small differences stay small.
    pub(crate) fn zigzag(&mut self, value: i64) {
        self.varint(zigzag(value));
    }

    /// A count.
    pub(crate) fn count(&mut self, count: usize) {
        self.varint(count as u64);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.count(text.len());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    pub(crate) fn uid_set(&mut self, set: &UidSet) {
        self.count(set.ranges().len());
        let mut after = 0;
        for &(first, last) in set.ranges() {
            self.varint(u64::from(first - after));
            self.varint(u64::from(last - first));
            after = last;
        }
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Ends a sealed piece: appends the CRC-32C of everything before it.
    pub(crate) fn seal(mut self) -> Vec<u8> {
        let crc = crc32c::crc32c(&self.bytes);
        self.u32(crc);
        self.bytes
    }
}

/// Checks a sealed piece; returns what is inside and its checksum.
pub(crate) fn unseal(bytes: &[u8]) -> Result<(&[u8], u32), DecodeError> {
    let (body, crc) = bytes.split_last_chunk::<4>().ok_or(DecodeError::Damaged("cut short"))?;
    let crc = u32::from_le_bytes(*crc);
    if crc32c::crc32c(body) != crc {
        return Err(DecodeError::Damaged("checksum"));
    }
    Ok((body, crc))
}

/// Sign into the lowest bit.
pub(crate) const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// Undoes [`zigzag`].
pub(crate) const fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Reads values one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Unpacker<'a> {
    rest: &'a [u8],
}

impl<'a> Unpacker<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn u8(&mut self) -> Result<u8, DecodeError> {
        let (&first, rest) = self.rest.split_first().ok_or(DecodeError::Damaged("cut short"))?;
        self.rest = rest;
        Ok(first)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, DecodeError> {
        let (first, rest) = self.rest.split_first_chunk::<4>().ok_or(DecodeError::Damaged("cut short"))?;
        self.rest = rest;
        Ok(u32::from_le_bytes(*first))
    }

    pub(crate) fn varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            if shift == 63 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(DecodeError::Damaged("number too large"))
    }

    pub(crate) fn varint32(&mut self) -> Result<u32, DecodeError> {
        u32::try_from(self.varint()?).map_err(|_| DecodeError::Damaged("number too large"))
    }

    pub(crate) fn zigzag(&mut self) -> Result<i64, DecodeError> {
        self.varint().map(unzigzag)
    }

    /// A count of things that each take at least `bytes_min` bytes of what follows.
    pub(crate) fn count(&mut self, bytes_min: usize) -> Result<usize, DecodeError> {
        let count = usize::try_from(self.varint()?).map_err(|_| DecodeError::Damaged("count"))?;
        if count > self.rest.len() / bytes_min.max(1) {
            return Err(DecodeError::Damaged("count beyond the bytes"));
        }
        Ok(count)
    }

    pub(crate) fn raw(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (first, rest) = self.rest.split_at_checked(len).ok_or(DecodeError::Damaged("cut short"))?;
        self.rest = rest;
        Ok(first)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, DecodeError> {
        let len = self.count(1)?;
        std::str::from_utf8(self.raw(len)?).map_err(|_| DecodeError::Damaged("text is not UTF-8"))
    }

    pub(crate) fn uid_set(&mut self) -> Result<UidSet, DecodeError> {
        let ranges = self.count(2)?;
        let mut set = UidSet::new();
        let mut after = 0u32;
        for _ in 0..ranges {
            let gap = self.varint32()?;
            let first = after.checked_add(gap).filter(|_| gap > 0);
            let first = first.ok_or(DecodeError::Damaged("UID set does not rise"))?;
            let last = first.checked_add(self.varint32()?).ok_or(DecodeError::Damaged("UID too large"))?;
            set.push_range(first, last);
            after = last;
        }
        Ok(set)
    }

    /// Nothing may follow.
    pub(crate) fn end(&self) -> Result<(), DecodeError> {
        if self.rest.is_empty() { Ok(()) } else { Err(DecodeError::Damaged("bytes left over")) }
    }
}
