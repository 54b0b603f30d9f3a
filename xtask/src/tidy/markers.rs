//! What must not be left lying about.

use super::Finding;
use crate::source::{Source, words};

const IN_CODE: &[&str] = &["todo!", "unimplemented!", "dbg!", "#[ignore"];
const IN_COMMENTS: &[&str] = &["TODO", "FIXME", "XXX", "HACK"];

/// Unfinished work belongs into an issue, where somebody looks; a test that is switched off is no test.
pub fn check(source: &Source) -> Vec<Finding> {
    let code = IN_CODE.iter().map(|marker| (source.code(), *marker));
    let comments = IN_COMMENTS.iter().map(|marker| (source.comments(), *marker));
    let places =
        code.chain(comments).flat_map(|(text, marker)| words(text, marker).map(move |at| (at, marker)));
    places.map(|(at, marker)| Finding::at(source, at, format!("`{marker}` was left behind"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_found_in_code_and_comments_but_not_in_text() {
        let findings = |text: &str| check(&Source::new("crates/x/tests/x.rs", text)).len();
        assert_eq!(findings("fn a() { todo!() }"), 1);
        assert_eq!(findings("#[ignore = \"slow\"]\nfn a() {}"), 1);
        assert_eq!(findings("// FIXME later\n/* TODO */"), 2);
        assert_eq!(findings("fn a() { b(\"todo!() TODO FIXME\") }"), 0);
    }
}
