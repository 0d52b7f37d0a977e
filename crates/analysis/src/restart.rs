//! Late regressions: a test begun anew again and again, mixed into one e-process.
//!
//! A test that has watched a good canary for an hour has gathered evidence that must first be worn down. A start at
//! number `s` knows nothing of what was before. Start 0 has weight 1/2, start `s` weight `1/(2s(s+1))`; the weight not
//! yet given away counts as an e-process that has not moved from 1.
//!
//! All starts take the same steps from their beginning on, so one number per alternative holds the sum over all of
//! them: it moves with each step, and a new start adds its weight. However many starts there are, memory and time stay
//! those of one test.
//!
//! Where users' first events are counted and it is forgotten who had one, all starts until then stay as they are
//! ([`Restarting::settle`]): a user may be counted once more, but never twice by the same start.

use libm::{exp, log, log1p};
use serde::{Deserialize, Serialize};

use crate::exact::Exact;
use crate::grid::{self, Point, WIDTH};
use crate::log_space::log_sum_exp;
use crate::share::increments;

/// Evidence per alternative, summed over the starts with their weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Starts {
    /// `ln(sum over starts of weight * exp(evidence since))`.
    logs: Exact<WIDTH>,
    starts: u32,
    /// What starts that take no further steps came to, with their weights.
    #[serde(default, skip_serializing_if = "Settled::is_nothing")]
    settled: Settled,
}

/// A logarithm; minus infinity, which isn't written down, before anything was settled. (There is one for each route.)
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Settled(Exact<1>);

impl Settled {
    pub const NOTHING: Settled = Settled(Exact([f64::NEG_INFINITY]));

    pub fn is_nothing(&self) -> bool {
        *self == Settled::NOTHING
    }
}

impl Default for Settled {
    fn default() -> Self {
        Settled::NOTHING
    }
}

impl Default for Starts {
    fn default() -> Self {
        Starts { logs: Exact([ln_weight(0); WIDTH]), starts: 1, settled: Settled::NOTHING }
    }
}

impl Starts {
    /// Begins a new start. After 4 thousand million no further one is begun, which costs power and never validity.
    pub fn restart(&mut self) {
        if let Some(starts) = self.starts.checked_add(1) {
            begin(&mut self.logs, self.starts);
            self.starts = starts;
        }
    }

    pub fn add(&mut self, steps: &[f64; WIDTH]) {
        add(&mut self.logs, steps);
    }

    pub fn settle(&mut self, grid: &'static [Point]) {
        settle(&mut self.logs, self.starts, &mut self.settled, grid);
        self.starts = self.starts.saturating_add(1);
    }

    pub fn log_e(&self, grid: &'static [Point]) -> f64 {
        with_settled(mixture(&self.logs, self.starts, grid), &self.settled)
    }
}

/// Lets the starts so far take no further steps, and start number `start` begin. (Beyond the last number its weight is
/// given again, which is too small to matter.)
pub(crate) fn settle(logs: &mut [f64; WIDTH], start: u32, settled: &mut Settled, grid: &'static [Point]) {
    let reached = log_sum_exp(|| grid.iter().zip(logs.iter()).map(|(point, log)| point.ln_weight + log));
    *settled = Settled(Exact([with_settled(reached, settled)]));
    *logs = [ln_weight(start); WIDTH];
}

pub(crate) fn with_settled(log_e: f64, settled: &Settled) -> f64 {
    if settled.is_nothing() { log_e } else { log_sum_exp(|| [log_e, settled.0[0]].into_iter()) }
}

/// Lets start number `start` begin.
pub(crate) fn begin(logs: &mut [f64; WIDTH], start: u32) {
    let ln_weight = ln_weight(start);
    for log in logs {
        let (large, small) = if *log > ln_weight { (*log, ln_weight) } else { (ln_weight, *log) };
        *log = large + log1p(exp(small - large));
    }
}

pub(crate) fn add(logs: &mut [f64; WIDTH], steps: &[f64; WIDTH]) {
    for (log, step) in logs.iter_mut().zip(steps) {
        *log += step;
    }
}

/// The logarithm of the mixture over alternatives, starts, and the weight not yet given away: `1/(2S)` for S starts.
pub(crate) fn mixture(logs: &[f64; WIDTH], starts: u32, grid: &'static [Point]) -> f64 {
    let rest = -log(2.0 * f64::from(starts));
    // Nothing seen yet: whatever the alternatives, the same. So it is for most routes.
    if logs.iter().all(|log| *log == logs[0]) {
        return log_sum_exp(|| [logs[0], rest].into_iter());
    }
    log_sum_exp(|| grid.iter().zip(logs).map(|(point, log)| point.ln_weight + log).chain([rest]))
}

/// The logarithm of a start's weight.
pub(crate) fn ln_weight(start: u32) -> f64 {
    let s = f64::from(start);
    if start == 0 { -std::f64::consts::LN_2 } else { -log(2.0 * s * (s + 1.0)) }
}

/// The rollback test (null: the canary's event rate is at most the base's) as a mixture over start times.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "Kept")]
pub struct Restarting(Starts);

impl Restarting {
    /// Begins a new start.
    pub fn restart(&mut self) {
        self.0.restart();
    }

    /// What was gathered counts on as it is, and only starts from now on gather more.
    pub fn settle(&mut self) {
        self.0.settle(&grid::WORSE);
    }

    /// Takes in a bucket; see [`ShareTest::update`](crate::ShareTest::update).
    pub fn update(&mut self, canary_events: u64, base_events: u64, share: f64) {
        if let Some(steps) = increments(&grid::WORSE, 1.0, canary_events, base_events, share) {
            self.0.add(&steps);
        }
    }

    /// The logarithm of the mixture now.
    pub fn log_e(&self) -> f64 {
        self.0.log_e(&grid::WORSE)
    }
}

/// What was written down: as now, or with each start kept apart, as it once was.
#[derive(Deserialize)]
#[serde(untagged)]
enum Kept {
    Summed(Starts),
    Apart(Apart),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Apart {
    first: Exact<WIDTH>,
    later: Vec<Exact<WIDTH>>,
}

impl From<Kept> for Restarting {
    fn from(kept: Kept) -> Restarting {
        let apart = match kept {
            Kept::Summed(starts) => return Restarting(Starts { starts: starts.starts.max(1), ..starts }),
            Kept::Apart(apart) => apart,
        };
        let starts = std::iter::once(apart.first).chain(apart.later);
        let mut logs = [f64::NEG_INFINITY; WIDTH];
        let mut count = 0;
        for start in starts {
            for (sum, log) in logs.iter_mut().zip(*start) {
                *sum = log_sum_exp(|| [*sum, ln_weight(count) + log].into_iter());
            }
            count += 1;
        }
        Restarting(Starts { logs: Exact(logs), starts: count, settled: Settled::NOTHING })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_alone_are_no_evidence() {
        let mut test = Restarting::default();
        for _ in 0..10_000 {
            test.restart();
        }
        assert!(test.log_e().abs() < 1e-12, "nothing observed: E is 1, not {}", test.log_e());
    }

    #[test]
    fn a_late_start_finds_what_the_first_has_evidence_against() {
        let (mut plain, mut mixed) = (Restarting::default(), Restarting::default());
        for minute in 0..60 {
            for test in [&mut plain, &mut mixed] {
                test.update(u64::from(minute % 2 == 0), 9, 0.1);
            }
            if minute % 10 == 9 {
                mixed.restart();
            }
        }
        for test in [&mut plain, &mut mixed] {
            test.update(9, 0, 0.1);
        }
        assert!(mixed.log_e() > plain.log_e() + 1.0, "{} {}", mixed.log_e(), plain.log_e());
    }

    #[test]
    fn starts_that_were_kept_apart_are_read() {
        let step = increments(&grid::WORSE, 1.0, 3, 5, 0.2).unwrap();
        let (zero, one) = (Exact::<WIDTH>::ZERO, Exact(step));
        let text = serde_json::json!({"first": one, "later": [one, zero]}).to_string();
        let read: Restarting = serde_json::from_str(&text).unwrap();
        let mut made = Restarting::default();
        made.restart();
        made.update(3, 5, 0.2);
        made.restart();
        assert!((read.log_e() - made.log_e()).abs() < 1e-12);
        assert_eq!(read.0.starts, 3);
    }

    /// The mean over all outcomes of 8 events, of which the canary has each with its share, is 1 whenever one settles: what is settled
    /// takes no further steps, and what begins anew has only the weight that was left.
    #[test]
    fn what_is_settled_stays_and_the_mean_over_all_outcomes_is_one() {
        let (share, mut mean) = (0.1_f64, 0.0);
        for outcome in 0_u32..256 {
            let (mut test, mut chance) = (Restarting::default(), 1.0);
            for event in 0..8 {
                let is_canary = outcome >> event & 1 == 1;
                chance *= if is_canary { share } else { 1.0 - share };
                test.update(u64::from(is_canary), u64::from(!is_canary), share);
                match event {
                    2 | 5 => test.settle(),
                    3 => test.restart(),
                    _ => {}
                }
            }
            mean += chance * exp(test.log_e());
        }
        assert!((mean - 1.0).abs() < 1e-9, "{mean}");
        let (mut settled, mut plain) = (Restarting::default(), Restarting::default());
        (0..3).for_each(|_| [&mut settled, &mut plain].into_iter().for_each(|test| test.update(1, 0, 0.1)));
        let before = settled.log_e();
        settled.settle();
        assert!((settled.log_e() - before).abs() < 1e-12, "nothing is lost: {before} {}", settled.log_e());
        (0..9).for_each(|_| [&mut settled, &mut plain].into_iter().for_each(|test| test.update(0, 9, 0.1)));
        assert!(settled.log_e() > before - 0.1 && plain.log_e() < 1.0, "nor worn down: {}", settled.log_e());
        let text = serde_json::to_string(&settled).unwrap();
        assert_eq!(serde_json::from_str::<Restarting>(&text).unwrap(), settled);
    }

    #[test]
    fn the_last_start_is_the_last() {
        let mut test = Restarting(Starts { starts: u32::MAX, ..Starts::default() });
        test.restart();
        test.settle();
        assert_eq!(test.0.starts, u32::MAX);
        assert!(test.log_e().is_finite());
    }
}
