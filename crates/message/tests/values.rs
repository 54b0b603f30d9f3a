//! Header values, encoded words, charsets, transfer encodings and folding.

use message::{CHARSETS, Decoder, charset_decode, fold, header_fields, header_values};
use proptest::prelude::*;

#[test]
fn header_fields_are_chosen_byte_for_byte() {
    let header = b"From: a\r\nTO : b,\r\n\tc\r\nX-Two: 1\nno field\r\nx-two: 2\r\n\r\n";
    let chosen = |names: &[&[u8]], not| String::from_utf8(header_fields(header, names, not)).expect("ASCII");
    assert_eq!(chosen(&[b"to"], false), "TO : b,\r\n\tc\r\n\r\n");
    assert_eq!(chosen(&[b"X-TWO", b"from", b"absent"], false), "From: a\r\nX-Two: 1\nx-two: 2\r\n\r\n");
    assert_eq!(chosen(&[b"x-two", b"To"], true), "From: a\r\nno field\r\n\r\n");
    assert_eq!(chosen(&[], false), "\r\n");
    assert_eq!(chosen(&[], true).as_bytes(), header);
    // "except in the case of a message that has no body and no blank line" (RFC 9051 section 6.4.5.1)
    assert_eq!(header_fields(b"A: b", &[b"a"], false), b"A: b");
    assert_eq!(header_fields(b"A: b\nC: d\n\nbody", &[b"c"], false), b"C: d\n\n");
}

#[test]
fn header_values_are_decoded() {
    let header = b"Subject: one\r\nX: =?utf-8?q?=C3=A4?=\r\n =?utf-8?q?b?= c\r\nx: \xe4 raw\r\nX-Other: no\r\n\r\nX: body\r\n";
    assert_eq!(header_values(header, b"X"), ["\u{e4}b c", "\u{e4} raw"]);
    assert_eq!(header_values(header, b""), [""; 0]);
}

fn decoded(value: &str) -> String {
    header_values(format!("S: {value}\r\n\r\n").as_bytes(), b"s").concat()
}

#[test]
fn encoded_words_of_rfc_2047_section_8() {
    assert_eq!(decoded("=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>"), "Keith Moore <moore@cs.utk.edu>");
    assert_eq!(
        decoded("=?ISO-8859-1?Q?Patrik_F=E4ltstr=F6m?= <paf@nada.kth.se>"),
        "Patrik Fältström <paf@nada.kth.se>"
    );
    assert_eq!(
        decoded(
            "=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\r\n =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?="
        ),
        "If you can read this you understand the example."
    );
    assert_eq!(
        decoded("Nathaniel Borenstein <nsb@thumper.bellcore.com> (=?iso-8859-8?b?7eXs+SDv4SDp7Oj08A==?=)"),
        "Nathaniel Borenstein <nsb@thumper.bellcore.com> (םולש ןב ילטפנ)"
    );
    for (written, shown) in [
        ("(=?ISO-8859-1?Q?a?=)", "(a)"),
        ("(=?ISO-8859-1?Q?a?= b)", "(a b)"),
        ("(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)"),
        ("(=?ISO-8859-1?Q?a?=  \r\n\t=?ISO-8859-1?Q?b?=)", "(ab)"),
        ("(=?ISO-8859-1?Q?a_b?=)", "(a b)"),
        ("(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)"),
    ] {
        assert_eq!(decoded(written), shown);
    }
    // RFC 2231 section 5.
    assert_eq!(decoded("=?US-ASCII*EN?Q?Keith_Moore?="), "Keith Moore");
}

#[test]
fn encoded_words_as_they_are_written() {
    // A character split between two words.
    assert_eq!(decoded("=?utf-8?b?4oI=?= =?UTF-8?b?rA==?="), "€");
    assert_eq!(decoded("=?utf-8?q?=E2=82?==?utf-8?q?=AC?="), "€");
    assert_eq!(decoded("\"=?utf-8?q?in quotes?=\" <a@x>"), "\"in quotes\" <a@x>");
    assert_eq!(decoded("x=?utf-8?q?y?=z"), "xyz");
    assert_eq!(decoded("=?utf-7?Q?+AOQ-?="), "ä");
    assert_eq!(decoded("=?utf-7?Q?1_+-_1_=3D_+2DzfBg-,_+AGEAYg?="), "1 + 1 = 🌆, ab");
    assert_eq!(decoded("=?utf-7?Q?+2Dw-x+2DzYPN8G-?="), "\u{fffd}x\u{fffd}🌆");
    assert_eq!(decoded("=?iso-2022-jp?B?GyRCRnxLXBsoQg==?="), "日本");
    assert_eq!(decoded("=?iso-2022-jp?B?GyRCRnwbKEI=?= =?iso-2022-jp?B?GyRCS1wbKEI=?="), "日本");
    assert_eq!(decoded("=?unknown-8bit?q?=E4_=C3=A4?="), "ä ä");
    // Nothing can make a second line of it.
    assert_eq!(decoded("=?utf-8?q?a=0D=0ABcc:_b=00?="), "a  Bcc: b ");
    // What is no encoded word stays as it is.
    for plain in [
        "=?",
        "=?utf-8?",
        "=?utf-8?x?a?=",
        "=?utf-8?q?a",
        "=?utf-8?q?a?",
        "=??q?a?=",
        "=?utf 8?q?a?=",
        "a=?=?=?b",
    ] {
        assert_eq!(decoded(plain), plain);
    }
    assert_eq!(decoded("=?utf-8?q?=zz=4?="), "=zz=4");
    assert_eq!(decoded("=?utf-8?b?YQ!==?="), "a");
}

#[test]
fn search_strings_are_decoded_or_refused() {
    assert_eq!(charset_decode("us-ascii", b"abc"), Some(Ok("abc".into())));
    assert!(matches!(charset_decode("US-ASCII", b"\xe4"), Some(Err(_))));
    assert_eq!(charset_decode("utf-8", "ä".as_bytes()), Some(Ok("ä".into())));
    assert!(matches!(charset_decode("UTF-8", b"\xe4"), Some(Err(_))));
    assert_eq!(charset_decode("iso-8859-1", b"\xe4"), Some(Ok("ä".into())));
    assert_eq!(charset_decode("Shift_JIS", b"\x93\xfa"), Some(Ok("日".into())));
    for unknown in ["", "x-unknown", "iso-2022-jp", "iso-2022-kr", "hz-gb-2312", "utf-16", "utf-7"] {
        assert_eq!(charset_decode(unknown, b"a"), None, "{unknown}");
    }
    for name in CHARSETS {
        assert_eq!(charset_decode(name, b"a"), Some(Ok("a".into())), "{name} is offered and must work");
    }
}

/// Decodes in one piece.
fn transfer(encoding: &[u8], octets: &[u8]) -> Option<Result<Vec<u8>, message::DecodeError>> {
    let mut decoder = Decoder::new(encoding)?;
    let mut decoded = Vec::new();
    Some(decoder.push(octets, &mut decoded).and_then(|()| decoder.finish(&mut decoded)).map(|()| decoded))
}

fn transferred(encoding: &str, octets: &str) -> Option<String> {
    let decoded = transfer(encoding.as_bytes(), octets.as_bytes()).expect("known encoding").ok()?;
    Some(String::from_utf8(decoded).expect("ASCII"))
}

#[test]
fn base64_is_decoded_or_refused() {
    let base64 = |octets: &str| transferred("Base64", octets);
    // RFC 4648 section 10.
    for (encoded, plain) in [
        ("", ""),
        ("Zg==", "f"),
        ("Zm8=", "fo"),
        ("Zm9v", "foo"),
        ("Zm9vYg==", "foob"),
        ("Zm9vYmE=", "fooba"),
    ] {
        assert_eq!(base64(encoded).as_deref(), Some(plain));
    }
    assert_eq!(base64("Zm\r\n9v \tYm\nE=\r\n\r\n").as_deref(), Some("fooba"));
    assert_eq!(base64("Zm9vYg").as_deref(), Some("foob"), "padding left out");
    for broken in ["Zm9v!", "Z", "Zm9vY", "=", "Z===", "Zg=", "Zg==Zg==", "Zm9v=", "Zg=x", "Zm8==", "Zm9v-_"]
    {
        assert_eq!(base64(broken), None, "{broken}");
    }
}

#[test]
fn quoted_printable_is_decoded_or_refused() {
    let quoted = |octets: &str| transferred(" quoted-printable ", octets);
    assert_eq!(quoted("a=3D=3d b").as_deref(), Some("a== b"));
    assert_eq!(quoted("soft=\r\nbreak=\nhere= \t\r\n.").as_deref(), Some("softbreakhere."));
    assert_eq!(quoted("trailing \t \r\nkept \r x").as_deref(), Some("trailing\r\nkept \r x"));
    assert_eq!(quoted("end=").as_deref(), Some("end"));
    assert_eq!(quoted("end \t").as_deref(), Some("end \t"));
    for broken in ["=zz", "=4", "=4z", "= x", "==", "=\rx"] {
        assert_eq!(quoted(broken), None, "{broken}");
    }
}

#[test]
fn other_encodings_are_identity_or_unknown() {
    for identity in ["", "7bit", "8BIT", "binary"] {
        assert_eq!(transferred(identity, "a=3D\r\n").as_deref(), Some("a=3D\r\n"));
    }
    for unknown in ["x-uuencode", "uuencode", "base-64", "utf-8"] {
        assert!(Decoder::new(unknown.as_bytes()).is_none(), "{unknown}");
    }
}

#[test]
fn folding_makes_cases_and_compositions_equal() {
    for (a, b) in [
        ("Straße", "STRASSE"),
        ("ǆ", "DŽ"),
        ("\u{e4}", "A\u{308}"),
        ("\u{212b}", "a\u{30a}"),
        ("Ὀδυσσεύς", "ὈΔΥΣΣΕΎΣ"),
        ("ПРИВЕТ", "привет"),
        ("ｆｕｌｌ", "full"),
        ("ﬁ", "FI"),
        ("ﾊﾟ", "パ"),
        ("한", "\u{1112}\u{1161}\u{11ab}"),
        ("a\u{323}\u{307}", "A\u{307}\u{323}"),
    ] {
        assert_eq!(fold(a), fold(b), "{a} {b}");
    }
    assert_eq!(fold("plain ASCII_1"), "PLAIN ASCII_1");
    assert_ne!(fold("日本"), fold("日木"));
    // The example of RFC 5051 section 2.
    assert_eq!(fold("\u{1c4}"), "DZ\u{30c}");
}

#[test]
fn a_fold_of_a_part_is_found_in_the_fold_of_the_whole() {
    let text = fold("Grüße aus Øresund, 東京 und Κέρκυρα!").into_owned();
    for part in ["GRÜSSE", "grüße", "øRESUND", "京", "κέρκυρα"] {
        assert!(text.contains(&*fold(part)), "{part}");
    }
}

proptest! {
    #[test]
    fn folding_twice_changes_nothing(text in "\\PC{0,40}") {
        let once = fold(&text).into_owned();
        prop_assert_eq!(fold(&once), once.as_str());
    }

    #[test]
    fn decoding_undoes_base64(octets in prop::collection::vec(any::<u8>(), 0..200), width in 1usize..80) {
        let lines: Vec<String> = base64(&octets).as_bytes().chunks(width).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
        prop_assert_eq!(transfer(b"base64", lines.join("\r\n").as_bytes()), Some(Ok(octets)));
    }

    #[test]
    fn pieces_do_not_show_in_what_a_decoder_makes(
        octets in "[ab=3D4fz \t\r\n]{0,60}",
        cut in 0usize..60,
        encoding in prop::sample::select(vec!["base64", "quoted-printable"]),
    ) {
        let cut = cut.min(octets.len());
        let mut decoder = Decoder::new(encoding.as_bytes()).expect("known");
        let mut decoded = Vec::new();
        let result = decoder
            .push(&octets.as_bytes()[..cut], &mut decoded)
            .and_then(|()| decoder.push(&octets.as_bytes()[cut..], &mut decoded))
            .and_then(|()| decoder.finish(&mut decoded))
            .map(|()| decoded);
        prop_assert_eq!(Some(result), transfer(encoding.as_bytes(), octets.as_bytes()));
    }

    #[test]
    fn chosen_and_not_chosen_fields_are_the_whole_header(header in "([A-C]:? ?x?\r?\n){0,8}", name in "[a-c]") {
        let lines = |octets: Vec<u8>| octets.split_inclusive(|&octet| octet == b'\n').filter(|line| *line != b"\n" && *line != b"\r\n").count();
        let names: &[&[u8]] = &[name.as_bytes()];
        let chosen = lines(header_fields(header.as_bytes(), names, false));
        let rest = lines(header_fields(header.as_bytes(), names, true));
        prop_assert_eq!(chosen + rest, lines(header.into_bytes()));
    }
}

fn base64(octets: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for group in octets.chunks(3) {
        let bits =
            group.iter().fold(0u32, |bits, &octet| bits << 8 | u32::from(octet)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * place)) as usize & 63];
            encoded.push(if place <= group.len() { char::from(digit) } else { '=' });
        }
    }
    encoded
}
