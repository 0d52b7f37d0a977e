//! What becomes of a queued event after an attempt. Decides only.

use std::time::Duration;

use pitbird_records::{AsyncEvent, EventInvokeConfig};

use crate::config::EventPolicy;

/// What an attempt came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    Succeeded,
    /// The function ran and failed.
    FunctionError,
    /// It didn't run, and may another time.
    Refused,
    /// It may not run at all: nothing is reserved for the function.
    Forbidden,
    /// It never will: the function or what was named of it is gone.
    Hopeless,
}

/// What is to be done with the event.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    Forget,
    Drop(Why),
    Again(Box<AsyncEvent>),
}

/// Why an event is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    RetriesExhausted,
    EventAgeExceeded,
    ZeroReservedConcurrency,
    Gone,
}

impl Why {
    /// `condition` of the record that a destination gets. Where nothing is left to be invoked nobody is told.
    pub fn condition(self) -> Option<&'static str> {
        match self {
            Why::RetriesExhausted => Some("RetriesExhausted"),
            Why::EventAgeExceeded => Some("EventAgeExceeded"),
            Why::ZeroReservedConcurrency => Some("ZeroReservedConcurrency"),
            Why::Gone => None,
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Why::RetriesExhausted => "its retries are exhausted",
            Why::EventAgeExceeded => "it is too old",
            Why::ZeroReservedConcurrency => "nothing is reserved for its function",
            Why::Gone => "the function can't be invoked",
        }
    }
}

/// The rules for the events that a configuration is for.
pub fn policy(common: &EventPolicy, config: Option<&EventInvokeConfig>) -> EventPolicy {
    let mut policy = common.clone();
    if let Some(retries) = config.and_then(|config| config.retries_max) {
        policy.retry_after.truncate(retries as usize);
    }
    if let Some(age_s) = config.and_then(|config| config.age_max_s) {
        policy.age_max = Duration::from_secs(age_s.into());
    }
    policy
}

/// Is an event too old for another attempt?
pub fn is_expired(event: &AsyncEvent, policy: &EventPolicy, now_ms: i64) -> bool {
    now_ms - event.received_ms > ms(policy.age_max)
}

pub fn after(event: &AsyncEvent, attempt: Attempt, policy: &EventPolicy, now_ms: i64) -> Step {
    let again = match attempt {
        Attempt::Succeeded => return Step::Forget,
        Attempt::Forbidden => return Step::Drop(Why::ZeroReservedConcurrency),
        Attempt::Hopeless => return Step::Drop(Why::Gone),
        Attempt::FunctionError => {
            let Some(wait) = policy.retry_after.get(event.errors as usize) else {
                return Step::Drop(Why::RetriesExhausted);
            };
            let (errors, refusals) = (event.errors + 1, 0);
            AsyncEvent { errors, refusals, due_ms: now_ms.saturating_add(ms(*wait)), ..event.clone() }
        }
        Attempt::Refused => {
            let factor = 1u32.checked_shl(event.refusals).unwrap_or(u32::MAX);
            let wait = policy.backoff_min.saturating_mul(factor).min(policy.backoff_max);
            let refusals = event.refusals.saturating_add(1);
            AsyncEvent { refusals, due_ms: now_ms.saturating_add(ms(wait)), ..event.clone() }
        }
    };
    if is_expired(&again, policy, again.due_ms) {
        return Step::Drop(Why::EventAgeExceeded);
    }
    Step::Again(Box::new(again))
}

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use pitbird_names::Scope;

    use super::*;

    fn event() -> AsyncEvent {
        AsyncEvent {
            scope: Scope::default(),
            function: "f".to_owned(),
            qualifier: None,
            request_id: "id".to_owned(),
            payload: "{}".to_owned(),
            client_context: None,
            trace_id: None,
            received_ms: 0,
            errors: 0,
            refusals: 0,
            due_ms: 0,
            hops: 0,
        }
    }

    fn again(event: &AsyncEvent, attempt: Attempt, now_ms: i64) -> AsyncEvent {
        match after(event, attempt, &EventPolicy::default(), now_ms) {
            Step::Again(event) => *event,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn function_errors_are_tried_again_after_one_and_two_minutes() {
        let first = again(&event(), Attempt::FunctionError, 5);
        assert_eq!((first.errors, first.due_ms), (1, 60_005));
        let second = again(&first, Attempt::FunctionError, 60_010);
        assert_eq!((second.errors, second.due_ms), (2, 180_010));
        let last = after(&second, Attempt::FunctionError, &EventPolicy::default(), 180_020);
        assert_eq!(last, Step::Drop(Why::RetriesExhausted));
    }

    #[test]
    fn refusals_back_off_to_five_minutes_until_the_event_is_too_old() {
        let (mut event, mut now_ms, mut waits) = (event(), 0, Vec::new());
        loop {
            match after(&event, Attempt::Refused, &EventPolicy::default(), now_ms) {
                Step::Again(next) => {
                    waits.push((next.due_ms - now_ms) / 1000);
                    now_ms = next.due_ms;
                    event = *next;
                }
                Step::Drop(why) => break assert_eq!(why, Why::EventAgeExceeded),
                Step::Forget => unreachable!("it never ran"),
            }
        }
        assert_eq!(waits[..10], [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
        assert!(waits[10..].iter().all(|wait| *wait == 300));
        assert!((21_300_000..=21_600_000).contains(&now_ms), "{now_ms}");
        assert_eq!(event.errors, 0, "it had none");
    }

    #[test]
    fn a_refusal_does_not_use_up_a_retry() {
        let failed = again(&event(), Attempt::FunctionError, 0);
        let refused = again(&failed, Attempt::Refused, 60_000);
        assert_eq!((refused.errors, refused.refusals), (1, 1));
        let failed = again(&refused, Attempt::FunctionError, 61_000);
        assert_eq!((failed.errors, failed.refusals), (2, 0));
    }

    #[test]
    fn what_ended_is_forgotten_and_what_is_hopeless_dropped() {
        let after = |attempt| after(&event(), attempt, &EventPolicy::default(), 0);
        assert_eq!(after(Attempt::Succeeded), Step::Forget);
        assert_eq!(after(Attempt::Forbidden), Step::Drop(Why::ZeroReservedConcurrency));
        assert_eq!(after(Attempt::Hopeless), Step::Drop(Why::Gone));
    }

    #[test]
    fn a_configuration_has_the_last_word() {
        let config = |retries_max, age_max_s| EventInvokeConfig {
            scope: Scope::default(),
            function: "f".to_owned(),
            qualifier: "$LATEST".to_owned(),
            retries_max,
            age_max_s,
            on_success: None,
            on_failure: None,
            modified_ms: 0,
        };
        let common = EventPolicy::default();
        assert_eq!(policy(&common, Some(&config(None, None))), common);
        let none = policy(&common, Some(&config(Some(0), None)));
        assert_eq!(after(&event(), Attempt::FunctionError, &none, 0), Step::Drop(Why::RetriesExhausted));
        let brief = policy(&common, Some(&config(None, Some(60))));
        assert_eq!(after(&event(), Attempt::FunctionError, &brief, 1), Step::Drop(Why::EventAgeExceeded));
        assert!(is_expired(&event(), &brief, 60_001) && !is_expired(&event(), &brief, 60_000));
    }
}
