//! The numbers of RFC 9051, each a type of its own so that none can stand for another.

use std::num::NonZeroU32;

/// A message's unique identifier in its mailbox (RFC 9051, 2.3.1.1). Strictly rising, never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uid(pub NonZeroU32);

/// The mailbox's validity of UIDs (RFC 9051, 2.3.1.1): rises whenever UIDs given before no longer hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UidValidity(pub NonZeroU32);

/// A message's sequence number: its place from 1, valid for one [`crate::View`] only (RFC 9051, 2.3.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeqNum(pub NonZeroU32);

/// A mod-sequence (RFC 7162): the number of the journal entry that last touched something. Fits 63 bits; 0 is "before anything".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Modseq(pub u64);

/// Whose journal it is. The server's own roster of accounts is the journal [`AccountId::ROSTER`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub u64);

impl AccountId {
    /// The journal that holds the server's list of accounts and credentials.
    pub const ROSTER: Self = Self(0);
}

/// A mailbox's lasting identity (RFC 8474 MAILBOXID): survives RENAME, never reused in its account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailboxId(pub u64);

/// Names immutable bytes kept by the store. Never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId(pub u64);

/// Milliseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Millis(pub u64);

/// A message's internal date (RFC 9051, 2.3.3): an instant and the zone it was given in, since BEFORE, ON and SINCE
/// compare the calendar date as written, "disregarding time and timezone" (6.4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InternalDate {
    /// Seconds since 1970-01-01 UTC.
    pub seconds: i64,
    /// Offset of the zone east of UTC, in minutes.
    pub zone_minutes: i16,
}

macro_rules! non_zero {
    ($name:ident) => {
        impl $name {
            /// `None` for zero.
            pub const fn new(value: u32) -> Option<Self> {
                match NonZeroU32::new(value) {
                    Some(value) => Some(Self(value)),
                    None => None,
                }
            }

            /// The plain number.
            pub const fn value(self) -> u32 {
                self.0.get()
            }
        }
    };
}
non_zero!(Uid);
non_zero!(UidValidity);
non_zero!(SeqNum);
