//! A store that is held up: appends are enqueued at once and become durable one by one when the test says so. And a count of what is
//! read.

use std::collections::VecDeque;
use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use store::{
    AccountKey, AppendClass, AppendError, BlobId, BlobParts, CheckReport, EntryNo, LiveBlobs, Maintenance,
    Pending, Reclaimed, Section, Store, StoreError, Stored, Upload,
};

/// What was read through a [`Gated`] store.
#[derive(Debug, Default)]
pub struct Reads {
    /// Calls of [`Store::blob`] for a body: parts, in these tests.
    pub bodies: AtomicU64,
    /// Calls of [`Maintenance::checkpoint_at`].
    pub checkpoints: AtomicU64,
}

impl Reads {
    pub fn bodies(&self) -> u64 {
        self.bodies.load(Ordering::SeqCst)
    }

    pub fn checkpoints(&self) -> u64 {
        self.checkpoints.load(Ordering::SeqCst)
    }
}

#[derive(Debug, Clone)]
enum Held {
    Waiting(Option<Waker>),
    Answered(Result<(), AppendError>),
    Taken,
}

/// One append that is held: what to do when it is let through, and the place of its answer.
struct Append {
    account: AccountKey,
    expected: EntryNo,
    no: EntryNo,
    entry: Bytes,
    class: AppendClass,
    answer: Arc<Mutex<Held>>,
}

#[derive(Default)]
struct Gate {
    shut: bool,
    held: VecDeque<Append>,
    /// Who waits for all that is held to be durable.
    syncing: Vec<Waker>,
}

/// Wraps a store; see the module.
#[derive(Clone)]
pub struct Gated {
    inner: Arc<dyn Maintenance>,
    gate: Arc<Mutex<Gate>>,
    pub reads: Arc<Reads>,
    /// Whether reads of checkpoints wait, and who waits.
    stalled: Arc<Mutex<(bool, Vec<Waker>)>>,
}

impl Gated {
    pub fn new(inner: Arc<dyn Maintenance>) -> Self {
        Self { inner, gate: Arc::default(), reads: Arc::default(), stalled: Arc::default() }
    }

    /// From now on appends wait.
    pub fn shut(&self) {
        self.gate.lock().unwrap().shut = true;
    }

    /// Lets everything through, now and later.
    pub fn lift(&self) {
        self.gate.lock().unwrap().shut = false;
        while self.release() {}
    }

    async fn resumed(&self) {
        std::future::poll_fn(|context| {
            let mut stalled = self.stalled.lock().unwrap();
            if !stalled.0 {
                return Poll::Ready(());
            }
            stalled.1.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// From now on reading a checkpoint or a part takes until [`Gated::resume_reads`].
    pub fn stall_reads(&self) {
        self.stalled.lock().unwrap().0 = true;
    }

    pub fn resume_reads(&self) {
        let mut stalled = self.stalled.lock().unwrap();
        stalled.0 = false;
        stalled.1.drain(..).for_each(Waker::wake);
    }

    /// How many appends wait.
    pub fn held(&self) -> usize {
        self.gate.lock().unwrap().held.len()
    }

    /// Makes the oldest held append durable and answers it.
    pub fn release(&self) -> bool {
        let Some(append) = self.gate.lock().unwrap().held.pop_front() else { return false };
        let Append { account, expected, no, entry, class, answer } = append;
        let appended = super::wait(self.inner.append(account, expected, no, entry, class));
        settle(&answer, appended);
        let syncing = std::mem::take(&mut self.gate.lock().unwrap().syncing);
        syncing.into_iter().for_each(Waker::wake);
        true
    }

    /// Fails the oldest held append, and with it all that wait after it, as the contract says.
    pub fn fail(&self, error: AppendError) {
        let held = std::mem::take(&mut self.gate.lock().unwrap().held);
        for append in held {
            settle(&append.answer, Err(error.clone()));
        }
    }

    /// Makes the oldest held append durable, and answers that it failed.
    pub fn break_off(&self) {
        let append = self.gate.lock().unwrap().held.pop_front().unwrap();
        let Append { account, expected, no, entry, class, answer } = append;
        super::wait(self.inner.append(account, expected, no, entry, class)).unwrap();
        settle(&answer, Err(AppendError::Failed(broken())));
    }
}

fn broken() -> StoreError {
    StoreError::Io { kind: std::io::ErrorKind::ConnectionReset, context: "broken off".into() }
}

fn settle(answer: &Mutex<Held>, result: Result<(), AppendError>) {
    let before = std::mem::replace(&mut *answer.lock().unwrap(), Held::Answered(result));
    if let Held::Waiting(Some(waker)) = before {
        waker.wake();
    }
}

struct Answer(Arc<Mutex<Held>>);

impl Future for Answer {
    type Output = Result<(), AppendError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut held = self.0.lock().unwrap();
        match std::mem::replace(&mut *held, Held::Taken) {
            Held::Answered(result) => Poll::Ready(result),
            Held::Waiting(_) => {
                *held = Held::Waiting(Some(context.waker().clone()));
                Poll::Pending
            }
            Held::Taken => panic!("polled after its end"),
        }
    }
}

impl Store for Gated {
    fn append(
        &self,
        account: AccountKey,
        expected: EntryNo,
        no: EntryNo,
        entry: Bytes,
        class: AppendClass,
    ) -> Pending<'static, Result<(), AppendError>> {
        let mut gate = self.gate.lock().unwrap();
        if !gate.shut {
            return self.inner.append(account, expected, no, entry, class);
        }
        // Compared against the enqueued head, as the contract says.
        let held = gate.held.iter().rev().find(|append| append.account == account).map(|append| append.no);
        let head = held.unwrap_or_else(|| super::wait(self.inner.head(account)).unwrap());
        if head != expected {
            return Box::pin(std::future::ready(Err(AppendError::Conflict { head })));
        }
        let answer = Arc::new(Mutex::new(Held::Waiting(None)));
        gate.held.push_back(Append { account, expected, no, entry, class, answer: Arc::clone(&answer) });
        Box::pin(Answer(answer))
    }

    fn read(
        &self,
        account: AccountKey,
        after: EntryNo,
        bytes_max: usize,
    ) -> Pending<'_, Result<Vec<Stored>, StoreError>> {
        self.inner.read(account, after, bytes_max)
    }

    fn head(&self, account: AccountKey) -> Pending<'_, Result<EntryNo, StoreError>> {
        self.inner.head(account)
    }

    fn checkpoint(
        &self,
        account: AccountKey,
        at: EntryNo,
        manifest: Bytes,
    ) -> Pending<'static, Result<(), StoreError>> {
        self.inner.checkpoint(account, at, manifest)
    }

    fn checkpoints(&self, account: AccountKey) -> Pending<'_, Result<Vec<(EntryNo, Bytes)>, StoreError>> {
        self.inner.checkpoints(account)
    }

    fn put_blob(&self, blob: BlobParts<'_>) -> Result<BlobId, AppendError> {
        self.inner.put_blob(blob)
    }

    fn upload(&self) -> Box<dyn Upload> {
        self.inner.upload()
    }

    fn blob(
        &self,
        id: BlobId,
        section: Section,
        range: Range<u64>,
    ) -> Pending<'_, Result<Bytes, StoreError>> {
        if section == Section::Body {
            self.reads.bodies.fetch_add(1, Ordering::SeqCst);
        }
        Box::pin(async move {
            self.resumed().await;
            self.inner.blob(id, section, range).await
        })
    }

    fn summaries(&self, ids: &[BlobId]) -> Pending<'_, Result<Vec<Bytes>, StoreError>> {
        self.inner.summaries(ids)
    }

    fn sync(&self) -> Pending<'static, Result<(), StoreError>> {
        let (gate, inner) = (Arc::clone(&self.gate), Arc::clone(&self.inner));
        Box::pin(async move {
            std::future::poll_fn(|context| {
                let mut gate = gate.lock().unwrap();
                if gate.held.is_empty() {
                    return Poll::Ready(());
                }
                gate.syncing.push(context.waker().clone());
                Poll::Pending
            })
            .await;
            inner.sync().await
        })
    }
}

impl Maintenance for Gated {
    fn accounts(&self) -> Pending<'_, Result<Vec<AccountKey>, StoreError>> {
        self.inner.accounts()
    }

    fn checkpoint_at(
        &self,
        account: AccountKey,
        generation: usize,
    ) -> Pending<'_, Result<Option<(EntryNo, Bytes)>, StoreError>> {
        self.reads.checkpoints.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            self.resumed().await;
            self.inner.checkpoint_at(account, generation).await
        })
    }

    fn drop_journal(
        &self,
        account: AccountKey,
        expected: EntryNo,
    ) -> Pending<'static, Result<(), AppendError>> {
        self.inner.drop_journal(account, expected)
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
