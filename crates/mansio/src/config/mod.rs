//! The configuration: one TOML file, every key optional, every mistake named with its line.
//!
//! Only this crate reads configuration, and it passes values on, never the configuration.

mod reader;
mod suggest;
mod write;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::limits;
use reader::{Document, Section};

pub use reader::Problem;

/// Everything the operator can choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Folder with everything the server keeps. A relative path counts from the working folder.
    pub data: PathBuf,
    /// Addresses to listen on.
    pub listen: Listen,
    /// Certificate and key.
    pub tls: Tls,
    /// Who may log in how.
    pub login: Login,
    /// Limits.
    pub limits: Limits,
    /// The operator's log.
    pub log: Log,
    /// Prometheus metrics.
    pub metrics: Metrics,
}

/// Addresses to listen on; `None` means the default ports on every interface, or unprivileged ones where those are
/// not to be had.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listen {
    /// IMAP with STARTTLS.
    pub imap: Option<Vec<SocketAddr>>,
    /// IMAP under TLS from the first octet (RFC 8314).
    pub imaps: Option<Vec<SocketAddr>>,
}

/// Certificate and key as PEM files; both or neither. Neither: a self-signed one in the data folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tls {
    /// Certificate chain, the server's own first.
    pub certificate: Option<PathBuf>,
    /// Its private key.
    pub key: Option<PathBuf>,
}

/// Where passwords may travel without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithoutTls {
    /// Nowhere.
    Never,
    /// From this machine only.
    Loopback,
    /// From everywhere. For a network that is encrypted by other means.
    Always,
}

/// Who may log in how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Passwords without TLS.
    pub without_tls: WithoutTls,
}

/// Limits; see [`crate::limits`] for each default and its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Limits {
    pub connections: u64,
    pub connections_per_address: u64,
    pub connections_before_login: u64,
    pub login_seconds: u64,
    pub idle_seconds: u64,
    pub literal_seconds: u64,
    pub write_seconds: u64,
    pub handshake_seconds: u64,
    pub shutdown_seconds: u64,
    pub message_bytes: u64,
    pub memory_bytes: u64,
    pub hashes_at_once: u64,
}

/// How the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// An object for machines.
    Json,
}

/// The operator's log, on standard error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: String,
    /// Text or JSON.
    pub format: LogFormat,
}

/// Prometheus metrics over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metrics {
    /// Where to answer; `None`: nowhere. Only loopback: the page has no password.
    pub listen: Option<SocketAddr>,
}

/// Log levels, the quietest first.
const LEVELS: &[&str] = &["error", "warn", "info", "debug", "trace"];

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("mansio-data"),
            listen: Listen::default(),
            tls: Tls::default(),
            login: Login { without_tls: WithoutTls::Loopback },
            limits: Limits::default(),
            log: Log { level: "info".to_owned(), format: LogFormat::Text },
            metrics: Metrics::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: limits::CONNECTIONS_MAX,
            connections_per_address: limits::CONNECTIONS_PER_ADDRESS_MAX,
            connections_before_login: limits::CONNECTIONS_BEFORE_LOGIN_MAX,
            login_seconds: limits::LOGIN_SECONDS_MAX,
            idle_seconds: limits::IDLE_SECONDS_MAX,
            literal_seconds: limits::LITERAL_SECONDS_MAX,
            write_seconds: limits::WRITE_SECONDS_MAX,
            handshake_seconds: limits::HANDSHAKE_SECONDS_MAX,
            shutdown_seconds: limits::SHUTDOWN_SECONDS_MAX,
            message_bytes: limits::MESSAGE_BYTES_MAX,
            memory_bytes: limits::MEMORY_BYTES_MAX,
            hashes_at_once: limits::HASHES_AT_ONCE_MAX,
        }
    }
}

impl Config {
    /// Reads a file. All its mistakes are reported, not only the first.
    ///
    /// # Errors
    /// Every [`Problem`] found, in the order of their lines; one without a line when the file cannot be read.
    pub fn load(file: &Path) -> Result<Self, Vec<Problem>> {
        match std::fs::read_to_string(file) {
            Ok(text) => Self::parse(&text),
            Err(error) => Err(vec![Problem { line: None, text: format!("cannot be read: {error}") }]),
        }
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let document = Document::parse(text);
        let default = Self::default();
        let mut top = document.top();
        let data = top.path("data").unwrap_or(default.data);
        let listen = listen(top.section("listen"));
        let tls = tls(top.section("tls"));
        let login = login(top.section("login"));
        let limits = read_limits(top.section("limits"));
        let log = log(top.section("log"));
        let metrics = metrics(top.section("metrics"));
        top.done();
        let config = Self { data, listen, tls, login, limits, log, metrics };
        document.finish().map(|()| config)
    }
}

fn listen(mut section: Section<'_>) -> Listen {
    let listen = Listen { imap: section.addresses("imap"), imaps: section.addresses("imaps") };
    section.done();
    listen
}

fn tls(mut section: Section<'_>) -> Tls {
    let tls = Tls { certificate: section.path("certificate"), key: section.path("key") };
    match (&tls.certificate, &tls.key) {
        (Some(_), None) => section.refuse("certificate", "needs `key` beside it"),
        (None, Some(_)) => section.refuse("key", "needs `certificate` beside it"),
        _ => {}
    }
    section.done();
    tls
}

fn login(mut section: Section<'_>) -> Login {
    let without_tls = match section.choice("without_tls", &["never", "loopback", "always"]) {
        Some("never") => WithoutTls::Never,
        Some("always") => WithoutTls::Always,
        _ => WithoutTls::Loopback,
    };
    section.done();
    Login { without_tls }
}

fn read_limits(mut section: Section<'_>) -> Limits {
    let default = Limits::default();
    let mut number = |key, default, min, max| section.number(key, min, max).unwrap_or(default);
    let limits = Limits {
        connections: number("connections", default.connections, 1, 1_000_000),
        connections_per_address: number(
            "connections_per_address",
            default.connections_per_address,
            1,
            1_000_000,
        ),
        connections_before_login: number(
            "connections_before_login",
            default.connections_before_login,
            1,
            1_000_000,
        ),
        login_seconds: number("login_seconds", default.login_seconds, 5, 3_600),
        idle_seconds: number("idle_seconds", default.idle_seconds, limits::IDLE_SECONDS_MIN, 7 * 86_400),
        literal_seconds: number("literal_seconds", default.literal_seconds, 10, 86_400),
        write_seconds: number("write_seconds", default.write_seconds, 10, 86_400),
        handshake_seconds: number("handshake_seconds", default.handshake_seconds, 2, 120),
        shutdown_seconds: number("shutdown_seconds", default.shutdown_seconds, 1, 600),
        message_bytes: number("message_bytes", default.message_bytes, 64 << 10, 4 << 30),
        memory_bytes: number("memory_bytes", default.memory_bytes, 16 << 20, 1 << 40),
        hashes_at_once: number("hashes_at_once", default.hashes_at_once, 1, 256),
    };
    section.done();
    limits
}

fn log(mut section: Section<'_>) -> Log {
    let level = section.choice("level", LEVELS).unwrap_or("info").to_owned();
    let format = match section.choice("format", &["text", "json"]) {
        Some("json") => LogFormat::Json,
        _ => LogFormat::Text,
    };
    section.done();
    Log { level, format }
}

fn metrics(mut section: Section<'_>) -> Metrics {
    let listen = section.address("listen");
    if listen.is_some_and(|address| !address.ip().is_loopback()) {
        section.refuse("listen", "must be a loopback address: the page asks for no password");
    }
    section.done();
    Metrics { listen }
}

#[cfg(test)]
mod tests;
