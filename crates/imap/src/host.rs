//! What the session asks of the server around it.

use std::sync::Arc;

use account::{AccountId, Accounts, Millis, Pending};

/// Facts about the connection that decide what may be said on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transport {
    /// Under TLS.
    pub secure: bool,
    /// STARTTLS can be had (plaintext port with a certificate).
    pub starttls: bool,
    /// Passwords may travel: under TLS, from loopback, or because the operator allows it. Otherwise LOGINDISABLED.
    pub login_allowed: bool,
}

/// What a login shows. Neither `Debug` nor any log prints the password.
pub struct Credentials<'a> {
    /// The authorisation identity of SASL PLAIN; empty when none was given.
    pub authorization: &'a str,
    /// Who says so.
    pub name: &'a str,
    /// The proof.
    pub password: &'a [u8],
}

impl std::fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Why nobody is logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginRefusal {
    /// Unknown name or wrong password: one answer for both, `NO [AUTHENTICATIONFAILED]`.
    Failed,
    /// The name may not act for that authorisation identity: `NO [AUTHORIZATIONFAILED]`.
    NotAuthorized,
    /// Cannot be checked now: `NO [UNAVAILABLE]`.
    Unavailable,
    /// Too many attempts; the host has already delayed: `NO [LIMIT]`.
    TooMany,
}

/// Limits and names the operator chooses; each has a default.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Largest message that APPEND and REPLACE take, in octets (APPENDLIMIT, RFC 7889).
    pub message_bytes_max: u64,
    /// Name and version that ID (RFC 2971) tells.
    pub server_name: &'static str,
    /// Version that ID tells.
    pub server_version: &'static str,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            message_bytes_max: 100 * 1024 * 1024,
            server_name: "Mansio",
            server_version: env!("CARGO_PKG_VERSION"),
        }
    }
}

/// The server around a session.
pub trait Host: Send + Sync {
    /// Checks a login; slow on purpose when it fails.
    fn login<'a>(&'a self, credentials: Credentials<'a>) -> Pending<'a, Result<AccountId, LoginRefusal>>;

    /// The accounts.
    fn accounts(&self) -> Arc<dyn Accounts>;

    /// The time.
    fn now(&self) -> Millis;

    /// Notes a fault of our own for the operator and returns the id that the client is shown in the answer's text.
    /// `what` holds no secret and no message text.
    fn incident(&self, what: &str) -> String;

    /// Operator's settings.
    fn settings(&self) -> &Settings;

    /// The peer said who it is (RFC 2971); for the operator's log. Values are already bounded.
    fn identified(&self, _fields: &[(String, String)]) {}

    /// A command ran and is about to be answered, OK or not; for the operator's metrics. `began` is what [`Host::now`] said
    /// before it.
    fn ran(&self, _command: &'static str, _ok: bool, _began: Millis) {}
}
