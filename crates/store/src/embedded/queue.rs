//! What is waiting to be written: batches with their places already given, and the accounts' heads as they will be.
//!
//! A record gets its place in the log when it is enqueued, so that a blob has its name at once and the next entry may be decided on this one. That
//! is sound because places are given only in space that is physically there: a segment is allocated before anything is placed in it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use futures_channel::oneshot;

use super::record::{
    BATCH_HEADER_BYTES, BatchHeader, Kind, Place, RecordHeader, SEGMENT_HEADER_BYTES, SegmentHeader, aligned,
};
use super::segments::{RESERVE, Ready};
use crate::{AccountKey, AppendError, BlobId, EntryNo, StoreError};

/// A batch that has reached this many bytes takes no more records: the first in it should not wait for the disk to write
/// what the last one brought.
const BATCH_BYTES_MAX: usize = 8 << 20;

/// With this many bytes waiting, who brings more waits for the disk: memory must not grow because the disk is slow.
const WAITING_BYTES_MAX: usize = 64 << 20;

/// Buffers kept for the next batches, so that each need not be grown from nothing: one is filled while one is written.
const SPARE_BUFFERS_MAX: usize = 2;

/// A whole new batch in a whole new segment costs this much beside its records.
const OPENING_BYTES: u64 = (SEGMENT_HEADER_BYTES + BATCH_HEADER_BYTES) as u64;

pub(super) type Answer = Result<(), AppendError>;

/// Which space a record may take.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// Any but the reserve.
    Usual,
    /// The reserve as well.
    Reserve,
}

/// Whether calls are taken.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    Open,
    Poisoned,
    Closed,
}

/// Numbers of an account as they will be when everything enqueued is durable.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Enqueued {
    pub head: EntryNo,
    pub checkpoint: EntryNo,
}

/// Records that ride one write and one sync.
pub(super) struct Batch {
    pub segment: u32,
    /// Where it begins in its segment.
    pub base: u64,
    /// The file that becomes the segment, if the batch is its first.
    pub opens: Option<Ready>,
    pub buffer: Vec<u8>,
    pub records: Vec<(RecordHeader, Place)>,
    pub waiters: Vec<oneshot::Sender<Answer>>,
}

/// A batch that is being written, as far as readers need it.
pub(super) struct Flight {
    pub segment: u32,
    pub base: u64,
    pub buffer: Vec<u8>,
    pub sequence: u64,
}

/// The end of the space that is given out.
#[derive(Clone, Debug, Default)]
struct Tail {
    segment: u32,
    offset: u64,
    capacity: u64,
    /// Set until the first batch is begun.
    ready: Option<Ready>,
    reserve: bool,
}

pub(super) struct Queue {
    pub waiting: VecDeque<Batch>,
    pub flight: Option<Arc<Flight>>,
    /// Who waits for the flight.
    pub flight_waiters: Vec<oneshot::Sender<Answer>>,
    tail: Tail,
    spare_buffers: Vec<Vec<u8>>,
    pub ready: VecDeque<Ready>,
    pub reserve: Option<Ready>,
    pub next_segment: u32,
    /// Sequence of the next batch to be written.
    pub next_batch: u64,
    /// Accounts with something enqueued.
    pub enqueued: HashMap<AccountKey, Enqueued>,
    /// Blobs of batches that found the disk full. They have been named, so they go first into the next batch: nothing that is
    /// acknowledged later may miss them.
    pub carried: BTreeMap<BlobId, Bytes>,
    pub gate: Gate,
    /// The writer is waiting for so many waiters, and need not be woken for fewer.
    pub gathering: usize,
    /// How often something was taken back.
    pub taken_back: u64,
}

impl Queue {
    pub(super) fn new(next_segment: u32, next_batch: u64, reserve: Option<Ready>) -> Queue {
        Queue {
            waiting: VecDeque::new(),
            flight: None,
            flight_waiters: Vec::new(),
            tail: Tail::default(),
            spare_buffers: Vec::new(),
            ready: VecDeque::new(),
            reserve,
            next_segment,
            next_batch,
            enqueued: HashMap::new(),
            carried: BTreeMap::new(),
            gate: Gate::Open,
            gathering: 0,
            taken_back: 0,
        }
    }

    pub(super) fn admit(&self) -> Result<(), StoreError> {
        match self.gate {
            Gate::Open => Ok(()),
            Gate::Poisoned => Err(StoreError::Poisoned),
            Gate::Closed => Err(StoreError::Closed),
        }
    }

    /// Bytes that a record of `record_bytes` needs now, with all that must go before it.
    pub(super) fn needed(&self, record_bytes: usize) -> u64 {
        let carried: usize = self.carried.values().map(Bytes::len).sum();
        (record_bytes + carried) as u64 + OPENING_BYTES
    }

    /// Whether `needed` bytes can be placed at the tail.
    pub(super) fn has_room(&self, needed: u64, claim: Claim) -> bool {
        let free = self.tail.capacity.saturating_sub(self.tail.offset);
        free >= needed && (claim == Claim::Reserve || !self.tail.reserve)
    }

    /// Begins a segment in a file that is ready and large enough, if there is one.
    pub(super) fn rotate(&mut self, needed: u64) -> bool {
        let Some(index) = self.ready.iter().position(|ready| ready.bytes >= needed) else { return false };
        let Some(ready) = self.ready.remove(index) else { return false };
        self.begin_segment(ready, false);
        true
    }

    /// Begins a segment in the reserve, if it is there and large enough.
    pub(super) fn rotate_to_reserve(&mut self, needed: u64) -> bool {
        let Some(reserve) = self.reserve.take_if(|reserve| reserve.bytes >= needed) else { return false };
        self.begin_segment(reserve, true);
        true
    }

    fn begin_segment(&mut self, ready: Ready, reserve: bool) {
        let unused = self.tail.ready.take();
        self.give_back(unused);
        let segment = self.next_segment;
        self.next_segment += 1;
        self.tail = Tail { segment, offset: 0, capacity: ready.bytes, ready: Some(ready), reserve };
    }

    /// Takes a file back that was not begun.
    fn give_back(&mut self, unused: Option<Ready>) {
        match unused {
            Some(ready) if ready.path.starts_with(RESERVE) => self.reserve = Some(ready),
            Some(ready) => self.ready.push_back(ready),
            None => {}
        }
    }

    /// Id of the next blob, or of one before it: every blob put later has this id or a higher one.
    pub(super) fn watermark(&self) -> BlobId {
        let next = if self.tail.capacity == 0 { self.next_segment } else { self.tail.segment };
        let offset = if self.tail.capacity == 0 { 0 } else { self.tail.offset };
        BlobId(Place::new(next, offset).0)
    }

    /// The open batch, a new one if need be. There must be room.
    fn batch(&mut self, record_bytes: usize) -> &mut Batch {
        let tail = &mut self.tail;
        let fits = |batch: &Batch| {
            let bytes = batch.buffer.len().saturating_add(record_bytes);
            batch.segment == tail.segment && (bytes <= BATCH_BYTES_MAX || batch.records.is_empty())
        };
        if !self.waiting.back().is_some_and(fits) {
            let opens = tail.ready.take();
            let headers = BATCH_HEADER_BYTES + if opens.is_some() { SEGMENT_HEADER_BYTES } else { 0 };
            let mut buffer = self.spare_buffers.pop().unwrap_or_default();
            buffer.resize(headers, 0);
            let batch = Batch {
                segment: tail.segment,
                base: tail.offset,
                opens,
                buffer,
                records: Vec::new(),
                waiters: Vec::new(),
            };
            tail.offset += headers as u64;
            self.waiting.push_back(batch);
        }
        let last = self.waiting.len() - 1;
        &mut self.waiting[last]
    }

    /// Where the next record of this size will be.
    pub(super) fn place(&mut self, record_bytes: usize) -> Place {
        let batch = self.batch(record_bytes);
        Place::new(batch.segment, batch.base + batch.buffer.len() as u64)
    }

    /// Appends a record. There must be room.
    pub(super) fn push(&mut self, header: RecordHeader, encoded: &[u8], payload: &[u8], salt: u64) -> Place {
        debug_assert_eq!(RecordHeader::decode(salt, encoded), Some(header));
        let bytes = header.record_bytes();
        let place = self.place(bytes);
        let batch = self.batch(bytes);
        batch.buffer.extend_from_slice(encoded);
        batch.buffer.extend_from_slice(payload);
        batch.buffer.resize(aligned(batch.buffer.len()), 0);
        batch.records.push((header, place));
        self.tail.offset += bytes as u64;
        place
    }

    /// Appends a record as it is elsewhere, for moving it.
    pub(super) fn push_copy(&mut self, salt: u64, record: &[u8]) -> Option<Place> {
        let header = RecordHeader::decode(salt, record)?;
        let (encoded, rest) = record.split_at(super::record::RECORD_HEADER_BYTES);
        Some(self.push(header, encoded, rest.get(..header.payload_bytes as usize)?, salt))
    }

    /// Puts what was carried over before anything else. There must be room.
    pub(super) fn push_carried(&mut self, salt: u64) {
        for record in std::mem::take(&mut self.carried).into_values() {
            self.push_copy(salt, &record);
        }
    }

    /// Enqueues a batch without records. Following the last batch, it proves that one to be acknowledged.
    pub(super) fn push_empty(&mut self) {
        if self.tail.ready.is_none() && self.tail.capacity - self.tail.offset >= BATCH_HEADER_BYTES as u64 {
            self.batch(usize::MAX);
        }
    }

    /// Waits for everything enqueued so far; `None` if there is nothing.
    pub(super) fn waiter(&mut self) -> Option<oneshot::Receiver<Answer>> {
        let (sender, receiver) = oneshot::channel();
        match (self.waiting.back_mut(), &self.flight) {
            (Some(batch), _) => batch.waiters.push(sender),
            (None, Some(_)) => self.flight_waiters.push(sender),
            (None, None) => return None,
        }
        Some(receiver)
    }

    /// The record that begins at `place`, if it has not reached its file yet.
    pub(super) fn record_at(&self, salt: u64, place: Place) -> Option<Bytes> {
        let waiting = self.waiting.iter().map(|batch| (batch.segment, batch.base, &batch.buffer));
        let flight = self.flight.iter().map(|flight| (flight.segment, flight.base, &flight.buffer));
        for (segment, base, buffer) in flight.chain(waiting) {
            let inside = place.offset().checked_sub(base).and_then(|at| usize::try_from(at).ok());
            let record = inside.filter(|_| segment == place.segment()).and_then(|at| buffer.get(at..));
            if let Some(record) = record
                && !record.is_empty()
            {
                let bytes = RecordHeader::decode(salt, record)?.record_bytes();
                return record.get(..bytes).map(Bytes::copy_from_slice);
            }
        }
        None
    }

    /// Takes the next batch for writing, its headers filled in.
    pub(super) fn take(&mut self, salt: u64) -> Option<(Arc<Flight>, Batch)> {
        let mut batch = self.waiting.pop_front()?;
        let sequence = self.next_batch;
        let mut at = 0;
        if batch.opens.is_some() {
            let header = SegmentHeader { salt, number: batch.segment, first_batch: sequence };
            batch.buffer[..SEGMENT_HEADER_BYTES].copy_from_slice(&header.encode());
            at = SEGMENT_HEADER_BYTES;
        }
        let bytes = (batch.buffer.len() - at - BATCH_HEADER_BYTES) as u32;
        let header = BatchHeader { sequence, bytes, records: batch.records.len() as u32 };
        let place = Place::new(batch.segment, batch.base + at as u64);
        batch.buffer[at..at + BATCH_HEADER_BYTES].copy_from_slice(&header.encode(salt, place));
        let buffer = std::mem::take(&mut batch.buffer);
        let flight = Arc::new(Flight { segment: batch.segment, base: batch.base, buffer, sequence });
        self.flight = Some(Arc::clone(&flight));
        self.flight_waiters = std::mem::take(&mut batch.waiters);
        Some((flight, batch))
    }

    /// Whether the first batch should be written now. Blobs that nobody waits for ride with the append that names them, which is on its way; a sync
    /// of their own would double the syncs of every delivery.
    pub(super) fn is_due(&self) -> bool {
        self.waiting.len() > 1 || self.waiting.front().is_some_and(|batch| !batch.waiters.is_empty())
    }

    /// How many wait for what is not being written yet.
    pub(super) fn waiters(&self) -> usize {
        self.waiting.iter().map(|batch| batch.waiters.len()).sum()
    }

    /// Whether more must wait until some of what waits is written.
    pub(super) fn is_crowded(&self) -> bool {
        self.waiting.iter().map(|batch| batch.buffer.len()).sum::<usize>() > WAITING_BYTES_MAX
    }

    /// Takes a buffer back for later batches.
    pub(super) fn recycle(&mut self, flight: Arc<Flight>) {
        if let Some(flight) = Arc::into_inner(flight)
            && self.spare_buffers.len() < SPARE_BUFFERS_MAX
            && flight.buffer.capacity() <= 2 * BATCH_BYTES_MAX
        {
            let mut buffer = flight.buffer;
            buffer.clear();
            self.spare_buffers.push(buffer);
        }
    }

    /// Takes back everything enqueued after a write that found the disk full and was undone. Answers who must be told.
    pub(super) fn take_back(&mut self, flight: &Flight, batch: Batch) -> Vec<oneshot::Sender<Answer>> {
        let mut told = std::mem::take(&mut self.flight_waiters);
        self.carry(flight.base, &flight.buffer, &batch.records);
        self.give_back(batch.opens);
        for batch in std::mem::take(&mut self.waiting) {
            self.carry(batch.base, &batch.buffer, &batch.records);
            self.give_back(batch.opens);
            told.extend(batch.waiters);
        }
        let unused = self.tail.ready.take();
        self.give_back(unused);
        // The place of what was taken back is never given again: numbers of segments only rise.
        self.tail = Tail::default();
        self.flight = None;
        self.enqueued.clear();
        self.taken_back += 1;
        told
    }

    fn carry(&mut self, base: u64, buffer: &[u8], records: &[(RecordHeader, Place)]) {
        for (header, place) in records {
            if matches!(header.kind, Kind::Blob | Kind::LargeBlob) {
                let at = (place.offset() - base) as usize;
                let record = &buffer[at..at + header.record_bytes()];
                self.carried.insert(BlobId(header.number), Bytes::copy_from_slice(record));
            }
        }
    }

    /// Gives everything up after a failed write or sync.
    pub(super) fn poison(&mut self) -> Vec<oneshot::Sender<Answer>> {
        self.gate = Gate::Poisoned;
        let mut told = std::mem::take(&mut self.flight_waiters);
        told.extend(self.waiting.drain(..).flat_map(|batch| batch.waiters));
        self.flight = None;
        self.enqueued.clear();
        told
    }
}
