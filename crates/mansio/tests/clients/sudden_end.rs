//! A server that is killed while clients write: what it had acknowledged is there afterwards, and nothing else is.

use crate::harness::Server;
use crate::harness::response::{Value, value_of};
use crate::harness::wire::Wire;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

const WRITERS: usize = 4;
const KILLS: usize = 3;
/// The server is killed once so many more commands were answered.
const ANSWERS_PER_LIFE: usize = 250;

/// What one writer knows of its mailbox.
#[derive(Default)]
struct Known {
    messages: BTreeMap<u64, Letter>,
    gone: BTreeSet<u64>,
    made: u64,
    /// The command that was sent and not answered; whether it happened cannot be known.
    open: Option<Open>,
}

#[derive(Clone, PartialEq, Debug)]
struct Letter {
    body: String,
    flagged: bool,
}

#[derive(Clone, Debug)]
enum Open {
    Append(String),
    Flag(u64),
    /// Marked as deleted or already expunged.
    Expunge(u64),
}

/// Writes until the server dies under it, which ends the thread with a panic; what it noted before that counts.
fn write(mut wire: Wire, mailbox: &str, known: &Mutex<Known>, answers: &AtomicUsize) {
    wire.ok(&format!("SELECT {mailbox}"));
    loop {
        let open = {
            let mut known = known.lock().unwrap();
            known.made += 1;
            let (first, last) =
                (known.messages.keys().next().copied(), known.messages.keys().last().copied());
            let open = match (known.made % 5, first, last) {
                (1, _, Some(uid)) => Open::Flag(uid),
                (3, Some(uid), _) if known.messages.len() > 8 => Open::Expunge(uid),
                _ => Open::Append(format!(
                    "Subject: {}\r\n\r\nbody {} of {mailbox}\r\n",
                    known.made, known.made
                )),
            };
            known.open = Some(open.clone());
            open
        };
        // No lock is held while waiting, since a lock that a panicking thread holds is poisoned.
        match &open {
            Open::Append(body) => {
                let answer = wire.append(mailbox, body.as_bytes());
                assert_eq!(answer.kind, "OK", "{answer:?}");
                let letter = Letter { body: body.clone(), flagged: false };
                known.lock().unwrap().messages.insert(answer.code[2].number(), letter);
            }
            Open::Flag(uid) => {
                wire.ok(&format!("UID STORE {uid} +FLAGS (\\Flagged)"));
                known.lock().unwrap().messages.get_mut(uid).unwrap().flagged = true;
            }
            Open::Expunge(uid) => {
                wire.ok(&format!("UID STORE {uid} +FLAGS.SILENT (\\Deleted)"));
                wire.ok(&format!("UID EXPUNGE {uid}"));
                let mut known = known.lock().unwrap();
                known.messages.remove(uid);
                known.gone.insert(*uid);
            }
        }
        known.lock().unwrap().open = None;
        answers.fetch_add(1, Ordering::Relaxed);
    }
}

/// Holds the mailbox of the server that came back against what the writer knew, and takes over what was uncertain.
fn check(wire: &mut Wire, mailbox: &str, known: &mut Known) {
    let selected = wire.ok(&format!("SELECT {mailbox}"));
    let uid_next = selected.code_value("UIDNEXT").unwrap().number();
    let answer = wire.ok("UID FETCH 1:* (FLAGS BODY.PEEK[])");
    let mut found = BTreeMap::new();
    for (_, items) in answer.fetched() {
        let uid = value_of(items, "UID").unwrap().number();
        let flagged = value_of(items, "FLAGS").unwrap().list().contains(&Value::Atom("\\Flagged".into()));
        found.insert(uid, Letter { body: value_of(items, "BODY[]").unwrap().text(), flagged });
        assert!(uid < uid_next && !known.gone.contains(&uid), "UID {uid} of {mailbox} came back");
    }
    match known.open.take() {
        Some(Open::Append(body)) => {
            let unknown: Vec<u64> =
                found.keys().filter(|uid| !known.messages.contains_key(uid)).copied().collect();
            assert!(unknown.len() <= 1, "{mailbox} has messages that were never sent: {unknown:?}");
            if let [uid] = unknown[..] {
                assert_eq!(
                    found[&uid].body, body,
                    "an append that was not answered is there whole or not at all"
                );
                known.messages.insert(uid, found[&uid].clone());
            }
        }
        Some(Open::Flag(uid)) => {
            known.messages.get_mut(&uid).unwrap().flagged = found[&uid].flagged;
        }
        Some(Open::Expunge(uid)) if !found.contains_key(&uid) => {
            known.messages.remove(&uid);
            known.gone.insert(uid);
        }
        Some(Open::Expunge(_)) | None => {}
    }
    assert_eq!(found, known.messages, "{mailbox}");
    let highest = known.messages.keys().chain(&known.gone).max().copied().unwrap_or(0);
    assert!(uid_next > highest, "a UID of {mailbox} would be given twice");
}

#[test]
fn what_was_acknowledged_outlives_a_server_that_is_killed() {
    if Server::is_stand_in() {
        return; // This is about the server's store, and no client is part of it.
    }
    let mut server = Server::start();
    let mailboxes: Vec<String> = (0..WRITERS).map(|number| format!("writer{number}")).collect();
    let known: Vec<Arc<Mutex<Known>>> = mailboxes.iter().map(|_| Arc::default()).collect();
    let mut wire = Wire::logged_in(&server);
    for mailbox in &mailboxes {
        wire.ok(&format!("CREATE {mailbox}"));
    }
    for _ in 0..KILLS {
        let answers = Arc::new(AtomicUsize::new(0));
        let writers: Vec<_> = mailboxes
            .iter()
            .zip(&known)
            .map(|(mailbox, known)| {
                let (wire, mailbox) = (Wire::logged_in(&server), mailbox.clone());
                let (known, answers) = (Arc::clone(known), Arc::clone(&answers));
                std::thread::spawn(move || write(wire, &mailbox, &known, &answers))
            })
            .collect();
        while answers.load(Ordering::Relaxed) < ANSWERS_PER_LIFE {
            assert!(
                !writers.iter().any(std::thread::JoinHandle::is_finished),
                "a writer failed before the kill"
            );
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        server = server.kill_and_start_again();
        for writer in writers {
            assert!(writer.join().is_err(), "a writer writes until its connection breaks");
        }
        let mut wire = Wire::logged_in(&server);
        for (mailbox, known) in mailboxes.iter().zip(&known) {
            check(&mut wire, mailbox, &mut known.lock().unwrap());
        }
    }
}
