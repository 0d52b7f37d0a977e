//! A plot of letters: lines of braille dots, two by four to a letter.

use crate::json::epoch_ms;
use crate::watch::Style;

/// Dots of one letter.
const ACROSS: usize = 2;
const DOWN: usize = 4;
/// The bit of each dot, by column and row from above. Source: Unicode, Braille Patterns.
const BITS: [[u32; DOWN]; ACROSS] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
const BLANK: u32 = 0x2800;
/// Columns of a plot, at least and at most.
const COLUMNS: (usize, usize) = (10, 400);

pub struct Plot<'p> {
    pub title: String,
    /// Points that are further apart aren't joined.
    pub period_ms: i64,
    pub start_ms: i64,
    pub end_ms: i64,
    /// By ascending time, finite values, at least one.
    pub points: &'p [(i64, f64)],
}

impl Plot<'_> {
    /// Draws it in a terminal of this width. Its figures are the smallest, largest and newest value and the first and last time.
    pub fn drawn(&self, width: usize, rows: usize, color: bool) -> String {
        let (low, high) = self.bounds();
        let labels = [number(high), number((low + high) / 2.0), number(low)];
        let margin = labels.iter().map(|label| label.chars().count()).max().unwrap_or_default();
        let columns = width.saturating_sub(margin + 2).clamp(COLUMNS.0, COLUMNS.1);
        let mut text = format!("{}\n", self.title);
        for (row, line) in self.dots(columns, rows, low, high).into_iter().enumerate() {
            let label = match row {
                0 => labels[0].as_str(),
                row if row == rows / 2 => &labels[1],
                row if row + 1 == rows => &labels[2],
                _ => "",
            };
            let line: String = line.into_iter().filter_map(char::from_u32).collect();
            text.push_str(&format!(
                "{}  {}\n",
                painted(&format!("{label:>margin$}"), Style::Dim, color),
                painted(line.trim_end_matches('\u{2800}'), Style::Good, color)
            ));
        }
        let (from, to) = (clock(self.start_ms), clock(self.end_ms));
        let gap = (columns + margin + 2).saturating_sub(margin + 2 + from.len() + to.len()).max(1);
        let times = format!("{}  {from}{}{to}", " ".repeat(margin), " ".repeat(gap));
        text.push_str(&painted(&times, Style::Dim, color));
        text.push_str(&format!("\n{}\n", self.figures()));
        text
    }

    fn figures(&self) -> String {
        let values = self.points.iter().map(|(_, value)| *value);
        let (low, high) =
            (values.clone().fold(f64::INFINITY, f64::min), values.fold(f64::NEG_INFINITY, f64::max));
        let newest = self.points.last().map_or(f64::NAN, |(_, value)| *value);
        let count = self.points.len();
        format!(
            "{count} datapoints, lowest {}, highest {}, newest {}",
            number(low),
            number(high),
            number(newest)
        )
    }

    /// The scale's ends, with 0.
    fn bounds(&self) -> (f64, f64) {
        let far = f64::MAX / 4.0;
        let low = self.points.iter().map(|(_, value)| *value).fold(0.0, f64::min).max(-far);
        let high = self.points.iter().map(|(_, value)| *value).fold(0.0, f64::max).min(far);
        if high > low { (low, high) } else { (low, low + 1.0) }
    }

    fn dots(&self, columns: usize, rows: usize, low: f64, high: f64) -> Vec<Vec<u32>> {
        let mut lines = vec![vec![BLANK; columns]; rows];
        let (across, down) = ((columns * ACROSS - 1) as f64, (rows * DOWN - 1) as f64);
        let span = (self.end_ms - self.start_ms).max(1) as f64;
        let place = |(at_ms, value): (i64, f64)| {
            let x = (at_ms - self.start_ms) as f64 / span * across;
            let y = (high - value) / (high - low) * down;
            (x.round().clamp(0.0, across) as usize, y.round().clamp(0.0, down) as usize)
        };
        let mut set = |x: usize, y: usize| lines[y / DOWN][x / ACROSS] |= BITS[x % ACROSS][y % DOWN];
        for run in self.points.chunk_by(|one, other| other.0 - one.0 <= self.period_ms) {
            let places: Vec<(usize, usize)> = run.iter().copied().map(place).collect();
            if let [(x, y)] = places[..] {
                set(x, y);
            }
            for pair in places.windows(2) {
                join(pair[0], pair[1], &mut set);
            }
        }
        lines
    }
}

/// Sets the dots of a line.
fn join(from: (usize, usize), to: (usize, usize), set: &mut impl FnMut(usize, usize)) {
    let steps = from.0.abs_diff(to.0).max(from.1.abs_diff(to.1)).max(1);
    let between = |from: usize, to: usize, step: usize| {
        let part = step as f64 / steps as f64;
        (from as f64 + (to as f64 - from as f64) * part).round() as usize
    };
    (0..=steps).for_each(|step| set(between(from.0, to.0, step), between(from.1, to.1, step)));
}

/// Six figures at most.
fn number(value: f64) -> String {
    if value != 0.0 && !(1e-4..1e9).contains(&value.abs()) {
        return format!("{value:.3e}");
    }
    let whole = value.abs().log10().floor().max(0.0) as usize;
    let text = format!("{value:.*}", 5usize.saturating_sub(whole));
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// `2026-01-31T12:00:00Z`.
fn clock(at_ms: i64) -> String {
    let text = epoch_ms(at_ms / 1000 * 1000).unwrap_or_default();
    text.strip_suffix(".000Z").map(|text| format!("{text}Z")).unwrap_or(text)
}

fn painted(text: &str, style: Style, color: bool) -> String {
    if color && !text.is_empty() {
        format!("\x1b[{}m{text}\x1b[0m", style.parameters())
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(points: &[(i64, f64)]) -> Plot<'_> {
        Plot { title: "t".to_owned(), period_ms: 60_000, start_ms: 0, end_ms: 600_000, points }
    }

    #[test]
    fn a_rising_line_rises() {
        let points: Vec<(i64, f64)> = (0..=10).map(|minute| (minute * 60_000, minute as f64)).collect();
        let text = plot(&points).drawn(14, 3, false);
        let expected = "t
10  ⠀⠀⠀⠀⠀⠀⢀⡠⠔⠊
 5  ⠀⠀⠀⠀⣀⠜⠁
 0  ⣀⠤⠒⠉
    1970-01-01T00:00:00Z 1970-01-01T00:10:00Z
11 datapoints, lowest 0, highest 10, newest 10
";
        assert_eq!(text, expected);
    }

    #[test]
    fn missing_datapoints_are_gaps_and_colour_is_as_asked() {
        let points = [(0, 1.0), (60_000, 1.0), (600_000, 1.0)];
        let (plain, colored) = (plot(&points).drawn(40, 2, false), plot(&points).drawn(40, 2, true));
        assert!(!plain.contains('\x1b') && colored.contains("\x1b[32m"));
        let line = plain.lines().nth(1).expect("a line");
        assert!(line.contains("⠀⠀⠀⠀⠀⠀⠀⠀") && line.ends_with('⠈'), "{line}");
    }

    #[test]
    fn any_values_and_widths_are_drawn() {
        let points = [(-60_000, f64::MAX), (0, f64::MIN), (60_000, 1e-300), (900_000, 0.0)];
        for width in [0, 1, 40, 100_000] {
            let text = plot(&points).drawn(width, 12, false);
            assert_eq!(text.lines().count(), 15);
        }
        assert_eq!(
            [1.5, 0.0, 123_456.7, 2e12, 1e-7].map(number),
            ["1.5", "0", "123457", "2.000e12", "1.000e-7"]
        );
    }
}
