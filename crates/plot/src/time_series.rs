//! Lines and areas over time.

use std::collections::BTreeMap;

use crate::canvas::{BLACK, Canvas, FAINT, GREY, LETTER_HEIGHT, fitting, width_of};
use crate::chart::{Chart, Color, Fill, Series, Side};
use crate::frame::{Frame, MARGIN};
use crate::{legend, scale};

const LINE: f32 = 2.0;
/// Of areas under lines, and beside marks, to 255.
const AREA_OPACITY: u8 = 150;
const SHADE_OPACITY: u8 = 40;
/// Pixels between two marks of time.
const TIME_EVERY: f32 = 80.0;

pub fn draw(chart: &Chart, canvas: &mut Canvas) {
    let stacked = stacked(chart);
    let frame = Frame::of(chart, &stacked);
    title(chart, canvas);
    if frame.is_visible() {
        grid(chart, &frame, canvas);
        shades(chart, &frame, canvas);
        if chart.is_stacked {
            areas(chart, &frame, &stacked, canvas);
        }
        for (series, points) in chart.series.iter().zip(&stacked) {
            for run in runs(series, &frame, points) {
                let line: Vec<(f32, f32)> = run
                    .iter()
                    .map(|(at_ms, value)| (frame.x(*at_ms), frame.y(*value, series.side)))
                    .collect();
                canvas.line(&line, series.color, LINE);
            }
        }
        marks(chart, &frame, canvas);
    }
    legend::draw(chart, &frame, canvas);
}

pub fn title(chart: &Chart, canvas: &mut Canvas) {
    let title = fitting(&chart.title, chart.width as f32 - 2.0 * MARGIN);
    let left = (chart.width as f32 - width_of(&title, 1)) / 2.0;
    canvas.text(&title, left, MARGIN, BLACK, 1);
}

/// The points as they are drawn: on top of the series before, where they are stacked on the left.
pub fn stacked(chart: &Chart) -> Vec<Vec<(i64, f64)>> {
    let mut sums: BTreeMap<i64, f64> = BTreeMap::new();
    let add = |series: &Series| {
        if !chart.is_stacked || series.side == Side::Right {
            return series.points.clone();
        }
        let raise = |&(at_ms, value): &(i64, f64)| {
            let sum = sums.entry(at_ms).or_default();
            *sum += value;
            (at_ms, *sum)
        };
        series.points.iter().map(raise).collect()
    };
    chart.series.iter().map(add).collect()
}

/// What lies between each series and those that it stands on.
fn areas(chart: &Chart, frame: &Frame, stacked: &[Vec<(i64, f64)>], canvas: &mut Canvas) {
    let mut under: BTreeMap<i64, f64> = BTreeMap::new();
    let on_left = chart.series.iter().zip(stacked).filter(|(series, _)| series.side == Side::Left);
    for (series, points) in on_left {
        for run in runs(series, frame, points) {
            let place = |(at_ms, value): (i64, f64)| (frame.x(at_ms), frame.y(value, Side::Left));
            let base = |at_ms: i64| (at_ms, under.get(&at_ms).copied().unwrap_or(0.0));
            let area = run.iter().copied().chain(run.iter().rev().map(|(at_ms, _)| base(*at_ms)));
            canvas.area(&area.map(place).collect::<Vec<_>>(), series.color, AREA_OPACITY);
        }
        under.extend(points.iter().copied());
    }
}

/// The points within the plot, in pieces between which some are missing.
fn runs<'p>(
    series: &Series,
    frame: &Frame,
    points: &'p [(i64, f64)],
) -> impl Iterator<Item = &'p [(i64, f64)]> {
    let first = points.partition_point(|(at_ms, _)| *at_ms < frame.start_ms);
    let end = points.partition_point(|(at_ms, _)| *at_ms <= frame.end_ms);
    let period_ms = series.period_ms;
    points[first..end.max(first)].chunk_by(move |one, other| other.0 - one.0 <= period_ms)
}

fn grid(chart: &Chart, frame: &Frame, canvas: &mut Canvas) {
    for mark in frame.marks(Side::Left) {
        let (y, text) = (frame.y(mark, Side::Left).round(), scale::short(mark));
        canvas.rule((frame.left, y), (frame.right, y), FAINT);
        let left = frame.left - MARGIN / 2.0 - width_of(&text, 1);
        canvas.text(&text, left, y - LETTER_HEIGHT / 2.0, GREY, 1);
    }
    if frame.right_values.is_some() {
        for mark in frame.marks(Side::Right) {
            let y = frame.y(mark, Side::Right).round();
            canvas.text(&scale::short(mark), frame.right + MARGIN / 2.0, y - LETTER_HEIGHT / 2.0, GREY, 1);
        }
    }
    let width = f64::from(frame.right - frame.left);
    let least_ms = (frame.end_ms - frame.start_ms) as f64 * f64::from(TIME_EVERY) / width;
    for (at_ms, text) in scale::times(frame.start_ms, frame.end_ms, least_ms, chart.offset_s) {
        let x = frame.x(at_ms).round();
        canvas.rule((x, frame.bottom), (x, frame.bottom + 4.0), GREY);
        canvas.text(&text, x - width_of(&text, 1) / 2.0, frame.bottom + 3.0, GREY, 1);
    }
    canvas.rule((frame.left, frame.bottom), (frame.right, frame.bottom), GREY);
    let top = frame.top - LETTER_HEIGHT - 2.0;
    let half = (frame.right - frame.left) / 2.0;
    canvas.text(&fitting(&chart.left.label, half), frame.left, top, GREY, 1);
    let label = fitting(&chart.right.label, half);
    canvas.text(&label, frame.right - width_of(&label, 1), top, GREY, 1);
}

/// What is shaded beside marks, under the lines.
fn shades(chart: &Chart, frame: &Frame, canvas: &mut Canvas) {
    for mark in &chart.horizontals {
        let y = |value| frame.y(value, mark.side);
        let (top, bottom) = match mark.fill {
            Fill::None => continue,
            Fill::Beyond => (frame.top, y(mark.value)),
            Fill::Before => (y(mark.value), frame.bottom),
            Fill::To(other) => (y(other).min(y(mark.value)), y(other).max(y(mark.value))),
        };
        canvas.rectangle(frame.left, top, frame.right, bottom, mark.color, SHADE_OPACITY);
    }
    for mark in &chart.verticals {
        let x = |at_ms| frame.x(at_ms).clamp(frame.left, frame.right);
        let (left, right) = match mark.fill {
            Fill::None => continue,
            Fill::Beyond => (x(mark.at_ms), frame.right),
            Fill::Before => (frame.left, x(mark.at_ms)),
            Fill::To(other) => (x(other).min(x(mark.at_ms)), x(other).max(x(mark.at_ms))),
        };
        canvas.rectangle(left, frame.top, right, frame.bottom, mark.color, SHADE_OPACITY);
    }
}

/// Marks and their names, above the lines.
fn marks(chart: &Chart, frame: &Frame, canvas: &mut Canvas) {
    for mark in &chart.horizontals {
        let others = if let Fill::To(other) = mark.fill { Some(other) } else { None };
        for value in [mark.value].into_iter().chain(others) {
            let y = frame.y(value, mark.side).round();
            canvas.rule((frame.left, y), (frame.right, y), mark.color);
        }
        let y = frame.y(mark.value, mark.side).round();
        name(&mark.label, frame.left + 4.0, y - LETTER_HEIGHT, frame, mark.color, canvas);
    }
    for mark in &chart.verticals {
        let others = if let Fill::To(other) = mark.fill { Some(other) } else { None };
        for at_ms in [mark.at_ms].into_iter().chain(others) {
            let x = frame.x(at_ms).round();
            if (frame.left..=frame.right).contains(&x) {
                canvas.rule((x, frame.top), (x, frame.bottom), mark.color);
            }
        }
        let x = frame.x(mark.at_ms).round();
        if (frame.left..=frame.right).contains(&x) {
            name(&mark.label, x + 4.0, frame.top, frame, mark.color, canvas);
        }
    }
}

fn name(label: &str, left: f32, top: f32, frame: &Frame, color: Color, canvas: &mut Canvas) {
    canvas.text(&fitting(label, frame.right - left), left, top.max(frame.top), color, 1);
}
