//! Status responses: OK, NO, BAD, BYE, PREAUTH, and the `+` that asks to go on (RFC 9051 7.1, 7.5).

use super::Code;
use crate::wire::Writer;

/// `tag OK`
pub(crate) fn tagged_ok(output: &mut Vec<u8>, tag: &str, code: Option<&Code<'_>>, text: &str) {
    line(output, tag, "OK", code, text);
}

/// `tag NO`
pub(crate) fn tagged_no(output: &mut Vec<u8>, tag: &str, code: Option<&Code<'_>>, text: &str) {
    line(output, tag, "NO", code, text);
}

/// `tag BAD`
pub(crate) fn tagged_bad(output: &mut Vec<u8>, tag: &str, code: Option<&Code<'_>>, text: &str) {
    line(output, tag, "BAD", code, text);
}

/// `* OK`
pub(crate) fn untagged_ok(output: &mut Vec<u8>, code: Option<&Code<'_>>, text: &str) {
    line(output, "*", "OK", code, text);
}

/// `* BAD`: an error that belongs to no tag.
pub(crate) fn untagged_bad(output: &mut Vec<u8>, text: &str) {
    line(output, "*", "BAD", None, text);
}

/// `* BYE`: the connection is about to close.
pub(crate) fn bye(output: &mut Vec<u8>, code: Option<&Code<'_>>, text: &str) {
    line(output, "*", "BYE", code, text);
}

/// `+`: the client may go on. The text of a SASL challenge is base64 and may be empty (RFC 9051 6.2.2).
pub(crate) fn continuation(output: &mut Vec<u8>, text: &str) {
    output.extend_from_slice(b"+ ");
    push_text(output, text);
    output.extend_from_slice(b"\r\n");
}

fn line(output: &mut Vec<u8>, tag: &str, condition: &str, code: Option<&Code<'_>>, text: &str) {
    output.extend_from_slice(tag.as_bytes());
    output.push(b' ');
    output.extend_from_slice(condition.as_bytes());
    output.push(b' ');
    // RFC 9051 section 9: `text` is at least one character.
    let mut text = if text.is_empty() { condition } else { text };
    if let Some(code) = code {
        output.push(b'[');
        code.write(&mut Writer::new(output, false));
        output.extend_from_slice(b"] ");
    } else if let Some(rest) = text.strip_prefix('[') {
        // Else the text would be read as a response code.
        output.push(b'(');
        text = rest;
    }
    push_text(output, text);
    output.extend_from_slice(b"\r\n");
}

/// Appends text for a person: one line of ASCII whatever it was given, since only ASCII is allowed in every mode
/// (RFC 9755 section 3) and a line break would forge a response.
fn push_text(output: &mut Vec<u8>, text: &str) {
    output.extend(
        text.chars().map(|character| if matches!(character, ' '..='~') { character as u8 } else { b'?' }),
    );
}

#[cfg(test)]
mod tests;
