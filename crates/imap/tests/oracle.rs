//! Another reader of IMAP on what the server sends: each response of every transcript is given to imap-codec, which must
//! take it whole. What imap-codec does not know is on a list, with the reason, and each line of the list must be needed.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod harness;
mod talk;

use std::collections::BTreeSet;

use imap_codec::decode::Decoder;
use imap_codec::{GreetingCodec, ResponseCodec};

/// How a response begins that imap-codec does not read (a number is `n`), what it holds, and why it is not read.
const UNREAD: &[(&str, &str, &str)] = &[
    ("* ESEARCH ", "(TAG ", "RFC 4731 is not in its grammar"),
    ("* n UIDFETCH ", "(", "RFC 9586 is not in its grammar"),
    ("* n FETCH ", "EMAILID (", "RFC 8474 is not in its grammar"),
    ("* STATUS ", "MAILBOXID (", "RFC 8474 is not in its grammar"),
    ("* n FETCH ", "SAVEDATE ", "RFC 8514 is not in its grammar"),
    ("* n FETCH ", "PREVIEW ", "RFC 8970 is not in its grammar"),
    ("* STATUS ", "APPENDLIMIT ", "RFC 7889 is not in its grammar"),
    ("* LIST ", "(\"CHILDINFO\" (", "RFC 5258's extended data items are not in its grammar"),
    ("* LIST ", "(\"OLDNAME\" (", "RFC 5258's extended data items are not in its grammar"),
    ("* n FETCH ", "<4294967296>", "it reads offsets of 32 bits; RFC 9051's have 63"),
];

/// The line of the list that excuses a response.
fn excuse(response: &str) -> Option<usize> {
    let response = response.strip_prefix("* ").map_or_else(String::new, |rest| {
        let numberless = rest.trim_start_matches(|octet: char| octet.is_ascii_digit());
        format!("* {}{numberless}", if numberless.len() < rest.len() { "n" } else { "" })
    });
    UNREAD.iter().position(|(begin, held, _)| response.starts_with(begin) && response.contains(held))
}

#[test]
fn imap_codec_reads_what_the_server_sends() {
    let (mut read, mut refused, mut needed) = (0, BTreeSet::new(), BTreeSet::new());
    for file in talk::files() {
        // A transcript that fails is told by the test of transcripts.
        for heard in talk::run(&file).unwrap_or_default() {
            let mut rest = heard.as_slice();
            let mut greeted = false;
            while !rest.is_empty() {
                let (response, later) = rest.split_at(end_of_response(rest));
                rest = later;
                let whole = if std::mem::replace(&mut greeted, true) {
                    matches!(ResponseCodec::default().decode(response), Ok((b"", _)))
                } else {
                    matches!(GreetingCodec::default().decode(response), Ok((b"", _)))
                };
                let text = String::from_utf8_lossy(response).into_owned();
                read += u32::from(whole);
                if whole {
                    continue;
                }
                match excuse(&text) {
                    Some(line) => _ = needed.insert(line),
                    None => _ = refused.insert(text),
                }
            }
        }
    }
    assert!(refused.is_empty(), "imap-codec refuses {refused:#?}");
    if std::env::var_os("TRANSCRIPT").is_none() {
        assert!(read > 500, "only {read} responses were read");
        let idle = (0..UNREAD.len()).filter(|line| !needed.contains(line)).map(|line| UNREAD[line]);
        assert_eq!(idle.collect::<Vec<_>>(), [], "nothing sent needs these lines");
    }
}

/// Where the first response ends: at the first line end that is not within a literal.
fn end_of_response(octets: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let Some(line) = octets[at..].windows(2).position(|pair| pair == b"\r\n") else {
            return octets.len();
        };
        let announced = literal(&octets[at..at + line]);
        at += line + 2;
        match announced {
            Some(length) => at += length,
            None => return at,
        }
    }
}

/// The length of the literal that a line announces at its end.
fn literal(line: &[u8]) -> Option<usize> {
    let open = line.iter().rposition(|&octet| octet == b'{')?;
    std::str::from_utf8(line[open + 1..].strip_suffix(b"}")?).ok()?.parse().ok()
}
