//! Tokens to octets. The only place that knows quoting, literals and the UTF-8 modes: whatever text is given, what leaves
//! is one well-formed token, so that no name and no header can break a response line or forge one.

use account::{Flags, InternalDate, Keywords, MailboxName, SystemFlag, UidSet};
use jiff::civil::DateTime;
use message::{Text, TextKind};

use super::{MONTHS, is_astring_char, utf7};

/// Octets beyond which a string travels as a literal: old clients read lines into buffers of this size.
const QUOTED_BYTES_MAX: usize = 1_000;

/// The system flags in the order of their bits, with `\` as they are written.
const SYSTEM_FLAGS: [(SystemFlag, &str); 5] = [
    (SystemFlag::Answered, "\\Answered"),
    (SystemFlag::Flagged, "\\Flagged"),
    (SystemFlag::Deleted, "\\Deleted"),
    (SystemFlag::Seen, "\\Seen"),
    (SystemFlag::Draft, "\\Draft"),
];

/// Appends tokens to the output.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
    utf8: bool,
}

impl<'a> Writer<'a> {
    /// Appends to `out`. `utf8`: the client enabled IMAP4rev2 or UTF8=ACCEPT, so quoted strings may hold UTF-8 and mailbox
    /// names are UTF-8.
    pub const fn new(out: &'a mut Vec<u8>, utf8: bool) -> Self {
        Self { out, utf8 }
    }

    /// May quoted strings hold UTF-8?
    pub const fn is_utf8(&self) -> bool {
        self.utf8
    }

    /// Appends octets as they are: keywords of the protocol, punctuation, and what was formatted before.
    pub fn raw(&mut self, octets: &[u8]) {
        self.out.extend_from_slice(octets);
    }

    /// A decimal number.
    pub fn number(&mut self, number: u64) {
        // Written by hand, from the last digit: FETCH of a large mailbox is mostly numbers.
        let mut digits = [0; 20];
        let mut at = digits.len();
        let mut left = number;
        loop {
            at -= 1;
            digits[at] = b'0' + (left % 10) as u8;
            left /= 10;
            if left == 0 {
                break;
            }
        }
        self.raw(&digits[at..]);
    }

    /// A string in quotes. Only for text known to be one short line; otherwise use [`Writer::string`]. What cannot be
    /// quoted in this mode leaves as a literal all the same.
    pub fn quoted(&mut self, text: &[u8]) {
        if !self.can_quote(text) {
            return self.literal(text);
        }
        self.out.push(b'"');
        let mut rest = text;
        while let Some(at) = memchr::memchr2(b'"', b'\\', rest) {
            self.raw(&rest[..at]);
            self.out.extend_from_slice(&[b'\\', rest[at]]);
            rest = &rest[at + 1..];
        }
        self.raw(rest);
        self.out.push(b'"');
    }

    /// A string: quoted if it can be, else a literal.
    pub fn string(&mut self, text: &[u8]) {
        if text.len() > QUOTED_BYTES_MAX { self.literal(text) } else { self.quoted(text) }
    }

    /// A string, or NIL for `None`.
    pub fn nstring(&mut self, text: Option<&[u8]>) {
        match text {
            Some(text) => self.string(text),
            None => self.raw(b"NIL"),
        }
    }

    /// An `nstring` of a message's summary: how it must travel was found out at delivery, so this is mostly a copy.
    pub fn text(&mut self, text: Text<'_>) {
        match text.kind {
            TextKind::Nil => self.raw(b"NIL"),
            TextKind::Plain if text.bytes.len() <= QUOTED_BYTES_MAX => {
                self.out.push(b'"');
                self.raw(text.bytes);
                self.out.push(b'"');
            }
            TextKind::Plain | TextKind::Quotable | TextKind::EightBit => self.string(text.bytes),
        }
    }

    /// An astring: bare if it can be, else a string.
    pub fn astring(&mut self, text: &[u8]) {
        // A bare NIL is an astring too, but not every client believes it.
        let bare = !text.is_empty()
            && text.len() <= QUOTED_BYTES_MAX
            && text.iter().all(|&octet| is_astring_char(octet))
            && !text.eq_ignore_ascii_case(b"NIL");
        if bare { self.raw(text) } else { self.string(text) }
    }

    /// A literal with its octets. NUL, which a literal must not hold (RFC 9051 4.3), becomes `?`: only
    /// [`Writer::literal8_header`] carries it, and message octets go out by [`Writer::literal_header`] unchanged.
    pub fn literal(&mut self, octets: &[u8]) {
        self.literal_header(octets.len() as u64);
        let start = self.out.len();
        self.raw(octets);
        for octet in &mut self.out[start..] {
            if *octet == 0 {
                *octet = b'?';
            }
        }
    }

    /// `{n}` and its line end; exactly `octets` octets must follow.
    pub fn literal_header(&mut self, octets: u64) {
        self.raw(b"{");
        self.number(octets);
        self.raw(b"}\r\n");
    }

    /// `~{n}` and its line end (RFC 3516); exactly `octets` octets must follow.
    pub fn literal8_header(&mut self, octets: u64) {
        self.raw(b"~");
        self.literal_header(octets);
    }

    /// A mailbox name in this session's encoding.
    pub fn mailbox(&mut self, name: &MailboxName) {
        self.mailbox_str(name.as_str());
    }

    /// The same for a name that is only part of one, or none at all.
    pub fn mailbox_str(&mut self, name: &str) {
        if self.utf8 {
            return self.astring(name.as_bytes());
        }
        let mut encoded = Vec::with_capacity(name.len());
        utf7::encode(name, &mut encoded);
        self.astring(&encoded);
    }

    /// A set of UIDs or other numbers: `1:3,7`. An empty set is no token: the caller leaves it out.
    pub fn uid_set(&mut self, set: &UidSet) {
        for (place, &(first, last)) in set.ranges().iter().enumerate() {
            if place > 0 {
                self.raw(b",");
            }
            self.number(u64::from(first));
            if first != last {
                self.raw(b":");
                self.number(u64::from(last));
            }
        }
    }

    /// A parenthesised flag list; keywords by the mailbox's table. `recent` adds RFC 3501's `\Recent`.
    pub fn flags(&mut self, flags: Flags, keywords: &Keywords, recent: bool) {
        self.flag_list(flags, keywords, recent.then_some("\\Recent"));
    }

    /// The flag list of PERMANENTFLAGS: `more` adds `\*`, new keywords may be made.
    pub fn permanent_flags(&mut self, flags: Flags, keywords: &Keywords, more: bool) {
        self.flag_list(flags, keywords, more.then_some("\\*"));
    }

    fn flag_list(&mut self, flags: Flags, keywords: &Keywords, extra: Option<&str>) {
        let system = SYSTEM_FLAGS.iter().filter(|(flag, _)| flags.has(*flag)).map(|(_, name)| *name);
        let named = flags.keywords().filter_map(|index| keywords.name(index));
        self.out.push(b'(');
        let start = self.out.len();
        for name in system.chain(named).chain(extra) {
            if self.out.len() > start {
                self.out.push(b' ');
            }
            self.raw(name.as_bytes());
        }
        self.out.push(b')');
    }

    /// `date-time`: `"dd-Mon-yyyy hh:mm:ss +zzzz"` in its own zone. Beyond the years 0 to 9999, which four digits cannot
    /// say, the nearest moment that they can.
    pub fn date_time(&mut self, date: InternalDate) {
        let zone = i64::from(date.zone_minutes).clamp(-1_439, 1_439);
        let local = civil(date.seconds.saturating_add(zone * 60));
        self.raw(b"\"");
        self.digits(local.day(), 2);
        self.raw(b"-");
        self.raw(MONTHS[usize::from(local.month().unsigned_abs() - 1) % MONTHS.len()].as_bytes());
        self.raw(b"-");
        self.digits(local.year(), 4);
        for (before, part) in [(b" ", local.hour()), (b":", local.minute()), (b":", local.second())] {
            self.raw(before);
            self.digits(part, 2);
        }
        self.raw(if zone < 0 { b" -" } else { b" +" });
        let (hours, minutes) = (zone.abs() / 60, zone.abs() % 60);
        self.digits((hours * 100 + minutes) as i16, 4);
        self.raw(b"\"");
    }

    /// A number with zeros before it. Not negative and not wider.
    fn digits(&mut self, number: impl Into<i16>, width: u32) {
        let number = number.into().unsigned_abs();
        for place in (0..width).rev() {
            self.out.push(b'0' + (number / 10_u16.pow(place) % 10) as u8);
        }
    }

    /// Can the text stand in quotes? No CR, LF or NUL ever; beyond ASCII only valid UTF-8, and only where enabled.
    fn can_quote(&self, text: &[u8]) -> bool {
        memchr::memchr3(b'\r', b'\n', 0, text).is_none()
            && (text.is_ascii() || self.utf8 && str::from_utf8(text).is_ok())
    }
}

/// Seconds since 1970 as a date of the calendar, within the years that IMAP can write.
fn civil(seconds: i64) -> DateTime {
    const FIRST: DateTime = DateTime::constant(0, 1, 1, 0, 0, 0, 0);
    const LAST: DateTime = DateTime::constant(9999, 12, 31, 23, 59, 59, 0);
    const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
    let end = if seconds < 0 { FIRST } else { LAST };
    let date = EPOCH.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(end);
    date.clamp(FIRST, LAST)
}
