//! Only `imap` knows IMAP text: a second place that formats a response would be a second place to get its quoting wrong.

use super::Finding;
use crate::source::Source;

/// How an untagged or continuation response begins.
const RESPONSES: &[&str] = &["* OK", "* NO", "* BAD", "* BYE", "* PREAUTH", "* CAPABILITY", "+ "];

/// Checks the text in every crate of the server but `imap`.
pub fn check(source: &Source) -> Vec<Finding> {
    let elsewhere = ["account", "keeper", "mansio", "message", "store"];
    if !source.is_shipped()
        || !elsewhere.iter().any(|name| source.path.starts_with(&format!("crates/{name}/")))
    {
        return Vec::new();
    }
    let speaks = |text: &str| {
        let inside = text.trim_start_matches(['b', 'r', '#']).trim_start_matches('"');
        let ends_a_line = inside.contains("\\r\\n");
        RESPONSES
            .iter()
            .any(|response| inside.starts_with(response) && (ends_a_line || response.starts_with('*')))
    };
    let spoken = source.strings().filter(|(_, text)| speaks(text));
    spoken
        .map(|(at, text)| Finding::at(source, at, format!("{text}: only imap formats IMAP responses")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_outside_of_imap_is_found() {
        let text = "fn a() { b(b\"* BYE too many\\r\\n\"); c(\"a * b\") }";
        assert_eq!(check(&Source::new("crates/mansio/src/x.rs", text)).len(), 1);
        assert_eq!(check(&Source::new("crates/imap/src/x.rs", text)), []);
    }
}
