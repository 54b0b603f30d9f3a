//! mutt and neomutt, with header cache, body cache and QRESYNC, driven by the keys a person would press.

use crate::harness::mail::{Message, real_sample, wire_form};
use crate::harness::maildir::{modified_utf7, read_folder};
use crate::harness::programs::{PROGRAM_TIMEOUT, client, repository, run};
use crate::harness::response::{Value, value_of};
use crate::harness::script::python;
use crate::harness::wire::Wire;
use crate::harness::{PASSWORD, Server, USER};
use std::path::Path;

/// A person's home folder with a configuration for the server; `program` is mutt or neomutt.
struct Reader<'a> {
    program: &'a str,
    home: tempfile::TempDir,
}

impl Reader<'_> {
    fn new<'a>(program: &'a str, server: &Server) -> Reader<'a> {
        let home = tempfile::Builder::new().prefix("mutt-").tempdir().unwrap();
        let configuration = format!(
            r#"
set folder="imaps://{host}:{port}/"
set spoolfile="+INBOX"
set imap_user="{USER}"
set imap_pass="{PASSWORD}"
set ssl_ca_certificates_file="{ca}"
set certificate_file="{ca}"
set ssl_force_tls=yes
set ssl_verify_host=yes
set imap_condstore=yes
set imap_qresync=yes
set header_cache="~/cache/"
set message_cachedir="~/cache/"
set wait_key=no
set confirmappend=no
set confirmcreate=no
set delete=yes
set move=no
set quit=yes
set mbox_type=Maildir
set sort=mailbox-order
set charset=utf-8
"#,
            host = server.host,
            port = server.imaps_port,
            ca = server.ca.display(),
        );
        std::fs::write(home.path().join("muttrc"), configuration).unwrap();
        std::fs::create_dir(home.path().join("cache")).unwrap();
        Reader { program, home }
    }

    /// Opens the inbox, presses the keys and leaves.
    fn press(&self, keys: &str) {
        let home = self.home.path();
        let script = repository().join("testdata/clients/terminal.py");
        let mut command = client(python().to_str().unwrap(), home);
        command.env("TERM", "xterm").arg(script).arg(PROGRAM_TIMEOUT.as_secs().to_string());
        command.args([self.program, "-n", "-F", "muttrc", "-d", "3", "-e"]);
        run(command.arg(format!("push '{keys}<sync-mailbox><quit>'")));
    }

    /// The messages that were copied to a local Maildir, without the fields that mutt writes itself.
    fn copied(&self, folder: &str) -> Vec<Vec<u8>> {
        let files = read_folder(&self.home.path().join(folder));
        sorted(files.into_values().map(|(_, body)| without_own_fields(&body)))
    }

    /// What the program said to the server and heard, in its last run.
    fn conversation(&self) -> String {
        let log = self.home.path().join(format!(".{}debug0", self.program));
        String::from_utf8_lossy(&std::fs::read(log).unwrap()).into_owned()
    }
}

/// mutt adds these to a message that it saves, or takes them away.
fn without_own_fields(message: &[u8]) -> Vec<u8> {
    const OWN: [&str; 4] = ["content-length:", "lines:", "status:", "x-status:"];
    let mut kept = Vec::new();
    let mut in_header = true;
    for line in message.split_inclusive(|&byte| byte == b'\n') {
        in_header &= line != b"\n";
        let start = String::from_utf8_lossy(&line[..line.len().min(16)]).to_ascii_lowercase();
        if !(in_header && OWN.iter().any(|name| start.starts_with(name))) {
            kept.extend_from_slice(line);
        }
    }
    kept
}

fn sorted(bodies: impl Iterator<Item = Vec<u8>>) -> Vec<Vec<u8>> {
    let mut bodies: Vec<Vec<u8>> = bodies.collect();
    bodies.sort();
    bodies
}

/// What a saved copy of these messages must be.
fn expected<'a>(messages: impl Iterator<Item = &'a Message>) -> Vec<Vec<u8>> {
    let unix =
        |message: &Message| message.bytes.iter().copied().filter(|&byte| byte != b'\r').collect::<Vec<u8>>();
    sorted(messages.map(|message| without_own_fields(&unix(message))))
}

fn flags(wire: &mut Wire, number: usize) -> Vec<Value> {
    let answer = wire.ok(&format!("FETCH {number} (FLAGS)"));
    value_of(answer.fetched()[0].1, "FLAGS").unwrap().list().to_vec()
}

fn has(flags: &[Value], flag: &str) -> bool {
    flags.contains(&Value::Atom(flag.into()))
}

fn reads_files_flags_and_catches_up(program: &str) {
    let mut messages = real_sample(70);
    // mutt ends a header where it has to; what it saves then is its own.
    messages.retain(|message| message.bytes.windows(2).any(|pair| pair == b"\n\n"));
    let server = Server::start();
    let mut wire = Wire::logged_in(&server);
    for message in &messages {
        assert_eq!(wire.append("INBOX", &wire_form(&message.bytes)).kind, "OK");
    }
    wire.ok(&format!("CREATE \"{}\"", modified_utf7("日本語")));
    let reader = Reader::new(program, &server);

    make_maildir(&reader.home.path().join("all"));
    reader.press(
        "<tag-pattern>~A<enter><tag-prefix><copy-message>~/all<enter><untag-pattern>~A<enter>\
         <first-entry><flag-message><jump>2<enter><delete-message><jump>3<enter><save-message>=日本語<enter>",
    );
    assert!(reader.copied("all") == expected(messages.iter()), "{program} saved what was on the server");
    wire.ok("SELECT INBOX");
    let counted = wire.ok("SEARCH ALL");
    assert_eq!(counted.data("SEARCH")[0].len(), messages.len() - 2);
    assert!(has(&flags(&mut wire, 1), "\\Flagged"));
    let saved = wire.ok(&format!("STATUS \"{}\" (MESSAGES)", modified_utf7("日本語")));
    assert_eq!(value_of(saved.data("STATUS")[0][1].list(), "MESSAGES").unwrap().number(), 1);
    messages.drain(1..3);

    // Another device changes things while mutt is away; its header cache is then stale in three ways.
    wire.ok("STORE 5 +FLAGS (\\Answered)");
    wire.ok("STORE 7,9 +FLAGS (\\Deleted)");
    wire.ok("EXPUNGE");
    let new = b"From: new@example.org\nSubject: new\n\nnew\n".to_vec();
    wire.append("INBOX", &wire_form(&new));
    let answered = messages[4].clone();
    messages.remove(8);
    messages.remove(6);
    messages.push(Message { name: "new".into(), bytes: new });

    for folder in ["again", "answered"] {
        make_maildir(&reader.home.path().join(folder));
    }
    reader.press(
        "<tag-pattern>~A<enter><tag-prefix><copy-message>~/again<enter><untag-pattern>~A<enter>\
         <tag-pattern>~Q<enter><tag-prefix><copy-message>~/answered<enter>",
    );
    assert!(reader.copied("again") == expected(messages.iter()), "{program} caught up");
    assert!(reader.copied("answered") == expected([&answered].into_iter()), "{program} was told of the flag");
    // Its way is FETCH with VANISHED (RFC 7162, section 3.2.6) and not the parameter of SELECT.
    let conversation = reader.conversation();
    let resynchronised = |line: &str| {
        line.contains("UID FETCH") && line.contains("CHANGEDSINCE") && line.contains("VANISHED)")
    };
    assert!(conversation.lines().any(resynchronised), "{program} did not use QRESYNC");
}

fn make_maildir(folder: &Path) {
    for part in ["cur", "new", "tmp"] {
        std::fs::create_dir_all(folder.join(part)).unwrap();
    }
}

#[test]
fn mutt_reads_files_flags_and_catches_up() {
    reads_files_flags_and_catches_up("mutt");
}

#[test]
fn neomutt_reads_files_flags_and_catches_up() {
    reads_files_flags_and_catches_up("neomutt");
}
