//! Listening sockets, and who is let in.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use socket2::{Domain, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::auth::network;
use crate::config::{Limits, Listen};
use crate::connection;
use crate::serve::Server;

/// Connections that may wait for `accept`.
const BACKLOG: i32 = 1_024;

/// After so much silence the kernel asks whether the peer is still there, so that half-open connections end. Long, because
/// each question wakes a phone.
const KEEPALIVE: Duration = Duration::from_secs(10 * 60);

/// Between two such questions.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(60);

/// How a connection begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// In plaintext, with STARTTLS.
    Imap,
    /// Under TLS (RFC 8314).
    Imaps,
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Imap => "imap",
            Self::Imaps => "imaps",
        })
    }
}

/// A socket that listens.
pub struct Listener {
    /// What it is for.
    pub port: Port,
    /// Its true address, also when port 0 was asked for.
    pub address: SocketAddr,
    socket: TcpListener,
}

/// A port that cannot be had.
#[derive(Debug)]
pub struct ListenError {
    address: SocketAddr,
    error: io::Error,
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot listen on {}: {}", self.address, self.error)?;
        match self.error.kind() {
            io::ErrorKind::PermissionDenied => {
                f.write_str(" (ports below 1024 need root, CAP_NET_BIND_SERVICE, or systemd)")
            }
            io::ErrorKind::AddrInUse => f.write_str(" (another server is running there)"),
            _ => Ok(()),
        }
    }
}

/// Opens everything that is to be listened on, or nothing.
///
/// # Errors
/// The first port that cannot be had.
pub fn bind(listen: &Listen) -> Result<Vec<Listener>, ListenError> {
    let mut listeners = Vec::new();
    let choices = [(Port::Imap, &listen.imap, 143, 1143), (Port::Imaps, &listen.imaps, 993, 1993)];
    for (port, chosen, usual, otherwise) in choices {
        match chosen {
            Some(addresses) => {
                for &address in addresses {
                    let socket = open(address, dual_stack(address, addresses))?;
                    listeners.push(Listener::new(port, address, socket)?);
                }
            }
            None => {
                let address = |port| SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port);
                let listener = open_anywhere(address(usual)).or_else(|_| open_anywhere(address(otherwise)));
                let (address, socket) = listener?;
                listeners.push(Listener::new(port, address, socket)?);
            }
        }
    }
    Ok(listeners)
}

/// `[::]` also takes IPv4, unless the list asks for `0.0.0.0` on that port by itself.
fn dual_stack(address: SocketAddr, all: &[SocketAddr]) -> bool {
    let twin = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), address.port());
    address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED) && !all.contains(&twin)
}

/// Every interface, on machines with and without IPv6.
fn open_anywhere(address: SocketAddr) -> Result<(SocketAddr, TcpListener), ListenError> {
    match open(address, true) {
        Ok(socket) => Ok((address, socket)),
        Err(refused)
            if matches!(refused.error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::AddrInUse) =>
        {
            Err(refused)
        }
        Err(_) => {
            let address = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), address.port());
            open(address, false).map(|socket| (address, socket))
        }
    }
}

fn open(address: SocketAddr, dual_stack: bool) -> Result<TcpListener, ListenError> {
    let open = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        if address.is_ipv6() {
            socket.set_only_v6(!dual_stack)?;
        }
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        TcpListener::from_std(socket.into())
    };
    open().map_err(|error| ListenError { address, error })
}

impl Listener {
    fn new(port: Port, asked: SocketAddr, socket: TcpListener) -> Result<Self, ListenError> {
        let address = socket.local_addr().map_err(|error| ListenError { address: asked, error })?;
        Ok(Self { port, address, socket })
    }

    /// The address under which this machine reaches it.
    pub fn reachable(&self) -> SocketAddr {
        let ip =
            if self.address.ip().is_unspecified() { Ipv4Addr::LOCALHOST.into() } else { self.address.ip() };
        SocketAddr::new(ip, self.address.port())
    }

    /// Accepts until the server stops.
    pub async fn run(self, server: Arc<Server>) {
        let mut stop = server.stop.clone();
        loop {
            let accepted = tokio::select! {
                () = stop.wait() => return,
                accepted = self.socket.accept() => accepted,
            };
            match accepted {
                Ok((stream, address)) => self.admit(&server, stream, address),
                // No descriptor is free, or the peer was gone already. Waiting keeps the first from spinning.
                Err(error) => {
                    tracing::warn!(%error, listener = %self.address, "cannot accept");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    fn admit(&self, server: &Arc<Server>, stream: TcpStream, address: SocketAddr) {
        match server.admission.admit(address.ip()) {
            Ok(place) => {
                if let Err(error) = prepare(&stream) {
                    tracing::debug!(peer = %address, %error, "connection was gone at once");
                    return;
                }
                tokio::spawn(connection::serve(Arc::clone(server), stream, address, self.port, place));
            }
            Err(full) => {
                server.metrics.refused(full);
                tracing::debug!(peer = %address, reason = full.as_str(), "connection refused");
            }
        }
    }
}

/// Answers go out at once, and a peer that vanished is found out.
fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive =
        TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE_INTERVAL).with_retries(5);
    socket2::SockRef::from(stream).set_tcp_keepalive(&keepalive)
}

/// Which limit keeps a connection out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Full {
    /// All places are taken.
    Server,
    /// This address has its share.
    Address,
    /// Too many have not logged in yet.
    Strangers,
}

impl Full {
    /// A word for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Address => "address",
            Self::Strangers => "before-login",
        }
    }
}

/// Counts connections against their limits.
pub struct Admission {
    connections_max: u64,
    per_address_max: u64,
    strangers_max: u64,
    counts: Mutex<Counts>,
    emptied: Notify,
}

#[derive(Default)]
struct Counts {
    connections: u64,
    strangers: u64,
    by_address: HashMap<IpAddr, u64>,
}

impl Admission {
    /// Nobody is there yet.
    pub fn new(limits: &Limits) -> Self {
        Self {
            connections_max: limits.connections,
            per_address_max: limits.connections_per_address,
            strangers_max: limits.connections_before_login,
            counts: Mutex::default(),
            emptied: Notify::new(),
        }
    }

    /// A place for a connection from that address. Loopback has no share of its own: it is where proxies and web mail
    /// come from.
    ///
    /// # Errors
    /// The limit that keeps it out.
    pub fn admit(self: &Arc<Self>, address: IpAddr) -> Result<Place, Full> {
        let network = network(address);
        let mut counts = self.lock();
        let from_there = counts.by_address.get(&network).copied().unwrap_or(0);
        if counts.connections >= self.connections_max {
            return Err(Full::Server);
        }
        if from_there >= self.per_address_max && !network_is_loopback(address) {
            return Err(Full::Address);
        }
        if counts.strangers >= self.strangers_max {
            return Err(Full::Strangers);
        }
        counts.connections += 1;
        counts.strangers += 1;
        counts.by_address.insert(network, from_there + 1);
        drop(counts);
        Ok(Place { admission: Arc::clone(self), network, stranger: AtomicBool::new(true) })
    }

    /// Connections now: all, and those that have not logged in.
    pub fn counts(&self) -> (u64, u64) {
        let counts = self.lock();
        (counts.connections, counts.strangers)
    }

    /// Resolves when no connection is left.
    pub async fn wait_until_empty(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.counts().0 == 0 {
                return;
            }
            emptied.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn network_is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// A connection's place; given back when dropped.
pub struct Place {
    admission: Arc<Admission>,
    network: IpAddr,
    stranger: AtomicBool,
}

impl Place {
    /// No stranger any more.
    pub fn logged_in(&self) {
        if self.stranger.swap(false, Ordering::Relaxed) {
            self.admission.lock().strangers -= 1;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.logged_in();
        let mut counts = self.admission.lock();
        counts.connections -= 1;
        if let Some(count) = counts.by_address.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                counts.by_address.remove(&self.network);
            }
        }
        if counts.connections == 0 {
            self.admission.emptied.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(connections: u64, per_address: u64, strangers: u64) -> Arc<Admission> {
        Arc::new(Admission::new(&Limits {
            connections,
            connections_per_address: per_address,
            connections_before_login: strangers,
            ..Limits::default()
        }))
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_limit_holds_at_its_number_and_a_place_comes_back() {
        let admission = admission(3, 2, 10);
        let first = admission.admit(ip("2001:db8::1")).unwrap();
        let _second = admission.admit(ip("2001:db8::2")).unwrap();
        assert_eq!(admission.admit(ip("2001:db8::3")).err(), Some(Full::Address), "one /64 is one customer");
        let _third = admission.admit(ip("192.0.2.1")).unwrap();
        assert_eq!(admission.admit(ip("192.0.2.2")).err(), Some(Full::Server));
        drop(first);
        assert!(admission.admit(ip("2001:db8::4")).is_ok());
    }

    #[test]
    fn strangers_leave_places_to_those_who_logged_in() {
        let admission = admission(10, 10, 1);
        let place = admission.admit(ip("192.0.2.1")).unwrap();
        assert_eq!(admission.admit(ip("192.0.2.2")).err(), Some(Full::Strangers));
        place.logged_in();
        place.logged_in();
        let _stranger = admission.admit(ip("192.0.2.2")).unwrap();
        assert_eq!(admission.counts(), (2, 1));
    }

    #[test]
    fn loopback_is_bounded_by_the_whole_only() {
        let admission = admission(5, 1, 10);
        let places: Vec<_> = (0..5).map(|_| admission.admit(ip("::ffff:127.0.0.1")).unwrap()).collect();
        assert_eq!(admission.admit(ip("127.0.0.1")).err(), Some(Full::Server));
        drop(places);
        assert_eq!(admission.counts(), (0, 0));
        assert!(admission.lock().by_address.is_empty());
    }

    #[tokio::test]
    async fn real_ports_are_known_also_when_any_would_do() {
        let any = vec!["127.0.0.1:0".parse().unwrap()];
        let listen = Listen { imap: Some(any.clone()), imaps: Some(any) };
        let listeners = bind(&listen).unwrap();
        assert_eq!(listeners.len(), 2);
        for listener in &listeners {
            assert_ne!(listener.reachable().port(), 0);
            TcpStream::connect(listener.reachable()).await.unwrap();
        }
        let taken = Listen { imap: Some(vec![listeners[0].address]), imaps: Some(Vec::new()) };
        let error = bind(&taken).err().unwrap().to_string();
        assert!(error.contains("another server"), "{error}");
    }
}
