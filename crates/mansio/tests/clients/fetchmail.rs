//! fetchmail: everything is handed on unchanged, kept when told so, and expunged otherwise.

use crate::harness::mail::{Message, generated, real_sample, wire_form};
use crate::harness::programs::{client, output};
use crate::harness::response::value_of;
use crate::harness::wire::Wire;
use crate::harness::{PASSWORD, Server, USER};
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

/// fetchmail ends with this when there was no mail for it.
const NO_MAIL: i32 = 1;

struct Fetchmail {
    home: TempDir,
}

impl Fetchmail {
    fn new(server: &Server, options: &str) -> Fetchmail {
        let home = tempfile::Builder::new().prefix("fetchmail-").tempdir().unwrap();
        let path = home.path().display();
        let configuration = format!(
            r#"
set invisible
set no bouncemail
poll {host} protocol IMAP port {port} auth password timeout 60
  user "{USER}" password "{PASSWORD}" is "root" here
  ssl sslcertck sslcertfile "{ca}" sslproto "TLS1.2+"
  no rewrite pass8bits no mimedecode no stripcr {options}
  mda "/bin/sh -c 'cat > $(mktemp {path}/delivered/XXXXXXXXXX)'"
"#,
            host = server.host,
            port = server.imaps_port,
            ca = server.ca.display(),
        );
        std::fs::create_dir(home.path().join("delivered")).unwrap();
        let file = home.path().join("fetchmailrc");
        std::fs::write(&file, configuration).unwrap();
        // fetchmail refuses a password that others may read.
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
        Fetchmail { home }
    }

    /// Runs once; returns what was delivered since the last run.
    fn run(&self) -> Vec<Vec<u8>> {
        let mut command = client("fetchmail", self.home.path());
        command.env("FETCHMAILHOME", self.home.path());
        // Root's fetchmail keeps its process number in one place for all, unless told otherwise.
        command.args(["-f", "fetchmailrc", "--nodetach", "--nosyslog", "--pidfile", "pid"]);
        let output = output(&mut command);
        let status = output.status.code();
        assert!(
            status == Some(0) || status == Some(NO_MAIL),
            "{status:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let files = std::fs::read_dir(self.home.path().join("delivered")).unwrap();
        let mut delivered = Vec::new();
        for file in files {
            let path = file.unwrap().path();
            delivered.push(wire_form(&std::fs::read(&path).unwrap()));
            std::fs::remove_file(path).unwrap();
        }
        assert_eq!(delivered.is_empty(), status == Some(NO_MAIL));
        delivered.sort();
        delivered
    }
}

fn messages() -> Vec<Message> {
    let mut messages = [real_sample(250), generated()].concat();
    // Without the end of a header fetchmail makes one; it takes away fields that it writes itself; and a line that
    // does not fit its buffer of 8 KiB is broken, and the last one is ended.
    messages.retain(|message| {
        let form = wire_form(&message.bytes);
        let header_end = form.windows(4).position(|window| window == b"\r\n\r\n");
        let header = String::from_utf8_lossy(&form[..header_end.unwrap_or(0)]).to_ascii_lowercase();
        header_end.is_some()
            && !header.contains("\nstatus:")
            && form.len() < 4_000_000
            && form.ends_with(b"\r\n")
            && form.split(|&byte| byte == b'\n').all(|line| line.len() < 8_000)
    });
    messages
}

fn fill(wire: &mut Wire, messages: &[Message]) -> Vec<Vec<u8>> {
    for message in messages {
        assert_eq!(wire.append("INBOX", &wire_form(&message.bytes)).kind, "OK");
    }
    let mut forms: Vec<Vec<u8>> = messages.iter().map(|message| wire_form(&message.bytes)).collect();
    forms.sort();
    forms
}

fn assert_delivered(found: &[Vec<u8>], expected: &[Vec<u8>]) {
    assert_eq!(found.len(), expected.len());
    let start = |form: &Vec<u8>| String::from_utf8_lossy(&form[..form.len().min(400)]).into_owned();
    let strange: Vec<String> =
        found.iter().filter(|form| expected.binary_search(form).is_err()).map(start).collect();
    assert!(strange.is_empty(), "not as they were on the server: {strange:#?}");
    assert!(found == expected);
}

fn count(wire: &mut Wire, item: &str) -> u64 {
    let answer = wire.ok(&format!("STATUS INBOX ({item})"));
    value_of(answer.data("STATUS")[0][1].list(), item).unwrap().number()
}

#[test]
fn mail_that_is_kept_stays_seen_and_is_not_fetched_again() {
    let server = Server::start();
    let mut wire = Wire::logged_in(&server);
    let expected = fill(&mut wire, &messages());
    let fetchmail = Fetchmail::new(&server, "keep");

    assert_delivered(&fetchmail.run(), &expected);
    assert_eq!(count(&mut wire, "MESSAGES"), expected.len() as u64);
    assert_eq!(count(&mut wire, "UNSEEN"), 0);
    assert!(fetchmail.run().is_empty());

    let late = b"From: a@example.org\r\nSubject: late\r\n\r\nlate\r\n";
    wire.append("INBOX", late);
    assert_delivered(&fetchmail.run(), &[late.to_vec()]);
}

#[test]
fn mail_that_is_not_kept_is_gone_from_the_server() {
    let server = Server::start();
    let mut wire = Wire::logged_in(&server);
    let expected = fill(&mut wire, &messages()[..60]);
    let fetchmail = Fetchmail::new(&server, "nokeep fetchall");
    assert_delivered(&fetchmail.run(), &expected);
    assert_eq!(count(&mut wire, "MESSAGES"), 0);
    assert!(fetchmail.run().is_empty());
}
