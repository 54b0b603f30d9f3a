//! Opening a store: what is in the folder, what of the log the index does not know yet, and where the log ends.
//!
//! Nothing here changes an answer that was given. Opening may be interrupted at any point and begun again: it cuts what was never acknowledged,
//! removes what is temporary, and always goes on in a new segment, so that no byte of an old one is written twice.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::Arc;

use super::Options;
use super::bytes::{u32_at, u64_at};
use super::catalog::{BatchEnd, Catalog};
use super::engine::Engine;
use super::index::{Index, Segment};
use super::pool::Pool;
use super::queue::Queue;
use super::record::{Kind, SegmentHeader, VERSION, checksum};
use super::scan::{End, Expected, Found, scan};
use super::segments::{INCOMING, LARGE, LOG, READY, RESERVE, Ready, segment_number, segment_path};
use crate::disk::{Disk, DiskFile};
use crate::{AccountKey, BlobId, Damaged, StoreError};

/// Tells a store's folder, its version and its salt.
const FORMAT: &str = "FORMAT";
const FORMAT_MAGIC: &[u8; 8] = b"MANSIOst";
const FORMAT_BYTES: usize = 24;

/// A file of the log is read up to this many bytes: more than a segment of any setting holds.
const SEGMENT_READ_BYTES_MAX: u64 = 1 << 30;

fn failed(what: &str) -> impl Fn(io::Error) -> StoreError + '_ {
    move |error| StoreError::io(what, &error)
}

/// Reads a file from the start, as far as `bytes_max`.
pub(super) fn read_whole(file: &dyn DiskFile, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut content = vec![0; usize::try_from(file.len()?.min(bytes_max)).map_err(io::Error::other)?];
    let count = file.read_at(&mut content, 0)?;
    content.truncate(count);
    Ok(content)
}

/// The numbers of the segment files, rising.
pub(super) fn segment_numbers(disk: &dyn Disk) -> Result<Vec<u32>, StoreError> {
    let names = disk.list(LOG).map_err(failed(LOG))?;
    let mut numbers: Vec<u32> = names.iter().filter_map(|name| segment_number(name)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Makes the folders, and reads the salt or draws one for a new store.
pub(super) fn prepare(disk: &dyn Disk) -> Result<u64, StoreError> {
    for folder in [LOG, LARGE, INCOMING] {
        disk.create_dir(folder).map_err(failed(folder))?;
    }
    let content = match disk.open(FORMAT) {
        Ok(file) => read_whole(&*file, FORMAT_BYTES as u64).map_err(failed(FORMAT))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(failed(FORMAT)(error)),
    };
    if let Some(salt) = decode_format(&content)? {
        return Ok(salt);
    }
    // A store is born with its first segment; before that, a broken FORMAT is one that was never finished.
    let salt = match salt_of_segments(disk)? {
        Some(salt) => salt,
        None if segment_numbers(disk)?.is_empty() => RandomState::new().hash_one(std::process::id()),
        None => return Err(StoreError::Unsupported("FORMAT and all segments are unreadable".to_owned())),
    };
    write_format(disk, salt).map_err(failed(FORMAT))?;
    Ok(salt)
}

fn decode_format(content: &[u8]) -> Result<Option<u64>, StoreError> {
    let whole = content.len() == FORMAT_BYTES
        && content.starts_with(FORMAT_MAGIC)
        && u32_at(content, 20) == Some(checksum(0, &content[..20]));
    match u32_at(content, 8) {
        Some(version) if whole && version != VERSION => Err(StoreError::Unsupported(format!(
            "it has format {version}, this build knows format {VERSION}"
        ))),
        Some(_) if whole => Ok(u64_at(content, 12)),
        _ => Ok(None),
    }
}

fn write_format(disk: &dyn Disk, salt: u64) -> io::Result<()> {
    let mut content = FORMAT_MAGIC.to_vec();
    content.extend_from_slice(&VERSION.to_le_bytes());
    content.extend_from_slice(&salt.to_le_bytes());
    let sum = checksum(0, &content);
    content.extend_from_slice(&sum.to_le_bytes());
    let temporary = "incoming/FORMAT";
    match disk.remove(temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = disk.create(temporary)?;
    file.write_at(&content, 0)?;
    file.sync()?;
    disk.rename(temporary, FORMAT)?;
    disk.sync_dir("")
}

/// The salt by the first segment whose header is whole.
fn salt_of_segments(disk: &dyn Disk) -> Result<Option<u64>, StoreError> {
    for number in segment_numbers(disk)? {
        let path = segment_path(number);
        let file = disk.open(&path).map_err(failed(&path))?;
        let content =
            read_whole(&*file, super::record::SEGMENT_HEADER_BYTES as u64).map_err(failed(&path))?;
        if let Some(header) = SegmentHeader::decode(&content) {
            return Ok(Some(header.salt));
        }
    }
    Ok(None)
}

/// Brings the index up to the log's end and builds the engine. Answers also what was found damaged.
pub(super) fn recover(
    disk: Arc<dyn Disk>,
    options: Options,
    salt: u64,
    index: Box<dyn Index>,
    pool: Pool,
) -> Result<(Engine, Vec<Damaged>), StoreError> {
    let reserve = clear_temporary(&*disk, options.reserve_bytes)?;
    let catalog = Catalog::open(index)?;
    let numbers = segment_numbers(&*disk)?;
    let mut recovery = Recovery { disk: &*disk, catalog: &catalog, salt, damaged: Vec::new() };
    recovery.read_log(&numbers)?;
    recovery.find_gaps(&numbers);
    recovery.remove_reclaimed(&numbers)?;
    let mut damaged = recovery.damaged;
    damaged.sort_unstable();
    damaged.dedup();
    if !damaged.is_empty() {
        catalog.note_damage();
    }
    // What cannot be told to the index now is told later.
    drop(catalog.advance());
    let known = catalog.segments();
    let highest = numbers.last().copied().max(known.keys().next_back().copied()).unwrap_or(0);
    let last_batch = known.values().map(|segment| segment.batches.1).max().unwrap_or(0);
    let next_batch = last_batch.max(catalog.bookmark().batch) + 1;
    let queue = Queue::new(highest + 1, next_batch, reserve);
    Ok((Engine::new(disk, options, salt, catalog, queue, pool), damaged))
}

/// Removes what the last opening left unfinished. The reserve stays if it is fit.
fn clear_temporary(disk: &dyn Disk, reserve_bytes: u64) -> Result<Option<Ready>, StoreError> {
    for name in disk.list(INCOMING).map_err(failed(INCOMING))? {
        let path = format!("{INCOMING}/{name}");
        disk.remove(&path).map_err(failed(&path))?;
    }
    let mut reserve = None;
    for name in disk.list(LOG).map_err(failed(LOG))? {
        let path = format!("{LOG}/{name}");
        if path.starts_with(RESERVE) && reserve.is_none() && is_fit(disk, &path, reserve_bytes)? {
            reserve = Some(path);
        } else if path.starts_with(RESERVE) || path.starts_with(READY) {
            disk.remove(&path).map_err(failed(&path))?;
        }
    }
    let Some(path) = reserve else { return Ok(None) };
    disk.rename(&path, RESERVE).map_err(failed(&path))?;
    Ok(Some(Ready { path: RESERVE.to_owned(), bytes: reserve_bytes }))
}

/// Whether a file can be the reserve: of the right length, and nothing but zeros.
fn is_fit(disk: &dyn Disk, path: &str, reserve_bytes: u64) -> Result<bool, StoreError> {
    let file = disk.open(path).map_err(failed(path))?;
    let content = read_whole(&*file, reserve_bytes + 1).map_err(failed(path))?;
    Ok(content.len() as u64 == reserve_bytes && content.iter().all(|byte| *byte == 0))
}

struct Recovery<'a> {
    disk: &'a dyn Disk,
    catalog: &'a Catalog,
    salt: u64,
    damaged: Vec<Damaged>,
}

impl Recovery<'_> {
    /// Reads the log from the index's bookmark on.
    fn read_log(&mut self, numbers: &[u32]) -> Result<(), StoreError> {
        let bookmark = self.catalog.bookmark();
        for number in numbers.iter().copied().filter(|number| *number >= bookmark.segment) {
            let is_last = Some(&number) == numbers.last();
            let path = segment_path(number);
            let file = self.disk.open(&path).map_err(failed(&path))?;
            if is_last {
                // What the last process wrote may be in memory only. After a failed sync memory may even show what the disk never got: so
                // first write what can be written, then forget the rest, and only then look.
                file.sync().map_err(failed(&path))?;
                file.drop_cache();
            }
            let from = if number == bookmark.segment { bookmark.offset } else { 0 };
            let content = read_whole(&*file, SEGMENT_READ_BYTES_MAX).map_err(failed(&path))?;
            let batch = self.catalog.bookmark().batch;
            let expected = Expected { salt: self.salt, number, from, batch, known_until: from };
            let end = self.read_segment(&content, expected);
            let bytes = content.len() as u64;
            if from > bytes {
                // It was longer when it was acknowledged.
                self.damaged.push(Damaged::Log { segment: number, offset: bytes });
            } else if end.offset < bytes {
                self.cut(&*file, number, end, is_last, numbers)?;
            }
        }
        Ok(())
    }

    fn read_segment(&mut self, content: &[u8], expected: Expected) -> End {
        let number = expected.number;
        let catalog = self.catalog;
        let damaged = &mut self.damaged;
        let mut records = Vec::new();
        scan(content, expected, &mut |found| match found {
            Found::Record { header, place, .. } => records.push((header, place)),
            Found::Broken { header, place } => {
                damaged.extend(damage_of(header.kind, header.account, header.number));
                catalog.apply_damaged(&header, place);
            }
            Found::BatchEnd { sequence, offset } => {
                let end = BatchEnd { segment: number, sequence, offset };
                catalog.apply(&std::mem::take(&mut records), Some(&end));
            }
            Found::Damage { offset } => damaged.push(Damaged::Log { segment: number, offset }),
        })
    }

    /// Cuts what follows the last batch of a segment: space that was never used, or the torn end of a write that was never acknowledged. Where
    /// the next segment shows that it *was* acknowledged, everything is left as it is; [`Recovery::find_gaps`] reports it.
    fn cut(
        &mut self,
        file: &dyn DiskFile,
        number: u32,
        end: End,
        is_last: bool,
        numbers: &[u32],
    ) -> Result<(), StoreError> {
        if end.torn && !is_last {
            let following = numbers.iter().find(|next| **next > number).copied();
            let first_batch = following.and_then(|next| self.first_batch(next));
            if first_batch.is_none_or(|first| first > end.batch + 1) {
                return Ok(());
            }
        }
        let path = segment_path(number);
        file.truncate(end.offset).and_then(|()| file.sync()).map_err(failed(&path))
    }

    /// The sequence with which a segment begins, by its header.
    fn first_batch(&self, number: u32) -> Option<u64> {
        let file = self.disk.open(&segment_path(number)).ok()?;
        let content = read_whole(&*file, super::record::SEGMENT_HEADER_BYTES as u64).ok()?;
        SegmentHeader::decode(&content).map(|header| header.first_batch)
    }

    /// Removes segments whose reclaiming was noted and then interrupted.
    fn remove_reclaimed(&self, numbers: &[u32]) -> Result<(), StoreError> {
        for number in numbers {
            if self.catalog.segment(*number).is_some_and(|segment| segment.removed) {
                let path = segment_path(*number);
                self.disk.remove(&path).and_then(|()| self.disk.sync_dir(LOG)).map_err(failed(&path))?;
            }
        }
        Ok(())
    }

    /// Reports batches that are nowhere: the sequences of all segments, those reclaimed included, must follow each other.
    fn find_gaps(&mut self, numbers: &[u32]) {
        let known = self.catalog.segments();
        for (number, segment) in &known {
            if !segment.removed && segment.bytes > 0 && numbers.binary_search(number).is_err() {
                self.damaged.push(Damaged::Log { segment: *number, offset: 0 });
            }
        }
        self.damaged.extend(gaps(&known));
    }
}

/// The ends of segments after which batches are missing.
pub(super) fn gaps(segments: &BTreeMap<u32, Segment>) -> Vec<Damaged> {
    let mut ranges: Vec<(u64, u64, u32, u64)> = segments
        .iter()
        .filter(|(_, segment)| segment.batches.0 > 0)
        .map(|(number, segment)| (segment.batches.0, segment.batches.1, *number, segment.bytes))
        .collect();
    ranges.sort_unstable();
    let mut gaps = Vec::new();
    let (mut last, mut segment, mut offset) = (0, 0, 0);
    for (first, end, number, bytes) in ranges {
        if first > last + 1 {
            gaps.push(Damaged::Log { segment, offset });
        }
        if end >= last {
            (last, segment, offset) = (end, number, bytes);
        }
    }
    gaps
}

/// The name of a damaged record.
pub(super) fn damage_of(kind: Kind, account: u64, number: u64) -> Option<Damaged> {
    let account = AccountKey(account);
    match kind {
        Kind::Entry => Some(Damaged::Entry { account, no: number }),
        Kind::Checkpoint => Some(Damaged::Checkpoint { account, at: number }),
        Kind::Blob | Kind::LargeBlob => Some(Damaged::Blob(BlobId(number))),
        Kind::Drop | Kind::Removed => None,
    }
}
