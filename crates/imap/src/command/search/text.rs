//! Search keys that look for text: BCC, CC, FROM, SUBJECT, TO, BODY, TEXT (RFC 9051 6.4.4). Strings match as substrings,
//! folded in every script.

use account::Pending;
use memchr::memmem::Finder;
use message::{SearchField, SearchText, TextContent, TextMatcher, TextSection};

use super::{Candidate, KeyReader, Needs, SearchKey};
use crate::command::Failure;
use crate::limits;
use crate::registry::SearchKeyRow;
use crate::wire::Bad;

pub(crate) const KEYS: &[SearchKeyRow] = &[
    SearchKeyRow { name: "BCC", parse: |keys| field(keys, SearchField::Bcc) },
    SearchKeyRow { name: "CC", parse: |keys| field(keys, SearchField::Cc) },
    SearchKeyRow { name: "FROM", parse: |keys| field(keys, SearchField::From) },
    SearchKeyRow { name: "SUBJECT", parse: |keys| field(keys, SearchField::Subject) },
    SearchKeyRow { name: "TO", parse: |keys| field(keys, SearchField::To) },
    SearchKeyRow { name: "BODY", parse: |keys| contains(keys, false) },
    SearchKeyRow { name: "TEXT", parse: |keys| contains(keys, true) },
];

/// How much of a large message is read at a time.
const WINDOW_BYTES: u64 = 64 * 1024;

struct InField {
    field: SearchField,
    needle: Finder<'static>,
}

fn field(keys: &mut KeyReader<'_, '_>, field: SearchField) -> Result<Box<dyn SearchKey>, Bad> {
    Ok(Box::new(InField { field, needle: finder(&keys.folded()?) }))
}

pub(super) fn finder(needle: &str) -> Finder<'static> {
    Finder::new(needle.as_bytes()).into_owned()
}

impl SearchKey for InField {
    fn needs(&self) -> Needs {
        Needs::Text
    }

    fn matches(&self, candidate: &Candidate<'_>) -> Option<bool> {
        let text = candidate.text.as_ref()?;
        let field = text.field(self.field);
        // What is not there contains nothing, not even the empty string, as with HEADER (RFC 9051 6.4.4).
        Some(!field.is_empty() && self.needle.find(field.as_bytes()).is_some())
    }
}

/// BODY, or TEXT: that and the header.
struct Contains {
    needle: Finder<'static>,
    header: bool,
}

fn contains(keys: &mut KeyReader<'_, '_>, header: bool) -> Result<Box<dyn SearchKey>, Bad> {
    Ok(Box::new(Contains { needle: finder(&keys.folded()?), header }))
}

impl SearchKey for Contains {
    fn needs(&self) -> Needs {
        Needs::Body
    }

    fn matches(&self, candidate: &Candidate<'_>) -> Option<bool> {
        let text: &SearchText<'_> = candidate.text.as_ref()?;
        if self.header && self.needle.find(text.headers().as_bytes()).is_some() {
            return Some(true);
        }
        if self.needle.find(text.body_start().as_bytes()).is_some() {
            return Some(true);
        }
        // `None`: the message has more text than was kept beside it.
        text.body().map(|_| false)
    }

    fn look<'a>(&'a self, candidate: &'a Candidate<'_>) -> Pending<'a, Result<bool, Failure>> {
        Box::pin(async move {
            let Some(summary) = &candidate.summary else { return Ok(false) };
            for section in summary.text_sections() {
                if self.in_section(candidate, &section).await? {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }
}

impl Contains {
    /// Looks through one run of octets, a text part window by window.
    async fn in_section(
        &self,
        candidate: &Candidate<'_>,
        section: &TextSection<'_>,
    ) -> Result<bool, Failure> {
        let (account, blob, range) = (candidate.account, candidate.row.blob, &section.octets);
        let (encoding, charset) = match section.content {
            TextContent::Header => {
                let end = range.end.min(range.start + limits::HEADER_BYTES_MAX);
                let header = account.body(blob, range.start..end).await?;
                return Ok(self.needle.find(message::fold_header(&header).as_bytes()).is_some());
            }
            TextContent::Text { encoding, charset } => (encoding, charset),
        };
        let needle = String::from_utf8_lossy(self.needle.needle());
        let mut matcher = TextMatcher::new(encoding, charset, &needle);
        let mut at = range.start;
        while at < range.end {
            let end = range.end.min(at + WINDOW_BYTES);
            if matcher.push(&account.body(blob, at..end).await?) {
                return Ok(true);
            }
            at = end;
        }
        Ok(matcher.finish())
    }
}
