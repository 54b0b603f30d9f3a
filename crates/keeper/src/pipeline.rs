//! From appended to published.
//!
//! Appends that are under way belong to the account and not to those who wait for them: the account is its own [`Wake`], so the
//! store's completion itself moves the durable state on, wakes those who watch, and tells those who committed, whether or not
//! anybody still polls.
//!
//! All goes well as long as the appends end well and in order. As soon as one does not — no space, another writer, an answer
//! that never came — nothing is known about those after it either. Then the account *settles*: it lets all appends that
//! are under way end, reads from the store what is there after the last durable entry, and tells each of them whether it is among that
//! (same number, same bytes). What was lost to a conflict is decided again by the one who wanted it (`commit`).
//!
//! The store's thread may be the one that runs this, so it never waits for a lock that is held long, never polls or wakes under the
//! account's lock, and a panic marks the account instead of passing on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Wake, Waker};

use account::{Account, Entry, Fault};
use futures_channel::oneshot;
use store::{AppendError, StoreError, Stored};

use crate::fault::{fault, undecodable};
use crate::state::{Flight, Live, Loss, Phase, Reading, Settled, State, Verdict};
use crate::wake::read_after;
use crate::watchers::wake_all;

impl Wake for Live {
    fn wake(self: Arc<Self>) {
        self.stir();
    }
}

/// Something to poll, taken out of the state so that it is polled without the lock.
enum Errand {
    /// The answer for the flight at this place. Only the one who stirs removes flights, so the place stays.
    Append(usize, store::Pending<'static, Result<(), AppendError>>),
    Settle(Reading),
}

/// What is to be told once the lock is released.
#[derive(Default)]
struct News {
    wakers: Vec<Option<Waker>>,
    verdicts: Vec<(oneshot::Sender<Verdict>, Verdict)>,
    settled: Vec<(oneshot::Sender<Settled>, Settled)>,
    /// The tail went over its bounds.
    checkpoint_due: bool,
    /// The state before, whose freeing may take time.
    former: Option<Arc<Account>>,
    fault: Option<Fault>,
}

impl Live {
    /// Moves on what can be moved on. One at a time: who comes while another is at it leaves him the work.
    pub(crate) fn stir(self: &Arc<Self>) {
        if self.stirred.fetch_add(1, Ordering::AcqRel) > 0 {
            return;
        }
        let mut seen = 1;
        loop {
            if catch_unwind(AssertUnwindSafe(|| self.run_errands())).is_err() {
                let fault = Fault::Unavailable("the account could not be folded".into());
                let mut news = News::default();
                refuse(&mut self.state(), fault, &mut news);
                self.tell(news);
            }
            match self.stirred.compare_exchange(seen, 0, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return,
                Err(now) => seen = now,
            }
        }
    }

    fn run_errands(self: &Arc<Self>) {
        let waker = Waker::from(Arc::clone(self));
        let mut context = Context::from_waker(&waker);
        loop {
            self.publish();
            let Some(errand) = self.next_errand() else { return };
            let mut news = News::default();
            let done = match errand {
                Errand::Append(at, mut append) => match append.as_mut().poll(&mut context) {
                    Poll::Pending => {
                        // It may be gone, if the account was refused meanwhile.
                        if let Some(flight) = self.state().flights.get_mut(at) {
                            flight.append = Some(append);
                        }
                        false
                    }
                    Poll::Ready(outcome) => {
                        if let Some(flight) = self.state().flights.get_mut(at) {
                            flight.outcome = Some(outcome);
                        }
                        true
                    }
                },
                Errand::Settle(mut reading) => match reading.as_mut().poll(&mut context) {
                    Poll::Pending => {
                        if let Phase::Settling(place) = &mut self.state().phase {
                            *place = Some(reading);
                        }
                        false
                    }
                    Poll::Ready(entries) => {
                        let again = entries.is_ok();
                        self.settled(entries, &mut news);
                        again
                    }
                },
            };
            self.tell(news);
            if !done {
                return;
            }
        }
    }

    fn next_errand(&self) -> Option<Errand> {
        let mut state = self.state();
        if let Phase::Settling(reading) = &mut state.phase {
            return reading.take().map(Errand::Settle);
        }
        let under_way = state.flights.iter_mut().enumerate();
        for (at, flight) in under_way {
            if let Some(append) = flight.append.take() {
                return Some(Errand::Append(at, append));
            }
        }
        if !matches!(state.phase, Phase::Unsettled) {
            return None;
        }
        state.phase = Phase::Settling(None);
        let (store, key, head) = (Arc::clone(&self.shared.store), self.key(), state.durable.head());
        Some(Errand::Settle(Box::pin(async move {
            // What another writer of this store has enqueued can be read only once it is durable. If that
            // cannot be waited for, what is durable already has to do.
            drop(store.sync().await);
            read_after(&*store, key, head.0).await
        })))
    }

    /// Makes the oldest flights that have landed well the durable state. One that has not ends the smooth phase.
    fn publish(&self) {
        loop {
            let mut news = News::default();
            {
                let mut state = self.state();
                if !matches!(state.phase, Phase::Smooth) {
                    return;
                }
                let durable = (state.durable.head(), state.durable.chain());
                let Some(outcome) = state.flights.front().and_then(|flight| flight.outcome.as_ref()) else {
                    return;
                };
                let follows = state.flights.front().is_some_and(|flight| flight.base == durable);
                if !follows || outcome.is_err() {
                    state.phase = Phase::Unsettled;
                    return;
                }
                let Some(flight) = state.flights.pop_front() else { return };
                let entry = (flight.entry, flight.bytes.len());
                news.former = Some(state.advance(flight.after, vec![entry]));
                news.checkpoint_due = state.tail.is_over(&self.shared.settings);
                news.wakers = state.watchers.take();
                news.verdicts.extend(flight.told.into_iter().map(|told| (told, Ok(()))));
            }
            self.tell(news);
        }
    }

    /// The store has said what is there.
    fn settled(&self, entries: Result<Vec<Stored>, StoreError>, news: &mut News) {
        let entries = match entries {
            Ok(entries) => entries,
            Err(error) => return unanswered(&mut self.state(), &fault(error), news),
        };
        // Nobody else moves the durable head, so folding needs no lock.
        let folded = fold(&self.account(), &entries);
        let mut state = self.state();
        if !matches!(state.phase, Phase::Settling(_)) {
            return;
        }
        if !folded.entries.is_empty() {
            news.former = Some(state.advance(folded.account, folded.entries));
            news.wakers = state.watchers.take();
        }
        if let Some(fault) = folded.fault {
            return refuse(&mut state, fault, news);
        }
        let ended = state.flights.iter().take_while(|flight| flight.outcome.is_some()).count();
        for flight in state.flights.drain(..ended) {
            let verdict = verdict(&flight, &entries);
            news.verdicts.extend(flight.told.into_iter().map(|told| (told, verdict.clone())));
        }
        if state.flights.is_empty() {
            state.phase = Phase::Smooth;
            news.settled.extend(state.waiting.drain(..).map(|waiting| (waiting, Ok(()))));
        } else {
            // Appended in the moment before the trouble was seen: they are settled in the same way.
            state.phase = Phase::Unsettled;
        }
        news.checkpoint_due = state.tail.is_over(&self.shared.settings);
    }

    fn tell(&self, news: News) {
        // First, so that whoever is told finds it due.
        if news.checkpoint_due {
            self.shared.due.checkpoint(self.id);
        }
        for (told, verdict) in news.verdicts {
            // Who went away does not need to know.
            drop(told.send(verdict));
        }
        for (waiting, settled) in news.settled {
            drop(waiting.send(settled));
        }
        wake_all(news.wakers);
        if let Some(fault) = news.fault {
            self.shared.report(self.id, &fault);
        }
    }

    /// Asks the store what is there, as after a conflict. For a node that may be behind.
    pub(crate) fn unsettle(self: &Arc<Self>) {
        {
            let mut state = self.state();
            if matches!(state.phase, Phase::Smooth) {
                state.phase = Phase::Unsettled;
            }
        }
        self.stir();
    }

    /// Stops following the journal for good.
    pub(crate) fn refuse(&self, fault: Fault) {
        let mut news = News::default();
        refuse(&mut self.state(), fault, &mut news);
        news.fault = None;
        self.tell(news);
    }

    /// Waits until nothing is unsettled.
    pub(crate) async fn smooth(self: &Arc<Self>) -> Result<(), Fault> {
        loop {
            let over = {
                let mut state = self.state();
                match &state.phase {
                    Phase::Smooth => return Ok(()),
                    Phase::Refused(fault) => return Err(fault.clone()),
                    Phase::Unsettled | Phase::Settling(_) => {}
                }
                let (sender, over) = oneshot::channel();
                state.waiting.push(sender);
                over
            };
            self.stir();
            over.await.unwrap_or_else(|_| Err(Fault::Unavailable("the account fell asleep".into())))?;
        }
    }

    /// Waits until nothing is in flight, whatever it comes to.
    pub(crate) async fn landed(self: &Arc<Self>) -> Result<(), Fault> {
        loop {
            self.smooth().await?;
            let last = {
                let mut state = self.state();
                let Some(last) = state.flights.back_mut() else { return Ok(()) };
                let (sender, last_told) = oneshot::channel();
                last.told.push(sender);
                last_told
            };
            drop(last.await);
        }
    }
}

/// Is the flight's entry among what the store has?
fn verdict(flight: &Flight, entries: &[Stored]) -> Verdict {
    let found = entries.binary_search_by_key(&flight.entry.no.0, |entry| entry.no);
    if found.is_ok_and(|at| entries[at].bytes == flight.bytes) {
        return Ok(());
    }
    Err(match &flight.outcome {
        Some(Err(AppendError::Conflict { .. })) => Loss::Conflict,
        Some(Err(AppendError::Full)) => Loss::Full,
        Some(Err(AppendError::Failed(error))) => Loss::Fault(fault(error.clone())),
        Some(Ok(())) | None => {
            Loss::Fault(Fault::Unavailable("an acknowledged entry is not in the journal".into()))
        }
    })
}

/// The store could not say what is there: those who wait are told so, and the next who comes asks again.
fn unanswered(state: &mut State, fault: &Fault, news: &mut News) {
    state.phase = Phase::Unsettled;
    let ended = state.flights.iter().take_while(|flight| flight.outcome.is_some()).count();
    for flight in state.flights.drain(..ended) {
        let loss = match flight.outcome {
            Some(Err(AppendError::Full)) => Loss::Full,
            _ => Loss::Fault(fault.clone()),
        };
        news.verdicts.extend(flight.told.into_iter().map(|told| (told, Err(loss.clone()))));
    }
    news.settled.extend(state.waiting.drain(..).map(|waiting| (waiting, Err(fault.clone()))));
    news.fault = Some(fault.clone());
}

/// The journal is not followed any further.
fn refuse(state: &mut State, fault: Fault, news: &mut News) {
    for flight in state.flights.drain(..) {
        let loss = Loss::Fault(fault.clone());
        news.verdicts.extend(flight.told.into_iter().map(|told| (told, Err(loss.clone()))));
    }
    news.settled.extend(state.waiting.drain(..).map(|waiting| (waiting, Err(fault.clone()))));
    news.wakers.extend(state.watchers.take());
    news.fault = Some(fault.clone());
    state.phase = Phase::Refused(fault);
}

/// Entries folded into an account, as far as they could be.
pub(crate) struct Folded {
    pub(crate) account: Account,
    /// With their encoded length in bytes.
    pub(crate) entries: Vec<(Arc<Entry>, usize)>,
    /// Why the rest could not be followed.
    pub(crate) fault: Option<Fault>,
}

/// Folds what the store has after the account's head.
pub(crate) fn fold(account: &Account, stored: &[Stored]) -> Folded {
    let mut folded = Folded { account: account.clone(), entries: Vec::new(), fault: None };
    for Stored { no, bytes } in stored {
        match Entry::decode(bytes, folded.account.chain()) {
            Ok((entry, chain)) if entry.no.0 == *no => {
                folded.account.apply(&entry, chain);
                folded.entries.push((Arc::new(entry), bytes.len()));
            }
            Ok(_) => folded.fault = Some(Fault::Unavailable(format!("entry {no}: bears another number"))),
            Err(error) => folded.fault = Some(undecodable(&format!("entry {no}"), &error)),
        }
        if folded.fault.is_some() {
            break;
        }
    }
    folded
}
