//! Where commands end: whatever the client sends, in whatever pieces.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use imap::limits;
use imap::wire::{Framed, Framer, FramerLimits, FramingError, LiteralMark};
use proptest::prelude::*;

const SMALL: FramerLimits =
    FramerLimits { line_bytes_max: 64, literal_bytes_max: 20, literals_bytes_max: 30, literals_max: 3 };

/// What a driver sees, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    Command(Vec<u8>),
    Continue,
    /// The piece up to the announcement, and the octets of the literal.
    Streamed(Vec<u8>, Vec<u8>),
    Refused(Option<String>, Option<&'static str>),
    Fatal(Option<String>),
}

/// Drives a framer as a session does: literals of `X` stream and are read whole.
fn drive(pieces: &[&[u8]], limits: &FramerLimits) -> Vec<Seen> {
    let mut framer = Framer::new();
    let mut seen = Vec::new();
    let mut input = Vec::new();
    let mut streaming = None::<(LiteralMark, Vec<u8>, Vec<u8>)>;
    for piece in pieces {
        input.extend_from_slice(piece);
        loop {
            if let Some((mark, text, mut literal)) = streaming.take() {
                let octets = input.len().min(mark.octets as usize - literal.len());
                literal.extend(input.drain(..octets));
                if (literal.len() as u64) < mark.octets {
                    streaming = Some((mark, text, literal));
                    break;
                }
                seen.push(Seen::Streamed(text, literal));
                framer.resume();
            }
            let (consumed, framed) = framer.advance(&input, limits, &|command| command.starts_with(b"s X "));
            input.drain(..consumed);
            match framed {
                Framed::Incomplete => break,
                Framed::Command => seen.push(Seen::Command(framer.take())),
                Framed::Continue => seen.push(Seen::Continue),
                Framed::Streamed(mark) => streaming = Some((mark, framer.take(), Vec::new())),
                Framed::Broken(FramingError { tag, fatal: true, .. }) => {
                    seen.push(Seen::Fatal(tag));
                    return seen;
                }
                Framed::Broken(FramingError { tag, code, .. }) => {
                    let name =
                        code.map(|code| if format!("{code:?}") == "TooBig" { "TOOBIG" } else { "LIMIT" });
                    seen.push(Seen::Refused(tag, name));
                }
            }
        }
        assert!(input.is_empty() || streaming.is_some(), "everything is consumed: {input:?}");
    }
    seen
}

fn frames(input: &[u8]) -> Vec<Seen> {
    drive(&[input], &SMALL)
}

fn command(octets: &[u8]) -> Seen {
    Seen::Command(octets.to_vec())
}

fn refused(tag: &str, code: &'static str) -> Seen {
    Seen::Refused(Some(tag.to_owned()), Some(code))
}

#[test]
fn line_ends_with_crlf_or_bare_lf() {
    assert_eq!(
        frames(b"a NOOP\r\nb NOOP\nc NOOP\r\n"),
        [command(b"a NOOP"), command(b"b NOOP"), command(b"c NOOP")]
    );
}

#[test]
fn lone_cr_does_not_end_a_line() {
    assert_eq!(frames(b"a NO\rOP\r\r\n"), [command(b"a NO\rOP\r")]);
}

#[test]
fn empty_line_is_an_empty_command() {
    assert_eq!(frames(b"\r\n\na NOOP\r\n"), [command(b""), command(b""), command(b"a NOOP")]);
}

#[test]
fn synchronising_literal_asks_to_continue_and_stays_in_place() {
    assert_eq!(
        frames(b"a LOGIN {3}\r\nx\r\n {2}\r\nyz\r\n"),
        [Seen::Continue, Seen::Continue, command(b"a LOGIN {3}\r\nx\r\n {2}\r\nyz")]
    );
}

#[test]
fn non_synchronising_and_binary_literals_ask_nothing() {
    assert_eq!(frames(b"a X {3+}\r\nabc ~{1+}\r\n\0\r\n"), [command(b"a X {3+}\r\nabc ~{1+}\r\n\0")]);
}

#[test]
fn announcement_behind_bare_lf_reads_as_behind_crlf() {
    assert_eq!(frames(b"a X {1+}\ny\n"), [command(b"a X {1+}\r\ny")]);
}

#[test]
fn empty_literal_has_no_octets() {
    assert_eq!(frames(b"a X {0}\r\n {0+}\r\n\r\n"), [Seen::Continue, command(b"a X {0}\r\n {0+}\r\n")]);
}

#[test]
fn command_in_a_literal_is_not_a_command() {
    let smuggled = b"a X {14+}\r\nb DELETE INBOX\r\nc NOOP\r\n";
    assert_eq!(frames(smuggled), [command(b"a X {14+}\r\nb DELETE INBOX"), command(b"c NOOP")]);
}

#[test]
fn literal_within_open_quotes_is_still_a_literal() {
    // The command is broken either way, but the client sends its octets.
    assert_eq!(
        frames(b"a X \"{6+}\r\nb NOOP\r\nc NOOP\r\n"),
        [command(b"a X \"{6+}\r\nb NOOP"), command(b"c NOOP")]
    );
}

#[test]
fn what_only_resembles_a_literal_ends_the_command() {
    for line in [
        "a X {}",
        "a X {+}",
        "a X {-1}",
        "a X {5-}",
        "a X {5 }",
        "a X 5}",
        "a X {5}x",
        "a X {5++}",
        "a X {0x5}",
    ] {
        assert_eq!(
            frames(format!("{line}\r\nb NOOP\r\n").as_bytes()),
            [command(line.as_bytes()), command(b"b NOOP")]
        );
    }
}

#[test]
fn refused_synchronising_literal_ends_its_command() {
    assert_eq!(frames(b"a X {21}\r\nb NOOP\r\n"), [refused("a", "TOOBIG"), command(b"b NOOP")]);
}

#[test]
fn refused_non_synchronising_literal_is_read_past_with_its_command() {
    let input = b"a X {21+}\r\nb NOOP\r\nb NOOP\r\nb NOO tail {4+}\r\nz\r\nz {1}\r\nb NOOP\r\n";
    assert_eq!(frames(input), [refused("a", "TOOBIG"), command(b"b NOOP")]);
}

#[test]
fn number_and_sum_of_literals_are_limited() {
    let one = "{1+}\r\nx ";
    let third = format!("a X {}\r\n", one.repeat(3));
    let fourth = format!("a X {}\r\nb NOOP\r\n", one.repeat(4));
    assert_eq!(frames(third.as_bytes()).len(), 1);
    assert!(matches!(&frames(third.as_bytes())[0], Seen::Command(_)));
    assert_eq!(frames(fourth.as_bytes()), [refused("a", "LIMIT"), command(b"b NOOP")]);

    let within = format!("a X {{20+}}\r\n{:20}{{10+}}\r\n{:10}\r\n", "", "");
    let beyond = format!("a X {{20+}}\r\n{:20}{{11+}}\r\n{:11}\r\nb NOOP\r\n", "", "");
    assert!(matches!(&frames(within.as_bytes())[..], [Seen::Command(_)]));
    assert_eq!(frames(beyond.as_bytes()), [refused("a", "LIMIT"), command(b"b NOOP")]);
}

#[test]
fn line_is_limited_with_all_its_parts_and_its_end() {
    let exact = format!("{:62}\r\n", "a X");
    let longer = format!("{:63}\r\n", "a X");
    assert!(matches!(&frames(exact.as_bytes())[..], [Seen::Command(_)]));
    assert_eq!(frames(longer.as_bytes()), [Seen::Fatal(Some("a".into()))]);
    let split = format!("a X {{1+}}\r\nx{:52}\r\n", "");
    let split_longer = format!("a X {{1+}}\r\nx{:53}\r\n", "");
    assert!(matches!(&frames(split.as_bytes())[..], [Seen::Command(_)]), "the literal does not count");
    assert_eq!(frames(split_longer.as_bytes()), [Seen::Fatal(Some("a".into()))]);
}

#[test]
fn endless_line_is_given_up_before_its_end() {
    assert_eq!(frames(&[b'('; 65]), [Seen::Fatal(None)]);
    assert_eq!(frames(&[b'('; 64]), []);
}

#[test]
fn literal_too_large_to_read_past_is_fatal() {
    let at_limit = format!("a X {{{}+}}\r\n", limits::SKIP_BYTES_MAX);
    let beyond = format!("a X {{{}+}}\r\n", limits::SKIP_BYTES_MAX + 1);
    assert_eq!(frames(at_limit.as_bytes()), []);
    assert_eq!(frames(beyond.as_bytes()), [Seen::Fatal(Some("a".into()))]);
}

#[test]
fn reading_past_has_one_budget_for_the_whole_command() {
    let mut input = format!("a X {{{}+}}\r\n", limits::SKIP_BYTES_MAX - 100).into_bytes();
    input.resize(input.len() + limits::SKIP_BYTES_MAX as usize - 100, b'x');
    let mut fits = input.clone();
    fits.extend_from_slice(b"{20+}\r\n12345678901234567890\r\nb NOOP\r\n");
    assert_eq!(frames(&fits), [refused("a", "TOOBIG"), command(b"b NOOP")]);
    input.extend_from_slice(b"{100+}\r\n");
    assert_eq!(frames(&input), [Seen::Fatal(Some("a".into()))]);
}

#[test]
fn length_beyond_63_bits_is_refused_or_fatal_but_never_read() {
    for octets in [
        "9223372036854775808",
        "18446744073709551616",
        "99999999999999999999999999",
        "00000000000000000000001",
    ] {
        let sync = format!("a X {{{octets}}}\r\nb NOOP\r\n");
        assert_eq!(frames(sync.as_bytes()), [refused("a", "TOOBIG"), command(b"b NOOP")], "{octets}");
        let non_sync = format!("a X {{{octets}+}}\r\nb NOOP\r\n");
        assert_eq!(frames(non_sync.as_bytes()), [Seen::Fatal(Some("a".into()))], "{octets}");
    }
    assert_eq!(
        frames(b"a X {9223372036854775807}\r\nb NOOP\r\n"),
        [refused("a", "TOOBIG"), command(b"b NOOP")]
    );
}

#[test]
fn http_request_is_not_read_on() {
    for verb in ["GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT", "DELETE", "TRACE", "PATCH", "PRI"] {
        assert_eq!(frames(format!("{verb} / HTTP/1.1\r\n").as_bytes()), [Seen::Fatal(None)], "{verb}");
        assert_eq!(
            frames(format!("{verb} ").as_bytes()),
            [Seen::Fatal(None)],
            "not even to the end of the line"
        );
    }
    assert_eq!(frames(b"GETX NOOP\r\n"), [command(b"GETX NOOP")]);
    assert_eq!(frames(b"get NOOP\r\n"), [command(b"get NOOP")]);
}

#[test]
fn fatal_error_is_repeated() {
    let mut framer = Framer::new();
    let (_, first) = framer.advance(b"GET / HTTP/1.1\r\n", &SMALL, &|_| false);
    let (consumed, second) = framer.advance(b"a NOOP\r\n", &SMALL, &|_| false);
    assert!(matches!(&first, Framed::Broken(error) if error.fatal));
    assert_eq!((consumed, second), (0, first));
}

#[test]
fn tag_of_a_refused_command_is_kept_only_if_it_is_one() {
    let tag_of = |tag: &str| match frames(format!("{tag} X {{21}}\r\n").as_bytes()).remove(0) {
        Seen::Refused(tag, _) => tag,
        other => panic!("{other:?}"),
    };
    assert_eq!(tag_of("A1.x]"), Some("A1.x]".into()));
    for wrong in ["", "*", "+", "a+", "a\"b", "a(", "\u{e4}"] {
        assert_eq!(tag_of(wrong), None, "{wrong}");
    }
    let wide = FramerLimits { line_bytes_max: 1_000, ..SMALL };
    let long = |octets| drive(&[format!("{} X {{21}}\r\n", "t".repeat(octets)).as_bytes()], &wide);
    assert!(matches!(&long(limits::TAG_BYTES_MAX)[..], [Seen::Refused(Some(_), _)]));
    assert!(matches!(&long(limits::TAG_BYTES_MAX + 1)[..], [Seen::Refused(None, _)]));
}

#[test]
fn streamed_literal_is_left_to_the_driver_whatever_its_size() {
    assert_eq!(
        frames(
            b"s X {50}\r\n01234567890123456789012345678901234567890123456789 (f) {3+}\r\nabc)\r\nb NOOP\r\n"
        ),
        [
            Seen::Streamed(
                b"s X {50}\r\n".into(),
                b"01234567890123456789012345678901234567890123456789".into()
            ),
            Seen::Streamed(b" (f) {3+}\r\n".into(), b"abc".into()),
            command(b")"),
            command(b"b NOOP"),
        ]
    );
}

/// A framer that has just been asked to stream `{n}` or `{n+}`, its text taken.
fn streaming(announcement: &[u8]) -> (Framer, LiteralMark) {
    let mut framer = Framer::new();
    let (consumed, framed) = framer.advance(announcement, &SMALL, &|_| true);
    assert_eq!(consumed, announcement.len());
    let Framed::Streamed(mark) = framed else { panic!("{framed:?}") };
    framer.take();
    (framer, mark)
}

fn next_command(framer: &mut Framer, input: &[u8]) -> Vec<u8> {
    assert_eq!(framer.advance(input, &SMALL, &|_| true), (input.len(), Framed::Command));
    framer.take()
}

#[test]
fn abandoned_synchronising_literal_was_never_sent() {
    let (mut framer, mark) = streaming(b"a X {9}\r\n");
    framer.abandon(Some(mark));
    assert_eq!(next_command(&mut framer, b"b NOOP\r\n"), b"b NOOP");
}

#[test]
fn abandoned_non_synchronising_literal_is_read_past_silently() {
    let (mut framer, mark) = streaming(b"a X {9+}\r\n");
    framer.abandon(Some(mark));
    assert_eq!(next_command(&mut framer, b"b NOOP\r\n. {3+}\r\nxyz)\r\nb NOOP\r\n"), b"b NOOP");
}

#[test]
fn half_read_literal_is_read_past_from_there() {
    let (mut framer, mark) = streaming(b"a X {9}\r\n");
    framer.abandon(Some(LiteralMark { octets: 4, sync: false, ..mark }));
    assert_eq!(next_command(&mut framer, b"\r\n\r\n rest\r\nb NOOP\r\n"), b"b NOOP");
}

#[test]
fn rest_of_the_line_behind_a_literal_read_whole_is_read_past() {
    let (mut framer, _) = streaming(b"a X {9}\r\n");
    framer.abandon(None);
    assert_eq!(next_command(&mut framer, b" (rest)\r\nb NOOP\r\n"), b"b NOOP");
}

#[test]
fn abandoning_what_ended_changes_nothing() {
    let mut framer = Framer::new();
    assert_eq!(next_command(&mut framer, b"a NOOP\r\n"), b"a NOOP");
    framer.abandon(None);
    assert_eq!(next_command(&mut framer, b"b NOOP\r\n"), b"b NOOP");
}

#[test]
fn abandoned_literal_too_large_to_read_past_is_fatal() {
    let (mut framer, mark) = streaming(format!("a X {{{}+}}\r\n", limits::SKIP_BYTES_MAX + 1).as_bytes());
    framer.abandon(Some(mark));
    assert!(matches!(framer.advance(b"x", &SMALL, &|_| true), (0, Framed::Broken(error)) if error.fatal));
}

#[test]
fn cleared_framer_forgets_half_a_command() {
    let mut framer = Framer::new();
    assert_eq!(framer.advance(b"a LOGIN {20}\r\nhalf", &SMALL, &|_| false).1, Framed::Continue);
    framer.advance(b"half", &SMALL, &|_| false);
    assert!(framer.in_literal());
    framer.clear();
    assert!(!framer.in_literal());
    assert_eq!(next_command(&mut framer, b"b NOOP\r\n"), b"b NOOP");
}

/// Octets that are likely to make lines, literals and mistakes.
fn wire() -> impl Strategy<Value = Vec<u8>> {
    let token = prop_oneof![
        3 => Just(b"a ".to_vec()),
        3 => Just(b"\r\n".to_vec()),
        1 => Just(b"\n".to_vec()),
        2 => Just(b"s X ".to_vec()),
        4 => (0_u64..40, any::<bool>(), any::<bool>()).prop_map(|(octets, sync, binary)| {
            format!("{}{{{octets}{}}}\r\n", if binary { "~" } else { "" }, if sync { "" } else { "+" }).into_bytes()
        }),
        1 => Just(b"{9999999999999999999+}\r\n".to_vec()),
        1 => Just(b"GET ".to_vec()),
        3 => proptest::collection::vec(any::<u8>(), 0..12),
    ];
    proptest::collection::vec(token, 0..24).prop_map(|tokens| tokens.concat())
}

/// One command that the small limits allow or refuse, but never close for, with the octets of its literals.
fn whole_command() -> impl Strategy<Value = Vec<u8>> {
    let literal = (0_usize..60, any::<bool>()).prop_map(|(octets, crlf)| {
        let filler = if crlf { b"\r\n" } else { b"x " };
        [format!("{{{octets}+}}\r\n").into_bytes(), filler.iter().copied().cycle().take(octets).collect()]
            .concat()
    });
    (0_u8..26, proptest::collection::vec(literal, 0..4)).prop_map(|(letter, literals)| {
        let tag = char::from(b'a' + letter);
        [format!("{tag} Y ").into_bytes(), literals.concat(), b"\r\n".to_vec()].concat()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn pieces_make_no_difference(input in wire(), cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..12)) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(input.len() + 1)).collect();
        cuts.push(0);
        cuts.push(input.len());
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &input[cut[0]..cut[1]]).collect();
        let octets: Vec<&[u8]> = input.chunks(1).collect();
        let whole = drive(&[&input], &SMALL);
        prop_assert_eq!(&drive(&pieces, &SMALL), &whole);
        prop_assert_eq!(&drive(&octets, &SMALL), &whole);
    }

    #[test]
    fn each_command_is_answered_once_and_the_next_one_found(commands in proptest::collection::vec(whole_command(), 1..8)) {
        let seen = frames(&commands.concat());
        prop_assert_eq!(seen.len(), commands.len());
        for (seen, sent) in seen.iter().zip(&commands) {
            match seen {
                Seen::Command(octets) => prop_assert_eq!(octets, &sent[..sent.len() - 2]),
                Seen::Refused(Some(tag), Some(_)) => prop_assert_eq!(tag.as_bytes(), &sent[..1]),
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }

    #[test]
    fn gathered_command_stays_within_its_limits(input in wire()) {
        for seen in frames(&input) {
            if let Seen::Command(octets) = seen {
                prop_assert!(octets.len() <= SMALL.line_bytes_max + SMALL.literals_bytes_max as usize);
            }
        }
    }
}
