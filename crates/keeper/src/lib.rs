//! Keeps accounts alive: carries out the port that `account` declares over a `store`.
//!
//! The keeper is what stands between a fold that knows no disk and a store that knows no mail:
//!
//! - **Waking.** The newest checkpoint's directory and the entries after it are read when an account is opened; message columns only
//!   when somebody asks for them ([`account::OpenAccount::mailbox`]), from the checkpoint's parts and the entries in memory.
//! - **Committing.** A draft is decided on the newest state *decided*, appended, and answered when it is durable. Entries of one account
//!   are pipelined; when one fails, what was decided on it is decided again (`pipeline`).
//! - **Publishing.** The store's completion itself moves the durable state on, so nothing depends on whether the one who committed is
//!   still there to poll. Everything answered is durable.
//! - **Upkeep.** [`Keeper::housekeeping`] writes checkpoints, lets unused accounts sleep and unloads columns beyond the
//!   memory limit; [`Keeper::reclaim`] marks what is in use and has the store free the rest.
//!
//! There is no runtime, clock, thread or log here: whoever polls does the work, the time comes from [`Clock`], and faults are returned.

mod checkpoint;
mod commit;
mod fault;
mod gate;
mod keeper;
mod load;
mod open;
mod pipeline;
mod recent;
mod reclaim;
mod settings;
mod state;
mod upkeep;
mod upload;
mod wake;
mod watchers;

pub use keeper::Keeper;
pub use reclaim::Reclaimed;
pub use settings::{Clock, OnFault, Settings};
