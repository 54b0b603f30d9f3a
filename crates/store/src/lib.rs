//! Bytes by account and number, and immutable blobs beside them.
//!
//! This crate knows nothing of mail. An *account* is a number that has a journal: opaque entries whose numbers rise. A
//! *blob* is three opaque sections that never change. Everything above (what an entry says, which blob belongs to
//! which message) is the caller's business, and everything below (files, syncs, compression, reclaiming) is ours.
//!
//! The contract is [`Store`], and [`Maintenance`] for what an operator or a housekeeper asks. Its engines:
//!
//! - [`Embedded`]: one segmented append-only log in a folder, with a derived index beside it. The default.
//! - [`Memory`]: plain maps, for tests and for trying things out.
//! - [`Faulty`]: wraps another engine and fails the calls it is told to fail.
//!
//! All engines pass one contract suite, `tests/contract`.
//!
//! # What is promised
//!
//! 1. **Acknowledged means synced.** When an append resolves with `Ok`, its entry, every entry before it and every blob put on
//!    this store before the call are on the disk.
//! 2. **All or nothing.** After a crash an entry is there whole or not at all, and never without its predecessors.
//! 3. **Calls made in order ride in order.** An append takes its place at the call, not at the first poll, so the next may be
//!    decided on it before it is durable; if it fails, all that came after it fail too.
//! 4. **A failed sync is the end.** Nothing is retried on a disk that has lied once: every later write answers
//!    [`StoreError::Poisoned`] until the store is opened again.
//! 5. **Damage is named, never dressed up as absence.** A damaged record answers [`StoreError::Damaged`]; the rest keeps working.

mod blob;
pub mod disk;
mod embedded;
mod error;
mod faulty;
mod journal;
mod memory;
mod store;

pub use blob::{BlobId, BlobParts, LiveBlobs, Section};
pub use embedded::{Embedded, Options};
pub use error::{AppendError, Damaged, StoreError};
pub use faulty::{Fault, FaultPlan, Faulty, Operation};
pub use journal::{AccountKey, AppendClass, EntryNo, Stored};
pub use memory::Memory;
pub use store::{CheckReport, Maintenance, Pending, Reclaimed, Store, Upload};

/// Largest number of an entry: modseqs are 63 bits wide (RFC 7162, section 3.1), and so are the numbers of what tables are kept in.
pub const ENTRY_NO_MAX: EntryNo = i64::MAX as EntryNo;

/// Largest entry in bytes. An entry is one command's changes, set-shaped, so even `STORE 1:*` on a million messages
/// stays far below; the limit keeps one account from filling a batch that all others wait for.
pub const ENTRY_BYTES_MAX: usize = 16 << 20;

/// Largest checkpoint manifest in bytes. What is large about a checkpoint belongs in blobs that the manifest names.
pub const MANIFEST_BYTES_MAX: usize = 16 << 20;

/// Largest blob in bytes, all three sections together, that [`Store::put_blob`] takes: it is held in memory whole and rides
/// in one batch. Larger bodies go through [`Store::upload`].
pub const BLOB_BYTES_MAX: usize = 16 << 20;

/// Bodies larger than this many bytes, when uploaded, become a file of their own instead of riding in the log, so
/// that they are never whole in memory and reclaiming never copies them.
pub const LARGE_BODY_BYTES: usize = 1 << 20;
