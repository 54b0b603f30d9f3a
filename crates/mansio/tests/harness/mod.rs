//! A running server for tests over real sockets, and what tests need around it.
//!
//! The server under test is Mansio. With `MANSIO_TEST_AGAINST=dovecot` it is a private Dovecot instead: that checks
//! the tests, not Mansio, since a test that an independent server fails is probably wrong itself.

#![allow(dead_code, reason = "each test program takes its own part of the harness")]

pub mod dovecot;
pub mod mail;
pub mod maildir;
pub mod mansio;
pub mod programs;
pub mod response;
pub mod script;
pub mod wire;

use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a server may take from its start until it listens, and from the request to stop until it has ended.
const START_TIMEOUT: Duration = Duration::from_secs(60);
const STOP_TIMEOUT: Duration = Duration::from_secs(20);
/// A server that outlives its test by this is ended by `timeout`, so that a killed test leaves nothing behind.
const LIFETIME: Duration = Duration::from_secs(1800);

/// What the accounts of all tests are called. The name has a quote's worth of trouble in it on purpose: none.
pub const USER: &str = "reader@example.org";
/// The password has what clients tend to quote wrongly, but no character that a configuration file could not hold.
pub const PASSWORD: &str = "correct horse 7%&";

/// A server that listens on loopback with one account, and stops when this value is dropped.
pub struct Server {
    /// The name that its certificate is for.
    pub host: &'static str,
    pub imap_port: u16,
    pub imaps_port: u16,
    pub user: String,
    pub password: String,
    /// A PEM file with the self-signed certificate, which clients take as their only authority.
    pub ca: PathBuf,
    child: Child,
    folder: TempDir,
}

impl Server {
    /// Starts a server whose account is empty.
    pub fn start() -> Server {
        Self::start_with(None)
    }

    /// Starts a server whose account holds the messages of a Maildir++ tree.
    pub fn start_with(maildir: Option<&Path>) -> Server {
        match std::env::var("MANSIO_TEST_AGAINST").as_deref() {
            Ok("dovecot") => dovecot::start(maildir),
            Ok(other) => panic!("MANSIO_TEST_AGAINST is {other:?}, and only \"dovecot\" is known"),
            Err(_) => mansio::start(maildir),
        }
    }

    /// True when the server under test is the stand-in; for the few limits of its own that tests must respect.
    pub fn is_stand_in() -> bool {
        std::env::var_os("MANSIO_TEST_AGAINST").is_some()
    }

    /// Kills the server at once and starts it again on the same data. The ports are others.
    pub fn kill_and_start_again(self) -> Server {
        assert!(!Self::is_stand_in(), "Dovecot is a stand-in for clients, not for durability");
        mansio::kill_and_start_again(self)
    }

    /// The folder that holds the server's data and log, for a look after a failure.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Once it has been waited for, its number may be another program's.
        if matches!(self.child.try_wait(), Ok(None)) {
            self.stop();
        }
        if std::thread::panicking() {
            let log = std::fs::read(self.folder.path().join("server.log")).unwrap_or_default();
            let tail = &log[log.len().saturating_sub(4000)..];
            println!("--- the end of the server's log ---\n{}", String::from_utf8_lossy(tail));
        }
    }
}

impl Server {
    fn stop(&mut self) {
        // The child is `timeout`, which hands the signal on and ends with its own child.
        let _ = std::process::Command::new("sh").arg("-c").arg(format!("kill {}", self.child.id())).status();
        let asked = Instant::now();
        while asked.elapsed() < STOP_TIMEOUT && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
