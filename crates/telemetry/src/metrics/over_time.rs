//! One statistic over time, for many metrics at once: what graphs and metric math ask.
//!
//! Rows are read day by day, so that a day's file is opened once however many series are asked for, and series by series, as
//! they lie in the file. Of a row no more is decoded than the statistic needs.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use rusqlite::{Connection, params};

use super::query::{checked_start, days, oldest};
use super::{Aggregate, Metric, Stat, cells};
use crate::day::Day;
use crate::error::{Error, Result};
use crate::sqlite::Readers;

/// Periods with samples that one read may find, over all its queries. CloudWatch throttles calls beyond 396,000 a second.
pub const POINTS_PER_READ: usize = 2_000_000;

/// Rows of the files that one read may go through: some seconds' work.
pub const ROWS_PER_READ: u64 = 10_000_000;

/// What is asked of one metric, or of several as one.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesQuery {
    /// All samples of several metrics count together, whatever their units; of a single metric those of the unit that was
    /// measured last.
    pub metrics: Vec<Metric>,
    /// Only samples of this unit.
    pub unit: Option<super::Unit>,
    /// Period, start, end and now are as in [`MetricQuery`](super::MetricQuery).
    pub period_s: u32,
    pub start_ms: i64,
    pub end_ms: i64,
    pub now_ms: i64,
    pub stat: Stat,
}

/// A series to be read, and what has been read of it where it stands alone.
struct Target {
    query: usize,
    series: i64,
    start_ms: i64,
    /// Periods that are over; no number where the statistic isn't known.
    values: Vec<(i64, f64)>,
    last: Option<(i64, Aggregate)>,
}

/// What is read of metrics that count together, by query.
type Groups = HashMap<usize, BTreeMap<i64, Aggregate>>;

/// How much a read has found.
#[derive(Default)]
struct Spent {
    rows: u64,
    points: usize,
}

pub(crate) fn read_series(
    dir: &Path,
    readers: &Readers,
    queries: &[SeriesQuery],
) -> Result<Vec<Vec<(i64, f64)>>> {
    let mut targets = targets(dir, readers, queries)?;
    let mut groups: Groups = HashMap::new();
    for (place, query) in queries.iter().enumerate() {
        let distinct: HashSet<&Metric> = query.metrics.iter().collect();
        if distinct.len() > 1 {
            groups.insert(place, BTreeMap::new());
        }
    }
    let wanted = |target: &Target, day: Day| {
        let query = &queries[target.query];
        let first = target.start_ms.max(oldest(query.period_s, query.now_ms));
        first < query.end_ms && (Day::of(first)..=Day::of(query.end_ms - 1)).contains(&day)
    };
    let mut spent = Spent::default();
    for day in all_days(dir, queries, &targets)? {
        if !targets.iter().any(|target| wanted(target, day)) {
            continue;
        }
        let path = day.path(dir);
        readers.read(&path, |c| {
            for target in targets.iter_mut().filter(|target| wanted(target, day)) {
                let group = groups.get_mut(&target.query);
                read_day(c, &path, &queries[target.query], target, group, &mut spent)?;
            }
            Ok(())
        })?;
    }
    Ok(series(queries, targets, groups))
}

/// The series of all queries' metrics.
fn targets(dir: &Path, readers: &Readers, queries: &[SeriesQuery]) -> Result<Vec<Target>> {
    let path = dir.join(cells::CATALOGUE);
    let mut starts = Vec::with_capacity(queries.len());
    for query in queries {
        starts.push(checked_start(query.period_s, query.start_ms, query.end_ms, query.now_ms)?);
    }
    let found = readers.read(&path, |c| {
        let mut targets = Vec::new();
        for (place, query) in queries.iter().enumerate() {
            for metric in &query.metrics {
                let ids = series_of(c, metric, query).map_err(|e| Error::sqlite(&path, &e))?;
                let start_ms = starts[place];
                targets.extend(ids.into_iter().map(|series| Target {
                    query: place,
                    series,
                    start_ms,
                    values: Vec::new(),
                    last: None,
                }));
            }
        }
        Ok(targets)
    })?;
    Ok(found.unwrap_or_default())
}

fn series_of(c: &Connection, metric: &Metric, query: &SeriesQuery) -> rusqlite::Result<Vec<i64>> {
    let Metric { scope, namespace, name, dimensions } = metric;
    c.prepare_cached(
        "SELECT id FROM series WHERE scope = ? AND namespace = ? AND name = ? AND dimensions = ?
         AND (?5 IS NULL OR unit = ?5) ORDER BY unit",
    )?
    .query_map(
        params![scope.key(), namespace, name, dimensions.to_text(), query.unit.map(super::Unit::as_str)],
        |row| row.get(0),
    )?
    .collect()
}

/// The days that one of the queries may need, oldest first.
fn all_days(dir: &Path, queries: &[SeriesQuery], targets: &[Target]) -> Result<Vec<Day>> {
    let ranges = targets.iter().filter_map(|target| {
        let query = &queries[target.query];
        let first = target.start_ms.max(oldest(query.period_s, query.now_ms));
        (first < query.end_ms).then(|| (Day::of(first), Day::of(query.end_ms - 1)))
    });
    match ranges.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1))) {
        Some((first, last)) => days(dir, first, last),
        None => Ok(Vec::new()),
    }
}

/// Adds a day's rows. They come by time, so a row belongs to the last period or begins a new one.
fn read_day(
    c: &Connection,
    path: &Path,
    query: &SeriesQuery,
    target: &mut Target,
    mut group: Option<&mut BTreeMap<i64, Aggregate>>,
    spent: &mut Spent,
) -> Result<()> {
    let fail = |e: rusqlite::Error| Error::sqlite(path, &e);
    let period_ms = i64::from(query.period_s) * 1000;
    let start_ms = target.start_ms.max(oldest(query.period_s, query.now_ms));
    let mut statement = c
        .prepare_cached("SELECT at_ms, aggregate FROM point WHERE series = ? AND at_ms >= ? AND at_ms < ?")
        .map_err(fail)?;
    let mut rows = statement.query([target.series, start_ms, query.end_ms]).map_err(fail)?;
    while let Some(row) = rows.next().map_err(fail)? {
        let at_ms: i64 = row.get(0).map_err(fail)?;
        let bytes = row.get_ref(1).map_err(fail)?.as_blob().unwrap_or_default();
        let aggregate = decode(bytes, query.stat);
        let aggregate = aggregate.ok_or_else(|| Error::corrupt(path, "an aggregate can't be read"))?;
        let period = (at_ms - target.start_ms).div_euclid(period_ms) * period_ms + target.start_ms;
        spent.rows += 1;
        spent.points += usize::from(match &mut group {
            Some(group) => add(group, period, aggregate),
            None => target.add(period, aggregate, query.stat),
        });
        spent.check()?;
    }
    Ok(())
}

/// The distribution is most of the work, and few statistics need it.
fn decode(bytes: &[u8], stat: Stat) -> Option<Aggregate> {
    if stat.is_extended() {
        return Aggregate::decode(bytes);
    }
    Aggregate::decode_totals(bytes).map(|(totals, _)| totals)
}

impl Spent {
    fn check(&self) -> Result<()> {
        if self.points > POINTS_PER_READ {
            return Err(Error::TooManyDatapoints {
                asked: self.points as u64,
                limit: POINTS_PER_READ as u64,
            });
        }
        if self.rows > ROWS_PER_READ {
            return Err(Error::TooManyDatapoints { asked: self.rows, limit: ROWS_PER_READ });
        }
        Ok(())
    }
}

impl Target {
    /// Whether the period is a new one.
    fn add(&mut self, period: i64, aggregate: Aggregate, stat: Stat) -> bool {
        if let Some((at_ms, last)) = &mut self.last
            && *at_ms == period
        {
            last.merge(&aggregate);
            return false;
        }
        self.close(stat);
        self.last = Some((period, aggregate));
        true
    }

    fn close(&mut self, stat: Stat) {
        let last = self.last.take();
        self.values.extend(last.map(|(at_ms, aggregate)| (at_ms, aggregate.stat(stat).unwrap_or(f64::NAN))));
    }
}

/// Whether the period is a new one.
fn add(group: &mut BTreeMap<i64, Aggregate>, period: i64, aggregate: Aggregate) -> bool {
    match group.entry(period) {
        Entry::Vacant(entry) => {
            entry.insert(aggregate);
            true
        }
        Entry::Occupied(mut entry) => {
            entry.get_mut().merge(&aggregate);
            false
        }
    }
}

/// Each query's points: of one unit where it is of one metric, of all that was found where it is of several.
fn series(queries: &[SeriesQuery], targets: Vec<Target>, mut groups: Groups) -> Vec<Vec<(i64, f64)>> {
    let mut units: Vec<Vec<(i64, f64)>> = vec![Vec::new(); queries.len()];
    for mut target in targets {
        target.close(queries[target.query].stat);
        // Of units that were measured equally late the first stays.
        let kept = &mut units[target.query];
        if target.values.last().map(|point| point.0) > kept.last().map(|point| point.0) {
            *kept = target.values;
        }
    }
    let points = |(place, alone): (usize, Vec<(i64, f64)>)| {
        let value =
            |(at_ms, aggregate): (i64, Aggregate)| Some((at_ms, aggregate.stat(queries[place].stat)?));
        match groups.remove(&place) {
            Some(group) => group.into_iter().filter_map(value).collect(),
            None => alone.into_iter().filter(|point| !point.1.is_nan()).collect(),
        }
    };
    units.into_iter().enumerate().map(points).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_finds_no_more_than_it_may() {
        let spent = |rows, points| Spent { rows, points }.check().is_ok();
        assert!(spent(ROWS_PER_READ, POINTS_PER_READ));
        assert!(!spent(ROWS_PER_READ, POINTS_PER_READ + 1));
        assert!(!spent(ROWS_PER_READ + 1, POINTS_PER_READ));
    }
}
