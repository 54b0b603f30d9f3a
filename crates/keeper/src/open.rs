//! The handle to an account that is awake: the port's [`OpenAccount`].

use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use account::{
    Account, BlobId, CommitError, Draft, Fault, Mailbox, MailboxId, Modseq, OpenAccount, Pending, Receipt,
    Upload,
};
use bytes::Bytes;
use store::Section;

use crate::fault::fault;
use crate::state::{Live, Phase};
use crate::upload::MessageUpload;
use crate::watchers::Place;

/// Keeps an account awake while it exists.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) live: Arc<Live>,
}

impl OpenAccount for Handle {
    fn account(&self) -> Arc<Account> {
        self.live.account()
    }

    fn mailbox(&self, mailbox: MailboxId) -> Pending<'_, Result<Option<Arc<Mailbox>>, Fault>> {
        Box::pin(self.live.columns(mailbox))
    }

    fn commit(&self, draft: Draft) -> Pending<'_, Result<Receipt, CommitError>> {
        Box::pin(async move { self.live.commit(&|_| draft.clone()).await })
    }

    fn changed(&self, after: Modseq) -> Pending<'_, ()> {
        Box::pin(Changed { live: &self.live, after, place: None })
    }

    fn claim_recent(&self, mailbox: MailboxId, up_to: u32) -> u32 {
        self.live.state().floors.claim(mailbox, up_to)
    }

    fn recent_floor(&self, mailbox: MailboxId) -> u32 {
        self.live.state().floors.floor(mailbox)
    }

    fn upload(&self) -> Box<dyn Upload> {
        Box::new(MessageUpload::new(self.live.shared.store.upload()))
    }

    fn summaries(&self, blobs: &[BlobId]) -> Pending<'_, Result<Vec<Bytes>, Fault>> {
        let blobs: Vec<store::BlobId> = blobs.iter().map(|blob| store::BlobId(blob.0)).collect();
        Box::pin(async move { self.live.shared.store.summaries(&blobs).await.map_err(fault) })
    }

    fn text(&self, blob: BlobId) -> Pending<'_, Result<Bytes, Fault>> {
        self.section(blob, Section::Text, 0..u64::MAX)
    }

    fn body(&self, blob: BlobId, range: Range<u64>) -> Pending<'_, Result<Bytes, Fault>> {
        self.section(blob, Section::Body, range)
    }
}

impl Handle {
    fn section(
        &self,
        blob: BlobId,
        section: Section,
        range: Range<u64>,
    ) -> Pending<'_, Result<Bytes, Fault>> {
        let reading = self.live.shared.store.blob(store::BlobId(blob.0), section, range);
        Box::pin(async move { reading.await.map_err(fault) })
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.live.touch();
    }
}

/// Waits for an entry after `after`; also over when the account is refused, so that the session finds out.
struct Changed<'a> {
    live: &'a Live,
    after: Modseq,
    place: Option<Place>,
}

impl Future for Changed<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let changed = &mut *self;
        let mut state = changed.live.state();
        // Looked at and registered under the one lock that publishing takes, so no wake can fall between.
        if state.durable.head() > changed.after || matches!(state.phase, Phase::Refused(_)) {
            return Poll::Ready(());
        }
        let former = state.watchers.watch(&mut changed.place, context.waker());
        drop(state);
        drop(former);
        Poll::Pending
    }
}

impl Drop for Changed<'_> {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            let waker = self.live.state().watchers.leave(place);
            drop(waker);
        }
    }
}
