//! Held against three other readers of mail: Python's email package for structure, sizes, addresses and dates, mailparse for
//! structure and decoded bodies, mail-parser for decoded values. On the messages that CPython's own tests are made of, on
//! generated ones, and on the collected corpus where one is there.

mod support;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use message::{Addresses, Decoder, Part, Summary, derive, header_values};
use support::structure_of;

/// Collected messages that are looked at, one of so many: the readers in Python and in unoptimised Rust are slow.
const CORPUS_STRIDE: usize = 5;

fn python() -> Command {
    let mut command = Command::new("python3");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/structure.py"));
    command
}

/// The messages to compare on.
fn messages() -> Vec<PathBuf> {
    let listed = python().arg("--cpython").output().expect("python3 runs");
    let listed = String::from_utf8(listed.stdout).expect("paths are UTF-8");
    let mut paths: Vec<PathBuf> = listed.lines().map(PathBuf::from).collect();
    assert!(paths.len() >= 40, "CPython ships its test messages");
    paths.extend(generated());
    paths.extend(collected().into_iter().step_by(CORPUS_STRIDE));
    paths
}

/// What the tests of the server collect (testdata/corpus), if they have run.
fn collected() -> Vec<PathBuf> {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/corpus");
    let corpus = std::env::var_os("MANSIO_CORPUS").map_or(target, PathBuf::from);
    let Ok(entries) = std::fs::read_dir(corpus.join("real")) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("readable folder").path()).collect();
    paths.sort();
    paths
}

/// Messages of every shape that all readers understand alike, written once for all tests.
fn generated() -> Vec<PathBuf> {
    static WRITTEN: OnceLock<Vec<PathBuf>> = OnceLock::new();
    WRITTEN.get_or_init(write_generated).clone()
}

fn write_generated() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("generated");
    std::fs::create_dir_all(&folder).expect("writable target folder");
    let mut random = Random(0x6d61_6e73_696f);
    (0..300)
        .map(|number| {
            let path = folder.join(format!("{number}.eml"));
            let line_end = if number % 3 == 0 { "\n" } else { "\r\n" };
            let mail = format!(
                "From: Gen {number} <gen{number}@example.org>\nSubject: {number}\n{}",
                random.entity(0)
            );
            std::fs::write(&path, mail.replace('\n', line_end)).expect("writable target folder");
            path
        })
        .collect()
}

/// A small generator of numbers (xorshift), so that the messages are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    /// Header, blank line and body of an entity.
    fn entity(&mut self, depth: usize) -> String {
        match self.below(if depth < 5 { 8 } else { 4 }) {
            0 => format!("Content-Type: text/plain; charset=utf-8\n\n{}", self.text()),
            1 => format!("Content-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n<p>=3D{}", self.text()),
            2 => "Content-Type: image/png; name=\"a b.png\"\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=\n".to_owned(),
            3 => format!("\n{}", self.text()),
            4 => format!("Content-Type: message/rfc822\n\nSubject: inner\n{}", self.entity(depth + 1)),
            5 => self.multipart("digest", depth),
            6 => self.multipart("alternative", depth),
            _ => self.multipart("mixed", depth),
        }
    }

    fn multipart(&mut self, subtype: &str, depth: usize) -> String {
        let boundary = format!("={}-{}", self.below(1_000_000), "b".repeat(depth));
        let mut entity =
            format!("Content-Type: multipart/{subtype};\n boundary=\"{boundary}\"\n\npreamble\n");
        for _ in 0..=self.below(3) {
            entity.push_str(&format!("--{boundary}\n{}\n", self.entity(depth + 1)));
        }
        entity.push_str(&format!("--{boundary}--\n"));
        entity
    }

    fn text(&mut self) -> String {
        (0..self.below(5))
            .map(|_| match self.below(5) {
                0 => "line\n".to_owned(),
                1 => "- -- ---\n".to_owned(),
                2 => "\n".to_owned(),
                // Never the same twice: delimiters in a row are one to Python.
                3 => format!("--no{}\n", self.below(1_000_000)),
                _ => "word ".to_owned(),
            })
            .collect()
    }
}

/// What Python says of each message.
struct Python {
    skip: String,
    parts: String,
    from: String,
    to: String,
    date: String,
}

fn ask_python(paths: &[PathBuf]) -> Vec<Python> {
    let mut child = python().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python3 runs");
    let mut stdin = child.stdin.take().expect("piped");
    let list: String = paths.iter().map(|path| format!("{}\n", path.display())).collect();
    let writer = std::thread::spawn(move || stdin.write_all(list.as_bytes()));
    let output = child.wait_with_output().expect("python3 ends");
    writer.join().expect("no panic").expect("python3 reads");
    let answers = String::from_utf8(output.stdout).expect("UTF-8");
    let answer = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        let [_, skip, parts, from, to, date] = fields[..] else { panic!("six columns: {line}") };
        let owned = str::to_owned;
        Python { skip: owned(skip), parts: owned(parts), from: owned(from), to: owned(to), date: owned(date) }
    };
    answers.lines().map(answer).collect()
}

/// The parts as Python's script writes them.
fn parts_line(root: &Part<'_>) -> String {
    let mut lines = Vec::new();
    let mut pending = vec![(*root, 0)];
    while let Some((part, depth)) = pending.pop() {
        let kind = format!("{}/{}", lower(part.media_type().bytes), lower(part.subtype().bytes));
        let opaque =
            kind == "application/octet-stream" || (kind.starts_with("message/") && !part.is_message());
        if part.is_multipart() || part.is_message() || opaque {
            lines.push(format!("{depth} {kind} -"));
        } else {
            lines.push(format!("{depth} {kind} {} {}", part.octets(), part.lines()));
        }
        let from = pending.len();
        pending.extend(part.children().chain(part.nested()).map(|child| (child, depth + 1)));
        pending[from..].reverse();
    }
    lines.join(";")
}

/// Python keeps sizes of octet streams, but not of what only we call one.
fn without_octet_stream_sizes(parts: &str) -> String {
    let line = |line: &str| match line.split_once(" application/octet-stream ") {
        Some((depth, _)) => format!("{depth} application/octet-stream -"),
        None => line.to_owned(),
    };
    parts.split(';').map(line).collect::<Vec<_>>().join(";")
}

fn lower(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).to_ascii_lowercase()
}

fn addresses(list: Addresses<'_>) -> String {
    let one = |address: message::Address<'_>| {
        let host = String::from_utf8_lossy(address.host.bytes).into_owned();
        let mailbox = String::from_utf8_lossy(address.mailbox.bytes).into_owned();
        if host.is_empty() { mailbox } else { format!("{mailbox}@{host}").replace('"', "") }
    };
    list.into_iter().filter(|address| !address.host.is_nil()).map(one).collect::<Vec<_>>().join(" ")
}

#[test]
fn python_finds_the_same_parts_addresses_and_dates() {
    let paths = messages();
    let answers = ask_python(&paths);
    assert_eq!(answers.len(), paths.len());
    let mut skipped: BTreeMap<&str, usize> = BTreeMap::new();
    let mut differences = Vec::new();
    for (path, python) in paths.iter().zip(&answers) {
        if !python.skip.is_empty() {
            *skipped.entry(&python.skip).or_default() += 1;
            continue;
        }
        let octets = std::fs::read(path).expect("readable");
        let derived = derive(&octets);
        let summary = Summary::new(&derived.summary).expect("own summary");
        structure_of(&octets, &summary);
        let date = summary.sent_date().map_or("?".to_owned(), |date| date.unix_seconds.to_string());
        let envelope = summary.envelope();
        for (what, ours, theirs) in [
            ("parts", parts_line(&summary.structure()), without_octet_stream_sizes(&python.parts)),
            ("from", addresses(envelope.from), python.from.clone()),
            ("to", addresses(envelope.to), python.to.clone()),
            ("date", date, python.date.clone()),
        ] {
            if ours != theirs && theirs != "?" {
                differences.push(format!("{} {what}\n  ours   {ours}\n  theirs {theirs}", path.display()));
            }
        }
    }
    let skips: usize = skipped.values().sum();
    assert!(skips * 8 < paths.len(), "skipped too many: {skipped:?}");
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
}

/// A body without white space: mailparse leaves the line end before a delimiter in it, makes every line end CRLF in
/// quoted-printable, and keeps some of the padding.
fn plain(octets: &[u8]) -> Vec<u8> {
    octets.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect()
}

/// Compares a part with what mailparse found, and the decoded bodies of leaves.
fn compare_with_mailparse(
    octets: &[u8],
    ours: &Part<'_>,
    theirs: &mailparse::ParsedMail<'_>,
) -> Result<(), String> {
    let kind = format!("{}/{}", lower(ours.media_type().bytes), lower(ours.subtype().bytes));
    let same_type = kind == theirs.ctype.mimetype.to_ascii_lowercase();
    // mailparse knows no default type for digests, descends into no message, and keeps a type that is none.
    if !same_type
        && kind != "message/rfc822"
        && kind != "application/octet-stream"
        && theirs.ctype.mimetype.contains('/')
    {
        return Err(format!("{kind} is {}", theirs.ctype.mimetype));
    }
    if ours.is_multipart() {
        let children: Vec<_> = ours.children().collect();
        let only_ours = theirs.subparts.is_empty() && children.len() == 1 && children[0].octets() == 0;
        if children.len() != theirs.subparts.len() && !only_ours {
            return Err(format!("{} parts are {}", children.len(), theirs.subparts.len()));
        }
        return children
            .iter()
            .zip(&theirs.subparts)
            .try_for_each(|(a, b)| compare_with_mailparse(octets, a, b));
    }
    if ours.is_message() || !same_type {
        return Ok(());
    }
    let body = support::octets(octets, ours.body());
    let mut decoded = Vec::new();
    let Some(mut decoder) = Decoder::new(ours.encoding().bytes) else { return Ok(()) };
    let result = decoder.push(body, &mut decoded).and_then(|()| decoder.finish(&mut decoded));
    match (result, theirs.get_body_raw()) {
        // It drops raw 8-bit octets from quoted-printable.
        (Ok(()), Ok(raw)) if plain(&decoded) != plain(&raw) && body.is_ascii() => {
            Err(format!("a body of {kind} decodes otherwise"))
        }
        _ => Ok(()),
    }
}

/// mailparse takes a delimiter for another that begins alike, and knows no boundary with a charset.
fn boundaries_confuse_mailparse(root: &Part<'_>) -> bool {
    let mut boundaries: Vec<&[u8]> = Vec::new();
    let mut pending = vec![*root];
    while let Some(part) = pending.pop() {
        if part.is_multipart() {
            let Some(boundary) = part.params().find("boundary") else { return true };
            if boundaries
                .iter()
                .any(|other| other.starts_with(boundary.bytes) || boundary.bytes.starts_with(other))
            {
                return true;
            }
            boundaries.push(boundary.bytes);
        }
        pending.extend(part.children().chain(part.nested()));
    }
    false
}

#[test]
fn mailparse_finds_the_same_parts_and_decodes_the_same_bodies() {
    let mut differences = Vec::new();
    let paths = messages();
    let mut compared = 0;
    for (path, python) in paths.iter().zip(ask_python(&paths)) {
        let octets = std::fs::read(path).expect("readable");
        let derived = derive(&octets);
        let summary = Summary::new(&derived.summary).expect("own summary");
        let Ok(theirs) = mailparse::parse_mail(&octets) else { continue };
        if !python.skip.is_empty() || boundaries_confuse_mailparse(&summary.structure()) {
            continue;
        }
        compared += 1;
        if let Err(difference) = compare_with_mailparse(&octets, &summary.structure(), &theirs) {
            differences.push(format!("{}: {difference}", path.display()));
        }
    }
    assert!(compared * 8 >= paths.len() * 7, "{compared} of {}", paths.len());
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn mail_parser_decodes_the_same_subjects() {
    let mut differences = Vec::new();
    for path in messages() {
        let octets = std::fs::read(&path).expect("readable");
        let Some(theirs) = mail_parser::MessageParser::default().parse_headers(&octets) else { continue };
        let Some(ours) = header_values(&octets, b"Subject").into_iter().next() else { continue };
        // Words and raw text that touch come apart in mail-parser.
        let normal = |text: &str| text.split_whitespace().collect::<String>();
        let (ours, theirs) = (normal(&ours), normal(theirs.subject().unwrap_or_default()));
        // Octets that no charset covers: mail-parser gives up on them, we read them as windows-1252. After a field that it
        // cannot read it may find no subject at all.
        if ours != theirs && !theirs.contains('\u{fffd}') && !theirs.is_empty() {
            differences.push(format!("{}\n  ours   {ours}\n  theirs {theirs}", path.display()));
        }
    }
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
}
