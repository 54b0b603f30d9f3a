//! The pure crates are functions of their arguments: time and random bytes come in, nothing else does.

use super::Finding;
use super::arrows::PURE;
use crate::source::{Source, words};

const OUTSIDE: &[(&str, &str)] = &[
    ("std::fs", "files"),
    ("std::net", "sockets"),
    ("std::thread", "threads"),
    ("std::env", "the environment"),
    ("std::process", "processes"),
    ("std::io", "input and output"),
    ("SystemTime", "the clock"),
    ("Instant", "the clock"),
    ("::now()", "the clock"),
    ("println!", "the terminal"),
    ("eprintln!", "the terminal"),
    ("RandomState", "randomness"),
    ("tracing::", "a log"),
    ("tokio::", "a runtime"),
];

/// Checks the sources of the pure crates; their tests and examples may look at the world.
pub fn check(source: &Source) -> Vec<Finding> {
    let pure = PURE.iter().any(|name| source.path.starts_with(&format!("crates/{name}/src/")));
    if !pure || !source.is_shipped() {
        return Vec::new();
    }
    let code = source.production();
    let places = OUTSIDE.iter().flat_map(|(path, what)| words(&code, path).map(move |at| (at, path, what)));
    places
        .map(|(at, path, what)| {
            Finding::at(source, at, format!("`{path}`: a pure crate knows nothing of {what}"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_outside_is_found_in_a_pure_crate_only() {
        let text = "use std::fs;\nfn a(host: &Host) -> u64 { SystemTime::now() + host.now() }";
        assert_eq!(check(&Source::new("crates/account/src/x.rs", text)).len(), 3);
        assert_eq!(check(&Source::new("crates/store/src/x.rs", text)), []);
        assert_eq!(check(&Source::new("crates/account/examples/x.rs", text)), []);
        assert_eq!(
            check(&Source::new("crates/account/src/x.rs", "/// As `std::fs` does.\nfn unknown() {}")),
            []
        );
    }
}
