//! The lexical pieces that address lists and MIME fields share: quoted strings and comments (RFC 5322 section 3.2).

/// Reads a quoted string whose `"` stands at the start of `octets`, appends its content without quoting to `content`, and
/// returns what follows. One that is never closed ends with the field.
pub(crate) fn quoted_string<'a>(octets: &'a [u8], content: &mut Vec<u8>) -> &'a [u8] {
    let mut rest = octets.get(1..).unwrap_or_default();
    loop {
        match rest {
            [] => return rest,
            [b'"', rest @ ..] => return rest,
            [b'\\', octet, after @ ..] => {
                content.push(*octet);
                rest = after;
            }
            [octet, after @ ..] => {
                content.push(*octet);
                rest = after;
            }
        }
    }
}

/// Reads a comment whose `(` stands at the start of `octets`, appends its text to `content` (comments within it keep their
/// parentheses), and returns what follows. The depth is a number, so that no nesting is too deep; a comment that is never
/// closed ends with the field.
pub(crate) fn comment<'a>(octets: &'a [u8], content: &mut Vec<u8>) -> &'a [u8] {
    let mut depth = 1usize;
    let mut rest = octets.get(1..).unwrap_or_default();
    loop {
        match rest {
            [] => return rest,
            [b')', after @ ..] if depth == 1 => return after,
            [b'\\', octet, after @ ..] => {
                content.push(*octet);
                rest = after;
                continue;
            }
            [b'(', ..] => depth += 1,
            [b')', ..] => depth -= 1,
            _ => {}
        }
        content.push(rest[0]);
        rest = &rest[1..];
    }
}

/// What follows the white space and comments at the start of `octets`.
pub(crate) fn skip_cfws<'a>(mut octets: &'a [u8], scratch: &mut Vec<u8>) -> &'a [u8] {
    loop {
        match octets {
            [b' ' | b'\t', rest @ ..] => octets = rest,
            [b'(', ..] => {
                scratch.clear();
                octets = comment(octets, scratch);
            }
            _ => return octets,
        }
    }
}
