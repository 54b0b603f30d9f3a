//! mbsync (isync): the whole corpus down, a two-way synchronisation, and runs that must find nothing to do.

use crate::harness::mail::{Message, generated, real, real_sample, wire_form};
use crate::harness::maildir::{Letter, mailbox_folder, read_folder, write_mailbox};
use crate::harness::programs::{client, output, run};
use crate::harness::response::{Value, value_of};
use crate::harness::wire::Wire;
use crate::harness::{PASSWORD, Server, USER};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What mbsync keeps of a message in a Maildir: the line ends of Unix, and no CR at all. Eight of the real messages
/// have a CR inside a line; the Python clients see to it that the server keeps those.
fn unix_form(message: &[u8]) -> Vec<u8> {
    message.iter().copied().filter(|&byte| byte != b'\r').collect()
}

/// mbsync passes over a message whose header does not end. Every other client gets these too.
fn with_header_end(mut messages: Vec<Message>) -> Vec<Message> {
    let ends = |form: &[u8]| form.starts_with(b"\n") || form.windows(2).any(|pair| pair == b"\n\n");
    messages.retain(|message| ends(&unix_form(&message.bytes)));
    messages
}

/// A message without the `X-TUID` line that mbsync puts into every copy it makes, to find it again after a crash.
fn without_mark(message: &[u8]) -> Vec<u8> {
    const NAME: &[u8] = b"X-TUID: ";
    const LENGTH: usize = NAME.len() + 12;
    let starts_line = |at: usize| at == 0 || message[at - 1] == b'\n';
    let Some(at) = (0..message.len()).find(|&at| starts_line(at) && message[at..].starts_with(NAME)) else {
        return message.to_vec();
    };
    let rest = &message[at + LENGTH..];
    let line_end = if rest.starts_with(b"\r\n") { 2 } else { 1 };
    [&message[..at], &rest[line_end..]].concat()
}

/// mbsync's side: a folder with its configuration, its state and a Maildir++ tree.
struct Local {
    home: TempDir,
}

impl Local {
    fn new(server: &Server) -> Local {
        let home = tempfile::Builder::new().prefix("mbsync-").tempdir().unwrap();
        let configuration = format!(
            r#"
FSync no

IMAPAccount server
Host {host}
Port {port}
User "{USER}"
Pass "{PASSWORD}"
SSLType IMAPS
CertificateFile {ca}

IMAPStore far
Account server

MaildirStore near
Inbox ~/mail
SubFolders Maildir++

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
CopyArrivalDate yes
SyncState *
"#,
            host = server.host,
            port = server.imaps_port,
            ca = server.ca.display(),
        );
        std::fs::write(home.path().join(".mbsyncrc"), configuration).unwrap();
        Local { home }
    }

    fn tree(&self) -> PathBuf {
        self.home.path().join("mail")
    }

    fn mailbox(&self, name: &str) -> PathBuf {
        mailbox_folder(&self.tree(), name)
    }

    fn sync(&self) -> String {
        let output = run(client("mbsync", self.home.path()).args(["-V", "all"]));
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }

    /// The one file of the inbox that starts with this.
    fn file(&self, start: &str) -> PathBuf {
        let files = ["cur", "new"].map(|part| std::fs::read_dir(self.tree().join(part)).unwrap());
        let paths = files.into_iter().flatten().map(|file| file.unwrap().path());
        let mut found = paths.filter(|path| std::fs::read(path).unwrap().starts_with(start.as_bytes()));
        found.next().unwrap_or_else(|| panic!("no file starts with {start}"))
    }

    /// Every file of the tree with its length and modification time.
    fn snapshot(&self) -> BTreeMap<PathBuf, (u64, std::time::SystemTime)> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.tree()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                let metadata = entry.metadata().unwrap();
                if metadata.is_dir() {
                    folders.push(entry.path());
                } else if entry.file_name() != ".mbsyncstate" {
                    files.insert(entry.path(), (metadata.len(), metadata.modified().unwrap()));
                }
            }
        }
        files
    }
}

/// The messages of a Maildir folder as mbsync received them: flags and bytes.
fn received(folder: &Path) -> Vec<(String, Vec<u8>)> {
    read_folder(folder).into_values().map(|(flags, body)| (flags, without_mark(&body))).collect()
}

fn counted(bodies: impl Iterator<Item = Vec<u8>>) -> BTreeMap<Vec<u8>, usize> {
    let mut counts = BTreeMap::new();
    for body in bodies {
        *counts.entry(body).or_insert(0) += 1;
    }
    counts
}

fn letters(messages: &[Message], flags: &[&str]) -> Vec<Letter> {
    let letter = |(index, message): (usize, &Message)| Letter {
        bytes: message.bytes.clone(),
        flags: flags[index % flags.len()].into(),
        internal_date: 1_500_000_000 + 977 * index as u64,
    };
    messages.iter().enumerate().map(letter).collect()
}

/// Two maps of bodies are equal; says which are not without printing megabytes.
fn assert_same_bodies(found: &BTreeMap<Vec<u8>, usize>, expected: &BTreeMap<Vec<u8>, usize>) {
    let start = |body: &Vec<u8>| String::from_utf8_lossy(&body[..body.len().min(300)]).into_owned();
    let missing: Vec<_> =
        expected.iter().filter(|(body, n)| found.get(*body) != Some(n)).map(|(b, _)| start(b)).collect();
    let strange: Vec<_> =
        found.iter().filter(|(body, n)| expected.get(*body) != Some(n)).map(|(b, _)| start(b)).collect();
    assert!(
        missing.is_empty() && strange.is_empty(),
        "{} missing, {} strange; the first: {:#?} {:#?}",
        missing.len(),
        strange.len(),
        missing.first(),
        strange.first()
    );
}

#[test]
fn the_whole_imported_corpus_comes_down_byte_for_byte_and_the_second_run_finds_nothing() {
    let real = with_header_end(real());
    assert!(real.len() >= 2000, "{} real messages", real.len());
    let generated = with_header_end(generated());
    let import = tempfile::tempdir().unwrap();
    let tree = import.path().join("Maildir");
    let flags = ["", "S", "FS", "RS", "DFRS"];
    write_mailbox(&tree, "INBOX", &letters(&real, &flags), 4242, 17, &[]);
    write_mailbox(&tree, "Hard/Cases", &letters(&generated, &flags), 4343, 1, &[]);
    let server = Server::start_with(Some(&tree));

    let local = Local::new(&server);
    local.sync();
    for (mailbox, messages) in [("INBOX", &real), ("Hard/Cases", &generated)] {
        let mut found = received(&local.mailbox(mailbox));
        let bodies = counted(found.iter().map(|(_, body)| body.clone()));
        assert_same_bodies(&bodies, &counted(messages.iter().map(|message| unix_form(&message.bytes))));
        // A body may be there twice; so flags are compared as pairs with bodies too.
        let sent = letters(messages, &flags);
        let mut sent: Vec<_> =
            sent.iter().map(|letter| (letter.flags.clone(), unix_form(&letter.bytes))).collect();
        sent.sort();
        found.sort();
        assert!(sent == found, "flags of {mailbox}");
    }

    let before = local.snapshot();
    let said = local.sync();
    assert_eq!(local.snapshot(), before, "{said}");
}

#[test]
fn a_local_maildir_goes_up_byte_for_byte() {
    let messages = with_header_end([real_sample(300), generated()].concat());
    let server = Server::start();
    let local = Local::new(&server);
    write_mailbox(&local.tree(), "INBOX", &letters(&messages, &["S", "", "FR"]), 1, 1, &[]);
    for name in ["dovecot-uidlist", "dovecot-keywords"] {
        std::fs::remove_file(local.tree().join(name)).unwrap();
    }
    local.sync();

    let mut wire = Wire::selected(&server, "INBOX");
    let answer = wire.ok("FETCH 1:* (FLAGS INTERNALDATE BODY.PEEK[])");
    let on_server = answer.fetched();
    let expected = counted(messages.iter().map(|message| wire_form(&unix_form(&message.bytes))));
    assert_same_bodies(&counted(on_server.iter().map(|(_, items)| without_mark(body(items)))), &expected);
    let seen = on_server.iter().filter(|(_, items)| flagged(items, "\\Seen")).count();
    let answered = on_server.iter().filter(|(_, items)| flagged(items, "\\Answered")).count();
    assert_eq!((seen, answered), (messages.len().div_ceil(3), messages.len() / 3));
    let date = value_of(on_server[0].1, "INTERNALDATE").unwrap().text();
    assert!(date.contains("Jul-2017"), "the time of the file's arrival, not of the upload: {date}");
}

#[test]
fn changes_on_both_sides_meet() {
    let server = Server::start();
    let mut wire = Wire::logged_in(&server);
    for number in 0..6 {
        wire.append("INBOX", format!("Subject: number {number}\r\n\r\n{number}\r\n").as_bytes());
    }
    let local = Local::new(&server);
    local.sync();
    assert_eq!(received(&local.tree()).len(), 6);

    wire.ok("SELECT INBOX");
    wire.ok("STORE 1 +FLAGS (\\Flagged)");
    wire.ok("STORE 2 +FLAGS (\\Deleted)");
    wire.ok("EXPUNGE");
    wire.append("INBOX (\\Answered)", b"Subject: from the server\r\n\r\nfar\r\n");
    mark(&local.file("Subject: number 0"), "R");
    mark(&local.file("Subject: number 4"), "S");
    std::fs::remove_file(local.file("Subject: number 2")).unwrap();
    std::fs::write(local.tree().join("cur/1700000000.Mnew.test:2,F"), b"Subject: from here\n\nnear\n")
        .unwrap();
    local.sync();

    let mut here: Vec<(String, String)> = received(&local.tree())
        .into_iter()
        .map(|(flags, body)| {
            (String::from_utf8(body).unwrap().lines().next().unwrap()[9..].to_owned(), flags)
        })
        .collect();
    here.sort();
    let expected = [
        ("from here", "F"),
        ("from the server", "R"),
        ("number 0", "FR"),
        ("number 3", ""),
        ("number 4", "S"),
        ("number 5", ""),
    ];
    assert_eq!(here, expected.map(|(subject, flags)| (subject.to_owned(), flags.to_owned())));
    wire.ok("NOOP");
    let answer = wire.ok("FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])");
    let mut there: Vec<(String, String)> = answer
        .fetched()
        .iter()
        .map(|(_, items)| {
            let subject = items.iter().find_map(|item| match item {
                Value::Bytes(bytes) => Some(String::from_utf8_lossy(&bytes[9..]).trim_end().to_owned()),
                _ => None,
            });
            let letters = [("F", "\\Flagged"), ("R", "\\Answered"), ("S", "\\Seen")];
            (
                subject.unwrap(),
                letters.iter().filter(|(_, flag)| flagged(items, flag)).map(|(l, _)| *l).collect(),
            )
        })
        .collect();
    there.sort();
    assert_eq!(there, here);

    let before = local.snapshot();
    let said = local.sync();
    assert_eq!(local.snapshot(), before, "{said}");
}

#[test]
fn mailboxes_of_every_script_are_made_on_the_other_side() {
    let server = Server::start();
    let mut wire = Wire::logged_in(&server);
    let far = ["日本語", "العربية", "Tom & Jerry", "Deep/er/est", "with \"quotes\"", "📬 post", "Größe"];
    for name in far {
        wire.ok(&format!("CREATE {}", crate::names::quoted_modified_utf7(name)));
    }
    wire.append(&crate::names::quoted_modified_utf7("日本語"), "Subject: x\r\n\r\nこ\r\n".as_bytes());
    let local = Local::new(&server);
    local.sync();
    for name in far {
        assert!(local.mailbox(name).join("cur").is_dir(), "{name} is not at {:?}", local.mailbox(name));
    }
    assert_eq!(
        received(&local.mailbox("日本語")),
        [(String::new(), "Subject: x\n\nこ\n".as_bytes().to_vec())]
    );

    write_mailbox(&local.tree(), "Новая/папка", &[], 1, 1, &[]);
    local.sync();
    let listed = wire.ok("LIST \"\" *");
    let names: Vec<String> = listed.data("LIST").iter().map(|values| values[2].text()).collect();
    assert!(names.contains(&crate::harness::maildir::modified_utf7("Новая/папка")), "{names:?}");
}

#[test]
fn a_certificate_that_is_not_trusted_is_refused_by_the_client() {
    // This guards the tests themselves: were TLS not verified, the clients would accept any server.
    let (server, other) = (Server::start(), Server::start());
    let local = Local::new(&server);
    local.sync();
    let path = local.home.path().join(".mbsyncrc");
    let configuration = std::fs::read_to_string(&path).unwrap();
    let with_other = configuration.replace(server.ca.to_str().unwrap(), other.ca.to_str().unwrap());
    std::fs::write(&path, with_other).unwrap();
    let output = output(client("mbsync", local.home.path()).arg("all"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("certificate"), "{said}");
}

fn body(items: &[Value]) -> &[u8] {
    value_of(items, "BODY[]").unwrap().bytes()
}

fn flagged(items: &[Value], flag: &str) -> bool {
    value_of(items, "FLAGS").unwrap().list().contains(&Value::Atom(flag.into()))
}

/// Sets the flags in a file's name, as a mail program does.
fn mark(path: &Path, flags: &str) {
    let name = path.file_name().unwrap().to_str().unwrap();
    let (base, old) = name.split_once(":2,").unwrap_or((name, ""));
    let mut all: Vec<char> = old.chars().chain(flags.chars()).collect();
    all.sort_unstable();
    all.dedup();
    let name = format!("{base}:2,{}", all.into_iter().collect::<String>());
    std::fs::rename(path, path.parent().unwrap().parent().unwrap().join("cur").join(name)).unwrap();
}
