//! Modified UTF-7: one form for each name.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use imap::wire::utf7::{NotCanonical, decode, encode};
use proptest::prelude::*;

fn encoded(text: &str) -> String {
    let mut out = Vec::new();
    encode(text, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn names_of_the_rfcs_and_of_real_clients() {
    for (text, octets) in [
        ("", ""),
        ("INBOX", "INBOX"),
        ("&", "&-"),
        ("a&&b", "a&-&-b"),
        ("~peter/mail/\u{53f0}\u{5317}/\u{65e5}\u{672c}\u{8a9e}", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
        ("Entw\u{fc}rfe", "Entw&APw-rfe"),
        ("\u{263a}!", "&Jjo-!"),
        ("\u{1f600}", "&2D3eAA-"),
        ("\u{e9}&\u{e9}", "&AOk-&-&AOk-"),
        ("\t", "&AAk-"),
    ] {
        assert_eq!(encoded(text), octets);
        assert_eq!(decode(octets.as_bytes()), Ok(text.to_owned()));
    }
}

#[test]
fn every_other_form_is_refused() {
    for (octets, why) in [
        (&b"&AGE-"[..], "printable ASCII in base64"),
        (b"&AC8-", "the delimiter in base64"),
        (b"&ACY-", "& in base64"),
        (b"&AOkAYQ-", "ASCII behind what needs base64"),
        (b"&AOk-&AOk-", "two shifts where one would do"),
        (b"&AOl-", "padding bits that are not zero"),
        (b"&AOk=-", "padding"),
        (b"&AO-", "half a unit"),
        (b"&A-", "less than an octet"),
        (b"&2D0-", "a lone high surrogate"),
        (b"&3gA-", "a lone low surrogate"),
        (b"&U/BT-", "base64's own slash"),
        (b"&AOk", "no end"),
        (b"&", "no end at all"),
        (b"&AO k-", "a space in base64"),
        (b"a\x7f", "a bare control character"),
        (b"a\xc3\xa4", "8-bit"),
    ] {
        assert_eq!(decode(octets), Err(NotCanonical), "{why}");
    }
}

proptest! {
    #[test]
    fn any_text_comes_back(text in "\\PC{0,40}") {
        prop_assert_eq!(decode(encoded(&text).as_bytes()), Ok(text));
    }

    #[test]
    fn encoded_text_is_printable_ascii(text in any::<String>()) {
        prop_assert!(encoded(&text).bytes().all(|octet| matches!(octet, b' '..=b'~')));
    }

    #[test]
    fn what_is_accepted_has_no_other_form(octets in "[&a-cA-Z0-9,+-]{0,12}") {
        if let Ok(text) = decode(octets.as_bytes()) {
            prop_assert_eq!(encoded(&text), octets);
        }
    }
}
