//! A cursor over one framed command. Every method either takes a token whole or fails with [`Bad`], which is answered
//! with BAD; it never panics and never reads a token twice. There is no recursion: nesting is the caller's, bounded by
//! [`Reader::nest`].

use std::borrow::Cow;

use account::{MailboxName, NameError, Refusal};

use super::literal::{LiteralMark, number64};
use super::{is_astring_char, is_atom_char, is_tag_char, utf7};
use crate::limits;

mod date;
mod flags;
mod set;

/// A syntax error: the whole command is answered BAD and nothing of it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bad {
    /// For a person.
    pub text: Cow<'static, str>,
    /// Where in the command, in octets from its begin.
    pub at: usize,
}

impl std::fmt::Display for Bad {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} (at octet {})", self.text, self.at)
    }
}

impl std::error::Error for Bad {}

/// A mailbox as a command names it. A name that can be none is no syntax error: the command is answered NO.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailboxArg {
    /// A name that a mailbox could have.
    Name(MailboxName),
    /// The same, but the command wrote it in another Unicode form than the canonical one; with what it wrote. Whoever
    /// answers under IMAP4rev2 tells what the name is now (`OLDNAME`, RFC 9051 6.3.9.7). INBOX in another case is INBOX
    /// and nothing to tell.
    Denormal(MailboxName, String),
    /// A name that no mailbox can have.
    Bad(NameError),
}

impl MailboxArg {
    /// The name where a mailbox must exist already.
    ///
    /// # Errors
    /// [`Refusal::NonExistent`]: what cannot be a name is the name of nothing.
    pub const fn existing(&self) -> Result<&MailboxName, Refusal> {
        match self {
            Self::Name(name) | Self::Denormal(name, _) => Ok(name),
            Self::Bad(_) => Err(Refusal::NonExistent),
        }
    }

    /// The name for something new.
    ///
    /// # Errors
    /// [`Refusal::BadName`]
    pub const fn new_name(&self) -> Result<&MailboxName, Refusal> {
        match self {
            Self::Name(name) | Self::Denormal(name, _) => Ok(name),
            Self::Bad(error) => Err(Refusal::BadName(*error)),
        }
    }

    /// What the command wrote, where that is not the canonical form of the name.
    pub fn denormal(&self) -> Option<&str> {
        match self {
            Self::Denormal(_, given) => Some(given),
            Self::Name(_) | Self::Bad(_) => None,
        }
    }

    fn of(given: Result<&str, NameError>) -> Self {
        match given.and_then(|given| MailboxName::new(given).map(|name| (name, given))) {
            Ok((name, given)) if given.eq_ignore_ascii_case(name.as_str()) => Self::Name(name),
            Ok((name, given)) => Self::Denormal(name, given.to_owned()),
            Err(error) => Self::Bad(error),
        }
    }
}

/// The cursor.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    command: &'a [u8],
    at: usize,
    depth: u8,
}

impl<'a> Reader<'a> {
    /// At the begin of a command (or of a piece of one).
    pub const fn new(command: &'a [u8]) -> Self {
        Self { command, at: 0, depth: 0 }
    }

    /// A syntax error at the present place.
    pub fn bad(&self, text: impl Into<Cow<'static, str>>) -> Bad {
        Bad { text: text.into(), at: self.at }
    }

    /// What is not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.command.get(self.at..).unwrap_or_default()
    }

    /// Is everything read?
    pub fn is_empty(&self) -> bool {
        self.rest().is_empty()
    }

    /// The next octet, left in place.
    pub fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    /// Takes these octets if they are next.
    pub fn eat(&mut self, octets: &[u8]) -> bool {
        let next = self.rest().starts_with(octets);
        if next {
            self.at += octets.len();
        }
        next
    }

    /// Takes a word, in any case, if it is next and whole: what follows cannot belong to an atom.
    pub fn eat_word(&mut self, word: &str) -> bool {
        let rest = self.rest();
        let next = rest.get(..word.len()).is_some_and(|octets| octets.eq_ignore_ascii_case(word.as_bytes()))
            && !rest.get(word.len()).is_some_and(|&octet| is_atom_char(octet));
        if next {
            self.at += word.len();
        }
        next
    }

    /// Takes these octets.
    ///
    /// # Errors
    /// [`Bad`] when something else is next.
    pub fn expect(&mut self, octets: &[u8]) -> Result<(), Bad> {
        if self.eat(octets) {
            return Ok(());
        }
        Err(self.bad(format!("Expected \"{}\"", octets.escape_ascii())))
    }

    /// Takes the one space that parts arguments.
    ///
    /// # Errors
    /// [`Bad`] when something else is next, or nothing.
    pub fn sp(&mut self) -> Result<(), Bad> {
        if self.eat(b" ") { Ok(()) } else { Err(self.bad("Expected a space and another argument")) }
    }

    /// Nothing may follow.
    ///
    /// # Errors
    /// [`Bad`] when something does.
    pub fn end(&self) -> Result<(), Bad> {
        if self.is_empty() { Ok(()) } else { Err(self.bad("Something follows where the command should end")) }
    }

    /// Enters a list or key within another.
    ///
    /// # Errors
    /// [`Bad`] deeper than [`limits::NESTING_MAX`].
    pub fn nest(&mut self) -> Result<(), Bad> {
        if self.depth >= limits::NESTING_MAX {
            return Err(self.bad("Nested too deeply"));
        }
        self.depth += 1;
        Ok(())
    }

    /// Leaves what [`Reader::nest`] entered.
    pub const fn unnest(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// `"(" item *(SP item) ")"`, or `()`: calls `item` for each.
    ///
    /// # Errors
    /// [`Bad`] when it is no list, or from `item`.
    pub fn list(&mut self, mut item: impl FnMut(&mut Self) -> Result<(), Bad>) -> Result<(), Bad> {
        self.expect(b"(")?;
        if self.eat(b")") {
            return Ok(());
        }
        loop {
            item(self)?;
            if self.eat(b")") {
                return Ok(());
            }
            self.sp()?;
        }
    }

    /// `tag`: at most [`limits::TAG_BYTES_MAX`] octets, 7-bit.
    ///
    /// # Errors
    /// [`Bad`] when it is empty, too long or followed by what is neither a space nor the end.
    pub fn tag(&mut self) -> Result<&'a [u8], Bad> {
        let tag = self.while_next(is_tag_char);
        if tag.is_empty() || tag.len() > limits::TAG_BYTES_MAX || !matches!(self.peek(), None | Some(b' ')) {
            return Err(self.bad("A command begins with a tag"));
        }
        Ok(tag)
    }

    /// A command's name.
    ///
    /// # Errors
    /// [`Bad`] when there is none.
    pub fn verb(&mut self) -> Result<&'a [u8], Bad> {
        self.atom().map_err(|bad| Bad { text: "Expected a command".into(), ..bad })
    }

    /// `atom`, 7-bit.
    ///
    /// # Errors
    /// [`Bad`] when there is none.
    pub fn atom(&mut self) -> Result<&'a [u8], Bad> {
        self.some_next(is_atom_char, "Expected a word")
    }

    /// The name of a FETCH item: an atom that ends before `[`, which an atom may hold.
    ///
    /// # Errors
    /// [`Bad`] when there is none.
    pub fn item_name(&mut self) -> Result<&'a [u8], Bad> {
        self.some_next(|octet| is_atom_char(octet) && octet != b'[', "Expected the name of an item")
    }

    /// `number`
    ///
    /// # Errors
    /// [`Bad`] when it is none or does not fit 32 bits.
    pub fn number(&mut self) -> Result<u32, Bad> {
        let at = self.at;
        let number = self.number64()?;
        u32::try_from(number).map_err(|_| Bad { text: "The number is too large".into(), at })
    }

    /// `nz-number`
    ///
    /// # Errors
    /// [`Bad`] when it is none, zero, or does not fit 32 bits.
    pub fn nz_number(&mut self) -> Result<u32, Bad> {
        let at = self.at;
        match self.number()? {
            0 => Err(Bad { text: "The number must not be zero".into(), at }),
            number => Ok(number),
        }
    }

    /// `number64`, also RFC 7162's `mod-sequence-value`.
    ///
    /// # Errors
    /// [`Bad`] when it is none or does not fit 63 bits.
    pub fn number64(&mut self) -> Result<u64, Bad> {
        let at = self.at;
        let digits = self.some_next(|octet| octet.is_ascii_digit(), "Expected a number")?;
        number64(digits).ok_or(Bad { text: "The number is too large".into(), at })
    }

    /// `astring`: quoted, literal or bare. The octets are free of NUL; quoted ones are UTF-8, bare ones ASCII.
    ///
    /// # Errors
    /// [`Bad`] when there is none.
    pub fn astring(&mut self) -> Result<Cow<'a, [u8]>, Bad> {
        match self.peek() {
            Some(b'"' | b'{') => self.string(),
            _ => self.some_next(is_astring_char, "Expected a string").map(Cow::Borrowed),
        }
    }

    /// `string`: quoted or literal, as [`Reader::astring`].
    ///
    /// # Errors
    /// [`Bad`] when there is none.
    pub fn string(&mut self) -> Result<Cow<'a, [u8]>, Bad> {
        match self.peek() {
            Some(b'"') => self.quoted(),
            Some(b'{') => self.literal().map(Cow::Borrowed),
            _ => Err(self.bad("Expected a quoted string or a literal")),
        }
    }

    /// `nstring`: a string or NIL.
    ///
    /// # Errors
    /// [`Bad`] when it is neither.
    pub fn nstring(&mut self) -> Result<Option<Cow<'a, [u8]>>, Bad> {
        if self.eat_word("NIL") { Ok(None) } else { self.string().map(Some) }
    }

    /// `quoted`: valid UTF-8 in every mode (RFC 9051 4.3), since to refuse it would help nobody.
    ///
    /// # Errors
    /// [`Bad`] when it has no end, holds CR, LF, NUL or broken UTF-8, or escapes what must not be.
    pub fn quoted(&mut self) -> Result<Cow<'a, [u8]>, Bad> {
        let start = self.at;
        self.expect(b"\"")?;
        let rest = self.rest();
        let mut unescaped = None::<Vec<u8>>;
        let mut copied = 0;
        let mut at = 0;
        loop {
            let Some(step) = memchr::memchr2(b'"', b'\\', &rest[at..]) else {
                return Err(Bad { text: "The quoted string has no end".into(), at: start });
            };
            at += step;
            if rest[at] == b'"' {
                break;
            }
            if !matches!(rest.get(at + 1), Some(b'"' | b'\\')) {
                return Err(self.bad("Only a quote and a backslash are escaped in a quoted string"));
            }
            unescaped.get_or_insert_default().extend_from_slice(&rest[copied..at]);
            copied = at + 1;
            at += 2;
        }
        let text = match unescaped {
            None => Cow::Borrowed(&rest[..at]),
            Some(mut text) => {
                text.extend_from_slice(&rest[copied..at]);
                Cow::Owned(text)
            }
        };
        if text.iter().any(|octet| matches!(octet, b'\r' | b'\n' | 0)) || str::from_utf8(&text).is_err() {
            return Err(Bad { text: "A quoted string holds one line of UTF-8".into(), at: start });
        }
        self.at += at + 1;
        Ok(text)
    }

    /// `literal`: any octets but NUL.
    ///
    /// # Errors
    /// [`Bad`] when there is none, when it is a literal8, or when it holds NUL.
    pub fn literal(&mut self) -> Result<&'a [u8], Bad> {
        let start = self.at;
        if self.peek() != Some(b'{') {
            return Err(self.bad("Expected a literal"));
        }
        let octets = self.literal_octets()?;
        if memchr::memchr(0, octets).is_some() {
            return Err(Bad { text: "NUL octets need a literal8".into(), at: start });
        }
        Ok(octets)
    }

    /// `literal8` (RFC 3516): any octets.
    ///
    /// # Errors
    /// [`Bad`] when there is none.
    pub fn literal8(&mut self) -> Result<&'a [u8], Bad> {
        if self.peek() != Some(b'~') {
            return Err(self.bad("Expected a literal8"));
        }
        self.literal_octets()
    }

    /// The announcement of a literal that streams: the end of this piece.
    ///
    /// # Errors
    /// [`Bad`] when something else is next or anything follows.
    pub fn announced_literal(&mut self) -> Result<LiteralMark, Bad> {
        let mark = self.announcement()?;
        self.end()?;
        Ok(mark)
    }

    /// `mailbox`: UTF-8 when `utf8` names are on, modified UTF-7 otherwise. Octets above 127 are UTF-8 in both: no
    /// modified UTF-7 holds them, and clients send them.
    ///
    /// # Errors
    /// [`Bad`] when there is no astring. A name that can be none is [`MailboxArg::Bad`].
    pub fn mailbox(&mut self, utf8: bool) -> Result<MailboxArg, Bad> {
        let name = self.astring()?;
        Ok(MailboxArg::of(name_text(&name, utf8).as_deref().map_err(|error| *error)))
    }

    /// The name of a mailbox to be created, or of one that need not exist: one delimiter at its end is allowed and
    /// means nothing here (RFC 9051 6.3.4).
    ///
    /// # Errors
    /// As [`Reader::mailbox`].
    pub fn new_mailbox(&mut self, utf8: bool) -> Result<MailboxArg, Bad> {
        let name = self.astring()?;
        let text = name_text(&name, utf8);
        let text = text.as_deref().map_err(|error| *error);
        Ok(MailboxArg::of(text.map(|name| name.strip_suffix(MailboxName::DELIMITER).unwrap_or(name))))
    }

    /// `list-mailbox`: a pattern for LIST with `%` and `*`, as UTF-8. Also fit for its reference name.
    ///
    /// # Errors
    /// [`Bad`] when there is none, or when its encoding is broken.
    pub fn list_mailbox(&mut self, utf8: bool) -> Result<String, Bad> {
        let at = self.at;
        let pattern = match self.peek() {
            Some(b'"' | b'{') => self.string()?,
            _ => Cow::Borrowed(self.some_next(is_list_char, "Expected a mailbox pattern")?),
        };
        name_text(&pattern, utf8).map_err(|_| Bad { text: "The pattern is not well encoded".into(), at })
    }

    /// `{n}`, `{n+}`, `~{n}` or `~{n+}` with its CRLF.
    fn announcement(&mut self) -> Result<LiteralMark, Bad> {
        let binary = self.eat(b"~");
        self.expect(b"{")?;
        let octets = self.number64()?;
        let sync = !self.eat(b"+");
        self.expect(b"}\r\n")?;
        Ok(LiteralMark { octets, sync, binary })
    }

    fn literal_octets(&mut self) -> Result<&'a [u8], Bad> {
        let start = self.at;
        let mark = self.announcement()?;
        let octets = usize::try_from(mark.octets).ok().and_then(|octets| self.rest().get(..octets));
        let octets = octets.ok_or(Bad { text: "No literal is allowed here".into(), at: start })?;
        self.at += octets.len();
        Ok(octets)
    }

    /// The longest run of octets that `fits`, which may be empty.
    fn while_next(&mut self, fits: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let end = rest.iter().position(|&octet| !fits(octet)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn some_next(&mut self, fits: impl Fn(u8) -> bool, wanted: &'static str) -> Result<&'a [u8], Bad> {
        let octets = self.while_next(fits);
        if octets.is_empty() { Err(self.bad(wanted)) } else { Ok(octets) }
    }
}

/// `list-char` of RFC 9051 section 9.
const fn is_list_char(octet: u8) -> bool {
    is_astring_char(octet) || matches!(octet, b'%' | b'*')
}

/// The text of a mailbox name or pattern as it travelled.
fn name_text(octets: &[u8], utf8: bool) -> Result<String, NameError> {
    if utf8 || !octets.is_ascii() {
        return str::from_utf8(octets).map(str::to_owned).map_err(|_| NameError::BadCharacter);
    }
    utf7::decode(octets).map_err(|utf7::NotCanonical| NameError::BadCharacter)
}
