//! EXPUNGE (RFC 9051 6.4.3) and UID EXPUNGE (6.4.9, RFC 4315).

use account::{Draft, Modseq, Pending, SequenceSet};

use super::{Command, Cx, Done, Outcome, Syntax};
use crate::registry::{CommandRow, UidForm, never};
use crate::response::Code;
use crate::session::{Mode, States};
use crate::wire::{Bad, Reader};

pub(crate) const EXPUNGE: CommandRow = CommandRow {
    name: "EXPUNGE",
    states: States::SELECTED,
    uid: UidForm::Both,
    numbers: false,
    streams: never,
    parse,
};

struct Expunge {
    /// UID EXPUNGE only.
    set: Option<SequenceSet>,
}

fn parse(reader: &mut Reader<'_>, syntax: &Syntax) -> Result<Box<dyn Command>, Bad> {
    let set = if syntax.by_uid {
        reader.sp()?;
        Some(reader.sequence_set()?)
    } else {
        None
    };
    reader.end()?;
    Ok(Box::new(Expunge { set }))
}

impl Command for Expunge {
    fn run<'a>(self: Box<Self>, cx: &'a mut Cx<'_>) -> Pending<'a, Outcome> {
        Box::pin(async move {
            let selected = cx.writable()?;
            let (mailbox, everything) = (selected.mailbox, selected.view.uids());
            let uids = match &self.set {
                Some(set) => cx.resolve(set)?,
                None => everything,
            };
            let receipt = cx.commit(Draft::Expunge { mailbox, uids, only_deleted: true }).await?;
            completed(cx, receipt.modseq, "EXPUNGE completed")
        })
    }
}

/// The tagged OK of what removed messages from the selected mailbox: with the mailbox's new highest mod-sequence, so that
/// a client that goes offline now need not ask for it (RFC 7162 3.2.7). `None`: nothing was removed.
pub(crate) fn completed(cx: &Cx<'_>, modseq: Option<Modseq>, text: &'static str) -> Outcome {
    match modseq {
        Some(modseq) if cx.session.modes.has(Mode::CondStore) => {
            Done::with(Code::HighestModseq(modseq), text)
        }
        _ => Done::ok(text),
    }
}
