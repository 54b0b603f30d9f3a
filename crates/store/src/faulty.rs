//! An engine that fails when told to: a wrapper for testing what stands on a store.
//!
//! A [`FaultPlan`] decides for each call, by its operation and its number, whether it fails and how. The same plan on the same calls
//! fails the same way, so one seed reproduces a run.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::{
    AccountKey, AppendClass, AppendError, BlobId, BlobParts, CheckReport, Damaged, EntryNo, LiveBlobs,
    Maintenance, Pending, Reclaimed, Section, Store, StoreError, Stored, Upload,
};

/// A kind of call that can be made to fail.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// [`Store::append`] and [`Maintenance::drop_journal`].
    Append,
    /// [`Store::checkpoint`].
    Checkpoint,
    /// [`Store::put_blob`].
    PutBlob,
    /// [`Upload::write`] and [`Upload::finish`].
    Upload,
    /// [`Store::sync`].
    Sync,
    /// [`Store::read`], [`Store::head`].
    Read,
    /// [`Store::checkpoints`], [`Maintenance::checkpoint_at`].
    Checkpoints,
    /// [`Store::blob`], [`Store::summaries`].
    Blob,
}

impl Operation {
    /// Whether it changes the store.
    pub fn writes(self) -> bool {
        !matches!(self, Operation::Read | Operation::Checkpoints | Operation::Blob)
    }
}

/// A way to fail.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Nothing happened, and an error says so.
    Refuse,
    /// There is no space; nothing happened. On reads the same as [`Fault::Refuse`].
    Full,
    /// It *happened*, and yet the answer is an error, as when a connection breaks between commit and answer. On reads
    /// the same as [`Fault::Refuse`].
    Unanswered,
    /// A sync failed: this write and every later one answers [`StoreError::Poisoned`]; reads go on. On reads the same as [`Fault::Refuse`].
    Poison,
    /// What is read turns out damaged. On writes the same as [`Fault::Refuse`].
    Damage,
}

/// Decides which calls fail.
#[derive(Clone, Debug)]
pub struct FaultPlan {
    rules: Vec<Rule>,
    /// State of the generator, and one in how many writes fails; 0 is none.
    random: u64,
    one_in: u32,
}

#[derive(Clone, Debug)]
struct Rule {
    operation: Option<Operation>,
    /// Calls still to let pass.
    pass: u64,
    fault: Fault,
    spent: bool,
}

impl FaultPlan {
    /// Nothing fails.
    pub fn none() -> FaultPlan {
        FaultPlan { rules: Vec::new(), random: 0, one_in: 0 }
    }

    /// The `nth` call (from 1) of `operation` fails.
    pub fn nth(operation: Operation, nth: u64, fault: Fault) -> FaultPlan {
        FaultPlan::none().and_nth(Some(operation), nth, fault)
    }

    /// The `nth` call (from 1) of any operation fails.
    pub fn nth_of_any(nth: u64, fault: Fault) -> FaultPlan {
        FaultPlan::none().and_nth(None, nth, fault)
    }

    /// One write in about `one_in` fails, which and how decided by `seed`; never by poison, so that the run goes on.
    pub fn seeded(seed: u64, one_in: u32) -> FaultPlan {
        FaultPlan { rules: Vec::new(), random: seed, one_in }
    }

    /// This plan, and one call more.
    pub fn and_nth(mut self, operation: Option<Operation>, nth: u64, fault: Fault) -> FaultPlan {
        self.rules.push(Rule { operation, pass: nth.saturating_sub(1), fault, spent: false });
        self
    }

    fn decide(&mut self, operation: Operation) -> Option<Fault> {
        let mut decided = None;
        for rule in &mut self.rules {
            if rule.spent || rule.operation.is_some_and(|named| named != operation) {
                continue;
            }
            if rule.pass > 0 {
                rule.pass -= 1;
                continue;
            }
            rule.spent = true;
            decided = decided.or(Some(rule.fault));
        }
        decided.or_else(|| self.draw(operation))
    }

    fn draw(&mut self, operation: Operation) -> Option<Fault> {
        if self.one_in == 0 || !operation.writes() {
            return None;
        }
        let drawn = splitmix(&mut self.random);
        if !drawn.is_multiple_of(u64::from(self.one_in)) {
            return None;
        }
        let faults = [Fault::Refuse, Fault::Full, Fault::Unanswered];
        Some(faults[(splitmix(&mut self.random) % faults.len() as u64) as usize])
    }
}

/// The next number of the generator whose state is `state` (SplitMix64).
fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Wraps an engine and fails the calls that its plan names. Clones share plan, count and poison.
#[derive(Clone)]
pub struct Faulty {
    inner: Arc<dyn Maintenance>,
    state: Arc<Mutex<State>>,
}

struct State {
    plan: FaultPlan,
    poisoned: bool,
    calls: u64,
    faults: u64,
}

impl Faulty {
    /// Wraps `inner`.
    pub fn new(inner: Arc<dyn Maintenance>, plan: FaultPlan) -> Faulty {
        let state = State { plan, poisoned: false, calls: 0, faults: 0 };
        Faulty { inner, state: Arc::new(Mutex::new(state)) }
    }

    /// Replaces the plan; its counts begin at the next call. Poison stays.
    pub fn set_plan(&self, plan: FaultPlan) {
        self.lock().plan = plan;
    }

    /// Calls seen so far, so that a test can fail each of them in turn.
    pub fn calls(&self) -> u64 {
        self.lock().calls
    }

    /// Calls made to fail so far.
    pub fn faults(&self) -> u64 {
        self.lock().faults
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `Ok(false)`: let the call through. `Ok(true)`: let it through, then answer [`unanswered`].
    fn admit(&self, operation: Operation, damaged: Damaged) -> Result<bool, StoreError> {
        let mut state = self.lock();
        state.calls += 1;
        let fault = state.plan.decide(operation);
        state.faults += u64::from(fault.is_some());
        state.poisoned |= fault == Some(Fault::Poison) && operation.writes();
        if state.poisoned && operation.writes() {
            return Err(StoreError::Poisoned);
        }
        match fault {
            None => Ok(false),
            Some(Fault::Unanswered) if operation.writes() => Ok(true),
            Some(Fault::Full) if operation.writes() => Err(StoreError::Full),
            Some(Fault::Damage) if !operation.writes() => Err(StoreError::Damaged(damaged)),
            Some(_) => Err(injected("refused")),
        }
    }

    fn admit_write(&self, operation: Operation) -> Result<bool, StoreError> {
        // Writes are never answered with damage, so what would be named does not matter.
        self.admit(operation, Damaged::Log { segment: 0, offset: 0 })
    }
}

fn injected(how: &str) -> StoreError {
    StoreError::Io { kind: std::io::ErrorKind::Other, context: format!("injected fault: {how}") }
}

fn failed<'a, T: Send + 'a, E: From<StoreError> + Send + 'a>(error: StoreError) -> Pending<'a, Result<T, E>> {
    Box::pin(std::future::ready(Err(E::from(error))))
}

/// Lets `inner` happen, then answers as if nothing were known.
fn unanswered<'a, T: Send + 'a, E: From<StoreError> + Send + 'a>(
    inner: Pending<'a, Result<T, E>>,
) -> Pending<'a, Result<T, E>> {
    Box::pin(async move { inner.await.and_then(|_| Err(E::from(injected("unanswered")))) })
}

fn pass<'a, T: Send + 'a, E: From<StoreError> + Send + 'a>(
    admitted: Result<bool, StoreError>,
    inner: impl FnOnce() -> Pending<'a, Result<T, E>>,
) -> Pending<'a, Result<T, E>> {
    match admitted {
        Ok(false) => inner(),
        Ok(true) => unanswered(inner()),
        Err(error) => failed(error),
    }
}

impl Store for Faulty {
    fn append(
        &self,
        account: AccountKey,
        expected: EntryNo,
        no: EntryNo,
        entry: Bytes,
        class: AppendClass,
    ) -> Pending<'static, Result<(), AppendError>> {
        pass(self.admit_write(Operation::Append), || self.inner.append(account, expected, no, entry, class))
    }

    fn read(
        &self,
        account: AccountKey,
        after: EntryNo,
        bytes_max: usize,
    ) -> Pending<'_, Result<Vec<Stored>, StoreError>> {
        let damaged = Damaged::Entry { account, no: after.saturating_add(1) };
        pass(self.admit(Operation::Read, damaged), || self.inner.read(account, after, bytes_max))
    }

    fn head(&self, account: AccountKey) -> Pending<'_, Result<EntryNo, StoreError>> {
        let damaged = Damaged::Entry { account, no: 0 };
        pass(self.admit(Operation::Read, damaged), || self.inner.head(account))
    }

    fn checkpoint(
        &self,
        account: AccountKey,
        at: EntryNo,
        manifest: Bytes,
    ) -> Pending<'static, Result<(), StoreError>> {
        pass(self.admit_write(Operation::Checkpoint), || self.inner.checkpoint(account, at, manifest))
    }

    fn checkpoints(&self, account: AccountKey) -> Pending<'_, Result<Vec<(EntryNo, Bytes)>, StoreError>> {
        let damaged = Damaged::Checkpoint { account, at: 0 };
        pass(self.admit(Operation::Checkpoints, damaged), || self.inner.checkpoints(account))
    }

    fn put_blob(&self, blob: BlobParts<'_>) -> Result<BlobId, AppendError> {
        match self.admit_write(Operation::PutBlob)? {
            false => self.inner.put_blob(blob),
            true => self.inner.put_blob(blob).and(Err(AppendError::Failed(injected("unanswered")))),
        }
    }

    fn upload(&self) -> Box<dyn Upload> {
        Box::new(FaultyUpload { store: self.clone(), inner: self.inner.upload() })
    }

    fn blob(
        &self,
        id: BlobId,
        section: Section,
        range: Range<u64>,
    ) -> Pending<'_, Result<Bytes, StoreError>> {
        pass(self.admit(Operation::Blob, Damaged::Blob(id)), || self.inner.blob(id, section, range))
    }

    fn summaries(&self, ids: &[BlobId]) -> Pending<'_, Result<Vec<Bytes>, StoreError>> {
        let damaged = Damaged::Blob(ids.first().copied().unwrap_or(BlobId(0)));
        pass(self.admit(Operation::Blob, damaged), || self.inner.summaries(ids))
    }

    fn sync(&self) -> Pending<'static, Result<(), StoreError>> {
        pass(self.admit_write(Operation::Sync), || self.inner.sync())
    }
}

impl Maintenance for Faulty {
    fn accounts(&self) -> Pending<'_, Result<Vec<AccountKey>, StoreError>> {
        self.inner.accounts()
    }

    fn checkpoint_at(
        &self,
        account: AccountKey,
        generation: usize,
    ) -> Pending<'_, Result<Option<(EntryNo, Bytes)>, StoreError>> {
        let damaged = Damaged::Checkpoint { account, at: 0 };
        pass(self.admit(Operation::Checkpoints, damaged), || self.inner.checkpoint_at(account, generation))
    }

    fn drop_journal(
        &self,
        account: AccountKey,
        expected: EntryNo,
    ) -> Pending<'static, Result<(), AppendError>> {
        pass(self.admit_write(Operation::Append), || self.inner.drop_journal(account, expected))
    }

    fn watermark(&self) -> BlobId {
        self.inner.watermark()
    }

    fn reclaim(&self, live: LiveBlobs, before: BlobId) -> Pending<'_, Result<Reclaimed, StoreError>> {
        self.inner.reclaim(live, before)
    }

    fn check(&self) -> Pending<'_, Result<CheckReport, StoreError>> {
        self.inner.check()
    }

    fn close(&self) -> Pending<'static, Result<(), StoreError>> {
        self.inner.close()
    }
}

struct FaultyUpload {
    store: Faulty,
    inner: Box<dyn Upload>,
}

impl Upload for FaultyUpload {
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> Pending<'a, Result<(), StoreError>> {
        let admitted = self.store.admit_write(Operation::Upload);
        pass(admitted, || self.inner.write(bytes))
    }

    fn finish(self: Box<Self>, summary: Bytes, text: Bytes) -> Pending<'static, Result<BlobId, StoreError>> {
        let admitted = self.store.admit_write(Operation::Upload);
        pass(admitted, || self.inner.finish(summary, text))
    }
}
