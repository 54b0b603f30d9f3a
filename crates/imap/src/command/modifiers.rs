//! Parameters in parentheses (RFC 4466, RFC 9051 9 `fetch-modifiers`, `select-params`, `store-modifiers`): one struct for
//! all verbs, filled by the rows of the socket *modifiers*.

use account::{Modseq, SequenceSet, UidValidity};

use super::Syntax;
use crate::registry;
use crate::wire::{Bad, Reader};

/// What the parentheses said.
#[derive(Debug, Default)]
pub(crate) struct Modifiers {
    /// FETCH: only messages changed after this (RFC 7162 3.1.4.1).
    pub changed_since: Option<Modseq>,
    /// FETCH: and tell what vanished since (RFC 7162 3.2.6).
    pub vanished: bool,
    /// FETCH: only this slice of the messages (RFC 9394).
    pub partial: Option<Slice>,
    /// STORE: only messages not changed after this (RFC 7162 3.1.3).
    pub unchanged_since: Option<Modseq>,
    /// SELECT: a mere CONDSTORE (RFC 7162 3.1.8).
    pub condstore: bool,
    /// SELECT: catch up (RFC 7162 3.2.5).
    pub qresync: Option<QResync>,
}

/// A slice of a result by place, 1-based from the front, or from the back when negative (RFC 9394 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slice {
    pub first: u32,
    pub last: u32,
    pub from_end: bool,
}

/// What the client knew when it went offline (RFC 7162 3.2.5).
#[derive(Debug)]
pub(crate) struct QResync {
    pub uid_validity: UidValidity,
    pub modseq: Modseq,
    pub known_uids: Option<SequenceSet>,
    /// Sample of known sequence numbers with their UIDs, ascending.
    pub matches: Option<(SequenceSet, SequenceSet)>,
}

impl Modifiers {
    /// Does QRESYNC give a sample of sequence numbers?
    pub(crate) fn samples_numbers(&self) -> bool {
        self.qresync.as_ref().is_some_and(|known| known.matches.is_some())
    }

    /// Reads ` (name …  name …)` if it stands there; each name at most once.
    pub(crate) fn parse(verb: &str, reader: &mut Reader<'_>, syntax: &Syntax) -> Result<Self, Bad> {
        let mut modifiers = Self::default();
        let mut seen: Vec<&'static str> = Vec::new();
        if !reader.eat(b" (") {
            return Ok(modifiers);
        }
        loop {
            let name = reader.atom()?;
            let row = registry::modifier(verb, name).ok_or_else(|| reader.bad("Unknown parameter"))?;
            if seen.contains(&row.name) {
                return Err(reader.bad("Parameter given twice"));
            }
            seen.push(row.name);
            (row.parse)(reader, syntax, &mut modifiers)?;
            if reader.eat(b")") {
                return Ok(modifiers);
            }
            reader.sp()?;
        }
    }
}
