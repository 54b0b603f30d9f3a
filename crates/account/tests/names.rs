//! Mailbox names: one form each, nothing dangerous in them.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use account::{MailboxName, NameError};
use proptest::prelude::*;

fn name(text: &str) -> MailboxName {
    MailboxName::new(text).unwrap_or_else(|why| panic!("{text:?}: {why}"))
}

fn refusal(text: &str) -> Option<NameError> {
    MailboxName::new(text).err()
}

#[test]
fn inbox_is_one_name_in_any_case() {
    assert_eq!(name("inBox"), MailboxName::inbox());
    assert!(name("INBOX").is_inbox());
    assert_eq!(name("inbox/Work").as_str(), "INBOX/Work");
    assert_eq!(name("inboxes").as_str(), "inboxes");
    assert_eq!(name("Work/inbox").as_str(), "Work/inbox");
    assert!(!name("INBOX/INBOX").is_inbox());
}

#[test]
fn composed_and_decomposed_spellings_are_one_name() {
    assert_eq!(name("Entwu\u{308}rfe"), name("Entw\u{fc}rfe"));
    assert_eq!(name("\u{212B}ngstr\u{f6}m").as_str(), "\u{c5}ngstr\u{f6}m");
}

#[test]
fn ordinary_punctuation_is_kept() {
    for text in [
        "R&D",
        "v1.2",
        "a b",
        " leading",
        "it's",
        "50€",
        "\\slash",
        "\"quoted\"",
        "...",
        "a~b",
        "-",
        "[Gmail]/All",
    ] {
        assert_eq!(name(text).as_str(), text);
    }
}

#[test]
fn levels_are_never_empty_or_reserved() {
    for text in ["/", "a/", "/a", "a//b", ".", "..", "a/..", "../../etc/passwd", "a/./b", "~root", "~"] {
        assert_eq!(refusal(text), Some(NameError::BadLevel), "{text:?}");
    }
    assert_eq!(refusal(""), Some(NameError::Empty));
}

#[test]
fn characters_that_deceive_or_break_responses_are_refused() {
    let refused = [
        "a\r\n* BYE x",
        "a\0b",
        "\u{7f}",
        "\u{85}",
        "a%b",
        "a*",
        "\u{feff}a",
        "a\u{2028}b",
        "a\u{2029}b",
        "\u{202e}cod.exe",
        "a\u{2066}b",
        "a\u{200f}b",
        "\u{fdd0}",
        "\u{ffff}",
        "\u{1fffe}",
    ];
    for text in refused {
        assert_eq!(refusal(text), Some(NameError::BadCharacter), "{text:?}");
    }
}

#[test]
fn length_and_depth_end_exactly_at_their_bounds() {
    assert!(MailboxName::new(&"a".repeat(MailboxName::BYTES_MAX)).is_ok());
    assert_eq!(refusal(&"a".repeat(MailboxName::BYTES_MAX + 1)), Some(NameError::TooLong));
    assert_eq!(refusal(&"a".repeat(10_000_000)), Some(NameError::TooLong));
    let levels = |count: usize| vec!["a"; count].join("/");
    assert!(MailboxName::new(&levels(MailboxName::LEVELS_MAX)).is_ok());
    assert_eq!(refusal(&levels(MailboxName::LEVELS_MAX + 1)), Some(NameError::TooDeep));
}

#[test]
fn a_long_decomposed_name_counts_as_it_is_kept() {
    // 500 letters of three octets each, 1,000 once composed.
    assert_eq!(name(&"u\u{308}".repeat(500)).as_str().len(), 1_000);
}

#[test]
fn hierarchy_is_by_whole_levels() {
    assert!(name("a/b").is_below(&name("a")));
    assert!(!name("ab").is_below(&name("a")));
    assert!(!name("a").is_below(&name("a")));
    assert_eq!(name("a/b/c").parent(), Some(name("a/b")));
    assert_eq!(name("a").parent(), None);
    assert_eq!(name("a/b/c").superiors().collect::<Vec<_>>(), [name("a"), name("a/b")]);
}

#[test]
fn rebasing_moves_a_name_with_what_is_below_it() {
    assert_eq!(name("a/b/c").rebased(&name("a/b"), &name("x")), Some(Ok(name("x/c"))));
    assert_eq!(name("a/b").rebased(&name("a/b"), &name("x/y")), Some(Ok(name("x/y"))));
    assert_eq!(name("ab").rebased(&name("a"), &name("x")), None);
    let long = name(&"l".repeat(MailboxName::BYTES_MAX));
    assert_eq!(name("a/b").rebased(&name("a"), &long), Some(Err(NameError::TooLong)));
}

proptest! {
    #[test]
    fn a_name_is_its_own_canonical_form(text in "\\PC{0,40}") {
        if let Ok(name) = MailboxName::new(&text) {
            prop_assert_eq!(MailboxName::new(name.as_str()), Ok(name.clone()));
            prop_assert!(name.as_str().len() <= MailboxName::BYTES_MAX);
        }
    }
}
