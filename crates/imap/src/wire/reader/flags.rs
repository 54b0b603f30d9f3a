//! Flags as a client names them.

use account::{FlagNames, Flags, KEYWORDS_MAX, SystemFlag};

use super::{Bad, Reader};

/// The system flags a client may set, with their names (RFC 9051 2.3.2).
const SYSTEM_FLAGS: [(&str, SystemFlag); 5] = [
    ("Answered", SystemFlag::Answered),
    ("Flagged", SystemFlag::Flagged),
    ("Deleted", SystemFlag::Deleted),
    ("Seen", SystemFlag::Seen),
    ("Draft", SystemFlag::Draft),
];

impl Reader<'_> {
    /// `flag-list`: `"(" [flag *(SP flag)] ")"`. Keywords keep the case of their first mention and are named once.
    ///
    /// # Errors
    /// [`Bad`] for `\Recent`, which is the server's alone, for system flags nobody knows (RFC 9051 section 9 keeps
    /// `flag-extension` for the future, and to forget one silently would be worse), and for more keywords than a
    /// mailbox can hold.
    pub fn flag_list(&mut self) -> Result<FlagNames, Bad> {
        let mut names = FlagNames::default();
        self.list(|reader| reader.flag(&mut names))?;
        Ok(names)
    }

    /// `store-att-flags` behind its name: a flag list, or flags without parentheses.
    ///
    /// # Errors
    /// As [`Reader::flag_list`].
    pub fn store_flags(&mut self) -> Result<FlagNames, Bad> {
        if self.peek() == Some(b'(') {
            return self.flag_list();
        }
        let mut names = FlagNames::default();
        loop {
            self.flag(&mut names)?;
            if !self.eat(b" ") {
                return Ok(names);
            }
        }
    }

    fn flag(&mut self, names: &mut FlagNames) -> Result<(), Bad> {
        if self.eat(b"\\") {
            let system = SYSTEM_FLAGS.iter().find(|(name, _)| self.eat_word(name));
            let (_, flag) = system.ok_or_else(|| self.bad("A client cannot set that system flag"))?;
            names.system = names.system.union(Flags::system(*flag));
            return Ok(());
        }
        let keyword = self.atom()?;
        if names.keywords.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(keyword)) {
            return Ok(());
        }
        // Checked while reading, so that the search for doubles stays short.
        if names.keywords.len() >= KEYWORDS_MAX {
            return Err(self.bad("More keywords than a mailbox can hold"));
        }
        names.keywords.push(String::from_utf8_lossy(keyword).into_owned());
        Ok(())
    }
}
