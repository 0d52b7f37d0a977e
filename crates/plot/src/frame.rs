//! Where in a picture things are.

use crate::canvas::{LETTER_HEIGHT, LETTER_WIDTH, width_of};
use crate::chart::{Chart, Legend, Side};
use crate::legend;
use crate::scale::{bounds, marks, short};

/// From the picture's edge, and between its parts, pixels.
pub const MARGIN: f32 = 10.0;
/// Pixels between two marks of value.
const MARK_EVERY: f32 = 40.0;

/// Where the plot of a time series is, and the scales on its sides.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    pub left: f32,
    pub top: f32,
    pub right: f32,
    pub bottom: f32,
    pub start_ms: i64,
    pub end_ms: i64,
    /// The ends of the left scale.
    pub left_values: (f64, f64),
    /// And of the right one; `None` where nothing is on that side.
    pub right_values: Option<(f64, f64)>,
}

impl Frame {
    /// Lays a chart out. `stacked` are the series' points as they are drawn.
    pub fn of(chart: &Chart, stacked: &[Vec<(i64, f64)>]) -> Frame {
        let on = |side: Side| {
            let series = chart.series.iter().zip(stacked).filter(move |(series, _)| series.side == side);
            let values = series.flat_map(|(_, points)| points.iter().map(|(_, value)| *value));
            let marked =
                chart.horizontals.iter().filter(move |mark| mark.side == side).map(|mark| mark.value);
            values.chain(marked)
        };
        let has_right = chart.series.iter().any(|series| series.side == Side::Right)
            || chart.horizontals.iter().any(|mark| mark.side == Side::Right);
        let left_values = bounds(on(Side::Left), chart.left.min, chart.left.max);
        let right_values = has_right.then(|| bounds(on(Side::Right), chart.right.min, chart.right.max));
        let (width, height) = (chart.width as f32, chart.height as f32);
        let head = if chart.title.is_empty() { 0.0 } else { LETTER_HEIGHT + MARGIN / 2.0 };
        let names =
            if chart.left.label.is_empty() && chart.right.label.is_empty() { 0.0 } else { LETTER_HEIGHT };
        let foot = match chart.legend {
            Legend::Bottom => legend::height(chart) + MARGIN / 2.0,
            Legend::Right | Legend::Hidden => 0.0,
        };
        let beside = match chart.legend {
            Legend::Right => legend::width(chart) + MARGIN,
            Legend::Bottom | Legend::Hidden => 0.0,
        };
        let top = MARGIN + head + names;
        let bottom = (height - MARGIN - LETTER_HEIGHT - foot).max(top);
        let figures = |values: (f64, f64)| {
            let widths = marks_of(values, top, bottom).into_iter().map(|mark| width_of(&short(mark), 1));
            widths.fold(LETTER_WIDTH, f32::max) + MARGIN / 2.0
        };
        let left = (MARGIN + figures(left_values)).round();
        let aside = right_values.map_or(0.0, figures);
        let right = (width - MARGIN - beside - aside).round().max(left);
        Frame {
            left,
            top: top.round(),
            right,
            bottom: bottom.round(),
            start_ms: chart.start_ms,
            end_ms: chart.end_ms,
            left_values,
            right_values,
        }
    }

    /// Where a time is, pixels from the left.
    pub fn x(&self, at_ms: i64) -> f32 {
        let span = (self.end_ms as f64 - self.start_ms as f64).max(1.0);
        let part = (at_ms as f64 - self.start_ms as f64) / span;
        self.left + part as f32 * (self.right - self.left)
    }

    /// Where a value is, pixels from the top; beyond the plot it is at its edge.
    pub fn y(&self, value: f64, side: Side) -> f32 {
        let (low, high) = self.values(side);
        let part = ((value - low) / (high - low)).clamp(0.0, 1.0);
        self.bottom - part as f32 * (self.bottom - self.top)
    }

    /// The round values on a side.
    pub fn marks(&self, side: Side) -> Vec<f64> {
        marks_of(self.values(side), self.top, self.bottom)
    }

    /// Is it large enough that something can be seen?
    pub fn is_visible(&self) -> bool {
        self.right - self.left >= 2.0 && self.bottom - self.top >= 2.0
    }

    fn values(&self, side: Side) -> (f64, f64) {
        match side {
            Side::Left => self.left_values,
            Side::Right => self.right_values.unwrap_or(self.left_values),
        }
    }
}

fn marks_of((low, high): (f64, f64), top: f32, bottom: f32) -> Vec<f64> {
    marks(low, high, ((bottom - top) / MARK_EVERY).max(1.0) as usize)
}
