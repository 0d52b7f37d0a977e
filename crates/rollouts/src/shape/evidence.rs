use pitbird_analysis::latency::QUANTILES;
use pitbird_analysis::{LatencyFindings, Verdict, judge::Seen};
use serde::Serialize;

use super::{GuardrailEvidence, seconds};
use crate::Rollout;

/// Numbers shown at most: JSON knows no infinity.
const SHOWN_MAX: f64 = 1e9;

/// The verdict so far and the numbers that it rests on; logarithms are natural, rates 0 to 1.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Evidence {
    verdict: &'static str,
    #[serde(rename = "LogEWorse")]
    log_e_worse: f64,
    threshold_worse: f64,
    #[serde(rename = "LogENotWorse")]
    log_e_not_worse: f64,
    threshold_not_worse: f64,
    harm_upper: f64,
    margin: f64,
    #[serde(rename = "LogESplit")]
    log_e_split: f64,
    split_broken: bool,
    ratio_low: Option<f64>,
    ratio_high: Option<f64>,
    base: Arm,
    canary: Arm,
    latency: Option<LatencyEvidence>,
    guardrails: Vec<GuardrailEvidence>,
    pairs: Option<Pairs>,
    at: f64,
}

/// Requests that both arms answered, and those that one arm alone failed, where they are judged.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Pairs {
    requests: u64,
    canary_alone: u64,
    base_alone: u64,
}

/// What the latency says, where it is judged and thresholds are known: of each, the base's quantile in milliseconds, and
/// the warm requests above it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct LatencyEvidence {
    #[serde(rename = "LogESlower")]
    log_e_slower: f64,
    body_upper: f64,
    tail_upper: f64,
    base_requests: u64,
    canary_requests: u64,
    thresholds: Vec<Threshold>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Threshold {
    quantile: f64,
    base_ms: f64,
    base_above: u64,
    canary_above: u64,
}

/// What one arm did, and how many of its requests began an environment; the rate lies between low and high with 95 %, at all times.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Arm {
    requests: u64,
    failures: u64,
    rate: Option<f64>,
    rate_low: f64,
    rate_high: f64,
    cold_starts: u64,
    /// Clients who failed for the first time here, where that is compared.
    first_failures: Option<u64>,
}

impl Evidence {
    pub fn new(rollout: &Rollout) -> Evidence {
        let judgement = rollout.state.judgement(&rollout.plan);
        let firsts = rollout.state.firsts();
        Evidence {
            verdict: match judgement.verdict {
                Verdict::Worse => "Worse",
                Verdict::NotWorse => "NotWorse",
                Verdict::Unknown => "Unknown",
            },
            log_e_worse: cut(judgement.log_e_worse),
            threshold_worse: cut(judgement.threshold_worse),
            log_e_not_worse: cut(judgement.log_e_not_worse),
            threshold_not_worse: cut(judgement.threshold_not_worse),
            harm_upper: cut(judgement.harm_upper),
            margin: rollout.plan.rules().margin,
            log_e_split: cut(judgement.log_e_split),
            split_broken: judgement.split_broken,
            ratio_low: judgement.ratio.map(|ratio| cut(ratio.low)),
            ratio_high: judgement.ratio.map(|ratio| cut(ratio.high)),
            base: Arm::new(judgement.base, rollout.cold_starts.base, firsts.map(|firsts| firsts.base)),
            canary: Arm::new(
                judgement.canary,
                rollout.cold_starts.canary,
                firsts.map(|firsts| firsts.canary),
            ),
            latency: judgement.latency.and_then(|found| LatencyEvidence::new(rollout, &found)),
            guardrails: {
                let found = rollout.state.guardrails(&rollout.plan);
                found.into_iter().map(GuardrailEvidence::from).collect()
            },
            pairs: rollout.plan.judged().pairs.then_some(Pairs {
                requests: rollout.pairs.pairs,
                canary_alone: rollout.pairs.canary_alone,
                base_alone: rollout.pairs.base_alone,
            }),
            at: seconds(rollout.state.now_ms()),
        }
    }
}

impl LatencyEvidence {
    fn new(rollout: &Rollout, found: &LatencyFindings) -> Option<LatencyEvidence> {
        let base_us = rollout.thresholds.as_ref()?.all_us;
        let threshold = |((at, base_us), quantile): ((usize, u64), f64)| {
            let bucket = found.seen.at(at);
            Threshold {
                quantile,
                base_ms: base_us as f64 / 1e3,
                base_above: bucket.base.events(),
                canary_above: bucket.canary.events(),
            }
        };
        Some(LatencyEvidence {
            log_e_slower: cut(found.log_e_slower),
            body_upper: cut(found.body_upper),
            tail_upper: cut(found.tail_upper),
            base_requests: found.seen.base.requests(),
            canary_requests: found.seen.canary.requests(),
            thresholds: base_us.into_iter().enumerate().zip(QUANTILES).map(threshold).collect(),
        })
    }
}

impl Arm {
    fn new(seen: Seen, cold_starts: u64, first_failures: Option<u64>) -> Arm {
        let rate = (seen.requests > 0).then(|| seen.events as f64 / seen.requests as f64);
        let (low, high) = (cut(seen.rate.low), cut(seen.rate.high));
        Arm {
            requests: seen.requests,
            failures: seen.events,
            rate,
            rate_low: low,
            rate_high: high,
            cold_starts,
            first_failures,
        }
    }
}

pub fn cut(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value.clamp(-SHOWN_MAX, SHOWN_MAX) }
}
