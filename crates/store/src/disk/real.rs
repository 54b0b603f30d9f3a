//! The file system of the machine.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, IoSliceMut, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Advice, FallocateFlags, fadvise, fallocate, statvfs};
use rustix::io::{Errno, ReadWriteFlags, preadv2};

use super::{Disk, DiskFile};
use crate::StoreError;

/// Zeros are written in pieces of this many bytes.
const ZERO_PIECE_BYTES: usize = 1 << 20;

/// A folder of the machine's file system, locked for as long as this value lives.
pub struct RealDisk {
    root: PathBuf,
    /// Held for its lock only; the system frees it when the process ends, however it ends.
    _lock: File,
}

impl RealDisk {
    /// Takes the folder, which is made if need be. Mail is nobody else's business, so it is readable by its owner only.
    ///
    /// # Errors
    /// [`StoreError::Locked`] with the holder's process id if the folder is in use.
    pub fn lock(root: &Path) -> Result<RealDisk, StoreError> {
        let context = |error: &io::Error| StoreError::io(format_args!("open {}", root.display()), error);
        use std::os::unix::fs::DirBuilderExt;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(root).map_err(|error| context(&error))?;
        let path = root.join("lock");
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut lock = options.open(&path).map_err(|error| context(&error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let pid = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok());
                return Err(StoreError::Locked { pid });
            }
            Err(TryLockError::Error(error)) => return Err(context(&error)),
        }
        // The number is a courtesy to whoever finds the folder locked; a full disk must not keep a store from opening.
        let told =
            lock.set_len(0).and_then(|()| lock.write_all(format!("{}\n", std::process::id()).as_bytes()));
        drop(told);
        Ok(RealDisk { root: root.to_owned(), _lock: lock })
    }

    fn open_with(&self, path: &str, options: &mut OpenOptions) -> io::Result<Arc<dyn DiskFile>> {
        let file = options.read(true).write(true).mode(0o600).open(self.root.join(path))?;
        Ok(Arc::new(RealFile { file }))
    }
}

impl Disk for RealDisk {
    fn open(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.open_with(path, &mut OpenOptions::new())
    }

    fn create(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.open_with(path, OpenOptions::new().create_new(true))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.root.join(from), self.root.join(to))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        fs::remove_file(self.root.join(path))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.root.join(folder))? {
            // A name that is no UTF-8 is none of ours.
            names.extend(entry?.file_name().into_string().ok());
        }
        Ok(names)
    }

    fn create_dir(&self, folder: &str) -> io::Result<()> {
        match fs::create_dir(self.root.join(folder)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
            Ok(()) => self.sync_dir(""),
        }
    }

    fn sync_dir(&self, folder: &str) -> io::Result<()> {
        File::open(self.root.join(folder))?.sync_all()
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let stat = statvfs(&self.root)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}

struct RealFile {
    file: File,
}

impl DiskFile for RealFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.file.read_at(&mut buffer[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn read_cached_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<Option<usize>> {
        let mut filled = 0;
        while filled < buffer.len() {
            let mut rest = [IoSliceMut::new(&mut buffer[filled..])];
            match preadv2(&self.file, &mut rest, offset + filled as u64, ReadWriteFlags::NOWAIT) {
                Ok(0) => break,
                Ok(count) => filled += count,
                // AGAIN: not in memory. The others: a file system or a kernel without the flag, so nobody can know.
                Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => return Ok(None),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Some(filled))
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn len(&self) -> io::Result<u64> {
        self.file.metadata().map(|metadata| metadata.len())
    }

    fn truncate(&self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)
    }

    fn allocate(&self, bytes: u64, written: bool) -> io::Result<()> {
        let supported = match fallocate(&self.file, FallocateFlags::empty(), 0, bytes) {
            Ok(()) => true,
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => false,
            Err(error) => return Err(error.into()),
        };
        if written || !supported {
            let zeros = vec![0; ZERO_PIECE_BYTES];
            let mut offset = 0;
            while offset < bytes {
                let piece = (bytes - offset).min(ZERO_PIECE_BYTES as u64);
                self.file.write_all_at(&zeros[..piece as usize], offset)?;
                offset += piece;
            }
        }
        self.file.sync_all()
    }

    fn drop_cache(&self) {
        // Advice may be ignored; then nothing is worse than before.
        let _ = fadvise(&self.file, 0, None, Advice::DontNeed);
    }
}
