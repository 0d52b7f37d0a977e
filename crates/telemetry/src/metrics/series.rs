//! The catalogue of series: which metrics exist, under which number their points are filed, and when they last moved.

use std::collections::HashMap;
use std::path::PathBuf;

use rusqlite::{OptionalExtension, params};

use super::{Metric, Unit};
use crate::Durability;
use crate::error::{Error, Result};
use crate::sqlite::{Database, Schema};

pub(crate) const SCHEMA: Schema = Schema {
    format: 1,
    sql: "CREATE TABLE series (
              id INTEGER PRIMARY KEY AUTOINCREMENT,
              scope TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, dimensions TEXT NOT NULL,
              unit TEXT NOT NULL,
              seen_ms INTEGER NOT NULL,
              UNIQUE (scope, namespace, name, dimensions, unit));",
};

/// Series remembered between batches; beyond it all are forgotten and looked up again.
const REMEMBERED: usize = 20_000;
/// How stale the catalogue's idea of a series' last sample may be, milliseconds.
const SEEN_STEP_MS: i64 = 60_000;

pub(crate) struct Catalogue {
    pub file: Database,
    known: HashMap<(Metric, Unit), i64>,
    seen: HashMap<i64, i64>,
    count: usize,
    limit: usize,
    /// Rises when series are removed, so that numbers remembered elsewhere are looked up again.
    pub generation: u64,
}

impl Catalogue {
    pub fn open(path: PathBuf, limit: usize, durability: Durability) -> Result<Catalogue> {
        let file = Database::open(path, &SCHEMA, durability)?;
        let count: i64 = file.run(|c| c.query_row("SELECT count(*) FROM series", [], |row| row.get(0)))?;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        Ok(Catalogue { file, known: HashMap::new(), seen: HashMap::new(), count, limit, generation: 1 })
    }

    /// The series' number; made in this batch's transaction if it is new.
    pub fn resolve(&mut self, metric: &Metric, unit: Unit, now_ms: i64) -> Result<i64> {
        // The key is built for the look-up only when it isn't known: the map takes no borrowed pair.
        let key = (metric.clone(), unit);
        if let Some(&id) = self.known.get(&key) {
            return Ok(id);
        }
        let found = self.find(metric, unit)?;
        let id = match found {
            Some((id, seen_ms)) => {
                self.seen.insert(id, seen_ms);
                id
            }
            None => self.insert(metric, unit, now_ms)?,
        };
        self.known.insert(key, id);
        Ok(id)
    }

    fn find(&self, metric: &Metric, unit: Unit) -> Result<Option<(i64, i64)>> {
        let Metric { scope, namespace, name, dimensions } = metric;
        self.file.run(|c| {
            c.prepare_cached(
                "SELECT id, seen_ms FROM series
                 WHERE scope = ? AND namespace = ? AND name = ? AND dimensions = ? AND unit = ?",
            )?
            .query_row(params![scope.key(), namespace, name, dimensions.to_text(), unit.as_str()], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()
        })
    }

    fn insert(&mut self, metric: &Metric, unit: Unit, now_ms: i64) -> Result<i64> {
        if self.count >= self.limit {
            return Err(Error::TooManyMetrics { limit: self.limit });
        }
        self.file.begin()?;
        let Metric { scope, namespace, name, dimensions } = metric;
        let id = self.file.run(|c| {
            c.prepare_cached(
                "INSERT INTO series (scope, namespace, name, dimensions, unit, seen_ms) VALUES (?, ?, ?, ?, ?, ?)",
            )?
            .insert(params![scope.key(), namespace, name, dimensions.to_text(), unit.as_str(), now_ms])
        })?;
        self.count += 1;
        self.seen.insert(id, now_ms);
        Ok(id)
    }

    /// Notes that a series has moved; the catalogue hears of it at most once a minute.
    pub fn touch(&mut self, id: i64, now_ms: i64) -> Result<()> {
        if self.seen.get(&id).is_some_and(|seen| now_ms < seen + SEEN_STEP_MS) {
            return Ok(());
        }
        self.file.begin()?;
        self.file.run(|c| {
            c.prepare_cached("UPDATE series SET seen_ms = max(seen_ms, ?) WHERE id = ?")?
                .execute([now_ms, id])
        })?;
        self.seen.insert(id, now_ms);
        Ok(())
    }

    pub fn commit(&mut self) -> Result<()> {
        self.file.commit()?;
        if self.known.len() > REMEMBERED || self.seen.len() > REMEMBERED {
            self.known.clear();
            self.seen.clear();
        }
        Ok(())
    }

    /// Undoes the batch, and forgets numbers that it may have made.
    pub fn roll_back(&mut self) {
        self.file.roll_back();
        self.forget();
    }

    fn forget(&mut self) {
        self.known.clear();
        self.seen.clear();
        self.generation += 1;
        let count =
            self.file.run(|c| c.query_row("SELECT count(*) FROM series", [], |row| row.get::<_, i64>(0)));
        self.count = count.ok().and_then(|count| usize::try_from(count).ok()).unwrap_or(self.count);
    }

    /// Removes series that haven't moved since `before_ms`.
    pub fn remove_idle(&mut self, before_ms: i64) -> Result<()> {
        let removed = self.file.run(|c| c.execute("DELETE FROM series WHERE seen_ms < ?", [before_ms]))?;
        if removed > 0 {
            self.forget();
        }
        Ok(())
    }
}
