//! Which numbers and times an axis is marked with.

use time::{OffsetDateTime, UtcOffset};

/// Steps between marks of time, seconds.
const STEPS_S: [i64; 22] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800,
    604_800, 1_209_600, 2_592_000,
];
const DAY_S: i64 = 86_400;
/// No scale goes further than twice this, so that its length is a number.
const FAR: f64 = f64::MAX / 8.0;
/// Marks on one axis, whatever the size.
const MARKS_MAX: usize = 40;

/// Numbers between two, round and evenly spread, at most about as many as wanted.
pub fn marks(min: f64, max: f64, wanted: usize) -> Vec<f64> {
    let step = step(max - min, wanted);
    if !step.is_finite() || step <= 0.0 {
        return Vec::new();
    }
    let first = (min / step).ceil();
    let marks = (0..MARKS_MAX).map(|number| (first + number as f64) * step);
    // An allowance for what dividing and multiplying do to the last one.
    marks
        .take_while(|mark| *mark <= max + step * 1e-9)
        .map(|mark| if mark == 0.0 { 0.0 } else { mark })
        .collect()
}

/// 1, 2 or 5 times a power of ten.
fn step(span: f64, wanted: usize) -> f64 {
    let rough = span / wanted.max(1) as f64;
    let power = 10f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= rough * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * power
}

/// The ends of a scale on which all values are, with a little room, and 0 unless they are far from it.
pub fn bounds(values: impl Iterator<Item = f64>, min: Option<f64>, max: Option<f64>) -> (f64, f64) {
    let seen = values
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    let (low, high) = if seen.0 > seen.1 { (0.0, 1.0) } else { seen };
    let (low, high) = (low.clamp(-FAR, 0.0), high.clamp(0.0, FAR));
    let room = (high - low) * 0.05;
    let mut low = min.unwrap_or(if low < 0.0 { low - room } else { 0.0 });
    let mut high = max.unwrap_or(if high > 0.0 { high + room } else { 0.0 });
    if high <= low {
        // Nothing to see between them: what is given stays, the other end makes room.
        let around = low.abs().max(high.abs()).max(1.0);
        if max.is_some() && min.is_none() { low = high - around } else { high = low + around }
    }
    (low.max(-2.0 * FAR), high.min(2.0 * FAR))
}

/// Times between two at which a zone's clock is round, and what it shows then; no two nearer than `least_ms`.
pub fn times(start_ms: i64, end_ms: i64, least_ms: f64, offset_s: i32) -> Vec<(i64, String)> {
    let Some(step_s) = STEPS_S.into_iter().find(|step| (step * 1000) as f64 >= least_ms) else {
        return Vec::new();
    };
    let (step_ms, offset_ms) = (step_s * 1000, i64::from(offset_s) * 1000);
    let first = (start_ms + offset_ms).div_euclid(step_ms) * step_ms - offset_ms;
    let marks = (0..=MARKS_MAX as i64).map(|number| first + number * step_ms);
    marks
        .filter(|at_ms| *at_ms >= start_ms)
        .take_while(|at_ms| *at_ms <= end_ms)
        .map(|at_ms| (at_ms, clock(at_ms, step_s, offset_s)))
        .collect()
}

/// `06:30`, `06:30:15` where steps are below a minute, `12/24` where they are days.
fn clock(at_ms: i64, step_s: i64, offset_s: i32) -> String {
    let offset = UtcOffset::from_whole_seconds(offset_s).unwrap_or(UtcOffset::UTC);
    let Ok(at) = OffsetDateTime::from_unix_timestamp(at_ms.div_euclid(1000)) else { return String::new() };
    let Some(at) = at.checked_to_offset(offset) else { return String::new() };
    if step_s >= DAY_S {
        format!("{:02}/{:02}", u8::from(at.month()), at.day())
    } else if step_s < 60 {
        format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second())
    } else {
        format!("{:02}:{:02}", at.hour(), at.minute())
    }
}

/// A number in few letters: `1.25k`, `3M`, `0.002`, `1e-9`.
pub fn short(value: f64) -> String {
    const UNITS: [(f64, &str); 5] = [(1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    let size = value.abs();
    if !value.is_finite() || size >= 1e18 || (size > 0.0 && size < 1e-4) {
        return format!("{value:.2e}");
    }
    let (divisor, unit) = UNITS.into_iter().find(|(divisor, _)| size >= *divisor).unwrap_or((1.0, ""));
    let scaled = value / divisor;
    let digits = if size < 1.0 {
        4
    } else if scaled.abs() < 10.0 {
        2
    } else if scaled.abs() < 100.0 {
        1
    } else {
        0
    };
    let text = format!("{scaled:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{}{unit}", if text == "-0" { "0" } else { text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_few() {
        assert_eq!(marks(0.0, 10.0, 5), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(marks(-0.3, 0.3, 3), [-0.2, 0.0, 0.2]);
        assert_eq!(marks(7.0, 7.0, 5), []);
        for (min, max) in [(0.0, 1e308), (-1e-300, 1e-300), (1e15, 1e15 + 4.0), (0.0, f64::MIN_POSITIVE)] {
            assert!(marks(min, max, 8).len() <= MARKS_MAX, "{min} {max}");
        }
    }

    #[test]
    fn a_scale_has_all_values_on_it_and_keeps_what_is_given() {
        assert_eq!(bounds([].into_iter(), None, None), (0.0, 1.05));
        assert_eq!(bounds([2.0, 20.0].into_iter(), None, None), (0.0, 21.0));
        assert_eq!(bounds([-20.0].into_iter(), None, None), (-21.0, 0.0));
        assert_eq!(bounds([5.0].into_iter(), Some(4.0), Some(6.0)), (4.0, 6.0));
        assert_eq!(bounds([0.0].into_iter(), None, None), (0.0, 1.0));
        assert_eq!(bounds([5.0].into_iter(), Some(9.0), None), (9.0, 18.0));
        assert_eq!(bounds([5.0].into_iter(), None, Some(-9.0)), (-18.0, -9.0));
        let (low, high) = bounds([f64::MAX, f64::MIN].into_iter(), None, None);
        assert!((high - low).is_finite() && high > low);
    }

    #[test]
    fn clocks_are_round_in_their_zone() {
        let hour = 3_600_000;
        let told = |offset_s| -> Vec<String> {
            times(0, 6 * hour, 2.0 * hour as f64, offset_s).into_iter().map(|(_, text)| text).collect()
        };
        assert_eq!(told(0), ["00:00", "02:00", "04:00", "06:00"]);
        assert_eq!(told(5400), ["02:00", "04:00", "06:00"]);
        assert_eq!(times(0, 172_800_000, 1.0 * DAY_S as f64 * 1000.0, 0).len(), 3);
        assert_eq!(times(0, 30_000, 10_000.0, 0)[1].1, "00:00:10");
        assert!(times(i64::MIN / 4, i64::MAX / 4, 1e18, 0).is_empty());
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (0.5, "0.5"),
            (12.34, "12.3"),
            (999.4, "999"),
            (1250.0, "1.25k"),
            (3e6, "3M"),
            (-4.2e9, "-4.2G"),
            (1e-9, "1.00e-9"),
            (0.0021, "0.0021"),
            (1e20, "1.00e20"),
            (100.0, "100"),
        ] {
            assert_eq!(short(value), text);
        }
    }
}
