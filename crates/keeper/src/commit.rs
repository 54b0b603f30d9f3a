//! From draft to entry: decide, append, wait, and decide again when another writer was quicker.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use account::{Account, CommitError, Draft, Entry, Fault, MailboxId, Modseq, Receipt, Refusal, Rights};
use bytes::Bytes;
use futures_channel::oneshot;
use store::AppendClass;

use crate::gate::lock;
use crate::state::{Flight, Live, Loss, Phase, Verdict};

/// How often one draft may be lost to other writers before its own is told that the account is too busy. Each time somebody
/// else's entry went in.
const LOSSES_MAX: usize = 64;

/// What one attempt to decide came to.
enum Attempt {
    /// Columns are missing: load them and come again.
    Load(Vec<MailboxId>),
    /// Something is unsettled: wait and come again.
    Again,
    /// An answer that holds as soon as what it rests on is durable.
    Decided { answer: Result<Receipt, Refusal>, told: Option<oneshot::Receiver<Verdict>> },
}

impl Live {
    /// Decides and writes the draft that `make` makes of the state it will be decided on.
    pub(crate) async fn commit(
        self: &Arc<Self>,
        make: &(dyn Fn(&Account) -> Draft + Sync),
    ) -> Result<Receipt, CommitError> {
        self.touch();
        let _alone = if self.shared.settings.sole_writer {
            None
        } else {
            let turn = self.alone.turn(()).await;
            // Whoever had the turn before may have gone away with his entry still in flight.
            self.landed().await.map_err(CommitError::Fault)?;
            Some(turn)
        };
        let mut losses = 0;
        while losses < LOSSES_MAX {
            self.smooth().await.map_err(CommitError::Fault)?;
            match self.attempt(make) {
                Attempt::Again => {}
                Attempt::Load(mailboxes) => {
                    for mailbox in mailboxes {
                        self.columns(mailbox).await.map_err(CommitError::Fault)?;
                    }
                }
                Attempt::Decided { answer, told } => {
                    let verdict = match told {
                        None => Ok(()),
                        Some(told) => told.await.unwrap_or(Err(Loss::Conflict)),
                    };
                    let written = matches!(&answer, Ok(receipt) if receipt.modseq.is_some());
                    match verdict {
                        Ok(()) => return answer.map_err(CommitError::Refused),
                        Err(Loss::Full) if written => return Err(CommitError::Full),
                        Err(Loss::Fault(fault)) if written => return Err(CommitError::Fault(fault)),
                        // Lost to another writer, or the answer rested on an entry that was lost.
                        Err(_) => losses += 1,
                    }
                }
            }
        }
        Err(CommitError::Fault(Fault::Unavailable("too many writers at once".into())))
    }

    fn attempt(self: &Arc<Self>, make: &(dyn Fn(&Account) -> Draft + Sync)) -> Attempt {
        let attempt = {
            let _in_order = lock(&self.deciding);
            let base = {
                let mut state = self.state();
                if !matches!(state.phase, Phase::Smooth) {
                    return Attempt::Again;
                }
                state.refresh_pending();
                state.pending.clone()
            };
            self.decide(&make(&base), base)
        };
        self.stir();
        attempt
    }

    fn decide(self: &Arc<Self>, draft: &Draft, base: Account) -> Attempt {
        let missing = draft.needs(&base);
        if !missing.is_empty() {
            return Attempt::Load(missing);
        }
        let no = Modseq(base.head().0.saturating_add(1));
        let (entry, receipt) = match draft.decide(&base, Rights::OWNER, no, self.shared.now()) {
            Ok((Some(entry), receipt)) => (entry, receipt),
            Ok((None, receipt)) => return self.rest_on(base.head(), Ok(receipt)),
            Err(refusal) => return self.rest_on(base.head(), Err(refusal)),
        };
        let class = if draft.shrinks() { AppendClass::Shrink } else { AppendClass::Grow };
        match self.append(entry, base, class) {
            None => Attempt::Again,
            Some(told) => Attempt::Decided { answer: Ok(receipt), told: Some(told) },
        }
    }

    /// Nothing to write; but the answer holds only if the last entry it was decided on becomes durable.
    fn rest_on(&self, head: Modseq, answer: Result<Receipt, Refusal>) -> Attempt {
        let mut state = self.state();
        if state.durable.head() >= head {
            return Attempt::Decided { answer, told: None };
        }
        let Some(flight) = state.flights.iter_mut().find(|flight| flight.entry.no == head) else {
            return Attempt::Again;
        };
        let (sender, told) = oneshot::channel();
        flight.told.push(sender);
        Attempt::Decided { answer, told: Some(told) }
    }

    /// Hands an entry to the store. `None` when there was trouble since the entry was decided.
    fn append(
        self: &Arc<Self>,
        entry: Entry,
        base: Account,
        class: AppendClass,
    ) -> Option<oneshot::Receiver<Verdict>> {
        let expected = (base.head(), base.chain());
        let bytes = Bytes::from(entry.encode(expected.1));
        let mut after = base;
        after.apply(&entry, Entry::chain_of(&bytes));
        if !matches!(self.state().phase, Phase::Smooth) {
            return None;
        }
        // Not under the state's lock: the store may make us wait for its writer, and its writer may be about to stir.
        let mut append = self.shared.store.append(self.key(), expected.0.0, entry.no.0, bytes.clone(), class);
        // Polled before anybody else decides: a conflict is known at once, and nothing may be appended after it.
        let waker = Waker::from(Arc::clone(self));
        let outcome = match append.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Pending => None,
            Poll::Ready(outcome) => Some(outcome),
        };
        let (sender, told) = oneshot::channel();
        let mut state = self.state();
        match &state.phase {
            Phase::Refused(fault) => {
                drop(sender.send(Err(Loss::Fault(fault.clone()))));
                return Some(told);
            }
            Phase::Smooth if outcome.as_ref().is_some_and(Result::is_err) => state.phase = Phase::Unsettled,
            _ => {}
        }
        state.pending = after.clone();
        state.flights.push_back(Flight {
            entry: Arc::new(entry),
            bytes,
            base: expected,
            after,
            append: outcome.is_none().then_some(append),
            outcome,
            told: vec![sender],
        });
        Some(told)
    }
}
