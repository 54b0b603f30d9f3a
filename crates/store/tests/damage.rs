//! Bit rot: every kind of damage is detected or harmless, the rest keeps working, and damage never looks like a deletion.

#![allow(clippy::unwrap_used, reason = "a failing test is the answer")]

mod driver;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use driver::{ANN, BEN, append, sample, section, wait};
use store::disk::SimDisk;
use store::{
    BlobId, BlobParts, Damaged, Embedded, LARGE_BODY_BYTES, Maintenance, Options, Section, Store, StoreError,
    Stored,
};
use tempfile::TempDir;

fn options() -> Options {
    Options { segment_bytes: 8 << 10, reserve_bytes: 1 << 10, free_bytes_min: 0, ..Options::default() }
}

fn open(disk: &SimDisk) -> Result<Embedded, StoreError> {
    Embedded::open_inline(Arc::new(disk.clone()), options())
}

/// A small store that has seen everything, and all its answers.
fn small_store(large: bool) -> (SimDisk, Vec<BlobId>) {
    let disk = SimDisk::new(64 << 20);
    let store = open(&disk).unwrap();
    let mut blobs = Vec::new();
    for no in 1..=12 {
        let body = sample(no, 900 * no as usize);
        blobs.push(
            store.put_blob(BlobParts { summary: &sample(no, 70), text: b"text", body: &body }).unwrap(),
        );
        append(&store, ANN, no - 1, no, "an entry").unwrap();
        append(&store, BEN, no - 1, no, "another").unwrap();
    }
    if large {
        let mut upload = store.upload();
        wait(upload.write(&sample(99, LARGE_BODY_BYTES + 5))).unwrap();
        blobs.push(wait(upload.finish(Bytes::from_static(b"s"), Bytes::new())).unwrap());
    }
    wait(store.checkpoint(ANN, 4, Bytes::from_static(b"four"))).unwrap();
    wait(store.checkpoint(ANN, 8, Bytes::from_static(b"eight"))).unwrap();
    wait(store.close()).unwrap();
    (disk, blobs)
}

#[derive(Debug, PartialEq)]
struct Answers {
    heads: [u64; 2],
    checkpoints: Result<Vec<(u64, Bytes)>, StoreError>,
    entries: [Result<Vec<Stored>, StoreError>; 2],
    blobs: Vec<[Result<Bytes, StoreError>; 3]>,
}

fn ask(store: &Embedded, blobs: &[BlobId]) -> Answers {
    let blob = |id: &BlobId| {
        [Section::Summary, Section::Text, Section::Body]
            .map(|section| wait(store.blob(*id, section, 0..u64::MAX)))
    };
    Answers {
        heads: [ANN, BEN].map(|account| wait(store.head(account)).unwrap()),
        checkpoints: wait(store.checkpoints(ANN)),
        entries: [wait(store.read(ANN, 4, usize::MAX)), wait(store.read(BEN, 0, usize::MAX))],
        blobs: blobs.iter().map(blob).collect(),
    }
}

/// Same, or an error that says damage, or (only if `reported`) absence.
fn same_or_damaged<T: PartialEq>(
    answer: &Result<T, StoreError>,
    truth: &Result<T, StoreError>,
    reported: bool,
) -> bool {
    answer == truth
        || matches!(answer, Err(StoreError::Damaged(_)))
        || (reported && matches!(answer, Err(StoreError::Missing { .. } | StoreError::Forgotten { .. })))
}

fn judge(answers: &Answers, truth: &Answers, reported: bool, at: &str) {
    for (answer, truth) in answers.blobs.iter().flatten().zip(truth.blobs.iter().flatten()) {
        assert!(same_or_damaged(answer, truth, reported), "{at}: blob {answer:?}");
    }
    for (answer, truth) in answers.entries.iter().zip(&truth.entries) {
        // A shorter journal is an answer only if the damage was reported.
        let shorter = match (answer, truth) {
            (Ok(answer), Ok(truth)) => reported && truth.starts_with(answer),
            _ => false,
        };
        assert!(shorter || same_or_damaged(answer, truth, reported), "{at}: entries {answer:?}");
    }
    let older = answers.checkpoints.is_ok() && reported;
    assert!(
        older || same_or_damaged(&answers.checkpoints, &truth.checkpoints, reported),
        "{at}: checkpoints"
    );
    assert!(reported || answers.heads == truth.heads, "{at}: a head went back without a word");
}

#[test]
fn each_flipped_byte_is_detected_or_harmless() {
    let (disk, blobs) = small_store(false);
    let files = disk.files();
    let truth = ask(&open(&disk).unwrap(), &blobs);
    let (mut flips, mut detected) = (0, 0);
    for (name, content) in &files {
        // The reserve is zeros and is made anew; a few of its bytes are enough.
        let step = if name.ends_with("reserve") { 301 } else { 3 };
        for at in (flips % step..content.len()).step_by(step) {
            let mut flipped = content.clone();
            flipped[at] ^= 1 << (at % 8);
            let disk = restore(&files);
            disk.corrupt(name, flipped);
            let at = format!("{name} byte {at}");
            let store = open(&disk).unwrap_or_else(|error| panic!("{at}: {error}"));
            let check = wait(store.check()).unwrap();
            let reported = !store.damaged_at_open().is_empty() || !check.damaged.is_empty();
            let answers = ask(&store, &blobs);
            judge(&answers, &truth, reported, &at);
            flips += 1;
            detected += usize::from(reported);
        }
    }
    assert!(flips > 4_000 && detected > flips * 9 / 10, "{detected} of {flips} detected");
}

fn restore(files: &BTreeMap<String, Vec<u8>>) -> SimDisk {
    let disk = SimDisk::new(64 << 20);
    for (name, content) in files {
        store::disk::Disk::create(&disk, name).unwrap();
        disk.corrupt(name, content.clone());
    }
    disk
}

#[test]
fn damage_to_a_large_body_is_named_and_the_rest_goes_on() {
    let (disk, blobs) = small_store(true);
    let (name, content) = disk.files().into_iter().find(|(name, _)| name.starts_with("large/")).unwrap();
    let id = *blobs.last().unwrap();
    let mut flipped = content.clone();
    flipped[content.len() / 2] ^= 4;
    disk.corrupt(&name, flipped);
    let store = open(&disk).unwrap();
    let damaged = Damaged::Blob(id);
    assert_eq!(wait(store.blob(id, Section::Body, 0..u64::MAX)), Err(StoreError::Damaged(damaged)));
    assert_eq!(wait(store.check()).unwrap().damaged, [damaged]);
    assert_eq!(&section(&store, id, Section::Summary)[..], b"s");
    let start = wait(store.blob(id, Section::Body, 0..1000)).unwrap();
    assert_eq!(start, sample(99, 1000), "blocks that are whole are still read");
}

#[test]
fn missing_files_are_damage_and_not_deletion() {
    let (disk, blobs) = small_store(true);
    let mut names: Vec<String> = disk.files().into_keys().collect();
    names.retain(|name| name.ends_with(".seg") || name.starts_with("large/"));
    // Of the last segment nothing but an index can know, and this disk has none; the next test is about that.
    let last = names.iter().rposition(|name| name.ends_with(".seg")).unwrap();
    names.remove(last);
    assert!(names.len() > 2);
    for name in names {
        let mut files = disk.files();
        files.remove(&name);
        let store = open(&restore(&files)).unwrap();
        let reported =
            !store.damaged_at_open().is_empty() || !wait(store.check()).unwrap().damaged.is_empty();
        assert!(reported, "{name} is gone and nobody noticed");
        let live = blobs.iter().copied().collect();
        let watermark = store.watermark();
        wait(store.reclaim(live, watermark)).unwrap();
    }
}

/// The segment files of a store on the real disk.
fn segments(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder.join("log")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "seg"));
    paths.sort();
    paths
}

#[test]
fn damage_behind_the_bookmark_is_found_on_reading() {
    let folder = TempDir::new().unwrap();
    let store = Embedded::open(folder.path(), options()).unwrap();
    let body = sample(1, 3000);
    let id = store.put_blob(BlobParts { body: &body, ..BlobParts::default() }).unwrap();
    append(&store, ANN, 0, 1, "an entry to be damaged").unwrap();
    append(&store, ANN, 1, 2, "whole").unwrap();
    append(&store, BEN, 0, 1, "whole").unwrap();
    wait(store.close()).unwrap();
    drop(store);
    let path = segments(folder.path()).remove(0);
    let mut content = fs::read(&path).unwrap();
    let at = content.windows(8).position(|window| window == b"an entry").unwrap();
    content[at] ^= 1;
    fs::write(&path, content).unwrap();
    let store = Embedded::open(folder.path(), options()).unwrap();
    let damaged = Damaged::Entry { account: ANN, no: 1 };
    assert_eq!(wait(store.read(ANN, 0, 1000)), Err(StoreError::Damaged(damaged)));
    assert_eq!(driver::read(&store, ANN, 1), [(2, "whole".to_owned())]);
    assert_eq!(driver::read(&store, BEN, 0), [(1, "whole".to_owned())]);
    assert_eq!(section(&store, id, Section::Body), body);
    assert!(wait(store.check()).unwrap().damaged.contains(&damaged));
    // A damaged segment is left alone, even if all else in it is dead.
    let watermark = store.watermark();
    assert_eq!(wait(store.reclaim(std::iter::empty().collect(), watermark)).unwrap().blobs, 0);
    append(&store, ANN, 2, 3, "and it goes on").unwrap();
}

#[test]
fn segment_cut_behind_the_bookmark_is_reported_at_open() {
    let folder = TempDir::new().unwrap();
    let store = Embedded::open(folder.path(), options()).unwrap();
    append(&store, ANN, 0, 1, "one").unwrap();
    append(&store, ANN, 1, 2, "two").unwrap();
    wait(store.close()).unwrap();
    drop(store);
    let path = segments(folder.path()).remove(0);
    let content = fs::read(&path).unwrap();
    fs::write(&path, &content[..content.len() - 100]).unwrap();
    let store = Embedded::open(folder.path(), options()).unwrap();
    assert!(!store.damaged_at_open().is_empty());
    assert_eq!(wait(store.head(ANN)), Ok(2), "the head is known to have been 2");
    assert!(matches!(wait(store.read(ANN, 0, 1000)), Err(StoreError::Damaged(_))));
}

#[test]
fn missing_last_segment_is_reported_at_open() {
    let folder = TempDir::new().unwrap();
    let store = Embedded::open(folder.path(), options()).unwrap();
    append(&store, ANN, 0, 1, "one").unwrap();
    wait(store.close()).unwrap();
    drop(store);
    fs::remove_file(segments(folder.path()).pop().unwrap()).unwrap();
    let store = Embedded::open(folder.path(), options()).unwrap();
    assert!(matches!(store.damaged_at_open(), [Damaged::Log { offset: 0, .. }]));
    assert!(matches!(wait(store.read(ANN, 0, 1000)), Err(StoreError::Damaged(_))));
    assert!(append(&store, ANN, 0, 1, "in its place").is_err());
}

#[test]
fn useless_index_is_built_anew() {
    let folder = TempDir::new().unwrap();
    let store = Embedded::open(folder.path(), options()).unwrap();
    append(&store, ANN, 0, 1, "one").unwrap();
    wait(store.close()).unwrap();
    drop(store);
    for nonsense in [&b""[..], b"SQLite format 3\0 and then nonsense", &[7; 9000]] {
        for suffix in ["-wal", "-shm"] {
            drop(fs::remove_file(folder.path().join(format!("index.sqlite{suffix}"))));
        }
        fs::write(folder.path().join("index.sqlite"), nonsense).unwrap();
        let store = Embedded::open(folder.path(), options()).unwrap();
        assert_eq!(driver::read(&store, ANN, 0), [(1, "one".to_owned())]);
        wait(store.close()).unwrap();
    }
}

#[test]
fn index_of_another_store_is_not_believed() {
    let [first, second] = [(); 2].map(|()| TempDir::new().unwrap());
    for (folder, text) in [(&first, "first"), (&second, "second")] {
        let store = Embedded::open(folder.path(), options()).unwrap();
        append(&store, ANN, 0, 1, text).unwrap();
        append(&store, ANN, 1, 2, text).unwrap();
        wait(store.close()).unwrap();
    }
    fs::copy(first.path().join("index.sqlite"), second.path().join("index.sqlite")).unwrap();
    let store = Embedded::open(second.path(), options()).unwrap();
    assert_eq!(driver::read(&store, ANN, 1), [(2, "second".to_owned())]);
}
