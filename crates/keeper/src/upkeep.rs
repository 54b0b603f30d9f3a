//! Housekeeping: checkpoints that are due, sleep for accounts that nobody uses, memory for columns.
//!
//! Nothing runs by itself: the binary waits for [`Keeper::housekeeping_due`] or for some seconds to pass, and then runs
//! [`Keeper::housekeeping`]. Commits and sessions never wait for it.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use account::{AccountId, MailboxId, Millis, Pending};

use crate::Keeper;
use crate::gate::lock;
use crate::state::{Live, Phase};
use crate::watchers::{Watchers, wake_all};

/// An account falls asleep with a shorter tail than this as it is; a longer one is checkpointed first, since each entry costs
/// a fold at every waking.
const SLEEP_TAIL_ENTRIES: usize = 64;

/// What housekeeping has to do, and who waits for that.
#[derive(Debug, Default)]
pub(crate) struct Due(Mutex<Work>);

#[derive(Debug, Default)]
struct Work {
    checkpoints: BTreeSet<AccountId>,
    memory: bool,
    watchers: Watchers,
}

impl Due {
    /// The account's tail is over its bounds.
    pub(crate) fn checkpoint(&self, account: AccountId) {
        self.add(|work| work.checkpoints.insert(account));
    }

    /// Loaded columns are over their limit.
    pub(crate) fn memory(&self) {
        self.add(|work| !std::mem::replace(&mut work.memory, true));
    }

    fn add(&self, add: impl FnOnce(&mut Work) -> bool) {
        let mut work = lock(&self.0);
        let wakers = if add(&mut work) { work.watchers.take() } else { Vec::new() };
        drop(work);
        wake_all(wakers);
    }

    fn take(&self) -> BTreeSet<AccountId> {
        let mut work = lock(&self.0);
        work.memory = false;
        std::mem::take(&mut work.checkpoints)
    }
}

impl Keeper {
    /// Resolves when there is something to do that should not wait for the next regular housekeeping.
    pub fn housekeeping_due(&self) -> Pending<'_, ()> {
        let mut place = None;
        Box::pin(poll_fn(move |context| {
            let mut work = lock(&self.shared.due.0);
            if work.memory || !work.checkpoints.is_empty() {
                return Poll::Ready(());
            }
            let former = work.watchers.watch(&mut place, context.waker());
            drop(work);
            drop(former);
            Poll::Pending
        }))
    }

    /// Writes the checkpoints that are due, lets accounts sleep that nobody has used for [`crate::Settings::sleep_after`], and unloads
    /// the longest unused columns until they fit [`crate::Settings::memory_bytes_max`]. What fails is reported and tried again later.
    pub fn housekeeping(&self) -> Pending<'_, ()> {
        Box::pin(async move {
            let _turn = self.upkeep.turn(()).await;
            for account in self.shared.due.take() {
                if let Some(live) = self.awake_one(account) {
                    self.write_checkpoint(&live).await;
                }
            }
            let awake: Vec<AccountId> = self.awake().iter().map(|live| live.id).collect();
            for account in awake {
                self.settle_to_sleep(account).await;
            }
            self.unload_cold();
        })
    }

    async fn write_checkpoint(&self, live: &Arc<Live>) {
        if let Err(fault) = live.checkpoint().await {
            self.shared.report(live.id, &fault);
        }
    }

    async fn settle_to_sleep(&self, account: AccountId) {
        let now = self.shared.now();
        let after = self.shared.settings.sleep_after;
        let idle = |live: &Live| now.0.saturating_sub(live.state().used.0) >= after.0;
        // One's own hold on it counts as well, so it is let go before it may sleep.
        if let Some(live) = self.awake_one(account) {
            let unused = Arc::strong_count(&live) == 2 && idle(&live);
            if !unused || matches!(live.state().phase, Phase::Unsettled) {
                return;
            }
            if live.state().tail.len() > SLEEP_TAIL_ENTRIES {
                self.write_checkpoint(&live).await;
            }
        }
        self.let_sleep(account, idle);
    }

    /// Unloads the columns unused for longest until the rest fits.
    fn unload_cold(&self) {
        let mut loaded: Vec<(Millis, Arc<Live>, MailboxId, u64)> = Vec::new();
        for live in self.awake() {
            let state = live.state();
            for (mailbox, columns) in state.durable.all_loaded() {
                let used = state.uses.get(&mailbox).copied().unwrap_or_default();
                loaded.push((used, Arc::clone(&live), mailbox, columns.resident_bytes() as u64));
            }
        }
        let mut bytes: u64 = loaded.iter().map(|(.., bytes)| bytes).sum();
        loaded.sort_by_key(|(used, ..)| *used);
        for (_, live, mailbox, freed) in loaded {
            if bytes <= self.shared.settings.memory_bytes_max {
                break;
            }
            if live.unload(mailbox) {
                bytes -= freed;
            }
        }
        self.shared.loaded_bytes.store(bytes, Ordering::Relaxed);
    }
}

impl Live {
    /// Drops columns that can be read again; not while something is in flight, since what is in flight holds them as well.
    fn unload(&self, mailbox: MailboxId) -> bool {
        let mut state = self.state();
        if !state.flights.is_empty() {
            return false;
        }
        state.adjust(|durable| durable.unload(mailbox));
        state.refresh_pending();
        state.uses.remove(&mailbox);
        true
    }
}
