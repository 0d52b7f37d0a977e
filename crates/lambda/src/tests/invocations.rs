use pitbird_invoke::{RuntimeError, Throttle};
use pitbird_names::VersionId;

use super::*;

/// A function with version 1 and the alias `live`.
async fn bed() -> Bed {
    let bed = Bed::new().await;
    bed.create("f").await;
    bed.publish("1").await;
    bed.ok("CreateAlias", json!({"FunctionName": "f", "Name": "live", "FunctionVersion": "1"})).await;
    bed
}

impl Bed {
    fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.stand.seen.lock().unwrap())
    }
}

fn header<'a>(answer: &'a http::Response<Bytes>, name: &str) -> Option<&'a str> {
    answer.headers().get(name).map(|value| value.to_str().expect("a text"))
}

#[tokio::test]
async fn a_caller_waits_for_the_functions_answer() {
    let bed = bed().await;
    let context = STANDARD.encode(r#"{"custom":{"a":1}}"#);
    let input = json!({
        "FunctionName": "f", "Qualifier": "live", "Payload": "[1]", "ClientContext": context, "LogType": "Tail",
    });
    {
        let mut outcome = bed.stand.outcome.lock().unwrap();
        let outcome = outcome.as_mut().expect("an outcome");
        outcome.executed_version = VersionId::Number(1);
        outcome.log_tail = Some(Bytes::from_static(b"START"));
    }
    let answer = bed.answer("Invoke", input).await.expect("an answer");
    assert_eq!((answer.status().as_u16(), answer.body().as_ref()), (200, &b"{\"ok\":true}"[..]));
    assert_eq!(header(&answer, "X-Amz-Executed-Version"), Some("1"));
    assert_eq!(header(&answer, "X-Amz-Log-Result"), Some("U1RBUlQ="));
    assert_eq!(header(&answer, "X-Amz-Function-Error"), None);
    let seen = &bed.seen()[0];
    assert_eq!(
        (seen.is_event, seen.function.as_str(), seen.qualifier.as_deref()),
        (false, "f", Some("live"))
    );
    assert!((0.0..1.0).contains(&seen.draw));
    let invocation = &seen.invocation;
    assert_eq!(invocation.request_id, "8f0d2a4b-0000-4000-8000-000000000000", "the call's own id");
    assert_eq!(invocation.payload.as_ref(), b"[1]");
    assert_eq!(invocation.client_context.as_deref(), Some(r#"{"custom":{"a":1}}"#));
    assert!(invocation.wants_log_tail);
}

#[tokio::test]
async fn an_invocation_belongs_to_its_callers_trace() {
    let bed = bed().await;
    for (operation, input) in [
        ("Invoke", json!({"FunctionName": "f"})),
        ("Invoke", json!({"FunctionName": "f", "InvocationType": "Event"})),
        ("InvokeWithResponseStream", json!({"FunctionName": "f"})),
        ("InvokeAsync", json!({"FunctionName": "f", "InvokeArgs": "{}"})),
    ] {
        bed.answer(operation, input).await.expect("an answer");
        let [seen] = &bed.seen()[..] else { panic!("{operation} invokes once") };
        assert_eq!(seen.invocation.trace_id.as_deref(), Some(TRACE), "{operation}");
    }
}

#[tokio::test]
async fn a_functions_error_is_an_answer() {
    let bed = bed().await;
    bed.stand.outcome.lock().unwrap().as_mut().expect("an outcome").function_error = Some("Unhandled");
    let answer = bed.answer("Invoke", json!({"FunctionName": "f"})).await.expect("an answer");
    assert_eq!((answer.status().as_u16(), header(&answer, "X-Amz-Function-Error")), (200, Some("Unhandled")));
    assert_eq!(header(&answer, "X-Amz-Executed-Version"), Some("$LATEST"));
    let seen = &bed.seen()[0];
    assert_eq!((seen.qualifier.as_deref(), seen.invocation.wants_log_tail), (None, false));
}

#[tokio::test]
async fn events_are_kept_and_dry_runs_are_not() {
    let bed = bed().await;
    for (operation, input, status, is_kept) in [
        ("Invoke", json!({"FunctionName": "f:1", "InvocationType": "Event", "Payload": "{}"}), 202, true),
        ("InvokeAsync", json!({"FunctionName": "f", "InvokeArgs": "{}"}), 202, true),
        ("Invoke", json!({"FunctionName": "f", "InvocationType": "DryRun"}), 204, false),
    ] {
        let answer = bed.answer(operation, input).await.expect("an answer");
        assert_eq!(answer.status().as_u16(), status);
        assert!(operation == "InvokeAsync" || answer.body().is_empty(), "{:?}", answer.body());
        assert_eq!(header(&answer, "X-Amz-Executed-Version"), None);
        let seen = bed.seen();
        assert_eq!(
            seen.iter().map(|seen| seen.is_event).collect::<Vec<_>>(),
            vec![true; usize::from(is_kept)]
        );
    }
}

#[tokio::test]
async fn what_cannot_run_is_told_why() {
    let bed = bed().await;
    let named = |members: Json| with(json!({"FunctionName": "f"}), members);
    let content = |message: &str| refusal(400, "InvalidRequestContentException", message);
    let large = "x".repeat(6_291_555);
    let too_large = |limit: &str| {
        let message = format!("Request must be smaller than {limit} bytes for the InvokeFunction operation");
        refusal(413, "RequestTooLargeException", message)
    };
    for (input, expected) in [
        (
            json!({"FunctionName": "g"}),
            missing("Function not found: arn:aws:lambda:us-east-1:000000000000:function:g"),
        ),
        (named(json!({"Qualifier": "old"})), missing(format!("Function not found: {ARN}:old"))),
        (named(json!({"Qualifier": "9"})), missing(format!("Function not found: {ARN}:9"))),
        (
            json!({"FunctionName": "f:1", "Qualifier": "live"}),
            invalid("The derived qualifier from the function name does not match the specified qualifier."),
        ),
        (
            named(json!({"Payload": "{"})),
            content(
                "Could not parse request body into json: Could not parse payload into json: EOF while parsing an \
                 object at line 1 column 1",
            ),
        ),
        (named(json!({"Payload": format!("\"{large}\"")})), too_large("6291456")),
        (
            named(json!({"Payload": format!("\"{}\"", &large[..1_048_575]), "InvocationType": "Event"})),
            too_large("1048576"),
        ),
        (
            named(json!({"ClientContext": "e30"})),
            content("Client context must be a valid Base64-encoded JSON object."),
        ),
        (named(json!({"TenantId": "t"})), unsupported("TenantId")),
    ] {
        assert_eq!(bed.refused("Invoke", input).await, expected);
    }
    assert!(bed.seen().is_empty());
}

#[tokio::test]
async fn refusals_of_the_runner_have_lambdas_words() {
    let bed = bed().await;
    let absent = RuntimeError::Unsupported("provided.al2".to_owned());
    let full = pitbird_invoke::CodeError::Disk(Arc::new(std::io::Error::other("full")));
    for (refused, expected) in [
        (
            Refused::Throttled(Throttle::ReservedFunctionConcurrentInvocationLimitExceeded),
            refusal(429, "TooManyRequestsException", "Rate Exceeded."),
        ),
        (
            Refused::Runtime(Arc::new(absent)),
            refusal(502, "InvalidRuntimeException", "runtime provided.al2 is not supported here"),
        ),
        (
            Refused::Code(full),
            refusal(500, "ServiceException", "The function's environment could not be made."),
        ),
        (Refused::ShuttingDown, refusal(503, "ServiceUnavailableException", "The service is shutting down.")),
    ] {
        *bed.stand.outcome.lock().unwrap() = Err(refused);
        assert_eq!(bed.refused("Invoke", json!({"FunctionName": "f"})).await, expected);
    }
    *bed.stand.outcome.lock().unwrap() =
        Err(Refused::Throttled(Throttle::ReservedFunctionConcurrentInvocationLimitExceeded));
    let fault = bed.answer("Invoke", json!({"FunctionName": "f"})).await.expect_err("a throttle");
    let reason = Value::from("ReservedFunctionConcurrentInvocationLimitExceeded");
    assert_eq!((fault.members.clone(), fault.retry_after_s), (vec![("Reason", reason)], Some(1)));
}

#[tokio::test]
async fn events_that_are_not_kept_are_told_why() {
    let bed = bed().await;
    let too_large = "Request must be smaller than 1048576 bytes for the InvokeFunction operation";
    for (unqueued, status, message) in [
        (Unqueued::Full, 429, "Rate Exceeded."),
        (Unqueued::PayloadTooLarge, 413, too_large),
        (Unqueued::ShuttingDown, 503, "The service is shutting down."),
        (
            Unqueued::Store(pitbird_store::Error::DiskFull),
            500,
            "The request processing has failed because of an internal error.",
        ),
    ] {
        *bed.stand.unqueued.lock().unwrap() = Some(unqueued);
        let refused = bed.refused("Invoke", json!({"FunctionName": "f", "InvocationType": "Event"})).await;
        assert_eq!((refused.status, refused.message.as_str()), (status, message));
    }
}

#[tokio::test]
async fn only_what_is_active_runs() {
    let bed = Bed::preparing(0).await;
    bed.ok("CreateFunction", function("f")).await;
    let state = |state: &str| {
        conflict(format!(
            "The operation cannot be performed at this time. The function is currently in the following state: {state}"
        ))
    };
    for kind in ["RequestResponse", "Event", "DryRun"] {
        let input = json!({"FunctionName": "f", "InvocationType": kind});
        assert_eq!(bed.refused("Invoke", input).await, state("Pending"));
    }
    let absent = RuntimeError::Unsupported("provided.al2023".to_owned());
    *bed.stand.unready.lock().unwrap() = Some(Refused::Runtime(Arc::new(absent)));
    bed.stand.preparations.add_permits(1);
    bed.state.finish().await;
    let failed = state("Failed (runtime provided.al2023 is not supported here)");
    assert_eq!(bed.refused("Invoke", json!({"FunctionName": "f"})).await, failed);
    assert!(bed.seen().is_empty());
}
