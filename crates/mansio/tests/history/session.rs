//! One connection's knowledge, kept as a client keeps it, and the rules that a server must observe towards it.

use crate::harness::Server;
use crate::harness::response::{Response, Value, numbers, value_of};
use crate::harness::wire::{Answer, Wire};
use crate::model::{Flags, MAILBOXES, flags_of};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Default)]
pub struct Entry {
    pub uid: Option<u64>,
    pub flags: Option<Flags>,
    modseq: u64,
}

/// The selected mailbox as this session knows it; the sequence number is the place in `entries`, from 1.
#[derive(Debug)]
pub struct View {
    pub mailbox: usize,
    pub read_only: bool,
    pub entries: Vec<Entry>,
    uid_validity: u64,
    highest_modseq: u64,
}

/// What a client keeps on disk between two connections.
pub struct Remembered {
    mailbox: usize,
    uid_validity: u64,
    highest_modseq: u64,
    messages: BTreeMap<u64, Flags>,
}

/// Which untagged responses may come while a command runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum During {
    /// FETCH, STORE and SEARCH by sequence number: no number may change (RFC 9051, section 7.5.1).
    Numbers,
    Anything,
}

/// What a session has enabled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mode {
    /// Nothing: a client of 2003, that does not even know CONDSTORE.
    Old,
    Rev2,
    Qresync,
}

pub struct Session {
    pub wire: Wire,
    pub mode: Mode,
    pub view: Option<View>,
}

impl Session {
    pub fn connect(server: &Server, mode: Mode) -> Session {
        let mut wire = Wire::logged_in(server);
        match mode {
            Mode::Old => {}
            // Dovecot 2.3 does not have it.
            Mode::Rev2 if Server::is_stand_in() => {}
            Mode::Rev2 => drop(wire.ok("ENABLE IMAP4rev2")),
            Mode::Qresync => drop(wire.ok("ENABLE QRESYNC")),
        }
        Session { wire, mode, view: None }
    }

    /// Sends the command and takes in what comes with the answer.
    pub fn command(&mut self, text: &str, during: During) -> Answer {
        let tag = self.wire.send(text);
        self.finish(&tag, during)
    }

    pub fn ok(&mut self, text: &str, during: During) -> Answer {
        let answer = self.command(text, during);
        assert_eq!(answer.kind, "OK", "{text}: {answer:?}");
        answer
    }

    /// Reads the answer to a command that was sent.
    pub fn finish(&mut self, tag: &str, during: During) -> Answer {
        let answer = self.wire.answer(tag);
        self.take_in(&answer.untagged, during);
        assert_ne!(answer.kind, "BAD", "a legal command is refused: {answer:?}");
        if let (Some(view), Some(Value::Atom(code))) = (&mut self.view, answer.code.first())
            && code == "HIGHESTMODSEQ"
        {
            view.highest_modseq = answer.code[1].number();
        }
        answer
    }

    pub fn take_in(&mut self, responses: &[Response], during: During) {
        let mode = self.mode;
        for response in responses {
            if let Response::Status { kind, text, .. } = response {
                assert_ne!(kind, "BYE", "the server leaves: {text}");
            }
            match &mut self.view {
                Some(view) => view.take_in(response, during, mode),
                None => {
                    let about_messages = matches!(response, Response::Numbered { .. });
                    assert!(!about_messages, "nothing is selected: {response:?}");
                }
            }
        }
    }

    pub fn select(&mut self, mailbox: usize, read_only: bool) {
        self.view = None;
        let verb = if read_only { "EXAMINE" } else { "SELECT" };
        let answer = self.wire.ok(&format!("{verb} {}", MAILBOXES[mailbox]));
        let mut view = View::new(mailbox, read_only, &answer);
        for response in &answer.untagged {
            view.take_in(response, During::Anything, self.mode);
        }
        self.view = Some(view);
        self.learn();
    }

    /// SELECT with the memory of an earlier connection (RFC 7162, section 3.2.5).
    pub fn select_remembered(&mut self, remembered: Remembered) {
        let Remembered { mailbox, uid_validity, highest_modseq, mut messages } = remembered;
        let parameter = format!("(QRESYNC ({uid_validity} {highest_modseq}))");
        let answer = self.wire.ok(&format!("SELECT {} {parameter}", MAILBOXES[mailbox]));
        let mut view = View::new(mailbox, false, &answer);
        assert_eq!(view.uid_validity, uid_validity);
        assert!(view.highest_modseq >= highest_modseq, "HIGHESTMODSEQ fell");
        for values in answer.data("VANISHED") {
            assert_eq!(values[0], Value::List(vec![Value::Atom("EARLIER".into())]), "{values:?}");
            for uid in numbers(&values[1].text()) {
                messages.remove(&u64::from(uid));
            }
        }
        for (_, items) in answer.fetched() {
            let uid = value_of(items, "UID").expect("QRESYNC brings UIDs").number();
            messages.insert(uid, flags_of(items).expect("QRESYNC brings flags"));
        }
        let exists = answer.untagged.iter().find_map(|response| match response {
            Response::Numbered { number, name, .. } if name == "EXISTS" => Some(*number as usize),
            _ => None,
        });
        assert_eq!(
            exists,
            Some(messages.len()),
            "what was remembered and what was told do not add up: {answer:?}"
        );
        let entry = |(uid, flags)| Entry { uid: Some(uid), flags: Some(flags), modseq: 0 };
        view.entries = messages.into_iter().map(entry).collect();
        for (number, items) in answer.fetched() {
            view.take_in_fetch(number, items, true);
        }
        self.view = Some(view);
    }

    /// Makes sure that UID and flags of every message are known.
    pub fn learn(&mut self) {
        let Some(view) = &self.view else { return };
        let unknown = |entry: &Entry| entry.uid.is_none() || entry.flags.is_none();
        let Some(first) = view.entries.iter().position(unknown) else { return };
        self.ok(&format!("FETCH {}:* (UID FLAGS)", first + 1), During::Numbers);
        // Numbers stay while FETCH runs, but a message that is gone by now may be passed over.
        if self.view.as_ref().is_some_and(|view| view.entries.iter().any(unknown)) {
            self.ok("NOOP", During::Anything);
            self.learn();
        }
    }

    /// Hears of everything that has happened.
    pub fn refresh(&mut self) {
        self.ok("NOOP", During::Anything);
        self.learn();
    }

    /// Logs out; a client with QRESYNC remembers its mailbox.
    pub fn leave(&mut self) -> Option<Remembered> {
        if self.view.is_some() {
            self.refresh();
        }
        self.wire.ok("LOGOUT");
        let view = self.view.take().filter(|view| self.mode == Mode::Qresync && !view.read_only)?;
        let known = |entry: Entry| (entry.uid.expect("learnt"), entry.flags.expect("learnt"));
        Some(Remembered {
            mailbox: view.mailbox,
            uid_validity: view.uid_validity,
            highest_modseq: view.highest_modseq,
            messages: view.entries.into_iter().map(known).collect(),
        })
    }
}

impl View {
    fn new(mailbox: usize, read_only: bool, answer: &Answer) -> View {
        let code = |name: &str| answer.code_value(name).unwrap_or_else(|| panic!("no {name}")).number();
        let promised = answer.code.first().map(Value::text).unwrap_or_default();
        assert_eq!(promised, if read_only { "READ-ONLY" } else { "READ-WRITE" });
        // Only who has spoken of CONDSTORE is sure to be told (RFC 7162, section 3.1.2.1).
        let highest_modseq = answer.code_value("HIGHESTMODSEQ").map_or(0, Value::number);
        let uid_validity = code("UIDVALIDITY");
        View { mailbox, read_only, entries: Vec::new(), uid_validity, highest_modseq }
    }

    pub fn uids(&self) -> Vec<u64> {
        self.entries.iter().map(|entry| entry.uid.expect("learnt")).collect()
    }

    fn take_in(&mut self, response: &Response, during: During, mode: Mode) {
        let qresync = mode == Mode::Qresync;
        match response {
            Response::Numbered { number, name, values } => match name.as_str() {
                "EXISTS" => {
                    let count = *number as usize;
                    assert!(count >= self.entries.len(), "EXISTS {count} after {}", self.entries.len());
                    self.entries.resize_with(count, Entry::default);
                }
                "EXPUNGE" => {
                    assert!(!qresync, "EXPUNGE where VANISHED was enabled");
                    assert_eq!(during, During::Anything, "EXPUNGE while numbers are in use");
                    assert!(*number >= 1 && *number as usize <= self.entries.len(), "EXPUNGE {number}");
                    self.entries.remove(*number as usize - 1);
                }
                "FETCH" => self.take_in_fetch(*number, values[0].list(), qresync),
                "RECENT" => {
                    assert!(mode != Mode::Rev2 || Server::is_stand_in(), "RECENT after ENABLE IMAP4rev2")
                }
                other => panic!("{number} {other}"),
            },
            Response::Data { name, values } if name == "VANISHED" => {
                assert!(qresync, "VANISHED without QRESYNC");
                assert_eq!(during, During::Anything, "VANISHED while numbers are in use");
                for uid in numbers(&values[0].text()) {
                    self.vanish(u64::from(uid));
                }
            }
            Response::Status { code, .. } if code.first() == Some(&Value::Atom("HIGHESTMODSEQ".into())) => {
                self.highest_modseq = code[1].number();
            }
            _ => {}
        }
    }

    fn vanish(&mut self, uid: u64) {
        let fits = |at: &usize| match self.entries[*at].uid {
            Some(known) => known == uid,
            // A message that this session had not asked about yet: it stood where its UID belongs.
            None => self.rises(*at, uid),
        };
        let Some(at) = (0..self.entries.len()).find(fits) else {
            panic!("UID {uid} vanished and was never here")
        };
        self.entries.remove(at);
    }

    /// Whether a message with this UID can stand at this place.
    fn rises(&self, at: usize, uid: u64) -> bool {
        let below = self.entries[..at].iter().rev().find_map(|entry| entry.uid);
        let above = self.entries[at + 1..].iter().find_map(|entry| entry.uid);
        below.is_none_or(|below| below < uid) && above.is_none_or(|above| uid < above)
    }

    fn take_in_fetch(&mut self, number: u32, items: &[Value], qresync: bool) {
        assert!(
            number >= 1 && number as usize <= self.entries.len(),
            "FETCH {number} of {}",
            self.entries.len()
        );
        let at = number as usize - 1;
        if let Some(uid) = value_of(items, "UID").map(Value::number) {
            let known = self.entries[at].uid.get_or_insert(uid);
            assert_eq!(*known, uid, "number {number} has another UID than before");
            assert!(self.rises(at, uid), "UID {uid} at {number} does not rise among {:?}", self.entries);
        } else {
            assert!(!qresync, "a FETCH without UID where QRESYNC is enabled: {items:?}");
        }
        if let Some(flags) = flags_of(items) {
            self.entries[at].flags = Some(flags);
        }
        if let Some(modseq) = value_of(items, "MODSEQ").map(|value| value.list()[0].number()) {
            assert!(modseq >= self.entries[at].modseq, "the MODSEQ of number {number} fell");
            self.entries[at].modseq = modseq;
            self.highest_modseq = self.highest_modseq.max(modseq);
        }
    }
}
