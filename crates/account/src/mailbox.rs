//! The message columns of one mailbox: immutable chunks of 4,096 messages shared by `Arc`, copied when written.

use std::ops::Range;
use std::sync::Arc;

use crate::chunk::{Chunk, FULL};
use crate::tombstones::Tombstones;
use crate::{
    BlobId, Change, Entry, FlagOp, Flags, InternalDate, KEYWORDS_MAX, Keywords, MailboxFacts, MailboxId,
    Millis, Modseq, PlacedMessage, Uid, UidSet,
};

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
#[derive(Debug, Clone)]
pub struct Mailbox {
    /// None of them empty, UIDs rising from one to the next.
    chunks: Vec<Arc<Chunk>>,
    /// How many messages stand before each chunk.
    starts: Vec<u32>,
    len: u32,
    uid_next: u32,
    highest_modseq: Modseq,
    keywords: Arc<Keywords>,
    tombstones: Arc<Tombstones>,
}

impl Default for Mailbox {
    /// A mailbox before its first entry.
    fn default() -> Self {
        Self {
            chunks: Vec::new(),
            starts: Vec::new(),
            len: 0,
            uid_next: 1,
            highest_modseq: Modseq(0),
            keywords: Arc::default(),
            tombstones: Arc::default(),
        }
    }
}

/// Two mailboxes are equal when they hold the same messages and answer the same, however their chunks are cut.
impl PartialEq for Mailbox {
    fn eq(&self, other: &Self) -> bool {
        self.uid_next == other.uid_next
            && self.highest_modseq == other.highest_modseq
            && self.keywords == other.keywords
            && self.tombstones.floor() == other.tombstones.floor()
            && self.tombstones.since(self.tombstones.floor())
                == other.tombstones.since(other.tombstones.floor())
            && self.rows().eq(other.rows())
    }
}

impl Mailbox {
    /// Messages in it.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// No message?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// UIDNEXT.
    pub fn uid_next(&self) -> u32 {
        self.uid_next
    }

    /// HIGHESTMODSEQ.
    pub fn highest_modseq(&self) -> Modseq {
        self.highest_modseq
    }

    /// The keyword table that the rows' flags refer to; it outlives the mailbox in every view of it.
    pub fn keywords(&self) -> &Keywords {
        &self.keywords
    }

    /// The mailbox after everything in it went at once: what a session sees that has a deleted mailbox selected.
    pub fn emptied(&self) -> Self {
        Self { chunks: Vec::new(), starts: Vec::new(), len: 0, ..self.clone() }
    }

    /// The message with that UID.
    pub fn row(&self, uid: Uid) -> Option<Row> {
        let (chunk, at) = self.place(uid)?;
        chunk.row(at)
    }

    /// All messages, ascending.
    pub fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        self.ranked_rows(&ALL).map(|(_, row)| row)
    }

    /// The messages of a set, ascending; costs the chunks the set touches.
    pub fn rows_in<'a>(&'a self, uids: &'a UidSet) -> impl Iterator<Item = Row> + 'a {
        self.ranked_rows(uids.ranges()).map(|(_, row)| row)
    }

    /// The members of a set that are in the mailbox; costs the ranges and the chunks they touch.
    pub fn uids_in(&self, uids: &UidSet) -> UidSet {
        let mut found = UidSet::new();
        for (chunk, places) in self.segments(uids.ranges()) {
            self.chunks[chunk].push_uids(places, &mut found);
        }
        found
    }

    /// Every UID.
    pub fn uids(&self) -> UidSet {
        let mut all = UidSet::new();
        for chunk in &self.chunks {
            chunk.push_uids(0..chunk.len(), &mut all);
        }
        all
    }

    /// UIDs changed or added after `since` (CHANGEDSINCE); skips chunks whose highest modseq is lower.
    pub fn changed_since(&self, since: Modseq) -> UidSet {
        let mut changed = UidSet::new();
        for chunk in self.chunks.iter().filter(|chunk| chunk.modseq_max() > since.0) {
            for at in (0..chunk.len()).filter(|&at| chunk.modseq(at) > since.0) {
                let uid = chunk.uid(at);
                changed.push_range(uid, uid);
            }
        }
        changed
    }

    /// UIDs expunged after `since` (VANISHED): exact above the tombstone floor, below it every UID under UIDNEXT that
    /// is absent (RFC 7162 3.2.10.2 allows more than needed, never less).
    pub fn vanished_since(&self, since: Modseq) -> UidSet {
        if let Some(exact) = self.tombstones.since(since) {
            return exact;
        }
        match self.uid_next {
            0 | 1 => UidSet::new(),
            uid_next => UidSet::from_range(1, uid_next - 1).difference(&self.uids()),
        }
    }

    /// Every blob the messages refer to, for the store's garbage collection.
    pub fn blobs(&self) -> impl Iterator<Item = BlobId> + '_ {
        self.chunks.iter().flat_map(|chunk| chunk.blobs())
    }

    /// Bytes it takes in memory, for eviction: chunks that are shared with views are counted here and there.
    pub fn resident_bytes(&self) -> usize {
        let chunks: usize =
            self.chunks.iter().map(|chunk| chunk.resident_bytes() + 2 * size_of::<usize>()).sum();
        let keywords: usize = self.keywords.0.iter().map(|name| size_of::<String>() + name.capacity()).sum();
        size_of::<Self>() + self.starts.capacity() * 12 + chunks + keywords + self.tombstones.resident_bytes()
    }

    /// The fold of one mailbox: what `entry` does to `mailbox`, whose columns these are. Total like
    /// [`crate::Account::apply`]; an entry already folded in changes nothing.
    pub fn apply(&mut self, mailbox: MailboxId, entry: &Entry) {
        if entry.no <= self.highest_modseq {
            return;
        }
        let mut touched = false;
        for change in entry.changes.iter().filter(|change| change.touches() == Some(mailbox)) {
            self.apply_change(change, entry);
            touched = true;
        }
        if touched {
            self.conclude(entry.no);
        }
    }
}

/// All UIDs there can be.
const ALL: [(u32, u32); 1] = [(1, u32::MAX)];

/// Places and ranks, for views and differences.
impl Mailbox {
    pub(crate) fn from_columns(
        chunks: Vec<Arc<Chunk>>,
        tombstones: Arc<Tombstones>,
        facts: &MailboxFacts,
    ) -> Self {
        let mut mailbox = Self {
            chunks,
            uid_next: facts.uid_next.max(1),
            highest_modseq: facts.highest_modseq,
            keywords: Arc::new(facts.keywords.clone()),
            tombstones,
            ..Self::default()
        };
        mailbox.count();
        mailbox
    }

    pub(crate) fn chunks(&self) -> &[Arc<Chunk>] {
        &self.chunks
    }

    pub(crate) const fn tombstones(&self) -> &Arc<Tombstones> {
        &self.tombstones
    }

    /// Messages with a smaller UID.
    pub(crate) fn rank(&self, uid: u32) -> u32 {
        let at = self.chunks.partition_point(|chunk| chunk.last() < uid);
        self.chunks.get(at).map_or(self.len, |chunk| self.starts[at] + chunk.lower_bound(uid) as u32)
    }

    /// UID of the message with so many before it.
    pub(crate) fn uid_at(&self, rank: u32) -> Option<Uid> {
        if rank >= self.len {
            return None;
        }
        let chunk = self.starts.partition_point(|&start| start <= rank).checked_sub(1)?;
        Uid::new(self.chunks[chunk].uid((rank - self.starts[chunk]) as usize))
    }

    pub(crate) fn last_uid(&self) -> Option<Uid> {
        Uid::new(self.chunks.last()?.last())
    }

    fn place(&self, uid: Uid) -> Option<(&Chunk, usize)> {
        let uid = uid.value();
        let at = self.chunks.partition_point(|chunk| chunk.last() < uid);
        let chunk = self.chunks.get(at)?;
        let place = chunk.lower_bound(uid);
        (chunk.uid(place) == uid).then_some((chunk, place))
    }

    pub(crate) fn contains(&self, uid: Uid) -> bool {
        self.place(uid).is_some()
    }

    /// The messages in the ranges, each with its rank.
    pub(crate) fn ranked_rows<'a>(
        &'a self,
        ranges: &'a [(u32, u32)],
    ) -> impl Iterator<Item = (u32, Row)> + 'a {
        self.segments(ranges).flat_map(move |(chunk, places)| {
            let (start, chunk) = (self.starts[chunk], &self.chunks[chunk]);
            places.filter_map(move |at| Some((start + at as u32, chunk.row(at)?)))
        })
    }

    /// The non-empty runs of places that the ranges touch, chunk by chunk.
    pub(crate) fn segments<'a>(&'a self, ranges: &'a [(u32, u32)]) -> Segments<'a> {
        Segments { chunks: &self.chunks, ranges, chunk: 0 }
    }

    /// Recounts after chunks grew, shrank, came or went.
    fn count(&mut self) {
        self.starts.clear();
        self.len = 0;
        for chunk in &self.chunks {
            self.starts.push(self.len);
            self.len += chunk.len() as u32;
        }
    }
}

/// See [`Mailbox::segments`].
#[derive(Debug)]
pub(crate) struct Segments<'a> {
    chunks: &'a [Arc<Chunk>],
    ranges: &'a [(u32, u32)],
    chunk: usize,
}

impl Iterator for Segments<'_> {
    type Item = (usize, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let &(first, last) = self.ranges.first()?;
            if self.chunks.get(self.chunk)?.last() < first {
                // Sets of many ranges usually stay in one chunk or go to the next; a jump is found by halving.
                self.chunk += self.chunks[self.chunk..].partition_point(|chunk| chunk.last() < first);
            }
            let index = self.chunk;
            let chunk = self.chunks.get(index)?;
            if chunk.last() > last {
                self.ranges = &self.ranges[1..];
            } else {
                self.chunk += 1;
            }
            let places = chunk.places(first, last);
            if !places.is_empty() {
                return Some((index, places));
            }
        }
    }
}

/// The fold.
impl Mailbox {
    /// All changes of an entry that touch this mailbox are folded in.
    pub(crate) const fn conclude(&mut self, no: Modseq) {
        self.highest_modseq = no;
    }

    /// One change that touches this mailbox. Until [`Mailbox::conclude`], the entry counts as not folded in.
    pub(crate) fn apply_change(&mut self, change: &Change, entry: &Entry) {
        match change {
            Change::MailboxCreated { uid_next, .. } | Change::Revalidated { uid_next, .. } => {
                self.uid_next = self.uid_next.max(*uid_next)
            }
            Change::KeywordAdded { name, .. } => Arc::make_mut(&mut self.keywords).add(name),
            Change::Appended { messages, .. } => self.append(messages, entry),
            Change::Flagged { uids, op, flags, .. } => self.flag(uids, *op, *flags, entry.no),
            Change::Expunged { uids, .. } => self.expunge(uids, entry.no),
            _ => {}
        }
    }

    fn append(&mut self, messages: &[PlacedMessage], entry: &Entry) {
        for message in messages {
            // UIDs only rise; one that does not contradicts the journal and is left out.
            if message.uid.value() < self.uid_next || self.last_uid().is_some_and(|last| message.uid <= last)
            {
                continue;
            }
            if self.chunks.last().is_none_or(|chunk| chunk.is_full()) {
                self.chunks.push(Arc::default());
            }
            let Some(chunk) = self.chunks.last_mut() else { return };
            Arc::make_mut(chunk).push(&Row {
                uid: message.uid,
                modseq: entry.no,
                flags: message.flags,
                internal_date: message.internal_date,
                save_date: message.save_date.unwrap_or(entry.time),
                size: message.size,
                blob: message.blob,
            });
            self.uid_next = message.uid.value().saturating_add(1);
        }
        self.count();
    }

    /// Absent messages, and those whose flags stay as they are, may be named: they are not touched.
    fn flag(&mut self, uids: &UidSet, op: FlagOp, flags: Flags, no: Modseq) {
        for (index, places) in self.segments_by_chunk(uids) {
            // A chunk in which nothing changes stays shared with the older values.
            if self.chunks[index].would_change(&places, op, flags) {
                Arc::make_mut(&mut self.chunks[index]).store(&places, op, flags, no);
            }
        }
    }

    /// The places that a set touches, of each chunk together.
    fn segments_by_chunk(&self, uids: &UidSet) -> Vec<(usize, Vec<Range<usize>>)> {
        let mut by_chunk: Vec<(usize, Vec<Range<usize>>)> = Vec::new();
        for (index, places) in self.segments(uids.ranges()) {
            match by_chunk.last_mut() {
                Some((last, of_chunk)) if *last == index => of_chunk.push(places),
                _ => by_chunk.push((index, vec![places])),
            }
        }
        by_chunk
    }

    fn expunge(&mut self, uids: &UidSet, no: Modseq) {
        let gone = self.uids_in(uids);
        if gone.is_empty() {
            return;
        }
        for (index, of_chunk) in self.segments_by_chunk(&gone) {
            let mut keep = vec![true; self.chunks[index].len()];
            for places in of_chunk {
                keep[places].fill(false);
            }
            if keep.contains(&true) {
                Arc::make_mut(&mut self.chunks[index]).retain(&keep);
            } else {
                self.chunks[index] = Arc::default();
            }
        }
        Arc::make_mut(&mut self.tombstones).add(&gone, no);
        self.tidy();
        self.count();
    }

    /// Drops empty chunks and joins small neighbours, so that any two together are more than half full and ranks stay
    /// cheap however much was expunged.
    fn tidy(&mut self) {
        let mut tidied: Vec<Arc<Chunk>> = Vec::with_capacity(self.chunks.len());
        for chunk in self.chunks.drain(..).filter(|chunk| chunk.len() > 0) {
            match tidied.last_mut() {
                Some(before) if before.len() + chunk.len() <= FULL / 2 => {
                    Arc::make_mut(before).extend(&chunk);
                }
                _ => tidied.push(chunk),
            }
        }
        self.chunks = tidied;
    }
}

impl Keywords {
    /// The next free index gets this name; a name already there or one too many is left out.
    pub(crate) fn add(&mut self, name: &str) {
        if self.0.len() < KEYWORDS_MAX && self.index(name).is_none() {
            self.0.push(name.to_owned());
        }
    }
}
