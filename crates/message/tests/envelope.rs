//! Envelopes, addresses and what is derived from them for SORT and THREAD.

mod support;

use message::{AddressField, SentDate, Summary, derive};
use support::crlf;

fn with_summary<T>(message: &[u8], read: impl FnOnce(&Summary<'_>) -> T) -> T {
    let derived = derive(message);
    read(&Summary::new(&derived.summary).expect("own summary"))
}

fn envelope(header: &str) -> String {
    with_summary(&crlf(&format!("{header}\n\n")), |summary| {
        let mut out = String::new();
        support::envelope(&summary.envelope(), &mut out);
        out
    })
}

/// The To list of a field.
fn to(field: &str) -> String {
    with_summary(&crlf(&format!("To: {field}\n\n")), |summary| {
        let mut out = String::new();
        support::addresses(summary.envelope().to, &mut out);
        out
    })
}

#[test]
fn the_example_of_rfc_9051_section_8() {
    let header = "\
Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)
From: Terry Gray <gray@cac.washington.edu>
Subject: IMAP4rev2 WG mtg summary and minutes
To: imap@cac.washington.edu
cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>
Message-Id: <B27397-0100000@cac.washington.edu>
MIME-Version: 1.0
Content-Type: TEXT/PLAIN; CHARSET=US-ASCII";
    let expected = concat!(
        r#"("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev2 WG mtg summary and minutes" "#,
        r#"(("Terry Gray" NIL "gray" "cac.washington.edu")) "#,
        r#"(("Terry Gray" NIL "gray" "cac.washington.edu")) "#,
        r#"(("Terry Gray" NIL "gray" "cac.washington.edu")) "#,
        r#"((NIL NIL "imap" "cac.washington.edu")) "#,
        r#"((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU")) "#,
        r#"NIL NIL "<B27397-0100000@cac.washington.edu>")"#,
    );
    assert_eq!(envelope(header), expected);
}

#[test]
fn sender_and_reply_to_default_to_from_when_absent_or_empty() {
    let from = r#"((NIL NIL "a" "x"))"#;
    assert_eq!(
        envelope("From: a@x\nSender:\nReply-To: b@x"),
        format!(r#"(NIL NIL {from} {from} ((NIL NIL "b" "x")) NIL NIL NIL NIL NIL)"#)
    );
    assert_eq!(envelope("Sender: s@x"), r#"(NIL NIL NIL ((NIL NIL "s" "x")) NIL NIL NIL NIL NIL NIL)"#);
}

#[test]
fn strings_are_unfolded_and_not_decoded() {
    assert_eq!(
        envelope("Subject: =?utf-8?q?a?=\n =?utf-8?q?b?=\n\tc \\ \"d\" \nIn-Reply-To:\nDate:  \nMessage-ID"),
        // Present but empty is the empty string, absent is NIL (RFC 9051 section 7.5.2).
        "(\"\" \"=?utf-8?q?a?= =?utf-8?q?b?=\tc \\\\ \\\"d\\\"\" NIL NIL NIL NIL NIL NIL \"\" NIL)"
    );
    // The first of several counts; addresses of several are one list.
    assert_eq!(
        envelope("Subject: one\nSubject: two\nTo: a@x\nTo: b@x"),
        r#"(NIL "one" NIL NIL NIL ((NIL NIL "a" "x")(NIL NIL "b" "x")) NIL NIL NIL NIL)"#
    );
}

#[test]
fn nul_and_bare_cr_become_spaces_and_eight_bit_stays() {
    let message = b"Subject: a\0b\rc\xff\xe9\r\n\r\n";
    with_summary(message, |summary| {
        assert_eq!(summary.envelope().subject.bytes, b"a b c\xff\xe9");
        assert_eq!(summary.envelope().subject.kind, message::TextKind::EightBit);
    });
}

#[test]
fn addresses_of_rfc_5322_appendix_a() {
    assert_eq!(
        to("\"Joe Q. Public\" <john.q.public@example.com>"),
        r#"(("Joe Q. Public" NIL "john.q.public" "example.com"))"#
    );
    assert_eq!(
        to("Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>"),
        r#"(("Mary Smith" NIL "mary" "x.test")(NIL NIL "jdoe" "example.org")("Who?" NIL "one" "y.test"))"#
    );
    assert_eq!(
        to("<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>"),
        r#"((NIL NIL "boss" "nil.test")("Giant; \"Big\" Box" NIL "sysservices" "example.net"))"#
    );
    assert_eq!(
        to("A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;"),
        concat!(
            r#"((NIL NIL "A Group" NIL)("Ed Jones" NIL "c" "a.test")(NIL NIL "joe" "where.test")"#,
            r#"("John" NIL "jdoe" "one.test")(NIL NIL NIL NIL))"#
        )
    );
    assert_eq!(
        to("Undisclosed recipients:;"),
        r#"((NIL NIL "Undisclosed recipients" NIL)(NIL NIL NIL NIL))"#
    );
    // Appendix A.5: white space and comments everywhere.
    assert_eq!(
        to(
            "A Group(Some people)\n     :Chris Jones <c@(Chris's host.)public.example>,\n         joe@example.org,\n  John <jdoe@one.test> (my dear friend); (the end of the group)"
        ),
        concat!(
            r#"((NIL NIL "A Group" NIL)("Chris Jones" NIL "c" "public.example")(NIL NIL "joe" "example.org")"#,
            r#"("John" NIL "jdoe" "one.test")(NIL NIL NIL NIL))"#
        )
    );
    assert_eq!(
        to("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>"),
        r#"(("Pete" NIL "pete" "silly.test"))"#
    );
    // Appendix A.6.1 and A.6.3: obsolete routes and spaces.
    assert_eq!(
        to("Mary Smith <@node.test,@two.test:mary@example.net>, , jdoe@test   . example"),
        r#"(("Mary Smith" "@node.test,@two.test" "mary" "example.net")(NIL NIL "jdoe" "test.example"))"#
    );
    assert_eq!(to("john . doe @ host . example"), r#"((NIL NIL "john.doe" "host.example"))"#);
}

#[test]
fn addresses_as_they_are_written() {
    assert_eq!(to("user@host (Real Name)"), r#"(("Real Name" NIL "user" "host"))"#);
    assert_eq!(to("joe@x.test <joe@x.test>"), r#"(("joe@x.test" NIL "joe" "x.test"))"#);
    assert_eq!(to("=?utf-8?Q?Doe,_John?= <j@x>"), r#"(("=?utf-8?Q?Doe,_John?=" NIL "j" "x"))"#);
    assert_eq!(to("Doe, John <j@x>"), r#"((NIL NIL "Doe" "")("John" NIL "j" "x"))"#);
    assert_eq!(to("a@x; b@y"), r#"((NIL NIL "a" "x")(NIL NIL "b" "y"))"#);
    assert_eq!(to("<a@x> <b@y>"), r#"((NIL NIL "a" "x")(NIL NIL "b" "y"))"#);
    assert_eq!(to("Name <a@x, Other <b@y>"), r#"(("Name" NIL "a" "x")("Other" NIL "b" "y"))"#);
    assert_eq!(
        to("\"odd local\"@x, \"\"@y, <\"q\\\"\"@z>"),
        r#"((NIL NIL "odd local" "x")(NIL NIL "" "y")(NIL NIL "q\"" "z"))"#
    );
    assert_eq!(
        to("user@[192.0.2.1], <u@[IPv6:::1]>"),
        r#"((NIL NIL "user" "[192.0.2.1]")(NIL NIL "u" "[IPv6:::1]"))"#
    );
    assert_eq!(
        to("<Not Disclosed@x . y>, <Undisclosed:;@z>, x <a@y"),
        r#"((NIL NIL "Not Disclosed" "x.y")(NIL NIL "Undisclosed:;" "z")("x" NIL "a" "y"))"#
    );
    assert_eq!(to("a@b@c"), r#"((NIL NIL "a@b" "c"))"#);
}

#[test]
fn an_address_never_looks_like_a_group() {
    // RFC 9051 section 7.5.2: a NIL host is group syntax; what is missing is empty.
    assert_eq!(to("postmaster"), r#"((NIL NIL "postmaster" ""))"#);
    assert_eq!(to("Just A Name"), r#"(("Just A Name" NIL "" ""))"#);
    assert_eq!(to("<>"), r#"((NIL NIL "" ""))"#);
    assert_eq!(to("Nobody <>"), r#"(("Nobody" NIL "" ""))"#);
    assert_eq!(to("<@host>, @other"), r#"((NIL NIL "" "host")(NIL NIL "" "other"))"#);
    assert_eq!(to("user@"), r#"((NIL NIL "user" ""))"#);
    assert_eq!(to("user@ (gone)"), r#"(("gone" NIL "user" ""))"#);
}

#[test]
fn what_is_never_closed_ends_with_the_field() {
    assert_eq!(to("((((never"), "NIL");
    assert_eq!(to("a@x (never, b@y"), r#"(("never, b@y" NIL "a" "x"))"#);
    assert_eq!(to("\"never <a@x>, b@y"), r#"((NIL NIL "never <a@x>, b@y" ""))"#);
    assert_eq!(to("Group: a@x"), r#"((NIL NIL "Group" NIL)(NIL NIL "a" "x")(NIL NIL NIL NIL))"#);
    assert_eq!(to("<a@[1.2"), r#"((NIL NIL "a" "[1.2"))"#);
    assert_eq!(to(") > , ; ] ("), r#"((NIL NIL "]" ""))"#);
    assert_eq!(to("G: H: a@x;"), r#"((NIL NIL "G" NIL)("H" NIL "a" "x")(NIL NIL NIL NIL))"#);
}

fn sent(date: &str) -> Option<(i64, i32, u8, u8)> {
    let message = crlf(&format!("Date: {date}\n\n"));
    with_summary(&message, |summary| {
        summary
            .sent_date()
            .map(|SentDate { unix_seconds, year, month, day }| (unix_seconds, year, month, day))
    })
}

#[test]
fn dates_of_rfc_5322() {
    // Seconds from `date -ud … +%s`.
    assert_eq!(sent("Fri, 21 Nov 1997 09:55:06 -0600"), Some((880_127_706, 1997, 11, 21)));
    assert_eq!(
        sent(
            "Thu,\n      13\n        Feb\n          1969\n      23:32\n               -0330 (Newfoundland Time)"
        ),
        Some((-27_723_480, 1969, 2, 13))
    );
    assert_eq!(sent("21 Nov 97 09:55:06 GMT"), Some((880_106_106, 1997, 11, 21)));
    assert_eq!(sent("Fri, 21 Nov 1997 09(comment):   55  :  06 -0600").map(|sent| sent.1), Some(1997));
    // The day as written, whatever the zone makes of it.
    assert_eq!(sent("Thu, 1 Jan 1970 00:30:00 +0100"), Some((-1_800, 1970, 1, 1)));
}

#[test]
fn dates_as_they_are_written() {
    let new_year = Some((946_684_800, 2000, 1, 1));
    for date in [
        "Sat, 1 Jan 2000 00:00:00 +0000",
        "Sat, 01 Jan 2000 00:00 UT",
        "1 January 2000",
        "1-Jan-2000 00:00:00 +0000",
        "Sat Jan  1 00:00:00 2000",
        "Sat, 1 Jan 00 00:00:00 Z",
        "Sat, 1 Jan 100 00:00:00 +0000 (GMT)",
        "1 jan 2000 00:00:00 +0000 garbage 1999",
        "Fri, 31 Dec 1999 19:00:00 EST",
        "Fri, 31 Dec 1999 05:00:00 -1900",
        "Fri 31 Dec 1999 07:00:00 PM EST",
        "Sat, 1 Jan 2000 12:00:00 AM +0000",
        "1 Jan 2000 25:00:00 +0000",
        "1 Jan 2000 00:00:00 +9999",
    ] {
        let found = sent(date);
        let expected = if date.starts_with("Fri") { Some((946_684_800, 1999, 12, 31)) } else { new_year };
        assert_eq!(found, expected, "{date}");
    }
    assert_eq!(sent("Tue, 23 Jul 0102 03:26:35 +1000").map(|sent| sent.1), Some(2002));
    assert_eq!(sent("29 Feb 2000 12:00:00 -0000").map(|sent| (sent.2, sent.3)), Some((2, 29)));
    assert_eq!(sent("Sat, 1 Jan 2000 23:59:60 +0000").map(|sent| sent.0), Some(946_684_800 + 86_399));
}

#[test]
fn what_is_no_date_is_none() {
    for date in [
        "",
        "yesterday",
        "32 Jan 2000",
        "29 Feb 1900",
        "0 Jan 2000",
        "1 Foo 2000",
        "1 Jan",
        "1 Jan 99999",
        "2000-01-01T00:00:00Z",
        "(((",
        "+",
        "-",
        ",,,",
    ] {
        assert_eq!(sent(date), None, "{date}");
    }
}

fn base(subject: &str) -> (String, bool) {
    let message = crlf(&format!("Subject: {subject}\n\n"));
    with_summary(&message, |summary| (summary.base_subject().to_owned(), summary.is_reply()))
}

#[test]
fn base_subjects() {
    // RFC 5256 section 2.1; the results are folded.
    for (subject, expected, reply) in [
        ("hello", "HELLO", false),
        ("Re: hello", "HELLO", true),
        ("RE : Fwd: fw: hello", "HELLO", true),
        ("Re[2]: hello", "HELLO", true),
        ("[list] Re: [list] hello", "HELLO", true),
        ("[a] [b] hello", "HELLO", false),
        ("[only a blob]", "[ONLY A BLOB]", false),
        ("[a][b]", "[B]", false),
        ("hello (fwd)  (FWD) ", "HELLO", true),
        ("[Fwd: Re: hello (fwd)]", "HELLO", true),
        ("[fwd: [fwd: hello]]", "HELLO", true),
        ("Re:", "", true),
        ("", "", false),
        ("re hello", "RE HELLO", false),
        ("Reply: hello", "REPLY: HELLO", false),
        ("[a[b] c", "[A[B] C", false),
        ("a\tb\n  c   d", "A B C D", false),
        ("=?utf-8?q?Re:_gr=C3=BC=C3=9Fe?=", "GRU\u{308}SSE", true),
        ("=?iso-8859-1?q?Re=3A?= x", "X", true),
        ("[Fwd: hello", "[FWD: HELLO", false),
    ] {
        assert_eq!(base(subject), (expected.to_owned(), reply), "{subject}");
    }
}

#[test]
fn sort_keys_are_of_the_first_address() {
    let key = |field: &str, key: AddressField| {
        let message = crlf(&format!("From: {field}\nTo: {field}\nCc: {field}\n\n"));
        with_summary(&message, |summary| summary.sort_address(key).to_owned())
    };
    let both = |field: &str| (key(field, AddressField::From), key(field, AddressField::DisplayFrom));
    let pair = |from: &str, display: &str| (from.to_owned(), display.to_owned());
    assert_eq!(both("\"Doe, Jo\" <jo@x.test>, b@y"), pair("JO", "DOE, JO"));
    assert_eq!(both("jo@x.test"), pair("JO", "JO@X.TEST"));
    assert_eq!(both("=?utf-8?b?w4RzYQ==?= <a@x>"), pair("A", "A\u{308}SA"));
    assert_eq!(both("\"\" <a@x>"), pair("A", "A@X"));
    // RFC 5957 section 3: a group shows its name.
    assert_eq!(both("Friends: a@x;"), pair("FRIENDS", "FRIENDS"));
    assert_eq!(both(""), pair("", ""));
    assert_eq!(key("a@x", AddressField::To), "A");
    assert_eq!(key("a@x", AddressField::Cc), "A");
    assert_eq!(key("A <a@x>", AddressField::DisplayTo), "A");
}

#[test]
fn ids_for_threads_are_compared_without_quoting() {
    let ids = |header: &str| {
        with_summary(&crlf(&format!("{header}\n\n")), |summary| {
            let text = |id: &[u8]| String::from_utf8_lossy(id).into_owned();
            (text(summary.thread_id()), summary.references().map(text).collect::<Vec<_>>())
        })
    };
    // RFC 5256 section 3, step 1 of REFERENCES.
    assert_eq!(
        ids(
            "Message-ID: <\"01KF8JCEOCBS0045PS\"@xxx.yyy.com>\nReferences: <a@x>\n <b@x>garbage<c@x>\nIn-Reply-To: <z@x>"
        ),
        ("01KF8JCEOCBS0045PS@xxx.yyy.com".into(), vec!["a@x".into(), "b@x".into(), "c@x".into()])
    );
    assert_eq!(
        ids(
            "Message-ID: not an id\nReferences: nothing\nIn-Reply-To: Your message of \"yesterday\" <a@x> <b@x>"
        ),
        (String::new(), vec!["a@x".into()])
    );
    let many: String = (0..150).map(|n| format!("<{n}@x>")).collect();
    let (_, references) = ids(&format!("References: {many}"));
    assert_eq!((references.len(), references.first().map(String::as_str)), (100, Some("50@x")));
}
