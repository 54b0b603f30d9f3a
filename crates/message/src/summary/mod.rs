//! What is known of a message without its octets: packed once at delivery, read in place ever after.
//!
//! ```text
//! summary = version:u8 flags:u8 size:u64 sent:i64 year:i32 month:u8 day:u8   fixed, little-endian
//!           root:u32                      where the root part begins
//!           base_subject preview sort-key{5} thread-id references            length and UTF-8 or octets
//!           part
//! part    = own-length below-length own below
//! own     = flags header-start header-octets body-octets lines
//!           type subtype params id description encoding md5 disposition params languages location envelope
//! below   = *part                         the parts of a multipart, or the root of a nested message
//! ```
//!
//! Numbers are LEB128 but for the fixed ones; strings carry their [`TextKind`](crate::TextKind), so that an answer is copied
//! and not inspected. Lengths only lead forward: no octets, however damaged, make a reader loop.

pub(crate) mod codec;
mod envelope;
mod pack;
mod part;
mod section;

use codec::Cursor;

pub use envelope::{Address, AddressIter, Addresses, Envelope};
pub(crate) use pack::{Head, PartFields, pack};
pub use part::{Children, Languages, ParamIter, Params, Part};
pub use section::SectionKind;

use crate::date::SentDate;

/// The version that this build writes and reads.
const VERSION: u8 = 1;
const FLAG_SENT: u8 = 1;
const FLAG_REPLY: u8 = 2;
/// Octets before the strings.
const FIXED_OCTETS: usize = 28;
/// Sort keys, in the order of [`AddressField`].
const SORT_KEYS: usize = 5;

/// A packed summary cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SummaryError {
    /// It was packed by another version; derive it again.
    Version(u8),
    /// It is cut off or is none.
    Damaged,
}

impl std::fmt::Display for SummaryError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SummaryError::Version(version) => write!(f, "summary of unknown version {version}"),
            SummaryError::Damaged => f.write_str("damaged summary"),
        }
    }
}

impl std::error::Error for SummaryError {}

/// A sort key made of the first address of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressField {
    /// SORT (FROM): the mailbox of the first address (RFC 5256 section 3).
    From = 0,
    /// SORT (TO).
    To = 1,
    /// SORT (CC).
    Cc = 2,
    /// SORT (DISPLAYFROM): the name that is shown for it (RFC 5957 section 3).
    DisplayFrom = 3,
    /// SORT (DISPLAYTO).
    DisplayTo = 4,
}

/// Reads a packed summary in place. Copying it is free; nothing it does allocates.
#[derive(Debug, Clone, Copy)]
pub struct Summary<'a> {
    flags: u8,
    size: u64,
    sent: SentDate,
    strings: &'a [u8],
    root: &'a [u8],
}

impl<'a> Summary<'a> {
    /// Checks version and lengths.
    ///
    /// # Errors
    /// The octets are no summary of this version, or not a whole one.
    pub fn new(packed: &'a [u8]) -> Result<Summary<'a>, SummaryError> {
        let &version = packed.first().ok_or(SummaryError::Damaged)?;
        if version != VERSION {
            return Err(SummaryError::Version(version));
        }
        let (fixed, _) = packed.split_first_chunk::<FIXED_OCTETS>().ok_or(SummaryError::Damaged)?;
        let mut fixed = Cursor::new(&fixed[1..]);
        let flags = fixed.octet();
        let size = u64::from_le_bytes(array(&mut fixed));
        let sent = SentDate {
            unix_seconds: i64::from_le_bytes(array(&mut fixed)),
            year: i32::from_le_bytes(array(&mut fixed)),
            month: fixed.octet(),
            day: fixed.octet(),
        };
        let root_at = u32::from_le_bytes(array(&mut fixed)) as usize;
        let strings = packed.get(FIXED_OCTETS..root_at).ok_or(SummaryError::Damaged)?;
        let root = &packed[root_at..];
        let mut cursor = Cursor::new(root);
        let whole = cursor.number().checked_add(cursor.number());
        if whole != Some(cursor.rest.len() as u64) || cursor.rest.is_empty() {
            return Err(SummaryError::Damaged);
        }
        Ok(Summary { flags, size, sent, strings, root })
    }

    /// Octets of the whole message.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Octets of the message's header, with its blank line.
    #[must_use]
    pub fn header_len(&self) -> u64 {
        self.structure().header().end
    }

    /// The envelope of the message.
    #[must_use]
    pub fn envelope(&self) -> Envelope<'a> {
        self.structure().own_envelope()
    }

    /// The root of the body structure.
    #[must_use]
    pub fn structure(&self) -> Part<'a> {
        Part::read(&mut Cursor::new(self.root))
    }

    /// When the message says it was sent; `None` if its Date field gives no date (RFC 5256 section 2.2 then takes the
    /// internal date).
    #[must_use]
    pub fn sent_date(&self) -> Option<SentDate> {
        (self.flags & FLAG_SENT != 0).then_some(self.sent)
    }

    /// The base subject (RFC 5256 section 2.1), folded. Empty if there is none.
    #[must_use]
    pub fn base_subject(&self) -> &'a str {
        Cursor::new(self.strings).utf8()
    }

    /// Did extracting the base subject find the marks of a reply or a forwarded message (RFC 5256 section 3, step 5 of
    /// REFERENCES)?
    #[must_use]
    pub fn is_reply(&self) -> bool {
        self.flags & FLAG_REPLY != 0
    }

    /// The beginning of the text as plain text on one line (RFC 8970), at most 200 characters. Empty if there is no text.
    #[must_use]
    pub fn preview(&self) -> &'a str {
        self.string(1).utf8()
    }

    /// A sort key, folded.
    #[must_use]
    pub fn sort_address(&self, field: AddressField) -> &'a str {
        self.string(2 + field as usize).utf8()
    }

    /// The message's id for threading: the Message-ID without brackets and quoting. Empty if there is no valid one.
    #[must_use]
    pub fn thread_id(&self) -> &'a [u8] {
        self.string(2 + SORT_KEYS).block()
    }

    /// The ids this message refers to, oldest first: its References, or else the first id of In-Reply-To (RFC 5256 section
    /// 3, step 1 of REFERENCES). Without brackets and quoting, to be compared with [`Summary::thread_id`].
    pub fn references(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut cursor = Cursor::new(self.string(3 + SORT_KEYS).block());
        std::iter::from_fn(move || (!cursor.rest.is_empty()).then(|| cursor.block()))
    }

    /// The cursor at the string of that number.
    fn string(&self, index: usize) -> Cursor<'a> {
        let mut cursor = Cursor::new(self.strings);
        for _ in 0..index {
            cursor.block();
        }
        cursor
    }
}

fn array<const N: usize>(cursor: &mut Cursor<'_>) -> [u8; N] {
    cursor.octets(N as u64).try_into().unwrap_or([0; N])
}
