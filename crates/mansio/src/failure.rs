//! How a command of the program ends badly.

use std::fmt;
use std::process::ExitCode;

/// The command line will not do, as clap has it.
pub const USAGE: u8 = 2;

/// Done, but not with everything: something was skipped or is damaged, and was named.
pub const INCOMPLETE: u8 = 3;

/// The disk failed (EX_IOERR of sysexits.h): the process ended so that nothing is written on top of it.
pub const DISK: u8 = 74;

/// A reason for the person who typed the command, and the exit code for the script that did.
#[derive(Debug)]
pub struct Failure {
    text: String,
    code: u8,
}

impl Failure {
    /// The usual failure: exit code 1.
    pub fn new(text: impl fmt::Display) -> Self {
        Self { text: text.to_string(), code: 1 }
    }

    /// The same with another exit code.
    pub fn with_code(code: u8, text: impl fmt::Display) -> Self {
        Self { text: text.to_string(), code }
    }

    /// What the process exits with.
    pub fn code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Failure {}
