//! Hostile mail: every limit reached, and enough of everything that anything but linear time would not end.

mod support;

use message::limits::*;
use message::{Part, SearchText, Summary, derive, header_values};
use support::structure_of;

/// Derives, checks all that holds for every message, and reads.
fn with_root<T>(message: &[u8], read: impl FnOnce(&Summary<'_>, Part<'_>) -> T) -> T {
    let derived = derive(message);
    let summary = Summary::new(&derived.summary).expect("own summary");
    structure_of(message, &summary);
    SearchText::new(&derived.text).expect("own text");
    read(&summary, summary.structure())
}

fn depth(part: Part<'_>) -> usize {
    let mut deepest = 0;
    let mut pending = vec![(part, 1)];
    while let Some((part, depth)) = pending.pop() {
        deepest = deepest.max(depth);
        pending.extend(part.children().chain(part.nested()).map(|child| (child, depth + 1)));
    }
    deepest
}

#[test]
fn half_a_million_addresses_are_listed_up_to_the_limit() {
    let one_field = format!("To: {}\r\n\r\n", "a@x, ".repeat(500_000));
    let fields = format!("{}\r\n", "To: a@x\r\n".repeat(500_000));
    let groups = format!("To: {}\r\n\r\n", "g:a@x;".repeat(500_000));
    for message in [one_field, fields, groups] {
        with_root(message.as_bytes(), |summary, _| {
            let count = summary.envelope().to.iter().count();
            assert!((9_000..=ADDRESSES_MAX + 1).contains(&count), "{count}");
        });
    }
}

#[test]
fn addresses_of_all_messages_share_one_limit() {
    let addresses = "a@x,".repeat(30_000);
    let nested = format!("Content-Type: message/rfc822\r\nTo: {addresses}\r\n\r\n").repeat(20);
    with_root(nested.as_bytes(), |_, root| {
        let (mut total, mut part) = (0, Some(root));
        while let Some(message) = part {
            total += message.envelope().map_or(0, |envelope| envelope.to.iter().count());
            part = message.nested();
        }
        assert!(total <= ADDRESSES_MAX + 1, "{total}");
    });
}

#[test]
fn a_header_is_read_up_to_the_limit_and_ends_where_it_ends() {
    let long = "x".repeat(HEADER_BYTES_MAX);
    let message =
        format!("Subject: first\r\nX: {long}\r\nFrom: late@x\r\nContent-Type: text/html\r\n\r\nbody");
    with_root(message.as_bytes(), |summary, root| {
        assert_eq!(summary.envelope().subject.bytes, b"first");
        assert!(summary.envelope().from.is_empty(), "beyond what is looked at");
        assert_eq!(root.media_type().bytes, b"text");
        assert_eq!(
            summary.header_len(),
            message.len() as u64 - 4,
            "the body begins after the true blank line"
        );
    });
}

#[test]
fn headers_of_all_parts_share_one_limit() {
    let part = format!("--b\r\nContent-Description: {}\r\n\r\n\r\n", "x".repeat(HEADER_BYTES_MAX - 100));
    let message = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{}", part.repeat(40));
    let derived = derive(message.as_bytes());
    assert!(derived.summary.len() < HEADERS_BYTES_MAX + 10_000);
    with_root(message.as_bytes(), |_, root| assert_eq!(root.children().count(), 40));
}

#[test]
fn many_parameters_are_joined_and_listed_up_to_the_limit() {
    let segments =
        |star: &str| -> String { (0..100_000).map(|n| format!(";\r\n name*{n}{star}=x")).collect() };
    let wholes: String = (0..100_000).map(|n| format!(";\r\n n{n}=x")).collect();
    let same: String = ";\r\n name*0*=x".repeat(100_000);
    for params in [segments(""), segments("*"), wholes, same] {
        let message = format!("Content-Type: a/b{params}\r\nContent-Disposition: a{params}\r\n\r\n");
        with_root(message.as_bytes(), |_, root| {
            assert!((1..=PARAMS_MAX).contains(&root.params().iter().count()));
            let value = root.params().iter().map(|(_, value)| value.bytes.len()).max();
            assert!(value <= Some(PARAM_SEGMENTS_MAX));
        });
    }
}

#[test]
fn nesting_ends_in_an_opaque_part() {
    let multiparts: String = (0..10_000)
        .map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n"))
        .collect();
    let same = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n".repeat(10_000);
    let messages = "Content-Type: message/rfc822\r\n\r\n".repeat(10_000);
    let digests = "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n".repeat(10_000);
    for message in [multiparts, same, messages, digests] {
        with_root(message.as_bytes(), |_, root| {
            assert!((DEPTH_MAX..=DEPTH_MAX + 1).contains(&depth(root)), "{}", depth(root));
            let mut part = root;
            // The first and so the deepest of each.
            while let Some(child) = part.children().chain(part.nested()).next() {
                part = child;
            }
            assert_eq!(
                (part.media_type().bytes, part.subtype().bytes),
                (&b"application"[..], &b"octet-stream"[..])
            );
        });
    }
}

#[test]
fn a_million_empty_parts_are_listed_up_to_the_limit() {
    let message =
        format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{}", "--b\r\n\r\n".repeat(1_000_000));
    with_root(message.as_bytes(), |_, root| {
        assert_eq!(root.children().count(), PARTS_MAX - 1);
        let last = root.children().last().expect("has children");
        assert_eq!(last.body().end, message.len() as u64, "what follows the last belongs to it");
    });
}

#[test]
fn the_last_part_listed_is_never_one_that_needs_more() {
    let part = "--b\r\nContent-Type: message/rfc822\r\n\r\n";
    let message = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{}", part.repeat(10_000));
    with_root(message.as_bytes(), |_, root| assert!(root.children().count() >= PARTS_MAX / 2 - 1));
}

#[test]
fn boundaries_as_long_as_they_may_be_and_longer() {
    for (len, parts) in [(BOUNDARY_OCTETS_MAX, 1), (BOUNDARY_OCTETS_MAX + 1, 0), (1_000_000, 0)] {
        let boundary = "b".repeat(len);
        let message = format!(
            "Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n--{boundary}\r\n\r\n--{boundary}--\r\n"
        );
        with_root(message.as_bytes(), |_, root| assert_eq!(root.children().count(), parts, "{len}"));
    }
    // A delimiter line with more white space than is held back is content.
    let padding = " ".repeat(DELIMITER_OCTETS_MAX);
    let message =
        format!("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b{padding}\n\ny\n--b--\n");
    with_root(message.as_bytes(), |_, root| assert_eq!(root.children().count(), 1));
}

#[test]
fn lines_without_end_and_lines_of_dashes() {
    let header = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n";
    for filler in ["-", "--b ", "\r", "\n-", "\0", "\u{fe}"] {
        let message = format!("{header}{}", filler.repeat(8_000_000 / filler.len()));
        with_root(message.as_bytes(), |_, root| assert_eq!(root.children().count(), 1));
        let message = filler.repeat(2_000_000 / filler.len());
        with_root(message.as_bytes(), |summary, _| assert_eq!(summary.size(), message.len() as u64));
    }
}

#[test]
fn comments_quotes_and_beginnings_without_end() {
    let filler = [
        "(",
        "((",
        "\\",
        "\"",
        "\\\"",
        "<",
        "<@",
        "<@a,",
        ":",
        ";",
        "[",
        "=?",
        "=?a?q?",
        "=?a?b?a?= ",
        "@",
        "a@",
        "*0=",
        ";a*=",
        "%",
    ];
    for filler in filler {
        let value = filler.repeat(200_000 / filler.len());
        let message = format!(
            "From: {value}\r\nTo: {value}\r\nSubject: {value}\r\nDate: {value}\r\nReferences: {value}\r\nContent-Type: {value}\r\n\r\n"
        );
        with_root(message.as_bytes(), |summary, _| {
            assert!(summary.base_subject().len() <= 3 * SORT_KEY_BYTES_MAX)
        });
        for field in [
            "Content-Type: text/plain; x=",
            "Content-Disposition: x; y=",
            "Content-Language: ",
            "In-Reply-To: ",
            "To: ",
        ] {
            with_root(format!("{field}{value}\r\n\r\n").as_bytes(), |_, _| ());
        }
    }
}

#[test]
fn subjects_of_nothing_but_leaders_end() {
    for (leader, base) in
        [("Re: ", ""), ("[x]", "["), ("[fwd:", "[FWD:"), ("Re[x]:", ""), ("[", "["), ("(fwd) ", "")]
    {
        let message = format!("Subject: {}\r\n\r\n", leader.repeat(50_000));
        with_root(message.as_bytes(), |summary, _| {
            assert!(summary.base_subject().starts_with(base), "{leader}")
        });
    }
}

#[test]
fn long_and_broken_encoded_words_end() {
    let text = "YWJj".repeat(250_000);
    let header = format!("Subject: =?utf-8?b?{text}?=\r\n\r\n");
    let [value] = &header_values(header.as_bytes(), b"subject")[..] else { panic!("one value") };
    assert_eq!(value.len(), 750_000);
    with_root(header.as_bytes(), |summary, _| {
        assert_eq!(summary.envelope().subject.bytes.len(), HEADER_BYTES_MAX - 9)
    });
}

#[test]
fn combining_marks_without_end_are_kept_in_pieces() {
    let message =
        format!("Content-Type: text/plain; charset=utf-8\r\n\r\n{}", "\u{301}\u{323}".repeat(100_000));
    with_root(message.as_bytes(), |_, _| ());
}

#[test]
fn a_preview_looks_only_so_far() {
    let style = format!("<style>{}</style>late", "x".repeat(PREVIEW_LOOK_CHARS_MAX));
    let message = format!("Content-Type: text/html\r\n\r\n{style}");
    with_root(message.as_bytes(), |summary, _| assert_eq!(summary.preview(), ""));
}
