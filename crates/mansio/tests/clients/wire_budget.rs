//! What a phone on a bad line pays: bytes are counted at the socket, TLS included, in both directions.

use crate::harness::Server;
use crate::harness::mail::{generated_message, wire_form};
use crate::harness::response::{Value, numbers, value_of};
use crate::harness::wire::Wire;

/// Catching up with 50 changes after a time offline.
const CATCH_UP_BYTES_MAX: u64 = 5_000;
/// Reading the header and the text of a message whose attachment has 10 MB.
const ONE_PART_BYTES_MAX: u64 = 20_000;

#[test]
fn fifty_changes_are_caught_up_with_in_five_kilobytes() {
    const MESSAGES: usize = 300;
    let server = Server::start();
    let mut desk = Wire::logged_in(&server);
    for number in 0..MESSAGES {
        let message = format!("From: a@example.org\r\nSubject: number {number}\r\n\r\nbody {number}\r\n");
        assert_eq!(desk.append("INBOX", message.as_bytes()).kind, "OK");
    }

    let mut phone = Wire::logged_in(&server);
    phone.ok("ENABLE QRESYNC");
    let selected = phone.ok("SELECT INBOX");
    let code = |name: &str| selected.code_value(name).unwrap().number();
    let (uid_validity, modseq) = (code("UIDVALIDITY"), code("HIGHESTMODSEQ"));
    let uids: Vec<u64> = uids(&phone.ok("UID FETCH 1:* (FLAGS)"));
    assert_eq!(uids.len(), MESSAGES);
    phone.ok("LOGOUT");

    // 50 changes: 30 messages read one by one, 15 expunged, 5 new.
    desk.ok("SELECT INBOX");
    let read: Vec<u64> = uids.iter().step_by(9).take(30).copied().collect();
    for uid in &read {
        desk.ok(&format!("UID STORE {uid} +FLAGS.SILENT (\\Seen)"));
    }
    let gone: Vec<u64> = uids.iter().skip(4).step_by(18).take(15).copied().collect();
    for uid in &gone {
        desk.ok(&format!("UID STORE {uid} +FLAGS.SILENT (\\Deleted)"));
    }
    desk.ok("EXPUNGE");
    for _ in 0..5 {
        assert_eq!(desk.append("INBOX", b"Subject: new\r\n\r\nnew\r\n").kind, "OK");
    }

    let mut phone = Wire::logged_in(&server);
    phone.ok("ENABLE QRESYNC");
    let before = phone.bytes();
    let caught_up = phone.ok(&format!("SELECT INBOX (QRESYNC ({uid_validity} {modseq}))"));
    let cost = phone.bytes() - before;
    println!("catching up with 50 changes: {cost} bytes");
    assert!(cost < CATCH_UP_BYTES_MAX, "{cost} bytes");

    let mut vanished: Vec<u64> = Vec::new();
    for values in caught_up.data("VANISHED") {
        assert_eq!(values[0], Value::List(vec![Value::Atom("EARLIER".into())]));
        vanished.extend(numbers(&values[1].text()).into_iter().map(u64::from));
    }
    vanished.sort_unstable();
    assert_eq!(vanished, gone);
    let mut changed: Vec<u64> = uids_of(caught_up.fetched().into_iter());
    changed.sort_unstable();
    let newest = *uids.last().unwrap();
    let (old, new): (Vec<u64>, Vec<u64>) = changed.into_iter().partition(|uid| *uid <= newest);
    assert_eq!(old, read, "exactly the messages that were read");
    assert_eq!(new.len(), 5);
    for (_, items) in caught_up.fetched() {
        let seen = value_of(items, "FLAGS").unwrap().list().contains(&Value::Atom("\\Seen".into()));
        assert_eq!(seen, value_of(items, "UID").unwrap().number() <= newest);
    }
}

#[test]
fn one_part_of_a_message_with_ten_megabytes_costs_little() {
    let message = wire_form(&generated_message("attachment-10-MB"));
    let server = Server::start();
    let mut desk = Wire::logged_in(&server);
    assert_eq!(desk.append("INBOX", &message).kind, "OK");

    let mut phone = Wire::selected(&server, "INBOX");
    let before = phone.bytes();
    let overview = phone.ok("FETCH 1 (FLAGS RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER])");
    let items = overview.fetched()[0].1;
    assert_eq!(value_of(items, "RFC822.SIZE").unwrap().number(), message.len() as u64);
    let header_end = message.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    assert_eq!(value_of(items, "BODY[HEADER]").unwrap().bytes(), &message[..header_end]);
    let structure = value_of(items, "BODYSTRUCTURE").unwrap().list();
    assert_eq!(structure[2].text().to_ascii_lowercase(), "mixed");

    let text = phone.ok("FETCH 1 (BODY.PEEK[1.1.MIME] BODY.PEEK[1.1])");
    let cost = phone.bytes() - before;
    println!("the header and one part of ten megabytes: {cost} bytes");
    assert!(cost < ONE_PART_BYTES_MAX, "{cost} bytes");

    let body = value_of(text.fetched()[0].1, "BODY[1.1]").unwrap().bytes().to_vec();
    let first_part = b"Content-Type: text/plain; charset=utf-8\r\n\r\n";
    let at =
        message.windows(first_part.len()).position(|window| window == first_part).unwrap() + first_part.len();
    assert!(body.len() > 100 && message[at..].starts_with(&body), "{}", String::from_utf8_lossy(&body));
    assert!(
        message[at + body.len()..].starts_with(b"\r\n--inner"),
        "the whole part, without the line end before its boundary"
    );
}

#[test]
fn a_large_attachment_arrives_in_ranges() {
    const RANGE: usize = 100_000;
    let message = wire_form(&generated_message("attachment-1100-kB"));
    let server = Server::start();
    let mut wire = Wire::logged_in(&server);
    assert_eq!(wire.append("INBOX", &message).kind, "OK");
    wire.ok("SELECT INBOX");
    let mut joined = Vec::new();
    while joined.len() < message.len() {
        let answer = wire.ok(&format!("FETCH 1 (BODY.PEEK[]<{}.{RANGE}>)", joined.len()));
        let range = value_of(answer.fetched()[0].1, &format!("BODY[]<{}>", joined.len())).unwrap();
        assert_eq!(range.bytes().len(), RANGE.min(message.len() - joined.len()));
        joined.extend_from_slice(range.bytes());
    }
    assert!(joined == message);
}

fn uids(answer: &crate::harness::wire::Answer) -> Vec<u64> {
    uids_of(answer.fetched().into_iter())
}

fn uids_of<'a>(fetched: impl Iterator<Item = (u32, &'a [Value])>) -> Vec<u64> {
    fetched.map(|(_, items)| value_of(items, "UID").unwrap().number()).collect()
}
