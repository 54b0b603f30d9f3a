//! Mailbox names in any script, over the protocol itself: as modified UTF-7, and as UTF-8 where that is enabled.

use crate::harness::Server;
use crate::harness::maildir::modified_utf7;
use crate::harness::response::value_of;
use crate::harness::wire::Wire;

/// Names that have gone wrong in one mail program or another.
pub const NAMES: &[&str] = &[
    "日本語",
    "العربية",
    "עברית",
    "📬 post",
    "Tom & Jerry",
    "&",
    "&-",
    "with  two  spaces",
    "with \"quotes\"",
    "back\\slash",
    "(parenthesis) {5}",
    "Größe",
    "Новая папка",
    "nested/日本/depth",
];

/// A name as a quoted string in modified UTF-7, which every IMAP4rev1 client sends.
pub fn quoted_modified_utf7(name: &str) -> String {
    quoted(&modified_utf7(name))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[test]
fn every_name_is_listed_selected_renamed_and_deleted_as_it_was_made() {
    let server = Server::start();
    let mut wire = Wire::logged_in(&server);
    let list = |wire: &mut Wire, data: &str| -> Vec<String> {
        let answer = wire.ok(&format!("{data} \"\" *"));
        answer.data(data).iter().map(|values| values[2].text()).collect()
    };
    // An account may begin with some mailboxes.
    let before = [list(&mut wire, "LIST"), list(&mut wire, "LSUB")].concat();
    let list = |wire: &mut Wire, data: &str| -> Vec<String> {
        let mut names = list(wire, data);
        names.retain(|name| !before.contains(name));
        names.sort();
        names
    };
    for name in NAMES {
        wire.ok(&format!("CREATE {}", quoted_modified_utf7(name)));
        wire.ok(&format!("SUBSCRIBE {}", quoted_modified_utf7(name)));
    }
    let mut expected: Vec<String> = NAMES.iter().map(|name| modified_utf7(name)).collect();
    expected.sort();
    assert_eq!(list(&mut wire, "LSUB"), expected);
    expected.extend(["nested".to_owned(), modified_utf7("nested/日本")]);
    expected.sort();
    assert_eq!(list(&mut wire, "LIST"), expected);

    for name in NAMES {
        let quoted = quoted_modified_utf7(name);
        assert_eq!(wire.append(&quoted, name.as_bytes()).kind, "OK");
        let status = wire.ok(&format!("STATUS {quoted} (MESSAGES)"));
        let data = status.data("STATUS")[0];
        assert_eq!(data[0].text(), modified_utf7(name));
        assert_eq!(value_of(data[1].list(), "MESSAGES").unwrap().number(), 1);
        let renamed = quoted_modified_utf7(&format!("{name} (moved)"));
        wire.ok(&format!("RENAME {quoted} {renamed}"));
        wire.ok(&format!("EXAMINE {renamed}"));
        let body = wire.ok("FETCH 1 (BODY.PEEK[])");
        assert_eq!(value_of(body.fetched()[0].1, "BODY[]").unwrap().bytes(), name.as_bytes());
        wire.ok("CLOSE");
        wire.ok(&format!("DELETE {renamed}"));
    }
    assert!(list(&mut wire, "LIST").iter().all(|name| name.starts_with("nested")));
}

#[test]
fn a_client_that_enables_utf8_shares_names_with_one_that_does_not() {
    if Server::is_stand_in() {
        return; // Dovecot 2.3 has no UTF8=ACCEPT and no IMAP4rev2.
    }
    let server = Server::start();
    let (mut old, mut new) = (Wire::logged_in(&server), Wire::logged_in(&server));
    new.ok("ENABLE IMAP4rev2 UTF8=ACCEPT");
    for name in NAMES.iter().filter(|name| !name.contains('&')) {
        new.ok(&format!("CREATE {}", quoted(name)));
        let listed = old.ok(&format!("LIST \"\" {}", quoted_modified_utf7(name)));
        assert_eq!(listed.data("LIST")[0][2].text(), modified_utf7(name));
        let listed = new.ok(&format!("LIST \"\" {}", quoted(name)));
        assert_eq!(listed.data("LIST")[0][2].text(), *name);
    }
}
