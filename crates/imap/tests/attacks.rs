//! Bad inputs and attacks on the conversation, each with what must happen.
//!
//! | attack | where it is tested |
//! | --- | --- |
//! | command injection behind STARTTLS, half commands and literals across the handshake | here; over real sockets in `crates/mansio/tests/cli/tls.rs` |
//! | STARTTLS in a wrong state, passwords in plaintext | here |
//! | handshakes that never end, plain text on the TLS port, ALPN of others | `crates/mansio/tests/cli/tls.rs` |
//! | HTTP requests | here |
//! | endless lines, parentheses, literals, sets, keys, tags, items | here for their meaning; `limits.rs` at each n and n + 1 |
//! | literals of absurd lengths | here; `wire_framer.rs` |
//! | a client that goes away within a message | here |
//! | a client that trickles, floods or never reads; connections without number | `crates/mansio/tests/cli/hostile.rs` |
//! | NUL, bare CR, bare LF; response splitting by names | here; `wire_reader.rs`, `wire_writer.rs` |
//! | hostile mailbox names | here; `crates/account` |
//! | searches that cost, charsets, metacharacters | here |
//! | sections that are not there, slices beyond the end, broken encodings | here |
//! | IDLE with junk, in pieces, twice | here |
//! | COMPRESS bombs and junk | `crates/mansio/tests/cli/compress.rs` |
//! | AUTHENTICATE with junk, other people's names, expansions | here; delays of guesses in `crates/mansio/tests/cli/hostile.rs` |
//! | messages built to cost | `crates/message/tests/limits.rs`; here, that what is said of them is IMAP |
//! | sessions that race | `sessions.rs`; `crates/mansio/tests/history.rs` |
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod client;
#[allow(dead_code, reason = "this binary needs a part of it")]
mod harness;

use client::{Client, MAIL, PLAIN, TLS, tagged};
use harness::LOGIN;
use imap::{Fill, Next, Transport, limits};
use imap_codec::ResponseCodec;
use imap_codec::decode::Decoder;
use imap_codec::imap_types::response::{Data, Response};

/// A plaintext port with STARTTLS, where passwords may travel all the same.
const OPEN: Transport = Transport { secure: false, starttls: true, login_allowed: true };

fn selected() -> Client {
    Client::selected(&[MAIL])
}

/// The answer to one command with the tag `a`, which leaves the conversation in step.
fn answer(client: &mut Client, command: impl AsRef<[u8]>) -> String {
    let said = client.say([b"a ", command.as_ref(), b"\r\n"].concat());
    assert!(client.in_step(), "{} → {said}", command.as_ref().escape_ascii());
    tagged(&said, "a").to_owned()
}

#[test]
fn what_comes_with_starttls_in_one_segment_is_never_run() {
    let mut client = Client::greeted(OPEN);
    let said = client.say(format!("a STARTTLS\r\nb LOGIN {} {}\r\n", LOGIN.0, LOGIN.1));
    assert!(said.starts_with("a OK ") && said.lines().count() == 1, "{said}");
    assert_eq!(client.server.nexts(0), [Next::StartTls]);
    assert_eq!(client.say("c SELECT INBOX\r\n"), "c BAD Command is not valid in this state\r\n");
}

#[test]
fn half_a_command_before_the_handshake_is_gone_after_it() {
    let mut client = Client::greeted(OPEN);
    client.say("a STARTTLS\r\nb LOG");
    assert!(client.say("OUT\r\n").starts_with("OUT BAD ") && !client.is_closed(), "OUT is a tag of its own");
    // And half a literal: the octets behind the handshake are commands.
    let mut client = Client::greeted(OPEN);
    client.say("a STARTTLS\r\nb LOGIN {100+}\r\nx");
    assert!(client.in_step());
}

#[test]
fn starttls_has_its_time() {
    for (transport, before) in [(TLS, ""), (OPEN, "login LOGIN ann@example.org secret\r\n")] {
        let mut client = Client::greeted(transport);
        client.say(before);
        assert!(answer(&mut client, "STARTTLS").starts_with("BAD "));
    }
    let mut client = Client::greeted(PLAIN);
    client.say("a STARTTLS\r\n");
    assert!(answer(&mut client, "STARTTLS").starts_with("BAD "), "TLS within TLS");
    assert!(!client.say("c CAPABILITY\r\n").contains("STARTTLS"));
}

#[test]
fn passwords_in_plaintext_are_not_even_looked_at() {
    let mut client = Client::greeted(PLAIN);
    let refused = "NO [PRIVACYREQUIRED] Passwords are taken under TLS only";
    assert_eq!(answer(&mut client, "LOGIN ann@example.org secret"), refused);
    assert_eq!(answer(&mut client, "LOGIN ann@example.org wrong"), refused);
    assert_eq!(answer(&mut client, "LOGIN {3+}\r\nann {6+}\r\nsecret"), refused);
    // No challenge either: the client must not be led to answer it.
    assert_eq!(answer(&mut client, "AUTHENTICATE PLAIN"), refused);
}

#[test]
fn http_request_ends_the_connection() {
    for request in ["GET / HTTP/1.1\r\n", "POST /x HTTP/1.1\r\nHost: a\r\n\r\na LOGOUT\r\n"] {
        let mut client = Client::greeted(TLS);
        let said = client.say(request);
        assert!(client.is_closed() && said.contains("* BYE ") && !said.contains("OK"), "{said}");
    }
}

#[test]
fn endless_lines_and_brackets_are_cut_in_whatever_state_the_parser_is() {
    for begin in ["", "a ", "a NOOP ", "a SEARCH ", "a FETCH 1 (", "a LOGIN \"", "a APPEND x (", "a ID (\""] {
        for filling in ["x", "(", "{", "\"", "\\", "[", ",", "1:", "~{", "&"] {
            let mut client = selected();
            let line = format!("{begin}{}", filling.repeat(limits::LINE_BYTES_MAX / filling.len() + 1));
            let said = client.say(&line[..limits::LINE_BYTES_MAX]);
            assert_eq!(said, "", "{begin}{filling}…");
            let said = client.say(&line[limits::LINE_BYTES_MAX - 1..]);
            assert!(
                client.is_closed() && said.contains("BAD ") && said.contains("* BYE "),
                "{begin}: {said}"
            );
        }
    }
    let mut client = selected();
    for brackets in ["(", "{", "[", "((((((((", "{{{{{{", "(\"(\\"] {
        assert!(answer(&mut client, format!("NOOP {}", brackets.repeat(1_000))).starts_with("BAD "));
    }
}

#[test]
fn literals_of_absurd_lengths_are_refused_without_asking_for_them() {
    for length in ["4294967295", "9223372036854775807", "9223372036854775808", "18446744073709551616"] {
        let mut client = Client::greeted(TLS);
        let refused = answer(&mut client, format!("LOGIN {{{length}}}"));
        assert!(refused.starts_with("NO [TOOBIG]"), "{length}: {refused}");
        let said = client.say(format!("b LOGIN {{{length}+}}\r\nc LOGOUT\r\n"));
        assert!(said.starts_with("b NO [TOOBIG]") && said.contains("\r\n* BYE [TOOBIG]"), "{said}");
        assert!(client.is_closed() && !said.contains("c OK"), "{said}");
    }
    let mut client = Client::greeted(TLS);
    for length in ["{-1}", "{}", "{5-}", "{+}", "{5+", "{ 5}"] {
        let refused = answer(&mut client, format!("LOGIN {length}"));
        assert!(refused.starts_with("BAD "), "{length}: {refused}");
    }
    let refused = answer(&mut client, "LOGIN {00000000000000000000001}");
    assert!(refused.starts_with("NO [TOOBIG]") || refused.starts_with("BAD "), "{refused}");
}

#[test]
fn octets_of_a_refused_literal_are_no_commands() {
    let mut client = Client::greeted(TLS);
    let inside = "b LOGOUT\r\n".repeat(500);
    let said = client.say(format!("a LOGIN {{{}+}}\r\n{inside} {{10+}}\r\nb LOGOUT\r\n\r\n", inside.len()));
    assert!(said.starts_with("a NO [TOOBIG]") && said.lines().count() == 1, "{said}");
    assert!(client.in_step());
    // A message for a mailbox that does not exist is read past as well.
    let mut client = Client::logged_in();
    let said = client.say(format!("a APPEND nowhere {{{}+}}\r\n{inside}\r\n", inside.len()));
    assert!(said.starts_with("a NO [TRYCREATE]") && said.lines().count() == 1, "{said}");
    assert!(client.in_step());
}

#[test]
fn a_thousand_small_literals_are_too_many() {
    let mut client = selected();
    let refused = answer(&mut client, format!("SEARCH{}", " SUBJECT {1+}\r\nx".repeat(1_000)));
    assert!(refused.starts_with("NO [LIMIT]"), "{refused}");
    // The client that waits for `+` each time learns of it at the first that is too many.
    let mut said = client.say("a SEARCH SUBJECT {1}\r\n");
    let mut asked = 0;
    while said.starts_with("+ ") && asked < 1_000 {
        asked += 1;
        said = client.say("x SUBJECT {1}\r\n");
    }
    assert_eq!(asked, limits::LITERALS_MAX);
    assert!(said.starts_with("a NO [LIMIT]"), "{said}");
    assert!(client.in_step());
}

#[test]
fn a_message_that_stops_one_octet_short_never_appears() {
    for how in [Fill::Closed, Fill::TimedOut, Fill::ShuttingDown] {
        let mut client = Client::logged_in();
        assert_eq!(client.say("a APPEND INBOX {100}\r\n"), "+ Ready for the message\r\n");
        assert_eq!(client.say("x".repeat(99)), "");
        client.end(how);
        assert!(client.is_closed());
        let other = client.server.connect(TLS);
        client.server.send(other, b"a LOGIN ann@example.org secret\r\nb STATUS INBOX (MESSAGES UIDNEXT)\r\n");
        let said = String::from_utf8(client.server.receive(other)).unwrap();
        assert!(said.contains("* STATUS INBOX (MESSAGES 0 UIDNEXT 1)\r\n"), "{said}");
    }
}

#[test]
fn nul_is_in_no_command_and_a_message_is_not_cut_at_it() {
    let mut client = selected();
    for command in
        [&b"NOOP\0"[..], b"SELECT \"IN\0BOX\"", b"SELECT {5+}\r\nIN\0OX", b"SEARCH SUBJECT {1+}\r\n\0", b"\0"]
    {
        let refused = answer(&mut client, command);
        assert!(refused.starts_with("BAD "), "{}: {refused}", command.escape_ascii());
    }
    let refused = answer(&mut client, b"APPEND INBOX {7+}\r\nA: b\0cd");
    assert!(refused.starts_with("NO [UNKNOWN-CTE]"), "{refused}");
    client.append(b"A: b\r\n\r\nc\0d");
    let said = client.say("a FETCH 2 (RFC822.SIZE BINARY.PEEK[])\r\n");
    assert!(said.contains("RFC822.SIZE 11 BINARY[] ~{11}\r\nA: b\r\n\r\nc\0d)"), "{}", said.escape_default());
}

#[test]
fn bare_line_feed_ends_a_line_and_bare_carriage_return_does_not() {
    let mut client = selected();
    assert_eq!(client.say("a NOOP\nb NOOP\r\n"), "a OK NOOP completed\r\nb OK NOOP completed\r\n");
    assert!(client.say("a NOOP\rb NOOP\r\n").starts_with("a BAD "));
    assert_eq!(client.say("a SEARCH SUBJECT {1+}\nx\n").lines().last(), Some("a OK SEARCH completed"));
}

#[test]
fn a_tag_that_is_none_is_answered_without_it() {
    let mut client = selected();
    let long = "t".repeat(60_000);
    for tag in ["", "*", "+", "a+", "a(b", "\"a\"", "a\rb", "ä", &long] {
        let said = client.say(format!("{tag} NOOP\r\n"));
        assert!(said.starts_with("* BAD ") && said.lines().count() == 1, "{tag}: {said}");
        assert!(client.in_step());
    }
    assert_eq!(client.say("a] NOOP\r\n"), "a] OK NOOP completed\r\n", "RFC 9051 9: any ASTRING-CHAR but +");
}

#[test]
fn no_name_splits_a_response() {
    let mut client = Client::logged_in();
    let names: [&[u8]; 4] = [b"a\r\n* BYE x", b"a\nb", b"a\tb", b"a\x7fb"];
    for name in names {
        let command = [format!("CREATE {{{}+}}\r\n", name.len()).as_bytes(), name].concat();
        let refused = answer(&mut client, command);
        assert!(refused.starts_with("NO [CANNOT]"), "{}: {refused}", name.escape_ascii());
        let command = [format!("SUBSCRIBE {{{}+}}\r\n", name.len()).as_bytes(), name].concat();
        assert!(answer(&mut client, command).starts_with("NO "));
    }
    for name in ["a\"b", "a\\b", "a b", "a(b", "a{5}", "NIL", "[x]"] {
        let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
        let created = answer(&mut client, format!("CREATE \"{quoted}\""));
        assert!(created.starts_with("OK "), "{name}: {created}");
        let said = client.say(format!("a STATUS \"{quoted}\" (MESSAGES)\r\n"));
        let written = if name == "[x]" { name.to_owned() } else { format!("\"{quoted}\"") };
        // A bracket is an ASTRING-CHAR only when it closes.
        let either = [format!("* STATUS {written} ("), format!("* STATUS \"{quoted}\" (")];
        assert!(either.iter().any(|line| said.starts_with(line.as_str())), "{said}");
    }
}

#[test]
fn hostile_mailbox_names_are_no_mailboxes() {
    let mut client = Client::logged_in();
    let deep = vec!["x"; 1_000].join("/");
    let long = "y".repeat(60_000);
    for name in [
        "../../etc/passwd",
        "/",
        "..",
        ".",
        "~root",
        "a//b",
        "/a",
        "a/../b",
        "\"\"",
        "&AC8-",
        "&AGE-",
        "&",
        "&AGE",
        "&2AA-",
        "&AOQ-&APY-",
        "&!!!!-",
        "&IA8-",
        &deep,
        &long,
    ] {
        for command in [format!("CREATE {name}"), format!("SELECT {name}"), format!("RENAME INBOX {name}")] {
            let refused = answer(&mut client, &command);
            let start = &command[..command.len().min(60)];
            assert!(
                refused.starts_with("NO [CANNOT]") || refused.starts_with("NO [NONEXISTENT]"),
                "{start}: {refused}"
            );
        }
    }
    // Twins in Unicode's composed and decomposed forms are one mailbox.
    assert!(answer(&mut client, "CREATE &AOQ-").starts_with("OK "));
    let twin = answer(&mut client, "CREATE a&Awg-");
    assert!(twin.starts_with("NO [ALREADYEXISTS]"), "{twin}");
}

#[test]
fn sets_are_ranges_and_never_counted_out() {
    let mut client = selected();
    let ones = vec!["1"; 10_000].join(",");
    for set in ["1:4294967295", "4294967295:1", "*:*", "*:1", "4294967295:*", &ones] {
        let said = client.say(format!("a UID FETCH {set} FLAGS\r\n"));
        assert_eq!(said.lines().count(), 2, "each message once: {said}");
    }
    for set in ["0", "0:1", "1:0", "4294967296", "-1", "1,", ",1", "1::2", "1:2:3", "", "*,0", "01:"] {
        let refused = answer(&mut client, format!("UID FETCH {set} FLAGS"));
        assert!(refused.starts_with("BAD "), "{set}: {refused}");
    }
    assert!(answer(&mut client, "FETCH 1:2 FLAGS").starts_with("BAD "), "no message has number 2");
}

#[test]
fn searches_that_only_cost_are_refused_before_they_run() {
    let mut client = selected();
    for keys in
        ["OR ALL ".repeat(5_000) + "ALL", "NOT ".repeat(10_000) + "ALL", "ALL ".repeat(10_000) + "ALL"]
    {
        let refused = answer(&mut client, format!("SEARCH {keys}"));
        assert!(refused.starts_with("BAD "), "{refused}");
    }
}

#[test]
fn search_strings_are_text_in_a_known_charset_and_nothing_else() {
    let mut client = Client::selected(&[b"Subject: 100%_'; DROP (a|b)* \\d .\r\n\r\nx"]);
    for (text, found) in [
        ("100%_'; DROP (A|B)* \\\\d .", true),
        (".*", false),
        ("%%", false),
        ("1__", false),
        ("' OR '1'='1", false),
    ] {
        let said = client.say(format!("a SEARCH SUBJECT \"{text}\"\r\n"));
        assert_eq!(said.starts_with("* SEARCH 1\r\n"), found, "{text}: {said}");
    }
    let refused = answer(&mut client, "SEARCH CHARSET X-UNKNOWN ALL");
    assert!(refused.starts_with("NO [BADCHARSET (") && refused.contains("UTF-8"), "{refused}");
    let refused = answer(&mut client, b"SEARCH CHARSET UTF-8 SUBJECT {2+}\r\n\xc3\x28");
    assert!(refused.starts_with("BAD ") || refused.starts_with("NO [BADCHARSET"), "{refused}");
}

#[test]
fn what_a_message_does_not_have_is_nil_or_empty() {
    let mut client = selected();
    let slice = client.say("a FETCH 1 BODY.PEEK[]<4294967295.4294967295>\r\n");
    assert!(
        slice.starts_with("* 1 FETCH (BODY[]<4294967295> \"\")") || slice.contains("> {0}\r\n)"),
        "{slice}"
    );
    for section in ["1.1.1.1", "3", "4294967295", "1.2.3.TEXT"] {
        let said = client.say(format!("a FETCH 1 BODY.PEEK[{section}]\r\n"));
        assert!(said.contains(" NIL)\r\n") || said.contains(" \"\")\r\n"), "{said}");
    }
    let deep = answer(&mut client, format!("FETCH 1 BODY[{}]", vec!["1"; 10_000].join(".")));
    assert!(deep.starts_with("BAD "), "{deep}");
    for section in ["0", "1.0", "1..2", "1.", "4294967296", "MIME", "HEADER.FIELDS", "HEADER.FIELDS ()"] {
        let refused = answer(&mut client, format!("FETCH 1 BODY[{section}]"));
        assert!(refused.starts_with("BAD "), "{section}: {refused}");
    }
    let names = vec!["x"; 30_000].join(" ");
    assert!(answer(&mut client, format!("FETCH 1 BODY[HEADER.FIELDS ({names})]")).starts_with("BAD "));
}

#[test]
fn idle_ends_with_done_alone() {
    let mut client = selected();
    assert_eq!(client.say("a IDLE\r\n"), "+ idling\r\n");
    assert_eq!(client.say("D"), "");
    assert_eq!(client.say("ON"), "");
    assert_eq!(client.say("E\r"), "");
    assert_eq!(client.say("\n"), "a OK IDLE completed\r\n");
    for junk in ["b NOOP\r\n", "\r\n", "DONE \r\n", "DONEDONE\r\n"] {
        client.say("a IDLE\r\n");
        assert_eq!(client.say(junk), "a BAD Expected DONE\r\n");
        assert!(client.in_step());
    }
    // DONE without IDLE is a command without a verb.
    assert!(client.say("DONE\r\n").contains("BAD "));
    client.say("a IDLE\r\n");
    let bye = client.end(Fill::TimedOut);
    assert!(bye.starts_with("* BYE ") && client.is_closed(), "{bye}");
}

#[test]
fn authentication_takes_nothing_but_a_name_and_its_password() {
    use base64::Engine as _;
    let plain = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let fresh = || Client::greeted(TLS);
    for (response, wanted) in [
        ("*".to_owned(), "BAD "),
        (String::new(), "BAD "),
        ("=".to_owned(), "BAD "),
        ("!!!!".to_owned(), "BAD "),
        ("QQ".to_owned(), "BAD "),
        (plain("no NUL"), "BAD "),
        (plain("\0ann@example.org"), "BAD "),
        (plain("\0ann@example.org\0secret\0"), "BAD "),
        (plain("bob@example.org\0ann@example.org\0secret"), "NO [AUTHORIZATIONFAILED]"),
        (plain("\0ann@example.org\0wrong"), "NO [AUTHENTICATIONFAILED]"),
        (plain("\0%u\0secret"), "NO [AUTHENTICATIONFAILED]"),
        (plain("\0*)(uid=*\0secret"), "NO [AUTHENTICATIONFAILED]"),
        (plain("\0' OR ''='\0secret"), "NO [AUTHENTICATIONFAILED]"),
        (plain("\0\0"), "NO [AUTHENTICATIONFAILED]"),
        (plain("ann@example.org\0ann@example.org\0secret"), "OK "),
    ] {
        let mut client = fresh();
        assert_eq!(client.say("a AUTHENTICATE PLAIN\r\n"), "+ \r\n");
        let said = client.say(format!("{response}\r\n"));
        assert!(tagged(&said, "a").starts_with(wanted), "{response}: {said}");
        assert!(client.in_step());
    }
    let mut client = fresh();
    client.say("a AUTHENTICATE PLAIN\r\n");
    let said = client.say("A".repeat(100_000));
    assert!(client.is_closed() && said.starts_with("* BYE "), "{said}");
    let mut client = fresh();
    assert!(answer(&mut client, "AUTHENTICATE X-OTHER").starts_with("NO "));
    let unknown = answer(&mut client, "LOGIN nobody@example.org secret");
    assert_eq!(answer(&mut client, "LOGIN ann@example.org wrong"), unknown, "one answer for both");
}

/// Messages built to break who describes them.
fn hostile_messages() -> Vec<Vec<u8>> {
    let nested = |n: usize| -> String {
        (0..n).map(|at| format!("Content-Type: multipart/mixed; boundary=b{at}\r\n\r\n--b{at}\r\n")).collect()
    };
    let mut messages: Vec<Vec<u8>> = vec![
        b"\r\n".to_vec(),
        b"x".to_vec(),
        b"\n\n\n".to_vec(),
        b"no header at all".to_vec(),
        b"Subject: bare\rreturn\r\n\r\nx\ry\nz".to_vec(),
        b"Subject: eight \xff\xfe bit\r\nFrom: \xe4@\xf6\r\n\r\n\xff".to_vec(),
        b"Subject: nul \0 in it\r\nTo: a\0b@c\r\n\r\n\0".to_vec(),
        b"Subject: =?utf-8?q?=0D=0ABcc:_x?=\r\n\r\n".to_vec(),
        b"Subject: \"quoted\" back\\slash {5}\r\nTo: \"a\\\"b\" <c@d>, <>, @, :;\r\n\r\nx".to_vec(),
        b"To: group: a@b, c@d;, (((((, \"open\r\nFrom: <@a,@b:c@d>\r\nDate: \"\r\n\r\n".to_vec(),
        b"Content-Type: multipart/mixed\r\n\r\n--\r\n\r\nx\r\n----\r\n".to_vec(),
        b"Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\n\r\nx\r\n----\r\n".to_vec(),
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\nx\r\n--a--".to_vec(),
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n".to_vec(),
        b"Content-Type: \"/\"; ; =; a*0*=%; a*1=\"\r\n\r\nx".to_vec(),
        b"Content-Type: message/rfc822\r\n\r\n".to_vec(),
        b"Content-Type: message/rfc822\r\n\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: message/rfc822\r\n".to_vec(),
        b"Content-Type: text/plain; charset=\"a\\\"b\r\n c\"\r\nContent-Disposition: x; y=\"z\r\n\r\n".to_vec(),
        b"Content-Language: en, , \"de\r\nContent-Location: a b\"c\r\nContent-MD5: \\\r\nContent-ID: <\r\n\r\n".to_vec(),
    ];
    messages.push((nested(300) + "\r\nx").into_bytes());
    messages.push(("Content-Type: message/rfc822\r\n\r\n".repeat(300) + "\r\nx").into_bytes());
    messages.push(("To: a@b\r\n".repeat(5_000) + "\r\nx").into_bytes());
    let parameters: String = (0..2_000).map(|at| format!(";\r\n name*{at}*=%41")).collect();
    messages.push(format!("Content-Type: text/plain{parameters}\r\n\r\nx").into_bytes());
    messages.push(format!("Subject: {}\r\n\r\n", "(".repeat(100_000)).into_bytes());
    messages.push(
        format!("Content-Type: multipart/mixed; boundary=q\r\n\r\n{}", "--q\r\n\r\n".repeat(2_000))
            .into_bytes(),
    );
    messages
}

#[test]
fn what_is_said_of_a_hostile_message_is_imap_and_the_message_is_unchanged() {
    for message in hostile_messages() {
        let shown = message[..message.len().min(100)].escape_ascii().to_string();
        let mut client = Client::logged_in();
        let appended = client.append(&message);
        assert!(appended.starts_with("append OK "), "{shown}: {appended}");
        client.say("a SELECT INBOX\r\n");
        let said = bytes(&mut client, "a FETCH 1 (RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE)\r\n");
        if shown.matches("Content-Type: m").count() > 1 && message.len() > 5_000 {
            // Deeper than the other parser follows.
            assert_eq!(depth_at_end(&said), 0, "{shown}");
        } else {
            let (rest, response) = match ResponseCodec::default().decode(&said) {
                Ok(decoded) => decoded,
                Err(why) => panic!("{shown}: {why:?}: {}", said[..said.len().min(2_000)].escape_ascii()),
            };
            assert!(matches!(response, Response::Data(Data::Fetch { .. })), "{shown}");
            assert_eq!(rest, b"a OK FETCH completed\r\n", "{shown}");
        }
        let said = bytes(&mut client, "a FETCH 1 BINARY.PEEK[]\r\n");
        assert!(contains(&said, &message), "{shown}: not as it came");
        let preview = bytes(&mut client, "a FETCH 1 PREVIEW\r\n");
        assert!(preview.ends_with(b"a OK FETCH completed\r\n"), "{shown}");
        assert!(client.server.host.incidents.lock().unwrap().is_empty(), "{shown}");
    }
}

/// Open parentheses outside of quotes.
fn depth_at_end(said: &[u8]) -> i32 {
    let (mut depth, mut quoted) = (0, false);
    for octet in said {
        match octet {
            b'"' => quoted = !quoted,
            b'(' if !quoted => depth += 1,
            b')' if !quoted => depth -= 1,
            _ => {}
        }
    }
    depth
}

fn bytes(client: &mut Client, command: &str) -> Vec<u8> {
    client.server.send(0, command.as_bytes());
    client.server.receive(0)
}

fn contains(octets: &[u8], wanted: &[u8]) -> bool {
    octets.windows(wanted.len()).any(|window| window == wanted)
}

#[test]
fn commands_repeated_without_end_cost_one_answer_each() {
    let mut client = selected();
    let said = client.say("a NOOP\r\n".repeat(10_000));
    assert_eq!(said.lines().filter(|line| *line == "a OK NOOP completed").count(), 10_000);
    assert!(answer(&mut client, format!("FETCH 1 ({})", vec!["UID"; 10_000].join(" "))).starts_with("BAD "));
    assert!(answer(&mut client, format!("ENABLE{}", " X".repeat(10_000))).starts_with("BAD "));
    assert!(answer(&mut client, "NOOP \"\\").starts_with("BAD "));
    assert!(answer(&mut client, "SELECT \"\\").starts_with("BAD "));
}
