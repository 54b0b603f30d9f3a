//! CLOSE (RFC 9051 6.4.1) and UNSELECT (6.4.2, RFC 3691).

use account::{Draft, Pending};

use super::{Command, Cx, Done, Failure, Outcome};
use crate::registry::{CommandRow, UidForm, never};
use crate::session::States;

pub(crate) const CLOSE: CommandRow = CommandRow {
    name: "CLOSE",
    states: States::SELECTED,
    uid: UidForm::No,
    numbers: false,
    streams: never,
    parse: |reader, _| {
        reader.end()?;
        Ok(Box::new(Close { expunge: true }))
    },
};

pub(crate) const UNSELECT: CommandRow = CommandRow {
    name: "UNSELECT",
    parse: |reader, _| {
        reader.end()?;
        Ok(Box::new(Close { expunge: false }))
    },
    ..CLOSE
};

struct Close {
    expunge: bool,
}

impl Command for Close {
    fn run<'a>(self: Box<Self>, cx: &'a mut Cx<'_>) -> Pending<'a, Outcome> {
        Box::pin(async move {
            let selected = cx.selected()?;
            if self.expunge && !selected.read_only {
                // Only what this session has seen: a message another session adds with \Deleted is not ours to remove.
                let (mailbox, uids) = (selected.mailbox, selected.view.uids());
                match cx.commit(Draft::Expunge { mailbox, uids, only_deleted: true }).await {
                    // The mailbox was deleted meanwhile: there is nothing to remove.
                    Ok(_) | Err(Failure::No(..)) => {}
                    Err(failure) => return Err(failure),
                }
            }
            cx.session.deselect();
            Done::ok(if self.expunge { "CLOSE completed" } else { "UNSELECT completed" })
        })
    }
}
