//! The command line as a client of the control socket, or of the store itself when no server runs.

use std::io::{self, BufRead, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::mpsc::Receiver;

use crate::admin::Admin;
use crate::auth::Hasher;
use crate::config::Config;
use crate::control::{self, Event, Events, Request};
use crate::data::Data;
use crate::failure::{Failure, INCOMPLETE};
use crate::limits::PASSWORD_BYTES_MAX;

/// Has a request done by the server that runs on the data folder, or does it itself when none runs, and shows what is told.
///
/// # Errors
/// Why it could not be done; exit code [`INCOMPLETE`] when something was left out.
pub async fn ask(config: Config, request: Request) -> Result<ExitCode, Failure> {
    match control::connect(&config.data).await {
        Ok(stream) => {
            let told = control::send(stream, &request).await.map_err(Failure::new)?;
            show(told).await
        }
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            offline(config, request).await
        }
        Err(error) => Err(Failure::new(format!("{}: {error}", config.data.join(control::SOCKET).display()))),
    }
}

async fn offline(config: Config, request: Request) -> Result<ExitCode, Failure> {
    let data = Arc::new(Data::open(&config).await?);
    let hasher = Arc::new(Hasher::new(1));
    let admin = Arc::new(Admin::new(Arc::clone(&data), hasher));
    let (events, told) = Events::channel();
    let work = tokio::spawn(control::execute(admin, request, events));
    let shown = show(told).await;
    let _ = work.await;
    data.close().await?;
    shown
}

/// Shows events until the last one.
async fn show(mut told: Receiver<Event>) -> Result<ExitCode, Failure> {
    let mut skipped = 0u64;
    let bar = bar();
    while let Some(event) = told.recv().await {
        match event {
            Event::Line { text } => bar.suspend(|| crate::print(&format!("{text}\n"))),
            Event::Skipped { text } => {
                skipped += 1;
                bar.suspend(|| {
                    let _ = writeln!(io::stderr(), "mansio: {text}");
                });
            }
            Event::Progress { what, done, total } => {
                bar.set_length(total.unwrap_or(done));
                bar.set_position(done);
                bar.set_message(what);
            }
            Event::Done if skipped == 0 => return Ok(ExitCode::SUCCESS),
            Event::Done => {
                bar.finish_and_clear();
                return Err(Failure::with_code(INCOMPLETE, format!("{skipped} left out, named above")));
            }
            Event::Failed { text } => {
                bar.finish_and_clear();
                return Err(Failure::new(text));
            }
        }
    }
    Err(Failure::new("the server went away before it was done"))
}

/// Only for people: nothing is drawn into a file or a pipe.
fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    bar.set_draw_target(if io::stderr().is_terminal() {
        ProgressDrawTarget::stderr_with_hz(5)
    } else {
        ProgressDrawTarget::hidden()
    });
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} {eta}") {
        bar.set_style(style);
    }
    bar
}

/// A password from the first line of standard input, if that is asked for.
///
/// # Errors
/// An empty or overlong one.
pub fn password(from_stdin: bool) -> Result<Option<String>, Failure> {
    if !from_stdin {
        return Ok(None);
    }
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|error| Failure::new(format!("standard input: {error}")))?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(Failure::new("standard input holds no password"));
    }
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(Failure::new(format!("a password has at most {PASSWORD_BYTES_MAX} octets")));
    }
    Ok(Some(password.to_owned()))
}

/// Asks a question that only "yes" answers. Without a terminal there is nobody to ask.
///
/// # Errors
/// Without a terminal.
pub fn confirm(question: &str) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::new("not asking without a terminal; say --yes"));
    }
    crate::print(&format!("{question} Type yes: "));
    let _ = io::stdout().flush();
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(Failure::new)?;
    Ok(line.trim() == "yes")
}
