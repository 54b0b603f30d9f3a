//! A tiny client that sees every byte: TLS verified against the server's certificate, blocking, bounded in time.

use super::Server;
use super::response::{Response, Value, announced_literal, parse};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

/// No answer takes longer on a busy machine; a server that says nothing for this long fails the test.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// One IMAP connection.
pub struct Wire {
    stream: StreamOwned<ClientConnection, Counted>,
    buffer: Vec<u8>,
    at: usize,
    tags: u32,
    /// The first thing the server said.
    pub greeting: Response,
}

/// What a command brought.
#[derive(Debug)]
pub struct Answer {
    pub untagged: Vec<Response>,
    /// OK, NO or BAD.
    pub kind: String,
    pub code: Vec<Value>,
    pub text: String,
}

impl Answer {
    /// The values of the untagged responses of this name, such as LIST.
    pub fn data(&self, wanted: &str) -> Vec<&[Value]> {
        let values = self.untagged.iter().filter_map(|response| match response {
            Response::Data { name, values } if name == wanted => Some(values.as_slice()),
            _ => None,
        });
        values.collect()
    }

    /// The value in an untagged response code of this name, such as UIDVALIDITY.
    pub fn code_value(&self, wanted: &str) -> Option<&Value> {
        self.untagged.iter().find_map(|response| match response {
            Response::Status { code, .. } if code.first() == Some(&Value::Atom(wanted.into())) => code.get(1),
            _ => None,
        })
    }

    /// The numbers and items of the FETCH responses.
    pub fn fetched(&self) -> Vec<(u32, &[Value])> {
        let values = self.untagged.iter().filter_map(|response| match response {
            Response::Numbered { number, name, values } if name == "FETCH" => {
                Some((*number, values[0].list()))
            }
            _ => None,
        });
        values.collect()
    }
}

/// A socket that counts what really crosses it, TLS records and all.
struct Counted {
    socket: TcpStream,
    received: u64,
    sent: u64,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.socket.read(buffer)?;
        self.received += count as u64;
        Ok(count)
    }
}

impl Write for Counted {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let count = self.socket.write(buffer)?;
        self.sent += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.socket.flush()
    }
}

impl Wire {
    /// Connects over TLS and reads the greeting.
    pub fn connect(server: &Server) -> Wire {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&server.ca).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
        let socket = TcpStream::connect(("127.0.0.1", server.imaps_port)).unwrap();
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(ANSWER_TIMEOUT)).unwrap();
        socket.set_write_timeout(Some(ANSWER_TIMEOUT)).unwrap();
        let session = ClientConnection::new(config, ServerName::try_from(server.host).unwrap()).unwrap();
        let stream = StreamOwned::new(session, Counted { socket, received: 0, sent: 0 });
        let greeting = Response::Continue(String::new());
        let mut wire = Wire { stream, buffer: Vec::new(), at: 0, tags: 0, greeting };
        wire.greeting = wire.response();
        wire
    }

    /// Connects, logs in and selects the mailbox.
    pub fn selected(server: &Server, mailbox: &str) -> Wire {
        let mut wire = Self::logged_in(server);
        wire.ok(&format!("SELECT {mailbox}"));
        wire
    }

    /// Connects and logs in.
    pub fn logged_in(server: &Server) -> Wire {
        let mut wire = Self::connect(server);
        wire.ok(&format!("LOGIN \"{}\" \"{}\"", server.user, server.password));
        wire
    }

    /// All bytes that crossed the socket so far, in both directions.
    pub fn bytes(&self) -> u64 {
        let counted = &self.stream.sock;
        counted.received + counted.sent
    }

    /// Runs a command and returns its answer, whatever it is.
    pub fn command(&mut self, text: &str) -> Answer {
        let tag = self.send(text);
        self.answer(&tag)
    }

    /// Runs a command that must succeed.
    pub fn ok(&mut self, text: &str) -> Answer {
        let answer = self.command(text);
        assert_eq!(answer.kind, "OK", "{text}: {answer:?}");
        answer
    }

    /// Sends APPEND with a synchronising literal. `prefix` is what stands before the literal: mailbox, flags, date.
    pub fn append(&mut self, prefix: &str, message: &[u8]) -> Answer {
        let tag = self.send(&format!("APPEND {prefix} {{{}}}", message.len()));
        let mut untagged = self.until_continue();
        self.write(message);
        self.write(b"\r\n");
        let mut answer = self.answer(&tag);
        untagged.append(&mut answer.untagged);
        Answer { untagged, ..answer }
    }

    /// Sends a command without waiting for its answer; returns the tag.
    pub fn send(&mut self, text: &str) -> String {
        self.tags += 1;
        let tag = format!("t{}", self.tags);
        self.write(format!("{tag} {text}\r\n").as_bytes());
        tag
    }

    pub fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
        self.stream.flush().unwrap();
    }

    /// Reads until the tagged answer.
    pub fn answer(&mut self, wanted: &str) -> Answer {
        let mut untagged = Vec::new();
        loop {
            match self.response() {
                Response::Status { tag: Some(tag), kind, code, text } => {
                    assert_eq!(tag, wanted, "an answer to another command: {kind} {code:?} {text}");
                    return Answer { untagged, kind, code, text };
                }
                Response::Continue(text) => panic!("unexpected continuation: {text}"),
                response => untagged.push(response),
            }
        }
    }

    /// Reads until the server asks for more; returns what came before.
    pub fn until_continue(&mut self) -> Vec<Response> {
        let mut untagged = Vec::new();
        loop {
            match self.response() {
                Response::Continue(_) => return untagged,
                Response::Status { tag: Some(_), kind, text, .. } => panic!("refused: {kind} {text}"),
                response => untagged.push(response),
            }
        }
    }

    /// Reads until a response fits, as one must in IDLE; returns it and drops the others.
    pub fn until(&mut self, mut fits: impl FnMut(&Response) -> bool) -> Response {
        loop {
            let response = self.response();
            if fits(&response) {
                return response;
            }
        }
    }

    /// Reads one response, literals included.
    pub fn response(&mut self) -> Response {
        let mut line = Vec::new();
        loop {
            let start = line.len();
            while !line.ends_with(b"\r\n") || line.len() == start {
                line.push(self.byte());
            }
            let Some(size) = announced_literal(&line[start..]) else { break };
            for _ in 0..size {
                line.push(self.byte());
            }
        }
        parse(&line)
    }

    fn byte(&mut self) -> u8 {
        if self.at == self.buffer.len() {
            self.buffer.resize(16384, 0);
            let count = self.stream.read(&mut self.buffer).expect("the server answers in time");
            assert!(count > 0, "the server closed the connection");
            self.buffer.truncate(count);
            self.at = 0;
        }
        self.at += 1;
        self.buffer[self.at - 1]
    }
}
