//! Running other programs, with a failure that says which one and how it ended.

use crate::Failure;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Says what is about to happen: the steps of a task are its only log.
#[expect(clippy::print_stderr, reason = "a task tells its steps to whoever runs it")]
pub fn say(what: &str) {
    eprintln!("xtask: {what}");
}

/// Runs to the end, its output going where ours goes.
pub fn run(command: &mut Command) -> Result<(), Failure> {
    let line = spelled(command);
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("xtask: failed ({status}): {line}")),
        Err(error) => Err(format!("xtask: cannot run ({error}): {line}")),
    }
}

/// Runs to the end, its output going where ours goes; `look` sees each line of it as well.
pub fn run_told(command: &mut Command, mut look: impl FnMut(&str)) -> Result<(), Failure> {
    let line = spelled(command);
    let failed = |error: std::io::Error| format!("xtask: cannot run ({error}): {line}");
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(failed)?;
    if let Some(printed) = child.stdout.take() {
        // Whatever a test prints is passed on, UTF-8 or not.
        for text in BufReader::new(printed).split(b'\n') {
            let text = text.map_err(failed)?;
            let text = String::from_utf8_lossy(&text);
            look(&text);
            println!("{text}");
        }
    }
    let status = child.wait().map_err(failed)?;
    if status.success() { Ok(()) } else { Err(format!("xtask: failed ({status}): {line}")) }
}

/// Runs to the end and gives back what it printed.
pub fn output(command: &mut Command) -> Result<String, Failure> {
    let line = spelled(command);
    let output = command.output().map_err(|error| format!("xtask: cannot run ({error}): {line}"))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(format!("xtask: failed ({}): {line}\n{}", output.status, complaint.trim_end()));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| format!("xtask: printed something that is not UTF-8: {line}"))
}

/// Whether it ends well; what it prints is not shown.
pub fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// Where a program of this name stands in `PATH`.
pub fn program(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// The cargo that runs us.
pub fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

fn spelled(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
