//! The message columns of one mailbox: immutable chunks of 4,096 messages shared by `Arc`, copied when written.

use crate::{BlobId, Flags, InternalDate, Millis, Modseq, Uid, UidSet};

/// One message in one mailbox, gathered from the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Its UID.
    pub uid: Uid,
    /// Entry that last touched it.
    pub modseq: Modseq,
    /// Its flags; keywords by the mailbox's table.
    pub flags: Flags,
    /// INTERNALDATE.
    pub internal_date: InternalDate,
    /// SAVEDATE (RFC 8514).
    pub save_date: Millis,
    /// RFC822.SIZE in octets.
    pub size: u64,
    /// The message's bytes and what was derived from them.
    pub blob: BlobId,
}

/// The columns of one mailbox, sorted by UID. Cloning is cheap; an unchanged chunk is the same allocation.
#[derive(Debug, Clone, Default)]
pub struct Mailbox {
    // chunks, keyword table, tombstones, highest modseq, uid next
}

impl Mailbox {
    /// Messages in it.
    pub fn len(&self) -> u32 {
        todo!()
    }

    /// No message?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// UIDNEXT.
    pub fn uid_next(&self) -> u32 {
        todo!()
    }

    /// HIGHESTMODSEQ.
    pub fn highest_modseq(&self) -> Modseq {
        todo!()
    }

    /// The message with that UID.
    pub fn row(&self, _uid: Uid) -> Option<Row> {
        todo!()
    }

    /// All messages, ascending.
    pub fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        std::iter::empty()
    }

    /// The messages of a set, ascending; costs the chunks the set touches.
    pub fn rows_in<'a>(&'a self, _uids: &'a UidSet) -> impl Iterator<Item = Row> + 'a {
        std::iter::empty()
    }

    /// UIDs changed or added after `since` (CHANGEDSINCE); skips chunks whose highest modseq is lower.
    pub fn changed_since(&self, _since: Modseq) -> UidSet {
        todo!()
    }

    /// UIDs expunged after `since` (VANISHED): exact above the tombstone floor, below it every UID under UIDNEXT that
    /// is absent (RFC 7162 3.2.6 allows more than needed, never less).
    pub fn vanished_since(&self, _since: Modseq) -> UidSet {
        todo!()
    }
}
