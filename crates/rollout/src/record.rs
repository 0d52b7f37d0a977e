use pitbird_analysis::{Arm, Findings, PairFindings, Pairs};
use pitbird_names::Percent;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Input, Phase, Plan, Reason, State, decide};

/// One input and what came of it. The list of a rollout's records explains and reproduces every decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Epoch ms.
    pub at_ms: u64,
    /// The plan's fingerprint.
    pub plan: String,
    pub input: Input,
    pub numbers: Numbers,
    /// The weight that the target has or is getting, before and after.
    pub weight_old: Percent,
    pub weight_new: Percent,
    pub phase: Phase,
    pub paused: bool,
    pub generation: u64,
    pub reason: Reason,
    /// Numbers of the commands that had no effect: seen before, or too late.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands_ignored: Vec<u64>,
}

/// The numbers that a decision rested on. Rounded to six decimals and cut at one thousand millions, so that every JSON
/// reader gives the same number back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Numbers {
    /// The canary's observed share of each bucket, 0 to 1; none where a bucket is empty.
    pub shares: Vec<Option<f64>>,
    /// Evidence, as natural logarithms: that the canary is worse; that it is not worse by the margin; that the split is
    /// not as configured; that the canary alone is over its budget.
    pub log_e_worse: f64,
    pub log_e_not_worse: f64,
    pub log_e_split: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_e_budget: Option<f64>,
    /// The canary's error rate exceeds the base's by at most this much; where pairs are judged, by traffic or pairs.
    pub harm_upper: f64,
    /// Where latency is judged: evidence that the canary is slower, and by how much more often than the base's its
    /// requests may be above the base's p50 and p99.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_e_slower: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_upper: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tail_upper: Option<f64>,
    /// Where the plan has guardrails: evidence that the canary exceeds each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log_e_guardrails: Vec<f64>,
    /// Where pairs are judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pairs: Option<PairNumbers>,
    /// All seen so far.
    pub canary: Arm,
    pub base: Arm,
}

/// What requests that both arms answered said, and how many there were. They are a part of `log_e_worse`, and one of two ways to
/// `harm_upper`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairNumbers {
    pub log_e_worse: f64,
    pub log_e_not_worse: f64,
    pub harm_upper: f64,
    pub seen: Pairs,
}

/// A change of course.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Epoch ms.
    pub at_ms: u64,
    pub weight_old: Percent,
    pub weight_new: Percent,
    pub generation: u64,
    pub reason: Reason,
}

/// Records that are not what the plan makes of their inputs.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Divergence {
    #[error("the first record does not begin a rollout")]
    NoBeginning,
    #[error("record {index} differs from what its input leads to")]
    Record { index: usize },
}

/// Goes through a rollout again, from the inputs in its records, and returns where it ends. An error where a record
/// isn't what comes out: then plan, records or rules are not those that made it.
pub fn replay(plan: &Plan, records: &[Record]) -> Result<State, Divergence> {
    let Some(Record { input: Input::Begin { history }, at_ms, .. }) = records.first() else {
        return Err(Divergence::NoBeginning);
    };
    let mut turn = decide::begin(plan, *history, *at_ms);
    for (index, record) in records.iter().enumerate() {
        if index > 0 {
            turn = decide::advance(plan, &turn.state, record.at_ms, record.input.clone());
        }
        if turn.record.as_ref() != Some(record) {
            return Err(Divergence::Record { index });
        }
    }
    Ok(turn.state)
}

impl Numbers {
    pub(crate) fn new(plan: &Plan, input: &Input, state: &State, found: &Findings) -> Numbers {
        let shares = match input {
            Input::Look { evidence, .. } => {
                evidence.buckets.iter().map(|seen| seen.bucket.share().map(shown)).collect()
            }
            _ => Vec::new(),
        };
        let seen = state.judge.seen();
        Numbers {
            shares,
            log_e_worse: shown(found.log_e_worse),
            log_e_not_worse: shown(found.log_e_not_worse),
            log_e_split: shown(found.log_e_split),
            log_e_budget: state.guard.as_ref().map(|guard| shown(guard.log_e())),
            harm_upper: shown(found.harm_upper),
            log_e_slower: found.latency.map(|latency| shown(latency.log_e_slower)),
            body_upper: found.latency.map(|latency| shown(latency.body_upper)),
            tail_upper: found.latency.map(|latency| shown(latency.tail_upper)),
            log_e_guardrails: state.guardrails(plan).iter().map(|found| shown(found.log_e)).collect(),
            pairs: found.pairs.map(PairNumbers::from),
            canary: seen.canary,
            base: seen.base,
        }
    }
}

impl From<PairFindings> for PairNumbers {
    fn from(found: PairFindings) -> PairNumbers {
        let PairFindings { seen, log_e_worse, log_e_not_worse, harm_upper } = found;
        let [log_e_worse, log_e_not_worse, harm_upper] =
            [log_e_worse, log_e_not_worse, harm_upper].map(shown);
        PairNumbers { log_e_worse, log_e_not_worse, harm_upper, seen }
    }
}

/// A number as records show it.
pub(crate) fn shown(value: f64) -> f64 {
    // Adding 0 turns -0 into 0.
    (value.clamp(-1e9, 1e9) * 1e6).round() / 1e6 + 0.0
}
