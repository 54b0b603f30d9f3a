//! The data folder: the store in it and the keeper over the store, opened and closed together.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use account::{AccountId, Accounts, CommitError, Fault};
use keeper::Keeper;
use store::{Embedded, Maintenance, StoreError};
use tokio::sync::watch;

use crate::check;
use crate::config::Config;
use crate::connection::Stop;
use crate::control::Events;
use crate::failure::Failure;
use crate::host;

/// Folder of the store in the data folder.
const STORE: &str = "store";

/// Housekeeping runs at least so often: accounts go to sleep, memory is given back.
const HOUSEKEEPING: Duration = Duration::from_secs(15);

/// Space of removed messages is freed so often. The keeper decides what is old enough.
const RECLAIMING: Duration = Duration::from_secs(6 * 60 * 60);

/// An open data folder.
pub struct Data {
    keeper: Arc<Keeper>,
    store: Arc<Embedded>,
    /// Why the store takes no more, once it does not.
    failure: watch::Receiver<Option<String>>,
}

impl Data {
    /// Opens the folder, making it if need be.
    ///
    /// # Errors
    /// When it cannot be made, is in use, or its store will not open.
    pub async fn open(config: &Config) -> Result<Self, Failure> {
        let folder = config.data.join(STORE);
        make_private(&config.data)
            .and_then(|()| make_private(&folder))
            .map_err(|error| at(&folder, error))?;
        let (failed, failure) = watch::channel(None);
        let options = store::Options {
            on_poison: Some(Arc::new(move |error: &StoreError| {
                failed.send_replace(Some(error.to_string()));
            })),
            ..store::Options::default()
        };
        // Opening reads the log behind the index, which may take a while after a crash.
        let opening = folder.clone();
        let opened = tokio::task::spawn_blocking(move || Embedded::open(&opening, options)).await;
        let store = Arc::new(opened.map_err(Failure::new)?.map_err(|error| at(&folder, error))?);
        for damaged in store.damaged_at_open() {
            tracing::error!(%damaged, "damaged; everything else goes on");
        }
        let settings = keeper::Settings {
            memory_bytes_max: config.limits.memory_bytes,
            on_fault: Some(Arc::new(|account: AccountId, fault: &Fault| {
                tracing::error!(account = account.0, "{}", words(fault));
            })),
            ..keeper::Settings::default()
        };
        let maintenance: Arc<dyn Maintenance> = Arc::clone(&store) as _;
        let keeper = Arc::new(Keeper::new(maintenance, Arc::new(host::now), settings));
        Ok(Self { keeper, store, failure })
    }

    /// The accounts.
    pub fn accounts(&self) -> Arc<dyn Accounts> {
        Arc::clone(&self.keeper) as Arc<dyn Accounts>
    }

    /// The keeper, for metrics.
    pub fn keeper(&self) -> &Keeper {
        &self.keeper
    }

    /// Adds an account with its first mailboxes. `name` is canonical, `credential` a PHC string.
    ///
    /// # Errors
    /// When the name is taken, or nothing can be written.
    pub async fn add_account(&self, name: &str, credential: String) -> Result<AccountId, Failure> {
        let added = self.keeper.create_account(name.to_owned(), Some(credential)).await;
        added.map_err(|error| commit_failure(&error))
    }

    /// Removes an account and everything in it.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn remove_account(&self, account: AccountId) -> Result<(), Failure> {
        self.keeper.remove_account(account).await.map_err(|error| commit_failure(&error))
    }

    /// Verifies the store, and with `deep` what the accounts say of it.
    ///
    /// # Errors
    /// When the store cannot be read at all. Damage is told, item by item.
    pub async fn check(&self, deep: bool, events: &Events) -> Result<(), Failure> {
        check::run(self.store.as_ref(), self.keeper.as_ref(), deep, events).await
    }

    /// Resolves with the reason when the store takes no more because the disk failed.
    pub async fn failed(&self) -> String {
        let mut failure = self.failure.clone();
        let reason = match failure.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone(),
            Err(_) => None,
        };
        match reason {
            Some(reason) => reason,
            // The store is gone without having failed.
            None => std::future::pending().await,
        }
    }

    /// Keeps the keeper's house until the server stops.
    pub async fn keep_house(self: Arc<Self>, mut stop: Stop) {
        let mut reclaim = tokio::time::interval(RECLAIMING);
        reclaim.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // The first tick is now; a start is busy enough.
        reclaim.tick().await;
        loop {
            tokio::select! {
                () = stop.wait() => return,
                () = self.keeper.housekeeping_due() => self.keeper.housekeeping().await,
                () = tokio::time::sleep(HOUSEKEEPING) => self.keeper.housekeeping().await,
                _ = reclaim.tick() => self.reclaim().await,
            }
        }
    }

    /// Finishes what is under way, and closes the store.
    ///
    /// # Errors
    /// When the last writes did not succeed.
    pub async fn close(&self) -> Result<(), Failure> {
        self.keeper.close().await.map_err(|error| fault(&error))
    }

    async fn reclaim(&self) {
        match self.keeper.reclaim().await {
            Ok(done) => tracing::info!(blobs = done.blobs, bytes = done.bytes, "space freed"),
            Err(fault) => tracing::error!("no space freed: {}", words(&fault)),
        }
    }
}

fn make_private(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn at(folder: &Path, error: impl std::fmt::Display) -> Failure {
    Failure::new(format!("{}: {error}", folder.display()))
}

/// A fault in words.
pub fn fault(fault: &Fault) -> Failure {
    Failure::new(words(fault))
}

fn words(fault: &Fault) -> String {
    match fault {
        Fault::Unavailable(why) => why.clone(),
        Fault::Damaged(blob) => format!("blob {:016x} is damaged", blob.0),
        Fault::Gone => "the account is gone".to_owned(),
    }
}

/// A commit that did not happen, in words.
pub fn commit_failure(error: &CommitError) -> Failure {
    match error {
        CommitError::Refused(refusal) => Failure::new(refusal),
        CommitError::Full => Failure::new("no space left"),
        CommitError::Fault(inner) => fault(inner),
    }
}
