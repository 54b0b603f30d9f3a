//! SUBSCRIBE and UNSUBSCRIBE (RFC 9051 6.3.7, 6.3.8). A subscription is to a name; the mailbox need not exist.

use account::{Draft, Pending};

use super::{Command, Cx, Done, Outcome, Syntax};
use crate::registry::{CommandRow, UidForm, never};
use crate::session::States;
use crate::wire::{Bad, MailboxArg, Reader};

pub(crate) const SUBSCRIBE: CommandRow = CommandRow {
    name: "SUBSCRIBE",
    states: States::LOGGED_IN,
    uid: UidForm::No,
    numbers: false,
    streams: never,
    parse: |reader, syntax| parse(reader, syntax, true),
};

pub(crate) const UNSUBSCRIBE: CommandRow =
    CommandRow { name: "UNSUBSCRIBE", parse: |reader, syntax| parse(reader, syntax, false), ..SUBSCRIBE };

struct Subscribe {
    name: MailboxArg,
    on: bool,
}

fn parse(reader: &mut Reader<'_>, syntax: &Syntax, on: bool) -> Result<Box<dyn Command>, Bad> {
    reader.sp()?;
    let name = reader.new_mailbox(syntax.modes.utf8_names())?;
    reader.end()?;
    Ok(Box::new(Subscribe { name, on }))
}

impl Command for Subscribe {
    fn run<'a>(self: Box<Self>, cx: &'a mut Cx<'_>) -> Pending<'a, Outcome> {
        Box::pin(async move {
            let name = self.name.new_name()?.clone();
            if self.on {
                cx.commit(Draft::Subscribe { name }).await?;
                Done::ok("SUBSCRIBE completed")
            } else {
                cx.commit(Draft::Unsubscribe { name }).await?;
                Done::ok("UNSUBSCRIBE completed")
            }
        })
    }
}
