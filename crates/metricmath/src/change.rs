//! What becomes of a series from point to point.

use crate::Series;

/// Change per second since the point before.
pub(crate) fn rate(series: Series) -> Series {
    pairs(series, |(before_ms, before), (at_ms, value)| {
        (value - before) / ((at_ms - before_ms) as f64 / 1000.0)
    })
}

pub(crate) fn difference(series: Series) -> Series {
    pairs(series, |before, point| point.1 - before.1)
}

/// Seconds since the point before.
pub(crate) fn difference_of_times(series: Series) -> Series {
    pairs(series, |before, point| (point.0 - before.0) as f64 / 1000.0)
}

pub(crate) fn running_sum(series: Series) -> Series {
    let mut sum = 0.0;
    let points = series.points.iter().map(|(at_ms, value)| {
        sum += value;
        (*at_ms, sum)
    });
    let points = points.filter(|point| point.1.is_finite()).collect();
    series.with(points)
}

fn pairs(series: Series, of: impl Fn((i64, f64), (i64, f64)) -> f64) -> Series {
    let points = series.points.windows(2).map(|pair| (pair[1].0, of(pair[0], pair[1])));
    let points = points.filter(|point| point.1.is_finite()).collect();
    series.with(points)
}
