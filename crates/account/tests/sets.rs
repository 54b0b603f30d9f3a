//! UID sets against plain sets of numbers.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeSet;

use account::{Uid, UidSet};
use proptest::collection::vec;
use proptest::prelude::*;

fn uid(value: u32) -> Uid {
    Uid::new(value).unwrap()
}

fn plain(set: &UidSet) -> BTreeSet<u32> {
    set.iter().map(Uid::value).collect()
}

fn of_ranges(ranges: &[(u32, u32)]) -> (UidSet, BTreeSet<u32>) {
    let numbers = ranges.iter().flat_map(|&(a, b)| a.min(b)..=a.max(b)).collect();
    (UidSet::from_ranges(ranges.iter().copied()), numbers)
}

/// Sorted, disjoint, and with a gap between any two: else `len`, `contains` and equality would lie.
fn is_canonical(set: &UidSet) -> bool {
    set.ranges().iter().all(|(first, last)| first <= last)
        && set.ranges().windows(2).all(|pair| u64::from(pair[0].1) + 1 < u64::from(pair[1].0))
}

fn ranges() -> impl Strategy<Value = Vec<(u32, u32)>> {
    vec((1u32..40, 1u32..40), 0..8)
}

proptest! {
    #[test]
    fn algebra_is_that_of_sets(a in ranges(), b in ranges()) {
        let ((a, numbers_a), (b, numbers_b)) = (of_ranges(&a), of_ranges(&b));
        prop_assert_eq!(plain(&a), numbers_a.clone());
        prop_assert_eq!(a.len(), numbers_a.len() as u64);
        let union = a.union(&b);
        prop_assert_eq!(plain(&union), &numbers_a | &numbers_b);
        let intersection = a.intersection(&b);
        prop_assert_eq!(plain(&intersection), &numbers_a & &numbers_b);
        let difference = a.difference(&b);
        prop_assert_eq!(plain(&difference), &numbers_a - &numbers_b);
        for set in [a, b, union, intersection, difference] {
            prop_assert!(is_canonical(&set), "{:?}", set);
        }
    }

    #[test]
    fn inserting_in_any_order_gives_the_same_set(uids in vec(1u32..60, 0..60)) {
        let mut set = UidSet::new();
        for &value in &uids {
            set.insert(uid(value));
            prop_assert!(is_canonical(&set), "{:?}", set);
        }
        let numbers: BTreeSet<u32> = uids.iter().copied().collect();
        prop_assert_eq!(plain(&set), numbers.clone());
        prop_assert_eq!(&set, &numbers.iter().map(|&value| uid(value)).collect::<UidSet>());
        for value in 1..64 {
            prop_assert_eq!(set.contains(uid(value)), numbers.contains(&value));
        }
        let bounds = numbers.first().zip(numbers.last()).map(|(&a, &b)| (uid(a), uid(b)));
        prop_assert_eq!(set.bounds(), bounds);
    }
}

#[test]
fn the_largest_uids_do_not_overflow() {
    let all = UidSet::from_range(u32::MAX, 0);
    assert_eq!(all.ranges(), [(1, u32::MAX)]);
    assert_eq!(all.len(), u64::from(u32::MAX));
    let mut set = UidSet::from_range(u32::MAX, u32::MAX);
    set.insert(uid(u32::MAX));
    set.insert(uid(u32::MAX - 1));
    assert_eq!(set.ranges(), [(u32::MAX - 1, u32::MAX)]);
    assert_eq!(all.difference(&set).ranges(), [(1, u32::MAX - 2)]);
    assert_eq!(set.difference(&all), UidSet::new());
    assert_eq!(all.union(&set), all);
    assert_eq!(all.intersection(&set), set);
}

#[test]
fn touching_ranges_are_one() {
    assert_eq!(UidSet::from_ranges([(4, 6), (1, 3), (8, 8), (9, 7)]).ranges(), [(1, 9)]);
}
