//! SEARCH and UID SEARCH (RFC 9051 6.4.4): the verb. Its keys are rows of the socket *search keys*, its return options rows
//! of *search returns*. Correct and linear: the cheapest knowledge that decides a message is the last that is asked for.

mod answer;
mod header;
mod keys;
mod program;
mod sets;
mod text;

use account::{InternalDate, Keywords, Millis, OpenAccount, Pending, Row, UidSet, View};
use message::{SearchText, Summary};

use super::{Command, Cx, Failure, Outcome, Syntax};
use crate::limits;
use crate::registry::{CommandRow, UidForm, never};
use crate::response::Code;
use crate::session::{Mode, States};
use crate::wire::{Bad, Reader};

pub(crate) use answer::{Returns, SearchReturnRow};
pub(crate) use header::KEYS as HEADER_KEYS;
pub(crate) use keys::{Everything, KEYS};
pub(crate) use program::{Program, breathe};
pub(crate) use text::KEYS as TEXT_KEYS;

pub(crate) const SEARCH: CommandRow = CommandRow {
    name: "SEARCH",
    states: States::SELECTED,
    uid: UidForm::Both,
    numbers: true,
    streams: never,
    parse,
};

/// What a key must look at, from cheap to dear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Needs {
    /// The mailbox's columns.
    Row,
    /// What was derived from the message's header and structure.
    Summary,
    /// The folded text made at delivery.
    Text,
    /// The message's octets.
    Body,
}

/// A message that may match.
pub(crate) struct Candidate<'a> {
    pub row: Row,
    pub recent: bool,
    pub now: Millis,
    pub account: &'a dyn OpenAccount,
    pub summary: Option<Summary<'a>>,
    pub text: Option<SearchText<'a>>,
}

/// What keys may look up once before the search begins.
pub(crate) struct Binder<'a> {
    pub view: &'a View,
    pub keywords: &'a Keywords,
    pub saved: &'a UidSet,
}

/// A key with its arguments.
pub(crate) trait SearchKey: Send + Sync {
    /// The dearest thing it may look at.
    fn needs(&self) -> Needs;

    /// Resolves sets and keywords against the mailbox.
    fn bind(&mut self, _binder: &Binder<'_>) -> Result<(), Failure> {
        Ok(())
    }

    /// Does the message match? `None`: not to be said from what the candidate holds so far.
    fn matches(&self, candidate: &Candidate<'_>) -> Option<bool>;

    /// Says it from the octets; only for keys that [`Needs::Body`].
    fn look<'a>(&'a self, candidate: &'a Candidate<'_>) -> Pending<'a, Result<bool, Failure>> {
        let known = self.matches(candidate).unwrap_or(false);
        Box::pin(async move { Ok(known) })
    }

    /// Does it speak of mod-sequences, so that the answer must too (RFC 7162 3.1.5)?
    fn modseq(&self) -> bool {
        false
    }
}

/// Reads keys: the cursor, the charset of strings, and how deep and how many.
pub(crate) struct KeyReader<'r, 'a> {
    reader: &'r mut Reader<'a>,
    charset: String,
    keys: usize,
    /// A key was a set of sequence numbers.
    numbers: bool,
}

impl<'a> KeyReader<'_, 'a> {
    /// The cursor, right behind the key's name.
    pub(crate) fn reader(&mut self) -> &mut Reader<'a> {
        self.reader
    }

    /// `SP astring`, decoded from the command's charset and folded for comparison.
    pub(crate) fn folded(&mut self) -> Result<String, Bad> {
        self.reader.sp()?;
        let octets = self.reader.astring()?;
        let decoded = message::charset_decode(&self.charset, &octets).and_then(Result::ok);
        let decoded = decoded.ok_or_else(|| self.reader.bad("The string is not in the charset"))?;
        Ok(message::fold(&decoded).into_owned())
    }

    /// Counts one more key.
    fn count(&mut self) -> Result<(), Bad> {
        self.keys += 1;
        if self.keys > limits::SEARCH_KEYS_MAX {
            Err(self.reader.bad("Too many search keys"))
        } else {
            Ok(())
        }
    }
}

/// The calendar date of an instant as written in its zone, in days since 1970-01-01 (RFC 9051 6.4.4: "disregarding time
/// and timezone").
pub(crate) const fn day_of(date: InternalDate) -> i64 {
    (date.seconds + date.zone_minutes as i64 * 60).div_euclid(86_400)
}

struct Search {
    returns: Option<Returns>,
    program: Program,
}

/// `search = "SEARCH" [search-return-opts] SP search-program`
fn parse(reader: &mut Reader<'_>, syntax: &Syntax) -> Result<Box<dyn Command>, Bad> {
    let returns = Returns::parse(reader, syntax)?;
    reader.sp()?;
    let mut charset = "UTF-8".to_owned();
    if reader.eat_word("CHARSET") {
        if syntax.modes.has(Mode::Utf8Accept) {
            // RFC 9755 3
            return Err(reader.bad("No CHARSET once UTF8=ACCEPT is enabled"));
        }
        reader.sp()?;
        charset = String::from_utf8_lossy(&reader.astring()?).into_owned();
        reader.sp()?;
        if message::charset_decode(&charset, b"").is_none() {
            return Ok(Box::new(Refused::Charset { saves: saves(returns.as_ref()) }));
        }
    }
    let mut keys = KeyReader { reader, charset, keys: 0, numbers: false };
    let program = Program::parse(&mut keys)?;
    let numbers = keys.numbers;
    reader.end()?;
    if numbers && syntax.modes.has(Mode::UidOnly) {
        return Ok(Box::new(Refused::Numbers));
    }
    Ok(Box::new(Search { returns, program }))
}

/// Is the result to be kept as `$`?
fn saves(returns: Option<&Returns>) -> bool {
    returns.is_some_and(|returns| returns.save)
}

/// A SEARCH that is well formed and yet is not carried out; the answer's code says why.
enum Refused {
    /// `NO [BADCHARSET (…)]` (RFC 9051 6.4.4)
    Charset { saves: bool },
    /// `BAD [UIDREQUIRED]` (RFC 9586 3.2): also UID SEARCH may not name messages by sequence number.
    Numbers,
}

impl Command for Refused {
    fn run<'a>(self: Box<Self>, cx: &'a mut Cx<'_>) -> Pending<'a, Outcome> {
        Box::pin(async move {
            match *self {
                Self::Charset { saves } => {
                    if saves {
                        // RFC 5182 2.1: NO leaves the empty result behind.
                        cx.selected()?.saved = UidSet::new();
                    }
                    Err(Failure::no(Code::BadCharset(message::CHARSETS), "Unknown charset"))
                }
                Self::Numbers => Err(Failure::Bad(
                    Some(Code::UidRequired),
                    "Message sequence numbers are not allowed once UIDONLY is enabled".into(),
                )),
            }
        })
    }
}

impl Command for Search {
    fn run<'a>(mut self: Box<Self>, cx: &'a mut Cx<'_>) -> Pending<'a, Outcome> {
        Box::pin(async move {
            if self.program.modseq() {
                cx.enable_condstore(Mode::CondStore)?;
            }
            let selected = cx.selected()?;
            let (view, saved) = (selected.view.clone(), selected.saved.clone());
            let keywords = cx.keywords()?;
            self.program.bind(&Binder { view: &view, keywords: &keywords, saved: &saved })?;
            if saves(self.returns.as_ref()) {
                // RFC 5182 2.1: a search that fails from here on leaves the empty result behind; a BAD one, above, leaves
                // the old.
                cx.selected()?.saved = UidSet::new();
            }
            let found = self.program.search(cx, &view).await?;
            answer::write(cx, &view, found, self.returns.as_ref(), self.program.modseq())
        })
    }
}
