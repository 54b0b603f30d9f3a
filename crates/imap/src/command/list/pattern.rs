//! `list-mailbox` patterns (RFC 9051 6.3.9): `*` matches anything, `%` anything but the hierarchy delimiter.

use account::MailboxName;

/// A pattern in the canonical form of names: UTF-8, the first level INBOX in capitals when it stands there literally.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(String);

impl Pattern {
    /// The pattern behind a reference: simply one after the other, as RFC 9051 6.3.9 leaves to us, unless the pattern
    /// begins at the root.
    pub(crate) fn new(reference: &str, pattern: &str) -> Self {
        let joined = if pattern.starts_with(MailboxName::DELIMITER) {
            pattern[1..].to_owned()
        } else {
            format!("{reference}{pattern}")
        };
        let first = joined.split(MailboxName::DELIMITER).next().unwrap_or_default();
        if first.eq_ignore_ascii_case("INBOX") {
            return Self(format!("INBOX{}", &joined[first.len()..]));
        }
        Self(joined)
    }

    /// Does the name match? Time is at most the product of the two lengths, whatever the wildcards.
    pub(crate) fn matches(&self, name: &str) -> bool {
        let (pattern, name) = (self.0.as_bytes(), name.as_bytes());
        // reached[i]: the pattern so far can have matched name[..i].
        let mut reached = vec![false; name.len() + 1];
        reached[0] = true;
        for &octet in pattern {
            if matches!(octet, b'*' | b'%') {
                for i in 0..name.len() {
                    reached[i + 1] |= reached[i] && (octet == b'*' || name[i] != b'/');
                }
                continue;
            }
            for i in (0..name.len()).rev() {
                reached[i + 1] = reached[i] && name[i] == octet;
            }
            reached[0] = false;
        }
        reached[name.len()]
    }
}
