//! Sets of UIDs as ranges, and the *syntax* of a sequence set before it meets a view.

use crate::Uid;

/// A set of UIDs as sorted, disjoint, non-adjacent inclusive ranges. Never expanded: `1:4294967295` is one range.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct UidSet {
    ranges: Vec<(u32, u32)>,
}

impl UidSet {
    /// The empty set.
    pub const fn new() -> Self {
        Self { ranges: Vec::new() }
    }

    /// Inclusive range; the ends in either order. Zero ends are clamped to 1.
    pub fn from_range(_first: u32, _last: u32) -> Self {
        todo!()
    }

    /// From ranges in any order, overlapping or not.
    pub fn from_ranges(_ranges: impl IntoIterator<Item = (u32, u32)>) -> Self {
        todo!()
    }

    /// Adds one UID; appending in ascending order is O(1).
    pub fn insert(&mut self, _uid: Uid) {
        todo!()
    }

    /// Is the UID in the set? O(log ranges).
    pub fn contains(&self, _uid: Uid) -> bool {
        todo!()
    }

    /// No UID at all?
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How many UIDs (up to 2^32 - 1).
    pub fn len(&self) -> u64 {
        self.ranges.iter().map(|&(first, last)| u64::from(last - first) + 1).sum()
    }

    /// The inclusive ranges, ascending.
    pub fn ranges(&self) -> &[(u32, u32)] {
        &self.ranges
    }

    /// Every UID, ascending. Only for sets known to be bounded by a mailbox.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Uid> + '_ {
        self.ranges.iter().flat_map(|&(first, last)| (first..=last).filter_map(Uid::new))
    }

    /// Smallest and largest member.
    pub fn bounds(&self) -> Option<(Uid, Uid)> {
        todo!()
    }

    /// Set algebra, linear in the ranges.
    pub fn union(&self, _other: &Self) -> Self {
        todo!()
    }

    /// Set algebra, linear in the ranges.
    pub fn intersection(&self, _other: &Self) -> Self {
        todo!()
    }

    /// Members of `self` that are not in `other`; linear in the ranges.
    pub fn difference(&self, _other: &Self) -> Self {
        todo!()
    }
}

impl FromIterator<Uid> for UidSet {
    fn from_iter<I: IntoIterator<Item = Uid>>(_iter: I) -> Self {
        todo!()
    }
}

/// One end of a range in a [`SequenceSet`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetBound {
    /// A number, never zero.
    Number(u32),
    /// `*`: the largest number in use; in an empty mailbox nothing for sequence numbers.
    Star,
}

/// `sequence-set` of RFC 9051 as written: numbers or UIDs, not yet resolved. See [`crate::View::resolve`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SequenceSet {
    /// Ranges as given, ends in either order.
    Ranges(Vec<(SetBound, SetBound)>),
    /// `$`: the saved search result (RFC 5182); the session replaces it before it resolves.
    Saved,
}
