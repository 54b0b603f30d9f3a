//! `cargo xtask ci`: what a change must pass. The quick checks come first; the first that fails ends the run.

use crate::repository::Repository;
use crate::shell::{cargo, run, say};
use crate::{Failure, deny, test, tidy};
use std::time::Instant;

/// A step's name and what it does.
type Step = (&'static str, fn(&Repository) -> Result<(), Failure>);

const STEPS: &[Step] = &[
    ("fmt", |repository| run(cargo(&repository.root).args(["fmt", "--all", "--check"]))),
    ("clippy", |repository| {
        let clippy = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
        run(cargo(&repository.root).args(clippy))
    }),
    ("tidy", tidy::tidy),
    ("deny", deny::deny),
    ("doc", |repository| {
        let doc = ["doc", "--workspace", "--no-deps", "--document-private-items", "--locked"];
        run(cargo(&repository.root)
            .args(doc)
            .env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links"))
    }),
    ("test", |repository| test::test(repository, &[])),
];

/// Runs all steps.
pub fn ci(repository: &Repository) -> Result<(), Failure> {
    for (name, step) in STEPS {
        let begin = Instant::now();
        say(&format!("{name} …"));
        step(repository).map_err(|failure| format!("{failure}\nxtask: ci stopped at `{name}`"))?;
        say(&format!("{name} passed in {} s", begin.elapsed().as_secs()));
    }
    Ok(())
}
