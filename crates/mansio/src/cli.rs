//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

/// The Mansio mail server.
///
/// `mansio serve` runs it, with no configuration at all if need be. The other commands work while it runs and when it does not.
#[derive(Debug, Parser)]
#[command(name = "mansio", version, max_term_width = 100, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    pub place: Place,
    #[command(subcommand)]
    pub command: Command,
}

/// Where the server lives.
#[derive(Debug, Clone, Args)]
pub struct Place {
    /// Folder with everything the server keeps [default: mansio-data, or what the configuration says]
    #[arg(long, global = true, value_name = "DIR", env = "MANSIO_DATA")]
    pub data: Option<PathBuf>,
    /// Configuration file
    #[arg(long, global = true, value_name = "FILE", env = "MANSIO_CONFIG")]
    pub config: Option<PathBuf>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server
    ///
    /// Without a configuration it makes itself a certificate and a first account, and prints what to type into mail clients.
    Serve {
        /// Do that with a configuration as well
        #[arg(long)]
        welcome: bool,
    },
    /// Add, list and remove accounts, change passwords
    #[command(subcommand)]
    Account(AccountCommand),
    /// Bring mail in from a Maildir or mbox files
    ///
    /// Safe to repeat: what is already here is not brought in again.
    Import(ImportArgs),
    /// Write all mail of an account to a Maildir
    Export {
        /// Whose mail
        #[arg(long, value_name = "NAME@DOMAIN")]
        account: String,
        /// Folder to write; must not exist yet, or be empty
        path: PathBuf,
    },
    /// Verify every checksum of the store
    Check {
        /// Also fold every journal anew and compare
        #[arg(long)]
        deep: bool,
    },
    /// Look at the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print the manual page
    #[command(hide = true)]
    Man,
    /// Print shell completions
    #[command(hide = true)]
    Completions {
        /// For which shell
        shell: Shell,
    },
}

/// Accounts.
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Add an account; prints a password unless one is given
    Add(Credential),
    /// List the accounts
    List,
    /// Change a password; prints a new one unless one is given
    Passwd(Credential),
    /// Remove an account and its mail for ever
    Remove {
        /// The account
        #[arg(value_name = "NAME@DOMAIN")]
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// An account and its password.
#[derive(Debug, Args)]
pub struct Credential {
    /// The account
    #[arg(value_name = "NAME@DOMAIN")]
    pub name: String,
    /// Read the password from the first line of standard input
    #[arg(long)]
    pub password_stdin: bool,
}

/// One import.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Whose mail it becomes
    // Not required as far as clap is concerned: arguments that may stand before and behind the format cannot be.
    #[arg(long, global = true, value_name = "NAME@DOMAIN")]
    pub account: Option<String>,
    /// Put everything below this mailbox [default: where it was]
    #[arg(long, global = true, value_name = "MAILBOX")]
    pub into: Option<String>,
    /// Also bring in what an earlier import brought in and somebody removed since
    #[arg(long, global = true)]
    pub removed_too: bool,
    #[command(subcommand)]
    pub source: ImportSource,
}

/// Where mail comes from.
#[derive(Debug, Subcommand)]
pub enum ImportSource {
    /// A Maildir, with its subfolders (Maildir++ or plain), flags, keywords, dates, subscriptions and UIDs
    Maildir {
        /// Where it is
        path: PathBuf,
    },
    /// An mbox file, or a folder of them
    Mbox {
        /// Where it is
        path: PathBuf,
    },
}

/// The configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print the effective configuration, or everything that is wrong with it
    Check,
}

/// What an import reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Maildir.
    Maildir,
    /// mbox.
    Mbox,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_place_may_stand_before_or_behind_the_command() {
        for line in ["mansio --data d serve", "mansio serve --data d"] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            assert_eq!(cli.place.data, Some(PathBuf::from("d")));
        }
    }

    #[test]
    fn an_import_names_its_account_before_or_behind_the_format() {
        for line in
            ["mansio import maildir --account a@b /p", "mansio import --account a@b --data d maildir /p"]
        {
            let Command::Import(import) = Cli::try_parse_from(line.split(' ')).unwrap().command else {
                panic!()
            };
            assert_eq!(import.account.as_deref(), Some("a@b"));
        }
    }
}
