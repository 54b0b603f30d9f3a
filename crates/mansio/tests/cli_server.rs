//! The program as its operator and a hostile network meet it: commands, exit codes, sockets, TLS, limits, moving in and out.

#![allow(clippy::unwrap_used, reason = "in a test, an error that nobody expects ends it")]

mod cli {
    pub mod accounts;
    pub mod client;
    pub mod compress;
    pub mod configuration;
    pub mod disk;
    pub mod export;
    pub mod hostile;
    pub mod idle;
    pub mod import;
    pub mod maildir;
    pub mod program;
    pub mod serving;
    pub mod tls;
}
