//! Brings what [`needs`](crate::needs) lists onto this machine, or names exactly what is missing.
//!
//! A second run installs nothing and takes a fraction of a second: programs are looked for before they are asked for,
//! and each environment carries a stamp with the list it was made from.

use crate::Failure;
use crate::needs::{NODE_PACKAGES, PROGRAMS, PYTHON_PACKAGES, Program, Sign};
use crate::repository::Repository;
use crate::shell::{program, run, say, succeeds};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the tests are told about where things are, as environment variables.
pub type Variables = Vec<(&'static str, PathBuf)>;

/// Installs what is missing.
///
/// # Errors
/// All that is still missing afterwards, each with the reason why it is needed.
pub fn provision(repository: &Repository) -> Result<Variables, Failure> {
    programs()?;
    Ok(vec![("MANSIO_TEST_PYTHON", python(repository)?), ("MANSIO_TEST_NODE_MODULES", node(repository)?)])
}

fn programs() -> Result<(), Failure> {
    let missing: Vec<&Program> = PROGRAMS.iter().filter(|need| !is_there(&need.sign)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.debian).collect();
    let attempt = install(&packages);
    let absent: Vec<&&Program> = missing.iter().filter(|need| !is_there(&need.sign)).collect();
    if absent.is_empty() {
        return Ok(());
    }
    let mut report = String::from("xtask: the tests need programs that are not on this machine:");
    for need in absent {
        report.push_str(&format!("\n  {} ({})", need.debian, need.why));
    }
    let reason =
        attempt.err().unwrap_or_else(|| "xtask: apt-get ended well but did not bring them".to_owned());
    Err(format!("{report}\n{reason}"))
}

fn is_there(sign: &Sign) -> bool {
    match sign {
        Sign::Program(name) => program(name).is_some(),
        Sign::Runs([name, arguments @ ..]) => succeeds(Command::new(name).args(arguments)),
        Sign::Runs([]) => false,
    }
}

fn install(packages: &[&str]) -> Result<(), Failure> {
    if program("apt-get").is_none() {
        return Err("xtask: this system has no apt-get; please install them by hand".to_owned());
    }
    say(&format!("installing {}", packages.join(" ")));
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").args(["-q", "-y"]);
        command
    };
    run(apt().arg("update"))?;
    run(apt().args(["install", "--no-install-recommends"]).args(packages))
}

/// Makes the Python environment; gives its interpreter.
fn python(repository: &Repository) -> Result<PathBuf, Failure> {
    let folder = repository.at("target/needs/python");
    let interpreter = folder.join("bin/python");
    let wanted: Vec<String> =
        PYTHON_PACKAGES.iter().map(|package| format!("{}=={}", package.name, package.version)).collect();
    let stamp = Stamp::new(&folder, wanted.join("\n"));
    if stamp.stands() {
        return Ok(interpreter);
    }
    say(&format!("making a Python environment with {}", wanted.join(" ")));
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let pip = ["-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"];
    run(Command::new(&interpreter).args(pip).args(&wanted)).map_err(|failure| {
        let reasons = PYTHON_PACKAGES.iter().map(|package| format!("\n  {} ({})", package.name, package.why));
        format!("{failure}\nxtask: the tests need these Python packages:{}", reasons.collect::<String>())
    })?;
    stamp.set()?;
    Ok(interpreter)
}

/// Installs the Node packages from their lock file; gives the folder they are in.
fn node(repository: &Repository) -> Result<PathBuf, Failure> {
    let folder = repository.at("target/needs/node");
    let manifest = repository.text(&format!("{NODE_PACKAGES}/package.json"))?;
    let lock = repository.text(&format!("{NODE_PACKAGES}/package-lock.json"))?;
    let modules = folder.join("node_modules");
    let stamp = Stamp::new(&folder, format!("{manifest}{lock}"));
    if stamp.stands() {
        return Ok(modules);
    }
    say(&format!("installing the Node packages of {NODE_PACKAGES}"));
    let written = fs::create_dir_all(&folder)
        .and_then(|()| fs::write(folder.join("package.json"), &manifest))
        .and_then(|()| fs::write(folder.join("package-lock.json"), &lock));
    written.map_err(|error| format!("{}: {error}", folder.display()))?;
    // Install scripts would be code from outside that runs unseen; nothing in the lock file needs one.
    let npm = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    run(Command::new("npm").args(npm).current_dir(&folder)).map_err(|failure| {
        format!("{failure}\nxtask: the tests need the Node packages of {NODE_PACKAGES}")
    })?;
    stamp.set()?;
    Ok(modules)
}

/// A file in a folder that says from which list the folder was made. It is written last, so a half-made folder has none.
struct Stamp {
    path: PathBuf,
    text: String,
}

impl Stamp {
    fn new(folder: &Path, text: String) -> Self {
        Self { path: folder.join("made-from"), text }
    }

    fn stands(&self) -> bool {
        fs::read_to_string(&self.path).is_ok_and(|text| text == self.text)
    }

    fn set(&self) -> Result<(), Failure> {
        fs::write(&self.path, &self.text).map_err(|error| format!("{}: {error}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_does_not_exist_is_not_there() {
        assert!(!is_there(&Sign::Program("no-program-has-this-name")));
        assert!(!is_there(&Sign::Runs(&["no-program-has-this-name"])));
        assert!(!is_there(&Sign::Runs(&["false"])), "it runs, but it fails");
        assert!(is_there(&Sign::Program("sh")));
        assert!(is_there(&Sign::Runs(&["true"])));
    }

    #[test]
    fn a_stamp_stands_only_for_the_same_list() {
        let folder = std::env::temp_dir().join(format!("xtask-stamp-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a temporary folder");
        let stamp = Stamp::new(&folder, "a==1".to_owned());
        assert!(!stamp.stands());
        stamp.set().expect("written");
        assert!(stamp.stands());
        assert!(!Stamp::new(&folder, "a==2".to_owned()).stands());
        fs::remove_dir_all(&folder).expect("removed");
    }
}
