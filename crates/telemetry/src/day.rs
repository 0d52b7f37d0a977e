use std::fmt;
use std::path::{Path, PathBuf};

use time::{Date, Duration, OffsetDateTime};

use crate::error::{Error, Result};

/// Milliseconds of a day.
pub(crate) const DAY_MS: i64 = 86_400_000;

/// A day in UTC, counted from 1970-01-01. Files of logs and metrics hold one each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Day(pub i64);

impl Day {
    /// The day of a time in milliseconds since 1970.
    pub fn of(at_ms: i64) -> Day {
        Day(at_ms.div_euclid(DAY_MS))
    }

    pub fn path(self, dir: &Path) -> PathBuf {
        dir.join(format!("{self}.db"))
    }

    fn parse(name: &str) -> Option<Day> {
        let mut parts = name.strip_suffix(".db")?.splitn(3, '-');
        let year = parts.next()?.parse().ok()?;
        let month: u8 = parts.next()?.parse().ok()?;
        let day = parts.next()?.parse().ok()?;
        let date = Date::from_calendar_date(year, time::Month::try_from(month).ok()?, day).ok()?;
        Some(Day((date - OffsetDateTime::UNIX_EPOCH.date()).whole_days()))
    }

    /// The days that have a file in `dir`, oldest first.
    pub fn list(dir: &Path) -> Result<Vec<Day>> {
        let entries = std::fs::read_dir(dir).map_err(|e| Error::io(dir, &e))?;
        let mut days: Vec<Day> =
            entries.filter_map(|entry| entry.ok()?.file_name().to_str().and_then(Day::parse)).collect();
        days.sort_unstable();
        Ok(days)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = OffsetDateTime::UNIX_EPOCH.date().saturating_add(Duration::days(self.0));
        write!(f, "{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_named_by_its_date() {
        let day = Day::of(1_763_900_000_000);
        assert_eq!(day.to_string(), "2025-11-23");
        assert_eq!(Day::parse("2025-11-23.db"), Some(day));
        assert_eq!(Day::parse("streams.db"), None);
        assert_eq!(Day::of(day.0 * DAY_MS), day);
        assert_eq!(Day::of((day.0 + 1) * DAY_MS - 1), day);
        assert_eq!(Day::of(-1), Day(-1));
    }
}
