//! Octets to tokens and back. Nothing in here knows a command.
//!
//! [`Framer`] finds where a command ends, with its literals and limits, before anything tries to understand it: a
//! broken command can always be thrown away whole, and a literal is never read as a command. [`Reader`] is a cursor
//! over one framed command. [`Writer`] is the only place that knows quoting and the UTF-8 modes.

mod framer;
mod literal;
mod reader;
pub mod utf7;
mod writer;

pub use framer::{Framed, Framer, FramerLimits, FramingError};
pub use literal::LiteralMark;
pub use reader::{Bad, MailboxArg, Reader};
pub use writer::Writer;

/// `ATOM-CHAR` of RFC 9051 section 9: any 7-bit character but controls, space and the atom specials.
pub(crate) const fn is_atom_char(octet: u8) -> bool {
    matches!(octet, 0x21..=0x7e) && !matches!(octet, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\' | b']')
}

/// `ASTRING-CHAR` of RFC 9051 section 9: an atom's characters and `]`.
pub(crate) const fn is_astring_char(octet: u8) -> bool {
    is_atom_char(octet) || octet == b']'
}

/// `tag` of RFC 9051 section 9 allows what an astring allows, but `+`.
pub(crate) const fn is_tag_char(octet: u8) -> bool {
    is_astring_char(octet) && octet != b'+'
}

/// `date-month` of RFC 9051 section 9.
pub(crate) const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
