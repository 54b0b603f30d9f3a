//! What holds for every message, whatever its octets and however they arrive.

mod support;

use message::{Derived, Scanner, SearchText, SectionKind, Summary, derive};
use proptest::prelude::*;
use support::structure_of;

/// Derives from pieces of the given sizes, again and again.
fn derive_in_pieces(mut octets: &[u8], sizes: &[usize]) -> Derived {
    let mut scanner = Scanner::new();
    for &size in sizes.iter().cycle() {
        if octets.is_empty() {
            break;
        }
        let (piece, rest) = octets.split_at(size.clamp(1, octets.len()));
        scanner.push(piece);
        octets = rest;
    }
    scanner.finish()
}

/// Reads all there is to read, asserting what always holds.
fn check(octets: &[u8]) {
    let derived = derive(octets);
    let summary = Summary::new(&derived.summary).expect("own summary");
    structure_of(octets, &summary);
    assert!(summary.preview().chars().count() <= 200);
    assert!(!summary.preview().contains(['\r', '\n', '\0']));
    let text = SearchText::new(&derived.text).expect("own text");
    assert!(!text.headers().contains(['\r', '\0']));
    for path in [&[][..], &[1], &[1, 1], &[2], &[1, 2, 1], &[9, 9]] {
        for kind in [SectionKind::Whole, SectionKind::Header, SectionKind::Text, SectionKind::Mime] {
            if let Some(range) = summary.section(path, kind) {
                assert!(range.start <= range.end && range.end <= summary.size());
            }
        }
    }
    for section in summary.text_sections() {
        assert!(section.octets.end <= summary.size());
    }
}

/// Pieces that mail is made of, for messages that are nearly right.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "\r\n",
        "\n",
        "\r\n\r\n",
        "\n\n",
        "\r",
        "--",
        "--a",
        "--b",
        "--a--",
        "--b--",
        "--ab",
        "-",
        " ",
        "\t",
        "text",
        "\0",
        "Content-Type: multipart/mixed; boundary=a\r\n",
        "Content-Type: multipart/digest; boundary=\"b\"\r\n",
        "Content-Type: multipart/alternative; boundary=ab\n",
        "Content-Type: message/rfc822\r\n",
        "Content-Type: text/html; charset=utf-8\r\n",
        "Content-Type: text/plain; charset*0*=utf-;charset*1=7\r\n",
        "Content-Type:",
        "content-transfer-encoding: base64\r\n",
        "Content-Transfer-Encoding: quoted-printable\r\n",
        "Content-Disposition: attachment; filename=x\r\n",
        "From: a <b@c>, d: e@f;\r\n",
        "To: \"x\" (y",
        "Subject: =?utf-8?q?=e2?=",
        "Date: Fri, 21 Nov 1997 09:55:06 -0600\r\n",
        "References: <a@b>\r\n",
        "=?utf-8?b?4oI=?=",
        "=E2=82=AC",
        "4oKs",
        "\u{20ac}",
        "<p>&amp;",
        "=\r\n",
        "\u{301}",
    ]);
    let raw = prop::collection::vec(any::<u8>(), 0..4);
    let any_piece = prop_oneof![12 => piece.prop_map(|piece| piece.as_bytes().to_vec()), 1 => raw];
    prop::collection::vec(any_piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// A tree of parts, with the text of its leaves.
#[derive(Debug, Clone)]
enum Tree {
    Text(String),
    Multipart(Vec<Tree>),
    Message(Box<Tree>),
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = "([a-z]{1,8}(\r\n[a-z-]{0,8}){0,3})?".prop_map(Tree::Text);
    leaf.prop_recursive(5, 30, 4, |inner| {
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 1..4).prop_map(Tree::Multipart),
            1 => inner.prop_map(|inner| Tree::Message(Box::new(inner))),
        ]
    })
}

/// Writes the tree as an entity. Each multipart has a boundary of its own.
fn write(tree: &Tree, boundaries: &mut usize, out: &mut String) {
    match tree {
        Tree::Text(text) => out.push_str(&format!("Content-Type: text/plain\r\n\r\n{text}")),
        Tree::Message(inner) => {
            out.push_str("Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n");
            write(inner, boundaries, out);
        }
        Tree::Multipart(parts) => {
            *boundaries += 1;
            // Boundaries that begin alike.
            let boundary = format!("={}", "x".repeat(*boundaries));
            out.push_str(&format!("Content-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\r\npreamble"));
            for part in parts {
                out.push_str(&format!("\r\n--{boundary}\r\n"));
                write(part, boundaries, out);
            }
            out.push_str(&format!("\r\n--{boundary}--\r\nepilogue"));
        }
    }
}

fn assert_same(octets: &[u8], part: &message::Part<'_>, tree: &Tree) {
    match tree {
        Tree::Text(text) => {
            assert!(part.is_text());
            assert_eq!(support::octets(octets, part.body()), text.as_bytes());
        }
        Tree::Message(inner) => assert_same(octets, &part.nested().expect("message"), inner),
        Tree::Multipart(parts) => {
            let children: Vec<_> = part.children().collect();
            assert_eq!(children.len(), parts.len());
            children.iter().zip(parts).for_each(|(child, part)| assert_same(octets, child, part));
        }
    }
}

proptest! {
    #[test]
    fn any_octets_are_a_message(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        check(&octets);
    }

    #[test]
    fn nearly_right_messages_are_messages(octets in pieces()) {
        check(&octets);
    }

    #[test]
    fn pieces_do_not_show(octets in pieces(), sizes in prop::collection::vec(1usize..12, 1..5)) {
        prop_assert_eq!(derive_in_pieces(&octets, &sizes), derive(&octets));
    }

    #[test]
    fn what_was_written_is_read(tree in tree(), sizes in prop::collection::vec(1usize..50, 1..3)) {
        let mut mail = String::from("Subject: outer\r\n");
        write(&tree, &mut 0, &mut mail);
        let derived = derive_in_pieces(mail.as_bytes(), &sizes);
        let summary = Summary::new(&derived.summary).expect("own summary");
        structure_of(mail.as_bytes(), &summary);
        assert_same(mail.as_bytes(), &summary.structure(), &tree);
    }

    #[test]
    fn a_damaged_summary_is_refused_or_read_without_harm(octets in pieces(), place in any::<prop::sample::Index>(), value in any::<u8>()) {
        let mut packed = derive(&octets).summary;
        let at = place.index(packed.len());
        packed[at] = value;
        read_everything(&packed);
        packed.truncate(at);
        prop_assert!(Summary::new(&packed).is_err(), "cut off");
    }
}

/// Touches every byte that a reader may interpret, with a bound on the work.
fn read_everything(packed: &[u8]) {
    let Ok(summary) = Summary::new(packed) else { return };
    let _ = (
        summary.preview(),
        summary.base_subject(),
        summary.thread_id(),
        summary.references().count(),
        summary.sent_date(),
    );
    let envelope = summary.envelope();
    let _ = (envelope.to.iter().count(), envelope.from.iter().count());
    let mut pending = vec![summary.structure()];
    let mut parts = 0;
    while let Some(part) = pending.pop() {
        parts += 1;
        assert!(parts <= packed.len(), "lengths only lead forward");
        let _ = (part.params().iter().count(), part.languages().iter().count(), part.body(), part.header());
        pending.extend(part.children().chain(part.nested()));
    }
}

/// Long content in every state, so that the limits of what is held back are crossed in pieces too.
#[test]
fn long_messages_in_pieces() {
    let line = "word =C3=A4 <b>x</b> \u{e4} \u{301}".repeat(40);
    let long = format!("{line}\r\n").repeat(200);
    for (kind, encoding) in [
        ("text/plain", "7bit"),
        ("text/html", "quoted-printable"),
        ("text/plain", "base64"),
        ("image/png", "base64"),
    ] {
        let message = format!(
            "Subject: {line}\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{long}--{}\r\n--b--\r\n",
            "-".repeat(3000)
        );
        let whole = derive(message.as_bytes());
        check(message.as_bytes());
        for sizes in [&[1][..], &[4096], &[65_536, 1], &[13, 1009, 3]] {
            assert_eq!(derive_in_pieces(message.as_bytes(), sizes), whole, "{kind} {encoding} {sizes:?}");
        }
    }
}
