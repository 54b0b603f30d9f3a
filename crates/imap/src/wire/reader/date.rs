//! Dates of SEARCH and APPEND.

use account::InternalDate;
use jiff::civil::Date;

use super::{Bad, Reader};
use crate::wire::MONTHS;

/// 1970-01-01
const EPOCH: Date = Date::constant(1970, 1, 1);

const SECONDS_A_DAY: i64 = 86_400;

impl Reader<'_> {
    /// `date`: `d-Mon-yyyy`, quoted or not, as days since 1970-01-01.
    ///
    /// # Errors
    /// [`Bad`] when it is none or no day of the calendar.
    pub fn date(&mut self) -> Result<i64, Bad> {
        let quoted = self.eat(b"\"");
        let date = self.day_of_calendar()?;
        if quoted {
            self.expect(b"\"")?;
        }
        Ok(days_since_epoch(date))
    }

    /// `date-time`: `"dd-Mon-yyyy hh:mm:ss +zzzz"`; a day below 10 may come with a space, a zero or nothing before it.
    ///
    /// # Errors
    /// [`Bad`] when it is none, no day of the calendar or no time of the day.
    pub fn date_time(&mut self) -> Result<InternalDate, Bad> {
        self.expect(b"\"")?;
        self.eat(b" ");
        let date = self.day_of_calendar()?;
        self.expect(b" ")?;
        let at = self.at;
        let hour = self.digits(2)?;
        self.expect(b":")?;
        let minute = self.digits(2)?;
        self.expect(b":")?;
        // A leap second is the last moment of its minute: neither we nor the clients have a name for it.
        let second = match self.digits(2)? {
            60 => 59,
            second => second,
        };
        if hour > 23 || minute > 59 || second > 59 {
            return Err(Bad { text: "No such time of the day".into(), at });
        }
        self.expect(b" ")?;
        let zone_minutes = self.zone()?;
        self.expect(b"\"")?;
        let minutes = i64::from(hour) * 60 + i64::from(minute) - i64::from(zone_minutes);
        let seconds = days_since_epoch(date) * SECONDS_A_DAY + minutes * 60 + i64::from(second);
        Ok(InternalDate { seconds, zone_minutes })
    }

    /// `zone`: `+hhmm` or `-hhmm`, in minutes east of UTC.
    fn zone(&mut self) -> Result<i16, Bad> {
        let west = self.eat(b"-");
        if !west {
            self.expect(b"+")?;
        }
        let at = self.at;
        let (hours, minutes) = (self.digits(2)?, self.digits(2)?);
        if hours > 23 || minutes > 59 {
            return Err(Bad { text: "No such time zone".into(), at });
        }
        // At most 1,439, which fits.
        let east = i16::try_from(hours * 60 + minutes).unwrap_or_default();
        Ok(if west { -east } else { east })
    }

    /// `date-text`: one or two digits, month, four digits.
    fn day_of_calendar(&mut self) -> Result<Date, Bad> {
        let at = self.at;
        let bad = || Bad { text: "Expected a date like 1-Feb-2026".into(), at };
        let day = self.nz_number().ok().and_then(|day| i8::try_from(day).ok()).ok_or_else(bad)?;
        self.expect(b"-")?;
        let rest = self.rest();
        let name = rest.get(..3).ok_or_else(bad)?;
        let month =
            MONTHS.iter().position(|month| name.eq_ignore_ascii_case(month.as_bytes())).ok_or_else(bad)?;
        self.at += 3;
        self.expect(b"-")?;
        let year = self.digits(4)?;
        // Both fit by far: twelve months, four digits.
        let (month, year) =
            (i8::try_from(month + 1).unwrap_or_default(), i16::try_from(year).unwrap_or_default());
        Date::new(year, month, day).map_err(|_| bad())
    }

    /// Exactly so many digits, at most four.
    fn digits(&mut self, count: usize) -> Result<u16, Bad> {
        let digits = self.rest().get(..count).filter(|digits| digits.iter().all(u8::is_ascii_digit));
        let digits = digits.ok_or_else(|| self.bad(format!("Expected {count} digits")))?;
        self.at += count;
        Ok(digits.iter().fold(0, |value, digit| value * 10 + u16::from(digit - b'0')))
    }
}

fn days_since_epoch(date: Date) -> i64 {
    // The span of two civil dates in days: at most some four million.
    date.since(EPOCH).map_or(0, |span| i64::from(span.get_days()))
}
