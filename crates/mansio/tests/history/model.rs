//! What the mailboxes hold if every command did what it says: the only right answer while one command runs at a time.

use crate::harness::response::{Value, value_of};
use crate::harness::wire::{Answer, Wire};
use crate::session::Session;
use std::collections::{BTreeMap, BTreeSet};

/// The shared mailboxes, as they are written in commands.
pub const MAILBOXES: [&str; 3] = ["INBOX", "Kept", "\"Deep/er\""];

pub type Flags = BTreeSet<String>;

#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub flags: Flags,
    pub body: String,
}

#[derive(Debug, Clone, Default)]
pub struct Mailbox {
    pub uid_validity: u64,
    /// No message that is still to come may have a UID below this.
    pub uid_next: u64,
    pub messages: BTreeMap<u64, Message>,
    /// The body of every UID that ever was; a UID never gets another one.
    bodies: BTreeMap<u64, String>,
    highest_modseq: u64,
}

#[derive(Debug, Clone, Default)]
pub struct Model {
    pub mailboxes: [Mailbox; MAILBOXES.len()],
    messages_made: u64,
}

/// The flags in the data of a FETCH, without `\Recent`, which belongs to a session.
pub fn flags_of(items: &[Value]) -> Option<Flags> {
    let flags = value_of(items, "FLAGS")?.list().iter().map(Value::text);
    Some(flags.filter(|flag| flag != "\\Recent").collect())
}

impl Model {
    /// The text of a message that is unlike all others.
    pub fn new_body(&mut self) -> String {
        self.messages_made += 1;
        let number = self.messages_made;
        format!("From: a@example.org\r\nSubject: number {number}\r\n\r\nbody {number}.\r\n")
    }

    /// A message was added, and the server said with which UID.
    pub fn place(&mut self, mailbox: usize, uid: u64, message: Message) {
        let mailbox = &mut self.mailboxes[mailbox];
        assert!(uid >= mailbox.uid_next, "UID {uid} is given when {} was due", mailbox.uid_next);
        mailbox.uid_next = uid + 1;
        mailbox.remember_body(uid, &message.body);
        mailbox.messages.insert(uid, message);
    }

    /// A message was added while others were at work too: its UID may come out of order, but not twice.
    pub fn note_body(&mut self, mailbox: usize, uid: u64, body: &str) {
        self.mailboxes[mailbox].remember_body(uid, body);
    }

    /// Reads the whole truth from the server, and checks what holds even when commands ran at the same time.
    pub fn observe(&mut self, observer: &mut Wire) {
        for (mailbox, name) in self.mailboxes.iter_mut().zip(MAILBOXES) {
            mailbox.observe(name, observer);
        }
    }

    /// The session's mailbox is as it must be: the same UIDs in the same order, the same flags.
    pub fn assert_seen_by(&self, session: &Session) {
        let Some(view) = &session.view else { return };
        let mailbox = &self.mailboxes[view.mailbox];
        let seen: Vec<(u64, &Flags)> = view
            .entries
            .iter()
            .map(|entry| (entry.uid.expect("known"), entry.flags.as_ref().expect("known")))
            .collect();
        let true_ones: Vec<(u64, &Flags)> =
            mailbox.messages.iter().map(|(uid, message)| (*uid, &message.flags)).collect();
        assert_eq!(seen, true_ones, "what a session saw of {} and what is there", MAILBOXES[view.mailbox]);
    }

    pub fn assert_equals(&self, other: &Model) {
        for ((one, two), name) in self.mailboxes.iter().zip(&other.mailboxes).zip(MAILBOXES) {
            assert_eq!(one.messages, two.messages, "{name} on the server and in the model");
        }
    }

    /// Holds the answer to STATUS against the model.
    pub fn check_status(&self, mailbox: usize, answer: &Answer) {
        let items = answer.data("STATUS")[0][1].list();
        let number = |name: &str| value_of(items, name).unwrap_or_else(|| panic!("no {name}")).number();
        let mailbox = &self.mailboxes[mailbox];
        assert_eq!(number("MESSAGES"), mailbox.messages.len() as u64);
        let unseen = mailbox.messages.values().filter(|message| !message.flags.contains("\\Seen")).count();
        assert_eq!(number("UNSEEN"), unseen as u64);
        assert_eq!(number("UIDVALIDITY"), mailbox.uid_validity);
        assert!(number("UIDNEXT") >= mailbox.uid_next);
    }
}

impl Mailbox {
    fn remember_body(&mut self, uid: u64, body: &str) {
        let known = self.bodies.entry(uid).or_insert_with(|| body.to_owned());
        assert_eq!(known, body, "UID {uid} has two bodies");
    }

    fn observe(&mut self, name: &str, observer: &mut Wire) {
        let selected = observer.ok(&format!("EXAMINE {name} (CONDSTORE)"));
        let code = |name: &str| selected.code_value(name).unwrap_or_else(|| panic!("no {name}")).number();
        let (uid_validity, uid_next) = (code("UIDVALIDITY"), code("UIDNEXT"));
        assert!(self.uid_validity == 0 || self.uid_validity == uid_validity, "UIDVALIDITY of {name} changed");
        assert!(uid_next >= self.uid_next, "UIDNEXT of {name} fell from {} to {uid_next}", self.uid_next);
        let highest_modseq = code("HIGHESTMODSEQ");
        assert!(highest_modseq >= self.highest_modseq, "HIGHESTMODSEQ of {name} fell");
        self.highest_modseq = highest_modseq;
        self.uid_validity = uid_validity;

        let due = self.uid_next;
        let before = std::mem::take(&mut self.messages);
        let fetched = observer.ok("UID FETCH 1:* (FLAGS BODY.PEEK[])");
        for (_, items) in fetched.fetched() {
            let uid = value_of(items, "UID").expect("a UID was asked for").number();
            let body = value_of(items, "BODY[]").expect("a body was asked for").text();
            assert!(before.contains_key(&uid) || uid >= due, "UID {uid} of {name} came late or came back");
            assert!(uid < uid_next, "UID {uid} of {name} is not below UIDNEXT {uid_next}");
            self.remember_body(uid, &body);
            self.messages
                .insert(uid, Message { flags: flags_of(items).expect("flags were asked for"), body });
        }
        self.uid_next = uid_next;
        observer.ok("CLOSE");
    }
}
