//! The newest values, in large figures.

use crate::canvas::{Canvas, GREY, LETTER_HEIGHT, fitting, width_of};
use crate::chart::Chart;
use crate::frame::MARGIN;
use crate::scale::short;
use crate::time_series::title;

/// Letters are at most this much larger than usual.
const SCALE_MAX: u32 = 6;
/// Room for one value, pixels.
const CELL: f32 = 150.0;

pub fn draw(chart: &Chart, canvas: &mut Canvas) {
    title(chart, canvas);
    let count = chart.series.len();
    if count == 0 {
        return;
    }
    let (width, height) = (chart.width as f32, chart.height as f32);
    let columns = ((width / CELL).max(1.0) as usize).min(count);
    let rows = count.div_ceil(columns);
    let head = MARGIN + if chart.title.is_empty() { 0.0 } else { LETTER_HEIGHT };
    let cell = (width / columns as f32, (height - head) / rows as f32);
    for (number, series) in chart.series.iter().enumerate() {
        let (left, top) = ((number % columns) as f32 * cell.0, head + (number / columns) as f32 * cell.1);
        let value = series.points.last().map_or_else(|| "--".to_owned(), |(_, value)| short(*value));
        let fits = |scale: &u32| {
            width_of(&value, *scale) <= cell.0 - MARGIN && LETTER_HEIGHT * (*scale as f32 + 1.0) <= cell.1
        };
        let scale = (1..=SCALE_MAX).rev().find(fits).unwrap_or(1);
        let large = LETTER_HEIGHT * scale as f32;
        let top = top + (cell.1 - large - LETTER_HEIGHT).max(0.0) / 2.0;
        canvas.text(&value, left + (cell.0 - width_of(&value, scale)) / 2.0, top, series.color, scale);
        let label = fitting(&series.label, cell.0 - MARGIN);
        canvas.text(&label, left + (cell.0 - width_of(&label, 1)) / 2.0, top + large, GREY, 1);
    }
}
