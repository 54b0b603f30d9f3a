//! A client's parser, on purpose not the server's.

/// A token of a response.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Text(String),
    List(Vec<Value>),
}

impl Value {
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::List(_) => panic!("{self:?} is no text"),
        }
    }

    pub fn list(&self) -> &[Value] {
        match self {
            Self::List(items) => items,
            Self::Text(_) => panic!("{self:?} is no list"),
        }
    }
}

/// One response line, its literals included.
#[derive(Debug)]
pub struct Response {
    /// `*`, `+` or the tag.
    pub tag: String,
    /// Status responses: the condition and the rest as one text. Others: all tokens.
    pub values: Vec<Value>,
}

/// All responses of an answer.
pub fn responses(said: &str) -> Vec<Response> {
    let mut parser = Parser { rest: said };
    let mut all = Vec::new();
    while !parser.rest.is_empty() {
        all.push(parser.response());
    }
    all
}

/// `1:3,7`
pub fn numbers(set: &str) -> Vec<u32> {
    let mut all = Vec::new();
    for range in set.split(',') {
        let (first, last) = range.split_once(':').unwrap_or((range, range));
        all.extend(first.parse::<u32>().unwrap()..=last.parse().unwrap());
    }
    all
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn response(&mut self) -> Response {
        let tag = self.until(" \r").to_owned();
        let mut values = Vec::new();
        loop {
            if self.eat("\r\n") {
                return Response { tag, values };
            }
            assert!(self.eat(" "), "a space between tokens: {:?}", self.rest);
            let status = matches!(values.first(), Some(Value::Text(first)) if is_condition(first));
            if status || tag == "+" {
                values.push(Value::Text(self.until("\r").to_owned()));
            } else {
                values.push(self.value());
            }
        }
    }

    fn value(&mut self) -> Value {
        if self.eat("(") {
            let mut items = Vec::new();
            while !self.eat(")") {
                assert!(items.is_empty() || self.eat(" "), "a space in a list: {:?}", self.rest);
                items.push(self.value());
            }
            return Value::List(items);
        }
        if self.eat("\"") {
            let end = self.rest.find('"').unwrap();
            let text = self.take(end).to_owned();
            assert!(!text.contains(['\\', '\r', '\n']), "nothing here needs escapes: {text}");
            assert!(self.eat("\""));
            return Value::Text(text);
        }
        if self.eat("{") {
            let octets = self.until("}").parse().unwrap();
            assert!(self.eat("}\r\n"));
            return Value::Text(self.take(octets).to_owned());
        }
        let atom = self.until(" ()\r");
        assert!(!atom.is_empty(), "a token: {:?}", self.rest);
        Value::Text(atom.to_owned())
    }

    fn eat(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn until(&mut self, ends: &str) -> &'a str {
        let end = self.rest.find(|character| ends.contains(character)).unwrap();
        self.take(end)
    }

    fn take(&mut self, octets: usize) -> &'a str {
        let (text, rest) = self.rest.split_at(octets);
        self.rest = rest;
        text
    }
}

fn is_condition(word: &str) -> bool {
    matches!(word, "OK" | "NO" | "BAD" | "BYE" | "PREAUTH")
}
