//! What becomes of a queued event after an attempt. Decides only.

use std::time::Duration;

use pitbird_records::AsyncEvent;

use crate::config::EventPolicy;

/// What an attempt came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    Succeeded,
    /// The function ran and failed.
    FunctionError,
    /// It didn't run, and may another time.
    Refused,
    /// It never will: the function or what was named of it is gone, or it may not run at all.
    Hopeless,
}

/// What is to be done with the event.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    Forget,
    Drop(&'static str),
    Again(AsyncEvent),
}

/// Is an event too old for another attempt?
pub fn is_expired(event: &AsyncEvent, policy: &EventPolicy, now_ms: i64) -> bool {
    now_ms - event.received_ms > ms(policy.age_max)
}

pub fn after(event: &AsyncEvent, attempt: Attempt, policy: &EventPolicy, now_ms: i64) -> Step {
    let again = match attempt {
        Attempt::Succeeded => return Step::Forget,
        Attempt::Hopeless => return Step::Drop("the function can't be invoked"),
        Attempt::FunctionError => {
            let Some(wait) = policy.retry_after.get(event.errors as usize) else {
                return Step::Drop("its retries are exhausted");
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
        return Step::Drop("it is too old");
    }
    Step::Again(again)
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
        }
    }

    fn again(event: &AsyncEvent, attempt: Attempt, now_ms: i64) -> AsyncEvent {
        match after(event, attempt, &EventPolicy::default(), now_ms) {
            Step::Again(event) => event,
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
        assert_eq!(last, Step::Drop("its retries are exhausted"));
    }

    #[test]
    fn refusals_back_off_to_five_minutes_until_the_event_is_too_old() {
        let (mut event, mut now_ms, mut waits) = (event(), 0, Vec::new());
        loop {
            match after(&event, Attempt::Refused, &EventPolicy::default(), now_ms) {
                Step::Again(next) => {
                    waits.push((next.due_ms - now_ms) / 1000);
                    now_ms = next.due_ms;
                    event = next;
                }
                Step::Drop(why) => break assert_eq!(why, "it is too old"),
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
        assert!(matches!(after(Attempt::Hopeless), Step::Drop(_)));
    }
}
