//! Old view → new view → EXISTS, EXPUNGE or VANISHED, FETCH. Every mode that changes how a session is told things ends
//! here, and no command writes such data by itself.

use std::sync::Arc;

use account::{Announce, FlagOp, Flags, Modseq, Row, SeqNum, UidSet, View};

use super::{Mode, Modes, Session, State};
use crate::command::Failure;
use crate::peer::Peer;
use crate::response::{OUTPUT_BYTES_MAX, fetch, mailbox};
use crate::wire::Writer;

/// What a command itself changed and has told, or was asked not to tell.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// STORE … .SILENT: these changes are known to the client.
    pub silent: Option<Silent>,
    /// Messages whose FETCH FLAGS must be told even when nothing changed (STORE without .SILENT that was a no-op).
    pub owed: UidSet,
    /// Expunges are told although the command speaks of sequence numbers (MOVE, RFC 6851 3.3).
    pub announce: bool,
}

/// A silent STORE (RFC 9051 6.4.6): the client works out the result by itself, unless somebody else had a hand in it.
#[derive(Debug)]
pub(crate) struct Silent {
    pub uids: UidSet,
    pub op: FlagOp,
    pub flags: Flags,
    /// The entry that made the change; `None` when every message had the flags already.
    pub modseq: Option<Modseq>,
}

impl Silent {
    /// Is the new row exactly what the client expects from what it knew? Its last change is ours, or there was none.
    fn covers(&self, old: Option<Row>, new: &Row) -> bool {
        self.uids.contains(new.uid)
            && old.is_some_and(|old| {
                (self.modseq == Some(new.modseq) || old.modseq == new.modseq)
                    && self.op.apply(old.flags, self.flags) == new.flags
            })
    }
}

/// Moves the view on and tells the difference.
pub(crate) async fn tell(
    session: &mut Session,
    peer: &mut dyn Peer,
    announce: Announce,
    told: &Told,
) -> Result<(), Failure> {
    let (modes, recent_told) = (session.modes, session.speaks_recent());
    let State::Selected(login, selected) = &mut session.state else { return Ok(()) };
    let account = login.account.clone();
    // A mailbox that was deleted meanwhile is an empty one: its messages are announced as expunged when they may be.
    let newer = account.mailbox(selected.mailbox).await?;
    let newer = newer.unwrap_or_else(|| Arc::new(selected.view.mailbox().emptied()));
    let old = told.silent.is_some().then(|| selected.view.clone());
    let difference = selected.view.advance(newer, announce);

    let directory = account.account().directory().clone();
    let facts = directory.mailbox_by_id(selected.mailbox);
    let output = peer.output();
    expunges(output, modes, &difference.expunged, &difference.expunged_numbers);
    if !difference.appended.is_empty() {
        mailbox::exists(output, selected.view.exists());
        if recent_told {
            let fresh = selected.claim_recent(&*account);
            selected.recent = selected.recent.union(&fresh);
            mailbox::recent(output, selected.recent_count());
        }
    }
    if let Some(facts) = facts
        && facts.keywords.0.len() > selected.keywords_told
    {
        selected.keywords_told = facts.keywords.0.len();
        mailbox::flags(output, &facts.keywords, selected.read_only);
    }
    let keywords = facts.map(|facts| facts.keywords.clone()).unwrap_or_default();
    let changed = difference.changed.union(&told.owed);
    for (number, row) in selected.view.rows_in(&changed) {
        let known = told
            .silent
            .as_ref()
            .is_some_and(|silent| silent.covers(old.as_ref().and_then(|old: &View| old.row(row.uid)), &row));
        if known && !modes.has(Mode::CondStore) {
            continue;
        }
        let recent = recent_told && selected.is_recent(&row);
        let news = fetch::News { number, row: &row, keywords: &keywords, recent, flags: !known };
        fetch::news(&mut Writer::new(peer.output(), modes.utf8_names()), modes, &news);
        if peer.output().len() >= OUTPUT_BYTES_MAX {
            peer.drain().await?;
        }
    }
    Ok(())
}

/// EXPUNGE one by one, highest number first, or VANISHED at once (RFC 7162 3.2.10).
fn expunges(output: &mut Vec<u8>, modes: Modes, uids: &UidSet, numbers: &[SeqNum]) {
    if modes.vanished() {
        if !uids.is_empty() {
            mailbox::vanished(output, uids);
        }
        return;
    }
    for number in numbers {
        mailbox::expunge(output, *number);
    }
}
