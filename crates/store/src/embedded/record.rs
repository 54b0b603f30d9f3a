//! The log's format on the disk: segment, batch and record headers. `docs/store.md` shows them byte by byte.
//!
//! All numbers are little-endian. Everything starts at a multiple of [`ALIGN`]. Each checksum is seeded with the store's *salt*, a random
//! number that never leaves its folder, so that a message whose bytes look like a record can never be taken for one, not
//! even when the log is searched for survivors after damage.

use super::bytes::{u32_at, u64_at};
use crate::BlobId;

/// Records and batches start at multiples of this many bytes, so that a place fits in the low half of a [`BlobId`].
pub(super) const ALIGN: usize = 8;
pub(super) const SEGMENT_HEADER_BYTES: usize = 64;
pub(super) const BATCH_HEADER_BYTES: usize = 32;
pub(super) const RECORD_HEADER_BYTES: usize = 48;

/// The format's version, in each segment and in the file `FORMAT`.
pub(super) const VERSION: u32 = 1;

const SEGMENT_MAGIC: &[u8; 8] = b"MANSIOsg";
const BATCH_MAGIC: u32 = u32::from_le_bytes(*b"Mbat");
const RECORD_MAGIC: u32 = u32::from_le_bytes(*b"Mrec");

/// A place in the log: segment number and offset in units of [`ALIGN`].
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place(pub u64);

impl Place {
    pub(super) fn new(segment: u32, offset: u64) -> Place {
        Place(u64::from(segment) << 32 | (offset / ALIGN as u64) & u64::from(u32::MAX))
    }

    /// Where a blob was written first; its id says so.
    pub(super) fn home(id: BlobId) -> Place {
        Place(id.0)
    }

    pub(super) fn segment(self) -> u32 {
        (self.0 >> 32) as u32
    }

    pub(super) fn offset(self) -> u64 {
        (self.0 & u64::from(u32::MAX)) * ALIGN as u64
    }
}

/// `bytes` rounded up to the alignment.
pub(super) fn aligned(bytes: usize) -> usize {
    bytes.next_multiple_of(ALIGN)
}

/// Checksum of `bytes`, seeded.
pub(super) fn checksum(seed: u64, bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&seed.to_le_bytes()), bytes)
}

/// What a record is. The numbers are for ever.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `account`, `number`: the entry's; `extra`: the entry before it.
    Entry = 1,
    /// `account`, `number`: what it speaks for.
    Checkpoint = 2,
    /// `account`, `number`: all up to it was dropped.
    Drop = 3,
    /// `number`: the blob's id, which is its first place. Found elsewhere, it is a copy made by reclaiming.
    Blob = 4,
    /// As [`Kind::Blob`]; `extra`: number of the file in `large/` that holds the body.
    LargeBlob = 5,
    /// `number`: a segment that was reclaimed; `account` and `extra`: its first and last batch.
    Removed = 6,
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Kind> {
        [Kind::Entry, Kind::Checkpoint, Kind::Drop, Kind::Blob, Kind::LargeBlob, Kind::Removed]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}

/// Says what a record is, and guards its payload.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct RecordHeader {
    pub kind: Kind,
    pub account: u64,
    pub number: u64,
    pub extra: u64,
    pub payload_bytes: u32,
    pub payload_checksum: u32,
}

impl RecordHeader {
    pub(super) fn new(
        salt: u64,
        kind: Kind,
        account: u64,
        number: u64,
        extra: u64,
        payload: &[u8],
    ) -> RecordHeader {
        RecordHeader {
            kind,
            account,
            number,
            extra,
            // Every payload was measured against its limit, all of which are far below 4 GiB.
            payload_bytes: u32::try_from(payload.len()).unwrap_or(u32::MAX),
            payload_checksum: checksum(salt, payload),
        }
    }

    /// Bytes of the whole record, with its padding.
    pub(super) fn record_bytes(&self) -> usize {
        RECORD_HEADER_BYTES + aligned(self.payload_bytes as usize)
    }

    pub(super) fn encode(&self, salt: u64) -> [u8; RECORD_HEADER_BYTES] {
        let mut out = [0; RECORD_HEADER_BYTES];
        out[0..4].copy_from_slice(&RECORD_MAGIC.to_le_bytes());
        out[4] = self.kind as u8;
        out[8..16].copy_from_slice(&self.account.to_le_bytes());
        out[16..24].copy_from_slice(&self.number.to_le_bytes());
        out[24..32].copy_from_slice(&self.extra.to_le_bytes());
        out[32..36].copy_from_slice(&self.payload_bytes.to_le_bytes());
        out[36..40].copy_from_slice(&self.payload_checksum.to_le_bytes());
        let sum = checksum(salt, &out[..44]);
        out[44..48].copy_from_slice(&sum.to_le_bytes());
        out
    }

    /// The header at the start of `bytes`, if one is there and whole.
    pub(super) fn decode(salt: u64, bytes: &[u8]) -> Option<RecordHeader> {
        let bytes = bytes.get(..RECORD_HEADER_BYTES)?;
        if u32_at(bytes, 0)? != RECORD_MAGIC || u32_at(bytes, 44)? != checksum(salt, &bytes[..44]) {
            return None;
        }
        Some(RecordHeader {
            kind: Kind::from_byte(bytes[4])?,
            account: u64_at(bytes, 8)?,
            number: u64_at(bytes, 16)?,
            extra: u64_at(bytes, 24)?,
            payload_bytes: u32_at(bytes, 32)?,
            payload_checksum: u32_at(bytes, 36)?,
        })
    }

    /// The payload of the record that starts at the start of `bytes`, if it is whole, padding included.
    pub(super) fn payload<'a>(&self, salt: u64, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let end = RECORD_HEADER_BYTES + self.payload_bytes as usize;
        let payload = bytes.get(RECORD_HEADER_BYTES..end)?;
        let padding = bytes.get(end..self.record_bytes())?;
        let whole = checksum(salt, payload) == self.payload_checksum && padding.iter().all(|byte| *byte == 0);
        whole.then_some(payload)
    }
}

/// Frames the records of one write. Its checksum also covers its place, so that it cannot be found anywhere else.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct BatchHeader {
    /// Counts batches over the whole log, without gaps.
    pub sequence: u64,
    /// Bytes that follow the header.
    pub bytes: u32,
    pub records: u32,
}

impl BatchHeader {
    pub(super) fn encode(&self, salt: u64, place: Place) -> [u8; BATCH_HEADER_BYTES] {
        let mut out = [0; BATCH_HEADER_BYTES];
        out[0..4].copy_from_slice(&BATCH_MAGIC.to_le_bytes());
        out[8..16].copy_from_slice(&self.sequence.to_le_bytes());
        out[16..20].copy_from_slice(&self.bytes.to_le_bytes());
        out[20..24].copy_from_slice(&self.records.to_le_bytes());
        let sum = checksum(salt ^ place.0, &out[..28]);
        out[28..32].copy_from_slice(&sum.to_le_bytes());
        out
    }

    pub(super) fn decode(salt: u64, place: Place, bytes: &[u8]) -> Option<BatchHeader> {
        let bytes = bytes.get(..BATCH_HEADER_BYTES)?;
        if u32_at(bytes, 0)? != BATCH_MAGIC || u32_at(bytes, 28)? != checksum(salt ^ place.0, &bytes[..28]) {
            return None;
        }
        Some(BatchHeader {
            sequence: u64_at(bytes, 8)?,
            bytes: u32_at(bytes, 16)?,
            records: u32_at(bytes, 20)?,
        })
    }
}

/// Opens a segment file.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    pub salt: u64,
    pub number: u32,
    /// Sequence of its first batch, so that a whole missing segment is noticed.
    pub first_batch: u64,
}

impl SegmentHeader {
    pub(super) fn encode(&self) -> [u8; SEGMENT_HEADER_BYTES] {
        let mut out = [0; SEGMENT_HEADER_BYTES];
        out[0..8].copy_from_slice(SEGMENT_MAGIC);
        out[8..12].copy_from_slice(&VERSION.to_le_bytes());
        out[12..16].copy_from_slice(&self.number.to_le_bytes());
        out[16..24].copy_from_slice(&self.salt.to_le_bytes());
        out[24..32].copy_from_slice(&self.first_batch.to_le_bytes());
        let sum = checksum(0, &out[..60]);
        out[60..64].copy_from_slice(&sum.to_le_bytes());
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<SegmentHeader> {
        let bytes = bytes.get(..SEGMENT_HEADER_BYTES)?;
        if &bytes[..8] != SEGMENT_MAGIC || u32_at(bytes, 60)? != checksum(0, &bytes[..60]) {
            return None;
        }
        (u32_at(bytes, 8)? == VERSION).then_some(SegmentHeader {
            salt: u64_at(bytes, 16)?,
            number: u32_at(bytes, 12)?,
            first_batch: u64_at(bytes, 24)?,
        })
    }
}
