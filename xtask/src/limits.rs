//! The table in `docs/limits.md`, written from the constants themselves.
//!
//! A limit is a constant in a file `limits.rs`, or one elsewhere in the server whose name ends in `_MAX`, `_MIN` or
//! `_TIMEOUT`. Its doc comment says unit and reason and becomes the line's last column.

mod value;

use crate::repository::Repository;
use crate::source::{Source, item, name_at, words};
use crate::{Failure, marked};
use std::collections::BTreeMap;
use value::Value;

/// Where the table is.
pub const DOCUMENT: &str = "docs/limits.md";

/// What is built into the server, in the order in which a message meets it.
const CRATES: &[&str] = &["mansio", "imap", "message", "account", "keeper", "store"];

/// One limit.
#[derive(Debug, PartialEq, Eq)]
pub struct Limit {
    pub name: String,
    /// As the source has it.
    pub expression: String,
    /// Its doc comment, in one line.
    pub reason: String,
    /// The file and line it is in.
    pub place: String,
}

/// The limits of a file, in its order.
pub fn limits(source: &Source) -> Vec<Limit> {
    if !source.is_shipped() {
        return Vec::new();
    }
    let all = source.path.ends_with("/limits.rs");
    let code = source.production();
    let mut limits = Vec::new();
    for at in words(&code, "const") {
        let name = name_at(&code, at + "const".len());
        let bounds = ["_MAX", "_MIN", "_TIMEOUT"].iter().any(|ending| name.ends_with(ending));
        let Some((_, expression)) = source.text[item(&code, at)].split_once(" = ") else { continue };
        let is_constant = !name.is_empty()
            && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        if is_constant && (all || bounds) {
            limits.push(Limit {
                name: name.to_owned(),
                expression: expression.trim_end_matches(';').trim().to_owned(),
                reason: doc_above(&source.text, at),
                place: format!("{}:{}", source.path, source.line(at)),
            });
        }
    }
    limits
}

/// The doc comment above the item at `offset`, as one line of Markdown without links into the code.
fn doc_above(text: &str, offset: usize) -> String {
    let above = text[..offset].rfind('\n').map_or("", |end| &text[..end]);
    let docs = above.lines().rev().map(str::trim);
    let mut docs: Vec<&str> =
        docs.take_while(|line| line.starts_with("///") || line.starts_with("#[")).collect();
    docs.reverse();
    let words = docs.iter().filter_map(|line| line.strip_prefix("///")).flat_map(str::split_whitespace);
    words.collect::<Vec<_>>().join(" ").replace("[`", "`").replace("`]", "`").replace('|', "\\|")
}

/// The table, a heading and a part for each crate.
pub fn table(sources: &[Source]) -> String {
    let found: Vec<(&Source, Limit)> = sources
        .iter()
        .flat_map(|source| limits(source).into_iter().map(move |limit| (source, limit)))
        .collect();
    let known: BTreeMap<&str, &str> =
        found.iter().map(|(_, limit)| (limit.name.as_str(), limit.expression.as_str())).collect();
    let mut table = String::new();
    for name in CRATES {
        let here = found.iter().filter(|(source, _)| source.path.starts_with(&format!("crates/{name}/")));
        let mut lines = here.map(|(_, limit)| line(limit, &known)).peekable();
        if lines.peek().is_some() {
            table.push_str(&format!(
                "## {name}\n\n| Limit | Value | What is counted, and why so many |\n|---|---:|---|\n"
            ));
            lines.for_each(|line| table.push_str(&line));
            table.push('\n');
        }
    }
    table
}

fn line(limit: &Limit, known: &BTreeMap<&str, &str>) -> String {
    let value = match Value::of(&limit.expression, known) {
        Some(value) => value.told(&limit.name),
        None => format!("`{}`", limit.expression.split_whitespace().collect::<Vec<_>>().join(" ")),
    };
    format!("| `{}` | {value} | {} |\n", limit.name, limit.reason)
}

/// The document as it should be.
pub fn document(repository: &Repository, sources: &[Source]) -> Result<String, Failure> {
    marked::with_part(DOCUMENT, &repository.text(DOCUMENT)?, "limits", &table(sources))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "/// Octets of a line,\n/// as [`Framer`] counts.\npub const LINE_BYTES_MAX: usize = 64 << 10;\n\
                        const TWICE: usize = 2 * LINE_BYTES_MAX;\npub(crate) const fn no() {}\n\
                        fn f(x: *const u8) {}\n";

    #[test]
    fn a_constant_is_a_limit_by_its_file_or_by_its_name() {
        let names = |path: &str| {
            limits(&Source::new(path, TEXT)).into_iter().map(|limit| limit.name).collect::<Vec<_>>()
        };
        assert_eq!(names("crates/imap/src/limits.rs"), ["LINE_BYTES_MAX", "TWICE"]);
        assert_eq!(names("crates/imap/src/framer.rs"), ["LINE_BYTES_MAX"]);
        assert!(names("crates/imap/tests/framer.rs").is_empty());
    }

    #[test]
    fn the_table_tells_value_and_reason() {
        let table = table(&[Source::new("crates/imap/src/limits.rs", TEXT)]);
        assert!(
            table.contains("| `LINE_BYTES_MAX` | 64 KiB | Octets of a line, as `Framer` counts. |\n"),
            "{table}"
        );
        assert!(table.contains("| `TWICE` | 131,072 |  |\n"), "{table}");
    }
}
