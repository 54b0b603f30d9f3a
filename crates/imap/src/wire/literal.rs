//! The announcement of a literal: `{n}`, `{n+}` (RFC 7888), `~{n}` and `~{n+}` (RFC 3516) at the end of a line.

/// Digits of the largest `number64` (RFC 9051 section 9: 63 bits). More of them are refused even when they are zeros.
const DIGITS_MAX: usize = 19;

/// An announced literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiteralMark {
    /// Its octets, below 2^63.
    pub octets: u64,
    /// The client waits for `+` before it sends them. Otherwise they are on their way whatever we say.
    pub sync: bool,
    /// `literal8`: may hold NUL.
    pub binary: bool,
}

/// What stands at the end of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Announced {
    /// No literal; the command ends here.
    Nothing,
    /// A literal follows.
    Literal(LiteralMark),
    /// A literal whose length no number holds.
    OutOfRange {
        /// See [`LiteralMark::sync`].
        sync: bool,
    },
}

impl Announced {
    /// Looks at a line without its line end. Purely by text: whether a literal makes sense at this place is for the
    /// parser to say, but its octets must not be taken for a command either way.
    pub(crate) fn at_end_of(line: &[u8]) -> Self {
        let Some(rest) = line.strip_suffix(b"}") else { return Self::Nothing };
        let (rest, sync) = match rest.strip_suffix(b"+") {
            Some(rest) => (rest, false),
            None => (rest, true),
        };
        let digits = rest.iter().rev().take_while(|octet| octet.is_ascii_digit()).count();
        let (before, digits) = rest.split_at(rest.len() - digits);
        let Some(before) = before.strip_suffix(b"{") else { return Self::Nothing };
        if digits.is_empty() {
            return Self::Nothing;
        }
        match number64(digits) {
            Some(octets) => Self::Literal(LiteralMark { octets, sync, binary: before.ends_with(b"~") }),
            None => Self::OutOfRange { sync },
        }
    }
}

/// The value of a run of digits, below 2^63.
pub(crate) fn number64(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > DIGITS_MAX {
        return None;
    }
    // Nineteen digits are below 2^64, so the sum cannot overflow.
    let value = digits.iter().fold(0_u64, |value, digit| value * 10 + u64::from(digit - b'0'));
    (value < 1 << 63).then_some(value)
}
