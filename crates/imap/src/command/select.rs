//! SELECT and EXAMINE (RFC 9051 6.3.2, 6.3.3), with CONDSTORE and QRESYNC (RFC 7162 3.1.8, 3.2.5).

use std::sync::Arc;

use account::{Account, MailboxFacts, Pending, SequenceSet, SetBound, UidSet, View};

use super::modifiers::{Modifiers, QResync};
use super::{Command, Cx, Done, Failure, Outcome, Syntax};
use crate::ext::objectid;
use crate::registry::{CommandRow, UidForm, never};
use crate::response::{Code, OUTPUT_BYTES_MAX, fetch, list, mailbox, status};
use crate::session::{Mode, Selected, State, States};
use crate::wire::{Bad, MailboxArg, Reader, Writer};

pub(crate) const SELECT: CommandRow = CommandRow {
    name: "SELECT",
    states: States::LOGGED_IN,
    uid: UidForm::No,
    numbers: false,
    streams: never,
    parse: |reader, syntax| parse(reader, syntax, false),
};

pub(crate) const EXAMINE: CommandRow =
    CommandRow { name: "EXAMINE", parse: |reader, syntax| parse(reader, syntax, true), ..SELECT };

struct Select {
    name: MailboxArg,
    modifiers: Modifiers,
    read_only: bool,
}

fn parse(reader: &mut Reader<'_>, syntax: &Syntax, read_only: bool) -> Result<Box<dyn Command>, Bad> {
    reader.sp()?;
    let name = reader.mailbox(syntax.modes.utf8_names())?;
    let modifiers = Modifiers::parse("SELECT", reader, syntax)?;
    reader.end()?;
    if modifiers.qresync.is_some() && !syntax.modes.has(Mode::QResync) {
        // RFC 7162 3.2.5: BAD unless enabled before.
        return Err(reader.bad("ENABLE QRESYNC comes first"));
    }
    Ok(Box::new(Select { name, modifiers, read_only }))
}

impl Command for Select {
    fn run<'a>(self: Box<Self>, cx: &'a mut Cx<'_>) -> Pending<'a, Outcome> {
        Box::pin(async move {
            if cx.session.modes.has(Mode::UidOnly) && self.modifiers.samples_numbers() {
                // RFC 9586 3.2: the sample that QRESYNC may take is made of sequence numbers.
                return Err(Failure::Bad(Some(Code::UidRequired), "QRESYNC takes UIDs only".into()));
            }
            // RFC 9051 6.3.2: whatever was selected is closed first, also when this fails.
            if matches!(cx.session.state, State::Selected(..)) {
                cx.session.deselect();
                status::untagged_ok(cx.peer.output(), Some(&Code::Closed), "Previous mailbox closed");
            }
            let account = cx.account()?;
            let name = self.name.existing()?;
            let facts = account.account().directory().mailbox(name).cloned();
            let facts = facts.ok_or_else(|| Failure::no(Code::NonExistent, "No such mailbox"))?;
            let columns = account.mailbox(facts.id).await?;
            let columns = columns.ok_or_else(|| Failure::no(Code::NonExistent, "No such mailbox"))?;
            let mut selected = Selected {
                mailbox: facts.id,
                view: View::new(columns),
                read_only: self.read_only,
                recent: UidSet::new(),
                saved: UidSet::new(),
                keywords_told: 0,
            };
            if cx.session.speaks_recent() {
                selected.recent = selected.claim_recent(&*account);
            }
            if self.modifiers.condstore || self.modifiers.qresync.is_some() {
                cx.session.modes.enable(Mode::CondStore);
            }
            let now = account.account();
            greet(cx, &now, &facts, &mut selected, self.name.denormal());
            let resync =
                self.modifiers.qresync.as_ref().filter(|known| known.uid_validity == facts.uid_validity);
            if let Some(known) = resync {
                catch_up(cx, &now, &selected, known).await?;
            }
            let login = cx.login()?;
            cx.session.state = State::Selected(login, Box::new(selected));
            let (code, text) = if self.read_only {
                (Code::ReadOnly, "EXAMINE completed")
            } else {
                (Code::ReadWrite, "SELECT completed")
            };
            Done::with(code, text)
        })
    }
}

/// The data every SELECT gives (RFC 9051 6.3.2).
fn greet(
    cx: &mut Cx<'_>,
    account: &Account,
    facts: &MailboxFacts,
    selected: &mut Selected,
    given: Option<&str>,
) {
    let (modes, recent) = (cx.session.modes, cx.session.speaks_recent());
    // The table of now, not of the look-up: a keyword may have come with the columns.
    let facts = account.directory().mailbox_by_id(facts.id).map_or(facts, Arc::as_ref);
    let output = cx.peer.output();
    selected.keywords_told = facts.keywords.0.len();
    mailbox::flags(output, &facts.keywords, selected.read_only);
    mailbox::exists(output, selected.view.exists());
    if recent {
        mailbox::recent(output, selected.recent_count());
        let unseen = selected.view.rows().find(|(_, row)| !row.flags.has(account::SystemFlag::Seen));
        // RFC 9586 3: no answer holds a sequence number.
        if let Some((number, _)) = unseen.filter(|_| !modes.has(Mode::UidOnly)) {
            status::untagged_ok(output, Some(&Code::Unseen(number)), "First unseen");
        }
    } else {
        // RFC 9051 6.3.2: the server's name for the mailbox.
        list::mailbox(&mut Writer::new(output, modes.utf8_names()), account, &facts.name, given);
    }
    status::untagged_ok(output, Some(&Code::UidValidity(facts.uid_validity)), "UIDs valid");
    status::untagged_ok(
        output,
        Some(&Code::UidNext(selected.view.mailbox().uid_next())),
        "Predicted next UID",
    );
    let highest = selected.view.mailbox().highest_modseq();
    status::untagged_ok(output, Some(&Code::HighestModseq(highest)), "Highest");
    status::untagged_ok(output, Some(&Code::MailboxId(facts.id)), objectid::TEXT);
}

/// What changed and what vanished since the client was here (RFC 7162 3.2.5.1, 3.2.5.2).
async fn catch_up(
    cx: &mut Cx<'_>,
    account: &Account,
    selected: &Selected,
    known: &QResync,
) -> Result<(), Failure> {
    let modes = cx.session.modes;
    let view = &selected.view;
    let asked = match &known.known_uids {
        Some(SequenceSet::Ranges(ranges)) => UidSet::from_ranges(ranges.iter().filter_map(plain)),
        _ => UidSet::from_range(1, view.mailbox().uid_next().saturating_sub(1).max(1)),
    };
    let mut gone = view.mailbox().vanished_since(known.modseq).intersection(&asked);
    if let Some(matching) = known.matches.as_ref().and_then(|sample| matching_below(view, sample)) {
        // Up to here the client's numbering is ours, so nothing below has vanished that it does not know of.
        gone = gone.difference(&UidSet::from_range(1, matching));
    }
    if !gone.is_empty() {
        mailbox::vanished_earlier(cx.peer.output(), &gone);
    }
    let keywords = account.directory().mailbox_by_id(selected.mailbox).map(|facts| facts.keywords.clone());
    let keywords = keywords.unwrap_or_default();
    let changed = view.mailbox().changed_since(known.modseq).intersection(&asked);
    for (number, row) in view.rows_in(&changed) {
        let recent = cx.session.speaks_recent() && selected.is_recent(&row);
        let news = fetch::News { number, row: &row, keywords: &keywords, recent, flags: true };
        fetch::news(&mut Writer::new(cx.peer.output(), modes.utf8_names()), modes, &news);
        if cx.peer.output().len() >= OUTPUT_BYTES_MAX {
            cx.peer.drain().await?;
        }
    }
    Ok(())
}

/// A range without `*` (RFC 7162 `known-uids` has none).
fn plain((from, to): &(SetBound, SetBound)) -> Option<(u32, u32)> {
    match (from, to) {
        (SetBound::Number(from), SetBound::Number(to)) => Some((*from.min(to), *from.max(to))),
        _ => None,
    }
}

/// The largest UID up to which the client's sample of (number, UID) pairs is still right.
fn matching_below(view: &View, sample: &(SequenceSet, SequenceSet)) -> Option<u32> {
    let (SequenceSet::Ranges(numbers), SequenceSet::Ranges(uids)) = sample else { return None };
    let numbers = UidSet::from_ranges(numbers.iter().filter_map(plain));
    let uids = UidSet::from_ranges(uids.iter().filter_map(plain));
    // Both are bounded by the view: numbers beyond EXISTS end the comparison.
    let pairs = numbers.iter().zip(uids.iter());
    pairs
        .take_while(|(number, uid)| view.number(*uid).is_some_and(|own| own.value() == number.value()))
        .map(|(_, uid)| uid.value())
        .last()
}
