//! The Date field (RFC 5322 section 3.3 with the obsolete forms of section 4.3), read as tolerantly as it is written.

/// The instant and the local calendar date of a Date field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentDate {
    /// Seconds since 1970-01-01 00:00:00 UTC, for SORT (DATE) (RFC 5256 section 2.2).
    pub unix_seconds: i64,
    /// The year as written; SENTBEFORE, SENTON and SENTSINCE disregard time and zone (RFC 9051 section 6.4.4).
    pub year: i32,
    /// The month as written, 1 to 12.
    pub month: u8,
    /// The day as written, 1 to 31.
    pub day: u8,
}

const SECONDS_PER_DAY: i64 = 86_400;

/// Reads `[day-name ","] day month year [hour ":" minute [":" second]] [zone]`. As RFC 5256 section 2.2 asks, a time that is
/// not valid is midnight and a zone that is not valid is UTC; without a valid date there is no answer.
pub(crate) fn parse(field: &[u8]) -> Option<SentDate> {
    let mut tokens = Tokens { rest: field };
    let mut token = tokens.next()?;
    if token.iter().all(u8::is_ascii_alphabetic) && month_number(token).is_none() {
        token = tokens.next()?;
    }
    let (day, month) = match month_number(token) {
        // ctime order: `Wed Nov 25 21:00:00 2026`.
        Some(month) => (number(tokens.next()?)?, month),
        None => (number(token)?, month_number(without_hyphen(tokens.next()?))?),
    };
    let mut year = None;
    let mut time = None;
    let mut zone = None;
    for token in tokens.take(5) {
        if token.contains(&b':') {
            time = time.or_else(|| clock(token));
        } else if token.eq_ignore_ascii_case(b"PM") || token.eq_ignore_ascii_case(b"AM") {
            time = time.map(|seconds| on_half_clock(seconds, token));
        } else if year.is_none() && without_hyphen(token).iter().all(u8::is_ascii_digit) {
            year = Some(full_year(without_hyphen(token))?);
        } else if zone.is_none() {
            zone = zone_minutes(token);
        }
    }
    let year = year?;
    if day == 0 || day > u32::from(days_in_month(year, month)) {
        return None;
    }
    let day = u8::try_from(day).ok()?;
    let local = days_from_civil(year, month, day) * SECONDS_PER_DAY + time.unwrap_or(0);
    Some(SentDate { unix_seconds: local - zone.unwrap_or(0) * 60, year, month, day })
}

/// Words between white space, commas and comments. A sign begins a word: of a zone, or of the rest of `25-Nov-2026`.
struct Tokens<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            match self.rest.first()? {
                b' ' | b'\t' | b',' => self.rest = &self.rest[1..],
                b'(' => self.rest = after_comment(self.rest),
                _ => break,
            }
        }
        let ends = |octet: &u8| matches!(octet, b' ' | b'\t' | b',' | b'(' | b'-' | b'+');
        let len = self.rest[1..].iter().position(ends).map_or(self.rest.len(), |at| at + 1);
        let (token, rest) = self.rest.split_at(len);
        self.rest = rest;
        Some(token)
    }
}

fn without_hyphen(token: &[u8]) -> &[u8] {
    token.strip_prefix(b"-").unwrap_or(token)
}

fn after_comment(octets: &[u8]) -> &[u8] {
    let mut depth = 0usize;
    let mut at = 0;
    while let Some(octet) = octets.get(at) {
        match octet {
            b'\\' => at += 1,
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            break;
        }
    }
    octets.get(at..).unwrap_or_default()
}

fn number(token: &[u8]) -> Option<u32> {
    if token.is_empty() || token.len() > 9 || !token.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(token.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0')))
}

/// Two digits are 1950 to 2049, three count from 1900 (RFC 5322 section 4.3), and so do those that were made four with a zero:
/// `0102` is what some wrote for 2002.
fn full_year(token: &[u8]) -> Option<i32> {
    let year = i32::try_from(number(token)?).ok()?;
    match (token.len(), year) {
        (1 | 2, 0..=49) => Some(year + 2000),
        (1..=3, _) | (4, 100..=199) => Some(year + 1900),
        (4, 1900..) => Some(year),
        _ => None,
    }
}

fn month_number(token: &[u8]) -> Option<u8> {
    const MONTHS: [&[u8; 3]; 12] =
        [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];
    let head = token.get(..3)?;
    if !token.iter().all(|octet| octet.is_ascii_alphabetic() || *octet == b'.') {
        return None;
    }
    let index = MONTHS.iter().position(|month| head.eq_ignore_ascii_case(*month))?;
    u8::try_from(index + 1).ok()
}

/// Seconds since midnight of `hour:minute[:second]`. A leap second is the second before it.
fn clock(token: &[u8]) -> Option<i64> {
    let mut numbers = token.split(|&octet| octet == b':').map(|token| number(token.trim_ascii()));
    let (hour, minute) = (numbers.next()??, numbers.next()??);
    let second = numbers.next().unwrap_or(Some(0))?;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(i64::from(hour * 3600 + minute * 60 + second.min(59)))
}

/// The time of day of one that was followed by AM or PM, as some write it.
fn on_half_clock(seconds: i64, half: &[u8]) -> i64 {
    const HALF_DAY: i64 = SECONDS_PER_DAY / 2;
    let morning = if seconds / 3600 == 12 { seconds - HALF_DAY } else { seconds };
    if half.eq_ignore_ascii_case(b"PM") && morning < HALF_DAY { morning + HALF_DAY } else { morning }
}

/// Minutes east of UTC. Military zones are of unknown meaning and count as UTC (RFC 5322 section 4.3).
fn zone_minutes(token: &[u8]) -> Option<i64> {
    const NAMED: [(&str, i64); 11] = [
        ("UT", 0),
        ("GMT", 0),
        ("UTC", 0),
        ("EST", -5),
        ("EDT", -4),
        ("CST", -6),
        ("CDT", -5),
        ("MST", -7),
        ("MDT", -6),
        ("PST", -8),
        ("PDT", -7),
    ];
    let (sign, digits) = match token {
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => {
            let named = NAMED.iter().find(|(name, _)| token.eq_ignore_ascii_case(name.as_bytes()))?;
            return Some(named.1 * 60);
        }
    };
    let zone = number(digits).filter(|_| digits.len() == 4)?;
    let (hours, minutes) = (zone / 100, zone % 100);
    (hours < 24 && minutes < 60).then(|| sign * i64::from(hours * 60 + minutes))
}

fn days_in_month(year: i32, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar, counting years from March so that the leap day comes last.
fn days_from_civil(year: i32, month: u8, day: u8) -> i64 {
    let year = i64::from(year) - i64::from(month <= 2);
    let month = (i64::from(month) + 9) % 12;
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * month + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}
