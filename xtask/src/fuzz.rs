//! `cargo xtask fuzz`: libFuzzer on the stable toolchain.
//!
//! The flags are those that cargo-fuzz passes: edge coverage with comparisons, and the address sanitizer, for the
//! libraries below us that have unsafe code. They are unstable flags, hence `RUSTC_BOOTSTRAP`; nothing that is shipped
//! is built like this.

use crate::Failure;
use crate::repository::Repository;
use crate::shell::{cargo, output, run, say};
use std::fs;
use std::path::Path;
use std::process::Command;

const FLAGS: &[&str] = &[
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Zsanitizer=address",
];

/// The longest input, in bytes: long enough for two reads of a socket, short enough for thousands of runs a second.
const INPUT_BYTES_MAX: usize = 64 << 10;
/// Megabytes that one allocation may have. Inputs are small, so whatever takes more believed a number it was told.
const ALLOCATION_MIB_MAX: usize = 64;
/// Seconds that one input may take; a thousandth of it would be normal.
const INPUT_SECONDS_MAX: usize = 10;
/// How long a run lasts if nothing else is said.
const SECONDS: &str = "60";

/// The target that has a bug on purpose.
const PLANTED: &str = "planted";

/// Without a name, lists the targets. With `--seconds N`, or nothing, searches; with files, repeats them.
pub fn fuzz(repository: &Repository, words: &[&str]) -> Result<(), Failure> {
    let targets = targets(repository)?;
    let Some((target, arguments)) = words.split_first() else {
        targets.iter().for_each(|target| println!("{target}"));
        return Ok(());
    };
    if !targets.iter().any(|known| known == target) {
        return Err(format!("xtask: no fuzz target {target}; there are: {}", targets.join(", ")));
    }
    let program = build(repository, target)?;
    let outcome = match arguments {
        [] => search(repository, target, &program, SECONDS),
        ["--seconds", seconds] => search(repository, target, &program, seconds),
        files => run(Command::new(&program).args(files).current_dir(&repository.root)),
    };
    match (*target, outcome) {
        (PLANTED, Err(_)) => {
            say("the planted bug was found, as it should be");
            Ok(())
        }
        (PLANTED, Ok(())) => {
            Err("xtask: the planted bug was not found: the fuzzer does not see the code".to_owned())
        }
        (_, outcome) => outcome,
    }
}

fn targets(repository: &Repository) -> Result<Vec<String>, Failure> {
    let files = repository.files("fuzz/targets", ".rs")?;
    let names = files.iter().filter_map(|file| Path::new(file).file_stem());
    Ok(names.map(|name| name.to_string_lossy().into_owned()).collect())
}

/// Builds one target; gives the program.
fn build(repository: &Repository, target: &str) -> Result<std::path::PathBuf, Failure> {
    let host = output(Command::new("rustc").args(["--print", "host-tuple"]))?;
    let host = host.trim();
    let folder = repository.at("target/fuzz/build");
    let mut command = cargo(&repository.at("fuzz"));
    command.args(["build", "--release", "--bin", target, "--target", host, "--target-dir"]).arg(&folder);
    // A target of its own keeps the flags away from build scripts, which must not be instrumented.
    command.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", FLAGS.join(" "));
    run(&mut command)?;
    Ok(folder.join(host).join("release").join(target))
}

fn search(repository: &Repository, target: &str, program: &Path, seconds: &str) -> Result<(), Failure> {
    seconds.parse::<u32>().map_err(|_| format!("xtask: `{seconds}` is not a number of seconds"))?;
    let corpus = repository.at("target/fuzz/corpus").join(target);
    let findings = repository.at("target/fuzz/findings").join(target);
    for folder in [&corpus, &findings] {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let mut command = Command::new(program);
    command.current_dir(&repository.root).arg(&corpus);
    // libFuzzer writes to the first folder and only reads the others.
    let seeds = format!("fuzz/seeds/{target}");
    command.args(Some(&seeds).filter(|seeds| repository.has(seeds)));
    let dictionary = format!("fuzz/dictionaries/{target}");
    if repository.has(&dictionary) {
        command.arg(format!("-dict={dictionary}"));
    }
    command.arg(format!("-artifact_prefix={}/", findings.display()));
    command.arg(format!("-max_total_time={seconds}"));
    command.arg(format!("-max_len={INPUT_BYTES_MAX}"));
    command.arg(format!("-malloc_limit_mb={ALLOCATION_MIB_MAX}"));
    command.arg(format!("-timeout={INPUT_SECONDS_MAX}"));
    command.args(["-print_final_stats=1", "-use_value_profile=1"]);
    run(&mut command)
}
