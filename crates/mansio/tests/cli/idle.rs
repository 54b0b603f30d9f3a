//! What an idle connection costs.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::client::Client;
use super::program::{ANN, PASSWORD, Place, Server};

/// So many connections, that what the process takes for other reasons does not show.
const CONNECTIONS: u64 = 1_000;

/// Logged in, a mailbox selected, in IDLE.
fn idling(mut client: Client) -> Client {
    client.ok(&format!("LOGIN {ANN} \"{PASSWORD}\""));
    client.ok("SELECT INBOX");
    client.send("i IDLE\r\n");
    assert!(client.line().starts_with('+'));
    client
}

/// Resident octets that each more connection takes.
fn octets_each(server: &Server<'_>, connect: impl Fn() -> Client) -> u64 {
    let _warm: Vec<_> = (0..50).map(|_| idling(connect())).collect();
    let before = server.resident_bytes();
    let _idle: Vec<_> = (0..CONNECTIONS).map(|_| idling(connect())).collect();
    server.resident_bytes().saturating_sub(before) / CONNECTIONS
}

#[test]
fn a_thousand_idle_connections_take_little_memory() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    let place = Place::with_ann();
    let server = place.serve("");
    let plain = octets_each(&server, || server.connect());
    assert!(plain <= 8 << 10, "{plain} octets for an idle connection in plaintext");

    let place = Place::with_ann();
    let server = place.serve("");
    let tls = octets_each(&server, || {
        let mut client = Client::tls(&server.address("imaps"), &server.certificate());
        client.line();
        client
    });
    assert!(tls <= 24 << 10, "{tls} octets for an idle connection under TLS");
}
