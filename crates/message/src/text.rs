//! A string of a message, with the kind that its writer needs to know.

/// What an IMAP writer must know about a string before it can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextKind {
    /// Absent.
    Nil = 0,
    /// 7-bit without `"` and `\`: fits between quotes as it stands.
    Plain = 1,
    /// 7-bit with `"` or `\`: fits between quotes once these are escaped.
    Quotable = 2,
    /// Has octets above 127, which may or may not be UTF-8.
    EightBit = 3,
}

/// A string of a message: unfolded, not decoded (IMAP carries encoded words as they stand, RFC 9051 section 7.5.2).
///
/// Never holds NUL, CR or LF. [`TextKind::Nil`] has no octets; an empty string that is present is `Plain`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text<'a> {
    /// The octets.
    pub bytes: &'a [u8],
    /// How they may be written.
    pub kind: TextKind,
}

impl<'a> Text<'a> {
    /// The absent string.
    pub const NIL: Text<'static> = Text { bytes: b"", kind: TextKind::Nil };

    /// Is the string absent?
    #[must_use]
    pub fn is_nil(&self) -> bool {
        self.kind == TextKind::Nil
    }

    /// The octets of a string that is present.
    #[must_use]
    pub fn present(&self) -> Option<&'a [u8]> {
        (!self.is_nil()).then_some(self.bytes)
    }
}

impl TextKind {
    /// The kind of octets that are present and free of NUL, CR and LF.
    pub(crate) fn of(bytes: &[u8]) -> TextKind {
        // Without branches, so that the compiler makes vector code of it.
        let (high, special) = bytes.iter().fold((0u8, false), |(high, special), &octet| {
            (high | octet, special | (octet == b'"') | (octet == b'\\'))
        });
        match (high >= 0x80, special) {
            (true, _) => TextKind::EightBit,
            (false, true) => TextKind::Quotable,
            (false, false) => TextKind::Plain,
        }
    }

    /// The inverse of `as u8`.
    pub(crate) fn from_bits(bits: u64) -> TextKind {
        match bits & 3 {
            0 => TextKind::Nil,
            1 => TextKind::Plain,
            2 => TextKind::Quotable,
            _ => TextKind::EightBit,
        }
    }
}
