//! The promises, and whether they were kept in these runs.

use std::fmt::Write as _;

use pitbird_analysis::{LatencyJudge, LatencyMargins, threshold};

use super::{Counts, count};
use crate::catalogue::regressions;
use crate::ending::{End, Ending, Estimate, quantile, share};
use crate::model::{Fault, Model, Shape, Slower, World};
use crate::ours::{self, Wish};
use crate::runs::Runs;

/// The share of releases of an identical version that are rolled back.
pub const FALSE_ROLLBACKS_MAX: f64 = 0.001;

/// The share of releases that are worse by as much as nobody minds or more, and are promoted.
pub const WRONG_PROMOTIONS_MAX: f64 = 0.01;

/// Promises and what was found.
#[derive(Default)]
pub struct Goals {
    rows: Vec<(String, String, Kept)>,
    /// False rollbacks of all models together, and of how many releases.
    false_rollbacks: (usize, usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    Yes,
    No,
    /// The limits of what was found lie on both sides of the promise.
    Open,
}

/// A share that is promised to be at most `most`.
fn kept(found: Estimate, most: f64) -> Kept {
    match found {
        Estimate { high, .. } if high <= most => Kept::Yes,
        Estimate { low, .. } if low > most => Kept::No,
        _ => Kept::Open,
    }
}

impl From<bool> for Kept {
    fn from(is_kept: bool) -> Kept {
        if is_kept { Kept::Yes } else { Kept::No }
    }
}

impl Goals {
    /// What a model that was run anyway says.
    pub fn take(&mut self, model: &Model, ends: &[Ending]) {
        let extra = |p: f64| quantile(&failures(ends), p).map_or(f64::INFINITY, |found| found.value);
        let back = count(ends, End::RolledBack);
        if model.pairs_per_second > 0.0 && model.shape == Shape::Steady {
            self.push_verdict(model, ends);
        }
        match model.name {
            _ if model.fault == Fault::NONE => {
                self.false_rollbacks.0 += back;
                self.false_rollbacks.1 += ends.len();
                self.push_false_rollbacks(model.name, back, ends.len());
            }
            name if name.starts_with("broken altogether") && model.per_second >= 1.0 => {
                let (median, p99) = (extra(0.5), extra(0.99));
                let kept = median <= 4.0 && p99 <= 8.0 && back == ends.len();
                let what = format!("{name}: extra failures median ≤ 4, p99 ≤ 8");
                self.push(what, format!("{median:.0}, {p99:.0}"), kept);
                if model.per_second >= 10.0 {
                    let took: Vec<f64> = ends.iter().map(|ending| ending.end_s).collect();
                    let at = |p| quantile(&took, p).map_or(f64::INFINITY, |found| found.value);
                    let what = format!("{name}: rolled back within 5 s (median; p95)");
                    self.push(what, format!("{:.0} s; {:.0} s", at(0.5), at(0.95)), at(0.5) <= 5.0);
                }
            }
            name if name.contains("→ 1.1 %") || name.contains("1 → 2 %") => {
                self.push_regression(name, ends);
            }
            name if name.starts_with("late") => {
                let (median, p95) = (extra(0.5), extra(0.95));
                let what = format!("{name}: extra failures ≤ 100 (median; p95)");
                self.push(what, format!("{median:.0}; {p95:.0}"), median <= 100.0 && back == ends.len());
            }
            name if name.starts_with("one route") => {
                self.push_dead_route(name, ends);
            }
            name if is_at_the_margin(model) => {
                for (what, wrong) in
                    [("more than 50 % of traffic", far(ends)), ("promoted", count(ends, End::Promoted))]
                {
                    let found = share(wrong, ends.len());
                    let [value, low, high] = [found.value, found.low, found.high].map(|share| 100.0 * share);
                    let text = format!("{value:.2} % ({low:.2}–{high:.2})");
                    self.push(
                        format!("{name}: {what} in at most 1 %"),
                        text,
                        kept(found, WRONG_PROMOTIONS_MAX),
                    );
                }
            }
            _ => {}
        }
    }

    /// What needs runs of its own.
    pub fn measure(&mut self, counts: Counts, runs: &Runs, only: &str) {
        let healthy = |name, per_second| Model {
            name,
            per_second,
            errors: 0.001,
            shape: Shape::Steady,
            fault: Fault::NONE,
            has_routes: false,
            pairs_per_second: 0.0,
        };
        let (back, all_runs) = self.false_rollbacks;
        self.push_false_rollbacks("all of these together", back, all_runs);
        let (count_of_each, seed) = (counts.faults, runs.seed());
        for (model, margin, limit_s) in [
            (healthy("healthy, 100/s, margin 0.5 pp", 100.0), 0.005, 120.0),
            (healthy("healthy, 1,000/s, margin 0.2 pp", 1_000.0), 0.002, 60.0),
        ] {
            if !model.name.contains(only) {
                continue;
            }
            let wish = Wish { margin, wait_ms: 30_000, ..Wish::default() };
            let plan = wish.plan(&model);
            let ends = runs.all(count_of_each, |run| ours::release(&model, &plan, seed, run));
            let full: Vec<f64> = ends.iter().map(|ending| ending.full_s.unwrap_or(f64::INFINITY)).collect();
            let at = |p| quantile(&full, p).map_or(f64::INFINITY, |found| found.value);
            let what =
                format!("{}: most traffic within {limit_s} s (median; p95), shortest wait 30 s", model.name);
            self.push(what, format!("{:.0} s; {:.0} s", at(0.5), at(0.95)), at(0.5) <= limit_s);
        }
        self.minutes(count_of_each, runs, only);
        self.dead_route(count_of_each, runs, only);
        self.low_ceiling(count_of_each, runs, only);
        for (slower, name, limit) in
            [(Slower::Body(1.5), "all answers ×1.5", 1_200.0), (Slower::Tail(2.0), "slowest 2 % ×2", 6_000.0)]
        {
            if !name.contains(only) {
                continue;
            }
            let model = Model { fault: Fault { slower, ..Fault::NONE }, ..healthy(name, 100.0) };
            let requests: Vec<f64> =
                (0..count_of_each as u64).map(|run| slower_after(&model, seed, run)).collect();
            let at = |p| quantile(&requests, p).map_or(f64::INFINITY, |found| found.value);
            let what = format!(
                "{name}, fixed weight of 10 %, the latency test alone and no slowness accepted: found within {limit} \
                 requests of both arms (median; p95)"
            );
            self.push(what, format!("{:.0}; {:.0}", at(0.5), at(0.95)), at(0.5) <= limit);
        }
    }

    /// A canary that is broken altogether, seen once a minute as metrics of AWS are.
    fn minutes(&mut self, count_of_each: usize, runs: &Runs, only: &str) {
        let is_broken =
            |model: &Model| model.name.starts_with("broken altogether") && model.per_second >= 10.0;
        for model in regressions().iter().filter(|model| is_broken(model) && model.name.contains(only)) {
            let plan = Wish { interval_ms: 60_000, ..Wish::default() }.plan(model);
            let ends = runs.all(count_of_each, |run| ours::release(model, &plan, runs.seed(), run));
            let at = |p| quantile(&failures(&ends), p).map_or(f64::INFINITY, |found| found.value);
            let what = format!("{}, metrics of a minute: extra failures median ≤ 12, p99 ≤ 20", model.name);
            let kept = at(0.5) <= 12.0 && at(0.99) <= 20.0 && count(&ends, End::RolledBack) == ends.len();
            self.push(what, format!("{:.0}, {:.0}", at(0.5), at(0.99)), kept);
        }
    }

    /// The weight decides what a failure says.
    fn dead_route(&mut self, count_of_each: usize, runs: &Runs, only: &str) {
        let dead = regressions().into_iter().find(|model| model.fault.is_route_dead);
        for model in dead.iter().filter(|model| model.name.contains(only)) {
            for ceiling in [10.0, 3.0] {
                let wish = Wish { ceiling, ..Wish::default() };
                let plan = wish.plan(model);
                let ends = runs.all(count_of_each, |run| ours::release(model, &plan, runs.seed(), run));
                self.push_dead_route(&format!("{}, ramp to {ceiling} %", model.name), &ends);
            }
        }
    }

    /// Where the ramp ends early, failures say more.
    fn low_ceiling(&mut self, count_of_each: usize, runs: &Runs, only: &str) {
        let doubled = regressions().into_iter().find(|model| model.name.contains("1 → 2 %"));
        for model in doubled.iter().filter(|model| model.name.contains(only)) {
            let plan = Wish { ceiling: 10.0, ..Wish::default() }.plan(model);
            let ends = runs.all(count_of_each, |run| ours::release(model, &plan, runs.seed(), run));
            self.push_regression(&format!("{}, ramp to 10 %", model.name), &ends);
        }
    }

    pub fn table(&self) -> String {
        let mut text = "\n## Promises\n\n| promise | found | kept |\n|---|---|---|\n".to_owned();
        for (what, found, kept) in &self.rows {
            let word = match kept {
                Kept::Yes => "yes",
                Kept::No => "**no**",
                Kept::Open => "open: too few runs",
            };
            let _ = writeln!(text, "| {what} | {found} | {word} |");
        }
        text
    }

    /// Worse by twice the margin, and promised to be overlooked in at most 1 %.
    fn push_regression(&mut self, of: &str, ends: &[Ending]) {
        let p95 = quantile(&failures(ends), 0.95).map_or(f64::INFINITY, |found| found.value);
        let promoted = count(ends, End::Promoted);
        let what = format!("{of}: extra failures p95 ≤ 50, promoted in at most 1 %");
        let kept = p95 <= 50.0 && share(promoted, ends.len()).low <= WRONG_PROMOTIONS_MAX;
        self.push(what, format!("{p95:.0}; {promoted} of {}", ends.len()), kept);
    }

    /// All routes together differ by twice the margin, which is promised to be overlooked in at most 1 %.
    fn push_dead_route(&mut self, of: &str, ends: &[Ending]) {
        let extra = |p| quantile(&failures(ends), p).map_or(f64::INFINITY, |found| found.value);
        let promoted = count(ends, End::Promoted);
        let what = format!("{of}: extra failures ≤ 5 (median; p95), promoted in at most 1 %");
        let found = format!("{:.0}; {:.0}; {promoted} of {}", extra(0.5), extra(0.95), ends.len());
        self.push(what, found, extra(0.5) <= 5.0 && share(promoted, ends.len()).low <= WRONG_PROMOTIONS_MAX);
    }

    /// A verdict has a version that gets most of the traffic, or is rolled back. What is worse by just the margin may have either.
    fn push_verdict(&mut self, model: &Model, ends: &[Ending]) {
        const LIMIT_S: f64 = 600.0;
        const PAIRS_PER_SECOND: f64 = 5.0;
        let has_too_few = model.pairs_per_second < PAIRS_PER_SECOND;
        if has_too_few || is_at_the_margin(model) || !model.fault.onset_s.is_empty() {
            return;
        }
        let verdict = |ending: &Ending| match ending.end {
            End::RolledBack => ending.end_s,
            _ => ending.full_s.unwrap_or(f64::INFINITY),
        };
        let took: Vec<f64> = ends.iter().map(verdict).collect();
        let ended: Vec<f64> = ends.iter().map(|ending| ending.end_s).collect();
        let at = |numbers: &[f64], p| quantile(numbers, p).map_or(f64::INFINITY, |found| found.value);
        let (median, p95) = (at(&took, 0.5), at(&took, 0.95));
        let what = format!("{}: a verdict within 10 min at p95 (median; p95; ended, median)", model.name);
        self.push(what, format!("{median:.0} s; {p95:.0} s; {:.0} s", at(&ended, 0.5)), p95 <= LIMIT_S);
    }

    fn push_false_rollbacks(&mut self, of: &str, back: usize, runs: usize) {
        let found = share(back, runs);
        let what = format!("false rollbacks at most 0.1 % (upper limit): {of}");
        self.push(
            what,
            format!("{back} of {runs}, at most {:.3} %", 100.0 * found.high),
            kept(found, FALSE_ROLLBACKS_MAX),
        );
    }

    fn push(&mut self, what: String, found: String, kept: impl Into<Kept>) {
        self.rows.push((what, found, kept.into()));
    }
}

/// Worse by just as much as the plan minds.
pub fn is_at_the_margin(model: &Model) -> bool {
    model.name.contains("at the margin")
}

/// How many had most of the traffic.
pub fn far(ends: &[Ending]) -> usize {
    ends.iter().filter(|ending| ending.full_s.is_some()).count()
}

fn failures(ends: &[Ending]) -> Vec<f64> {
    ends.iter().map(|ending| ending.extra_failures).collect()
}

/// Requests of both arms until the latency test alone calls the canary slower.
fn slower_after(model: &Model, seed: u64, run: u64) -> f64 {
    const MOST: u64 = 1_000_000;
    let mut world = World::new(model, seed, run).accepting(1.0);
    let mut judge = LatencyJudge::new(LatencyMargins::default());
    let mut requests = 0;
    while requests < MOST {
        let seen = world.pass(0.0, 1.0, 0.1);
        requests += seen.requests;
        judge.observe(seen.timed);
        if judge.log_e_slower() >= threshold(0.001) {
            return requests as f64;
        }
    }
    f64::INFINITY
}
