//! The naive account: lists, and loops over them.

use std::collections::{BTreeMap, BTreeSet};

use crate::FlagOp;

/// Flags by lower-case name.
pub(super) type Names = BTreeSet<String>;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Message {
    pub(super) uid: u32,
    pub(super) modseq: u64,
    pub(super) flags: Names,
    pub(super) save_date: u64,
    pub(super) size: u64,
    pub(super) blob: u64,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Folder {
    pub(super) born: u64,
    pub(super) uid_next: u32,
    pub(super) highest: u64,
    pub(super) messages: Vec<Message>,
    pub(super) vanished: Vec<(u32, u64)>,
}

/// Ranges as given, ends in either order.
pub(super) fn within(set: &[(u32, u32)], uid: u32) -> bool {
    set.iter().any(|&(a, b)| a.min(b) <= uid && uid <= a.max(b))
}

#[derive(Debug, Clone, Default)]
pub(super) struct Naive {
    pub(super) folders: BTreeMap<String, Folder>,
    pub(super) subscriptions: BTreeSet<String>,
    births: u64,
}

/// What the command came to: refused, or done with the UIDs that the receipt should name.
pub(super) type Outcome = Result<Done, ()>;

#[derive(Debug, Default, PartialEq)]
pub(super) struct Done {
    pub(super) changed: bool,
    pub(super) source: Vec<u32>,
    pub(super) uids: Vec<u32>,
    pub(super) modified: Vec<u32>,
}

impl Naive {
    fn born(&mut self, name: &str, no: u64) {
        self.births += 1;
        let folder = Folder { born: self.births, uid_next: 1, highest: no, ..Folder::default() };
        self.folders.insert(name.to_owned(), folder);
    }

    fn superiors(&mut self, name: &str, no: u64) {
        for (at, _) in name.match_indices('/') {
            if !self.folders.contains_key(&name[..at]) {
                self.born(&name[..at], no);
            }
        }
    }

    pub(super) fn create(&mut self, name: &str, no: u64) -> Outcome {
        if self.folders.contains_key(name) {
            return Err(());
        }
        self.superiors(name, no);
        self.born(name, no);
        Ok(Done { changed: true, ..Done::default() })
    }

    pub(super) fn delete(&mut self, name: &str) -> Outcome {
        if name == "INBOX" || self.folders.remove(name).is_none() {
            return Err(());
        }
        Ok(Done { changed: true, ..Done::default() })
    }

    pub(super) fn rename(&mut self, from: &str, to: &str, no: u64, now: u64) -> Outcome {
        if self.folders.contains_key(to) {
            return Err(());
        }
        if from == "INBOX" {
            if !self.folders.contains_key("INBOX") {
                return Err(());
            }
            self.create(to, no)?;
            let moved = self.transfer("INBOX", &[(1, u32::MAX)], to, true, no, now)?;
            return Ok(Done { changed: true, ..moved });
        }
        let below = format!("{from}/");
        if to.starts_with(&below) {
            return Err(());
        }
        let moving: Vec<String> =
            self.folders.keys().filter(|name| *name == from || name.starts_with(&below)).cloned().collect();
        let target = |name: &str| format!("{to}{}", &name[from.len()..]);
        let collides = |name: &String| {
            let target = target(name);
            self.folders.contains_key(&target) && !moving.contains(&target)
        };
        if moving.is_empty() || moving.iter().any(collides) {
            return Err(());
        }
        let taken: Vec<_> =
            moving.iter().map(|name| (target(name), self.folders.remove(name).unwrap())).collect();
        self.superiors(to, no);
        self.folders.extend(taken);
        Ok(Done { changed: true, ..Done::default() })
    }

    pub(super) fn subscribe(&mut self, name: &str, on: bool) -> Outcome {
        let changed =
            if on { self.subscriptions.insert(name.to_owned()) } else { self.subscriptions.remove(name) };
        Ok(Done { changed, ..Done::default() })
    }

    pub(super) fn append(&mut self, name: &str, new: &[(Names, u64, u64)], no: u64, now: u64) -> Outcome {
        let folder = self.folders.get_mut(name).ok_or(())?;
        let mut done = Done { changed: !new.is_empty(), ..Done::default() };
        for (flags, size, blob) in new {
            done.uids.push(folder.uid_next);
            folder.messages.push(Message {
                uid: folder.uid_next,
                modseq: no,
                flags: flags.clone(),
                save_date: now,
                size: *size,
                blob: *blob,
            });
            folder.uid_next += 1;
            folder.highest = no;
        }
        Ok(done)
    }

    pub(super) fn store(
        &mut self,
        name: &str,
        set: &[(u32, u32)],
        op: FlagOp,
        named: &Names,
        since: Option<u64>,
        no: u64,
    ) -> Outcome {
        let folder = self.folders.get_mut(name).ok_or(())?;
        let mut done = Done::default();
        for message in folder.messages.iter_mut().filter(|message| within(set, message.uid)) {
            if since.is_some_and(|since| message.modseq > since) {
                done.modified.push(message.uid);
                continue;
            }
            let new: Names = match op {
                FlagOp::Add => message.flags.union(named).cloned().collect(),
                FlagOp::Remove => message.flags.difference(named).cloned().collect(),
                FlagOp::Replace => named.clone(),
            };
            if new != message.flags {
                message.flags = new;
                message.modseq = no;
                folder.highest = no;
                done.changed = true;
            }
        }
        Ok(done)
    }

    pub(super) fn expunge(&mut self, name: &str, set: &[(u32, u32)], only_deleted: bool, no: u64) -> Outcome {
        let folder = self.folders.get_mut(name).ok_or(())?;
        let goes = |message: &Message| {
            within(set, message.uid) && (!only_deleted || message.flags.contains("\\deleted"))
        };
        let source: Vec<u32> =
            folder.messages.iter().filter(|message| goes(message)).map(|message| message.uid).collect();
        folder.messages.retain(|message| !goes(message));
        folder.vanished.extend(source.iter().map(|&uid| (uid, no)));
        if !source.is_empty() {
            folder.highest = no;
        }
        Ok(Done { changed: !source.is_empty(), source, ..Done::default() })
    }

    pub(super) fn transfer(
        &mut self,
        from: &str,
        set: &[(u32, u32)],
        to: &str,
        moves: bool,
        no: u64,
        now: u64,
    ) -> Outcome {
        if !self.folders.contains_key(to) {
            return Err(());
        }
        let source = self.folders.get(from).ok_or(())?;
        let taken: Vec<Message> =
            source.messages.iter().filter(|message| within(set, message.uid)).cloned().collect();
        let new: Vec<_> = taken.iter().map(|old| (old.flags.clone(), old.size, old.blob)).collect();
        let mut done = self.append(to, &new, no, now)?;
        done.source = taken.iter().map(|message| message.uid).collect();
        if moves {
            let gone: Vec<_> = done.source.iter().map(|&uid| (uid, uid)).collect();
            self.expunge(from, &gone, false, no)?;
        }
        Ok(done)
    }

    pub(super) fn replace(
        &mut self,
        from: &str,
        uid: u32,
        to: &str,
        new: &(Names, u64, u64),
        no: u64,
        now: u64,
    ) -> Outcome {
        let source = self.folders.get(from).ok_or(())?;
        if !source.messages.iter().any(|message| message.uid == uid) {
            return Err(());
        }
        let mut done = self.append(to, std::slice::from_ref(new), no, now)?;
        self.expunge(from, &[(uid, uid)], false, no)?;
        done.source = vec![uid];
        Ok(done)
    }
}
