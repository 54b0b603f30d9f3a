//! The model, the sessions, and what they do next.

use std::collections::{BTreeMap, BTreeSet};

use imap::Settings;

use crate::client::TLS;
use crate::harness::{LOGIN, Server};
use crate::response::{Response, Value, numbers, responses};

const MAILBOXES: [&str; 3] = ["INBOX", "one", "one/two"];
/// How the sessions speak: ENABLE's argument.
const MODES: [&str; 4] = ["", "QRESYNC", "IMAP4rev2", "QRESYNC IMAP4rev2"];
const FLAGS: [&str; 6] = ["\\Answered", "\\Deleted", "\\Flagged", "\\Seen", "first", "second"];

type Flags = BTreeSet<String>;

struct Message {
    flags: Flags,
    body: String,
}

#[derive(Default)]
struct Mailbox {
    /// No message that is still to come may have a UID below this.
    next: u32,
    messages: BTreeMap<u32, Message>,
    /// Of every message that ever was: a session that was not told still may read it.
    bodies: BTreeMap<u32, String>,
}

/// A message as a session knows it; not yet asked for when `uid` is 0.
#[derive(Clone, Debug, Default)]
struct Entry {
    uid: u32,
    flags: Flags,
}

struct Session {
    at: usize,
    vanished: bool,
    mailbox: usize,
    view: Vec<Entry>,
}

/// What an answer held besides news of the view.
#[derive(Default)]
struct Answer {
    /// The tagged line without its tag.
    status: String,
    /// COPYUID or APPENDUID, its words.
    code: Vec<String>,
    found: Option<Vec<u32>>,
    bodies: Vec<(u32, String)>,
}

pub struct World {
    server: Server,
    random: Random,
    mailboxes: [Mailbox; MAILBOXES.len()],
    sessions: Vec<Session>,
    made: u32,
    log: Log,
}

/// The conversation so far, printed when a test fails.
struct Log {
    seed: u64,
    lines: Vec<String>,
}

impl Drop for Log {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let last = self.lines.len().saturating_sub(60);
            eprintln!("IMAP_SEED={}\n{}", self.seed, self.lines[last..].concat());
        }
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end as u64) as usize
    }
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut server = Server::new(Settings::default());
        let mut sessions = Vec::new();
        for mode in MODES {
            let at = server.connect(TLS);
            server.send(at, format!("a LOGIN {} {}\r\n", LOGIN.0, LOGIN.1).as_bytes());
            if !mode.is_empty() {
                server.send(at, format!("a ENABLE {mode}\r\n").as_bytes());
            }
            sessions.push(Session { at, vanished: mode.contains("QRESYNC"), mailbox: 0, view: Vec::new() });
        }
        server.send(0, b"a CREATE one\r\na CREATE one/two\r\n");
        for session in &sessions {
            server.receive(session.at);
        }
        let mut world = Self {
            server,
            random: Random(seed),
            mailboxes: std::array::from_fn(|_| Mailbox { next: 1, ..Mailbox::default() }),
            sessions,
            made: 0,
            log: Log { seed, lines: Vec::new() },
        };
        for session in 0..MODES.len() {
            world.select(session, session % 2);
        }
        world
    }

    pub fn step(&mut self) {
        let session = self.random.below(self.sessions.len());
        match self.random.below(20) {
            0..4 => self.append(session),
            4..8 => self.store(session),
            8..10 => self.copy(session, false),
            10..12 => self.copy(session, true),
            12..14 => self.expunge(session),
            14..16 => self.fetch(session),
            16 => self.search(session),
            17 => self.garbage(session),
            18 => self.noop(session),
            _ => {
                let mailbox = self.random.below(MAILBOXES.len());
                self.select(session, mailbox);
            }
        }
    }

    /// Everybody hears everything and looks at every message.
    pub fn settle(&mut self) {
        for session in 0..self.sessions.len() {
            self.noop(session);
            for mailbox in 0..MAILBOXES.len() {
                self.select(session, mailbox);
                let answer = self.talk(session, "UID FETCH 1:* BODY.PEEK[]", false);
                let seen: BTreeMap<u32, String> = answer.bodies.into_iter().collect();
                let messages = &self.mailboxes[mailbox].messages;
                let wanted = messages.iter().map(|(uid, message)| (*uid, message.body.clone())).collect();
                assert_eq!(seen, wanted, "each message is where it was put, and nowhere else");
            }
        }
        assert!(self.server.host.incidents.lock().unwrap().is_empty());
    }

    fn append(&mut self, session: usize) {
        let (mailbox, flags) = (self.random.below(MAILBOXES.len()), self.flags());
        self.made += 1;
        let body = format!("Subject: number {}\r\n\r\nbody {}\r\n", self.made, self.made);
        let command =
            format!("APPEND {} ({}) {{{}+}}\r\n{body}", MAILBOXES[mailbox], words(&flags), body.len());
        let answer = self.talk(session, &command, false);
        assert!(answer.status.starts_with("OK [APPENDUID "), "{}", answer.status);
        self.mailboxes[mailbox].put(numbers(&answer.code[2])[0], Message { flags, body });
    }

    fn store(&mut self, session: usize) {
        let Some(set) = self.set(session) else { return };
        let (sign, flags) = (["+", "-", ""][self.random.below(3)], self.flags());
        let silent = self.random.below(2) == 0;
        let apply = |old: &Flags| -> Flags {
            match sign {
                "+" => old | &flags,
                "-" => old - &flags,
                _ => flags.clone(),
            }
        };
        let mine = &mut self.sessions[session];
        for entry in mine.view.iter_mut().filter(|entry| silent && set.uids.contains(&entry.uid)) {
            entry.flags = apply(&entry.flags);
        }
        let mailbox = mine.mailbox;
        let silent = if silent { ".SILENT" } else { "" };
        let command = format!("{}STORE {} {sign}FLAGS{silent} ({})", set.verb, set.text, words(&flags));
        let answer = self.talk(session, &command, set.by_number);
        assert!(answer.status.starts_with("OK "), "{}", answer.status);
        for uid in &set.uids {
            if let Some(message) = self.mailboxes[mailbox].messages.get_mut(uid) {
                message.flags = apply(&message.flags);
            }
        }
    }

    fn copy(&mut self, session: usize, moves: bool) {
        let Some(set) = self.set(session) else { return };
        let (from, to) = (self.sessions[session].mailbox, self.random.below(MAILBOXES.len()));
        if moves && from == to {
            return;
        }
        let verb = if moves { "MOVE" } else { "COPY" };
        let command = format!("{}{verb} {} {}", set.verb, set.text, MAILBOXES[to]);
        // Without UID only MOVE itself may tell of expunges (RFC 6851 3.3).
        let answer = self.talk(session, &command, set.by_number && !moves);
        let messages = &self.mailboxes[from].messages;
        let there: Vec<u32> = set.uids.iter().copied().filter(|uid| messages.contains_key(uid)).collect();
        if there.is_empty() {
            assert!(answer.status.starts_with("NO [EXPUNGEISSUED]"), "{}", answer.status);
            return;
        }
        assert!(answer.status.starts_with("OK "), "{}", answer.status);
        assert_eq!(answer.code[0], "COPYUID");
        assert_eq!(numbers(&answer.code[2]), there);
        let new = numbers(&answer.code[3]);
        assert_eq!(new.len(), there.len());
        for (uid, new) in there.into_iter().zip(new) {
            let messages = &mut self.mailboxes[from].messages;
            let message = &messages[&uid];
            let message = Message { flags: message.flags.clone(), body: message.body.clone() };
            if moves {
                messages.remove(&uid);
            }
            self.mailboxes[to].put(new, message);
        }
    }

    fn expunge(&mut self, session: usize) {
        let known: BTreeSet<u32> = self.sessions[session].uids().into_iter().collect();
        let (command, uids) = match self.set(session) {
            Some(set) if !set.by_number => (format!("UID EXPUNGE {}", set.text), set.uids),
            _ => ("EXPUNGE".to_owned(), known),
        };
        let answer = self.talk(session, &command, false);
        assert!(answer.status.starts_with("OK "), "{}", answer.status);
        let mailbox = &mut self.mailboxes[self.sessions[session].mailbox];
        mailbox.messages.retain(|uid, message| !uids.contains(uid) || !message.flags.contains("\\Deleted"));
    }

    fn fetch(&mut self, session: usize) {
        let Some(set) = self.set(session) else { return };
        let mailbox = self.sessions[session].mailbox;
        let peeks = self.random.below(2) == 0;
        let item = if peeks { "BODY.PEEK[]" } else { "BODY[]" };
        let command = format!("{}FETCH {} ({item} FLAGS)", set.verb, set.text);
        let answer = self.talk(session, &command, set.by_number);
        assert!(answer.status.starts_with("OK "), "{}", answer.status);
        let seen: BTreeSet<u32> = answer.bodies.iter().map(|(uid, _)| *uid).collect();
        assert_eq!(seen, set.uids, "also what others expunged, until this session is told");
        for (uid, body) in answer.bodies {
            assert_eq!(self.mailboxes[mailbox].bodies[&uid], body);
        }
        for uid in set.uids.iter().filter(|_| !peeks) {
            if let Some(message) = self.mailboxes[mailbox].messages.get_mut(uid) {
                message.flags.insert("\\Seen".to_owned());
            }
        }
    }

    fn search(&mut self, session: usize) {
        let known = self.sessions[session].uids();
        let answer = self.talk(session, "UID SEARCH ALL", false);
        assert_eq!(answer.found, Some(known));
    }

    fn garbage(&mut self, session: usize) {
        let length = self.random.below(30);
        let junk: String =
            (0..length).map(|_| char::from(b" (){\"\\*%a1[]~,:"[self.random.below(15)])).collect();
        // A line that announces a literal would not be over.
        let answer = self.talk(session, &format!("{junk}-"), false);
        assert!(answer.status.starts_with("BAD "), "{}", answer.status);
    }

    fn noop(&mut self, session: usize) {
        self.talk(session, "NOOP", false);
        self.assert_sees_all(session);
    }

    fn select(&mut self, session: usize, mailbox: usize) {
        self.sessions[session].mailbox = mailbox;
        self.sessions[session].view.clear();
        let answer = self.talk(session, &format!("SELECT {}", MAILBOXES[mailbox]), false);
        assert!(answer.status.starts_with("OK [READ-WRITE]"), "{}", answer.status);
        self.assert_sees_all(session);
    }

    fn assert_sees_all(&self, session: usize) {
        let session = &self.sessions[session];
        let seen: Vec<_> = session.view.iter().map(|entry| (entry.uid, &entry.flags)).collect();
        let messages = &self.mailboxes[session.mailbox].messages;
        let wanted: Vec<_> = messages.iter().map(|(uid, message)| (*uid, &message.flags)).collect();
        assert_eq!(seen, wanted, "after it was told everything");
    }

    /// Says a command and then asks for the messages that were announced. `holds`: no expunge may be told.
    fn talk(&mut self, session: usize, command: &str, holds: bool) -> Answer {
        let answer = self.exchange(session, command, holds);
        while let Some(first) = self.sessions[session].view.iter().position(|entry| entry.uid == 0) {
            let known = first.checked_sub(1).map_or(0, |last| self.sessions[session].view[last].uid);
            self.exchange(session, &format!("UID FETCH {}:* FLAGS", known + 1), false);
            assert!(
                self.sessions[session].view.get(first).is_none_or(|entry| entry.uid > known),
                "UIDs ascend, and what was announced can be fetched"
            );
        }
        answer
    }

    fn exchange(&mut self, session: usize, command: &str, holds: bool) -> Answer {
        let session = &mut self.sessions[session];
        self.log.lines.push(format!("{} C: {command}\n", session.at));
        self.server.send(session.at, format!("t {command}\r\n").as_bytes());
        let said = String::from_utf8(self.server.receive(session.at)).unwrap();
        self.log.lines.push(said.clone());
        let mut answer = Answer::default();
        for response in responses(&said) {
            assert!(answer.status.is_empty(), "nothing behind the tagged line: {response:?}");
            session.hear(&response, holds, &mut answer);
        }
        assert!(!answer.status.is_empty(), "no answer");
        answer
    }

    fn flags(&mut self) -> Flags {
        let random = &mut self.random;
        FLAGS.iter().filter(|_| random.below(3) == 0).map(|&flag| flag.to_owned()).collect()
    }

    /// One to four of the messages that the session sees, by number or by UID.
    fn set(&mut self, session: usize) -> Option<Set> {
        let view = &self.sessions[session].view;
        let random = &mut self.random;
        let picks: BTreeSet<usize> =
            (0..=random.below(4)).filter(|_| !view.is_empty()).map(|_| random.below(view.len())).collect();
        let by_number = random.below(2) == 0;
        let texts: Vec<String> = picks
            .iter()
            .map(|&place| if by_number { place + 1 } else { view[place].uid as usize }.to_string())
            .collect();
        let uids = picks.iter().map(|&place| view[place].uid).collect();
        let verb = if by_number { "" } else { "UID " };
        (!picks.is_empty()).then(|| Set { verb, text: texts.join(","), uids, by_number })
    }
}

struct Set {
    verb: &'static str,
    text: String,
    uids: BTreeSet<u32>,
    by_number: bool,
}

impl Mailbox {
    fn put(&mut self, uid: u32, message: Message) {
        assert!(uid >= self.next, "UID {uid} is given when {} was due", self.next);
        self.next = uid + 1;
        self.bodies.insert(uid, message.body.clone());
        self.messages.insert(uid, message);
    }
}

impl Session {
    fn uids(&self) -> Vec<u32> {
        self.view.iter().map(|entry| entry.uid).collect()
    }

    fn hear(&mut self, response: &Response, holds: bool, answer: &mut Answer) {
        let words: Vec<&str> = response
            .values
            .iter()
            .filter_map(|value| if let Value::Text(text) = value { Some(text.as_str()) } else { None })
            .collect();
        match (response.tag.as_str(), words.as_slice()) {
            ("*", [condition, text]) if matches!(*condition, "OK" | "BAD") => {
                answer.note(text);
                if *condition == "BAD" {
                    answer.status = format!("BAD {text}");
                }
            }
            ("*", [number, "EXISTS"]) => {
                let exists: usize = number.parse().unwrap();
                assert!(exists >= self.view.len(), "EXISTS never shrinks");
                self.view.resize(exists, Entry::default());
            }
            ("*", [number, "EXPUNGE"]) => {
                assert!(!holds && !self.vanished, "no EXPUNGE now");
                self.view.remove(number.parse::<usize>().unwrap() - 1);
            }
            ("*", ["VANISHED", set]) => {
                assert!(!holds && self.vanished, "no VANISHED now");
                for uid in numbers(set) {
                    let place = self.view.iter().position(|entry| entry.uid == uid);
                    self.view.remove(place.expect("only what was there vanishes"));
                }
            }
            ("*", [number, "FETCH"]) => {
                self.hear_fetch(number.parse().unwrap(), response.values[2].list(), answer);
            }
            ("*", ["SEARCH", found @ ..]) => {
                answer.found = Some(found.iter().map(|uid| uid.parse().unwrap()).collect());
            }
            ("*", ["ESEARCH", "UID"]) => answer.found = Some(Vec::new()),
            ("*", ["ESEARCH", "UID", "ALL", set]) => answer.found = Some(numbers(set)),
            ("*", ["FLAGS"] | [_, "RECENT"] | ["LIST", ..]) => {}
            (tag, [condition, text]) if tag != "*" => {
                answer.note(text);
                answer.status = format!("{condition} {text}");
            }
            _ => panic!("what is this? {response:?}"),
        }
    }

    fn hear_fetch(&mut self, number: usize, items: &[Value], answer: &mut Answer) {
        assert!((1..=self.view.len()).contains(&number), "a FETCH of what is not there: {number}");
        let entry = &mut self.view[number - 1];
        let (pairs, odd) = items.as_chunks::<2>();
        assert!(odd.is_empty(), "{items:?}");
        for [name, value] in pairs {
            match name.text() {
                "UID" => {
                    let uid = value.text().parse().unwrap();
                    assert!(entry.uid == 0 || entry.uid == uid, "number {number} is UID {}", entry.uid);
                    entry.uid = uid;
                }
                "FLAGS" => {
                    let flags = value.list().iter().map(Value::text);
                    entry.flags = flags.filter(|flag| *flag != "\\Recent").map(str::to_owned).collect();
                }
                "BODY[]" => answer.bodies.push((entry.uid, value.text().to_owned())),
                "MODSEQ" => {}
                other => panic!("nobody asked for {other}"),
            }
        }
    }
}

impl Answer {
    /// Keeps the words of a COPYUID or APPENDUID.
    fn note(&mut self, text: &str) {
        let code = text.strip_prefix('[').and_then(|text| text.split_once(']')).map_or("", |(code, _)| code);
        if code.starts_with("COPYUID ") || code.starts_with("APPENDUID ") {
            self.code = code.split(' ').map(str::to_owned).collect();
        }
    }
}

fn words(flags: &Flags) -> String {
    flags.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}
