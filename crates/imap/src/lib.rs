//! The IMAP protocol without IO: RFC 9051 and RFC 3501, and the extensions of [`registry`].
//!
//! # The driving contract
//!
//! A [`Session`] is one connection's conversation. Whoever owns the socket implements [`Peer`] (octets in, octets out,
//! with back-pressure) and [`Host`] (login, clock, incidents, the accounts), then calls [`Session::serve`] and does what
//! its [`Next`] says:
//!
//! ```text
//! loop { match session.serve(&mut peer).await {
//!     Next::StartTls => { handshake; peer = the secured one, with no input left over; session.secured() }
//!     Next::Compress => { peer = the same, deflating }
//!     Next::Close    => break,
//! } }
//! ```
//!
//! All futures are plain boxed futures that wait only for `Peer`, `Host` and account's port: no runtime, no clock, no
//! socket. A test drives a whole conversation in one thread.

pub(crate) mod command;
pub(crate) mod ext;
mod host;
pub mod limits;
mod peer;
pub mod registry;
pub(crate) mod response;
mod session;
pub mod wire;

pub use host::{Credentials, Host, LoginRefusal, Settings, Transport};
pub use peer::{Fill, Gone, Peer, Wait};
pub use session::{Next, Session};
