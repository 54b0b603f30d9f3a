//! Reading back: where a record is, and out of it only what was asked for, verified.
//!
//! A blob's id says where it was written first, so no index is asked unless its segment was reclaimed. What is in the page cache is read on the
//! caller's thread; only what would wait for the disk goes to the pool.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_channel::oneshot;

use super::engine::Engine;
use super::packing::{Directory, Span};
use super::record::{Kind, Place, RECORD_HEADER_BYTES, RecordHeader};
use super::segments::{large_path, segment_path};
use crate::disk::DiskFile;
use crate::{AccountKey, BlobId, Damaged, EntryNo, Pending, Section, StoreError, Stored};

/// The first read of a record takes this much: header, directory and summary of nearly all messages.
const FIRST_READ_BYTES: usize = 4 << 10;

/// The same when the body is wanted: most messages whole.
const FIRST_BODY_READ_BYTES: usize = 32 << 10;

/// Summaries of neighbours that have to come from the disk are read in one piece of this many bytes.
const WINDOW_BYTES: u64 = 1 << 20;

/// So many neighbours make a piece worth its bytes: on a disk, one request of a piece costs about as much as four small ones.
const NEIGHBOURS_MIN: usize = 4;

/// A place may be reclaimed between looking it up and reading it; the next look-up gives the new one.
const LOOK_UPS_MAX: usize = 4;

/// Whether a read may wait for the medium.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Access {
    CachedOnly,
    Waiting,
}

/// Why a read ended early.
#[derive(Debug)]
pub(super) enum Stop {
    /// The bytes are not in memory.
    WouldWait,
    /// The place is no longer what it was: look it up again.
    Moved,
    Failed(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Stop {
        Stop::Failed(error)
    }
}

/// Where a record's bytes are.
pub(super) enum Source {
    Memory(Bytes),
    File(Arc<dyn DiskFile>, u64),
}

impl Source {
    /// Bytes from `start` of the record, fewer at the end of what there is.
    fn read(&self, start: u64, bytes: usize, access: Access) -> Result<Bytes, Stop> {
        match self {
            Source::Memory(record) => {
                let start = usize::try_from(start).unwrap_or(usize::MAX).min(record.len());
                Ok(record.slice(start..start.saturating_add(bytes).min(record.len())))
            }
            Source::File(file, offset) => read_file(&**file, offset.saturating_add(start), bytes, access),
        }
    }
}

fn read_file(file: &dyn DiskFile, offset: u64, bytes: usize, access: Access) -> Result<Bytes, Stop> {
    let mut buffer = vec![0; bytes];
    let failed = |error: io::Error| Stop::Failed(StoreError::io("read", &error));
    let count = match access {
        Access::CachedOnly => {
            file.read_cached_at(&mut buffer, offset).map_err(failed)?.ok_or(Stop::WouldWait)?
        }
        Access::Waiting => file.read_at(&mut buffer, offset).map_err(failed)?,
    };
    buffer.truncate(count);
    Ok(Bytes::from(buffer))
}

/// A piece of a segment, read at once.
struct Window {
    start: Place,
    bytes: Bytes,
}

impl Window {
    fn covers(window: Option<&Window>, id: BlobId) -> bool {
        window.is_some_and(|window| window.source(id).is_some())
    }

    /// The blob's record as far as it is in the window.
    fn source(&self, id: BlobId) -> Option<Source> {
        let place = Place::home(id);
        let inside = place.segment() == self.start.segment() && place >= self.start;
        let offset = usize::try_from(place.offset().checked_sub(self.start.offset())?).ok()?;
        (inside && offset < self.bytes.len()).then(|| Source::Memory(self.bytes.slice(offset..)))
    }
}

impl Engine {
    /// Opens the segment that holds `place`.
    fn source(&self, place: Place) -> Result<Source, Stop> {
        match self.files.file(segment_path(place.segment())) {
            Ok(file) => Ok(Source::File(file, place.offset())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Stop::Moved),
            Err(error) => Err(Stop::Failed(StoreError::io(segment_path(place.segment()), &error))),
        }
    }

    /// Reads a whole record and verifies it; `None` if it is damaged.
    pub(super) fn record(&self, place: Place) -> Result<Option<(RecordHeader, Bytes)>, Stop> {
        let source = self.source(place)?;
        let mut bytes = source.read(0, FIRST_READ_BYTES, Access::Waiting)?;
        let Some(header) = RecordHeader::decode(self.salt, &bytes) else { return Ok(None) };
        if bytes.len() < header.record_bytes() {
            bytes = source.read(0, header.record_bytes(), Access::Waiting)?;
        }
        let whole = header.payload(self.salt, &bytes).map(<[u8]>::len);
        Ok(whole.map(|length| (header, bytes.slice(RECORD_HEADER_BYTES..RECORD_HEADER_BYTES + length))))
    }

    /// The durable entries after a number.
    pub(super) fn read_entries(
        &self,
        account: AccountKey,
        after: EntryNo,
        bytes_max: usize,
    ) -> Result<Vec<Stored>, Stop> {
        let heads = self.catalog.heads(account);
        if after < heads.floor() {
            return Err(StoreError::Forgotten { floor: heads.floor() }.into());
        }
        if after >= heads.head {
            return Ok(Vec::new());
        }
        let damaged = |no| Stop::Failed(StoreError::Damaged(Damaged::Entry { account, no }));
        let (places, all) = self.catalog.entries(account, after, bytes_max)?;
        let mut entries = Vec::with_capacity(places.len());
        let mut before = after;
        for (no, at) in places {
            // The chain is whole only if each entry names the one before it; the first may follow a number that was never given.
            let follows = if entries.is_empty() { at.previous <= before } else { at.previous == before };
            let record = self.record(at.place)?.filter(|_| follows);
            let (header, bytes) = record.ok_or(damaged(no))?;
            if header.kind != Kind::Entry || header.account != account.0 || header.number != no {
                return Err(damaged(no));
            }
            entries.push(Stored { no, bytes });
            before = no;
        }
        if all && before < heads.head {
            return Err(damaged(heads.head));
        }
        Ok(entries)
    }

    /// One generation of checkpoint.
    pub(super) fn read_checkpoint(
        &self,
        account: AccountKey,
        generation: usize,
    ) -> Result<Option<(EntryNo, Bytes)>, Stop> {
        let heads = self.catalog.heads(account);
        let Some(at) = heads.checkpoints.get(generation).copied().filter(|at| *at > 0) else {
            return Ok(None);
        };
        let damaged = StoreError::Damaged(Damaged::Checkpoint { account, at });
        let Some(place) = self.catalog.checkpoint(account, at)? else { return Err(Stop::Moved) };
        match self.record(place)? {
            Some((header, manifest))
                if header.kind == Kind::Checkpoint && (header.account, header.number) == (account.0, at) =>
            {
                Ok(Some((at, manifest)))
            }
            _ => Err(damaged.into()),
        }
    }

    /// Where a blob is now.
    pub(super) fn locate(&self, id: BlobId, access: Access) -> Result<Source, Stop> {
        let home = Place::home(id);
        {
            let queue = self.lock();
            if let Some(record) = queue.carried.get(&id) {
                return Ok(Source::Memory(record.clone()));
            }
            if let Some(record) = queue.record_at(self.salt, home) {
                return Ok(Source::Memory(record));
            }
        }
        let segment = self.catalog.segment(home.segment());
        if segment.is_some_and(|segment| !segment.removed && home.offset() < segment.bytes) {
            return self.source(home);
        }
        if access == Access::CachedOnly && !self.pool.is_inline() && segment.is_some() {
            // The index may have to read.
            return Err(Stop::WouldWait);
        }
        match self.catalog.moved(id)? {
            // A dead blob that was reclaimed again, just before a crash.
            Some(place) if self.catalog.segment(place.segment()).is_none_or(|segment| segment.removed) => {
                Err(StoreError::Missing { blob: id }.into())
            }
            Some(place) => self.source(place),
            None => Err(StoreError::Missing { blob: id }.into()),
        }
    }

    /// A blob's directory, with the bytes that were read for it.
    fn directory(
        &self,
        id: BlobId,
        source: &Source,
        first_bytes: usize,
        access: Access,
    ) -> Result<(RecordHeader, Directory, Bytes), Stop> {
        let damaged = || Stop::Failed(StoreError::Damaged(Damaged::Blob(id)));
        let mut bytes = source.read(0, first_bytes, access)?;
        let header = RecordHeader::decode(self.salt, &bytes).ok_or_else(damaged)?;
        if !matches!(header.kind, Kind::Blob | Kind::LargeBlob) || header.number != id.0 {
            return Err(damaged());
        }
        let payload = bytes.get(RECORD_HEADER_BYTES..).ok_or_else(damaged)?;
        let directory_bytes = Directory::bytes_of(payload).ok_or_else(damaged)?;
        if directory_bytes > header.payload_bytes as usize {
            return Err(damaged());
        }
        if directory_bytes > payload.len() {
            bytes = source.read(0, RECORD_HEADER_BYTES + directory_bytes, access)?;
        }
        let payload = bytes.get(RECORD_HEADER_BYTES..).ok_or_else(damaged)?;
        let directory = Directory::decode(self.salt, payload).ok_or_else(damaged)?;
        Ok((header, directory, bytes))
    }

    /// A range of a section.
    pub(super) fn read_section(
        &self,
        id: BlobId,
        section: Section,
        range: &Range<u64>,
        access: Access,
    ) -> Result<Bytes, Stop> {
        let source = self.locate(id, access)?;
        self.section_of(id, &source, section, range, access)
    }

    /// A range of a section of the blob at `source`.
    fn section_of(
        &self,
        id: BlobId,
        source: &Source,
        section: Section,
        range: &Range<u64>,
        access: Access,
    ) -> Result<Bytes, Stop> {
        let damaged = || Stop::Failed(StoreError::Damaged(Damaged::Blob(id)));
        let first_bytes = if section == Section::Body { FIRST_BODY_READ_BYTES } else { FIRST_READ_BYTES };
        let (header, directory, read) = self.directory(id, source, first_bytes, access)?;
        let entry = &directory.sections[section as usize];
        let Some(span) = entry.span(range) else { return Ok(Bytes::new()) };
        let stored = if header.kind == Kind::LargeBlob && section == Section::Body {
            self.large_bytes(id, header.extra, &span, access)?
        } else {
            let start = RECORD_HEADER_BYTES as u64 + directory.section_offset(section) + span.stored_offset;
            let end = RECORD_HEADER_BYTES as u64 + u64::from(header.payload_bytes);
            if start + span.stored_bytes as u64 > end {
                return Err(damaged());
            }
            let held =
                usize::try_from(start).ok().and_then(|start| read.get(start..start + span.stored_bytes));
            match held {
                Some(held) => read.slice_ref(held),
                None => source.read(start, span.stored_bytes, access)?,
            }
        };
        let unpacked = entry.unpack(self.salt, &span, &stored).ok_or_else(damaged)?;
        let whole = span.inside == (0..unpacked.len()) && unpacked.len() as u64 == entry.bytes;
        if section == Section::Body && whole && *blake3::hash(&unpacked).as_bytes() != directory.body_hash {
            return Err(damaged());
        }
        if span.inside.end > unpacked.len() {
            return Err(damaged());
        }
        Ok(Bytes::from(unpacked).slice(span.inside))
    }

    /// The whole summaries of many blobs.
    pub(super) fn read_summaries(&self, ids: &[BlobId], access: Access) -> Result<Vec<Bytes>, Stop> {
        let everything = 0..u64::MAX;
        let mut window = None;
        let mut summaries = Vec::with_capacity(ids.len());
        for (index, id) in ids.iter().enumerate() {
            if access == Access::Waiting && !Window::covers(window.as_ref(), *id) {
                window = self.window(&ids[index..]);
            }
            let near = window.as_ref().and_then(|window| window.source(*id)).and_then(|source| {
                // Whatever does not fit in the window, or is no longer there, is looked for in the usual way.
                self.section_of(*id, &source, Section::Summary, &everything, access).ok()
            });
            let far = || self.read_section(*id, Section::Summary, &everything, access);
            summaries.push(near.map_or_else(|| self.look_up(Damaged::Blob(*id), far), Ok)?);
        }
        Ok(summaries)
    }

    /// A piece of the segment in which the first of these blobs and enough of the next ones are.
    fn window(&self, ids: &[BlobId]) -> Option<Window> {
        let start = Place::home(*ids.first()?);
        let is_near = |id: &BlobId| {
            let place = Place::home(*id);
            place > start
                && place.segment() == start.segment()
                && place.offset() - start.offset() < WINDOW_BYTES - FIRST_READ_BYTES as u64
        };
        if ids[1..].iter().take(NEIGHBOURS_MIN).filter(|id| is_near(id)).count() < NEIGHBOURS_MIN {
            return None;
        }
        let source = self.source(start).ok()?;
        let bytes = source.read(0, WINDOW_BYTES as usize, Access::Waiting).ok()?;
        Some(Window { start, bytes })
    }

    fn large_bytes(&self, id: BlobId, file: u64, span: &Span, access: Access) -> Result<Bytes, Stop> {
        let damaged = || Stop::Failed(StoreError::Damaged(Damaged::Blob(id)));
        let path = large_path(file);
        let file = match self.files.file(path.clone()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(damaged()),
            opened => opened.map_err(|error| Stop::Failed(StoreError::io(path, &error)))?,
        };
        read_file(&*file, span.stored_offset, span.stored_bytes, access)
    }

    /// Repeats a read whose place was reclaimed under it.
    pub(super) fn look_up<T>(&self, lost: Damaged, read: impl Fn() -> Result<T, Stop>) -> Result<T, Stop> {
        self.readable()?;
        for _ in 0..LOOK_UPS_MAX {
            match read() {
                Err(Stop::Moved) => {}
                answer => return answer,
            }
        }
        // A file is gone that nothing removed, and no other place is known.
        Err(StoreError::Damaged(lost).into())
    }
}

/// Reads at once if that needs no waiting, else on the pool.
pub(super) fn read<'a, T: Send + 'static>(
    engine: &Arc<Engine>,
    first: Access,
    read: impl Fn(&Engine, Access) -> Result<T, Stop> + Send + 'static,
) -> Pending<'a, Result<T, StoreError>> {
    let engine = Arc::clone(engine);
    Box::pin(async move {
        engine.drive();
        let first = if engine.pool.is_inline() { Access::Waiting } else { first };
        if first == Access::Waiting && !engine.pool.is_inline() {
            return on_pool(&engine, read).await;
        }
        match read(&engine, first) {
            Ok(value) => Ok(value),
            Err(Stop::WouldWait) => on_pool(&engine, read).await,
            Err(stop) => Err(error_of(stop)),
        }
    })
}

pub(super) async fn on_pool<T: Send + 'static>(
    engine: &Arc<Engine>,
    read: impl Fn(&Engine, Access) -> Result<T, Stop> + Send + 'static,
) -> Result<T, StoreError> {
    let (sender, receiver) = oneshot::channel();
    let shared = Arc::clone(engine);
    engine.pool.run(move || drop(sender.send(read(&shared, Access::Waiting).map_err(error_of))));
    receiver.await.unwrap_or(Err(StoreError::Closed))
}

fn error_of(stop: Stop) -> StoreError {
    match stop {
        Stop::Failed(error) => error,
        // Both are asked for and handled before this.
        Stop::WouldWait | Stop::Moved => StoreError::Closed,
    }
}
