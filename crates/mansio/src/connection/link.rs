//! The octets of a connection, in plaintext or under TLS.

use std::io;

use bytes::BufMut;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::limits::READ_BYTES_MAX;

/// A socket, in plaintext or under TLS.
pub enum Link {
    /// As accepted.
    Plain(TcpStream),
    /// After the handshake. Boxed: it is ten times as large.
    Tls(Box<TlsStream<TcpStream>>),
}

impl Link {
    /// Waits for input without holding a buffer for it, then appends at most [`READ_BYTES_MAX`] octets. Returns how
    /// many; 0 is the end. Dropping the future loses nothing.
    ///
    /// # Errors
    /// What the socket or TLS says.
    pub async fn read(&mut self, into: &mut Vec<u8>) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => loop {
                stream.readable().await?;
                into.reserve(READ_BYTES_MAX);
                match stream.try_read_buf(&mut into.limit(READ_BYTES_MAX)) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => free_if_empty(into),
                    done => return done,
                }
            },
            Self::Tls(stream) => {
                let got = match stream.fill_buf().await {
                    Ok(got) => got,
                    // The peer closed the connection without saying so in TLS. For us that is the end like any other:
                    // nothing of IMAP is decided by where the input ends.
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(0),
                    Err(error) => return Err(error),
                };
                let octets = got.len().min(READ_BYTES_MAX);
                into.extend_from_slice(&got[..octets]);
                stream.consume(octets);
                Ok(octets)
            }
        }
    }

    /// Writes some of the octets; returns how many.
    ///
    /// # Errors
    /// What the socket or TLS says.
    pub async fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(octets).await,
            Self::Tls(stream) => stream.write(octets).await,
        }
    }

    /// Sends what TLS still holds back.
    ///
    /// # Errors
    /// What the socket or TLS says.
    pub async fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Tls(stream) => stream.flush().await,
        }
    }

    /// Tells the peer that nothing more comes (TLS: `close_notify`).
    ///
    /// # Errors
    /// What the socket or TLS says.
    pub async fn shutdown(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.shutdown().await,
            Self::Tls(stream) => stream.shutdown().await,
        }
    }

    /// The plain socket back, for a TLS handshake on it; `None` when it is under TLS already.
    pub fn into_plain(self) -> Option<TcpStream> {
        match self {
            Self::Plain(stream) => Some(stream),
            Self::Tls(_) => None,
        }
    }
}

/// Gives an empty buffer's memory back.
pub fn free_if_empty(buffer: &mut Vec<u8>) {
    if buffer.is_empty() {
        *buffer = Vec::new();
    }
}
