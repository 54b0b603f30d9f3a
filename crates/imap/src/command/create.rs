//! CREATE (RFC 9051 6.3.4) with `USE` (RFC 6154 3) and MAILBOXID (RFC 8474 4.1).

use account::{Draft, NewMailbox, Pending};

use super::{Command, Cx, Done, Outcome, Syntax};
use crate::limits;
use crate::registry::{CommandRow, UidForm, never};
use crate::response::{Code, list};
use crate::session::{Mode, States};
use crate::wire::{Bad, MailboxArg, Reader};

pub(crate) const CREATE: CommandRow = CommandRow {
    name: "CREATE",
    states: States::LOGGED_IN,
    uid: UidForm::No,
    numbers: false,
    streams: never,
    parse,
};

struct Create {
    name: MailboxArg,
    roles: Vec<String>,
}

/// `create = "CREATE" SP mailbox [SP "(" "USE" SP "(" [use-attr *(SP use-attr)] ")" ")"]`
fn parse(reader: &mut Reader<'_>, syntax: &Syntax) -> Result<Box<dyn Command>, Bad> {
    reader.sp()?;
    let name = reader.new_mailbox(syntax.modes.utf8_names())?;
    let mut roles = Vec::new();
    if reader.eat(b" (") {
        if !reader.eat_word("USE") {
            return Err(reader.bad("The only parameter of CREATE is USE"));
        }
        reader.sp()?;
        reader.expect(b"(")?;
        while !reader.eat(b")") {
            if !roles.is_empty() {
                reader.sp()?;
            }
            if roles.len() >= limits::ROLES_MAX {
                return Err(reader.bad("Too many special uses"));
            }
            reader.expect(b"\\")?;
            roles.push(format!("\\{}", String::from_utf8_lossy(reader.atom()?)));
        }
        reader.expect(b")")?;
    }
    reader.end()?;
    Ok(Box::new(Create { name, roles }))
}

impl Command for Create {
    fn run<'a>(self: Box<Self>, cx: &'a mut Cx<'_>) -> Pending<'a, Outcome> {
        Box::pin(async move {
            let name = self.name.new_name()?.clone();
            let mailbox =
                NewMailbox { name: name.clone(), roles: self.roles, subscribe: false, uid_validity: None };
            let receipt = cx.commit(Draft::Create { mailboxes: vec![mailbox] }).await?;
            if let Some(given) = self.name.denormal().filter(|_| cx.session.modes.has(Mode::Rev2)) {
                // RFC 9051 6.3.4: the client is told under which name it finds what it created.
                let account = cx.account()?.account();
                list::mailbox(&mut cx.writer(), &account, &name, Some(given));
            }
            match receipt.mailbox {
                Some(id) => Done::with(Code::MailboxId(id), "CREATE completed"),
                None => Done::ok("CREATE completed"),
            }
        })
    }
}
