//! One connection: TLS, the session, and what it asks for, until it ends.

mod deflate;
mod link;
mod peer;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use imap::{Next, Session, Transport};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::config::{Limits, WithoutTls};
use crate::host::ConnectionHost;
use crate::listen::{Place, Port};
use crate::serve::Server;
use link::Link;
use peer::SocketPeer;

/// How long a connection waits for what.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)]
pub struct Timeouts {
    pub handshake: Duration,
    pub login: Duration,
    pub idle: Duration,
    pub literal: Duration,
    pub write: Duration,
}

impl From<&Limits> for Timeouts {
    fn from(limits: &Limits) -> Self {
        Self {
            handshake: Duration::from_secs(limits.handshake_seconds),
            login: Duration::from_secs(limits.login_seconds),
            idle: Duration::from_secs(limits.idle_seconds),
            literal: Duration::from_secs(limits.literal_seconds),
            write: Duration::from_secs(limits.write_seconds),
        }
    }
}

/// The server's wish to go down, seen by everything that waits.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// The switch and its view.
    pub fn new() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    /// Is it wished?
    pub fn now(&self) -> bool {
        *self.0.borrow()
    }

    /// Resolves when it is.
    pub async fn wait(&mut self) {
        // An error means that the switch is gone, and the server with it.
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}

/// What is known of a connection besides its session; shared by its peer and its host.
pub struct Facts {
    /// The other side.
    pub address: SocketAddr,
    /// Since when.
    pub accepted: Instant,
    /// Octets of IMAP received.
    pub received_bytes: AtomicU64,
    /// Octets sent, as they went over the wire below TLS.
    pub sent_bytes: AtomicU64,
    logged_in: AtomicBool,
    place: Place,
}

impl Facts {
    fn new(address: SocketAddr, place: Place) -> Self {
        Self {
            address,
            accepted: Instant::now(),
            received_bytes: AtomicU64::new(0),
            sent_bytes: AtomicU64::new(0),
            logged_in: AtomicBool::new(false),
            place,
        }
    }

    /// Did somebody log in?
    pub fn logged_in(&self) -> bool {
        self.logged_in.load(Ordering::Relaxed)
    }

    /// Somebody did: longer time-outs, and one stranger fewer.
    pub fn log_in(&self) {
        self.logged_in.store(true, Ordering::Relaxed);
        self.place.logged_in();
    }
}

/// Serves a connection until it ends.
pub async fn serve(server: Arc<Server>, stream: TcpStream, address: SocketAddr, port: Port, place: Place) {
    let facts = Arc::new(Facts::new(address, place));
    let link = match port {
        Port::Imap => Link::Plain(stream),
        Port::Imaps => match secure(&server, stream).await {
            Ok(link) => link,
            Err(error) => {
                server.metrics.handshakes_failed.inc();
                tracing::debug!(peer = %address, %error, "TLS handshake failed");
                return;
            }
        },
    };
    let host = Arc::new(ConnectionHost::new(Arc::clone(&server), Arc::clone(&facts)));
    let session = Session::new(host, transport(&server, port, address));
    // Boxed, so that the task is small while it waits: what runs is the session.
    Box::pin(converse(&server, session, link, &facts)).await;
    let received = facts.received_bytes.load(Ordering::Relaxed);
    let sent = facts.sent_bytes.load(Ordering::Relaxed);
    server.metrics.received_bytes.inc_by(received);
    server.metrics.sent_bytes.inc_by(sent);
    tracing::debug!(peer = %address, received, sent, "connection closed");
}

async fn converse(server: &Server, mut session: Session, link: Link, facts: &Arc<Facts>) {
    let peer = |link| SocketPeer::new(link, Arc::clone(facts), server.timeouts, server.stop.clone());
    let mut current = peer(link);
    loop {
        match session.serve(&mut current).await {
            // Whatever the client sent in plaintext behind its STARTTLS is in the old peer's buffer, which is thrown away
            // here (RFC 9051 6.2.1; the injection of CVE-2011-0411), or still in the socket, where TLS finds no hello
            // and ends the connection. Nothing of it is ever run.
            Next::StartTls => {
                let Some(stream) = current.into_link().into_plain() else { return };
                match secure(server, stream).await {
                    Ok(link) => current = peer(link),
                    Err(error) => {
                        server.metrics.handshakes_failed.inc();
                        tracing::debug!(peer = %facts.address, %error, "TLS handshake failed");
                        return;
                    }
                }
                session.secured();
            }
            Next::Compress => current.compress(),
            Next::Close => return current.close().await,
        }
    }
}

async fn secure(server: &Server, stream: TcpStream) -> io::Result<Link> {
    let handshake = Box::pin(server.tls.acceptor().accept(stream));
    let stream = tokio::time::timeout(server.timeouts.handshake, handshake).await??;
    server.metrics.handshakes.inc();
    Ok(Link::Tls(Box::new(stream)))
}

fn transport(server: &Server, port: Port, address: SocketAddr) -> Transport {
    let secure = port == Port::Imaps;
    let trusted = match server.without_tls {
        WithoutTls::Never => false,
        WithoutTls::Loopback => address.ip().to_canonical().is_loopback(),
        WithoutTls::Always => true,
    };
    Transport { secure, starttls: !secure, login_allowed: secure || trusted }
}
