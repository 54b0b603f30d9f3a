//! The body structure and the sections of messages whose answer is known.

mod support;

use message::{SectionKind, Summary, derive};
use support::{crlf, section, structure_of};

fn structure(message: &[u8]) -> String {
    let derived = derive(message);
    let summary = Summary::new(&derived.summary).expect("own summary");
    structure_of(message, &summary)
}

/// The example of RFC 9051 section 6.4.5.1: parts 1 to 4.2.2.2.
const NESTED: &str = "\
Subject: outer
Content-Type: multipart/mixed; boundary=top

preamble
--top

text one
--top
Content-Type: application/octet-stream

bytes
--top
Content-Type: message/rfc822

Subject: third
Content-Type: multipart/mixed; boundary=third

--third

three one
--third
Content-Type: application/octet-stream

three two
--third--
--top
Content-Type: multipart/mixed; boundary=fourth

--fourth
Content-Type: image/gif
Content-ID: <gif>

GIF
--fourth
Content-Type: message/rfc822

Subject: four two
Content-Type: multipart/mixed; boundary=inner

--inner
Content-Type: text/plain

four two one
--inner
Content-Type: multipart/alternative; boundary=alt

--alt
Content-Type: text/plain

plain
--alt
Content-Type: text/richtext

rich
--alt--
--inner--
--fourth--
--top--
epilogue
";

#[test]
fn sections_of_the_rfc_example_are_where_it_says() {
    let message = crlf(NESTED);
    let derived = derive(&message);
    let summary = Summary::new(&derived.summary).expect("own summary");
    let at = |path: &[u32], kind| section(&message, &summary, path, kind);
    let whole = |path: &[u32]| at(path, SectionKind::Whole);
    assert_eq!(whole(&[1]).as_deref(), Some("text one"));
    assert_eq!(whole(&[2]).as_deref(), Some("bytes"));
    assert_eq!(whole(&[3, 1]).as_deref(), Some("three one"));
    assert_eq!(whole(&[3, 2]).as_deref(), Some("three two"));
    assert_eq!(whole(&[4, 1]).as_deref(), Some("GIF"));
    assert_eq!(whole(&[4, 2, 1]).as_deref(), Some("four two one"));
    assert_eq!(whole(&[4, 2, 2, 1]).as_deref(), Some("plain"));
    assert_eq!(whole(&[4, 2, 2, 2]).as_deref(), Some("rich"));
    assert_eq!(
        at(&[3], SectionKind::Header).as_deref(),
        Some("Subject: third\r\nContent-Type: multipart/mixed; boundary=third\r\n\r\n")
    );
    assert_eq!(
        at(&[4, 2], SectionKind::Header).as_deref(),
        Some("Subject: four two\r\nContent-Type: multipart/mixed; boundary=inner\r\n\r\n")
    );
    assert!(at(&[3], SectionKind::Text).expect("3.TEXT").starts_with("--third\r\n\r\nthree one"));
    assert_eq!(
        at(&[4, 1], SectionKind::Mime).as_deref(),
        Some("Content-Type: image/gif\r\nContent-ID: <gif>\r\n\r\n")
    );
    assert_eq!(at(&[1], SectionKind::Mime).as_deref(), Some("\r\n"));
    let message_text = String::from_utf8(message.clone()).expect("ASCII");
    assert_eq!(at(&[], SectionKind::Whole).as_deref(), Some(message_text.as_str()));
    let header = "Subject: outer\r\nContent-Type: multipart/mixed; boundary=top\r\n\r\n";
    assert_eq!(at(&[], SectionKind::Header).as_deref(), Some(header));
    assert_eq!(at(&[], SectionKind::Text).as_deref(), message_text.strip_prefix(header));
    assert_eq!(summary.header_len(), header.len() as u64);
}

#[test]
fn what_a_message_does_not_have_is_none() {
    let message = crlf(NESTED);
    let derived = derive(&message);
    let summary = Summary::new(&derived.summary).expect("own summary");
    for path in
        [&[0][..], &[5], &[1, 1], &[2, 1], &[3, 3], &[3, 0], &[4, 3], &[4, 2, 3], &[4, 2, 2, 3], &[u32::MAX]]
    {
        assert_eq!(summary.section(path, SectionKind::Whole), None, "{path:?}");
    }
    // HEADER and TEXT are of messages only, MIME is of parts only.
    assert_eq!(summary.section(&[1], SectionKind::Header), None);
    assert_eq!(summary.section(&[4], SectionKind::Text), None);
    assert_eq!(summary.section(&[], SectionKind::Mime), None);
}

#[test]
fn a_message_without_parts_has_part_one_only() {
    let message = crlf("Subject: x\nContent-Type: text/plain\n\nHello\n");
    let derived = derive(&message);
    let summary = Summary::new(&derived.summary).expect("own summary");
    assert_eq!(section(&message, &summary, &[1], SectionKind::Whole).as_deref(), Some("Hello\r\n"));
    assert_eq!(section(&message, &summary, &[2], SectionKind::Whole), None);
    assert_eq!(section(&message, &summary, &[1, 1], SectionKind::Whole), None);
    // Its MIME header is the one it has.
    assert_eq!(summary.section(&[1], SectionKind::Mime), summary.section(&[], SectionKind::Header));
    assert_eq!(summary.section(&[1], SectionKind::Header), None);
}

#[test]
fn a_message_that_is_a_message_is_addressed_through_part_one() {
    let message = crlf("Content-Type: message/rfc822\n\nSubject: in\n\nHello\n");
    let derived = derive(&message);
    let summary = Summary::new(&derived.summary).expect("own summary");
    let at = |path: &[u32], kind| section(&message, &summary, path, kind);
    assert_eq!(at(&[1], SectionKind::Whole).as_deref(), Some("Subject: in\r\n\r\nHello\r\n"));
    assert_eq!(at(&[1], SectionKind::Header).as_deref(), Some("Subject: in\r\n\r\n"));
    assert_eq!(at(&[1, 1], SectionKind::Whole).as_deref(), Some("Hello\r\n"));
    assert_eq!(at(&[1, 1, 1], SectionKind::Whole), None);
}

#[test]
fn the_structure_of_the_rfc_example() {
    let expected = concat!(
        r#"(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 8 0 NIL NIL NIL NIL)"#,
        r#"("application" "octet-stream" NIL NIL NIL "7bit" 5 NIL NIL NIL NIL)"#,
        r#"("message" "rfc822" NIL NIL NIL "7bit" 158 "#,
        r#"(NIL "third" NIL NIL NIL NIL NIL NIL NIL NIL) "#,
        r#"(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 9 0 NIL NIL NIL NIL)"#,
        r#"("application" "octet-stream" NIL NIL NIL "7bit" 9 NIL NIL NIL NIL)"#,
        r#" "mixed" ("boundary" "third") NIL NIL NIL) 10 NIL NIL NIL NIL)"#,
    );
    let found = structure(&crlf(NESTED));
    assert!(found.starts_with(expected), "{found}");
    assert!(found.contains(r#"("image" "gif" NIL "<gif>" NIL "7bit" 3 NIL NIL NIL NIL)"#), "{found}");
    assert!(found.ends_with(r#" "mixed" ("boundary" "top") NIL NIL NIL)"#), "{found}");
}

#[test]
fn every_field_of_a_body_is_where_the_grammar_wants_it() {
    let message = crlf(
        "Content-Type: TEXT/Html; charset=\"utf-8\"; Name=\"a \\\"b\\\".html\"
Content-Transfer-Encoding: BASE64
Content-ID: <id@host>
Content-Description: what
\tit is
Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==
Content-Disposition: attachment; filename=x.html; size=3
Content-Language: de, en (English)
Content-Location: http://host/
 path

YWJj
",
    );
    let expected = r#"("TEXT" "Html" ("charset" "utf-8" "Name" "a \"b\".html") "<id@host>" "what	it is" "BASE64" 6 1 "Q2hlY2sgSW50ZWdyaXR5IQ==" ("attachment" ("filename" "x.html" "size" "3")) (de en) "http://host/path")"#;
    assert_eq!(structure(&message), expected);
}

const EMPTY_TEXT: &str = r#"("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL)"#;

#[test]
fn an_empty_message_is_empty_text() {
    assert_eq!(structure(b""), EMPTY_TEXT);
    assert_eq!(structure(b"\r\n"), EMPTY_TEXT);
    assert_eq!(structure(b"Subject: no body and no blank line"), EMPTY_TEXT);
}

#[test]
fn types_that_are_not_valid_are_text() {
    // RFC 2045 section 5.2.
    for field in [
        "text",
        "/plain",
        "text/",
        "te xt/plain",
        "",
        ";charset=utf-8",
        "text\\plain",
        "=?utf-8?q?text/plain?=",
    ] {
        let message = crlf(&format!("Content-Type: {field}\n\n"));
        assert_eq!(structure(&message), EMPTY_TEXT, "{field}");
    }
}

#[test]
fn a_multipart_without_usable_boundary_is_text() {
    let long = "b".repeat(1_001);
    for parameter in
        ["", "; boundary=", "; boundary=\"  \"", "; boundary*=us-ascii''a%0Ab", &format!("; boundary={long}")]
    {
        let message = crlf(&format!("Content-Type: multipart/mixed{parameter}\n\n"));
        assert_eq!(structure(&message), EMPTY_TEXT, "{parameter}");
    }
}

#[test]
fn a_multipart_without_parts_has_one_empty_part() {
    for body in ["", "\n", "--other\n", "no delimiter\n", "--b--\n"] {
        let message = crlf(&format!("Content-Type: multipart/mixed; boundary=b\n\n{body}"));
        let expected = format!(r#"({EMPTY_TEXT} "mixed" ("boundary" "b") NIL NIL NIL)"#);
        assert_eq!(structure(&message), expected, "{body:?}");
    }
}

/// Bodies of the parts of a multipart with boundary `b`.
fn bodies(body: &str) -> Vec<String> {
    let message = format!("Content-Type: multipart/mixed; boundary=b\n\n{body}").into_bytes();
    let derived = derive(&message);
    let summary = Summary::new(&derived.summary).expect("own summary");
    structure_of(&message, &summary);
    let text = |part: message::Part<'_>| {
        String::from_utf8_lossy(support::octets(&message, part.body())).into_owned()
    };
    summary.structure().children().map(text).collect()
}

#[test]
fn delimiters_are_whole_lines() {
    // White space may follow (RFC 2046 section 5.1.1), anything else makes it another line.
    assert_eq!(bodies("--b\n\nx\n--b  \t\n\ny\n--b-- \n"), ["x", "y"]);
    assert_eq!(bodies("--b\n\nx\n--bb\n--b-\n--b--x\n --b\n-b\n--b--"), ["x\n--bb\n--b-\n--b--x\n --b\n-b"]);
    assert_eq!(bodies("--b\n\nx --b\n"), ["x --b\n"]);
    assert_eq!(bodies("--b\r\n\r\nx\r\n--b\n\ny\r\n--b--\r\n"), ["x", "y"]);
    assert_eq!(bodies("--b\n\nx\n--b\t\r\n\r\n\r\n--b--"), ["x", ""]);
}

#[test]
fn the_line_end_before_a_delimiter_is_no_content() {
    assert_eq!(bodies("--b\n\nx\n\n--b\n\n\n--b\n\n--b--\n"), ["x\n", "", ""]);
    // A header that the delimiter cuts short.
    assert_eq!(bodies("--b\nContent-Type: text/plain\n--b\n--b--\n"), ["", ""]);
    // The last CR is content where no LF follows it.
    assert_eq!(bodies("--b\n\nx\r\r\n--b--\n"), ["x\r"]);
}

#[test]
fn without_close_delimiter_the_last_part_runs_to_the_end() {
    assert_eq!(bodies("--b\n\nx\n--b\n\ny\n"), ["x", "y\n"]);
    assert_eq!(bodies("--b\n\nx\n--b"), ["x", ""]);
}

#[test]
fn after_the_close_delimiter_nothing_is_a_part() {
    assert_eq!(bodies("--b\n\nx\n--b--\n--b\n\ny\n"), ["x"]);
}

#[test]
fn a_boundary_used_twice_belongs_to_the_innermost() {
    let message = crlf(
        "Content-Type: multipart/mixed; boundary=b

--b
Content-Type: multipart/alternative; boundary=b

--b

inner
--b--
--b

outer
--b--
",
    );
    let found = structure(&message);
    let expected = concat!(
        r#"((("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 5 0 NIL NIL NIL NIL) "alternative" ("boundary" "b") NIL NIL NIL)"#,
        r#"("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 5 0 NIL NIL NIL NIL) "mixed" ("boundary" "b") NIL NIL NIL)"#,
    );
    assert_eq!(found, expected);
}

#[test]
fn a_boundary_that_begins_like_another_is_another() {
    let message = crlf(
        "Content-Type: multipart/mixed; boundary=foo

--foo
Content-Type: multipart/mixed; boundary=foobar

--foobar

one
--foobar--
--foo

two
--foo--
",
    );
    let derived = derive(&message);
    let summary = Summary::new(&derived.summary).expect("own summary");
    assert_eq!(section(&message, &summary, &[1, 1], SectionKind::Whole).as_deref(), Some("one"));
    assert_eq!(section(&message, &summary, &[2], SectionKind::Whole).as_deref(), Some("two"));
}

#[test]
fn a_delimiter_of_the_parent_ends_all_that_is_within() {
    let message = crlf(
        "Content-Type: multipart/mixed; boundary=outer

--outer
Content-Type: message/rfc822

Content-Type: multipart/mixed; boundary=inner

--inner

never closed
--outer

two
--outer--
",
    );
    let derived = derive(&message);
    let summary = Summary::new(&derived.summary).expect("own summary");
    structure_of(&message, &summary);
    assert_eq!(section(&message, &summary, &[1, 1], SectionKind::Whole).as_deref(), Some("never closed"));
    assert_eq!(section(&message, &summary, &[2], SectionKind::Whole).as_deref(), Some("two"));
}

#[test]
fn parts_of_a_digest_are_messages_unless_they_say_otherwise() {
    let message = crlf(
        "Content-Type: multipart/digest; boundary=b

--b

Subject: one

first
--b
Content-Type: text/plain

second
--b

Subject: three
--b--
",
    );
    let derived = derive(&message);
    let summary = Summary::new(&derived.summary).expect("own summary");
    structure_of(&message, &summary);
    let subject =
        |path: &[u32]| summary.part(path).and_then(|part| part.envelope()).map(|e| e.subject.bytes.to_vec());
    assert_eq!(subject(&[1]).as_deref(), Some(&b"one"[..]));
    assert_eq!(section(&message, &summary, &[1, 1], SectionKind::Whole).as_deref(), Some("first"));
    assert!(!summary.part(&[2]).expect("part 2").is_message());
    assert_eq!(subject(&[3]).as_deref(), Some(&b"three"[..]));
    // A nested message that the delimiter ends in its header has an empty body, within its part.
    assert_eq!(section(&message, &summary, &[3, 1], SectionKind::Whole).as_deref(), Some(""));
}

#[test]
fn an_encoded_message_is_opaque() {
    // RFC 2046 section 5.2.1 forbids it; RFC 6532 section 3.7 allows it for message/global.
    for (subtype, encoding) in
        [("rfc822", "base64"), ("RFC822", "Quoted-Printable"), ("global", "base64"), ("rfc822", "x-own")]
    {
        let message = crlf(&format!(
            "Content-Type: message/{subtype}; name=a.eml\nContent-Transfer-Encoding: {encoding}\n\nU3ViamVjdDogeA0KDQo=\n"
        ));
        let expected = format!(
            r#"("application" "octet-stream" ("name" "a.eml") NIL NIL "{encoding}" 22 NIL NIL NIL NIL)"#
        );
        assert_eq!(structure(&message), expected);
    }
    for encoding in ["7bit", "8BIT", "binary"] {
        let message = crlf(&format!(
            "Content-Type: message/global\nContent-Transfer-Encoding: {encoding}\n\nSubject: x\n\n"
        ));
        assert!(structure(&message).starts_with(r#"("message" "global""#));
    }
}

#[test]
fn lines_are_counted_by_their_lf() {
    let lines = |message: &[u8]| {
        let derived = derive(message);
        Summary::new(&derived.summary).expect("own summary").structure().lines()
    };
    assert_eq!(lines(b"\na\nb\n"), 2);
    assert_eq!(lines(b"\r\na\r\nb"), 1);
    assert_eq!(lines(b"\r\na\rb\r"), 0);
    assert_eq!(lines(b"\n\n\n"), 2);
}

#[test]
fn the_blank_line_is_blank() {
    let header_len = |message: &[u8]| {
        let derived = derive(message);
        Summary::new(&derived.summary).expect("own summary").header_len()
    };
    assert_eq!(header_len(b"A: b\r\n\r\nbody"), 8);
    assert_eq!(header_len(b"A: b\n\nbody"), 6);
    // White space makes it a continuation, a CR of its own something else.
    assert_eq!(header_len(b"A: b\r\n \r\nC: d\r\n\r\n"), 17);
    assert_eq!(header_len(b"A: b\n\r\r\nC: d\n\nx"), 14);
    assert_eq!(header_len(b"no colon at all\nB: c\n\nx"), 22);
}

#[test]
fn parameters_in_continuations_are_joined() {
    // The examples of RFC 2231 sections 3, 4 and 4.1.
    let params = |field: &str| {
        let message = crlf(&format!("Content-Type: application/x-stuff{field}\n\n"));
        let derived = derive(&message);
        let mut out = String::new();
        support::params(Summary::new(&derived.summary).expect("own summary").structure().params(), &mut out);
        out
    };
    assert_eq!(
        params(";\n URL*0=\"ftp://\";\n URL*1=\"cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar\""),
        r#"("URL" "ftp://cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar")"#
    );
    assert_eq!(
        params("; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A"),
        r#"("title*" "us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A")"#
    );
    assert_eq!(
        params(
            "\n ;title*0*=us-ascii'en'This%20is%20even%20more%20\n ;title*1*=%2A%2A%2Afun%2A%2A%2A%20\n ;title*2=\"isn't it!\""
        ),
        r#"("title*" "us-ascii'en'This%20is%20even%20more%20%2A%2A%2Afun%2A%2A%2A%20isn%27t%20it!")"#
    );
    // Out of order, with another between, a gap, a duplicate, and no beginning.
    assert_eq!(params("; N*1=b; other=x; n*0=a; n*3=d; n*1=z"), r#"("n" "ab" "other" "x")"#);
    assert_eq!(params("; n*1=b"), "NIL");
    assert_eq!(params("; a=1; A=2"), r#"("a" "1" "A" "2")"#);
}

#[test]
fn parameters_are_read_as_they_are_written() {
    let params = |field: &str| {
        let message = crlf(&format!("Content-Type: a/b{field}\n\n"));
        let derived = derive(&message);
        let mut out = String::new();
        support::params(Summary::new(&derived.summary).expect("own summary").structure().params(), &mut out);
        out
    };
    assert_eq!(params("; charset=us-ascii (Plain text)"), r#"("charset" "us-ascii")"#);
    assert_eq!(params(" (c;d) ; x = \"y;z\" ; ; =v ; w"), r#"("x" "y;z")"#);
    assert_eq!(params("; name=my file.pdf; b=----=_Part/1"), r#"("name" "my file.pdf" "b" "----=_Part/1")"#);
    assert_eq!(params("; x=\"never closed; y=z"), r#"("x" "never closed; y=z")"#);
    assert_eq!(params("; x="), r#"("x" "")"#);
    assert_eq!(params(" no semicolon=x"), "NIL");
    assert_eq!(params("; a*=v; a**=w; *=u; *0=t"), r#"("a*" "v" "a**" "w" "*" "u" "*0" "t")"#);
}

#[test]
fn a_child_never_reaches_beyond_its_parent() {
    // The line end before the outer delimiter is the inner header's blank line, or ends the inner delimiter line.
    for inner in ["--in\n\n", "--in\n", "--in", "--in\nA: b\n\n", "--in\nA: b\n", "--in--\n", ""] {
        let message = crlf(&format!(
            "Content-Type: multipart/mixed; boundary=out\n\n--out\nContent-Type: multipart/mixed; boundary=in\n\n{inner}\n--out--\n"
        ));
        let found = structure(&message);
        assert!(found.contains("\"7bit\" 0 0 "), "{found}");
    }
}

#[test]
fn a_nested_message_without_body_keeps_its_blank_line() {
    let message = crlf(
        "Content-Type: multipart/mixed; boundary=b

--b
Content-Type: message/rfc822

Subject: x

--b--
",
    );
    let derived = derive(&message);
    let summary = Summary::new(&derived.summary).expect("own summary");
    structure_of(&message, &summary);
    assert_eq!(section(&message, &summary, &[1], SectionKind::Whole).as_deref(), Some("Subject: x\r\n\r\n"));
    assert_eq!(section(&message, &summary, &[1], SectionKind::Header).as_deref(), Some("Subject: x\r\n\r\n"));
    assert_eq!(section(&message, &summary, &[1], SectionKind::Text).as_deref(), Some(""));
}
