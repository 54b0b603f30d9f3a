//! The registry of `imap` against the RFC index and the transcripts: what a table of rows cannot have the compiler check.

use super::Finding;
use crate::Failure;
use crate::repository::Repository;
use crate::rfc::{INDEX, Line, Row, Status};

/// Where the conversations are, one folder for each capability.
const TRANSCRIPTS: &str = "crates/imap/tests/transcripts";

/// What a transcript says of itself: which rows, response codes and capabilities without rows it shows.
pub struct Transcript {
    path: String,
    covers: Vec<String>,
}

impl Transcript {
    /// The first lines of a transcript are `# covers: ROW, ROW, [CODE], CAPABILITY`.
    fn parse(path: &str, text: &str) -> Self {
        let head = text.lines().take_while(|line| line.starts_with('#'));
        let covers = head.filter_map(|line| line.strip_prefix("# covers:")).flat_map(|list| list.split(','));
        let covers = covers.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
        Self { path: path.to_owned(), covers }
    }

    /// All of them.
    pub fn all(repository: &Repository) -> Result<Vec<Self>, Failure> {
        let paths = repository.files(TRANSCRIPTS, ".txt")?;
        paths.iter().map(|path| repository.text(path).map(|text| Self::parse(path, &text))).collect()
    }

    /// The folder it is in: a capability in small letters.
    fn folder(&self) -> &str {
        self.path.rsplit('/').nth(1).unwrap_or_default()
    }
}

/// Names are unique, each row and response code has a transcript, each capability a folder of them, and no transcript
/// names what is not there.
pub fn check(rows: &[Row], transcripts: &[Transcript]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let place = format!("crates/imap/src/{}", row.file);
        let twin = |other: &&Row| (&other.kind, &other.name) == (&row.kind, &row.name);
        if let Some(twin) = rows[..at].iter().find(twin).filter(|_| !row.kind.is_empty()) {
            findings.push(Finding::in_file(
                &place,
                format!("the {} {} is also in {}", row.kind, row.name, twin.file),
            ));
        }
        let shown =
            transcripts.iter().any(|transcript| transcript.covers.iter().any(|name| names(name, row)));
        if !shown && !row.kind.is_empty() {
            findings.push(Finding::in_file(
                &place,
                format!("no transcript covers the {} {}", row.kind, row.name),
            ));
        }
        let has_folder =
            transcripts.iter().any(|transcript| transcript.folder() == row.capability.to_lowercase());
        let is_first = !rows[..at].iter().any(|other| other.capability == row.capability);
        if is_first && !has_folder && !row.capability.is_empty() {
            findings.push(Finding::in_file(&place, format!("no transcript is about {}", row.capability)));
        }
    }
    for transcript in transcripts {
        if transcript.covers.is_empty() {
            findings.push(Finding::in_file(&transcript.path, "its first lines do not say `# covers: …`"));
        }
        let unknown = transcript.covers.iter().filter(|name| !rows.iter().any(|row| names(name, row)));
        findings.extend(
            unknown.map(|name| Finding::in_file(&transcript.path, format!("there is no {name} to cover"))),
        );
    }
    findings
}

/// Whether a name behind `# covers:` means this row. A row's name stands for all kinds that have it.
fn names(name: &str, row: &Row) -> bool {
    match row.kind.as_str() {
        "response code" => name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) == Some(&row.name),
        "" => name == row.capability,
        _ => name == row.name,
    }
}

/// Each capability has a line in the index that names its RFC and its file, and no line claims what is not there.
pub fn check_index(rows: &[Row], index: &[Line], exists: impl Fn(&str) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, row) in rows.iter().enumerate().filter(|(_, row)| !row.capability.is_empty()) {
        if rows[..at].iter().any(|other| other.capability == row.capability) {
            continue;
        }
        let file = format!("crates/imap/src/{}", row.file);
        let carries = |line: &Line| {
            line.capability.as_ref() == Some(&row.capability)
                && line.rfc == row.rfc
                && line.status != Status::None
                && line.file.as_ref() == Some(&file)
        };
        if !index.iter().any(carries) {
            let what = format!("no line has RFC {}, capability {} and file {file}", row.rfc, row.capability);
            findings.push(Finding::in_file(INDEX, what));
        }
    }
    for pair in index.windows(2).filter(|pair| pair[0].rfc > pair[1].rfc) {
        findings.push(in_line(&pair[1], "out of order: lines are sorted by RFC"));
    }
    for line in index {
        let known = |capability: &String| rows.iter().any(|row| row.capability == *capability);
        match (&line.file, line.status) {
            (None, Status::Whole | Status::Part) => findings.push(in_line(line, "no file carries it")),
            (Some(_), Status::None) => {
                findings.push(in_line(line, "a file carries it, but the status is none"))
            }
            (Some(file), _) if !exists(file) => findings.push(in_line(line, &format!("there is no {file}"))),
            _ => {}
        }
        if line.status != Status::None
            && line.capability.as_ref().is_some_and(|capability| !known(capability))
        {
            findings.push(in_line(line, "the registry has no such capability"));
        }
    }
    findings
}

fn in_line(line: &Line, what: &str) -> Finding {
    Finding::in_file(&format!("{INDEX}:{}", line.number), what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rfc::index;

    fn rows(lines: &[&str]) -> Vec<Row> {
        lines.iter().map(|line| Row::parse(line).expect("a row")).collect()
    }

    fn transcript(folder: &str, text: &str) -> Transcript {
        Transcript::parse(&format!("{TRANSCRIPTS}/{folder}/x.txt"), text)
    }

    #[test]
    fn a_row_needs_a_transcript_and_a_capability_a_folder() {
        let rows = rows(&["IDLE\t2177\tcommand\tIDLE\text/idle.rs"]);
        assert_eq!(check(&rows, &[transcript("idle", "# about\n# covers: IDLE\nC: x")]), []);
        assert_eq!(check(&rows, &[]).len(), 2, "neither");
        assert_eq!(check(&rows, &[transcript("move", "# covers: IDLE")]).len(), 1, "no folder");
        assert_eq!(
            check(&rows, &[transcript("idle", "C: x\n# covers: IDLE")]).len(),
            2,
            "not in the first lines"
        );
        assert_eq!(
            check(&rows, &[transcript("idle", "# covers: IDLE, IDOL")]).len(),
            1,
            "nothing of that name"
        );
    }

    #[test]
    fn a_capability_without_rows_is_covered_by_its_name() {
        let rows = rows(&["LITERAL+\t7888\t\t\text/literal.rs"]);
        assert_eq!(check(&rows, &[transcript("literal+", "# covers: LITERAL+")]), []);
        assert_eq!(check(&rows, &[]).len(), 1);
    }

    #[test]
    fn a_response_code_stands_in_brackets() {
        let rows = rows(&["\t9051\tresponse code\tTRYCREATE\tresponse/code.rs"]);
        assert_eq!(check(&rows, &[transcript("move", "# covers: [TRYCREATE]")]), []);
        assert_eq!(check(&rows, &[transcript("move", "# covers: TRYCREATE")]).len(), 2);
    }

    #[test]
    fn a_name_in_two_files_is_found_unless_of_another_kind() {
        let lines = ["A\t1\tcommand\tX\ta.rs", "B\t2\tcommand\tX\tb.rs", "B\t2\tfetch item\tX\tb.rs"];
        let transcripts = [transcript("a", "# covers: X"), transcript("b", "# covers: X")];
        let findings = check(&rows(&lines), &transcripts);
        assert_eq!(findings, [Finding::in_file("crates/imap/src/b.rs", "the command X is also in a.rs")]);
    }

    #[test]
    fn a_capability_needs_its_line_and_a_line_its_capability() {
        let rows = rows(&["IDLE\t2177\tcommand\tIDLE\text/idle.rs"]);
        let of = |text: &str| check_index(&rows, &index(text).expect("an index"), |_| true).len();
        let right = "2177\tIDLE command\twhole\tIDLE\tcrates/imap/src/ext/idle.rs";
        assert_eq!(of(right), 0);
        assert_eq!(of(""), 1);
        assert_eq!(of(&right.replace("2177", "2178")), 1, "another RFC");
        assert_eq!(of(&right.replace("ext/idle", "ext/idol")), 1, "another file");
        assert_eq!(of(&right.replace("whole", "none")), 2, "not carried, yet with a file");
        assert_eq!(
            of(&format!("{right}\n2342\tNamespace\twhole\tNAMESPACE\tcrates/x.rs")),
            1,
            "not in the registry"
        );
        assert_eq!(of(&format!("{right}\n2087\tQuota\tnone\tQUOTA\t-")), 1, "out of order");
    }

    #[test]
    fn a_file_that_is_not_there_is_found() {
        let index = index("2045\tMIME\twhole\t-\tcrates/message/src/mime.rs").expect("an index");
        assert_eq!(check_index(&[], &index, |_| false).len(), 1);
    }
}
