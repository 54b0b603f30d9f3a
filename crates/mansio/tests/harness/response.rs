//! Reading a server's responses (RFC 9051, section 7) strictly enough to notice a malformed one.

/// One response line with the literals in it.
#[derive(Debug, Clone, PartialEq)]
pub enum Response {
    /// `* OK`, `a1 NO` and so on; untagged when there is no tag.
    Status { tag: Option<String>, kind: String, code: Vec<Value>, text: String },
    /// `+ ...`: the server waits for more.
    Continue(String),
    /// `* 5 EXISTS`, `* 3 FETCH (...)`.
    Numbered { number: u32, name: String, values: Vec<Value> },
    /// Everything else that is untagged: `* LIST ...`, `* VANISHED (EARLIER) 3:7`.
    Data { name: String, values: Vec<Value> },
}

/// A token of a response.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// An atom as it stands, section and partial included: `BODY[1.2]<0>`.
    Atom(String),
    /// A quoted string or a literal.
    Bytes(Vec<u8>),
    List(Vec<Value>),
    Nil,
}

impl Value {
    /// The text of an atom or a string.
    pub fn text(&self) -> String {
        match self {
            Value::Atom(atom) => atom.clone(),
            Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            other => panic!("{other:?} is no text"),
        }
    }

    pub fn number(&self) -> u64 {
        self.text().parse().unwrap_or_else(|_| panic!("{self:?} is no number"))
    }

    pub fn list(&self) -> &[Value] {
        match self {
            Value::List(list) => list,
            other => panic!("{other:?} is no list"),
        }
    }

    pub fn bytes(&self) -> &[u8] {
        match self {
            Value::Bytes(bytes) => bytes,
            other => panic!("{other:?} is no string"),
        }
    }
}

/// The value that follows `name` in a list of pairs, as in the data of FETCH and STATUS.
pub fn value_of<'a>(pairs: &'a [Value], name: &str) -> Option<&'a Value> {
    pairs
        .chunks(2)
        .find(|pair| matches!(&pair[0], Value::Atom(atom) if atom.eq_ignore_ascii_case(name)))?
        .get(1)
}

/// Parses one whole response; panics, with the line, where a server broke the grammar.
pub fn parse(line: &[u8]) -> Response {
    let Some(content) = line.strip_suffix(b"\r\n") else { panic!("no CRLF at the end of {}", shown(line)) };
    let mut reader = Reader { input: content, at: 0 };
    if content.starts_with(b"+ ") || content == b"+" {
        return Response::Continue(shown(&content[1..]).trim_start().to_owned());
    }
    let first = reader.word();
    reader.space();
    let second = reader.word().to_ascii_uppercase();
    if matches!(second.as_str(), "OK" | "NO" | "BAD" | "BYE" | "PREAUTH") {
        reader.space();
        let tag = (first != "*").then_some(first);
        let code = if reader.peek() == Some(b'[') { reader.response_code() } else { Vec::new() };
        let text = shown(&reader.input[reader.at..]).trim_start().to_owned();
        return Response::Status { tag, kind: second, code, text };
    }
    assert_eq!(first, "*", "neither untagged nor a status: {}", shown(line));
    if let Ok(number) = second.parse() {
        reader.space();
        let name = reader.word().to_ascii_uppercase();
        return Response::Numbered { number, name, values: reader.rest() };
    }
    Response::Data { name: second, values: reader.rest() }
}

/// The size of the literal that the line announces at its end, if it does.
pub fn announced_literal(line: &[u8]) -> Option<usize> {
    let digits = line.strip_suffix(b"}\r\n")?;
    let open = digits.iter().rposition(|&byte| byte == b'{')?;
    std::str::from_utf8(&digits[open + 1..]).ok()?.parse().ok()
}

/// The numbers of a sequence set without `*`.
pub fn numbers(set: &str) -> Vec<u32> {
    let number = |text: &str| text.parse::<u32>().unwrap_or_else(|_| panic!("{set:?} is no set"));
    set.split(',')
        .flat_map(|part| match part.split_once(':') {
            Some((a, b)) => number(a).min(number(b))..=number(a).max(number(b)),
            None => number(part)..=number(part),
        })
        .collect()
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(2000)]).into_owned()
}

struct Reader<'a> {
    input: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.input.get(self.at).copied()
    }

    fn fail(&self, what: &str) -> ! {
        panic!("{what} at byte {} of {}", self.at, shown(self.input))
    }

    fn space(&mut self) {
        if self.peek() != Some(b' ') {
            self.fail("no space");
        }
        self.at += 1;
    }

    fn word(&mut self) -> String {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte != b' ') {
            self.at += 1;
        }
        shown(&self.input[start..self.at])
    }

    fn rest(&mut self) -> Vec<Value> {
        let mut values = Vec::new();
        while self.peek().is_some() {
            self.space();
            values.push(self.value());
        }
        values
    }

    fn response_code(&mut self) -> Vec<Value> {
        self.at += 1;
        let mut values = vec![self.value()];
        while self.peek() == Some(b' ') {
            self.at += 1;
            values.push(self.value());
        }
        if self.peek() != Some(b']') {
            self.fail("no end of the response code");
        }
        self.at += 1;
        values
    }

    fn value(&mut self) -> Value {
        match self.peek() {
            Some(b'(') => self.list(),
            Some(b'"') => self.quoted(),
            Some(b'{') => self.literal(),
            Some(b'~') if self.input.get(self.at + 1) == Some(&b'{') => {
                self.at += 1;
                self.literal()
            }
            Some(_) => self.atom(),
            None => self.fail("no value"),
        }
    }

    fn list(&mut self) -> Value {
        self.at += 1;
        let mut values = Vec::new();
        loop {
            match self.peek() {
                Some(b')') => break,
                Some(b' ') if !values.is_empty() => self.at += 1,
                // The bodies of a multipart follow each other without a space.
                Some(b'(') => {}
                _ if values.is_empty() => {}
                _ => self.fail("no space in a list"),
            }
            values.push(self.value());
        }
        self.at += 1;
        Value::List(values)
    }

    fn quoted(&mut self) -> Value {
        self.at += 1;
        let mut bytes = Vec::new();
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    self.at += 1;
                    bytes.extend(self.peek());
                }
                Some(b'\r' | b'\n' | 0) | None => self.fail("a quoted string that does not end"),
                Some(byte) => bytes.push(byte),
            }
            self.at += 1;
        }
        self.at += 1;
        Value::Bytes(bytes)
    }

    fn literal(&mut self) -> Value {
        let end =
            self.input[self.at..].iter().position(|&byte| byte == b'\n').unwrap_or_else(|| self.fail("{"));
        let announcement = &self.input[self.at..=self.at + end];
        let size = announced_literal(announcement).unwrap_or_else(|| self.fail("a bad literal"));
        let start = self.at + end + 1;
        self.at = start + size;
        Value::Bytes(self.input[start..self.at].to_vec())
    }

    fn atom(&mut self) -> Value {
        let start = self.at;
        let mut in_section = false;
        while let Some(byte) = self.peek() {
            match byte {
                b'[' => in_section = true,
                b']' if in_section => in_section = false,
                b' ' | b'(' | b')' | b'"' | b']' if !in_section => break,
                b'\r' | b'\n' => self.fail("a line end in an atom"),
                _ => {}
            }
            self.at += 1;
        }
        if self.at == start {
            self.fail("an empty atom");
        }
        match String::from_utf8_lossy(&self.input[start..self.at]).into_owned() {
            nil if nil.eq_ignore_ascii_case("NIL") => Value::Nil,
            atom => Value::Atom(atom),
        }
    }
}
