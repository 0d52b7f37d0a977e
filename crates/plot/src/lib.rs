//! Draws time series as a PNG: what CloudWatch's GetMetricWidgetImage answers.
//!
//! [`draw`] takes a [`Chart`], which has everything in it, and gives bytes: the same for the same chart, on every machine. It knows
//! neither metrics nor JSON. [`Frame`] says where in the picture a time and a value are.
//!
//! Lines are `tiny-skia`'s, letters are bitmaps of Noto Sans Mono; letters beyond Latin-1 are drawn as a question mark.

mod canvas;
mod chart;
mod frame;
mod legend;
mod scale;
mod single;
mod slices;
mod time_series;

use thiserror::Error;

pub use chart::{Axis, Chart, Color, Fill, Horizontal, Legend, PALETTE, Series, Side, Vertical, View};
pub use frame::Frame;
pub use scale::short;

use canvas::Canvas;

/// A side's length, pixels. Source: GetMetricWidgetImage.
pub const SIDE_MAX: u32 = 2000;

#[derive(Debug, Error)]
pub enum Error {
    #[error("a chart is 1 to {SIDE_MAX} pixels wide and high")]
    Size,
    #[error("a picture can't be written: {0}")]
    Encoding(String),
}

/// Draws a chart; gives a PNG.
pub fn draw(chart: &Chart) -> Result<Vec<u8>, Error> {
    let mut canvas = Canvas::new(chart.width, chart.height).ok_or(Error::Size)?;
    match chart.view {
        View::TimeSeries => time_series::draw(chart, &mut canvas),
        View::SingleValue => single::draw(chart, &mut canvas),
        View::Bar => slices::bars(chart, &mut canvas),
        View::Pie => slices::pie(chart, &mut canvas),
    }
    canvas.encode()
}
