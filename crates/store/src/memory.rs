//! The engine without a disk: plain maps under one lock. What it acknowledges lasts as long as the process.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};

use crate::{
    AccountKey, AppendClass, AppendError, BLOB_BYTES_MAX, BlobId, BlobParts, CheckReport, ENTRY_BYTES_MAX,
    ENTRY_NO_MAX, EntryNo, LiveBlobs, MANIFEST_BYTES_MAX, Maintenance, Pending, Reclaimed, Section, Store,
    StoreError, Stored, Upload,
};

/// A store in memory. Clones share the same content, so that a test may "restart" what stands on it.
#[derive(Clone)]
pub struct Memory {
    state: Arc<Mutex<State>>,
}

struct State {
    journals: BTreeMap<AccountKey, Journal>,
    blobs: BTreeMap<BlobId, [Bytes; 3]>,
    next_blob: u64,
    /// Bytes of entries, manifests and blobs now held.
    bytes: u64,
    bytes_max: u64,
    closed: bool,
}

#[derive(Default)]
struct Journal {
    head: EntryNo,
    /// Up to and with this number the journal was dropped.
    dropped: EntryNo,
    entries: BTreeMap<EntryNo, Bytes>,
    /// Newest first.
    checkpoints: Vec<(EntryNo, Bytes)>,
}

impl Journal {
    /// The number at or before which entries may be gone.
    fn floor(&self) -> EntryNo {
        self.checkpoints.get(1).map_or(self.dropped, |older| older.0)
    }

    fn bytes(&self) -> u64 {
        let entries: usize = self.entries.values().map(Bytes::len).sum();
        let manifests: usize = self.checkpoints.iter().map(|(_, manifest)| manifest.len()).sum();
        (entries + manifests) as u64
    }
}

impl Memory {
    /// An empty store without a limit.
    pub fn new() -> Memory {
        Memory::with_bytes_max(u64::MAX)
    }

    /// An empty store that refuses what would grow it beyond `bytes_max`, as a full disk does.
    pub fn with_bytes_max(bytes_max: u64) -> Memory {
        let state = State {
            journals: BTreeMap::new(),
            blobs: BTreeMap::new(),
            next_blob: 1,
            bytes: 0,
            bytes_max,
            closed: false,
        };
        Memory { state: Arc::new(Mutex::new(state)) }
    }

    /// The store again after [`Maintenance::close`], as if the process had started anew.
    pub fn reopen(&self) -> Memory {
        self.lock().closed = false;
        self.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere cannot leave the maps half changed: every change is made after all checks.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        let state = self.lock();
        if state.closed { Err(StoreError::Closed) } else { Ok(state) }
    }

    fn append_now(
        &self,
        account: AccountKey,
        expected: EntryNo,
        no: EntryNo,
        entry: Bytes,
        class: AppendClass,
    ) -> Result<(), AppendError> {
        let mut state = self.open()?;
        within(entry.len(), ENTRY_BYTES_MAX)?;
        let head = state.journals.get(&account).map_or(0, |journal| journal.head);
        if expected != head {
            return Err(AppendError::Conflict { head });
        }
        if no <= head || no > ENTRY_NO_MAX {
            return Err(AppendError::Failed(StoreError::OutOfOrder { no, head }));
        }
        if class == AppendClass::Grow {
            state.room_for(entry.len() as u64)?;
        }
        state.bytes += entry.len() as u64;
        let journal = state.journals.entry(account).or_default();
        journal.head = no;
        journal.entries.insert(no, entry);
        Ok(())
    }

    fn read_now(
        &self,
        account: AccountKey,
        after: EntryNo,
        bytes_max: usize,
    ) -> Result<Vec<Stored>, StoreError> {
        let state = self.open()?;
        let Some(journal) = state.journals.get(&account) else { return Ok(Vec::new()) };
        if after < journal.floor() {
            return Err(StoreError::Forgotten { floor: journal.floor() });
        }
        let mut bytes = 0;
        let mut answer = Vec::new();
        for (no, entry) in journal.entries.range(after.saturating_add(1)..) {
            bytes += entry.len();
            if bytes > bytes_max && !answer.is_empty() {
                break;
            }
            answer.push(Stored { no: *no, bytes: entry.clone() });
        }
        Ok(answer)
    }

    fn checkpoint_now(&self, account: AccountKey, at: EntryNo, manifest: Bytes) -> Result<(), StoreError> {
        let mut state = self.open()?;
        within(manifest.len(), MANIFEST_BYTES_MAX)?;
        let journal = state.journals.get(&account);
        let head = journal.map_or(0, |journal| journal.head);
        let newest =
            journal.map_or(0, |journal| journal.checkpoints.first().map_or(journal.dropped, |c| c.0));
        if at <= newest || at > head {
            return Err(StoreError::OutOfOrder { no: at, head });
        }
        state.room_for(manifest.len() as u64)?;
        let journal = state.journals.entry(account).or_default();
        let before = journal.bytes();
        journal.checkpoints.insert(0, (at, manifest));
        journal.checkpoints.truncate(2);
        let floor = journal.floor();
        journal.entries.retain(|no, _| *no > floor);
        let after = journal.bytes();
        state.bytes = state.bytes + after - before;
        Ok(())
    }

    fn drop_now(&self, account: AccountKey, expected: EntryNo) -> Result<(), AppendError> {
        let mut state = self.open()?;
        let head = state.journals.get(&account).map_or(0, |journal| journal.head);
        if expected != head {
            return Err(AppendError::Conflict { head });
        }
        if let Some(journal) = state.journals.get_mut(&account) {
            let freed = journal.bytes();
            *journal = Journal { head, dropped: head, ..Journal::default() };
            state.bytes -= freed;
        }
        Ok(())
    }

    fn put_now(&self, sections: [Bytes; 3]) -> Result<BlobId, AppendError> {
        let mut state = self.open()?;
        let bytes: u64 = sections.iter().map(|section| section.len() as u64).sum();
        state.room_for(bytes)?;
        let id = BlobId(state.next_blob);
        state.next_blob += 1;
        state.bytes += bytes;
        state.blobs.insert(id, sections);
        Ok(id)
    }

    fn section_now(&self, id: BlobId, section: Section, range: Range<u64>) -> Result<Bytes, StoreError> {
        let state = self.open()?;
        let sections = state.blobs.get(&id).ok_or(StoreError::Missing { blob: id })?;
        let bytes = &sections[section as usize];
        let end = usize::try_from(range.end).unwrap_or(usize::MAX).min(bytes.len());
        let start = usize::try_from(range.start).unwrap_or(usize::MAX).min(end);
        Ok(bytes.slice(start..end))
    }

    fn reclaim_now(&self, live: &LiveBlobs, before: BlobId) -> Result<Reclaimed, StoreError> {
        let mut state = self.open()?;
        let mut reclaimed = Reclaimed::default();
        state.blobs.retain(|id, sections| {
            let keep = *id >= before || live.contains(*id);
            if !keep {
                reclaimed.blobs += 1;
                reclaimed.bytes += sections.iter().map(|section| section.len() as u64).sum::<u64>();
            }
            keep
        });
        state.bytes -= reclaimed.bytes;
        Ok(reclaimed)
    }

    fn check_now(&self) -> Result<CheckReport, StoreError> {
        let state = self.open()?;
        let journals = state.journals.values();
        Ok(CheckReport {
            entries: journals.clone().map(|journal| journal.entries.len() as u64).sum(),
            checkpoints: journals.map(|journal| journal.checkpoints.len() as u64).sum(),
            blobs: state.blobs.len() as u64,
            bytes: state.bytes,
            damaged: Vec::new(),
        })
    }
}

impl State {
    fn room_for(&self, bytes: u64) -> Result<(), AppendError> {
        if self.bytes.saturating_add(bytes) > self.bytes_max { Err(AppendError::Full) } else { Ok(()) }
    }
}

impl Default for Memory {
    fn default() -> Memory {
        Memory::new()
    }
}

/// Refuses what is over a limit.
fn within(bytes: usize, bytes_max: usize) -> Result<(), StoreError> {
    if bytes > bytes_max {
        return Err(StoreError::TooLarge { bytes: bytes as u64, bytes_max: bytes_max as u64 });
    }
    Ok(())
}

fn ready<'a, T: Send + 'a>(value: T) -> Pending<'a, T> {
    Box::pin(std::future::ready(value))
}

impl Store for Memory {
    fn append(
        &self,
        account: AccountKey,
        expected: EntryNo,
        no: EntryNo,
        entry: Bytes,
        class: AppendClass,
    ) -> Pending<'static, Result<(), AppendError>> {
        ready(self.append_now(account, expected, no, entry, class))
    }

    fn read(
        &self,
        account: AccountKey,
        after: EntryNo,
        bytes_max: usize,
    ) -> Pending<'_, Result<Vec<Stored>, StoreError>> {
        ready(self.read_now(account, after, bytes_max))
    }

    fn head(&self, account: AccountKey) -> Pending<'_, Result<EntryNo, StoreError>> {
        ready(self.open().map(|state| state.journals.get(&account).map_or(0, |journal| journal.head)))
    }

    fn checkpoint(
        &self,
        account: AccountKey,
        at: EntryNo,
        manifest: Bytes,
    ) -> Pending<'static, Result<(), StoreError>> {
        ready(self.checkpoint_now(account, at, manifest))
    }

    fn checkpoints(&self, account: AccountKey) -> Pending<'_, Result<Vec<(EntryNo, Bytes)>, StoreError>> {
        ready(self.open().map(|state| {
            state.journals.get(&account).map_or_else(Vec::new, |journal| journal.checkpoints.clone())
        }))
    }

    fn put_blob(&self, blob: BlobParts<'_>) -> Result<BlobId, AppendError> {
        within(usize::try_from(blob.bytes()).unwrap_or(usize::MAX), BLOB_BYTES_MAX)?;
        self.put_now([blob.summary, blob.text, blob.body].map(Bytes::copy_from_slice))
    }

    fn upload(&self) -> Box<dyn Upload> {
        Box::new(MemoryUpload { store: self.clone(), body: BytesMut::new() })
    }

    fn blob(
        &self,
        id: BlobId,
        section: Section,
        range: Range<u64>,
    ) -> Pending<'_, Result<Bytes, StoreError>> {
        ready(self.section_now(id, section, range))
    }

    fn summaries(&self, ids: &[BlobId]) -> Pending<'_, Result<Vec<Bytes>, StoreError>> {
        ready(ids.iter().map(|id| self.section_now(*id, Section::Summary, 0..u64::MAX)).collect())
    }

    fn sync(&self) -> Pending<'static, Result<(), StoreError>> {
        ready(self.open().map(drop))
    }
}

impl Maintenance for Memory {
    fn accounts(&self) -> Pending<'_, Result<Vec<AccountKey>, StoreError>> {
        ready(self.open().map(|state| {
            let kept = state.journals.iter().filter(|(_, journal)| journal.head > journal.dropped);
            kept.map(|(account, _)| *account).collect()
        }))
    }

    fn checkpoint_at(
        &self,
        account: AccountKey,
        generation: usize,
    ) -> Pending<'_, Result<Option<(EntryNo, Bytes)>, StoreError>> {
        ready(self.open().map(|state| {
            state.journals.get(&account).and_then(|journal| journal.checkpoints.get(generation).cloned())
        }))
    }

    fn drop_journal(
        &self,
        account: AccountKey,
        expected: EntryNo,
    ) -> Pending<'static, Result<(), AppendError>> {
        ready(self.drop_now(account, expected))
    }

    fn watermark(&self) -> BlobId {
        BlobId(self.lock().next_blob)
    }

    fn reclaim(&self, live: LiveBlobs, before: BlobId) -> Pending<'_, Result<Reclaimed, StoreError>> {
        ready(self.reclaim_now(&live, before))
    }

    fn check(&self) -> Pending<'_, Result<CheckReport, StoreError>> {
        ready(self.check_now())
    }

    fn close(&self) -> Pending<'static, Result<(), StoreError>> {
        self.lock().closed = true;
        ready(Ok(()))
    }
}

struct MemoryUpload {
    store: Memory,
    body: BytesMut,
}

impl Upload for MemoryUpload {
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> Pending<'a, Result<(), StoreError>> {
        let room = self.store.open().and_then(|state| {
            let held = self.body.len() as u64 + bytes.len() as u64;
            state.room_for(held).map_err(StoreError::from)
        });
        if room.is_ok() {
            self.body.extend_from_slice(bytes);
        }
        ready(room)
    }

    fn finish(self: Box<Self>, summary: Bytes, text: Bytes) -> Pending<'static, Result<BlobId, StoreError>> {
        let put = within(summary.len().saturating_add(text.len()), BLOB_BYTES_MAX)
            .map_err(AppendError::from)
            .and_then(|()| self.store.put_now([summary, text, self.body.freeze()]));
        ready(put.map_err(StoreError::from))
    }
}
