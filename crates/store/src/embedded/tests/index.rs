use proptest::prelude::*;

use crate::embedded::index::{
    Advance, Bookmark, Change, EntryAt, Heads, Index, MemoryIndex, SqliteIndex, Tables,
};
use crate::embedded::record::Place;
use crate::{AccountKey, BlobId};

const ANN: AccountKey = AccountKey(1);

fn change() -> impl Strategy<Value = Change> {
    // Accounts and places beyond 2^63 as well: SQLite knows signed numbers only.
    let account = prop_oneof![Just(ANN), Just(AccountKey(u64::MAX))];
    let place = || prop_oneof![(1..40_u64), Just(u64::MAX - 7)].prop_map(Place);
    let id = || (1..6_u64).prop_map(BlobId);
    prop_oneof![
        4 => (account.clone(), 1..30_u64, place()).prop_map(|(account, no, place)| Change::Entry {
            account,
            no,
            at: EntryAt { previous: no - 1, place, bytes: 9 }
        }),
        2 => (account.clone(), 1..30_u64, place())
            .prop_map(|(account, at, place)| Change::Checkpoint { account, at, place }),
        1 => (account, 1..30_u64).prop_map(|(account, at)| Change::Drop { account, at }),
        2 => (id(), place()).prop_map(|(id, place)| Change::Moved { id, place, bytes: 1 }),
        1 => id().prop_map(|id| Change::Gone { id }),
        1 => (1..5_u64, id()).prop_map(|(file, id)| Change::Large { file, id }),
        1 => (1..5_u64).prop_map(|file| Change::LargeGone { file }),
    ]
}

fn advance(index: &dyn Index, changes: &[Change], heads: &mut [(AccountKey, Heads)], batch: u64) {
    let mut tables = Tables::default();
    for change in changes {
        tables.apply(change);
        for (account, numbers) in heads.iter_mut() {
            if matches!(change, Change::Entry { account: owner, .. } | Change::Checkpoint { account: owner, .. }
                | Change::Drop { account: owner, .. } if owner == account)
            {
                numbers.apply(change);
            }
        }
    }
    let advance = Advance {
        changes: &tables,
        accounts: heads.to_vec(),
        segments: Vec::new(),
        bookmark: Bookmark { segment: 1, offset: 8 * batch, batch },
        damaged: false,
    };
    index.advance(&advance).unwrap();
}

#[derive(Debug, PartialEq)]
struct Answers {
    entries: Vec<Vec<(u64, EntryAt)>>,
    some: Vec<(u64, EntryAt)>,
    checkpoints: Vec<Option<Place>>,
    moved: Vec<(BlobId, Place)>,
    large: Vec<(u64, BlobId)>,
}

fn ask(index: &dyn Index, heads: &[(AccountKey, Heads)]) -> Answers {
    let mut answers = Answers {
        entries: heads.iter().map(|(account, _)| index.entries(*account, 0, 1000).unwrap()).collect(),
        some: index.entries(ANN, 10, 3).unwrap(),
        checkpoints: Vec::new(),
        moved: Vec::new(),
        large: Vec::new(),
    };
    for (account, numbers) in heads {
        answers.checkpoints.extend(numbers.checkpoints.map(|at| index.checkpoint(*account, at).unwrap()));
        answers.checkpoints.extend((1..30).map(|at| index.checkpoint(*account, at).unwrap()));
    }
    index.each_moved(&mut |id, place| answers.moved.push((id, place))).unwrap();
    for (id, place) in &answers.moved {
        assert_eq!(index.moved(*id), Ok(Some(*place)));
    }
    index.each_large(&mut |file, id| answers.large.push((file, id))).unwrap();
    answers.large.sort_unstable();
    answers
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn both_indexes_answer_the_same(steps in prop::collection::vec(prop::collection::vec(change(), 0..20), 1..5)) {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("index.sqlite");
        let memory = MemoryIndex::default();
        let mut sqlite = SqliteIndex::open(&path, u64::MAX).unwrap();
        let fresh = [(ANN, Heads::default()), (AccountKey(u64::MAX), Heads::default())];
        let (mut one, mut other) = (fresh, fresh);
        for (batch, changes) in steps.iter().enumerate() {
            advance(&memory, changes, &mut one, batch as u64);
            advance(&sqlite, changes, &mut other, batch as u64);
            // It is opened again each time, and must be found to be ours.
            drop(sqlite);
            sqlite = SqliteIndex::open(&path, u64::MAX).unwrap();
            prop_assert_eq!(ask(&memory, &one), ask(&sqlite, &other));
            let overview = sqlite.overview().unwrap();
            prop_assert_eq!(overview.bookmark.batch, batch as u64);
            for (account, numbers) in one {
                prop_assert_eq!(overview.accounts[&account], numbers);
            }
        }
    }

    /// Reading a stretch of the log again, or in another order as copies are found, must lead to the same numbers.
    #[test]
    fn heads_do_not_depend_on_order_or_repetition(
        (changes, shuffled) in prop::collection::vec(change(), 0..20)
            .prop_flat_map(|changes| (Just(changes.clone()), Just(changes).prop_shuffle())),
    ) {
        let fold = |changes: &[Change]| {
            let mut heads = Heads::default();
            changes.iter().for_each(|change| heads.apply(change));
            heads
        };
        let once = fold(&changes);
        prop_assert_eq!(once, fold(&shuffled));
        prop_assert_eq!(once, fold(&[changes.clone(), shuffled].concat()));
    }
}
