//! SAVEDATE (RFC 8514): when a message came into its mailbox.

use account::InternalDate;

use crate::command::Failure;
use crate::command::fetch::{FetchItem, Fetched, Needs};
use crate::command::search::{self, SearchKey, day_of};
use crate::registry::{Extension, FetchItemRow, SearchKeyRow, Shown};
use crate::wire::{Bad, Writer};

pub(crate) const EXTENSION: Extension = Extension {
    capability: "SAVEDATE",
    rfc: 8514,
    shown: Shown::AfterLogin,
    file: "ext/savedate.rs",
    fetch_items: &[FetchItemRow { name: "SAVEDATE", parse: |_, _| Ok(Box::new(SaveDate)) }],
    search_keys: &[
        SearchKeyRow { name: "SAVEDBEFORE", parse: |keys| key(keys, |saved, day| saved < day) },
        SearchKeyRow { name: "SAVEDON", parse: |keys| key(keys, |saved, day| saved == day) },
        SearchKeyRow { name: "SAVEDSINCE", parse: |keys| key(keys, |saved, day| saved >= day) },
        SearchKeyRow { name: "SAVEDATESUPPORTED", parse: |_| Ok(Box::new(search::Everything)) },
    ],
    ..Extension::NONE
};

struct SaveDate;

impl FetchItem for SaveDate {
    fn needs(&self) -> Needs {
        Needs::Row
    }

    fn write(&self, message: &Fetched<'_>, writer: &mut Writer<'_>) -> Result<(), Failure> {
        writer.raw(b"SAVEDATE ");
        writer.date_time(saved(message.row.save_date));
        Ok(())
    }
}

fn saved(date: account::Millis) -> InternalDate {
    InternalDate { seconds: (date.0 / 1000) as i64, zone_minutes: 0 }
}

struct SavedKey {
    day: i64,
    holds: fn(i64, i64) -> bool,
}

fn key(keys: &mut search::KeyReader<'_, '_>, holds: fn(i64, i64) -> bool) -> Result<Box<dyn SearchKey>, Bad> {
    keys.reader().sp()?;
    Ok(Box::new(SavedKey { day: keys.reader().date()?, holds }))
}

impl SearchKey for SavedKey {
    fn needs(&self) -> search::Needs {
        search::Needs::Row
    }

    fn matches(&self, candidate: &search::Candidate<'_>) -> Option<bool> {
        Some((self.holds)(day_of(saved(candidate.row.save_date)), self.day))
    }
}
