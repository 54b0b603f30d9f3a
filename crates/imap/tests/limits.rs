//! Each limit of the protocol where it bites: at n all is well, at n + 1 it is refused, with the right answer.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod client;
#[allow(dead_code, reason = "this binary needs a part of it")]
mod harness;

use client::{Client, TLS, tagged};
use imap::{Settings, limits};

/// Says `command(n)` and `command(n + 1)` to two fresh clients. `fine` and `refused` begin their tagged answers.
fn edge(fresh: impl Fn() -> Client, n: usize, command: impl Fn(usize) -> Vec<u8>, fine: &str, refused: &str) {
    for (octets, wanted) in [(command(n), fine), (command(n + 1), refused)] {
        let mut client = fresh();
        let answer = client.say(&octets);
        assert!(
            tagged(&answer, "a").starts_with(wanted),
            "{} … wanted {wanted}: {answer}",
            octets[..octets.len().min(80)].escape_ascii()
        );
        assert!(client.is_closed() || client.in_step(), "{answer}");
    }
}

fn greeted() -> Client {
    Client::greeted(TLS)
}

fn selected() -> Client {
    Client::selected(&[client::MAIL])
}

/// `before`, the item n times with spaces between, `after`.
fn times(before: &'static str, item: &'static str, after: &'static str) -> impl Fn(usize) -> Vec<u8> {
    move |n| format!("a {before}{}{after}\r\n", vec![item; n].join(" ")).into_bytes()
}

/// `before {n+}`, n octets, `after`.
fn literals(before: &str, between: &str, octets: &[usize], after: &str) -> Vec<u8> {
    let all: Vec<_> = octets.iter().map(|&n| format!("{{{n}+}}\r\n{}", "x".repeat(n))).collect();
    format!("a {before}{}{after}\r\n", all.join(between)).into_bytes()
}

#[test]
fn every_limit_is_tested_here() {
    let here = include_str!("limits.rs");
    let names = include_str!("../src/limits.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("pub const ")?.split_once(':'))
        .map(|(name, _)| name);
    let missing: Vec<_> = names.filter(|name| !here.contains(&format!("limits::{name}"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn lines() {
    let login = |n: usize| format!("a LOGIN x {}\r\n", "y".repeat(n - 12)).into_bytes();
    edge(greeted, limits::LINE_BYTES_BEFORE_LOGIN_MAX, login, "NO [AUTHENTICATIONFAILED]", "BAD ");
    let search = |n: usize| format!("a SEARCH SUBJECT {}\r\n", "y".repeat(n - 19)).into_bytes();
    edge(selected, limits::LINE_BYTES_MAX, search, "OK ", "BAD ");
}

#[test]
fn too_long_a_line_ends_the_connection_without_its_end() {
    let mut client = selected();
    assert_eq!(client.say(format!("a NOOP {}", "x".repeat(limits::LINE_BYTES_MAX - 7))), "");
    let answer = client.say("x");
    assert!(answer.starts_with("a BAD ") && answer.contains("\r\n* BYE ") && client.is_closed(), "{answer}");
}

#[test]
fn literals_of_one_command() {
    let failed = "NO [AUTHENTICATIONFAILED]";
    let login = |n: usize| literals("LOGIN x ", "", &[n], "");
    edge(greeted, limits::LITERAL_BYTES_BEFORE_LOGIN_MAX as usize, login, failed, "NO [TOOBIG]");
    let search = |n: usize| literals("SEARCH SUBJECT ", "", &[n], "");
    edge(selected, limits::LITERAL_BYTES_MAX as usize, search, "OK ", "NO [TOOBIG]");

    let most = limits::LITERAL_BYTES_BEFORE_LOGIN_MAX as usize;
    let id = |n: usize| literals("ID (", " ", &[most, n - most - 1, 1], " NIL)");
    edge(greeted, limits::LITERALS_BYTES_BEFORE_LOGIN_MAX as usize, id, "OK ", "NO [LIMIT]");
    let most = limits::LITERAL_BYTES_MAX as usize;
    let search =
        |n: usize| literals("SEARCH SUBJECT ", " SUBJECT ", &[most, most, most, n - 3 * most - 1, 1], "");
    edge(selected, limits::LITERALS_BYTES_MAX as usize, search, "OK ", "NO [LIMIT]");

    let id = |n: usize| literals("ID (", " ", &vec![1; n], if n.is_multiple_of(2) { ")" } else { " NIL)" });
    edge(greeted, limits::LITERALS_BEFORE_LOGIN_MAX, id, "OK ", "NO [LIMIT]");
    let search = |n: usize| literals("SEARCH SUBJECT ", " SUBJECT ", &vec![1; n], "");
    edge(selected, limits::LITERALS_MAX, search, "OK ", "NO [LIMIT]");
}

#[test]
fn octets_read_past() {
    // The line end behind the literal belongs to what is read past.
    let most = limits::SKIP_BYTES_MAX as usize - 2;
    for (octets, closes) in [(most, false), (most + 1, true)] {
        let mut client = selected();
        let answer = client.say(literals("SEARCH SUBJECT ", "", &[octets], ""));
        assert!(answer.starts_with("a NO [TOOBIG]"), "{answer}");
        assert_eq!(answer.contains("\r\n* BYE "), closes, "{answer}");
        assert_eq!(client.is_closed(), closes);
        assert!(closes || client.in_step());
    }
}

#[test]
fn tag() {
    let mut client = greeted();
    let tag = "t".repeat(limits::TAG_BYTES_MAX);
    assert_eq!(client.say(format!("{tag} NOOP\r\n")), format!("{tag} OK NOOP completed\r\n"));
    assert_eq!(client.say(format!("{tag}t NOOP\r\n")), "* BAD A command begins with a tag\r\n");
}

#[test]
fn nesting() {
    // ALL itself is the innermost.
    let search =
        |n: usize| format!("a SEARCH {}ALL{}\r\n", "(".repeat(n - 1), ")".repeat(n - 1)).into_bytes();
    edge(selected, usize::from(limits::NESTING_MAX), search, "OK ", "BAD ");
    let not = |n: usize| format!("a SEARCH {}ALL\r\n", "NOT ".repeat(n - 1)).into_bytes();
    edge(selected, usize::from(limits::NESTING_MAX), not, "OK ", "BAD ");
}

#[test]
fn ranges_of_a_set() {
    let set = |n: usize| format!("a UID SEARCH UID {}\r\n", vec!["1"; n].join(",")).into_bytes();
    edge(selected, limits::SET_RANGES_MAX, set, "OK ", "BAD ");
}

#[test]
fn sasl_response() {
    for (octets, closes) in [(limits::SASL_LINE_BYTES_MAX, false), (limits::SASL_LINE_BYTES_MAX + 1, true)] {
        let mut client = greeted();
        assert_eq!(client.say("a AUTHENTICATE PLAIN\r\n"), "+ \r\n");
        let answer = client.say(format!("{}\r\n", "A".repeat(octets)));
        assert_eq!(client.is_closed(), closes, "{answer}");
        let wanted = if closes { "* BYE " } else { "a BAD That is not a PLAIN message" };
        assert!(answer.starts_with(wanted), "{answer}");
    }
}

#[test]
fn line_while_idle() {
    let mut client = selected();
    assert_eq!(client.say("a IDLE\r\n"), "+ idling\r\n");
    assert_eq!(client.say("x".repeat(limits::IDLE_LINE_BYTES_MAX)), "");
    assert_eq!(client.say("x"), "a BAD Expected DONE\r\n");
}

#[test]
fn messages_of_one_append() {
    let append = |n: usize| format!("a APPEND INBOX{}\r\n", " {1+}\r\nx".repeat(n)).into_bytes();
    for (n, wanted, messages) in [
        (limits::APPEND_MESSAGES_MAX, "OK [APPENDUID ", limits::APPEND_MESSAGES_MAX),
        (limits::APPEND_MESSAGES_MAX + 1, "NO [LIMIT]", 0),
    ] {
        let mut client = Client::logged_in();
        let answer = client.say(append(n));
        assert!(tagged(&answer, "a").starts_with(wanted), "{answer}");
        let status = client.say("b STATUS INBOX (MESSAGES)\r\n");
        assert!(status.starts_with(&format!("* STATUS INBOX (MESSAGES {messages})\r\n")), "{status}");
    }
}

#[test]
fn octets_of_a_message() {
    let settings = || Settings { message_bytes_max: 1_000, ..Settings::default() };
    let fresh = || {
        let mut client = Client::with(settings(), TLS);
        client.log_in();
        client
    };
    edge(fresh, 1_000, |n| literals("APPEND INBOX ", "", &[n], ""), "OK [APPENDUID ", "NO [TOOBIG]");
}

#[test]
fn items_and_options() {
    edge(selected, limits::FETCH_ITEMS_MAX, times("FETCH 1 (", "FLAGS", ")"), "OK ", "BAD ");
    edge(selected, limits::STATUS_ITEMS_MAX, times("STATUS INBOX (", "UIDNEXT", ")"), "OK ", "BAD ");
    edge(selected, limits::LIST_PATTERNS_MAX, times("LIST \"\" (", "%", ")"), "OK ", "BAD ");
    edge(selected, limits::LIST_OPTIONS_MAX, times("LIST (", "SUBSCRIBED", ") \"\" *"), "OK ", "BAD ");
    edge(selected, limits::LIST_OPTIONS_MAX, times("LIST \"\" * RETURN (", "CHILDREN", ")"), "OK ", "BAD ");
    edge(selected, limits::ENABLE_NAMES_MAX, times("ENABLE ", "X", ""), "OK ", "BAD ");
    // Refused all the same, but for another reason: the name is no special use.
    edge(selected, limits::ROLES_MAX, times("CREATE x (USE (", "\\X", "))"), "NO [USEATTR]", "BAD ");
    edge(selected, limits::SEARCH_KEYS_MAX, times("SEARCH ", "ALL", ""), "OK ", "BAD ");
    edge(selected, limits::SEARCH_RETURNS_MAX, times("SEARCH RETURN (", "COUNT", ") ALL"), "OK ", "BAD ");
    edge(
        selected,
        limits::HEADER_FIELDS_MAX,
        times("FETCH 1 BODY[HEADER.FIELDS (", "x", ")]"),
        "OK ",
        "BAD ",
    );
    let deep = |n: usize| format!("a FETCH 1 BODY[{}]\r\n", vec!["1"; n].join(".")).into_bytes();
    edge(selected, limits::SECTION_LEVELS_MAX, deep, "OK ", "BAD ");
}

#[test]
fn identification() {
    edge(greeted, limits::ID_FIELDS_MAX, times("ID (", "\"x\" NIL", ")"), "OK ", "BAD ");
    // What is longer is cut: it is only for the log, and a client that says too much of itself is still a client.
    for more in [0, 1] {
        let mut client = greeted();
        let name = "n".repeat(limits::ID_NAME_BYTES_MAX + more);
        let value = "v".repeat(limits::ID_VALUE_BYTES_MAX + more);
        let answer = client.say(format!("a ID (\"{name}\" \"{value}\")\r\n"));
        assert!(tagged(&answer, "a").starts_with("OK "), "{answer}");
        let kept = client.server.host.identified.lock().unwrap()[0].clone();
        assert_eq!((kept.0.len(), kept.1.len()), (limits::ID_NAME_BYTES_MAX, limits::ID_VALUE_BYTES_MAX));
    }
}

#[test]
fn bad_commands_in_a_row() {
    let mut client = selected();
    for _ in 1..limits::BAD_COMMANDS_MAX {
        assert_eq!(client.say("a X\r\n"), "a BAD Unknown command\r\n");
    }
    // One that makes sense starts the count anew.
    assert!(client.in_step());
    for _ in 1..limits::BAD_COMMANDS_MAX {
        assert_eq!(client.say("a X\r\n"), "a BAD Unknown command\r\n");
    }
    assert!(!client.is_closed());
    assert_eq!(client.say("a X\r\n"), "a BAD Unknown command\r\n* BYE Too many bad commands\r\n");
    assert!(client.is_closed());
}

#[test]
fn octets_of_a_header_that_are_looked_through() {
    let last = "Last: zebra\r\n";
    for (end, found) in
        [(limits::HEADER_BYTES_MAX as usize, true), (limits::HEADER_BYTES_MAX as usize + last.len(), false)]
    {
        let padding = "A: xxxxxxx\r\n".repeat(end / 12 - 2);
        let fill = "y".repeat(end - last.len() - padding.len() - 5);
        let mut client = selected();
        client.append(format!("{padding}B: {fill}\r\n{last}\r\nbody\r\n").as_bytes());
        let fetched = client.say("a FETCH 2 BODY.PEEK[HEADER.FIELDS (LAST)]\r\n");
        assert_eq!(fetched.contains(last), found, "{fetched}");
        assert!(client.say("a FETCH 2 BODY.PEEK[HEADER]\r\n").contains(last), "BODY[HEADER] gives all of it");
    }
}
