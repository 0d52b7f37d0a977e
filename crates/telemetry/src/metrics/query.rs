use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, params};

use super::{Aggregate, Metric, Stat, Unit, cells};
use crate::day::{DAY_MS, Day};
use crate::error::{Error, Result};
use crate::sqlite::Readers;

/// Datapoints that one query may ask for: what GetMetricData answers in a call. GetMetricStatistics allows less.
pub const DATAPOINTS_PER_READ: u64 = 100_800;

/// How old samples may be that are read at a period: seconds of the period, days of age. Source: CloudWatch, metric
/// retention; below a minute it is three hours.
const AGES: [(u32, i64); 3] = [(3600, 455 * DAY_MS), (300, 63 * DAY_MS), (60, 15 * DAY_MS)];
const SECONDS_AGE_MS: i64 = 3 * 3_600_000;
/// Days that are tried one by one.
const DAYS_TRIED: i64 = 8;

/// What is asked of one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricQuery {
    pub metric: Metric,
    /// Only samples of this unit; without it every unit has datapoints of its own.
    pub unit: Option<Unit>,
    /// 1, 5, 10, 20, 30 or a multiple of 60, at most 86,400.
    pub period_s: u32,
    /// Inclusive, and rounded down as [`aligned_start`] says.
    pub start_ms: i64,
    /// Exclusive.
    pub end_ms: i64,
    pub stats: Vec<Stat>,
    /// The time by which the age of samples is judged.
    pub now_ms: i64,
}

/// One period of one unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Datapoint {
    /// The period's start.
    pub at_ms: i64,
    pub unit: Unit,
    pub sample_count: f64,
    /// In the order of the query's statistics; `None` for a percentile that isn't known.
    pub values: Vec<Option<f64>>,
}

/// The start that a query is answered from: rounded down to the minute, to five minutes when it is older than 15 days, to
/// the hour beyond 63; for periods below a minute, to the period.
pub fn aligned_start(start_ms: i64, period_s: u32, now_ms: i64) -> i64 {
    let age = now_ms - start_ms;
    let step_s = if period_s < 60 {
        i64::from(period_s.max(1))
    } else if age > 63 * DAY_MS {
        3600
    } else if age > 15 * DAY_MS {
        300
    } else {
        60
    };
    start_ms.div_euclid(step_s * 1000) * step_s * 1000
}

/// The start that is read from, where period and range are such as can be read.
pub(super) fn checked_start(period_s: u32, start_ms: i64, end_ms: i64, now_ms: i64) -> Result<i64> {
    if !(matches!(period_s, 1 | 5 | 10 | 20 | 30)
        || (60..=86_400).contains(&period_s) && period_s.is_multiple_of(60))
    {
        return Err(Error::Period(period_s));
    }
    let start_ms = aligned_start(start_ms, period_s, now_ms);
    let asked = end_ms.saturating_sub(start_ms).max(0) as u64 / (u64::from(period_s) * 1000);
    if asked > DATAPOINTS_PER_READ {
        return Err(Error::TooManyDatapoints { asked, limit: DATAPOINTS_PER_READ });
    }
    Ok(start_ms)
}

/// The oldest time that can be read at a period.
pub(super) fn oldest(period_s: u32, now_ms: i64) -> i64 {
    let age = AGES.iter().find(|(seconds, _)| period_s >= *seconds).map_or(SECONDS_AGE_MS, |(_, age)| *age);
    now_ms - age
}

/// A series to be read, and what has been read of it.
struct Target {
    query: usize,
    series: i64,
    unit: Unit,
    /// Where the first period starts.
    origin_ms: i64,
    /// Nothing before this can be read.
    start_ms: i64,
    periods: BTreeMap<i64, Aggregate>,
}

/// The datapoints of each query, by unit and then by time. What isn't on disk yet isn't seen.
pub(crate) fn read(dir: &Path, readers: &Readers, queries: &[MetricQuery]) -> Result<Vec<Vec<Datapoint>>> {
    let mut targets = filled(dir, readers, queries)?;
    targets.sort_by_key(|target| (target.query, target.unit.as_str()));
    let mut found = vec![Vec::new(); queries.len()];
    for Target { query, unit, periods, .. } in targets {
        found[query].extend(periods.into_iter().map(|(at_ms, aggregate)| Datapoint {
            at_ms,
            unit,
            sample_count: aggregate.sample_count(),
            values: queries[query].stats.iter().map(|stat| aggregate.stat(*stat)).collect(),
        }));
    }
    Ok(found)
}

/// The samples themselves of each query's periods, of all units together.
pub(crate) fn read_samples(
    dir: &Path,
    readers: &Readers,
    queries: &[MetricQuery],
) -> Result<Vec<BTreeMap<i64, Aggregate>>> {
    let mut found = vec![BTreeMap::<i64, Aggregate>::new(); queries.len()];
    for target in filled(dir, readers, queries)? {
        for (at_ms, aggregate) in target.periods {
            found[target.query].entry(at_ms).or_default().merge(&aggregate);
        }
    }
    Ok(found)
}

/// What has been read of all queries' series. Each file is opened once, and its rows are read in the order in which they lie.
fn filled(dir: &Path, readers: &Readers, queries: &[MetricQuery]) -> Result<Vec<Target>> {
    let mut targets = targets(dir, readers, queries)?;
    targets.sort_by_key(|target| (target.series, target.start_ms));
    let span = |target: &Target| {
        let end_ms = queries[target.query].end_ms;
        (target.start_ms < end_ms).then(|| (Day::of(target.start_ms), Day::of(end_ms - 1)))
    };
    let whole = targets.iter().filter_map(span).reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)));
    for day in whole.map_or(Ok(Vec::new()), |(first, last)| days(dir, first, last))? {
        let path = day.path(dir);
        readers.read(&path, |c| {
            let _whole = at_once(c, &path)?;
            for target in &mut targets {
                if span(target).is_some_and(|(first, last)| (first..=last).contains(&day)) {
                    read_day(c, &path, &queries[target.query], target)?;
                }
            }
            Ok(())
        })?;
    }
    Ok(targets)
}

/// Begins to read: all that follows is of one moment, and the file is locked once instead of for each of thousands of statements.
fn at_once<'c>(c: &'c Connection, path: &Path) -> Result<rusqlite::Transaction<'c>> {
    c.unchecked_transaction().map_err(|e| Error::sqlite(path, &e))
}

/// The series of all queries' metrics.
fn targets(dir: &Path, readers: &Readers, queries: &[MetricQuery]) -> Result<Vec<Target>> {
    let path = dir.join(cells::CATALOGUE);
    let mut origins = Vec::with_capacity(queries.len());
    for query in queries {
        origins.push(checked_start(query.period_s, query.start_ms, query.end_ms, query.now_ms)?);
    }
    let found = readers.read(&path, |c| {
        let _whole = at_once(c, &path)?;
        let mut targets = Vec::with_capacity(queries.len());
        for (place, query) in queries.iter().enumerate() {
            let origin_ms = origins[place];
            let start_ms = origin_ms.max(oldest(query.period_s, query.now_ms));
            let series = series(c, &query.metric).map_err(|e| Error::sqlite(&path, &e))?;
            let known = series.into_iter().filter_map(|(series, unit)| Some((series, Unit::parse(&unit)?)));
            let wanted = known.filter(|(_, unit)| query.unit.is_none_or(|wanted| wanted == *unit));
            targets.extend(wanted.map(|(series, unit)| Target {
                query: place,
                series,
                unit,
                origin_ms,
                start_ms,
                periods: BTreeMap::new(),
            }));
        }
        Ok(targets)
    })?;
    Ok(found.unwrap_or_default())
}

fn series(c: &Connection, metric: &Metric) -> rusqlite::Result<Vec<(i64, String)>> {
    let Metric { scope, namespace, name, dimensions } = metric;
    c.prepare_cached(
        "SELECT id, unit FROM series
         WHERE scope = ? AND namespace = ? AND name = ? AND dimensions = ? ORDER BY unit",
    )?
    .query_map(params![scope.key(), namespace, name, dimensions.to_text()], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?
    .collect()
}

/// Adds a day's rows. Of a row no more is decoded than the statistics need.
fn read_day(c: &Connection, path: &Path, query: &MetricQuery, target: &mut Target) -> Result<()> {
    let fail = |e: rusqlite::Error| Error::sqlite(path, &e);
    let period_ms = i64::from(query.period_s) * 1000;
    let is_extended = query.stats.iter().any(|stat| stat.is_extended());
    let mut statement = c
        .prepare_cached("SELECT at_ms, aggregate FROM point WHERE series = ? AND at_ms >= ? AND at_ms < ?")
        .map_err(fail)?;
    let mut rows = statement.query([target.series, target.start_ms, query.end_ms]).map_err(fail)?;
    while let Some(row) = rows.next().map_err(fail)? {
        let at_ms: i64 = row.get(0).map_err(fail)?;
        let bytes = row.get_ref(1).map_err(fail)?.as_blob().unwrap_or_default();
        let aggregate = match is_extended {
            true => Aggregate::decode(bytes),
            false => Aggregate::decode_totals(bytes).map(|(totals, _)| totals),
        };
        let aggregate = aggregate.ok_or_else(|| Error::corrupt(path, "an aggregate can't be read"))?;
        let period = (at_ms - target.origin_ms).div_euclid(period_ms) * period_ms + target.origin_ms;
        target.periods.entry(period).or_default().merge(&aggregate);
    }
    Ok(())
}

/// The days that may have a file. A few are tried without looking into the folder: alarms ask for minutes, often.
pub(super) fn days(dir: &Path, first: Day, last: Day) -> Result<Vec<Day>> {
    if last.0 - first.0 < DAYS_TRIED {
        return Ok((first.0..=last.0).map(Day).collect());
    }
    Ok(Day::list(dir)?.into_iter().filter(|day| (first..=last).contains(day)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn a_start_is_rounded_by_its_age() {
        let now = 1_763_900_000_000;
        for (age, period, step) in [
            (HOUR, 60, 60),
            (HOUR, 300, 60),
            (16 * DAY_MS, 300, 300),
            (64 * DAY_MS, 3600, 3600),
            (HOUR, 10, 10),
            (HOUR, 1, 1),
        ] {
            let start = now - age + 12_345;
            let rounded = aligned_start(start, period, now);
            assert!(rounded <= start && start - rounded < step * 1000, "{age} {period}");
            assert_eq!(rounded % (step * 1000), 0, "{age} {period}");
        }
    }

    #[test]
    fn old_samples_are_read_at_coarse_periods_only() {
        for (period, age) in [(1, SECONDS_AGE_MS), (60, 15 * DAY_MS), (240, 15 * DAY_MS), (300, 63 * DAY_MS)]
        {
            assert_eq!(oldest(period, 0), -age);
        }
        assert_eq!(oldest(7200, 0), -455 * DAY_MS);
    }
}
