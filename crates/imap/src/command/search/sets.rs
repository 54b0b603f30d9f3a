//! Search keys that are sets: sequence numbers, UID, `$` (RFC 9051 6.4.4, RFC 5182).

use account::{SequenceSet, UidSet};

use super::{Binder, Candidate, Needs, SearchKey};
use crate::command::Failure;

/// A set of message sequence numbers, or `$`.
pub(super) struct ByNumber {
    set: SequenceSet,
    uids: UidSet,
}

/// `UID` and a set of UIDs.
pub(super) struct ByUid {
    set: SequenceSet,
    uids: UidSet,
}

impl ByNumber {
    pub(super) const fn new(set: SequenceSet) -> Self {
        Self { set, uids: UidSet::new() }
    }
}

impl ByUid {
    pub(super) const fn new(set: SequenceSet) -> Self {
        Self { set, uids: UidSet::new() }
    }
}

impl SearchKey for ByNumber {
    fn needs(&self) -> Needs {
        Needs::Row
    }

    fn bind(&mut self, binder: &Binder<'_>) -> Result<(), Failure> {
        self.uids = match &self.set {
            SequenceSet::Saved => binder.saved.clone(),
            set => {
                binder.view.resolve_numbers(set).ok_or_else(|| Failure::bad("No message has that number"))?
            }
        };
        Ok(())
    }

    fn matches(&self, candidate: &Candidate<'_>) -> Option<bool> {
        Some(self.uids.contains(candidate.row.uid))
    }
}

impl SearchKey for ByUid {
    fn needs(&self) -> Needs {
        Needs::Row
    }

    fn bind(&mut self, binder: &Binder<'_>) -> Result<(), Failure> {
        self.uids = match &self.set {
            SequenceSet::Saved => binder.saved.clone(),
            set => binder.view.resolve_uids(set),
        };
        Ok(())
    }

    fn matches(&self, candidate: &Candidate<'_>) -> Option<bool> {
        Some(self.uids.contains(candidate.row.uid))
    }
}
