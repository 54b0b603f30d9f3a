//! SEARCH and ESEARCH responses (RFC 9051 7.3.4, RFC 3501 7.2.5, RFC 4731), RETURN options, and the saved result
//! (RFC 5182 2.1).

use account::{Modseq, UidSet, View};

use crate::command::modifiers::Slice;
use crate::command::{Cx, Done, Outcome, Syntax};
use crate::limits;
use crate::registry;
use crate::session::Mode;
use crate::wire::{Bad, Reader, Writer};

/// What RETURN asked for.
#[derive(Debug, Default)]
pub(crate) struct Returns {
    pub min: bool,
    pub max: bool,
    pub count: bool,
    pub all: bool,
    pub save: bool,
    pub partial: Option<Slice>,
}

/// An option of SEARCH RETURN: sets its field.
pub(crate) struct SearchReturnRow {
    pub name: &'static str,
    pub parse: fn(&mut Reader<'_>, &mut Returns) -> Result<(), Bad>,
}

impl Returns {
    /// `[SP "RETURN" SP "(" [search-return-opt *(SP search-return-opt)] ")"]`
    pub(super) fn parse(reader: &mut Reader<'_>, syntax: &Syntax) -> Result<Option<Self>, Bad> {
        let rev2 = syntax.modes.has(Mode::Rev2);
        if !reader.eat_word(" RETURN") {
            // RFC 9051 6.4.4: without RETURN the result is ALL, as ESEARCH.
            return Ok(rev2.then(|| Self { all: true, ..Self::default() }));
        }
        reader.sp()?;
        reader.expect(b"(")?;
        let mut returns = Self::default();
        let mut options = 0;
        while !reader.eat(b")") {
            if options > 0 {
                reader.sp()?;
            }
            options += 1;
            if options > limits::SEARCH_RETURNS_MAX {
                return Err(reader.bad("Too many RETURN options"));
            }
            let row =
                registry::search_return(reader.atom()?).ok_or_else(|| reader.bad("Unknown RETURN option"))?;
            (row.parse)(reader, &mut returns)?;
        }
        if options == 0 {
            // RFC 4731 3.1: an empty list means ALL.
            returns.all = true;
        }
        if returns.all && returns.partial.is_some() {
            // RFC 9394 3.1
            return Err(reader.bad("ALL and PARTIAL exclude each other"));
        }
        Ok(Some(returns))
    }

    /// What SAVE keeps (RFC 5182 2.1, RFC 9394 3.1): only the ends when only they were asked for.
    fn kept(&self, found: &UidSet) -> UidSet {
        if self.all || self.count || !(self.min || self.max || self.partial.is_some()) {
            return found.clone();
        }
        let mut kept = self.partial.map(|slice| slice.of(found)).unwrap_or_default();
        if let Some((first, last)) = found.bounds() {
            let ends = [self.min.then_some(first), self.max.then_some(last)];
            kept = kept.union(&ends.into_iter().flatten().collect());
        }
        kept
    }

    /// Is nothing but SAVE asked for? Then no response is sent (RFC 5182 2.1).
    const fn silent(&self) -> bool {
        self.save && !(self.min || self.max || self.count || self.all || self.partial.is_some())
    }
}

/// Saves and answers.
pub(super) fn write(
    cx: &mut Cx<'_>,
    view: &View,
    found: UidSet,
    returns: Option<&Returns>,
    modseq: bool,
) -> Outcome {
    if let Some(returns) = returns.filter(|returns| returns.save) {
        cx.selected()?.saved = returns.kept(&found);
    }
    match returns {
        None => plain(cx, view, &found, modseq),
        Some(returns) if returns.silent() => {}
        Some(returns) => extended(cx, view, &found, returns, modseq),
    }
    Done::ok("SEARCH completed")
}

/// The highest mod-sequence of messages.
fn highest(view: &View, uids: &UidSet) -> Option<Modseq> {
    view.rows_in(uids).map(|(_, row)| row.modseq).max()
}

/// `* SEARCH 1 2 3 [(MODSEQ n)]`
fn plain(cx: &mut Cx<'_>, view: &View, found: &UidSet, modseq: bool) {
    let by_uid = cx.by_uid;
    let mut writer = cx.writer();
    writer.raw(b"* SEARCH");
    for (number, row) in view.rows_in(found) {
        writer.raw(b" ");
        writer.number(u64::from(if by_uid { row.uid.value() } else { number.value() }));
    }
    if let Some(highest) = highest(view, found).filter(|_| modseq) {
        writer.raw(b" (MODSEQ ");
        writer.number(highest.0);
        writer.raw(b")");
    }
    writer.raw(b"\r\n");
}

/// `* ESEARCH (TAG "a") [UID] …`
fn extended(cx: &mut Cx<'_>, view: &View, found: &UidSet, returns: &Returns, modseq: bool) {
    let (by_uid, tag) = (cx.by_uid, cx.tag.to_owned());
    let named = |uids: &UidSet| {
        if by_uid {
            return uids.clone();
        }
        UidSet::from_ranges(view.rows_in(uids).map(|(number, _)| (number.value(), number.value())))
    };
    let mut writer = cx.writer();
    writer.raw(b"* ESEARCH (TAG ");
    writer.quoted(tag.as_bytes());
    writer.raw(if by_uid { b") UID" } else { b")" });
    let item = |writer: &mut Writer<'_>, name: &str, uids: &UidSet| {
        writer.raw(name.as_bytes());
        writer.uid_set(&named(uids));
    };
    let mut told = UidSet::new();
    if let Some((first, last)) = found.bounds() {
        let (first, last): (UidSet, UidSet) =
            (std::iter::once(first).collect(), std::iter::once(last).collect());
        if returns.min {
            item(&mut writer, " MIN ", &first);
            told = told.union(&first);
        }
        if returns.max {
            item(&mut writer, " MAX ", &last);
            told = told.union(&last);
        }
        if returns.all {
            item(&mut writer, " ALL ", found);
            told = found.clone();
        }
    }
    if returns.count {
        writer.raw(b" COUNT ");
        writer.number(found.len());
        told = found.clone();
    }
    if let Some(slice) = returns.partial {
        let page = slice.of(found);
        writer.raw(format!(" PARTIAL ({slice} ").as_bytes());
        if page.is_empty() {
            writer.raw(b"NIL");
        } else {
            item(&mut writer, "", &page);
        }
        writer.raw(b")");
        told = told.union(&page);
    }
    if let Some(highest) = highest(view, &told).filter(|_| modseq) {
        // RFC 4731 3.2, RFC 7162 3.1.10
        writer.raw(b" MODSEQ ");
        writer.number(highest.0);
    }
    writer.raw(b"\r\n");
}
