use std::collections::HashMap;
use std::sync::Arc;

use pitbird_names::Scope;
use pitbird_telemetry::metrics::{Datum, Dimensions, Resolution, Samples, Unit};

/// Values that are put together: one datum for each metric and period, each value once with how often it came.
#[derive(Debug, Default)]
pub struct Gathered {
    namespaces: HashMap<(Scope, Arc<str>), HashMap<Series, Values>>,
}

/// How often each value came, by its bits.
type Values = HashMap<u64, f64>;

/// What a datapoint belongs to within its namespace.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Series {
    pub name: Arc<str>,
    pub dimensions: Dimensions,
    pub unit: Unit,
    pub resolution: Resolution,
    /// Within a period of the resolution, milliseconds since 1970.
    pub at_ms: i64,
}

impl Gathered {
    pub fn add(&mut self, scope: &Scope, namespace: &Arc<str>, mut series: Series, value: f64) {
        series.at_ms -= series.at_ms.rem_euclid(series.resolution.ms());
        let values = self.namespaces.entry((scope.clone(), namespace.clone())).or_default();
        // The two zeros are one value.
        *values.entry(series).or_default().entry((value + 0.0).to_bits()).or_default() += 1.0;
    }

    pub fn is_empty(&self) -> bool {
        self.namespaces.is_empty()
    }

    /// What is to be put, by namespace.
    pub fn into_puts(self) -> impl Iterator<Item = (Scope, Arc<str>, Vec<Datum>)> {
        self.namespaces.into_iter().map(|((scope, namespace), series)| {
            let data = series.into_iter().map(|(series, values)| Datum {
                name: series.name.to_string(),
                dimensions: series.dimensions,
                unit: series.unit,
                at_ms: series.at_ms,
                resolution: series.resolution,
                samples: Samples::Values(
                    values.into_iter().map(|(bits, count)| (f64::from_bits(bits), count)).collect(),
                ),
            });
            (scope, namespace, data.collect())
        })
    }
}
