//! What happens to metrics with age: fine periods give way to coarser ones, then to nothing.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::{Aggregate, MetricWriter};
use crate::day::{DAY_MS, Day};
use crate::error::{Error, Result};
use crate::sqlite::Readers;

/// Days after which a day is kept at this many seconds only. Source: CloudWatch, metric retention.
const TIERS: [(i64, u32); 2] = [(63, 3600), (15, 300)];
/// Days after which nothing is kept.
const DAYS_KEPT: i64 = 455;

impl MetricWriter {
    /// Rolls days up to the period of their age, deletes those that are too old, and forgets metrics that have no
    /// points left. May be stopped and repeated at any point: each series of a day changes in a transaction of its own.
    pub fn sweep(&mut self, now_ms: i64, readers: &Readers) -> Result<()> {
        let today = Day::of(now_ms);
        self.forget_rows();
        for day in self.files.days()? {
            let age = today.0 - day.0;
            if age > DAYS_KEPT {
                // One that is being read goes with a later sweep.
                let path = day.path(self.files.dir());
                readers.delete_unused(&path, || self.files.delete(day))?;
            } else if let Some(&(_, seconds)) = TIERS.iter().find(|(days, _)| age > *days) {
                self.roll_up(day, seconds)?;
            }
        }
        self.catalogue().remove_idle(now_ms - (DAYS_KEPT + 1) * DAY_MS)
    }

    fn roll_up(&mut self, day: Day, seconds: u32) -> Result<()> {
        let file = self.files.get(day)?;
        let finer: Vec<i64> = file.run(|c| {
            c.prepare("SELECT DISTINCT series FROM point WHERE seconds < ?")?
                .query_map([seconds], |row| row.get(0))?
                .collect()
        })?;
        for series in &finer {
            let rows = file.run(|c| rows(c, *series))?;
            let mut periods: BTreeMap<i64, Aggregate> = BTreeMap::new();
            let length = i64::from(seconds) * 1000;
            for (at_ms, bytes) in rows {
                let aggregate = Aggregate::decode(&bytes)
                    .ok_or_else(|| Error::corrupt(&file.path, "an aggregate can't be read"))?;
                periods.entry(at_ms.div_euclid(length) * length).or_default().merge(&aggregate);
            }
            file.begin()?;
            let replaced = file.run(|c| replace(c, *series, &periods, seconds));
            replaced.and_then(|()| file.commit()).inspect_err(|_| file.roll_back())?;
        }
        if !finer.is_empty() {
            file.give_back()?;
        }
        Ok(())
    }
}

fn rows(c: &Connection, series: i64) -> rusqlite::Result<Vec<(i64, Vec<u8>)>> {
    c.prepare_cached("SELECT at_ms, aggregate FROM point WHERE series = ?")?
        .query_map([series], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

fn replace(
    c: &Connection,
    series: i64,
    periods: &BTreeMap<i64, Aggregate>,
    seconds: u32,
) -> rusqlite::Result<()> {
    c.prepare_cached("DELETE FROM point WHERE series = ?")?.execute([series])?;
    let mut insert =
        c.prepare_cached("INSERT INTO point (series, at_ms, seconds, aggregate) VALUES (?, ?, ?, ?)")?;
    for (at_ms, aggregate) in periods {
        insert.execute(params![series, at_ms, seconds, aggregate.encode()])?;
    }
    Ok(())
}
