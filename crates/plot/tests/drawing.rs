//! Pictures decoded again, and looked at where things should be.

#![allow(clippy::unwrap_used, reason = "tests")]

use pitbird_plot::{
    Axis, Chart, Color, Error, Fill, Frame, Horizontal, Legend, Series, Side, Vertical, View, draw,
};

const MINUTE: i64 = 60_000;
const BLUE: Color = Color(0x1f, 0x77, 0xb4);
const RED: Color = Color(0xd6, 0x27, 0x28);
const WHITE: Color = Color(0xff, 0xff, 0xff);

struct Picture {
    width: usize,
    height: usize,
    bytes: Vec<u8>,
}

impl Picture {
    fn of(chart: &Chart) -> Picture {
        let png = draw(chart).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        assert_eq!((info.color_type, info.bit_depth), (png::ColorType::Rgba, png::BitDepth::Eight));
        Picture { width: info.width as usize, height: info.height as usize, bytes }
    }

    fn at(&self, x: f32, y: f32) -> Color {
        let place = (y as usize * self.width + x as usize) * 4;
        Color(self.bytes[place], self.bytes[place + 1], self.bytes[place + 2])
    }

    /// How many pixels of a colour there are within a few pixels of a place.
    fn near(&self, (x, y): (f32, f32), color: Color) -> usize {
        let within =
            |middle: f32, most: usize| (middle as usize).saturating_sub(2)..(middle as usize + 3).min(most);
        let places = within(y, self.height).flat_map(|y| within(x, self.width).map(move |x| (x, y)));
        places.filter(|(x, y)| self.at(*x as f32, *y as f32) == color).count()
    }

    fn count(&self, color: Color) -> usize {
        self.bytes
            .chunks_exact(4)
            .filter(|pixel| (pixel[0], pixel[1], pixel[2]) == (color.0, color.1, color.2))
            .count()
    }
}

fn series(label: &str, color: Color, points: &[(i64, f64)]) -> Series {
    let points = points.iter().map(|(minute, value)| (minute * MINUTE, *value)).collect();
    Series { label: label.to_owned(), color, side: Side::Left, period_ms: MINUTE, points }
}

fn chart(series: Vec<Series>) -> Chart {
    Chart {
        width: 600,
        height: 400,
        title: "title".to_owned(),
        view: View::TimeSeries,
        is_stacked: false,
        legend: Legend::Bottom,
        left: Axis::default(),
        right: Axis::default(),
        series,
        horizontals: Vec::new(),
        verticals: Vec::new(),
        start_ms: 0,
        end_ms: 60 * MINUTE,
        offset_s: 0,
    }
}

fn points(chart: &Chart) -> Vec<Vec<(i64, f64)>> {
    chart.series.iter().map(|series| series.points.clone()).collect()
}

#[test]
fn a_line_is_where_its_datapoints_are() {
    let wave: Vec<(i64, f64)> = (0..60).map(|minute| (minute, f64::from((minute * 7 % 13) as u32))).collect();
    let chart = chart(vec![series("wave", BLUE, &wave)]);
    let (frame, picture) = (Frame::of(&chart, &points(&chart)), Picture::of(&chart));
    assert_eq!((picture.width, picture.height), (600, 400));
    for (at_ms, value) in &chart.series[0].points {
        let place = (frame.x(*at_ms), frame.y(*value, Side::Left));
        assert!(picture.near(place, BLUE) > 0, "{at_ms} {value} at {place:?}");
    }
    // Halfway between two points the line is halfway between their values, and nothing is far above it.
    let middle = (frame.x(MINUTE / 2), frame.y(3.5, Side::Left));
    assert!(picture.near(middle, BLUE) > 0);
    assert_eq!(picture.at(middle.0, frame.y(9.3, Side::Left)), WHITE);
}

#[test]
fn the_same_chart_is_the_same_picture() {
    let one = chart(vec![series("a", BLUE, &[(0, 1.0), (1, 2.0)]), series("b", RED, &[(5, 3.0)])]);
    assert_eq!(draw(&one).unwrap(), draw(&one).unwrap());
    let other = Chart { title: "other".to_owned(), ..one.clone() };
    assert_ne!(draw(&one).unwrap(), draw(&other).unwrap());
}

#[test]
fn missing_datapoints_are_gaps_and_lone_ones_dots() {
    let chart = chart(vec![series("a", BLUE, &[(0, 5.0), (1, 5.0), (30, 5.0)])]);
    let (frame, picture) = (Frame::of(&chart, &points(&chart)), Picture::of(&chart));
    let y = frame.y(5.0, Side::Left);
    assert!(picture.near((frame.x(30 * MINUTE), y), BLUE) > 4);
    assert_eq!(picture.near((frame.x(15 * MINUTE), y), BLUE), 0);
}

#[test]
fn stacked_series_stand_on_each_other() {
    let below = series("a", BLUE, &[(0, 4.0), (59, 4.0)]);
    let above = Series { period_ms: 60 * MINUTE, ..series("b", RED, &[(0, 3.0), (59, 3.0)]) };
    let below = Series { period_ms: 60 * MINUTE, ..below };
    let chart = Chart { is_stacked: true, ..chart(vec![below, above]) };
    let sums = vec![vec![(0, 4.0)], vec![(0, 7.0)]];
    let (frame, picture) = (Frame::of(&chart, &sums), Picture::of(&chart));
    let x = frame.x(30 * MINUTE);
    assert!(picture.near((x, frame.y(7.0, Side::Left)), RED) > 0);
    assert!(picture.near((x, frame.y(4.0, Side::Left)), BLUE) > 0);
    for value in [2.0, 5.5] {
        assert_ne!(picture.at(x, frame.y(value, Side::Left)), WHITE, "the area at {value} is filled");
    }
}

#[test]
fn both_sides_have_scales_of_their_own() {
    let right = Series { side: Side::Right, ..series("r", RED, &[(0, 1000.0), (1, 1000.0)]) };
    let chart = chart(vec![series("l", BLUE, &[(0, 1.0), (1, 1.0)]), right]);
    let (frame, picture) = (Frame::of(&chart, &points(&chart)), Picture::of(&chart));
    assert_eq!((frame.left_values, frame.right_values), ((0.0, 1.05), Some((0.0, 1050.0))));
    assert!(picture.near((frame.x(0), frame.y(1000.0, Side::Right)), RED) > 0);
    let given = Axis { min: Some(-10.0), max: Some(10.0), label: String::new() };
    let chart = Chart { left: given, ..chart.clone() };
    let frame = Frame::of(&chart, &points(&chart));
    assert_eq!(frame.left_values, (-10.0, 10.0));
    assert!((frame.y(0.0, Side::Left) - (frame.top + frame.bottom) / 2.0).abs() < 1.0);
}

#[test]
fn marks_and_their_shades_are_drawn() {
    let mut chart = chart(Vec::new());
    chart.left = Axis { min: Some(0.0), max: Some(10.0), label: String::new() };
    let mark = |value, fill| Horizontal { value, label: String::new(), color: RED, side: Side::Left, fill };
    chart.horizontals = vec![mark(8.0, Fill::Beyond), mark(2.0, Fill::To(4.0))];
    chart.verticals =
        vec![Vertical { at_ms: 30 * MINUTE, label: "here".to_owned(), color: BLUE, fill: Fill::None }];
    let (frame, picture) = (Frame::of(&chart, &[]), Picture::of(&chart));
    let x = frame.x(10 * MINUTE) + 5.0;
    for value in [8.0, 2.0, 4.0] {
        assert_eq!(picture.at(x, frame.y(value, Side::Left).round()), RED, "{value}");
    }
    for (value, is_shaded) in [(9.1, true), (7.1, false), (3.1, true), (1.1, false)] {
        assert_eq!(picture.at(x, frame.y(value, Side::Left)) != WHITE, is_shaded, "{value}");
    }
    assert_eq!(picture.at(frame.x(30 * MINUTE).round(), frame.bottom - 5.0), BLUE);
}

#[test]
fn bars_and_pies_have_their_colours() {
    let all = vec![series("a", BLUE, &[(0, 9.0), (1, 3.0)]), series("b", RED, &[(1, 1.0)])];
    for view in [View::Bar, View::Pie] {
        let chart = Chart { view, legend: Legend::Hidden, ..chart(all.clone()) };
        let picture = Picture::of(&chart);
        let (blue, red) = (picture.count(BLUE), picture.count(RED));
        assert!(blue > 50 && red > 10, "{view:?}: {blue} {red}");
        match view {
            // Three to one.
            View::Bar | View::Pie => {
                let ratio = blue as f64 / red as f64;
                assert!((2.8..3.2).contains(&ratio), "{view:?}: {ratio}");
            }
            View::SingleValue | View::TimeSeries => unreachable!("not among them"),
        }
    }
}

#[test]
fn single_values_are_the_newest() {
    let single = |points: &[(i64, f64)]| {
        let series = vec![series("a", BLUE, points), series("b", RED, &[])];
        draw(&Chart { view: View::SingleValue, ..chart(series) }).unwrap()
    };
    assert_eq!(single(&[(0, 9.0), (1, 3.0)]), single(&[(1, 3.0)]));
    assert_ne!(single(&[(0, 3.0), (1, 9.0)]), single(&[(1, 3.0)]));
    assert_ne!(single(&[]), single(&[(1, 3.0)]));
}

#[test]
fn any_size_and_any_values_are_drawn() {
    let wild = [f64::MAX, f64::MIN, 1e-300, 0.0, -0.0, 5.0];
    let wild: Vec<(i64, f64)> = wild.iter().enumerate().map(|(at, value)| (at as i64, *value)).collect();
    let many: Vec<Series> =
        (0..300).map(|n| series(&format!("é {n} {}", "x".repeat(n)), BLUE, &wild)).collect();
    for (width, height) in [(1, 1), (1, 2000), (2000, 1), (7, 30), (60, 60), (300, 200)] {
        for view in [View::TimeSeries, View::SingleValue, View::Bar, View::Pie] {
            for legend in [Legend::Bottom, Legend::Right, Legend::Hidden] {
                let chart = Chart { width, height, view, legend, ..chart(many[..60].to_vec()) };
                assert_eq!(Picture::of(&chart).width, width as usize);
                let far = Chart { start_ms: i64::MIN / 2, end_ms: i64::MAX / 2, is_stacked: true, ..chart };
                draw(&far).unwrap();
            }
        }
    }
    draw(&chart(many)).unwrap();
    for (width, height) in [(0, 10), (10, 0), (2001, 10), (10, 2001)] {
        let chart = Chart { width, height, ..chart(Vec::new()) };
        assert!(matches!(draw(&chart), Err(Error::Size)));
    }
}
