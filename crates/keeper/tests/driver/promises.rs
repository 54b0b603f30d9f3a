//! One account's life under faults, and what the server has promised in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use account::{AccountId, Accounts, CommitError, Draft, SystemFlag};
use keeper::Settings;
use store::Maintenance;

use super::{Committed, Desk, House, append, calm, message, set, wait};

/// What is known about a message by its subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Acknowledged with this UID.
    There(u32),
    /// An expunge was acknowledged.
    Gone,
    /// Something was neither acknowledged nor refused.
    Unsure,
}

/// What the server has promised so far.
#[derive(Debug, Default)]
pub struct Promises {
    messages: BTreeMap<String, Known>,
    /// UIDs acknowledged as `\Seen`.
    seen: Vec<u32>,
    /// UIDs of which the flag was neither acknowledged nor surely not set.
    perhaps_seen: Vec<u32>,
}

/// Surely nothing happened.
fn surely_not(committed: &Committed) -> bool {
    matches!(committed, Err(CommitError::Full | CommitError::Refused(_)))
}

impl Promises {
    fn append(&mut self, desk: &Desk, subject: &str) {
        let Ok(blob) = desk.upload(message(subject).as_bytes()) else { return };
        let committed = desk.commit(append(desk.inbox(), &[blob]));
        let known = match &committed {
            Ok(receipt) => Known::There(receipt.uids.iter().next().unwrap().value()),
            Err(_) if surely_not(&committed) => return,
            Err(_) => Known::Unsure,
        };
        self.messages.insert(subject.to_owned(), known);
    }

    fn flag(&mut self, desk: &Desk, uid: u32) {
        let committed = desk.flag(&[uid], SystemFlag::Seen);
        match &committed {
            Ok(receipt) if receipt.missing.is_empty() => self.seen.push(uid),
            _ if surely_not(&committed) => {}
            _ => self.perhaps_seen.push(uid),
        }
    }

    fn expunge(&mut self, desk: &Desk, uid: u32) {
        let committed = desk.expunge(&[uid]);
        let hit = self.messages.values_mut().find(|known| **known == Known::There(uid));
        match (&committed, hit) {
            (Ok(_), Some(known)) => *known = Known::Gone,
            (_, Some(known)) if !surely_not(&committed) => *known = Known::Unsure,
            _ => {}
        }
    }

    /// Holds the promises against what a server that has just started finds.
    pub fn check(&self, store: Arc<dyn Maintenance>, account: AccountId, context: &str) {
        let house = House::new(store);
        let desk = match wait(house.keeper.open(account)) {
            Ok(open) => Desk { id: account, open },
            Err(fault) => panic!("{context}: {fault:?}"),
        };
        let columns = desk.columns(desk.inbox());
        let mut found = BTreeMap::new();
        for row in columns.rows() {
            let body = wait(desk.open.body(row.blob, 0..u64::MAX)).unwrap();
            let text = String::from_utf8(body.to_vec()).unwrap();
            let subject = text.lines().nth(1).unwrap().trim_start_matches("Subject: ").to_owned();
            assert!(found.insert(subject.clone(), row).is_none(), "{context}: {subject} is there twice");
        }
        for (subject, known) in &self.messages {
            let row = found.remove(subject);
            match known {
                Known::There(uid) => {
                    assert_eq!(row.map(|row| row.uid.value()), Some(*uid), "{context}: {subject}")
                }
                Known::Gone => assert!(row.is_none(), "{context}: {subject} came back"),
                Known::Unsure => {}
            }
        }
        assert!(found.is_empty(), "{context}: never acknowledged, surely not even tried: {found:?}");
        for row in columns.rows() {
            let uid = row.uid.value();
            let seen = row.flags.has(SystemFlag::Seen);
            assert!(!self.seen.contains(&uid) || seen, "{context}: {uid} lost its flag");
            assert!(
                !seen || self.seen.contains(&uid) || self.perhaps_seen.contains(&uid),
                "{context}: {uid}"
            );
        }
    }
}

pub fn settings() -> Settings {
    Settings { tail_entries_max: 3, memory_bytes_max: 0, ..calm() }
}

/// A life of one account: commits, checkpoints, sleep, unloading. Whatever fails is left at that.
pub fn live(house: &House, ann: AccountId, promises: &mut Promises) {
    for round in 0..3 {
        let Ok(open) = wait(house.keeper.open(ann)) else { continue };
        let desk = Desk { id: ann, open };
        for n in 0..3 {
            promises.append(&desk, &format!("{round}.{n}"));
        }
        promises.flag(&desk, 3 * round + 1);
        promises.flag(&desk, 3 * round + 2);
        house.housekeep();
        promises.expunge(&desk, 3 * round + 2);
        let (from, to) = (desk.inbox(), desk.mailbox_id("Trash"));
        drop(desk.commit(Draft::Copy { from, uids: set(&[1, 2, 3]), to }));
        promises.flag(&desk, 3 * round + 3);
        drop(desk);
        house.night();
        if round == 1 {
            drop(wait(house.keeper.reclaim()));
            house.pass(settings().retention);
        }
    }
    drop(wait(house.keeper.reclaim()));
}
