//! Processes that die: by `kill -9` under load, and at each sync in turn. What they had printed as acknowledged must be there.
//!
//! The dying process is this test binary itself, told by its environment to be [`child`].

#![allow(clippy::unwrap_used, reason = "a failing test is the answer")]

mod driver;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use bytes::Bytes;
use driver::{sample, section, wait};
use store::{
    AccountKey, AppendClass, BlobId, BlobParts, Embedded, LARGE_BODY_BYTES, Maintenance, Options, Section,
    Store,
};
use tempfile::TempDir;

/// Names the folder, and how many entries each thread of the child appends.
const CHILD: &str = "MANSIO_STORE_KILL_CHILD";

const THREADS: u64 = 3;

fn options() -> Options {
    Options { segment_bytes: 256 << 10, reserve_bytes: 16 << 10, free_bytes_min: 0, ..Options::default() }
}

/// Bytes of the body that goes with an entry. Some are files of their own.
fn body(account: u64, no: u64) -> Vec<u8> {
    let bytes = if no.is_multiple_of(40) { LARGE_BODY_BYTES + 1 } else { 2000 + (no % 7) as usize * 900 };
    sample(account * 1_000_000 + no, bytes)
}

fn put(store: &Embedded, account: u64, no: u64) -> BlobId {
    let body = body(account, no);
    if body.len() <= LARGE_BODY_BYTES {
        return store.put_blob(BlobParts { body: &body, ..BlobParts::default() }).unwrap();
    }
    let mut upload = store.upload();
    wait(upload.write(&body)).unwrap();
    wait(upload.finish(Bytes::new(), Bytes::new())).unwrap()
}

/// Appends, and prints what was acknowledged.
fn append_and_print(folder: &Path, count: u64) {
    let store = Embedded::open(folder, options()).unwrap();
    thread::scope(|scope| {
        for account in 1..=THREADS {
            let store = &store;
            scope.spawn(move || {
                let key = AccountKey(account);
                let start = wait(store.head(key)).unwrap();
                for no in start + 1..=start + count {
                    let id = put(store, account, no);
                    let entry = Bytes::copy_from_slice(&id.0.to_le_bytes());
                    wait(store.append(key, no - 1, no, entry, AppendClass::Grow)).unwrap();
                    // One write for a line, so that lines of threads do not mix and none is half.
                    let line = format!("acknowledged {account} {no} {}\n", id.0);
                    std::io::stdout().write_all(line.as_bytes()).unwrap();
                    if no.is_multiple_of(50) {
                        wait(store.checkpoint(key, no - 10, entry_of(no))).unwrap();
                    }
                }
            });
        }
    });
    wait(store.close()).unwrap();
}

fn entry_of(no: u64) -> Bytes {
    Bytes::copy_from_slice(&no.to_le_bytes())
}

#[test]
fn child() {
    if let Ok(told) = std::env::var(CHILD) {
        let (folder, count) = told.split_once('=').unwrap();
        append_and_print(Path::new(folder), count.parse().unwrap());
    }
}

fn child_arguments() -> [&'static str; 3] {
    ["--exact", "child", "--nocapture"]
}

fn start(mut command: Command, folder: &Path, count: u64) -> Child {
    command.env(CHILD, format!("{}={count}", folder.display()));
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// The last entry acknowledged for each account, and every blob named.
#[derive(Default)]
struct Told {
    heads: BTreeMap<u64, u64>,
    blobs: BTreeMap<(u64, u64), BlobId>,
}

impl Told {
    fn take(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        // The test harness prints lines of its own, and the first of ours may share one.
        if let [.., "acknowledged", account, no, id] = words[..] {
            let [account, no, id] = [account, no, id].map(|word| word.parse::<u64>().unwrap());
            self.heads.insert(account, no);
            self.blobs.insert((account, no), BlobId(id));
        }
    }

    fn verify(&self, folder: &Path) {
        let store = Embedded::open(folder, options()).unwrap();
        assert_eq!(store.damaged_at_open(), []);
        for (account, no) in &self.heads {
            let key = AccountKey(*account);
            let head = wait(store.head(key)).unwrap();
            assert!(head >= *no && head <= no + 1, "account {account}: acknowledged {no}, found {head}");
            let checkpoints = wait(store.checkpoints(key)).unwrap();
            let floor = checkpoints.get(1).map_or(0, |older| older.0);
            let entries = wait(store.read(key, floor, usize::MAX)).unwrap();
            assert!(entries.iter().map(|entry| entry.no).eq(floor + 1..=head));
            for entry in entries {
                let id = BlobId(u64::from_le_bytes(entry.bytes[..].try_into().unwrap()));
                let told = self.blobs.get(&(*account, entry.no));
                assert!(told.is_none_or(|told| *told == id));
                assert!(section(&store, id, Section::Body) == body(*account, entry.no), "entry {}", entry.no);
            }
        }
        assert_eq!(wait(store.check()).unwrap().damaged, []);
        wait(store.close()).unwrap();
    }
}

#[test]
fn kill_under_load_loses_nothing_acknowledged() {
    let folder = TempDir::new().unwrap();
    let mut told = Told::default();
    for round in 0..12_u64 {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(child_arguments());
        let mut child = start(command, folder.path(), u64::MAX >> 1);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Killed after so many lines and not after some time, so that a slow machine tests the same.
        let last = 20 + round * 17;
        let mut killed = false;
        for (count, line) in lines.enumerate() {
            told.take(&line.unwrap());
            if count as u64 >= last && !killed {
                child.kill().unwrap();
                killed = true;
            }
        }
        child.wait().unwrap();
        assert!(killed, "the child ended by itself");
        told.verify(folder.path());
    }
    assert!(told.blobs.len() > 200);
}

#[test]
fn death_at_each_sync_loses_nothing_acknowledged() {
    let strace = Command::new("strace").arg("-V").output();
    assert!(strace.is_ok_and(|output| output.status.success()), "this test needs the package strace");
    let mut nth = 1;
    loop {
        let folder = TempDir::new().unwrap();
        let mut command = Command::new("strace");
        command.args(["-f", "-qqq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync"]);
        command.arg("-e").arg(format!("inject=fsync,fdatasync:signal=KILL:when={nth}"));
        command.arg(std::env::current_exe().unwrap()).args(child_arguments());
        let mut child = start(command, folder.path(), 12);
        let mut told = Told::default();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            told.take(&line.unwrap());
        }
        let ended = child.wait().unwrap().success();
        if folder.path().join("FORMAT").exists() || !told.heads.is_empty() {
            told.verify(folder.path());
        }
        if ended {
            assert_eq!(told.blobs.len(), 12 * THREADS as usize);
            break;
        }
        nth += 1;
        assert!(nth < 200, "the child never got through");
    }
    assert!(nth > 5, "the child died only {} times", nth - 1);
}
