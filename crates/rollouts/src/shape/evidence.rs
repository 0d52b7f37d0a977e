use pitbird_analysis::{Verdict, judge::Seen};
use serde::Serialize;

use super::seconds;
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
    at: f64,
}

/// What one arm did; the rate lies between low and high with 95 %, at all times.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Arm {
    requests: u64,
    failures: u64,
    rate: Option<f64>,
    rate_low: f64,
    rate_high: f64,
}

impl Evidence {
    pub fn new(rollout: &Rollout) -> Evidence {
        let judgement = rollout.state.judgement(&rollout.plan);
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
            base: Arm::from(judgement.base),
            canary: Arm::from(judgement.canary),
            at: seconds(rollout.state.now_ms()),
        }
    }
}

impl From<Seen> for Arm {
    fn from(seen: Seen) -> Arm {
        let rate = (seen.requests > 0).then(|| seen.events as f64 / seen.requests as f64);
        let (low, high) = (cut(seen.rate.low), cut(seen.rate.high));
        Arm { requests: seen.requests, failures: seen.events, rate, rate_low: low, rate_high: high }
    }
}

pub fn cut(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value.clamp(-SHOWN_MAX, SHOWN_MAX) }
}
