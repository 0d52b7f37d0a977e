//! The promises, and whether they were kept in these runs.

use std::fmt::Write as _;

use super::{Counts, all, count};
use crate::ending::{End, Ending, quantile, share};
use crate::model::{Fault, Model, Shape, Slower};
use crate::ours::{self, Wish};

/// Promises and what was found.
#[derive(Default)]
pub struct Goals(Vec<(String, String, bool)>);

impl Goals {
    /// What a model that was run anyway says.
    pub fn take(&mut self, model: &Model, ends: &[Ending]) {
        let extra = |p: f64| quantile(&failures(ends), p).map_or(f64::INFINITY, |found| found.value);
        let back = count(ends, End::RolledBack);
        match model.name {
            _ if model.fault == Fault::NONE => {
                let limit = share(back, ends.len()).high;
                let found = format!("{back} of {}, at most {:.3} %", ends.len(), 100.0 * limit);
                let what = format!("false rollbacks at most 0.1 % (upper limit): {}", model.name);
                self.push(what, found, limit <= 0.001);
            }
            name if name.starts_with("broken altogether") && model.per_second >= 1.0 => {
                let (median, p99) = (extra(0.5), extra(0.99));
                let kept = median <= 4.0 && p99 <= 8.0 && back == ends.len();
                let what = format!("{name}: extra failures median ≤ 4, p99 ≤ 8");
                self.push(what, format!("{median:.0}, {p99:.0}"), kept);
            }
            name if name.contains("→ 1.1 %") || name.contains("1 → 2 %") => {
                let kept = extra(0.95) <= 50.0 && back == ends.len();
                self.push(format!("{name}: extra failures p95 ≤ 50"), format!("{:.0}", extra(0.95)), kept);
            }
            name if name.starts_with("late") => {
                let (median, p95) = (extra(0.5), extra(0.95));
                let what = format!("{name}: extra failures ≤ 100 (median; p95)");
                self.push(what, format!("{median:.0}; {p95:.0}"), median <= 100.0 && back == ends.len());
            }
            name if name.starts_with("one route") => {
                let median = extra(0.5);
                let what = format!("{name}: extra failures ≤ 5 (median; p95)");
                self.push(
                    what,
                    format!("{median:.0}; {:.0}", extra(0.95)),
                    median <= 5.0 && back == ends.len(),
                );
            }
            name if name.contains("at the margin") => {
                let wrong = ends.iter().filter(|ending| ending.full_s.is_some()).count();
                let found = share(wrong, ends.len());
                let text = format!(
                    "{:.2} % ({:.2}–{:.2})",
                    100.0 * found.value,
                    100.0 * found.low,
                    100.0 * found.high
                );
                self.push(
                    format!("{name}: more than 50 % of traffic in at most 1 %"),
                    text,
                    found.value <= 0.01,
                );
            }
            _ => {}
        }
    }

    /// What needs runs of its own.
    pub fn measure(&mut self, counts: Counts, seed: u64, only: &str) {
        let healthy = |name, per_second| Model {
            name,
            per_second,
            errors: 0.001,
            shape: Shape::Steady,
            fault: Fault::NONE,
            has_routes: false,
        };
        let runs = counts.faults;
        for (model, margin, limit_s) in [
            (healthy("healthy, 100/s, margin 0.5 pp", 100.0), 0.005, 120.0),
            (healthy("healthy, 1,000/s, margin 0.2 pp", 1_000.0), 0.002, 60.0),
        ] {
            if !model.name.contains(only) {
                continue;
            }
            let wish = Wish { margin, wait_ms: 30_000, ..Wish::default() };
            let ends = all(runs, |run| ours::release(&model, &wish.plan(&model), seed, run));
            let full: Vec<f64> = ends.iter().map(|ending| ending.full_s.unwrap_or(f64::INFINITY)).collect();
            let at = |p| quantile(&full, p).map_or(f64::INFINITY, |found| found.value);
            let what =
                format!("{}: most traffic within {limit_s} s (median; p95), shortest wait 30 s", model.name);
            self.push(what, format!("{:.0} s; {:.0} s", at(0.5), at(0.95)), at(0.5) <= limit_s);
        }
        for (slower, name, limit) in [
            (Slower::Body(1.5), "all answers ×1.5 at a fixed 10 %", 1_200.0),
            (Slower::Tail(2.0), "slowest 2 % ×2 at a fixed 10 %", 6_000.0),
        ] {
            if !name.contains(only) {
                continue;
            }
            let model = Model { fault: Fault { slower, ..Fault::NONE }, ..healthy(name, 100.0) };
            let wish = Wish { fixed: Some(10.0), wait_ms: 3_000_000, ..Wish::default() };
            let ends = all(runs, |run| ours::release(&model, &wish.plan(&model), seed, run));
            let requests: Vec<f64> = ends.iter().map(|ending| ending.requests as f64).collect();
            let at = |p| quantile(&requests, p).map_or(f64::INFINITY, |found| found.value);
            let what = format!("{name}: found within {limit} requests of both arms (median; p95)");
            self.push(what, format!("{:.0}; {:.0}", at(0.5), at(0.95)), at(0.5) <= limit);
        }
    }

    pub fn table(&self) -> String {
        let mut text = "\n## Promises\n\n| promise | found | kept |\n|---|---|---|\n".to_owned();
        for (what, found, kept) in &self.0 {
            let _ = writeln!(text, "| {what} | {found} | {} |", if *kept { "yes" } else { "**no**" });
        }
        text
    }

    fn push(&mut self, what: String, found: String, kept: bool) {
        self.0.push((what, found, kept));
    }
}

fn failures(ends: &[Ending]) -> Vec<f64> {
    ends.iter().map(|ending| ending.extra_failures).collect()
}
