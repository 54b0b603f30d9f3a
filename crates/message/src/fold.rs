//! Case folding for SEARCH, SORT and THREAD: the collation i;unicode-casemap (RFC 5051).
//!
//! RFC 5051 section 2 maps each character to title case and decomposes it (compatibility decompositions included: its own
//! example takes U+01C4 apart), and repeats. Two departures, both towards finding more: the full upper case mapping stands
//! in for title case, so that `straße` is found by `STRASSE`, and the result is in canonical order, so that it does not
//! matter how a client composes its accents.

use std::borrow::Cow;

use unicode_normalization::char::{canonical_combining_class, decompose_compatible};

use crate::limits;

/// Folds `text`. Two strings match, whole or in part, if their folded forms do octet by octet; the order of folded forms is
/// the order of i;unicode-casemap.
#[must_use]
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|octet| octet.is_ascii() && !octet.is_ascii_lowercase()) {
        return Cow::Borrowed(text);
    }
    let mut folded = String::with_capacity(text.len());
    fold_into(text, &mut folded);
    Cow::Owned(folded)
}

/// Appends the folded form of `text`, which must be whole: a piece of a longer text may fold otherwise than within it.
pub fn fold_into(text: &str, folded: &mut String) {
    let mut folder = Folder::default();
    folder.push(text, folded);
    folder.finish(folded);
}

/// The fold of characters that mail is full of and that fold to one that decomposes no further: Russian letters, which the
/// tables take long over, and Han, which they have nothing on.
fn simple_fold(c: char) -> Option<char> {
    match c {
        'й' | 'Й' => None,
        'а'..='я' => char::from_u32(u32::from(c) - 0x20),
        'А'..='Я' | '\u{4e00}'..='\u{9fff}' => Some(c),
        _ => None,
    }
}

/// Octets before the first character above ASCII.
fn ascii_prefix(text: &str) -> usize {
    // Most text is ASCII to its end, which is seen many octets at a time.
    if text.is_ascii() {
        return text.len();
    }
    text.bytes().position(|octet| !octet.is_ascii()).unwrap_or(text.len())
}

/// Folds a text that comes in pieces; the pieces do not show in its output.
#[derive(Default)]
pub(crate) struct Folder {
    /// Combining marks since the last character that is none, waiting to be put in order, with their classes.
    marks: Vec<(u8, char)>,
}

impl Folder {
    pub(crate) fn push(&mut self, text: &str, folded: &mut String) {
        let mut rest = text;
        while !rest.is_empty() {
            let ascii = ascii_prefix(rest);
            if ascii > 0 {
                self.finish(folded);
                let from = folded.len();
                folded.push_str(&rest[..ascii]);
                folded[from..].make_ascii_uppercase();
                rest = &rest[ascii..];
            }
            let wide = rest.bytes().position(|octet| octet.is_ascii()).unwrap_or(rest.len());
            for c in rest[..wide].chars() {
                self.push_wide(c, folded);
            }
            rest = &rest[wide..];
        }
    }

    /// Appends the marks that still wait.
    pub(crate) fn finish(&mut self, folded: &mut String) {
        if !self.marks.is_empty() {
            // Stable: marks of one class keep their order (UAX #15 section 1.3).
            self.marks.sort_by_key(|&(class, _)| class);
            folded.extend(self.marks.drain(..).map(|(_, mark)| mark));
        }
    }

    /// Decompose, upper case, decompose again: the case mapping of what a decomposition yields may itself decompose.
    fn push_wide(&mut self, c: char, folded: &mut String) {
        if let Some(simple) = simple_fold(c) {
            self.finish(folded);
            folded.push(simple);
            return;
        }
        decompose_compatible(c, |c| {
            for upper in c.to_uppercase() {
                if upper == c {
                    self.emit(c, folded);
                } else {
                    decompose_compatible(upper, |c| self.emit(c, folded));
                }
            }
        });
    }

    fn emit(&mut self, c: char, folded: &mut String) {
        let class = canonical_combining_class(c);
        if class == 0 {
            self.finish(folded);
            folded.push(c);
        } else {
            if self.marks.len() == limits::COMBINING_MARKS_MAX {
                self.finish(folded);
            }
            self.marks.push((class, c));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_cut_leads_where_the_tables_do() {
        for c in '\0'..=char::MAX {
            let Some(simple) = simple_fold(c) else { continue };
            let mut folded = String::new();
            decompose_compatible(c, |c| {
                c.to_uppercase().for_each(|c| decompose_compatible(c, |c| folded.push(c)))
            });
            assert_eq!(folded, simple.to_string(), "{c}");
            assert_eq!(canonical_combining_class(simple), 0);
        }
    }
}
