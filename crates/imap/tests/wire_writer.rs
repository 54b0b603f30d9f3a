//! Writing tokens: what leaves is read back as what was meant, by our reader and by imap-codec.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::num::NonZeroU32;

use account::{Flags, InternalDate, Keywords, MailboxName, SystemFlag, UidSet};
use imap::wire::{Reader, Writer};
use imap_codec::ResponseCodec;
use imap_codec::decode::Decoder;
use imap_codec::imap_types::fetch::MessageDataItem;
use imap_codec::imap_types::flag::{Flag, FlagFetch};
use imap_codec::imap_types::mailbox::Mailbox;
use imap_codec::imap_types::response::{Data, Response};
use proptest::prelude::*;

fn written(utf8: bool, write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut Writer::new(&mut out, utf8));
    out
}

fn string(utf8: bool, text: &[u8]) -> Vec<u8> {
    written(utf8, |writer| writer.string(text))
}

/// What imap-codec reads from a response line, to its end.
fn data(line: &[u8]) -> Data<'_> {
    match ResponseCodec::default().decode(line) {
        Ok((b"", Response::Data(data))) => data,
        other => panic!("{} is {other:?}", line.escape_ascii()),
    }
}

#[test]
fn string_is_quoted_when_it_can_be() {
    assert_eq!(string(false, b""), b"\"\"");
    assert_eq!(string(false, br#"a "b\c""#), br#""a \"b\\c\"""#);
    assert_eq!(string(false, b"a\r\nb"), b"{4}\r\na\r\nb");
    assert_eq!(string(false, b"a\nb"), b"{3}\r\na\nb");
    assert_eq!(string(false, "\u{e4}".as_bytes()), "{2}\r\n\u{e4}".as_bytes());
    assert_eq!(string(true, "\u{e4}".as_bytes()), "\"\u{e4}\"".as_bytes());
    assert_eq!(string(true, b"\xe4"), b"{1}\r\n\xe4");
    assert_eq!(string(false, b"a\0b"), b"{3}\r\na?b");
}

#[test]
fn long_string_is_a_literal() {
    assert!(string(false, &[b'x'; 1_000]).starts_with(b"\""));
    assert!(string(false, &[b'x'; 1_001]).starts_with(b"{1001}\r\n"));
}

#[test]
fn quoting_never_breaks_a_line() {
    let forged = written(true, |writer| writer.quoted(b"x\r\n* BYE fake"));
    assert_eq!(forged, b"{13}\r\nx\r\n* BYE fake");
}

#[test]
fn astring_is_bare_when_every_client_reads_it_so() {
    let astring = |text: &[u8]| written(false, |writer| writer.astring(text));
    assert_eq!(astring(b"INBOX"), b"INBOX");
    assert_eq!(astring(b""), b"\"\"");
    assert_eq!(astring(b"nil"), b"\"nil\"");
    assert_eq!(astring(b"a b"), b"\"a b\"");
    assert_eq!(astring(b"a*"), b"\"a*\"");
    assert_eq!(written(false, |writer| writer.nstring(None)), b"NIL");
    assert_eq!(written(false, |writer| writer.nstring(Some(b"NIL"))), b"\"NIL\"");
}

#[test]
fn mailbox_name_travels_in_the_encoding_of_the_session() {
    let name = MailboxName::new("Entw\u{fc}rfe & mehr").unwrap();
    assert_eq!(written(false, |writer| writer.mailbox(&name)), b"\"Entw&APw-rfe &- mehr\"");
    assert_eq!(written(true, |writer| writer.mailbox(&name)), "\"Entw\u{fc}rfe & mehr\"".as_bytes());
}

#[test]
fn literal_headers_announce_what_follows() {
    assert_eq!(written(false, |writer| writer.literal_header(u64::MAX)), b"{18446744073709551615}\r\n");
    assert_eq!(written(false, |writer| writer.literal8_header(0)), b"~{0}\r\n");
}

#[test]
fn uid_set_is_ranges() {
    let set = UidSet::from_ranges([(7, 7), (1, 3), (10, u32::MAX)]);
    assert_eq!(written(false, |writer| writer.uid_set(&set)), b"1:3,7,10:4294967295");
}

#[test]
fn flags_are_written_with_the_names_of_the_mailbox() {
    let keywords = Keywords(vec!["$Forwarded".into(), "Work".into()]);
    let flags = Flags::system(SystemFlag::Seen).union(Flags::keyword(1)).union(Flags::keyword(40));
    assert_eq!(written(false, |writer| writer.flags(flags, &keywords, false)), br"(\Seen Work)");
    assert_eq!(written(false, |writer| writer.flags(flags, &keywords, true)), br"(\Seen Work \Recent)");
    assert_eq!(written(false, |writer| writer.flags(Flags::NONE, &keywords, false)), b"()");
    assert_eq!(written(false, |writer| writer.permanent_flags(Flags::NONE, &keywords, true)), br"(\*)");
}

#[test]
fn date_is_written_in_its_own_zone() {
    let date = |seconds, zone_minutes| {
        String::from_utf8(written(false, |writer| writer.date_time(InternalDate { seconds, zone_minutes })))
            .unwrap()
    };
    assert_eq!(date(0, 0), "\"01-Jan-1970 00:00:00 +0000\"");
    assert_eq!(date(837_596_665, -420), "\"17-Jul-1996 02:44:25 -0700\"");
    assert_eq!(date(0, 90), "\"01-Jan-1970 01:30:00 +0130\"");
    assert_eq!(date(0, -1), "\"31-Dec-1969 23:59:00 -0001\"");
    assert_eq!(date(i64::MAX, i16::MAX), "\"31-Dec-9999 23:59:59 +2359\"");
    assert_eq!(date(i64::MIN, i16::MIN), "\"01-Jan-0000 00:00:00 -2359\"");
}

/// Mailbox names that can exist.
fn name() -> impl Strategy<Value = MailboxName> {
    "[ -~\u{e4}\u{53f0}\u{1f600}]{1,20}".prop_filter_map("not a name", |name| MailboxName::new(&name).ok())
}

proptest! {
    #[test]
    fn any_string_is_read_back(text in proptest::collection::vec(1_u8.., 0..40), utf8 in any::<bool>(), bare in any::<bool>()) {
        let out = written(utf8, |writer| if bare { writer.astring(&text) } else { writer.string(&text) });
        let mut reader = Reader::new(&out);
        prop_assert_eq!(&*reader.astring().unwrap(), &text[..]);
        prop_assert!(reader.is_empty());
    }

    #[test]
    fn any_number_is_read_back(number in 0..1_u64 << 63) {
        let out = written(false, |writer| writer.number(number));
        prop_assert_eq!(Reader::new(&out).number64(), Ok(number));
    }

    #[test]
    fn any_mailbox_name_is_read_back(name in name(), utf8 in any::<bool>()) {
        let out = written(utf8, |writer| writer.mailbox(&name));
        let mut reader = Reader::new(&out);
        let read = reader.mailbox(utf8).unwrap();
        prop_assert_eq!(read.existing(), Ok(&name));
        prop_assert!(reader.is_empty());
    }

    #[test]
    fn imap_codec_reads_our_mailbox_names(name in name()) {
        let line = written(false, |writer| {
            writer.raw(b"* LIST () \"/\" ");
            writer.mailbox(&name);
            writer.raw(b"\r\n");
        });
        let mut encoded = Vec::new();
        imap::wire::utf7::encode(name.as_str(), &mut encoded);
        match data(&line) {
            Data::List { mailbox: Mailbox::Inbox, .. } => prop_assert!(name.is_inbox()),
            Data::List { mailbox: Mailbox::Other(other), .. } => prop_assert_eq!(other.as_ref(), &encoded[..]),
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn any_date_is_read_back(seconds in -62_000_000_000_i64..250_000_000_000, zone_minutes in -1_439_i16..=1_439) {
        let date = InternalDate { seconds, zone_minutes };
        let out = written(false, |writer| writer.date_time(date));
        prop_assert_eq!(Reader::new(&out).date_time(), Ok(date));
    }

    #[test]
    fn imap_codec_reads_our_fetch_items(bits in any::<u64>(), seconds in 0_i64..4_000_000_000, zone in -720_i16..=840, uid in 1_u32..) {
        let keywords = Keywords((0..59).map(|index| format!("$k{index}")).collect());
        let line = written(false, |writer| {
            writer.raw(b"* 1 FETCH (UID ");
            writer.number(u64::from(uid));
            writer.raw(b" FLAGS ");
            writer.flags(Flags(bits), &keywords, false);
            writer.raw(b" INTERNALDATE ");
            writer.date_time(InternalDate { seconds, zone_minutes: zone });
            writer.raw(b")\r\n");
        });
        let Data::Fetch { items, .. } = data(&line) else { panic!("not FETCH") };
        for item in items {
            match item {
                MessageDataItem::Uid(read) => prop_assert_eq!(Some(read), NonZeroU32::new(uid)),
                MessageDataItem::Flags(flags) => {
                    prop_assert_eq!(flags.len(), bits.count_ones() as usize);
                    let seen = flags.contains(&FlagFetch::Flag(Flag::Seen));
                    prop_assert_eq!(seen, Flags(bits).has(SystemFlag::Seen));
                }
                MessageDataItem::InternalDate(date) => {
                    prop_assert_eq!(date.as_ref().timestamp(), seconds);
                    prop_assert_eq!(date.as_ref().offset().local_minus_utc(), i32::from(zone) * 60);
                }
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }
}
