use super::program::{ANN, PASSWORD, Place, text};

#[test]
fn accounts_are_managed_the_same_with_and_without_a_running_server() {
    let place = Place::with_ann();
    let server = place.serve("");
    place.add("Bob@Example.ORG", "bob's");
    assert_eq!(place.must(&["account", "list"]), "Bob@example.org\nann@example.org\n");
    assert!(place.fails(1, &["account", "add", ANN]).contains("exists already"));
    assert!(place.fails(1, &["account", "passwd", "carol@example.org"]).contains("no account"));
    server.connect().ok("LOGIN Bob@EXAMPLE.org bob's");
    drop(server);
    assert_eq!(place.must(&["account", "list"]), "Bob@example.org\nann@example.org\n");
    place.must(&["account", "remove", ANN, "--yes"]);
    assert_eq!(place.must(&["account", "list"]), "Bob@example.org\n");
}

#[test]
fn a_generated_password_is_shown_once_and_logs_in() {
    let place = Place::new();
    let told = place.must(&["account", "add", ANN]);
    let password = told.split_once("Password: ").unwrap().1.split(' ').next().unwrap().to_owned();
    let server = place.serve("");
    server.connect().ok(&format!("LOGIN ann {password}"));
    assert!(!server.log().contains(&password));
}

#[test]
fn a_new_password_ends_the_old_one_at_once_even_where_it_was_remembered() {
    let place = Place::with_ann();
    let server = place.serve("");
    server.ann();
    let output = place.run_with(&["account", "passwd", ANN, "--password-stdin"], "new one\nignored\n");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let answer = server.connect().tagged(&format!("LOGIN {ANN} \"{PASSWORD}\""));
    assert!(answer.starts_with("NO [AUTHENTICATIONFAILED]"), "{answer}");
    server.connect().ok(&format!("LOGIN {ANN} \"new one\""));
}

#[test]
fn unknown_name_and_wrong_password_are_answered_alike() {
    let place = Place::with_ann();
    let server = place.serve("");
    let answers = [ANN, "nobody@example.org", "nobody", "a@b@c", "\"\""]
        .map(|name| server.connect().tagged(&format!("LOGIN {name} wrong")));
    assert!(answers[0].starts_with("NO [AUTHENTICATIONFAILED]"), "{answers:?}");
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    let log = server.log();
    assert!(!log.contains("wrong") && !log.contains("nobody"), "{log}");
}

#[test]
fn nobody_acts_for_another() {
    let place = Place::with_ann();
    place.add("bob@example.org", "bob");
    let server = place.serve("");
    let plain = |authorization: &str| {
        let message = format!("{authorization}\0{ANN}\0{PASSWORD}");
        let mut client = server.connect();
        client.tagged(&format!("AUTHENTICATE PLAIN {}", base64(message.as_bytes())))
    };
    assert!(plain("").starts_with("OK"));
    assert!(plain("ann@EXAMPLE.org").starts_with("OK"));
    assert!(plain("bob@example.org").starts_with("NO [AUTHORIZATIONFAILED]"));
}

#[test]
fn bad_input_is_refused_with_a_reason() {
    let place = Place::new();
    for name in ["ann", "ann@", "@example.org", "a b@example.org", "ann@example..org"] {
        assert!(place.fails(1, &["account", "add", name]).contains("account's name"), "{name}");
    }
    assert!(place.fails(1, &["account", "add", ANN, "--password-stdin"]).contains("no password"));
    assert!(place.fails(1, &["account", "remove", ANN]).contains("--yes"));
    assert_eq!(place.must(&["account", "list"]), "");
}

fn base64(octets: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |three: &[u8]| {
        let bits =
            three.iter().fold(0u32, |bits, &octet| bits << 8 | u32::from(octet)) << (8 * (3 - three.len()));
        let letter = |n: usize| {
            if n <= three.len() { char::from(LETTERS[(bits >> (18 - 6 * n) & 63) as usize]) } else { '=' }
        };
        [letter(0), letter(1), letter(2), letter(3)]
    };
    octets.chunks(3).flat_map(group).collect()
}
