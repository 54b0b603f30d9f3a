//! How near the embedded engine comes to the disk's own limit: one append and one sync for each group of deliveries.
//!
//! `cargo run --release -p store --example append_limit [FOLDER]`
//!
//! For 1, 32 and 256 deliveries at a time, each a 20 kB blob and an entry that names it, first a plain file is written (one write and one
//! fdatasync for the whole group, in a file that grows and in one filled with zeros before), then the engine does the same through
//! its usual calls. Rates are deliveries a second; the ratio is engine to raw in the growing file, by the same run.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run has nothing to say")]

use std::fs::File;
use std::future::Future;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use bytes::Bytes;
use store::{AccountKey, AppendClass, AppendError, BlobParts, Embedded, Options, Store};

const BODY_BYTES: usize = 20_000;
const ENTRY_BYTES: usize = 120;
const TIME: Duration = Duration::from_secs(4);
/// A raw file starts again at its beginning after this many bytes, as a segment would be full.
const FILE_BYTES: u64 = 64 << 20;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

/// Text as mail is: it compresses to about a half. With `noise`, it does not compress.
fn body(noise: bool) -> Vec<u8> {
    let mut state = 88_172_645_463_325_252_u64;
    let mut body = Vec::with_capacity(BODY_BYTES + 16);
    while body.len() < BODY_BYTES {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        if noise {
            body.extend_from_slice(&state.to_le_bytes());
        } else {
            body.extend_from_slice(format!("{:x} and ", state >> 36).as_bytes());
        }
    }
    body.truncate(BODY_BYTES);
    body
}

/// Microseconds of processor time this process has used, on all threads.
fn cpu_micros() -> f64 {
    let mut nanos = 0.0;
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let stat = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        nanos += stat.split(' ').next().and_then(|word| word.parse::<f64>().ok()).unwrap_or(0.0);
    }
    nanos / 1000.0
}

/// Deliveries a second of plain writes and syncs.
fn raw(folder: &Path, at_once: usize, zeroed: bool) -> f64 {
    let path = folder.join("raw");
    let file = File::create(&path).unwrap();
    if zeroed {
        file.write_all_at(&vec![0; FILE_BYTES as usize], 0).unwrap();
        file.sync_all().unwrap();
    }
    let group = vec![7; at_once * (BODY_BYTES + ENTRY_BYTES)];
    let start = Instant::now();
    let (mut offset, mut count) = (0, 0);
    while start.elapsed() < TIME {
        if offset + group.len() as u64 > FILE_BYTES {
            if !zeroed {
                file.set_len(0).unwrap();
            }
            offset = 0;
        }
        file.write_all_at(&group, offset).unwrap();
        file.sync_data().unwrap();
        offset += group.len() as u64;
        count += at_once;
    }
    let rate = count as f64 / start.elapsed().as_secs_f64();
    std::fs::remove_file(path).unwrap();
    rate
}

type Delivery = Pin<Box<dyn Future<Output = Result<(), AppendError>> + Send>>;

/// Deliveries a second of the engine, and microseconds of processor time for each: each of two threads keeps half of them under way.
fn engine(folder: &Path, at_once: usize, body: &[u8]) -> (f64, f64) {
    let store = Embedded::open(folder, Options::default()).unwrap();
    let threads = at_once.min(2);
    let (count, cpu, cpu_before) = (AtomicU64::new(0), AtomicU64::new(0), cpu_micros());
    let start = Instant::now();
    thread::scope(|scope| {
        for worker in 0..threads {
            let (store, count, cpu) = (&store, &count, &cpu);
            scope.spawn(move || {
                let slots = at_once / threads;
                let entry = Bytes::from(vec![1; ENTRY_BYTES]);
                let mut heads = vec![0; slots];
                let mut pending: Vec<Option<Delivery>> = (0..slots).map(|_| None).collect();
                while start.elapsed() < TIME {
                    for slot in 0..slots {
                        if let Some(delivery) = pending[slot].take() {
                            wait(delivery).unwrap();
                            count.fetch_add(1, Ordering::Relaxed);
                        }
                        store.put_blob(BlobParts { summary: b"summary", text: b"", body }).unwrap();
                        let account = AccountKey((worker * 1000 + slot) as u64);
                        let head = heads[slot];
                        heads[slot] += 1;
                        let append = store.append(account, head, head + 1, entry.clone(), AppendClass::Grow);
                        pending[slot] = Some(append);
                    }
                }
                for delivery in pending.into_iter().flatten() {
                    wait(delivery).unwrap();
                    count.fetch_add(1, Ordering::Relaxed);
                }
                // Before this thread ends and takes its time with it.
                cpu.fetch_max(cpu_micros() as u64, Ordering::Relaxed);
            });
        }
    });
    let count = count.load(Ordering::Relaxed) as f64;
    (count / start.elapsed().as_secs_f64(), (cpu.load(Ordering::Relaxed) as f64 - cpu_before) / count)
}

fn main() {
    let root = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = root.join(format!("append-limit-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    println!(
        "at once | raw, growing | raw, zeroed | engine, text | ratio | µs cpu | engine, noise | ratio | µs cpu"
    );
    for at_once in [1, 32, 256] {
        let growing = raw(&folder, at_once, false);
        let zeroed = raw(&folder, at_once, true);
        let [text, noise] = [false, true].map(|noise| {
            let rate = engine(&folder.join("store"), at_once, &body(noise));
            std::fs::remove_dir_all(folder.join("store")).unwrap();
            rate
        });
        let column = |(rate, cpu): (f64, f64)| format!("{rate:12.0} | {:5.2} | {cpu:6.0}", rate / growing);
        println!("{at_once:7} | {growing:12.0} | {zeroed:11.0} | {} | {}", column(text), column(noise));
    }
    std::fs::remove_dir_all(folder).unwrap();
}
