//! No input may end the server, so nothing outside of tests takes a value on trust.

use super::Finding;
use crate::source::{Source, words};

const CALLS: &[(&str, &str)] = &[
    (".unwrap()", "return the failure, or `expect` the reason why there is none"),
    (".unwrap_err()", "return the failure, or `expect_err` the reason"),
    ("panic!", "return a failure: one input must not end the server"),
];

/// Checks code that is shipped.
pub fn check(source: &Source) -> Vec<Finding> {
    if !source.is_shipped() {
        return Vec::new();
    }
    let code = source.production();
    let calls =
        CALLS.iter().flat_map(|(call, instead)| words(&code, call).map(move |at| (at, call, instead)));
    calls.map(|(at, call, instead)| Finding::at(source, at, format!("`{call}`: {instead}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unwrap_is_found_outside_of_tests_only() {
        let text =
            "fn a() { b().unwrap(); panic!(\"x\") }\n#[cfg(test)]\nmod tests { fn c() { d().unwrap() } }";
        assert_eq!(check(&Source::new("crates/x/src/x.rs", text)).len(), 2);
        assert_eq!(check(&Source::new("crates/x/tests/x.rs", text)).len(), 0);
        assert_eq!(
            check(&Source::new("crates/x/src/x.rs", "fn a() { b().unwrap_or(0); } // c.unwrap()")),
            []
        );
    }
}
