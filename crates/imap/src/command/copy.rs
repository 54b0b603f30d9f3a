//! COPY and MOVE with their UID forms (RFC 9051 6.4.7, 6.4.8; RFC 6851; COPYUID of RFC 4315).

use account::{Draft, MailboxId, Pending, Refusal, SequenceSet};

use super::{Command, Cx, Done, Failure, Outcome, Syntax, expunge};
use crate::registry::{CommandRow, UidForm, never};
use crate::response::{Code, status};
use crate::session::States;
use crate::wire::{Bad, MailboxArg, Reader};

pub(crate) const COPY: CommandRow = CommandRow {
    name: "COPY",
    states: States::SELECTED,
    uid: UidForm::Both,
    numbers: true,
    streams: never,
    parse: |reader, syntax| parse(reader, syntax, false),
};

pub(crate) const MOVE: CommandRow =
    CommandRow { name: "MOVE", parse: |reader, syntax| parse(reader, syntax, true), ..COPY };

struct Copy {
    set: SequenceSet,
    to: MailboxArg,
    moves: bool,
}

fn parse(reader: &mut Reader<'_>, syntax: &Syntax, moves: bool) -> Result<Box<dyn Command>, Bad> {
    reader.sp()?;
    let set = reader.sequence_set()?;
    reader.sp()?;
    let to = reader.mailbox(syntax.modes.utf8_names())?;
    reader.end()?;
    Ok(Box::new(Copy { set, to, moves }))
}

impl Command for Copy {
    fn run<'a>(self: Box<Self>, cx: &'a mut Cx<'_>) -> Pending<'a, Outcome> {
        Box::pin(async move {
            if self.moves {
                cx.writable()?;
            }
            let uids = cx.resolve(&self.set)?;
            let from = cx.selected()?.mailbox;
            let to = destination(cx, &self.to)?;
            if uids.is_empty() {
                return Done::ok("Nothing to do");
            }
            let draft =
                if self.moves { Draft::Move { from, uids, to } } else { Draft::Copy { from, uids, to } };
            let receipt = match cx.account()?.commit(draft).await {
                // The destination vanished between look-up and commit, or the selected mailbox did, with its messages.
                Err(account::CommitError::Refused(Refusal::NonExistent)) => {
                    let now = cx.account()?.account();
                    return Err(match now.directory().mailbox_by_id(from) {
                        Some(_) => try_create(),
                        None => gone(),
                    });
                }
                other => other?,
            };
            let completed = if self.moves { "MOVE completed" } else { "COPY completed" };
            let Some(validity) = receipt.uid_validity.filter(|_| !receipt.uids.is_empty()) else {
                return Err(gone());
            };
            let code = Code::CopyUid(validity, receipt.source, receipt.uids);
            if !self.moves {
                return Done::with(code, completed);
            }
            // RFC 6851 4.3: COPYUID goes ahead of the expunges, in an untagged OK.
            status::untagged_ok(cx.peer.output(), Some(&code), "Moved");
            cx.told.announce = true;
            expunge::completed(cx, receipt.modseq, completed)
        })
    }
}

/// The mailbox a message is to be put in; `NO [TRYCREATE]` when it could be created (RFC 9051 6.3.12, 6.4.7).
pub(crate) fn destination(cx: &Cx<'_>, name: &MailboxArg) -> Result<MailboxId, Failure> {
    let name = name.existing()?;
    cx.account()?.account().directory().mailbox(name).map(|facts| facts.id).ok_or_else(try_create)
}

fn try_create() -> Failure {
    Failure::no(Code::TryCreate, "No such mailbox; it could be created")
}

/// RFC 5530 3: all of the messages were expunged, which this session may not have been told yet.
fn gone() -> Failure {
    Failure::no(Code::ExpungeIssued, "The messages are gone")
}
