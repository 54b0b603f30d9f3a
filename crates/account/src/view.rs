//! What one session sees of a mailbox while others go on changing it.
//!
//! A view is the newest [`Mailbox`] the session has been told of, plus *ghosts*: messages that are expunged there but not
//! yet announced to this session. Ghosts keep their sequence numbers, can be fetched whole (the row stays here, the blob
//! stays in the store for the retention time) and take flag changes of their own.

use std::sync::Arc;

use crate::diff::{self, Change};
use crate::{FlagOp, Flags, Mailbox, Modseq, Row, SeqNum, SequenceSet, SetBound, Uid, UidSet};

/// May expunges be announced now (RFC 9051, 7.5.1)?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announce {
    /// Yes: ghosts go.
    Expunges,
    /// No: what vanished becomes a ghost and keeps its number.
    HoldExpunges,
}

/// What a session must be told when its view moves on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// UIDs that are gone, ascending.
    pub expunged: UidSet,
    /// Their sequence numbers *in the old numbering*, descending, so that they can be sent as EXPUNGE one after the other.
    pub expunged_numbers: Vec<SeqNum>,
    /// Messages already known whose row changed (flags, keywords), ascending.
    pub changed: UidSet,
    /// New messages, ascending.
    pub appended: UidSet,
}

/// A frozen mailbox as one session sees it.
#[derive(Debug, Clone)]
pub struct View {
    mailbox: Arc<Mailbox>,
    /// Ascending by UID; none of them is in `mailbox`.
    ghosts: Vec<Row>,
}

impl View {
    /// A fresh view: everything is seen, nothing is owed.
    pub fn new(mailbox: Arc<Mailbox>) -> Self {
        Self { mailbox, ghosts: Vec::new() }
    }

    /// The mailbox value under it (without ghosts).
    pub fn mailbox(&self) -> &Arc<Mailbox> {
        &self.mailbox
    }

    /// EXISTS, ghosts included.
    pub fn exists(&self) -> u32 {
        self.mailbox.len() + self.ghosts.len() as u32
    }

    /// UIDs that are expunged but not announced.
    pub fn ghosts(&self) -> UidSet {
        self.ghosts.iter().map(|row| row.uid).collect()
    }

    /// The modseq up to which this view is current.
    pub fn modseq(&self) -> Modseq {
        self.mailbox.highest_modseq()
    }

    /// UID of a sequence number.
    pub fn uid(&self, number: SeqNum) -> Option<Uid> {
        let place = number.value() - 1;
        // The places of the ghosts rise with them, so the ghosts before this place are found by halving.
        let (mut low, mut high) = (0, self.ghosts.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.ghost_place(middle) < place {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if low < self.ghosts.len() && self.ghost_place(low) == place {
            return Some(self.ghosts[low].uid);
        }
        self.mailbox.uid_at(place - low as u32)
    }

    /// Messages before a ghost, ghosts included.
    fn ghost_place(&self, ghost: usize) -> u32 {
        ghost as u32 + self.mailbox.rank(self.ghosts[ghost].uid.value())
    }

    /// Ghosts with a smaller UID.
    fn ghosts_before(&self, uid: u32) -> usize {
        self.ghosts.partition_point(|ghost| ghost.uid.value() < uid)
    }

    fn ghost(&self, uid: Uid) -> Option<&Row> {
        self.ghosts.get(self.ghosts_before(uid.value())).filter(|ghost| ghost.uid == uid)
    }

    /// Sequence number of a UID.
    pub fn number(&self, uid: Uid) -> Option<SeqNum> {
        if !self.mailbox.contains(uid) && !self.is_ghost(uid) {
            return None;
        }
        SeqNum::new(self.place(uid.value()) + 1)
    }

    /// Messages with a smaller UID, ghosts included.
    fn place(&self, uid: u32) -> u32 {
        self.mailbox.rank(uid) + self.ghosts_before(uid) as u32
    }

    /// The message with that UID, ghost or not.
    pub fn row(&self, uid: Uid) -> Option<Row> {
        self.mailbox.row(uid).or_else(|| self.ghost(uid).copied())
    }

    /// Is it a ghost?
    pub fn is_ghost(&self, uid: Uid) -> bool {
        self.ghost(uid).is_some()
    }

    /// All messages with their numbers, ascending, ghosts included.
    pub fn rows(&self) -> impl Iterator<Item = (SeqNum, Row)> + '_ {
        self.rows_in_ranges(&[(1, u32::MAX)])
    }

    /// The messages of a set with their numbers, ascending, ghosts included; costs what the set touches.
    pub fn rows_in<'a>(&'a self, uids: &'a UidSet) -> impl Iterator<Item = (SeqNum, Row)> + 'a {
        self.rows_in_ranges(uids.ranges())
    }

    fn rows_in_ranges<'a>(&'a self, ranges: &'a [(u32, u32)]) -> impl Iterator<Item = (SeqNum, Row)> + 'a {
        let mut live = self.mailbox.ranked_rows(ranges).peekable();
        let mut ghosts = self.ghosts_in_ranges(ranges).peekable();
        std::iter::from_fn(move || {
            let ghost_first = match (live.peek(), ghosts.peek()) {
                (Some((_, row)), Some(&ghost)) => self.ghosts[ghost].uid < row.uid,
                (None, Some(_)) => true,
                _ => false,
            };
            let (place, row) = if ghost_first {
                let ghost = ghosts.next()?;
                (self.ghost_place(ghost), self.ghosts[ghost])
            } else {
                let (rank, row) = live.next()?;
                (rank + self.ghosts_before(row.uid.value()) as u32, row)
            };
            Some((SeqNum::new(place + 1)?, row))
        })
    }

    /// The places in `ghosts` of those that are in the ranges.
    fn ghosts_in_ranges<'a>(&'a self, ranges: &'a [(u32, u32)]) -> impl Iterator<Item = usize> + 'a {
        let ranges = if self.ghosts.is_empty() { &[] } else { ranges };
        ranges.iter().flat_map(move |&(first, last)| {
            let start = self.ghosts_before(first);
            (start..self.ghosts.len()).take_while(move |&ghost| self.ghosts[ghost].uid.value() <= last)
        })
    }

    /// Every UID of the view as a set of ranges (runs of consecutive UIDs).
    pub fn uids(&self) -> UidSet {
        self.mailbox.uids().union(&self.ghosts())
    }

    /// The members of a set that are in the view, ghosts included; costs what the set touches.
    pub fn uids_in(&self, uids: &UidSet) -> UidSet {
        let live = self.mailbox.uids_in(uids);
        if self.ghosts.is_empty() {
            return live;
        }
        live.union(&self.ghosts_in_ranges(uids.ranges()).map(|ghost| self.ghosts[ghost].uid).collect())
    }

    /// Largest UID of the view.
    fn last_uid(&self) -> Option<Uid> {
        self.mailbox.last_uid().max(self.ghosts.last().map(|ghost| ghost.uid))
    }

    /// Resolves a set of UIDs: only members of the view. `*` is the largest UID (RFC 9051, 9: `4:*` always includes it).
    pub fn resolve_uids(&self, set: &SequenceSet) -> UidSet {
        let (SequenceSet::Ranges(ranges), Some(star)) = (set, self.last_uid()) else { return UidSet::new() };
        let star = star.value();
        self.uids_in(&UidSet::from_ranges(ranges.iter().map(|&(a, b)| (a.number(star), b.number(star)))))
    }

    /// Resolves sequence numbers to UIDs; `None` when a number is beyond EXISTS (the command is BAD, RFC 9051 9
    /// seq-number; that includes `*` in an empty mailbox). An unreplaced `$` is nothing.
    pub fn resolve_numbers(&self, set: &SequenceSet) -> Option<UidSet> {
        let SequenceSet::Ranges(ranges) = set else { return Some(UidSet::new()) };
        let exists = self.exists();
        let uid = |bound: SetBound| {
            let number = bound.number(exists);
            SeqNum::new(number).and_then(|number| self.uid(number)).map(Uid::value)
        };
        let mut uid_ranges = Vec::with_capacity(ranges.len());
        for &(first, last) in ranges {
            uid_ranges.push((uid(first)?, uid(last)?));
        }
        Some(self.uids_in(&UidSet::from_ranges(uid_ranges)))
    }

    /// Changes flags of ghosts only, in this view only.
    pub fn store_ghosts(&mut self, uids: &UidSet, op: FlagOp, flags: Flags) {
        for ghost in self.ghosts.iter_mut().filter(|ghost| uids.contains(ghost.uid)) {
            ghost.flags = op.apply(ghost.flags, flags);
        }
    }

    /// Moves on to a newer value of the same mailbox. Costs what changed: equal chunks are skipped by pointer. A value
    /// older than the view's own is not gone back to; only ghosts may still be announced.
    pub fn advance(&mut self, newer: Arc<Mailbox>, announce: Announce) -> Difference {
        let newer = if newer.highest_modseq() < self.modseq() { Arc::clone(&self.mailbox) } else { newer };
        let mut difference = Difference::default();
        let mut vanished = Vec::new();
        diff::compare(&self.mailbox, &newer, |change| match change {
            Change::Vanished(row) => vanished.push(row),
            Change::Changed(uid) => difference.changed.insert(uid),
            Change::Appeared(uid) => difference.appended.insert(uid),
        });
        if announce == Announce::Expunges {
            let gone = vanished.iter().map(|row| row.uid).collect::<UidSet>().union(&self.ghosts());
            difference.expunged_numbers = self.numbers_descending(&gone);
            difference.expunged = gone;
            self.ghosts.clear();
        } else if !vanished.is_empty() {
            self.ghosts.append(&mut vanished);
            // Two sorted runs: the merge sort of the standard library sees that.
            self.ghosts.sort_by_key(|ghost| ghost.uid);
        }
        self.mailbox = newer;
        difference
    }

    /// The numbers of messages that are all in the view: consecutive UIDs have consecutive numbers.
    fn numbers_descending(&self, uids: &UidSet) -> Vec<SeqNum> {
        let mut numbers = Vec::with_capacity(uids.len() as usize);
        for &(first, last) in uids.ranges().iter().rev() {
            let lowest = self.place(first) + 1;
            numbers.extend((lowest..=lowest + (last - first)).rev().filter_map(SeqNum::new));
        }
        numbers
    }
}
