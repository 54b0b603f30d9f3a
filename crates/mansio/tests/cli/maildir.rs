//! Maildirs as Dovecot and Courier leave them behind.

use std::fs::{self, File, FileTimes};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

/// A Maildir folder being put together.
pub struct Maildir {
    pub path: PathBuf,
}

impl Maildir {
    pub fn new(path: PathBuf) -> Self {
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(path.join(part)).unwrap();
        }
        Self { path }
    }

    /// A file in `cur` (or `new`, when the name says so), received at that time.
    pub fn message(&self, name: &str, seconds: u64, octets: &[u8]) -> &Self {
        let file =
            if name.starts_with("new/") { self.path.join(name) } else { self.path.join("cur").join(name) };
        fs::write(&file, octets).unwrap();
        let times = FileTimes::new().set_modified(UNIX_EPOCH + Duration::from_secs(seconds));
        File::options().append(true).open(&file).unwrap().set_times(times).unwrap();
        self
    }

    pub fn file(&self, name: &str, text: &str) -> &Self {
        fs::write(self.path.join(name), text).unwrap();
        self
    }
}

/// A message of that subject, with the line ends of a file.
pub fn message(subject: &str) -> Vec<u8> {
    format!("From: a@example.org\nSubject: {subject}\n\nBody of {subject}.\n").into_bytes()
}

/// Ann's mail as Dovecot keeps it: INBOX with a gap in its UIDs and one unseen, `Sent/2024`, a name in another script.
pub fn dovecot(root: &Path) {
    let inbox = Maildir::new(root.to_owned());
    inbox
        .message("1700000001.M1P1.host,S=47,W=51:2,S", 1_700_000_001, &message("one"))
        .message("1700000002.M2P1.host:2,FRa", 1_700_000_002, &message("two"))
        .message("1700000003.M3P1.host:2,Tb", 1_700_000_003, &message("three"))
        .message("new/1700000009.M9P1.host", 1_700_000_009, &message("nine"))
        .file("dovecot-keywords", "0 $Label1\n1 NonJunk\n")
        .file(
            "dovecot-uidlist",
            "3 V1600000000 N50 G00\n7 :1700000001.M1P1.host,S=47,W=51\n9 :1700000002.M2P1.host:2,F\n\
             30 W55 :1700000003.M3P1.host\n",
        )
        .file("subscriptions", "V\t2\n\nSent\t2024\n&ZeVnLIqe-\n");
    Maildir::new(root.join(".Sent.2024"))
        .message("1700000011.M1P1.host:2,S", 1_700_000_011, &message("sent"))
        .file("dovecot-uidlist", "3 V1600000001 N3 G01\n2 :1700000011.M1P1.host\n");
    Maildir::new(root.join(".&ZeVnLIqe-")).message("1700000021.M1P1.host:2,", 1_700_000_021, &message("ni"));
}
