//! Bodies that arrive in pieces: small ones are gathered and put, large ones go to a file of their own block by block.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures_channel::oneshot;

use super::engine::Engine;
use super::packing::{BLOCK_BYTES, Packer, pack, pack_large};
use super::record::Kind;
use super::segments::{INCOMING, LARGE, incoming_path, large_path};
use crate::disk::DiskFile;
use crate::{
    AppendClass, AppendError, BLOB_BYTES_MAX, BlobId, BlobParts, LARGE_BODY_BYTES, Pending, StoreError,
    Upload,
};

/// Largest body in bytes, so that the directory of its blocks fits in a record.
const BODY_BYTES_MAX: u64 = 64 << 30;

/// Free space is looked at whenever this many bytes more have arrived.
const SPACE_CHECK_BYTES: u64 = 1 << 20;

pub(super) struct EmbeddedUpload {
    engine: Arc<Engine>,
    /// What is not in the file yet: everything of a small body, less than a block of a large one.
    gathered: Vec<u8>,
    large: Option<LargeBody>,
}

/// A body on its way into a file.
struct LargeBody {
    engine: Arc<Engine>,
    number: u64,
    file: Arc<dyn DiskFile>,
    packer: Packer,
    hasher: blake3::Hasher,
    stored_bytes: u64,
    /// The file has its lasting name and is no longer ours to remove.
    kept: bool,
}

impl EmbeddedUpload {
    pub(super) fn new(engine: Arc<Engine>) -> EmbeddedUpload {
        EmbeddedUpload { engine, gathered: Vec::new(), large: None }
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.engine.lock().admit()?;
        self.gathered.extend_from_slice(bytes);
        if self.large.is_none() {
            if self.gathered.len() <= LARGE_BODY_BYTES {
                return Ok(());
            }
            self.large = Some(LargeBody::create(&self.engine)?);
        }
        self.flush(BLOCK_BYTES)
    }

    /// Moves gathered bytes to the file, in blocks, while there are at least `least` of them.
    fn flush(&mut self, least: usize) -> Result<(), StoreError> {
        let Some(large) = &mut self.large else { return Ok(()) };
        let mut rest = &self.gathered[..];
        while rest.len() >= least.max(1) {
            let (block, after) = rest.split_at(rest.len().min(BLOCK_BYTES));
            large.block(block)?;
            rest = after;
        }
        self.gathered = rest.to_vec();
        Ok(())
    }

    fn end(self, summary: Bytes, text: Bytes) -> Pending<'static, Result<BlobId, StoreError>> {
        let beside = summary.len().saturating_add(text.len());
        if beside > BLOB_BYTES_MAX {
            let error = StoreError::TooLarge { bytes: beside as u64, bytes_max: BLOB_BYTES_MAX as u64 };
            return Box::pin(std::future::ready(Err(error)));
        }
        Box::pin(async move {
            let engine = Arc::clone(&self.engine);
            if self.large.is_none() {
                let parts = BlobParts { summary: &summary, text: &text, body: &self.gathered };
                return engine.put(Kind::Blob, 0, &pack(engine.salt, parts)).map_err(StoreError::from);
            }
            let (sender, receiver) = oneshot::channel();
            // Two syncs wait for the disk.
            engine.pool.run(move || drop(sender.send(self.end_large(&summary, &text))));
            receiver.await.unwrap_or(Err(StoreError::Closed))
        })
    }

    fn end_large(mut self, summary: &[u8], text: &[u8]) -> Result<BlobId, StoreError> {
        self.flush(1)?;
        let Some(mut large) = self.large.take() else { return Err(StoreError::Closed) };
        large.keep()?;
        let body = std::mem::take(&mut large.packer.entry);
        let hash = *large.hasher.finalize().as_bytes();
        let payload = pack_large(self.engine.salt, summary, text, body, hash);
        let put = self.engine.put(Kind::LargeBlob, large.number, &payload);
        if let Err(AppendError::Full) = put {
            large.kept = false;
        }
        put.map_err(StoreError::from)
    }
}

impl Upload for EmbeddedUpload {
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> Pending<'a, Result<(), StoreError>> {
        // The page cache takes it; waiting begins only at the end.
        Box::pin(async move { self.take(bytes) })
    }

    fn finish(self: Box<Self>, summary: Bytes, text: Bytes) -> Pending<'static, Result<BlobId, StoreError>> {
        self.end(summary, text)
    }
}

impl LargeBody {
    fn create(engine: &Arc<Engine>) -> Result<LargeBody, StoreError> {
        engine.space_for(AppendClass::Grow)?;
        let number = engine.next_file.fetch_add(1, Ordering::Relaxed);
        let path = incoming_path(number);
        let file = engine.disk.create(&path).map_err(|error| StoreError::io(path, &error))?;
        Ok(LargeBody {
            engine: Arc::clone(engine),
            number,
            file,
            packer: Packer::default(),
            hasher: blake3::Hasher::new(),
            stored_bytes: 0,
            kept: false,
        })
    }

    fn block(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        if self.packer.entry.bytes + bytes.len() as u64 > BODY_BYTES_MAX {
            let bytes = self.packer.entry.bytes + bytes.len() as u64;
            return Err(StoreError::TooLarge { bytes, bytes_max: BODY_BYTES_MAX });
        }
        let mut stored = Vec::with_capacity(BLOCK_BYTES);
        self.packer.block(self.engine.salt, bytes, true, &mut stored);
        self.hasher.update(bytes);
        let written = self.file.write_at(&stored, self.stored_bytes);
        written.map_err(|error| StoreError::io(incoming_path(self.number), &error))?;
        let before = self.stored_bytes / SPACE_CHECK_BYTES;
        self.stored_bytes += stored.len() as u64;
        if self.stored_bytes / SPACE_CHECK_BYTES > before {
            self.engine.space_for(AppendClass::Grow)?;
        }
        Ok(())
    }

    /// Makes the file and its name durable.
    fn keep(&mut self) -> Result<(), StoreError> {
        let disk = &self.engine.disk;
        let kept = self.file.sync().and_then(|()| {
            disk.rename(&incoming_path(self.number), &large_path(self.number))?;
            self.kept = true;
            disk.sync_dir(LARGE)?;
            disk.sync_dir(INCOMING)
        });
        // A sync that failed here harms only this file, whose name was told to nobody.
        kept.map_err(|error: io::Error| StoreError::io(large_path(self.number), &error))
    }
}

impl Drop for LargeBody {
    fn drop(&mut self) {
        if !self.kept {
            // Either may be its name by now; what stays is removed at the next opening.
            drop(self.engine.disk.remove(&incoming_path(self.number)));
            drop(self.engine.disk.remove(&large_path(self.number)));
        }
    }
}
