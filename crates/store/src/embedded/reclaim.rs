//! Giving space back: what is still in use in a mostly dead segment is copied to the log's head, and the segment removed.
//!
//! The order is what keeps mail: the copies and a note that the segment is reclaimed are durable *before* the file goes, so at every moment
//! each live record is in the log at least once, whole. Copies are the same bytes, so every check of the original is one of the copy. A segment
//! in which anything is damaged is never touched: damage must not become deletion.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;

use super::engine::{Engine, answer};
use super::index::{Change, Segment};
use super::queue::Claim;
use super::read::{Access, Stop, on_pool};
use super::record::{Kind, Place, RecordHeader};
use super::recover::read_whole;
use super::scan::{Expected, Found, scan};
use super::segments::{LARGE, LOG, large_path, segment_path};
use crate::{AccountKey, AppendError, BlobId, LiveBlobs, Reclaimed, StoreError};

/// A segment is worth reclaiming when at most one part in this many of it is alive.
const LIVE_SHARE: u64 = 2;

/// Segments filled to less than one part in this many are left by short lives of the process. When there are as many of them, they
/// are joined.
const SMALL_SHARE: u64 = 8;

/// What marking found.
#[derive(Clone)]
pub(super) struct Mark {
    pub live: Arc<LiveBlobs>,
    /// What was put since is kept.
    pub before: BlobId,
}

impl Mark {
    fn keeps(&self, id: BlobId) -> bool {
        id >= self.before || self.live.contains(id)
    }
}

/// What is to happen to one segment.
#[derive(Default)]
struct Plan {
    copies: Vec<Bytes>,
    /// Dead blobs that had been moved here, and files of dead large bodies.
    gone: Vec<BlobId>,
    large: Vec<u64>,
    dead: u64,
    bytes: u64,
}

/// Reclaims all segments that are worth it.
pub(super) async fn reclaim(engine: &Arc<Engine>, mark: Mark) -> Result<Reclaimed, StoreError> {
    engine.drive();
    let mut reclaimed = Reclaimed::default();
    let sought = mark.clone();
    let worth = on_pool(engine, move |engine, _| engine.worth_reclaiming(&sought)).await?;
    for number in worth {
        let sought = mark.clone();
        let Some(plan) = on_pool(engine, move |engine, _| Ok(engine.plan(number, &sought)?)).await? else {
            continue;
        };
        let copied_bytes: u64 = plan.copies.iter().map(|record| record.len() as u64).sum();
        let copies = plan.copies.clone();
        let copied = on_pool(engine, move |engine, _| Ok(engine.copy_out(number, &copies))).await?;
        match answer::<AppendError>(engine, copied.map(Some)).await {
            // Without space nothing can be copied; what was reclaimed so far stands.
            Err(AppendError::Full) => break,
            done => done?,
        }
        reclaimed.copied_bytes += copied_bytes;
        reclaimed.blobs += plan.dead;
        reclaimed.bytes += plan.bytes.saturating_sub(copied_bytes);
        reclaimed.bytes +=
            on_pool(engine, move |engine, _| Ok(engine.remove_segment(number, &plan)?)).await?;
    }
    reclaimed.bytes += on_pool(engine, move |engine, _| Ok(engine.remove_orphans(&mark)?)).await?;
    Ok(reclaimed)
}

impl Engine {
    /// Numbers of the segments that are mostly dead, by an estimate that reads none of them.
    fn worth_reclaiming(&self, mark: &Mark) -> Result<Vec<u32>, Stop> {
        self.readable()?;
        let index = self.catalog.whole_index()?;
        let entry_bytes = index.entry_bytes()?;
        let mut moved_in: BTreeMap<u32, u64> = BTreeMap::new();
        index.each_moved(&mut |id, place| {
            if mark.keeps(id) {
                *moved_in.entry(place.segment()).or_insert(0) += 1;
            }
        })?;
        let end = self.first_unsealed();
        let segments = self.catalog.segments();
        let sealed = || segments.range(..end).filter(|(_, segment)| !segment.removed && segment.bytes > 0);
        let small = |segment: &Segment| segment.bytes < self.options.segment_bytes / SMALL_SHARE;
        let join = sealed().filter(|(_, segment)| small(segment)).count() as u64 >= SMALL_SHARE;
        let live_bytes = |number: &u32, segment: &Segment| {
            let [from, to] = [*number, *number + 1].map(|number| BlobId(Place::new(number, 0).0));
            let moved = moved_in.get(number).copied().unwrap_or(0);
            let live_blobs = match *number >= Place::home(mark.before).segment() {
                // Too young to be judged. Its entries may be dead all the same.
                true => segment.blobs,
                false => mark.live.count_between(from, to) as u64 + moved,
            };
            let blob_bytes = segment.blob_bytes / segment.blobs.max(1) * live_blobs;
            blob_bytes + entry_bytes.get(number).copied().unwrap_or(0)
        };
        let mut worth: Vec<(u64, u32)> = sealed()
            .map(|(number, segment)| (live_bytes(number, segment), number, segment))
            .filter(|(live, _, segment)| *live <= segment.bytes / LIVE_SHARE || (join && small(segment)))
            .map(|(live, number, _)| (live, *number))
            .collect();
        // Those that need the least space first, so that a full disk is freed as far as it can be.
        worth.sort_unstable();
        Ok(worth.into_iter().map(|(_, number)| number).collect())
    }

    /// The first segment that may still be written to.
    fn first_unsealed(&self) -> u32 {
        let queue = self.lock();
        let flight = queue.flight.iter().map(|flight| flight.segment);
        let waiting = queue.waiting.iter().map(|batch| batch.segment);
        let tail = Place(queue.watermark().0).segment();
        let current =
            self.current.lock().ok().and_then(|current| current.as_ref().map(|(number, _)| *number));
        flight.chain(waiting).chain(current).chain([tail]).min().unwrap_or(0)
    }

    /// Reads a segment and decides record by record; `None` if it must stay.
    fn plan(&self, number: u32, mark: &Mark) -> Result<Option<Plan>, StoreError> {
        let path = segment_path(number);
        let failed = |error: io::Error| StoreError::io(&path, &error);
        let Some(segment) = self.catalog.segment(number).filter(|segment| !segment.removed) else {
            return Ok(None);
        };
        let file = match self.disk.open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(failed)?,
        };
        let content = Bytes::from(read_whole(&*file, segment.bytes).map_err(failed)?);
        let mut records = Vec::new();
        let mut damaged = false;
        let expected = Expected { salt: self.salt, number, from: 0, batch: 0, known_until: segment.bytes };
        let end = scan(&content, expected, &mut |found| match found {
            Found::Record { header, place, .. } => records.push((header, place)),
            Found::Broken { .. } | Found::Damage { .. } => damaged = true,
            Found::BatchEnd { .. } => {}
        });
        if damaged || end.offset != segment.bytes || (end.first_batch, end.batch) != segment.batches {
            return Ok(None);
        }
        let mut plan = Plan { bytes: file.len().map_err(failed)?, ..Plan::default() };
        for (header, place) in records {
            if self.keeps(&header, place, mark, &mut plan)? {
                let start = place.offset() as usize;
                plan.copies.push(content.slice(start..start + header.record_bytes()));
            }
        }
        Ok(Some(plan))
    }

    /// Whether a record is in use *at this place*.
    fn keeps(
        &self,
        header: &RecordHeader,
        place: Place,
        mark: &Mark,
        plan: &mut Plan,
    ) -> Result<bool, StoreError> {
        let account = AccountKey(header.account);
        match header.kind {
            Kind::Entry => {
                let heads = self.catalog.heads(account);
                let before = header.number.saturating_sub(1);
                let (listed, _) = self.catalog.entries(account, before, 0)?;
                let here = listed.first().is_some_and(|(no, at)| *no == header.number && at.place == place);
                Ok(here && header.number > heads.floor())
            }
            Kind::Checkpoint => {
                let kept = self.catalog.heads(account).checkpoints.contains(&header.number);
                Ok(kept && self.catalog.checkpoint(account, header.number)? == Some(place))
            }
            Kind::Drop => Ok(self.catalog.heads(account).dropped == header.number),
            Kind::Removed => Ok(true),
            Kind::Blob | Kind::LargeBlob => {
                let id = BlobId(header.number);
                let at_home = place == Place::home(id);
                let here = at_home || self.catalog.moved(id)? == Some(place);
                if here && !mark.keeps(id) {
                    plan.dead += 1;
                    plan.gone.extend((!at_home).then_some(id));
                    plan.large.extend((header.kind == Kind::LargeBlob).then_some(header.extra));
                }
                Ok(here && mark.keeps(id))
            }
        }
    }

    /// Enqueues the copies, and the note that the segment is no longer needed.
    fn copy_out(&self, number: u32, copies: &[Bytes]) -> Result<super::engine::Waiter, AppendError> {
        // What frees more than it takes may use the space for expunging, as long as it leaves half of it.
        let bytes: usize = copies.iter().map(Bytes::len).sum();
        let claim =
            if (bytes as u64) < self.options.reserve_bytes / 2 { Claim::Reserve } else { Claim::Usual };
        let (first, last) = self.catalog.segment(number).map_or((0, 0), |segment| segment.batches);
        let note = RecordHeader::new(self.salt, Kind::Removed, first, u64::from(number), last, &[]);
        self.copy(copies, note, claim)
    }

    /// Removes what is no longer needed. Answers how many bytes files of large bodies had.
    fn remove_segment(&self, number: u32, plan: &Plan) -> Result<u64, StoreError> {
        let path = segment_path(number);
        self.files.forget(&path);
        let removed = self.disk.remove(&path).and_then(|()| self.disk.sync_dir(LOG));
        removed.map_err(|error| StoreError::io(&path, &error))?;
        for id in &plan.gone {
            self.catalog.apply_change(&Change::Gone { id: *id });
        }
        let mut bytes = 0;
        for file in &plan.large {
            bytes += self.remove_large(*file)?;
        }
        Ok(bytes)
    }

    fn remove_large(&self, file: u64) -> Result<u64, StoreError> {
        let path = large_path(file);
        let bytes = self.disk.open(&path).and_then(|open| open.len()).unwrap_or(0);
        self.files.forget(&path);
        match self.disk.remove(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::io(&path, &error));
            }
            _ => self.catalog.apply_change(&Change::LargeGone { file }),
        }
        Ok(bytes)
    }

    /// Removes files of large bodies that nothing names: their record was never durable, or was reclaimed just before a crash. Never
    /// while anything is known to be damaged, for then the name may be what is lost; and never what this opening has uploaded.
    fn remove_orphans(&self, mark: &Mark) -> Result<u64, StoreError> {
        if self.catalog.is_damaged() {
            return Ok(0);
        }
        let mut named = BTreeMap::new();
        self.catalog.whole_index()?.each_large(&mut |file, id| {
            named.insert(file, id);
        })?;
        let opened_with = self.next_file.load(Ordering::Relaxed) >> 32;
        let mut bytes = 0;
        for name in self.disk.list(LARGE).map_err(|error| StoreError::io(LARGE, &error))? {
            let Ok(file) = u64::from_str_radix(&name, 16) else { continue };
            let orphan = match named.get(&file) {
                None => true,
                Some(id) => !mark.keeps(*id) && self.is_gone(*id),
            };
            if orphan && file >> 32 < opened_with {
                bytes += self.remove_large(file)?;
            }
        }
        Ok(bytes)
    }

    fn is_gone(&self, id: BlobId) -> bool {
        let missing = StoreError::Missing { blob: id };
        matches!(self.locate(id, Access::Waiting), Err(Stop::Failed(error)) if error == missing)
    }
}
