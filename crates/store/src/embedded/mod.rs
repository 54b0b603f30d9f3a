//! The default engine: one segmented append-only log is the truth, and everything else is derived from it.
//!
//! ```text
//! enqueue (queue.rs)  a caller's thread: encode, take a place in the log, copy into the open batch
//! write   (writer.rs) the writer: one write, one sync, tell everyone
//! know    (catalog.rs, index/) where things are; behind the log, and brought up to it after a crash (recover.rs, scan.rs)
//! read    (read.rs)   by place: from the page cache at once, from the disk on the pool
//! free    (reclaim.rs) copy what lives, note it, remove the rest
//! ```
//!
//! `docs/store.md` has the files byte by byte.

mod bytes;
mod catalog;
mod check;
mod engine;
mod index;
mod packing;
mod pool;
mod queue;
mod read;
mod reclaim;
mod record;
mod recover;
mod scan;
mod segments;
mod upload;
mod writer;

#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use ::bytes::Bytes;

use self::engine::{Engine, answer};
use self::index::{Index, MemoryIndex, SqliteIndex};
use self::pool::Pool;
use self::queue::Gate;
use self::read::{Access, Stop, on_pool, read};
use self::record::Kind;
use crate::disk::{Disk, RealDisk};
use crate::{
    AccountKey, AppendClass, AppendError, BLOB_BYTES_MAX, BlobId, BlobParts, CheckReport, Damaged,
    ENTRY_BYTES_MAX, EntryNo, LiveBlobs, MANIFEST_BYTES_MAX, Maintenance, Pending, Reclaimed, Section, Store,
    StoreError, Stored, Upload,
};

/// What is told when the store is poisoned, with the error that did it.
pub type OnPoison = Arc<dyn Fn(&StoreError) + Send + Sync>;

/// How an embedded store behaves. What is on the disk does not depend on it: a store may be opened with other options at any time.
#[derive(Clone)]
pub struct Options {
    /// Bytes allocated for each segment of the log. Larger ones cost more when they are reclaimed, smaller ones more files.
    pub segment_bytes: u64,
    /// Bytes kept aside for expunging and deleting on a full disk: some hundred thousand entries.
    pub reserve_bytes: u64,
    /// With less free than this many bytes, what grows is refused, so that index, uploads and other programs do not run out in the middle.
    pub free_bytes_min: u64,
    /// Threads for reads that wait for the disk. One disk answers some requests at once better than one after the other.
    pub readers: usize,
    /// Called once, on the thread that met the failure, when nothing more will be written. A server ends its process here.
    pub on_poison: Option<OnPoison>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            segment_bytes: 64 << 20,
            reserve_bytes: 8 << 20,
            free_bytes_min: 128 << 20,
            readers: 4,
            on_poison: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("segment_bytes", &self.segment_bytes)
            .field("reserve_bytes", &self.reserve_bytes)
            .field("free_bytes_min", &self.free_bytes_min)
            .field("readers", &self.readers)
            .finish_non_exhaustive()
    }
}

/// A store in a folder. Dropping it writes what is enqueued; [`Maintenance::close`] also waits for that and tells whether it went well.
pub struct Embedded {
    engine: Arc<Engine>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    damaged: Vec<Damaged>,
}

impl Embedded {
    /// Opens the store in `folder`, or makes one.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if it is open elsewhere, [`StoreError::Unsupported`] if it is no store or one of another version,
    /// [`StoreError::Io`]. Damage inside is no error: see [`Embedded::damaged_at_open`].
    pub fn open(folder: &Path, options: Options) -> Result<Embedded, StoreError> {
        let disk = Arc::new(RealDisk::lock(folder)?);
        let salt = recover::prepare(&*disk)?;
        let index = Box::new(SqliteIndex::open(&folder.join("index.sqlite"), salt)?);
        Embedded::start(disk, options, salt, index, Pool::threads())
    }

    /// Opens the store on any disk, with an index in memory that is built by reading the whole log. Without threads: what has to be done is done
    /// by whoever polls an answer, so that a run on a [`SimDisk`](crate::disk::SimDisk) is the same each time.
    ///
    /// # Errors
    /// As [`Embedded::open`].
    pub fn open_inline(disk: Arc<dyn Disk>, options: Options) -> Result<Embedded, StoreError> {
        let salt = recover::prepare(&*disk)?;
        Embedded::start(disk, options, salt, Box::new(MemoryIndex::default()), Pool::Inline)
    }

    fn start(
        disk: Arc<dyn Disk>,
        options: Options,
        salt: u64,
        index: Box<dyn Index>,
        pool: Pool,
    ) -> Result<Embedded, StoreError> {
        let readers = options.readers.max(1);
        let (engine, damaged) = recover::recover(disk, options, salt, index, pool)?;
        let engine = Arc::new(engine);
        let stop = Arc::new(AtomicBool::new(false));
        let mut store = Embedded { engine, stop, threads: Vec::new(), damaged };
        if let Pool::Threads(shared) = &store.engine.pool {
            let shared = Arc::clone(shared);
            let stop = Arc::clone(&store.stop);
            store.spawn("store-write", move |engine| engine.run_writing(|| stop.load(Ordering::Acquire)))?;
            store.spawn("store-space", Engine::run_making)?;
            store.spawn("store-index", Engine::run_indexing)?;
            for _ in 0..readers {
                let shared = Arc::clone(&shared);
                store.spawn("store-read", move |_| shared.work())?;
            }
        }
        Ok(store)
    }

    fn spawn(&mut self, name: &str, run: impl FnOnce(&Engine) + Send + 'static) -> Result<(), StoreError> {
        let engine = Arc::clone(&self.engine);
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || run(&engine));
        self.threads.push(thread.map_err(|error| StoreError::io("start a thread", &error))?);
        Ok(())
    }

    /// What opening found damaged in the part of the log that it read; [`Maintenance::check`] reads all of it.
    pub fn damaged_at_open(&self) -> &[Damaged] {
        &self.damaged
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.engine.stop_threads();
        self.engine.pool.stop();
        for thread in self.threads.drain(..) {
            // A thread that panicked has nothing left to tell.
            drop(thread.join());
        }
        let mut queue = self.engine.lock();
        if queue.gate == Gate::Open {
            queue.gate = Gate::Closed;
        }
    }
}

/// Refuses what is over a limit.
fn within(bytes: usize, bytes_max: usize) -> Result<(), StoreError> {
    if bytes > bytes_max {
        return Err(StoreError::TooLarge { bytes: bytes as u64, bytes_max: bytes_max as u64 });
    }
    Ok(())
}

impl Store for Embedded {
    fn append(
        &self,
        account: AccountKey,
        expected: EntryNo,
        no: EntryNo,
        entry: Bytes,
        class: AppendClass,
    ) -> Pending<'static, Result<(), AppendError>> {
        let waiter = within(entry.len(), ENTRY_BYTES_MAX)
            .map_err(AppendError::from)
            .and_then(|()| self.engine.append(account, expected, no, &entry, class));
        answer(&self.engine, waiter.map(Some))
    }

    fn read(
        &self,
        account: AccountKey,
        after: EntryNo,
        bytes_max: usize,
    ) -> Pending<'_, Result<Vec<Stored>, StoreError>> {
        let lost = Damaged::Entry { account, no: after.saturating_add(1) };
        read(&self.engine, Access::Waiting, move |engine, _| {
            engine.look_up(lost, || engine.read_entries(account, after, bytes_max))
        })
    }

    fn head(&self, account: AccountKey) -> Pending<'_, Result<EntryNo, StoreError>> {
        Box::pin(async move {
            self.engine.drive();
            self.engine.readable()?;
            Ok(self.engine.catalog.heads(account).head)
        })
    }

    fn checkpoint(
        &self,
        account: AccountKey,
        at: EntryNo,
        manifest: Bytes,
    ) -> Pending<'static, Result<(), StoreError>> {
        let waiter = within(manifest.len(), MANIFEST_BYTES_MAX)
            .map_err(AppendError::from)
            .and_then(|()| self.engine.checkpoint(account, at, &manifest));
        answer(&self.engine, waiter.map(Some))
    }

    fn checkpoints(&self, account: AccountKey) -> Pending<'_, Result<Vec<(EntryNo, Bytes)>, StoreError>> {
        let lost = Damaged::Checkpoint { account, at: 0 };
        read(&self.engine, Access::Waiting, move |engine, _| {
            engine.look_up(lost, || {
                let generations = [0, 1].map(|generation| engine.read_checkpoint(account, generation));
                let mut checkpoints = Vec::with_capacity(generations.len());
                for generation in generations {
                    checkpoints.extend(generation?);
                }
                Ok(checkpoints)
            })
        })
    }

    fn put_blob(&self, blob: BlobParts<'_>) -> Result<BlobId, AppendError> {
        within(usize::try_from(blob.bytes()).unwrap_or(usize::MAX), BLOB_BYTES_MAX)?;
        self.engine.put(Kind::Blob, 0, &packing::pack(self.engine.salt, blob))
    }

    fn upload(&self) -> Box<dyn Upload> {
        Box::new(upload::EmbeddedUpload::new(Arc::clone(&self.engine)))
    }

    fn blob(
        &self,
        id: BlobId,
        section: Section,
        range: Range<u64>,
    ) -> Pending<'_, Result<Bytes, StoreError>> {
        read(&self.engine, Access::CachedOnly, move |engine, access| {
            engine.look_up(Damaged::Blob(id), || engine.read_section(id, section, &range, access))
        })
    }

    fn summaries(&self, ids: &[BlobId]) -> Pending<'_, Result<Vec<Bytes>, StoreError>> {
        let ids = ids.to_vec();
        read(&self.engine, Access::CachedOnly, move |engine, access| {
            engine.readable()?;
            engine.read_summaries(&ids, access)
        })
    }

    fn sync(&self) -> Pending<'static, Result<(), StoreError>> {
        answer(&self.engine, self.engine.sync())
    }
}

impl Maintenance for Embedded {
    fn accounts(&self) -> Pending<'_, Result<Vec<AccountKey>, StoreError>> {
        Box::pin(async move {
            self.engine.drive();
            self.engine.readable()?;
            Ok(self.engine.catalog.accounts())
        })
    }

    fn checkpoint_at(
        &self,
        account: AccountKey,
        generation: usize,
    ) -> Pending<'_, Result<Option<(EntryNo, Bytes)>, StoreError>> {
        let lost = Damaged::Checkpoint { account, at: 0 };
        read(&self.engine, Access::Waiting, move |engine, _| {
            engine.look_up(lost, || engine.read_checkpoint(account, generation))
        })
    }

    fn drop_journal(
        &self,
        account: AccountKey,
        expected: EntryNo,
    ) -> Pending<'static, Result<(), AppendError>> {
        answer(&self.engine, self.engine.drop_journal(account, expected).map(Some))
    }

    fn watermark(&self) -> BlobId {
        BlobId(self.engine.next_place().0)
    }

    fn reclaim(&self, live: LiveBlobs, before: BlobId) -> Pending<'_, Result<Reclaimed, StoreError>> {
        let mark = reclaim::Mark { live: Arc::new(live), before };
        Box::pin(async move { reclaim::reclaim(&self.engine, mark).await })
    }

    fn check(&self) -> Pending<'_, Result<CheckReport, StoreError>> {
        read(&self.engine, Access::Waiting, |engine, _| engine.check())
    }

    fn close(&self) -> Pending<'static, Result<(), StoreError>> {
        let synced = self.engine.sync();
        {
            let mut queue = self.engine.lock();
            if queue.gate == Gate::Open {
                queue.gate = Gate::Closed;
            }
        }
        let engine = Arc::clone(&self.engine);
        Box::pin(async move {
            answer::<StoreError>(&engine, synced).await?;
            on_pool(&engine, |engine, _| engine.finish().map_err(Stop::from)).await
        })
    }
}
