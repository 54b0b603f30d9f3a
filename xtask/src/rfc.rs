//! `rfc/index.tsv`: which document of the RFC series we follow, how far, and which file carries it.

use crate::repository::Repository;
use crate::shell::{cargo, output};
use crate::{Failure, marked};
use std::collections::BTreeMap;

/// Where the index is.
pub const INDEX: &str = "rfc/index.tsv";

/// How far we follow a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// All that a server has to do.
    Whole,
    /// Some of it; the title says which part.
    Part,
    /// Nothing yet; it is listed so that the gap is known.
    None,
}

/// One line of the index.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number in the file, from 1.
    pub number: usize,
    pub rfc: u16,
    /// The document's title, or the section that this line is about.
    pub title: String,
    pub status: Status,
    /// The capability that announces it, where there is one.
    pub capability: Option<String>,
    /// The file that carries it, from the repository's root.
    pub file: Option<String>,
}

impl Line {
    /// RFC, title, status, capability, file, with tabs between; `-` where there is none.
    fn parse(number: usize, text: &str) -> Result<Self, Failure> {
        let columns: Vec<&str> = text.split('\t').collect();
        let [rfc, title, status, capability, file] = columns[..] else {
            return Err(format!("{INDEX}:{number}: {} columns, not 5", columns.len()));
        };
        let rfc = rfc.parse().map_err(|_| format!("{INDEX}:{number}: `{rfc}` is not an RFC's number"))?;
        let status = match status {
            "whole" => Status::Whole,
            "part" => Status::Part,
            "none" => Status::None,
            other => return Err(format!("{INDEX}:{number}: `{other}` is not whole, part or none")),
        };
        let some = |column: &str| (column != "-").then(|| column.to_owned());
        Ok(Self {
            number,
            rfc,
            title: title.to_owned(),
            status,
            capability: some(capability),
            file: some(file),
        })
    }
}

/// The lines of an index; empty ones and those that begin with `#` say nothing.
pub fn index(text: &str) -> Result<Vec<Line>, Failure> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines.map(|(at, line)| Line::parse(at + 1, line)).collect()
}

/// One row of `imap`'s registry, or a capability that has none, or a response code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Empty for what is in no CAPABILITY answer: parts of the base protocol, response codes.
    pub capability: String,
    pub rfc: u16,
    /// `command`, `fetch item`, …, `response code`; empty for a capability that has no rows.
    pub kind: String,
    pub name: String,
    /// From `crates/imap/src/`.
    pub file: String,
}

impl Row {
    /// As `crates/imap/examples/registry.rs` prints it.
    pub fn parse(line: &str) -> Result<Self, Failure> {
        let columns: Vec<&str> = line.split('\t').collect();
        let [capability, rfc, kind, name, file] = columns[..] else {
            return Err(format!("the registry printed {} columns, not 5: {line}", columns.len()));
        };
        let rfc =
            rfc.parse().map_err(|_| format!("the registry printed `{rfc}` for an RFC's number: {line}"))?;
        let [capability, kind, name, file] = [capability, kind, name, file].map(str::to_owned);
        Ok(Self { capability, rfc, kind, name, file })
    }
}

/// All rows, asked of the program itself, so that no second list can differ from it.
pub fn registry(repository: &Repository) -> Result<Vec<Row>, Failure> {
    let printed =
        output(cargo(&repository.root).args(["run", "--quiet", "-p", "imap", "--example", "registry"]))?;
    printed.lines().map(Row::parse).collect()
}

/// The table for people, one line for each capability, in the order of the registry.
pub fn table(rows: &[Row], index: &[Line]) -> String {
    let mut table = String::from("| Capability | RFC | Title | |\n|---|---|---|---|\n");
    let mut told: Vec<&str> = Vec::new();
    for row in rows.iter().filter(|row| !row.capability.is_empty()) {
        let capability = row.capability.as_str();
        if told.contains(&capability) {
            continue;
        }
        told.push(capability);
        let line = index.iter().find(|line| line.capability.as_deref() == Some(capability));
        let (title, status) = line.map_or(("", Status::None), |line| (line.title.as_str(), line.status));
        let remark = if status == Status::Part { "in part" } else { "" };
        let link = format!("[{0}](https://www.rfc-editor.org/rfc/rfc{0})", row.rfc);
        table.push_str(&format!("| `{capability}` | {link} | {title} | {remark} |\n"));
    }
    table
}

/// The README as it should be.
pub fn readme(repository: &Repository, rows: &[Row], index: &[Line]) -> Result<String, Failure> {
    marked::with_part("README.md", &repository.text("README.md")?, "capabilities", &table(rows, index))
}

/// `cargo xtask rfc`: prints how far we are, after checking that the files named are there.
pub fn print(repository: &Repository) -> Result<(), Failure> {
    let index = index(&repository.text(INDEX)?)?;
    let absent = index.iter().filter_map(|line| line.file.as_deref()).filter(|file| !repository.has(file));
    let absent: Vec<String> = absent.map(|file| format!("{INDEX}: there is no {file}")).collect();
    if !absent.is_empty() {
        return Err(absent.join("\n"));
    }
    let mut counts: BTreeMap<Status, usize> = BTreeMap::new();
    for line in &index {
        *counts.entry(line.status).or_default() += 1;
        let capability = line.capability.as_deref().unwrap_or("-");
        println!("{:>5}  {:<6} {:<22} {}", line.rfc, word(line.status), capability, line.title);
    }
    let counts = counts.into_iter().map(|(status, count)| format!("{count} {}", word(status)));
    println!("{}", counts.collect::<Vec<_>>().join(", "));
    Ok(())
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Whole => "whole",
        Status::Part => "part",
        Status::None => "none",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_or_refused_with_its_number() {
        let text = "# RFC\ttitle\n2177\tIDLE command\twhole\tIDLE\tcrates/imap/src/ext/idle.rs\n\n5550\tLemonade\tnone\t-\t-\n";
        let lines = index(text).expect("an index");
        assert_eq!((lines[0].rfc, lines[0].number, lines[0].capability.as_deref()), (2177, 2, Some("IDLE")));
        assert_eq!((lines[1].number, lines[1].status, &lines[1].file), (4, Status::None, &None));
        for wrong in ["2177\tIDLE", "idle\tIDLE\twhole\t-\t-", "2177\tIDLE\tperhaps\t-\t-"] {
            let failure = index(&format!("\n{wrong}")).expect_err("it is wrong");
            assert!(failure.starts_with("rfc/index.tsv:2: "), "{failure}");
        }
    }

    #[test]
    fn the_table_has_one_line_for_each_capability() {
        let rows = [
            Row::parse("IDLE\t2177\tcommand\tIDLE\text/idle.rs"),
            Row::parse("OBJECTID\t8474\tfetch item\tEMAILID\text/objectid.rs"),
            Row::parse("OBJECTID\t8474\tsearch key\tEMAILID\text/objectid.rs"),
            Row::parse("\t9051\tresponse code\tTRYCREATE\tresponse/code.rs"),
        ];
        let rows = rows.map(|row| row.expect("a row"));
        let index = index("8474\tObject identifiers\tpart\tOBJECTID\t-").expect("an index");
        let table = table(&rows, &index);
        assert_eq!(table.lines().count(), 4);
        assert!(table.ends_with("rfc8474) | Object identifiers | in part |\n"), "{table}");
    }
}
