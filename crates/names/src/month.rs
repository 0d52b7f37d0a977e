use std::fmt;

/// Days of months, outside leap years.
const DAYS: [u32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const DAY_MS: i64 = 86_400_000;

/// A calendar month in UTC, counted from January of the year 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Month(i32);

impl Month {
    /// The month of a time in milliseconds since 1970, which lies in years that four digits can say.
    pub fn of(epoch_ms: i64) -> Month {
        // Days since 0000-03-01, in eras of 400 years: howardhinnant.github.io/date_algorithms.html, `civil_from_days`.
        let days = (epoch_ms.div_euclid(DAY_MS) + 719_468).clamp(0, 3_652_364);
        let (era, of_era) = (days / 146_097, days % 146_097);
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let from_march = (5 * of_year + 2) / 153;
        Month((12 * (400 * era + year) + from_march + 2) as i32)
    }

    /// Reads `2026-11`.
    pub fn parse(text: &str) -> Option<Month> {
        let (year, month) = text.split_once('-')?;
        let digits =
            |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
        let (year, month): (i32, i32) = match digits(year, 4) && digits(month, 2) {
            true => (year.parse().ok()?, month.parse().ok()?),
            false => return None,
        };
        (1..=12).contains(&month).then(|| Month(12 * year + month - 1))
    }

    /// Months since January of the year 0: the form in which it is kept.
    pub fn number(self) -> i32 {
        self.0
    }

    /// The month of this number.
    pub fn numbered(number: i32) -> Month {
        Month(number)
    }

    /// Its days.
    pub fn days(self) -> u32 {
        let (year, month) = self.parts();
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        DAYS[(month - 1) as usize] + u32::from(is_leap && month == 2)
    }

    fn parts(self) -> (i32, i32) {
        (self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month) = self.parts();
        write!(f, "{year:04}-{month:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_follow_each_other_at_midnight_utc() {
        let mut start_ms = 0;
        let mut month = Month::parse("1970-01").unwrap();
        while month < Month::parse("2105-01").unwrap() {
            assert_eq!(Month::of(start_ms), month);
            start_ms += i64::from(month.days()) * DAY_MS;
            assert_eq!(Month::of(start_ms - 1), month);
            assert_eq!(Month::parse(&month.to_string()), Some(month));
            month = Month::numbered(month.number() + 1);
        }
        assert_eq!(Month::parse("2024-02").map(Month::days), Some(29));
        assert_eq!(Month::parse("2100-02").map(Month::days), Some(28));
        assert_eq!(Month::of(1_795_910_400_000).to_string(), "2026-11");
    }

    #[test]
    fn other_text_is_no_month() {
        for text in ["", "2026", "2026-13", "2026-00", "2026-1", "26-11", "2026-11-01", "+026-11", "2026-1é"]
        {
            assert_eq!(Month::parse(text), None, "{text}");
        }
        assert_eq!(Month::of(i64::MAX).to_string(), "9999-12");
        assert_eq!(Month::of(i64::MIN).to_string(), "0000-03");
    }
}
