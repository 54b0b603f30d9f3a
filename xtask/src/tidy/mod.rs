//! `cargo xtask tidy`: the rules of this repository that a program can check.
//!
//! Each check is a function in a file of its own. It looks at values, not at the disk, so that its test can show it a
//! small repository that breaks the rule.

mod arrows;
mod budgets;
mod dependencies;
mod lengths;
mod limits;
mod links;
mod markers;
mod names;
mod panics;
mod purity;
mod registry;
mod wire_text;

use crate::Failure;
use crate::manifest::{Manifest, workspace_dependencies};
use crate::repository::Repository;
use crate::source::Source;
use crate::{limits as limit_table, rfc};
use std::fmt;

/// One breach of one rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file, from the repository's root, and the line where it has one.
    pub place: String,
    /// What is wrong, and what would be right.
    pub what: String,
}

impl Finding {
    /// In a file as a whole.
    pub fn in_file(path: &str, what: impl Into<String>) -> Self {
        Self { place: path.to_owned(), what: what.into() }
    }

    /// At an offset of a source.
    pub fn at(source: &Source, offset: usize, what: impl Into<String>) -> Self {
        Self { place: format!("{}:{}", source.path, source.line(offset)), what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// Runs all checks.
///
/// # Errors
/// Every finding, one a line.
pub fn tidy(repository: &Repository) -> Result<(), Failure> {
    let manifests = Manifest::all(repository)?;
    let sources = repository.sources()?;
    let mut findings = Vec::new();
    findings.extend(arrows::check(&manifests));
    findings.extend(budgets::check(&manifests, &sources));
    findings.extend(dependencies::check(&manifests, &workspace_dependencies(repository)?));
    findings.extend(links::check(repository)?);
    findings.extend(lengths::check_typical(&sources));
    for source in &sources {
        findings.extend(lengths::check(source));
        findings.extend(limits::check(source));
        findings.extend(markers::check(source));
        findings.extend(names::check(source));
        findings.extend(panics::check(source));
        findings.extend(purity::check(source));
        findings.extend(wire_text::check(source));
    }
    match registered(repository, &sources) {
        Ok(found) => findings.extend(found),
        // One crate that does not compile must not hide what is wrong elsewhere.
        Err(failure) => findings.push(Finding::in_file("crates/imap", failure)),
    }
    if findings.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
    Err(format!("{}\ntidy: {} findings", lines.join("\n"), lines.len()))
}

/// The checks for which `imap` has to be built, and those of the documents written from it.
fn registered(repository: &Repository, sources: &[Source]) -> Result<Vec<Finding>, Failure> {
    let rows = rfc::registry(repository)?;
    let index = rfc::index(&repository.text(rfc::INDEX)?)?;
    let mut findings = registry::check(&rows, &registry::Transcript::all(repository)?);
    findings.extend(registry::check_index(&rows, &index, |path| repository.has(path)));
    let readme = rfc::readme(repository, &rows, &index);
    let limits = limit_table::document(repository, sources);
    findings.extend(written(repository, "README.md", readme));
    findings.extend(written(repository, limit_table::DOCUMENT, limits));
    Ok(findings)
}

/// A part of a document that a program writes is as the program would write it now.
fn written(repository: &Repository, path: &str, wanted: Result<String, Failure>) -> Option<Finding> {
    match (repository.text(path), wanted) {
        (Ok(text), Ok(wanted)) if text == wanted => None,
        (Ok(_), Ok(_)) => Some(Finding::in_file(path, "a table is out of date: run `cargo xtask write`")),
        (Err(failure), _) | (_, Err(failure)) => Some(Finding::in_file(path, failure)),
    }
}
