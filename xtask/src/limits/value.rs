//! What a constant's expression comes to, as far as constants of limits go: numbers, names, `+ - * / <<`, `as`,
//! parentheses, `Duration::from_…`. Whatever else is in one is told as it is written.

use std::collections::BTreeMap;

/// Names that lead to names that lead to names: a chain longer than this is a circle.
const DEPTH_MAX: usize = 16;

/// A limit's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    Count(u128),
    Milliseconds(u128),
}

impl Value {
    /// Works an expression out; `known` are the expressions of other constants.
    pub fn of(expression: &str, known: &BTreeMap<&str, &str>) -> Option<Self> {
        Self::at_depth(expression, known, 0)
    }

    fn at_depth(expression: &str, known: &BTreeMap<&str, &str>, depth: usize) -> Option<Self> {
        if depth > DEPTH_MAX {
            return None;
        }
        let mut reader = Reader { tokens: tokens(expression), at: 0, known, depth };
        let value = reader.shifted()?;
        (reader.at == reader.tokens.len()).then_some(value)
    }

    /// For people: bytes in KiB and MiB where they come out even, time in its largest even unit.
    pub fn told(self, name: &str) -> String {
        let even = |number: u128, units: &[(u128, &str)]| {
            let unit = units.iter().find(|(size, _)| number >= *size && number.is_multiple_of(*size));
            unit.map(|(size, unit)| format!("{} {unit}", grouped(number / size)))
        };
        match self {
            Self::Milliseconds(span) => {
                even(span, &[(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"), (1, "ms")])
            }
            Self::Count(count) if name.contains("BYTES") => even(
                count,
                &[(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, "bytes")],
            ),
            Self::Count(_) => None,
        }
        .unwrap_or_else(|| grouped(self.number()))
    }

    fn number(self) -> u128 {
        match self {
            Self::Count(number) | Self::Milliseconds(number) => number,
        }
    }
}

fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut told = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            told.push(',');
        }
        told.push(digit);
    }
    told
}

/// Words (numbers and paths) and single signs.
fn tokens(expression: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = expression.trim_start();
    while let Some(first) = rest.chars().next() {
        let joins = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        let length =
            if joins(first) { rest.find(|c| !joins(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}

struct Reader<'a> {
    tokens: Vec<&'a str>,
    at: usize,
    known: &'a BTreeMap<&'a str, &'a str>,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let token = self.tokens.get(self.at).copied();
        self.at += 1;
        token
    }

    fn eat(&mut self, expected: &[&str]) -> bool {
        let found = self.tokens[self.at.min(self.tokens.len())..].starts_with(expected);
        self.at += if found { expected.len() } else { 0 };
        found
    }

    fn shifted(&mut self) -> Option<Value> {
        let mut value = self.sum()?;
        while self.eat(&["<", "<"]) {
            let by = u32::try_from(self.sum()?.number()).ok()?;
            value = combine(value, Value::Count(1), |left, _| left.checked_mul(1_u128.checked_shl(by)?))?;
        }
        Some(value)
    }

    fn sum(&mut self) -> Option<Value> {
        let mut value = self.product()?;
        loop {
            if self.eat(&["+"]) {
                value = combine(value, self.product()?, u128::checked_add)?;
            } else if self.eat(&["-"]) {
                value = combine(value, self.product()?, u128::checked_sub)?;
            } else {
                return Some(value);
            }
        }
    }

    fn product(&mut self) -> Option<Value> {
        let mut value = self.factor()?;
        loop {
            if self.eat(&["*"]) {
                value = combine(value, self.factor()?, u128::checked_mul)?;
            } else if self.eat(&["/"]) {
                value = combine(value, self.factor()?, u128::checked_div)?;
            } else if self.eat(&["as"]) {
                self.next()?;
            } else {
                return Some(value);
            }
        }
    }

    fn factor(&mut self) -> Option<Value> {
        let token = self.next()?;
        if token == "(" {
            let value = self.shifted()?;
            return self.eat(&[")"]).then_some(value);
        }
        if token.starts_with(|first: char| first.is_ascii_digit()) {
            return literal(token).map(Value::Count);
        }
        let unit = match token.rsplit("::").next()? {
            "from_millis" => 1,
            "from_secs" => 1_000,
            "from_mins" => 60_000,
            "from_hours" => 3_600_000,
            name => return self.constant(token, name),
        };
        let count = self.eat(&["("]).then(|| self.shifted()).flatten()?.number();
        self.eat(&[")"]).then_some(Value::Milliseconds(count.checked_mul(unit)?))
    }

    fn constant(&self, path: &str, name: &str) -> Option<Value> {
        match path {
            "u8::MAX" => Some(Value::Count(u8::MAX.into())),
            "u16::MAX" => Some(Value::Count(u16::MAX.into())),
            "u32::MAX" => Some(Value::Count(u32::MAX.into())),
            "u64::MAX" => Some(Value::Count(u64::MAX.into())),
            _ => Value::at_depth(self.known.get(name)?, self.known, self.depth + 1),
        }
    }
}

/// A product or sum with a span of time in it is a span of time.
fn combine(left: Value, right: Value, with: impl Fn(u128, u128) -> Option<u128>) -> Option<Value> {
    let number = with(left.number(), right.number())?;
    Some(match (left, right) {
        (Value::Count(_), Value::Count(_)) => Value::Count(number),
        _ => Value::Milliseconds(number),
    })
}

/// Digits with underscores, perhaps with a type behind them, perhaps hexadecimal.
fn literal(token: &str) -> Option<u128> {
    let plain = token.replace('_', "");
    if let Some(digits) = plain.strip_prefix("0x") {
        return u128::from_str_radix(digits, 16).ok();
    }
    let end = plain.find(|c: char| !c.is_ascii_digit()).unwrap_or(plain.len());
    let (digits, kind) = plain.split_at(end);
    let typed = ["", "u8", "u16", "u32", "u64", "usize", "i64", "i32"].contains(&kind);
    typed.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str, expression: &str) -> Option<String> {
        let known = BTreeMap::from([("LINES_MAX", "2 * 50"), ("ROUND_MAX", "ROUND_MAX + 1")]);
        Value::of(expression, &known).map(|value| value.told(name))
    }

    #[test]
    fn expressions_come_out_as_rust_has_them() {
        assert_eq!(told("X_MAX", "1 + 2 * 3 << 2").as_deref(), Some("28"));
        assert_eq!(told("X_MAX", "(10_000usize - 1) / 3 as u64").as_deref(), Some("3,333"));
        assert_eq!(told("X_MAX", "4 * super::limits::LINES_MAX").as_deref(), Some("400"));
        assert_eq!(told("X_BYTES_MAX", "64 * 1024").as_deref(), Some("64 KiB"));
        assert_eq!(told("X_BYTES_MAX", "1_000_000").as_deref(), Some("1,000,000 bytes"));
        assert_eq!(told("X_TIMEOUT", "Duration::from_secs(30 * 60)").as_deref(), Some("30 min"));
        assert_eq!(told("X_TIMEOUT", "std::time::Duration::from_millis(1_500)").as_deref(), Some("1,500 ms"));
    }

    #[test]
    fn what_is_not_understood_is_not_guessed() {
        for expression in
            ["OTHER_MAX", "ROUND_MAX", "f(3)", "3 +", "(3", "3)", "1 - 2", "1 << 200", "1 / 0", ""]
        {
            assert_eq!(told("X_MAX", expression), None, "{expression}");
        }
    }
}
