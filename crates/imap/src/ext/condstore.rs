//! CONDSTORE (RFC 7162 3.1): MODSEQ as FETCH item and SEARCH key, CHANGEDSINCE, UNCHANGEDSINCE, HIGHESTMODSEQ.

use account::Modseq;

use crate::command::Failure;
use crate::command::fetch::{FetchItem, Fetched, Needs};
use crate::command::search::{self, SearchKey};
use crate::registry::{Extension, FetchItemRow, ModifierRow, SearchKeyRow, Shown, StatusItemRow};
use crate::response::fetch;
use crate::session::Mode;
use crate::wire::{Bad, Reader, Writer};

pub(crate) const EXTENSION: Extension = Extension {
    capability: "CONDSTORE",
    rfc: 7162,
    shown: Shown::AfterLogin,
    file: "ext/condstore.rs",
    fetch_items: &[FetchItemRow { name: "MODSEQ", parse: |_, _| Ok(Box::new(FetchModseq)) }],
    search_keys: &[SearchKeyRow { name: "MODSEQ", parse: parse_key }],
    status_items: &[StatusItemRow {
        name: "HIGHESTMODSEQ",
        enables: Some(Mode::CondStore),
        write: |of, writer| writer.number(of.facts.highest_modseq.0),
    }],
    modifiers: &[
        ModifierRow {
            name: "CONDSTORE",
            verbs: &["SELECT"],
            parse: |_, _, modifiers| {
                modifiers.condstore = true;
                Ok(())
            },
        },
        ModifierRow {
            name: "CHANGEDSINCE",
            verbs: &["FETCH"],
            parse: |reader, _, modifiers| {
                reader.sp()?;
                // The grammar of RFC 7162 7 begins at 1. iOS Mail sends 0 for "everything", so that is taken.
                modifiers.changed_since = Some(Modseq(reader.number64()?));
                Ok(())
            },
        },
        ModifierRow {
            name: "UNCHANGEDSINCE",
            verbs: &["STORE"],
            parse: |reader, _, modifiers| {
                reader.sp()?;
                modifiers.unchanged_since = Some(Modseq(reader.number64()?));
                Ok(())
            },
        },
    ],
    mode: Some(Mode::CondStore),
    ..Extension::NONE
};

struct FetchModseq;

impl FetchItem for FetchModseq {
    fn needs(&self) -> Needs {
        Needs::Row
    }

    fn enables(&self) -> Option<Mode> {
        Some(Mode::CondStore)
    }

    fn write(&self, message: &Fetched<'_>, writer: &mut Writer<'_>) -> Result<(), Failure> {
        fetch::modseq(writer, message.row.modseq);
        Ok(())
    }
}

/// SEARCH MODSEQ (RFC 7162 3.1.5).
struct SearchModseq(Modseq);

/// `"MODSEQ" [SP entry-name SP entry-type-req] SP mod-sequence-valzer`: per-flag mod-sequences are not kept, so the entry
/// is read and every change of the message counts, which RFC 7162 3.1.5 allows.
fn parse_key(keys: &mut search::KeyReader<'_, '_>) -> Result<Box<dyn SearchKey>, Bad> {
    let reader: &mut Reader<'_> = keys.reader();
    reader.sp()?;
    if reader.peek() == Some(b'"') {
        reader.string()?;
        reader.sp()?;
        if !["all", "priv", "shared"].iter().any(|kind| reader.eat_word(kind)) {
            return Err(reader.bad("Expected all, priv or shared"));
        }
        reader.sp()?;
    }
    Ok(Box::new(SearchModseq(Modseq(reader.number64()?))))
}

impl SearchKey for SearchModseq {
    fn needs(&self) -> search::Needs {
        search::Needs::Row
    }

    fn matches(&self, candidate: &search::Candidate<'_>) -> Option<bool> {
        Some(candidate.row.modseq >= self.0)
    }

    fn modseq(&self) -> bool {
        true
    }
}
