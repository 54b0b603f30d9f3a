//! What a command works with: the session, the peer, how it was called, and the literal that may still be on its way.

use std::sync::Arc;

use account::{Draft, Keywords, OpenAccount, Receipt, SequenceSet, SetBound, UidSet};

use super::Failure;
use crate::host::Host;
use crate::peer::{Fill, Gone, Peer, Wait};
use crate::response::{Code, OUTPUT_BYTES_MAX, status};
use crate::session::sync::Told;
use crate::session::{Login, Mode, Selected, Session, State};
use crate::wire::{Framed, FramerLimits, LiteralMark, Writer};

/// A running command's surroundings.
pub(crate) struct Cx<'a> {
    pub session: &'a mut Session,
    pub peer: &'a mut dyn Peer,
    pub tag: &'a str,
    /// `UID` stood before the verb.
    pub by_uid: bool,
    /// A message literal that was announced and not yet taken (only for verbs that stream).
    pub literal: Option<LiteralMark>,
    /// What this command itself changed and how its answer tells it; read by `session::sync`.
    pub told: Told,
}

impl Cx<'_> {
    /// The server around the session.
    pub(crate) fn host(&self) -> &Arc<dyn Host> {
        &self.session.host
    }

    /// Writer over the output, in this session's modes.
    pub(crate) fn writer(&mut self) -> Writer<'_> {
        let utf8 = self.session.modes.utf8_names();
        Writer::new(self.peer.output(), utf8)
    }

    /// Lets the peer catch up when enough output has gathered. Call it between messages, never inside a response line.
    pub(crate) async fn relieve(&mut self) -> Result<(), Gone> {
        if self.peer.output().len() >= OUTPUT_BYTES_MAX { self.peer.drain().await } else { Ok(()) }
    }

    /// Who is logged in. `admit` let only logged-in sessions come here.
    pub(crate) fn login(&self) -> Result<Login, Failure> {
        self.session.state.login().cloned().ok_or_else(|| Failure::bad("Not logged in"))
    }

    /// The account.
    pub(crate) fn account(&self) -> Result<Arc<dyn OpenAccount>, Failure> {
        self.login().map(|login| login.account)
    }

    /// The selected mailbox.
    pub(crate) fn selected(&mut self) -> Result<&mut Selected, Failure> {
        match &mut self.session.state {
            State::Selected(_, selected) => Ok(selected),
            _ => Err(Failure::bad("No mailbox is selected")),
        }
    }

    /// The selected mailbox, if it may be written to.
    pub(crate) fn writable(&mut self) -> Result<&mut Selected, Failure> {
        let selected = self.selected()?;
        if selected.read_only {
            return Err(Failure::No(None, "The mailbox is selected read-only".into()));
        }
        Ok(selected)
    }

    /// The keyword table of the selected mailbox, as it stands now.
    pub(crate) fn keywords(&mut self) -> Result<Keywords, Failure> {
        let account = self.account()?.account();
        let mailbox = self.selected()?.mailbox;
        if let Some(facts) = account.directory().mailbox_by_id(mailbox) {
            return Ok(facts.keywords.clone());
        }
        // Deleted meanwhile; the rows still seen are told with the table they came with.
        Ok(self.selected()?.view.mailbox().keywords().clone())
    }

    /// Writes a draft to the account's journal.
    pub(crate) async fn commit(&mut self, draft: Draft) -> Result<Receipt, Failure> {
        Ok(self.account()?.commit(draft).await?)
    }

    /// The messages a set names in the selected mailbox. UIDs that are not there are no error (RFC 9051 6.4.9); a
    /// sequence number beyond EXISTS is (9, `seq-number`).
    pub(crate) fn resolve(&mut self, set: &SequenceSet) -> Result<UidSet, Failure> {
        let by_uid = self.by_uid;
        let selected = self.selected()?;
        if *set == SequenceSet::Saved {
            return Ok(selected.saved.intersection(&selected.view.uids()));
        }
        if by_uid {
            return Ok(selected.view.resolve_uids(set));
        }
        selected.view.resolve_numbers(set).ok_or_else(|| Failure::bad("No message has that number"))
    }

    /// The UIDs a set names whether or not they are in the mailbox; `*` is the largest UID given.
    pub(crate) fn known_uids(&mut self, set: &SequenceSet) -> Result<UidSet, Failure> {
        let selected = self.selected()?;
        let SequenceSet::Ranges(ranges) = set else { return Ok(selected.saved.clone()) };
        let last = selected.view.mailbox().uid_next().saturating_sub(1).max(1);
        let end = |bound: &SetBound| match bound {
            SetBound::Number(number) => *number,
            SetBound::Star => last,
        };
        Ok(UidSet::from_ranges(ranges.iter().map(|(from, to)| {
            let (from, to) = (end(from), end(to));
            (from.min(to), from.max(to))
        })))
    }

    /// A command that speaks of mod-sequences switches CONDSTORE on (RFC 7162 3.1) and tells where it begins.
    pub(crate) fn enable_condstore(&mut self, mode: Mode) -> Result<(), Failure> {
        if self.session.modes.has(mode) {
            return Ok(());
        }
        self.session.modes.enable(mode);
        if let State::Selected(_, selected) = &self.session.state {
            let code = Code::HighestModseq(selected.view.modseq());
            status::untagged_ok(self.peer.output(), Some(&code), "Highest");
        }
        Ok(())
    }
}

impl Cx<'_> {
    /// The sequence numbers of messages, as a set of plain numbers. (A set of ranges is a set of ranges.)
    pub(crate) fn numbers_of(&mut self, uids: &UidSet) -> Result<UidSet, Failure> {
        let view = &self.selected()?.view;
        Ok(UidSet::from_ranges(view.rows_in(uids).map(|(number, _)| (number.value(), number.value()))))
    }
}

impl Cx<'_> {
    /// The command's text behind a streamed literal: up to its end, or up to the next literal, then in `self.literal`.
    pub(crate) async fn next_piece(&mut self) -> Result<Vec<u8>, Failure> {
        self.session.framer.resume();
        loop {
            let limits = FramerLimits::of(true);
            let (consumed, framed) = self.session.framer.advance(self.peer.input(), &limits, &|_| true);
            self.peer.consume(consumed);
            match framed {
                Framed::Incomplete => {
                    self.peer.drain().await?;
                    if self.peer.fill(Wait::Literal).await != Fill::More {
                        return Err(Failure::Gone);
                    }
                }
                Framed::Continue => status::continuation(self.peer.output(), "Ready for the literal"),
                Framed::Command => return Ok(self.session.framer.take()),
                Framed::Streamed(mark) => {
                    self.literal = Some(mark);
                    return Ok(self.session.framer.take());
                }
                Framed::Broken(error) if error.fatal => return Err(Failure::Gone),
                Framed::Broken(error) => return Err(Failure::Bad(error.code, error.text)),
            }
        }
    }
}
