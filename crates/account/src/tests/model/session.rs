//! The naive session: a list of what it was told, compared with the [`View`] after each step.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::naive::within;
use crate::{
    Announce, Difference, FlagOp, Flags, Mailbox, MailboxId, Row, SeqNum, SequenceSet, SetBound, Uid, UidSet,
    View,
};

#[derive(Debug)]
pub(super) struct Session {
    pub(super) mailbox: MailboxId,
    view: View,
    /// Every message the session has been told of, ghosts included.
    told: Vec<Row>,
    ghosts: Vec<u32>,
}

impl Session {
    pub(super) fn new(id: MailboxId, mailbox: &Arc<Mailbox>) -> Self {
        let told = mailbox.rows().collect();
        Self { mailbox: id, view: View::new(Arc::clone(mailbox)), told, ghosts: Vec::new() }
    }

    pub(super) fn advance(&mut self, newer: &Arc<Mailbox>, announce: Announce) {
        let now: BTreeMap<u32, Row> = newer.rows().map(|row| (row.uid.value(), row)).collect();
        let mut expected = Difference::default();
        let mut next = Vec::new();
        for (place, row) in self.told.iter().enumerate() {
            let uid = row.uid.value();
            match (now.get(&uid), announce) {
                (Some(new), _) => {
                    if (new.flags, new.modseq) != (row.flags, row.modseq) {
                        expected.changed.insert(row.uid);
                    }
                    next.push(*new);
                }
                (None, Announce::Expunges) => {
                    expected.expunged.insert(row.uid);
                    expected.expunged_numbers.insert(0, SeqNum::new(place as u32 + 1).unwrap());
                }
                (None, Announce::HoldExpunges) => {
                    if !self.ghosts.contains(&uid) {
                        self.ghosts.push(uid);
                    }
                    next.push(*row);
                }
            }
        }
        if announce == Announce::Expunges {
            self.ghosts.clear();
        }
        for row in now.values().filter(|row| !self.told.iter().any(|told| told.uid == row.uid)) {
            expected.appended.insert(row.uid);
            next.push(*row);
        }
        self.told = next;
        assert_eq!(self.view.advance(Arc::clone(newer), announce), expected);
        assert_eq!(self.view.modseq(), newer.highest_modseq());
    }

    pub(super) fn store_ghosts(&mut self, set: &[(u32, u32)], op: FlagOp, flags: Flags) {
        self.view.store_ghosts(&UidSet::from_ranges(set.iter().copied()), op, flags);
        for row in self.told.iter_mut().filter(|row| self.ghosts.contains(&row.uid.value())) {
            if within(set, row.uid.value()) {
                row.flags = op.apply(row.flags, flags);
            }
        }
    }

    /// Asks the view everything it can be asked.
    pub(super) fn check(&self, set: &[(u32, u32)]) {
        let numbered: Vec<(SeqNum, Row)> =
            (1..).filter_map(SeqNum::new).zip(self.told.iter().copied()).collect();
        assert_eq!(self.view.exists() as usize, self.told.len());
        assert_eq!(self.view.rows().collect::<Vec<_>>(), numbered);
        for &(number, row) in &numbered {
            assert_eq!(self.view.uid(number), Some(row.uid));
            assert_eq!(self.view.number(row.uid), Some(number));
            assert_eq!(self.view.row(row.uid), Some(row));
            assert_eq!(self.view.is_ghost(row.uid), self.ghosts.contains(&row.uid.value()));
        }
        assert_eq!(self.view.uid(SeqNum::new(self.view.exists() + 1).unwrap()), None);
        let uids: UidSet = self.told.iter().map(|row| row.uid).collect();
        assert_eq!(self.view.uids(), uids);
        let absent = UidSet::from_range(1, 80).difference(&uids);
        assert!(absent.iter().all(|uid| self.view.number(uid).is_none() && self.view.row(uid).is_none()));
        let ghosts: UidSet =
            self.told.iter().map(|row| row.uid).filter(|uid| self.view.is_ghost(*uid)).collect();
        assert_eq!(self.view.ghosts(), ghosts);
        self.check_sets(set, &numbered);
    }

    fn check_sets(&self, set: &[(u32, u32)], numbered: &[(SeqNum, Row)]) {
        let wanted = UidSet::from_ranges(set.iter().copied());
        let inside: Vec<(SeqNum, Row)> =
            numbered.iter().copied().filter(|(_, row)| within(set, row.uid.value())).collect();
        assert_eq!(self.view.rows_in(&wanted).collect::<Vec<_>>(), inside);
        let found: UidSet = inside.iter().map(|(_, row)| row.uid).collect();
        assert_eq!(self.view.uids_in(&wanted), found);

        let bounds = |&(a, b): &(u32, u32)| (SetBound::Number(a), SetBound::Number(b));
        let plain = SequenceSet::Ranges(set.iter().map(bounds).collect());
        assert_eq!(self.view.resolve_uids(&plain), found);
        let by_number: UidSet = numbered
            .iter()
            .filter(|(number, _)| within(set, number.value()))
            .map(|(_, row)| row.uid)
            .collect();
        let beyond = set.iter().any(|&(a, b)| a.max(b) > self.view.exists());
        assert_eq!(self.view.resolve_numbers(&plain), (!beyond).then_some(by_number));

        // `n:*` names the last message, whatever n is (RFC 9051, 9).
        let first = set[0].0;
        let open = SequenceSet::Ranges(vec![(SetBound::Number(first), SetBound::Star)]);
        let last = self.told.last().map_or(0, |row| row.uid.value());
        let tail: UidSet =
            self.told.iter().map(|row| row.uid).filter(|uid| uid.value() >= first.min(last)).collect();
        assert_eq!(self.view.resolve_uids(&open), tail);
        let star = SequenceSet::Ranges(vec![(SetBound::Star, SetBound::Star)]);
        let largest: Option<UidSet> = self.told.last().map(|row| [row.uid].into_iter().collect());
        assert_eq!(self.view.resolve_numbers(&star), largest);
        assert_eq!(self.view.resolve_uids(&star), largest.unwrap_or_default());
        assert!(Uid::new(0).is_none());
    }
}
