//! A few threads for what may wait for the disk.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

type Job = Box<dyn FnOnce() + Send>;

/// Where jobs run: on the pool's threads, or, for simulations, at once on the caller's.
#[derive(Clone)]
pub(super) enum Pool {
    Inline,
    Threads(Arc<Shared>),
}

#[derive(Default)]
pub(super) struct Shared {
    jobs: Mutex<(VecDeque<Job>, bool)>,
    changed: Condvar,
}

impl Pool {
    pub(super) fn threads() -> Pool {
        Pool::Threads(Arc::default())
    }

    pub(super) fn is_inline(&self) -> bool {
        matches!(self, Pool::Inline)
    }

    pub(super) fn run(&self, job: impl FnOnce() + Send + 'static) {
        match self {
            Pool::Inline => job(),
            Pool::Threads(shared) => {
                let mut jobs = shared.jobs.lock().unwrap_or_else(PoisonError::into_inner);
                // After the end, a job is dropped, and who waits for its answer is told that the store is closed.
                if !jobs.1 {
                    jobs.0.push_back(Box::new(job));
                    shared.changed.notify_one();
                }
            }
        }
    }

    pub(super) fn stop(&self) {
        if let Pool::Threads(shared) = self {
            shared.jobs.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
            shared.changed.notify_all();
        }
    }
}

impl Shared {
    /// One thread's life. What was taken before the end is still done.
    pub(super) fn work(&self) {
        loop {
            let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
            let job = loop {
                match jobs.0.pop_front() {
                    Some(job) => break job,
                    None if jobs.1 => return,
                    None => jobs = self.changed.wait(jobs).unwrap_or_else(PoisonError::into_inner),
                }
            };
            drop(jobs);
            job();
        }
    }
}
