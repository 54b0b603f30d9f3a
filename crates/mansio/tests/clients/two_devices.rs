//! Two devices on one account: what one does, the other is told while it waits in IDLE.

use crate::harness::Server;
use crate::harness::response::{Response, Value, numbers, value_of};
use crate::harness::wire::Wire;

const LETTER: &[u8] = b"From: a@example.org\r\nSubject: hello\r\n\r\nbody\r\n";

fn flags(items: &[Value]) -> Vec<String> {
    let mut flags: Vec<String> = value_of(items, "FLAGS").unwrap().list().iter().map(Value::text).collect();
    flags.retain(|flag| flag != "\\Recent");
    flags.sort();
    flags
}

/// Waits in IDLE for a response that fits, then ends IDLE.
fn idle_until(wire: &mut Wire, tag: &str, fits: impl FnMut(&Response) -> bool) -> Response {
    let found = wire.until(fits);
    wire.write(b"DONE\r\n");
    assert_eq!(wire.answer(tag).kind, "OK");
    found
}

fn begin_idle(wire: &mut Wire) -> String {
    let tag = wire.send("IDLE");
    wire.until_continue();
    tag
}

fn is_numbered(response: &Response, wanted: &str, at: u32) -> bool {
    matches!(response, Response::Numbered { number, name, .. } if name == wanted && *number == at)
}

#[test]
fn arrival_reading_and_expunge_reach_the_device_that_idles() {
    let server = Server::start();
    let (mut phone, mut desk) = (Wire::selected(&server, "INBOX"), Wire::selected(&server, "INBOX"));

    let idle = begin_idle(&mut phone);
    assert_eq!(desk.append("INBOX", LETTER).kind, "OK");
    assert_eq!(desk.append("INBOX", LETTER).kind, "OK");
    idle_until(&mut phone, &idle, |response| is_numbered(response, "EXISTS", 2));

    let idle = begin_idle(&mut phone);
    desk.ok("NOOP");
    desk.ok("STORE 2 +FLAGS.SILENT (\\Seen $Label1)");
    let told = idle_until(&mut phone, &idle, |response| is_numbered(response, "FETCH", 2));
    let Response::Numbered { values, .. } = told else { unreachable!("a FETCH was asked for") };
    assert_eq!(flags(values[0].list()), ["$Label1", "\\Seen"]);

    let idle = begin_idle(&mut phone);
    desk.ok("STORE 1 +FLAGS.SILENT (\\Deleted)");
    desk.ok("EXPUNGE");
    idle_until(&mut phone, &idle, |response| is_numbered(response, "EXPUNGE", 1));
    let left = phone.ok("FETCH 1:* (FLAGS)");
    assert_eq!(left.fetched().len(), 1);
    assert_eq!(flags(left.fetched()[0].1), ["$Label1", "\\Seen"]);
}

#[test]
fn the_device_that_idles_with_qresync_hears_of_expunges_as_vanished_uids() {
    let server = Server::start();
    let (mut phone, mut desk) = (Wire::logged_in(&server), Wire::selected(&server, "INBOX"));
    for _ in 0..5 {
        assert_eq!(desk.append("INBOX", LETTER).kind, "OK");
    }
    desk.ok("NOOP");
    phone.ok("ENABLE QRESYNC");
    phone.ok("SELECT INBOX");
    let uids: Vec<u64> = phone
        .ok("UID FETCH 1:* (FLAGS)")
        .fetched()
        .iter()
        .map(|(_, i)| value_of(i, "UID").unwrap().number())
        .collect();

    let idle = begin_idle(&mut phone);
    desk.ok("STORE 2,4 +FLAGS.SILENT (\\Deleted)");
    desk.ok("EXPUNGE");
    let mut vanished = Vec::new();
    idle_until(&mut phone, &idle, |response| {
        assert!(!matches!(response, Response::Numbered { name, .. } if name == "EXPUNGE"), "{response:?}");
        if let Response::Data { name, values } = response
            && name == "VANISHED"
        {
            vanished.extend(numbers(&values[0].text()).into_iter().map(u64::from));
        }
        vanished.len() == 2
    });
    assert_eq!(vanished, [uids[1], uids[3]]);
}

#[test]
fn a_moved_message_leaves_one_mailbox_and_appears_in_the_other() {
    let server = Server::start();
    let mut desk = Wire::logged_in(&server);
    desk.ok("CREATE Kept");
    assert_eq!(desk.append("INBOX (\\Flagged work) \"05-Apr-2019 08:09:10 +0200\"", LETTER).kind, "OK");
    desk.ok("SELECT INBOX");
    let (mut source, mut target) = (Wire::selected(&server, "INBOX"), Wire::selected(&server, "Kept"));

    let (source_idle, target_idle) = (begin_idle(&mut source), begin_idle(&mut target));
    desk.ok("MOVE 1 Kept");
    idle_until(&mut source, &source_idle, |response| is_numbered(response, "EXPUNGE", 1));
    idle_until(&mut target, &target_idle, |response| is_numbered(response, "EXISTS", 1));

    let moved = target.ok("FETCH 1 (FLAGS INTERNALDATE BODY.PEEK[])");
    let items = moved.fetched()[0].1;
    assert_eq!(flags(items), ["\\Flagged", "work"]);
    assert_eq!(value_of(items, "BODY[]").unwrap().bytes(), LETTER);
    let date = value_of(items, "INTERNALDATE").unwrap().text();
    // Servers may show the moment in another zone.
    assert!(
        date.contains("05-Apr-2019 08:09:10 +0200") || date.contains("05-Apr-2019 06:09:10 +0000"),
        "{date}"
    );
}

#[test]
fn a_draft_saved_again_replaces_the_old_one_on_the_other_device() {
    let server = Server::start();
    let mut desk = Wire::logged_in(&server);
    desk.ok("CREATE Letters");
    let mut phone = Wire::selected(&server, "Letters");

    let saved = desk.append("Letters (\\Draft \\Seen)", b"Subject: first try\r\n\r\nDear\r\n");
    assert_eq!(saved.kind, "OK");
    let old = saved.code[2].number();
    desk.ok("SELECT Letters");
    assert_eq!(
        desk.append("Letters (\\Draft \\Seen)", b"Subject: second try\r\n\r\nDear Ann\r\n").kind,
        "OK"
    );
    desk.ok(&format!("UID STORE {old} +FLAGS.SILENT (\\Deleted)"));
    desk.ok(&format!("UID EXPUNGE {old}"));

    phone.ok("NOOP");
    let drafts = phone.ok("FETCH 1:* (FLAGS BODY.PEEK[TEXT])");
    assert_eq!(drafts.fetched().len(), 1, "{drafts:?}");
    let items = drafts.fetched()[0].1;
    assert_eq!(flags(items), ["\\Draft", "\\Seen"]);
    assert_eq!(value_of(items, "BODY[TEXT]").unwrap().bytes(), b"Dear Ann\r\n");
}
