use super::*;

fn line(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn conditions_carry_tag_code_and_text() {
    assert_eq!(line(|out| tagged_ok(out, "a1", Some(&Code::ReadOnly), "Done")), "a1 OK [READ-ONLY] Done\r\n");
    assert_eq!(line(|out| tagged_no(out, "a1", None, "No")), "a1 NO No\r\n");
    assert_eq!(line(|out| tagged_bad(out, "a1", None, "Bad")), "a1 BAD Bad\r\n");
    assert_eq!(line(|out| untagged_ok(out, None, "Hello")), "* OK Hello\r\n");
    assert_eq!(line(|out| untagged_bad(out, "What?")), "* BAD What?\r\n");
    assert_eq!(line(|out| bye(out, Some(&Code::Unavailable), "Later")), "* BYE [UNAVAILABLE] Later\r\n");
}

#[test]
fn continuation_may_be_empty() {
    assert_eq!(line(|out| continuation(out, "")), "+ \r\n");
    assert_eq!(line(|out| continuation(out, "idling")), "+ idling\r\n");
}

#[test]
fn text_is_one_line_of_ascii() {
    let forged = line(|out| tagged_no(out, "a", None, "No \u{e4}\0\r\n* BYE fake\u{2028}\x7f"));
    assert_eq!(forged, "a NO No ????* BYE fake??\r\n");
}

#[test]
fn text_is_never_empty_and_never_a_code() {
    assert_eq!(line(|out| tagged_ok(out, "a", None, "")), "a OK OK\r\n");
    assert_eq!(line(|out| tagged_ok(out, "a", None, "[ALERT] x")), "a OK (ALERT] x\r\n");
    assert_eq!(line(|out| tagged_ok(out, "a", Some(&Code::Limit), "[x]")), "a OK [LIMIT] [x]\r\n");
}
