//! PARTIAL (RFC 9394): a page of a SEARCH result or of a UID FETCH, from the front or from the back.

use std::fmt;

use account::UidSet;

use crate::command::modifiers::Slice;
use crate::command::search::SearchReturnRow;
use crate::registry::{Extension, ModifierRow, Shown};
use crate::wire::{Bad, Reader};

pub(crate) const EXTENSION: Extension = Extension {
    capability: "PARTIAL",
    rfc: 9394,
    shown: Shown::AfterLogin,
    file: "ext/partial.rs",
    search_returns: &[SearchReturnRow {
        name: "PARTIAL",
        parse: |reader, returns| {
            reader.sp()?;
            if returns.partial.replace(slice(reader)?).is_some() {
                // RFC 9394 3.1: only one.
                return Err(reader.bad("PARTIAL given twice"));
            }
            Ok(())
        },
    }],
    modifiers: &[ModifierRow {
        name: "PARTIAL",
        verbs: &["FETCH"],
        parse: |reader, syntax, modifiers| {
            if !syntax.by_uid {
                // RFC 9394 3.3
                return Err(reader.bad("PARTIAL goes with UID FETCH"));
            }
            reader.sp()?;
            modifiers.partial = Some(slice(reader)?);
            Ok(())
        },
    }],
    ..Extension::NONE
};

/// `partial-range = nz-number ":" nz-number / "-" nz-number ":" "-" nz-number`
fn slice(reader: &mut Reader<'_>) -> Result<Slice, Bad> {
    let from_end = reader.eat(b"-");
    let first = reader.nz_number()?;
    reader.expect(b":")?;
    if from_end {
        reader.expect(b"-")?;
    }
    let last = reader.nz_number()?;
    Ok(Slice { first: first.min(last), last: first.max(last), from_end })
}

impl Slice {
    /// The members of a set at these places.
    pub(crate) fn of(self, set: &UidSet) -> UidSet {
        let len = set.len();
        let (mut first, mut last) = (u64::from(self.first), u64::from(self.last).min(len));
        if self.from_end {
            if first > len {
                return UidSet::new();
            }
            (first, last) = (len - last + 1, len - first + 1);
        }
        let mut before = 0;
        UidSet::from_ranges(set.ranges().iter().filter_map(|&(from, to)| {
            let size = u64::from(to - from) + 1;
            // Places of this range in the set: before + 1 ..= before + size.
            let (low, high) = (first.max(before + 1), last.min(before + size));
            let cut =
                (low <= high).then(|| (from + (low - before - 1) as u32, from + (high - before - 1) as u32));
            before += size;
            cut
        }))
    }
}

impl fmt::Display for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.from_end { "-" } else { "" };
        write!(f, "{sign}{}:{sign}{}", self.first, self.last)
    }
}
