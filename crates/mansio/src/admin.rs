//! What the operator can ask for, whether through the control socket or with the store opened by the command itself.

use std::path::Path;
use std::sync::Arc;

use account::{AccountId, Draft, OpenAccount};

use crate::auth::{self, Hasher};
use crate::control::{Events, Request};
use crate::data::{Data, commit_failure, fault};
use crate::failure::Failure;
use crate::import::{self, Import};
use crate::limits::PASSWORD_BYTES_MAX;
use crate::{export, random};

/// Carries out requests.
pub struct Admin {
    data: Arc<Data>,
    hasher: Arc<Hasher>,
}

/// The account that a server without configuration makes for itself.
pub struct FirstAccount {
    /// `name@host`.
    pub name: String,
    /// Shown once, kept nowhere.
    pub password: String,
}

impl Admin {
    /// Works on an open data folder.
    pub fn new(data: Arc<Data>, hasher: Arc<Hasher>) -> Self {
        Self { data, hasher }
    }

    /// Does what is asked, telling lines, progress and what was left out.
    ///
    /// # Errors
    /// Why it could not be done, fit for a person.
    pub async fn execute(&self, request: Request, events: &Events) -> Result<(), Failure> {
        match request {
            Request::AccountAdd { name, password } => self.add(&name, password, events).await,
            Request::AccountList => self.list(events).await,
            Request::AccountPasswd { name, password } => self.passwd(&name, password, events).await,
            Request::AccountRemove { name } => self.remove(&name, events).await,
            Request::Import { account, format, path, into, removed_too } => {
                let account = self.open(&account).await?;
                let import = Import { account, format, path, into, removed_too, events: events.clone() };
                // Files are read by blocking calls, so this gets a thread of its own.
                let runtime = tokio::runtime::Handle::current();
                let work = tokio::task::spawn_blocking(move || runtime.block_on(import::run(import)));
                work.await.map_err(Failure::new)?
            }
            Request::Export { account, path } => {
                let (account, events) = (self.open(&account).await?, events.clone());
                let runtime = tokio::runtime::Handle::current();
                let work = tokio::task::spawn_blocking(move || {
                    runtime.block_on(export::run(account.as_ref(), Path::new(&path), &events))
                });
                work.await.map_err(Failure::new)?
            }
            Request::Check { deep } => self.data.check(deep, events).await,
        }
    }

    /// Adds `$USER@host` with a random password, if there is no account at all yet.
    ///
    /// # Errors
    /// As for adding any account.
    pub async fn first_account(&self, host_name: &str) -> Result<Option<FirstAccount>, Failure> {
        if !self.roster().await?.account().directory().roster().is_empty() {
            return Ok(None);
        }
        let user = std::env::var("USER").unwrap_or_default();
        let name = auth::canonical(&format!("{user}@{host_name}"))
            .or_else(|_| auth::canonical(&format!("postmaster@{host_name}")))
            .unwrap_or_else(|_| "postmaster@localhost".to_owned());
        let password = random::password();
        let credential = self.hash(&password).await?;
        self.data.add_account(&name, credential).await?;
        Ok(Some(FirstAccount { name, password }))
    }

    async fn add(&self, name: &str, password: Option<String>, events: &Events) -> Result<(), Failure> {
        let name = auth::canonical(name).map_err(Failure::new)?;
        if self.find(&name).await.is_ok() {
            return Err(Failure::new(format!("{name} exists already")));
        }
        let (password, generated) = with_generated(password);
        let credential = self.hash(&password).await?;
        self.data.add_account(&name, credential).await?;
        events.line(format!("Added {name}.")).await;
        tell_password(&password, generated, events).await;
        Ok(())
    }

    async fn list(&self, events: &Events) -> Result<(), Failure> {
        for line in self.roster().await?.account().directory().roster().values() {
            events.line(&line.name).await;
        }
        Ok(())
    }

    async fn passwd(&self, name: &str, password: Option<String>, events: &Events) -> Result<(), Failure> {
        let (account, name) = self.find(name).await?;
        let (password, generated) = with_generated(password);
        let credential = self.hash(&password).await?;
        let draft = Draft::SetCredential { account, credential };
        self.roster().await?.commit(draft).await.map_err(|error| commit_failure(&error))?;
        events.line(format!("Changed the password of {name}.")).await;
        tell_password(&password, generated, events).await;
        Ok(())
    }

    async fn remove(&self, name: &str, events: &Events) -> Result<(), Failure> {
        let (account, name) = self.find(name).await?;
        self.data.remove_account(account).await?;
        events.line(format!("Removed {name}.")).await;
        Ok(())
    }

    async fn hash(&self, password: &str) -> Result<String, Failure> {
        if password.is_empty() || password.len() > PASSWORD_BYTES_MAX {
            return Err(Failure::new(format!("a password has 1 to {PASSWORD_BYTES_MAX} octets")));
        }
        let hashed = self.hasher.hash(password.as_bytes().to_vec()).await;
        hashed.map_err(|_| Failure::new("too many logins are being checked; try again"))
    }

    async fn roster(&self) -> Result<Arc<dyn OpenAccount>, Failure> {
        self.data.accounts().open(AccountId::ROSTER).await.map_err(|error| fault(&error))
    }

    async fn find(&self, name: &str) -> Result<(AccountId, String), Failure> {
        let name = auth::canonical(name).map_err(Failure::new)?;
        let account = self.roster().await?.account();
        let line = account.directory().roster().get(&name);
        line.map(|line| (line.account, line.name.clone()))
            .ok_or_else(|| Failure::new(format!("no account {name}")))
    }

    async fn open(&self, name: &str) -> Result<Arc<dyn OpenAccount>, Failure> {
        let (id, _) = self.find(name).await?;
        self.data.accounts().open(id).await.map_err(|error| fault(&error))
    }
}

fn with_generated(password: Option<String>) -> (String, bool) {
    match password {
        Some(password) => (password, false),
        None => (random::password(), true),
    }
}

async fn tell_password(password: &str, generated: bool, events: &Events) {
    if generated {
        events.line(format!("Password: {password}   (shown only this once)")).await;
    }
}
