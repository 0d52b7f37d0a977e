use super::reason::{self, Judged};
use super::{LowSamples, MissingData, Point, Rule, State, Window};
use crate::metrics::Stat;

/// What an evaluation finds. The words are of use when the state differs from the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub state: State,
    /// CloudWatch's StateReason.
    pub reason: String,
    /// CloudWatch's StateReasonData, JSON.
    pub reason_data: String,
}

/// Judges the newest N datapoints there are among those of the window, in any order; older ones stand in for missing
/// ones. `None` says that nothing can be said, and the state stays: missing data that is to be ignored, or percentiles of
/// too few samples.
///
/// Source: CloudWatch, "Configuring how CloudWatch alarms treat missing data".
pub fn evaluate(rule: &Rule, points: &[Point], now_ms: i64) -> Option<Outcome> {
    Some(Verdict::of(rule, points, now_ms)?.told(rule, now_ms))
}

/// The same, of an alarm that is in the state `before`: `None` also where it stays in it, and then no words are made.
pub fn evaluate_from(rule: &Rule, before: State, points: &[Point], now_ms: i64) -> Option<Outcome> {
    let verdict = Verdict::of(rule, points, now_ms)?;
    (verdict.state != before).then(|| verdict.told(rule, now_ms))
}

/// A state, and what it rests on.
struct Verdict {
    state: State,
    window: Window,
    /// The points that were judged, newest first.
    newest: Vec<Point>,
}

impl Verdict {
    fn of(rule: &Rule, points: &[Point], now_ms: i64) -> Option<Verdict> {
        let window = Window::at(rule, now_ms);
        let mut newest: Vec<Point> =
            points.iter().copied().filter(|point| window.age(point.at_ms).is_some()).collect();
        newest.sort_by_key(|point| std::cmp::Reverse(point.at_ms));
        newest.truncate(rule.judged());
        if newest.iter().any(|point| has_too_few_samples(rule, point)) {
            return None;
        }
        let state = judge(rule, &window, &newest)?;
        Some(Verdict { state, window, newest })
    }

    fn told(&self, rule: &Rule, now_ms: i64) -> Outcome {
        let Verdict { state, window, newest } = self;
        let judged = Judged { rule, window, state: *state, newest, now_ms };
        Outcome { state: *state, reason: reason::words(&judged), reason_data: reason::data(&judged) }
    }
}

fn judge(rule: &Rule, window: &Window, newest: &[Point]) -> Option<State> {
    let breaching = newest.iter().filter(|point| rule.breaches(point)).count();
    let missing = rule.judged() - newest.len();
    let decide = |breaching| if breaching >= rule.needed() { State::Alarm } else { State::Ok };
    Some(match rule.missing_data {
        _ if missing == 0 || breaching >= rule.needed() => decide(breaching),
        MissingData::Breaching => decide(breaching + missing),
        MissingData::NotBreaching => State::Ok,
        MissingData::Missing if newest.is_empty() => State::InsufficientData,
        MissingData::Missing if is_old_enough(rule, window, newest) => State::Alarm,
        // A single point that doesn't breach is enough to say so.
        MissingData::Ignore if breaching == newest.len() => return None,
        MissingData::Missing | MissingData::Ignore => State::Ok,
    })
}

/// Has there been nothing but breaching since M periods ago or longer, as far as there is data? Then it is an alarm,
/// however few datapoints there are.
fn is_old_enough(rule: &Rule, window: &Window, newest: &[Point]) -> bool {
    let oldest = newest.last().and_then(|point| window.age(point.at_ms));
    newest.iter().all(|point| rule.breaches(point)) && oldest.is_some_and(|age| age >= rule.needed())
}

/// Source: CloudWatch, percentile-based alarms and low data samples.
fn has_too_few_samples(rule: &Rule, point: &Point) -> bool {
    match (rule.low_samples, rule.stat) {
        (LowSamples::Ignore, Some(Stat::Percentile(percent))) if percent < 100.0 => {
            let share = percent / 100.0;
            let needed = if share >= 0.5 { 10.0 / (1.0 - share) } else { 10.0 / share };
            point.sample_count.is_some_and(|count| count < needed * (1.0 - 1e-9))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
