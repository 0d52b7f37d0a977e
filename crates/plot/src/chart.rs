//! What is to be drawn.

/// A colour without transparency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Color(pub u8, pub u8, pub u8);

/// The colours of series that have none of their own, in turn. Source: CloudWatch's graphs.
pub const PALETTE: [Color; 10] = [
    Color(0x1f, 0x77, 0xb4),
    Color(0xff, 0x7f, 0x0e),
    Color(0x2c, 0xa0, 0x2c),
    Color(0xd6, 0x27, 0x28),
    Color(0x94, 0x67, 0xbd),
    Color(0x8c, 0x56, 0x4b),
    Color(0xe3, 0x77, 0xc2),
    Color(0x7f, 0x7f, 0x7f),
    Color(0xbc, 0xbd, 0x22),
    Color(0x17, 0xbe, 0xcf),
];

/// What is to be drawn. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    pub width: u32,
    pub height: u32,
    pub title: String,
    pub view: View,
    /// Each series on top of those before it.
    pub is_stacked: bool,
    pub legend: Legend,
    pub left: Axis,
    pub right: Axis,
    pub series: Vec<Series>,
    pub horizontals: Vec<Horizontal>,
    pub verticals: Vec<Vertical>,
    pub start_ms: i64,
    pub end_ms: i64,
    /// Of the time zone that times are told in, seconds east of UTC.
    pub offset_s: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    TimeSeries,
    /// The newest value of each series, in large figures.
    SingleValue,
    /// The newest value of each series, as bars.
    Bar,
    /// The newest value of each series, as parts of them all.
    Pie,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Legend {
    Bottom,
    Right,
    Hidden,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Left,
    Right,
}

/// A scale; what isn't given follows from the values.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Axis {
    pub label: String,
    pub min: Option<f64>,
    pub max: Option<f64>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    pub label: String,
    pub color: Color,
    pub side: Side,
    /// Points that are further apart than this aren't joined.
    pub period_ms: i64,
    /// By ascending time, finite values.
    pub points: Vec<(i64, f64)>,
}

/// A value that is marked, or a range of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Horizontal {
    pub value: f64,
    pub label: String,
    pub color: Color,
    pub side: Side,
    pub fill: Fill<f64>,
}

/// A time that is marked, or a range of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Vertical {
    pub at_ms: i64,
    pub label: String,
    pub color: Color,
    pub fill: Fill<i64>,
}

/// What of the plot is shaded beside a mark.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fill<T> {
    None,
    /// Above a value, or after a time.
    Beyond,
    /// Below a value, or before a time.
    Before,
    /// From the mark to this one, which has a line as well.
    To(T),
}
