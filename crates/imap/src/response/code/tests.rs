use imap_codec::ResponseCodec;
use imap_codec::decode::Decoder;
use imap_codec::imap_types::response::{Code as Read, Response, Status, StatusBody};

use super::*;

fn written(code: &Code<'_>) -> String {
    let mut out = Vec::new();
    code.write(&mut Writer::new(&mut out, false));
    String::from_utf8(out).unwrap()
}

/// Each code once, with what it looks like, in the order of [`Code::NAMES`].
fn all() -> Vec<(Code<'static>, &'static str)> {
    let set = |ranges: &[(u32, u32)]| UidSet::from_ranges(ranges.iter().copied());
    let validity = UidValidity::new(3_857_529_045).unwrap();
    let flags = Flags::system(account::SystemFlag::Seen).union(Flags::keyword(0));
    let keywords = Keywords(vec!["$Junk".into()]);
    vec![
        (Code::AlreadyExists, "ALREADYEXISTS"),
        (Code::AppendUid(validity, set(&[(5, 6), (9, 9)])), "APPENDUID 3857529045 5:6,9"),
        (Code::AuthenticationFailed, "AUTHENTICATIONFAILED"),
        (Code::AuthorizationFailed, "AUTHORIZATIONFAILED"),
        (Code::BadCharset(&["UTF-8", "US-ASCII"]), "BADCHARSET (UTF-8 US-ASCII)"),
        (Code::Cannot, "CANNOT"),
        (Code::Capability(vec!["IMAP4rev1".into(), "IDLE".into()]), "CAPABILITY IMAP4rev1 IDLE"),
        (Code::Closed, "CLOSED"),
        (Code::CompressionActive, "COMPRESSIONACTIVE"),
        (Code::CopyUid(validity, set(&[(1, 2)]), set(&[(7, 8)])), "COPYUID 3857529045 1:2 7:8"),
        (Code::Corruption, "CORRUPTION"),
        (Code::ExpungeIssued, "EXPUNGEISSUED"),
        (Code::HasChildren, "HASCHILDREN"),
        (Code::HighestModseq(Modseq(715_194_045_007)), "HIGHESTMODSEQ 715194045007"),
        (
            Code::InProgress(Some(Progress { tag: "A1", done: 454, goal: Some(1000) })),
            "INPROGRESS (\"A1\" 454 1000)",
        ),
        (Code::Limit, "LIMIT"),
        (Code::MailboxId(MailboxId(26)), "MAILBOXID (M1a)"),
        (Code::Modified(set(&[(7, 7), (9, 9)])), "MODIFIED 7,9"),
        (Code::NonExistent, "NONEXISTENT"),
        (Code::OverQuota, "OVERQUOTA"),
        (Code::PermanentFlags { flags, keywords, more: true }, "PERMANENTFLAGS (\\Seen $Junk \\*)"),
        (Code::PrivacyRequired, "PRIVACYREQUIRED"),
        (Code::ReadOnly, "READ-ONLY"),
        (Code::ReadWrite, "READ-WRITE"),
        (Code::TooBig, "TOOBIG"),
        (Code::TryCreate, "TRYCREATE"),
        (Code::UidNext(4392), "UIDNEXT 4392"),
        (Code::UidRequired, "UIDREQUIRED"),
        (Code::UidValidity(validity), "UIDVALIDITY 3857529045"),
        (Code::Unavailable, "UNAVAILABLE"),
        (Code::UnknownCte, "UNKNOWN-CTE"),
        (Code::Unseen(SeqNum::new(12).unwrap()), "UNSEEN 12"),
        (Code::UseAttr, "USEATTR"),
    ]
}

#[test]
fn every_code_is_written_as_its_rfc_says() {
    for (code, expected) in all() {
        assert_eq!(written(&code), expected);
    }
}

#[test]
fn list_of_names_is_the_codes_in_order() {
    let names: Vec<&str> = all().iter().map(|(code, _)| code.name()).collect();
    assert_eq!(names, Code::NAMES);
    assert!(Code::NAMES.is_sorted());
}

#[test]
fn optional_arguments_are_left_out_whole() {
    assert_eq!(written(&Code::BadCharset(&[])), "BADCHARSET");
    assert_eq!(written(&Code::InProgress(None)), "INPROGRESS");
    let unknown_goal = Progress { tag: "a\\b", done: 0, goal: None };
    assert_eq!(written(&Code::InProgress(Some(unknown_goal))), "INPROGRESS (\"a\\\\b\" 0 NIL)");
    let none = Code::PermanentFlags { flags: Flags::NONE, keywords: Keywords::default(), more: false };
    assert_eq!(written(&none), "PERMANENTFLAGS ()");
}

#[test]
fn imap_codec_reads_the_codes_it_knows() {
    let mut known = 0;
    for (code, expected) in all() {
        let line = format!("* OK [{}] text\r\n", written(&code)).into_bytes();
        let Ok((b"", Response::Status(Status::Untagged(StatusBody { code: Some(read), text, .. })))) =
            ResponseCodec::default().decode(&line)
        else {
            panic!("{expected} is not read");
        };
        assert_eq!(text.as_ref(), "text", "{expected}");
        known += u32::from(!matches!(read, Read::Other(_)));
    }
    assert!(known >= 15, "imap-codec knew only {known}");
}
