use std::fs;

use super::client::Client;
use super::maildir::{Maildir, dovecot, message};
use super::program::{ANN, Place, path};

/// What a client sees of a mailbox: UIDVALIDITY and UIDNEXT, and a line for each message.
pub fn seen(client: &mut Client, mailbox: &str) -> Vec<String> {
    let selected = client.ok(&format!("SELECT {mailbox}"));
    let code = |name: &str| {
        let line = selected.iter().find(|line| line.contains(&format!("[{name} "))).unwrap();
        line.split_once('[').unwrap().1.split_once(']').unwrap().0.to_owned()
    };
    let mut seen = vec![code("UIDVALIDITY"), code("UIDNEXT")];
    let lines =
        client.ok("UID FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT)])");
    let fetched = lines[..lines.len() - 1].join("\r\n");
    seen.extend(fetched.split("\r\n* ").map(|one| {
        let one = one.trim_start_matches("* ").replace(" \\Recent", "").replace("\\Recent", "");
        one.split_once(' ').map_or_else(String::new, |(_, rest)| rest.replace("\r\n", "|"))
    }));
    seen
}

fn import(place: &Place, format: &str, source: &std::path::Path) -> String {
    place.must(&["import", "--account", ANN, format, path(source)])
}

#[test]
fn a_dovecot_maildir_keeps_uids_flags_keywords_dates_names_and_subscriptions() {
    let place = Place::with_ann();
    let source = place.folder.path().join("old");
    dovecot(&source);
    assert_eq!(import(&place, "maildir", &source), "6 messages brought in.\n");
    let server = place.serve("");
    let mut ann = server.ann();
    let inbox = seen(&mut ann, "INBOX");
    assert_eq!(inbox[0], "UIDVALIDITY 1600000000");
    assert_eq!(inbox[1], "UIDNEXT 51", "above the 50 that Dovecot would give next, by the one new message");
    let of = |uid: &str| {
        inbox
            .iter()
            .find(|line| line.contains(&format!("(UID {uid} ")))
            .unwrap_or_else(|| panic!("{inbox:?}"))
    };
    assert!(
        of("7").contains("FLAGS (\\Seen)") && of("7").contains("14-Nov-2023 22:13:21 +0000"),
        "{inbox:?}"
    );
    assert!(of("9").contains("\\Answered") && of("9").contains("\\Flagged") && of("9").contains("$Label1"));
    assert!(of("30").contains("\\Deleted") && of("30").contains("NonJunk"));
    assert!(of("50").contains("Subject: nine") && of("50").contains("FLAGS ()"));
    assert_eq!(seen(&mut ann, "Sent/2024")[..2], ["UIDVALIDITY 1600000001", "UIDNEXT 3"]);
    assert!(seen(&mut ann, "\"&ZeVnLIqe-\"")[2].contains("Subject: ni"));
    let subscribed = ann.ok("LSUB \"\" \"*\"").concat();
    assert!(subscribed.contains("Sent/2024") && subscribed.contains("&ZeVnLIqe-"), "{subscribed}");
    let body = ann.ok("UID FETCH 1:* BODY.PEEK[]").join("\r\n");
    assert!(body.contains("Subject: ni\r\n\r\nBody of ni.\r\n"), "{body}");
}

#[test]
fn a_second_run_brings_in_only_what_is_new_there_and_nothing_that_was_removed_here() {
    let place = Place::with_ann();
    let source = place.folder.path().join("old");
    dovecot(&source);
    import(&place, "maildir", &source);
    assert_eq!(import(&place, "maildir", &source), "0 messages brought in, 6 were here already.\n");

    let server = place.serve("");
    let mut ann = server.ann();
    ann.ok("SELECT INBOX");
    ann.ok("UID STORE 7 +FLAGS (\\Deleted)");
    ann.ok("UID EXPUNGE 7");
    let before = seen(&mut ann, "INBOX");
    Maildir { path: source.clone() }.message("1700000060.M9P1.host:2,", 1_700_000_060, &message("later"));
    let told = import(&place, "maildir", &source);
    assert!(told.starts_with("1 messages brought in, 5 were here already, 1 left out"), "{told}");
    let after = seen(&mut ann, "INBOX");
    assert_eq!(after.len(), before.len() + 1);
    assert!(after.last().unwrap().contains("Subject: later"));

    let told = place.must(&["import", "maildir", path(&source), "--account", ANN, "--removed-too"]);
    assert!(told.starts_with("1 messages brought in, 6 were here already."), "{told}");
    assert!(seen(&mut ann, "INBOX").last().unwrap().contains("Subject: one"));
}

#[test]
fn two_equal_messages_stay_two_however_often_they_come() {
    let place = Place::with_ann();
    let source = place.folder.path().join("old");
    let twin = message("twin");
    Maildir::new(source.clone()).message("1.a", 1_700_000_000, &twin).message("2.b", 1_700_000_000, &twin);
    assert_eq!(import(&place, "maildir", &source), "2 messages brought in.\n");
    assert_eq!(import(&place, "maildir", &source), "0 messages brought in, 2 were here already.\n");
}

#[test]
fn mail_delivered_here_and_there_after_the_first_run_is_kept_on_both_sides() {
    let place = Place::with_ann();
    let source = place.folder.path().join("old");
    let maildir = Maildir::new(source.clone());
    maildir
        .message("1.a", 1_700_000_000, &message("first"))
        .file("dovecot-uidlist", "3 V1600000000 N2\n1 :1.a\n");
    import(&place, "maildir", &source);
    let server = place.serve("");
    let mut ann = server.ann();
    let here = "Subject: here\r\n\r\nx\r\n";
    ann.ok(&format!("APPEND INBOX {{{}+}}\r\n{here}", here.len()));
    maildir.message("2.b", 1_700_000_500, &message("there"));
    maildir.file("dovecot-uidlist", "3 V1600000000 N3\n1 :1.a\n2 :2.b\n");
    assert_eq!(import(&place, "maildir", &source), "1 messages brought in, 1 were here already.\n");
    let inbox = seen(&mut ann, "INBOX").concat();
    assert!(
        ["first", "here", "there"].iter().all(|subject| inbox.contains(&format!("Subject: {subject}"))),
        "{inbox}"
    );
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_comes_in() {
    let place = Place::with_ann();
    let source = place.folder.path().join("old");
    let maildir = Maildir::new(source.clone());
    maildir.message("1.good:2,S", 1_700_000_000, &message("good")).message("2.empty:2,", 1_700_000_000, b"");
    maildir.message("3.cut,S=500:2,", 1_700_000_000, &message("cut"));
    fs::create_dir(source.join("cur/4.folder")).unwrap();
    std::os::unix::fs::symlink("/nowhere", source.join("cur/5.link")).unwrap();
    let output = place.run(&["import", "--account", ANN, "maildir", path(&source)]);
    assert_eq!(output.status.code(), Some(3));
    let error = super::program::text(&output.stderr);
    for name in ["2.empty", "3.cut", "4.folder", "5.link"] {
        assert!(error.contains(name), "{name} in {error}");
    }
    assert!(super::program::text(&output.stdout).starts_with("2 messages brought in, 3 could not be read."));
}

#[test]
fn more_keywords_than_fit_are_named_and_cost_no_message() {
    let place = Place::with_ann();
    let source = place.folder.path().join("old");
    let maildir = Maildir::new(source.clone());
    fs::create_dir(source.join("courierimapkeywords")).unwrap();
    let names: String = (0..70).map(|number| format!("Key{number}\n")).collect();
    let numbers: Vec<String> = (0..70).map(|number| number.to_string()).collect();
    maildir.message("1.a:2,", 1_700_000_000, &message("many"));
    maildir.file("courierimapkeywords/:list", &format!("{names}\n1.a:{}\n", numbers.join(" ")));
    let output = place.run(&["import", "--account", ANN, "maildir", path(&source)]);
    assert_eq!(output.status.code(), Some(3));
    assert!(super::program::text(&output.stderr).contains("Key69"));
    let server = place.serve("");
    let line = seen(&mut server.ann(), "INBOX").pop().unwrap();
    assert!(line.contains("Key0 ") && line.contains("Key58") && !line.contains("Key59"), "{line}");
}

#[test]
fn an_mbox_file_becomes_a_mailbox_with_its_state() {
    let place = Place::with_ann();
    let source = place.folder.path().join("Old Mail.mbox");
    let from = "From a@b Tue Nov 14 22:13:20 2023\n";
    let text = format!(
        "{from}X-IMAPbase: 1500000000 9\nSubject: one\nStatus: RO\nX-UID: 4\n\n>From here\n\n\
         {from}Subject: two\nX-Status: F\nX-UID: 8\n\nx\n"
    );
    fs::write(&source, &text).unwrap();
    assert_eq!(import(&place, "mbox", &source), "2 messages brought in.\n");
    assert_eq!(import(&place, "mbox", &source), "0 messages brought in, 2 were here already.\n");
    let server = place.serve("");
    let mut ann = server.ann();
    let mailbox = seen(&mut ann, "\"Old Mail\"");
    assert_eq!(mailbox[..2], ["UIDVALIDITY 1500000000", "UIDNEXT 10"]);
    assert!(
        mailbox[2].contains("UID 4 ") && mailbox[2].contains("\\Seen") && mailbox[2].contains("Subject: one")
    );
    assert!(mailbox[3].contains("UID 8 ") && mailbox[3].contains("\\Flagged"));
    let body = ann.ok("UID FETCH 4 BODY.PEEK[]").join("\n");
    assert!(body.contains("Subject: one\n\nFrom here\n") && !body.contains("X-UID"), "{body}");
}

#[test]
fn nothing_to_bring_in_is_an_error_that_says_so() {
    let place = Place::with_ann();
    let empty = place.folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    assert!(place.fails(1, &["import", "--account", ANN, "maildir", path(&empty)]).contains("no Maildir"));
    assert!(place.fails(1, &["import", "--account", ANN, "mbox", path(&empty)]).contains("no mbox"));
    assert!(place.fails(1, &["import", "--account", ANN, "maildir", "/nowhere"]).contains("/nowhere"));
    assert!(place.fails(2, &["import", "maildir", path(&empty)]).contains("--account"));
    assert!(
        place
            .fails(1, &["import", "--account", "no@example.org", "maildir", path(&empty)])
            .contains("no account")
    );
}

#[test]
fn everything_can_go_below_one_mailbox() {
    let place = Place::with_ann();
    let source = place.folder.path().join("old");
    dovecot(&source);
    let told = place.must(&["import", "maildir", path(&source), "--account", ANN, "--into", "Old"]);
    assert!(told.starts_with("6 messages"), "{told}");
    let server = place.serve("");
    let mut ann = server.ann();
    let listed = ann.ok("LIST \"\" \"Old/*\"").concat();
    assert!(listed.contains("Old/INBOX") && listed.contains("Old/Sent/2024"), "{listed}");
    assert_eq!(seen(&mut ann, "INBOX").len(), 3, "the real one has no message");
}
