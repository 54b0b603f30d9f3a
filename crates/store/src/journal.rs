//! The words of a journal: whose it is, its numbers, its entries and checkpoints.

use bytes::Bytes;

/// Names one account's journal. The caller chooses the numbers; the store gives them no meaning.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountKey(pub u64);

/// Number of an entry in its account's journal. 0 stands before the first entry. Numbers strictly rise and may have gaps:
/// the caller chooses them.
pub type EntryNo = u64;

/// One entry as it was appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its number.
    pub no: EntryNo,
    /// Its bytes, exactly as appended.
    pub bytes: Bytes,
}

/// What an append does to the space in use, which decides whether it may draw on the reserve of a full disk.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum AppendClass {
    /// Refused with [`AppendError::Full`](crate::AppendError::Full) when space is short.
    Grow,
    /// An expunge or a deletion: it frees space in the end, so it may use the space kept in reserve.
    Shrink,
}
