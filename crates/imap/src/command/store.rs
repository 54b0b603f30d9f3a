//! STORE and UID STORE (RFC 9051 6.4.6), with UNCHANGEDSINCE (RFC 7162 3.1.3).

use account::{Draft, FlagNames, FlagOp, Flags, Keywords, Pending, SequenceSet, UidSet};

use super::modifiers::Modifiers;
use super::{Command, Cx, Done, Failure, Outcome, Syntax};
use crate::registry::{CommandRow, UidForm, never};
use crate::response::Code;
use crate::session::sync::Silent;
use crate::session::{Mode, States};
use crate::wire::{Bad, Reader};

pub(crate) const STORE: CommandRow = CommandRow {
    name: "STORE",
    states: States::SELECTED,
    uid: UidForm::Both,
    numbers: true,
    streams: never,
    parse,
};

struct Store {
    set: SequenceSet,
    modifiers: Modifiers,
    op: FlagOp,
    silent: bool,
    flags: FlagNames,
}

/// `store = "STORE" SP sequence-set [store-modifiers] SP store-att-flags`
fn parse(reader: &mut Reader<'_>, syntax: &Syntax) -> Result<Box<dyn Command>, Bad> {
    reader.sp()?;
    let set = reader.sequence_set()?;
    let modifiers = Modifiers::parse("STORE", reader, syntax)?;
    reader.sp()?;
    let op = match () {
        () if reader.eat(b"+") => FlagOp::Add,
        () if reader.eat(b"-") => FlagOp::Remove,
        () => FlagOp::Replace,
    };
    let silent = if reader.eat_word("FLAGS.SILENT") {
        true
    } else if reader.eat_word("FLAGS") {
        false
    } else {
        return Err(reader.bad("Expected FLAGS or FLAGS.SILENT"));
    };
    reader.sp()?;
    let flags = reader.store_flags()?;
    reader.end()?;
    Ok(Box::new(Store { set, modifiers, op, silent, flags }))
}

impl Command for Store {
    fn run<'a>(self: Box<Self>, cx: &'a mut Cx<'_>) -> Pending<'a, Outcome> {
        Box::pin(async move {
            cx.writable()?;
            let uids = cx.resolve(&self.set)?;
            if self.modifiers.unchanged_since.is_some() {
                cx.enable_condstore(Mode::CondStore)?;
            }
            let selected = cx.writable()?;
            // A message that is expunged but not yet announced takes the change in this session only.
            let ghosts = selected.view.ghosts().intersection(&uids);
            let live = uids.difference(&ghosts);
            let draft = Draft::Store {
                mailbox: selected.mailbox,
                uids: live,
                op: self.op,
                flags: self.flags.clone(),
                unchanged_since: self.modifiers.unchanged_since,
            };
            let receipt = cx.commit(draft).await?;
            let flags = mask(&self.flags, &cx.keywords()?);
            cx.writable()?.view.store_ghosts(&ghosts, self.op, flags);
            let conditional = self.modifiers.unchanged_since.is_some();
            // Under a condition what is gone was not stored, also where this session was not told yet.
            let missing = if conditional { receipt.missing.union(&ghosts) } else { UidSet::new() };
            let stored = uids.difference(&receipt.modified).difference(&missing);
            if !self.silent || conditional {
                // RFC 9051 6.4.6: the new value is told, also where it is the old one. RFC 7162 3.1.3: a conditional STORE
                // tells the mod-sequences even when it is silent about the flags.
                cx.told.owed = stored.clone();
            }
            if self.silent {
                cx.told.silent = Some(Silent { uids: stored, op: self.op, flags, modseq: receipt.modseq });
            }
            self.answer(cx, &receipt.modified, &missing)
        })
    }
}

impl Store {
    fn answer(&self, cx: &mut Cx<'_>, modified: &UidSet, missing: &UidSet) -> Outcome {
        let gone = !missing.is_empty();
        if !modified.is_empty() {
            // RFC 7162 3.1.3: the numbers are those of the command's form; NO when others are gone altogether (example 8).
            let set = if cx.by_uid { modified.clone() } else { cx.numbers_of(modified)? };
            let code = Code::Modified(set);
            if gone {
                return Err(Failure::no(code, "Some of the messages are gone"));
            }
            return Done::with(code, "Conditional STORE failed for some");
        }
        if gone {
            return Err(Failure::No(Some(Code::ExpungeIssued), "Some messages are gone".into()));
        }
        Done::ok("STORE completed")
    }
}

/// Named flags as a mask in a mailbox's table. Names not in the table are left out.
pub(crate) fn mask(names: &FlagNames, keywords: &Keywords) -> Flags {
    names
        .keywords
        .iter()
        .filter_map(|name| keywords.index(name))
        .fold(names.system, |set, index| set.union(Flags::keyword(index)))
}
