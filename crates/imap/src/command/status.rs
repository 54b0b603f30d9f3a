//! STATUS (RFC 9051 6.3.11): answered from the directory, without a message column being loaded.

use account::{MailboxFacts, OpenAccount, Pending};

use super::{Command, Cx, Done, Failure, Outcome, Syntax};
use crate::limits;
use crate::registry::{self, CommandRow, StatusFacts, StatusItemRow, UidForm, never};
use crate::response::Code;
use crate::session::{Mode, States};
use crate::wire::{Bad, MailboxArg, Reader, Writer};

pub(crate) const STATUS: CommandRow = CommandRow {
    name: "STATUS",
    states: States::LOGGED_IN,
    uid: UidForm::No,
    numbers: false,
    streams: never,
    parse,
};

/// MESSAGES, UIDNEXT, UIDVALIDITY, UNSEEN, DELETED and SIZE of RFC 9051; RECENT of RFC 3501.
pub(crate) const ITEMS: &[StatusItemRow] = &[
    StatusItemRow {
        name: "MESSAGES",
        enables: None,
        write: |of, writer| writer.number(of.facts.counts.messages.into()),
    },
    StatusItemRow { name: "RECENT", enables: None, write: |of, writer| writer.number(of.recent.into()) },
    StatusItemRow {
        name: "UIDNEXT",
        enables: None,
        write: |of, writer| writer.number(of.facts.uid_next.into()),
    },
    StatusItemRow {
        name: "UIDVALIDITY",
        enables: None,
        write: |of, writer| writer.number(of.facts.uid_validity.value().into()),
    },
    StatusItemRow {
        name: "UNSEEN",
        enables: None,
        write: |of, writer| writer.number(of.facts.counts.unseen.into()),
    },
];

/// The items of one STATUS, or of LIST RETURN (STATUS …).
#[derive(Clone)]
pub(crate) struct StatusItems(Vec<&'static StatusItemRow>);

impl StatusItems {
    /// `"(" status-att *(SP status-att) ")"`
    pub(crate) fn parse(reader: &mut Reader<'_>) -> Result<Self, Bad> {
        reader.expect(b"(")?;
        let mut items = Vec::new();
        loop {
            let row =
                registry::status_item(reader.atom()?).ok_or_else(|| reader.bad("Unknown STATUS item"))?;
            if items.len() >= limits::STATUS_ITEMS_MAX {
                return Err(reader.bad("Too many STATUS items"));
            }
            items.push(row);
            if reader.eat(b")") {
                return Ok(Self(items));
            }
            reader.sp()?;
        }
    }

    /// Modes that asking for these items enables.
    pub(crate) fn enables(&self) -> impl Iterator<Item = Mode> {
        self.0.iter().filter_map(|row| row.enables)
    }

    /// `* STATUS name (item value …)`
    pub(crate) fn write(
        &self,
        facts: &MailboxFacts,
        account: &dyn OpenAccount,
        settings: &crate::Settings,
        writer: &mut Writer<'_>,
    ) {
        let recent = facts.uid_next.saturating_sub(account.recent_floor(facts.id)).min(facts.counts.messages);
        let of = StatusFacts { facts, recent, settings };
        writer.raw(b"* STATUS ");
        writer.mailbox(&facts.name);
        for (place, row) in self.0.iter().enumerate() {
            writer.raw(if place == 0 { b" (" } else { b" " });
            writer.raw(row.name.as_bytes());
            writer.raw(b" ");
            (row.write)(&of, writer);
        }
        writer.raw(b")\r\n");
    }
}

struct Status {
    name: MailboxArg,
    items: StatusItems,
}

fn parse(reader: &mut Reader<'_>, syntax: &Syntax) -> Result<Box<dyn Command>, Bad> {
    reader.sp()?;
    let name = reader.mailbox(syntax.modes.utf8_names())?;
    reader.sp()?;
    let items = StatusItems::parse(reader)?;
    reader.end()?;
    Ok(Box::new(Status { name, items }))
}

impl Command for Status {
    fn run<'a>(self: Box<Self>, cx: &'a mut Cx<'_>) -> Pending<'a, Outcome> {
        Box::pin(async move {
            for mode in self.items.enables() {
                cx.enable_condstore(mode)?;
            }
            let account = cx.account()?;
            let facts = account.account().directory().mailbox(self.name.existing()?).cloned();
            let facts = facts.ok_or_else(|| Failure::no(Code::NonExistent, "No such mailbox"))?;
            let host = cx.host().clone();
            self.items.write(&facts, &*account, host.settings(), &mut cx.writer());
            Done::ok("STATUS completed")
        })
    }
}
