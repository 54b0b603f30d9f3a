//! The base subject (RFC 5256 section 2.1), by which SORT orders and THREAD joins.

use crate::encoded_word;
use crate::limits;

/// A subject without what replying and forwarding put around it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BaseSubject {
    /// In the case of the original.
    pub base: String,
    /// Was anything taken off that marks a reply or a forwarded message?
    pub is_reply: bool,
}

/// Extracts the base subject of an unfolded Subject field.
pub(crate) fn base_subject(field: &[u8]) -> BaseSubject {
    let field = &field[..field.len().min(limits::SORT_KEY_BYTES_MAX)];
    // Step 1: decode, and make one space of all white space.
    let decoded = encoded_word::decode(field);
    let text = decoded.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    let mut base = text.as_str();
    let mut is_reply = false;
    loop {
        base = without_trailers(base, &mut is_reply);
        base = without_leaders(base, &mut is_reply);
        // Step 6.
        match strip_prefix_no_case(base, "[fwd:").and_then(|inner| inner.strip_suffix(']')) {
            Some(inner) => {
                is_reply = true;
                base = inner;
            }
            None => break,
        }
    }
    BaseSubject { base: base.to_owned(), is_reply }
}

/// Step 2: `subj-trailer = "(fwd)" / WSP`, as often as there are.
fn without_trailers<'a>(mut text: &'a str, is_reply: &mut bool) -> &'a str {
    loop {
        text = text.trim_end_matches(' ');
        let Some(at) = text.len().checked_sub("(fwd)".len()).filter(|&at| text.is_char_boundary(at)) else {
            return text;
        };
        if !text[at..].eq_ignore_ascii_case("(fwd)") {
            return text;
        }
        *is_reply = true;
        text = &text[..at];
    }
}

/// Steps 3 to 5: `subj-leader = (*subj-blob subj-refwd) / WSP`, then one blob if something is left after it, and again.
fn without_leaders<'a>(mut text: &'a str, is_reply: &mut bool) -> &'a str {
    loop {
        text = text.trim_start_matches(' ');
        let mut after_blobs = text;
        while let Some(rest) = without_blob(after_blobs) {
            after_blobs = rest;
        }
        if let Some(rest) = without_refwd(after_blobs) {
            *is_reply = true;
            text = rest;
            continue;
        }
        // No refwd follows this run of blobs, so none does after the first of them is gone: take off all that may go without
        // looking again. (Looking again would make `[][][]…` quadratic.)
        while let Some(rest) = without_blob(text).filter(|rest| !rest.is_empty()) {
            text = rest;
        }
        return text;
    }
}

/// `subj-blob = "[" *BLOBCHAR "]" *WSP`; a BLOBCHAR is anything but brackets.
fn without_blob(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('[')?;
    let end = inner.find(['[', ']'])?;
    inner[end..].strip_prefix(']').map(|rest| rest.trim_start_matches(' '))
}

/// `subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"`
fn without_refwd(text: &str) -> Option<&str> {
    let rest = ["re", "fwd", "fw"].iter().find_map(|word| strip_prefix_no_case(text, word))?;
    let rest = rest.trim_start_matches(' ');
    let rest = without_blob(rest).unwrap_or(rest);
    rest.strip_prefix(':')
}

fn strip_prefix_no_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}
