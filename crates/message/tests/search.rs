//! Search text, the matcher for long texts, and previews.

mod support;

use message::limits::TEXT_BYTES_MAX;
use message::{SearchField, SearchText, Summary, TextContent, TextMatcher, derive, fold, fold_header};
use proptest::prelude::*;
use support::{crlf, octets};

fn with_text<T>(message: &[u8], read: impl FnOnce(&SearchText<'_>) -> T) -> T {
    let derived = derive(message);
    read(&SearchText::new(&derived.text).expect("own text"))
}

/// SEARCH BODY as a server does it: the packed text if that is whole, else the octets.
fn body_contains(message: &[u8], needle: &str) -> bool {
    let derived = derive(message);
    let text = SearchText::new(&derived.text).expect("own text");
    let needle = fold(needle);
    match text.body() {
        Some(body) => body.contains(&*needle),
        None => octets_contain(message, &derived.summary, &needle),
    }
}

fn octets_contain(message: &[u8], summary: &[u8], needle: &str) -> bool {
    let summary = Summary::new(summary).expect("own summary");
    summary.text_sections().into_iter().any(|section| {
        let octets = octets(message, section.octets);
        match section.content {
            TextContent::Header => fold_header(octets).contains(needle),
            TextContent::Text { encoding, charset } => {
                let mut matcher = TextMatcher::new(encoding, charset, needle);
                octets.chunks(7).any(|piece| matcher.push(piece)) || matcher.finish()
            }
        }
    })
}

const MAIL: &str = "\
From: =?utf-8?q?J=C3=BCrgen?= <juergen@Example.ORG>, \"Doe, Jane\" <jane@x>
To: Friends: a@x, b@y;
Cc: root
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= from
 Oslo
X-Mailer: Foo
 Bar
Content-Type: multipart/mixed; boundary=b

preamble
--b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Sch=C3=B6ne Aus=
sicht
--b
Content-Type: text/html; charset=iso-8859-1
Content-Transfer-Encoding: base64

PHA+5GhubGljaDwvcD4=
--b
Content-Type: application/pdf; name=Invoice.pdf
Content-Transfer-Encoding: base64

UGxhaW4gd29yZHM=
--b
Content-Type: message/rfc822

Subject: inner subject

inner text
--b--
epilogue
";

#[test]
fn fields_are_decoded_and_folded() {
    let message = crlf(MAIL);
    with_text(&message, |text| {
        assert_eq!(text.field(SearchField::Subject), fold("Grüße from Oslo"));
        assert_eq!(text.field(SearchField::From), fold("Jürgen <juergen@example.org>, Doe, Jane <jane@x>"));
        assert_eq!(text.field(SearchField::To), "<FRIENDS>, <A@X>, <B@Y>");
        assert_eq!(text.field(SearchField::Cc), "<ROOT@>");
        assert_eq!(text.field(SearchField::Bcc), "");
        assert_eq!(text.header("x-mailer").collect::<Vec<_>>(), ["FOO BAR"]);
        assert_eq!(text.header("X-Mail").count(), 0);
        assert!(text.headers().contains(&*fold("Subject: grüße FROM oslo\n")));
        assert!(!text.headers().contains("INNER"));
    });
}

#[test]
fn the_body_is_all_text_and_all_inner_headers() {
    let message = crlf(MAIL);
    for found in ["schöne aussicht", "ÄHNLICH", "<p>", "invoice.PDF", "subject: inner", "Inner Text"] {
        assert!(body_contains(&message, found), "{found}");
    }
    for absent in ["Oslo", "preamble", "epilogue", "plain words", "UGxhaW4", "aussichtÄ", "sicht\r\nÄ"] {
        assert!(!body_contains(&message, absent), "{absent}");
    }
}

#[test]
fn the_octets_give_the_same_answer_as_the_packed_text() {
    let message = crlf(MAIL);
    let derived = derive(&message);
    for needle in ["schöne aussicht", "ÄHNLICH", "inner text", "invoice", "oslo", "epilogue", "plain words"]
    {
        assert_eq!(
            octets_contain(&message, &derived.summary, &fold(needle)),
            body_contains(&message, needle),
            "{needle}"
        );
    }
}

#[test]
fn a_long_text_is_searched_in_its_octets() {
    let filler = "All work and no play.\n".repeat(TEXT_BYTES_MAX / 20);
    let message = crlf(&format!("Content-Type: text/plain; charset=utf-8\n\nStart\n{filler}Ändern\n"));
    with_text(&message, |text| {
        assert_eq!(text.body(), None);
        assert_eq!(text.body_start().len(), TEXT_BYTES_MAX);
        assert!(text.body_start().starts_with("START\r\nALL WORK"));
    });
    assert!(body_contains(&message, "ändern"));
    assert!(body_contains(&message, "play.\r\nall"));
    assert!(!body_contains(&message, "playing"));
}

#[test]
fn a_text_of_exactly_the_limit_is_whole() {
    let message = |len: usize| format!("\r\n{}", "x".repeat(len)).into_bytes();
    with_text(&message(TEXT_BYTES_MAX - 1), |text| assert!(text.body().is_some()));
    with_text(&message(TEXT_BYTES_MAX + 1), |text| assert!(text.body().is_none()));
}

#[test]
fn what_cannot_be_decoded_is_searched_as_far_as_it_can() {
    let message = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVs*bG8=\r\n-- \r\nfooter";
    assert!(body_contains(message, "hello"));
    // A wrong charset, an unknown one, and an unknown encoding.
    assert!(body_contains(b"Content-Type: text/plain; charset=utf-8\r\n\r\ngr\xfc\xdfe", "GRÜSSE"));
    assert!(body_contains(b"Content-Type: text/plain; charset=x-mine\r\n\r\ngr\xc3\xbc\xc3\x9fe", "GRÜSSE"));
    assert!(body_contains(b"Content-Transfer-Encoding: x-rot\r\n\r\nabc", "abc"));
    assert!(body_contains(b"Content-Type: text/plain; charset*=''iso-8859-2\r\n\r\n\xb1", "Ą"));
}

#[test]
fn damaged_text_is_refused() {
    let derived = derive(&crlf(MAIL));
    for len in 0..derived.text.len() {
        assert!(SearchText::new(&derived.text[..len]).is_err(), "cut at {len}");
    }
    let mut other = derived.text.clone();
    other[0] += 1;
    assert!(SearchText::new(&other).is_err());
}

fn preview(message: &str) -> String {
    let derived = derive(&crlf(message));
    Summary::new(&derived.summary).expect("own summary").preview().to_owned()
}

fn html(html: &str) -> String {
    preview(&format!("Content-Type: text/html; charset=utf-8\n\n{html}\n"))
}

#[test]
fn a_preview_is_one_line_of_the_text() {
    assert_eq!(preview("Subject: x\n\n\n  Hello,\n\n\tworld\u{a0}!  \n"), "Hello, world !");
    let long = format!("\n{}", "ä".repeat(500));
    assert_eq!(preview(&long), "ä".repeat(200));
    assert_eq!(preview(&format!("\n{}", "a b ".repeat(200))).chars().count(), 200 - 1, "no space at the end");
    assert_eq!(preview(""), "");
    assert_eq!(preview("Content-Type: image/png\n\nabc"), "");
}

#[test]
fn a_preview_of_html_is_what_it_shows() {
    assert_eq!(
        html(
            "<!DOCTYPE html><html><head><title>T</title><style>p { a > b }</style></head><body><p>One<p>two <b>th</b>ree"
        ),
        "One two three"
    );
    assert_eq!(
        html("a&amp;b &lt;c&gt; &eacute;&Ouml;&yuml; &#8364;&#x20AC; &nbsp;&nosuch; &; & x &amp"),
        "a&b <c> éÖÿ €€ &nosuch; &; & x &"
    );
    assert_eq!(html("<!-- a > b -- c --->x<script>if (a < b) alert('</p>')</script>y"), "x y");
    assert_eq!(html("<a href='x>y' title=\">\">link</a>, 1 < 2 <3 <br/>end"), "link, 1 < 2 <3 end");
    assert_eq!(html("<head><meta charset=utf-8><body>no closing head"), "no closing head");
    assert_eq!(html("x\u{ad}y\u{200b}z \u{feff}\u{34f} \u{200f}w"), "xyz w");
    assert_eq!(html("cut <a href"), "cut");
}

#[test]
fn a_preview_comes_from_the_first_text_that_has_any() {
    let parts = |parts: &[(&str, &str)]| {
        let body: String = parts.iter().map(|(header, body)| format!("--b\n{header}\n\n{body}\n")).collect();
        preview(&format!("Content-Type: multipart/mixed; boundary=b\n\n{body}--b--\n"))
    };
    assert_eq!(
        parts(&[("Content-Type: text/plain", "plain"), ("Content-Type: text/html", "<p>html")]),
        "plain"
    );
    assert_eq!(parts(&[("Content-Type: text/plain", " \n"), ("Content-Type: text/html", "<p>html")]), "html");
    assert_eq!(parts(&[("Content-Disposition: attachment", "no"), ("", "yes")]), "yes");
    assert_eq!(
        parts(&[("Content-Type: text/calendar", "no"), ("Content-Type: message/rfc822", "\nnested")]),
        "nested"
    );
    assert_eq!(
        parts(&[(
            "Content-Type: text/plain; charset=iso-2022-jp\nContent-Transfer-Encoding: base64",
            "GyRCRnxLXBsoQg=="
        )]),
        "日本"
    );
}

proptest! {
    /// The matcher finds what a search of the whole folded text finds, wherever the pieces end.
    #[test]
    fn pieces_do_not_hide_a_needle(
        text in "[aäé\u{301}日𝄞ß ]{0,40}",
        needle in "[aä\u{301}日𝄞s]{0,4}",
        piece in 1usize..9,
    ) {
        let needle = fold(&needle).into_owned();
        let mut matcher = TextMatcher::new(b"8bit", b"utf-8", &needle);
        let found = text.as_bytes().chunks(piece).any(|piece| matcher.push(piece)) || matcher.finish();
        prop_assert_eq!(found, fold(&text).contains(&needle));
    }
}
