//! Names that say nothing.

use super::Finding;
use crate::source::{Source, name_at, words};

/// A module of this name collects what had no home; a thing without a home is a design question.
const MODULES: &[&str] = &["common", "utils", "util", "core", "types", "helpers", "helper", "misc"];
/// A type of this name is called after what it is to the program, and not to mail.
const TYPE_ENDINGS: &[&str] = &["Manager", "Service", "Util", "Utils", "Helper"];
/// RFC 9051 is the dictionary: an accessor is named for what it gives, a verb for what it does.
const FUNCTION_BEGINNINGS: &[&str] = &["get_", "do_"];

/// Checks the name of the module, and of the types and functions in it.
pub fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let parts = source.path.trim_end_matches(".rs").split('/');
    for module in parts.filter(|part| MODULES.contains(part)) {
        findings
            .push(Finding::in_file(&source.path, format!("`{module}` is a place for things without a home")));
    }
    let code = source.production();
    for keyword in ["struct", "enum", "trait", "type"] {
        for at in words(&code, keyword) {
            let name = name_at(&code, at + keyword.len());
            if let Some(ending) = TYPE_ENDINGS.iter().find(|ending| name.ends_with(**ending)) {
                findings.push(Finding::at(
                    source,
                    at,
                    format!("`{name}`: a {ending} says nothing about mail"),
                ));
            }
        }
    }
    for at in words(&code, "fn") {
        let name = name_at(&code, at + 2);
        if let Some(beginning) = FUNCTION_BEGINNINGS.iter().find(|beginning| name.starts_with(**beginning)) {
            findings.push(Finding::at(source, at, format!("`{name}`: drop the `{beginning}`")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> usize {
        check(&Source::new(path, text)).len()
    }

    #[test]
    fn a_module_without_a_subject_is_found() {
        assert_eq!(findings("crates/imap/src/utils.rs", ""), 1);
        assert_eq!(findings("crates/common/src/lib.rs", ""), 1);
        assert_eq!(findings("crates/imap/src/helpers/x.rs", ""), 1);
        assert_eq!(findings("crates/imap/src/wire/reader.rs", ""), 0);
    }

    #[test]
    fn a_type_or_function_named_for_the_program_is_found() {
        assert_eq!(findings("crates/x/src/x.rs", "pub struct MailboxManager;"), 1);
        assert_eq!(findings("crates/x/src/x.rs", "impl X { fn get_uid(&self) -> Uid { self.do_it() } }"), 1);
        assert_eq!(findings("crates/x/src/x.rs", "fn budget_of() { forget_all() }"), 0);
    }
}
