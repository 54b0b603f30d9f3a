//! The search program: keys joined by AND, OR and NOT, decided in stages from cheap to dear knowledge.

use std::task::Poll;

use account::{BlobId, Fault, OpenAccount, Pending, Row, SequenceSet, UidSet, View};
use bytes::Bytes;
use message::{SearchText, Summary};

use super::sets::{ByNumber, ByUid};
use super::{Binder, Candidate, KeyReader, Needs, SearchKey};
use crate::command::{Cx, Failure};
use crate::ext::inprogress::Progress;
use crate::registry;
use crate::wire::Bad;

/// How many messages are looked at between two chances for others to run, and asked of the store at a time.
const RUN_MESSAGES: usize = 256;

/// Joined keys.
pub(crate) enum Program {
    /// One key.
    Key(Box<dyn SearchKey>),
    /// All of them (keys side by side, or in parentheses).
    All(Vec<Program>),
    /// One or the other.
    Or(Box<(Program, Program)>),
    /// Not it.
    Not(Box<Program>),
}

impl Program {
    /// `search-key *(SP search-key)` up to the end or a closing parenthesis.
    pub(super) fn parse(keys: &mut KeyReader<'_, '_>) -> Result<Self, Bad> {
        let mut all = vec![Self::parse_one(keys)?];
        while keys.reader.peek() == Some(b' ') {
            keys.reader.sp()?;
            all.push(Self::parse_one(keys)?);
        }
        Ok(match all.len() {
            1 => all.swap_remove(0),
            _ => Self::All(all),
        })
    }

    /// One `search-key`. Nesting is bounded by the reader.
    fn parse_one(keys: &mut KeyReader<'_, '_>) -> Result<Self, Bad> {
        keys.count()?;
        keys.reader.nest()?;
        let key = Self::parse_nested(keys);
        keys.reader.unnest();
        key
    }

    fn parse_nested(keys: &mut KeyReader<'_, '_>) -> Result<Self, Bad> {
        if keys.reader.eat(b"(") {
            let all = Self::parse(keys)?;
            keys.reader.expect(b")")?;
            return Ok(all);
        }
        if matches!(keys.reader.peek(), Some(b'0'..=b'9' | b'*' | b'$')) {
            let set = keys.reader.sequence_set()?;
            keys.numbers |= set != SequenceSet::Saved;
            return Ok(Self::Key(Box::new(ByNumber::new(set))));
        }
        let name = keys.reader.item_name()?;
        if name.eq_ignore_ascii_case(b"NOT") {
            keys.reader.sp()?;
            return Ok(Self::Not(Box::new(Self::parse_one(keys)?)));
        }
        if name.eq_ignore_ascii_case(b"OR") {
            keys.reader.sp()?;
            let one = Self::parse_one(keys)?;
            keys.reader.sp()?;
            return Ok(Self::Or(Box::new((one, Self::parse_one(keys)?))));
        }
        if name.eq_ignore_ascii_case(b"UID") {
            keys.reader.sp()?;
            return Ok(Self::Key(Box::new(ByUid::new(keys.reader.sequence_set()?))));
        }
        let row = registry::search_key(name).ok_or_else(|| keys.reader.bad("Unknown search key"))?;
        Ok(Self::Key((row.parse)(keys)?))
    }

    /// Lets every key look up what it needs once.
    pub(super) fn bind(&mut self, binder: &Binder<'_>) -> Result<(), Failure> {
        match self {
            Self::Key(key) => key.bind(binder),
            Self::All(all) => all.iter_mut().try_for_each(|one| one.bind(binder)),
            Self::Or(two) => {
                two.0.bind(binder)?;
                two.1.bind(binder)
            }
            Self::Not(one) => one.bind(binder),
        }
    }

    /// Does any key satisfy the test?
    fn any(&self, test: &dyn Fn(&dyn SearchKey) -> bool) -> bool {
        match self {
            Self::Key(key) => test(&**key),
            Self::All(all) => all.iter().any(|one| one.any(test)),
            Self::Or(two) => two.0.any(test) || two.1.any(test),
            Self::Not(one) => one.any(test),
        }
    }

    /// Does the program speak of mod-sequences?
    pub(crate) fn modseq(&self) -> bool {
        self.any(&|key| key.modseq())
    }

    /// Three-valued: `None` while more must be known.
    fn decide(&self, candidate: &Candidate<'_>) -> Option<bool> {
        match self {
            Self::Key(key) => key.matches(candidate),
            Self::Not(one) => one.decide(candidate).map(|yes| !yes),
            Self::Or(two) => match (two.0.decide(candidate), two.1.decide(candidate)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            Self::All(all) => {
                let mut known = Some(true);
                for one in all {
                    match one.decide(candidate) {
                        Some(false) => return Some(false),
                        Some(true) => {}
                        None => known = None,
                    }
                }
                known
            }
        }
    }

    /// Decides with octets in hand. Nesting is bounded by the parser.
    fn look<'a>(&'a self, candidate: &'a Candidate<'_>) -> Pending<'a, Result<bool, Failure>> {
        Box::pin(async move {
            if let Some(known) = self.decide(candidate) {
                return Ok(known);
            }
            match self {
                Self::Key(key) => key.look(candidate).await,
                Self::Not(one) => one.look(candidate).await.map(|yes| !yes),
                Self::Or(two) => Ok(two.0.look(candidate).await? || two.1.look(candidate).await?),
                Self::All(all) => {
                    for one in all {
                        if !one.look(candidate).await? {
                            return Ok(false);
                        }
                    }
                    Ok(true)
                }
            }
        })
    }

    /// The matching messages of the view, ascending.
    pub(super) async fn search(&self, cx: &mut Cx<'_>, view: &View) -> Result<UidSet, Failure> {
        let account = cx.account()?;
        let recent = if cx.session.speaks_recent() { cx.selected()?.recent.clone() } else { UidSet::new() };
        let now = cx.host().now();
        let mut progress = Progress::new(now, view.exists());
        let mut found = UidSet::new();
        let mut rows = view.rows();
        let mut done = 0_u32;
        loop {
            let run: Vec<Row> = rows.by_ref().take(RUN_MESSAGES).map(|(_, row)| row).collect();
            if run.is_empty() {
                return Ok(found);
            }
            done += run.len() as u32;
            let candidate = |row: Row| Candidate {
                row,
                recent: recent.contains(row.uid),
                now,
                account: &*account,
                summary: None,
                text: None,
            };
            let mut open = Vec::new();
            for row in run {
                match self.decide(&candidate(row)) {
                    Some(true) => found.insert(row.uid),
                    Some(false) => {}
                    None => open.push(row),
                }
            }
            self.decide_open(&*account, &open, &candidate, &mut found).await?;
            progress.tell(cx, done).await?;
            breathe().await;
        }
    }

    /// Decides messages that the columns alone did not.
    async fn decide_open<'c>(
        &self,
        account: &dyn OpenAccount,
        open: &[Row],
        candidate: &(dyn Fn(Row) -> Candidate<'c> + Sync),
        found: &mut UidSet,
    ) -> Result<(), Failure> {
        if open.is_empty() {
            return Ok(());
        }
        let blobs: Vec<BlobId> = open.iter().map(|row| row.blob).collect();
        let summaries = account.summaries(&blobs).await.map(|all| all.into_iter().map(Some).collect());
        let summaries: Vec<Option<Bytes>> = match summaries {
            // One damaged message must not spoil the search for all: it matches nothing of what cannot be read.
            Err(Fault::Damaged(_)) => vec![None; open.len()],
            other => other?,
        };
        let wants_text = self.any(&|key| key.needs() >= Needs::Text);
        let mut matching = Vec::new();
        for (row, packed) in open.iter().zip(&summaries) {
            let packed_text;
            let mut one = candidate(*row);
            one.summary = packed.as_ref().and_then(|octets| Summary::new(octets).ok());
            let mut verdict = self.decide(&one);
            if verdict.is_none() && wants_text {
                packed_text = readable(account.text(row.blob).await)?;
                one.text = packed_text.as_ref().and_then(|octets| SearchText::new(octets).ok());
                verdict = self.decide(&one);
                if verdict.is_none() {
                    verdict = readable(self.look(&one).await.map_err(Damage::from))?;
                }
            }
            if verdict == Some(true) {
                matching.push(row.uid);
            }
        }
        matching.into_iter().for_each(|uid| found.insert(uid));
        Ok(())
    }
}

/// A failure that may be one damaged message.
enum Damage {
    This,
    Other(Failure),
}

impl From<Failure> for Damage {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Fault(Fault::Damaged(_)) => Self::This,
            other => Self::Other(other),
        }
    }
}

impl From<Fault> for Damage {
    fn from(fault: Fault) -> Self {
        Failure::Fault(fault).into()
    }
}

/// `None` for a damaged message; any other failure goes up.
fn readable<T, E: Into<Damage>>(result: Result<T, E>) -> Result<Option<T>, Failure> {
    match result.map_err(Into::into) {
        Ok(value) => Ok(Some(value)),
        Err(Damage::This) => Ok(None),
        Err(Damage::Other(failure)) => Err(failure),
    }
}

/// Gives other sessions a turn.
pub(crate) async fn breathe() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
