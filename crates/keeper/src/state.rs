//! An account that is awake: what is durable, what is decided beyond it, and who waits.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use account::{Account, AccountId, BlobId, Entry, Fault, MailboxId, Millis, Modseq};
use bytes::Bytes;
use futures_channel::oneshot;
use store::{AccountKey, AppendError, Maintenance, Pending, StoreError, Stored};

use crate::gate::{Gate, lock};
use crate::recent::Floors;
use crate::upkeep::Due;
use crate::watchers::Watchers;
use crate::{Clock, Settings};

/// What all accounts of one keeper share.
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Maintenance>,
    pub(crate) clock: Clock,
    pub(crate) settings: Settings,
    pub(crate) due: Due,
    /// Bytes of loaded columns, as counted at the last housekeeping plus what was loaded since.
    pub(crate) loaded_bytes: AtomicU64,
}

impl Shared {
    pub(crate) fn now(&self) -> Millis {
        (self.clock)()
    }

    /// Tells the operator of a fault that no caller is told of.
    pub(crate) fn report(&self, account: AccountId, fault: &Fault) {
        if let Some(on_fault) = &self.settings.on_fault {
            on_fault(account, fault);
        }
    }

    pub(crate) fn count_loaded(&self, bytes: usize) {
        let before = self.loaded_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        if before.saturating_add(bytes as u64) > self.settings.memory_bytes_max {
            self.due.memory();
        }
    }
}

/// What a flight came to.
pub(crate) type Verdict = Result<(), Loss>;

/// What settling an account came to.
pub(crate) type Settled = Result<(), Fault>;

/// Why an entry is not in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Loss {
    /// Another writer was quicker, or what it was decided on was itself lost: decide again.
    Conflict,
    /// No space.
    Full,
    /// The store failed.
    Fault(Fault),
}

/// An entry that was handed to the store and is not known to be durable yet.
pub(crate) struct Flight {
    pub(crate) entry: Arc<Entry>,
    pub(crate) bytes: Bytes,
    /// Head and chain of the state it was decided on.
    pub(crate) base: (Modseq, u32),
    /// The state after it.
    pub(crate) after: Account,
    /// The store's answer; `None` while it is being polled and once it has come.
    pub(crate) append: Option<Pending<'static, Result<(), AppendError>>>,
    /// The answer, once it has come and until it can be used: in order, or when the account is settled.
    pub(crate) outcome: Option<Result<(), AppendError>>,
    /// Who waits for the verdict: the one who committed, and those whose answer rests on this entry.
    pub(crate) told: Vec<oneshot::Sender<Verdict>>,
}

/// Reading what the store really has.
pub(crate) type Reading = Pending<'static, Result<Vec<Stored>, StoreError>>;

/// How an account gets on with its store.
pub(crate) enum Phase {
    /// Entries become durable in the order in which they were appended.
    Smooth,
    /// An append failed or might have: nothing new is appended until all that are under way have ended and the
    /// store was asked what is there.
    Unsettled,
    /// It is being asked; `None` while the question is being polled.
    Settling(Option<Reading>),
    /// The journal cannot be followed any further. What was durable before can still be read.
    Refused(Fault),
}

/// Durable entries after the newest checkpoint, kept to fold them into columns that are loaded later.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    entries: VecDeque<(Arc<Entry>, usize)>,
    bytes: usize,
    /// Times the bounds were doubled because the checkpoint they called for failed.
    failures: u32,
}

impl Tail {
    pub(crate) fn push(&mut self, entry: Arc<Entry>, bytes: usize) {
        self.entries.push_back((entry, bytes));
        self.bytes = self.bytes.saturating_add(bytes);
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Is the next checkpoint due?
    pub(crate) fn is_over(&self, settings: &Settings) -> bool {
        let doubled = 1usize.checked_shl(self.failures).unwrap_or(usize::MAX);
        self.entries.len() > settings.tail_entries_max.saturating_mul(doubled)
            || self.bytes > settings.tail_bytes_max.saturating_mul(doubled)
    }

    /// A checkpoint failed (a full disk, say): try again when the tail has doubled, not at every entry.
    pub(crate) fn back_off(&mut self) {
        self.failures = (self.failures + 1).min(usize::BITS - 1);
    }

    /// A checkpoint at `head` is durable.
    pub(crate) fn forget_up_to(&mut self, head: Modseq) {
        while self.entries.front().is_some_and(|(entry, _)| entry.no <= head) {
            self.bytes -= self.entries.pop_front().map_or(0, |(_, bytes)| bytes);
        }
        self.failures = 0;
    }

    /// The entries after `after` that touch a mailbox, oldest first.
    pub(crate) fn touching(&self, mailbox: MailboxId, after: Modseq) -> Vec<Arc<Entry>> {
        let start = self.entries.partition_point(|(entry, _)| entry.no <= after);
        let later = self.entries.range(start..).map(|(entry, _)| entry);
        let touching =
            later.filter(|entry| entry.changes.iter().any(|change| change.touches() == Some(mailbox)));
        touching.cloned().collect()
    }
}

/// What is guarded by the account's lock. It is held for moments: folding, deciding and the store's work happen outside of it.
pub(crate) struct State {
    /// The newest durable state: what is answered.
    pub(crate) durable: Arc<Account>,
    /// The newest decided state: what the next draft is decided on. Equal to `durable` when nothing is in flight.
    pub(crate) pending: Account,
    /// Entries handed to the store, in order.
    pub(crate) flights: VecDeque<Flight>,
    pub(crate) phase: Phase,
    /// Who waits for the phase to be smooth again.
    pub(crate) waiting: Vec<oneshot::Sender<Settled>>,
    pub(crate) tail: Tail,
    pub(crate) watchers: Watchers,
    pub(crate) floors: Floors,
    /// When each loaded mailbox was last asked for.
    pub(crate) uses: BTreeMap<MailboxId, Millis>,
    /// When the account was last opened, let go or written to.
    pub(crate) used: Millis,
    /// Parts stored for a checkpoint that then failed. The next one may name them, so they count as in use until then.
    pub(crate) stray_parts: Vec<BlobId>,
}

impl State {
    pub(crate) fn new(durable: Account, tail: Tail, floors: Floors, now: Millis) -> Self {
        Self {
            pending: durable.clone(),
            durable: Arc::new(durable),
            flights: VecDeque::new(),
            phase: Phase::Smooth,
            waiting: Vec::new(),
            tail,
            watchers: Watchers::default(),
            floors,
            uses: BTreeMap::new(),
            used: now,
            stray_parts: Vec::new(),
        }
    }

    /// Brings the decided state up to date with columns that only the durable one was given.
    pub(crate) fn refresh_pending(&mut self) {
        if self.flights.is_empty() {
            self.pending = Account::clone(&self.durable);
            return;
        }
        for (mailbox, columns) in self.durable.all_loaded() {
            if self.pending.loaded(mailbox).is_none() {
                let mut columns = columns.as_ref().clone();
                for flight in &self.flights {
                    columns.apply(mailbox, &flight.entry);
                }
                self.pending.install(mailbox, Arc::new(columns));
            }
        }
    }
}

/// The durable state moves on.
impl State {
    /// Makes `after` the durable state: the present one with `entries` folded in (each with its length in bytes).
    /// Answers the state before, whose freeing may take time.
    pub(crate) fn advance(&mut self, mut after: Account, entries: Vec<(Arc<Entry>, usize)>) -> Arc<Account> {
        after.share_saved(&self.durable);
        for (mailbox, columns) in self.durable.all_loaded() {
            // Loaded after those entries were folded. Columns that are gone with their mailbox are not installed.
            if after.loaded(mailbox).is_none() {
                let mut columns = columns.as_ref().clone();
                for (entry, _) in &entries {
                    columns.apply(mailbox, entry);
                }
                after.install(mailbox, Arc::new(columns));
            }
        }
        for (entry, bytes) in entries {
            self.tail.push(entry, bytes);
        }
        std::mem::replace(&mut self.durable, Arc::new(after))
    }

    /// Changes what the durable state knows beside its entries: columns loaded or unloaded, a checkpoint made.
    pub(crate) fn adjust<T>(&mut self, change: impl FnOnce(&mut Account) -> T) -> T {
        let mut account = Account::clone(&self.durable);
        let answer = change(&mut account);
        self.durable = Arc::new(account);
        answer
    }
}

/// One account that is awake.
pub(crate) struct Live {
    pub(crate) id: AccountId,
    pub(crate) shared: Arc<Shared>,
    state: Mutex<State>,
    /// Held from reading the decided state to appending to it, so that appends are called in the order of their numbers.
    pub(crate) deciding: Mutex<()>,
    /// Where others write to the store as well: who commits, from deciding until it is known what came of it.
    pub(crate) alone: Gate<()>,
    /// Wakes not attended to yet; see `pipeline`.
    pub(crate) stirred: AtomicUsize,
    /// Mailboxes whose columns are being loaded.
    pub(crate) loading: Gate<MailboxId>,
}

impl Live {
    pub(crate) fn new(id: AccountId, shared: Arc<Shared>, state: State) -> Arc<Self> {
        Arc::new(Self {
            id,
            shared,
            state: Mutex::new(state),
            deciding: Mutex::new(()),
            alone: Gate::default(),
            stirred: AtomicUsize::new(0),
            loading: Gate::default(),
        })
    }

    pub(crate) fn state(&self) -> std::sync::MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub(crate) fn key(&self) -> AccountKey {
        AccountKey(self.id.0)
    }

    pub(crate) fn account(&self) -> Arc<Account> {
        Arc::clone(&self.state().durable)
    }

    /// Notes that somebody uses the account, so that it stays awake.
    pub(crate) fn touch(&self) {
        let now = self.shared.now();
        self.state().used = now;
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Live").field("id", &self.id).finish_non_exhaustive()
    }
}
