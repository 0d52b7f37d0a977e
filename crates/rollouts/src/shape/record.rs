use pitbird_analysis::Pairs;
use pitbird_rollout::Input;
use serde::Serialize;

use super::{phase, seconds};
use crate::Entry;

/// One input and what came of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Record {
    number: u64,
    at: f64,
    input: &'static str,
    from_percent: f64,
    to_percent: f64,
    phase: &'static str,
    paused: bool,
    generation: u64,
    reason: String,
    #[serde(rename = "LogEWorse")]
    log_e_worse: f64,
    #[serde(rename = "LogENotWorse")]
    log_e_not_worse: f64,
    #[serde(rename = "LogESplit")]
    log_e_split: f64,
    harm_upper: f64,
    base_requests: u64,
    base_failures: u64,
    canary_requests: u64,
    canary_failures: u64,
    /// Requests that both arms answered, of this look alone.
    pairs: u64,
    pairs_canary_alone: u64,
    pairs_base_alone: u64,
    /// The planner's own record in JSON: with the plan, all that a replay needs.
    document: Option<String>,
}

impl Record {
    pub fn new(entry: &Entry, with_document: bool) -> Record {
        let record = &entry.record;
        let numbers = &record.numbers;
        let pairs = match &record.input {
            Input::Look { evidence, .. } => evidence.pairs,
            _ => Pairs::default(),
        };
        let document = || serde_json::to_string(record).expect("a record is plain data");
        Record {
            number: entry.number,
            at: seconds(record.at_ms),
            input: match record.input {
                Input::Begin { .. } => "Begin",
                Input::Look { .. } => "Look",
                Input::Applied { .. } => "Applied",
                Input::Refused { .. } => "Refused",
            },
            from_percent: record.weight_old.get(),
            to_percent: record.weight_new.get(),
            phase: phase(&record.phase),
            paused: record.paused,
            generation: record.generation,
            reason: record.reason.to_string(),
            log_e_worse: numbers.log_e_worse,
            log_e_not_worse: numbers.log_e_not_worse,
            log_e_split: numbers.log_e_split,
            harm_upper: numbers.harm_upper,
            base_requests: numbers.base.requests(),
            base_failures: numbers.base.events(),
            canary_requests: numbers.canary.requests(),
            canary_failures: numbers.canary.events(),
            pairs: pairs.pairs,
            pairs_canary_alone: pairs.canary_alone,
            pairs_base_alone: pairs.base_alone,
            document: with_document.then(document),
        }
    }
}
