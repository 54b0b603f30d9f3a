//! The keeper on the real engine: power that fails at any moment, and threads on a real disk.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod driver;

use std::sync::Arc;
use std::thread;

use driver::{House, Promises, live, portrait, settings, wait};
use store::disk::SimDisk;
use store::{Embedded, Options};

/// Small segments, so that a short life fills several.
fn options() -> Options {
    Options {
        segment_bytes: 64 << 10,
        reserve_bytes: 16 << 10,
        free_bytes_min: 64 << 10,
        ..Options::default()
    }
}

fn open(disk: &SimDisk) -> Arc<Embedded> {
    Arc::new(Embedded::open_inline(Arc::new(disk.clone()), options()).unwrap())
}

/// A disk with one account on it that has nothing but its first mailboxes.
fn begun() -> (SimDisk, account::AccountId) {
    let disk = SimDisk::new(64 << 20);
    let ann = House::new(open(&disk)).create("ann@example.org");
    (disk, ann)
}

#[test]
fn what_was_acknowledged_survives_power_that_fails_at_any_write() {
    let calls = {
        let (disk, ann) = begun();
        let before = disk.calls();
        live(&House::with(open(&disk), settings()), ann, &mut Promises::default());
        disk.calls() - before
    };
    assert!(calls > 60, "{calls}");
    for cut in 0..calls {
        let (disk, ann) = begun();
        disk.power_fails_after(cut);
        let mut promises = Promises::default();
        if let Ok(store) = Embedded::open_inline(Arc::new(disk.clone()), options()) {
            live(&House::with(Arc::new(store), settings()), ann, &mut promises);
        }
        for seed in 0..2 {
            let disk = disk.power_off(cut * 2 + seed);
            promises.check(open(&disk), ann, &format!("cut {cut}, seed {seed}"));
            // And it can go on from there.
            let house = House::with(open(&disk), settings());
            house.open(ann).append("after").unwrap();
            house.housekeep();
            assert_eq!(portrait(&House::new(open(&disk)), ann), portrait(&house, ann));
        }
    }
}

/// Would the test above notice? A disk that lies about its syncs loses what was acknowledged.
#[test]
#[should_panic(expected = "lying")]
fn a_disk_that_lies_about_syncs_is_noticed() {
    for cut in 40..80 {
        let (disk, ann) = begun();
        disk.lie_about_syncs();
        disk.power_fails_after(cut);
        let mut promises = Promises::default();
        live(&House::with(open(&disk), settings()), ann, &mut promises);
        promises.check(open(&disk.power_off(cut)), ann, "lying");
    }
}

#[test]
fn sessions_on_threads_commit_to_a_real_disk_and_find_all_of_it_again() {
    const ACCOUNTS: usize = 3;
    const SESSIONS: u32 = 4;
    const MESSAGES: u32 = 20;
    let folder = tempfile::tempdir().unwrap();
    let settings = keeper::Settings { tail_entries_max: 10, memory_bytes_max: 0, ..driver::calm() };
    let house = House::with(Arc::new(Embedded::open(folder.path(), options()).unwrap()), settings);
    let accounts: Vec<_> = (0..ACCOUNTS).map(|n| house.create(&format!("{n}@example.org"))).collect();
    thread::scope(|scope| {
        for &account in &accounts {
            for session in 0..SESSIONS {
                let desk = house.open(account);
                scope.spawn(move || {
                    for n in 0..MESSAGES {
                        let uids = desk.append(&format!("{session}.{n}")).unwrap().uids;
                        let uid = uids.iter().next().unwrap().value();
                        desk.flag(&[uid], account::SystemFlag::Seen).unwrap();
                        assert!(desk.uids().contains(&uid), "what is acknowledged is visible");
                    }
                });
            }
        }
        scope.spawn(|| (0..20).for_each(|_| house.housekeep()));
    });
    let before: Vec<_> = accounts.iter().map(|&account| portrait(&house, account)).collect();
    for &account in &accounts {
        let counts = house.open(account).account();
        let inbox = counts.directory().mailbox(&account::MailboxName::inbox()).unwrap();
        assert_eq!((inbox.counts.messages, inbox.counts.unseen), (SESSIONS * MESSAGES, 0));
    }
    wait(house.keeper.close()).unwrap();
    drop(house);
    let anew = House::new(Arc::new(Embedded::open(folder.path(), options()).unwrap()));
    let after: Vec<_> = accounts.iter().map(|&account| portrait(&anew, account)).collect();
    assert_eq!(after, before);
}
