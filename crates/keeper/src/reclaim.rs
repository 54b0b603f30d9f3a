//! Mark and sweep: which blobs are in use, over all accounts.
//!
//! A blob is swept only if two marks, at least [`crate::Settings::retention`] apart, found it unused, and it was there before the first of
//! them. That one rule covers all that a single mark would get wrong: a message uploaded and not yet committed, one copied
//! to an account already marked, an expunged one that some session still shows. After a restart the first mark sweeps nothing.
//!
//! If anything cannot be read, nothing is swept.

use std::sync::Arc;

use account::{Account, AccountId, Fault, Millis, Pending};
use store::{BlobId, LiveBlobs};

pub use store::Reclaimed;

use crate::Keeper;
use crate::fault::{fault, undecodable};
use crate::gate::lock;
use crate::state::Live;

/// What one marking found in use: 8 bytes a blob.
#[derive(Debug)]
pub(crate) struct Mark {
    taken: Millis,
    /// Blobs below it were there before the marking began.
    before: BlobId,
    blobs: Vec<BlobId>,
}

impl Keeper {
    /// Marks the blobs in use and has the store free the others, and what a removed account left behind. Reads the columns of every mailbox,
    /// so it is for the night. Does nothing if the last mark is younger than the retention.
    ///
    /// Fails with the first [`Fault`] met while marking; nothing is freed then.
    pub fn reclaim(&self) -> Pending<'_, Result<Reclaimed, Fault>> {
        Box::pin(async move {
            let _turn = self.upkeep.turn(()).await;
            let now = self.shared.now();
            let retention = self.shared.settings.retention.0;
            let young = |mark: &Mark| now.0.saturating_sub(mark.taken.0) < retention && now.0 >= mark.taken.0;
            if lock(&self.mark).as_ref().is_some_and(young) {
                return Ok(Reclaimed::default());
            }
            let before = self.shared.store.watermark();
            let blobs = self.mark_all().await?;
            let former = lock(&self.mark).replace(Mark { taken: now, before, blobs: blobs.clone() });
            // A clock set back has made the former mark younger than it looked.
            let former = former.filter(|former| former.taken.0 <= now.0);
            // Without a former mark no blob is old enough; forgotten entries are freed all the same.
            let before = former.as_ref().map_or(BlobId(0), |former| former.before);
            let twice = former.map(|former| former.blobs).unwrap_or_default();
            let live: LiveBlobs = blobs.into_iter().chain(twice).collect();
            self.shared.store.reclaim(live, before).await.map_err(fault)
        })
    }

    async fn mark_all(&self) -> Result<Vec<BlobId>, Fault> {
        let mut blobs = Vec::new();
        let roster = self.open_live(AccountId::ROSTER).await?;
        for key in self.shared.store.accounts().await.map_err(fault)? {
            let account = AccountId(key.0);
            if is_removed(&roster.account(), account) {
                self.forget(account).await?;
                continue;
            }
            let asleep = self.awake_one(account).is_none();
            let live = match self.open_live(account).await {
                // Removed since the list was made.
                Err(Fault::Gone) if is_removed(&roster.account(), account) => continue,
                opened => opened?,
            };
            live.mark(&mut blobs).await?;
            drop(live);
            if asleep {
                self.let_sleep(account, |_| true);
            }
        }
        blobs.sort_unstable();
        blobs.dedup();
        Ok(blobs)
    }
}

/// Was the account on the roster, and is no longer? A number that the roster has never given proves nothing.
fn is_removed(roster: &Account, account: AccountId) -> bool {
    let directory = roster.directory();
    account != AccountId::ROSTER
        && account <= directory.account_last()
        && directory.roster_line(account).is_none()
}

impl Live {
    /// Adds every blob the account refers to: messages, and the parts of both checkpoint generations and of one begun.
    async fn mark(self: &Arc<Self>, blobs: &mut Vec<BlobId>) -> Result<(), Fault> {
        for generation in 0..2 {
            let checkpoint = self.shared.store.checkpoint_at(self.key(), generation).await;
            let Some((at, manifest)) = checkpoint.map_err(fault)? else { break };
            let parts = Account::manifest_blobs(&manifest)
                .map_err(|error| undecodable(&format!("checkpoint {at}"), &error))?;
            blobs.extend(parts.iter().map(|blob| BlobId(blob.0)));
        }
        let account = {
            let state = self.state();
            blobs.extend(state.stray_parts.iter().map(|blob| BlobId(blob.0)));
            let in_flight = state.flights.iter().flat_map(|flight| flight.entry.blobs());
            blobs.extend(in_flight.map(|blob| BlobId(blob.0)));
            Arc::clone(&state.durable)
        };
        for facts in account.directory().mailboxes() {
            let columns = self.columns_of(&account, facts.id).await?;
            blobs.extend(columns.blobs().map(|blob| BlobId(blob.0)));
        }
        Ok(())
    }
}
