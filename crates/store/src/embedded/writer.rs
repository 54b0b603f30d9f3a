//! The only code that writes to the log: one write and one sync for each batch.
//!
//! What may fail, and what follows:
//!
//! - The *sync* fails, or the write fails for another reason than space: nobody knows what is on the disk. Everyone waiting is told
//!   [`StoreError::Poisoned`], and nothing is written until the store is opened again, which reads what is really there.
//! - The *write* finds the disk full, which allocated space should make impossible but some file systems do. The batch is undone (the file
//!   cut back, and the cut synced) before anyone is told that nothing happened. If even that fails, the store is poisoned.

use std::io;
use std::sync::{Arc, PoisonError};

use super::catalog::BatchEnd;
use super::engine::Engine;
use super::queue::{Batch, Flight, Gate};
use super::segments::{LOG, Ready, segment_path};
use crate::disk::DiskFile;
use crate::error::is_full;
use crate::{AppendError, StoreError};

/// How a write failed.
enum Failure {
    /// Undone: nothing happened.
    Full,
    /// Nobody knows what happened.
    Unknown(StoreError),
}

impl Engine {
    /// Writes the next batch, if there is one.
    pub(super) fn write_next(&self) -> bool {
        let _in_order = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((flight, batch)) = self.lock().take(self.salt) else { return false };
        match self.write(&flight, batch.opens.as_ref()) {
            Ok(()) => self.applied(flight, &batch),
            Err(Failure::Full) => {
                let told = self.lock().take_back(&flight, batch);
                for waiter in told {
                    drop(waiter.send(Err(AppendError::Full)));
                }
            }
            Err(Failure::Unknown(error)) => self.poison(&error),
        }
        self.written.notify_all();
        true
    }

    fn write(&self, flight: &Flight, opens: Option<&Ready>) -> Result<(), Failure> {
        let path = segment_path(flight.segment);
        let unknown = |error: &io::Error| {
            Failure::Unknown(StoreError::Io { kind: error.kind(), context: format!("write {path}: {error}") })
        };
        let file = match opens {
            Some(ready) => self.open_segment(flight.segment, ready, &path)?,
            None => self.current_file(flight.segment).map_err(|error| unknown(&error))?,
        };
        if let Err(error) = file.write_at(&flight.buffer, flight.base) {
            if !is_full(&error) {
                return Err(unknown(&error));
            }
            let undone = match opens {
                Some(_) => self.undo_segment(&path),
                None => file.truncate(flight.base).and_then(|()| file.sync()),
            };
            return Err(undone.map_or_else(|error| unknown(&error), |()| Failure::Full));
        }
        file.sync().map_err(|error| unknown(&error))
    }

    /// Makes a ready file the segment, and seals the one before it.
    fn open_segment(&self, number: u32, ready: &Ready, path: &str) -> Result<Arc<dyn DiskFile>, Failure> {
        let unknown = |error: &io::Error| {
            Failure::Unknown(StoreError::Io { kind: error.kind(), context: format!("open {path}: {error}") })
        };
        self.seal().map_err(|error| unknown(&error))?;
        match self.disk.rename(&ready.path, path) {
            Err(error) if is_full(&error) => return Err(Failure::Full),
            renamed => renamed.map_err(|error| unknown(&error))?,
        }
        self.disk.sync_dir(LOG).map_err(|error| unknown(&error))?;
        let file = self.files.file(path.to_owned()).map_err(|error| unknown(&error))?;
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some((number, Arc::clone(&file)));
        Ok(file)
    }

    /// Removes a segment in which nothing was ever acknowledged.
    fn undo_segment(&self, path: &str) -> io::Result<()> {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.files.forget(path);
        self.disk.remove(path)?;
        self.disk.sync_dir(LOG)
    }

    fn current_file(&self, segment: u32) -> io::Result<Arc<dyn DiskFile>> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        match &*current {
            Some((number, file)) if *number == segment => Ok(Arc::clone(file)),
            _ => Err(io::Error::other("batch for a segment that is not open")),
        }
    }

    /// Cuts the current segment to what was written. Not synced: the next opening does it again if it was lost.
    pub(super) fn seal(&self) -> io::Result<()> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((number, file)) = current.take()
            && let Some(segment) = self.catalog.segment(number)
        {
            file.truncate(segment.bytes)?;
        }
        Ok(())
    }

    fn applied(&self, flight: Arc<Flight>, batch: &Batch) {
        let offset = flight.base + flight.buffer.len() as u64;
        let end = BatchEnd { segment: flight.segment, sequence: flight.sequence, offset };
        let told = {
            let mut queue = self.lock();
            // Under the queue's lock, so that whoever finds an account no longer enqueued finds it durable.
            self.catalog.apply(&batch.records, Some(&end));
            queue.next_batch += 1;
            queue.flight = None;
            queue.recycle(flight);
            let catalog = &self.catalog;
            for (header, _) in &batch.records {
                let account = crate::AccountKey(header.account);
                if let std::collections::hash_map::Entry::Occupied(numbers) = queue.enqueued.entry(account) {
                    let durable = catalog.heads(account);
                    let checkpoint = durable.checkpoints[0].max(durable.dropped);
                    if numbers.get().head == durable.head && numbers.get().checkpoint == checkpoint {
                        numbers.remove();
                    }
                }
            }
            std::mem::take(&mut queue.flight_waiters)
        };
        for waiter in told {
            drop(waiter.send(Ok(())));
        }
        self.batch_applied();
    }

    fn poison(&self, error: &StoreError) {
        let told = self.lock().poison();
        for waiter in told {
            drop(waiter.send(Err(AppendError::Failed(StoreError::Poisoned))));
        }
        if let Some(on_poison) = &self.options.on_poison {
            on_poison(error);
        }
    }

    /// Writes what is enqueued, tells the index, and takes no more.
    pub(super) fn finish(&self) -> Result<(), StoreError> {
        self.lock().push_empty();
        while self.write_next() {}
        if self.lock().gate == Gate::Poisoned {
            return Err(StoreError::Poisoned);
        }
        self.catalog.advance()?;
        let file = self.current.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.seal().map_err(|error| StoreError::io("seal the log", &error))?;
        file.map_or(Ok(()), |(_, file)| file.sync().map_err(|error| StoreError::io("seal the log", &error)))
    }
}
