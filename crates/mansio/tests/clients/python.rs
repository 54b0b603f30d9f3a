//! Python's imaplib and IMAPClient.

use crate::harness::Server;
use crate::harness::mail::{Message, generated, real, wire_form};
use crate::harness::maildir::{Letter, write_mailbox};
use crate::harness::script::{json, python_script};
use crate::harness::wire::Wire;
use std::path::Path;

const FLAGS: &[(&str, &[&str])] = &[
    ("", &[]),
    ("FS", &["\\Flagged", "\\Seen"]),
    ("DR", &["\\Answered", "\\Draft"]),
    ("Sa", &["$Forwarded", "\\Seen"]),
    ("Sab", &["$Forwarded", "\\Seen", "work"]),
];

fn letters(messages: &[Message]) -> Vec<Letter> {
    let letter = |(index, message): (usize, &Message)| Letter {
        bytes: message.bytes.clone(),
        flags: FLAGS[index % FLAGS.len()].0.into(),
        internal_date: 1_300_000_000 + 86_399 * index as u64,
    };
    messages.iter().enumerate().map(letter).collect()
}

#[test]
fn every_imported_message_keeps_its_bytes_flags_keywords_date_and_uid() {
    let import = tempfile::tempdir().unwrap();
    let tree = import.path().join("Maildir");
    let (real, generated) = (real(), generated());
    write_mailbox(&tree, "INBOX", &letters(&real), 4242, 17, &["$Forwarded", "work"]);
    write_mailbox(&tree, "Hard/Größe", &letters(&generated), 4343, 1, &["$Forwarded", "work"]);
    let server = Server::start_with(Some(&tree));

    for (mailbox, messages, uid_validity, first_uid) in
        [("INBOX", &real, 4242, 17), ("Hard/Gr&APYA3w-e", &generated, 4343, 1)]
    {
        let seen = json(python_script("imaplib_hashes.py", &server).arg(mailbox));
        assert_eq!(seen["uidvalidity"], uid_validity, "a client that has a copy need not fetch it again");
        let hashes = sha256(messages);
        let found = seen["messages"].as_object().unwrap();
        assert_eq!(found.len(), messages.len());
        for (index, message) in messages.iter().enumerate() {
            let uid = first_uid + 2 * index;
            let Some(found) = found.get(&uid.to_string()) else {
                panic!("{} has not UID {uid}", message.name)
            };
            assert_eq!(found["sha256"], *hashes[index], "{} came back changed", message.name);
            assert_eq!(found["size"], wire_form(&message.bytes).len(), "{}", message.name);
            assert_eq!(found["date"], 1_300_000_000 + 86_399 * index as u64, "{}", message.name);
            let mut flags: Vec<&str> =
                found["flags"].as_array().unwrap().iter().filter_map(|f| f.as_str()).collect();
            flags.retain(|flag| *flag != "\\Recent");
            assert_eq!(flags, FLAGS[index % FLAGS.len()].1, "{}", message.name);
        }
    }
}

#[test]
fn every_appended_message_comes_back_with_the_same_hash() {
    let server = Server::start();
    let mut wire = Wire::logged_in(&server);
    let messages = [generated(), crate::harness::mail::real_sample(500)].concat();
    for message in &messages {
        let answer = wire.append("INBOX", &wire_form(&message.bytes));
        assert_eq!(answer.kind, "OK", "{}: {answer:?}", message.name);
    }
    let seen = json(python_script("imaplib_hashes.py", &server).arg("INBOX"));
    let mut found: Vec<(u64, &str)> = seen["messages"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(uid, message)| (uid.parse().unwrap(), message["sha256"].as_str().unwrap()))
        .collect();
    found.sort_unstable();
    let found: Vec<&str> = found.into_iter().map(|(_, hash)| hash).collect();
    assert!(found == sha256(&messages), "in the order in which they were appended");
}

#[test]
fn a_session_with_imaplib() {
    let server = Server::start();
    let seen = json(&mut python_script("imaplib_session.py", &server));
    assert_eq!(seen["checked"].as_array().unwrap().len(), 9, "{seen}");
}

#[test]
fn a_session_with_imapclient() {
    let server = Server::start();
    let seen = json(&mut python_script("imapclient_session.py", &server));
    let steps = if Server::is_stand_in() { 4 } else { 5 };
    assert_eq!(seen["checked"].as_array().unwrap().len(), steps, "{seen}");
}

/// The hashes of the messages in their form on the wire, by an implementation that is not ours.
fn sha256(messages: &[Message]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    for (index, message) in messages.iter().enumerate() {
        std::fs::write(folder.path().join(format!("{index:06}")), wire_form(&message.bytes)).unwrap();
    }
    hashes_of_files(folder.path())
}

fn hashes_of_files(folder: &Path) -> Vec<String> {
    let mut command = crate::harness::programs::client("sh", folder);
    let output =
        crate::harness::programs::run(command.args(["-c", "find . -type f | sort | xargs sha256sum"]));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}
