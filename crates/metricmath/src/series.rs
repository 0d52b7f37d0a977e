/// What an expression gives.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// May be infinite or no number; in a series it then makes no point.
    Scalar(f64),
    Series(Series),
    Array(Vec<Series>),
}

/// Values over time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    /// What it is called where it comes out of an array.
    pub label: String,
    /// The metric that it is of, by the environment's own numbering; functions of one series keep it.
    pub metric: Option<usize>,
    pub period_s: u32,
    /// Time in milliseconds since 1970 and a finite value, by ascending time, each time once.
    pub points: Vec<(i64, f64)>,
}

/// Between which values a metric is as expected.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    pub upper: Series,
    pub lower: Series,
}

impl Value {
    /// The kind's name in errors.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Value::Scalar(_) => "Scalar",
            Value::Series(_) => "TimeSeries",
            Value::Array(_) => "Array[TimeSeries]",
        }
    }

    pub(crate) fn points(&self) -> usize {
        match self {
            Value::Scalar(_) => 0,
            Value::Series(series) => series.points.len(),
            Value::Array(array) => array.iter().map(|series| series.points.len()).sum(),
        }
    }
}

impl Series {
    /// The same series with other values; what is no finite number is left out.
    pub(crate) fn map(mut self, of: impl Fn(f64) -> f64) -> Series {
        self.points.iter_mut().for_each(|point| point.1 = of(point.1));
        self.points.retain(|point| point.1.is_finite());
        self
    }

    /// The same series with other points.
    pub(crate) fn with(self, points: Vec<(i64, f64)>) -> Series {
        Series { points, ..self }
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = f64> + Clone {
        self.points.iter().map(|point| point.1)
    }
}

/// Goes through two series side by side, by ascending time: each time that one of them has, with what both have there.
pub(crate) struct Joined<'a> {
    left: &'a [(i64, f64)],
    right: &'a [(i64, f64)],
}

impl<'a> Joined<'a> {
    pub fn new(left: &'a [(i64, f64)], right: &'a [(i64, f64)]) -> Joined<'a> {
        Joined { left, right }
    }
}

impl Iterator for Joined<'_> {
    type Item = (i64, Option<f64>, Option<f64>);

    fn next(&mut self) -> Option<Self::Item> {
        let at_ms = match (self.left.first(), self.right.first()) {
            (Some(left), Some(right)) => left.0.min(right.0),
            (Some(one), None) | (None, Some(one)) => one.0,
            (None, None) => return None,
        };
        Some((at_ms, take(&mut self.left, at_ms), take(&mut self.right, at_ms)))
    }
}

fn take(points: &mut &[(i64, f64)], at_ms: i64) -> Option<f64> {
    let (first, rest) = points.split_first()?;
    (first.0 == at_ms).then(|| {
        *points = rest;
        first.1
    })
}
