//! The index in memory: alone where there is no file system for SQLite, and above SQLite for what it has not been told yet.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Advance, Change, EntryAt, Index, Overview};
use crate::embedded::record::Place;
use crate::{AccountKey, BlobId, EntryNo, StoreError};

/// Changes, sorted by what they are about.
#[derive(Clone, Debug, Default)]
pub(in crate::embedded) struct Tables {
    entries: BTreeMap<(AccountKey, EntryNo), EntryAt>,
    checkpoints: BTreeMap<(AccountKey, EntryNo), Place>,
    /// `None`: gone.
    moved: BTreeMap<BlobId, Option<Place>>,
    large: BTreeMap<u64, Option<BlobId>>,
    /// Changes applied, as a measure of how much there is to write.
    count: usize,
}

impl Tables {
    pub(in crate::embedded) fn apply(&mut self, change: &Change) {
        self.count += 1;
        match *change {
            Change::Entry { account, no, at } => drop(self.entries.insert((account, no), at)),
            Change::Checkpoint { account, at, place } => drop(self.checkpoints.insert((account, at), place)),
            Change::Moved { id, place, .. } => drop(self.moved.insert(id, Some(place))),
            Change::Gone { id } => drop(self.moved.insert(id, None)),
            Change::Large { file, id } => drop(self.large.insert(file, Some(id))),
            Change::LargeGone { file } => drop(self.large.insert(file, None)),
            // These live in the overview.
            Change::Drop { .. } | Change::Blob { .. } | Change::Removed { .. } => {}
        }
    }

    pub(in crate::embedded) fn len(&self) -> usize {
        self.count
    }

    pub(in crate::embedded) fn entries_after(
        &self,
        account: AccountKey,
        after: EntryNo,
    ) -> impl Iterator<Item = (EntryNo, EntryAt)> {
        let first = (account, after.saturating_add(1));
        let last = (account, EntryNo::MAX);
        let range = (first <= last).then(|| self.entries.range(first..=last));
        range.into_iter().flatten().map(|((_, no), at)| (*no, *at))
    }

    pub(in crate::embedded) fn checkpoint(&self, account: AccountKey, at: EntryNo) -> Option<Place> {
        self.checkpoints.get(&(account, at)).copied()
    }

    /// `None`: nothing is said here. `Some(None)`: it is gone.
    pub(in crate::embedded) fn moved(&self, id: BlobId) -> Option<Option<Place>> {
        self.moved.get(&id).copied()
    }

    /// Takes all that `newer` says on top.
    pub(in crate::embedded) fn absorb(&mut self, newer: Tables) {
        self.entries.extend(newer.entries);
        self.checkpoints.extend(newer.checkpoints);
        self.moved.extend(newer.moved);
        self.large.extend(newer.large);
        self.count += newer.count;
    }

    pub(super) fn rows(&self) -> Rows<'_> {
        Rows {
            entries: &self.entries,
            checkpoints: &self.checkpoints,
            moved: &self.moved,
            large: &self.large,
        }
    }
}

/// All that tables say, for writing it elsewhere.
pub(super) struct Rows<'a> {
    pub entries: &'a BTreeMap<(AccountKey, EntryNo), EntryAt>,
    pub checkpoints: &'a BTreeMap<(AccountKey, EntryNo), Place>,
    pub moved: &'a BTreeMap<BlobId, Option<Place>>,
    pub large: &'a BTreeMap<u64, Option<BlobId>>,
}

/// An index that is built anew at each opening.
#[derive(Default)]
pub(in crate::embedded) struct MemoryIndex {
    tables: Mutex<Tables>,
}

impl MemoryIndex {
    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Index for MemoryIndex {
    fn overview(&self) -> Result<Overview, StoreError> {
        Ok(Overview::default())
    }

    fn advance(&self, advance: &Advance<'_>) -> Result<(), StoreError> {
        let mut tables = self.lock();
        tables.absorb(advance.changes.clone());
        tables.moved.retain(|_, place| place.is_some());
        tables.large.retain(|_, id| id.is_some());
        for (account, heads) in &advance.accounts {
            let floor = heads.floor();
            let forgotten: Vec<_> =
                tables.entries.range((*account, 0)..=(*account, floor)).map(|(key, _)| *key).collect();
            for key in forgotten {
                tables.entries.remove(&key);
            }
            tables.checkpoints.retain(|(owner, at), _| owner != account || heads.checkpoints.contains(at));
        }
        Ok(())
    }

    fn entries(
        &self,
        account: AccountKey,
        after: EntryNo,
        count: usize,
    ) -> Result<Vec<(EntryNo, EntryAt)>, StoreError> {
        Ok(self.lock().entries_after(account, after).take(count).collect())
    }

    fn checkpoint(&self, account: AccountKey, at: EntryNo) -> Result<Option<Place>, StoreError> {
        Ok(self.lock().checkpoint(account, at))
    }

    fn moved(&self, id: BlobId) -> Result<Option<Place>, StoreError> {
        Ok(self.lock().moved(id).flatten())
    }

    fn each_moved(&self, each: &mut dyn FnMut(BlobId, Place)) -> Result<(), StoreError> {
        for (id, place) in &self.lock().moved {
            if let Some(place) = place {
                each(*id, *place);
            }
        }
        Ok(())
    }

    fn each_large(&self, each: &mut dyn FnMut(u64, BlobId)) -> Result<(), StoreError> {
        for (file, id) in &self.lock().large {
            if let Some(id) = id {
                each(*file, *id);
            }
        }
        Ok(())
    }

    fn entry_bytes(&self) -> Result<BTreeMap<u32, u64>, StoreError> {
        let mut bytes = BTreeMap::new();
        for at in self.lock().entries.values() {
            *bytes.entry(at.place.segment()).or_insert(0) += u64::from(at.bytes);
        }
        Ok(bytes)
    }
}
