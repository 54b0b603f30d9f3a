//! A chunk: up to [`CHUNK_ROWS_MAX`] messages of one mailbox in columns, sorted by UID; the unit of sharing, of
//! copying on write and of the checkpoint.

use std::ops::Range;
use std::sync::OnceLock;

use crate::checkpoint::PartRef;
use crate::column::Column;
use crate::limits::CHUNK_ROWS_MAX;
use crate::mailbox::Row;
use crate::pack::{Packer, Unpacker};
use crate::{BlobId, DecodeError, FlagOp, Flags, InternalDate, Millis, Modseq, Uid, UidSet};

/// Messages at which a chunk is full. This crate's own tests use small chunks, so that short histories cross many of their
/// borders.
pub(crate) const FULL: usize = if cfg!(test) { 8 } else { CHUNK_ROWS_MAX };

/// Messages in columns. Never empty inside a [`crate::Mailbox`].
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    columns: Columns,
    /// Highest value of the modseq column, so that CHANGEDSINCE can skip the chunk.
    modseq_max: u64,
    /// Where the checkpoint keeps this chunk; set once, and gone from any copy, since a copy is made to be changed.
    saved: OnceLock<PartRef>,
}

#[derive(Debug, Clone, Default)]
struct Columns {
    uid: Column,
    modseq: Column,
    flags: Column,
    /// Seconds with the sign bit turned, so that they sort as unsigned numbers.
    internal_date: Column,
    /// Minutes with the sign bit turned.
    zone: Column,
    save_date: Column,
    size: Column,
    blob: Column,
}

impl Columns {
    fn all(&self) -> [&Column; 8] {
        let Self { uid, modseq, flags, internal_date, zone, save_date, size, blob } = self;
        [uid, modseq, flags, internal_date, zone, save_date, size, blob]
    }

    fn all_mut(&mut self) -> [&mut Column; 8] {
        let Self { uid, modseq, flags, internal_date, zone, save_date, size, blob } = self;
        [uid, modseq, flags, internal_date, zone, save_date, size, blob]
    }
}

impl Clone for Chunk {
    fn clone(&self) -> Self {
        Self { columns: self.columns.clone(), modseq_max: self.modseq_max, saved: OnceLock::new() }
    }
}

const fn sortable(seconds: i64) -> u64 {
    seconds as u64 ^ (1 << 63)
}

const fn from_sortable(value: u64) -> i64 {
    (value ^ (1 << 63)) as i64
}

impl Chunk {
    pub(crate) fn len(&self) -> usize {
        self.columns.uid.len()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.len() >= FULL
    }

    pub(crate) const fn modseq_max(&self) -> u64 {
        self.modseq_max
    }

    /// Smallest UID; 0 in an empty chunk.
    pub(crate) fn first(&self) -> u32 {
        self.uid(0)
    }

    /// Largest UID; 0 in an empty chunk.
    pub(crate) fn last(&self) -> u32 {
        self.uid(self.len().wrapping_sub(1))
    }

    pub(crate) fn uid(&self, at: usize) -> u32 {
        self.columns.uid.value(at) as u32
    }

    pub(crate) fn modseq(&self, at: usize) -> u64 {
        self.columns.modseq.value(at)
    }

    pub(crate) fn flags(&self, at: usize) -> Flags {
        Flags(self.columns.flags.value(at))
    }

    pub(crate) fn size(&self, at: usize) -> u64 {
        self.columns.size.value(at)
    }

    pub(crate) fn blobs(&self) -> impl Iterator<Item = BlobId> + '_ {
        self.columns.blob.values().map(BlobId)
    }

    /// The first place whose UID is at least `uid`; the length if there is none.
    pub(crate) fn lower_bound(&self, uid: u32) -> usize {
        let (first, last) = (self.first(), self.last());
        if uid <= first {
            0
        } else if uid > last {
            self.len()
        } else if (last - first) as usize + 1 == self.len() {
            // Without gaps, which is how most chunks are, the place follows from the UID.
            (uid - first) as usize
        } else {
            self.columns.uid.lower_bound(uid.into())
        }
    }

    /// The places of a UID range.
    pub(crate) fn places(&self, first: u32, last: u32) -> Range<usize> {
        let start = self.lower_bound(first);
        let end = last.checked_add(1).map_or(self.len(), |after| self.lower_bound(after));
        start..end.max(start)
    }

    /// Are the UIDs of these places without a gap? Then they are one range.
    pub(crate) fn push_uids(&self, places: Range<usize>, out: &mut UidSet) {
        let Some(end) = places.end.checked_sub(1).filter(|end| places.start <= *end) else { return };
        let (first, last) = (self.uid(places.start), self.uid(end));
        if (last - first) as usize == end - places.start {
            return out.push_range(first, last);
        }
        for at in places {
            let uid = self.uid(at);
            out.push_range(uid, uid);
        }
    }

    /// The whole message at a place; `None` beyond the end.
    pub(crate) fn row(&self, at: usize) -> Option<Row> {
        let columns = &self.columns;
        let uid = Uid::new(self.uid(at)).filter(|_| at < self.len())?;
        Some(Row {
            uid,
            modseq: Modseq(self.modseq(at)),
            flags: self.flags(at),
            internal_date: InternalDate {
                seconds: from_sortable(columns.internal_date.value(at)),
                zone_minutes: (columns.zone.value(at) as u16 ^ 0x8000) as i16,
            },
            save_date: Millis(columns.save_date.value(at)),
            size: columns.size.value(at),
            blob: BlobId(columns.blob.value(at)),
        })
    }

    /// Appends a message; its UID must be beyond the last.
    pub(crate) fn push(&mut self, row: &Row) {
        self.saved = OnceLock::new();
        self.modseq_max = self.modseq_max.max(row.modseq.0);
        self.columns.uid.push(row.uid.value().into());
        self.columns.modseq.push(row.modseq.0);
        self.columns.flags.push(row.flags.0);
        self.columns.internal_date.push(sortable(row.internal_date.seconds));
        self.columns.zone.push(u64::from(row.internal_date.zone_minutes as u16 ^ 0x8000));
        self.columns.save_date.push(row.save_date.0);
        self.columns.size.push(row.size);
        self.columns.blob.push(row.blob.0);
    }

    /// Is there a message among these whose flags the operation would change?
    pub(crate) fn would_change(&self, places: &[Range<usize>], op: FlagOp, named: Flags) -> bool {
        places.iter().flat_map(Clone::clone).any(|at| {
            let old = self.flags(at);
            op.apply(old, named) != old
        })
    }

    /// Applies a flag operation; the messages whose flags it changes get the modseq.
    pub(crate) fn store(&mut self, places: &[Range<usize>], op: FlagOp, named: Flags, modseq: Modseq) {
        self.saved = OnceLock::new();
        self.modseq_max = self.modseq_max.max(modseq.0);
        let touched: usize = places.iter().map(Range::len).sum();
        if touched < self.len() / 8 {
            for at in places.iter().flat_map(Clone::clone) {
                let old = self.flags(at);
                let new = op.apply(old, named);
                if new != old {
                    self.columns.flags.set(at, new.0);
                    self.columns.modseq.set(at, modseq.0);
                }
            }
            return;
        }
        // Many at once: both columns are written anew, which costs less than to find room for each value.
        let mut flags: Vec<u64> = self.columns.flags.values().collect();
        let mut modseqs: Vec<u64> = self.columns.modseq.values().collect();
        for range in places {
            for (flags, of_message) in flags[range.clone()].iter_mut().zip(&mut modseqs[range.clone()]) {
                let new = op.apply(Flags(*flags), named);
                if new.0 != *flags {
                    (*flags, *of_message) = (new.0, modseq.0);
                }
            }
        }
        self.columns.flags = Column::from_values(&flags);
        self.columns.modseq = Column::from_values(&modseqs);
        self.modseq_max = self.columns.modseq.max();
    }

    /// Keeps the messages whose place in `keep` is true.
    pub(crate) fn retain(&mut self, keep: &[bool]) {
        self.saved = OnceLock::new();
        for column in self.columns.all_mut() {
            column.retain(keep);
        }
        self.modseq_max = self.columns.modseq.max();
    }

    /// Appends all messages of the chunk that follows.
    pub(crate) fn extend(&mut self, next: &Self) {
        for at in 0..next.len() {
            if let Some(row) = next.row(at) {
                self.push(&row);
            }
        }
    }

    /// Bytes it takes in memory.
    pub(crate) fn resident_bytes(&self) -> usize {
        size_of::<Self>() + self.columns.all().iter().map(|column| column.heap_bytes()).sum::<usize>()
    }

    pub(crate) fn saved(&self) -> Option<&PartRef> {
        self.saved.get()
    }

    /// Remembers where the chunk is kept. The first to say so is believed: two copies in the store are equal.
    pub(crate) fn set_saved(&self, part: PartRef) {
        let _ = self.saved.set(part);
    }

    pub(crate) fn pack(&self, out: &mut Packer) {
        out.count(self.len());
        for column in self.columns.all() {
            column.pack(out);
        }
    }

    /// Reads back a chunk: at least one row, UIDs from 1 and strictly rising.
    pub(crate) fn unpack(bytes: &mut Unpacker<'_>) -> Result<Self, DecodeError> {
        let rows = bytes.varint32()? as usize;
        if rows == 0 || rows > CHUNK_ROWS_MAX {
            return Err(DecodeError::Damaged("rows of a chunk"));
        }
        let mut columns = Columns::default();
        for column in columns.all_mut() {
            *column = Column::unpack(bytes, rows)?;
        }
        let mut before = 0;
        for uid in columns.uid.values() {
            if uid <= before || uid > u32::MAX.into() {
                return Err(DecodeError::Damaged("UIDs of a chunk do not rise"));
            }
            before = uid;
        }
        if columns.zone.max() > u16::MAX.into() {
            return Err(DecodeError::Damaged("zone"));
        }
        let modseq_max = columns.modseq.max();
        Ok(Self { columns, modseq_max, saved: OnceLock::new() })
    }
}
