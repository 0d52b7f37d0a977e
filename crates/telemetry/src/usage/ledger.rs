use std::collections::{HashMap, HashSet};
use std::path::Path;

use pitbird_names::{Month, Scope};
use rusqlite::{OptionalExtension, params};

use super::{
    INGESTED_BYTES, LOG_GROUP, LOGS, Level, METRIC_HOURS, METRICS, NAMESPACE, STORED_BYTE_MINUTES, Subject,
};
use crate::Durability;
use crate::error::Result;
use crate::metrics::Dimensions;
use crate::sqlite::{Database, Schema};

/// The ledger's file in the folder of telemetry.
pub(crate) const LEDGER: &str = "usage.db";

const SCHEMA: Schema = Schema {
    format: 1,
    sql: "CREATE TABLE subject (
              id INTEGER PRIMARY KEY,
              scope TEXT NOT NULL, service TEXT NOT NULL, names TEXT NOT NULL,
              UNIQUE (scope, service, names));
          CREATE TABLE used (
              month INTEGER NOT NULL, subject INTEGER NOT NULL, quantity TEXT NOT NULL,
              amount INTEGER NOT NULL,
              PRIMARY KEY (month, subject, quantity)) WITHOUT ROWID;
          CREATE TABLE metric (series INTEGER PRIMARY KEY, hour INTEGER NOT NULL);
          CREATE TABLE told (name TEXT PRIMARY KEY, minute INTEGER NOT NULL) WITHOUT ROWID;",
};

/// Subjects that are told apart; what comes after counts for its service alone.
const SUBJECTS_MAX: i64 = 100_000;
/// Months that are kept, this one among them.
const MONTHS_KEPT: i32 = 15;
/// Amounts that wait in memory while nothing can be written; beyond it new ones are lost with a word in the log.
const PENDING_MAX: usize = 100_000;
/// Metrics of which it is remembered that they count for this hour already.
const METRICS_REMEMBERED: usize = 100_000;
const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;

/// Where an amount belongs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Place {
    month: Month,
    /// The scope's key.
    scope: String,
    service: String,
    names: Dimensions,
    quantity: String,
}

/// The writer's side of usage.
pub(crate) struct Ledger {
    file: Database,
    limits: Limits,
    subjects: i64,
    /// What isn't on disk yet.
    pending: HashMap<Place, u64>,
    /// Metrics that have got data, with the hour, scope and namespace; the file knows whether they count already.
    metrics: HashMap<i64, (i64, String, String)>,
    /// The hour, and the metrics that count for it on disk.
    counted: (i64, HashSet<i64>),
    /// Up to which minute levels have been counted, by their name; those that aren't on disk yet.
    told: HashMap<String, i64>,
}

struct Limits {
    subjects: i64,
    pending: usize,
}

impl Ledger {
    pub fn open(dir: &Path, durability: Durability) -> Result<Ledger> {
        let file = Database::open(dir.join(LEDGER), &SCHEMA, durability)?;
        let subjects = file.run(|c| c.query_row("SELECT count(*) FROM subject", [], |row| row.get(0)))?;
        Ok(Ledger {
            file,
            limits: Limits { subjects: SUBJECTS_MAX, pending: PENDING_MAX },
            subjects,
            pending: HashMap::new(),
            metrics: HashMap::new(),
            counted: Default::default(),
            told: HashMap::new(),
        })
    }

    /// Adds to what a subject has used in the month of `at_ms`.
    pub fn add(&mut self, at_ms: i64, subject: &Subject, quantity: &str, amount: u64) {
        let Subject { scope, service, names } = subject;
        let (scope, service, names) = (scope.key(), service.clone(), names.clone());
        self.put(
            Place { month: Month::of(at_ms), scope, service, names, quantity: quantity.to_owned() },
            amount,
        );
    }

    /// Bytes have been filed in a log group.
    pub fn filed(&mut self, at_ms: i64, scope: &Scope, group: &str, bytes: u64) {
        self.put(log_place(Month::of(at_ms), scope.key(), group, INGESTED_BYTES), bytes);
    }

    /// A metric that isn't a service's own has got data.
    pub fn metric(&mut self, at_ms: i64, series: i64, scope: &Scope, namespace: &str) {
        let hour = at_ms.div_euclid(HOUR_MS);
        if self.counted.0 == hour && self.counted.1.contains(&series) {
            return;
        }
        if self.metrics.len() < self.limits.pending {
            self.metrics.insert(series, (hour, scope.key(), namespace.to_owned()));
        }
    }

    /// Counts levels for the minutes that have passed since levels were last told under this name; nothing the first time.
    /// Time that passed while nobody ran counts too: what is configured was there.
    pub fn tell(&mut self, name: &str, now_ms: i64, levels: &[Level]) -> Result<()> {
        for (month, minutes) in self.passed(name, now_ms)? {
            for Level { subject, quantity, amount } in levels {
                let Subject { scope, service, names } = subject;
                let (scope, service, names) = (scope.key(), service.clone(), names.clone());
                let place = Place { month, scope, service, names, quantity: quantity.clone() };
                self.put(place, amount.saturating_mul(minutes));
            }
        }
        Ok(())
    }

    /// The same for what log groups hold: scopes' keys, groups and bytes.
    pub fn tell_stored(&mut self, now_ms: i64, stored: &[(String, String, u64)]) -> Result<()> {
        for (month, minutes) in self.passed(STORED_BYTE_MINUTES, now_ms)? {
            for (scope, group, bytes) in stored {
                let place = log_place(month, scope.clone(), group, STORED_BYTE_MINUTES);
                self.put(place, bytes.saturating_mul(minutes));
            }
        }
        Ok(())
    }

    /// Whole minutes by month since the name was last told; from now on they are told.
    fn passed(&mut self, name: &str, now_ms: i64) -> Result<Vec<(Month, u64)>> {
        let now = now_ms.div_euclid(MINUTE_MS);
        let last = match self.told.get(name) {
            Some(minute) => Some(*minute),
            None => self.file.run(|c| {
                c.prepare_cached("SELECT minute FROM told WHERE name = ?")?
                    .query_row([name], |row| row.get(0))
                    .optional()
            })?,
        };
        // A clock that was set back tells nothing until it has caught up.
        if last.is_none_or(|last| now > last) {
            self.told.insert(name.to_owned(), now);
        }
        Ok(last.map_or_else(Vec::new, |last| minutes_by_month(last, now)))
    }

    fn put(&mut self, place: Place, amount: u64) {
        if amount == 0 {
            return;
        }
        if self.pending.len() >= self.limits.pending && !self.pending.contains_key(&place) {
            tracing::error!(quantity = place.quantity, amount, "usage lost: it can't be written");
            return;
        }
        let sum = self.pending.entry(place).or_default();
        *sum = sum.saturating_add(amount);
    }

    /// Writes what has come, in one transaction. On an error all of it stays in memory and goes with the next batch.
    pub fn commit(&mut self) -> Result<()> {
        if self.pending.is_empty() && self.metrics.is_empty() && self.told.is_empty() {
            return Ok(());
        }
        let subjects = self.subjects;
        let written = self.write().and_then(|()| self.file.commit());
        if let Err(error) = written {
            self.file.roll_back();
            self.subjects = subjects;
            return Err(error);
        }
        self.pending.clear();
        self.told.clear();
        for (series, (hour, ..)) in self.metrics.drain() {
            if hour > self.counted.0 || self.counted.1.len() >= METRICS_REMEMBERED {
                self.counted = (hour.max(self.counted.0), HashSet::new());
            }
            if hour == self.counted.0 {
                self.counted.1.insert(series);
            }
        }
        Ok(())
    }

    fn write(&mut self) -> Result<()> {
        self.file.begin()?;
        let new_hours: Vec<(Place, u64)> = self.metric_hours()?;
        let mut subjects = self.subjects;
        let amounts = self.pending.iter().map(|(place, amount)| (place, *amount));
        for (place, amount) in amounts.chain(new_hours.iter().map(|(place, amount)| (place, *amount))) {
            let subject = subject(&self.file, place, &mut subjects, self.limits.subjects)?;
            add(&self.file, place, subject, amount)?;
        }
        for (name, minute) in &self.told {
            self.file.run(|c| {
                c.prepare_cached(
                    "INSERT INTO told (name, minute) VALUES (?, ?)
                     ON CONFLICT DO UPDATE SET minute = excluded.minute",
                )?
                .execute(params![name, minute])
            })?;
        }
        self.subjects = subjects;
        Ok(())
    }

    /// The hours that metrics count for which they didn't before.
    fn metric_hours(&self) -> Result<Vec<(Place, u64)>> {
        let mut hours: HashMap<Place, u64> = HashMap::new();
        for (series, (hour, scope, namespace)) in &self.metrics {
            let is_new = self.file.run(|c| {
                c.prepare_cached(
                    "INSERT INTO metric (series, hour) VALUES (?, ?)
                     ON CONFLICT DO UPDATE SET hour = excluded.hour WHERE excluded.hour > hour",
                )?
                .execute(params![series, hour])
            })?;
            let place = Place {
                month: Month::of(hour * HOUR_MS),
                scope: scope.clone(),
                service: METRICS.to_owned(),
                names: [(NAMESPACE, namespace.as_str())].into_iter().collect(),
                quantity: METRIC_HOURS.to_owned(),
            };
            *hours.entry(place).or_default() += is_new as u64;
        }
        Ok(hours.into_iter().filter(|(_, count)| *count > 0).collect())
    }

    /// Forgets months that are too old, and whom nothing is kept of any more.
    pub fn sweep(&mut self, now_ms: i64) -> Result<()> {
        let oldest = Month::of(now_ms).number() - MONTHS_KEPT + 1;
        let hour = now_ms.div_euclid(HOUR_MS);
        self.file.run(|c| c.execute("DELETE FROM metric WHERE hour < ?", [hour - 1]))?;
        let gone = self.file.run(|c| c.execute("DELETE FROM used WHERE month < ?", [oldest]))?;
        if gone == 0 {
            return Ok(());
        }
        let gone = "DELETE FROM subject WHERE id NOT IN (SELECT subject FROM used)";
        let gone = self.file.run(|c| c.execute(gone, []))?;
        self.subjects -= gone as i64;
        self.file.give_back()
    }
}

fn log_place(month: Month, scope: String, group: &str, quantity: &str) -> Place {
    let names = [(LOG_GROUP, group)].into_iter().collect();
    Place { month, scope, service: LOGS.to_owned(), names, quantity: quantity.to_owned() }
}

/// The number of a subject, made if there is room for it; else that of its service as a whole.
fn subject(file: &Database, place: &Place, subjects: &mut i64, limit: i64) -> Result<i64> {
    let find = |names: &str| {
        file.run(|c| {
            c.prepare_cached("SELECT id FROM subject WHERE scope = ? AND service = ? AND names = ?")?
                .query_row(params![place.scope, place.service, names], |row| row.get(0))
                .optional()
        })
    };
    let names = place.names.to_text();
    if let Some(id) = find(&names)? {
        return Ok(id);
    }
    let has_room = *subjects < limit;
    let names = if has_room { names } else { Dimensions::none().to_text() };
    if !has_room && let Some(id) = find(&names)? {
        return Ok(id);
    }
    *subjects += 1;
    file.run(|c| {
        c.prepare_cached("INSERT INTO subject (scope, service, names) VALUES (?, ?, ?)")?.insert(params![
            place.scope,
            place.service,
            names
        ])
    })
}

fn add(file: &Database, place: &Place, subject: i64, amount: u64) -> Result<()> {
    let amount = i64::try_from(amount).unwrap_or(i64::MAX);
    file.run(|c| {
        // SQLite would go on in floating point beyond the largest integer.
        c.prepare_cached(
            "INSERT INTO used (month, subject, quantity, amount) VALUES (?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET amount = CASE
                 WHEN amount > 9223372036854775807 - excluded.amount THEN 9223372036854775807
                 ELSE amount + excluded.amount END",
        )?
        .execute(params![place.month.number(), subject, place.quantity, amount])
    })?;
    Ok(())
}

/// The minutes from one to another, by month; of a longer time those of the months that are kept.
fn minutes_by_month(from: i64, to: i64) -> Vec<(Month, u64)> {
    let of = |minute: i64| Month::of(minute.saturating_mul(MINUTE_MS));
    let mut from = from;
    let mut spans = Vec::new();
    while from < to {
        let month = of(from);
        // Never more than 31 days to the next month; found by halving, since months have no even length.
        let (mut low, mut high) = (from, from + 31 * 1440);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if of(middle) == month { low = middle } else { high = middle }
        }
        if month.number() + MONTHS_KEPT > of(to).number() {
            spans.push((month, (high.min(to) - from) as u64));
        }
        from = high;
    }
    spans
}

#[cfg(test)]
mod tests;
