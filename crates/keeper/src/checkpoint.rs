//! Writing an account's checkpoint: the parts that changed, then the manifest that names all.
//!
//! It costs what changed since the last one. Commits go on meanwhile; the checkpoint speaks of the durable state it began with.

use std::sync::Arc;

use account::{Account, BlobId, Fault, Unready};
use bytes::Bytes;
use store::{BlobParts, StoreError};

use crate::fault::{fault, put_fault, undecodable};
use crate::state::Live;

/// How often a checkpoint begins anew because columns it had loaded were unloaded meanwhile.
const ATTEMPTS_MAX: usize = 8;

impl Live {
    /// Writes a checkpoint of the durable state, if there is anything after the last one.
    pub(crate) async fn checkpoint(self: &Arc<Self>) -> Result<(), Fault> {
        let written = self.write_checkpoint().await;
        if written.is_err() {
            self.state().tail.back_off();
        }
        written
    }

    async fn write_checkpoint(self: &Arc<Self>) -> Result<(), Fault> {
        if self.state().tail.len() == 0 {
            return Ok(());
        }
        for _ in 0..ATTEMPTS_MAX {
            let account = self.account();
            let unloaded = account.touched_unloaded();
            for mailbox in &unloaded {
                self.columns(*mailbox).await?;
            }
            if !unloaded.is_empty() {
                continue;
            }
            let manifest = self.store_parts(&account)?;
            let (store, head) = (&self.shared.store, account.head());
            match store.checkpoint(self.key(), head.0, manifest.clone()).await {
                Ok(()) => return self.checkpointed(&manifest),
                Err(StoreError::OutOfOrder { .. }) => return self.adopt_checkpoint().await,
                Err(error) => return Err(fault(error)),
            }
        }
        Err(Fault::Unavailable("columns are unloaded faster than a checkpoint can be written".into()))
    }

    fn store_parts(&self, account: &Account) -> Result<Bytes, Fault> {
        for (_, part) in account.unsaved_parts() {
            let encoded = part.encode();
            let parts = BlobParts { body: &encoded, ..BlobParts::default() };
            let blob = BlobId(self.shared.store.put_blob(parts).map_err(put_fault)?.0);
            // Before the part knows its blob: from then on a later manifest may name it.
            self.state().stray_parts.push(blob);
            part.set_saved(blob, &encoded);
        }
        account.manifest().map(Bytes::from).map_err(|unready| match unready {
            Unready::Unloaded(mailbox) | Unready::Unsaved(mailbox) => {
                Fault::Unavailable(format!("mailbox {}: not ready for a checkpoint", mailbox.0))
            }
        })
    }

    /// `manifest` is durable: columns are read back from it, and the entries up to it are no longer needed.
    fn checkpointed(&self, manifest: &Bytes) -> Result<(), Fault> {
        let noted = Account::from_manifest(manifest);
        let head = noted.map_err(|error| undecodable("checkpoint", &error))?.head();
        let mut state = self.state();
        state
            .adjust(|durable| durable.checkpointed(manifest))
            .map_err(|error| undecodable("checkpoint", &error))?;
        state.tail.forget_up_to(head);
        state.stray_parts = Vec::new();
        Ok(())
    }

    /// Another node has written a checkpoint. If it speaks of a state that this one has seen, it is as good as one's own.
    async fn adopt_checkpoint(&self) -> Result<(), Fault> {
        let newest = self.shared.store.checkpoint_at(self.key(), 0).await.map_err(fault)?;
        match newest {
            Some((at, manifest)) if at <= self.account().head().0 => self.checkpointed(&manifest),
            _ => Ok(()),
        }
    }
}
