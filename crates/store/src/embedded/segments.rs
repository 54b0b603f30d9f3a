//! The files of the log: their names, the open ones, and those made ready in advance.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::StoreError;
use crate::disk::{Disk, DiskFile};

pub(super) const LOG: &str = "log";
pub(super) const LARGE: &str = "large";
pub(super) const INCOMING: &str = "incoming";

/// A file that waits to become a segment is named this and a number.
pub(super) const READY: &str = "log/ready";

/// The segment kept for when the disk is full. One that replaces it while it is on its way to become a segment has a number behind this name, so that the
/// two are never confused; the next opening gives it the plain name.
pub(super) const RESERVE: &str = "log/reserve";

/// Open files kept, so that a read needs no path look-up, and well below the usual limit of 1,024 for a process.
const OPEN_FILES_MAX: usize = 256;

pub(super) fn segment_path(number: u32) -> String {
    format!("{LOG}/{number:08x}.seg")
}

pub(super) fn large_path(file: u64) -> String {
    format!("{LARGE}/{file:016x}")
}

pub(super) fn incoming_path(file: u64) -> String {
    format!("{INCOMING}/{file:016x}")
}

/// The number in the name of a segment file; `None` for other files.
pub(super) fn segment_number(name: &str) -> Option<u32> {
    u32::from_str_radix(name.strip_suffix(".seg")?, 16).ok()
}

/// A file of zeros that waits to become a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ready {
    pub path: String,
    pub bytes: u64,
}

/// Segments that are open, the longest unopened of which are closed first.
pub(super) struct OpenFiles {
    disk: Arc<dyn Disk>,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    files: HashMap<String, Arc<dyn DiskFile>>,
    order: VecDeque<String>,
}

impl OpenFiles {
    pub(super) fn new(disk: Arc<dyn Disk>) -> OpenFiles {
        OpenFiles { disk, open: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file, opened if need be.
    pub(super) fn file(&self, path: String) -> io::Result<Arc<dyn DiskFile>> {
        if let Some(file) = self.lock().files.get(&path) {
            return Ok(Arc::clone(file));
        }
        let file = self.disk.open(&path)?;
        let mut open = self.lock();
        if open.order.len() >= OPEN_FILES_MAX
            && let Some(oldest) = open.order.pop_front()
        {
            open.files.remove(&oldest);
        }
        if open.files.insert(path.clone(), Arc::clone(&file)).is_none() {
            open.order.push_back(path);
        }
        Ok(file)
    }

    /// Closes a file that is about to go.
    pub(super) fn forget(&self, path: &str) {
        let mut open = self.lock();
        open.files.remove(path);
        open.order.retain(|name| name != path);
    }
}

/// Makes a file of zeros, or nothing at all.
pub(super) fn make_ready(
    disk: &dyn Disk,
    path: &str,
    bytes: u64,
    free_bytes_min: u64,
    written: bool,
) -> Result<Ready, StoreError> {
    let failed = |error: &io::Error| StoreError::io(format_args!("make {path}"), error);
    let free = disk.free_bytes().map_err(|error| failed(&error))?;
    if free < bytes.saturating_add(free_bytes_min) {
        return Err(StoreError::Full);
    }
    let file = disk.create(path).map_err(|error| failed(&error))?;
    let made = file.allocate(bytes, written).and_then(|()| disk.sync_dir(LOG));
    if let Err(error) = made {
        // Half a file would only take space from what must still be written.
        drop(disk.remove(path));
        return Err(failed(&error));
    }
    Ok(Ready { path: path.to_owned(), bytes })
}
