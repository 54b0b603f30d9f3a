//! The loop: frame, admit, run, tell, answer. Answers of pipelined commands gather and leave together.

use std::sync::Arc;

use account::{Announce, Fault};

use super::sync::{self, Told};
use super::{Mode, Next, Session, State, admit};
use crate::command::{Cx, Done, Failure, Outcome, Syntax};
use crate::limits;
use crate::peer::{Fill, Gone, Peer, Wait};
use crate::registry::{self, CommandRow, UidForm};
use crate::response::{Code, OUTPUT_BYTES_MAX, status};
use crate::wire::{Bad, Framed, FramerLimits, FramingError, LiteralMark, Reader};

impl Session {
    /// Talks until something must happen to the connection itself; see [`Next`].
    pub async fn serve(&mut self, peer: &mut dyn Peer) -> Next {
        if !std::mem::replace(&mut self.greeted, true) {
            let capabilities = registry::capabilities(self.transport, false, self.host.settings());
            status::untagged_ok(peer.output(), Some(&Code::Capability(capabilities)), "Mansio ready");
        }
        loop {
            match self.step(peer).await {
                Ok(None) => {}
                Ok(Some(next)) => {
                    return if peer.drain().await.is_ok() { next } else { Next::Close };
                }
                Err(Gone) => return Next::Close,
            }
        }
    }

    /// One turn: whatever the input holds next.
    async fn step(&mut self, peer: &mut dyn Peer) -> Result<Option<Next>, Gone> {
        let limits = FramerLimits::of(self.state.login().is_some());
        let (consumed, framed) = self.framer.advance(peer.input(), &limits, &streams);
        peer.consume(consumed);
        match framed {
            Framed::Incomplete => {
                peer.drain().await?;
                let wait = if self.framer.in_literal() { Wait::Literal } else { Wait::Command };
                self.fill(peer, wait).await
            }
            Framed::Continue => {
                status::continuation(peer.output(), "Ready for the literal");
                Ok(None)
            }
            Framed::Command => self.execute(peer, None).await,
            Framed::Streamed(mark) => self.execute(peer, Some(mark)).await,
            Framed::Broken(error) => Ok(self.broken(peer, &error)),
        }
    }

    /// Waits for input; the other ends of waiting end the conversation.
    async fn fill(&mut self, peer: &mut dyn Peer, wait: Wait) -> Result<Option<Next>, Gone> {
        match peer.fill(wait).await {
            Fill::More => Ok(None),
            Fill::Closed => Err(Gone),
            Fill::TimedOut => {
                status::bye(peer.output(), None, "Idle for too long");
                Ok(Some(Next::Close))
            }
            Fill::ShuttingDown => {
                status::bye(peer.output(), Some(&Code::Unavailable), "Server is shutting down");
                Ok(Some(Next::Close))
            }
        }
    }

    /// Something that is not even a command.
    fn broken(&mut self, peer: &mut dyn Peer, error: &FramingError) -> Option<Next> {
        let output = peer.output();
        match (&error.tag, &error.code) {
            // Well formed, but more than we take: that is a refusal (RFC 9051 7.1.2), not a mistake in form.
            (Some(tag), Some(code)) => status::tagged_no(output, tag, Some(code), &error.text),
            (Some(tag), None) => status::tagged_bad(output, tag, None, &error.text),
            (None, _) => status::untagged_bad(output, &error.text),
        }
        if error.fatal {
            status::bye(output, error.code.as_ref(), &error.text);
            return Some(Next::Close);
        }
        self.count_bad(peer)
    }

    /// Counts a command that made no sense; a peer that sends nothing else is cut off.
    fn count_bad(&mut self, peer: &mut dyn Peer) -> Option<Next> {
        self.bad_commands += 1;
        if self.bad_commands < limits::BAD_COMMANDS_MAX {
            return None;
        }
        status::bye(peer.output(), None, "Too many bad commands");
        Some(Next::Close)
    }

    /// Runs one framed command to its tagged answer. `literal` was announced and is not consumed yet.
    async fn execute(
        &mut self,
        peer: &mut dyn Peer,
        literal: Option<LiteralMark>,
    ) -> Result<Option<Next>, Gone> {
        let frame = self.framer.take();
        let mut reader = Reader::new(&frame);
        let Ok(tag) = reader.tag() else {
            status::untagged_bad(peer.output(), "A command begins with a tag");
            self.framer.abandon(literal);
            return Ok(self.count_bad(peer));
        };
        let tag = String::from_utf8_lossy(tag).into_owned();
        let admitted = self.admit(&mut reader);
        let (announce, outcome, left) = match admitted {
            Err(failure) => (None, Err(failure), literal),
            Ok((row, by_uid, command)) => {
                let (host, began) = (Arc::clone(&self.host), self.host.now());
                let mut cx = Cx { session: self, peer, tag: &tag, by_uid, literal, told: Told::default() };
                let outcome = command.run(&mut cx).await;
                host.ran(row.name, outcome.is_ok(), began);
                let (left, told) = (cx.literal.take(), std::mem::take(&mut cx.told));
                let hold = row.numbers && !by_uid && !told.announce;
                let announce = if hold { Announce::HoldExpunges } else { Announce::Expunges };
                (Some((announce, told)), outcome, left)
            }
        };
        self.framer.abandon(left);
        if let (Some((announce, told)), false) =
            (announce, matches!(outcome, Err(Failure::Gone | Failure::Broken(_))))
        {
            self.tell(peer, announce, &told).await?;
        }
        self.answer(peer, &tag, outcome).await
    }

    /// Finds the row, checks that it is legal here, and reads the arguments.
    fn admit(
        &self,
        reader: &mut Reader<'_>,
    ) -> Result<(&'static CommandRow, bool, Box<dyn crate::command::Command>), Failure> {
        let syntax_error = |bad: Bad| Failure::bad(bad.to_string());
        reader.sp().map_err(syntax_error)?;
        let mut verb = reader.verb().map_err(syntax_error)?;
        let by_uid = verb.eq_ignore_ascii_case(b"UID");
        if by_uid {
            reader.sp().map_err(syntax_error)?;
            verb = reader.verb().map_err(syntax_error)?;
        }
        let row = registry::command(verb)
            .filter(|row| !by_uid || row.uid == UidForm::Both)
            .ok_or_else(|| Failure::bad("Unknown command"))?;
        if let Some((text, uid_required)) = admit::refusal(self, row, by_uid) {
            return Err(Failure::Bad(uid_required.then_some(Code::UidRequired), text.into()));
        }
        let syntax = Syntax { modes: self.modes, by_uid };
        let command = (row.parse)(reader, &syntax).map_err(syntax_error)?;
        Ok((row, by_uid, command))
    }

    /// Tells what changed in the selected mailbox, by this command and by others.
    pub(crate) async fn tell(
        &mut self,
        peer: &mut dyn Peer,
        announce: Announce,
        told: &Told,
    ) -> Result<(), Gone> {
        match sync::tell(self, peer, announce, told).await {
            Ok(()) => Ok(()),
            Err(Failure::Fault(fault)) => {
                // The command itself is done; only the news must wait for a better day.
                self.host.incident(&format!("cannot look at the selected mailbox: {fault:?}"));
                Ok(())
            }
            Err(_) => Err(Gone),
        }
    }

    /// The tagged line: the one place where failures become answers.
    async fn answer(
        &mut self,
        peer: &mut dyn Peer,
        tag: &str,
        outcome: Outcome,
    ) -> Result<Option<Next>, Gone> {
        let output = peer.output();
        let mut next = None;
        match outcome {
            Ok(Done { code, text, next: then }) => {
                self.bad_commands = 0;
                status::tagged_ok(output, tag, code.as_ref(), &text);
                next = then;
            }
            Err(Failure::Bad(code, text)) => {
                status::tagged_bad(output, tag, code.as_ref(), &text);
                next = self.count_bad(peer);
            }
            Err(Failure::No(code, text)) => status::tagged_no(output, tag, code.as_ref(), &text),
            Err(Failure::Fault(fault)) => {
                let (code, id) = self.incident(&fault);
                status::tagged_no(output, tag, Some(&code), &format!("Server fault, incident {id}"));
            }
            Err(Failure::Gone) => return Err(Gone),
            Err(Failure::Broken(what)) => {
                self.host.incident(what);
                return Err(Gone);
            }
        }
        if next.is_none() && peer.output().len() >= OUTPUT_BYTES_MAX {
            peer.drain().await?;
        }
        Ok(next)
    }

    /// Notes a fault of ours and picks its code.
    fn incident(&self, fault: &Fault) -> (Code<'static>, String) {
        let id = self.host.incident(&format!("{fault:?} in state {}", self.state_name()));
        let code = match fault {
            Fault::Unavailable(_) | Fault::Gone => Code::Unavailable,
            Fault::Damaged(_) => Code::Corruption,
        };
        (code, id)
    }

    /// Is this session one that RFC 3501's `\Recent` and RECENT are meant for?
    pub(crate) const fn speaks_recent(&self) -> bool {
        !self.modes.has(Mode::Rev2)
    }

    /// Leaves the selected state without a word, if it is in it.
    pub(crate) fn deselect(&mut self) {
        if let State::Selected(login, _) = &self.state {
            self.state = State::Authenticated(login.clone());
        }
    }
}

/// Is the literal that was just announced behind this (incomplete) command a message, to be streamed?
fn streams(command: &[u8]) -> bool {
    let mut reader = Reader::new(command);
    let verb = (|| {
        reader.tag()?;
        reader.sp()?;
        let verb = reader.verb()?;
        if !verb.eq_ignore_ascii_case(b"UID") {
            return Ok::<_, Bad>(verb);
        }
        reader.sp()?;
        reader.verb()
    })();
    verb.ok().and_then(registry::command).is_some_and(|row| (row.streams)(&mut reader))
}
