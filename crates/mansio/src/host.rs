//! [`imap::Host`]: the server as one connection's session sees it.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use account::{AccountId, Accounts, Millis, Pending};
use imap::{Credentials, Host, LoginRefusal, Settings};

use crate::connection::Facts;
use crate::random;
use crate::serve::Server;

/// The server, and which connection is asking.
pub struct ConnectionHost {
    server: Arc<Server>,
    facts: Arc<Facts>,
}

impl ConnectionHost {
    /// For the session of the connection that `facts` describe.
    pub fn new(server: Arc<Server>, facts: Arc<Facts>) -> Self {
        Self { server, facts }
    }
}

impl Host for ConnectionHost {
    fn login<'a>(&'a self, credentials: Credentials<'a>) -> Pending<'a, Result<AccountId, LoginRefusal>> {
        Box::pin(async move {
            let address = self.facts.address;
            let decided = self.server.door.login(credentials, address.ip().to_canonical()).await;
            match decided {
                Ok(account) => {
                    self.facts.log_in();
                    self.server.metrics.login("ok");
                    tracing::info!(peer = %address, account = account.0, "login");
                }
                // The name is not logged: people type their password into its field.
                Err(refusal) => {
                    self.server.metrics.login(word(refusal));
                    tracing::info!(peer = %address, reason = word(refusal), "login refused");
                }
            }
            decided
        })
    }

    fn accounts(&self) -> Arc<dyn Accounts> {
        Arc::clone(&self.server.accounts)
    }

    fn now(&self) -> Millis {
        now()
    }

    fn incident(&self, what: &str) -> String {
        let id = random::word(8);
        self.server.metrics.incidents.inc();
        tracing::error!(incident = %id, peer = %self.facts.address, "{what}");
        id
    }

    fn settings(&self) -> &Settings {
        &self.server.settings
    }

    fn identified(&self, fields: &[(String, String)]) {
        let value = |name: &str| {
            let field = fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(name));
            field.map_or("", |(_, value)| value.as_str())
        };
        tracing::debug!(peer = %self.facts.address, client = value("name"), version = value("version"), "client named");
    }

    fn ran(&self, command: &'static str, ok: bool, began: Millis) {
        self.server.metrics.command(command, ok, now().0.saturating_sub(began.0));
    }
}

/// The wall clock.
pub fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

fn word(refusal: LoginRefusal) -> &'static str {
    match refusal {
        LoginRefusal::Failed => "failed",
        LoginRefusal::NotAuthorized => "not-authorized",
        LoginRefusal::Unavailable => "unavailable",
        LoginRefusal::TooMany => "too-many",
    }
}
