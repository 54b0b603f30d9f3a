//! WITHIN (RFC 5032): OLDER and YOUNGER than so many seconds.

use crate::command::search::{self, SearchKey};
use crate::registry::{Extension, SearchKeyRow, Shown};
use crate::wire::Bad;

pub(crate) const EXTENSION: Extension = Extension {
    capability: "WITHIN",
    rfc: 5032,
    shown: Shown::AfterLogin,
    file: "ext/within.rs",
    search_keys: &[
        SearchKeyRow { name: "OLDER", parse: |keys| key(keys, true) },
        SearchKeyRow { name: "YOUNGER", parse: |keys| key(keys, false) },
    ],
    ..Extension::NONE
};

struct Within {
    seconds: u32,
    older: bool,
}

/// `("OLDER" / "YOUNGER") SP nz-number`
fn key(keys: &mut search::KeyReader<'_, '_>, older: bool) -> Result<Box<dyn SearchKey>, Bad> {
    keys.reader().sp()?;
    Ok(Box::new(Within { seconds: keys.reader().nz_number()?, older }))
}

impl SearchKey for Within {
    fn needs(&self) -> search::Needs {
        search::Needs::Row
    }

    fn matches(&self, candidate: &search::Candidate<'_>) -> Option<bool> {
        // RFC 5032 3: the interval's very end belongs to both.
        let edge = (candidate.now.0 / 1000) as i64 - i64::from(self.seconds);
        let date = candidate.row.internal_date.seconds;
        Some(if self.older { date <= edge } else { date >= edge })
    }
}
