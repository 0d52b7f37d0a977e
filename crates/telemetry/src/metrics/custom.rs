//! What callers' own metrics have got since the process began, for who reads totals rather than periods.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Metric, Samples, Unit};

/// Series whose totals are kept; whatever gets data later is only counted as left out.
pub const CUSTOM_SERIES_MAX: usize = 5_000;
/// Series that are told apart among those that are left out.
const LEFT_OUT_MAX: usize = 100_000;

/// What one series has got since the process began.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomTotal {
    pub metric: Metric,
    pub unit: Unit,
    /// Samples; fractions where callers have counted so.
    pub count: f64,
    /// May fall: samples may be negative.
    pub sum: f64,
}

/// The totals of the metrics that aren't services' own.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CustomTotals {
    /// In the order in which they first got data.
    pub series: Vec<CustomTotal>,
    /// Series that got data when there was no room any more; a hundred thousand and more are told as a hundred thousand.
    pub left_out: usize,
}

/// Where the writer adds and readers look.
#[derive(Debug, Clone, Default)]
pub(crate) struct Custom(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    series: Vec<CustomTotal>,
    /// Places in it, by the series' numbers.
    places: HashMap<i64, usize>,
    left_out: HashSet<i64>,
}

impl Custom {
    /// Notes samples of a series. Those of a series that is new come with what it is.
    pub fn add(&self, number: i64, unit: Unit, samples: &Samples, metric: impl FnOnce() -> Metric) {
        let mut kept = self.kept();
        let place = match kept.places.get(&number) {
            Some(place) => *place,
            None if kept.series.len() < CUSTOM_SERIES_MAX => {
                let place = kept.series.len();
                kept.series.push(CustomTotal { metric: metric(), unit, count: 0.0, sum: 0.0 });
                kept.places.insert(number, place);
                place
            }
            None => {
                if kept.left_out.len() < LEFT_OUT_MAX {
                    kept.left_out.insert(number);
                }
                return;
            }
        };
        let (count, sum) = samples.totals();
        kept.series[place].count += count;
        kept.series[place].sum += sum;
    }

    pub fn totals(&self) -> CustomTotals {
        let kept = self.kept();
        CustomTotals { series: kept.series.clone(), left_out: kept.left_out.len() }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use pitbird_names::Scope;

    use super::*;
    use crate::metrics::Dimensions;

    #[test]
    fn series_are_bounded_and_those_left_out_are_counted_once() {
        let custom = Custom::default();
        let add = |number: i64, value: f64| {
            let metric = || Metric {
                scope: Scope::default(),
                namespace: "N".to_owned(),
                name: format!("m{number}"),
                dimensions: Dimensions::none(),
            };
            custom.add(number, Unit::Count, &Samples::Values(vec![(value, 2.0), (0.5, 1.0)]), metric);
        };
        for number in 0..CUSTOM_SERIES_MAX as i64 + 2 {
            add(number, 1.0);
            add(number, -4.0);
        }
        let totals = custom.totals();
        assert_eq!((totals.series.len(), totals.left_out), (CUSTOM_SERIES_MAX, 2));
        let first = &totals.series[0];
        assert_eq!((first.metric.name.as_str(), first.count, first.sum), ("m0", 6.0, -5.0));
        let set = Samples::Set { count: 4.0, sum: 10.0, min: 1.0, max: 4.0 };
        custom.add(0, Unit::Count, &set, || unreachable!("it is known"));
        assert_eq!((custom.totals().series[0].count, custom.totals().series[0].sum), (10.0, 5.0));
    }
}
