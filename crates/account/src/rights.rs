//! RFC 4314 as a value: who may do what with a mailbox. Checked in [`crate::Draft::decide`], never in commands.

/// One right of RFC 4314, section 2.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Right {
    Lookup = b'l',
    Read = b'r',
    Seen = b's',
    Write = b'w',
    Insert = b'i',
    Post = b'p',
    CreateMailbox = b'k',
    DeleteMailbox = b'x',
    DeleteMessages = b't',
    Expunge = b'e',
    Administer = b'a',
}

/// A set of rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Rights(u32);

impl Rights {
    /// No right.
    pub const NONE: Self = Self(0);
    /// What an owner has: everything.
    pub const OWNER: Self = Self(u32::MAX);

    /// This right added.
    pub const fn with(self, right: Right) -> Self {
        Self(self.0 | 1 << (right as u8 - b'a'))
    }

    /// Is it in the set?
    pub const fn has(self, right: Right) -> bool {
        self.0 & 1 << (right as u8 - b'a') != 0
    }
}
