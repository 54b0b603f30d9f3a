//! mbox files (RFC 4155 and its dialects), as a stream: messages parted by `From ` lines, state in headers of its own.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use account::{FlagNames, Flags, InternalDate, MailboxName, SystemFlag, Uid, UidValidity};

use super::Task;
use super::dates;
use super::names::decode_level;
use super::sink::{Counts, Incoming, Origin};
use crate::failure::Failure;

/// Longest piece of a line handled at once, in octets. Longer lines come in pieces, so that one without end takes no memory.
const PIECE_BYTES_MAX: u64 = 64 * 1024;

/// Octets of a header that are looked through for the headers of the mailbox. Beyond them everything is the message's.
const HEADER_BYTES_MAX: usize = 1024 * 1024;

/// Deepest folder looked into.
const DEPTH_MAX: usize = 32;

/// Brings in a file, or every mbox file in a folder.
pub async fn import(task: &Task) -> Result<Counts, Failure> {
    let root = &task.import.path;
    let failure = |path: &Path, error: io::Error| Failure::new(format!("{}: {error}", path.display()));
    let mut files = Vec::new();
    collect(root, &mut Vec::new(), &mut files).map_err(|error| failure(root, error))?;
    if files.is_empty() {
        return Err(Failure::new(format!(
            "{}: no mbox file is there (none begins with `From `)",
            root.display()
        )));
    }
    let mut counts = Counts::default();
    for (path, levels) in files {
        let name = task.mailbox_name(&levels).await;
        counts += import_file(task, &path, &name).await?;
        task.subscribe(name).await?;
    }
    Ok(counts)
}

/// mbox files at and below a path, with the levels of their names.
fn collect(path: &Path, levels: &mut Vec<String>, files: &mut Vec<(PathBuf, Vec<String>)>) -> io::Result<()> {
    if fs::metadata(path)?.is_file() {
        if is_mbox(path)? {
            let levels = if levels.is_empty() { vec![name_of_single(path)] } else { levels.clone() };
            files.push((path.to_owned(), levels));
        }
        return Ok(());
    }
    if levels.len() > DEPTH_MAX {
        return Ok(());
    }
    let mut entries = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        let name = std::os::unix::ffi::OsStrExt::as_bytes(name.as_os_str());
        let kind = entry.file_type()?;
        // Hidden things are other programs'; links could lead round for ever.
        if name.starts_with(b".") || !(kind.is_file() || kind.is_dir()) {
            continue;
        }
        // Thunderbird keeps the folders below `Archive` in `Archive.sbd`.
        let name = name.strip_suffix(b".sbd").or_else(|| name.strip_suffix(b".mbox")).unwrap_or(name);
        levels.push(decode_level(name));
        collect(&entry.path(), levels, files)?;
        levels.pop();
    }
    Ok(())
}

/// A single file keeps its name, unless that name only says what it is.
fn name_of_single(path: &Path) -> String {
    let stem = path.file_name().unwrap_or_default();
    let stem = std::os::unix::ffi::OsStrExt::as_bytes(stem);
    let name = decode_level(stem.strip_suffix(b".mbox").unwrap_or(stem));
    let in_spool = path
        .parent()
        .is_some_and(|parent| parent.ends_with("var/mail") || parent.ends_with("var/spool/mail"));
    if in_spool || matches!(name.to_ascii_lowercase().as_str(), "inbox" | "mbox") {
        "INBOX".to_owned()
    } else {
        name
    }
}

fn is_mbox(path: &Path) -> io::Result<bool> {
    let mut first = Vec::new();
    File::open(path)?.take(5).read_to_end(&mut first)?;
    Ok(first == b"From ")
}

async fn import_file(task: &Task, path: &Path, name: &MailboxName) -> Result<Counts, Failure> {
    let failure = |error: io::Error| Failure::new(format!("{}: {error}", path.display()));
    let mut mbox = Mbox::new(BufReader::new(File::open(path).map_err(failure)?));
    let mut first = mbox.next().map_err(failure)?;
    let base = first.as_ref().map(|head| head.state.base).unwrap_or_default();
    // Dovecot's and UW's own first message holds the state of the file and is nobody's mail.
    if first.as_ref().is_some_and(|head| head.state.is_internal) {
        first = mbox.next().map_err(failure)?;
    }
    let origin = Origin { uid_validity: base.uid_validity, uid_next: base.uid_next, total: None };
    let mut sink = task.sink(name, origin).await?;
    let mut number = 0;
    while let Some(head) = first.take() {
        number += 1;
        let label = format!("{}, message {number}", path.display());
        let mut body = io::Cursor::new(head.octets).chain(Body(&mut mbox));
        let incoming = Incoming {
            uid: head.state.uid,
            flags: head.state.flags,
            date: head.date,
            label: &label,
            body: &mut body,
            stated_bytes: None,
        };
        sink.message(incoming).await?;
        first = mbox.next().map_err(failure)?;
    }
    sink.close().await
}

/// UIDVALIDITY and UIDNEXT of a file, from `X-IMAPbase` (or `X-IMAP`) of its first message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Base {
    uid_validity: Option<UidValidity>,
    uid_next: u32,
}

/// What the mailbox's own headers say of a message.
#[derive(Debug, Default)]
struct State {
    flags: FlagNames,
    uid: Option<Uid>,
    base: Base,
    /// UW-IMAP's pseudo message.
    is_internal: bool,
}

/// The beginning of a message: its header without what the mailbox wrote into it. The rest is read from the [`Mbox`].
struct Head {
    date: InternalDate,
    state: State,
    octets: Vec<u8>,
}

/// What [`Mbox::advance`] found.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    /// Text, in `Mbox::piece`.
    Text,
    /// The end of the message.
    End,
}

/// A file being read.
struct Mbox<R> {
    input: R,
    piece: Vec<u8>,
    /// The next piece begins a line.
    at_line_start: bool,
    /// A blank line (or the beginning of the file) came last: only then does a `From ` line part messages.
    after_blank: bool,
    /// The last line was blank, and is held back until it is known whether a separator follows it.
    blank: Vec<u8>,
    /// The separator that ended the last message.
    separator: Option<InternalDate>,
    ended: bool,
}

impl<R: BufRead> Mbox<R> {
    fn new(input: R) -> Self {
        Self {
            input,
            piece: Vec::new(),
            at_line_start: true,
            after_blank: true,
            blank: Vec::new(),
            separator: None,
            ended: false,
        }
    }

    /// The next message's beginning, what is left of the last one thrown away.
    fn next(&mut self) -> io::Result<Option<Head>> {
        while self.separator.is_none() {
            if self.ended {
                return Ok(None);
            }
            self.advance()?;
        }
        let Some(date) = self.separator.take() else { return Ok(None) };
        self.header(date).map(Some)
    }

    /// Reads a header, taking out the lines that are the mailbox's own.
    fn header(&mut self, date: InternalDate) -> io::Result<Head> {
        let mut head = Head { date, state: State::default(), octets: Vec::new() };
        let (mut own, mut begins) = (false, true);
        while head.octets.len() < HEADER_BYTES_MAX && self.advance()? == Piece::Text {
            // The blank line that ends the header was held back, so what comes begins with it.
            if begins && (self.piece.starts_with(b"\n") || self.piece.starts_with(b"\r\n")) {
                head.octets.append(&mut self.piece);
                break;
            }
            if begins && !self.piece.starts_with(b" ") && !self.piece.starts_with(b"\t") {
                own = head.state.take_header(&self.piece);
            }
            begins = self.piece.ends_with(b"\n");
            if own {
                self.piece.clear();
            } else {
                head.octets.append(&mut self.piece);
            }
        }
        Ok(head)
    }

    /// Reads the next piece of text, a line with the blank line that was held back before it, or a part of a long line.
    fn advance(&mut self) -> io::Result<Piece> {
        self.piece.clear();
        if self.separator.is_some() || self.ended {
            return Ok(Piece::End);
        }
        loop {
            let mut line = Vec::new();
            let begins = self.at_line_start;
            if (&mut self.input).take(PIECE_BYTES_MAX).read_until(b'\n', &mut line)? == 0 {
                // The blank line that ends a file is its writer's, like the one before a separator.
                self.ended = true;
                return Ok(Piece::End);
            }
            self.at_line_start = line.ends_with(b"\n");
            let after_blank = std::mem::replace(&mut self.after_blank, false);
            if begins && matches!(line.as_slice(), b"\n" | b"\r\n") {
                self.after_blank = true;
                self.piece = std::mem::replace(&mut self.blank, line);
                if self.piece.is_empty() {
                    continue;
                }
                return Ok(Piece::Text);
            }
            if begins
                && after_blank
                && line.starts_with(b"From ")
                && let Some(date) = dates::of_from_line(&line)
            {
                self.blank.clear();
                self.separator = Some(date);
                return Ok(Piece::End);
            }
            if begins {
                unquote(&mut line);
            }
            self.piece = std::mem::take(&mut self.blank);
            self.piece.append(&mut line);
            return Ok(Piece::Text);
        }
    }
}

/// mboxrd: `>From ` was `From `, `>>From ` was `>From `.
fn unquote(line: &mut Vec<u8>) {
    let quotes = line.iter().take_while(|&&octet| octet == b'>').count();
    if quotes > 0 && line[quotes..].starts_with(b"From ") {
        line.remove(0);
    }
}

/// What is left of a message after its head.
struct Body<'a, R>(&'a mut Mbox<R>);

impl<R: BufRead> Read for Body<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mbox = &mut *self.0;
        if mbox.piece.is_empty() && mbox.advance()? == Piece::End {
            return Ok(0);
        }
        let octets = mbox.piece.len().min(out.len());
        out[..octets].copy_from_slice(&mbox.piece[..octets]);
        mbox.piece.drain(..octets);
        Ok(octets)
    }
}

impl State {
    /// Takes a header line in if it is the mailbox's own; the names are those that Dovecot hides from clients, so that
    /// sizes stay what they were.
    fn take_header(&mut self, line: &[u8]) -> bool {
        let Some(colon) = line.iter().position(|&octet| octet == b':') else { return false };
        let name = line[..colon].trim_ascii_end().to_ascii_lowercase();
        let value = String::from_utf8_lossy(&line[colon + 1..]);
        let value = value.trim();
        match name.as_slice() {
            b"status" => self.take_letters(value, |letter| match letter {
                'R' => Some(SystemFlag::Seen),
                _ => None,
            }),
            b"x-status" => self.take_letters(value, |letter| match letter {
                'A' => Some(SystemFlag::Answered),
                'F' => Some(SystemFlag::Flagged),
                'T' => Some(SystemFlag::Draft),
                'D' => Some(SystemFlag::Deleted),
                _ => None,
            }),
            b"x-keywords" => self.flags.keywords.extend(value.split_ascii_whitespace().map(str::to_owned)),
            b"x-uid" => self.uid = value.parse().ok().and_then(Uid::new),
            b"x-imapbase" => self.take_base(value),
            b"x-imap" => {
                self.take_base(value);
                self.is_internal = true;
            }
            b"content-length" => {}
            _ => return false,
        }
        true
    }

    fn take_letters(&mut self, letters: &str, flag: impl Fn(char) -> Option<SystemFlag>) {
        for flag in letters.chars().filter_map(flag) {
            self.flags.system = self.flags.system.union(Flags::system(flag));
        }
    }

    /// `<UIDVALIDITY> <last UID> [keywords]`.
    fn take_base(&mut self, value: &str) {
        let mut numbers = value.split_ascii_whitespace().map(|word| word.parse::<u32>().ok());
        self.base.uid_validity = numbers.next().flatten().and_then(UidValidity::new);
        self.base.uid_next = numbers.next().flatten().unwrap_or(0).saturating_add(1);
    }
}

#[cfg(test)]
mod tests;
