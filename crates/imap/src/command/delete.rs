//! DELETE (RFC 9051 6.3.5).

use account::{Draft, Pending};

use super::{Command, Cx, Done, Failure, Outcome};
use crate::registry::{CommandRow, UidForm, never};
use crate::response::{Code, list};
use crate::session::{Mode, State, States};
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
            let account = cx.account()?.account();
            let id = account.directory().mailbox(&name).map(|facts| facts.id);
            if id.is_none() && account.directory().has_children(&name) {
                // RFC 9051 6.3.5: a name that is only the parent of others cannot be deleted before they are.
                return Err(Failure::no(Code::HasChildren, "Nothing but a parent of other mailboxes"));
            }
            cx.commit(Draft::Delete { name: name.clone() }).await?;
            if let Some(given) = self.0.denormal().filter(|_| cx.session.modes.has(Mode::Rev2)) {
                // RFC 9051 6.3.5: the client is told what it is that no longer exists.
                let old = Some(list::Extended::OldName(given));
                list::line(&mut cx.writer(), "LIST", &["\\NonExistent"], name.as_str(), old);
            }
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
