use std::fmt;

use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

/// A number as CloudWatch writes it: `5.0`, `0.001`, `1.0E7`.
pub(super) struct Number(pub f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.0;
        // Plain from 10^-3 up to 10^7, and always with a decimal.
        if value == 0.0 || (1e-3..1e7).contains(&value.abs()) {
            return write!(f, "{value:?}");
        }
        let text = format!("{value:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let decimal = if mantissa.contains('.') { "" } else { ".0" };
        write!(f, "{mantissa}{decimal}E{exponent}")
    }
}

const DAY_FIRST: &[BorrowedFormatItem<'_>] =
    format_description!("[day]/[month]/[year repr:last_two] [hour]:[minute]:[second]");
const PRECISE: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]+0000");

const LONG: &[BorrowedFormatItem<'_>] =
    format_description!("[weekday] [day] [month repr:long], [year] [hour]:[minute]:[second] UTC");

/// `Friday 04 August, 2023 12:54:46 UTC`, as reasons of composite alarms have it.
pub fn long_date(at_ms: i64) -> String {
    format(at_ms, LONG)
}

/// `25/09/22 18:49:00`, in UTC.
pub(super) fn day_first(at_ms: i64) -> String {
    format(at_ms, DAY_FIRST)
}

/// `2022-09-25T18:49:00.000+0000`, as CloudWatch's JSON has it.
pub fn precise(at_ms: i64) -> String {
    format(at_ms, PRECISE)
}

fn format(at_ms: i64, how: &[BorrowedFormatItem<'_>]) -> String {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at_ms) * 1_000_000);
    // Times beyond the year 9999 are written as 1970.
    time.unwrap_or(OffsetDateTime::UNIX_EPOCH).format(how).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_cloudwatch_does() {
        for (value, text) in [
            (0.0, "0.0"),
            (5.0, "5.0"),
            (-2.5, "-2.5"),
            (0.001, "0.001"),
            (0.02, "0.02"),
            (15.398333333333332, "15.398333333333332"),
            (9_999_999.0, "9999999.0"),
            (10_000_000.0, "1.0E7"),
            (1.25e-4, "1.25E-4"),
            (-1.5e300, "-1.5E300"),
        ] {
            assert_eq!(Number(value).to_string(), text);
        }
    }

    #[test]
    fn times_are_written_as_cloudwatch_does() {
        assert_eq!(day_first(1_664_131_740_000), "25/09/22 18:49:00");
        assert_eq!(precise(1_664_131_740_007), "2022-09-25T18:49:00.007+0000");
        assert_eq!(precise(i64::MAX), "1970-01-01T00:00:00.000+0000");
    }
}
