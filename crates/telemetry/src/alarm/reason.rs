//! Why an alarm is in its state, in CloudWatch's words. The forms were taken from notifications and DescribeAlarms
//! answers that people have published.

use std::fmt::Write;

use super::number::{Number, day_first, precise};
use super::{Band, MissingData, Outside, Point, Rule, State, Threshold, Window};

/// Points that a reason lists; with as many there are, only the newest are, and in a sentence of their own.
const LISTED: usize = 5;

pub(super) struct Judged<'a> {
    pub rule: &'a Rule,
    pub window: &'a Window,
    pub state: State,
    /// The points that were judged, newest first, at most N.
    pub newest: &'a [Point],
    pub now_ms: i64,
}

/// Which side of the threshold the words are about, and how many points of it the state takes.
struct Side {
    breaching: bool,
    minimum: usize,
    transition: &'static str,
}

impl Judged<'_> {
    fn missing(&self) -> usize {
        self.rule.judged() - self.newest.len()
    }

    fn side(&self) -> Side {
        let alarm = Side { breaching: true, minimum: self.rule.needed(), transition: "OK -> ALARM" };
        let breaching = self.newest.iter().filter(|point| self.rule.breaches(point)).count();
        // Not an alarm yet although every point breaches: the points there are tell more than those there aren't.
        let too_few = !self.newest.is_empty() && breaching == self.newest.len();
        if self.state == State::Alarm || (too_few && self.filled().is_none()) {
            return alarm;
        }
        let minimum = self.rule.judged() - self.rule.needed() + 1;
        Side { breaching: false, minimum, transition: "ALARM -> OK" }
    }

    fn on_side(&self, side: &Side) -> Vec<Point> {
        let chosen = self.newest.iter().filter(|point| self.rule.breaches(point) == side.breaching);
        chosen.copied().collect()
    }

    /// What missing points were treated as, if they were.
    fn filled(&self) -> Option<&'static str> {
        match self.rule.missing_data {
            MissingData::Breaching if self.missing() > 0 => Some("Breaching"),
            MissingData::NotBreaching if self.missing() > 0 => Some("NonBreaching"),
            _ => None,
        }
    }
}

/// StateReason.
pub(super) fn words(judged: &Judged<'_>) -> String {
    let periods = judged.rule.judged();
    if judged.state == State::InsufficientData {
        return format!("Insufficient Data: {} unknown.", datapoints(periods));
    }
    let crossed = crossed(judged.rule);
    let filled = judged
        .filled()
        .map(|side| format!(" and {} treated as [{side}]", counted(judged.missing(), "missing datapoint")));
    if let (0, Some(filled)) = (judged.newest.len(), &filled) {
        let over = plural(periods, "period");
        return format!("{crossed}: no datapoints were received for {over}{filled}.");
    }
    let filled = filled.unwrap_or_default();
    match judged.rule.datapoints_to_alarm {
        Some(_) => long(judged, &filled),
        None if !filled.is_empty() => {
            let received = counted(judged.newest.len(), "datapoint");
            let over = plural(periods, "period");
            format!("{crossed}: {received} received for {over}{filled}.")
        }
        None => short(judged),
    }
}

/// A band is of two thresholds.
fn crossed(rule: &Rule) -> &'static str {
    match rule.threshold {
        Threshold::Static(..) => "Threshold Crossed",
        Threshold::Band(_) => "Thresholds Crossed",
    }
}

/// With M given: how many of how many, and how many it takes.
fn long(judged: &Judged<'_>, filled: &str) -> String {
    let side = judged.side();
    let points = judged.on_side(&side);
    let mut text = format!(
        "{}: {} out of the last {} datapoints",
        crossed(judged.rule),
        points.len(),
        judged.rule.judged()
    );
    finish(&mut text, judged.rule, &side, &points, filled);
    let minimum = plural(side.minimum, "datapoint");
    let _ = write!(text, " (minimum {minimum} for {} transition).", side.transition);
    text
}

/// Without M: only the points.
fn short(judged: &Judged<'_>) -> String {
    let side = judged.side();
    let points = judged.on_side(&side);
    let mut text = format!("{}: {}", crossed(judged.rule), plural(points.len(), "datapoint"));
    finish(&mut text, judged.rule, &side, &points, "");
    text.push('.');
    text
}

/// ` [1.0 (…), …] were not greater than the threshold (5.0)`; many points come afterwards.
fn finish(text: &mut String, rule: &Rule, side: &Side, points: &[Point], filled: &str) {
    let many = points.len() >= LISTED;
    if !many && !points.is_empty() {
        let _ = write!(text, " {}", list(points));
    }
    let verb = if points.len() == 1 { "was" } else { "were" };
    let not = if side.breaching { "" } else { "not " };
    let newest = &points[..points.len().min(LISTED)];
    match rule.threshold {
        Threshold::Static(comparison, threshold) => {
            let (comparison, threshold) = (comparison.words(), Number(threshold));
            let _ = write!(text, " {verb} {not}{comparison} the threshold ({threshold}){filled}");
            if many {
                let which = if side.breaching { " which crossed the threshold" } else { "" };
                let _ = write!(text, ". The most recent datapoints{which}: {}", list(newest));
            }
        }
        Threshold::Band(outside) => {
            let listed = if many { &[] } else { newest };
            let (less, greater) = (format!("{not}less than"), format!("{not}greater than"));
            let _ = write!(text, " {verb} {}{filled}", limits(outside, listed, [&less, &greater]));
            if many {
                let crossed = if side.breaching { "crossed" } else { "did not cross" };
                let limits = limits(outside, newest, ["", ""]);
                let _ = write!(text, ". Recent datapoints {} {crossed} {limits}", list(newest));
            }
        }
    }
}

/// `less than the lower thresholds [0.5] or greater than the upper thresholds [1.5]`: how points lie to their bands.
fn limits(outside: Outside, points: &[Point], [less, greater]: [&str; 2]) -> String {
    let side = |words: &str, which: &str, of: fn(&Band) -> f64| {
        let values = if points.is_empty() { String::new() } else { format!(" {}", bounds(points, of)) };
        let words = if words.is_empty() { String::new() } else { format!("{words} ") };
        format!("{words}the {which} thresholds{values}")
    };
    let (lower, upper) = (side(less, "lower", |band| band.lower), side(greater, "upper", |band| band.upper));
    match outside {
        Outside::LowerOrUpper if less.is_empty() => {
            format!("{lower} or {}", upper.trim_start_matches("the "))
        }
        Outside::LowerOrUpper => format!("{lower} or {upper}"),
        Outside::Lower => lower,
        Outside::Upper => upper,
    }
}

/// One bound of each point's band.
fn bounds(points: &[Point], of: fn(&Band) -> f64) -> String {
    let bounds =
        points.iter().filter_map(|point| point.band.as_ref()).map(|band| Number(of(band)).to_string());
    format!("[{}]", bounds.collect::<Vec<_>>().join(", "))
}

fn list(points: &[Point]) -> String {
    let points: Vec<String> =
        points.iter().map(|point| format!("{} ({})", Number(point.value), day_first(point.at_ms))).collect();
    format!("[{}]", points.join(", "))
}

fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn counted(count: usize, noun: &str) -> String {
    format!("{} {}", plural(count, noun), if count == 1 { "was" } else { "were" })
}

fn datapoints(count: usize) -> String {
    counted(count, "datapoint")
}

/// StateReasonData. Recent points are oldest first, evaluated ones (as many as the state takes) newest first; a missing
/// one has only its time.
pub(super) fn data(judged: &Judged<'_>) -> String {
    let rule = judged.rule;
    let mut text = format!(r#"{{"version":"1.0","queryDate":"{}""#, precise(judged.now_ms));
    if let Some(oldest) = judged.newest.last() {
        let _ = write!(text, r#","startDate":"{}""#, precise(oldest.at_ms));
    }
    if let Some(unit) = rule.unit {
        let _ = write!(text, r#","unit":"{unit}""#);
    }
    let recent: Vec<Point> = judged.newest.iter().rev().copied().collect();
    let values: Vec<String> = recent.iter().map(|point| Number(point.value).to_string()).collect();
    let evaluated: Vec<String> =
        evaluated(judged).into_iter().map(|(at_ms, point)| entry(rule, at_ms, point)).collect();
    if let Some(stat) = rule.stat_text.clone().or_else(|| rule.stat.map(|stat| stat.to_string())) {
        let _ = write!(text, r#","statistic":"{stat}""#);
    }
    let _ = write!(text, r#","period":{},"recentDatapoints":[{}]"#, rule.period_s, values.join(","));
    match rule.threshold {
        Threshold::Static(_, threshold) => {
            let _ = write!(text, r#","threshold":{}"#, Number(threshold));
        }
        Threshold::Band(outside) => {
            let bounds = |of| bounds(&recent, of).replace(", ", ",");
            if outside.is_below() {
                let _ = write!(text, r#","recentLowerThresholds":{}"#, bounds(|band| band.lower));
            }
            if outside.is_above() {
                let _ = write!(text, r#","recentUpperThresholds":{}"#, bounds(|band| band.upper));
            }
        }
    }
    let _ = write!(text, r#","evaluatedDatapoints":[{}]}}"#, evaluated.join(","));
    text
}

fn entry(rule: &Rule, at_ms: i64, point: Option<Point>) -> String {
    let at = precise(at_ms);
    match point {
        None => format!(r#"{{"timestamp":"{at}"}}"#),
        Some(Point { value, sample_count, band, .. }) => {
            let samples = sample_count.map(|count| format!(r#""sampleCount":{},"#, Number(count)));
            // Only one side of a band is told as a threshold.
            let threshold = match (rule.threshold, band) {
                (Threshold::Band(Outside::Lower), Some(band)) => Some(band.lower),
                (Threshold::Band(Outside::Upper), Some(band)) => Some(band.upper),
                _ => None,
            };
            let threshold = threshold.map(|threshold| format!(r#","threshold":{}"#, Number(threshold)));
            let (samples, value) = (samples.unwrap_or_default(), Number(value));
            format!(r#"{{"timestamp":"{at}",{samples}"value":{value}{}}}"#, threshold.unwrap_or_default())
        }
    }
}

/// The points that the state rests on, newest first.
fn evaluated(judged: &Judged<'_>) -> Vec<(i64, Option<Point>)> {
    let window = judged.window;
    let times = judged.newest.iter().filter_map(|point| window.age(point.at_ms));
    let taken: Vec<usize> = times.collect();
    let gaps = |count| {
        let ages = (1..).filter(|age| !taken.contains(age)).take(count);
        ages.map(|age| (window.start_of(age), None)).collect::<Vec<_>>()
    };
    if judged.state == State::InsufficientData {
        return gaps(judged.rule.judged());
    }
    let side = judged.side();
    let mut evaluated: Vec<_> =
        judged.on_side(&side).into_iter().map(|point| (point.at_ms, Some(point))).collect();
    if judged.filled().is_some_and(|filled| (filled == "Breaching") == side.breaching) {
        evaluated.extend(gaps(judged.missing()));
    }
    evaluated.sort_by_key(|(at_ms, _)| std::cmp::Reverse(*at_ms));
    evaluated.truncate(side.minimum);
    evaluated
}
