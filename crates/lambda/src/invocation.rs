//! What may be asked of a function, and what a caller is told when it doesn't run.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use pitbird_invoke::{Refused, Unqueued};
use pitbird_names::limits;
use pitbird_records::function::State;
use pitbird_service::Fault;
use serde_json::{Map, Value};

use crate::{Error, Target};

/// A client context in base64, bytes. Source: Lambda API reference, `Invoke`.
const CLIENT_CONTEXT_BYTES_MAX: usize = 3583;
/// When a throttled caller may try again, seconds.
const RETRY_AFTER_S: u32 = 1;

/// How a function is invoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    RequestResponse,
    Event,
    DryRun,
}

impl Kind {
    /// Reads `InvocationType`, which the model has checked; without one the caller waits.
    pub fn parse(text: Option<&str>) -> Kind {
        match text {
            Some("Event") => Kind::Event,
            Some("DryRun") => Kind::DryRun,
            _ => Kind::RequestResponse,
        }
    }
}

/// A payload is JSON, or nothing, within the bounds.
pub fn check_payload(payload: &Bytes, kind: Kind) -> Result<(), Error> {
    let (limit, told) = match kind {
        Kind::Event => (limits::EVENT_PAYLOAD_BYTES, limits::EVENT_PAYLOAD_BYTES),
        Kind::RequestResponse | Kind::DryRun => {
            (limits::INVOKE_PAYLOAD_BYTES, limits::INVOKE_PAYLOAD_BYTES_TOLD)
        }
    };
    if payload.len() > limit {
        return Err(Error::PayloadTooLarge(told));
    }
    if payload.is_empty() {
        return Ok(());
    }
    let text = std::str::from_utf8(payload).map_err(|error| Error::Payload(error.to_string()))?;
    let parsed: Result<serde::de::IgnoredAny, _> = serde_json::from_str(text);
    parsed.map(drop).map_err(|error| Error::Payload(error.to_string()))
}

/// A client context as its JSON, no longer in base64 and on one line.
pub fn client_context(base64: &str) -> Result<String, Error> {
    if base64.len() > CLIENT_CONTEXT_BYTES_MAX {
        return Err(Error::ClientContextTooLarge(CLIENT_CONTEXT_BYTES_MAX));
    }
    let json = STANDARD.decode(base64).map_err(|_| Error::ClientContext)?;
    let context: Map<String, Value> = serde_json::from_slice(&json).map_err(|_| Error::ClientContext)?;
    Ok(Value::Object(context).to_string())
}

/// Why an invocation did not run, in Lambda's words.
pub fn refused(refused: &Refused, target: &Target) -> Error {
    match refused {
        Refused::Unknown(_) => target.not_found(),
        Refused::Throttled(throttle) => throttled(throttle.as_str()),
        Refused::NotReady(State::Failed { reason, .. }) => Error::NotReady(format!("Failed ({reason})")),
        Refused::NotReady(State::Pending | State::Active) => Error::NotReady("Pending".to_owned()),
        Refused::PayloadTooLarge => Error::PayloadTooLarge(limits::INVOKE_PAYLOAD_BYTES_TOLD),
        Refused::Runtime(error) => Error::Runtime(error.to_string()),
        Refused::ShuttingDown => shutting_down(),
        other => {
            let mut fault = Fault::new("ServiceException", "The function's environment could not be made.");
            fault.cause = Some(other.to_string());
            Error::told(fault)
        }
    }
}

/// Why an event was not kept.
pub fn unqueued(unqueued: Unqueued) -> Error {
    match unqueued {
        Unqueued::PayloadTooLarge => Error::PayloadTooLarge(limits::EVENT_PAYLOAD_BYTES),
        Unqueued::NotText => Error::Payload(unqueued.to_string()),
        Unqueued::Full => throttled("FunctionInvocationRateLimitExceeded"),
        Unqueued::Store(error) => Error::Store(error),
        Unqueued::ShuttingDown => shutting_down(),
    }
}

fn throttled(reason: &str) -> Error {
    let fault = Fault::new("TooManyRequestsException", "Rate Exceeded.").with("Reason", reason);
    Error::told(fault.retry_after(RETRY_AFTER_S))
}

fn shutting_down() -> Error {
    let fault = Fault::new("ServiceUnavailableException", "The service is shutting down.");
    Error::told(fault.with_status(503))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_json_or_nothing() {
        for text in ["", "{}", "null", " [1, \"é\"] ", "1e3"] {
            assert!(check_payload(&Bytes::from(text), Kind::RequestResponse).is_ok(), "{text}");
        }
        for bytes in [&b"{"[..], b"nul", b"\"\xff\"", b"{} {}", b"'a'", b" "] {
            let error = check_payload(&Bytes::copy_from_slice(bytes), Kind::DryRun).expect_err("no JSON");
            let words = "Could not parse request body into json: Could not parse payload into json: ";
            assert!(error.to_string().starts_with(words), "{error}");
        }
        let deep = Bytes::from("[".repeat(200_000));
        assert!(check_payload(&deep, Kind::Event).is_err(), "depth costs no stack");
    }

    #[test]
    fn payloads_have_bounds() {
        for (kind, limit, told) in [
            (Kind::Event, limits::EVENT_PAYLOAD_BYTES, "1048576"),
            (Kind::RequestResponse, limits::INVOKE_PAYLOAD_BYTES, "6291456"),
        ] {
            let payload = |length: usize| Bytes::from(format!("\"{}\"", "x".repeat(length - 2)));
            assert!(check_payload(&payload(limit), kind).is_ok(), "{kind:?}");
            let error = check_payload(&payload(limit + 1), kind).expect_err("too long").to_string();
            assert_eq!(
                error,
                format!("Request must be smaller than {told} bytes for the InvokeFunction operation")
            );
        }
    }

    #[test]
    fn a_client_context_is_an_object_in_base64() {
        let encoded = STANDARD.encode("{\"custom\":\n {\"a\": 1}}");
        assert_eq!(client_context(&encoded).expect("an object"), r#"{"custom":{"a":1}}"#);
        for text in ["!", "e30", &STANDARD.encode("[]"), &STANDARD.encode("{")] {
            assert!(matches!(client_context(text), Err(Error::ClientContext)), "{text}");
        }
        assert!(matches!(client_context(&"A".repeat(3584)), Err(Error::ClientContextTooLarge(3583))));
    }
}
