//! A small client that sends exactly what it is told.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, ClientConnection, StreamOwned};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};

/// Only a failure waits this long.
const PATIENCE: Duration = Duration::from_secs(60);

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// One connection.
pub struct Client {
    stream: Box<dyn Stream>,
    socket: TcpStream,
    received: Vec<u8>,
    tag: u32,
}

impl Client {
    pub fn plain(address: &str) -> Self {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        Self { stream: Box::new(socket.try_clone().unwrap()), socket, received: Vec::new(), tag: 0 }
    }

    /// TLS from the first octet.
    pub fn tls(address: &str, ca: &Path) -> Self {
        let mut client = Self::plain(address);
        client.secure(config(ca, &[]));
        client
    }

    /// TLS from here on.
    pub fn secure(&mut self, config: ClientConfig) {
        let name = ServerName::try_from("localhost").unwrap();
        let session = ClientConnection::new(Arc::new(config), name).unwrap();
        self.stream = Box::new(StreamOwned::new(session, self.socket.try_clone().unwrap()));
    }

    pub fn send(&mut self, octets: impl AsRef<[u8]>) {
        self.try_send(octets).unwrap();
    }

    pub fn try_send(&mut self, octets: impl AsRef<[u8]>) -> std::io::Result<()> {
        self.stream.write_all(octets.as_ref())?;
        self.stream.flush()
    }

    /// Octets as they come; empty at the end of the connection, however it ended.
    pub fn octets(&mut self) -> Vec<u8> {
        if !self.received.is_empty() {
            return std::mem::take(&mut self.received);
        }
        let mut piece = vec![0; 16 * 1024];
        match self.stream.read(&mut piece) {
            Ok(got) => piece.truncate(got),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                panic!("the server says nothing")
            }
            Err(_) => piece.clear(),
        }
        piece
    }

    /// A line without its end; `None` at the end of the connection.
    pub fn next_line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.received.windows(2).position(|pair| pair == b"\r\n") {
                let line = self.received.drain(..end + 2).collect::<Vec<_>>();
                return Some(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            let before = std::mem::take(&mut self.received);
            let more = self.octets();
            self.received = before;
            if more.is_empty() {
                return None;
            }
            self.received.extend(more);
        }
    }

    pub fn line(&mut self) -> String {
        self.next_line().expect("a line, not the end of the connection")
    }

    /// Everything up to the end of the connection.
    pub fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        loop {
            let more = self.octets();
            if more.is_empty() {
                return String::from_utf8_lossy(&rest).into_owned();
            }
            rest.extend(more);
        }
    }

    /// Sends a command; all lines of its answer, the tagged one last and without its tag.
    pub fn command(&mut self, command: &str) -> Vec<String> {
        self.tag += 1;
        let tag = format!("t{}", self.tag);
        self.send(format!("{tag} {command}\r\n"));
        self.answer(&tag)
    }

    /// All lines up to the tagged one.
    pub fn answer(&mut self, tag: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.line();
            if let Some(last) = line.strip_prefix(tag).and_then(|rest| rest.strip_prefix(' ')) {
                lines.push(last.to_owned());
                return lines;
            }
            lines.push(line);
        }
    }

    /// A command that must be answered OK.
    pub fn ok(&mut self, command: &str) -> Vec<String> {
        let lines = self.command(command);
        assert!(lines.last().unwrap().starts_with("OK"), "{command}: {lines:?}");
        lines
    }

    /// The tagged answer.
    pub fn tagged(&mut self, command: &str) -> String {
        self.command(command).pop().unwrap()
    }

    /// The plain socket, for what no client does.
    pub fn socket(&self) -> &TcpStream {
        &self.socket
    }
}

/// Trusts one certificate and offers these ALPN protocols.
pub fn config(ca: &Path, alpn: &[&[u8]]) -> ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    config
}
