//! Which folders were subscribed, as Dovecot and Courier keep it.

use std::io;
use std::path::Path;

use super::keywords::read_if_there;
use super::names::decode_level;

/// Subscribed folders by their levels; `None` when no such file is there.
///
/// # Errors
/// When one is there and cannot be read.
pub fn read(root: &Path) -> io::Result<Option<Vec<Vec<String>>>> {
    if let Some(text) = read_if_there(&root.join("subscriptions"))? {
        return Ok(Some(dovecot(&text)));
    }
    let courier = read_if_there(&root.join("courierimapsubscribed"))?;
    Ok(courier.map(|text| text.lines().filter(|line| !line.is_empty()).map(courier_name).collect()))
}

/// Version 2 says so in its first line and parts levels by tabs; before it names stood as in Maildir++ or with slashes.
fn dovecot(text: &str) -> Vec<Vec<String>> {
    let mut lines = text.lines();
    let versioned = text.starts_with("V\t2");
    if versioned {
        lines.next();
    }
    let part = |line: &str| -> Vec<String> {
        let separator = match (versioned, line.contains('/')) {
            (true, _) => '\t',
            (false, true) => '/',
            (false, false) => '.',
        };
        line.split(separator).map(|level| decode_level(level.as_bytes())).collect()
    };
    lines.filter(|line| !line.is_empty()).map(part).collect()
}

/// `INBOX.Sent.2024`.
fn courier_name(line: &str) -> Vec<String> {
    let below = line.strip_prefix("INBOX.").unwrap_or(line);
    below.split('.').map(|level| decode_level(level.as_bytes())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_name_the_same_folder() {
        let folder = vec![vec!["Sent".to_owned(), "Grüße".to_owned()], vec!["INBOX".to_owned()]];
        assert_eq!(dovecot("V\t2\n\nSent\tGr&APwA3w-e\nINBOX\n"), folder);
        assert_eq!(dovecot("Sent.Gr&APwA3w-e\nINBOX\n"), folder);
        assert_eq!(dovecot("Sent/Grüße\nINBOX\n"), folder);
        assert_eq!([courier_name("INBOX.Sent.Gr&APwA3w-e"), courier_name("INBOX")], folder[..]);
    }
}
