//! Reads values out of a TOML tree, gathering every mistake with its line instead of stopping at the first.

use std::cell::RefCell;
use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::ops::Range;
use std::path::PathBuf;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::suggest::nearest;

/// A mistake in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Its line, from 1; `None` when it is about the file as a whole.
    pub line: Option<usize>,
    /// What is wrong and, where known, what would be right.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}

/// A parsed file and what was found wrong with it.
pub struct Document<'a> {
    text: &'a str,
    root: Spanned<DeTable<'a>>,
    problems: RefCell<Vec<Problem>>,
}

impl<'a> Document<'a> {
    /// Parses as much as can be parsed.
    pub fn parse(text: &'a str) -> Self {
        let (root, errors) = DeTable::parse_recoverable(text);
        let document = Self { text, root, problems: RefCell::default() };
        for error in errors {
            document.note(error.span(), error.message().to_owned());
        }
        document
    }

    /// The top level.
    pub fn top(&self) -> Section<'_> {
        Section {
            document: self,
            name: "",
            table: Some(self.root.get_ref()),
            known: Vec::new(),
            sections: Vec::new(),
        }
    }

    /// The verdict, mistakes in the order of their lines.
    pub fn finish(self) -> Result<(), Vec<Problem>> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| problem.line);
        problems.dedup();
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn note(&self, span: Option<Range<usize>>, text: String) {
        let before = span.map(|span| &self.text.as_bytes()[..span.start.min(self.text.len())]);
        let line = before.map(|before| before.iter().filter(|&&byte| byte == b'\n').count() + 1);
        self.problems.borrow_mut().push(Problem { line, text });
    }
}

/// One table of the file (or its absence), read key by key.
pub struct Section<'a> {
    document: &'a Document<'a>,
    name: &'static str,
    table: Option<&'a DeTable<'a>>,
    known: Vec<&'static str>,
    sections: Vec<&'static str>,
}

impl<'a> Section<'a> {
    /// The table below this one with that name.
    pub fn section(&mut self, name: &'static str) -> Section<'a> {
        self.sections.push(name);
        let value = self.value(name);
        let table = value.and_then(|value| {
            let table = value.get_ref().as_table();
            if table.is_none() {
                self.document.note(Some(value.span()), format!("`{name}` is a section: write `[{name}]`"));
            }
            table
        });
        Section { document: self.document, name, table, known: Vec::new(), sections: Vec::new() }
    }

    /// A path.
    pub fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        self.text(key, "a path in quotes").filter(|path| !path.is_empty()).map(PathBuf::from)
    }

    /// One of a few words.
    pub fn choice(&mut self, key: &'static str, words: &[&'static str]) -> Option<&'static str> {
        let all = words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
        let given = self.text(key, &format!("one of {all}"))?;
        let word = words.iter().find(|word| **word == given).copied();
        if word.is_none() {
            self.refuse(key, &format!("must be one of {all}{}", did_you_mean(given, words)));
        }
        word
    }

    /// A number from `min` to `max`; one that counts bytes may be written as "100 MiB".
    pub fn number(&mut self, key: &'static str, min: u64, max: u64) -> Option<u64> {
        let value = self.value(key)?;
        let number = match value.get_ref() {
            DeValue::Integer(digits) => {
                u64::from_str_radix(&digits.as_str().replace('_', ""), digits.radix()).ok()
            }
            DeValue::String(text) if key.ends_with("_bytes") => parse_size(text),
            _ => None,
        };
        match number {
            Some(number) if (min..=max).contains(&number) => Some(number),
            _ => {
                let form = if key.ends_with("_bytes") { " (\"64 MiB\" is fine too)" } else { "" };
                self.refuse(key, &format!("must be a number from {min} to {max}{form}"));
                None
            }
        }
    }

    /// One address with its port.
    pub fn address(&mut self, key: &'static str) -> Option<SocketAddr> {
        let text = self.text(key, "an address and a port, as in \"127.0.0.1:9143\"")?;
        self.parse_address(key, text)
    }

    /// Several addresses with their ports. An empty list is a choice too: not to listen.
    pub fn addresses(&mut self, key: &'static str) -> Option<Vec<SocketAddr>> {
        let value = self.value(key)?;
        let Some(items) = value.get_ref().as_array() else {
            self.refuse(key, "must be a list of addresses, as in [\"[::]:143\"]");
            return None;
        };
        let texts: Vec<Option<&str>> = items.iter().map(|item| item.get_ref().as_str()).collect();
        if texts.iter().any(Option::is_none) {
            self.refuse(key, "must be a list of addresses in quotes, as in [\"[::]:143\"]");
        }
        Some(texts.into_iter().flatten().filter_map(|text| self.parse_address(key, text)).collect())
    }

    /// Notes that a key's value will not do.
    pub fn refuse(&mut self, key: &str, reason: &str) {
        let span = self.table.and_then(|table| find(table, key)).map(|(key, _)| key.span());
        self.document.note(span, format!("`{}` {reason}", self.full_name(key)));
    }

    /// Refuses the keys nobody asked for.
    pub fn done(self) {
        for (key, value) in self.table.into_iter().flatten() {
            let name: &str = key.get_ref();
            if self.known.contains(&name) {
                continue;
            }
            let is_table = value.get_ref().as_table().is_some();
            let kind = if is_table { "section" } else { "key" };
            let candidates = if is_table && self.name.is_empty() { &self.sections } else { &self.known };
            let hint = did_you_mean(name, candidates);
            self.document.note(Some(key.span()), format!("unknown {kind} `{}`{hint}", self.full_name(name)));
        }
    }

    fn text(&mut self, key: &'static str, form: &str) -> Option<&'a str> {
        let text = self.value(key)?.get_ref().as_str();
        if text.is_none() {
            self.refuse(key, &format!("must be {form}"));
        }
        text
    }

    fn value(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.known.push(key);
        self.table.and_then(|table| find(table, key)).map(|(_, value)| value)
    }

    fn parse_address(&mut self, key: &str, text: &str) -> Option<SocketAddr> {
        let local = text.strip_prefix("localhost:").and_then(|port| port.parse().ok());
        let address = match local {
            Some(port) => ("127.0.0.1", port).to_socket_addrs().ok().and_then(|mut found| found.next()),
            None => text.parse().ok(),
        };
        if address.is_none() {
            let form = "an IP address and a port, as in \"192.0.2.1:143\" or \"[::]:143\"";
            self.refuse(key, &format!("must be {form}, not \"{text}\""));
        }
        address
    }

    fn full_name(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }
}

fn find<'a>(
    table: &'a DeTable<'a>,
    key: &str,
) -> Option<(&'a Spanned<std::borrow::Cow<'a, str>>, &'a Spanned<DeValue<'a>>)> {
    table.iter().find(|(name, _)| name.get_ref() == key)
}

fn did_you_mean(word: &str, known: &[&str]) -> String {
    nearest(word, known).map(|known| format!(" (did you mean `{known}`?)")).unwrap_or_default()
}

/// `"64 MiB"`, `"64MB"`, `"65536"`; binary and decimal units.
fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let unit: u64 = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kib" | "k" => 1 << 10,
        "mib" | "m" => 1 << 20,
        "gib" | "g" => 1 << 30,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        _ => return None,
    };
    number.checked_mul(unit)
}
