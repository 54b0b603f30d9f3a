//! Line ends: files keep LF, IMAP wants CRLF.

/// Turns every LF that no CR precedes into CRLF and leaves everything else alone, piece by piece. It is what Dovecot and
/// Courier show of a Maildir, so sizes and offsets that clients remember stay true.
#[derive(Debug, Default)]
pub struct ToCrlf {
    after_cr: bool,
}

impl ToCrlf {
    /// Appends the converted piece to `out`.
    pub fn convert(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        let mut rest = piece;
        while let Some(at) = rest.iter().position(|&octet| octet == b'\n') {
            let (line, after) = rest.split_at(at);
            out.extend_from_slice(line);
            let after_cr = line.last().map_or(self.after_cr, |&last| last == b'\r');
            out.extend_from_slice(if after_cr { b"\n" } else { b"\r\n" });
            self.after_cr = false;
            rest = &after[1..];
        }
        out.extend_from_slice(rest);
        if let Some(&last) = rest.last() {
            self.after_cr = last == b'\r';
        }
    }
}

/// The way back: CRLF becomes LF. A lone CR or LF cannot come back the same, so it is reported.
#[derive(Debug, Default)]
pub struct ToLf {
    after_cr: bool,
    /// A CR or LF stood alone: the text must be kept as it is instead.
    pub lossy: bool,
}

impl ToLf {
    /// Appends the converted piece to `out`.
    pub fn convert(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        for &octet in piece {
            match (self.after_cr, octet) {
                (true, b'\n') => out.push(b'\n'),
                (true, _) | (false, b'\n') => {
                    self.lossy = true;
                    return;
                }
                (false, b'\r') => {}
                (false, octet) => out.push(octet),
            }
            self.after_cr = octet == b'\r';
        }
    }

    /// Nothing more comes.
    pub fn finish(&mut self) {
        self.lossy |= self.after_cr;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to_crlf(pieces: &[&[u8]]) -> Vec<u8> {
        let (mut convert, mut out) = (ToCrlf::default(), Vec::new());
        pieces.iter().for_each(|piece| convert.convert(piece, &mut out));
        out
    }

    #[test]
    fn only_lone_line_feeds_change() {
        assert_eq!(to_crlf(&[b"a\nb\r\nc\n\n"]), b"a\r\nb\r\nc\r\n\r\n");
        assert_eq!(to_crlf(&[b"a\r", b"\nb"]), b"a\r\nb", "a CRLF cut in two");
        assert_eq!(to_crlf(&[b"a", b"\n", b"\n", b""]), b"a\r\n\r\n");
        assert_eq!(to_crlf(&[b"a\rb\r"]), b"a\rb\r", "a lone CR is not a line end");
    }

    proptest::proptest! {
        #[test]
        fn cutting_changes_nothing_and_twice_is_once(text in "[a\r\n]{0,40}", cut in 0usize..40) {
            let (text, cut) = (text.as_bytes(), cut.min(text.len()));
            let whole = to_crlf(&[text]);
            proptest::prop_assert_eq!(&to_crlf(&[&text[..cut], &text[cut..]]), &whole);
            proptest::prop_assert_eq!(&to_crlf(&[&whole]), &whole);
        }

        #[test]
        fn what_goes_out_without_loss_comes_back_the_same(text in "[a\r\n]{0,40}") {
            let (mut convert, mut out) = (ToLf::default(), Vec::new());
            convert.convert(text.as_bytes(), &mut out);
            convert.finish();
            if !convert.lossy {
                proptest::prop_assert_eq!(to_crlf(&[&out]), text.as_bytes());
            }
            proptest::prop_assert_eq!(convert.lossy, to_crlf(&[text.as_bytes()]) != text.as_bytes()
                || text.replace("\r\n", "").contains('\r'));
        }
    }
}
