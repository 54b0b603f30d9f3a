//! What the engine knows of its log: the index, and above it what the index has not been told yet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::index::{Advance, Bookmark, Change, EntryAt, Heads, Index, Overview, Segment, Tables};
use super::record::{Kind, Place, RecordHeader};
use crate::{AccountKey, BlobId, EntryNo, StoreError};

/// Rows asked of the index at a time: more than a bounded tail of entries usually has.
const ENTRIES_PER_QUERY: usize = 4096;

pub(super) struct Catalog {
    index: Box<dyn Index>,
    state: Mutex<State>,
    /// Held while the index advances, so that only one thread does it.
    advancing: Mutex<()>,
}

struct State {
    overview: Overview,
    /// Not in the index yet, newest layer first: what came since, and what is just being written to it.
    recent: Tables,
    leaving: Option<Arc<Tables>>,
    touched_accounts: BTreeSet<AccountKey>,
    touched_segments: BTreeSet<u32>,
}

/// One durable batch, as the writer wrote it or the scan found it.
pub(super) struct BatchEnd {
    pub segment: u32,
    pub sequence: u64,
    /// Where the next batch would begin.
    pub offset: u64,
}

/// What a record says about places.
pub(super) fn changes_of(header: &RecordHeader, place: Place) -> Vec<Change> {
    let account = AccountKey(header.account);
    let id = BlobId(header.number);
    let bytes = header.record_bytes() as u64;
    let blob = || match place == Place::home(id) {
        true => Change::Blob { id, bytes },
        false => Change::Moved { id, place, bytes },
    };
    match header.kind {
        Kind::Entry => {
            let at = EntryAt { previous: header.extra, place, bytes: header.payload_bytes };
            vec![Change::Entry { account, no: header.number, at }]
        }
        Kind::Checkpoint => vec![Change::Checkpoint { account, at: header.number, place }],
        Kind::Drop => vec![Change::Drop { account, at: header.number }],
        Kind::Blob => vec![blob()],
        Kind::LargeBlob => vec![blob(), Change::Large { file: header.extra, id }],
        Kind::Removed => {
            let batches = (header.account, header.extra);
            u32::try_from(header.number).map_or(vec![], |segment| vec![Change::Removed { segment, batches }])
        }
    }
}

impl Catalog {
    pub(super) fn open(index: Box<dyn Index>) -> Result<Catalog, StoreError> {
        let state = State {
            overview: index.overview()?,
            recent: Tables::default(),
            leaving: None,
            touched_accounts: BTreeSet::new(),
            touched_segments: BTreeSet::new(),
        };
        Ok(Catalog { index, state: Mutex::new(state), advancing: Mutex::new(()) })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes records into account that are durable, and the end of their batch.
    pub(super) fn apply(&self, records: &[(RecordHeader, Place)], end: Option<&BatchEnd>) {
        let mut state = self.lock();
        for (header, place) in records {
            for change in changes_of(header, *place) {
                state.apply(&change);
            }
        }
        if let Some(end) = end {
            state.batch_ended(end);
        }
    }

    /// Takes a change into account that no single record says.
    pub(super) fn apply_change(&self, change: &Change) {
        self.lock().apply(change);
    }

    /// What a damaged entry's header says, unless a whole copy is known.
    pub(super) fn apply_damaged(&self, header: &RecordHeader, place: Place) {
        let mut state = self.lock();
        state.overview.damaged = true;
        for change in changes_of(header, place) {
            let known = match &change {
                Change::Entry { account, no, .. } => state
                    .recent
                    .entries_after(*account, no.saturating_sub(1))
                    .next()
                    .is_some_and(|e| e.0 == *no),
                Change::Checkpoint { account, at, .. } => state.recent.checkpoint(*account, *at).is_some(),
                // A damaged drop or removal must not delete anything.
                Change::Drop { .. } | Change::Removed { .. } => true,
                _ => false,
            };
            if !known {
                state.apply(&change);
            }
        }
    }

    pub(super) fn note_damage(&self) {
        self.lock().overview.damaged = true;
    }

    pub(super) fn is_damaged(&self) -> bool {
        self.lock().overview.damaged
    }

    pub(super) fn heads(&self, account: AccountKey) -> Heads {
        self.lock().overview.accounts.get(&account).copied().unwrap_or_default()
    }

    pub(super) fn accounts(&self) -> Vec<AccountKey> {
        let state = self.lock();
        let kept = state.overview.accounts.iter().filter(|(_, heads)| heads.head > heads.dropped);
        kept.map(|(account, _)| *account).collect()
    }

    pub(super) fn segment(&self, number: u32) -> Option<Segment> {
        self.lock().overview.segments.get(&number).copied()
    }

    pub(super) fn segments(&self) -> BTreeMap<u32, Segment> {
        self.lock().overview.segments.clone()
    }

    pub(super) fn bookmark(&self) -> Bookmark {
        self.lock().overview.bookmark
    }

    /// How many changes the index has not been told.
    pub(super) fn behind(&self) -> usize {
        self.lock().recent.len()
    }

    /// Durable entries after a number, in order, as many as fit in `bytes_max` but at least one. The flag tells whether that is all.
    pub(super) fn entries(
        &self,
        account: AccountKey,
        after: EntryNo,
        bytes_max: usize,
    ) -> Result<(Vec<(EntryNo, EntryAt)>, bool), StoreError> {
        // The layers before the index: what moves down meanwhile is then seen twice and not never.
        let mut newer: BTreeMap<EntryNo, EntryAt> = BTreeMap::new();
        {
            let state = self.lock();
            newer.extend(state.leaving.iter().flat_map(|leaving| leaving.entries_after(account, after)));
            newer.extend(state.recent.entries_after(account, after));
        }
        let indexed = self.index.entries(account, after, ENTRIES_PER_QUERY)?;
        let last = if indexed.len() < ENTRIES_PER_QUERY { None } else { indexed.last().map(|entry| entry.0) };
        let mut merged: BTreeMap<EntryNo, EntryAt> = indexed.into_iter().collect();
        merged.extend(newer.into_iter().filter(|(no, _)| last.is_none_or(|last| *no <= last)));
        let mut bytes = 0_usize;
        let mut entries = Vec::with_capacity(merged.len());
        for (no, at) in merged {
            bytes = bytes.saturating_add(at.bytes as usize);
            if bytes > bytes_max && !entries.is_empty() {
                return Ok((entries, false));
            }
            entries.push((no, at));
        }
        Ok((entries, last.is_none()))
    }

    pub(super) fn checkpoint(&self, account: AccountKey, at: EntryNo) -> Result<Option<Place>, StoreError> {
        let newer = self.lock().layers().find_map(|tables| tables.checkpoint(account, at));
        newer.map_or_else(|| self.index.checkpoint(account, at), |place| Ok(Some(place)))
    }

    pub(super) fn moved(&self, id: BlobId) -> Result<Option<Place>, StoreError> {
        let newer = self.lock().layers().find_map(|tables| tables.moved(id));
        newer.map_or_else(|| self.index.moved(id), Ok)
    }

    /// Tells the index everything that is durable now. What cannot be told stays in memory, and is told the next time.
    pub(super) fn advance(&self) -> Result<(), StoreError> {
        let _one_at_a_time = self.advancing.lock().unwrap_or_else(PoisonError::into_inner);
        let (changes, advance) = {
            let mut state = self.lock();
            let changes = Arc::new(std::mem::take(&mut state.recent));
            state.leaving = Some(Arc::clone(&changes));
            (changes, state.leave())
        };
        let Leaving { accounts, segments, bookmark, damaged } = &advance;
        let told = self.index.advance(&Advance {
            changes: &changes,
            accounts: accounts.clone(),
            segments: segments.clone(),
            bookmark: *bookmark,
            damaged: *damaged,
        });
        let mut state = self.lock();
        if told.is_err() {
            state.come_back(&changes, &advance);
        }
        state.leaving = None;
        told
    }

    /// The index itself, brought up to date, for questions about everything.
    pub(super) fn whole_index(&self) -> Result<&dyn Index, StoreError> {
        self.advance()?;
        Ok(&*self.index)
    }
}

struct Leaving {
    accounts: Vec<(AccountKey, Heads)>,
    segments: Vec<(u32, Segment)>,
    bookmark: Bookmark,
    damaged: bool,
}

impl State {
    fn layers(&self) -> impl Iterator<Item = &Tables> {
        std::iter::once(&self.recent).chain(self.leaving.as_deref())
    }

    fn apply(&mut self, change: &Change) {
        self.recent.apply(change);
        match *change {
            Change::Entry { account, .. }
            | Change::Checkpoint { account, .. }
            | Change::Drop { account, .. } => {
                self.overview.accounts.entry(account).or_default().apply(change);
                self.touched_accounts.insert(account);
            }
            Change::Blob { id, bytes } => self.blob_added(Place::home(id).segment(), bytes),
            Change::Moved { place, bytes, .. } => self.blob_added(place.segment(), bytes),
            Change::Removed { segment, batches } => {
                let removed = Segment { batches, removed: true, ..Segment::default() };
                self.overview.segments.insert(segment, removed);
                self.touched_segments.insert(segment);
            }
            Change::Large { .. } | Change::Gone { .. } | Change::LargeGone { .. } => {}
        }
    }

    fn blob_added(&mut self, segment: u32, bytes: u64) {
        let sums = self.overview.segments.entry(segment).or_default();
        sums.blobs += 1;
        sums.blob_bytes += bytes;
        self.touched_segments.insert(segment);
    }

    fn batch_ended(&mut self, end: &BatchEnd) {
        let segment = self.overview.segments.entry(end.segment).or_default();
        if segment.batches.0 == 0 {
            segment.batches.0 = end.sequence;
        }
        segment.batches.1 = end.sequence;
        segment.bytes = end.offset;
        self.touched_segments.insert(end.segment);
        self.overview.bookmark = Bookmark { segment: end.segment, offset: end.offset, batch: end.sequence };
    }

    fn leave(&mut self) -> Leaving {
        let accounts = std::mem::take(&mut self.touched_accounts);
        let segments = std::mem::take(&mut self.touched_segments);
        let overview = &self.overview;
        Leaving {
            accounts: accounts.iter().filter_map(|key| Some((*key, *overview.accounts.get(key)?))).collect(),
            segments: segments.iter().filter_map(|key| Some((*key, *overview.segments.get(key)?))).collect(),
            bookmark: overview.bookmark,
            damaged: overview.damaged,
        }
    }

    /// Puts back what could not be written, below what came since.
    fn come_back(&mut self, changes: &Tables, leaving: &Leaving) {
        let since = std::mem::replace(&mut self.recent, changes.clone());
        self.recent.absorb(since);
        self.touched_accounts.extend(leaving.accounts.iter().map(|account| account.0));
        self.touched_segments.extend(leaving.segments.iter().map(|segment| segment.0));
    }
}
