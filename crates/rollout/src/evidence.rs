use pitbird_analysis::{Arm, Bucket, Firsts, Pairs, RouteBucket, Timed};
use pitbird_names::Percent;
use serde::{Deserialize, Serialize};

use crate::HookAnswer;

/// What was seen since the last look.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Finished requests, one entry per weight that they were drawn under.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buckets: Vec<Observed>,
    /// The alarms that the plan names. One that is missing here is unknown, and nothing moves forward.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<Alarm>,
    /// Results of the plan's pre-checks, as far as they are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// In how many distinct environments the canary's errors happened so far, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_environments: Option<u32>,
    /// The same for distinct clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_clients: Option<u32>,
    /// How long the warm requests of the buckets took, where the plan judges latency.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub latency: Vec<ObservedLatency>,
    /// The same requests once more by route, for the routes that the plan names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<ObservedRoute>,
    /// Users who failed for the first time, where the plan counts users: of all requests, and once more by route.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub firsts: Vec<ObservedFirsts>,
    /// It is no longer known who failed before this look: a user who fails now may be one that was counted already.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_forgotten: bool,
    /// Requests that both arms answered, where the plan judges them: mirrored ones and probes, whatever the canary's share is.
    #[serde(default, skip_serializing_if = "no_pairs")]
    pub pairs: Pairs,
    /// How many warm requests took longer than the plan's guardrails allow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ceilings: Vec<ObservedCeiling>,
    /// What hooks have answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<HookAnswer>,
    /// The counts could not be read: that nothing is here says nothing about the traffic.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_blind: bool,
}

fn no_pairs(pairs: &Pairs) -> bool {
    pairs.is_empty()
}

/// Warm requests of both arms under one configured weight, by how long they took. The thresholds are frozen before the
/// rollout; to accept a canary a tenth slower, count it against 1.1 times the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObservedLatency {
    /// The canary's configured share.
    pub percent: Percent,
    pub timed: Timed,
}

/// Warm requests of both arms, and those of them that took longer than a guardrail's limit, under whatever weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObservedCeiling {
    /// Which of the plan's limits on latency, counted from 0.
    pub ceiling: usize,
    pub bucket: Bucket,
}

/// What a route did under one configured weight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObservedRoute {
    /// The canary's configured share.
    pub percent: Percent,
    pub route: String,
    pub bucket: RouteBucket,
}

/// Users who failed for the first time, by the arm that failed them, under one configured weight: that which the failed request was
/// drawn under, whenever it ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObservedFirsts {
    /// The canary's configured share.
    pub percent: Percent,
    /// By the plan's name for it; `None`: of all requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    pub firsts: Firsts,
}

/// Requests and errors of both arms under one configured weight. A request belongs to the weight that it was drawn
/// under, whenever it ends: a bucket never straddles a weight change.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observed {
    /// The canary's configured share.
    pub percent: Percent,
    pub bucket: Bucket,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alarm {
    pub name: String,
    pub state: AlarmState,
}

/// CloudWatch's three states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AlarmState {
    Ok,
    Alarm,
    InsufficientData,
}

/// The result of a pre-check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    pub name: String,
    pub passed: bool,
}

/// What a person orders. Numbers rise; one that is not above the last obeyed is ignored, so that an order delivered
/// twice is obeyed once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    pub number: u64,
    pub by: Note,
    pub action: Action,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Nothing moves forward. Rollbacks still do, and the plan's longest duration still counts.
    Pause,
    Resume,
    /// Roll back now.
    Abort,
    /// Promote without waiting for evidence. Evidence against the canary still wins.
    Promote {
        reason: Note,
    },
}

/// A few words for the record, at most [`Note::BYTES_MAX`] bytes; longer text is cut.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct Note(String);

impl Note {
    pub const BYTES_MAX: usize = 256;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Note {
    fn from(mut text: String) -> Note {
        let mut end = text.len().min(Note::BYTES_MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        Note(text)
    }
}

impl From<&str> for Note {
    fn from(text: &str) -> Note {
        Note::from(text.to_owned())
    }
}

/// All that can happen to a rollout. A list of these, with their times, is its whole history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// `history`: what the base did before the rollout.
    Begin {
        history: Arm,
    },
    Look {
        evidence: Box<Evidence>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        commands: Vec<Command>,
    },
    Applied {
        generation: u64,
    },
    Refused {
        generation: u64,
        message: Note,
    },
}
