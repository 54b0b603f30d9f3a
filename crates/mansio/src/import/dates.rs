//! Dates that mailbox formats write.

use account::InternalDate;
use jiff::civil::DateTime;

/// The date at the end of an mbox `From ` line: `Thu Jan  1 01:02:03 1970`, with a zone before or behind the year in some.
/// `None` if there is none, and then the line parts no messages.
pub fn of_from_line(line: &[u8]) -> Option<InternalDate> {
    let line = std::str::from_utf8(line).ok()?;
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let weekday = words.iter().rposition(|word| WEEKDAYS.contains(word))?;
    let [month, day, time, rest @ ..] = &words[weekday + 1..] else { return None };
    let month = MONTHS.iter().position(|name| name == month)? + 1;
    let mut time = time.split(':').map(|part| part.parse::<i8>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next().flatten().unwrap_or(0));
    let year =
        rest.iter().find(|word| word.len() == 4 && word.bytes().all(|digit| digit.is_ascii_digit()))?;
    let zone_minutes = rest.iter().find_map(|word| zone(word)).unwrap_or(0);
    let civil = DateTime::new(
        year.parse().ok()?,
        i8::try_from(month).ok()?,
        day.parse().ok()?,
        hour,
        minute,
        second,
        0,
    );
    let local = civil.ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
    Some(InternalDate { seconds: local - i64::from(zone_minutes) * 60, zone_minutes })
}

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `+0130` in minutes. Zones by name mean different things to different people and count as UTC.
fn zone(word: &str) -> Option<i16> {
    let sign = match word.as_bytes() {
        [b'+', digits @ ..] if digits.len() == 4 => 1,
        [b'-', digits @ ..] if digits.len() == 4 => -1,
        _ => return None,
    };
    let hours: i16 = word.get(1..3)?.parse().ok()?;
    let minutes: i16 = word.get(3..5)?.parse().ok()?;
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(seconds: i64, zone_minutes: i16) -> Option<InternalDate> {
        Some(InternalDate { seconds, zone_minutes })
    }

    #[test]
    fn the_usual_forms_are_read() {
        assert_eq!(of_from_line(b"From a@b Thu Jan  1 01:02:03 1970\n"), date(3_723, 0));
        assert_eq!(of_from_line(b"From a@b Thu Jan  1 01:02 1970\r\n"), date(3_720, 0));
        assert_eq!(of_from_line(b"From a@b  Tue Nov 14 23:13:20 2023 +0100"), date(1_700_000_000, 60));
        assert_eq!(
            of_from_line(b"From a@b Tue Nov 14 22:13:20 -0130 2023"),
            date(1_700_000_000 + 5_400, -90)
        );
        assert_eq!(of_from_line(b"From MAILER-DAEMON Tue Nov 14 22:13:20 EST 2023"), date(1_700_000_000, 0));
        assert_eq!(of_from_line("From Jörg Mon Tue Nov 14 22:13:20 2023".as_bytes()), date(1_700_000_000, 0));
    }

    #[test]
    fn prose_is_no_date() {
        for line in [
            "From here on it rained",
            "From Mon on",
            "From a Tue Nov 41 22:13:20 2023",
            "From ",
            "From a Sun Feb 30 0:0:0 2023",
        ] {
            assert_eq!(of_from_line(line.as_bytes()), None, "{line}");
        }
    }
}
