//! The contract suite, run against every engine.

#![allow(clippy::unwrap_used, reason = "a failing test is the answer")]

mod contract;
mod driver;

use std::sync::Arc;

use contract::Engine;
use store::{FaultPlan, Faulty, Maintenance, Memory};

struct InMemory(Memory);

impl Engine for InMemory {
    fn store(&self) -> Arc<dyn Maintenance> {
        Arc::new(self.0.clone())
    }

    fn reopen(&mut self) {
        self.0 = self.0.reopen();
    }
}

/// A wrapper that is told to fail nothing must not be felt.
struct Harmless(InMemory);

impl Engine for Harmless {
    fn store(&self) -> Arc<dyn Maintenance> {
        Arc::new(Faulty::new(self.0.store(), FaultPlan::none()))
    }

    fn reopen(&mut self) {
        self.0.reopen();
    }
}

contract_tests! {
    memory: crate::InMemory(store::Memory::new());
    faulty: crate::Harmless(crate::InMemory(store::Memory::new()));
}
