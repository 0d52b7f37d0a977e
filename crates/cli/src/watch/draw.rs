use pitbird_rollout::Outcome;

use super::paint::{Line, Style, bar};
use super::{Arm, Evidence, Progress, RolloutView, Verdict};
use crate::quantity;

/// Where values begin, columns.
const INDENT: usize = 11;
const BAR_MAX: usize = 40;
const BAR_MIN: usize = 8;

/// The rollout as a block of lines, none longer than `width` columns.
pub fn render(view: &RolloutView, width: usize, color: bool) -> String {
    let line = || Line::new(width, color);
    let mut out = String::new();
    head(view, line()).end(&mut out);
    line().to(INDENT).push(Style::Dim, &subject(view)).end(&mut out);
    ramp(view, line()).end(&mut out);
    split(view, line(), width).end(&mut out);
    arms(view, &line, &mut out);
    if let Some(evidence) = &view.evidence {
        judged(evidence, &line, width, &mut out);
    }
    if let Some(pairs) = &view.pairs {
        line().push(Style::Dim, "pairs").to(INDENT).push(Style::Plain, pairs).end(&mut out);
    }
    if let Some(slow) = &view.slow {
        line().push(Style::Dim, "slow").to(INDENT).push(Style::Plain, slow).end(&mut out);
    }
    for (at, guardrail) in view.guardrails.iter().enumerate() {
        let style = if guardrail.is_broken { Style::Bad } else { Style::Plain };
        let mark = if guardrail.is_broken { "✘ " } else { "" };
        let label = if at == 0 { "limits" } else { "" };
        line()
            .push(Style::Dim, label)
            .to(INDENT)
            .push(style, mark)
            .push(style, &guardrail.words)
            .end(&mut out);
    }
    if view.routes > 0 {
        let words = format!("{} judged by themselves too", view.routes);
        line().push(Style::Dim, "routes").to(INDENT).push(Style::Plain, &words).end(&mut out);
    }
    for (at, hook) in view.hooks.iter().enumerate() {
        let label = if at == 0 { "hooks" } else { "" };
        line().push(Style::Dim, label).to(INDENT).push(Style::Plain, hook).end(&mut out);
    }
    if let Some(cost) = &view.canary_cost {
        line().push(Style::Dim, "cost").to(INDENT).push(Style::Plain, cost).end(&mut out);
    }
    if let Some(reason) = reason(view) {
        let label = if matches!(view.progress, Progress::Ended(_)) { "why" } else { "now" };
        line().push(Style::Dim, label).to(INDENT).push(Style::Plain, reason).end(&mut out);
    }
    for (at, deviations) in filled(&view.deviations, width.saturating_sub(INDENT)).iter().enumerate() {
        let label = if at == 0 { "note" } else { "" };
        line().push(Style::Dim, label).to(INDENT).push(Style::Dim, deviations).end(&mut out);
    }
    out
}

/// The reason without what the progress says already.
fn reason(view: &RolloutView) -> Option<&str> {
    let reason = view.reason.strip_prefix(&view.progress.words()).unwrap_or(&view.reason);
    let reason = reason.trim_start_matches(": ");
    (!reason.is_empty()).then_some(reason)
}

/// Sentences side by side, as many on a line as fit.
fn filled(sentences: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for sentence in sentences {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 2 + sentence.chars().count() <= width => {
                line.push_str("; ");
                line.push_str(sentence);
            }
            _ => lines.push(sentence.clone()),
        }
    }
    lines
}

/// The rollout as one line for logs: time, state, share, both sides, verdict, reason.
pub fn line(view: &RolloutView) -> String {
    let mut parts = vec![
        quantity::words(view.elapsed),
        view.progress.words(),
        format!("at {} %", view.percent),
        format!("base {}", counted(&view.base)),
        format!("canary {}", counted(&view.canary_arm)),
    ];
    if let Some(evidence) = &view.evidence {
        parts.push(format!("verdict {}", evidence.verdict.as_str()));
    }
    parts.extend(reason(view).map(str::to_owned));
    let text = parts.join(" | ");
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn counted(arm: &Arm) -> String {
    format!("{}/{} failed ({})", arm.failures, arm.requests, rate(arm))
}

fn head(view: &RolloutView, line: Line) -> Line {
    let (style, mark) = mark(view.progress);
    let state = format!("{mark} {}", view.progress.words());
    line.push(Style::Bold, &view.name)
        .push(Style::Plain, "  ")
        .push(style, &state)
        .push(Style::Dim, &format!("  {}", quantity::words(view.elapsed)))
}

/// The sign beside a state's words.
pub fn mark(progress: Progress) -> (Style, &'static str) {
    match progress {
        Progress::InProgress => (Style::Bold, "▶"),
        Progress::Paused => (Style::Careful, "‖"),
        Progress::Ended(Outcome::Promoted) => (Style::Good, "✔"),
        Progress::Ended(Outcome::RolledBack | Outcome::Failed) => (Style::Bad, "✘"),
        Progress::Ended(_) => (Style::Careful, "■"),
    }
}

/// A verdict with its sign.
pub fn verdict_words(verdict: Verdict) -> (Style, &'static str) {
    match verdict {
        Verdict::Worse => (Style::Bad, "✘ canary is worse"),
        Verdict::NotWorse => (Style::Good, "✔ canary is not worse"),
        Verdict::Unknown => (Style::Bold, "? not known yet"),
    }
}

fn subject(view: &RolloutView) -> String {
    match (view.target.is_empty(), view.canary.is_empty()) {
        (true, _) => view.canary.clone(),
        (_, true) => view.target.clone(),
        _ => format!("{} to {}", view.canary, view.target),
    }
}

/// `10 % ── [50 %] ── 100 %`, the present step in brackets.
fn ramp(view: &RolloutView, line: Line) -> Line {
    let mut line = line.push(Style::Dim, "ramp").to(INDENT);
    let is_over = matches!(view.progress, Progress::Ended(_));
    let is_promoted = view.progress == Progress::Ended(Outcome::Promoted);
    for (at, step) in view.steps.iter().enumerate() {
        if at > 0 {
            line = line.push(Style::Dim, " ── ");
        }
        let percent = format!("{} %", step.percent);
        line = match view.step {
            Some(now) if at == now && !is_over => line.push(Style::Bold, &format!("[{percent}]")),
            _ if is_promoted => line.push(Style::Good, &format!("✓ {percent}")),
            Some(now) if at < now => line.push(Style::Good, &format!("✓ {percent}")),
            Some(now) if at == now => line.push(Style::Bad, &format!("✘ {percent}")),
            _ => line.push(Style::Dim, &percent),
        };
    }
    match view.remaining {
        Some(remaining) if !is_over => {
            line.push(Style::Dim, &format!("   {} to wait here", quantity::words(remaining)))
        }
        _ => line,
    }
}

fn split(view: &RolloutView, line: Line, width: usize) -> Line {
    let label = format!("  canary {} %", view.percent);
    let columns = bar_columns(width, label.chars().count());
    let (canary, base) = bar(view.percent / 100.0, columns);
    line.push(Style::Dim, "split")
        .to(INDENT)
        .push(Style::Canary, &canary)
        .push(Style::Dim, &base)
        .push(Style::Plain, &label)
}

fn bar_columns(width: usize, beside: usize) -> usize {
    width.saturating_sub(INDENT + beside).clamp(BAR_MIN, BAR_MAX)
}

fn arms(view: &RolloutView, line: &impl Fn() -> Line, out: &mut String) {
    let sides = [("base", &view.base), ("canary", &view.canary_arm)];
    let has_speed = sides.iter().any(|(_, arm)| arm.requests_per_s.is_some());
    let has_latency = sides.iter().any(|(_, arm)| arm.latency_ms_p99.is_some());
    let mut heading = format!("{:>10}{:>9}{:>11}", "requests", "failed", "error rate");
    if has_speed {
        heading += &format!("{:>9}", "req/s");
    }
    if has_latency {
        heading += &format!("{:>11}", "p99");
    }
    line().to(INDENT).push(Style::Dim, &heading).end(out);
    let base_rate = view.base.rate().unwrap_or_default();
    for (name, arm) in sides {
        let is_higher = name == "canary" && arm.rate().is_some_and(|rate| rate > base_rate);
        let style = if is_higher { Style::Bad } else { Style::Plain };
        let mut row = line()
            .push(Style::Bold, name)
            .to(INDENT)
            .push(Style::Plain, &format!("{:>10}", grouped(arm.requests)))
            .push(style, &format!("{:>9}", grouped(arm.failures)))
            .push(style, &format!("{:>11}", rate(arm)));
        if has_speed {
            row = row.push(Style::Plain, &format!("{:>9}", optional(arm.requests_per_s, "")));
        }
        if has_latency {
            row = row.push(Style::Plain, &format!("{:>11}", optional(arm.latency_ms_p99, " ms")));
        }
        row.end(out);
    }
}

fn optional(value: Option<f64>, unit: &str) -> String {
    match value {
        Some(value) if value >= 100.0 => format!("{value:.0}{unit}"),
        Some(value) => format!("{value:.1}{unit}"),
        None => "-".to_owned(),
    }
}

/// The verdict, and how near the evidence for each is to its threshold.
fn judged(evidence: &Evidence, line: &impl Fn() -> Line, width: usize, out: &mut String) {
    let (style, word) = verdict_words(evidence.verdict);
    let mut verdict = line().push(Style::Dim, "verdict").to(INDENT).push(style, word);
    if let (Some(harm), Some(margin)) = (evidence.harm_upper, evidence.margin) {
        let words = format!("  worse by at most {} pp, accepted {} pp", points(harm), points(margin));
        verdict = verdict.push(Style::Dim, &words);
    }
    verdict.end(out);
    for (label, style, log_e, threshold) in [
        ("worse", Style::Bad, evidence.log_e_worse, evidence.threshold_worse),
        ("not worse", Style::Good, evidence.log_e_not_worse, evidence.threshold_not_worse),
    ] {
        let numbers = format!("  evidence {:.1} of {threshold:.1}", log_e.max(0.0));
        let share = if threshold > 0.0 { log_e / threshold } else { 0.0 };
        let (full, empty) = bar(share, bar_columns(width, numbers.chars().count()));
        line()
            .push(Style::Dim, label)
            .to(INDENT)
            .push(style, &full)
            .push(Style::Dim, &empty)
            .push(Style::Plain, &numbers)
            .end(out);
    }
}

/// Percentage points, two decimals.
fn points(share: f64) -> String {
    format!("{:.2}", share * 100.0)
}

fn rate(arm: &Arm) -> String {
    arm.rate().map_or_else(|| "-".to_owned(), |rate| format!("{:.2} %", rate * 100.0))
}

/// `12 345`.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}
