//! The seam between the embedded engine and whatever keeps its bytes.
//!
//! Under the engine lies either the [`RealDisk`] or the [`SimDisk`], which can lose power. Paths are relative to the store's folder
//! and use `/`. The rules are those of a POSIX file system at its least helpful: what was written is on the disk
//! only after [`DiskFile::sync`], and a name is there (or gone) only after [`Disk::sync_dir`] on its folder.

mod real;
mod sim;

use std::io;
use std::sync::Arc;

pub use real::RealDisk;
pub use sim::{SimCall, SimDisk};

/// A folder of files.
pub trait Disk: Send + Sync + 'static {
    /// Opens an existing file for reading and writing.
    fn open(&self, path: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// Creates a file that must not exist yet.
    fn create(&self, path: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// Gives a file another name, replacing what had it.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file's name. Handles that are open stay usable.
    fn remove(&self, path: &str) -> io::Result<()>;

    /// Names in a folder, in no order.
    fn list(&self, folder: &str) -> io::Result<Vec<String>>;

    /// Makes a folder unless it is there; its name is durable afterwards.
    fn create_dir(&self, folder: &str) -> io::Result<()>;

    /// Makes all changes of names in a folder durable. `""` is the store's folder itself.
    fn sync_dir(&self, folder: &str) -> io::Result<()>;

    /// Bytes that can still be allocated.
    fn free_bytes(&self) -> io::Result<u64>;
}

/// An open file. Reads and writes name their place, so it may be shared by threads.
pub trait DiskFile: Send + Sync + 'static {
    /// Reads until the buffer is full or the file ends; answers how many bytes were read.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// As [`DiskFile::read_at`], but only if that needs no waiting for the medium; `None` if it would.
    fn read_cached_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<Option<usize>> {
        self.read_at(buffer, offset).map(Some)
    }

    /// Writes all bytes.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Makes the content and the length durable.
    fn sync(&self) -> io::Result<()>;

    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Whether the file holds nothing.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Cuts the file.
    fn truncate(&self, bytes: u64) -> io::Result<()>;

    /// Makes an empty file `bytes` long, all zero, so that writing into it needs no more space. With `written`, the zeros are really
    /// written, which takes longer but lets later syncs do without a change of metadata.
    fn allocate(&self, bytes: u64, written: bool) -> io::Result<()>;

    /// Forgets cached content that is clean, so that the next read shows what the medium holds. Failing is harmless.
    fn drop_cache(&self);
}
