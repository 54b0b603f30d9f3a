//! REPLACE and UID REPLACE (RFC 8508): a draft is saved again and the old copy goes, in one entry.

use account::{Draft, Pending, SequenceSet, SetBound};

use crate::command::append::{Options, receive};
use crate::command::copy::destination;
use crate::command::{Command, Cx, Failure, Outcome, Syntax, expunge};
use crate::registry::{CommandRow, Extension, Shown, UidForm};
use crate::response::{Code, status};
use crate::session::States;
use crate::wire::{Bad, MailboxArg, Reader};

pub(crate) const EXTENSION: Extension = Extension {
    capability: "REPLACE",
    rfc: 8508,
    shown: Shown::AfterLogin,
    file: "ext/replace.rs",
    commands: &[REPLACE],
    ..Extension::NONE
};

const REPLACE: CommandRow = CommandRow {
    name: "REPLACE",
    states: States::SELECTED,
    uid: UidForm::Both,
    numbers: true,
    streams: |reader| {
        reader.sp().is_ok() && number(reader).is_ok() && reader.sp().is_ok() && reader.astring().is_ok()
    },
    parse,
};

struct Replace {
    old: SequenceSet,
    to: MailboxArg,
    options: Options,
}

/// `replace = "REPLACE" SP seq-number SP mailbox append-message`
fn parse(reader: &mut Reader<'_>, syntax: &Syntax) -> Result<Box<dyn Command>, Bad> {
    reader.sp()?;
    let number = number(reader)?;
    let old = SequenceSet::Ranges(vec![(number, number)]);
    reader.sp()?;
    let to = reader.mailbox(syntax.modes.utf8_names())?;
    let options = Options::parse(reader)?;
    Ok(Box::new(Replace { old, to, options }))
}

/// `seq-number = nz-number / "*"`
fn number(reader: &mut Reader<'_>) -> Result<SetBound, Bad> {
    if reader.eat(b"*") { Ok(SetBound::Star) } else { reader.nz_number().map(SetBound::Number) }
}

impl Command for Replace {
    fn run<'a>(self: Box<Self>, cx: &'a mut Cx<'_>) -> Pending<'a, Outcome> {
        Box::pin(async move {
            let from = cx.writable()?.mailbox;
            let old = cx.resolve(&self.old)?;
            let Some((uid, _)) = old.bounds() else {
                // RFC 8508 3.2: a UID that is not there fails the command.
                return Err(Failure::No(None, "No such message".into()));
            };
            let to = destination(cx, &self.to)?;
            let wrapped = self.options.wrapped();
            let message = receive(cx, self.options).await?;
            if Options::following(cx, wrapped).await?.is_some() {
                return Err(Failure::bad("REPLACE takes one message"));
            }
            let receipt = cx.commit(Draft::Replace { from, uid, to, message }).await?;
            if let Some(validity) = receipt.uid_validity {
                // RFC 8508 3.3: APPENDUID goes ahead of the expunge.
                let code = Code::AppendUid(validity, receipt.uids);
                status::untagged_ok(cx.peer.output(), Some(&code), "Replacement stored");
            }
            cx.told.announce = true;
            expunge::completed(cx, receipt.modseq, "REPLACE completed")
        })
    }
}
