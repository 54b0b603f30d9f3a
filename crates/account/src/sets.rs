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
    pub fn from_range(first: u32, last: u32) -> Self {
        Self { ranges: vec![(first.min(last).max(1), first.max(last).max(1))] }
    }

    /// From ranges in any order, overlapping or not; the ends of each in either order, zero clamped to 1.
    pub fn from_ranges(ranges: impl IntoIterator<Item = (u32, u32)>) -> Self {
        let mut sorted: Vec<_> =
            ranges.into_iter().map(|(a, b)| (a.min(b).max(1), a.max(b).max(1))).collect();
        if !sorted.is_sorted() {
            sorted.sort_unstable();
        }
        let mut set = Self { ranges: Vec::with_capacity(sorted.len()) };
        for (first, last) in sorted {
            set.push_range(first, last);
        }
        set
    }

    /// Appends a range that begins no earlier than the last one did, joining what touches.
    pub(crate) fn push_range(&mut self, first: u32, last: u32) {
        match self.ranges.last_mut() {
            Some(end) if first <= end.1.saturating_add(1) => end.1 = end.1.max(last),
            _ => self.ranges.push((first, last)),
        }
    }

    /// Adds one UID; appending in ascending order is O(1).
    pub fn insert(&mut self, uid: Uid) {
        let uid = uid.value();
        if self.ranges.last().is_none_or(|&(first, _)| first <= uid) {
            return self.push_range(uid, uid);
        }
        // The first range that ends at or after the UID's left neighbour is the only one that can take it in.
        let at = self.ranges.partition_point(|&(_, last)| last < uid - 1);
        let (first, last) = self.ranges[at];
        if first <= uid && uid <= last {
            return;
        }
        if last == uid - 1 {
            self.ranges[at].1 = uid;
            if let Some(&(next_first, next_last)) = self.ranges.get(at + 1)
                && next_first == uid + 1
            {
                self.ranges[at].1 = next_last;
                self.ranges.remove(at + 1);
            }
        } else if first == uid + 1 {
            self.ranges[at].0 = uid;
        } else {
            self.ranges.insert(at, (uid, uid));
        }
    }

    /// Is the UID in the set? O(log ranges).
    pub fn contains(&self, uid: Uid) -> bool {
        let uid = uid.value();
        let at = self.ranges.partition_point(|&(_, last)| last < uid);
        self.ranges.get(at).is_some_and(|&(first, _)| first <= uid)
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
        let (&(first, _), &(_, last)) = (self.ranges.first()?, self.ranges.last()?);
        Some((Uid::new(first)?, Uid::new(last)?))
    }

    /// Set algebra, linear in the ranges.
    pub fn union(&self, other: &Self) -> Self {
        let mut out = Self { ranges: Vec::with_capacity(self.ranges.len() + other.ranges.len()) };
        let (mut a, mut b) = (self.ranges.iter().peekable(), other.ranges.iter().peekable());
        loop {
            let next = match (a.peek(), b.peek()) {
                (Some(x), Some(y)) if x <= y => a.next(),
                (Some(_), None) => a.next(),
                (_, Some(_)) => b.next(),
                (None, None) => return out,
            };
            if let Some(&(first, last)) = next {
                out.push_range(first, last);
            }
        }
    }

    /// Set algebra, linear in the ranges.
    pub fn intersection(&self, other: &Self) -> Self {
        let mut out = Self::new();
        let (mut a, mut b) = (0, 0);
        while let (Some(&(a_first, a_last)), Some(&(b_first, b_last))) =
            (self.ranges.get(a), other.ranges.get(b))
        {
            let (first, last) = (a_first.max(b_first), a_last.min(b_last));
            if first <= last {
                out.ranges.push((first, last));
            }
            if a_last < b_last {
                a += 1;
            } else {
                b += 1;
            }
        }
        out
    }

    /// Members of `self` that are not in `other`; linear in the ranges.
    pub fn difference(&self, other: &Self) -> Self {
        let mut out = Self::new();
        let mut at = 0;
        for &(mut first, last) in &self.ranges {
            while other.ranges.get(at).is_some_and(|taken| taken.1 < first) {
                at += 1;
            }
            let mut look = at;
            let mut whole = true;
            while let Some(&(taken_first, taken_last)) = other.ranges.get(look)
                && taken_first <= last
            {
                if taken_first > first {
                    out.ranges.push((first, taken_first - 1));
                }
                if taken_last >= last {
                    whole = false;
                    break;
                }
                first = taken_last + 1;
                look += 1;
            }
            if whole {
                out.ranges.push((first, last));
            }
            at = look;
        }
        out
    }
}

impl FromIterator<Uid> for UidSet {
    fn from_iter<I: IntoIterator<Item = Uid>>(iter: I) -> Self {
        let mut set = Self::new();
        for uid in iter {
            set.insert(uid);
        }
        set
    }
}

/// One end of a range in a [`SequenceSet`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetBound {
    /// A number, never zero.
    Number(u32),
    /// `*`: the largest number in use; an empty mailbox has none, so as a sequence number it is beyond EXISTS there.
    Star,
}

impl SetBound {
    /// The number meant when `star` is the largest in use.
    pub(crate) const fn number(self, star: u32) -> u32 {
        match self {
            Self::Number(number) => number,
            Self::Star => star,
        }
    }
}

/// `sequence-set` of RFC 9051 as written: numbers or UIDs, not yet resolved. See [`crate::View::resolve_uids`] and
/// [`crate::View::resolve_numbers`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SequenceSet {
    /// Ranges as given, ends in either order.
    Ranges(Vec<(SetBound, SetBound)>),
    /// `$`: the saved search result (RFC 5182); the session replaces it before it resolves.
    Saved,
}
