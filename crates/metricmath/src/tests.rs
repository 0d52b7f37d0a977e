//! Expressions over a small environment: the tables of the user guide, function by function.

mod bounds;
mod functions;
mod guide;

use std::collections::BTreeMap;

use crate::{Band, Environment, Error, Expression, Search, Series, Value};

/// A missing point in a table.
const NO: f64 = f64::NAN;
const START_MS: i64 = 1_700_000_040_000;

/// Series of a minute's period from `START_MS` on, and values of expressions.
struct World {
    metrics: Vec<(String, Value)>,
    others: BTreeMap<String, Value>,
    minutes: i64,
}

fn series(label: &str, values: &[f64]) -> Series {
    let at = |(place, value): (usize, &f64)| (START_MS + place as i64 * 60_000, *value);
    let points = values.iter().enumerate().map(at).filter(|point| point.1.is_finite()).collect();
    Series { label: label.to_owned(), metric: Some(0), period_s: 60, points }
}

impl World {
    fn new(metrics: &[(&str, &[f64])]) -> World {
        let minutes = metrics.iter().map(|(_, values)| values.len()).max().unwrap_or_default() as i64;
        let metrics =
            metrics.iter().map(|(id, values)| ((*id).to_owned(), Value::Series(series(id, values))));
        World { metrics: metrics.collect(), others: BTreeMap::new(), minutes }
    }

    fn value(&self, text: &str) -> Result<Value, Error> {
        Expression::parse(text)?.evaluate(self)
    }

    /// An expression's one series as a row of a table.
    fn row(&self, text: &str) -> Vec<f64> {
        match self.value(text) {
            Ok(Value::Series(series)) => self.table(&series),
            other => panic!("{text} is no series: {other:?}"),
        }
    }

    fn rows(&self, text: &str) -> Vec<Vec<f64>> {
        match self.value(text) {
            Ok(Value::Array(array)) => array.iter().map(|series| self.table(series)).collect(),
            other => panic!("{text} is no array: {other:?}"),
        }
    }

    fn labels(&self, text: &str) -> Vec<String> {
        match self.value(text) {
            Ok(Value::Array(array)) => array.into_iter().map(|series| series.label).collect(),
            other => panic!("{text} is no array: {other:?}"),
        }
    }

    fn scalar(&self, text: &str) -> f64 {
        match self.value(text) {
            Ok(Value::Scalar(number)) => number,
            other => panic!("{text} is no number: {other:?}"),
        }
    }

    fn table(&self, series: &Series) -> Vec<f64> {
        let at = |minute: i64| series.points.iter().find(|point| point.0 == START_MS + minute * 60_000);
        (0..self.minutes).map(|minute| at(minute).map_or(NO, |point| point.1)).collect()
    }
}

impl Environment for World {
    fn value(&self, id: &str) -> Option<&Value> {
        let metric = self.metrics.iter().find(|(own, _)| own == id).map(|(_, value)| value);
        metric.or_else(|| self.others.get(id))
    }

    fn metrics(&self) -> Vec<(&str, &Series)> {
        let series = |(id, value): &'_ (String, Value)| match value {
            Value::Series(_) => id.len(),
            _ => 0,
        };
        assert!(self.metrics.iter().all(|metric| series(metric) > 0));
        self.metrics
            .iter()
            .filter_map(|(id, value)| match value {
                Value::Series(series) => Some((id.as_str(), series)),
                _ => None,
            })
            .collect()
    }

    fn search(&self, search: &Search) -> Result<Vec<Series>, Error> {
        Ok(vec![series(&search.stat, &[1.0]), series("second", &[2.0])])
    }

    fn band(&self, id: Option<&str>, of: &Series, deviations: f64) -> Result<Band, Error> {
        let id =
            id.ok_or_else(|| Error::Unsupported("ANOMALY_DETECTION_BAND of an expression".to_owned()))?;
        let moved = |by: f64| {
            let points = of.points.iter().map(|(at_ms, value)| (*at_ms, value + by)).collect();
            Series { label: id.to_owned(), points, ..of.clone() }
        };
        Ok(Band { upper: moved(deviations), lower: moved(-deviations) })
    }

    fn span(&self, period_s: u32) -> (i64, i64) {
        assert!(period_s > 0);
        (START_MS, START_MS + self.minutes * 60_000)
    }

    fn period_s(&self) -> u32 {
        60
    }
}

/// Rows are equal where both have the same numbers, and nothing in the same places.
#[track_caller]
fn same(found: &[f64], expected: &[f64]) {
    let text =
        |row: &[f64]| row.iter().map(|value| format!("{:.9}", value + 0.0)).collect::<Vec<_>>().join(" ");
    assert_eq!(text(found), text(expected));
}
