//! Reading a segment from end to end: batches, and where they are broken, why.
//!
//! One question decides everything: is this the end of what was acknowledged, or a hole in it? A batch is written only after the one before it was
//! synced, so anything whole that comes later (in this segment, or by the sequence of the next one) proves that what is broken here
//! had been acknowledged: that is *damage*, is reported, and the whole records inside are saved. Without such proof it is the
//! *torn* end of a write that was never acknowledged.

use super::record::{
    ALIGN, BATCH_HEADER_BYTES, BatchHeader, Place, RECORD_HEADER_BYTES, RecordHeader, SEGMENT_HEADER_BYTES,
    SegmentHeader, aligned,
};

/// What a segment is to be read against.
#[derive(Copy, Clone, Debug)]
pub(super) struct Expected {
    pub salt: u64,
    pub number: u32,
    /// Where to begin: 0, or the end of a batch.
    pub from: u64,
    /// Sequence of the last batch before that.
    pub batch: u64,
    /// Up to here the segment is known to have been acknowledged.
    pub known_until: u64,
}

/// What is found, in the order of the log.
#[derive(Debug)]
pub(super) enum Found<'a> {
    /// A whole record in a whole batch, or saved out of a damaged stretch.
    Record { header: RecordHeader, place: Place, payload: &'a [u8] },
    /// A record whose header is whole and whose payload is not.
    Broken { header: RecordHeader, place: Place },
    /// A batch ended here, whole or damaged.
    BatchEnd { sequence: u64, offset: u64 },
    /// A stretch that had been acknowledged and cannot be read whole.
    Damage { offset: u64 },
}

/// How a segment ends.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct End {
    /// Sequence of the first batch by the segment's header; 0 if that is unreadable.
    pub first_batch: u64,
    /// Sequence of the last batch, `Expected::batch` if there is none.
    pub batch: u64,
    /// Where the last batch ends.
    pub offset: u64,
    /// Something other than zeros follows.
    pub torn: bool,
}

/// Reads a segment whose content is `bytes`.
pub(super) fn scan(bytes: &[u8], expected: Expected, found: &mut dyn FnMut(Found<'_>)) -> End {
    let mut scan = Scan { bytes, expected, last: expected.batch, at: 0, found };
    let header = SegmentHeader::decode(bytes).filter(|header| header.number == expected.number);
    if header.is_none() && scan.is_written(0, SEGMENT_HEADER_BYTES) && scan.next_batch(0).is_some() {
        (scan.found)(Found::Damage { offset: 0 });
    }
    scan.at = usize::try_from(expected.from).unwrap_or(usize::MAX).max(SEGMENT_HEADER_BYTES);
    while scan.step() {}
    let offset = (scan.at as u64).min(bytes.len() as u64);
    let torn = scan.is_written(scan.at, bytes.len());
    End { first_batch: header.map_or(0, |header| header.first_batch), batch: scan.last, offset, torn }
}

struct Scan<'a, 'f> {
    bytes: &'a [u8],
    expected: Expected,
    /// Sequence of the last batch met.
    last: u64,
    at: usize,
    found: &'f mut dyn FnMut(Found<'_>),
}

impl Scan<'_, '_> {
    fn place(&self, at: usize) -> Place {
        Place::new(self.expected.number, at as u64)
    }

    fn is_written(&self, from: usize, to: usize) -> bool {
        let (from, to) = (from.min(self.bytes.len()), to.min(self.bytes.len()));
        self.bytes.get(from..to).is_some_and(|bytes| bytes.iter().any(|byte| *byte != 0))
    }

    fn batch_at(&self, at: usize) -> Option<BatchHeader> {
        let header = BatchHeader::decode(self.expected.salt, self.place(at), self.bytes.get(at..)?)?;
        (header.sequence > self.last).then_some(header)
    }

    /// The first batch at or after `from`.
    fn next_batch(&self, from: usize) -> Option<usize> {
        (aligned(from)..self.bytes.len()).step_by(ALIGN).find(|at| self.batch_at(*at).is_some())
    }

    /// Goes one batch further; `false` at the end.
    fn step(&mut self) -> bool {
        let batch = self.batch_at(self.at);
        if let Some(header) = batch
            && let Some(records) = self.records_of(header)
        {
            for (header, at) in records {
                let payload = header.payload(self.expected.salt, &self.bytes[at..]).unwrap_or_default();
                let place = self.place(at);
                (self.found)(Found::Record { header, place, payload });
            }
            self.batch_ends(header.sequence, self.at + BATCH_HEADER_BYTES + header.bytes as usize);
            return true;
        }
        let next = self.next_batch(self.at + ALIGN);
        let known = usize::try_from(self.expected.known_until).unwrap_or(usize::MAX).min(self.bytes.len());
        if next.is_none() && known <= self.at {
            return false;
        }
        (self.found)(Found::Damage { offset: self.at as u64 });
        let end = next.unwrap_or(known);
        self.save(end);
        let sequence = batch.map_or(self.last, |header| header.sequence);
        self.batch_ends(sequence, end);
        true
    }

    fn batch_ends(&mut self, sequence: u64, end: usize) {
        self.last = sequence;
        self.at = aligned(end);
        (self.found)(Found::BatchEnd { sequence, offset: self.at as u64 });
    }

    /// The places of a batch's records, if all are whole.
    fn records_of(&self, batch: BatchHeader) -> Option<Vec<(RecordHeader, usize)>> {
        let start = self.at + BATCH_HEADER_BYTES;
        let end = start.checked_add(batch.bytes as usize)?;
        let inside = self.bytes.get(..end)?;
        let mut records = Vec::new();
        let mut at = start;
        while at < end {
            let header = RecordHeader::decode(self.expected.salt, &inside[at..])?;
            header.payload(self.expected.salt, &inside[at..])?;
            records.push((header, at));
            at += header.record_bytes();
        }
        (records.len() == batch.records as usize).then_some(records)
    }

    /// Looks for records between here and `end`, of which some survived.
    fn save(&mut self, end: usize) {
        let salt = self.expected.salt;
        let inside = &self.bytes[..end.min(self.bytes.len())];
        let mut at = self.at;
        while at + RECORD_HEADER_BYTES <= inside.len() {
            let Some(header) = RecordHeader::decode(salt, &inside[at..]) else {
                at += ALIGN;
                continue;
            };
            let place = self.place(at);
            match header.payload(salt, &inside[at..]) {
                Some(payload) => (self.found)(Found::Record { header, place, payload }),
                None => (self.found)(Found::Broken { header, place }),
            }
            at += header.record_bytes();
        }
    }
}
