//! Points and stretches of time, in UTC.

/// A stretch of time that timestamps are cut to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Period {
    Milliseconds(i64),
    Months(i64),
}

pub(crate) const DAY_MS: i64 = 86_400_000;

impl Period {
    /// Reads a count and a unit: `ms`, `s`, `m`, `h`, `d`, `w`, `mo`, `q`, `y` and their longer names. Source: AWS,
    /// the periods of `bin`. `None` for other units, for nothing and for more than a thousand years.
    pub fn parse(count: u32, unit: &str) -> Option<Period> {
        let unit_ms = match unit {
            "ms" | "msec" | "millisecond" | "milliseconds" => 1,
            "s" | "sec" | "second" | "seconds" => 1000,
            "m" | "min" | "minute" | "minutes" => 60_000,
            "h" | "hr" | "hour" | "hours" => 3_600_000,
            "d" | "day" | "days" => DAY_MS,
            "w" | "week" | "weeks" => 7 * DAY_MS,
            _ => {
                let months = match unit {
                    "mo" | "mon" | "month" | "months" => 1,
                    "q" | "qtr" | "quarter" | "quarters" => 3,
                    "y" | "yr" | "year" | "years" => 12,
                    _ => return None,
                };
                let months = i64::from(count) * months;
                return (1..=12_000).contains(&months).then_some(Period::Months(months));
            }
        };
        let ms = i64::from(count).checked_mul(unit_ms)?;
        (1..=366_000 * DAY_MS).contains(&ms).then_some(Period::Milliseconds(ms))
    }

    /// The latest start of a period that isn't after `at_ms`.
    pub fn floor(self, at_ms: i64) -> i64 {
        match self {
            Period::Milliseconds(ms) => at_ms.saturating_sub(at_ms.rem_euclid(ms)),
            Period::Months(months) => {
                let (year, month, _) = civil(at_ms.div_euclid(DAY_MS));
                start_of(((year * 12 + month - 1).div_euclid(months)) * months)
            }
        }
    }

    /// The earliest start of a period that isn't before `at_ms`.
    pub fn ceil(self, at_ms: i64) -> i64 {
        let floor = self.floor(at_ms);
        if floor == at_ms {
            return at_ms;
        }
        match self {
            Period::Milliseconds(ms) => floor.saturating_add(ms),
            Period::Months(months) => {
                let (year, month, _) = civil(floor.div_euclid(DAY_MS));
                start_of(year * 12 + month - 1 + months)
            }
        }
    }
}

/// The start of a month, counted from year 0, in milliseconds since 1970.
fn start_of(month: i64) -> i64 {
    days(month.div_euclid(12), month.rem_euclid(12) + 1, 1).saturating_mul(DAY_MS)
}

/// The same time of the same day of the month before, or of its last day.
pub(crate) fn month_before(at_ms: i64) -> i64 {
    let (year, month, day) = civil(at_ms.div_euclid(DAY_MS));
    let this = start_of(year * 12 + month - 1);
    let before = start_of(year * 12 + month - 2);
    let day_ms = ((day - 1) * DAY_MS).min(this - before - DAY_MS);
    before + day_ms + at_ms.rem_euclid(DAY_MS)
}

/// Year, month and day of a day since 1970. Source: H. Hinnant, "chrono-compatible low-level date algorithms".
fn civil(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, of_year - (153 * shifted_month + 2) / 5 + 1)
}

/// The day since 1970 of a date.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
    era * 146_097 + of_era - 719_468
}

/// Writes `2025-11-28 10:00:00.000`.
pub(crate) fn format(at_ms: i64) -> String {
    let (year, month, day) = civil(at_ms.div_euclid(DAY_MS));
    let of_day = at_ms.rem_euclid(DAY_MS);
    let (hour, minute) = (of_day / 3_600_000, of_day / 60_000 % 60);
    let (second, ms) = (of_day / 1000 % 60, of_day % 1000);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{ms:03}")
}

/// Reads what [`format`] writes, also with a `T`, a `Z`, or without the parts after the day or the second.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let bytes = text.as_bytes();
    let number = |from: usize, length: usize, last: i64| -> Option<i64> {
        let part = text.get(from..from + length)?;
        let digits = part.bytes().all(|b| b.is_ascii_digit());
        part.parse().ok().filter(|value| digits && *value <= last)
    };
    let byte = |at: usize, any: &[u8]| bytes.get(at).is_some_and(|b| any.contains(b));
    if !(byte(4, b"-") && byte(7, b"-")) {
        return None;
    }
    let (year, month, day) = (number(0, 4, 9999)?, number(5, 2, 12)?, number(8, 2, 31)?);
    let mut at_ms = days(year, month.max(1), day.max(1)) * DAY_MS;
    if bytes.len() == 10 {
        return Some(at_ms);
    }
    if !(byte(10, b" T") && byte(13, b":") && byte(16, b":")) {
        return None;
    }
    at_ms += number(11, 2, 23)? * 3_600_000 + number(14, 2, 59)? * 60_000 + number(17, 2, 59)? * 1000;
    match bytes.len() {
        19 => Some(at_ms),
        23 if byte(19, b".") => Some(at_ms + number(20, 3, 999)?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_and_read() {
        for (at_ms, text) in [
            (0, "1970-01-01 00:00:00.000"),
            (1_764_324_000_000, "2025-11-28 10:00:00.000"),
            (1_709_164_799_999, "2024-02-28 23:59:59.999"),
            (951_782_400_000, "2000-02-29 00:00:00.000"),
            (-1, "1969-12-31 23:59:59.999"),
        ] {
            assert_eq!((format(at_ms).as_str(), parse(text)), (text, Some(at_ms)));
        }
        assert_eq!(parse("2025-11-28T10:00:00Z"), Some(1_764_324_000_000));
        assert_eq!(parse("2025-11-28"), Some(1_764_288_000_000));
        for text in ["", "2025", "2025-11-28 10", "2025-13-28", "2025-11-28 10:00:61", "é025-11-28 10:00:00"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_period_cuts() {
        let at_ms = parse("2025-11-28 10:07:31.250").expect("a time");
        for (count, unit, floor, ceil) in [
            (5, "m", "2025-11-28 10:05:00.000", "2025-11-28 10:10:00.000"),
            (30, "s", "2025-11-28 10:07:30.000", "2025-11-28 10:08:00.000"),
            (1, "h", "2025-11-28 10:00:00.000", "2025-11-28 11:00:00.000"),
            (250, "ms", "2025-11-28 10:07:31.250", "2025-11-28 10:07:31.250"),
            (1, "d", "2025-11-28 00:00:00.000", "2025-11-29 00:00:00.000"),
            (1, "mo", "2025-11-01 00:00:00.000", "2025-12-01 00:00:00.000"),
            (1, "q", "2025-10-01 00:00:00.000", "2026-01-01 00:00:00.000"),
            (1, "y", "2025-01-01 00:00:00.000", "2026-01-01 00:00:00.000"),
        ] {
            let period = Period::parse(count, unit).expect(unit);
            assert_eq!(
                (format(period.floor(at_ms)), format(period.ceil(at_ms))),
                (floor.into(), ceil.into())
            );
        }
        for (count, unit) in [(0, "m"), (0, "y"), (1, "fortnight"), (u32::MAX, "d"), (u32::MAX, "y")] {
            assert_eq!(Period::parse(count, unit), None);
        }
    }
}
