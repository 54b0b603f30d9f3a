use std::fs;

use super::import::seen;
use super::maildir::dovecot;
use super::program::{ANN, Place, path};

#[test]
fn what_goes_out_comes_back_the_same_in_another_place() {
    let place = Place::with_ann();
    let source = place.folder.path().join("old");
    dovecot(&source);
    place.must(&["import", "--account", ANN, "maildir", path(&source)]);
    let mailboxes = ["INBOX", "Sent/2024", "\"&ZeVnLIqe-\"", "\"v1.5/x\""];
    let (out, before) = {
        let server = place.serve("");
        let mut ann = server.ann();
        ann.ok("CREATE \"v1.5/x\"");
        let mixed = "Subject: mixed\r\n\r\nbare\nlines\r\n";
        ann.ok(&format!("APPEND \"v1.5/x\" (\\Draft) {{{}+}}\r\n{mixed}", mixed.len()));
        let out = place.folder.path().join("out");
        assert_eq!(
            place.must(&["export", "--account", ANN, path(&out)]),
            format!("7 messages written to {}.\n", path(&out))
        );
        (out, mailboxes.map(|mailbox| seen(&mut ann, mailbox)))
    };
    let names: Vec<_> =
        fs::read_dir(out.join("cur")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 4);

    let other = Place::with_ann();
    assert_eq!(other.must(&["import", "--account", ANN, "maildir", path(&out)]), "7 messages brought in.\n");
    let server = other.serve("");
    let mut ann = server.ann();
    for (mailbox, before) in mailboxes.iter().zip(before) {
        let mut after = seen(&mut ann, mailbox);
        if mailbox.contains("v1.5") {
            // Lone line feeds come back as line ends; that is the one thing a Maildir cannot say.
            assert_eq!((before.len(), after.len()), (3, 3));
            after[2] = before[2].clone();
        }
        assert_eq!(after, before, "{mailbox}");
    }
}

#[test]
fn an_export_never_writes_over_something() {
    let place = Place::with_ann();
    let out = place.folder.path().join("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("precious"), "x").unwrap();
    assert!(place.fails(1, &["export", "--account", ANN, path(&out)]).contains("is not empty"));
}

#[test]
fn a_check_of_a_sound_place_finds_nothing() {
    let place = Place::with_ann();
    let source = place.folder.path().join("old");
    dovecot(&source);
    place.must(&["import", "--account", ANN, "maildir", path(&source)]);
    let told = place.must(&["check", "--deep"]);
    assert!(told.contains("1 accounts with 6 messages compared."), "{told}");
    let server = place.serve("");
    let _ann = server.ann();
    assert!(place.must(&["check"]).contains("blobs read"));
}

#[test]
fn a_damaged_message_is_named_as_its_owner_knows_it() {
    let place = Place::with_ann();
    let source = place.folder.path().join("old");
    dovecot(&source);
    place.must(&["import", "--account", ANN, "maildir", path(&source)]);
    // Flip one octet in the body of "sent", wherever the log keeps it.
    let mut flipped = false;
    for entry in fs::read_dir(place.data().join("store/log")).unwrap() {
        let file = entry.unwrap().path();
        let mut octets = fs::read(&file).unwrap();
        let found = octets.windows(13).position(|text| text == b"Body of sent.");
        if let Some(at) = found {
            octets[at] ^= 1;
            fs::write(&file, octets).unwrap();
            flipped = true;
        }
    }
    assert!(flipped, "small messages lie in the log as they are");
    let error = place.fails(3, &["check"]);
    assert!(error.contains("ann@example.org: Sent/2024, UID 2 is damaged"), "{error}");
}
