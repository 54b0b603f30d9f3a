//! Mailbox names: UTF-8 in NFC, levels parted by `/`, INBOX in capitals.

/// A mailbox's name in its one canonical form. `INBOX` (any case, also as first level before `/`) is stored as
/// `INBOX`. Construct with [`MailboxName::new`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailboxName(String);

/// Why a name is refused; the text is fit for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameError {
    /// Nothing left.
    Empty,
    /// More than [`MailboxName::BYTES_MAX`] octets.
    TooLong,
    /// More than [`MailboxName::LEVELS_MAX`] levels.
    TooDeep,
    /// An empty level (`a//b`, leading or trailing `/` beyond the one CREATE allows), `.` or `..`, `~` first.
    BadLevel,
    /// A control character, U+FEFF, a line or paragraph separator, a bidi override, `%` or `*`.
    BadCharacter,
}

impl MailboxName {
    /// Longest name in octets of UTF-8: what fits a response line of every client we know with room to spare.
    pub const BYTES_MAX: usize = 1_000;
    /// Deepest hierarchy.
    pub const LEVELS_MAX: usize = 32;
    /// The hierarchy delimiter of every mailbox.
    pub const DELIMITER: char = '/';

    /// Canonical form of a name given in UTF-8 (NFC, INBOX folded), or why it cannot be one.
    ///
    /// # Errors
    /// [`NameError`], see there.
    pub fn new(_name: &str) -> Result<Self, NameError> {
        todo!()
    }

    /// `INBOX`.
    pub fn inbox() -> Self {
        Self("INBOX".into())
    }

    /// The name as UTF-8.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Is it INBOX itself?
    pub fn is_inbox(&self) -> bool {
        self.0 == "INBOX"
    }

    /// The name one level up.
    pub fn parent(&self) -> Option<Self> {
        self.0.rfind('/').map(|at| Self(self.0[..at].to_owned()))
    }

    /// Is `self` below `other` (at any depth)?
    pub fn is_below(&self, other: &Self) -> bool {
        self.0.strip_prefix(&other.0).is_some_and(|rest| rest.starts_with('/'))
    }

    /// `self` with the leading `from` replaced by `to`, when `self` is `from` or below it.
    pub fn rebased(&self, _from: &Self, _to: &Self) -> Option<Result<Self, NameError>> {
        todo!()
    }
}
