//! Keywords beside a Maildir: Dovecot's letters, Courier's lists.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use account::{FlagNames, Flags, SystemFlag};

/// What a Maildir's `P` (passed on) is called in IMAP.
const FORWARDED: &str = "$Forwarded";

/// The keywords of one Maildir folder.
#[derive(Debug, Default)]
pub struct MaildirKeywords {
    /// Dovecot: letter `a` and so on to name.
    letters: [Option<String>; 26],
    /// Courier: file name without flags to names.
    by_file: HashMap<Box<[u8]>, Vec<String>>,
}

impl MaildirKeywords {
    /// Reads `dovecot-keywords` and `courierimapkeywords/:list`, as far as they are there.
    ///
    /// # Errors
    /// When one is there and cannot be read.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let mut keywords = Self::default();
        if let Some(text) = read_if_there(&folder.join("dovecot-keywords"))? {
            keywords.take_dovecot(&text);
        }
        if let Some(text) = read_if_there(&folder.join("courierimapkeywords").join(":list"))? {
            keywords.take_courier(&text);
        }
        Ok(keywords)
    }

    /// Flags and keywords of a file, by the suffix of its name (`:2,FRS` and Dovecot's letters) and its base name.
    pub fn flags(&self, base: &[u8], suffix: &[u8]) -> FlagNames {
        let mut flags = FlagNames::default();
        let letters = suffix.strip_prefix(b":2,").unwrap_or_default();
        for &letter in letters {
            let flag = match letter {
                b'R' => SystemFlag::Answered,
                b'F' => SystemFlag::Flagged,
                b'T' => SystemFlag::Deleted,
                b'S' => SystemFlag::Seen,
                b'D' => SystemFlag::Draft,
                b'P' => {
                    flags.keywords.push(FORWARDED.to_owned());
                    continue;
                }
                b'a'..=b'z' => {
                    flags.keywords.extend(self.letters[usize::from(letter - b'a')].clone());
                    continue;
                }
                // Other programs' own letters (`,` begins Dovecot's size field in some).
                _ => continue,
            };
            flags.system = flags.system.union(Flags::system(flag));
        }
        flags.keywords.extend(self.by_file.get(base).into_iter().flatten().cloned());
        flags
    }

    /// Lines `<number> <name>`.
    fn take_dovecot(&mut self, text: &str) {
        for line in text.lines() {
            let Some((number, name)) = line.split_once(' ') else { continue };
            let place = number.parse().ok().and_then(|number: usize| self.letters.get_mut(number));
            if let Some(place) = place {
                *place = Some(name.to_owned());
            }
        }
    }

    /// Names, one a line; an empty line; then `<file>:<number> <number> ...`, the numbers counting names from 0.
    fn take_courier(&mut self, text: &str) {
        let mut lines = text.lines();
        let names: Vec<&str> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
        for line in lines {
            let Some((file, numbers)) = line.rsplit_once(':') else { continue };
            let found = numbers.split(' ').filter_map(|number| names.get(number.parse::<usize>().ok()?));
            self.by_file.insert(file.as_bytes().into(), found.map(|name| (*name).to_owned()).collect());
        }
    }
}

/// Can a keyword have this name (`flag-keyword`, an atom of RFC 9051)?
pub fn is_keyword(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= account::limits::KEYWORD_BYTES_MAX
        && name.bytes().all(|octet| octet.is_ascii_graphic() && !b"(){%*\"\\]".contains(&octet))
}

pub(super) fn read_if_there(file: &Path) -> io::Result<Option<String>> {
    match std::fs::read(file) {
        Ok(octets) => Ok(Some(String::from_utf8_lossy(&octets).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_become_flags_and_keywords() {
        let mut keywords = MaildirKeywords::default();
        keywords.take_dovecot("0 $Label1\n25 Junk\n26 beyond\nx y\n");
        let flags = keywords.flags(b"a", b":2,DFPRSTaz");
        assert_eq!(flags.system, Flags(0b11111));
        assert_eq!(flags.keywords, ["$Forwarded", "$Label1", "Junk"]);
    }

    #[test]
    fn what_is_no_flag_is_none() {
        let keywords = MaildirKeywords::default();
        for suffix in [&b""[..], b":2,", b":1,S", b":2,bX9"] {
            assert_eq!(keywords.flags(b"a", suffix), FlagNames::default());
        }
    }

    #[test]
    fn courier_keeps_keywords_by_file() {
        let mut keywords = MaildirKeywords::default();
        keywords.take_courier("Work\nHome\n\n1021.x:1 0\n1022.y:1\n1023.z:9\n");
        assert_eq!(keywords.flags(b"1021.x", b":2,").keywords, ["Home", "Work"]);
        assert_eq!(keywords.flags(b"1022.y", b"").keywords, ["Home"]);
        assert!(keywords.flags(b"1023.z", b"").keywords.is_empty());
    }

    #[test]
    fn a_keyword_is_an_atom() {
        assert!(is_keyword("$Forwarded") && is_keyword("NonJunk"));
        for name in ["", "two words", "\\Seen", "a]", "ü", "a%"] {
            assert!(!is_keyword(name), "{name}");
        }
    }
}
