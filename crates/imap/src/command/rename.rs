//! RENAME (RFC 9051 6.3.6): with all that is below, in one entry; of INBOX it moves the messages.

use account::{Draft, Pending};

use super::{Command, Cx, Done, Outcome};
use crate::registry::{CommandRow, UidForm, never};
use crate::response::list;
use crate::session::{Mode, States};
use crate::wire::MailboxArg;

pub(crate) const RENAME: CommandRow = CommandRow {
    name: "RENAME",
    states: States::LOGGED_IN,
    uid: UidForm::No,
    numbers: false,
    streams: never,
    parse: |reader, syntax| {
        reader.sp()?;
        let from = reader.mailbox(syntax.modes.utf8_names())?;
        reader.sp()?;
        let to = reader.mailbox(syntax.modes.utf8_names())?;
        reader.end()?;
        Ok(Box::new(Rename { from, to }))
    },
};

struct Rename {
    from: MailboxArg,
    to: MailboxArg,
}

impl Command for Rename {
    fn run<'a>(self: Box<Self>, cx: &'a mut Cx<'_>) -> Pending<'a, Outcome> {
        Box::pin(async move {
            let (from, to) = (self.from.existing()?.clone(), self.to.new_name()?.clone());
            cx.commit(Draft::Rename { from: from.clone(), to: to.clone() }).await?;
            let denormal = self.from.denormal().is_some() || self.to.denormal().is_some();
            if denormal && cx.session.modes.has(Mode::Rev2) {
                // RFC 9051 6.3.6: what was asked for and what there is now, when either was written otherwise.
                let account = cx.account()?.account();
                let given = self.from.denormal().unwrap_or(from.as_str());
                list::mailbox(&mut cx.writer(), &account, &to, Some(given));
            }
            Done::ok("RENAME completed")
        })
    }
}
