//! HEADER (RFC 9051 6.4.4): a substring of a named header field; the empty string asks only whether the field is there.

use memchr::memmem::Finder;

use super::text::finder;
use super::{Candidate, KeyReader, Needs, SearchKey};
use crate::registry::SearchKeyRow;
use crate::wire::Bad;

pub(crate) const KEYS: &[SearchKeyRow] = &[SearchKeyRow { name: "HEADER", parse }];

struct Header {
    name: String,
    needle: Finder<'static>,
}

/// `"HEADER" SP header-fld-name SP astring`
fn parse(keys: &mut KeyReader<'_, '_>) -> Result<Box<dyn SearchKey>, Bad> {
    keys.reader().sp()?;
    let name = String::from_utf8_lossy(&keys.reader().astring()?).into_owned();
    Ok(Box::new(Header { name, needle: finder(&keys.folded()?) }))
}

impl SearchKey for Header {
    fn needs(&self) -> Needs {
        Needs::Text
    }

    fn matches(&self, candidate: &Candidate<'_>) -> Option<bool> {
        let text = candidate.text.as_ref()?;
        Some(text.header(&self.name).any(|value| self.needle.find(value.as_bytes()).is_some()))
    }
}
