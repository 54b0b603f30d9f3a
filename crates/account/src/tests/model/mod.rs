//! The crate against a model: a naive account that keeps a plain list of messages and of what happened to them. Random
//! histories of commands, sessions, checkpoints and reopenings must look the same on both sides after each step.

mod naive;
mod session;
mod world;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::{Announce, FlagOp};
use world::{Op, World};

fn name() -> impl Strategy<Value = usize> {
    // INBOX and A are where most happens.
    prop_oneof![4 => Just(0), 3 => Just(2), 3 => 0..world::NAMES.len()]
}

fn set() -> impl Strategy<Value = Vec<(u32, u32)>> {
    prop_oneof![
        6 => vec((1u32..60, 1u32..60), 1..4),
        3 => vec((1u32..60).prop_map(|uid| (uid, uid)), 1..6),
        1 => Just(vec![(1, u32::MAX)]),
    ]
}

fn flag_op() -> impl Strategy<Value = FlagOp> {
    prop_oneof![3 => Just(FlagOp::Add), 2 => Just(FlagOp::Remove), 1 => Just(FlagOp::Replace)]
}

fn announce() -> impl Strategy<Value = Announce> {
    prop_oneof![Just(Announce::Expunges), Just(Announce::HoldExpunges)]
}

fn op() -> impl Strategy<Value = Op> {
    let session = 0usize..3;
    prop_oneof![
        3 => name().prop_map(Op::Create),
        1 => name().prop_map(Op::Delete),
        2 => (name(), name()).prop_map(|(from, to)| Op::Rename(from, to)),
        1 => (name(), any::<bool>()).prop_map(|(name, on)| Op::Subscribe(name, on)),
        8 => (name(), vec((0u8..64, 0u64..100_000), 0..12)).prop_map(|(to, messages)| Op::Append(to, messages)),
        8 => (name(), set(), flag_op(), 0u8..64, prop::option::of(0u64..60))
            .prop_map(|(name, set, op, flags, since)| Op::Store(name, set, op, flags, since)),
        4 => (name(), set(), any::<bool>()).prop_map(|(name, set, deleted)| Op::Expunge(name, set, deleted)),
        3 => (name(), set(), name()).prop_map(|(from, set, to)| Op::Copy(from, set, to)),
        3 => (name(), set(), name()).prop_map(|(from, set, to)| Op::Move(from, set, to)),
        2 => (name(), 1u32..40, name()).prop_map(|(from, uid, to)| Op::Replace(from, uid, to)),
        3 => (session.clone(), name()).prop_map(|(session, name)| Op::Select(session, name)),
        8 => (session.clone(), announce()).prop_map(|(session, announce)| Op::Advance(session, announce)),
        2 => (session, set(), flag_op(), 0u64..32)
            .prop_map(|(session, set, op, flags)| Op::StoreGhosts(session, set, op, flags)),
        2 => name().prop_map(Op::Unload),
        2 => Just(Op::Checkpoint),
        1 => Just(Op::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn every_history_looks_the_same_in_the_model(ops in vec(op(), 1..120), probe in (set(), 0u64..80)) {
        let mut world = World::new();
        for op in &ops {
            world.step(op);
            world.check(&probe.0, probe.1);
        }
        world.check_every_prefix();
    }
}
