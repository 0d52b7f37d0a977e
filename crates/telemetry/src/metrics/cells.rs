//! The writer's side of metrics: samples in, aggregates by period out, one row each.
//!
//! A row holds the whole aggregate of its period. The writer keeps the rows of recent periods in memory and writes them
//! anew when they have changed; an older row is read first. So a row is right whenever it is committed, and readers
//! need nothing but the files.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, PoisonError};

use pitbird_names::Scope;
use rusqlite::{OptionalExtension, params};

use super::probe::{Open, Resolved};
use super::series::Catalogue;
use super::{Aggregate, Custom, Datum, Measured, Metric, Probe, Probes, Unit, Watched};
use crate::Config;
use crate::day::Day;
use crate::error::{Error, Result};
use crate::sqlite::{DayFiles, Schema};
use crate::usage::Ledger;

pub(crate) const SCHEMA: Schema = Schema {
    format: 1,
    sql: "CREATE TABLE point (
              series INTEGER NOT NULL, at_ms INTEGER NOT NULL,
              seconds INTEGER NOT NULL,
              aggregate BLOB NOT NULL,
              PRIMARY KEY (series, at_ms, seconds)) WITHOUT ROWID;",
};

/// Metrics of namespaces that begin so are services' own and cost nothing.
const OWN_NAMESPACES: &str = "AWS/";
/// How long a period stays in memory after its start, milliseconds.
const KEPT_MS: i64 = 180_000;
/// How often memory is looked through for what may go, milliseconds.
const TIDY_MS: i64 = 10_000;
/// Periods in memory; beyond it all that are on disk are dropped.
const CELLS: usize = 20_000;

/// Where a row is: series, start of the period, seconds of the period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Place {
    series: i64,
    at_ms: i64,
    seconds: u32,
}

struct Cell {
    aggregate: Aggregate,
    changed: bool,
}

pub(crate) struct MetricWriter {
    catalogue: Catalogue,
    pub(super) files: DayFiles,
    cells: HashMap<Place, Cell>,
    changed: Vec<Place>,
    probes: Arc<Probes>,
    watched: Watched,
    custom: Custom,
    tidy_ms: i64,
}

/// The catalogue's file in the folder of metrics.
pub(crate) const CATALOGUE: &str = "series.db";

impl MetricWriter {
    pub fn open(dir: &Path, config: &Config, probes: Arc<Probes>, watched: Watched) -> Result<MetricWriter> {
        let catalogue = Catalogue::open(dir.join(CATALOGUE), config.metrics_max, config.durability)?;
        let files = DayFiles::new(dir.to_path_buf(), &SCHEMA, config.durability);
        Ok(MetricWriter {
            catalogue,
            files,
            cells: HashMap::new(),
            changed: Vec::new(),
            probes,
            watched,
            custom: Custom::default(),
            tidy_ms: 0,
        })
    }

    /// Where totals of callers' own metrics are found.
    pub fn custom(&self) -> Custom {
        self.custom.clone()
    }

    /// Adds what a caller has put. Durable after [`MetricWriter::commit`].
    pub fn put(
        &mut self,
        scope: &Scope,
        namespace: &str,
        data: Vec<Datum>,
        now_ms: i64,
        ledger: &mut Ledger,
    ) -> Result<()> {
        let mut resolved = Vec::with_capacity(data.len());
        for datum in data {
            let Datum { name, dimensions, unit, at_ms, resolution, samples } = datum;
            let metric = Metric { scope: scope.clone(), namespace: namespace.to_owned(), name, dimensions };
            let series = self.resolve(&metric, unit, now_ms)?;
            let at_ms = at_ms.div_euclid(resolution.ms()) * resolution.ms();
            resolved.push((Place { series, at_ms, seconds: resolution.seconds() }, samples, (metric, unit)));
        }
        // New series are on disk before anything is filed under their numbers: numbers of a transaction that is undone
        // are given out again.
        self.catalogue.commit()?;
        // Every row is at hand before the first is changed, so that a call counts wholly or not at all.
        for (place, ..) in &resolved {
            self.load(*place)?;
        }
        let is_custom = !namespace.starts_with(OWN_NAMESPACES);
        for (place, samples, (metric, unit)) in resolved {
            samples.add_to(self.change(place));
            if is_custom {
                ledger.metric(now_ms, place.series, scope, namespace);
                self.custom.add(place.series, unit, &samples, || metric.clone());
            }
            if let Some(watch) = self.watched.watch() {
                let Metric { scope, namespace, name, dimensions } = &metric;
                let (mut added, series) = (Aggregate::default(), place.series);
                samples.add_to(&mut added);
                watch(&Measured { series, scope, namespace, name, dimensions, unit, samples: &added });
            }
        }
        Ok(())
    }

    /// Adds what probes have taken since they were last drained. Samples that can't be filed (there are too many metrics,
    /// their day's file is damaged) are lost with a word in the log, and hurt no others.
    pub fn drain(&mut self, now_ms: i64, ledger: &mut Ledger) {
        for probe in self.probes.take_dirty() {
            let opens = probe.drain();
            count_used(&probe, &opens, ledger);
            let filed = self
                .series_of(&probe, now_ms)
                .and_then(|series| opens.iter().try_for_each(|open| self.add(&probe, open, &series)));
            if let Err(error) = filed {
                tracing::error!(namespace = probe.spec.namespace, %error, "measurements lost");
            }
        }
    }

    fn add(&mut self, probe: &Probe, open: &Open, series: &[i64]) -> Result<()> {
        let seconds = probe.spec.resolution.seconds();
        let metrics = probe.spec.metrics.len();
        for (index, meter) in open.meters.iter().enumerate() {
            let mut taken = Aggregate::default();
            meter.drain_into(&mut taken);
            if taken.sample_count() == 0.0 {
                continue;
            }
            for set in 0..probe.spec.dimension_sets.len() {
                let place = Place { series: series[set * metrics + index], at_ms: open.start_ms, seconds };
                self.load(place)?;
                self.change(place).merge(&taken);
                if let Some(watch) = self.watched.watch() {
                    let (spec, samples, series) = (&probe.spec, &taken, place.series);
                    let (scope, namespace, dimensions) =
                        (&spec.scope, &spec.namespace, &spec.dimension_sets[set]);
                    let (name, unit) = &spec.metrics[index];
                    watch(&Measured { series, scope, namespace, name, dimensions, unit: *unit, samples });
                }
            }
        }
        Ok(())
    }

    /// The series of a probe: for each dimension set, each metric.
    fn series_of(&mut self, probe: &Probe, now_ms: i64) -> Result<Arc<[i64]>> {
        let mut resolved = probe.series.lock().unwrap_or_else(PoisonError::into_inner);
        if resolved.generation != self.catalogue.generation {
            let spec = &probe.spec;
            let mut ids = Vec::with_capacity(spec.dimension_sets.len() * spec.metrics.len());
            for dimensions in &spec.dimension_sets {
                for (name, unit) in &spec.metrics {
                    let (scope, dimensions) = (spec.scope.clone(), dimensions.clone());
                    let metric =
                        Metric { scope, namespace: spec.namespace.clone(), name: name.clone(), dimensions };
                    ids.push(self.resolve(&metric, *unit, now_ms)?);
                }
            }
            self.catalogue.commit()?;
            *resolved = Resolved { generation: self.catalogue.generation, ids: ids.into() };
        }
        Ok(resolved.ids.clone())
    }

    /// The series' number. When one can't be had, those made before it in the same call are undone.
    fn resolve(&mut self, metric: &Metric, unit: Unit, now_ms: i64) -> Result<i64> {
        self.catalogue.resolve(metric, unit, now_ms).inspect_err(|_| self.catalogue.roll_back())
    }

    /// Makes sure that the row is in memory.
    fn load(&mut self, place: Place) -> Result<()> {
        if self.cells.contains_key(&place) {
            return Ok(());
        }
        let file = self.files.get(Day::of(place.at_ms))?;
        let bytes: Option<Vec<u8>> = file.run(|c| {
            c.prepare_cached("SELECT aggregate FROM point WHERE series = ? AND at_ms = ? AND seconds = ?")?
                .query_row(params![place.series, place.at_ms, place.seconds], |row| row.get(0))
                .optional()
        })?;
        let aggregate = match bytes {
            Some(bytes) => Aggregate::decode(&bytes)
                .ok_or_else(|| Error::corrupt(&file.path, "an aggregate can't be read"))?,
            None => Aggregate::default(),
        };
        self.cells.insert(place, Cell { aggregate, changed: false });
        Ok(())
    }

    fn change(&mut self, place: Place) -> &mut Aggregate {
        let cell = self.cells.get_mut(&place).expect("a row is loaded before it is changed");
        if !cell.changed {
            cell.changed = true;
            self.changed.push(place);
        }
        &mut cell.aggregate
    }

    /// Writes what has changed, in one transaction per file. On an error everything changed stays in memory and is
    /// written with the next batch.
    pub fn commit(&mut self, now_ms: i64) -> Result<()> {
        if self.changed.is_empty() {
            return self.catalogue.commit();
        }
        if let Err(error) = self.write(now_ms) {
            self.files.roll_back();
            self.catalogue.roll_back();
            self.shed();
            return Err(error);
        }
        for place in self.changed.drain(..) {
            if let Some(cell) = self.cells.get_mut(&place) {
                cell.changed = false;
            }
        }
        self.tidy(now_ms);
        Ok(())
    }

    /// Drops from memory what is over, now and then; everything is on disk.
    fn tidy(&mut self, now_ms: i64) {
        let crowded = self.cells.len() > CELLS;
        if crowded || now_ms >= self.tidy_ms {
            self.cells.retain(|place, _| !crowded && place.at_ms + KEPT_MS > now_ms);
            self.tidy_ms = now_ms + TIDY_MS;
        }
    }

    /// Keeps memory bounded while nothing can be written: the measurements that wait are given up.
    fn shed(&mut self) {
        if self.cells.len() > CELLS {
            tracing::error!(periods = self.changed.len(), "measurements lost: they can't be written");
            self.cells.clear();
            self.changed.clear();
        }
    }

    fn write(&mut self, now_ms: i64) -> Result<()> {
        for place in &self.changed {
            self.catalogue.touch(place.series, now_ms)?;
        }
        self.catalogue.commit()?;
        // By series, as the rows lie in the file.
        self.changed.sort_unstable_by_key(|place| (Day::of(place.at_ms), place.series, place.at_ms));
        for place in &self.changed {
            let aggregate = self.cells[place].aggregate.encode();
            self.files.write(Day::of(place.at_ms))?.run(|c| {
                c.prepare_cached(
                    "INSERT INTO point (series, at_ms, seconds, aggregate) VALUES (?, ?, ?, ?)
                     ON CONFLICT DO UPDATE SET aggregate = excluded.aggregate",
                )?
                .execute(params![place.series, place.at_ms, place.seconds, aggregate])
            })?;
        }
        self.files.commit()
    }

    pub(super) fn catalogue(&mut self) -> &mut Catalogue {
        &mut self.catalogue
    }

    /// Forgets the rows in memory that are on disk.
    pub(super) fn forget_rows(&mut self) {
        self.cells.retain(|_, cell| cell.changed);
    }
}

/// What was counted beside the measurements goes to the ledger, whatever becomes of those.
fn count_used(probe: &Probe, opens: &[Open], ledger: &mut Ledger) {
    let Some(usage) = &probe.spec.usage else { return };
    for open in opens {
        for (quantity, amount) in usage.quantities.iter().zip(&open.used) {
            ledger.add(open.start_ms, &usage.subject, quantity, *amount);
        }
    }
}
