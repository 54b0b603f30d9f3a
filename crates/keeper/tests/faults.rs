//! Every call of the store fails once, in every way; then many fail at random. Whatever happens: what was acknowledged is there, what was
//! refused is not, nothing is half there, and the account is the fold of its journal.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod driver;

use std::sync::Arc;

use account::Fault;
use driver::{House, Promises, live, portrait, settings, wait};
use store::{FaultPlan, Faulty, Memory};

#[test]
fn every_call_fails_once_in_every_way() {
    let calls = {
        let faulty = Faulty::new(Arc::new(Memory::new()), FaultPlan::none());
        let house = House::with(Arc::new(faulty.clone()), settings());
        let ann = house.create("ann@example.org");
        let before = faulty.calls();
        live(&house, ann, &mut Promises::default());
        faulty.calls() - before
    };
    assert!(calls > 80, "{calls}");
    let ways = [
        store::Fault::Refuse,
        store::Fault::Full,
        store::Fault::Unanswered,
        store::Fault::Poison,
        store::Fault::Damage,
    ];
    for nth in 1..=calls {
        for way in ways {
            let memory = Memory::new();
            let faulty = Faulty::new(Arc::new(memory.clone()), FaultPlan::none());
            let house = House::with(Arc::new(faulty.clone()), settings());
            let ann = house.create("ann@example.org");
            faulty.set_plan(FaultPlan::nth_of_any(nth, way));
            let mut promises = Promises::default();
            live(&house, ann, &mut promises);
            let context = format!("call {nth}, {way:?}");
            assert!(faulty.faults() > 0, "{context}: was not reached");
            promises.check(Arc::new(memory.clone()), ann, &context);
            // Whoever stayed awake has come to the same state, once he looks.
            if way != store::Fault::Poison {
                faulty.set_plan(FaultPlan::none());
                wait(house.keeper.catch_up(ann)).unwrap();
                let anew = House::new(Arc::new(memory.clone()));
                assert_eq!(portrait(&house, ann), portrait(&anew, ann), "{context}");
            }
        }
    }
}

#[test]
fn many_calls_fail_at_random() {
    for seed in 0..200 {
        let memory = Memory::new();
        let faulty = Faulty::new(Arc::new(memory.clone()), FaultPlan::none());
        let house = House::with(Arc::new(faulty.clone()), settings());
        let ann = house.create("ann@example.org");
        faulty.set_plan(FaultPlan::seeded(seed, 2 + seed as u32 % 12));
        let mut promises = Promises::default();
        live(&house, ann, &mut promises);
        promises.check(Arc::new(memory.clone()), ann, &format!("seed {seed}"));
        faulty.set_plan(FaultPlan::none());
        match wait(house.keeper.catch_up(ann)) {
            Ok(()) => {}
            Err(Fault::Gone) => panic!("seed {seed}: the journal is refused"),
            Err(fault) => panic!("seed {seed}: {fault:?}"),
        }
        let anew = House::new(Arc::new(memory));
        assert_eq!(portrait(&house, ann), portrait(&anew, ann), "seed {seed}");
    }
}
