//! The contract suite, run against every engine.

#![allow(clippy::unwrap_used, reason = "a failing test is the answer")]

mod contract;
mod driver;

use std::sync::Arc;

use contract::Engine;
use store::disk::SimDisk;
use store::{Embedded, FaultPlan, Faulty, Maintenance, Memory, Options};
use tempfile::TempDir;

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

/// Small segments, so that even a small test fills several.
fn options() -> Options {
    Options { segment_bytes: 1 << 20, reserve_bytes: 64 << 10, free_bytes_min: 0, ..Options::default() }
}

struct OnRealDisk {
    folder: TempDir,
    store: Option<Arc<Embedded>>,
    /// Whether the index is deleted each time, as an operator may.
    without_index: bool,
}

impl OnRealDisk {
    fn new(without_index: bool) -> OnRealDisk {
        let mut engine = OnRealDisk { folder: TempDir::new().unwrap(), store: None, without_index };
        engine.reopen();
        engine
    }
}

impl Engine for OnRealDisk {
    fn store(&self) -> Arc<dyn Maintenance> {
        self.store.clone().unwrap()
    }

    fn reopen(&mut self) {
        // Tests hold their stores for as long as a round; here the last one must be gone.
        if let Some(store) = self.store.take() {
            assert_eq!(Arc::strong_count(&store), 1, "the test still holds the store");
        }
        if self.without_index {
            for name in ["index.sqlite", "index.sqlite-wal", "index.sqlite-shm"] {
                drop(std::fs::remove_file(self.folder.path().join(name)));
            }
        }
        let store = Embedded::open(self.folder.path(), options()).unwrap();
        assert_eq!(store.damaged_at_open(), []);
        self.store = Some(Arc::new(store));
    }
}

struct OnSimDisk {
    disk: SimDisk,
    store: Arc<Embedded>,
}

impl OnSimDisk {
    fn new() -> OnSimDisk {
        let disk = SimDisk::new(1 << 30);
        let store = Arc::new(Embedded::open_inline(Arc::new(disk.clone()), options()).unwrap());
        OnSimDisk { disk, store }
    }
}

impl Engine for OnSimDisk {
    fn store(&self) -> Arc<dyn Maintenance> {
        self.store.clone()
    }

    fn reopen(&mut self) {
        drop(driver::wait(self.store.close()));
        self.store = Arc::new(Embedded::open_inline(Arc::new(self.disk.clone()), options()).unwrap());
        assert_eq!(self.store.damaged_at_open(), []);
    }
}

contract_tests! {
    memory: crate::InMemory(store::Memory::new());
    faulty: crate::Harmless(crate::InMemory(store::Memory::new()));
    embedded: crate::OnRealDisk::new(false);
    embedded_without_index: crate::OnRealDisk::new(true);
    embedded_on_sim_disk: crate::OnSimDisk::new();
}
