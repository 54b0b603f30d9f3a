//! Goes once over the octets of a message, in pieces of any size, and derives what is kept beside them.
//!
//! Here is the reading of lines: what is a header line, what may be a delimiter line, what is content. [`Tree`] knows which
//! entity the octets belong to. Only a line that begins with `--` while a multipart is open is ever held back, and only up
//! to [`limits::DELIMITER_OCTETS_MAX`]; content is passed over with two vector searches and never copied.

use memchr::{memchr, memchr_iter, memmem};

use crate::limits;
use crate::tree::{Position, Tree};

/// What is computed once at delivery and stored beside the message. The store need not look inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derived {
    /// For [`Summary`](crate::Summary).
    pub summary: Vec<u8>,
    /// For [`SearchText`](crate::SearchText).
    pub text: Vec<u8>,
}

/// Derives from a message that is whole.
#[must_use]
pub fn derive(octets: &[u8]) -> Derived {
    let mut scanner = Scanner::new();
    scanner.push(octets);
    scanner.finish()
}

/// Derives from a message while it arrives: linear time, bounded memory, whatever its size and whatever is in it. How the
/// octets are cut into pieces does not show in the result.
pub struct Scanner {
    tree: Tree,
    position: Position,
    /// The octets before the position end a line, or there are none.
    at_line_start: bool,
    /// The last octet before the position.
    last: u8,
    /// The header line being read is `\r` so far.
    only_cr: bool,
    /// The beginning of a line that may be a delimiter; not yet counted in the position.
    held: Vec<u8>,
    delimiter_like: memmem::Finder<'static>,
}

impl Default for Scanner {
    fn default() -> Scanner {
        Scanner::new()
    }
}

impl Scanner {
    /// A scanner at the start of a message.
    #[must_use]
    pub fn new() -> Scanner {
        Scanner {
            tree: Tree::new(),
            position: Position::default(),
            at_line_start: true,
            last: 0,
            only_cr: false,
            held: Vec::new(),
            delimiter_like: memmem::Finder::new(b"\n--"),
        }
    }

    /// Takes the next octets of the message.
    pub fn push(&mut self, octets: &[u8]) {
        let mut rest = octets;
        while !rest.is_empty() {
            let used = if !self.held.is_empty() || self.may_be_delimiter(rest) {
                self.take_candidate(rest)
            } else if self.tree.in_header() {
                self.take_header(rest)
            } else {
                self.take_body(rest)
            };
            rest = &rest[used..];
        }
    }

    /// Ends the message.
    #[must_use]
    pub fn finish(mut self) -> Derived {
        if !self.held.is_empty() {
            let line = std::mem::take(&mut self.held);
            self.line(&line);
        }
        self.tree.finish(self.position)
    }

    /// Could a delimiter line begin here? Undecided, if all that is there is one dash.
    fn may_be_delimiter(&self, rest: &[u8]) -> bool {
        self.at_line_start && self.tree.awaits_delimiter() && (rest.starts_with(b"--") || rest == b"-")
    }

    /// Holds octets back until the line is whole, or cannot be a delimiter any more.
    fn take_candidate(&mut self, rest: &[u8]) -> usize {
        if self.held == b"-" && rest[0] != b'-' {
            let dash = std::mem::take(&mut self.held);
            self.content(&dash);
            return 0;
        }
        let room = limits::DELIMITER_OCTETS_MAX - self.held.len();
        let look = &rest[..rest.len().min(room)];
        let (used, whole) = match memchr(b'\n', look) {
            Some(at) => (at + 1, true),
            None => (look.len(), false),
        };
        self.held.extend_from_slice(&look[..used]);
        if whole {
            let line = std::mem::take(&mut self.held);
            self.line(&line);
            self.held = line;
            self.held.clear();
        } else if self.held.len() == limits::DELIMITER_OCTETS_MAX {
            let content = std::mem::take(&mut self.held);
            self.content(&content);
        }
        used
    }

    /// A whole line that begins with dashes.
    fn line(&mut self, line: &[u8]) {
        let after = self.after(line);
        if self.tree.delimiter(line, self.position, after) {
            self.advance(line);
        } else {
            self.content(line);
        }
    }

    /// Octets that are no delimiter, with at most one line end, at their end.
    fn content(&mut self, octets: &[u8]) {
        if self.tree.in_header() { self.header_octets(octets) } else { self.body_octets(octets) }
    }

    fn take_header(&mut self, rest: &[u8]) -> usize {
        let used = memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        self.header_octets(&rest[..used]);
        used
    }

    /// A header line or a piece of one. The blank line ends the header.
    fn header_octets(&mut self, octets: &[u8]) {
        let blank = match octets {
            b"\n" => self.at_line_start || self.only_cr,
            b"\r\n" => self.at_line_start,
            _ => false,
        };
        self.only_cr = self.at_line_start && octets == b"\r";
        self.tree.push_header(octets);
        self.advance(octets);
        if blank {
            self.tree.end_header(self.position);
        }
    }

    /// Passes over content up to the next line that begins with dashes, if anybody waits for one.
    fn take_body(&mut self, rest: &[u8]) -> usize {
        let used = if self.tree.awaits_delimiter() {
            match self.delimiter_like.find(rest) {
                Some(at) => at + 1,
                // The piece may end in the middle of what is looked for.
                None if rest.ends_with(b"\n-") => rest.len() - 1,
                None => rest.len(),
            }
        } else {
            rest.len()
        };
        self.body_octets(&rest[..used]);
        used
    }

    fn body_octets(&mut self, octets: &[u8]) {
        self.tree.push_body(octets);
        self.advance(octets);
    }

    fn advance(&mut self, octets: &[u8]) {
        self.position = self.after(octets);
        if let Some(&last) = octets.last() {
            self.at_line_start = last == b'\n';
            self.last = last;
        }
    }

    /// The position after `octets`.
    fn after(&self, octets: &[u8]) -> Position {
        let line_end = match octets {
            [.., b'\r', b'\n'] => 2,
            [b'\n'] if self.last == b'\r' => 2,
            [.., b'\n'] => 1,
            [..] => 0,
        };
        Position {
            octets: self.position.octets + octets.len() as u64,
            lines: self.position.lines + memchr_iter(b'\n', octets).count() as u64,
            line_end,
        }
    }
}
