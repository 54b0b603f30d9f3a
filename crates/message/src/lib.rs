//! RFC 5322 and MIME: the octets of a message to what IMAP says about it.
//!
//! ```text
//!  octets ──push──▶ Scanner ──finish──▶ Derived { summary, text }      once, at delivery
//!                                          │        │
//!                                     Summary     SearchText           ever after, in place
//!                                     │  │  │
//!                   Envelope ◀────────┘  │  └──▶ section: octet range of BODY[1.2.HEADER]
//!                   structure: Part ◀────┘
//! ```
//!
//! The message itself is never changed and never needed again, except to return its octets ([`header_fields`] and
//! [`Decoder`] work on these) and to search a text too long to be packed ([`TextMatcher`]).
//!
//! Any octets at all are a message. What is broken is read the way that loses least; [`limits`] bounds what is said about a
//! message and never what is kept of it. No input makes this crate panic, recurse or take more than linear time.

mod address;
mod body_text;
mod charset;
mod content;
mod date;
mod encoded_word;
mod entity;
mod fold;
mod header;
mod html;
pub mod limits;
mod preview;
mod scanner;
mod search;
mod subject;
mod summary;
mod text;
mod token;
mod transfer;
mod tree;
mod utf7;

pub use charset::{CHARSETS, NotInCharset, charset_decode};
pub use date::SentDate;
pub use fold::{fold, fold_into};
pub use header::{header_fields, header_values};
pub use scanner::{Derived, Scanner, derive};
pub use search::{
    SearchField, SearchText, SearchTextError, TextContent, TextMatcher, TextSection, fold_header,
};
pub use summary::{
    Address, AddressField, AddressIter, Addresses, Children, Envelope, Languages, ParamIter, Params, Part,
    SectionKind, Summary, SummaryError,
};
pub use text::{Text, TextKind};
pub use transfer::{DecodeError, Decoder};
