//! All accounts: opening, creating and removing them.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use account::{
    Account, AccountId, Accounts, CommitError, Draft, Fault, MailboxName, NewMailbox, OpenAccount, Pending,
};
use store::{AccountKey, Maintenance};

use crate::fault::{fault, put_fault};
use crate::gate::{Gate, lock};
use crate::open::Handle;
use crate::recent::Floors;
use crate::reclaim::Mark;
use crate::state::{Live, Shared};
use crate::upkeep::Due;
use crate::{Clock, Settings};

/// Maps of awake accounts, so that opening one does not wait for opening another. A power of two.
const SHARDS: usize = 16;

/// The mailboxes of a new account beside INBOX, with their roles (RFC 6154).
const FIRST_MAILBOXES: [(&str, &str); 5] = [
    ("Drafts", "\\Drafts"),
    ("Sent", "\\Sent"),
    ("Trash", "\\Trash"),
    ("Junk", "\\Junk"),
    ("Archive", "\\Archive"),
];

/// Keeps the accounts of one store.
pub struct Keeper {
    pub(crate) shared: Arc<Shared>,
    shards: [Mutex<HashMap<AccountId, Arc<Live>>>; SHARDS],
    waking: Gate<AccountId>,
    /// Floors of `\Recent` of accounts that sleep, where waking would not find them by itself.
    floors: Mutex<HashMap<AccountId, Floors>>,
    /// Housekeeping and reclaiming, one at a time: what a checkpoint has stored and not yet named must not be swept.
    pub(crate) upkeep: Gate<()>,
    pub(crate) mark: Mutex<Option<Mark>>,
}

impl fmt::Debug for Keeper {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Keeper").field("settings", &self.shared.settings).finish_non_exhaustive()
    }
}

impl Accounts for Keeper {
    /// [`Fault::Gone`] when the roster does not know the account. One that has no INBOX yet gets its first mailboxes.
    fn open(&self, account: AccountId) -> Pending<'_, Result<Arc<dyn OpenAccount>, Fault>> {
        Box::pin(async move {
            let live = self.open_live(account).await?;
            Ok(Arc::new(Handle { live }) as Arc<dyn OpenAccount>)
        })
    }
}

impl Keeper {
    /// A keeper of the accounts in `store`. Nothing is read yet.
    pub fn new(store: Arc<dyn Maintenance>, clock: Clock, settings: Settings) -> Self {
        let shared = Shared { store, clock, settings, due: Due::default(), loaded_bytes: AtomicU64::new(0) };
        Self {
            shared: Arc::new(shared),
            shards: std::array::from_fn(|_| Mutex::default()),
            waking: Gate::default(),
            floors: Mutex::default(),
            upkeep: Gate::default(),
            mark: Mutex::new(None),
        }
    }

    /// The server's list of accounts: the journal [`AccountId::ROSTER`].
    pub fn roster(&self) -> Pending<'_, Result<Arc<dyn OpenAccount>, Fault>> {
        self.open(AccountId::ROSTER)
    }

    /// Adds an account and gives it its first mailboxes. Its number was never another account's. `name` is `local@domain` in canonical
    /// form, `credential` a PHC string.
    ///
    /// [`account::Refusal::AlreadyExists`] when the name is taken. If the first mailboxes cannot be created now, they are when the
    /// account is opened.
    pub fn create_account(
        &self,
        name: String,
        credential: Option<String>,
    ) -> Pending<'_, Result<AccountId, CommitError>> {
        Box::pin(async move {
            let roster = self.open_live(AccountId::ROSTER).await.map_err(CommitError::Fault)?;
            let next = AtomicU64::new(0);
            let draft = |roster: &Account| {
                let account = AccountId(roster.directory().account_last().0.saturating_add(1));
                next.store(account.0, Ordering::Relaxed);
                Draft::AddAccount { account, name: name.clone(), credential: credential.clone() }
            };
            roster.commit(&draft).await?;
            let account = AccountId(next.load(Ordering::Relaxed));
            if let Err(fault) = self.open_live(account).await {
                self.shared.report(account, &fault);
            }
            Ok(account)
        })
    }

    /// Removes an account from the roster, then its journal. Sessions that have it open can still read what they show, and write
    /// nothing. Its messages' bytes go with the reclaiming after next.
    pub fn remove_account(&self, account: AccountId) -> Pending<'_, Result<(), CommitError>> {
        Box::pin(async move {
            let roster = self.open_live(AccountId::ROSTER).await.map_err(CommitError::Fault)?;
            roster.commit(&|_| Draft::RemoveAccount { account }).await?;
            self.forget(account).await.map_err(CommitError::Fault)
        })
    }

    /// Drops the journal of an account that the roster no longer has.
    pub(crate) async fn forget(&self, account: AccountId) -> Result<(), Fault> {
        let _turn = self.waking.turn(account).await;
        let live = lock(self.shard(account)).remove(&account);
        lock(&self.floors).remove(&account);
        if let Some(live) = live {
            // What fails to land is dropped all the same.
            drop(live.landed().await);
            live.refuse(Fault::Gone);
        }
        let key = AccountKey(account.0);
        let head = self.shared.store.head(key).await.map_err(fault)?;
        self.shared.store.drop_journal(key, head).await.map_err(put_fault)
    }

    /// Reads what other writers of the same store have appended to an account, and makes it the newest state. For a node of several:
    /// correctness does not need it, since whoever is behind finds out when he writes.
    pub fn catch_up(&self, account: AccountId) -> Pending<'_, Result<(), Fault>> {
        Box::pin(async move {
            let live = self.open_live(account).await?;
            live.unsettle();
            live.smooth().await
        })
    }

    /// Waits until nothing is in flight in any account, then closes the store.
    pub fn close(&self) -> Pending<'_, Result<(), Fault>> {
        Box::pin(async move {
            let _turn = self.upkeep.turn(()).await;
            for live in self.awake() {
                if let Err(fault) = live.landed().await {
                    self.shared.report(live.id, &fault);
                }
            }
            self.shared.store.close().await.map_err(fault)
        })
    }

    /// Accounts that are awake now. For metrics.
    pub fn awake_count(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    /// Bytes of message columns loaded: as of the last housekeeping, and what was loaded since. For metrics.
    pub fn loaded_bytes(&self) -> u64 {
        self.shared.loaded_bytes.load(Ordering::Relaxed)
    }

    fn shard(&self, account: AccountId) -> &Mutex<HashMap<AccountId, Arc<Live>>> {
        &self.shards[account.0 as usize % SHARDS]
    }

    pub(crate) fn awake_one(&self, account: AccountId) -> Option<Arc<Live>> {
        lock(self.shard(account)).get(&account).cloned()
    }

    pub(crate) fn awake(&self) -> Vec<Arc<Live>> {
        self.shards.iter().flat_map(|shard| lock(shard).values().cloned().collect::<Vec<_>>()).collect()
    }

    /// The account, woken once however many ask.
    pub(crate) fn open_live(&self, account: AccountId) -> Pending<'_, Result<Arc<Live>, Fault>> {
        Box::pin(async move {
            loop {
                if let Some(live) = self.awake_one(account) {
                    live.touch();
                    return Ok(live);
                }
                let Some(_turn) = self.waking.enter(account).await else { continue };
                if self.awake_one(account).is_some() {
                    continue;
                }
                let live = self.wake(account).await?;
                lock(self.shard(account)).insert(account, Arc::clone(&live));
                lock(&self.floors).remove(&account);
                return Ok(live);
            }
        })
    }

    async fn wake(&self, account: AccountId) -> Result<Arc<Live>, Fault> {
        if account != AccountId::ROSTER {
            let roster = self.open_live(AccountId::ROSTER).await?.account();
            roster.directory().roster_line(account).ok_or(Fault::Gone)?;
        }
        let floors = lock(&self.floors).get(&account).cloned();
        let live = Live::wake_up(&self.shared, account, floors.as_ref()).await?;
        let inbox = live.account().directory().mailbox(&MailboxName::inbox()).is_some();
        if account != AccountId::ROSTER && !inbox {
            create_first_mailboxes(&live).await?;
        }
        Ok(live)
    }

    /// Lets an account sleep if nobody holds it, nothing of it is in flight, and `may` agrees. Whoever opens it takes the same lock, so
    /// nobody can get hold of it in between.
    pub(crate) fn let_sleep(&self, account: AccountId, may: impl FnOnce(&Live) -> bool) -> bool {
        let mut shard = lock(self.shard(account));
        let unused = shard.get(&account).is_some_and(|live| Arc::strong_count(live) == 1 && may(live));
        let Some(live) = unused.then(|| shard.remove(&account)).flatten() else { return false };
        let state = live.state();
        if let Some(floors) = state.floors.unusual(&state.durable, state.tail.len() > 0) {
            lock(&self.floors).insert(account, floors);
        }
        drop(shard);
        true
    }
}

async fn create_first_mailboxes(live: &Arc<Live>) -> Result<(), Fault> {
    let first = |name: MailboxName, roles: Vec<String>| NewMailbox {
        name,
        roles,
        subscribe: true,
        uid_validity: None,
    };
    let mut mailboxes = vec![first(MailboxName::inbox(), Vec::new())];
    for (name, role) in FIRST_MAILBOXES {
        if let Ok(name) = MailboxName::new(name) {
            mailboxes.push(first(name, vec![role.to_owned()]));
        }
    }
    match live.commit(&|_| Draft::Create { mailboxes: mailboxes.clone() }).await {
        // Refused: somebody else was quicker.
        Ok(_) | Err(CommitError::Refused(_)) => Ok(()),
        Err(CommitError::Full) => Err(Fault::Unavailable("no space for the first mailboxes".into())),
        Err(CommitError::Fault(fault)) => Err(fault),
    }
}
