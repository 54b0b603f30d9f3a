use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;

use super::client::Client;
use super::program::{ANN, Place};

#[test]
fn a_newcomer_gets_an_account_and_everything_to_type() {
    let place = Place::new();
    let server = place.serve_with("", &["--welcome"]);
    let page = server.output();
    let value = |name: &str| {
        let line =
            page.lines().find(|line| line.trim_start().starts_with(name)).unwrap_or_else(|| panic!("{page}"));
        line.trim_start()[name.len()..].trim().to_owned()
    };
    let (user, password) = (value("User name"), value("Password").split(' ').next().unwrap().to_owned());
    let port = server.address("imaps").rsplit_once(':').unwrap().1.to_owned();
    assert_eq!(value("Port "), port, "what mbsync is told is where the server listens");
    assert_eq!(value("Pass "), password);
    let mut client = Client::tls(&server.address("imaps"), &server.certificate());
    client.line();
    client.ok(&format!("LOGIN {user} {password}"));
    let inbox = client.ok("SELECT INBOX");
    assert!(inbox.iter().any(|line| line == "* 0 EXISTS"), "{inbox:?}");
    drop(server);

    let again = place.serve_with("", &["--welcome"]);
    assert!(!again.output().contains(&password));
    again.connect().ok(&format!("LOGIN {user} {password}"));
}

#[test]
fn what_is_secret_is_for_the_owner_only() {
    let place = Place::new();
    let _server = place.serve("");
    let mode = |name: &str| std::fs::metadata(place.data().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(""), 0o700);
    assert_eq!(mode("control.sock"), 0o600);
    assert_eq!(mode("tls/key.pem"), 0o600);
    assert_eq!(mode("store"), 0o700);
}

#[test]
fn going_down_says_bye_to_everybody_and_ends_well() {
    let place = Place::with_ann();
    let mut server = place.serve("");
    let mut stranger = server.connect();
    let mut idling = server.ann();
    idling.ok("SELECT INBOX");
    idling.send("i IDLE\r\n");
    assert!(idling.line().starts_with('+'));
    server.signal("TERM");
    for client in [&mut stranger, &mut idling] {
        let rest = client.rest();
        assert!(rest.contains("* BYE"), "{rest}");
    }
    assert!(server.ended().success());
    drop(server);
    assert!(!place.data().join("addresses").exists());
    place.serve("").ann();
}

#[test]
fn two_servers_do_not_share_a_folder() {
    let place = Place::new();
    let _server = place.serve("");
    let config = place.folder.path().join("mansio.toml");
    let error = place.fails(1, &["serve", "--config", config.to_str().unwrap()]);
    assert!(error.contains("in use by process"), "{error}");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let place = Place::new();
    let server = place.serve("");
    let other = Place::new();
    let config = other.folder.path().join("taken.toml");
    std::fs::write(&config, format!("[listen]\nimap = [\"{}\"]\nimaps = []\n", server.address("imap")))
        .unwrap();
    let error = other.fails(1, &["serve", "--config", config.to_str().unwrap()]);
    assert!(error.contains(&server.address("imap")) && error.contains("another server"), "{error}");
}

#[test]
fn metrics_count_what_happened() {
    let place = Place::with_ann();
    let server = place.serve("[metrics]\nlisten = \"127.0.0.1:0\"\n");
    let _ann = server.ann();
    let _stranger = server.connect();
    server.connect().tagged(&format!("LOGIN {ANN} wrong"));
    let get = |path: &str| {
        let mut stream = TcpStream::connect(server.address("metrics")).unwrap();
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        page
    };
    let page = get("/metrics");
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
    for line in [
        "mansio_connections{state=\"logged-in\"} 1",
        "mansio_logins_total{result=\"ok\"} 1",
        "mansio_logins_total{result=\"failed\"} 1",
        "mansio_commands_total{command=\"LOGIN\",result=\"ok\"} 1",
        "mansio_commands_total{command=\"LOGIN\",result=\"refused\"} 1",
        "mansio_command_seconds_count 2",
    ] {
        assert!(page.lines().any(|found| found == line), "{line} in {page}");
    }
    assert!(get("/").starts_with("HTTP/1.1 404"));
}

#[test]
fn a_stale_socket_of_a_killed_server_is_no_obstacle() {
    let place = Place::with_ann();
    drop(place.serve(""));
    assert!(place.data().join("control.sock").exists(), "killed, so it is still there");
    assert_eq!(place.must(&["account", "list"]), format!("{ANN}\n"));
    place.serve("").ann();
}
