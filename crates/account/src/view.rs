//! What one session sees of a mailbox while others go on changing it.
//!
//! A view is the newest [`Mailbox`] the session has been told of, plus *ghosts*: messages that are expunged there but not
//! yet announced to this session. Ghosts keep their sequence numbers, can be fetched whole (the row stays here, the blob
//! stays in the store for the retention time) and take flag changes of their own.

use std::sync::Arc;

use crate::{FlagOp, Flags, Mailbox, Modseq, Row, SeqNum, SequenceSet, Uid, UidSet};

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
    // mailbox: Arc<Mailbox>, ghosts
}

impl View {
    /// A fresh view: everything is seen, nothing is owed.
    pub fn new(_mailbox: Arc<Mailbox>) -> Self {
        todo!()
    }

    /// The mailbox value under it (without ghosts).
    pub fn mailbox(&self) -> &Arc<Mailbox> {
        todo!()
    }

    /// EXISTS, ghosts included.
    pub fn exists(&self) -> u32 {
        todo!()
    }

    /// UIDs that are expunged but not announced.
    pub fn ghosts(&self) -> UidSet {
        todo!()
    }

    /// The modseq up to which this view is current.
    pub fn modseq(&self) -> Modseq {
        todo!()
    }

    /// UID of a sequence number.
    pub fn uid(&self, _number: SeqNum) -> Option<Uid> {
        todo!()
    }

    /// Sequence number of a UID.
    pub fn number(&self, _uid: Uid) -> Option<SeqNum> {
        todo!()
    }

    /// The message with that UID, ghost or not.
    pub fn row(&self, _uid: Uid) -> Option<Row> {
        todo!()
    }

    /// Is it a ghost?
    pub fn is_ghost(&self, _uid: Uid) -> bool {
        todo!()
    }

    /// All messages with their numbers, ascending, ghosts included.
    pub fn rows(&self) -> impl Iterator<Item = (SeqNum, Row)> + '_ {
        std::iter::empty()
    }

    /// The messages of a set with their numbers, ascending, ghosts included; costs what the set touches.
    pub fn rows_in<'a>(&'a self, _uids: &'a UidSet) -> impl Iterator<Item = (SeqNum, Row)> + 'a {
        std::iter::empty()
    }

    /// Every UID of the view as a set of ranges (runs of consecutive UIDs).
    pub fn uids(&self) -> UidSet {
        todo!()
    }

    /// Resolves a set of UIDs: only members of the view. `*` is the largest UID (RFC 9051, 9: `4:*` always includes it).
    pub fn resolve_uids(&self, _set: &SequenceSet) -> UidSet {
        todo!()
    }

    /// Resolves sequence numbers to UIDs; `None` when a number is beyond EXISTS (the command is BAD, RFC 9051 9 seq-number).
    pub fn resolve_numbers(&self, _set: &SequenceSet) -> Option<UidSet> {
        todo!()
    }

    /// Changes flags of ghosts only, in this view only.
    pub fn store_ghosts(&mut self, _uids: &UidSet, _op: FlagOp, _flags: Flags) {
        todo!()
    }

    /// Moves on to a newer value of the same mailbox. Costs what changed: equal chunks are skipped by pointer.
    pub fn advance(&mut self, _newer: Arc<Mailbox>, _announce: Announce) -> Difference {
        todo!()
    }
}
