//! A disk in memory that forgets what was not synced, as badly as a real one may.
//!
//! Each file has two contents, what programs see and what the medium holds, and each folder two lists of names. [`SimDisk::power_off`] makes a new
//! disk out of what the medium holds and, by seed, some of the rest: each unsynced 512-byte sector is kept, lost or torn, each unsynced length
//! old or new, each unsynced change of a name kept or lost.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Disk, DiskFile};

/// What a medium writes whole or not at all, in bytes.
const SECTOR_BYTES: usize = 512;

/// Calls that change something, and can be made to fail.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum SimCall {
    /// [`Disk::create`].
    Create,
    /// [`Disk::rename`].
    Rename,
    /// [`Disk::remove`].
    Remove,
    /// [`Disk::sync_dir`].
    SyncDir,
    /// [`DiskFile::write_at`].
    Write,
    /// [`DiskFile::sync`].
    Sync,
    /// [`DiskFile::truncate`].
    Truncate,
    /// [`DiskFile::allocate`].
    Allocate,
}

/// A simulated disk. Clones are the same disk.
#[derive(Clone)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
}

struct State {
    files: Vec<Content>,
    /// Names as programs see them, and as the medium has them.
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    /// Changes of names that no [`Disk::sync_dir`] has covered yet, in order.
    unsynced_names: Vec<NameChange>,
    calls: u64,
    /// The call that finds the power off.
    last_call: u64,
    failures: Vec<Failure>,
    lying_sync: bool,
    capacity_bytes: u64,
}

#[derive(Clone, Default)]
struct Content {
    seen: Vec<u8>,
    medium: Vec<u8>,
    dirty: BTreeSet<usize>,
}

#[derive(Clone)]
enum NameChange {
    Appear { name: String, file: usize },
    Vanish { name: String },
    Move { from: String, to: String, file: usize },
}

struct Failure {
    call: SimCall,
    /// Calls of this kind still to let pass.
    pass: u64,
    kind: io::ErrorKind,
}

impl SimDisk {
    /// An empty disk of `capacity_bytes`.
    pub fn new(capacity_bytes: u64) -> SimDisk {
        SimDisk::of(Vec::new(), BTreeMap::new(), capacity_bytes)
    }

    fn of(files: Vec<Content>, names: BTreeMap<String, usize>, capacity_bytes: u64) -> SimDisk {
        let state = State {
            files,
            durable_names: names.clone(),
            names,
            unsynced_names: Vec::new(),
            calls: 0,
            last_call: u64::MAX,
            failures: Vec::new(),
            lying_sync: false,
            capacity_bytes,
        };
        SimDisk { state: Arc::new(Mutex::new(state)) }
    }

    /// Changing calls so far.
    pub fn calls(&self) -> u64 {
        self.lock().calls
    }

    /// Lets `calls` more changing calls pass; from then on every call, also reading, fails.
    pub fn power_fails_after(&self, calls: u64) {
        let mut state = self.lock();
        state.last_call = state.calls.saturating_add(calls);
    }

    /// The `nth` (from 1) `call` from now on fails with `kind`. A failed write has written half or, as if it had failed at its
    /// very end, everything; a failed sync loses what it should have kept, as
    /// Linux does: programs go on seeing it until the cache is dropped.
    pub fn fail(&self, call: SimCall, nth: u64, kind: io::ErrorKind) {
        self.lock().failures.push(Failure { call, pass: nth.saturating_sub(1), kind });
    }

    /// From now on file syncs answer `Ok` and do nothing: a fault to prove that a test would notice.
    pub fn lie_about_syncs(&self) {
        self.lock().lying_sync = true;
    }

    /// Changes how much fits.
    pub fn set_capacity(&self, bytes: u64) {
        self.lock().capacity_bytes = bytes;
    }

    /// The disk as a machine finds it after losing power now. This one is of no further use.
    pub fn power_off(&self, seed: u64) -> SimDisk {
        let mut state = self.lock();
        state.last_call = 0;
        let mut chance = Chance(seed);
        let mut names = state.durable_names.clone();
        for change in &state.unsynced_names {
            if chance.below(2) == 0 {
                change.apply(&mut names);
            }
        }
        let files = state.files.iter().map(|content| content.after_power_off(&mut chance)).collect();
        SimDisk::of(files, names, state.capacity_bytes)
    }

    /// The process is gone and the machine goes on: calls work again, and what was written is seen, synced or not.
    pub fn process_restarts(&self) {
        let mut state = self.lock();
        state.last_call = u64::MAX;
        state.failures.clear();
    }

    /// Every file by name with its content as programs see it.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.lock();
        state.names.iter().map(|(name, file)| (name.clone(), state.files[*file].seen.clone())).collect()
    }

    /// Replaces a file's content, durably, behind everyone's back: bit rot.
    pub fn corrupt(&self, name: &str, content: Vec<u8>) {
        let mut state = self.lock();
        if let Some(file) = state.names.get(name).copied() {
            state.files[file] = Content { medium: content.clone(), seen: content, dirty: BTreeSet::new() };
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn powered(&self) -> io::Result<()> {
        if self.calls >= self.last_call { Err(io::Error::other("the power is off")) } else { Ok(()) }
    }

    /// Counts a changing call and decides its fate.
    fn admit(&mut self, call: SimCall) -> io::Result<Option<io::Error>> {
        self.powered()?;
        self.calls += 1;
        let mut fate = None;
        self.failures.retain_mut(|failure| {
            if failure.call != call || fate.is_some() {
                return true;
            }
            if failure.pass > 0 {
                failure.pass -= 1;
                return true;
            }
            fate = Some(io::Error::new(failure.kind, "injected"));
            false
        });
        Ok(fate)
    }

    fn admit_whole(&mut self, call: SimCall) -> io::Result<()> {
        self.admit(call)?.map_or(Ok(()), Err)
    }

    fn find(&self, path: &str) -> io::Result<usize> {
        self.names.get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn change(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.unsynced_names.push(change);
    }

    fn free_bytes(&self) -> u64 {
        let used: u64 = self.names.values().map(|file| self.files[*file].seen.len() as u64).sum();
        self.capacity_bytes.saturating_sub(used)
    }

    fn grow(&mut self, file: usize, bytes: usize) -> io::Result<()> {
        let seen = self.files[file].seen.len();
        if bytes > seen {
            if (bytes - seen) as u64 > self.free_bytes() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            set_len(&mut self.files[file].seen, bytes);
            self.files[file].touch(seen, bytes);
        }
        Ok(())
    }
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            NameChange::Appear { name, file } => {
                names.insert(name.clone(), *file);
            }
            NameChange::Vanish { name } => {
                names.remove(name);
            }
            NameChange::Move { from, to, file } => {
                names.remove(from);
                names.insert(to.clone(), *file);
            }
        }
    }

    /// The folder whose sync makes the change durable.
    fn folder(&self) -> &str {
        match self {
            NameChange::Appear { name, .. }
            | NameChange::Vanish { name }
            | NameChange::Move { to: name, .. } => name.rsplit_once('/').map_or("", |(folder, _)| folder),
        }
    }
}

impl Content {
    fn touch(&mut self, start: usize, end: usize) {
        self.dirty.extend(start / SECTOR_BYTES..end.div_ceil(SECTOR_BYTES));
    }

    /// Writes what is dirty. What a failed sync has lost is clean, and stays lost.
    fn write_back(&mut self) {
        set_len(&mut self.medium, self.seen.len());
        for sector in std::mem::take(&mut self.dirty) {
            let start = (sector * SECTOR_BYTES).min(self.seen.len());
            let end = (start + SECTOR_BYTES).min(self.seen.len());
            self.medium[start..end].copy_from_slice(&self.seen[start..end]);
        }
    }

    fn after_power_off(&self, chance: &mut Chance) -> Content {
        let old = &self.medium;
        let bytes = if chance.below(2) == 0 { old.len() } else { self.seen.len() };
        let mut left = old.clone();
        set_len(&mut left, bytes);
        for sector in &self.dirty {
            let start = (sector * SECTOR_BYTES).min(bytes);
            let end = (start + SECTOR_BYTES).min(bytes).min(self.seen.len());
            let kept = match chance.below(3) {
                0 => 0,
                1 => SECTOR_BYTES,
                _ => chance.below(SECTOR_BYTES as u64) as usize,
            };
            let end = end.min(start + kept).max(start);
            if end > start {
                left[start..end].copy_from_slice(&self.seen[start..end]);
            }
        }
        Content { seen: left.clone(), medium: left, dirty: BTreeSet::new() }
    }
}

impl Disk for SimDisk {
    fn open(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        let state = self.lock();
        state.powered()?;
        let file = state.find(path)?;
        Ok(Arc::new(SimFile { disk: self.clone(), file }))
    }

    fn create(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.lock();
        state.admit_whole(SimCall::Create)?;
        if state.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let file = state.files.len();
        state.files.push(Content::default());
        state.change(NameChange::Appear { name: path.to_owned(), file });
        Ok(Arc::new(SimFile { disk: self.clone(), file }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.lock();
        state.admit_whole(SimCall::Rename)?;
        let file = state.find(from)?;
        state.change(NameChange::Move { from: from.to_owned(), to: to.to_owned(), file });
        Ok(())
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let mut state = self.lock();
        state.admit_whole(SimCall::Remove)?;
        state.find(path)?;
        state.change(NameChange::Vanish { name: path.to_owned() });
        Ok(())
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let state = self.lock();
        state.powered()?;
        let inside = state.names.keys().filter_map(|name| match name.rsplit_once('/') {
            Some((place, leaf)) if place == folder => Some(leaf.to_owned()),
            None if folder.is_empty() => Some(name.clone()),
            _ => None,
        });
        Ok(inside.collect())
    }

    fn create_dir(&self, _folder: &str) -> io::Result<()> {
        // Folders exist as soon as a file is put in them.
        self.lock().powered()
    }

    fn sync_dir(&self, folder: &str) -> io::Result<()> {
        let mut state = self.lock();
        state.admit_whole(SimCall::SyncDir)?;
        let changes = std::mem::take(&mut state.unsynced_names);
        for change in changes {
            if change.folder() == folder {
                change.apply(&mut state.durable_names);
            } else {
                state.unsynced_names.push(change);
            }
        }
        Ok(())
    }

    fn free_bytes(&self) -> io::Result<u64> {
        Ok(self.lock().free_bytes())
    }
}

struct SimFile {
    disk: SimDisk,
    file: usize,
}

impl DiskFile for SimFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let state = self.disk.lock();
        state.powered()?;
        let seen = &state.files[self.file].seen;
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(seen.len());
        let count = buffer.len().min(seen.len() - start);
        buffer[..count].copy_from_slice(&seen[start..start + count]);
        Ok(count)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.disk.lock();
        let fate = state.admit(SimCall::Write)?;
        // Half, or all: a write may also fail at its very end.
        let half = fate.is_some() && state.calls.is_multiple_of(2);
        let bytes = if half { &bytes[..bytes.len() / 2] } else { bytes };
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let end = start.checked_add(bytes.len()).ok_or(io::ErrorKind::InvalidInput)?;
        state.grow(self.file, end)?;
        let content = &mut state.files[self.file];
        content.seen[start..end].copy_from_slice(bytes);
        content.touch(start, end);
        fate.map_or(Ok(()), Err)
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.lock();
        let fate = state.admit(SimCall::Sync)?;
        let lying = state.lying_sync;
        let content = &mut state.files[self.file];
        if let Some(error) = fate {
            content.dirty.clear();
            return Err(error);
        }
        if !lying {
            content.write_back();
        }
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        let state = self.disk.lock();
        state.powered()?;
        Ok(state.files[self.file].seen.len() as u64)
    }

    fn truncate(&self, bytes: u64) -> io::Result<()> {
        let mut state = self.disk.lock();
        state.admit_whole(SimCall::Truncate)?;
        let bytes = usize::try_from(bytes).map_err(io::Error::other)?;
        state.grow(self.file, bytes)?;
        let content = &mut state.files[self.file];
        // A cut that is not synced may leave the old end: its sectors are dirty.
        content.touch(bytes.min(content.seen.len()), content.seen.len());
        content.seen.truncate(bytes);
        Ok(())
    }

    fn allocate(&self, bytes: u64, _written: bool) -> io::Result<()> {
        {
            let mut state = self.disk.lock();
            state.admit_whole(SimCall::Allocate)?;
            state.grow(self.file, usize::try_from(bytes).map_err(io::Error::other)?)?;
        }
        self.sync()
    }

    fn drop_cache(&self) {
        let mut state = self.disk.lock();
        let content = &mut state.files[self.file];
        if content.dirty.is_empty() {
            content.seen.clone_from(&content.medium);
        }
    }
}

/// Cuts, or appends zeros. They come from the allocator, which in a debug build is far quicker than filling one by one.
fn set_len(bytes: &mut Vec<u8>, length: usize) {
    bytes.truncate(length);
    bytes.extend_from_slice(&vec![0; length - bytes.len()]);
}

/// Draws from a seed (SplitMix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}
