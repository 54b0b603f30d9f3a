//! Maildirs: one folder or a tree of them, as Dovecot, Courier, mbsync and others lay them out.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use account::{InternalDate, MailboxName, Uid};
use flate2::bufread::MultiGzDecoder;

use super::keywords::MaildirKeywords;
use super::names::decode_level;
use super::sink::{Counts, Incoming, Origin, Sink};
use super::uidlist::{UidList, base};
use super::{Task, subscriptions};
use crate::failure::Failure;

/// Deepest folder looked into.
const DEPTH_MAX: usize = 64;

/// First octets of gzip: Dovecot's zlib plugin keeps messages so. No message begins with them.
const GZIP: [u8; 2] = [0x1F, 0x8B];

/// Brings in a whole tree.
pub async fn import(task: &Task) -> Result<Counts, Failure> {
    let root = &task.import.path;
    let folders = Folder::tree(root).map_err(|error| Failure::new(format!("{}: {error}", root.display())))?;
    if folders.is_empty() {
        return Err(Failure::new(format!(
            "{}: no Maildir is there (no `cur` or `new` in it)",
            root.display()
        )));
    }
    let subscribed = subscriptions::read(root);
    let subscribed = subscribed.map_err(|error| Failure::new(format!("{}: {error}", root.display())))?;
    let mut counts = Counts::default();
    for folder in &folders {
        let name = folder.mailbox(task).await;
        counts += folder.import(task, &name).await?;
        // Without a list everything was visible.
        if subscribed.is_none() {
            task.subscribe(name).await?;
        }
    }
    for levels in subscribed.unwrap_or_default() {
        let name = task.mailbox_name(&levels).await;
        task.subscribe(name).await?;
    }
    Ok(counts)
}

/// One Maildir of the tree.
#[derive(Debug, PartialEq, Eq)]
struct Folder {
    path: PathBuf,
    /// Levels of its name; none for the root, which is INBOX.
    levels: Vec<String>,
}

/// A message's file.
struct Found {
    path: PathBuf,
    uid: Option<Uid>,
}

impl Folder {
    /// All Maildirs at and below a path, in the order of their names.
    fn tree(root: &Path) -> io::Result<Vec<Self>> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        let mut todo = vec![Self { path: root.to_owned(), levels: Vec::new() }];
        while let Some(folder) = todo.pop() {
            let meta = fs::metadata(&folder.path)?;
            // A link that leads back up would lead down again for ever.
            if folder.levels.len() > DEPTH_MAX || !seen.insert((meta.dev(), meta.ino())) {
                continue;
            }
            for entry in fs::read_dir(&folder.path)? {
                let entry = entry?;
                let name = entry.file_name();
                if matches!(name.as_bytes(), b"cur" | b"new" | b"tmp") || !entry.path().is_dir() {
                    continue;
                }
                todo.extend(folder.child(name.as_bytes(), entry.path()));
            }
            if is_maildir(&folder.path) {
                found.push(folder);
            }
        }
        found.sort_by(|one, other| one.levels.cmp(&other.levels));
        Ok(found)
    }

    /// A folder in this one: `.a.b` in Maildir++, where it counts only if it is a Maildir (other programs hide their own
    /// things behind dots), or a plain name.
    fn child(&self, name: &[u8], path: PathBuf) -> Option<Self> {
        let mut levels = self.levels.clone();
        match name.strip_prefix(b".") {
            Some(dotted) if is_maildir(&path) => {
                levels.extend(dotted.split(|&octet| octet == b'.').map(decode_level));
            }
            Some(_) => return None,
            None => levels.push(decode_level(name)),
        }
        Some(Self { path, levels })
    }

    async fn mailbox(&self, task: &Task) -> MailboxName {
        if self.levels.is_empty() {
            task.mailbox_name(&["INBOX".to_owned()]).await
        } else {
            task.mailbox_name(&self.levels).await
        }
    }

    async fn import(&self, task: &Task, name: &MailboxName) -> Result<Counts, Failure> {
        let failure = |error: io::Error| Failure::new(format!("{}: {error}", self.path.display()));
        let uids = UidList::read(&self.path).map_err(failure)?;
        let keywords = MaildirKeywords::read(&self.path).map_err(failure)?;
        let messages = self.messages(&uids).map_err(failure)?;
        let total = Some(messages.len() as u64);
        let origin = Origin { uid_validity: uids.uid_validity, uid_next: uids.uid_next, total };
        let mut sink = task.sink(name, origin).await?;
        for found in &messages {
            take(&mut sink, found, &keywords).await?;
        }
        sink.close().await
    }

    /// The messages in the order in which they get UIDs: those that have one by it, then the others by name, which begins
    /// with the time of delivery.
    fn messages(&self, uids: &UidList) -> io::Result<Vec<Found>> {
        let mut found = Vec::new();
        for part in ["cur", "new"] {
            let entries = match fs::read_dir(self.path.join(part)) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            for entry in entries {
                let path = entry?.path();
                let name = path.file_name().unwrap_or_default().as_bytes();
                // Hidden files are other programs' notes.
                if !name.starts_with(b".") {
                    found.push(Found { uid: uids.uid(base(name)), path });
                }
            }
        }
        let key =
            |found: &Found| (found.uid.is_none(), found.uid, found.path.file_name().map(ToOwned::to_owned));
        found.sort_by_cached_key(key);
        Ok(found)
    }
}

fn is_maildir(path: &Path) -> bool {
    path.join("cur").is_dir() || path.join("new").is_dir()
}

async fn take(sink: &mut Sink, found: &Found, keywords: &MaildirKeywords) -> Result<(), Failure> {
    let label = found.path.to_string_lossy();
    let (mut body, date) = match open(&found.path) {
        Ok(opened) => opened,
        Err(error) => {
            sink.broken(&label, &error).await;
            return Ok(());
        }
    };
    let name = found.path.file_name().unwrap_or_default().as_bytes();
    let base = base(name);
    let incoming = Incoming {
        uid: found.uid,
        flags: keywords.flags(base, &name[base.len()..]),
        date,
        label: &label,
        body: body.as_mut(),
        stated_bytes: stated_bytes(base),
    };
    sink.message(incoming).await
}

/// A message's octets, unpacked if they are packed, and when it was received: the file's time, which is what Dovecot and Courier
/// show.
fn open(path: &Path) -> io::Result<(Box<dyn Read + Send>, InternalDate)> {
    let file = File::open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "is no file"));
    }
    let date = InternalDate { seconds: meta.mtime(), zone_minutes: 0 };
    let mut file = BufReader::new(file);
    let body: Box<dyn Read + Send> = if file.fill_buf()?.starts_with(&GZIP) {
        Box::new(MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    };
    Ok((body, date))
}

/// `,S=1355`: octets of the message as it lies there (unpacked).
fn stated_bytes(base: &[u8]) -> Option<u64> {
    let field = base.split(|&octet| octet == b',').find_map(|field| field.strip_prefix(b"S="))?;
    std::str::from_utf8(field).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(folders: &[&str]) -> Vec<String> {
        let root = tempfile::tempdir().unwrap();
        for folder in folders {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        let found = Folder::tree(root.path()).unwrap();
        found.iter().map(|folder| folder.levels.join("/")).collect()
    }

    #[test]
    fn maildir_plus_plus_is_found() {
        let folders = ["cur", "new", "tmp", ".Sent.2024/cur", ".Entw&APw-rfe/new", ".cache/x", "dovecot/y"];
        assert_eq!(tree(&folders), ["", "Entwürfe", "Sent/2024"]);
    }

    #[test]
    fn plain_folders_are_found_below_folders_that_hold_no_mail() {
        assert_eq!(
            tree(&["INBOX/cur", "Archive/2024/cur", "日本語/cur"]),
            ["Archive/2024", "INBOX", "日本語"]
        );
        assert_eq!(tree(&["INBOX/cur", "INBOX/.Sub/cur"]), ["INBOX", "INBOX/Sub"], "mbsync's other layouts");
    }

    #[test]
    fn a_link_back_up_does_not_go_round_for_ever() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("a/cur")).unwrap();
        std::os::unix::fs::symlink(root.path(), root.path().join("a/loop")).unwrap();
        assert_eq!(Folder::tree(root.path()).unwrap().len(), 1);
    }

    #[test]
    fn the_stated_size_is_read_from_the_name() {
        assert_eq!(stated_bytes(b"1276528487.M364837P9451.kurkku,S=1355,W=1394"), Some(1_355));
        assert_eq!(stated_bytes(b"1276528487.x"), None);
        assert_eq!(stated_bytes(b"1276528487.x,S=many"), None);
    }

    #[test]
    fn messages_come_in_the_order_of_their_uids_and_then_of_their_names() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("cur")).unwrap();
        fs::create_dir_all(root.path().join("new")).unwrap();
        for name in ["cur/3.c:2,S", "cur/1.a:2,", "new/2.b", "new/0.z", "cur/.hidden"] {
            fs::write(root.path().join(name), "x").unwrap();
        }
        fs::write(root.path().join("dovecot-uidlist"), "3 V9 N8\n4 :3.c:2,\n7 :1.a\n").unwrap();
        let uids = UidList::read(root.path()).unwrap();
        let folder = Folder { path: root.path().to_owned(), levels: Vec::new() };
        let names: Vec<_> = folder.messages(&uids).unwrap().iter().map(|found| found.path.clone()).collect();
        let want = ["cur/3.c:2,S", "cur/1.a:2,", "new/0.z", "new/2.b"].map(|name| root.path().join(name));
        assert_eq!(names, want);
    }
}
