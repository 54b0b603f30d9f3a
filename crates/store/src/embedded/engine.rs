//! The engine's inside: its state, the way in for records, and the making of space.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_channel::oneshot;

use super::Options;
use super::catalog::Catalog;
use super::pool::Pool;
use super::queue::{Answer, Claim, Enqueued, Gate, Queue};
use super::record::{Kind, Place, RECORD_HEADER_BYTES, RecordHeader, aligned};
use super::segments::{OpenFiles, READY, RESERVE, make_ready};
use crate::disk::{Disk, DiskFile};
use crate::{AccountKey, AppendClass, AppendError, BlobId, ENTRY_NO_MAX, EntryNo, Pending, StoreError};

/// So many changes are told to the index at once: fewer cost the disk more than the log itself, more make the next opening read
/// more of the log (some 80 MB at 20 kB a message).
const CHANGES_PER_ADVANCE: usize = 4096;

/// Resolves with the batch.
pub(super) type Waiter = oneshot::Receiver<Answer>;

/// The writer waits at most so long for company: little for a person, and for a disk that is slower than this the writes make the groups.
const PAUSE_MAX: Duration = Duration::from_millis(2);

/// What the threads share.
pub(super) struct Engine {
    pub disk: Arc<dyn Disk>,
    pub options: Options,
    /// Seeds all checksums of this store.
    pub salt: u64,
    pub catalog: Catalog,
    pub files: OpenFiles,
    pub pool: Pool,
    queue: Mutex<Queue>,
    /// There is something to write, or to stop for.
    work: Condvar,
    /// A batch has been written, or has failed.
    pub written: Condvar,
    making: Mutex<Making>,
    /// Someone wants space, or a making has ended.
    making_changed: Condvar,
    /// Held while a batch is written, so that batches never overtake each other.
    pub writing: Mutex<()>,
    /// The segment being written.
    pub current: Mutex<Option<(u32, Arc<dyn DiskFile>)>>,
    /// Number of the next uploaded file; begins with the first segment of this opening, so that it was never used.
    pub next_file: AtomicU64,
    indexing: Mutex<bool>,
    indexing_changed: Condvar,
}

/// The making of space, which happens on a thread of its own.
#[derive(Default)]
struct Making {
    begun: u64,
    ended: u64,
    /// The largest need of those who wait; 0 if nobody does.
    wanted_bytes: u64,
    /// Nothing is ready, although nobody waits yet.
    low: bool,
    last_error: Option<StoreError>,
    names: u64,
    stop: bool,
}

impl Engine {
    pub(super) fn new(
        disk: Arc<dyn Disk>,
        options: Options,
        salt: u64,
        catalog: Catalog,
        queue: Queue,
        pool: Pool,
    ) -> Engine {
        let next_file = AtomicU64::new(u64::from(queue.next_segment) << 32);
        Engine {
            files: OpenFiles::new(Arc::clone(&disk)),
            disk,
            options,
            salt,
            catalog,
            pool,
            queue: Mutex::new(queue),
            work: Condvar::new(),
            written: Condvar::new(),
            making: Mutex::default(),
            making_changed: Condvar::new(),
            writing: Mutex::new(()),
            current: Mutex::new(None),
            next_file,
            indexing: Mutex::new(false),
            indexing_changed: Condvar::new(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_making(&self) -> MutexGuard<'_, Making> {
        self.making.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether reads are answered.
    pub(super) fn readable(&self) -> Result<(), StoreError> {
        if self.lock().gate == Gate::Closed { Err(StoreError::Closed) } else { Ok(()) }
    }

    /// Appends an entry.
    pub(super) fn append(
        &self,
        account: AccountKey,
        expected: EntryNo,
        no: EntryNo,
        entry: &Bytes,
        class: AppendClass,
    ) -> Result<Waiter, AppendError> {
        self.space_for(class)?;
        let header = RecordHeader::new(self.salt, Kind::Entry, account.0, no, expected, entry);
        let encoded = header.encode(self.salt);
        let mut queue = self.room(header.record_bytes(), claim(class))?;
        let mut numbers = self.enqueued(&queue, account);
        if expected != numbers.head {
            return Err(AppendError::Conflict { head: numbers.head });
        }
        if no <= expected || no > ENTRY_NO_MAX {
            return Err(AppendError::Failed(StoreError::OutOfOrder { no, head: numbers.head }));
        }
        queue.push(header, &encoded, entry, self.salt);
        numbers.head = no;
        queue.enqueued.insert(account, numbers);
        self.wait_for(queue)
    }

    /// Appends a checkpoint.
    pub(super) fn checkpoint(
        &self,
        account: AccountKey,
        at: EntryNo,
        manifest: &Bytes,
    ) -> Result<Waiter, AppendError> {
        self.space_for(AppendClass::Grow)?;
        let header = RecordHeader::new(self.salt, Kind::Checkpoint, account.0, at, 0, manifest);
        let encoded = header.encode(self.salt);
        let mut queue = self.room(header.record_bytes(), Claim::Usual)?;
        let mut numbers = self.enqueued(&queue, account);
        if at <= numbers.checkpoint || at > numbers.head {
            return Err(AppendError::Failed(StoreError::OutOfOrder { no: at, head: numbers.head }));
        }
        queue.push(header, &encoded, manifest, self.salt);
        numbers.checkpoint = at;
        queue.enqueued.insert(account, numbers);
        self.wait_for(queue)
    }

    /// Drops a journal.
    pub(super) fn drop_journal(&self, account: AccountKey, expected: EntryNo) -> Result<Waiter, AppendError> {
        let header = RecordHeader::new(self.salt, Kind::Drop, account.0, expected, 0, &[]);
        let encoded = header.encode(self.salt);
        let mut queue = self.room(header.record_bytes(), Claim::Reserve)?;
        let mut numbers = self.enqueued(&queue, account);
        if expected != numbers.head {
            return Err(AppendError::Conflict { head: numbers.head });
        }
        queue.push(header, &encoded, &[], self.salt);
        numbers.checkpoint = expected;
        queue.enqueued.insert(account, numbers);
        self.wait_for(queue)
    }

    /// Appends a blob and names it.
    pub(super) fn put(&self, kind: Kind, file: u64, payload: &[u8]) -> Result<BlobId, AppendError> {
        self.space_for(AppendClass::Grow)?;
        let mut header = RecordHeader::new(self.salt, kind, 0, 0, file, payload);
        let bytes = header.record_bytes();
        let mut queue = self.room(bytes, Claim::Usual)?;
        header.number = queue.place(bytes).0;
        let encoded = header.encode(self.salt);
        queue.push(header, &encoded, payload, self.salt);
        let is_due = queue.is_due();
        drop(queue);
        if is_due {
            self.work.notify_one();
        }
        Ok(BlobId(header.number))
    }

    /// Appends records as they are, in order, and a note that a segment is removed; for reclaiming.
    pub(super) fn copy(
        &self,
        records: &[Bytes],
        note: RecordHeader,
        claim: Claim,
    ) -> Result<Waiter, AppendError> {
        let taken_back = self.lock().taken_back;
        for record in records {
            let mut queue = self.room(record.len(), claim)?;
            queue.push_copy(self.salt, record);
        }
        let mut queue = self.room(RECORD_HEADER_BYTES, claim)?;
        if queue.taken_back != taken_back {
            // Some of the copies may be among what was undone meanwhile.
            return Err(AppendError::Full);
        }
        queue.push(note, &note.encode(self.salt), &[], self.salt);
        self.wait_for(queue)
    }

    /// Waits for all that is enqueued; `None` if that is durable already.
    pub(super) fn sync(&self) -> Result<Option<Waiter>, AppendError> {
        let mut queue = self.lock();
        queue.admit()?;
        if !queue.carried.is_empty() {
            drop(queue);
            queue = self.room(0, Claim::Usual)?;
        }
        let waiter = queue.waiter();
        drop(queue);
        self.work.notify_one();
        Ok(waiter)
    }

    fn wait_for(&self, mut queue: MutexGuard<'_, Queue>) -> Result<Waiter, AppendError> {
        let waiter = queue.waiter();
        let is_awaited = queue.waiters() >= queue.gathering;
        drop(queue);
        if is_awaited {
            self.work.notify_one();
        }
        waiter.ok_or(AppendError::Failed(StoreError::Closed))
    }

    /// The account's numbers as they will be.
    fn enqueued(&self, queue: &Queue, account: AccountKey) -> Enqueued {
        queue.enqueued.get(&account).copied().unwrap_or_else(|| {
            let durable = self.catalog.heads(account);
            Enqueued { head: durable.head, checkpoint: durable.checkpoints[0].max(durable.dropped) }
        })
    }

    /// Refuses what grows while the disk is nearly full, so that running out in the middle of a write stays the exception.
    pub(super) fn space_for(&self, class: AppendClass) -> Result<(), StoreError> {
        if class == AppendClass::Shrink {
            return Ok(());
        }
        let free = self.disk.free_bytes().map_err(|error| StoreError::io("free space", &error))?;
        if free < self.options.free_bytes_min { Err(StoreError::Full) } else { Ok(()) }
    }

    /// The queue, with room for a record at its tail and nothing carried over before it.
    fn room(&self, record_bytes: usize, claim: Claim) -> Result<MutexGuard<'_, Queue>, AppendError> {
        let mut queue = self.lock();
        loop {
            queue.admit()?;
            if queue.is_crowded() {
                queue = self.wait_for_the_disk(queue);
                continue;
            }
            let needed = queue.needed(aligned(record_bytes));
            if queue.has_room(needed, claim) || queue.rotate(needed) {
                if queue.ready.is_empty() && !self.pool.is_inline() {
                    // Locks are taken in this order only: the queue's, then the making's.
                    self.lock_making().low = true;
                    self.making_changed.notify_all();
                }
                queue.push_carried(self.salt);
                return Ok(queue);
            }
            drop(queue);
            let made = self.make_now(needed);
            queue = self.lock();
            if let Err(error) = made {
                let more = queue.needed(aligned(record_bytes));
                if !(claim == Claim::Reserve && queue.rotate_to_reserve(more)) {
                    return Err(error.into());
                }
            }
        }
    }

    /// Lets the writer get on.
    fn wait_for_the_disk<'a>(&'a self, queue: MutexGuard<'a, Queue>) -> MutexGuard<'a, Queue> {
        if self.pool.is_inline() {
            drop(queue);
            self.write_next();
            return self.lock();
        }
        self.work.notify_one();
        self.written.wait(queue).unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes space, or waits until it is made.
    fn make_now(&self, needed: u64) -> Result<(), StoreError> {
        if self.pool.is_inline() {
            return self.make(needed, false);
        }
        let mut making = self.lock_making();
        // An attempt under way may have looked at the disk before there was space.
        let attempt = making.begun + 1;
        making.wanted_bytes = making.wanted_bytes.max(needed);
        self.making_changed.notify_all();
        while making.ended < attempt && !making.stop {
            making = self.making_changed.wait(making).unwrap_or_else(PoisonError::into_inner);
        }
        making.last_error.clone().map_or(Ok(()), Err)
    }

    /// Makes what is missing: first the reserve, without which nothing may grow, then a segment.
    fn make(&self, needed: u64, in_advance: bool) -> Result<(), StoreError> {
        let (has_reserve, enough) = {
            let queue = self.lock();
            (queue.reserve.is_some(), queue.ready.iter().any(|ready| ready.bytes >= needed))
        };
        if !has_reserve {
            let path = self.new_name(RESERVE);
            let reserve = make_ready(&*self.disk, &path, self.options.reserve_bytes, 0, false)?;
            self.lock().reserve = Some(reserve);
        }
        if enough {
            return Ok(());
        }
        let path = self.new_name(READY);
        let bytes = self.options.segment_bytes.max(needed);
        // Who waits gets space that is only promised; who does not gets zeros that are written, which makes each later sync cheaper.
        let ready = make_ready(&*self.disk, &path, bytes, self.options.free_bytes_min, in_advance)?;
        self.lock().ready.push_back(ready);
        Ok(())
    }

    /// A name that no file of this opening has had.
    fn new_name(&self, prefix: &str) -> String {
        let mut making = self.lock_making();
        making.names += 1;
        format!("{prefix}-{}", making.names)
    }

    /// The thread that makes space in advance.
    pub(super) fn run_making(&self) {
        loop {
            let needed = {
                let mut making = self.lock_making();
                loop {
                    if making.stop {
                        return;
                    }
                    if making.wanted_bytes > 0 || making.low {
                        break;
                    }
                    making = self.making_changed.wait(making).unwrap_or_else(PoisonError::into_inner);
                }
                making.begun += 1;
                making.low = false;
                std::mem::take(&mut making.wanted_bytes)
            };
            let made = self.make(needed.max(1), needed == 0);
            let mut making = self.lock_making();
            making.ended = making.begun;
            making.last_error = made.err();
            drop(making);
            self.making_changed.notify_all();
        }
    }

    /// The thread that writes.
    pub(super) fn run_writing(&self, stop: impl Fn() -> bool) {
        let (mut company, mut pause) = (0, Duration::ZERO);
        loop {
            let queue = self.lock();
            if stop() {
                drop(queue);
                while self.write_next() {}
                return;
            }
            if queue.is_due() {
                let queue = self.gather(queue, company, pause);
                company = queue.waiters();
                drop(queue);
                let begun = Instant::now();
                self.write_next();
                pause = (begun.elapsed() / 2).min(PAUSE_MAX);
            } else {
                drop(self.work.wait(queue).unwrap_or_else(PoisonError::into_inner));
            }
        }
    }

    /// Waits for those who waited together last time to come together again, at most for half the time that a write took. Without this, the first to
    /// be answered would begin the next write alone, and the others wait twice. Who was alone last time never waits.
    fn gather<'a>(
        &'a self,
        mut queue: MutexGuard<'a, Queue>,
        company: usize,
        pause: Duration,
    ) -> MutexGuard<'a, Queue> {
        let end = Instant::now() + pause;
        queue.gathering = company;
        while company > 1 && queue.waiters() < company && queue.waiting.len() == 1 {
            let rest = end.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                break;
            }
            queue = self.work.wait_timeout(queue, rest).unwrap_or_else(PoisonError::into_inner).0;
        }
        queue.gathering = 0;
        queue
    }

    /// The thread that tells the index.
    pub(super) fn run_indexing(&self) {
        loop {
            let mut stop = self.indexing.lock().unwrap_or_else(PoisonError::into_inner);
            while !*stop && self.catalog.behind() < CHANGES_PER_ADVANCE {
                stop = self.indexing_changed.wait(stop).unwrap_or_else(PoisonError::into_inner);
            }
            if *stop {
                return;
            }
            drop(stop);
            if self.catalog.advance().is_err() {
                // The index can wait: what it was not told stays in memory, and the log has it. A store
                // that is full or whose index is broken must still take expunges.
                let stop = self.indexing.lock().unwrap_or_else(PoisonError::into_inner);
                let pause = Duration::from_secs(1);
                drop(self.indexing_changed.wait_timeout(stop, pause));
            }
        }
    }

    /// Called after each batch.
    pub(super) fn batch_applied(&self) {
        if self.catalog.behind() < CHANGES_PER_ADVANCE {
            return;
        }
        if self.pool.is_inline() {
            // As on the thread: a failure leaves the changes where they are.
            drop(self.catalog.advance());
        } else {
            // The lock orders this after the look that found too little to do.
            drop(self.indexing.lock());
            self.indexing_changed.notify_one();
        }
    }

    /// Wakes the threads so that they see that they should end.
    pub(super) fn stop_threads(&self) {
        self.lock_making().stop = true;
        self.making_changed.notify_all();
        *self.indexing.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.indexing_changed.notify_all();
        drop(self.lock());
        self.work.notify_all();
    }

    /// Does on this thread what the writer would do, if there is no writer.
    pub(super) fn drive(&self) {
        if self.pool.is_inline() {
            while self.write_next() {}
        }
    }

    /// The place of what a later call will put.
    pub(super) fn next_place(&self) -> Place {
        Place(self.lock().watermark().0)
    }
}

/// An answer that comes from the writer.
pub(super) fn answer<E: From<AppendError> + Send + 'static>(
    engine: &Arc<Engine>,
    waiter: Result<Option<Waiter>, AppendError>,
) -> Pending<'static, Result<(), E>> {
    let engine = Arc::clone(engine);
    Box::pin(async move {
        let Some(receiver) = waiter? else { return Ok(()) };
        engine.drive();
        receiver.await.unwrap_or(Err(AppendError::Failed(StoreError::Closed))).map_err(E::from)
    })
}

fn claim(class: AppendClass) -> Claim {
    match class {
        AppendClass::Grow => Claim::Usual,
        AppendClass::Shrink => Claim::Reserve,
    }
}
