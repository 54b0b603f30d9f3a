//! Bringing mail in: from a Maildir or mbox files into an account's mailboxes, as a stream, again and again without doubles.
//!
//! ```text
//! maildir, mbox --Incoming--> Sink --Draft::Append, hundreds at a time--> the account
//! ```
//!
//! What may be lost on the way is told by name: a file that cannot be read, a keyword too many. The command then ends
//! with its own exit code.

mod batch;
mod crlf;
mod dates;
mod keywords;
mod maildir;
mod mbox;
mod names;
mod sink;
mod subscriptions;
mod uidlist;

use std::path::PathBuf;
use std::sync::Arc;

use account::{Draft, MailboxName, NameError, OpenAccount};

use crate::cli::Format;
use crate::control::Events;
use crate::data::commit_failure;
use crate::failure::Failure;

pub use crlf::ToLf;
pub use names::to_maildir_plus_plus;
use sink::{Origin, Sink};

/// What is to be brought in.
pub struct Import {
    /// Whose mail it becomes.
    pub account: Arc<dyn OpenAccount>,
    /// What `path` is.
    pub format: Format,
    /// Where it is.
    pub path: PathBuf,
    /// Everything goes below this mailbox.
    pub into: Option<String>,
    /// Also what an earlier import brought in and somebody removed since.
    pub removed_too: bool,
    /// Where progress is told.
    pub events: Events,
}

/// Runs an import. Blocks on file reads: give it a thread.
///
/// # Errors
/// What makes going on pointless: the source is not there, the store is full or failed. What was brought in until then
/// stays, and the next run goes on from there.
pub async fn run(import: Import) -> Result<(), Failure> {
    let below = import
        .into
        .as_deref()
        .map(|name| parse_name(name).map(|name| name.as_str().to_owned()))
        .transpose()?;
    let task = Task { import, below };
    let counts = match task.import.format {
        Format::Maildir => maildir::import(&task).await?,
        Format::Mbox => mbox::import(&task).await?,
    };
    task.import.events.line(counts.to_string()).await;
    Ok(())
}

fn parse_name(name: &str) -> Result<MailboxName, Failure> {
    MailboxName::new(name).map_err(|error: NameError| Failure::new(format!("{name}: {error}")))
}

/// An import under way.
struct Task {
    import: Import,
    /// Name of the mailbox below which everything goes.
    below: Option<String>,
}

impl Task {
    /// The mailbox for a folder whose levels have these names. A name that our mailboxes cannot have is made one that they
    /// can, and the change is told.
    async fn mailbox_name(&self, levels: &[String]) -> MailboxName {
        let (name, changed) = names::acceptable(self.below.as_deref(), levels);
        if changed {
            let was = levels.join("/");
            self.import
                .events
                .line(format!("Mailbox {was} becomes {name}: its name will not do here."))
                .await;
        }
        name
    }

    /// Begins with a mailbox, creating it if need be.
    async fn sink(&self, name: &MailboxName, origin: Origin) -> Result<Sink, Failure> {
        let Import { account, events, removed_too, .. } = &self.import;
        Sink::open(Arc::clone(account), name, origin, *removed_too, events.clone()).await
    }

    async fn subscribe(&self, name: MailboxName) -> Result<(), Failure> {
        if self.import.account.account().directory().subscriptions().contains(&name) {
            return Ok(());
        }
        let done = self.import.account.commit(Draft::Subscribe { name }).await;
        done.map(drop).map_err(|error| commit_failure(&error))
    }
}
