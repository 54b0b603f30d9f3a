//! A plain model of a store, a random walk that drives engine and model together, and the comparison after each crash.
//!
//! The model knows three kinds of fate: *acknowledged* (must be there), *refused* (must not), and *unknown* (the power went, or a sync failed: may be
//! there, but then whole, in order, and with everything it names).

#![allow(dead_code, reason = "each test file uses its own part")]

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use store::disk::{SimCall, SimDisk};
use store::{
    AccountKey, AppendClass, AppendError, BlobId, BlobParts, Embedded, LARGE_BODY_BYTES, LiveBlobs,
    Maintenance, Options, Section, Store, StoreError,
};

use crate::driver::{sample, wait};

/// Draws from a seed.
pub struct Chance(pub u64);

impl Chance {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }

    pub fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }
}

/// What a blob is, by its seed and the lengths of its three sections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    seed: u64,
    bytes: [usize; 3],
}

impl Shape {
    fn draw(chance: &mut Chance, body_bytes: usize) -> Shape {
        let bytes = [chance.below(600) as usize, chance.below(6000) as usize, body_bytes];
        Shape { seed: chance.below(u64::MAX), bytes }
    }

    fn section(&self, index: usize) -> Vec<u8> {
        sample(self.seed ^ index as u64, self.bytes[index])
    }
}

#[derive(Clone, Debug)]
struct Unknown {
    no: u64,
    entry: Vec<u8>,
    blobs: Vec<(BlobId, Shape)>,
}

#[derive(Clone, Debug, Default)]
struct Journal {
    entries: BTreeMap<u64, Vec<u8>>,
    head: u64,
    unknown: Vec<Unknown>,
    /// Newest first.
    checkpoints: Vec<(u64, Vec<u8>)>,
    unknown_checkpoint: Option<(u64, Vec<u8>)>,
    dropped: u64,
    unknown_drop: bool,
}

impl Journal {
    fn add_checkpoint(&mut self, at: u64, manifest: Vec<u8>) {
        self.checkpoints.insert(0, (at, manifest));
        self.checkpoints.truncate(2);
        let floor = self.floor();
        self.entries.retain(|no, _| *no > floor);
    }

    fn floor(&self) -> u64 {
        self.checkpoints.get(1).map_or(self.dropped, |older| older.0)
    }

    fn drop_all(&mut self) {
        *self = Journal { head: self.head, dropped: self.head, ..Journal::default() };
    }
}

/// What may go wrong on a walk beside the power.
#[derive(Copy, Clone, Debug)]
pub struct Weather {
    /// Writes that find the disk full although space was allocated, as copy-on-write file systems do.
    pub full: bool,
    pub failing_syncs: bool,
    pub reclaim: bool,
    /// A disk on which hardly anything fits.
    pub tight: bool,
    /// The planted bug.
    pub lying_syncs: bool,
}

impl Weather {
    pub const FAIR: Weather =
        Weather { full: false, failing_syncs: false, reclaim: true, tight: false, lying_syncs: false };
}

pub struct Model {
    journals: BTreeMap<AccountKey, Journal>,
    blobs: BTreeMap<BlobId, Shape>,
    /// Put, not yet covered by anything acknowledged.
    put: Vec<(BlobId, Shape)>,
    chance: Chance,
    pub acknowledged: u64,
    pub reclaimed: u64,
}

pub fn options() -> Options {
    Options { segment_bytes: 96 << 10, reserve_bytes: 16 << 10, free_bytes_min: 0, ..Options::default() }
}

/// The power went, or the store is poisoned: the life is over.
struct LifeOver;

type Walk<T> = Result<T, LifeOver>;

impl Model {
    pub fn new(seed: u64) -> Model {
        Model {
            journals: BTreeMap::new(),
            blobs: BTreeMap::new(),
            put: Vec::new(),
            chance: Chance(seed),
            acknowledged: 0,
            reclaimed: 0,
        }
    }

    /// One life of a store: some steps, perhaps until the power goes.
    pub fn live(&mut self, store: &Embedded, disk: &SimDisk, weather: Weather, steps: u64) {
        if weather.lying_syncs {
            disk.lie_about_syncs();
        }
        for _ in 0..steps {
            if weather.full && self.chance.one_in(6) {
                disk.fail(SimCall::Write, 1 + self.chance.below(3), io::ErrorKind::StorageFull);
            }
            if weather.failing_syncs && self.chance.one_in(40) {
                disk.fail(SimCall::Sync, 1 + self.chance.below(3), io::ErrorKind::Other);
            }
            if self.step(store, weather).is_err() {
                return;
            }
        }
        if self.chance.one_in(3) && wait(store.close()).is_ok() {
            let put = std::mem::take(&mut self.put);
            self.blobs.extend(put);
        }
    }

    fn step(&mut self, store: &Embedded, weather: Weather) -> Walk<()> {
        let account = AccountKey(1 + self.chance.below(3));
        match self.chance.below(20) {
            0 => self.checkpoint(store, account),
            1 => self.drop_journal(store, account),
            2 if weather.reclaim => self.reclaim(store),
            3 => self.upload(store),
            4 => self.sync(store),
            _ => self.appends(store, account),
        }
    }

    /// A few appends to one account in a pipeline, each with its blobs.
    fn appends(&mut self, store: &Embedded, account: AccountKey) -> Walk<()> {
        let mut pending = Vec::new();
        let mut head = self.journals.entry(account).or_default().head;
        for _ in 0..=self.chance.below(4) {
            let mut blobs = Vec::new();
            for _ in 0..self.chance.below(3) {
                let body_bytes = self.chance.below(9000) as usize;
                let shape = Shape::draw(&mut self.chance, body_bytes);
                let [summary, text, body] = [0, 1, 2].map(|index| shape.section(index));
                match store.put_blob(BlobParts { summary: &summary, text: &text, body: &body }) {
                    Ok(id) => blobs.push((id, shape)),
                    Err(AppendError::Full) => {}
                    Err(_) => return Err(LifeOver),
                }
            }
            let no = head + 1 + self.chance.below(3);
            let mut entry: Vec<u8> = blobs.iter().flat_map(|(id, _)| id.0.to_le_bytes()).collect();
            entry.extend(sample(no, self.chance.below(300) as usize));
            let class = if self.chance.one_in(4) { AppendClass::Shrink } else { AppendClass::Grow };
            let answer = store.append(account, head, no, Bytes::from(entry.clone()), class);
            self.put.extend(blobs.iter().cloned());
            pending.push((answer, Unknown { no, entry, blobs }, self.put.clone()));
            head = no;
        }
        let mut over = Ok(());
        for (answer, unknown, put_before) in pending {
            let answer = wait(answer);
            let journal = self.journals.entry(account).or_default();
            match answer {
                Ok(()) => {
                    assert!(journal.unknown.is_empty(), "acknowledged after something that was not");
                    journal.entries.insert(unknown.no, unknown.entry);
                    journal.head = unknown.no;
                    self.acknowledged += 1;
                    self.blobs.extend(put_before.iter().cloned());
                    self.put.retain(|put| !put_before.contains(put));
                }
                // What follows a refused one finds another head.
                Err(AppendError::Full | AppendError::Conflict { .. }) => {}
                Err(AppendError::Failed(_)) => {
                    journal.unknown.push(unknown);
                    over = Err(LifeOver);
                }
            }
        }
        over
    }

    fn checkpoint(&mut self, store: &Embedded, account: AccountKey) -> Walk<()> {
        let journal = self.journals.entry(account).or_default();
        let manifest = sample(journal.head, self.chance.below(2000) as usize);
        let at = journal.head;
        match wait(store.checkpoint(account, at, Bytes::from(manifest.clone()))) {
            Ok(()) => {
                journal.add_checkpoint(at, manifest);
                self.covered();
            }
            Err(StoreError::Full | StoreError::OutOfOrder { .. }) => {}
            Err(_) => {
                journal.unknown_checkpoint = Some((at, manifest));
                return Err(LifeOver);
            }
        }
        Ok(())
    }

    fn drop_journal(&mut self, store: &Embedded, account: AccountKey) -> Walk<()> {
        if !self.chance.one_in(4) {
            return Ok(());
        }
        let journal = self.journals.entry(account).or_default();
        match wait(store.drop_journal(account, journal.head)) {
            Ok(()) => {
                journal.drop_all();
                self.covered();
            }
            Err(AppendError::Full) => {}
            Err(_) => {
                journal.unknown_drop = true;
                return Err(LifeOver);
            }
        }
        Ok(())
    }

    fn sync(&mut self, store: &Embedded) -> Walk<()> {
        match wait(store.sync()) {
            Ok(()) => self.covered(),
            Err(StoreError::Full) => {}
            Err(_) => return Err(LifeOver),
        }
        Ok(())
    }

    /// Everything put so far is durable.
    fn covered(&mut self) {
        let put = std::mem::take(&mut self.put);
        self.blobs.extend(put);
    }

    fn upload(&mut self, store: &Embedded) -> Walk<()> {
        let large = self.chance.one_in(4);
        let body_bytes = if large { LARGE_BODY_BYTES + 1 } else { 3000 } + self.chance.below(9000) as usize;
        let shape = Shape::draw(&mut self.chance, body_bytes);
        let [summary, text, body] = [0, 1, 2].map(|index| shape.section(index));
        let mut upload = store.upload();
        for piece in body.chunks(400_000) {
            match wait(upload.write(piece)) {
                Ok(()) => {}
                Err(StoreError::Full) => return Ok(()),
                Err(_) => return Err(LifeOver),
            }
        }
        match wait(upload.finish(Bytes::from(summary), Bytes::from(text))) {
            Ok(id) => self.put.push((id, shape)),
            // An upload that failed was never named; the store itself may go on.
            Err(_) => return Ok(()),
        }
        Ok(())
    }

    fn reclaim(&mut self, store: &Embedded) -> Walk<()> {
        // Expunge some, so that there is something to reclaim.
        let share = 1 + self.chance.below(4);
        let doomed: Vec<BlobId> =
            self.blobs.keys().copied().filter(|_| !self.chance.one_in(1 + share)).collect();
        for id in doomed {
            self.blobs.remove(&id);
        }
        let before = store.watermark();
        let live: LiveBlobs = self.blobs.keys().copied().chain(self.put.iter().map(|put| put.0)).collect();
        match wait(store.reclaim(live, before)) {
            Ok(reclaimed) => self.reclaimed += reclaimed.blobs,
            Err(StoreError::Full) => {}
            Err(_) => return Err(LifeOver),
        }
        Ok(())
    }

    /// Compares what a newly opened store says with what must, may and must not be there, then takes what was found as acknowledged: what a
    /// recovery has shown once must stay.
    pub fn verify(&mut self, store: &Embedded) -> Result<(), String> {
        if !store.damaged_at_open().is_empty() {
            return Err(format!("a crash was taken for damage: {:?}", store.damaged_at_open()));
        }
        let mut found_blobs = Vec::new();
        for (account, journal) in &mut self.journals {
            verify_journal(store, *account, journal, &mut found_blobs)?;
        }
        self.blobs.extend(found_blobs);
        self.put.clear();
        for (id, shape) in &self.blobs {
            for (index, section) in [Section::Summary, Section::Text, Section::Body].into_iter().enumerate() {
                let read =
                    wait(store.blob(*id, section, 0..u64::MAX)).map_err(|e| format!("blob {id}: {e}"))?;
                if read != shape.section(index) {
                    return Err(format!("blob {id}: {section:?} has other bytes"));
                }
            }
        }
        let report = wait(store.check()).map_err(|error| format!("check: {error}"))?;
        if !report.damaged.is_empty() {
            return Err(format!("check finds damage: {:?}", report.damaged));
        }
        Ok(())
    }
}

fn verify_journal(
    store: &Embedded,
    account: AccountKey,
    journal: &mut Journal,
    found_blobs: &mut Vec<(BlobId, Shape)>,
) -> Result<(), String> {
    let say = |what: &str| format!("account {}: {what}", account.0);
    let checkpoints =
        wait(store.checkpoints(account)).map_err(|error| say(&format!("checkpoints: {error}")))?;
    let checkpoints: Vec<(u64, Vec<u8>)> = checkpoints.into_iter().map(|(at, m)| (at, m.to_vec())).collect();
    let head = wait(store.head(account)).map_err(|error| say(&format!("head: {error}")))?;
    if journal.unknown_drop && checkpoints.is_empty() {
        let gone = wait(store.read(account, 0, 1)) == Err(StoreError::Forgotten { floor: journal.head });
        if gone && head == journal.head {
            journal.drop_all();
        }
    }
    if checkpoints != journal.checkpoints {
        let Some((at, manifest)) = journal.unknown_checkpoint.take() else {
            return Err(say("checkpoints differ"));
        };
        journal.add_checkpoint(at, manifest);
        if checkpoints != journal.checkpoints {
            return Err(say("checkpoints differ, whether or not the last one counts"));
        }
    }
    journal.unknown_checkpoint = None;
    journal.unknown_drop = false;
    let floor = journal.floor();
    let read =
        wait(store.read(account, floor, usize::MAX)).map_err(|error| say(&format!("read: {error}")))?;
    let mut found = read.into_iter().map(|entry| (entry.no, entry.bytes.to_vec()));
    for (no, entry) in &journal.entries {
        if found.next() != Some((*no, entry.clone())) {
            return Err(say(&format!("entry {no} was acknowledged and is not there, or not the same")));
        }
    }
    let mut unknown = std::mem::take(&mut journal.unknown).into_iter();
    for (no, entry) in found {
        let Some(expected) = unknown.next().filter(|unknown| (unknown.no, &unknown.entry) == (no, &entry))
        else {
            return Err(say(&format!("entry {no} is there and should not be")));
        };
        found_blobs.extend(expected.blobs);
        journal.entries.insert(no, entry);
        journal.head = no;
    }
    if head != journal.head {
        return Err(say(&format!("head is {head}, its last entry is {}", journal.head)));
    }
    Ok(())
}

/// The power goes, or only the process: then what it wrote is still seen, and must be made durable before anyone believes it.
fn crash(disk: SimDisk, chance: &mut Chance) -> SimDisk {
    if chance.one_in(3) {
        disk.process_restarts();
        return disk;
    }
    disk.power_off(chance.below(u64::MAX))
}

/// Lives, crashes and recoveries from one seed. Answers the model, or what was wrong.
pub fn walk(seed: u64, weather: Weather) -> Result<Model, String> {
    let capacity_bytes = if weather.tight { 350 << 10 } else { 256 << 20 };
    let mut disk = SimDisk::new(capacity_bytes);
    let mut model = Model::new(seed);
    for life in 0..4 {
        let say = |error: String| format!("seed {seed}, life {life}: {error}");
        let mut calls = 20 + model.chance.below(260);
        // A crash in the middle of a recovery, and another one, must not change what is found in the end.
        let store = loop {
            if model.chance.one_in(2) {
                disk.power_fails_after(model.chance.below(12));
                if let Ok(store) = Embedded::open_inline(Arc::new(disk.clone()), options()) {
                    drop(store);
                }
                disk = crash(disk, &mut model.chance);
                continue;
            }
            break Embedded::open_inline(Arc::new(disk.clone()), options())
                .map_err(|e| say(format!("open: {e}")))?;
        };
        model.verify(&store).map_err(say)?;
        if model.chance.one_in(8) {
            calls = u64::MAX;
        }
        disk.power_fails_after(calls);
        model.live(&store, &disk, weather, 40);
        drop(store);
        disk = crash(disk, &mut model.chance);
    }
    let store =
        Embedded::open_inline(Arc::new(disk), options()).map_err(|error| format!("seed {seed}: {error}"))?;
    model.verify(&store).map_err(|error| format!("seed {seed}, at the end: {error}"))?;
    Ok(model)
}
