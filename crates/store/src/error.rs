//! What can go wrong, in the caller's words.

use std::fmt;
use std::io;

use crate::{AccountKey, BlobId, EntryNo};

/// Why an append or a blob was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppendError {
    /// `expected` is not the account's head. Nothing happened. `head` is the last entry that was *enqueued*: it may not be
    /// durable, and so not readable, yet.
    Conflict {
        /// The number that should have been expected.
        head: EntryNo,
    },
    /// There is no space. Nothing happened, also not after a restart; reading and [`AppendClass::Shrink`](crate::AppendClass) go on.
    Full,
    /// The store failed. Unless the error says otherwise, whether the entry will be there after a restart is unknown.
    Failed(StoreError),
}

/// Why the store could not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// No blob has this id: it was never put, its upload was not acknowledged before a crash, or it was reclaimed.
    Missing {
        /// The id asked for.
        blob: BlobId,
    },
    /// The bytes are there but are not what was written, or they are gone although nothing removed them.
    Damaged(Damaged),
    /// The entries asked for lie before the older checkpoint and may be gone.
    Forgotten {
        /// Read after this number, or from a checkpoint.
        floor: EntryNo,
    },
    /// A number does not rise: an entry not above its predecessor, a checkpoint not above the last one or beyond the head.
    OutOfOrder {
        /// The number given.
        no: EntryNo,
        /// The account's enqueued head.
        head: EntryNo,
    },
    /// More bytes than the named limit allows. Nothing happened.
    TooLarge {
        /// Bytes given.
        bytes: u64,
        /// Bytes allowed.
        bytes_max: u64,
    },
    /// There is no space for it. Nothing happened.
    Full,
    /// A write or a sync failed earlier; nothing is written any more. Reading goes on. Opening the store again is the only way out.
    Poisoned,
    /// The store was closed.
    Closed,
    /// Another process, or another part of this one, has the folder open.
    Locked {
        /// Its process id, where the lock file tells.
        pid: Option<u32>,
    },
    /// The folder is not a store, or one of a version this build does not know.
    Unsupported(String),
    /// The operating system refused.
    Io {
        /// Its reason.
        kind: io::ErrorKind,
        /// What was being done, to which file, and the system's words.
        context: String,
    },
}

/// Which thing is damaged, as precisely as can be told.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Damaged {
    /// A blob, in any of its sections.
    Blob(BlobId),
    /// An entry; `no` is the damaged one, or the first that follows a gap.
    Entry {
        /// Whose journal.
        account: AccountKey,
        /// Its number.
        no: EntryNo,
    },
    /// A checkpoint.
    Checkpoint {
        /// Whose.
        account: AccountKey,
        /// Its number.
        at: EntryNo,
    },
    /// A stretch of the log in which not even the names can be read any more.
    Log {
        /// Number of the segment file.
        segment: u32,
        /// Where the stretch begins, in bytes from the start of the file.
        offset: u64,
    },
}

impl StoreError {
    /// Wraps an operating system's error with what was being done.
    pub(crate) fn io(context: impl fmt::Display, error: &io::Error) -> StoreError {
        if is_full(error) {
            return StoreError::Full;
        }
        StoreError::Io { kind: error.kind(), context: format!("{context}: {error}") }
    }
}

/// Whether the system says that space (or the quota, or the count of files) is used up.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

impl From<StoreError> for AppendError {
    fn from(error: StoreError) -> AppendError {
        match error {
            StoreError::Full => AppendError::Full,
            other => AppendError::Failed(other),
        }
    }
}

impl From<AppendError> for StoreError {
    fn from(error: AppendError) -> StoreError {
        match error {
            AppendError::Full => StoreError::Full,
            AppendError::Failed(inner) => inner,
            AppendError::Conflict { head } => StoreError::OutOfOrder { no: head, head },
        }
    }
}

impl fmt::Display for AppendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AppendError::Conflict { head } => write!(f, "the journal's head is entry {head}"),
            AppendError::Full => f.write_str("no space left in the store"),
            AppendError::Failed(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Missing { blob } => write!(f, "no blob {blob}"),
            StoreError::Damaged(damaged) => write!(f, "damaged: {damaged}"),
            StoreError::Forgotten { floor } => {
                write!(f, "entries up to {floor} are folded into a checkpoint")
            }
            StoreError::OutOfOrder { no, head } => {
                write!(f, "number {no} is out of order, the head is {head}")
            }
            StoreError::TooLarge { bytes, bytes_max } => {
                write!(f, "{bytes} bytes exceed the limit of {bytes_max}")
            }
            StoreError::Full => f.write_str("no space left in the store"),
            StoreError::Poisoned => f.write_str("a write failed earlier, the store takes no more"),
            StoreError::Closed => f.write_str("the store is closed"),
            StoreError::Locked { pid: Some(pid) } => write!(f, "the store is in use by process {pid}"),
            StoreError::Locked { pid: None } => f.write_str("the store is in use by another process"),
            StoreError::Unsupported(reason) => write!(f, "cannot open this store: {reason}"),
            StoreError::Io { context, .. } => f.write_str(context),
        }
    }
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Damaged::Blob(id) => write!(f, "blob {id}"),
            Damaged::Entry { account, no } => write!(f, "entry {no} of account {}", account.0),
            Damaged::Checkpoint { account, at } => write!(f, "checkpoint {at} of account {}", account.0),
            Damaged::Log { segment, offset } => write!(f, "segment {segment} from byte {offset}"),
        }
    }
}

impl std::error::Error for AppendError {}
impl std::error::Error for StoreError {}
