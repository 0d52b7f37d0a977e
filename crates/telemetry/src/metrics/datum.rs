use super::{Aggregate, Dimensions, Unit};

/// What PutMetricData brings for one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Datum {
    pub name: String,
    pub dimensions: Dimensions,
    pub unit: Unit,
    /// Milliseconds since 1970.
    pub at_ms: i64,
    pub resolution: Resolution,
    pub samples: Samples,
}

impl Datum {
    /// About what it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        let text: usize = self.dimensions.iter().map(|(name, value)| name.len() + value.len() + 48).sum();
        let values = match &self.samples {
            Samples::Values(values) => size_of_val(values.as_slice()),
            Samples::Set { .. } => 0,
        };
        size_of::<Datum>() + self.name.len() + text + values
    }
}

/// The samples of a datum. All numbers are finite, counts above 0: the caller has checked.
#[derive(Debug, Clone, PartialEq)]
pub enum Samples {
    /// Values, each with how often it occurred.
    Values(Vec<(f64, f64)>),
    /// A statistic set.
    Set { count: f64, sum: f64, min: f64, max: f64 },
}

impl Samples {
    /// How many samples there are, and their sum.
    pub(crate) fn totals(&self) -> (f64, f64) {
        match self {
            Samples::Values(values) => values
                .iter()
                .fold((0.0, 0.0), |(samples, sum), (value, count)| (samples + count, sum + value * count)),
            Samples::Set { count, sum, .. } => (*count, *sum),
        }
    }

    pub(crate) fn add_to(&self, aggregate: &mut Aggregate) {
        match self {
            Samples::Values(values) => values.iter().for_each(|&(value, count)| aggregate.add(value, count)),
            &Samples::Set { count, sum, min, max } => aggregate.add_set(count, sum, min, max),
        }
    }
}

/// How finely time is kept: StorageResolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Resolution {
    Second,
    #[default]
    Minute,
}

impl Resolution {
    pub fn ms(self) -> i64 {
        i64::from(self.seconds()) * 1000
    }

    pub fn seconds(self) -> u32 {
        match self {
            Resolution::Second => 1,
            Resolution::Minute => 60,
        }
    }
}
