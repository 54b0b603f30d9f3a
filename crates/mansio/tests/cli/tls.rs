use std::fs;
use std::io::Write;

use super::client::{Client, config};
use super::program::{ANN, PASSWORD, Place};

#[test]
fn both_ports_speak_tls_and_passwords_travel_under_it() {
    let place = Place::with_ann();
    let server = place.serve("[login]\nwithout_tls = \"never\"\n");
    let mut implicit = Client::tls(&server.address("imaps"), &server.certificate());
    assert!(implicit.line().starts_with("* OK"));
    implicit.ok(&format!("LOGIN {ANN} \"{PASSWORD}\""));

    let mut explicit = server.connect();
    let capabilities = explicit.ok("CAPABILITY").concat();
    assert!(capabilities.contains("LOGINDISABLED") && capabilities.contains("STARTTLS"), "{capabilities}");
    let refused = explicit.tagged(&format!("LOGIN {ANN} \"{PASSWORD}\""));
    assert!(refused.starts_with("NO [PRIVACYREQUIRED]"), "{refused}");
    assert_eq!(explicit.tagged(&format!("LOGIN {ANN} wrong")), refused, "right or wrong is not told");
    explicit.ok("STARTTLS");
    explicit.secure(config(&server.certificate(), &[b"imap"]));
    let capabilities = explicit.ok("CAPABILITY").concat();
    assert!(!capabilities.contains("LOGINDISABLED") && !capabilities.contains("STARTTLS"), "{capabilities}");
    explicit.ok(&format!("LOGIN {ANN} \"{PASSWORD}\""));
}

#[test]
fn what_was_sent_in_plaintext_behind_starttls_is_never_run() {
    let place = Place::with_ann();
    let server = place.serve("");
    for smuggled in
        [format!("b LOGIN {ANN} \"{PASSWORD}\"\r\n"), "b LOG".to_owned(), "b NOOP {5+}\r\n".to_owned()]
    {
        let mut client = server.connect();
        client.send(format!("a STARTTLS\r\n{smuggled}"));
        assert!(client.answer("a").pop().unwrap().starts_with("OK"));
        client.secure(config(&server.certificate(), &[]));
        client.send("IN x y\r\nc NOOP\r\n");
        let lines = client.answer("c");
        assert!(lines.iter().all(|line| !line.starts_with("b ")), "{smuggled:?}: {lines:?}");
        assert!(client.tagged("SELECT INBOX").starts_with("BAD"), "nobody is logged in");
    }
}

#[test]
fn plaintext_where_tls_was_announced_ends_the_connection() {
    let place = Place::new();
    let server = place.serve("");
    let mut client = server.connect();
    client.ok("STARTTLS");
    client.send("b NOOP\r\n");
    assert!(!client.rest().contains("b OK"));

    let mut client = Client::plain(&server.address("imaps"));
    client.send("a CAPABILITY\r\n");
    assert!(!client.rest().contains("CAPABILITY"));
}

#[test]
fn a_browser_is_turned_away_by_its_protocol_names() {
    let place = Place::new();
    let server = place.serve("");
    let hello = |alpn: &[&[u8]]| {
        let mut client = Client::plain(&server.address("imaps"));
        client.secure(config(&server.certificate(), alpn));
        client.try_send("a CAPABILITY\r\n").is_ok() && client.next_line().is_some()
    };
    assert!(hello(&[]));
    assert!(hello(&[b"h2", b"imap"]));
    assert!(!hello(&[b"h2", b"http/1.1"]));
}

#[test]
fn a_handshake_that_never_comes_is_not_waited_for() {
    let place = Place::new();
    let server = place.serve("[limits]\nhandshake_seconds = 2\n");
    // A record header that promises more than ever comes.
    let mut half = Client::plain(&server.address("imaps"));
    half.send([22, 3, 1, 1, 0]);
    let mut silent = Client::plain(&server.address("imaps"));
    assert!(half.rest().is_empty());
    assert!(silent.rest().is_empty());
    let mut started = server.connect();
    started.ok("STARTTLS");
    assert!(started.rest().is_empty());
}

#[test]
fn a_new_certificate_is_served_without_a_restart_and_a_broken_one_is_not() {
    let place = Place::new();
    let other = Place::new();
    drop(other.serve(""));
    let server = place.serve("");
    let old = place.folder.path().join("old.pem");
    fs::copy(server.certificate(), &old).unwrap();
    let trusted = |ca: &std::path::Path| {
        let mut client = Client::plain(&server.address("imaps"));
        client.secure(config(ca, &[]));
        client.try_send("a NOOP\r\n").is_ok()
    };
    assert!(trusted(&old));
    let mut file = fs::File::create(place.data().join("tls/key.pem")).unwrap();
    file.write_all(b"broken").unwrap();
    server.signal("HUP");
    while !server.log().contains("certificate not loaded") {
        std::thread::yield_now();
    }
    assert!(trusted(&old), "the old one stays in use");

    for file in ["tls/key.pem", "tls/cert.pem"] {
        fs::copy(other.data().join(file), place.data().join(file)).unwrap();
    }
    server.signal("HUP");
    while !server.log().contains("certificate loaded") {
        std::thread::yield_now();
    }
    assert!(trusted(&server.certificate()));
    assert!(!trusted(&old));
}
