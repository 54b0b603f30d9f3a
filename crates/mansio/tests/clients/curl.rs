//! curl over imaps: list, fetch, append, search, and any command.

use crate::harness::mail::{generated, generated_message, wire_form};
use crate::harness::maildir::modified_utf7;
use crate::harness::programs::{client, output};
use crate::harness::wire::Wire;
use crate::harness::{PASSWORD, Server, USER};
use std::path::Path;
use std::process::Output;
use tempfile::TempDir;

/// curl's exit status when a server refuses a login (CURLE_LOGIN_DENIED) and a quoted command (CURLE_QUOTE_ERROR).
const LOGIN_DENIED: i32 = 67;
const QUOTE_ERROR: i32 = 21;

struct Curl<'a> {
    server: &'a Server,
    home: TempDir,
}

impl Curl<'_> {
    fn new(server: &Server) -> Curl<'_> {
        Curl { server, home: tempfile::Builder::new().prefix("curl-").tempdir().unwrap() }
    }

    fn output(&self, password: &str, path: &str, arguments: &[&str]) -> Output {
        let mut command = client("curl", self.home.path());
        command.args([
            "--silent",
            "--show-error",
            "--max-time",
            "120",
            "--user",
            &format!("{USER}:{password}"),
        ]);
        command.arg("--cacert").arg(&self.server.ca).args(arguments);
        output(command.arg(format!("imaps://{}:{}/{path}", self.server.host, self.server.imaps_port)))
    }

    fn ok(&self, path: &str, arguments: &[&str]) -> Vec<u8> {
        let output = self.output(PASSWORD, path, arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{path} {arguments:?}: {} {said}", output.status);
        output.stdout
    }

    fn text(&self, path: &str, arguments: &[&str]) -> String {
        String::from_utf8(self.ok(path, arguments)).unwrap()
    }

    fn append(&self, path: &str, message: &[u8]) {
        let file = self.home.path().join("message");
        std::fs::write(&file, message).unwrap();
        self.ok(path, &["--upload-file", file.to_str().unwrap()]);
    }
}

/// A mailbox name as curl puts it into a URL.
fn in_url(name: &str) -> String {
    let unreserved = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(byte);
    let coded =
        |byte: u8| if unreserved(&byte) { (byte as char).to_string() } else { format!("%{byte:02X}") };
    modified_utf7(name).bytes().map(coded).collect()
}

#[test]
fn mailboxes_of_every_script_are_made_listed_and_filled() {
    let server = Server::start();
    let curl = Curl::new(&server);
    let listed = |text: &str| text.lines().filter(|line| line.starts_with("* LIST")).count();
    let before = listed(&curl.text("", &[]));
    for name in ["日本語", "Tom & Jerry", "العربية", "📬 post", "a/b/ç"] {
        curl.ok("", &["--request", &format!("CREATE \"{}\"", modified_utf7(name))]);
        let all = curl.text("", &["--request", "LIST \"\" *"]);
        assert!(all.contains(&modified_utf7(name)), "{name} in {all}");
        let message = format!("Subject: {name}\r\n\r\nbody of {name}\r\n");
        curl.append(&in_url(name), message.as_bytes());
        assert_eq!(curl.text(&format!("{};MAILINDEX=1", in_url(name)), &[]), message);
    }
    // Five, and the two above the last one.
    assert_eq!(listed(&curl.text("", &[])) - before, 7);
}

#[test]
fn every_hard_message_goes_up_and_comes_down_unchanged() {
    let server = Server::start();
    let curl = Curl::new(&server);
    // The names of the charsets differ and the difficulties do not: one of ten of these is enough.
    let mut hard = generated();
    let mut charsets = 0;
    hard.retain(|message| {
        charsets += u32::from(message.name.starts_with("charset-"));
        !message.name.starts_with("charset-") || charsets % 10 == 0
    });
    for (index, message) in hard.iter().enumerate() {
        let form = wire_form(&message.bytes);
        curl.append("INBOX", &form);
        let back = curl.ok(&format!("INBOX;UID={}", index + 1), &[]);
        assert!(back == form, "{} came back with {} bytes for {}", message.name, back.len(), form.len());
    }
}

#[test]
fn parts_and_searches_answer() {
    let server = Server::start();
    let curl = Curl::new(&server);
    let mut wire = Wire::logged_in(&server);
    wire.append("INBOX (\\Seen)", b"From: ann@example.org\r\nSubject: tea at noon\r\n\r\ngreen\r\n");
    wire.append("INBOX (\\Flagged)", &wire_form(&generated_message("attachment-60-kB")));
    wire.append("INBOX", b"From: bob@example.org\r\nSubject: coffee\r\n\r\nblack tea\r\n");

    assert_eq!(curl.text("INBOX?ALL", &[]), "* SEARCH 1 2 3\r\n");
    assert_eq!(curl.text("INBOX?SUBJECT%20tea", &[]), "* SEARCH 1\r\n");
    assert_eq!(curl.text("INBOX?TEXT%20tea", &[]), "* SEARCH 1 3\r\n");
    assert_eq!(curl.text("INBOX?UNSEEN%20NOT%20FLAGGED", &[]), "* SEARCH 3\r\n");
    assert_eq!(curl.text("INBOX?LARGER%2050000", &[]), "* SEARCH 2\r\n");
    assert_eq!(curl.text("INBOX;UID=1;SECTION=TEXT", &[]), "green\r\n");
    assert_eq!(
        curl.text("INBOX;UID=1;SECTION=HEADER.FIELDS%20(SUBJECT)", &[]),
        "Subject: tea at noon\r\n\r\n"
    );
    assert_eq!(
        curl.text("INBOX;UID=2;SECTION=1.2.MIME", &[]),
        "Content-Type: text/html; charset=utf-8\r\n\r\n"
    );
    let flags = curl.text("INBOX", &["--request", "FETCH 2 (FLAGS)"]);
    assert!(flags.contains("\\Flagged"), "{flags}");
    curl.ok("INBOX", &["--request", "STORE 2 +FLAGS (\\Deleted)"]);
    curl.ok("INBOX", &["--request", "EXPUNGE"]);
    assert_eq!(curl.text("INBOX?ALL", &[]), "* SEARCH 1 2\r\n");
}

#[test]
fn the_plain_port_turns_to_tls_before_the_password() {
    let server = Server::start();
    let home = tempfile::tempdir().unwrap();
    let mut command = client("curl", home.path());
    command.args([
        "--silent",
        "--verbose",
        "--max-time",
        "60",
        "--ssl-reqd",
        "--user",
        &format!("{USER}:{PASSWORD}"),
    ]);
    command.arg("--cacert").arg(&server.ca);
    let output = output(command.arg(format!("imap://{}:{}/INBOX?ALL", server.host, server.imap_port)));
    let conversation = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{conversation}");
    assert_eq!(output.stdout, b"* SEARCH\r\n");
    let at = |text: &str| conversation.find(text).unwrap_or_else(|| panic!("no {text} in {conversation}"));
    let login = conversation.find("AUTHENTICATE").or_else(|| conversation.find("LOGIN ")).unwrap();
    assert!(
        at("STARTTLS") < at("SSL connection using") && at("SSL connection using") < login,
        "{conversation}"
    );
}

#[test]
fn what_is_not_allowed_or_not_there_fails() {
    let (server, other) = (Server::start(), Server::start());
    let curl = Curl::new(&server);
    assert_eq!(curl.output("wrong", "", &[]).status.code(), Some(LOGIN_DENIED));
    let delete = ["--request", "DELETE Nowhere"];
    assert_eq!(curl.output(PASSWORD, "", &delete).status.code(), Some(QUOTE_ERROR));
    assert!(!curl.output(PASSWORD, "Nowhere;UID=1", &[]).status.success());
    let strange = ["--cacert", path(&other.ca)];
    assert!(!curl.output(PASSWORD, "", &strange).status.success(), "the other server's certificate");
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
