//! Real mail clients against a running server: what they store comes back, on every other client too.
//!
//! Each file under `clients/` is one client or one question. The clients are the distribution's own; the scripts that
//! drive the libraries are in `testdata/clients`. `cargo xtask test` installs all of them.

#![allow(clippy::unwrap_used, reason = "in a test, an error that nobody expects ends it")]

mod harness;

#[path = "clients/curl.rs"]
mod curl;
#[path = "clients/fetchmail.rs"]
mod fetchmail;
#[path = "clients/imapflow.rs"]
mod imapflow;
#[path = "clients/mbsync.rs"]
mod mbsync;
#[path = "clients/mutt.rs"]
mod mutt;
#[path = "clients/names.rs"]
mod names;
#[path = "clients/python.rs"]
mod python;
#[path = "clients/sudden_end.rs"]
mod sudden_end;
#[path = "clients/two_devices.rs"]
mod two_devices;
#[path = "clients/wire_budget.rs"]
mod wire_budget;
