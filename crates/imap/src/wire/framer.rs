//! Where a command ends. Found before anything tries to understand it, by lines and literals alone.
//!
//! The rules, and why:
//! - A line ends with LF, whether CR stands before it or not, everywhere alike. A CR elsewhere is an ordinary octet that
//!   no token allows.
//! - Whatever looks like a literal at the end of a line is one, even where no literal makes sense: its octets are on
//!   their way and must never be taken for a command.
//! - The memory a command takes is bounded by [`FramerLimits`], never by what it announces.
//! - A refused synchronising literal ends its command, since the client sends nothing more of it (RFC 9051 4.3). A
//!   refused non-synchronising one is read past together with the rest of its command, or, too large for that, costs the
//!   connection (RFC 7888 section 4).
//! - LITERAL+ is what we offer; LITERAL-, which RFC 9051 includes, is the same with an upper bound that only clients
//!   keep (RFC 7888 section 5 forbids to announce both).

use std::borrow::Cow;

use super::is_tag_char;
use super::literal::{Announced, LiteralMark};
use crate::limits;
use crate::response::Code;

/// First words of HTTP requests. A browser can be made to send one here (ALPACA, cross-protocol attacks), so nothing
/// behind it is looked at. No IMAP client uses them as tags.
const HTTP_VERBS: &[&[u8]] =
    &[b"GET", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"CONNECT", b"DELETE", b"TRACE", b"PATCH", b"PRI"];

/// Octets of the longest of [`HTTP_VERBS`].
const HTTP_VERB_BYTES_MAX: usize = 7;

/// What one command may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FramerLimits {
    /// Octets outside of literals, line ends included.
    pub line_bytes_max: usize,
    /// Octets of one gathered literal.
    pub literal_bytes_max: u64,
    /// Octets of all gathered literals.
    pub literals_bytes_max: u64,
    /// Gathered literals.
    pub literals_max: usize,
}

impl FramerLimits {
    /// The limits before and after login.
    pub const fn of(logged_in: bool) -> Self {
        if logged_in {
            Self {
                line_bytes_max: limits::LINE_BYTES_MAX,
                literal_bytes_max: limits::LITERAL_BYTES_MAX,
                literals_bytes_max: limits::LITERALS_BYTES_MAX,
                literals_max: limits::LITERALS_MAX,
            }
        } else {
            Self {
                line_bytes_max: limits::LINE_BYTES_BEFORE_LOGIN_MAX,
                literal_bytes_max: limits::LITERAL_BYTES_BEFORE_LOGIN_MAX,
                literals_bytes_max: limits::LITERALS_BYTES_BEFORE_LOGIN_MAX,
                literals_max: limits::LITERALS_BEFORE_LOGIN_MAX,
            }
        }
    }
}

/// What [`Framer::advance`] came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Framed {
    /// More octets are needed; [`Framer::in_literal`] says what for.
    Incomplete,
    /// A whole command without its line end, literals in place as `{n}\r\n` and octets. [`Framer::take`] it.
    Command,
    /// A synchronising literal was announced and will be gathered: send `+` and go on.
    Continue,
    /// A literal that streams was announced; none of it is consumed. [`Framer::take`] gives the text up to and
    /// including the announcement. The command goes on with [`Framer::resume`] or is given up with [`Framer::abandon`].
    Streamed(LiteralMark),
    /// Broken; what could be read past has been.
    Broken(FramingError),
}

/// Why there is no command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FramingError {
    /// The command's tag, if it had one.
    pub tag: Option<String>,
    /// TOOBIG or LIMIT, when it was a limit.
    pub code: Option<Code<'static>>,
    /// For a person.
    pub text: Cow<'static, str>,
    /// Where the next command would begin is unknown: answer, say BYE and close. [`Framer::advance`] repeats it.
    pub fatal: bool,
}

/// Gathers one command at a time. Idle, it holds no memory beyond itself.
#[derive(Debug, Default)]
pub struct Framer {
    command: Vec<u8>,
    /// Where the line now being gathered begins in `command`.
    line_start: usize,
    /// Octets gathered outside of literals.
    line_bytes: usize,
    literals_bytes: u64,
    literals: usize,
    /// A literal of this command was streamed: all further ones do, until its end.
    resumed: bool,
    state: State,
}

#[derive(Debug, Default)]
enum State {
    /// Gathering a line.
    #[default]
    Line,
    /// Gathering a literal.
    Literal { left: u64 },
    /// A whole command waits to be taken.
    Whole,
    /// A literal was announced that somebody else reads.
    Streamed(LiteralMark),
    /// Reading past the rest of a refused command.
    Skip(Skip),
    /// A fatal error was reported.
    Dead(FramingError),
}

/// The rest of a command that nobody wants.
#[derive(Debug)]
struct Skip {
    /// Octets of the literal still to come.
    literal: u64,
    /// The line behind it: it may announce another literal.
    line: Vec<u8>,
    /// Octets that may still be read past.
    budget: u64,
    /// Reported at the end; `None` when the command was answered already.
    error: Option<FramingError>,
}

/// How reading past a command goes.
enum Skipped {
    /// It is not over yet.
    Goes,
    /// The next octet begins a command.
    Over,
    /// More would have to be read past than is worth it, or nobody can tell how much.
    TooMuch,
}

impl Framer {
    /// Nothing gathered.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what it needs of `input`: how many octets it consumed, and what that came to.
    ///
    /// `streams` is asked when a literal is announced, with the command up to and including the announcement, whether
    /// somebody else will read the literal.
    pub fn advance(
        &mut self,
        input: &[u8],
        limits: &FramerLimits,
        streams: &dyn Fn(&[u8]) -> bool,
    ) -> (usize, Framed) {
        let mut consumed = 0;
        loop {
            let rest = &input[consumed..];
            let (octets, framed) = match &mut self.state {
                State::Whole => (0, Some(Framed::Command)),
                State::Streamed(mark) => (0, Some(Framed::Streamed(*mark))),
                State::Dead(error) => (0, Some(Framed::Broken(error.clone()))),
                _ if rest.is_empty() => (0, Some(Framed::Incomplete)),
                State::Line => self.line(rest, limits, streams),
                State::Literal { left } => {
                    let octets = at_most(rest, *left);
                    self.command.extend_from_slice(octets);
                    *left -= octets.len() as u64;
                    if *left == 0 {
                        self.line_start = self.command.len();
                        self.state = State::Line;
                    }
                    (octets.len(), None)
                }
                State::Skip(skip) => {
                    let (octets, skipped) = skip.advance(rest, limits);
                    (octets, self.skipped(&skipped))
                }
            };
            consumed += octets;
            if let Some(framed) = framed {
                return (consumed, framed);
            }
        }
    }

    /// Does it wait for a literal's octets, rather than for a line?
    pub fn in_literal(&self) -> bool {
        match &self.state {
            State::Literal { .. } | State::Streamed(_) => true,
            State::Skip(skip) => skip.literal > 0,
            State::Line | State::Whole | State::Dead(_) => false,
        }
    }

    /// The gathered octets, and with them their memory. After [`Framed::Command`] the next octet begins a command.
    pub fn take(&mut self) -> Vec<u8> {
        let command = std::mem::take(&mut self.command);
        if matches!(self.state, State::Whole) {
            self.clear();
        }
        command
    }

    /// Forgets everything: the next octet begins a command.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The streamed literal has been read; the same rules for the rest of its command. Further literals of this command
    /// are streamed too, without asking.
    pub fn resume(&mut self) {
        if matches!(self.state, State::Streamed(_)) {
            *self = Self { resumed: true, ..Self::default() };
        }
    }

    /// The command was answered before it was read to its end. `literal` is what is left of its streamed literal,
    /// `None` when that was read whole. The rest is read past silently; nothing is, when the client still waits for `+`.
    pub fn abandon(&mut self, literal: Option<LiteralMark>) {
        match literal {
            Some(LiteralMark { sync: true, .. }) => self.clear(),
            Some(mark) => {
                self.skip(mark.octets, None);
            }
            None if matches!(self.state, State::Streamed(_)) => {
                self.skip(0, None);
            }
            None => {}
        }
    }

    /// One line, or as much of it as there is.
    fn line(
        &mut self,
        input: &[u8],
        limits: &FramerLimits,
        streams: &dyn Fn(&[u8]) -> bool,
    ) -> (usize, Option<Framed>) {
        if self.speaks_http(input) {
            return (0, Some(self.die(None, "This is an IMAP server")));
        }
        let end = memchr::memchr(b'\n', input);
        let octets = &input[..end.map_or(input.len(), |end| end + 1)];
        let room = limits.line_bytes_max.saturating_sub(self.line_bytes);
        if octets.len() > room {
            // What fits is kept for the sake of the tag.
            self.command.extend_from_slice(&octets[..room]);
            return (0, Some(self.die(None, "The command line is too long")));
        }
        self.line_bytes += octets.len();
        self.command.extend_from_slice(octets);
        if end.is_none() {
            return (octets.len(), None);
        }
        let line = without_line_end(&self.command[self.line_start..]).len();
        self.command.truncate(self.line_start + line);
        (octets.len(), self.line_ended(limits, streams))
    }

    /// A line is gathered, its end taken off: the command is whole, or a literal follows.
    fn line_ended(&mut self, limits: &FramerLimits, streams: &dyn Fn(&[u8]) -> bool) -> Option<Framed> {
        let mark = match Announced::at_end_of(&self.command[self.line_start..]) {
            Announced::Nothing => {
                self.state = State::Whole;
                return Some(Framed::Command);
            }
            Announced::OutOfRange { sync } => return self.refuse(sync, u64::MAX, Code::TooBig),
            Announced::Literal(mark) => mark,
        };
        self.command.extend_from_slice(b"\r\n");
        if self.resumed || streams(&self.command) {
            self.state = State::Streamed(mark);
            return Some(Framed::Streamed(mark));
        }
        if mark.octets > limits.literal_bytes_max {
            return self.refuse(mark.sync, mark.octets, Code::TooBig);
        }
        self.literals += 1;
        self.literals_bytes += mark.octets;
        if self.literals > limits.literals_max || self.literals_bytes > limits.literals_bytes_max {
            return self.refuse(mark.sync, mark.octets, Code::Limit);
        }
        if mark.octets == 0 {
            self.line_start = self.command.len();
        } else {
            self.state = State::Literal { left: mark.octets };
        }
        mark.sync.then_some(Framed::Continue)
    }

    /// Is this command an HTTP request? Only its first word is looked at, once it is whole.
    fn speaks_http(&self, input: &[u8]) -> bool {
        if self.resumed || self.line_start > 0 || self.command.len() > HTTP_VERB_BYTES_MAX {
            return false;
        }
        HTTP_VERBS.iter().any(|verb| {
            let begin = self.command.iter().chain(input).take(verb.len() + 1);
            begin.eq(verb.iter().chain(b" "))
        })
    }

    /// Refuses an announced literal and with it the command.
    fn refuse(&mut self, sync: bool, octets: u64, code: Code<'static>) -> Option<Framed> {
        let text = match code {
            Code::TooBig => "The literal is too large",
            _ => "The literals of this command are too many or too large together",
        };
        let error = self.error(Some(code), text);
        if sync {
            self.clear();
            return Some(Framed::Broken(error));
        }
        self.skip(octets, Some(error))
    }

    /// Begins to read past a literal and the rest of its command.
    fn skip(&mut self, octets: u64, error: Option<FramingError>) -> Option<Framed> {
        let Some(budget) = limits::SKIP_BYTES_MAX.checked_sub(octets) else {
            return Some(self.too_much(error));
        };
        let skip = Skip { literal: octets, line: Vec::new(), budget, error };
        *self = Self { state: State::Skip(skip), ..Self::default() };
        None
    }

    /// What follows from a step of reading past.
    fn skipped(&mut self, skipped: &Skipped) -> Option<Framed> {
        let State::Skip(skip) = &mut self.state else { return None };
        let error = match skipped {
            Skipped::Goes => return None,
            Skipped::Over | Skipped::TooMuch => skip.error.take(),
        };
        if matches!(skipped, Skipped::TooMuch) {
            return Some(self.too_much(error));
        }
        self.clear();
        error.map(Framed::Broken)
    }

    /// The rest of the command is too much to read past: the error that is owed becomes the last one.
    fn too_much(&mut self, owed: Option<FramingError>) -> Framed {
        let error = owed.unwrap_or_else(|| FramingError {
            tag: None,
            code: Some(Code::TooBig),
            text: "The literal is too large to be read past".into(),
            fatal: true,
        });
        self.dead(FramingError { fatal: true, ..error })
    }

    fn die(&mut self, code: Option<Code<'static>>, text: &'static str) -> Framed {
        let error = FramingError { fatal: true, ..self.error(code, text) };
        self.dead(error)
    }

    fn dead(&mut self, error: FramingError) -> Framed {
        *self = Self { state: State::Dead(error.clone()), ..Self::default() };
        Framed::Broken(error)
    }

    /// An error about the command gathered so far, by its tag.
    fn error(&self, code: Option<Code<'static>>, text: &'static str) -> FramingError {
        // The tag of a resumed command went away with the text that was taken; whoever took it knows it.
        let tag = if self.resumed { None } else { tag_of(&self.command) };
        FramingError { tag, code, text: text.into(), fatal: false }
    }
}

impl Skip {
    /// Reads past what it can of `input`.
    fn advance(&mut self, input: &[u8], limits: &FramerLimits) -> (usize, Skipped) {
        if self.literal > 0 {
            let octets = at_most(input, self.literal).len();
            self.literal -= octets as u64;
            return (octets, Skipped::Goes);
        }
        let end = memchr::memchr(b'\n', input);
        let octets = &input[..end.map_or(input.len(), |end| end + 1)];
        if self.line.len() + octets.len() > limits.line_bytes_max || octets.len() as u64 > self.budget {
            return (0, Skipped::TooMuch);
        }
        self.budget -= octets.len() as u64;
        self.line.extend_from_slice(octets);
        if end.is_none() {
            return (octets.len(), Skipped::Goes);
        }
        let announced = Announced::at_end_of(without_line_end(&self.line));
        self.line.clear();
        (octets.len(), self.line_ended(announced))
    }

    fn line_ended(&mut self, announced: Announced) -> Skipped {
        match announced {
            // The client waits for a `+` that never comes: it gets the answer to its command instead.
            Announced::Nothing
            | Announced::OutOfRange { sync: true }
            | Announced::Literal(LiteralMark { sync: true, .. }) => Skipped::Over,
            Announced::OutOfRange { sync: false } => Skipped::TooMuch,
            Announced::Literal(mark) => match self.budget.checked_sub(mark.octets) {
                Some(budget) => {
                    self.budget = budget;
                    self.literal = mark.octets;
                    Skipped::Goes
                }
                None => Skipped::TooMuch,
            },
        }
    }
}

/// The first octets of the input, `octets` at most.
fn at_most(input: &[u8], octets: u64) -> &[u8] {
    &input[..usize::try_from(octets).map_or(input.len(), |octets| octets.min(input.len()))]
}

/// A line without LF or CRLF.
fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The tag of a command that need not be whole or well-formed.
fn tag_of(command: &[u8]) -> Option<String> {
    let end = command.iter().position(|&octet| !is_tag_char(octet))?;
    let tag = (1..=limits::TAG_BYTES_MAX).contains(&end) && command[end] == b' ';
    tag.then(|| String::from_utf8_lossy(&command[..end]).into_owned())
}
