use super::*;

/// Heads and whole texts of all messages.
fn read(text: &[u8]) -> Vec<(Head, String)> {
    let mut mbox = Mbox::new(text);
    let mut messages = Vec::new();
    while let Some(mut head) = mbox.next().unwrap() {
        let mut whole = std::mem::take(&mut head.octets);
        Body(&mut mbox).read_to_end(&mut whole).unwrap();
        messages.push((head, String::from_utf8_lossy(&whole).into_owned()));
    }
    messages
}

fn texts(text: &[u8]) -> Vec<String> {
    read(text).into_iter().map(|(_, text)| text).collect()
}

const FROM: &str = "From a@b Tue Nov 14 22:13:20 2023\n";

#[test]
fn messages_are_parted_and_the_blank_line_before_a_separator_is_not_theirs() {
    let text = format!("{FROM}Subject: 1\n\none\n\n{FROM}Subject: 2\n\ntwo\n\n\n{FROM}Subject: 3\n\nthree");
    assert_eq!(
        texts(text.as_bytes()),
        ["Subject: 1\n\none\n", "Subject: 2\n\ntwo\n\n", "Subject: 3\n\nthree"]
    );
}

#[test]
fn the_date_of_the_separator_is_the_internal_date() {
    let messages = read(format!("{FROM}\nx\n").as_bytes());
    assert_eq!(messages[0].0.date, InternalDate { seconds: 1_700_000_000, zone_minutes: 0 });
}

#[test]
fn only_a_from_line_with_a_date_after_a_blank_line_parts() {
    let body = "Dear Ann,\nFrom a@b Tue Nov 14 22:13:20 2023\nno\n\nFrom here on it rained.\n";
    let text = format!("{FROM}S: 1\n\n{body}");
    assert_eq!(texts(text.as_bytes()), [format!("S: 1\n\n{body}")]);
}

#[test]
fn quoted_from_lines_lose_one_quote() {
    let text = format!("{FROM}S: 1\n\n>From x\n>>From y\n> From z\n>Fromage\n");
    assert_eq!(texts(text.as_bytes()), ["S: 1\n\nFrom x\n>From y\n> From z\n>Fromage\n"]);
}

#[test]
fn the_mailboxs_own_headers_become_flags_and_go() {
    let text = format!(
        "{FROM}X-IMAPbase: 1700000001 0000000042 $Label1 Junk\nSubject: s\nStatus: RO\nX-Status: AFTD\nX-UID: 7\n\
         X-Keywords: $Label1\n Junk\nContent-Length: 2\nTo: t\n\nx\n"
    );
    let (head, text) = read(text.as_bytes()).remove(0);
    assert_eq!(text, "Subject: s\nTo: t\n\nx\n");
    assert_eq!(head.state.flags.system, Flags(0b11111));
    assert_eq!(head.state.flags.keywords, ["$Label1"]);
    assert_eq!(head.state.uid, Uid::new(7));
    assert_eq!(head.state.base, Base { uid_validity: UidValidity::new(1_700_000_001), uid_next: 43 });
    assert!(!head.state.is_internal);
}

#[test]
fn the_same_names_in_a_body_stay() {
    let text = format!("{FROM}S: 1\n\nStatus: RO\nX-UID: 7\n");
    let (head, text) = read(text.as_bytes()).remove(0);
    assert_eq!(text, "S: 1\n\nStatus: RO\nX-UID: 7\n");
    assert_eq!(head.state.uid, None);
}

#[test]
fn uws_pseudo_message_is_told_apart() {
    let text =
        format!("{FROM}Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\nX-IMAP: 1 2\n\nx\n");
    assert!(read(text.as_bytes())[0].0.state.is_internal);
}

#[test]
fn a_message_that_is_not_read_to_its_end_does_not_spill_into_the_next() {
    let text = format!("{FROM}S: 1\n\n{}\n{FROM}S: 2\n\ntwo\n", "long line\n".repeat(100_000));
    let mut mbox = Mbox::new(text.as_bytes());
    assert!(mbox.next().unwrap().unwrap().octets.starts_with(b"S: 1"));
    assert!(mbox.next().unwrap().unwrap().octets.starts_with(b"S: 2"));
    assert!(mbox.next().unwrap().is_none());
}

#[test]
fn files_with_crlf_and_without_any_body_are_read() {
    let text =
        "From a@b Tue Nov 14 22:13:20 2023\r\nS: 1\r\n\r\nFrom a@b Tue Nov 14 22:13:20 2023\r\n\r\nx\r\n";
    assert_eq!(texts(text.as_bytes()), ["S: 1\r\n", "\r\nx\r\n"]);
    assert_eq!(texts(b"no mbox at all\n"), Vec::<String>::new());
    assert_eq!(texts(b""), Vec::<String>::new());
}

proptest::proptest! {
    #[test]
    fn whatever_is_written_as_mboxrd_comes_back(
        bodies in proptest::collection::vec("(>?From |>|From a@b Tue Nov 14 22:13:20 2023|[a-z ]{0,9}|\n){0,12}", 1..5),
    ) {
        let mut file = String::new();
        let mut want = Vec::new();
        for body in &bodies {
            let message = format!("Subject: s\n\n{body}\n");
            let quoted: String = message
                .split_inclusive('\n')
                .map(|line| if line.trim_start_matches('>').starts_with("From ") { format!(">{line}") } else { line.to_owned() })
                .collect();
            file += &format!("{FROM}{quoted}\n");
            want.push(message);
        }
        let got = texts(file.as_bytes());
        proptest::prop_assert_eq!(got, want);
    }

    #[test]
    fn no_file_makes_it_panic(octets in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
        let mut file = FROM.as_bytes().to_vec();
        file.extend(octets);
        read(&file);
    }
}
