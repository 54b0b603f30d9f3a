//! One client against a fresh server: says octets, hears text.
#![allow(dead_code, reason = "each test binary needs a part of it")]

use imap::{Settings, Transport};

use crate::harness::{LOGIN, Server};

pub const TLS: Transport = Transport { secure: true, starttls: false, login_allowed: true };
/// A plaintext port with STARTTLS, where passwords may not travel.
pub const PLAIN: Transport = Transport { secure: false, starttls: true, login_allowed: false };

/// A message of two parts.
pub const MAIL: &[u8] = b"From: a@b.example\r\nSubject: hi\r\nContent-Type: multipart/mixed; boundary=q\r\n\r\n\
    --q\r\n\r\none\r\n--q\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n****\r\n--q--\r\n";

pub struct Client {
    pub server: Server,
    at: usize,
}

impl Client {
    /// Greeted, not logged in.
    pub fn greeted(transport: Transport) -> Self {
        Self::with(Settings::default(), transport)
    }

    pub fn with(settings: Settings, transport: Transport) -> Self {
        let mut server = Server::new(settings);
        let at = server.connect(transport);
        let greeting = server.receive(at);
        assert!(greeting.starts_with(b"* OK "), "{}", greeting.escape_ascii());
        Self { server, at }
    }

    pub fn logged_in() -> Self {
        let mut client = Self::greeted(TLS);
        client.log_in();
        client
    }

    pub fn log_in(&mut self) {
        let answer = self.say(format!("login LOGIN {} {}\r\n", LOGIN.0, LOGIN.1));
        assert!(answer.starts_with("login OK "), "{answer}");
    }

    /// With these messages in INBOX, and that selected.
    pub fn selected(messages: &[&[u8]]) -> Self {
        let mut client = Self::logged_in();
        for message in messages {
            let answer = client.append(message);
            assert!(answer.starts_with("append OK "), "{answer}");
        }
        client.say("select SELECT INBOX\r\n");
        client
    }

    /// The answer to an APPEND of the message to INBOX.
    pub fn append(&mut self, message: &[u8]) -> String {
        let mut command = format!("append APPEND INBOX ~{{{}+}}\r\n", message.len()).into_bytes();
        command.extend_from_slice(message);
        command.extend_from_slice(b"\r\n");
        let answer = self.say(command);
        // The answer proper: news of a selected mailbox stands before it.
        answer[answer.rfind("append ").unwrap_or(0)..].to_owned()
    }

    /// Sends octets; what the server says to them.
    pub fn say(&mut self, octets: impl AsRef<[u8]>) -> String {
        self.server.send(self.at, octets.as_ref());
        String::from_utf8(self.server.receive(self.at)).unwrap()
    }

    pub fn end(&mut self, how: imap::Fill) -> String {
        self.server.end(self.at, how);
        String::from_utf8(self.server.receive(self.at)).unwrap()
    }

    pub fn is_closed(&self) -> bool {
        self.server.is_closed(self.at)
    }

    /// Is the conversation still in step: does the next command get its own answer and nothing else?
    pub fn in_step(&mut self) -> bool {
        let answer = self.say("step NOOP\r\n");
        answer == "step OK NOOP completed\r\n"
    }
}

/// The tagged line that begins with `tag`, without the tag; empty when there is none.
pub fn tagged<'a>(answer: &'a str, tag: &str) -> &'a str {
    answer.lines().find_map(|line| line.strip_prefix(tag)?.strip_prefix(' ')).unwrap_or_default()
}
