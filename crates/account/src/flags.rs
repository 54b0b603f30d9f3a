//! Flags and keywords of one mailbox: a dense word per message, a table of names per mailbox.

/// How many different keywords one mailbox can hold: 64 bits less the five system flags.
/// Beyond it a new keyword is refused with `NO [LIMIT]` and `\*` is no longer offered in PERMANENTFLAGS.
pub const KEYWORDS_MAX: usize = 59;

/// A system flag (RFC 9051, 2.3.2). `\Recent` is the session's affair and not stored here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum SystemFlag {
    Answered = 0,
    Flagged = 1,
    Deleted = 2,
    Seen = 3,
    Draft = 4,
}

/// One message's flags: bits 0..5 are [`SystemFlag`]s, bit 5+n is keyword n of the mailbox's [`Keywords`] table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Flags(pub u64);

impl Flags {
    /// No flag at all.
    pub const NONE: Self = Self(0);

    /// Just this system flag.
    pub const fn system(flag: SystemFlag) -> Self {
        Self(1 << flag as u8)
    }

    /// Just this keyword of the mailbox's table (`index < KEYWORDS_MAX`).
    pub const fn keyword(index: u8) -> Self {
        Self(1 << (5 + index as u64))
    }

    /// Is the system flag set?
    pub const fn has(self, flag: SystemFlag) -> bool {
        self.0 & Self::system(flag).0 != 0
    }

    /// Are all flags of `other` set?
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets together.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This set without `other`.
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The indexes of the keywords set, ascending.
    pub fn keywords(self) -> impl Iterator<Item = u8> {
        (0..KEYWORDS_MAX as u8).filter(move |&index| self.contains(Self::keyword(index)))
    }
}

/// What a STORE does with the flags it names (RFC 9051, 6.4.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FlagOp {
    /// `+FLAGS`
    Add,
    /// `-FLAGS`
    Remove,
    /// `FLAGS`
    Replace,
}

impl FlagOp {
    /// The set that results from `old` when `named` are the flags given.
    pub const fn apply(self, old: Flags, named: Flags) -> Flags {
        match self {
            Self::Add => old.union(named),
            Self::Remove => old.minus(named),
            Self::Replace => named,
        }
    }
}

/// Flags as a client names them: system flags as a set, keywords by name (not yet met a mailbox's table).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FlagNames {
    /// Only system bits.
    pub system: Flags,
    /// Keyword names as spelt, e.g. `$Forwarded`; compared case-insensitively (ASCII).
    pub keywords: Vec<String>,
}

/// The keyword table of one mailbox: index to name. Only grows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keywords(pub Vec<String>);

impl Keywords {
    /// The index of a keyword, by ASCII-case-insensitive name.
    pub fn index(&self, name: &str) -> Option<u8> {
        self.0.iter().position(|known| known.eq_ignore_ascii_case(name)).map(|index| index as u8)
    }

    /// The name at an index.
    pub fn name(&self, index: u8) -> Option<&str> {
        self.0.get(usize::from(index)).map(String::as_str)
    }
}
