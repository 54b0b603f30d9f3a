//! FETCH and UID FETCH (RFC 9051 6.4.5): the verb. Its data items are rows of the socket *fetch items*.

mod body;
mod row;
mod structure;

use account::{
    BlobId, Draft, Fault, FlagNames, FlagOp, Flags, Keywords, OpenAccount, Pending, Row, SeqNum, SequenceSet,
    SystemFlag, UidSet, View,
};
use bytes::Bytes;
use message::Summary;

use super::modifiers::Modifiers;
use super::{Command, Cx, Done, Failure, Outcome, Syntax};
use crate::command::search::breathe;
use crate::limits;
use crate::peer::Peer;
use crate::registry::{self, CommandRow, FetchItemRow, UidForm, never};
use crate::response::{OUTPUT_BYTES_MAX, fetch as response, mailbox};
use crate::session::{Mode, Modes, States};
use crate::wire::{Bad, Reader, Writer};

pub(crate) use body::ITEMS as BODY_ITEMS;
pub(crate) use body::{Section, partial, section};
pub(crate) use row::ITEMS as ROW_ITEMS;
pub(crate) use structure::ITEMS as STRUCTURE_ITEMS;

/// How many messages are fetched from the store at a time: enough that a disk read is shared, few enough that memory stays
/// flat.
const RUN_MESSAGES: usize = 256;

/// What an item must look at; the dearest of all items decides what FETCH asks the store for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Needs {
    /// The mailbox's columns.
    Row,
    /// What was derived from the message at delivery.
    Summary,
    /// The message's octets, asked for piece by piece by the item itself.
    Body,
}

/// One message as the items see it.
pub(crate) struct Fetched<'a> {
    pub row: Row,
    pub keywords: &'a Keywords,
    pub recent: bool,
    /// There when an item [`Needs`] it.
    pub summary: Option<Summary<'a>>,
    pub account: &'a dyn OpenAccount,
    pub modes: Modes,
}

impl<'a> Fetched<'a> {
    /// The summary; its absence is a fault of ours.
    pub(crate) fn summary(&self) -> Result<&Summary<'a>, Failure> {
        self.summary.as_ref().ok_or(Failure::Fault(Fault::Damaged(self.row.blob)))
    }
}

/// A data item with its arguments.
pub(crate) trait FetchItem: Send + Sync {
    /// What it looks at.
    fn needs(&self) -> Needs;

    /// Does asking for it mark the message `\Seen` (RFC 9051 6.4.5, BODY[…])?
    fn marks_seen(&self) -> bool {
        false
    }

    /// Does asking for it enable a mode (RFC 7162 3.1: MODSEQ enables CONDSTORE)?
    fn enables(&self) -> Option<Mode> {
        None
    }

    /// Writes `NAME value`. Called for items that need no octets.
    fn write(&self, _message: &Fetched<'_>, _writer: &mut Writer<'_>) -> Result<(), Failure> {
        Ok(())
    }

    /// Writes `NAME value` while octets come from the store. Called for items that [`Needs::Body`]. Says whether it let the
    /// peer drain, after which nothing can be taken back.
    fn stream<'a>(
        &'a self,
        _message: &'a Fetched<'_>,
        _peer: &'a mut dyn Peer,
    ) -> Pending<'a, Result<bool, Failure>> {
        Box::pin(async { Ok(false) })
    }
}

pub(crate) const FETCH: CommandRow = CommandRow {
    name: "FETCH",
    states: States::SELECTED,
    uid: UidForm::Both,
    numbers: true,
    streams: never,
    parse,
};

struct Fetch {
    set: SequenceSet,
    items: Vec<Box<dyn FetchItem>>,
    modifiers: Modifiers,
    /// MODSEQ is owed unasked: with CHANGEDSINCE (RFC 7162 3.1.4.1), and in UID FETCH once QRESYNC is enabled (3.2.4).
    tells_modseq: bool,
}

/// `fetch = "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")") [fetch-modifiers]`
fn parse(reader: &mut Reader<'_>, syntax: &Syntax) -> Result<Box<dyn Command>, Bad> {
    reader.sp()?;
    let set = reader.sequence_set()?;
    reader.sp()?;
    let mut items: Vec<Box<dyn FetchItem>> = Vec::new();
    if syntax.by_uid && !syntax.modes.has(Mode::UidOnly) {
        // UID FETCH answers always carry the UID (RFC 9051 6.4.9); UIDFETCH carries it in front (RFC 9586 3.2).
        items.push(Box::new(row::Uid));
    }
    if reader.eat(b"(") {
        loop {
            push(&mut items, item(reader, syntax)?, reader)?;
            if reader.eat(b")") {
                break;
            }
            reader.sp()?;
        }
    } else if let Some(names) = macro_items(reader) {
        for name in names {
            let row =
                registry::fetch_item(name.as_bytes()).ok_or_else(|| reader.bad("Unknown FETCH item"))?;
            push(&mut items, Some((row.parse)(reader, syntax)?), reader)?;
        }
    } else {
        push(&mut items, item(reader, syntax)?, reader)?;
    }
    let modifiers = Modifiers::parse("FETCH", reader, syntax)?;
    reader.end()?;
    if modifiers.vanished
        && !(syntax.by_uid && syntax.modes.has(Mode::QResync) && modifiers.changed_since.is_some())
    {
        // RFC 7162 3.2.6
        return Err(reader.bad("VANISHED needs UID FETCH, CHANGEDSINCE and QRESYNC enabled"));
    }
    let tells_modseq = modifiers.changed_since.is_some() || syntax.by_uid && syntax.modes.has(Mode::QResync);
    Ok(Box::new(Fetch { set, items, modifiers, tells_modseq }))
}

/// ALL, FAST and FULL (RFC 9051 6.4.5); only outside of parentheses.
fn macro_items(reader: &mut Reader<'_>) -> Option<&'static [&'static str]> {
    let names: &[(&str, &[&str])] = &[
        ("ALL", &["FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE"]),
        ("FAST", &["FLAGS", "INTERNALDATE", "RFC822.SIZE"]),
        ("FULL", &["FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY"]),
    ];
    names.iter().find(|(name, _)| reader.eat_word(name)).map(|(_, items)| *items)
}

/// One `fetch-att`; `None` for a UID that is written anyway.
fn item(reader: &mut Reader<'_>, syntax: &Syntax) -> Result<Option<Box<dyn FetchItem>>, Bad> {
    let name = reader.item_name()?;
    if name.eq_ignore_ascii_case(b"UID") && syntax.by_uid && !syntax.modes.has(Mode::UidOnly) {
        return Ok(None);
    }
    let row: &FetchItemRow = registry::fetch_item(name).ok_or_else(|| reader.bad("Unknown FETCH item"))?;
    Ok(Some((row.parse)(reader, syntax)?))
}

fn push(
    items: &mut Vec<Box<dyn FetchItem>>,
    item: Option<Box<dyn FetchItem>>,
    reader: &Reader<'_>,
) -> Result<(), Bad> {
    if items.len() >= limits::FETCH_ITEMS_MAX {
        return Err(reader.bad("Too many FETCH items"));
    }
    items.extend(item);
    Ok(())
}

impl Command for Fetch {
    fn run<'a>(self: Box<Self>, cx: &'a mut Cx<'_>) -> Pending<'a, Outcome> {
        Box::pin(async move {
            let uids = cx.resolve(&self.set)?;
            self.enable_modes(cx)?;
            let view = cx.selected()?.view.clone();
            let wanted = self.narrow(cx, &view, uids)?;
            let fetched = self.write_all(cx, &view, &wanted).await;
            if !matches!(fetched, Err(Failure::Gone | Failure::Broken(_))) {
                self.mark_seen(cx, &view, &wanted).await?;
            }
            fetched?;
            Done::ok("FETCH completed")
        })
    }
}

impl Fetch {
    fn enable_modes(&self, cx: &mut Cx<'_>) -> Result<(), Failure> {
        let by_modifier = self.modifiers.changed_since.map(|_| Mode::CondStore);
        for mode in self.items.iter().filter_map(|item| item.enables()).chain(by_modifier) {
            cx.enable_condstore(mode)?;
        }
        Ok(())
    }

    /// CHANGEDSINCE, VANISHED and PARTIAL.
    fn narrow(&self, cx: &mut Cx<'_>, view: &View, uids: UidSet) -> Result<UidSet, Failure> {
        let mut wanted = uids;
        if let Some(slice) = self.modifiers.partial {
            wanted = slice.of(&wanted);
        }
        let Some(since) = self.modifiers.changed_since else { return Ok(wanted) };
        if self.modifiers.vanished {
            let asked = cx.known_uids(&self.set)?;
            let gone = view.mailbox().vanished_since(since).intersection(&asked).difference(&view.ghosts());
            if !gone.is_empty() {
                mailbox::vanished_earlier(cx.peer.output(), &gone);
            }
        }
        Ok(view.rows_in(&wanted).filter(|(_, row)| row.modseq > since).map(|(_, row)| row.uid).collect())
    }

    /// Writes all answers. A message that cannot be answered costs its own answer and, at the end, the OK.
    async fn write_all(&self, cx: &mut Cx<'_>, view: &View, wanted: &UidSet) -> Result<(), Failure> {
        let needs = self.items.iter().map(|item| item.needs()).max().unwrap_or(Needs::Row);
        let account = cx.account()?;
        let keywords = cx.keywords()?;
        let recent = if cx.session.speaks_recent() { cx.selected()?.recent.clone() } else { UidSet::new() };
        let modes = cx.session.modes;
        let mut failed = Ok(());
        let mut rows = view.rows_in(wanted);
        loop {
            let run: Vec<(SeqNum, Row)> = rows.by_ref().take(RUN_MESSAGES).collect();
            if run.is_empty() {
                return failed;
            }
            let packed = if needs == Needs::Row { Vec::new() } else { summaries(&*account, &run).await? };
            for (place, &(number, row)) in run.iter().enumerate() {
                let summary =
                    packed.get(place).and_then(Option::as_ref).and_then(|octets| Summary::new(octets).ok());
                let recent = recent.contains(row.uid);
                let message =
                    Fetched { row, keywords: &keywords, recent, summary, account: &*account, modes };
                match self.write_one(cx.peer, number, &message).await {
                    Ok(()) => {}
                    Err(gone @ (Failure::Gone | Failure::Broken(_))) => return Err(gone),
                    Err(failure) => failed = Err(failure),
                }
            }
            breathe().await;
        }
    }

    /// Writes one answer, whole or not at all.
    async fn write_one(
        &self,
        peer: &mut dyn Peer,
        number: SeqNum,
        message: &Fetched<'_>,
    ) -> Result<(), Failure> {
        let start = peer.output().len();
        let mut drained = false;
        let written = self.write_items(peer, number, message, &mut drained).await;
        if let Err(failure) = written {
            if drained {
                return Err(Failure::Broken("an answer broke off in the middle"));
            }
            peer.output().truncate(start);
            return Err(failure);
        }
        if peer.output().len() >= OUTPUT_BYTES_MAX {
            peer.drain().await?;
        }
        Ok(())
    }

    async fn write_items(
        &self,
        peer: &mut dyn Peer,
        number: SeqNum,
        message: &Fetched<'_>,
        drained: &mut bool,
    ) -> Result<(), Failure> {
        let utf8 = message.modes.utf8_names();
        response::open(&mut Writer::new(peer.output(), utf8), message.modes, number, &message.row);
        let mut modseq_owed = self.tells_modseq;
        for (place, item) in self.items.iter().enumerate() {
            if place > 0 {
                peer.output().push(b' ');
            }
            modseq_owed &= item.enables() != Some(Mode::CondStore);
            if item.needs() == Needs::Body {
                *drained |= item.stream(message, peer).await?;
            } else {
                item.write(message, &mut Writer::new(peer.output(), utf8))?;
            }
        }
        let mut writer = Writer::new(peer.output(), utf8);
        if modseq_owed {
            writer.raw(b" ");
            response::modseq(&mut writer, message.row.modseq);
        }
        response::close(&mut writer);
        Ok(())
    }

    /// One entry at the end marks everything that was read, so that a big FETCH is one write.
    async fn mark_seen(&self, cx: &mut Cx<'_>, view: &View, wanted: &UidSet) -> Result<(), Failure> {
        if cx.selected()?.read_only || !self.items.iter().any(|item| item.marks_seen()) {
            return Ok(());
        }
        let seen = Flags::system(SystemFlag::Seen);
        let account = cx.account()?;
        let selected = cx.selected()?;
        selected.view.store_ghosts(&wanted.intersection(&view.ghosts()), FlagOp::Add, seen);
        let mailbox = selected.mailbox;
        // Whether a message is unseen is asked of the mailbox, not of the view: another session may have marked it so since.
        let Some(now) = account.mailbox(mailbox).await? else { return Ok(()) };
        let unseen: UidSet =
            now.rows_in(wanted).filter(|row| !row.flags.contains(seen)).map(|row| row.uid).collect();
        if unseen.is_empty() {
            return Ok(());
        }
        let flags = FlagNames { system: seen, keywords: Vec::new() };
        let draft = Draft::Store { mailbox, uids: unseen, op: FlagOp::Add, flags, unchanged_since: None };
        match cx.commit(draft).await {
            // A full disk or a mailbox deleted meanwhile must not keep anybody from reading.
            Ok(_) | Err(Failure::No(..)) => Ok(()),
            Err(failure) => Err(failure),
        }
    }
}

/// The summaries of a run; a damaged one is `None` and costs its own message only.
async fn summaries(account: &dyn OpenAccount, run: &[(SeqNum, Row)]) -> Result<Vec<Option<Bytes>>, Failure> {
    let blobs: Vec<BlobId> = run.iter().map(|(_, row)| row.blob).collect();
    match account.summaries(&blobs).await {
        Ok(all) => return Ok(all.into_iter().map(Some).collect()),
        Err(Fault::Damaged(_)) => {}
        Err(fault) => return Err(fault.into()),
    }
    let mut each = Vec::with_capacity(blobs.len());
    for blob in blobs {
        each.push(match account.summaries(&[blob]).await {
            Ok(one) => one.into_iter().next(),
            Err(Fault::Damaged(_)) => None,
            Err(fault) => return Err(fault.into()),
        });
    }
    Ok(each)
}
