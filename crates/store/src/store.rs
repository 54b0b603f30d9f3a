//! The contract that every engine keeps.

use std::future::Future;
use std::ops::Range;
use std::pin::Pin;

use bytes::Bytes;

use crate::{
    AccountKey, AppendClass, AppendError, BlobId, BlobParts, Damaged, EntryNo, LiveBlobs, Section,
    StoreError, Stored,
};

/// An answer that may take a disk's time. It needs no particular runtime: whoever polls it is woken when it is there.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Journals by account, and blobs. Engines never look inside the bytes.
pub trait Store: Send + Sync + 'static {
    /// Appends `entry` as number `no` if the account's enqueued head is `expected`.
    ///
    /// The place is taken at the call and not at the first poll, so that calls made in order ride in order and `no + 1` may be appended
    /// before `no` is durable. It resolves when the entry, all before it and all blobs put before the call are durable. Dropping
    /// the future does not take the entry back. An entry is visible to [`Store::read`] and [`Store::head`] once it is durable.
    ///
    /// Limits: `no > expected`, else [`StoreError::OutOfOrder`]; [`ENTRY_BYTES_MAX`](crate::ENTRY_BYTES_MAX).
    fn append(
        &self,
        account: AccountKey,
        expected: EntryNo,
        no: EntryNo,
        entry: Bytes,
        class: AppendClass,
    ) -> Pending<'static, Result<(), AppendError>>;

    /// Durable entries after number `after`, in order, as many as fit in `bytes_max` but at least one if there is any. An empty
    /// answer means that `after` is the head. Entries before the older checkpoint answer [`StoreError::Forgotten`].
    fn read(
        &self,
        account: AccountKey,
        after: EntryNo,
        bytes_max: usize,
    ) -> Pending<'_, Result<Vec<Stored>, StoreError>>;

    /// Number of the last durable entry, 0 if there was never one.
    fn head(&self, account: AccountKey) -> Pending<'_, Result<EntryNo, StoreError>>;

    /// Keeps `manifest` as the account's state after entry `at`. Two generations are kept, an older third one is dropped, and entries
    /// at or before the *older* generation are forgotten. Takes its place at the call, resolves when durable, together with all blobs
    /// put before the call. `at` must be above the newest checkpoint and not above the enqueued head.
    fn checkpoint(
        &self,
        account: AccountKey,
        at: EntryNo,
        manifest: Bytes,
    ) -> Pending<'static, Result<(), StoreError>>;

    /// The durable checkpoints, newest first, at most two. A damaged one is an error; see [`Maintenance::checkpoint_at`] for
    /// reading the other alone.
    fn checkpoints(&self, account: AccountKey) -> Pending<'_, Result<Vec<(EntryNo, Bytes)>, StoreError>>;

    /// Takes a blob whole and names it. It can be read at once, and is durable when an append, a checkpoint or a [`Store::sync`] that was
    /// called later resolves. Limit: [`BLOB_BYTES_MAX`](crate::BLOB_BYTES_MAX). Blocks only while space in the log is
    /// made ready, and while more waits to be written than memory should hold (64 MiB).
    fn put_blob(&self, blob: BlobParts<'_>) -> Result<BlobId, AppendError>;

    /// Begins a blob whose body arrives in pieces and may be large.
    fn upload(&self) -> Box<dyn Upload>;

    /// Bytes of one section; `range` counts in the bytes as they were put and is cut at the section's end. What is returned was
    /// verified; damage answers [`StoreError::Damaged`].
    fn blob(&self, id: BlobId, section: Section, range: Range<u64>)
    -> Pending<'_, Result<Bytes, StoreError>>;

    /// The whole summaries of many blobs, in the order of `ids`. Faster than one by one, most of all for ids that rise.
    fn summaries(&self, ids: &[BlobId]) -> Pending<'_, Result<Vec<Bytes>, StoreError>>;

    /// Resolves when everything enqueued before the call is durable.
    fn sync(&self) -> Pending<'static, Result<(), StoreError>>;
}

/// A body on its way in. Dropped unfinished, its temporary space is freed and nothing was put.
pub trait Upload: Send {
    /// Takes the next bytes of the body. After an error the upload is of no further use.
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> Pending<'a, Result<(), StoreError>>;

    /// Ends the body and names the blob, with the promises of [`Store::put_blob`]. A body above [`LARGE_BODY_BYTES`](crate::LARGE_BODY_BYTES)
    /// is a synced file when this resolves, and needs no further sync but that of its name, which rides with the next append.
    fn finish(self: Box<Self>, summary: Bytes, text: Bytes) -> Pending<'static, Result<BlobId, StoreError>>;
}

/// What housekeeping and operators ask of an engine.
pub trait Maintenance: Store {
    /// The accounts whose journal has a head and was not dropped, in rising order.
    fn accounts(&self) -> Pending<'_, Result<Vec<AccountKey>, StoreError>>;

    /// One checkpoint generation alone: `0` the newest, `1` the older. The way back when the newest is damaged.
    fn checkpoint_at(
        &self,
        account: AccountKey,
        generation: usize,
    ) -> Pending<'_, Result<Option<(EntryNo, Bytes)>, StoreError>>;

    /// Drops an account's entries and checkpoints for ever, if its enqueued head is `expected`. Its head stays, so that numbers never
    /// come back; its blobs go with the next [`Maintenance::reclaim`]. Resolves when durable.
    fn drop_journal(
        &self,
        account: AccountKey,
        expected: EntryNo,
    ) -> Pending<'static, Result<(), AppendError>>;

    /// The id below which every blob put so far lies.
    ///
    /// For [`Maintenance::reclaim`], take it *first*, then wait until every delivery that had put a blob before has appended the entry that
    /// names it (or has given up), and only then mark: what is put but not yet named looks dead. The watermark of the
    /// run before serves as well, if runs are further apart than any delivery lasts.
    fn watermark(&self) -> BlobId;

    /// Frees the space of dead blobs and forgotten entries. A blob is dead if it lies below `before` and is not in `live`. Reading and
    /// appending go on meanwhile. What is damaged is left where it is.
    fn reclaim(&self, live: LiveBlobs, before: BlobId) -> Pending<'_, Result<Reclaimed, StoreError>>;

    /// Reads and verifies everything. Reading and appending go on meanwhile.
    fn check(&self) -> Pending<'_, Result<CheckReport, StoreError>>;

    /// Syncs what is enqueued and takes no more; afterwards every call answers [`StoreError::Closed`].
    fn close(&self) -> Pending<'static, Result<(), StoreError>>;
}

/// What a [`Maintenance::reclaim`] did.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Reclaimed {
    /// Blobs that are gone.
    pub blobs: u64,
    /// Bytes of disk given back.
    pub bytes: u64,
    /// Bytes of records still in use that had to be copied for it.
    pub copied_bytes: u64,
}

/// What a [`Maintenance::check`] read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Entries that are whole.
    pub entries: u64,
    /// Checkpoints that are whole.
    pub checkpoints: u64,
    /// Blobs that are whole.
    pub blobs: u64,
    /// Bytes read.
    pub bytes: u64,
    /// What is not whole, in rising order, each once.
    pub damaged: Vec<Damaged>,
}
