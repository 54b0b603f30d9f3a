//! Search keys that the mailbox's columns and the summary answer: flags, dates, sizes (RFC 9051 6.4.4; NEW, OLD and RECENT
//! of RFC 3501).

use account::{Flags, SystemFlag};
use jiff::civil::Date;
use message::SentDate;

use super::{Binder, Candidate, KeyReader, Needs, SearchKey, day_of};
use crate::command::Failure;
use crate::registry::SearchKeyRow;
use crate::wire::Bad;

pub(crate) const KEYS: &[SearchKeyRow] = &[
    SearchKeyRow { name: "ALL", parse: |_| Ok(Box::new(Everything)) },
    SearchKeyRow { name: "ANSWERED", parse: |_| Ok(flag(SystemFlag::Answered, true)) },
    SearchKeyRow { name: "DELETED", parse: |_| Ok(flag(SystemFlag::Deleted, true)) },
    SearchKeyRow { name: "DRAFT", parse: |_| Ok(flag(SystemFlag::Draft, true)) },
    SearchKeyRow { name: "FLAGGED", parse: |_| Ok(flag(SystemFlag::Flagged, true)) },
    SearchKeyRow { name: "SEEN", parse: |_| Ok(flag(SystemFlag::Seen, true)) },
    SearchKeyRow { name: "UNANSWERED", parse: |_| Ok(flag(SystemFlag::Answered, false)) },
    SearchKeyRow { name: "UNDELETED", parse: |_| Ok(flag(SystemFlag::Deleted, false)) },
    SearchKeyRow { name: "UNDRAFT", parse: |_| Ok(flag(SystemFlag::Draft, false)) },
    SearchKeyRow { name: "UNFLAGGED", parse: |_| Ok(flag(SystemFlag::Flagged, false)) },
    SearchKeyRow { name: "UNSEEN", parse: |_| Ok(flag(SystemFlag::Seen, false)) },
    SearchKeyRow { name: "KEYWORD", parse: |keys| keyword(keys, true) },
    SearchKeyRow { name: "UNKEYWORD", parse: |keys| keyword(keys, false) },
    SearchKeyRow { name: "NEW", parse: |_| Ok(Box::new(Recent { recent: true, unseen: true })) },
    SearchKeyRow { name: "OLD", parse: |_| Ok(Box::new(Recent { recent: false, unseen: false })) },
    SearchKeyRow { name: "RECENT", parse: |_| Ok(Box::new(Recent { recent: true, unseen: false })) },
    SearchKeyRow { name: "LARGER", parse: |keys| size(keys, true) },
    SearchKeyRow { name: "SMALLER", parse: |keys| size(keys, false) },
    SearchKeyRow { name: "BEFORE", parse: |keys| date(keys, |is, day| is < day, false) },
    SearchKeyRow { name: "ON", parse: |keys| date(keys, |is, day| is == day, false) },
    SearchKeyRow { name: "SINCE", parse: |keys| date(keys, |is, day| is >= day, false) },
    SearchKeyRow { name: "SENTBEFORE", parse: |keys| date(keys, |is, day| is < day, true) },
    SearchKeyRow { name: "SENTON", parse: |keys| date(keys, |is, day| is == day, true) },
    SearchKeyRow { name: "SENTSINCE", parse: |keys| date(keys, |is, day| is >= day, true) },
];

/// ALL, and what is always so.
pub(crate) struct Everything;

impl SearchKey for Everything {
    fn needs(&self) -> Needs {
        Needs::Row
    }

    fn matches(&self, _: &Candidate<'_>) -> Option<bool> {
        Some(true)
    }
}

struct HasFlag {
    flags: Flags,
    set: bool,
}

fn flag(flag: SystemFlag, set: bool) -> Box<dyn SearchKey> {
    Box::new(HasFlag { flags: Flags::system(flag), set })
}

impl SearchKey for HasFlag {
    fn needs(&self) -> Needs {
        Needs::Row
    }

    fn matches(&self, candidate: &Candidate<'_>) -> Option<bool> {
        Some(candidate.row.flags.contains(self.flags) == self.set)
    }
}

struct HasKeyword {
    name: String,
    set: bool,
    /// `None` when the mailbox's table does not know the keyword: no message has it.
    flags: Option<Flags>,
}

/// `("KEYWORD" / "UNKEYWORD") SP flag-keyword`
fn keyword(keys: &mut KeyReader<'_, '_>, set: bool) -> Result<Box<dyn SearchKey>, Bad> {
    keys.reader().sp()?;
    let name = String::from_utf8_lossy(keys.reader().atom()?).into_owned();
    Ok(Box::new(HasKeyword { name, set, flags: None }))
}

impl SearchKey for HasKeyword {
    fn needs(&self) -> Needs {
        Needs::Row
    }

    fn bind(&mut self, binder: &Binder<'_>) -> Result<(), Failure> {
        self.flags = binder.keywords.index(&self.name).map(Flags::keyword);
        Ok(())
    }

    fn matches(&self, candidate: &Candidate<'_>) -> Option<bool> {
        let has = self.flags.is_some_and(|flags| candidate.row.flags.contains(flags));
        Some(has == self.set)
    }
}

struct Recent {
    recent: bool,
    unseen: bool,
}

impl SearchKey for Recent {
    fn needs(&self) -> Needs {
        Needs::Row
    }

    fn matches(&self, candidate: &Candidate<'_>) -> Option<bool> {
        let seen = candidate.row.flags.has(SystemFlag::Seen);
        Some(candidate.recent == self.recent && !(self.unseen && seen))
    }
}

struct Size {
    octets: u64,
    larger: bool,
}

/// `("LARGER" / "SMALLER") SP number64`: strictly so.
fn size(keys: &mut KeyReader<'_, '_>, larger: bool) -> Result<Box<dyn SearchKey>, Bad> {
    keys.reader().sp()?;
    Ok(Box::new(Size { octets: keys.reader().number64()?, larger }))
}

impl SearchKey for Size {
    fn needs(&self) -> Needs {
        Needs::Row
    }

    fn matches(&self, candidate: &Candidate<'_>) -> Option<bool> {
        let size = candidate.row.size;
        Some(if self.larger { size > self.octets } else { size < self.octets })
    }
}

/// The calendar date as written, in days since 1970-01-01.
fn day_sent(sent: SentDate) -> i64 {
    let date = Date::new(sent.year as i16, sent.month as i8, sent.day as i8).unwrap_or(Date::ZERO);
    i64::from((date - Date::constant(1970, 1, 1)).get_days())
}

struct Dated {
    day: i64,
    holds: fn(i64, i64) -> bool,
    /// By the `Date:` field rather than the internal date.
    sent: bool,
}

/// `SP date`
fn date(
    keys: &mut KeyReader<'_, '_>,
    holds: fn(i64, i64) -> bool,
    sent: bool,
) -> Result<Box<dyn SearchKey>, Bad> {
    keys.reader().sp()?;
    Ok(Box::new(Dated { day: keys.reader().date()?, holds, sent }))
}

impl SearchKey for Dated {
    fn needs(&self) -> Needs {
        if self.sent { Needs::Summary } else { Needs::Row }
    }

    fn matches(&self, candidate: &Candidate<'_>) -> Option<bool> {
        if !self.sent {
            return Some((self.holds)(day_of(candidate.row.internal_date), self.day));
        }
        let summary = candidate.summary.as_ref()?;
        // A message without a readable Date: field was sent when it arrived (RFC 5256 2.2 says so for sorting).
        let day = summary.sent_date().map_or(day_of(candidate.row.internal_date), day_sent);
        Some((self.holds)(day, self.day))
    }
}
