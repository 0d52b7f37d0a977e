//! The newest values beside each other: as bars, and as parts of them all.

use std::f32::consts::TAU;

use crate::canvas::{Canvas, GREY, LETTER_HEIGHT, fitting, width_of};
use crate::chart::{Chart, Series, Side};
use crate::frame::{Frame, MARGIN};
use crate::legend;
use crate::scale::short;
use crate::time_series::title;

/// A pie's edge is made of lines that span at most this.
const ARC: f32 = TAU / 360.0;

fn newest(series: &Series) -> f64 {
    series.points.last().map_or(0.0, |(_, value)| *value)
}

/// The layout of a chart with nothing but its newest points, on one scale.
fn layout(chart: &Chart) -> Frame {
    let on_left = |series: &Series| Series {
        side: Side::Left,
        points: series.points.last().copied().into_iter().collect(),
        ..series.clone()
    };
    let series: Vec<Series> = chart.series.iter().map(on_left).collect();
    let newest: Vec<Vec<(i64, f64)>> = series.iter().map(|series| series.points.clone()).collect();
    Frame::of(&Chart { series, horizontals: Vec::new(), ..chart.clone() }, &newest)
}

pub fn bars(chart: &Chart, canvas: &mut Canvas) {
    title(chart, canvas);
    let frame = layout(chart);
    if frame.is_visible() && !chart.series.is_empty() {
        for mark in frame.marks(Side::Left) {
            let (y, text) = (frame.y(mark, Side::Left).round(), short(mark));
            canvas.text(
                &text,
                frame.left - MARGIN / 2.0 - width_of(&text, 1),
                y - LETTER_HEIGHT / 2.0,
                GREY,
                1,
            );
        }
        let room = (frame.right - frame.left) / chart.series.len() as f32;
        for (number, series) in chart.series.iter().enumerate() {
            let (zero, y) = (frame.y(0.0, Side::Left), frame.y(newest(series), Side::Left));
            let left = frame.left + (number as f32 + 0.15) * room;
            canvas.rectangle(left, zero.min(y), left + 0.7 * room, zero.max(y), series.color, 255);
            let text = fitting(&short(newest(series)), room);
            let middle = left + 0.35 * room - width_of(&text, 1) / 2.0;
            canvas.text(&text, middle, frame.bottom + 3.0, GREY, 1);
        }
        canvas.rule(
            (frame.left, frame.y(0.0, Side::Left).round()),
            (frame.right, frame.y(0.0, Side::Left).round()),
            GREY,
        );
    }
    legend::draw(chart, &frame, canvas);
}

/// Values below 0 have no part.
pub fn pie(chart: &Chart, canvas: &mut Canvas) {
    title(chart, canvas);
    let frame = layout(chart);
    let values: Vec<f64> = chart.series.iter().map(|series| newest(series).max(0.0)).collect();
    let whole: f64 = values.iter().sum();
    if frame.is_visible() && whole > 0.0 && whole.is_finite() {
        let middle = ((frame.left + frame.right) / 2.0, (frame.top + frame.bottom) / 2.0);
        let radius = (frame.right - frame.left).min(frame.bottom - frame.top) / 2.0;
        let edge = |angle: f32| (middle.0 + radius * angle.sin(), middle.1 - radius * angle.cos());
        let mut from = 0.0;
        for (series, value) in chart.series.iter().zip(values) {
            let span = (value / whole) as f32 * TAU;
            let steps = (span / ARC).ceil().max(1.0);
            let arc = (0..=steps as u32).map(|step| edge(from + span * step as f32 / steps));
            let slice: Vec<(f32, f32)> = std::iter::once(middle).chain(arc).collect();
            if value > 0.0 {
                canvas.area(&slice, series.color, 255);
            }
            from += span;
        }
    }
    legend::draw(chart, &frame, canvas);
}
