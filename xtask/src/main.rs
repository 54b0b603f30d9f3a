//! The tasks of this repository. `cargo xtask` lists them.

mod ci;
mod deny;
mod fuzz;
mod limits;
mod manifest;
mod marked;
mod needs;
mod provision;
mod repository;
mod rfc;
mod shell;
mod source;
mod test;
mod tidy;

use repository::Repository;
use std::process::ExitCode;

/// Why a task stopped: one or more lines for the person who ran it.
type Failure = String;

const USAGE: &str = "\
usage: cargo xtask TASK
  test [ARGUMENTS]        install what the tests need, then cargo test (default: --workspace)
  fuzz [TARGET [--seconds N | FILE…]]
                          lists the fuzz targets, searches with one, or repeats what it found
  needs                   install what the tests need, and nothing else
  ci                      what a change must pass: fmt, clippy, tidy, deny, doc, test
  rfc                     which RFC is followed how far, by rfc/index.tsv
  write                   writes the tables of README.md and docs/limits.md from the code
  tidy                    the rules of this repository that a program can check
  deny                    licences, sources and duplicates of all dependencies";

#[expect(clippy::print_stderr, reason = "a task's failure goes to whoever runs it")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<(), Failure> {
    let repository = Repository::here()?;
    match words {
        ["test", arguments @ ..] => test::test(&repository, arguments),
        ["needs"] => provision::provision(&repository).map(drop),
        ["ci"] => ci::ci(&repository),
        ["fuzz", words @ ..] => fuzz::fuzz(&repository, words),
        ["rfc"] => rfc::print(&repository),
        ["write"] | ["rfc", "--write"] => write(&repository),
        ["tidy"] => tidy::tidy(&repository),
        ["deny"] => deny::deny(&repository),
        _ => Err(USAGE.to_owned()),
    }
}

/// Writes the parts of documents that come from the code.
fn write(repository: &Repository) -> Result<(), Failure> {
    let rows = rfc::registry(repository)?;
    let index = rfc::index(&repository.text(rfc::INDEX)?)?;
    repository.write("README.md", &rfc::readme(repository, &rows, &index)?)?;
    repository.write(limits::DOCUMENT, &limits::document(repository, &repository.sources()?)?)
}
