//! Deciding what happens to messages: APPEND, STORE, EXPUNGE, COPY, MOVE, REPLACE.

use std::sync::Arc;

use super::place::{Destination, Incoming, KeywordTable, Translation, settable};
use super::{Decision, NewMessage, Original};
use crate::{
    Change, Counts, FlagNames, FlagOp, Flags, Mailbox, MailboxFacts, MailboxId, Modseq, Refusal, Right, Row,
    SystemFlag, Uid, UidSet,
};

impl<'a> Decision<'a> {
    fn facts(&self, mailbox: MailboxId) -> Result<&'a Arc<MailboxFacts>, Refusal> {
        self.account.directory().mailbox_by_id(mailbox).ok_or(Refusal::NonExistent)
    }

    /// Facts and columns. [`super::Draft::needs`] has named the mailbox, so that its columns are missing only by a fault of
    /// the caller.
    pub(super) fn columns(&self, mailbox: MailboxId) -> Result<(&'a MailboxFacts, &'a Mailbox), Refusal> {
        let facts = self.facts(mailbox)?;
        let columns = self.account.loaded(mailbox);
        Ok((facts, columns.ok_or(Refusal::Cannot("the messages of the mailbox are not loaded"))?))
    }

    pub(super) fn append(&mut self, mailbox: MailboxId, messages: &[NewMessage]) -> Result<(), Refusal> {
        let facts = self.facts(mailbox)?;
        self.require(Right::Insert)?;
        let mut to = Destination::new(facts, self.rights);
        for message in messages {
            place_new(message, &mut to)?;
        }
        self.receipt.uid_validity = Some(facts.uid_validity);
        self.receipt.uids = to.conclude(&mut self.changes);
        Ok(())
    }

    /// A message whose flags the STORE would not change keeps its mod-sequence, since nothing about it changed (RFC 7162,
    /// 3.1) and clients would fetch it anew. A STORE that changes no message at all is no entry.
    pub(super) fn store(
        &mut self,
        mailbox: MailboxId,
        uids: &UidSet,
        op: FlagOp,
        names: &FlagNames,
        unchanged_since: Option<Modseq>,
    ) -> Result<(), Refusal> {
        let (facts, columns) = self.columns(mailbox)?;
        let mut table = KeywordTable::new(&facts.keywords);
        let steps = self.store_steps(op, names, &mut table)?;
        let mut counts = vec![facts.counts; steps.len()];
        let mut changed = vec![UidSet::new(); steps.len()];
        for (chunk, places) in columns.segments(uids.ranges()) {
            let chunk = &columns.chunks()[chunk];
            for at in places {
                let uid = chunk.uid(at);
                if unchanged_since.is_some_and(|since| chunk.modseq(at) > since.0) {
                    self.receipt.modified.push_range(uid, uid);
                    continue;
                }
                let mut flags = chunk.flags(at);
                for (step, &(op, named)) in steps.iter().enumerate() {
                    let new = op.apply(flags, named);
                    if new != flags {
                        changed[step].push_range(uid, uid);
                        counts[step..].iter_mut().for_each(|counts| counts.reflag(flags, new));
                    }
                    flags = new;
                }
            }
        }
        self.receipt.missing = uids.difference(&columns.uids_in(uids));
        if changed.iter().any(|uids| !uids.is_empty()) {
            self.changes.extend(table.additions(mailbox));
        }
        // What was asked for, as far as it may change: often fewer ranges than what does change (`STORE 1:*` where every
        // third message has the flag already), and the same to the fold.
        let asked =
            uids.intersection(&UidSet::from_range(1, facts.uid_next)).difference(&self.receipt.modified);
        for ((&(op, flags), uids), counts) in steps.iter().zip(changed).zip(counts) {
            if uids.is_empty() {
                continue;
            }
            let uids = if asked.ranges().len() < uids.ranges().len() { asked.clone() } else { uids };
            self.changes.push(Change::Flagged { mailbox, uids, op, flags, counts });
        }
        Ok(())
    }

    /// The flag operations a STORE comes to under the rights. Who may change only some of the flags named changes those
    /// (RFC 4314, 4); who may change none is refused. A partial replacement is what may be set, set, and the rest of what
    /// may be cleared, cleared.
    fn store_steps(
        &self,
        op: FlagOp,
        names: &FlagNames,
        table: &mut KeywordTable,
    ) -> Result<Vec<(FlagOp, Flags)>, Refusal> {
        let allowed = settable(self.rights);
        let may_add = op != FlagOp::Remove && self.rights.has(Right::Write);
        let named = if may_add { table.flags_or_add(names)? } else { table.flags_known(names) };
        let nothing_named = names.system == Flags::NONE && names.keywords.is_empty();
        let usable = Flags(named.0 & allowed.0);
        let needs_a_right = op == FlagOp::Replace || !nothing_named;
        let may_something = match op {
            FlagOp::Replace => allowed != Flags::NONE,
            // Unknown keywords that are to be cleared are nobody's; clearing them is allowed to who may write.
            FlagOp::Add | FlagOp::Remove => usable != Flags::NONE || self.rights.has(Right::Write),
        };
        if needs_a_right && !may_something {
            return Err(Refusal::NoPermission);
        }
        Ok(match op {
            FlagOp::Replace if allowed != Flags(u64::MAX) => {
                vec![(FlagOp::Add, usable), (FlagOp::Remove, allowed.minus(usable))]
            }
            _ => vec![(op, usable)],
        })
    }

    pub(super) fn expunge(
        &mut self,
        mailbox: MailboxId,
        uids: &UidSet,
        only_deleted: bool,
    ) -> Result<(), Refusal> {
        let (facts, columns) = self.columns(mailbox)?;
        self.require(Right::Expunge)?;
        self.receipt.missing = uids.difference(&columns.uids_in(uids));
        let mut counts = facts.counts;
        let mut gone = UidSet::new();
        for (chunk, places) in columns.segments(uids.ranges()) {
            let chunk = &columns.chunks()[chunk];
            for at in places.filter(|&at| !only_deleted || chunk.flags(at).has(SystemFlag::Deleted)) {
                counts.remove(chunk.flags(at), chunk.size(at));
                gone.push_range(chunk.uid(at), chunk.uid(at));
            }
        }
        self.receipt.source = gone.clone();
        if !gone.is_empty() {
            self.changes.push(Change::Expunged { mailbox, uids: gone, counts });
        }
        Ok(())
    }

    /// COPY and MOVE. The messages are written out in the entry, so that each mailbox folds by itself.
    pub(super) fn copy(
        &mut self,
        from: MailboxId,
        uids: &UidSet,
        to: MailboxId,
        original: Original,
    ) -> Result<(), Refusal> {
        let (source, columns) = self.columns(from)?;
        let facts = self.facts(to)?;
        self.require(Right::Insert)?;
        if original == Original::Goes {
            self.require(Right::DeleteMessages)?;
            self.require(Right::Expunge)?;
        }
        self.transfer(source, columns, uids, Destination::new(facts, self.rights), original)?;
        self.receipt.uid_validity = Some(facts.uid_validity);
        self.receipt.missing = uids.difference(&self.receipt.source);
        Ok(())
    }

    /// Copies messages and, when they move, expunges the originals; names both sides in the receipt.
    pub(super) fn transfer(
        &mut self,
        source: &MailboxFacts,
        columns: &Mailbox,
        uids: &UidSet,
        mut to: Destination,
        original: Original,
    ) -> Result<(), Refusal> {
        let mut translation = Translation::new(&source.keywords);
        let mut taken = Counts::default();
        for row in columns.rows_in(uids) {
            self.receipt.source.insert(row.uid);
            taken.add(row.flags, row.size);
            let flags = translation.flags(row.flags, &mut to)?;
            let Row { blob, size, internal_date, .. } = row;
            to.place(Incoming { blob, size, internal_date, flags }, None)?;
        }
        // Within one mailbox the originals go from what is there after the copies came.
        let before = if to.mailbox == source.id { to.counts } else { source.counts };
        self.receipt.uids = to.conclude(&mut self.changes);
        if original == Original::Goes && !self.receipt.source.is_empty() {
            let uids = self.receipt.source.clone();
            self.changes.push(Change::Expunged { mailbox: source.id, uids, counts: before.minus(taken) });
        }
        Ok(())
    }

    /// REPLACE (RFC 8508): the new message comes and the old one goes, or neither.
    pub(super) fn replace(
        &mut self,
        from: MailboxId,
        uid: Uid,
        to: MailboxId,
        message: &NewMessage,
    ) -> Result<(), Refusal> {
        let (source, columns) = self.columns(from)?;
        let facts = self.facts(to)?;
        for right in [Right::Insert, Right::DeleteMessages, Right::Expunge] {
            self.require(right)?;
        }
        let old = columns.row(uid).ok_or(Refusal::ExpungeIssued)?;
        let mut destination = Destination::new(facts, self.rights);
        place_new(message, &mut destination)?;
        let mut counts = if from == to { destination.counts } else { source.counts };
        counts.remove(old.flags, old.size);
        self.receipt.uid_validity = Some(facts.uid_validity);
        self.receipt.uids = destination.conclude(&mut self.changes);
        self.receipt.source.insert(uid);
        let uids = self.receipt.source.clone();
        self.changes.push(Change::Expunged { mailbox: from, uids, counts });
        Ok(())
    }
}

fn place_new(message: &NewMessage, to: &mut Destination) -> Result<(), Refusal> {
    let flags = to.flags(&message.flags)?;
    let NewMessage { blob, size, internal_date, uid, .. } = *message;
    to.place(Incoming { blob, size, internal_date, flags }, uid)
}
