//! DELETE (RFC 9051 6.3.5).

use account::{Draft, Pending};

use super::{Command, Cx, Done, Outcome};
use crate::registry::{CommandRow, UidForm, never};
use crate::session::{State, States};
use crate::wire::MailboxArg;

pub(crate) const DELETE: CommandRow = CommandRow {
    name: "DELETE",
    states: States::LOGGED_IN,
    uid: UidForm::No,
    numbers: false,
    streams: never,
    parse: |reader, syntax| {
        reader.sp()?;
        let name = reader.mailbox(syntax.modes.utf8_names())?;
        reader.end()?;
        Ok(Box::new(Delete(name)))
    },
};

struct Delete(MailboxArg);

impl Command for Delete {
    fn run<'a>(self: Box<Self>, cx: &'a mut Cx<'_>) -> Pending<'a, Outcome> {
        Box::pin(async move {
            let name = self.0.existing()?.clone();
            let id = cx.account()?.account().directory().mailbox(&name).map(|facts| facts.id);
            cx.commit(Draft::Delete { name }).await?;
            // A client that deletes what it has selected is back in the authenticated state.
            if let State::Selected(_, selected) = &cx.session.state
                && Some(selected.mailbox) == id
            {
                cx.session.deselect();
            }
            Done::ok("DELETE completed")
        })
    }
}
