//! Seconds since 1970 to the three notations and back.

use crate::model::TimestampFormat;

const DAY_NAMES: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTH_NAMES: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// Timestamps beyond year 9999 either way can't be written with four digits.
const SECONDS_MAX: f64 = 253_402_300_799.999;

/// Writes a timestamp. Milliseconds are kept, trailing zeros of them not.
pub fn write(seconds: f64, format: TimestampFormat) -> String {
    match format {
        TimestampFormat::Epoch => epoch(seconds),
        TimestampFormat::Iso8601 => iso8601(seconds),
        TimestampFormat::HttpDate => http_date(seconds),
    }
}

/// Reads a timestamp in the given notation; plain numbers are seconds in every notation, as AWS is lenient there.
pub fn read(text: &str, format: TimestampFormat) -> Option<f64> {
    let text = text.trim();
    match format {
        TimestampFormat::HttpDate => read_http_date(text),
        TimestampFormat::Iso8601 => read_iso8601(text),
        TimestampFormat::Epoch => None,
    }
    .or_else(|| text.parse().ok().filter(|seconds: &f64| seconds.is_finite()))
    .or_else(|| read_iso8601(text))
}

fn epoch(seconds: f64) -> String {
    if seconds.fract() == 0.0 && seconds.abs() < 1e15 {
        itoa::Buffer::new().format(seconds as i64).to_owned()
    } else {
        ryu::Buffer::new().format_finite(seconds).to_owned()
    }
}

fn iso8601(seconds: f64) -> String {
    let (whole, millis) = split(seconds);
    let (days, second) = (whole.div_euclid(86_400), whole.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let fraction = match millis {
        0 => String::new(),
        millis => format!(".{millis:03}").trim_end_matches('0').to_owned(),
    };
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}{fraction}Z",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

fn http_date(seconds: f64) -> String {
    let (whole, millis) = split(seconds);
    let (days, second) = (whole.div_euclid(86_400), whole.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let weekday = DAY_NAMES[(days + 4).rem_euclid(7) as usize];
    let month = MONTH_NAMES[month as usize - 1];
    let fraction = match millis {
        0 => String::new(),
        millis => format!(".{millis:03}").trim_end_matches('0').to_owned(),
    };
    format!(
        "{weekday}, {day:02} {month} {year:04} {:02}:{:02}:{:02}{fraction} GMT",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// Whole seconds and milliseconds, rounded to the nearest.
fn split(seconds: f64) -> (i64, i64) {
    let bounded = if seconds.is_finite() { seconds.clamp(-62_135_596_800.0, SECONDS_MAX) } else { 0.0 };
    let millis = (bounded * 1000.0).round() as i64;
    (millis.div_euclid(1000), millis.rem_euclid(1000))
}

/// Year, month and day of a day since 1970, in the proleptic Gregorian calendar (400-year eras from 1 March).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Days since 1970 of a date.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let shifted_month = (month + 9) % 12;
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    (civil(days).2 == day).then_some(days)
}

fn digits(text: &str) -> Option<i64> {
    (!text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())?
}

/// `HH:MM:SS[.fraction]` in seconds.
fn clock(text: &str) -> Option<f64> {
    let mut parts = text.splitn(3, ':');
    let (hour, minute) = (digits(parts.next()?)?, digits(parts.next()?)?);
    let second = parts.next().unwrap_or("0");
    let (whole, fraction) = second.split_once('.').unwrap_or((second, "0"));
    let second = digits(whole)?;
    if hour > 24 || minute > 59 || second > 60 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let fraction: f64 = format!("0.{fraction}").parse().ok()?;
    Some((hour * 3600 + minute * 60 + second) as f64 + fraction)
}

fn read_iso8601(text: &str) -> Option<f64> {
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, time),
        None => (text, "00:00:00Z"),
    };
    let mut parts = date.splitn(3, '-');
    let day = days(digits(parts.next()?)?, digits(parts.next()?)?, digits(parts.next()?)?)?;
    let (time, offset) = match time.find(['Z', 'z', '+', '-']) {
        Some(at) if time[at..].eq_ignore_ascii_case("z") => (&time[..at], 0.0),
        Some(at) => {
            let sign = if time[at..].starts_with('-') { -1.0 } else { 1.0 };
            let zone = &time[at + 1..];
            let (hours, minutes) = match zone.split_once(':') {
                Some(parts) => parts,
                None if zone.len() == 4 && zone.is_ascii() => zone.split_at(2),
                None => (zone, "0"),
            };
            (&time[..at], sign * (digits(hours)? * 3600 + digits(minutes)? * 60) as f64)
        }
        None => (time, 0.0),
    };
    Some(day as f64 * 86_400.0 + clock(time)? - offset)
}

fn read_http_date(text: &str) -> Option<f64> {
    let (_, rest) = text.split_once(", ")?;
    let mut parts = rest.split([' ', '-']);
    let day = digits(parts.next()?)?;
    let month = parts.next()?;
    let month = MONTH_NAMES.iter().position(|name| *name == month)? as i64 + 1;
    let year = digits(parts.next()?)?;
    let time = clock(parts.next()?)?;
    matches!(parts.next(), Some("GMT" | "UTC" | "+0000")).then_some(())?;
    Some(days(year, month, day)? as f64 * 86_400.0 + time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for seconds in
            [0.0, 1.0, -1.0, 1_422_172_800.0, 951_782_400.0, 4_102_444_799.5, 1e9 + 0.123, -62_135_596_800.0]
        {
            for format in [TimestampFormat::Epoch, TimestampFormat::Iso8601, TimestampFormat::HttpDate] {
                let text = write(seconds, format);
                assert_eq!(read(&text, format), Some(seconds), "{text}");
            }
        }
    }

    #[test]
    fn known_notations() {
        assert_eq!(write(1_422_172_800.0, TimestampFormat::Iso8601), "2015-01-25T08:00:00Z");
        assert_eq!(write(946_845_296.123, TimestampFormat::Iso8601), "2000-01-02T20:34:56.123Z");
        assert_eq!(write(1_422_172_800.0, TimestampFormat::HttpDate), "Sun, 25 Jan 2015 08:00:00 GMT");
        assert_eq!(read("2019-12-16T23:48:18+01:00", TimestampFormat::Iso8601), Some(1_576_536_498.0));
        assert_eq!(read("2025-11-25T02:26:54.000+0000", TimestampFormat::Iso8601), Some(1_764_037_614.0));
    }

    #[test]
    fn nonsense_is_nothing() {
        for text in [
            "",
            "yesterday",
            "2015-13-01T00:00:00Z",
            "2015-02-30T00:00:00Z",
            "NaN",
            "2015-01-01T99:00:00Z",
            "-",
            "é-é-éTéZ",
        ] {
            for format in [TimestampFormat::Epoch, TimestampFormat::Iso8601, TimestampFormat::HttpDate] {
                assert_eq!(read(text, format), None, "{text}");
            }
        }
    }
}
