//! What a destination is told of an event's end. Decides only.

use pitbird_names::{FunctionRef, Qualifier, arn, limits};
use pitbird_records::{AsyncEvent, EventInvokeConfig};
use serde::Serialize;
use serde_json::value::RawValue;
use time::OffsetDateTime;
use time::macros::format_description;

use super::plan::{Step, Why};
use crate::invocation::Outcome;

/// Events that may follow from one another as each other's destinations. Source: Lambda, recursive loop detection.
const HOPS_MAX: u32 = 16;

/// The event that tells a destination.
#[derive(Debug, PartialEq)]
pub enum Told {
    /// Nobody is to be told.
    Nobody,
    Event(Box<AsyncEvent>),
    /// Somebody is to be told and can't be.
    Undeliverable(&'static str),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    version: &'static str,
    timestamp: String,
    request_context: RequestContext<'a>,
    request_payload: Option<&'a RawValue>,
    response_context: Option<ResponseContext>,
    response_payload: Option<&'a RawValue>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    request_id: &'a str,
    function_arn: String,
    condition: &'static str,
    approximate_invoke_count: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResponseContext {
    status_code: u16,
    executed_version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_error: Option<&'static str>,
}

/// Whom to tell of what `step` makes of an event, and what. `outcome` is that of the attempt just made, if one was;
/// `request_id` that of the event which tells.
pub fn tell(
    event: &AsyncEvent,
    config: &EventInvokeConfig,
    step: &Step,
    outcome: Option<&Outcome>,
    request_id: String,
    now_ms: i64,
) -> Told {
    let (destination, condition) = match step {
        Step::Forget => (&config.on_success, Some("Success")),
        Step::Drop(why) => (&config.on_failure, Why::condition(*why)),
        Step::Again(_) => return Told::Nobody,
    };
    let (Some(destination), Some(condition)) = (destination, condition) else { return Told::Nobody };
    let Ok(reference) = FunctionRef::parse(destination) else {
        return Told::Undeliverable("the destination is no function");
    };
    let payload = record(event, outcome, condition, now_ms);
    Told::Event(Box::new(AsyncEvent {
        scope: reference.scope(&event.scope),
        function: reference.name,
        qualifier: reference.qualifier.as_ref().map(Qualifier::to_string),
        request_id,
        payload,
        client_context: None,
        trace_id: event.trace_id.clone(),
        received_ms: now_ms,
        errors: 0,
        refusals: 0,
        due_ms: now_ms,
        hops: event.hops + 1,
    }))
}

/// Do functions seem to be each other's destinations? Then only one that allows it goes on.
pub fn is_loop(next: &AsyncEvent) -> bool {
    next.hops > HOPS_MAX
}

fn record(event: &AsyncEvent, outcome: Option<&Outcome>, condition: &'static str, now_ms: i64) -> String {
    let qualifier = event.qualifier.as_deref().and_then(Qualifier::parse).unwrap_or(Qualifier::LATEST);
    // What is no JSON is left out: the record has to be some.
    let response = outcome.and_then(|outcome| serde_json::from_slice::<&RawValue>(&outcome.payload).ok());
    let mut record = Record {
        version: "1.0",
        timestamp: instant(now_ms),
        request_context: RequestContext {
            request_id: &event.request_id,
            function_arn: arn::function(&event.scope, &event.function, Some(&qualifier)),
            condition,
            approximate_invoke_count: event.errors + u32::from(outcome.is_some()),
        },
        request_payload: serde_json::from_str(&event.payload).ok(),
        response_context: outcome.map(|outcome| ResponseContext {
            status_code: 200,
            executed_version: outcome.executed_version.to_string(),
            function_error: outcome.function_error,
        }),
        response_payload: response,
    };
    let written = |record: &Record<'_>| serde_json::to_string(record).expect("plain data serialises");
    let text = written(&record);
    if text.len() <= limits::EVENT_PAYLOAD_BYTES {
        return text;
    }
    // Both together can be more than an event holds; that it ended, and how, is told all the same.
    (record.request_payload, record.response_payload) = (None, None);
    written(&record)
}

/// `2019-11-14T18:16:05.568Z`.
fn instant(epoch_ms: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(epoch_ms) * 1_000_000);
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    at.unwrap_or(OffsetDateTime::UNIX_EPOCH).format(form).expect("a time has all of its parts")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use pitbird_names::{Scope, VersionId};
    use serde_json::{Value, json};

    use super::*;

    fn event(payload: &str, hops: u32) -> AsyncEvent {
        AsyncEvent {
            scope: Scope::default(),
            function: "f".to_owned(),
            qualifier: Some("live".to_owned()),
            request_id: "id".to_owned(),
            payload: payload.to_owned(),
            client_context: None,
            trace_id: None,
            received_ms: 0,
            errors: 2,
            refusals: 0,
            due_ms: 0,
            hops,
        }
    }

    fn config(on_success: Option<&str>, on_failure: Option<&str>) -> EventInvokeConfig {
        EventInvokeConfig {
            scope: Scope::default(),
            function: "f".to_owned(),
            qualifier: "live".to_owned(),
            retries_max: None,
            age_max_s: None,
            on_success: on_success.map(str::to_owned),
            on_failure: on_failure.map(str::to_owned),
            modified_ms: 0,
        }
    }

    fn outcome(payload: &str, function_error: Option<&'static str>) -> Outcome {
        Outcome {
            payload: Bytes::copy_from_slice(payload.as_bytes()),
            function_error,
            error_type: function_error.map(str::to_owned),
            executed_version: VersionId::Number(3),
            log_tail: None,
            duration_ms: 1.0,
            billed_ms: 1,
            billed: Default::default(),
            init_ms: None,
            environment: 0,
        }
    }

    const OTHER: &str = "arn:aws:lambda:us-east-1:000000000000:function:g:old";

    fn told(event: &AsyncEvent, config: &EventInvokeConfig, step: &Step, outcome: Option<&Outcome>) -> Told {
        tell(event, config, step, outcome, "new".to_owned(), 1_573_755_365_568)
    }

    #[test]
    fn a_failure_is_told_in_lambdas_form() {
        let failed = outcome(r#"{"errorMessage":"no"}"#, Some("Unhandled"));
        let step = Step::Drop(Why::RetriesExhausted);
        let Told::Event(next) =
            told(&event(r#"{"a":1}"#, 4), &config(None, Some(OTHER)), &step, Some(&failed))
        else {
            panic!("somebody is told");
        };
        assert_eq!((&*next.function, next.qualifier.as_deref(), next.hops), ("g", Some("old"), 5));
        let payload: Value = serde_json::from_str(&next.payload).unwrap();
        let expected = json!({
            "version": "1.0",
            "timestamp": "2019-11-14T18:16:05.568Z",
            "requestContext": {
                "requestId": "id",
                "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:f:live",
                "condition": "RetriesExhausted",
                "approximateInvokeCount": 3,
            },
            "requestPayload": {"a": 1},
            "responseContext": {"statusCode": 200, "executedVersion": "3", "functionError": "Unhandled"},
            "responsePayload": {"errorMessage": "no"},
        });
        assert_eq!(payload, expected);
    }

    #[test]
    fn who_is_told_depends_on_the_end() {
        let (event, good) = (event("{}", 0), outcome("1", None));
        let is_told = |config: &EventInvokeConfig, step: &Step| {
            matches!(told(&event, config, step, Some(&good)), Told::Event(_))
        };
        let (succeeds, fails) = (config(Some(OTHER), None), config(None, Some(OTHER)));
        assert!(is_told(&succeeds, &Step::Forget) && !is_told(&fails, &Step::Forget));
        let dropped = Step::Drop(Why::EventAgeExceeded);
        assert!(is_told(&fails, &dropped) && !is_told(&succeeds, &dropped));
        assert!(!is_told(&fails, &Step::Drop(Why::Gone)), "nothing is left that could have failed");
        assert!(!is_told(&fails, &Step::Again(Box::new(event.clone()))));
    }

    #[test]
    fn a_loop_is_seen_after_sixteen() {
        for (hops, is_seen) in [(HOPS_MAX - 1, false), (HOPS_MAX, true)] {
            let Told::Event(next) = told(&event("{}", hops), &config(Some(OTHER), None), &Step::Forget, None)
            else {
                panic!("somebody is told");
            };
            assert_eq!(is_loop(&next), is_seen);
        }
    }

    #[test]
    fn what_is_too_long_is_told_without_payloads() {
        let long = format!("\"{}\"", "x".repeat(limits::EVENT_PAYLOAD_BYTES - 2));
        let good = outcome("1", None);
        let Told::Event(next) =
            told(&event(&long, 0), &config(Some(OTHER), None), &Step::Forget, Some(&good))
        else {
            panic!("somebody is told");
        };
        let payload: Value = serde_json::from_str(&next.payload).unwrap();
        assert_eq!((&payload["requestPayload"], &payload["responsePayload"]), (&Value::Null, &Value::Null));
        assert_eq!(payload["requestContext"]["condition"], "Success");
    }
}
