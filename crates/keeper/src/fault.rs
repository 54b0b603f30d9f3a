//! The store's errors in the port's words.

use account::{BlobId, CommitError, DecodeError, Fault};
use store::{AppendError, Damaged, StoreError};

/// A store's error as a fault. A blob that is missing counts as damaged: only what is referred to is asked for.
pub(crate) fn fault(error: StoreError) -> Fault {
    match error {
        StoreError::Missing { blob } | StoreError::Damaged(Damaged::Blob(blob)) => {
            Fault::Damaged(BlobId(blob.0))
        }
        other => Fault::Unavailable(other.to_string()),
    }
}

/// The same for what was to be written: no space is no fault.
pub(crate) fn commit_error(error: StoreError) -> CommitError {
    match error {
        StoreError::Full => CommitError::Full,
        other => CommitError::Fault(fault(other)),
    }
}

/// For blobs put outside a commit.
pub(crate) fn put_fault(error: AppendError) -> Fault {
    fault(StoreError::from(error))
}

/// What cannot be read as a journal's entry: damage may be mended by an operator, an unknown format refuses the account.
pub(crate) fn undecodable(what: &str, error: &DecodeError) -> Fault {
    match error {
        DecodeError::Unknown(..) => Fault::Gone,
        other => Fault::Unavailable(format!("{what}: {other}")),
    }
}
