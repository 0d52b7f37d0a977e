//! The Extensions API's calls over HTTP. Whatever comes harms the caller's own environment only.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, StatusCode};
use serde::{Deserialize, Serialize};

use super::machine::Rejection;
use crate::environment::{Environment, Unsubscribed};
use crate::runtime_api::{Reply, accepted, json, not_here, refuse};
use crate::telemetry_api::{Api, Subscription};

const NAME: HeaderName = HeaderName::from_static("lambda-extension-name");
const IDENTIFIER: HeaderName = HeaderName::from_static("lambda-extension-identifier");
const EVENT_IDENTIFIER: HeaderName = HeaderName::from_static("lambda-extension-event-identifier");
const ACCEPT_FEATURE: HeaderName = HeaderName::from_static("lambda-extension-accept-feature");
const ERROR_TYPE: HeaderName = HeaderName::from_static("lambda-extension-function-error-type");

/// Longest body of a call, bytes.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// Longest error type that is repeated, characters.
const ERROR_TYPE_MAX: usize = 256;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Registration {
    #[serde(default)]
    events: Vec<String>,
    #[serde(default)]
    configuration_keys: Vec<serde_json::Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Registered<'a> {
    function_name: &'a str,
    function_version: String,
    handler: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<&'a str>,
}

/// Answers one call.
pub async fn call(environment: &Arc<Environment>, request: Request<Incoming>) -> Reply {
    let (head, body) = request.into_parts();
    let answer = match (&head.method, head.uri.path()) {
        (&Method::POST, "/2020-01-01/extension/register") => register(environment, &head.headers, body).await,
        (&Method::GET, "/2020-01-01/extension/event/next") => next(environment, &head.headers).await,
        (&Method::POST, "/2020-01-01/extension/init/error") => {
            error(environment, &head.headers, body, true).await
        }
        (&Method::POST, "/2020-01-01/extension/exit/error") => {
            error(environment, &head.headers, body, false).await
        }
        (&Method::PUT, "/2022-07-01/telemetry" | "/2022-07-01/telemetry/") => {
            return subscribe(environment, Api::Telemetry, &head.headers, body).await;
        }
        (&Method::PUT, "/2020-08-15/logs" | "/2020-08-15/logs/") => {
            return subscribe(environment, Api::Logs, &head.headers, body).await;
        }
        (_, path) => return not_here(path),
    };
    answer.unwrap_or_else(|rejection| reject(&rejection))
}

fn reject(rejection: &Rejection) -> Reply {
    refuse(StatusCode::FORBIDDEN, &rejection.to_string(), rejection.error_type())
}

/// What an extension is told of.
pub fn event(body: Bytes) -> Reply {
    let mut event = json(StatusCode::OK, body);
    let id = uuid::Uuid::new_v4().to_string();
    event.headers_mut().insert(EVENT_IDENTIFIER, HeaderValue::try_from(id).expect("a UUID is plain ASCII"));
    event
}

async fn register(
    environment: &Arc<Environment>,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Reply, Rejection> {
    let name = headers.get(NAME).map(HeaderValue::as_bytes).unwrap_or_default();
    let name = std::str::from_utf8(name).map_err(|_| Rejection::Name("Extension name is not UTF-8"))?;
    let body = read(body).await?;
    let registration: Registration =
        serde_json::from_slice(&body).map_err(|error| Rejection::Format(error.to_string()))?;
    if !registration.configuration_keys.is_empty() {
        let words = "configurationKeys are deprecated; use environment variables instead";
        return Err(Rejection::Format(words.to_owned()));
    }
    let id = environment.register_extension(name, &registration.events)?;
    let record = environment.function();
    let features =
        headers.get(ACCEPT_FEATURE).and_then(|features| features.to_str().ok()).unwrap_or_default();
    let wants_account = features.split(',').any(|feature| feature.trim() == "accountId");
    let registered = Registered {
        function_name: &record.name,
        function_version: record.version.to_string(),
        handler: record.settings.handler.as_deref().unwrap_or_default(),
        account_id: wants_account.then_some(record.scope.account.as_str()),
    };
    let body = serde_json::to_vec(&registered).expect("texts serialise");
    let mut answer = json(StatusCode::OK, body.into());
    answer.headers_mut().insert(IDENTIFIER, HeaderValue::try_from(id).expect("a UUID is plain ASCII"));
    Ok(answer)
}

async fn next(environment: &Arc<Environment>, headers: &HeaderMap) -> Result<Reply, Rejection> {
    environment.extension_next(identifier(headers)?).await
}

async fn error(
    environment: &Arc<Environment>,
    headers: &HeaderMap,
    body: Incoming,
    is_init: bool,
) -> Result<Reply, Rejection> {
    let id = identifier(headers)?;
    let error_type = headers.get(ERROR_TYPE).and_then(|error_type| error_type.to_str().ok());
    let error_type = error_type.filter(|error_type| !error_type.is_empty());
    let error_type = error_type.ok_or(Rejection::NoHeader("Lambda-Extension-Function-Error-Type"))?;
    read(body).await?;
    let words: String = error_type.chars().take(ERROR_TYPE_MAX).collect();
    environment.extension_error(id, is_init, &words)?;
    Ok(accepted())
}

async fn subscribe(environment: &Arc<Environment>, api: Api, headers: &HeaderMap, body: Incoming) -> Reply {
    // Sources: the developer guide's example of each API, and the emulator's words where a subscription comes too late.
    let (validation, closed, name) = match api {
        Api::Telemetry => ("ValidationError", "Telemetry.SubscriptionClosed", "Telemetry API"),
        Api::Logs => ("Logs.ValidationError", "Logs.SubscriptionClosed", "Logs API"),
    };
    let invalid = |words: &str| refuse(StatusCode::BAD_REQUEST, words, validation);
    let id = match identifier(headers) {
        Ok(id) => id,
        Err(rejection) => return reject(&rejection),
    };
    let body = match read(body).await {
        Ok(body) => body,
        Err(rejection) => return invalid(&rejection.to_string()),
    };
    let subscription = match Subscription::parse(api, &body) {
        Ok(subscription) => subscription,
        Err(error) => return invalid(&error.to_string()),
    };
    match environment.subscribe(id, subscription) {
        Ok(()) => json(StatusCode::OK, Bytes::from_static(b"\"OK\"")),
        Err(Unsubscribed::Rejected(rejection)) => reject(&rejection),
        Err(Unsubscribed::Invalid(words)) => invalid(&words),
        Err(Unsubscribed::Closed) => {
            refuse(StatusCode::FORBIDDEN, &format!("{name} subscription is closed already"), closed)
        }
    }
}

/// Who calls, as far as a header can tell.
fn identifier(headers: &HeaderMap) -> Result<&str, Rejection> {
    let identifier = headers.get(IDENTIFIER).filter(|identifier| !identifier.is_empty());
    let identifier = identifier.ok_or(Rejection::NoIdentifier)?;
    let identifier = identifier.to_str().map_err(|_| Rejection::BadIdentifier)?;
    uuid::Uuid::parse_str(identifier).map_err(|_| Rejection::BadIdentifier)?;
    Ok(identifier)
}

/// A whole body of at most [`BODY_BYTES_MAX`].
async fn read(body: Incoming) -> Result<Bytes, Rejection> {
    let whole = Limited::new(body, BODY_BYTES_MAX).collect().await;
    Ok(whole.map_err(|error| Rejection::Format(error.to_string()))?.to_bytes())
}
