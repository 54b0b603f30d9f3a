//! Where things are: derived from the log, and never needed to know what is true.
//!
//! [`Change`]s are what the log's records say about places. They commute with repetition: applying the records of a stretch of log again
//! changes nothing, so a crash between log and index is mended by reading the log again from the index's bookmark.

mod sqlite;
mod tables;

use std::collections::BTreeMap;

pub(super) use sqlite::SqliteIndex;
pub(super) use tables::{MemoryIndex, Tables};

use super::record::Place;
use crate::{AccountKey, BlobId, EntryNo, StoreError};

/// What one record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Entry {
        account: AccountKey,
        no: EntryNo,
        at: EntryAt,
    },
    Checkpoint {
        account: AccountKey,
        at: EntryNo,
        place: Place,
    },
    Drop {
        account: AccountKey,
        at: EntryNo,
    },
    /// A blob was written: only the segment's sums change.
    Blob {
        id: BlobId,
        bytes: u64,
    },
    Large {
        file: u64,
        id: BlobId,
    },
    Moved {
        id: BlobId,
        place: Place,
        bytes: u64,
    },
    /// A moved blob is gone with the segment it had moved to.
    Gone {
        id: BlobId,
    },
    LargeGone {
        file: u64,
    },
    Removed {
        segment: u32,
        batches: (u64, u64),
    },
}

/// Where an entry is, and which entry is before it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct EntryAt {
    pub previous: EntryNo,
    pub place: Place,
    /// Bytes of the entry itself.
    pub bytes: u32,
}

/// What is durable of an account, as numbers.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Heads {
    pub head: EntryNo,
    /// The newest and the older checkpoint; 0 if there is none.
    pub checkpoints: [EntryNo; 2],
    /// Up to here the journal was dropped.
    pub dropped: EntryNo,
}

impl Heads {
    /// At or before this number entries are forgotten.
    pub(super) fn floor(&self) -> EntryNo {
        self.checkpoints[1].max(self.dropped)
    }

    /// Takes a change into account, in any order and any number of times.
    pub(super) fn apply(&mut self, change: &Change) {
        match *change {
            Change::Entry { no, .. } => self.head = self.head.max(no),
            Change::Checkpoint { at, .. } if at > self.dropped && !self.checkpoints.contains(&at) => {
                self.head = self.head.max(at);
                let [newest, older] = self.checkpoints;
                self.checkpoints = [newest.max(at), older.max(newest.min(at))];
            }
            Change::Drop { at, .. } => {
                self.head = self.head.max(at);
                self.dropped = self.dropped.max(at);
                // The newest is first, so what survives a drop stays in order.
                self.checkpoints =
                    self.checkpoints.map(|number| if number > self.dropped { number } else { 0 });
            }
            _ => {}
        }
    }
}

/// What is known of a segment file.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Segment {
    /// First and last batch. The first is 0 until one is durable.
    pub batches: (u64, u64),
    /// Up to here it is written.
    pub bytes: u64,
    /// Blobs written or moved into it, and their bytes.
    pub blobs: u64,
    pub blob_bytes: u64,
    /// Reclaimed: the file is gone on purpose.
    pub removed: bool,
}

/// How far into the log an index goes: everything before is in it.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bookmark {
    pub segment: u32,
    pub offset: u64,
    /// The last batch before it.
    pub batch: u64,
}

/// What is kept in memory of an index while the store is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Overview {
    pub accounts: BTreeMap<AccountKey, Heads>,
    pub segments: BTreeMap<u32, Segment>,
    pub bookmark: Bookmark,
    /// Whether damage was met while the index was built, so that nothing may be taken for rubbish.
    pub damaged: bool,
}

/// A step forward of an index, all or nothing.
pub(super) struct Advance<'a> {
    pub changes: &'a Tables,
    pub accounts: Vec<(AccountKey, Heads)>,
    pub segments: Vec<(u32, Segment)>,
    pub bookmark: Bookmark,
    pub damaged: bool,
}

/// An engine's memory of where things are. Newer [`Tables`] may lie above it and hide what it says.
pub(super) trait Index: Send + Sync {
    fn overview(&self) -> Result<Overview, StoreError>;

    fn advance(&self, advance: &Advance<'_>) -> Result<(), StoreError>;

    /// Entries after a number, in order, at most `count`.
    fn entries(
        &self,
        account: AccountKey,
        after: EntryNo,
        count: usize,
    ) -> Result<Vec<(EntryNo, EntryAt)>, StoreError>;

    fn checkpoint(&self, account: AccountKey, at: EntryNo) -> Result<Option<Place>, StoreError>;

    fn moved(&self, id: BlobId) -> Result<Option<Place>, StoreError>;

    /// Calls `each` for all moved blobs in rising order of id.
    fn each_moved(&self, each: &mut dyn FnMut(BlobId, Place)) -> Result<(), StoreError>;

    /// Calls `each` for all files of large bodies.
    fn each_large(&self, each: &mut dyn FnMut(u64, BlobId)) -> Result<(), StoreError>;

    /// Bytes of the entries it lists, by segment.
    fn entry_bytes(&self) -> Result<BTreeMap<u32, u64>, StoreError>;
}
