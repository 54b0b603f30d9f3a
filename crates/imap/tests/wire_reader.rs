//! Reading tokens: what is taken, what is refused, and never a panic.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use account::{Flags, InternalDate, MailboxName, NameError, Refusal, SequenceSet, SetBound, SystemFlag};
use imap::limits;
use imap::wire::{Bad, LiteralMark, MailboxArg, Reader};
use proptest::prelude::*;

/// Reads one token that must be the whole input.
fn whole<'a, T>(input: &'a [u8], read: impl FnOnce(&mut Reader<'a>) -> Result<T, Bad>) -> Option<T> {
    let mut reader = Reader::new(input);
    let token = read(&mut reader).ok()?;
    reader.end().ok().map(|()| token)
}

fn astring(input: &[u8]) -> Option<Vec<u8>> {
    whole(input, |reader| reader.astring().map(|text| text.into_owned()))
}

fn string(input: &[u8]) -> Option<Vec<u8>> {
    whole(input, |reader| reader.string().map(|text| text.into_owned()))
}

fn mailbox(input: &[u8], utf8: bool) -> Option<MailboxArg> {
    whole(input, |reader| reader.mailbox(utf8))
}

fn named(name: &str) -> Option<MailboxArg> {
    Some(MailboxArg::Name(MailboxName::new(name).unwrap()))
}

#[test]
fn tag_is_an_astring_without_plus() {
    let tag = |input: &[u8]| Reader::new(input).tag().map(<[u8]>::to_vec).ok();
    assert_eq!(tag(b"A.1]~ NOOP"), Some(b"A.1]~".to_vec()));
    assert_eq!(tag(b"A"), Some(b"A".to_vec()));
    for wrong in [
        &b""[..],
        b" NOOP",
        b"* NOOP",
        b"+ NOOP",
        b"a+ NOOP",
        b"a\"b NOOP",
        b"a{1}",
        b"a\xff NOOP",
        b"a\tNOOP",
        b"a\0 NOOP",
    ] {
        assert_eq!(tag(wrong), None, "{}", wrong.escape_ascii());
    }
    assert!(tag("t".repeat(limits::TAG_BYTES_MAX).as_bytes()).is_some());
    assert!(tag("t".repeat(limits::TAG_BYTES_MAX + 1).as_bytes()).is_none());
}

#[test]
fn atom_ends_at_its_specials() {
    for special in b"(){ %*\"\\]\x00\x1f\x7f\xc3" {
        let input = [b"ab[c", &[*special][..]].concat();
        let mut reader = Reader::new(&input);
        assert_eq!(reader.atom(), Ok(&b"ab[c"[..]), "{special}");
        assert!(reader.atom().is_err());
    }
}

#[test]
fn item_name_ends_before_its_section() {
    let mut reader = Reader::new(b"BODY.PEEK[1.MIME]<0.5>");
    assert_eq!(reader.item_name(), Ok(&b"BODY.PEEK"[..]));
    assert_eq!(reader.peek(), Some(b'['));
}

#[test]
fn word_is_taken_only_whole_and_in_any_case() {
    assert!(Reader::new(b"all)").eat_word("ALL"));
    assert!(Reader::new(b"ALL").eat_word("ALL"));
    assert!(!Reader::new(b"ALLOW").eat_word("ALL"));
    assert!(!Reader::new(b"FLAGS.SILENT (").eat_word("FLAGS"));
    assert!(!Reader::new(b"AL").eat_word("ALL"));
    let mut reader = Reader::new(b"FLAGS.SILENT (");
    assert!(reader.eat_word("FLAGS.SILENT"));
    assert_eq!(reader.rest(), b" (");
}

#[test]
fn exactly_one_space_parts_arguments() {
    let mut reader = Reader::new(b"a  b");
    assert!(reader.atom().is_ok() && reader.sp().is_ok());
    assert!(reader.atom().is_err(), "no second space");
    assert!(Reader::new(b"\tb").sp().is_err());
}

#[test]
fn error_says_where() {
    let mut reader = Reader::new(b"abc (");
    reader.atom().unwrap();
    reader.sp().unwrap();
    let bad = reader.atom().unwrap_err();
    assert_eq!(bad.at, 4);
    assert!(bad.to_string().contains("at octet 4"));
}

#[test]
fn astring_is_bare_quoted_or_literal() {
    assert_eq!(astring(b"INBOX]"), Some(b"INBOX]".to_vec()));
    assert_eq!(astring(b"NIL"), Some(b"NIL".to_vec()));
    assert_eq!(astring(b"\"a b\""), Some(b"a b".to_vec()));
    assert_eq!(astring(b"{3}\r\na\r\n"), Some(b"a\r\n".to_vec()));
    assert_eq!(astring(b"{3+}\r\n\xff()"), Some(b"\xff()".to_vec()));
    for wrong in [&b""[..], b"a b", b"\"a", b"a\"", b"%", b"a*", b"\xc3\xa4", b"(", b"~{1}\r\nx"] {
        assert_eq!(astring(wrong), None, "{}", wrong.escape_ascii());
    }
}

#[test]
fn quoted_string_escapes_only_quote_and_backslash() {
    assert_eq!(string(br#""a\"b\\c""#), Some(br#"a"b\c"#.to_vec()));
    assert_eq!(string(br#""\\""#), Some(br"\".to_vec()));
    assert_eq!(string(br#""""#), Some(Vec::new()));
    for wrong in [&br#""a\b""#[..], br#""a\"#, br#""\""#, br#""a" "#] {
        assert_eq!(string(wrong), None, "{}", wrong.escape_ascii());
    }
}

#[test]
fn quoted_string_is_one_line_of_utf8() {
    assert_eq!(string("\"\u{e4}\u{1f600}\"".as_bytes()), Some("\u{e4}\u{1f600}".as_bytes().to_vec()));
    for wrong in [&b"\"a\rb\""[..], b"\"a\nb\"", b"\"a\0b\"", b"\"\xff\"", b"\"\xc3\""] {
        assert_eq!(string(wrong), None, "{}", wrong.escape_ascii());
    }
}

#[test]
fn string_is_not_bare_and_nil_is_not_a_string() {
    assert_eq!(string(b"abc"), None);
    assert_eq!(whole(b"NIL", |reader| reader.nstring().map(|text| text.is_none())), Some(true));
    assert_eq!(whole(b"\"NIL\"", |reader| reader.nstring().map(|text| text.is_none())), Some(false));
    assert_eq!(whole(b"NILS", |reader| reader.nstring().map(|_| ())), None);
}

#[test]
fn nul_travels_in_literal8_only() {
    assert_eq!(string(b"{1}\r\n\0"), None);
    assert_eq!(whole(b"~{1}\r\n\0", |reader| reader.literal8().map(<[u8]>::to_vec)), Some(b"\0".to_vec()));
    assert_eq!(whole(b"{1}\r\nx", |reader| reader.literal8().map(<[u8]>::to_vec)), None);
}

#[test]
fn literal_shorter_than_announced_is_refused() {
    for wrong in [
        &b"{4}\r\nabc"[..],
        b"{9223372036854775807}\r\nabc",
        b"{18446744073709551616}\r\n",
        b"{1}x",
        b"{}\r\n",
        b"{1}\n",
    ] {
        assert_eq!(string(wrong), None, "{}", wrong.escape_ascii());
    }
}

#[test]
fn announced_literal_is_the_end_of_its_piece() {
    let announced = |input: &[u8]| Reader::new(input).announced_literal().ok();
    assert_eq!(announced(b"{12}\r\n"), Some(LiteralMark { octets: 12, sync: true, binary: false }));
    assert_eq!(announced(b"~{0+}\r\n"), Some(LiteralMark { octets: 0, sync: false, binary: true }));
    assert_eq!(announced(b"{1}\r\nx"), None);
    assert_eq!(announced(b"\"text\""), None);
}

#[test]
fn numbers_have_their_widths() {
    assert_eq!(whole(b"4294967295", Reader::number), Some(u32::MAX));
    assert_eq!(whole(b"007", Reader::number), Some(7));
    assert_eq!(whole(b"4294967296", Reader::number), None);
    assert_eq!(whole(b"0", Reader::nz_number), None);
    assert_eq!(whole(b"0", Reader::number64), Some(0));
    assert_eq!(whole(b"9223372036854775807", Reader::number64), Some(i64::MAX as u64));
    for wrong in [&b"9223372036854775808"[..], b"99999999999999999999", b"", b"-1", b"+1", b"1x", b"\xd9\xa1"]
    {
        assert_eq!(whole(wrong, Reader::number64), None, "{}", wrong.escape_ascii());
    }
}

fn ranges(input: &[u8]) -> Option<Vec<(SetBound, SetBound)>> {
    match whole(input, Reader::sequence_set)? {
        SequenceSet::Ranges(ranges) => Some(ranges),
        SequenceSet::Saved => None,
    }
}

#[test]
fn sequence_set_keeps_what_was_written() {
    use SetBound::{Number, Star};
    assert_eq!(
        ranges(b"5:4,*,2:*,*:3,7"),
        Some(vec![
            (Number(5), Number(4)),
            (Star, Star),
            (Number(2), Star),
            (Star, Number(3)),
            (Number(7), Number(7))
        ])
    );
    assert_eq!(ranges(b"1:4294967295"), Some(vec![(Number(1), Number(u32::MAX))]));
    assert_eq!(whole(b"$", Reader::sequence_set), Some(SequenceSet::Saved));
    for wrong in [
        &b""[..],
        b"0",
        b"1:0",
        b"1,",
        b",1",
        b"1::2",
        b"1:2:3",
        b"4294967296",
        b"$,1",
        b"1,$",
        b"-1",
        b"1 ,2",
    ] {
        assert_eq!(ranges(wrong), None, "{}", wrong.escape_ascii());
    }
}

#[test]
fn sequence_set_has_a_limit() {
    let set = |count: usize| vec!["1"; count].join(",");
    assert!(ranges(set(limits::SET_RANGES_MAX).as_bytes()).is_some());
    assert!(ranges(set(limits::SET_RANGES_MAX + 1).as_bytes()).is_none());
}

#[test]
fn flags_are_gathered_once_whatever_their_case() {
    let names = whole(br"(\seen $Forwarded \DELETED $FORWARDED \Seen)", Reader::flag_list).unwrap();
    assert_eq!(names.system, Flags::system(SystemFlag::Seen).union(Flags::system(SystemFlag::Deleted)));
    assert_eq!(names.keywords, ["$Forwarded"]);
    let none = whole(b"()", Reader::flag_list).unwrap();
    assert_eq!((none.system, none.keywords.len()), (Flags::NONE, 0));
}

#[test]
fn store_takes_flags_with_or_without_parentheses() {
    let bare = whole(br"\Answered Work", Reader::store_flags);
    assert!(bare.is_some());
    assert_eq!(bare, whole(br"(\Answered Work)", Reader::store_flags));
    assert_eq!(whole(b"", Reader::store_flags), None);
}

#[test]
fn flags_nobody_may_set_are_refused() {
    for wrong in [
        &br"(\Recent)"[..],
        br"(\Foo)",
        br"(\*)",
        br"(\)",
        br"(\Seenx)",
        br"( \Seen)",
        br"(\Seen )",
        br"(\Seen",
        br"(a{1}",
        b"(\"a\")",
    ] {
        assert_eq!(whole(wrong, Reader::flag_list), None, "{}", wrong.escape_ascii());
    }
}

#[test]
fn keywords_of_one_command_are_limited() {
    let list =
        |count: usize| format!("({})", (0..count).map(|n| format!("k{n}")).collect::<Vec<_>>().join(" "));
    assert!(whole(list(account::KEYWORDS_MAX).as_bytes(), Reader::flag_list).is_some());
    assert!(whole(list(account::KEYWORDS_MAX + 1).as_bytes(), Reader::flag_list).is_none());
}

#[test]
fn search_date_is_a_day_quoted_or_not() {
    assert_eq!(whole(b"1-Jan-1970", Reader::date), Some(0));
    assert_eq!(whole(b"\"01-jan-1970\"", Reader::date), Some(0));
    assert_eq!(whole(b"29-Feb-2024", Reader::date), Some(19_782));
    assert_eq!(whole(b"31-Dec-1969", Reader::date), Some(-1));
    for wrong in [
        &b"29-Feb-2023"[..],
        b"0-Jan-1970",
        b"32-Jan-1970",
        b"1-Foo-1970",
        b"1-Jan-70",
        b"1-Jan-19700",
        b"\"1-Jan-1970",
        b"1 Jan 1970",
        b"300-Jan-1970",
    ] {
        assert_eq!(whole(wrong, Reader::date), None, "{}", wrong.escape_ascii());
    }
}

#[test]
fn date_time_is_an_instant_with_its_zone() {
    let date = |seconds, zone_minutes| Some(InternalDate { seconds, zone_minutes });
    assert_eq!(whole(b"\"01-Jan-1970 00:00:00 +0000\"", Reader::date_time), date(0, 0));
    assert_eq!(whole(b"\" 1-Jan-1970 01:30:00 +0130\"", Reader::date_time), date(0, 90));
    assert_eq!(whole(b"\"31-Dec-1969 16:00:00 -0800\"", Reader::date_time), date(0, -480));
    assert_eq!(whole(b"\"17-Jul-1996 02:44:25 -0700\"", Reader::date_time), date(837_596_665, -420));
    let leap = whole(b"\"31-Dec-2016 23:59:60 +0000\"", Reader::date_time);
    assert_eq!(leap, whole(b"\"31-Dec-2016 23:59:59 +0000\"", Reader::date_time));
    assert!(leap.is_some());
    for wrong in [
        &b"01-Jan-1970 00:00:00 +0000"[..],
        b"\"01-Jan-1970 24:00:00 +0000\"",
        b"\"01-Jan-1970 00:60:00 +0000\"",
        b"\"01-Jan-1970 00:00:61 +0000\"",
        b"\"01-Jan-1970 00:00:00 +2400\"",
        b"\"01-Jan-1970 00:00:00 +0060\"",
        b"\"01-Jan-1970 00:00:00 0000\"",
        b"\"01-Jan-1970 00:00:00\"",
        b"\"01-Jan-1970 0:00:00 +0000\"",
        b"\"30-Feb-1970 00:00:00 +0000\"",
    ] {
        assert_eq!(whole(wrong, Reader::date_time), None, "{}", wrong.escape_ascii());
    }
}

#[test]
fn mailbox_name_is_modified_utf7_until_utf8_is_enabled() {
    assert_eq!(mailbox(b"&U,BTFw-", false), named("\u{53f0}\u{5317}"));
    assert_eq!(mailbox(b"Tom&-Jerry", false), named("Tom&Jerry"));
    assert_eq!(mailbox(b"&U,BTFw-", true), named("&U,BTFw-"));
    assert_eq!(mailbox("\"\u{53f0}\u{5317}\"".as_bytes(), true), named("\u{53f0}\u{5317}"));
    assert_eq!(mailbox("\"\u{e4}&b\"".as_bytes(), false), named("\u{e4}&b"), "raw UTF-8 is what it says");
    assert_eq!(mailbox(b"inBox", false), named("INBOX"));
}

#[test]
fn impossible_mailbox_name_is_no_syntax_error() {
    for (input, error) in [
        (&b"\"\""[..], NameError::Empty),
        (b"a//b", NameError::BadLevel),
        (b"../etc/passwd", NameError::BadLevel),
        (b"&AC8-", NameError::BadCharacter),
        (b"&AGE-", NameError::BadCharacter),
        (b"&Jjo", NameError::BadCharacter),
        (b"a&b", NameError::BadCharacter),
        (b"{1}\r\n\xff", NameError::BadCharacter),
        (b"{13}\r\na\r\n* BYE fake", NameError::BadCharacter),
        (b"\"a%\"", NameError::BadCharacter),
    ] {
        assert_eq!(mailbox(input, false), Some(MailboxArg::Bad(error)), "{}", input.escape_ascii());
    }
    let bad = MailboxArg::Bad(NameError::TooDeep);
    assert_eq!(bad.existing(), Err(Refusal::NonExistent));
    assert_eq!(bad.new_name(), Err(Refusal::BadName(NameError::TooDeep)));
}

#[test]
fn only_a_new_mailbox_may_end_with_one_delimiter() {
    let new = |input: &[u8]| whole(input, |reader| reader.new_mailbox(false));
    assert_eq!(new(b"foo/"), named("foo"));
    assert_eq!(new(b"foo//"), Some(MailboxArg::Bad(NameError::BadLevel)));
    assert_eq!(new(b"/"), Some(MailboxArg::Bad(NameError::Empty)));
    assert_eq!(mailbox(b"foo/", false), Some(MailboxArg::Bad(NameError::BadLevel)));
}

#[test]
fn list_pattern_may_be_bare_with_wildcards() {
    let pattern = |input: &[u8], utf8| whole(input, |reader| reader.list_mailbox(utf8));
    assert_eq!(pattern(b"a/%*]", false), Some("a/%*]".into()));
    assert_eq!(pattern(b"\"\"", false), Some(String::new()));
    assert_eq!(pattern(b"&AOQ-*", false), Some("\u{e4}*".into()));
    assert_eq!(pattern(b"&AOQ-*", true), Some("&AOQ-*".into()));
    assert_eq!(pattern(b"&AOQ*", false), None);
    assert_eq!(pattern(b"a(", false), None);
}

#[test]
fn list_calls_for_each_item() {
    let mut seen = Vec::new();
    let mut reader = Reader::new(b"(a b c) d");
    reader.list(|reader| reader.atom().map(|atom| seen.push(atom.to_vec()))).unwrap();
    assert_eq!(seen, [b"a", b"b", b"c"]);
    assert_eq!(reader.rest(), b" d");
    for wrong in [&b"(a  b)"[..], b"(a", b"(a ", b"(a )", b"( a)", b"a)"] {
        assert!(
            Reader::new(wrong).list(|reader| reader.atom().map(|_| ())).is_err(),
            "{}",
            wrong.escape_ascii()
        );
    }
}

#[test]
fn nesting_has_a_limit_and_can_be_left() {
    let mut reader = Reader::new(b"");
    for _ in 0..limits::NESTING_MAX {
        reader.nest().unwrap();
    }
    assert!(reader.nest().is_err());
    reader.unnest();
    assert!(reader.nest().is_ok());
}

proptest! {
    #[test]
    fn any_octets_are_read_or_refused(input in proptest::collection::vec(any::<u8>(), 0..80)) {
        let read: [fn(&mut Reader<'_>); 14] = [
            |reader| drop(reader.tag()),
            |reader| drop(reader.verb()),
            |reader| drop(reader.item_name()),
            |reader| drop(reader.astring()),
            |reader| drop(reader.nstring()),
            |reader| drop(reader.literal8()),
            |reader| drop(reader.announced_literal()),
            |reader| drop(reader.number64()),
            |reader| drop(reader.sequence_set()),
            |reader| drop(reader.store_flags()),
            |reader| drop(reader.date()),
            |reader| drop(reader.date_time()),
            |reader| drop(reader.mailbox(false)),
            |reader| drop(reader.list_mailbox(true)),
        ];
        for read in read {
            let mut reader = Reader::new(&input);
            let before = reader.rest().len();
            read(&mut reader);
            prop_assert!(reader.rest().len() <= before);
        }
    }

    #[test]
    fn likely_octets_are_read_or_refused(input in "[\"\\\\{}~+0-9a-z \r\n&*:,$-]{0,40}") {
        let mut reader = Reader::new(input.as_bytes());
        while let Ok(text) = reader.astring() {
            prop_assert!(!text.contains(&0));
            if reader.sp().is_err() {
                break;
            }
        }
        drop(Reader::new(input.as_bytes()).sequence_set());
        drop(Reader::new(input.as_bytes()).mailbox(false));
    }
}
