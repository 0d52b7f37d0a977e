//! Which line is whose.

use crate::canvas::{BLACK, Canvas, LETTER_HEIGHT, fitting, width_of};
use crate::chart::{Chart, Color, Legend};
use crate::frame::{Frame, MARGIN};

/// The coloured square before a label, with the room after it.
const SQUARE: f32 = 10.0;
const BEFORE: f32 = SQUARE + 5.0;
/// Of the picture's height and width, what a legend may take.
const PART_MAX: f32 = 1.0 / 3.0;

/// Labels and their colours, in lines of a width.
fn lines(chart: &Chart, width: f32) -> Vec<Vec<(String, Color)>> {
    let (mut lines, mut left) = (Vec::<Vec<(String, Color)>>::new(), 0.0);
    for series in &chart.series {
        let label = fitting(&series.label, width - BEFORE);
        let needed = BEFORE + width_of(&label, 1) + MARGIN;
        match lines.last_mut().filter(|_| needed <= left) {
            Some(line) => line.push((label, series.color)),
            None => {
                lines.push(vec![(label, series.color)]);
                left = width;
            }
        }
        left -= needed;
    }
    lines
}

fn rows_max(chart: &Chart) -> usize {
    ((chart.height as f32 * PART_MAX / LETTER_HEIGHT) as usize).max(1)
}

/// Of a legend at the bottom, pixels.
pub fn height(chart: &Chart) -> f32 {
    let rows = lines(chart, chart.width as f32 - 2.0 * MARGIN).len().min(rows_max(chart));
    rows as f32 * LETTER_HEIGHT
}

/// Of a legend on the right, pixels.
pub fn width(chart: &Chart) -> f32 {
    let widest = chart.series.iter().map(|series| width_of(&series.label, 1)).fold(0.0, f32::max);
    (BEFORE + widest).min(chart.width as f32 * PART_MAX)
}

pub fn draw(chart: &Chart, frame: &Frame, canvas: &mut Canvas) {
    match chart.legend {
        Legend::Hidden => {}
        Legend::Bottom => {
            let top = chart.height as f32 - MARGIN / 2.0 - height(chart);
            for (row, line) in
                lines(chart, chart.width as f32 - 2.0 * MARGIN).iter().take(rows_max(chart)).enumerate()
            {
                let mut left = MARGIN;
                for (label, color) in line {
                    entry(label, *color, left, top + row as f32 * LETTER_HEIGHT, canvas);
                    left += BEFORE + width_of(label, 1) + MARGIN;
                }
            }
        }
        Legend::Right => {
            let (width, rows) = (width(chart), ((frame.bottom - frame.top) / LETTER_HEIGHT) as usize);
            for (row, series) in chart.series.iter().take(rows).enumerate() {
                let label = fitting(&series.label, width - BEFORE);
                let left = chart.width as f32 - MARGIN - width;
                entry(&label, series.color, left, frame.top + row as f32 * LETTER_HEIGHT, canvas);
            }
        }
    }
}

fn entry(label: &str, color: Color, left: f32, top: f32, canvas: &mut Canvas) {
    canvas.rectangle(left, top + 3.0, left + SQUARE, top + 3.0 + SQUARE, color, 255);
    canvas.text(label, left + BEFORE, top, BLACK, 1);
}
