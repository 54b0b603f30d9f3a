//! Mailbox names: UTF-8 in NFC, levels parted by `/`, INBOX in capitals.
//!
//! A name has exactly one form here, so that two spellings of one name can never be two mailboxes, and nothing in it can
//! break a response line or show a person something else than what is stored. `&` is an ordinary character: modified
//! UTF-7 is the wire's affair.

use std::borrow::Borrow;
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization;

/// A mailbox's name in its one canonical form. `INBOX` (any case, also as first level before `/`) is stored as
/// `INBOX`. Construct with [`MailboxName::new`]. Cloning is cheap.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailboxName(Arc<str>);

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
    /// A control character, U+FEFF, a line or paragraph separator, a bidi control, a noncharacter, `%` or `*`.
    BadCharacter,
}

impl std::fmt::Display for NameError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Empty => "a mailbox name cannot be empty",
            Self::TooLong => "the mailbox name is too long",
            Self::TooDeep => "the mailbox name has too many levels",
            Self::BadLevel => "the mailbox name has an empty or reserved level",
            Self::BadCharacter => "the mailbox name has a character that is not allowed",
        })
    }
}

impl std::error::Error for NameError {}

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
    pub fn new(name: &str) -> Result<Self, NameError> {
        // NFC never shrinks a text to less than a third, so longer input cannot fit and is not worth normalising.
        if name.len() > 3 * Self::BYTES_MAX {
            return Err(NameError::TooLong);
        }
        let mut canonical: String = name.nfc().collect();
        // RFC 9051, 5.1: INBOX in any case is one name, and names below it follow.
        let first_level = canonical.split('/').next().map_or(0, str::len);
        if canonical[..first_level].eq_ignore_ascii_case("INBOX") {
            canonical.replace_range(..first_level, "INBOX");
        }
        Self::stored(&canonical)
    }

    /// A name that is already in its canonical form, as a journal or a joining of names gives it. NFC is not checked
    /// again: a later Unicode version may compose a character that was unassigned when the name was written, and that
    /// must not make a journal unreadable.
    pub(crate) fn stored(name: &str) -> Result<Self, NameError> {
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if name.len() > Self::BYTES_MAX {
            return Err(NameError::TooLong);
        }
        if name.chars().any(is_refused) {
            return Err(NameError::BadCharacter);
        }
        if name.starts_with('~') || name.split('/').any(|level| matches!(level, "" | "." | "..")) {
            return Err(NameError::BadLevel);
        }
        if name.split('/').count() > Self::LEVELS_MAX {
            return Err(NameError::TooDeep);
        }
        Ok(Self(name.into()))
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
        self.as_str() == "INBOX"
    }

    /// The name one level up.
    pub fn parent(&self) -> Option<Self> {
        self.0.rfind('/').map(|at| Self(self.0[..at].into()))
    }

    /// All names above it, the topmost first.
    pub fn superiors(&self) -> impl Iterator<Item = Self> + '_ {
        self.0.match_indices('/').map(|(at, _)| Self(self.0[..at].into()))
    }

    /// Is `self` below `other` (at any depth)?
    pub fn is_below(&self, other: &Self) -> bool {
        self.0.strip_prefix(other.as_str()).is_some_and(|rest| rest.starts_with('/'))
    }

    /// `self` with the leading `from` replaced by `to`, when `self` is `from` or below it. The result can be too long
    /// or too deep.
    pub fn rebased(&self, from: &Self, to: &Self) -> Option<Result<Self, NameError>> {
        if self != from && !self.is_below(from) {
            return None;
        }
        let rest = &self.0[from.0.len()..];
        Some(Self::stored(&format!("{to}{rest}")))
    }
}

impl Borrow<str> for MailboxName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for MailboxName {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

/// Characters no name may hold. `%` and `*` are LIST's wildcards: a name with one could never be listed by itself.
/// The bidi controls (Unicode's `Bidi_Control`) make one name look like another.
fn is_refused(character: char) -> bool {
    matches!(character, '%' | '*' | '\u{FEFF}' | '\u{2028}' | '\u{2029}')
        || character.is_control()
        || matches!(character, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
        || matches!(character, '\u{FDD0}'..='\u{FDEF}')
        || u32::from(character) & 0xFFFE == 0xFFFE
}
