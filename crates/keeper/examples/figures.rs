//! What the keeper costs: `cargo run --release -p keeper --example figures [FOLDER]`.
//!
//! Prints the figures that the design sets gates for: cold opening of a mailbox with a million messages, a delivery to it
//! without its columns, what a checkpoint writes, commits a second, and bytes for an account awake and for a session that waits.

#![allow(clippy::unwrap_used, reason = "an example that cannot go on ends")]

use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

use account::{
    AccountId, Accounts, BlobId, Draft, FlagNames, FlagOp, Flags, InternalDate, MailboxId, MailboxName,
    Millis, Modseq, NewMessage, OpenAccount, SystemFlag, UidSet, View,
};
use keeper::{Keeper, Settings};
use store::{Embedded, Maintenance, Memory, Options};

const MESSAGES: u32 = 1_000_000;
const ACCOUNTS: u32 = 10_000;
const SESSIONS: usize = 100_000;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

fn keeper(store: Arc<dyn Maintenance>) -> Keeper {
    let settings = Settings {
        tail_entries_max: 0,
        memory_bytes_max: u64::MAX,
        on_fault: Some(Arc::new(|account, fault| println!("account {}: {fault:?}", account.0))),
        ..Settings::default()
    };
    Keeper::new(store, Arc::new(|| Millis(1_800_000_000_000)), settings)
}

fn embedded(folder: &Path) -> Arc<dyn Maintenance> {
    Arc::new(Embedded::open(folder, Options::default()).unwrap())
}

fn inbox(open: &dyn OpenAccount) -> MailboxId {
    open.account().directory().mailbox(&MailboxName::inbox()).unwrap().id
}

fn append(mailbox: MailboxId, first: u32, count: u32) -> Draft {
    // Rising as in life, but with no regularity that the columns could profit from.
    let noise = |n: u32| u64::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    let message = |n: u32| NewMessage {
        blob: BlobId((u64::from(n) << 12) + noise(n) % 4_096 + 1),
        size: noise(n) % 50_000 + 500,
        internal_date: InternalDate {
            seconds: 1_700_000_000 + i64::from(n) * 90 + (noise(n) % 90) as i64,
            zone_minutes: 60,
        },
        flags: FlagNames::default(),
        uid: None,
    };
    Draft::Append { mailbox, messages: (first..first + count).map(message).collect() }
}

fn flag(mailbox: MailboxId, first: u32, last: u32) -> Draft {
    let flags = FlagNames { system: Flags::system(SystemFlag::Seen), keywords: Vec::new() };
    let uids = UidSet::from_range(first, last);
    Draft::Store { mailbox, uids, op: FlagOp::Add, flags, unchanged_since: None }
}

/// Bytes of all records, before compression.
fn stored_bytes(store: &dyn Maintenance) -> u64 {
    wait(store.check()).unwrap().bytes
}

/// Resident bytes of this process.
fn resident() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<f64>().unwrap() * 4096.0
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let value = work();
    println!("{what:<64} {:>10.3} ms", start.elapsed().as_secs_f64() * 1e3);
    value
}

fn million(folder: &Path) {
    let ann = {
        let keeper = keeper(embedded(folder));
        let ann = wait(keeper.create_account("ann@example.org".into(), None)).unwrap();
        let open = wait(keeper.open(ann)).unwrap();
        for first in (0..MESSAGES).step_by(10_000) {
            wait(open.commit(append(inbox(&*open), first, 10_000))).unwrap();
        }
        timed("first checkpoint of a million messages", || wait(keeper.housekeeping()));
        let view = View::new(wait(open.mailbox(inbox(&*open))).unwrap().unwrap());
        timed("one flag, durable, while a view is held", || {
            wait(open.commit(flag(inbox(&*open), 500_000, 500_000))).unwrap();
        });
        timed("checkpoint after it", || wait(keeper.housekeeping()));
        timed("STORE 1:* +FLAGS, durable", || wait(open.commit(flag(inbox(&*open), 1, MESSAGES))).unwrap());
        drop(view);
        wait(keeper.close()).unwrap();
        ann
    };
    let store = timed("open the store", || embedded(folder));
    let keeper = keeper(Arc::clone(&store));
    let open = timed("wake the account", || wait(keeper.open(ann)).unwrap());
    timed("delivery to it without columns, durable", || {
        wait(open.commit(append(inbox(&*open), MESSAGES, 1))).unwrap();
    });
    let columns =
        timed("cold columns of a million messages", || wait(open.mailbox(inbox(&*open))).unwrap().unwrap());
    let resident = columns.resident_bytes() as f64 / f64::from(columns.len());
    println!("resident bytes a message {resident:>50.1}");
    drop(columns);
    wait(keeper.housekeeping());
    let before = stored_bytes(&*store);
    wait(open.commit(append(inbox(&*open), MESSAGES, 1))).unwrap();
    wait(keeper.housekeeping());
    println!("bytes that an entry and a checkpoint after it take {:>24}", stored_bytes(&*store) - before);
    wait(keeper.close()).unwrap();
}

fn commits(keeper: &Keeper, account: AccountId, writers: u32, each: u32) {
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..writers {
            scope.spawn(|| {
                let open = wait(keeper.open(account)).unwrap();
                for _ in 0..each {
                    wait(open.commit(append(inbox(&*open), MESSAGES, 1))).unwrap();
                }
            });
        }
    });
    let rate = f64::from(writers * each) / start.elapsed().as_secs_f64();
    println!("commits a second to one account, {writers:>3} writers {rate:>35.0}");
}

fn crowd() {
    let memory = Memory::new();
    let first = keeper(Arc::new(memory.clone()));
    let accounts: Vec<AccountId> = (0..ACCOUNTS)
        .map(|n| wait(first.create_account(format!("{n}@example.org"), None)).unwrap())
        .collect();
    wait(first.housekeeping());
    let held = keeper(Arc::new(memory));
    let before = resident();
    let open: Vec<_> = accounts.iter().map(|&account| wait(held.open(account)).unwrap()).collect();
    println!("resident bytes an account awake {:>43.0}", (resident() - before) / f64::from(ACCOUNTS));
    let before = resident();
    let mut waiting: Vec<_> = (0..SESSIONS).map(|n| open[n % open.len()].changed(Modseq(u64::MAX))).collect();
    for changed in &mut waiting {
        assert!(changed.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    println!("resident bytes a session that waits {:>39.0}", (resident() - before) / SESSIONS as f64);
}

fn main() {
    let folder = std::env::args().nth(1).map_or_else(std::env::temp_dir, Into::into).join("keeper-figures");
    drop(std::fs::remove_dir_all(&folder));
    million(&folder);
    let keeper = keeper(embedded(&folder.join("commits")));
    let ben = wait(keeper.create_account("ben@example.org".into(), None)).unwrap();
    for (writers, each) in [(1, 200), (32, 100)] {
        commits(&keeper, ben, writers, each);
    }
    wait(keeper.close()).unwrap();
    crowd();
    drop(std::fs::remove_dir_all(&folder));
}
