//! Waking an account: its newest readable checkpoint, and the entries after it. Directory only.

use std::sync::Arc;

use account::{Account, AccountId, DecodeError, Fault};
use bytes::Bytes;
use store::{AccountKey, Maintenance, StoreError, Stored};

use crate::fault::fault;
use crate::pipeline::fold;
use crate::recent::Floors;
use crate::state::{Live, Shared, State, Tail};

/// Bytes of entries asked for at once: the tail's default bound, so that one reading usually does.
const READ_BYTES: usize = 1 << 20;

/// All entries after number `after`.
pub(crate) async fn read_after(
    store: &dyn Maintenance,
    key: AccountKey,
    after: u64,
) -> Result<Vec<Stored>, StoreError> {
    let mut entries: Vec<Stored> = Vec::new();
    loop {
        let last = entries.last().map_or(after, |entry| entry.no);
        let mut more = store.read(key, last, READ_BYTES).await?;
        if more.is_empty() {
            return Ok(entries);
        }
        entries.append(&mut more);
    }
}

impl Live {
    pub(crate) async fn wake_up(
        shared: &Arc<Shared>,
        id: AccountId,
        remembered: Option<&Floors>,
    ) -> Result<Arc<Self>, Fault> {
        let key = AccountKey(id.0);
        let checkpoint = newest_checkpoint(shared, id).await?;
        let floors = Floors::waking(&checkpoint, remembered);
        let stored =
            read_after(&*shared.store, key, checkpoint.head().0).await.map_err(|error| match error {
                StoreError::Forgotten { .. } => {
                    Fault::Unavailable(format!("account {}: no checkpoint can be read", id.0))
                }
                other => fault(other),
            })?;
        let folded = fold(&checkpoint, &stored);
        if let Some(fault) = folded.fault {
            return Err(fault);
        }
        let mut tail = Tail::default();
        for (entry, bytes) in folded.entries {
            tail.push(entry, bytes);
        }
        if tail.is_over(&shared.settings) {
            shared.due.checkpoint(id);
        }
        let state = State::new(folded.account, tail, floors, shared.now());
        Ok(Self::new(id, Arc::clone(shared), state))
    }
}

/// The newest checkpoint that can be read, or the state before the first entry. A damaged one is reported and passed over: the entries
/// since the older generation are still there, and if they are not the reading of them will say so.
async fn newest_checkpoint(shared: &Shared, id: AccountId) -> Result<Account, Fault> {
    for generation in 0..2 {
        match shared.store.checkpoint_at(AccountKey(id.0), generation).await {
            Ok(None) => break,
            Ok(Some((at, manifest))) => match read_manifest(at, &manifest) {
                Ok(account) => return Ok(account),
                // A later version of this server wrote it, and perhaps entries that we would misread.
                Err(DecodeError::Unknown(..)) => return Err(Fault::Gone),
                Err(error) => {
                    shared.report(id, &Fault::Unavailable(format!("checkpoint {at}: {error}")));
                }
            },
            Err(error @ StoreError::Damaged(_)) => shared.report(id, &fault(error)),
            Err(error) => return Err(fault(error)),
        }
    }
    Ok(Account::default())
}

fn read_manifest(at: u64, manifest: &Bytes) -> Result<Account, DecodeError> {
    let account = Account::from_manifest(manifest)?;
    if account.head().0 == at { Ok(account) } else { Err(DecodeError::Damaged("of another number")) }
}
