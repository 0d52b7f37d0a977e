//! Which values a metric is expected to have: a model trained on what it had.
//!
//! The past is divided by the hour: of the week, of the day, or not at all, whichever tells most ([`Season`]). Each slot has a
//! middle, the median of its values, and a spread, a robust standard deviation of what remains; a slot of too few values takes the
//! coarser one's. All middles move together by what the last day was above or below them in the median. A band is so many
//! spreads wide to both sides. Hours are those of UTC. The same past always gives the same model.

use std::ops::Range;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
const DAY_HOURS: usize = 24;

/// How much of the past a model is trained on. Source: CloudWatch, anomaly detection.
pub const HISTORY_MS: i64 = 14 * DAY_MS;
/// Values without which nothing is expected.
pub const POINTS_MIN: usize = 15;

/// Values that a slot must have of its own.
const SLOT_POINTS_MIN: usize = 10;
/// How far the past must reach for a profile of the day, and of the week.
const DAILY_MS: i64 = 2 * DAY_MS - HOUR_MS;
const WEEKLY_MS: i64 = 13 * DAY_MS;
/// A finer profile must leave at most this share of what a coarser one leaves unexplained.
const WORTH: f64 = 0.9;
/// A standard deviation in median absolute deviations, and in the value that nine tenths of absolute deviations stay below,
/// of a normal distribution.
const PER_MEDIAN: f64 = 1.4826;
const PER_NINE_TENTHS: f64 = 1.0 / 1.6449;
/// The least spread of a slot, of the whole's and of its own middle.
const SHARE_OF_WHOLE: f64 = 0.5;
const SHARE_OF_MIDDLE: f64 = 0.005;
/// Beyond so many spreads a value is a spike.
const SPIKE: f64 = 3.0;
/// Days on which a spike must have come, at least.
const SPIKE_DAYS_MIN: usize = 2;

/// What a model is trained on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Past<'a> {
    /// Times in milliseconds since 1970 and values, by ascending time. What is no finite number is passed over.
    pub points: &'a [(i64, f64)],
    /// Times that aren't trained on.
    pub excluded: &'a [Range<i64>],
    /// Spikes that come at the same hour on at least half of the days are expected to come again.
    pub has_periodic_spikes: bool,
}

/// By what the expected value changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Season {
    /// By nothing.
    None,
    HourOfDay,
    HourOfWeek,
}

/// What is expected of a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    season: Season,
    slots: Vec<Slot>,
    /// By hours of the day; empty where spikes aren't expected.
    spikes: Vec<Spikes>,
    /// All of the above is in units of this.
    scale: f64,
    /// From the first to the last value, milliseconds.
    history_ms: i64,
}

/// The least and the greatest value that is expected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expected {
    pub lower: f64,
    pub upper: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Slot {
    middle: f64,
    spread: f64,
}

/// How far spikes go, where there are any.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Spikes {
    lowest: Option<f64>,
    highest: Option<f64>,
}

impl Season {
    fn slots(self) -> usize {
        match self {
            Season::None => 1,
            Season::HourOfDay => DAY_HOURS,
            Season::HourOfWeek => 7 * DAY_HOURS,
        }
    }

    fn slot(self, at_ms: i64) -> usize {
        at_ms.div_euclid(HOUR_MS).rem_euclid(self.slots() as i64) as usize
    }
}

impl Model {
    /// `None` where there are fewer than [`POINTS_MIN`] values.
    pub fn train(past: &Past<'_>) -> Option<Model> {
        let is_excluded = |at_ms: i64| past.excluded.iter().any(|range| range.contains(&at_ms));
        let mut points: Vec<(i64, f64)> = past
            .points
            .iter()
            .copied()
            .filter(|point| point.1.is_finite() && !is_excluded(point.0))
            .collect();
        if points.len() < POINTS_MIN {
            return None;
        }
        // So that no difference overflows.
        let greatest = points.iter().map(|point| point.1.abs()).fold(0.0, f64::max);
        let scale = if greatest > 0.0 { greatest } else { 1.0 };
        points.iter_mut().for_each(|point| point.1 /= scale);
        let history_ms = points.last()?.0.saturating_sub(points.first()?.0);
        let (season, middles) = profile(&points, history_ms);
        let mut slots = spreads(&points, season, &middles);
        let spikes = if past.has_periodic_spikes { spikes(&points, season, &slots) } else { Vec::new() };
        let shift = shift(&points, season, &middles, history_ms);
        slots.iter_mut().for_each(|slot| slot.middle += shift);
        Some(Model { season, slots, spikes, scale, history_ms })
    }

    /// By what it changes.
    pub fn season(&self) -> Season {
        self.season
    }

    /// How much of the past it knows, milliseconds.
    pub fn history_ms(&self) -> i64 {
        self.history_ms
    }

    /// What is expected at a time, so many standard deviations to both sides. Always finite numbers.
    pub fn expected(&self, at_ms: i64, deviations: f64) -> Expected {
        let Slot { middle, spread } = self.slots[self.season.slot(at_ms)];
        let deviations = if deviations.is_nan() { 0.0 } else { deviations.clamp(0.0, f64::MAX) };
        let width = deviations * spread;
        let Spikes { lowest, highest } =
            self.spikes.get(Season::HourOfDay.slot(at_ms)).copied().unwrap_or_default();
        let lower = lowest.map_or(middle - width, |lowest| lowest.min(middle - width));
        let upper = highest.map_or(middle + width, |highest| highest.max(middle + width));
        let whole = |value: f64| (value * self.scale).clamp(f64::MIN, f64::MAX);
        Expected { lower: whole(lower), upper: whole(upper) }
    }
}

/// The season that tells most, and the middles of its slots.
fn profile(points: &[(i64, f64)], history_ms: i64) -> (Season, Vec<f64>) {
    let mut all: Vec<f64> = points.iter().map(|point| point.1).collect();
    let whole = vec![median(&mut all)];
    let mut best = (Season::None, whole.clone());
    let mut left = unexplained(points, best.0, &best.1);
    let mut coarser = (Season::None, whole);
    for (season, needed_ms) in [(Season::HourOfDay, DAILY_MS), (Season::HourOfWeek, WEEKLY_MS)] {
        if history_ms < needed_ms {
            break;
        }
        let middles = middles(points, season, &coarser);
        let leaves = unexplained(points, season, &middles);
        if leaves < WORTH * left {
            (best, left) = ((season, middles.clone()), leaves);
        }
        coarser = (season, middles);
    }
    best
}

/// The median of each slot, or the coarser profile's middle.
fn middles(points: &[(i64, f64)], season: Season, coarser: &(Season, Vec<f64>)) -> Vec<f64> {
    let mut values: Vec<Vec<f64>> = vec![Vec::new(); season.slots()];
    points.iter().for_each(|(at_ms, value)| values[season.slot(*at_ms)].push(*value));
    let middle = |(slot, values): (usize, &mut Vec<f64>)| match values.len() {
        SLOT_POINTS_MIN.. => median(values),
        // A slot's number is that of its hour.
        _ => coarser.1[slot % coarser.0.slots()],
    };
    values.iter_mut().enumerate().map(middle).collect()
}

/// The mean of the roots of what remains: roots, so that what was odd once doesn't outweigh what is so every day.
fn unexplained(points: &[(i64, f64)], season: Season, middles: &[f64]) -> f64 {
    let left = |(at_ms, value): &(i64, f64)| (value - middles[season.slot(*at_ms)]).abs().sqrt();
    points.iter().map(left).sum::<f64>() / points.len() as f64
}

fn spreads(points: &[(i64, f64)], season: Season, middles: &[f64]) -> Vec<Slot> {
    let mut left: Vec<Vec<f64>> = vec![Vec::new(); season.slots()];
    let mut all = Vec::with_capacity(points.len());
    for (at_ms, value) in points {
        let slot = season.slot(*at_ms);
        let deviation = (value - middles[slot]).abs();
        left[slot].push(deviation);
        all.push(deviation);
    }
    let whole = deviation(&mut all);
    let spread = |(middle, left): (&f64, &mut Vec<f64>)| {
        let own = if left.len() < SLOT_POINTS_MIN { whole } else { deviation(left) };
        let spread = own.max(SHARE_OF_WHOLE * whole).max(SHARE_OF_MIDDLE * middle.abs());
        Slot { middle: *middle, spread }
    };
    middles.iter().zip(&mut left).map(spread).collect()
}

/// A standard deviation of which a tenth of the values may be anything.
fn deviation(absolute: &mut [f64]) -> f64 {
    (PER_MEDIAN * median(absolute)).max(PER_NINE_TENTHS * quantile(absolute, 0.9))
}

/// How much the last day is above the profile, in the median.
fn shift(points: &[(i64, f64)], season: Season, middles: &[f64], history_ms: i64) -> f64 {
    let newest = points.last().map_or(0, |point| point.0);
    let recent = points.iter().rev().take_while(|point| point.0 > newest.saturating_sub(DAY_MS));
    let mut left: Vec<f64> = recent.map(|(at_ms, value)| value - middles[season.slot(*at_ms)]).collect();
    if history_ms < DAILY_MS || left.len() < POINTS_MIN { 0.0 } else { median(&mut left) }
}

/// How far the spikes of each hour of the day go, of the hours that have them on at least half of their days.
fn spikes(points: &[(i64, f64)], season: Season, slots: &[Slot]) -> Vec<Spikes> {
    let mut all = vec![Spikes::default(); DAY_HOURS];
    for (hour, spikes) in all.iter_mut().enumerate() {
        let own = points.iter().filter(|point| Season::HourOfDay.slot(point.0) == hour);
        let (mut days, mut low, mut high) = (Days::default(), Days::default(), Days::default());
        for (at_ms, value) in own {
            let Slot { middle, spread } = slots[season.slot(*at_ms)];
            days.note(*at_ms, *value);
            if *value > middle + SPIKE * spread {
                high.note(*at_ms, *value);
            } else if *value < middle - SPIKE * spread {
                low.note(*at_ms, *value);
            }
        }
        let is_usual = |some: &Days| some.count >= SPIKE_DAYS_MIN && 2 * some.count >= days.count;
        spikes.lowest = is_usual(&low).then_some(low.least);
        spikes.highest = is_usual(&high).then_some(high.greatest);
    }
    all
}

/// On how many days there were values, and between which.
struct Days {
    last: Option<i64>,
    count: usize,
    least: f64,
    greatest: f64,
}

impl Default for Days {
    fn default() -> Days {
        Days { last: None, count: 0, least: f64::INFINITY, greatest: f64::NEG_INFINITY }
    }
}

impl Days {
    /// Values come by ascending time.
    fn note(&mut self, at_ms: i64, value: f64) {
        let day = Some(at_ms.div_euclid(DAY_MS));
        self.count += usize::from(self.last != day);
        self.last = day;
        self.least = self.least.min(value);
        self.greatest = self.greatest.max(value);
    }
}

/// Of an even number of values the mean of the two in the middle.
fn median(values: &mut [f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let half = values.len() / 2;
    let is_odd = !values.len().is_multiple_of(2);
    let (below, upper, _) = values.select_nth_unstable_by(half, f64::total_cmp);
    let upper = *upper;
    if is_odd { upper } else { below.iter().copied().fold(f64::NEG_INFINITY, f64::max).midpoint(upper) }
}

/// The least value that at least this share of the values stays at or below.
fn quantile(values: &mut [f64], share: f64) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let place = ((values.len() as f64 * share).ceil() as usize).clamp(1, values.len()) - 1;
    *values.select_nth_unstable_by(place, f64::total_cmp).1
}

#[cfg(test)]
mod tests;
