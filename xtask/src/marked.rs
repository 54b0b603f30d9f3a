//! The parts of documents that are written by a program, between `<!-- NAME:begin -->` and `<!-- NAME:end -->`.

use crate::Failure;
use std::ops::Range;

/// Where the part is, without its marks.
fn place(document: &str, name: &str) -> Option<Range<usize>> {
    let begin = format!("<!-- {name}:begin -->\n");
    let start = document.find(&begin)? + begin.len();
    let length = document[start..].find(&format!("<!-- {name}:end -->"))?;
    Some(start..start + length)
}

/// The document with that part replaced, surrounded by empty lines as Markdown wants it.
pub fn with_part(path: &str, document: &str, name: &str, part: &str) -> Result<String, Failure> {
    let place = place(document, name)
        .ok_or_else(|| format!("{path}: no <!-- {name}:begin --> … <!-- {name}:end -->"))?;
    Ok(format!("{}\n{}\n\n{}", &document[..place.start], part.trim(), &document[place.end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_marked_part_changes_and_writing_twice_is_writing_once() {
        let document = "# A\n<!-- x:begin -->\nold\n<!-- x:end -->\nend\n";
        let once = with_part("a.md", document, "x", "new\n").expect("it is marked");
        assert_eq!(once, "# A\n<!-- x:begin -->\n\nnew\n\n<!-- x:end -->\nend\n");
        assert_eq!(with_part("a.md", &once, "x", "new").expect("it is marked"), once);
        assert!(with_part("a.md", document, "y", "new").is_err());
    }
}
