//! A Rust source file as the checks see it: what is code, what is comment, what is text, what is test.
//!
//! This is no parser. It knows exactly as much of the language as it takes never to mistake a string or a comment for
//! code: string, raw string, byte and character literals, lifetimes, nested comments. Every view has the length of the
//! file, with blanks for what is left out, so that an offset means the same place in all of them.

use std::ops::Range;

/// One source file.
pub struct Source {
    /// From the repository's root, with `/`.
    pub path: String,
    /// As it is on disk.
    pub text: String,
    /// Comments and the insides of literals blanked.
    code: String,
    /// Everything but comments blanked.
    comments: String,
    /// Where string literals are, quotes included.
    strings: Vec<Range<usize>>,
    /// Items under `#[cfg(test)]`, attributes included.
    tests: Vec<Range<usize>>,
}

impl Source {
    /// Reads a file's text.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let (path, text) = (path.into(), text.into());
        let mut lexer = Lexer::new(&text);
        lexer.run();
        let (code, comments, strings) = (view(lexer.code), view(lexer.comments), lexer.strings);
        let tests = test_items(&code);
        Self { path, text, code, comments, strings, tests }
    }

    /// Whether all of the file is test code, by its path: `tests.rs`, or anywhere below a folder `tests`.
    pub fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/") || self.path.contains("/benches/")
    }

    /// Whether it becomes part of a program or library that is shipped, rather than of an example or a test.
    pub fn is_shipped(&self) -> bool {
        !self.is_test() && self.path.contains("/src/")
    }

    /// Code outside of tests; empty for a test file.
    pub fn production(&self) -> String {
        if self.is_test() {
            return String::new();
        }
        let mut code = self.code.clone().into_bytes();
        for range in &self.tests {
            blank(&mut code[range.clone()]);
        }
        view(code)
    }

    /// All code, tests included.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// All comments, doc comments included.
    pub fn comments(&self) -> &str {
        &self.comments
    }

    /// String literals outside of tests: offset and text, quotes included.
    pub fn strings(&self) -> impl Iterator<Item = (usize, &str)> {
        let outside = |place: &&Range<usize>| !self.tests.iter().any(|test| test.contains(&place.start));
        self.strings.iter().filter(outside).map(|place| (place.start, &self.text[place.clone()]))
    }

    /// Lines of code outside of tests, without comments and empty lines.
    pub fn code_lines(&self) -> usize {
        filled(&self.production())
    }

    /// The same of tests.
    pub fn test_lines(&self) -> usize {
        filled(&self.code) - self.code_lines()
    }

    /// Number of the line, from 1, that an offset is in.
    pub fn line(&self, offset: usize) -> usize {
        self.text.as_bytes()[..offset].iter().filter(|&&byte| byte == b'\n').count() + 1
    }

    /// Lines of the file that are not inside an item under `#[cfg(test)]`.
    pub fn lines_without_tests(&self) -> usize {
        let inside: usize = self.tests.iter().map(|range| self.text[range.clone()].lines().count()).sum();
        self.text.lines().count() - inside
    }
}

/// Offsets at which `word` stands in `code` and is not part of a longer name.
pub fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let joins = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let bytes = code.as_bytes();
    code.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        let before = word.starts_with(|first: char| first.is_alphanumeric())
            && joins(at.checked_sub(1).and_then(|at| bytes.get(at)));
        let after = word.ends_with(|last: char| last.is_alphanumeric()) && joins(bytes.get(at + word.len()));
        !before && !after
    })
}

/// The name that begins at or after the white space at `offset`; empty when there is none.
pub fn name_at(code: &str, offset: usize) -> &str {
    let rest = code[offset..].trim_start();
    let end =
        rest.find(|character: char| !character.is_alphanumeric() && character != '_').unwrap_or(rest.len());
    &rest[..end]
}

/// From `open` (an opening bracket) to just behind the bracket that closes it, or to the end of a broken file.
pub fn bracketed(code: &str, open: usize) -> Range<usize> {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 {
            return open..at + 1;
        }
    }
    open..code.len()
}

/// From `start` to the end of the item that begins there: its `;` or its closing brace.
pub fn item(code: &str, start: usize) -> Range<usize> {
    let bytes = code.as_bytes();
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b';' => return start..at + 1,
            b'{' => return start..bracketed(code, at).end,
            b'(' | b'[' => at = bracketed(code, at).end,
            _ => at += 1,
        }
    }
    start..code.len()
}

fn filled(code: &str) -> usize {
    code.lines().filter(|line| !line.trim().is_empty()).count()
}

fn test_items(code: &str) -> Vec<Range<usize>> {
    let mut items: Vec<Range<usize>> = Vec::new();
    for (start, attribute) in code.match_indices("#[cfg(test)]") {
        if items.last().is_some_and(|last| last.contains(&start)) {
            continue;
        }
        let mut at = start + attribute.len();
        // Further attributes belong to the same item.
        while code[at..].trim_start().starts_with("#[") {
            let open = at + code[at..].find('[').unwrap_or(0);
            at = bracketed(code, open).end;
        }
        items.push(start..item(code, at).end);
    }
    items
}

fn blank(bytes: &mut [u8]) {
    for byte in bytes.iter_mut().filter(|byte| **byte != b'\n') {
        *byte = b' ';
    }
}

/// Blanking works on whole tokens, so what is left is always whole characters.
fn view(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

struct Lexer<'a> {
    source: &'a str,
    text: &'a [u8],
    at: usize,
    code: Vec<u8>,
    comments: Vec<u8>,
    strings: Vec<Range<usize>>,
}

impl<'a> Lexer<'a> {
    fn new(text: &'a str) -> Self {
        let mut comments = text.as_bytes().to_vec();
        blank(&mut comments);
        let code = text.as_bytes().to_vec();
        Self { source: text, text: text.as_bytes(), at: 0, code, comments, strings: Vec::new() }
    }

    fn run(&mut self) {
        while let Some(&byte) = self.text.get(self.at) {
            let start = self.at;
            match byte {
                b'/' if self.peek(1) == Some(b'/') => {
                    self.skip_while(|byte| byte != b'\n');
                    self.comment(start);
                }
                b'/' if self.peek(1) == Some(b'*') => {
                    self.block_comment();
                    self.comment(start);
                }
                b'"' => self.string(start),
                b'\'' => self.quote(),
                b'_' | b'a'..=b'z' | b'A'..=b'Z' => self.word(),
                _ => self.at += 1,
            }
        }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    fn skip_while(&mut self, also: impl Fn(u8) -> bool) {
        while self.peek(0).is_some_and(&also) {
            self.at += 1;
        }
    }

    fn comment(&mut self, start: usize) {
        self.comments[start..self.at].copy_from_slice(&self.text[start..self.at]);
        blank(&mut self.code[start..self.at]);
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek(0) {
            match (byte, self.peek(1)) {
                (b'/', Some(b'*')) => (depth, self.at) = (depth + 1, self.at + 2),
                (b'*', Some(b'/')) => (depth, self.at) = (depth - 1, self.at + 2),
                _ => self.at += 1,
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// A name, or the prefix of a literal: `r"`, `r#"`, `b"`, `br#"`, `c"`, `b'`.
    fn word(&mut self) {
        let start = self.at;
        self.skip_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80);
        match &self.text[start..self.at] {
            b"r" | b"br" | b"cr" => self.raw_string(start),
            b"b" | b"c" if self.peek(0) == Some(b'"') => self.string(start),
            b"b" if self.peek(0) == Some(b'\'') => self.quote(),
            _ => {}
        }
    }

    fn string(&mut self, start: usize) {
        self.at += 1;
        while let Some(byte) = self.peek(0) {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                break;
            }
        }
        self.literal(start);
    }

    fn raw_string(&mut self, start: usize) {
        let behind_name = self.at;
        self.skip_while(|byte| byte == b'#');
        let hashes = self.at - behind_name;
        if self.peek(0) != Some(b'"') {
            return; // a raw name such as r#type, or plainly the name r
        }
        let end = [b"\"".as_slice(), &b"#".repeat(hashes)].concat();
        self.at += 1;
        while self.at < self.text.len() && !self.text[self.at..].starts_with(&end) {
            self.at += 1;
        }
        self.at += end.len();
        self.literal(start);
    }

    fn literal(&mut self, start: usize) {
        self.at = self.at.min(self.text.len());
        blank(&mut self.code[start..self.at]);
        // The quotes stay, so that a literal is still something between two commas.
        self.code[start] = b'"';
        self.code[self.at - 1] = b'"';
        self.strings.push(start..self.at);
    }

    /// A character literal, or a lifetime, which has no closing quote.
    fn quote(&mut self) {
        let start = self.at;
        let length = match self.source[start + 1..].chars().next() {
            // The character behind the backslash is part of it, even if it is a quote.
            Some('\\') => {
                let rest = self.text.get(start + 3..).unwrap_or_default();
                rest.iter().position(|&byte| byte == b'\'').map(|at| at + 4)
            }
            Some(character) => {
                let close = start + 1 + character.len_utf8();
                (self.text.get(close) == Some(&b'\'')).then_some(close + 1 - start)
            }
            None => None,
        };
        self.at += length.unwrap_or(1);
        if length.is_some() {
            blank(&mut self.code[start..self.at]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        Source::new("crates/x/src/x.rs", text).code().to_owned()
    }

    #[test]
    fn strings_and_comments_are_not_code() {
        assert_eq!(code("a // fn b\nc"), "a        \nc");
        assert_eq!(code("a /* x /* y */ z */ b"), "a                   b");
        assert_eq!(code(r#"a("todo!(\"") b"#), r#"a("        ") b"#);
        assert_eq!(code(r###"a(r#"x"y"#) b"###), r#"a("      ") b"#);
        assert_eq!(code(r#"(b"x", c"y", br"z")"#), r#"("  ", "  ", "   ")"#);
        assert_eq!(code("r#type"), "r#type");
    }

    #[test]
    fn a_lifetime_is_not_an_open_character_literal() {
        assert_eq!(code("fn f<'a>(x: &'a str) -> char { '\"' }"), "fn f<'a>(x: &'a str) -> char {     }");
        assert_eq!(code(r"('\'', '\u{1F6}', 'é', b'\\') x"), "(    ,          ,     , b    ) x");
    }

    #[test]
    fn an_unfinished_file_is_read_to_its_end() {
        for text in
            ["\"abc", "r##\"abc\"#", "/* a /* b */", "'", "'\\", "b'", "\"\\", "fn x() {", "#[cfg(test)]"]
        {
            assert_eq!(code(text).len(), text.len(), "{text}");
        }
    }

    #[test]
    fn items_under_a_test_cfg_are_left_out() {
        let text = "fn a() {}\n#[cfg(test)]\n#[expect(x)]\nmod tests {\n  fn b() { if x { } }\n}\nfn c() {}\n#[cfg(test)]\nmod d;\n";
        let source = Source::new("crates/x/src/x.rs", text);
        let production = source.production();
        assert!(production.contains("fn a()") && production.contains("fn c()"));
        assert!(!production.contains("fn b()") && !production.contains("mod d"));
        assert_eq!(source.lines_without_tests(), 2);
    }

    #[test]
    fn a_word_is_whole() {
        assert_eq!(words("fn afn fn_ fn", "fn").collect::<Vec<_>>(), [0, 11]);
        assert_eq!(words("x.unwrap() y.unwrap_or()", ".unwrap()").collect::<Vec<_>>(), [1]);
    }
}
