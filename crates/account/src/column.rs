//! One column of a chunk: numbers held as offsets from the smallest, in the narrowest width that fits them all.

use crate::DecodeError;
use crate::limits::CHUNK_ROWS_MAX;
use crate::pack::{Packer, Unpacker, unzigzag, zigzag};

/// The numbers of one column. A new value that does not fit rebuilds it in a wider form; that costs one pass over at most
/// [`CHUNK_ROWS_MAX`] values.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    base: u64,
    offsets: Offsets,
}

#[derive(Debug, Clone)]
enum Offsets {
    /// So many times the base itself.
    Same(usize),
    U8(Vec<u8>),
    U16(Vec<u16>),
    U32(Vec<u32>),
    U64(Vec<u64>),
}

/// Runs `$body` with `$vec` bound to whichever vector holds the offsets; `Same` has an arm of its own.
macro_rules! each_width {
    ($offsets:expr, same $len:ident => $same:expr, $vec:ident => $body:expr) => {
        match $offsets {
            Offsets::Same($len) => $same,
            Offsets::U8($vec) => $body,
            Offsets::U16($vec) => $body,
            Offsets::U32($vec) => $body,
            Offsets::U64($vec) => $body,
        }
    };
}

impl Default for Column {
    fn default() -> Self {
        Self { base: 0, offsets: Offsets::Same(0) }
    }
}

impl Column {
    pub(crate) fn len(&self) -> usize {
        each_width!(&self.offsets, same len => *len, vec => vec.len())
    }

    /// The value at `at`; 0 beyond the end, which no caller asks for.
    #[inline]
    pub(crate) fn value(&self, at: usize) -> u64 {
        let offset = match &self.offsets {
            Offsets::Same(_) => 0,
            Offsets::U8(vec) => vec.get(at).copied().map_or(0, u64::from),
            Offsets::U16(vec) => vec.get(at).copied().map_or(0, u64::from),
            Offsets::U32(vec) => vec.get(at).copied().map_or(0, u64::from),
            Offsets::U64(vec) => vec.get(at).copied().unwrap_or(0),
        };
        self.base.wrapping_add(offset)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = u64> + '_ {
        (0..self.len()).map(|at| self.value(at))
    }

    pub(crate) fn max(&self) -> u64 {
        let offset = match &self.offsets {
            Offsets::Same(_) => 0,
            Offsets::U8(vec) => vec.iter().max().copied().map_or(0, u64::from),
            Offsets::U16(vec) => vec.iter().max().copied().map_or(0, u64::from),
            Offsets::U32(vec) => vec.iter().max().copied().map_or(0, u64::from),
            Offsets::U64(vec) => vec.iter().max().copied().unwrap_or(0),
        };
        self.base.wrapping_add(offset)
    }

    pub(crate) fn push(&mut self, value: u64) {
        if self.len() == 0 {
            *self = Self { base: value, offsets: Offsets::Same(1) };
            return;
        }
        let Some(offset) = value.checked_sub(self.base) else { return self.rebuild(value) };
        match &mut self.offsets {
            Offsets::Same(len) if offset == 0 => *len += 1,
            Offsets::U8(vec) if offset <= u64::from(u8::MAX) => vec.push(offset as u8),
            Offsets::U16(vec) if offset <= u64::from(u16::MAX) => vec.push(offset as u16),
            Offsets::U32(vec) if offset <= u64::from(u32::MAX) => vec.push(offset as u32),
            Offsets::U64(vec) => vec.push(offset),
            _ => self.rebuild(value),
        }
    }

    /// All values and one more, in the width they now need.
    fn rebuild(&mut self, one_more: u64) {
        let values: Vec<u64> = self.values().chain([one_more]).collect();
        *self = Self::from_values(&values);
    }

    pub(crate) fn set(&mut self, at: usize, value: u64) {
        if self.value(at) == value || at >= self.len() {
            return;
        }
        let offset = value.checked_sub(self.base);
        match (&mut self.offsets, offset) {
            (Offsets::U8(vec), Some(offset)) if offset <= u64::from(u8::MAX) => vec[at] = offset as u8,
            (Offsets::U16(vec), Some(offset)) if offset <= u64::from(u16::MAX) => vec[at] = offset as u16,
            (Offsets::U32(vec), Some(offset)) if offset <= u64::from(u32::MAX) => vec[at] = offset as u32,
            (Offsets::U64(vec), Some(offset)) => vec[at] = offset,
            _ => {
                let mut values: Vec<u64> = self.values().collect();
                values[at] = value;
                *self = Self::from_values(&values);
            }
        }
    }

    /// Keeps the values whose place in `keep` is true.
    pub(crate) fn retain(&mut self, keep: &[bool]) {
        let kept = keep.iter().filter(|&&kept| kept).count();
        each_width!(&mut self.offsets, same len => *len = kept, vec => {
            let mut at = 0;
            vec.retain(|_| {
                at += 1;
                keep.get(at - 1).copied().unwrap_or(false)
            });
            vec.shrink_to_fit();
        });
    }

    pub(crate) fn from_values(values: &[u64]) -> Self {
        let base = values.iter().copied().min().unwrap_or(0);
        let span = values.iter().copied().max().unwrap_or(0) - base;
        let offsets = values.iter().map(|value| value - base);
        let offsets = match span {
            0 => Offsets::Same(values.len()),
            0x1..=0xFF => Offsets::U8(offsets.map(|offset| offset as u8).collect()),
            0x100..=0xFFFF => Offsets::U16(offsets.map(|offset| offset as u16).collect()),
            0x1_0000..=0xFFFF_FFFF => Offsets::U32(offsets.map(|offset| offset as u32).collect()),
            _ => Offsets::U64(offsets.collect()),
        };
        Self { base, offsets }
    }

    /// Bytes on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        match &self.offsets {
            Offsets::Same(_) => 0,
            Offsets::U8(vec) => vec.capacity(),
            Offsets::U16(vec) => vec.capacity() * 2,
            Offsets::U32(vec) => vec.capacity() * 4,
            Offsets::U64(vec) => vec.capacity() * 8,
        }
    }

    /// The first place whose value is at least `value`, in a column that rises.
    pub(crate) fn lower_bound(&self, value: u64) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.value(middle) < value {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

/// How a column stands in a part: the shorter of two forms.
const KIND_FIXED: u8 = 0;
const KIND_DELTAS: u8 = 1;

impl Column {
    /// Base and offsets of one width, or differences from value to value, whichever is shorter.
    pub(crate) fn pack(&self, out: &mut Packer) {
        let values: Vec<u64> = self.values().collect();
        let narrow = Self::from_values(&values);
        let width = narrow.offset_bytes();
        let mut deltas = Packer::new();
        let mut before = 0u64;
        for &value in &values {
            deltas.varint(zigzag(value.wrapping_sub(before) as i64));
            before = value;
        }
        if deltas.len() < width * values.len() {
            out.u8(KIND_DELTAS);
            out.raw(&deltas.into_bytes());
        } else {
            out.u8(KIND_FIXED);
            out.varint(narrow.base);
            out.u8(width as u8);
            for value in values {
                out.fixed(value - narrow.base, width);
            }
        }
    }

    const fn offset_bytes(&self) -> usize {
        match self.offsets {
            Offsets::Same(_) => 0,
            Offsets::U8(_) => 1,
            Offsets::U16(_) => 2,
            Offsets::U32(_) => 4,
            Offsets::U64(_) => 8,
        }
    }

    /// Reads back a column of `rows` values (at most [`CHUNK_ROWS_MAX`]).
    pub(crate) fn unpack(bytes: &mut Unpacker<'_>, rows: usize) -> Result<Self, DecodeError> {
        if rows > CHUNK_ROWS_MAX {
            return Err(DecodeError::Damaged("too many rows"));
        }
        match bytes.u8()? {
            KIND_DELTAS => {
                let mut values = Vec::with_capacity(rows);
                let mut value = 0u64;
                for _ in 0..rows {
                    value = value.wrapping_add(unzigzag(bytes.varint()?) as u64);
                    values.push(value);
                }
                Ok(Self::from_values(&values))
            }
            KIND_FIXED => {
                let base = bytes.varint()?;
                let width = usize::from(bytes.u8()?);
                Self::unpack_fixed(bytes, rows, base, width)
            }
            kind => Err(DecodeError::Unknown("kind of column", kind.into())),
        }
    }

    fn unpack_fixed(
        bytes: &mut Unpacker<'_>,
        rows: usize,
        base: u64,
        width: usize,
    ) -> Result<Self, DecodeError> {
        if !matches!(width, 0 | 1 | 2 | 4 | 8) {
            return Err(DecodeError::Damaged("column width"));
        }
        let raw = bytes.raw(rows * width)?;
        let offsets = match width {
            0 => Offsets::Same(rows),
            1 => Offsets::U8(raw.to_vec()),
            2 => Offsets::U16(raw.as_chunks().0.iter().map(|piece| u16::from_le_bytes(*piece)).collect()),
            4 => Offsets::U32(raw.as_chunks().0.iter().map(|piece| u32::from_le_bytes(*piece)).collect()),
            _ => Offsets::U64(raw.as_chunks().0.iter().map(|piece| u64::from_le_bytes(*piece)).collect()),
        };
        let column = Self { base, offsets };
        let top = each_width!(&column.offsets, same _len => 0, vec => vec.iter().copied().max().map_or(0, u64::from));
        base.checked_add(top).ok_or(DecodeError::Damaged("column overflows"))?;
        Ok(column)
    }
}
