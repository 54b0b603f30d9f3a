//! The Mansio mail server: reads the command line and the configuration, and runs what they ask for.

mod admin;
mod auth;
mod check;
mod cli;
mod client;
mod config;
mod connection;
mod control;
mod data;
mod export;
mod failure;
mod host;
mod import;
mod limits;
mod listen;
mod metrics;
mod random;
mod serve;
mod tls;
mod welcome;

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use cli::{AccountCommand, Cli, Command, ConfigCommand, Format, ImportArgs, ImportSource, Place};
use config::Config;
use control::Request;
use failure::{Failure, USAGE};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(failure) => {
            // Standard error is where a shell expects it; a closed one is nobody's problem.
            let _ = writeln!(std::io::stderr(), "mansio: {failure}");
            failure.code()
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode, Failure> {
    let place = cli.place;
    match cli.command {
        Command::Serve { welcome } => {
            in_runtime(serve::run(load(&place)?, welcome || place.config.is_none()))
        }
        Command::Account(command) => account(&place, command),
        Command::Import(args) => import(&place, args),
        Command::Export { account, path } => {
            let path = std::path::absolute(path).map_err(Failure::new)?;
            ask(&place, Request::Export { account, path })
        }
        Command::Check { deep } => ask(&place, Request::Check { deep }),
        Command::Config(ConfigCommand::Check) => {
            print(&load(&place)?.to_string());
            Ok(ExitCode::SUCCESS)
        }
        Command::Man => man(),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "mansio", &mut std::io::stdout());
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn account(place: &Place, command: AccountCommand) -> Result<ExitCode, Failure> {
    let request = match command {
        AccountCommand::Add(given) => {
            Request::AccountAdd { name: given.name, password: client::password(given.password_stdin)? }
        }
        AccountCommand::List => Request::AccountList,
        AccountCommand::Passwd(given) => {
            Request::AccountPasswd { name: given.name, password: client::password(given.password_stdin)? }
        }
        AccountCommand::Remove { name, yes } => {
            if !yes && !client::confirm(&format!("Remove {name} and all its mail for ever?"))? {
                return Err(Failure::new("nothing was removed"));
            }
            Request::AccountRemove { name }
        }
    };
    ask(place, request)
}

fn import(place: &Place, args: ImportArgs) -> Result<ExitCode, Failure> {
    let ImportArgs { account, into, removed_too, source } = args;
    let account = account
        .ok_or_else(|| Failure::with_code(USAGE, "say whose mail it becomes: --account NAME@DOMAIN"))?;
    let (format, path) = match source {
        ImportSource::Maildir { path } => (Format::Maildir, path),
        ImportSource::Mbox { path } => (Format::Mbox, path),
    };
    // The server may run in another folder.
    let path = std::path::absolute(path).map_err(Failure::new)?;
    ask(place, Request::Import { account, format, path, into, removed_too })
}

fn ask(place: &Place, request: Request) -> Result<ExitCode, Failure> {
    in_runtime(client::ask(load(place)?, request))
}

/// The configuration: the file if one is named, else the defaults; the data folder of the command line before that of the file.
fn load(place: &Place) -> Result<Config, Failure> {
    let mut config = match &place.config {
        None => Config::default(),
        Some(file) => Config::load(file).map_err(|problems| {
            let lines: Vec<_> = problems.iter().map(|problem| format!("  {problem}")).collect();
            Failure::new(format!("{} will not do:\n{}", file.display(), lines.join("\n")))
        })?,
    };
    if let Some(data) = &place.data {
        config.data.clone_from(data);
    }
    Ok(config)
}

fn man() -> Result<ExitCode, Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(Failure::new)?;
    print(&String::from_utf8_lossy(&page));
    Ok(ExitCode::SUCCESS)
}

/// Prints; a reader that stopped reading ends nothing.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn in_runtime(work: impl Future<Output = Result<ExitCode, Failure>>) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(Failure::new)?;
    let done = runtime.block_on(work);
    // Whatever still runs has had its time; nothing that was acknowledged depends on it.
    runtime.shutdown_background();
    done
}
