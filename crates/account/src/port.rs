//! The port: what a protocol may ask of the accounts. The protocols call it, the keeper carries it out, neither knows the
//! other. Futures are boxed and hold no runtime.

use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;

use crate::{Account, AccountId, BlobId, Draft, Mailbox, MailboxId, Modseq, Receipt, Refusal};

/// A boxed future.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Our own fault or the machine's: answered `NO [CORRUPTION]` or `[UNAVAILABLE]`; the connection lives.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Fault {
    /// The store failed or is poisoned; the id is in the operator's log.
    Unavailable(String),
    /// These bytes are damaged; everything else goes on.
    Damaged(BlobId),
    /// The account was removed or its journal refused.
    Gone,
}

/// Why a commit did not happen.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum CommitError {
    Refused(Refusal),
    /// No space: `NO [OVERQUOTA]`/`[LIMIT]`; nothing happened.
    Full,
    Fault(Fault),
}

/// All accounts of the server.
pub trait Accounts: Send + Sync {
    /// Wakes the account (directory only). The handle keeps it awake.
    fn open(&self, account: AccountId) -> Pending<'_, Result<Arc<dyn OpenAccount>, Fault>>;
}

/// One account that is awake. Everything it answers is durable.
pub trait OpenAccount: Send + Sync {
    /// The newest durable state. Never waits. Its message columns may or may not be loaded.
    fn account(&self) -> Arc<Account>;

    /// The newest durable columns of a mailbox, loaded if need be; `None` when it was deleted.
    fn mailbox(&self, mailbox: MailboxId) -> Pending<'_, Result<Option<Arc<Mailbox>>, Fault>>;

    /// Decides and writes a draft; resolves when durable and visible in [`OpenAccount::account`].
    fn commit(&self, draft: Draft) -> Pending<'_, Result<Receipt, CommitError>>;

    /// Resolves once the newest durable entry is greater than `after`. For IDLE.
    fn changed(&self, after: Modseq) -> Pending<'_, ()>;

    /// Claims `\Recent` for every UID below `up_to` (RFC 3501 2.3.2): returns the UID from which on messages were not yet
    /// claimed by anybody.
    fn claim_recent(&self, mailbox: MailboxId, up_to: u32) -> u32;

    /// Where the floor of `\Recent` stands, claiming nothing (EXAMINE, STATUS).
    fn recent_floor(&self, mailbox: MailboxId) -> u32;

    /// A message about to arrive.
    fn upload(&self) -> Box<dyn Upload>;

    /// Packed summaries (`message::Summary`) of the messages, in order. Ask for runs of a few hundred.
    fn summaries(&self, blobs: &[BlobId]) -> Pending<'_, Result<Vec<Bytes>, Fault>>;

    /// Packed search text (`message::SearchText`) of a message.
    fn text(&self, blob: BlobId) -> Pending<'_, Result<Bytes, Fault>>;

    /// Octets of a message; ask for pieces of some 64 KiB of a large one.
    fn body(&self, blob: BlobId, range: Range<u64>) -> Pending<'_, Result<Bytes, Fault>>;
}

/// A message that arrives in pieces; never whole in memory when it is large. Dropped unfinished, it leaves nothing.
pub trait Upload: Send {
    /// Takes the next octets.
    fn write<'a>(&'a mut self, octets: &'a [u8]) -> Pending<'a, Result<(), CommitError>>;
    /// Ends the message; its blob is durable with the next commit.
    fn finish(self: Box<Self>) -> Pending<'static, Result<BlobId, CommitError>>;
}
