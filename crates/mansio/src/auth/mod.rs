//! Who logs in: names, passwords, delays.

mod cache;
mod hash;
mod name;
mod throttle;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use account::{AccountId, Accounts, RosterLine};
use imap::{Credentials, LoginRefusal};
use tokio::time::Instant;

use crate::limits::{ACCOUNT_NAME_BYTES_MAX, PASSWORD_BYTES_MAX};

pub use cache::LoginCache;
pub use hash::{Busy, Hasher};
pub use name::canonical;
pub use throttle::network;
use throttle::{Throttle, Verdict};

/// Milliseconds that every failed login takes on top of the hash: a guesser's connections are worth less, a person's typing
/// error is not felt.
const FAILURE_MILLIS: u64 = 1_000;

/// The door: decides who is logged in.
pub struct Door {
    accounts: Arc<dyn Accounts>,
    hasher: Arc<Hasher>,
    throttle: Throttle,
    cache: LoginCache,
    started: Instant,
}

impl Door {
    /// Knows the accounts of the roster; `key` is random.
    pub fn new(accounts: Arc<dyn Accounts>, hasher: Arc<Hasher>, key: [u8; 32]) -> Self {
        Self {
            accounts,
            hasher,
            throttle: Throttle::new(),
            cache: LoginCache::new(key),
            started: Instant::now(),
        }
    }

    /// Checks a login from an address.
    ///
    /// # Errors
    /// One answer for an unknown name, a wrong password and a name or password that is too long: [`LoginRefusal::Failed`],
    /// after the same work and the same delay.
    pub async fn login(&self, credentials: Credentials<'_>, from: IpAddr) -> Result<AccountId, LoginRefusal> {
        let line = self.line(credentials.name).await?;
        let known = line.as_ref().and_then(|line| line.credential.as_deref().map(|phc| (line.account, phc)));
        let cached = known.is_some_and(|(account, phc)| self.cache.knows(account, phc, credentials.password));
        if !cached {
            self.verify(known, &credentials, from).await?;
        }
        let line = line.ok_or(LoginRefusal::Failed)?;
        self.authorize(&line, credentials.authorization).await.map(|()| line.account)
    }

    /// The roster's line for a name as typed at login: a full address, its domain in any case; or, as long as only
    /// one account has it, the part before the `@`.
    async fn line(&self, name: &str) -> Result<Option<RosterLine>, LoginRefusal> {
        if name.len() > ACCOUNT_NAME_BYTES_MAX {
            return Ok(None);
        }
        let roster = self.accounts.open(AccountId::ROSTER).await.map_err(|_| LoginRefusal::Unavailable)?;
        let account = roster.account();
        Ok(name::find(account.directory().roster(), name).cloned())
    }

    /// The slow way: throttle, hash, throttle's reward or punishment.
    async fn verify(
        &self,
        known: Option<(AccountId, &str)>,
        credentials: &Credentials<'_>,
        from: IpAddr,
    ) -> Result<(), LoginRefusal> {
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        match self.throttle.attempt(from, credentials.name, now) {
            Verdict::Wait(0) => {}
            Verdict::Wait(millis) => tokio::time::sleep(Duration::from_millis(millis)).await,
            Verdict::Refuse => {
                tokio::time::sleep(Duration::from_millis(FAILURE_MILLIS)).await;
                return Err(LoginRefusal::TooMany);
            }
        }
        let too_long = credentials.password.len() > PASSWORD_BYTES_MAX;
        let credential = known.filter(|_| !too_long).map(|(_, phc)| phc.to_owned());
        let password = if too_long { Vec::new() } else { credentials.password.to_vec() };
        match (self.hasher.verify(credential, password).await, known) {
            (Ok(true), Some((account, phc))) => {
                self.throttle.succeeded(from, credentials.name);
                self.cache.remember(account, phc, credentials.password);
                Ok(())
            }
            (Ok(_), _) => {
                tokio::time::sleep(Duration::from_millis(FAILURE_MILLIS)).await;
                Err(LoginRefusal::Failed)
            }
            (Err(Busy), _) => Err(LoginRefusal::Unavailable),
        }
    }

    /// SASL's authorisation identity: nobody acts for another yet, so it must name the same account.
    async fn authorize(&self, line: &RosterLine, authorization: &str) -> Result<(), LoginRefusal> {
        if authorization.is_empty() {
            return Ok(());
        }
        match self.line(authorization).await? {
            Some(other) if other.account == line.account => Ok(()),
            _ => Err(LoginRefusal::NotAuthorized),
        }
    }
}
