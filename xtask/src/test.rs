//! `cargo xtask test`: the one command that tests everything, on a machine that has only a Rust toolchain so far.

use crate::Failure;
use crate::provision::provision;
use crate::repository::Repository;
use crate::shell::{cargo, run_told};

/// Installs what is needed, then runs `cargo test` with the given arguments, or on the whole workspace without any. Its last
/// line is the sum of all test programs, since cargo ends with one that often has no test.
pub fn test(repository: &Repository, arguments: &[&str]) -> Result<(), Failure> {
    let variables = provision(repository)?;
    let arguments = if arguments.is_empty() { &["--workspace"] } else { arguments };
    let (mut passed, mut failed) = (0, 0);
    let outcome = run_told(cargo(&repository.root).arg("test").args(arguments).envs(variables), |line| {
        if let Some((more_passed, more_failed)) = result(line) {
            passed += more_passed;
            failed += more_failed;
        }
    });
    println!("{passed} passed, {failed} failed");
    outcome
}

/// The numbers in a line such as `test result: ok. 3 passed; 0 failed; …`.
fn result(line: &str) -> Option<(usize, usize)> {
    let counts = line.strip_prefix("test result: ")?;
    let count = |what: &str| {
        let (before, _) = counts.split_once(what)?;
        before.trim_end().rsplit(' ').next()?.parse().ok()
    };
    Some((count(" passed")?, count(" failed")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_line_of_a_test_program_is_read() {
        let line = "test result: FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        assert_eq!(result(line), Some((12, 3)));
        assert_eq!(result("test x::y ... ok"), None);
        assert_eq!(result("test result: unknown"), None);
    }
}
