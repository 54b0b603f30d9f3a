//! `cargo xtask test`: the one command that tests everything, on a machine that has only a Rust toolchain so far.

use crate::Failure;
use crate::provision::provision;
use crate::repository::Repository;
use crate::shell::{cargo, run};

/// Installs what is needed, then runs `cargo test` with the given arguments, or on the whole workspace without any.
pub fn test(repository: &Repository, arguments: &[&str]) -> Result<(), Failure> {
    let variables = provision(repository)?;
    let arguments = if arguments.is_empty() { &["--workspace"] } else { arguments };
    run(cargo(&repository.root).arg("test").args(arguments).envs(variables))
}
