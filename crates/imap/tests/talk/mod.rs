//! Runs the conversations under `tests/transcripts/`; their form is told in `tests/transcripts.rs`.
#![allow(dead_code, reason = "each test binary needs a part of it")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::harness::{LOGIN, NOW, Server, block_on};
use account::{Draft, FlagNames, Flags, InternalDate, MailboxName, NewMessage};
use imap::{Fill, Next, Settings, Transport};

/// Every transcript, in order; only those with `TRANSCRIPT` in their path, if that is set.
pub fn files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    collect(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/transcripts")), &mut files);
    assert!(files.len() > 3, "only {} transcripts found", files.len());
    let only = std::env::var("TRANSCRIPT").ok();
    files.retain(|file| only.as_ref().is_none_or(|only| file.to_string_lossy().contains(only.as_str())));
    files
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "txt") {
            files.push(path);
        }
    }
}

struct Talk {
    server: Server,
    transport: Transport,
    start: String,
    /// What each connection has received and not yet been asked for, as lines.
    lines: Vec<Vec<String>>,
    /// The same as octets, from the greeting on and for good.
    heard: Vec<Vec<u8>>,
    taken: BTreeMap<String, String>,
}

/// Runs one to its end; what each connection was told, from its greeting on.
pub fn run(file: &Path) -> Result<Vec<Vec<u8>>, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("1: {error}"))?;
    let mut talk = begin(&text)?;
    let mut any_order: Vec<String> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let at = |why: String| format!("{}: {why}", number + 1);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (who, rest) = match line.as_bytes()[0] {
            digit @ b'1'..=b'9' => (usize::from(digit - b'1'), &line[1..]),
            _ => (0, line),
        };
        talk.connected(who).map_err(at)?;
        let (verb, argument) = rest.split_at(2);
        let argument = argument.strip_prefix(' ').unwrap_or(argument);
        if verb != "S*" && !any_order.is_empty() {
            return Err(at(format!("missing in the run before: {any_order:#?}")));
        }
        match verb {
            "C:" => talk.send(who, format!("{argument}\r\n").as_bytes()).map_err(at)?,
            "C-" => {
                let octets = unescape(argument);
                talk.send(who, &octets).map_err(at)?;
            }
            "C!" => talk.act(who, argument).map_err(at)?,
            "S:" => talk.expect(who, argument).map_err(at)?,
            "S*" => {
                any_order.push(argument.to_owned());
                talk.expect_any(who, &mut any_order);
            }
            "S!" => talk.expect_next(who, argument).map_err(at)?,
            _ => return Err(at(format!("cannot read {line:?}"))),
        }
    }
    if !any_order.is_empty() {
        return Err(format!("missing in the last run: {any_order:#?}"));
    }
    for (who, lines) in talk.lines.iter().enumerate() {
        if !lines.is_empty() {
            return Err(format!("end: connection {} was also told {lines:#?}", who + 1));
        }
    }
    Ok(talk.heard)
}

/// Reads the head of the file and prepares the account.
fn begin(text: &str) -> Result<Talk, String> {
    let tls = Transport { secure: true, starttls: false, login_allowed: true };
    let (mut transport, mut start, mut settings, mut mails) =
        (tls, "login".to_owned(), Settings::default(), Vec::new());
    for line in text.lines().filter_map(|line| line.strip_prefix("# ")) {
        match line.split_once(": ") {
            Some(("transport", "plain")) => {
                transport = Transport { secure: false, starttls: true, login_allowed: false };
            }
            Some(("transport", "open")) => {
                transport = Transport { secure: false, starttls: true, login_allowed: true }
            }
            Some(("limit", octets)) => settings.message_bytes_max = octets.parse().map_err(|_| "limit")?,
            Some(("start", how)) => start = how.to_owned(),
            Some(("mail", what)) => mails.push(what.to_owned()),
            _ => {}
        }
    }
    let server = Server::new(settings);
    for mail in mails {
        put(&server, &mail)?;
    }
    Ok(Talk { server, transport, start, lines: Vec::new(), heard: Vec::new(), taken: BTreeMap::new() })
}

/// `MAILBOX file.eml [(flags)]`
fn put(server: &Server, what: &str) -> Result<(), String> {
    let (place, flags) =
        what.split_once(" (").map_or((what, ""), |(place, flags)| (place, flags.trim_end_matches(')')));
    let (mailbox, file) = place.split_once(' ').ok_or("mail: MAILBOX file")?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/messages").join(file);
    let octets = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let octets = octets.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes();
    let mut names = FlagNames::default();
    for flag in flags.split_whitespace() {
        let system = ["\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft"];
        match system.iter().position(|name| *name == flag) {
            Some(bit) => names.system = names.system.union(Flags(1 << bit)),
            None => names.keywords.push(flag.to_owned()),
        }
    }
    let account = &server.account;
    let name = MailboxName::new(mailbox).map_err(|error| format!("{error:?}"))?;
    let mailbox = account.account().directory().mailbox(&name).ok_or("mail: no such mailbox")?.id;
    let mut upload = account.upload();
    block_on(upload.write(&octets)).map_err(|error| format!("{error:?}"))?;
    let blob = block_on(upload.finish()).map_err(|error| format!("{error:?}"))?;
    let internal_date = InternalDate { seconds: (NOW / 1000) as i64, zone_minutes: 0 };
    let message = NewMessage { blob, size: octets.len() as u64, internal_date, flags: names, uid: None };
    block_on(account.commit(Draft::Append { mailbox, messages: vec![message] }))
        .map_err(|error| format!("{error:?}"))?;
    Ok(())
}

impl Talk {
    /// Opens connections up to this one and brings each to the start.
    fn connected(&mut self, who: usize) -> Result<(), String> {
        while self.lines.len() <= who {
            let now = self.server.connect(self.transport);
            self.lines.push(Vec::new());
            self.heard.push(Vec::new());
            if self.start != "greeting" {
                self.hear(now);
                self.server.send(now, format!("l0 LOGIN {} {}\r\n", LOGIN.0, LOGIN.1).as_bytes());
                self.done(now, "l0")?;
            }
            if let Some(mailbox) = self.start.strip_prefix("select ") {
                self.server.send(now, format!("l1 SELECT {mailbox}\r\n").as_bytes());
                self.done(now, "l1")?;
            }
            self.receive(now);
        }
        Ok(())
    }

    fn done(&mut self, who: usize, tag: &str) -> Result<(), String> {
        let said = String::from_utf8_lossy(&self.hear(who)).into_owned();
        if said.lines().last().is_some_and(|line| line.starts_with(&format!("{tag} OK"))) {
            return Ok(());
        }
        Err(format!("cannot get to the start: {said}"))
    }

    fn hear(&mut self, who: usize) -> Vec<u8> {
        let octets = self.server.receive(who);
        self.heard[who].extend_from_slice(&octets);
        octets
    }

    fn receive(&mut self, who: usize) {
        let octets = self.hear(who);
        if octets.is_empty() {
            return;
        }
        let text: String = String::from_utf8_lossy(&octets).into_owned();
        let text = text.strip_suffix("\r\n").unwrap_or(&text);
        self.lines[who].extend(text.split("\r\n").map(str::to_owned));
    }

    fn send(&mut self, who: usize, octets: &[u8]) -> Result<(), String> {
        if !self.lines[who].is_empty() {
            return Err(format!("before this the server also said {:#?}", self.lines[who]));
        }
        let octets = self.fill_in(octets);
        self.server.send(who, &octets);
        (0..self.lines.len()).for_each(|each| self.receive(each));
        Ok(())
    }

    fn act(&mut self, who: usize, what: &str) -> Result<(), String> {
        match what.split_once(' ') {
            None if what == "hangup" => self.server.end(who, Fill::Closed),
            None if what == "timeout" => self.server.end(who, Fill::TimedOut),
            None if what == "shutdown" => self.server.end(who, Fill::ShuttingDown),
            Some(("wait", millis)) => self.server.advance(millis.parse().map_err(|_| "wait MILLIS")?),
            Some(("fail", "full")) => self.server.fail_append(store::Fault::Full),
            Some(("fail", "refuse")) => self.server.fail_append(store::Fault::Refuse),
            Some(("fail", "damage")) => self.server.damage_message(),
            Some(("tick", millis)) => self.server.tick(millis.parse().map_err(|_| "tick MILLIS")?),
            _ => return Err(format!("cannot do {what:?}")),
        }
        (0..self.lines.len()).for_each(|each| self.receive(each));
        Ok(())
    }

    fn expect(&mut self, who: usize, pattern: &str) -> Result<(), String> {
        if self.lines[who].is_empty() {
            return Err(format!("expected {pattern:?}, the server said nothing more"));
        }
        let line = self.lines[who].remove(0);
        if self.matches(pattern, &line) {
            return Ok(());
        }
        let more = self.lines[who].iter().take(10).cloned().collect::<Vec<_>>().join("\n      ");
        Err(format!("expected {pattern}\n  got {line}\n  then {more}"))
    }

    /// Takes every line, wherever it stands, that one of the patterns fits.
    fn expect_any(&mut self, who: usize, patterns: &mut Vec<String>) {
        patterns.retain(|pattern| {
            let place = self.lines[who].iter().position(|line| simple(pattern, line));
            if let Some(place) = place {
                self.lines[who].remove(place);
            }
            place.is_none()
        });
    }

    fn expect_next(&mut self, who: usize, what: &str) -> Result<(), String> {
        let nexts = self.server.nexts(who);
        let wanted = match what {
            "close" => Next::Close,
            "starttls" => Next::StartTls,
            "compress" => Next::Compress,
            _ => return Err(format!("cannot expect {what:?}")),
        };
        let closed = what != "close" || self.server.is_closed(who);
        if nexts.contains(&wanted) && closed {
            Ok(())
        } else {
            Err(format!("expected {what}, had {nexts:?}"))
        }
    }

    fn fill_in(&self, octets: &[u8]) -> Vec<u8> {
        let Ok(text) = std::str::from_utf8(octets) else { return octets.to_vec() };
        let mut text = text.to_owned();
        for (name, value) in &self.taken {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        text.into_bytes()
    }

    /// Does the line fit? `{*}`, `{name=}`, `{name}`.
    fn matches(&mut self, pattern: &str, line: &str) -> bool {
        let pattern = String::from_utf8(self.fill_in(pattern.as_bytes())).unwrap_or_default();
        let mut pieces: Vec<(String, Option<String>)> = Vec::new();
        let mut rest = pattern.as_str();
        while let Some((at, end, name)) = hole(rest) {
            pieces.push((rest[..at].to_owned(), Some(name.to_owned())));
            rest = &rest[end..];
        }
        pieces.push((rest.to_owned(), None));
        let mut taken = Vec::new();
        if !fits(&pieces, line, &mut taken) {
            return false;
        }
        for (name, value) in taken {
            if name != "*" {
                self.taken.insert(name, value);
            }
        }
        true
    }
}

/// `{*}` patterns only.
fn simple(pattern: &str, line: &str) -> bool {
    let pieces: Vec<&str> = pattern.split("{*}").collect();
    let mut pieces: Vec<(String, Option<String>)> =
        pieces.iter().map(|piece| ((*piece).to_owned(), Some("*".to_owned()))).collect();
    if let Some(last) = pieces.last_mut() {
        last.1 = None;
    }
    fits(&pieces, line, &mut Vec::new())
}

/// The first `{*}` or `{name=}` of a pattern: where it begins and ends, and its name.
fn hole(pattern: &str) -> Option<(usize, usize, &str)> {
    let mut from = 0;
    while let Some(open) = pattern[from..].find('{').map(|at| at + from) {
        let close = pattern[open..].find('}')? + open;
        let inside = &pattern[open + 1..close];
        if inside == "*" {
            return Some((open, close + 1, "*"));
        }
        if let Some(name) = inside.strip_suffix('=') {
            return Some((open, close + 1, name));
        }
        from = open + 1;
    }
    None
}

fn fits(pieces: &[(String, Option<String>)], line: &str, taken: &mut Vec<(String, String)>) -> bool {
    let Some(((text, hole), later)) = pieces.split_first() else { return line.is_empty() };
    let Some(rest) = line.strip_prefix(text.as_str()) else { return false };
    let Some(name) = hole else { return rest.is_empty() };
    for (end, _) in rest.char_indices().chain(std::iter::once((rest.len(), ' '))) {
        let kept = taken.len();
        taken.push((name.clone(), rest[..end].to_owned()));
        if fits(later, &rest[end..], taken) {
            return true;
        }
        taken.truncate(kept);
    }
    false
}

fn unescape(text: &str) -> Vec<u8> {
    let (bytes, mut out, mut at) = (text.as_bytes(), Vec::new(), 0);
    while at < bytes.len() {
        if bytes[at] != b'\\' || at + 1 == bytes.len() {
            out.push(bytes[at]);
            at += 1;
            continue;
        }
        at += 2;
        match bytes[at - 1] {
            b'r' => out.push(b'\r'),
            b'n' => out.push(b'\n'),
            b't' => out.push(b'\t'),
            b'0' => out.push(0),
            b'x' if at + 2 <= bytes.len() => {
                out.push(u8::from_str_radix(&text[at..at + 2], 16).unwrap_or(b'?'));
                at += 2;
            }
            other => out.push(other),
        }
    }
    out
}
