//! The way out: all mail of an account as a Maildir++, with everything that an import (ours, or Dovecot in place) needs to
//! take up where we were: flags, keywords, dates, UIDs, subscriptions.

use std::fmt::Write as _;
use std::fs::{self, File, FileTimes};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use account::{Flags, Mailbox, MailboxFacts, OpenAccount, Row, SystemFlag};

use crate::control::{Event, Events};
use crate::data::fault;
use crate::failure::Failure;
use crate::import::{ToLf, to_maildir_plus_plus};
use crate::limits::COPY_BYTES_MAX;

/// Dovecot's letters for keywords; a mailbox with more loses the rest of them on the way out, which is told.
const LETTERS: usize = 26;

/// Progress is told after so many messages.
const TELL_EVERY: u64 = 100;

/// Writes everything below a folder that is new or empty.
///
/// # Errors
/// When the folder is not empty or cannot be written. A message that cannot be read is told and left out.
pub async fn run(account: &dyn OpenAccount, root: &Path, events: &Events) -> Result<(), Failure> {
    let failure = |error: io::Error| Failure::new(format!("{}: {error}", root.display()));
    fs::create_dir_all(root).map_err(failure)?;
    if fs::read_dir(root).map_err(failure)?.next().is_some() {
        return Err(Failure::new(format!("{} is not empty", root.display())));
    }
    let state = account.account();
    let directory = state.directory();
    let mut written = 0;
    for facts in directory.mailboxes() {
        let folder = if facts.name.is_inbox() {
            root.to_owned()
        } else {
            root.join(to_maildir_plus_plus(&facts.name))
        };
        let columns = account.mailbox(facts.id).await.map_err(|error| fault(&error))?;
        let columns = columns.unwrap_or_default();
        let export = Folder { account, events, folder, facts, columns: &columns };
        written += export.write().await?;
    }
    let mut subscriptions = String::from("V\t2\n\n");
    for name in directory.subscriptions() {
        let levels: Vec<_> = to_maildir_plus_plus(name)[1..].split('.').map(str::to_owned).collect();
        let _ = writeln!(subscriptions, "{}", levels.join("\t"));
    }
    fs::write(root.join("subscriptions"), subscriptions).map_err(failure)?;
    events.line(format!("{written} messages written to {}.", root.display())).await;
    Ok(())
}

/// One mailbox on its way out.
struct Folder<'a> {
    account: &'a dyn OpenAccount,
    events: &'a Events,
    folder: PathBuf,
    facts: &'a MailboxFacts,
    columns: &'a Mailbox,
}

impl Folder<'_> {
    async fn write(&self) -> Result<u64, Failure> {
        let failure = |error: io::Error| Failure::new(format!("{}: {error}", self.folder.display()));
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(self.folder.join(part)).map_err(failure)?;
        }
        if !self.facts.name.is_inbox() {
            fs::write(self.folder.join("maildirfolder"), "").map_err(failure)?;
        }
        let (validity, next) = (self.facts.uid_validity.value(), self.facts.uid_next);
        let mut uids = format!("3 V{validity} N{next} G{}\n", self.guid());
        let mut written = 0;
        for row in self.columns.rows() {
            let uid = row.uid.value();
            match self.message(&row).await {
                Ok(name) => {
                    let _ = writeln!(uids, "{uid} :{name}");
                    written += 1;
                }
                Err(Trouble::Message(why)) => {
                    self.events.skipped(format!("{}, UID {uid}: {why}", self.facts.name)).await;
                }
                Err(Trouble::Folder(error)) => return Err(failure(error)),
            }
            if written % TELL_EVERY == 0 {
                let total = Some(u64::from(self.columns.len()));
                self.events
                    .tell(Event::Progress { what: self.facts.name.to_string(), done: written, total })
                    .await;
            }
        }
        fs::write(self.folder.join("dovecot-uidlist"), uids).map_err(failure)?;
        self.keywords().await.map_err(failure)?;
        Ok(written)
    }

    /// Writes one message into `tmp` and moves it to `cur`; returns its name without flags.
    async fn message(&self, row: &Row) -> Result<String, Trouble> {
        let seconds = row.internal_date.seconds;
        let unique = format!("{}.M{}P{}", seconds.max(0), row.uid.value(), self.facts.id.0);
        let draft = self.folder.join("tmp").join(&unique);
        let bytes = match self.body(row, &draft, true).await? {
            Some(bytes) => bytes,
            None => self.body(row, &draft, false).await?.unwrap_or(row.size),
        };
        let date = UNIX_EPOCH.checked_add(Duration::from_secs(seconds.max(0).unsigned_abs()));
        let times = FileTimes::new().set_modified(date.unwrap_or_else(SystemTime::now));
        File::options()
            .append(true)
            .open(&draft)
            .and_then(|file| file.set_times(times))
            .map_err(Trouble::Folder)?;
        let name = format!("{unique}.mansio,S={bytes},W={}", row.size);
        let flagged = format!("{name}:2,{}", letters(row.flags));
        fs::rename(&draft, self.folder.join("cur").join(flagged)).map_err(Trouble::Folder)?;
        Ok(name)
    }

    /// Writes the octets, with LF for CRLF as Maildirs have it; `None` if that cannot be undone, because the message holds a
    /// lone CR or LF. Then it is to be written as it is. Returns the octets written.
    async fn body(&self, row: &Row, path: &Path, to_lf: bool) -> Result<Option<u64>, Trouble> {
        let mut file = File::create(path).map_err(Trouble::Folder)?;
        let (mut convert, mut octets) = (ToLf::default(), Vec::new());
        let (mut at, mut written) = (0, 0u64);
        while at < row.size {
            let piece = at..row.size.min(at + COPY_BYTES_MAX as u64);
            let got = self.account.body(row.blob, piece).await;
            let got = got.map_err(|error| Trouble::Message(fault(&error).to_string()))?;
            if got.is_empty() {
                return Err(Trouble::Message("is shorter than it should be".to_owned()));
            }
            at += got.len() as u64;
            octets.clear();
            if to_lf {
                convert.convert(&got, &mut octets);
                if convert.lossy {
                    return Ok(None);
                }
            } else {
                octets.extend_from_slice(&got);
            }
            written += octets.len() as u64;
            file.write_all(&octets).map_err(Trouble::Folder)?;
        }
        convert.finish();
        Ok((!convert.lossy).then_some(written))
    }

    async fn keywords(&self) -> io::Result<()> {
        let names: Vec<&str> = self.facts.keywords.0.iter().map(String::as_str).collect();
        for name in names.iter().skip(LETTERS) {
            let text = format!("{}: keyword {name}: a Maildir holds no more than {LETTERS}", self.facts.name);
            self.events.skipped(text).await;
        }
        if names.is_empty() {
            return Ok(());
        }
        let mut lines = String::new();
        for (number, name) in names.iter().take(LETTERS).enumerate() {
            let _ = writeln!(lines, "{number} {name}");
        }
        fs::write(self.folder.join("dovecot-keywords"), lines)
    }

    /// Dovecot wants 128 bits that no other folder has.
    fn guid(&self) -> String {
        let seed = format!("{}/{}/{}", self.facts.id.0, self.facts.uid_validity.value(), self.facts.name);
        blake3::hash(seed.as_bytes()).to_hex()[..32].to_owned()
    }
}

/// Why a message was not written.
enum Trouble {
    /// It cannot be read.
    Message(String),
    /// The folder cannot be written.
    Folder(io::Error),
}

/// A Maildir's letters, in the order of the alphabet as the format wants them.
fn letters(flags: Flags) -> String {
    let system = [
        ('D', SystemFlag::Draft),
        ('F', SystemFlag::Flagged),
        ('R', SystemFlag::Answered),
        ('S', SystemFlag::Seen),
        ('T', SystemFlag::Deleted),
    ];
    let system = system.into_iter().filter(|(_, flag)| flags.has(*flag)).map(|(letter, _)| letter);
    let keywords = flags.keywords().filter(|&index| usize::from(index) < LETTERS);
    system.chain(keywords.map(|index| char::from(b'a' + index))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_stand_in_the_order_that_maildir_wants() {
        let flags =
            Flags(0b11111).union(Flags::keyword(1)).union(Flags::keyword(25)).union(Flags::keyword(26));
        assert_eq!(letters(flags), "DFRSTbz");
        assert_eq!(letters(Flags::NONE), "");
    }
}
