//! Address lists (RFC 5322 section 3.4 and the obsolete forms of section 4.4), in one pass over the octets.
//!
//! The reader takes whatever stands in a field and makes the addresses of an IMAP envelope out of it (RFC 9051 section
//! 7.5.2). There a NIL host marks the syntax of groups, so an address without a host has an *empty* host here, and one
//! without a local part an empty mailbox.

use crate::encoded_word;
use crate::header::trim_end;
use crate::token;

/// One item of an address list, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Item<'a> {
    Mailbox { name: Option<&'a [u8]>, route: Option<&'a [u8]>, mailbox: &'a [u8], host: &'a [u8] },
    GroupStart { name: &'a [u8] },
    GroupEnd,
}

/// Reads an unfolded field and hands its items to `each` until that takes no more: it takes the item and returns false. Groups
/// that were begun are ended all the same.
pub(crate) fn parse(field: &[u8], each: &mut dyn FnMut(Item<'_>) -> bool) {
    let mut list = List { rest: field, address: Address::default(), in_group: false, each, stopped: false };
    list.run();
}

struct List<'a, 'b> {
    rest: &'a [u8],
    address: Address,
    in_group: bool,
    each: &'b mut dyn FnMut(Item<'_>) -> bool,
    stopped: bool,
}

/// The address that is being read.
#[derive(Default)]
struct Address {
    /// All words outside of `<>`, each after one space: the display name, if `<` follows.
    phrase: Vec<u8>,
    /// Where the local part begins in `phrase` if this turns out to be an address without `<>`.
    local_start: usize,
    words: usize,
    /// The last comment: the display name of an address without phrase (`user@host (Name)`).
    comment: Vec<u8>,
    local: Vec<u8>,
    host: Vec<u8>,
    route: Vec<u8>,
    at: bool,
    angle: bool,
}

impl Address {
    fn clear(&mut self) {
        for buffer in [&mut self.phrase, &mut self.comment, &mut self.local, &mut self.host, &mut self.route]
        {
            buffer.clear();
        }
        (self.local_start, self.words, self.at, self.angle) = (0, 0, false, false);
    }

    /// A word outside of `<>`.
    fn add_word(&mut self, word: &[u8]) {
        if self.at && self.host.is_empty() {
            self.host.extend_from_slice(word);
            self.phrase.extend_from_slice(word);
            return;
        }
        // `john . doe @ host . example` is an obsolete form of `john.doe@host.example`.
        if self.at {
            if self.host.ends_with(b".") || word.starts_with(b".") {
                self.host.extend_from_slice(word);
            }
        } else if self.local.ends_with(b".") || word.starts_with(b".") {
            self.local.extend_from_slice(word);
        } else {
            self.local.clear();
            self.local.extend_from_slice(word);
            self.local_start = self.phrase.len();
        }
        if !self.phrase.is_empty() {
            self.phrase.push(b' ');
        }
        self.phrase.extend_from_slice(word);
        self.words += 1;
    }

    /// An `@` outside of `<>`.
    fn add_at(&mut self) {
        if self.at {
            // A second one: all before it is the local part.
            self.local.push(b'@');
            self.local.append(&mut self.host);
        }
        self.at = true;
        self.phrase.push(b'@');
    }

    fn item(&self) -> Option<Item<'_>> {
        let comment = (!self.comment.is_empty()).then_some(self.comment.as_slice());
        let route = (!self.route.is_empty()).then_some(self.route.as_slice());
        if self.angle {
            let name = (!self.phrase.is_empty()).then_some(self.phrase.as_slice()).or(comment);
            return Some(Item::Mailbox { name, route, mailbox: &self.local, host: &self.host });
        }
        if self.at || self.words == 1 {
            let before = trim_end(&self.phrase[..self.local_start.min(self.phrase.len())]);
            let name = comment.or((!before.is_empty()).then_some(before));
            return Some(Item::Mailbox { name, route, mailbox: &self.local, host: &self.host });
        }
        // Words without any address: a name is all there is to show.
        (self.words > 0).then_some(Item::Mailbox { name: Some(&self.phrase), route, mailbox: b"", host: b"" })
    }
}

impl<'a> List<'a, '_> {
    fn run(&mut self) {
        while let Some(&octet) = self.rest.first()
            && !self.stopped
        {
            match octet {
                b' ' | b'\t' => self.skip(),
                b'(' => self.comment(),
                b'"' => self.quoted(),
                b'<' => self.angle(),
                b',' => {
                    self.end_address();
                    self.skip();
                }
                b';' => {
                    self.end_address();
                    self.end_group();
                    self.skip();
                }
                b':' => self.colon(),
                b'@' => {
                    if !self.address.angle {
                        self.address.add_at();
                    }
                    self.skip();
                }
                b'[' if self.address.at && self.address.host.is_empty() => {
                    let literal = self.domain_literal();
                    self.address.host.extend_from_slice(literal);
                    self.address.phrase.extend_from_slice(literal);
                }
                b')' | b'>' => self.skip(),
                _ => {
                    let word = self.atom();
                    if !self.address.angle {
                        self.address.add_word(word);
                    }
                }
            }
        }
        self.end_address();
        self.end_group();
    }

    fn skip(&mut self) {
        self.rest = &self.rest[1..];
    }

    /// A run of anything that is neither white space nor special. An encoded word is one atom, whatever its octets.
    fn atom(&mut self) -> &'a [u8] {
        let ends = |octet: &u8| b" \t()<>:;@,\"".contains(octet);
        let len = match encoded_word::read(self.rest) {
            Some(word) => word.len,
            // The first octet always belongs to the atom, so that reading gets on.
            None => self.rest.iter().skip(1).position(ends).map_or(self.rest.len(), |at| at + 1),
        };
        let (atom, rest) = self.rest.split_at(len);
        self.rest = rest;
        atom
    }

    fn comment(&mut self) {
        self.address.comment.clear();
        self.rest = token::comment(self.rest, &mut self.address.comment);
        let trimmed = trim_end(&self.address.comment).len();
        self.address.comment.truncate(trimmed);
    }

    fn quoted(&mut self) {
        let mut word = Vec::new();
        self.rest = token::quoted_string(self.rest, &mut word);
        if !self.address.angle {
            self.address.add_word(&word);
        }
    }

    fn domain_literal(&mut self) -> &'a [u8] {
        let len = self.rest.iter().position(|&octet| octet == b']').map_or(self.rest.len(), |at| at + 1);
        let (literal, rest) = self.rest.split_at(len);
        self.rest = rest;
        literal
    }

    fn colon(&mut self) {
        self.skip();
        if self.in_group || self.address.at || self.address.angle {
            return;
        }
        self.in_group = true;
        self.emit(|address| Some(Item::GroupStart { name: &address.phrase }));
        self.address.clear();
    }

    /// `angle-addr = "<" [obs-route] addr-spec ">"`
    fn angle(&mut self) {
        if self.address.angle {
            // A comma is missing before it.
            self.end_address();
        }
        self.skip();
        self.address.angle = true;
        self.address.local.clear();
        self.address.host.clear();
        self.route();
        let mut at = false;
        let mut space = false;
        while let Some(&octet) = self.rest.first() {
            match octet {
                b'>' => {
                    self.skip();
                    return;
                }
                b',' | b'<' => return,
                b' ' | b'\t' => {
                    space = true;
                    self.skip();
                    continue;
                }
                b')' => self.skip(),
                b'(' => self.comment(),
                b'@' => {
                    if at {
                        self.address.local.push(b'@');
                        let host = std::mem::take(&mut self.address.host);
                        self.address.local.extend_from_slice(&host);
                    }
                    at = true;
                    self.skip();
                }
                b'"' if !at => self.rest = token::quoted_string(self.rest, &mut self.address.local),
                b'[' if at => {
                    let literal = self.domain_literal();
                    self.address.host.extend_from_slice(literal);
                }
                _ => {
                    let atom = self.atom();
                    let part = if at { &mut self.address.host } else { &mut self.address.local };
                    // Around dots white space means nothing; elsewhere it may not be, and is shown as it is.
                    if space && !part.is_empty() && !part.ends_with(b".") && !atom.starts_with(b".") {
                        part.push(b' ');
                    }
                    part.extend_from_slice(atom);
                }
            }
            space = false;
        }
    }

    /// `obs-route = "@" domain *("," "@" domain) ":"`, if that is what follows; the scan ends where the address does.
    fn route(&mut self) {
        let from = self
            .rest
            .iter()
            .position(|octet| !matches!(octet, b' ' | b'\t' | b','))
            .unwrap_or(self.rest.len());
        if self.rest.get(from) != Some(&b'@') {
            return;
        }
        let route = &self.rest[from..];
        let end =
            route.iter().position(|octet| matches!(octet, b':' | b'>' | b'<' | b';')).unwrap_or(route.len());
        if route.get(end) == Some(&b':') {
            let without_space = route[..end].iter().filter(|octet| !matches!(octet, b' ' | b'\t'));
            self.address.route.extend(without_space);
            self.rest = &route[end + 1..];
        }
    }

    fn end_address(&mut self) {
        self.emit(|address| address.item());
        self.address.clear();
    }

    fn end_group(&mut self) {
        if self.in_group {
            self.in_group = false;
            // Even when the list is cut off: a group that was begun must end.
            (self.each)(Item::GroupEnd);
        }
    }

    fn emit(&mut self, item: impl FnOnce(&Address) -> Option<Item<'_>>) {
        if self.stopped {
            return;
        }
        if let Some(item) = item(&self.address) {
            self.stopped = !(self.each)(item);
        }
    }
}
