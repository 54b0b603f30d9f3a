//! Which UIDs were expunged when: runs of UIDs with the entry's number, back to a floor.

use std::sync::OnceLock;

use crate::checkpoint::PartRef;
use crate::limits::TOMBSTONE_RUNS_MAX;
use crate::pack::{Packer, Unpacker};
use crate::{DecodeError, Modseq, UidSet};

/// Runs for which there is room; few in this crate's own tests, so that short histories raise the floor.
pub(crate) const ROOM: usize = if cfg!(test) { 16 } else { TOMBSTONE_RUNS_MAX };

/// The list, oldest first. Complete for every modseq above the floor.
#[derive(Debug, Default)]
pub(crate) struct Tombstones {
    runs: Vec<Run>,
    floor: Modseq,
    /// Where the checkpoint keeps the list; see [`crate::chunk::Chunk`].
    saved: OnceLock<PartRef>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    first: u32,
    last: u32,
    modseq: Modseq,
}

impl Clone for Tombstones {
    fn clone(&self) -> Self {
        Self { runs: self.runs.clone(), floor: self.floor, saved: OnceLock::new() }
    }
}

impl Tombstones {
    /// Nothing was ever expunged and no history is missing?
    pub(crate) fn is_pristine(&self) -> bool {
        self.runs.is_empty() && self.floor == Modseq(0)
    }

    pub(crate) const fn floor(&self) -> Modseq {
        self.floor
    }

    /// Adds what the entry `modseq` expunged; it is newer than all before.
    pub(crate) fn add(&mut self, uids: &UidSet, modseq: Modseq) {
        self.saved = OnceLock::new();
        self.runs.extend(uids.ranges().iter().map(|&(first, last)| Run { first, last, modseq }));
        if self.runs.len() > ROOM {
            self.forget();
        }
    }

    /// Drops at least the older half, whole entries at a time, since an entry known in part would be answered in part.
    fn forget(&mut self) {
        let newest_to_go = self.runs[self.runs.len() - ROOM / 2 - 1].modseq;
        let kept = self.runs.partition_point(|run| run.modseq <= newest_to_go);
        self.runs.drain(..kept);
        self.runs.shrink_to(ROOM);
        self.floor = newest_to_go;
    }

    /// UIDs expunged after `since`, or `None` when that is below the floor.
    pub(crate) fn since(&self, since: Modseq) -> Option<UidSet> {
        if since < self.floor {
            return None;
        }
        let start = self.runs.partition_point(|run| run.modseq <= since);
        Some(UidSet::from_ranges(self.runs[start..].iter().map(|run| (run.first, run.last))))
    }

    pub(crate) fn resident_bytes(&self) -> usize {
        size_of::<Self>() + self.runs.capacity() * size_of::<Run>()
    }

    pub(crate) fn saved(&self) -> Option<&PartRef> {
        self.saved.get()
    }

    pub(crate) fn set_saved(&self, part: PartRef) {
        let _ = self.saved.set(part);
    }

    pub(crate) fn pack(&self, out: &mut Packer) {
        out.varint(self.floor.0);
        out.count(self.runs.len());
        let mut before = self.floor.0;
        for run in &self.runs {
            out.varint(run.modseq.0 - before);
            out.varint(run.first.into());
            out.varint((run.last - run.first).into());
            before = run.modseq.0;
        }
    }

    pub(crate) fn unpack(bytes: &mut Unpacker<'_>) -> Result<Self, DecodeError> {
        let floor = Modseq(bytes.varint()?);
        let count = bytes.count(3)?;
        if count > TOMBSTONE_RUNS_MAX {
            return Err(DecodeError::Damaged("too many tombstones"));
        }
        let mut runs = Vec::with_capacity(count);
        let mut before = floor.0;
        for _ in 0..count {
            let modseq = before.checked_add(bytes.varint()?).ok_or(DecodeError::Damaged("modseq"))?;
            let first = bytes.varint32()?.max(1);
            let last = first.checked_add(bytes.varint32()?).ok_or(DecodeError::Damaged("UID too large"))?;
            runs.push(Run { first, last, modseq: Modseq(modseq) });
            before = modseq;
        }
        Ok(Self { runs, floor, saved: OnceLock::new() })
    }
}
