//! Limits whose reason nobody wrote down.

use super::Finding;
use crate::limits::limits;
use crate::source::Source;

/// Every limit has a doc comment, for that is what its line in the document consists of.
pub fn check(source: &Source) -> Vec<Finding> {
    let bare = limits(source).into_iter().filter(|limit| limit.reason.is_empty());
    bare.map(|limit| {
        Finding::in_file(&limit.place, format!("`{}` does not say its unit and reason", limit.name))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_without_a_reason_is_found() {
        let findings = |text: &str| check(&Source::new("crates/x/src/x.rs", text)).len();
        assert_eq!(findings("/// Octets; a client sends less.\npub const A_MAX: usize = 1;"), 0);
        assert_eq!(findings("const B: u8 = 2;\n// Octets.\nconst A_MAX: usize = 1;"), 1);
    }
}
