//! Account names: `local@domain`.

use std::collections::BTreeMap;
use std::fmt;

use account::RosterLine;

use crate::limits::ACCOUNT_NAME_BYTES_MAX;

/// Why a name cannot be an account's; fit for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadAccountName {
    /// Not `local@domain`.
    Form,
    /// Longer than [`ACCOUNT_NAME_BYTES_MAX`].
    TooLong,
    /// Spaces, control characters or quotes.
    Character(char),
}

impl fmt::Display for BadAccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str("an account's name has the form name@domain"),
            Self::TooLong => write!(f, "an account's name has at most {ACCOUNT_NAME_BYTES_MAX} octets"),
            Self::Character(c) => write!(f, "an account's name cannot hold {c:?}"),
        }
    }
}

/// The canonical form of a name: the domain in lower case, the local part as it is (RFC 5321 2.4 leaves its case to the
/// domain's owner).
///
/// # Errors
/// [`BadAccountName`].
pub fn canonical(name: &str) -> Result<String, BadAccountName> {
    if name.len() > ACCOUNT_NAME_BYTES_MAX {
        return Err(BadAccountName::TooLong);
    }
    let forbidden =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\\' | '<' | '>' | ',' | ';');
    if let Some(c) = name.chars().find(|&c| forbidden(c)) {
        return Err(BadAccountName::Character(c));
    }
    let (local, domain) = name.rsplit_once('@').ok_or(BadAccountName::Form)?;
    let domain_fits = !domain.is_empty() && domain.split('.').all(|part| !part.is_empty());
    if local.is_empty() || local.contains('@') || !domain_fits {
        return Err(BadAccountName::Form);
    }
    Ok(format!("{local}@{}", domain.to_lowercase()))
}

/// The line of a name as typed at login. A name without `@` is a local part, and good as long as exactly one account
/// has it. Where no name matches exactly, one that differs only in case does, if there is just one: keyboards of phones
/// begin with a capital.
pub fn find<'a>(roster: &'a BTreeMap<String, RosterLine>, typed: &str) -> Option<&'a RosterLine> {
    if let Ok(name) = canonical(typed) {
        let exact = roster.get(&name);
        return exact.or_else(|| only(roster, |line| line.name.to_lowercase() == name.to_lowercase()));
    }
    let local = |line: &RosterLine| line.name.rsplit_once('@').map(|(local, _)| local.to_owned());
    only(roster, |line| local(line).is_some_and(|local| local == typed)).or_else(|| {
        only(roster, |line| local(line).is_some_and(|local| local.to_lowercase() == typed.to_lowercase()))
    })
}

/// The one line that matches; `None` when several do.
fn only(roster: &BTreeMap<String, RosterLine>, matches: impl Fn(&RosterLine) -> bool) -> Option<&RosterLine> {
    let mut found = roster.values().filter(|line| matches(line));
    found.next().filter(|_| found.next().is_none())
}

#[cfg(test)]
mod tests {
    use account::AccountId;

    use super::*;

    fn roster(names: &[&str]) -> BTreeMap<String, RosterLine> {
        let line = |(n, name): (usize, &&str)| RosterLine {
            account: AccountId(n as u64 + 1),
            name: (*name).to_owned(),
            credential: None,
        };
        names.iter().enumerate().map(line).map(|line| (line.name.clone(), line)).collect()
    }

    fn found(roster: &BTreeMap<String, RosterLine>, typed: &str) -> Option<u64> {
        find(roster, typed).map(|line| line.account.0)
    }

    #[test]
    fn the_domain_has_no_case_and_the_local_part_keeps_its_own() {
        assert_eq!(canonical("Ann@Example.ORG"), Ok("Ann@example.org".to_owned()));
        assert_eq!(canonical("анна@пример.рф"), Ok("анна@пример.рф".to_owned()));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for name in ["", "ann", "@example.org", "ann@", "a@b@c", "ann@a..b", "ann@."] {
            assert_eq!(canonical(name), Err(BadAccountName::Form), "{name}");
        }
        assert_eq!(canonical("a b@c"), Err(BadAccountName::Character(' ')));
        assert_eq!(canonical("a\0@c"), Err(BadAccountName::Character('\0')));
        assert_eq!(canonical(&format!("{}@c", "a".repeat(400))), Err(BadAccountName::TooLong));
    }

    #[test]
    fn a_local_part_is_enough_while_it_is_unique() {
        let one = roster(&["ann@example.org", "bob@example.org"]);
        assert_eq!(found(&one, "ann"), Some(1));
        assert_eq!(found(&one, "Bob"), Some(2));
        assert_eq!(found(&one, "carol"), None);
        let two = roster(&["ann@example.net", "ann@example.org"]);
        assert_eq!(found(&two, "ann"), None);
        assert_eq!(found(&two, "ann@EXAMPLE.org"), Some(2));
    }

    #[test]
    fn case_decides_only_between_two_that_differ_in_nothing_else() {
        let both = roster(&["Ann@example.org", "ann@example.org"]);
        assert_eq!(found(&both, "ann@example.org"), Some(2));
        assert_eq!(found(&both, "ANN@example.org"), None);
        assert_eq!(found(&roster(&["ann@example.org"]), "ANN@example.org"), Some(1));
    }
}
