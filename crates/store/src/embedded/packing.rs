//! A blob's payload: a directory, then its three sections in independent blocks.
//!
//! A section is cut into blocks of [`BLOCK_BYTES`], each compressed on its own and each with its own checksum, so that a partial FETCH unpacks and
//! verifies only what it shows. A section that does not gain enough is kept as it is; so is any single block that does not shrink.
//!
//! ```text
//! directory  0  checksum of the directory from byte 4 on
//!            4  bytes of the directory
//!            8  BLAKE3 of the body as it was put
//!           40  three times: bytes of the section as it was put (8), blocks (4), zero (4)
//!           88  for each block of each section in order: bytes stored (4), checksum of them (4)
//! then the stored blocks of summary, text and body; those of a large body are in its own file
//! ```

use std::cell::RefCell;
use std::ops::Range;

use super::bytes::{u32_at, u64_at};
use super::record::checksum;
use crate::{BlobParts, Section};

/// Bytes of a block before compression. Large enough to compress nearly as well as the whole, small enough that a range is cheap.
pub(super) const BLOCK_BYTES: usize = 64 << 10;

/// Sections up to this many bytes are not worth a decompression on each read.
const COMPRESS_BYTES_MIN: usize = 4 << 10;

/// The level above which zstd costs more time than delivering can hide.
const COMPRESSION_LEVEL: i32 = 1;

/// Room for a block, to be written over.
static ZEROS: [u8; BLOCK_BYTES] = [0; BLOCK_BYTES];

const FIXED_BYTES: usize = 88;
const BLOCK_ENTRY_BYTES: usize = 8;

/// One block as it is stored. Stored bytes equal to its length mean that it was kept as it is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub stored_bytes: u32,
    pub checksum: u32,
}

/// A section's blocks and its length as it was put.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SectionEntry {
    pub bytes: u64,
    pub blocks: Vec<Block>,
}

/// Where everything is in a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Directory {
    pub body_hash: [u8; 32],
    pub sections: [SectionEntry; 3],
}

/// The blocks that hold a range of a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub blocks: Range<usize>,
    /// Where their stored bytes begin, from the start of the section's first block.
    pub stored_offset: u64,
    pub stored_bytes: usize,
    /// The range asked for, within the unpacked blocks.
    pub inside: Range<usize>,
}

impl SectionEntry {
    fn stored_bytes(&self) -> u64 {
        self.blocks.iter().map(|block| u64::from(block.stored_bytes)).sum()
    }

    /// Length of block `index` as it was put.
    pub(super) fn block_bytes(&self, index: usize) -> usize {
        let start = index as u64 * BLOCK_BYTES as u64;
        self.bytes.saturating_sub(start).min(BLOCK_BYTES as u64) as usize
    }

    /// The blocks needed for `range`, cut at the section's end; `None` if no byte is asked for.
    pub(super) fn span(&self, range: &Range<u64>) -> Option<Span> {
        let (start, end) = (range.start, range.end.min(self.bytes));
        if start >= end {
            return None;
        }
        let block = BLOCK_BYTES as u64;
        let blocks = (start / block) as usize..(end.div_ceil(block)) as usize;
        let before = &self.blocks[..blocks.start.min(self.blocks.len())];
        let needed = self.blocks.get(blocks.clone())?;
        let base = blocks.start as u64 * block;
        Some(Span {
            stored_offset: before.iter().map(|block| u64::from(block.stored_bytes)).sum(),
            stored_bytes: needed.iter().map(|block| block.stored_bytes as usize).sum(),
            inside: (start - base) as usize..(end - base) as usize,
            blocks,
        })
    }

    /// Verifies and unpacks the blocks of a span; `None` if they are not what was stored.
    pub(super) fn unpack(&self, salt: u64, span: &Span, stored: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let mut rest = stored;
        for index in span.blocks.clone() {
            let block = self.blocks.get(index)?;
            let (packed, after) = rest.split_at_checked(block.stored_bytes as usize)?;
            rest = after;
            if checksum(salt, packed) != block.checksum {
                return None;
            }
            let bytes = self.block_bytes(index);
            if packed.len() == bytes {
                out.extend_from_slice(packed);
                continue;
            }
            let start = out.len();
            out.extend_from_slice(ZEROS.get(..bytes)?);
            if decompress_into(packed, &mut out[start..])? != bytes {
                return None;
            }
        }
        Some(out)
    }
}

impl Directory {
    /// Bytes of the encoded directory.
    fn encoded_bytes(&self) -> usize {
        let blocks: usize = self.sections.iter().map(|section| section.blocks.len()).sum();
        FIXED_BYTES + blocks * BLOCK_ENTRY_BYTES
    }

    fn encode(&self, salt: u64, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&(self.encoded_bytes() as u32).to_le_bytes());
        out.extend_from_slice(&self.body_hash);
        for section in &self.sections {
            out.extend_from_slice(&section.bytes.to_le_bytes());
            out.extend_from_slice(&(section.blocks.len() as u32).to_le_bytes());
            out.extend_from_slice(&[0; 4]);
        }
        for block in self.sections.iter().flat_map(|section| &section.blocks) {
            out.extend_from_slice(&block.stored_bytes.to_le_bytes());
            out.extend_from_slice(&block.checksum.to_le_bytes());
        }
        let sum = checksum(salt, &out[start + 4..]);
        out[start..start + 4].copy_from_slice(&sum.to_le_bytes());
    }

    /// How many bytes of a payload, given at least its first eight, the directory takes.
    pub(super) fn bytes_of(payload: &[u8]) -> Option<usize> {
        u32_at(payload, 4).map(|bytes| bytes as usize)
    }

    /// The directory at the start of `payload`; `None` if it is damaged or the payload is too short for it.
    pub(super) fn decode(salt: u64, payload: &[u8]) -> Option<Directory> {
        let bytes = payload.get(..Directory::bytes_of(payload)?)?;
        if bytes.len() < FIXED_BYTES || u32_at(bytes, 0)? != checksum(salt, &bytes[4..]) {
            return None;
        }
        let mut entries = bytes[FIXED_BYTES..].chunks_exact(BLOCK_ENTRY_BYTES);
        let mut sections: [SectionEntry; 3] = Default::default();
        for (index, section) in sections.iter_mut().enumerate() {
            let at = 40 + index * 16;
            section.bytes = u64_at(bytes, at)?;
            let count = u32_at(bytes, at + 8)?;
            if section.bytes.div_ceil(BLOCK_BYTES as u64) != u64::from(count) {
                return None;
            }
            for _ in 0..count {
                let entry = entries.next()?;
                section.blocks.push(Block { stored_bytes: u32_at(entry, 0)?, checksum: u32_at(entry, 4)? });
            }
        }
        entries.next().is_none().then_some(())?;
        Some(Directory { body_hash: bytes[8..40].try_into().ok()?, sections })
    }

    /// Where the stored blocks of `section` begin in the payload. A large body begins at 0 of its own file instead.
    pub(super) fn section_offset(&self, section: Section) -> u64 {
        let before = &self.sections[..section as usize];
        self.encoded_bytes() as u64 + before.iter().map(SectionEntry::stored_bytes).sum::<u64>()
    }
}

/// Packs blocks one after the other.
#[derive(Default)]
pub(super) struct Packer {
    pub entry: SectionEntry,
}

impl Packer {
    /// Packs one block, the last of which may be shorter, and appends what is to be stored to `out`.
    pub(super) fn block(&mut self, salt: u64, bytes: &[u8], compress: bool, out: &mut Vec<u8>) {
        let start = out.len();
        if !(compress && compress_into(bytes, out)) {
            out.truncate(start);
            out.extend_from_slice(bytes);
        }
        let stored = &out[start..];
        self.entry.bytes += bytes.len() as u64;
        self.entry.blocks.push(Block { stored_bytes: stored.len() as u32, checksum: checksum(salt, stored) });
    }

    /// Packs a section given whole.
    fn section(salt: u64, bytes: &[u8], out: &mut Vec<u8>) -> SectionEntry {
        let mut packer = Packer::default();
        let start = out.len();
        let compress = bytes.len() > COMPRESS_BYTES_MIN;
        for block in bytes.chunks(BLOCK_BYTES) {
            packer.block(salt, block, compress, out);
        }
        // Saving less than an eighth is not worth unpacking on each read.
        if compress && out.len() - start > bytes.len() - bytes.len() / 8 {
            out.truncate(start);
            packer = Packer::default();
            for block in bytes.chunks(BLOCK_BYTES) {
                packer.block(salt, block, false, out);
            }
        }
        packer.entry
    }
}

/// Decompresses a block; answers how many bytes it has, `None` if it does not fit or is no such block.
fn decompress_into(packed: &[u8], out: &mut [u8]) -> Option<usize> {
    thread_local! {
        static DECOMPRESSOR: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
    }
    DECOMPRESSOR.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = zstd::bulk::Decompressor::new().ok();
        }
        slot.as_mut()?.decompress_to_buffer(packed, out).ok()
    })
}

/// Compresses a block to the end of `out`; `false` if it does not shrink by an eighth.
fn compress_into(bytes: &[u8], out: &mut Vec<u8>) -> bool {
    thread_local! {
        // A compressor is a megabyte of tables: one for each thread, made once.
        static COMPRESSOR: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
    }
    let start = out.len();
    let room = bytes.len() - bytes.len() / 8;
    out.extend_from_slice(&ZEROS[..room.min(BLOCK_BYTES)]);
    let packed = COMPRESSOR.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = zstd::bulk::Compressor::new(COMPRESSION_LEVEL).ok();
        }
        // With too little room zstd gives up, which is what is wanted.
        slot.as_mut()?.compress_to_buffer(bytes, &mut out[start..]).ok()
    });
    out.truncate(start + packed.unwrap_or(0));
    packed.is_some()
}

/// The payload of a blob.
pub(super) fn pack(salt: u64, parts: BlobParts<'_>) -> Vec<u8> {
    let mut stored = Vec::with_capacity(usize::try_from(parts.bytes()).unwrap_or(0) + 64);
    let sections =
        [parts.summary, parts.text, parts.body].map(|bytes| Packer::section(salt, bytes, &mut stored));
    let body_hash = *blake3::hash(parts.body).as_bytes();
    join(salt, Directory { body_hash, sections }, &stored)
}

/// The payload of a blob whose body is in a file of its own.
pub(super) fn pack_large(
    salt: u64,
    summary: &[u8],
    text: &[u8],
    body: SectionEntry,
    body_hash: [u8; 32],
) -> Vec<u8> {
    let mut stored = Vec::new();
    let [summary, text] = [summary, text].map(|bytes| Packer::section(salt, bytes, &mut stored));
    join(salt, Directory { body_hash, sections: [summary, text, body] }, &stored)
}

fn join(salt: u64, directory: Directory, stored: &[u8]) -> Vec<u8> {
    let mut payload = Vec::with_capacity(directory.encoded_bytes() + stored.len());
    directory.encode(salt, &mut payload);
    payload.extend_from_slice(stored);
    payload
}
