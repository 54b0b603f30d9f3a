//! An account as a journal, and nothing else.
//!
//! The law: **state = fold(entries)**. An [`Entry`] is one transaction; its number is the [`Modseq`] of everything it
//! changed. [`Account`] is the folded value, [`Mailbox`] the columns of one mailbox, [`View`] what one session sees of
//! it while others go on changing it, [`Draft`] what somebody wants to change. This crate has no IO, no clock, no
//! randomness: time is an argument and bytes are values.
//!
//! ```text
//! Draft --decide(&Account, now)--> Entry --apply--> Account'      View --advance(Mailbox')--> Difference
//! ```

mod account;
mod change_codec;
mod checkpoint;
mod chunk;
mod column;
mod diff;
mod directory;
mod draft;
mod entry;
mod flags;
mod ids;
pub mod limits;
mod mailbox;
mod name;
mod pack;
mod port;
mod rights;
mod roles;
mod sets;
#[cfg(test)]
mod tests;
mod tombstones;
mod view;

pub use account::Account;
pub use checkpoint::{PartRef, SavedMailbox, Unready, UnsavedPart};
pub use directory::{Counts, Directory, MailboxFacts, RosterLine};
pub use draft::{Draft, NewMailbox, NewMessage, PlacedMessage, Receipt, Refusal};
pub use entry::{Change, DecodeError, Entry};
pub use flags::{FlagNames, FlagOp, Flags, KEYWORDS_MAX, Keywords, SystemFlag};
pub use ids::{AccountId, BlobId, InternalDate, MailboxId, Millis, Modseq, SeqNum, Uid, UidValidity};
pub use mailbox::{Mailbox, Row};
pub use name::{MailboxName, NameError};
pub use port::{Accounts, CommitError, Fault, OpenAccount, Pending, Upload};
pub use rights::{Right, Rights};
pub use roles::ROLES;
pub use sets::{SequenceSet, SetBound, UidSet};
pub use view::{Announce, Difference, View};
