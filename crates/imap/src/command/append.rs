//! APPEND (RFC 9051 6.3.12) with MULTIAPPEND (RFC 3502): messages stream to the store while they arrive, and appear
//! together, in one entry, or not at all.

use account::{BlobId, Draft, FlagNames, InternalDate, MailboxId, NewMessage, Pending};

use super::copy::destination;
use super::{Command, Cx, Done, Failure, Outcome, Syntax};
use crate::limits;
use crate::peer::{Fill, Wait};
use crate::registry::{CommandRow, UidForm};
use crate::response::{Code, status};
use crate::session::States;
use crate::wire::{Bad, LiteralMark, MailboxArg, Reader};

pub(crate) const APPEND: CommandRow = CommandRow {
    name: "APPEND",
    states: States::LOGGED_IN,
    uid: UidForm::No,
    numbers: false,
    streams: |reader| reader.sp().is_ok() && reader.astring().is_ok(),
    parse,
};

struct Append {
    to: MailboxArg,
    first: Options,
}

/// `append-opts`: what stands before a message's literal.
pub(crate) struct Options {
    flags: FlagNames,
    date: Option<InternalDate>,
    /// The literal came as `UTF8 (~{n}`, so a parenthesis closes behind it.
    wrapped: bool,
}

impl Options {
    /// `[SP flag-list] [SP date-time] SP (literal / "UTF8" SP "(" literal8 ")")`, up to where the literal is announced. The
    /// second form is RFC 6855's; RFC 9755 needs it no more, but clients of the former send it.
    pub(crate) fn parse(reader: &mut Reader<'_>) -> Result<Self, Bad> {
        reader.sp()?;
        let mut options = Self { flags: FlagNames::default(), date: None, wrapped: false };
        if reader.peek() == Some(b'(') {
            options.flags = reader.flag_list()?;
            reader.sp()?;
        }
        if reader.peek() == Some(b'"') {
            options.date = Some(reader.date_time()?);
            reader.sp()?;
        }
        if reader.eat_word("UTF8") {
            reader.expect(b" (")?;
            options.wrapped = true;
        }
        reader.announced_literal()?;
        Ok(options)
    }

    /// What stands behind the message of these options: the end of the command, or the options of the next (RFC 3502).
    pub(crate) async fn following(cx: &mut Cx<'_>, wrapped: bool) -> Result<Option<Self>, Failure> {
        let piece = cx.next_piece().await?;
        let mut reader = Reader::new(&piece);
        let closed = if wrapped { reader.expect(b")") } else { Ok(()) };
        let parsed = closed.and_then(|()| match cx.literal {
            None => reader.end().map(|()| None),
            Some(_) => Self::parse(&mut reader).map(Some),
        });
        parsed.map_err(|bad| Failure::bad(bad.to_string()))
    }

    /// See [`Options::following`].
    pub(crate) const fn wrapped(&self) -> bool {
        self.wrapped
    }
}

/// `append = "APPEND" SP mailbox 1*append-message`
fn parse(reader: &mut Reader<'_>, syntax: &Syntax) -> Result<Box<dyn Command>, Bad> {
    reader.sp()?;
    let to = reader.mailbox(syntax.modes.utf8_names())?;
    let first = Options::parse(reader)?;
    Ok(Box::new(Append { to, first }))
}

impl Command for Append {
    fn run<'a>(self: Box<Self>, cx: &'a mut Cx<'_>) -> Pending<'a, Outcome> {
        Box::pin(async move {
            let mailbox = destination(cx, &self.to)?;
            let mut messages = Vec::new();
            let mut options = Some(self.first);
            while let Some(next) = options.take() {
                if messages.len() >= limits::APPEND_MESSAGES_MAX {
                    return Err(Failure::no(Code::Limit, "Too many messages in one APPEND"));
                }
                let wrapped = next.wrapped();
                messages.push(receive(cx, next).await?);
                options = Options::following(cx, wrapped).await?;
            }
            store(cx, mailbox, messages).await
        })
    }
}

async fn store(cx: &mut Cx<'_>, mailbox: MailboxId, messages: Vec<NewMessage>) -> Outcome {
    let receipt = cx.commit(Draft::Append { mailbox, messages }).await?;
    match receipt.uid_validity {
        Some(validity) => Done::with(Code::AppendUid(validity, receipt.uids), "APPEND completed"),
        None => Done::ok("APPEND completed"),
    }
}

/// Takes the announced message into the store. On failure the octets still to come are left in `cx.literal`.
pub(crate) async fn receive(cx: &mut Cx<'_>, options: Options) -> Result<NewMessage, Failure> {
    let announced = cx.literal.ok_or_else(|| Failure::bad("A message literal is missing"))?;
    if announced.octets > cx.host().settings().message_bytes_max {
        return Err(Failure::no(Code::TooBig, "The message is larger than this server takes"));
    }
    if announced.octets == 0 {
        // RFC 3502 6.3.11: a zero-length literal cancels the command.
        return Err(Failure::No(None, "An empty message cancels APPEND".into()));
    }
    let blob = upload(cx, announced).await?;
    let now = cx.host().now();
    let internal_date =
        options.date.unwrap_or(InternalDate { seconds: (now.0 / 1000) as i64, zone_minutes: 0 });
    Ok(NewMessage { blob, size: announced.octets, internal_date, flags: options.flags, uid: None })
}

async fn upload(cx: &mut Cx<'_>, announced: LiteralMark) -> Result<BlobId, Failure> {
    let mut upload = cx.account()?.upload();
    if announced.sync {
        status::continuation(cx.peer.output(), "Ready for the message");
        cx.peer.drain().await?;
    }
    let mut left = announced.octets;
    let mut nul = false;
    while left > 0 {
        // From here on the octets are on their way: whoever fails leaves them to be read past.
        cx.literal = Some(LiteralMark { octets: left, sync: false, ..announced });
        if cx.peer.input().is_empty() {
            cx.peer.drain().await?;
            if cx.peer.fill(Wait::Literal).await != Fill::More {
                return Err(Failure::Gone);
            }
            continue;
        }
        let octets = cx.peer.input();
        let octets = &octets[..octets.len().min(usize::try_from(left).unwrap_or(usize::MAX))];
        let taken = octets.len();
        nul |= !announced.binary && memchr::memchr(0, octets).is_some();
        upload.write(octets).await?;
        cx.peer.consume(taken);
        left -= taken as u64;
    }
    cx.literal = None;
    if nul {
        // RFC 9051 4.3: NUL travels in literal8 only. The rest of the command is read past like an unwanted literal.
        cx.literal = Some(LiteralMark { octets: 0, sync: false, ..announced });
        return Err(Failure::No(Some(Code::UnknownCte), "NUL octets need a literal8".into()));
    }
    Ok(upload.finish().await?)
}
