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
//!
//! What a store keeps is the entries' bytes; folding them again gives the same account:
//!
//! ```
//! use account::{Account, Draft, Entry, MailboxName, Millis, Modseq, NewMailbox, Rights};
//!
//! let mut account = Account::default();
//! let inbox = NewMailbox { name: MailboxName::inbox(), roles: vec![], subscribe: true, uid_validity: None };
//! let draft = Draft::Create { mailboxes: vec![inbox] };
//! let (entry, receipt) = draft.decide(&account, Rights::OWNER, Modseq(1), Millis(1_700_000_000_000))?;
//! let entry = entry.expect("a new mailbox is a change");
//! let kept = entry.encode(account.chain());
//! account.apply(&entry, Entry::chain_of(&kept));
//! assert_eq!(account.directory().mailbox(&MailboxName::inbox()).map(|facts| facts.id), receipt.mailbox);
//!
//! let mut again = Account::default();
//! let (entry, chain) = Entry::decode(&kept, again.chain())?;
//! again.apply(&entry, chain);
//! assert_eq!(again.directory(), account.directory());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Where to look: [`entry`](Entry) and `fold` (`Account::apply`, `Mailbox::apply`, `Directory::apply`) are the law; `directory`
//! is always in memory, `mailbox` and `chunk` are the columns, loaded when asked for; `view` and `diff` are one session's side;
//! `draft/` decides; `checkpoint` keeps. The bytes are described in `docs/journal.md`, the bounds in [`limits`].

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
