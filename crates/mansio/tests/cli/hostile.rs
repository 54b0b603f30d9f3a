use std::io::{ErrorKind, Write};
use std::time::Duration;

use super::client::Client;
use super::program::{ANN, Place};

#[test]
fn connections_beyond_a_limit_are_closed_and_places_come_back() {
    let place = Place::with_ann();
    let server = place.serve("[limits]\nconnections = 3\nconnections_before_login = 2\n");
    let first = server.connect();
    let second = server.connect();
    assert_eq!(Client::plain(&server.address("imap")).next_line(), None, "two strangers are enough");
    drop((first, second));
    // The server sees the end of a connection a moment after the client.
    let ann = || loop {
        let mut client = Client::plain(&server.address("imap"));
        if client.next_line().is_some() {
            client.ok(&format!("LOGIN {ANN} \"{}\"", super::program::PASSWORD));
            return client;
        }
    };
    let _known = [ann(), ann(), ann()];
    assert_eq!(Client::plain(&server.address("imap")).next_line(), None, "three are all");
}

#[test]
fn whoever_does_not_log_in_is_sent_away_whatever_trickles_in() {
    let place = Place::new();
    let server = place.serve("[limits]\nlogin_seconds = 5\n");
    let mut client = server.connect();
    client.socket().set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let ended = loop {
        // An octet now and then does not buy time.
        if client.try_send("x").is_err() {
            break true;
        }
        let mut piece = [0; 512];
        match std::io::Read::read(&mut client.socket(), &mut piece) {
            Ok(0) => break true,
            Ok(got) => assert!(piece[..got].starts_with(b"* BYE")),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => break true,
        }
    };
    assert!(ended);
}

#[test]
fn a_reader_that_never_reads_stops_being_read_and_loses_nothing() {
    let place = Place::with_ann();
    let server = place.serve("");
    let mut client = server.ann();
    let before = server.resident_bytes();
    client.socket().set_nonblocking(true).unwrap();
    let noops = "n NOOP\r\n".repeat(10_000);
    let (mut sent, mut stuck) = (0usize, 0);
    // Until the socket takes nothing more for a while: then the server has stopped reading.
    while stuck < 20 {
        match (&mut client.socket()).write(&noops.as_bytes()[sent % noops.len()..]) {
            Ok(octets) => {
                sent += octets;
                stuck = 0;
                assert!(sent < 256 << 20, "the server reads for ever");
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                stuck += 1;
                std::thread::sleep(Duration::from_millis(50));
            }
            Err(error) => panic!("{error}"),
        }
    }
    let grown = server.resident_bytes().saturating_sub(before);
    assert!(grown < 16 << 20, "{grown} octets for one client that does not read");
    client.socket().set_nonblocking(false).unwrap();
    let whole = sent / 8;
    let mut answers = 0;
    while answers < whole {
        assert!(client.line().starts_with("n OK"));
        answers += 1;
    }
}

#[test]
fn a_flood_of_wrong_passwords_is_slowed_and_hurts_nobody_else() {
    let place = Place::with_ann();
    let server = place.serve("");
    let mut inside = server.ann();
    let address = server.address("imap");
    let guesses = std::thread::spawn(move || {
        let clients: Vec<_> = (0..40)
            .map(|number| {
                let mut client = Client::plain(&address);
                client.line();
                client.send(format!("g LOGIN {ANN} guess{number}\r\n"));
                client
            })
            .collect();
        clients.into_iter().map(|mut client| client.answer("g").pop().unwrap()).collect::<Vec<_>>()
    });
    inside.ok("SELECT INBOX");
    inside.ok("NOOP");
    // A password that verified before is known again without waiting behind the guesses.
    server.ann();
    let answers = guesses.join().unwrap();
    assert!(answers.iter().all(|answer| answer.starts_with("NO [")), "{answers:?}");
    assert!(answers.iter().any(|answer| answer.starts_with("NO [LIMIT]")), "{answers:?}");
}

#[test]
fn junk_of_every_kind_ends_only_its_own_connection() {
    let place = Place::with_ann();
    let server = place.serve("");
    let mut witness = server.ann();
    let junk: [&[u8]; 6] = [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        &[0; 4096],
        &[0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00],
        b"a LOGIN {4294967295+}\r\n",
        b"\r\n\r\n\r\n",
        &[b'('; 100_000],
    ];
    for octets in junk {
        for service in ["imap", "imaps"] {
            let mut client = Client::plain(&server.address(service));
            let _ = client.try_send(octets);
            let _ = client.socket().shutdown(std::net::Shutdown::Write);
            let rest = client.rest();
            assert!(!rest.contains(" OK LOGIN"), "{rest}");
        }
    }
    witness.ok("NOOP");
    assert!(!server.log().contains("panicked"), "{}", server.log());
}
