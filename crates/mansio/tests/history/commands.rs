//! The commands of a history: chosen at random, sent, and their answers held against the model.

use crate::harness::Server;
use crate::harness::response::{Value, numbers, value_of};
use crate::harness::wire::Answer;
use crate::model::{Flags, MAILBOXES, Message, Model, flags_of};
use crate::random::Random;
use crate::session::{During, Session};

const FLAGS: [&str; 8] =
    ["\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Deleted", "\\Draft", "$Forwarded", "work"];

/// A change of flags, as STORE says it.
#[derive(Debug, Clone)]
struct Change {
    /// `+`, `-` or nothing.
    sign: &'static str,
    silent: bool,
    flags: Flags,
}

impl Change {
    fn random(random: &mut Random) -> Change {
        let sign = *random.pick(&["+", "+", "-", ""]);
        Change { sign, silent: random.one_in(2), flags: random_flags(random) }
    }

    fn text(&self) -> String {
        let silent = if self.silent { ".SILENT" } else { "" };
        format!("{}FLAGS{silent} ({})", self.sign, list(&self.flags))
    }

    fn apply(&self, flags: &mut Flags) {
        match self.sign {
            "+" => flags.extend(self.flags.iter().cloned()),
            "-" => flags.retain(|flag| !self.flags.contains(flag)),
            _ => flags.clone_from(&self.flags),
        }
    }
}

fn random_flags(random: &mut Random) -> Flags {
    random.some(&FLAGS).into_iter().map(str::to_owned).collect()
}

fn list(flags: &Flags) -> String {
    flags.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}

fn set(numbers: &[u64]) -> String {
    numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(",")
}

/// One command while no other session does anything: afterwards the model is the only right state.
pub fn step(session: &mut Session, model: &mut Model, random: &mut Random) {
    let choice = random.below(100);
    if session.view.is_none() || choice >= 92 {
        return match choice % 4 {
            0 => append(session, model, random),
            1 => status(session, model, random),
            _ => session.select(random.below(MAILBOXES.len() as u64) as usize, random.one_in(5)),
        };
    }
    session.refresh();
    model.assert_seen_by(session);
    match choice {
        0..20 => append(session, model, random),
        20..42 => store(session, model, random),
        42..52 => read(session, model, random),
        52..62 => search(session, model, random),
        62..72 => expunge(session, model, random),
        72..82 => copy_or_move(session, model, random),
        82..85 => status(session, model, random),
        85..89 => idle(session),
        _ => close(session, model, random),
    }
}

/// So many messages at most are chosen for a command: mailboxes that copies double would fill the time and not the test.
const CHOSEN_MAX: usize = 40;

/// Some messages of the view: sequence numbers and UIDs.
fn some_messages(session: &Session, random: &mut Random) -> Option<(Vec<u64>, Vec<u64>)> {
    let entries = &session.view.as_ref()?.entries;
    let known: Vec<(u64, u64)> =
        entries.iter().zip(1..).filter_map(|(entry, number)| Some((number, entry.uid?))).collect();
    (!known.is_empty()).then(|| random.some(&known).into_iter().take(CHOSEN_MAX).unzip())
}

fn append(session: &mut Session, model: &mut Model, random: &mut Random) {
    let mailbox = random.below(MAILBOXES.len() as u64) as usize;
    let (body, flags) = (model.new_body(), random_flags(random));
    let answer = session.wire.append(&format!("{} ({})", MAILBOXES[mailbox], list(&flags)), body.as_bytes());
    session.take_in(&answer.untagged, During::Anything);
    let uid = appended_uid(&answer, model, mailbox);
    model.place(mailbox, uid, Message { flags, body });
}

fn appended_uid(answer: &Answer, model: &Model, mailbox: usize) -> u64 {
    assert_eq!(answer.kind, "OK", "{answer:?}");
    assert_eq!(answer.code[0].text(), "APPENDUID", "{answer:?}");
    assert_eq!(answer.code[1].number(), model.mailboxes[mailbox].uid_validity);
    answer.code[2].number()
}

fn status(session: &mut Session, model: &mut Model, random: &mut Random) {
    let mailbox = random.below(MAILBOXES.len() as u64) as usize;
    if session.view.as_ref().is_some_and(|view| view.mailbox == mailbox) {
        return; // RFC 9051, section 6.3.11: not for the selected mailbox.
    }
    let items = "(MESSAGES UNSEEN UIDNEXT UIDVALIDITY)";
    let answer = session.ok(&format!("STATUS {} {items}", MAILBOXES[mailbox]), During::Anything);
    model.check_status(mailbox, &answer);
}

fn store(session: &mut Session, model: &mut Model, random: &mut Random) {
    let Some((sequence, uids)) = some_messages(session, random) else { return };
    let change = Change::random(random);
    let by_uid = random.one_in(2);
    let command = if by_uid {
        format!("UID STORE {} {}", set(&uids), change.text())
    } else {
        format!("STORE {} {}", set(&sequence), change.text())
    };
    let during = if by_uid { During::Anything } else { During::Numbers };
    if session.view.as_ref().expect("selected").read_only {
        assert_refused(&session.command(&command, during));
        return;
    }
    for uid in &uids {
        change.apply(&mut stored(model, session, *uid).flags);
    }
    let answer = send_store(session, &command, &change, &sequence, during);
    assert_eq!(answer.kind, "OK", "{command}: {answer:?}");
    // Dovecot says nothing of a message whose flags were so already (RFC 9051, section 6.4.6, has it returned).
    if !change.silent && !Server::is_stand_in() {
        for number in &sequence {
            let told = |(at, items): &(u32, &[Value])| u64::from(*at) == *number && flags_of(items).is_some();
            assert!(answer.fetched().iter().any(told), "{command} does not tell of {number}");
        }
    }
    model.assert_seen_by(session);
}

/// A change in a mailbox that was examined. Dovecot says OK and does nothing.
fn assert_refused(answer: &Answer) {
    assert!(
        answer.kind == "NO" || Server::is_stand_in(),
        "a change in a mailbox that was examined: {answer:?}"
    );
}

fn stored<'a>(model: &'a mut Model, session: &Session, uid: u64) -> &'a mut Message {
    let mailbox = session.view.as_ref().expect("selected").mailbox;
    model.mailboxes[mailbox].messages.get_mut(&uid).expect("a session that is up to date knows no others")
}

/// Sends STORE. What the server need not tell after `.SILENT`, a client works out itself.
fn send_store(
    session: &mut Session,
    command: &str,
    change: &Change,
    sequence: &[u64],
    during: During,
) -> Answer {
    if change.silent {
        apply_silently(session, change, sequence);
    }
    session.command(command, during)
}

fn apply_silently(session: &mut Session, change: &Change, sequence: &[u64]) {
    let entries = &mut session.view.as_mut().expect("selected").entries;
    for number in sequence {
        if let Some(flags) = &mut entries[*number as usize - 1].flags {
            change.apply(flags);
        }
    }
}

fn read(session: &mut Session, model: &mut Model, random: &mut Random) {
    let Some((sequence, uids)) = some_messages(session, random) else { return };
    let peek = random.one_in(2);
    let item = if peek { "BODY.PEEK[]" } else { "BODY[]" };
    let answer = if random.one_in(2) {
        session.ok(&format!("UID FETCH {} ({item} RFC822.SIZE)", set(&uids)), During::Anything)
    } else {
        session.ok(&format!("FETCH {} (UID {item} RFC822.SIZE)", set(&sequence)), During::Numbers)
    };
    for uid in &uids {
        let same = |(_, items): &&(u32, &[Value])| {
            value_of(items, "UID").is_some_and(|value| value.number() == *uid)
                && value_of(items, "BODY[]").is_some()
        };
        let fetched = answer.fetched();
        let Some((_, items)) = fetched.iter().find(same) else { panic!("no body of UID {uid}: {answer:?}") };
        let read_only = session.view.as_ref().expect("selected").read_only;
        let message = stored(model, session, *uid);
        assert_eq!(value_of(items, "BODY[]").expect("found by it").text(), message.body);
        assert_eq!(value_of(items, "RFC822.SIZE").expect("asked for").number(), message.body.len() as u64);
        if !peek && !read_only {
            message.flags.insert("\\Seen".into());
        }
    }
    model.assert_seen_by(session);
}

fn search(session: &mut Session, model: &mut Model, random: &mut Random) {
    let view = session.view.as_ref().expect("selected");
    let messages = &model.mailboxes[view.mailbox].messages;
    let has = |flag: &'static str| move |_: u64, message: &Message| message.flags.contains(flag);
    let middle = view.uids().get(view.entries.len() / 2).copied().unwrap_or(1);
    let digit = random.below(10).to_string();
    type Test<'a> = Box<dyn Fn(u64, &Message) -> bool + 'a>;
    let (key, test): (String, Test) = match random.below(7) {
        0 => ("FLAGGED".into(), Box::new(has("\\Flagged"))),
        1 => ("UNSEEN".into(), Box::new(|_, message| !message.flags.contains("\\Seen"))),
        2 => ("KEYWORD work".into(), Box::new(has("work"))),
        3 => (format!("UID {middle}:*"), Box::new(move |uid, _| uid >= middle)),
        4 => {
            let either = |_, message: &Message| {
                message.flags.contains("\\Draft") || !message.flags.contains("\\Answered")
            };
            ("OR DRAFT NOT ANSWERED".into(), Box::new(either))
        }
        5 => {
            let wanted = format!("number {digit}");
            (format!("SUBJECT \"{wanted}\""), Box::new(move |_, message| message.body.contains(&wanted)))
        }
        _ => {
            let wanted = format!("{digit}.\r\n");
            (format!("BODY {digit}."), Box::new(move |_, message| message.body.contains(&wanted)))
        }
    };
    let expected: Vec<(u64, u64)> = messages
        .iter()
        .zip(1..)
        .filter(|((uid, message), _)| test(**uid, message))
        .map(|((uid, _), number)| (*uid, number))
        .collect();
    let (uids, sequence): (Vec<u64>, Vec<u64>) = expected.into_iter().unzip();
    drop(test);
    assert_eq!(found(session.ok(&format!("UID SEARCH {key}"), During::Anything)), uids, "UID SEARCH {key}");
    assert_eq!(found(session.ok(&format!("SEARCH {key}"), During::Numbers)), sequence, "SEARCH {key}");
}

/// The numbers that a search found: in SEARCH, or in ESEARCH where IMAP4rev2 is enabled.
fn found(answer: Answer) -> Vec<u64> {
    let old = answer.data("SEARCH").into_iter().flatten().filter(|value| matches!(value, Value::Atom(_)));
    let mut found: Vec<u64> = old.map(Value::number).collect();
    for values in answer.data("ESEARCH") {
        assert!(matches!(values[0], Value::List(_)), "no correlator in {values:?}");
        let all = values.iter().position(|value| *value == Value::Atom("ALL".into()));
        found.extend(all.into_iter().flat_map(|at| numbers(&values[at + 1].text())).map(u64::from));
    }
    found.sort_unstable();
    found
}

fn expunge(session: &mut Session, model: &mut Model, random: &mut Random) {
    let view = session.view.as_ref().expect("selected");
    let (mailbox, read_only) = (view.mailbox, view.read_only);
    let chosen = if random.one_in(2) { some_messages(session, random).map(|(_, uids)| uids) } else { None };
    let command = chosen.as_ref().map_or("EXPUNGE".into(), |uids| format!("UID EXPUNGE {}", set(uids)));
    let answer = session.command(&command, During::Anything);
    if read_only {
        assert_refused(&answer);
        return;
    }
    assert_eq!(answer.kind, "OK", "{answer:?}");
    let goes = |uid: &u64, message: &Message| {
        message.flags.contains("\\Deleted") && chosen.as_ref().is_none_or(|uids| uids.contains(uid))
    };
    model.mailboxes[mailbox].messages.retain(|uid, message| !goes(uid, message));
    model.assert_seen_by(session);
}

fn copy_or_move(session: &mut Session, model: &mut Model, random: &mut Random) {
    let Some((sequence, uids)) = some_messages(session, random) else { return };
    let view = session.view.as_ref().expect("selected");
    let (source, target) = (view.mailbox, random.below(MAILBOXES.len() as u64) as usize);
    let moves = random.one_in(2) && !view.read_only && source != target;
    let verb = if moves { "MOVE" } else { "COPY" };
    let command = if random.one_in(2) {
        format!("UID {verb} {} {}", set(&uids), MAILBOXES[target])
    } else {
        format!("{verb} {} {}", set(&sequence), MAILBOXES[target])
    };
    let answer = session.ok(&command, During::Anything);
    let pairs = copied_uids(&answer).unwrap_or_else(|| panic!("no COPYUID: {answer:?}"));
    assert_eq!(pairs.iter().map(|(from, _)| *from).collect::<Vec<_>>(), uids, "{command}");
    for (from, to) in pairs {
        let message = model.mailboxes[source].messages[&from].clone();
        model.place(target, to, message);
        if moves {
            model.mailboxes[source].messages.remove(&from);
        }
    }
    if source != target {
        model.assert_seen_by(session);
    }
}

/// The pairs of COPYUID, which COPY has in its tagged answer and MOVE in an untagged one.
fn copied_uids(answer: &Answer) -> Option<Vec<(u64, u64)>> {
    let untagged = answer.untagged.iter().filter_map(|response| match response {
        crate::harness::response::Response::Status { code, .. } => Some(code),
        _ => None,
    });
    let code =
        untagged.chain([&answer.code]).find(|code| code.first() == Some(&Value::Atom("COPYUID".into())))?;
    let uids = |value: &Value| numbers(&value.text()).into_iter().map(u64::from);
    Some(uids(&code[2]).zip(uids(&code[3])).collect())
}

fn idle(session: &mut Session) {
    let tag = session.wire.send("IDLE");
    let told = session.wire.until_continue();
    session.take_in(&told, During::Anything);
    session.wire.write(b"DONE\r\n");
    assert_eq!(session.finish(&tag, During::Anything).kind, "OK");
}

fn close(session: &mut Session, model: &mut Model, random: &mut Random) {
    let view = session.view.take().expect("selected");
    if random.one_in(2) {
        session.ok("UNSELECT", During::Anything);
        return;
    }
    session.ok("CLOSE", During::Anything);
    if !view.read_only {
        model.mailboxes[view.mailbox].messages.retain(|_, message| !message.flags.contains("\\Deleted"));
    }
}

/// A command whose answer is still to come, and what must be known to understand it.
pub struct Sent {
    tag: String,
    during: During,
    what: What,
}

enum What {
    Append {
        mailbox: usize,
        body: String,
    },
    /// Messages whose flags are uncertain if the command fails.
    Silent {
        sequence: Vec<u64>,
    },
    Copy {
        target: usize,
    },
    Close,
    Other,
}

/// Sends one command, while other sessions do the same.
pub fn send_any(session: &mut Session, model: &mut Model, random: &mut Random) -> Sent {
    let chosen = some_messages(session, random);
    let Some((sequence, uids)) = chosen.filter(|_| !random.one_in(4)) else {
        let (mailbox, body) = (random.below(MAILBOXES.len() as u64) as usize, model.new_body());
        let (flags, size) = (random_flags(random), body.len());
        let text = format!("APPEND {} ({}) {{{size}+}}\r\n{body}", MAILBOXES[mailbox], list(&flags));
        return Sent {
            tag: session.wire.send(&text),
            during: During::Anything,
            what: What::Append { mailbox, body },
        };
    };
    let view = session.view.as_ref().expect("messages were chosen in it");
    let (source, read_only) = (view.mailbox, view.read_only);
    let mut during = During::Anything;
    let mut what = What::Other;
    let text = match random.below(if read_only { 4 } else { 11 }) {
        0 => "NOOP".into(),
        1 => {
            during = During::Numbers;
            format!("FETCH {} (FLAGS UID)", set(&sequence))
        }
        2 => format!("UID FETCH {} (BODY[])", set(&uids)),
        3 => {
            let target = (source + 1) % MAILBOXES.len();
            what = What::Copy { target };
            format!("UID COPY {} {}", set(&uids), MAILBOXES[target])
        }
        4 => {
            let target = (source + 1) % MAILBOXES.len();
            what = What::Copy { target };
            format!("UID MOVE {} {}", set(&uids), MAILBOXES[target])
        }
        5 => "EXPUNGE".into(),
        6 => {
            what = What::Close;
            "CLOSE".into()
        }
        _ => {
            let change = Change::random(random);
            if change.silent {
                apply_silently(session, &change, &sequence);
                what = What::Silent { sequence: sequence.clone() };
            }
            during = During::Numbers;
            format!("STORE {} {}", set(&sequence), change.text())
        }
    };
    Sent { tag: session.wire.send(&text), during, what }
}

/// Reads the answer to a command that was sent by [`send_any`].
pub fn finish_any(session: &mut Session, sent: Sent, model: &mut Model) {
    let view = if matches!(sent.what, What::Close) { session.view.take() } else { None };
    let answer = session.finish(&sent.tag, sent.during);
    match sent.what {
        What::Append { mailbox, body } => {
            model.note_body(mailbox, appended_uid(&answer, model, mailbox), &body)
        }
        What::Copy { target } => {
            let source = session.view.as_ref().expect("copied from it").mailbox;
            for (from, to) in copied_uids(&answer).unwrap_or_default() {
                let body = model.mailboxes[source].messages[&from].body.clone();
                model.note_body(target, to, &body);
            }
        }
        What::Silent { sequence } if answer.kind != "OK" => {
            // Numbers may have moved meanwhile; so everything is asked for again.
            drop(sequence);
            let entries = &mut session.view.as_mut().expect("stored in it").entries;
            entries.iter_mut().for_each(|entry| entry.flags = None);
        }
        What::Close => drop(view),
        What::Silent { .. } | What::Other => {}
    }
}
