//! Folder names on disk and mailbox names.

use account::{MailboxName, NameError};
use imap::wire::utf7;

/// What stands for a character that a mailbox name cannot hold.
const STAND_IN: char = '_';

/// One level of a folder's name on disk as a person would read it: modified UTF-7 where it is that, else UTF-8, else what
/// can be made of it. `\2e` is how Dovecot's listescape (and our export) write a dot inside a Maildir++ level.
pub fn decode_level(octets: &[u8]) -> String {
    let text = utf7::decode(octets).unwrap_or_else(|_| String::from_utf8_lossy(octets).into_owned());
    unescape(&text)
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let code = rest.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code.filter(u8::is_ascii_graphic) {
            Some(octet) => {
                out.push(char::from(octet));
                rest = &rest[at + 3..];
            }
            None => {
                out.push('\\');
                rest = &rest[at + 1..];
            }
        }
    }
    out + rest
}

/// A mailbox's folder in a Maildir++: `.Sent.2024` for `Sent/2024`.
pub fn to_maildir_plus_plus(name: &MailboxName) -> String {
    let level = |level: &str| {
        let escaped = level.replace('\\', "\\5c").replace('.', "\\2e");
        let mut octets = Vec::new();
        utf7::encode(&escaped, &mut octets);
        String::from_utf8_lossy(&octets).into_owned()
    };
    name.as_str().split('/').map(|part| format!(".{}", level(part))).collect()
}

/// The mailbox name nearest to the levels given, and whether it had to be bent.
pub fn acceptable(below: Option<&str>, levels: &[String]) -> (MailboxName, bool) {
    let wanted = join(below, levels);
    if let Ok(name) = MailboxName::new(&wanted)
        && levels.iter().all(|level| !level.contains('/'))
    {
        return (name, false);
    }
    let bent: Vec<String> = levels.iter().map(|level| bend(level)).collect();
    let name = MailboxName::new(&join(below, &bent)).or_else(|error| {
        // What is left are names that are too long or too deep: keep as much as fits, and its hash to keep it apart.
        let hash = &blake3::hash(wanted.as_bytes()).to_hex()[..16];
        let kept: String = bent.concat().chars().take(40).collect();
        let kept = if error == NameError::Empty { String::new() } else { kept };
        MailboxName::new(&join(None, &[format!("{kept}{STAND_IN}{hash}")]))
    });
    // A few letters and a hash make a name.
    (name.unwrap_or_else(|_| MailboxName::inbox()), true)
}

fn join(below: Option<&str>, levels: &[String]) -> String {
    below.into_iter().chain(levels.iter().map(String::as_str)).collect::<Vec<_>>().join("/")
}

/// One level with a stand-in for what it cannot hold.
fn bend(level: &str) -> String {
    let whole = level.trim_start_matches('~').replace('/', &STAND_IN.to_string());
    let fits = |c: char| MailboxName::new(&format!("a{c}")).is_ok();
    let bent: String = whole.chars().map(|c| if fits(c) { c } else { STAND_IN }).collect();
    if matches!(bent.as_str(), "" | "." | "..") { STAND_IN.to_string() } else { bent }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn names_are_read_in_every_spelling_seen_in_the_wild() {
        assert_eq!(decode_level(b"Entw&APw-rfe"), "Entwürfe");
        assert_eq!(decode_level("日本語".as_bytes()), "日本語");
        assert_eq!(decode_level(b"a&b"), "a&b", "no modified UTF-7, so taken as it is");
        assert_eq!(decode_level(b"AT&-T"), "AT&T");
        assert_eq!(decode_level(b"v1\\2e5"), "v1.5");
        assert_eq!(decode_level(b"back\\slash"), "back\\slash");
    }

    #[test]
    fn every_name_survives_the_way_out_and_in() {
        for name in ["Sent/2024", "v1.5/a.b", "日本語/é&ü", "back\\5c/x", "a\\2eb"] {
            let name = MailboxName::new(name).unwrap();
            let folder = to_maildir_plus_plus(&name);
            let back: Vec<_> = folder[1..].split('.').map(|level| decode_level(level.as_bytes())).collect();
            assert_eq!(back.join("/"), name.as_str(), "{folder}");
        }
    }

    #[test]
    fn a_good_name_is_not_bent() {
        let (name, bent) = acceptable(Some("Old"), &levels(&["Sent", "2024"]));
        assert_eq!((name.as_str(), bent), ("Old/Sent/2024", false));
    }

    #[test]
    fn a_bad_name_becomes_a_good_one() {
        for (bad, good) in [
            (&["a*b"][..], "a_b"),
            (&["100%", "x"][..], "100_/x"),
            (&["~root"][..], "root"),
            (&[""][..], "_"),
            (&["a", ".."][..], "a/_"),
            (&["a/b"][..], "a_b"),
            (&["tab\there"][..], "tab_here"),
        ] {
            assert_eq!(acceptable(None, &levels(bad)), (MailboxName::new(good).unwrap(), true));
        }
    }

    #[test]
    fn long_and_deep_names_are_cut_and_kept_apart() {
        let deep = vec!["d".to_owned(); 100];
        let long = |last: &str| vec!["n".repeat(3_000) + last];
        assert!(acceptable(None, &deep).1);
        assert_ne!(acceptable(None, &long("1")).0, acceptable(None, &long("2")).0);
    }
}
