//! Why an alarm is in its state, in CloudWatch's words. The forms were taken from notifications and DescribeAlarms
//! answers that people have published.

use std::fmt::Write;

use super::number::{Number, day_first, precise};
use super::{MissingData, Point, Rule, State, Window};

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
        let breaching = self.newest.iter().filter(|point| self.rule.breaches(point.value)).count();
        // Not an alarm yet although every point breaches: the points there are tell more than those there aren't.
        let too_few = !self.newest.is_empty() && breaching == self.newest.len();
        if self.state == State::Alarm || (too_few && self.filled().is_none()) {
            return alarm;
        }
        let minimum = self.rule.judged() - self.rule.needed() + 1;
        Side { breaching: false, minimum, transition: "ALARM -> OK" }
    }

    fn on_side(&self, side: &Side) -> Vec<Point> {
        let chosen = self.newest.iter().filter(|point| self.rule.breaches(point.value) == side.breaching);
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
    let filled = judged
        .filled()
        .map(|side| format!(" and {} treated as [{side}]", counted(judged.missing(), "missing datapoint")));
    if let (0, Some(filled)) = (judged.newest.len(), &filled) {
        let over = plural(periods, "period");
        return format!("Threshold Crossed: no datapoints were received for {over}{filled}.");
    }
    let filled = filled.unwrap_or_default();
    match judged.rule.datapoints_to_alarm {
        Some(_) => long(judged, &filled),
        None if !filled.is_empty() => {
            let received = counted(judged.newest.len(), "datapoint");
            let over = plural(periods, "period");
            format!("Threshold Crossed: {received} received for {over}{filled}.")
        }
        None => short(judged),
    }
}

/// With M given: how many of how many, and how many it takes.
fn long(judged: &Judged<'_>, filled: &str) -> String {
    let side = judged.side();
    let points = judged.on_side(&side);
    let mut text =
        format!("Threshold Crossed: {} out of the last {} datapoints", points.len(), judged.rule.judged());
    finish(&mut text, judged.rule, &side, &points, filled);
    let minimum = plural(side.minimum, "datapoint");
    let _ = write!(text, " (minimum {minimum} for {} transition).", side.transition);
    text
}

/// Without M: only the points.
fn short(judged: &Judged<'_>) -> String {
    let side = judged.side();
    let points = judged.on_side(&side);
    let mut text = format!("Threshold Crossed: {}", plural(points.len(), "datapoint"));
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
    let (comparison, threshold) = (rule.comparison.words(), Number(rule.threshold));
    let _ = write!(text, " {verb} {not}{comparison} the threshold ({threshold}){filled}");
    if many {
        let which = if side.breaching { " which crossed the threshold" } else { "" };
        let _ = write!(text, ". The most recent datapoints{which}: {}", list(&points[..LISTED]));
    }
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
    let recent: Vec<String> =
        judged.newest.iter().rev().map(|point| Number(point.value).to_string()).collect();
    let evaluated: Vec<String> =
        evaluated(judged).into_iter().map(|(at_ms, point)| entry(at_ms, point)).collect();
    if let Some(stat) = rule.stat {
        let _ = write!(text, r#","statistic":"{stat}""#);
    }
    let _ = write!(
        text,
        r#","period":{},"recentDatapoints":[{}],"threshold":{},"evaluatedDatapoints":[{}]}}"#,
        rule.period_s,
        recent.join(","),
        Number(rule.threshold),
        evaluated.join(",")
    );
    text
}

fn entry(at_ms: i64, point: Option<Point>) -> String {
    let at = precise(at_ms);
    match point {
        None => format!(r#"{{"timestamp":"{at}"}}"#),
        Some(Point { value, sample_count, .. }) => {
            let samples = sample_count.map(|count| format!(r#""sampleCount":{},"#, Number(count)));
            let (samples, value) = (samples.unwrap_or_default(), Number(value));
            format!(r#"{{"timestamp":"{at}",{samples}"value":{value}}}"#)
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
