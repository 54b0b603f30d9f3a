//! Scripts under `testdata/clients` that drive a mail client library and print what they saw as JSON.

use super::Server;
use super::programs::{PROGRAM_TIMEOUT, bounded, repository, run};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

/// The Python interpreter with the libraries that the tests need; `cargo xtask test` makes it and says where it is.
pub fn python() -> PathBuf {
    from_environment("MANSIO_TEST_PYTHON")
}

/// A Python script of `testdata/clients` for the server.
pub fn python_script(name: &str, server: &Server) -> Command {
    let mut command = bounded(python(), PROGRAM_TIMEOUT);
    command.arg(repository().join("testdata/clients").join(name));
    environment(&mut command, server);
    command
}

/// A Node script of `testdata/clients` for the server.
pub fn node_script(name: &str, server: &Server) -> Command {
    let mut command = bounded("node", PROGRAM_TIMEOUT);
    command.arg(repository().join("testdata/clients").join(name));
    command.env("NODE_PATH", from_environment("MANSIO_TEST_NODE_MODULES"));
    environment(&mut command, server);
    command
}

/// Runs the script and reads the one JSON value that it printed.
pub fn json(command: &mut Command) -> Value {
    let output = run(command);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{command:?} printed no JSON ({error}): {}", String::from_utf8_lossy(&output.stdout))
    })
}

fn environment(command: &mut Command, server: &Server) {
    command
        .env("MANSIO_HOST", server.host)
        .env("MANSIO_IMAPS_PORT", server.imaps_port.to_string())
        .env("MANSIO_USER", &server.user)
        .env("MANSIO_PASSWORD", &server.password)
        .env("MANSIO_CA", &server.ca);
}

fn from_environment(name: &str) -> PathBuf {
    let Some(path) = std::env::var_os(name) else {
        panic!("{name} is not set: run the tests with `cargo xtask test`, which installs what they need");
    };
    PathBuf::from(path)
}
