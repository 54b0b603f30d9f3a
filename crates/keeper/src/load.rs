//! Message columns: read from the checkpoint's parts, brought up to date with the entries since, put into the durable state.

use std::sync::Arc;

use account::{Account, Fault, Mailbox, MailboxId, Modseq, SavedMailbox};
use store::{BlobId, Section};

use crate::fault::{fault, undecodable};
use crate::state::Live;

/// How often columns are read again because a checkpoint overtook the reading each time.
const READINGS_MAX: usize = 8;

impl Live {
    /// The newest durable columns of a mailbox, read if need be; `None` if there is no such mailbox.
    pub(crate) async fn columns(self: &Arc<Self>, mailbox: MailboxId) -> Result<Option<Arc<Mailbox>>, Fault> {
        for _ in 0..READINGS_MAX {
            if let Some(known) = self.loaded(mailbox) {
                return Ok(known);
            }
            if let Some(_turn) = self.loading.enter(mailbox).await
                && self.loaded(mailbox).is_none()
            {
                self.load(mailbox).await?;
            }
        }
        Err(Fault::Unavailable(format!("mailbox {}: its columns do not follow its entries", mailbox.0)))
    }

    /// `None`: not known without reading.
    fn loaded(&self, mailbox: MailboxId) -> Option<Option<Arc<Mailbox>>> {
        let now = self.shared.now();
        let mut state = self.state();
        if state.durable.directory().mailbox_by_id(mailbox).is_none() {
            return Some(None);
        }
        let columns = state.durable.loaded(mailbox).cloned()?;
        state.uses.insert(mailbox, now);
        state.used = now;
        Some(Some(columns))
    }

    async fn load(&self, mailbox: MailboxId) -> Result<(), Fault> {
        let (account, tail) = {
            let state = self.state();
            (Arc::clone(&state.durable), state.tail.touching(mailbox, Modseq(0)))
        };
        let mut columns = self.saved_columns(account.saved(mailbox), mailbox).await?;
        for entry in tail {
            columns.apply(mailbox, &entry);
        }
        let bytes = columns.resident_bytes();
        let mut state = self.state();
        for entry in state.tail.touching(mailbox, account.head()) {
            columns.apply(mailbox, &entry);
        }
        let fits = state.adjust(|durable| durable.install(mailbox, Arc::new(columns)));
        drop(state);
        if fits {
            self.shared.count_loaded(bytes);
        }
        Ok(())
    }

    async fn saved_columns(
        &self,
        saved: Option<&SavedMailbox>,
        mailbox: MailboxId,
    ) -> Result<Mailbox, Fault> {
        let Some(saved) = saved else { return Ok(Mailbox::default()) };
        let mut parts = Vec::with_capacity(saved.parts().len());
        for part in saved.parts() {
            let blob = BlobId(part.blob.0);
            parts.push(self.shared.store.blob(blob, Section::Body, 0..u64::MAX).await.map_err(fault)?);
        }
        Mailbox::from_parts(saved, &parts)
            .map_err(|error| undecodable(&format!("columns of mailbox {}", mailbox.0), &error))
    }

    /// The columns of a mailbox at `account`'s head without keeping them: for marking what is in use.
    pub(crate) async fn columns_of(
        &self,
        account: &Account,
        mailbox: MailboxId,
    ) -> Result<Arc<Mailbox>, Fault> {
        if let Some(columns) = account.loaded(mailbox) {
            return Ok(Arc::clone(columns));
        }
        let tail = self.state().tail.touching(mailbox, Modseq(0));
        let mut columns = self.saved_columns(account.saved(mailbox), mailbox).await?;
        for entry in tail {
            columns.apply(mailbox, &entry);
        }
        Ok(Arc::new(columns))
    }
}
