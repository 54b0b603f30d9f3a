//! `cargo xtask deny`: licences, bans and sources of all dependencies, by `deny.toml`.

use crate::Failure;
use crate::repository::Repository;
use crate::shell::{cargo, run, say};
use std::process::Command;

/// The release of cargo-deny that is installed when it is not there yet.
const VERSION: &str = "0.20.2";

/// Installs the tool into `target/tools` when it is missing, and runs it.
///
/// The advisories check is left to a machine that can fetch the advisory database: a gate that fails
/// because a network is away teaches people to ignore it.
pub fn deny(repository: &Repository) -> Result<(), Failure> {
    let tools = repository.at("target/tools");
    let program = tools.join("bin/cargo-deny");
    if !program.is_file() {
        say("building cargo-deny, once");
        // Unoptimised it builds in half the time and checks this workspace in seconds all the same.
        let install = ["install", "--locked", "--debug", "--version", VERSION, "--root"];
        let mut command = cargo(&repository.root);
        command.args(install).arg(&tools).arg("cargo-deny").env("CARGO_PROFILE_DEV_DEBUG", "0");
        run(&mut command)?;
    }
    let checks = ["--all-features", "check", "--hide-inclusion-graph", "licenses", "bans", "sources"];
    run(Command::new(program).args(checks).current_dir(&repository.root))
}
