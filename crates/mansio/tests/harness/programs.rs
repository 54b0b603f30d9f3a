//! Programs that a test runs: bounded in time, with their output captured.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// No client needs longer than this for one run, even with the whole corpus on a busy machine.
pub const PROGRAM_TIMEOUT: Duration = Duration::from_secs(400);

/// A command that `timeout` ends together with its children when it takes longer than `limit`.
pub fn bounded(program: impl AsRef<OsStr>, limit: Duration) -> Command {
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", &limit.as_secs().to_string()]).arg(program);
    command.stdin(Stdio::null()).env("LC_ALL", "C.UTF-8");
    command
}

/// A client program with the usual bound and a home folder of its own, so that no configuration of the machine's user
/// is read.
pub fn client(program: &str, home: &Path) -> Command {
    let mut command = bounded(program, PROGRAM_TIMEOUT);
    command.current_dir(home).env("HOME", home).env("TERM", "dumb").env_remove("MAIL").env_remove("EMAIL");
    command
}

/// Runs the command and returns what it printed; fails the test, with the output, when the command failed.
pub fn run(command: &mut Command) -> Output {
    let output = output(command);
    assert!(
        output.status.success(),
        "{command:?} ended with {}\n--- stdout ---\n{}\n--- stderr ---\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    output
}

/// Runs the command, whatever its exit status.
pub fn output(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?} could not be started: {error}"))
}

/// The root of the repository, where `testdata` is.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
