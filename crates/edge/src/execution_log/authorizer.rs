//! What there is to tell of an authorizer that is asked.

use pitbird_snapshot::{IdentitySource, LambdaTarget};

use super::steps::{function_headers, function_uri};
use super::words::{body as text, map, masked};
use crate::GatewayError;
use crate::execution_log::Log;

/// An authorizer is asked about a request.
pub(crate) fn start(log: Log<'_>, authorizer_id: &str, request_id: &str) {
    log.info(|| format!("Starting authorizer: {authorizer_id} for request: {request_id}"));
}

/// It judges by one token.
pub(crate) fn token(log: Log<'_>, token: &str) {
    log.trace(|| format!("Incoming identity: {}", masked(token)));
}

/// It judges by these.
pub(crate) fn sources(log: Log<'_>, sources: &[IdentitySource], values: &[String]) {
    log.trace(|| {
        let values = values.iter().map(|value| masked(value));
        format!("Incoming identity: {}", map(sources.iter().map(IdentitySource::to_text).zip(values)))
    });
}

/// Its function is called.
pub(crate) fn asked(
    log: Log<'_>,
    target: &LambdaTarget,
    (api_id, request_id): (&str, &str),
    (trace_id, source_arn): (&str, &str),
    event: &[u8],
) {
    let Some(_) = log.traced() else { return };
    let uri = function_uri(target, false);
    log.trace(|| format!("Endpoint request URI: {uri}"));
    log.trace(|| {
        let sent = function_headers(target, api_id, request_id, trace_id, source_arn);
        format!("Endpoint request headers: {}", map(sent))
    });
    log.trace(|| format!("Endpoint request body after transformations: {}", text(event)));
    log.trace(|| format!("Sending request to {uri}"));
}

/// Its function answered.
pub(crate) fn answered(log: Log<'_>, payload: &[u8]) {
    log.trace(|| format!("Authorizer result body before parsing: {}", text(payload)));
}

/// It lets the caller be known as somebody.
pub(crate) fn passed(log: Log<'_>, principal_id: &str) {
    log.trace(|| format!("Using valid authorizer policy for principal: {}", masked(principal_id)));
    completed(log);
}

pub(crate) fn completed(log: Log<'_>) {
    log.info(|| "Successfully completed authorizer execution".to_owned());
}

/// It can't be asked, or said nothing that is an answer.
pub(crate) fn misconfigured(log: Log<'_>, why: &str) {
    log.error(|| format!("Execution failed due to configuration error: {why}"));
}

/// It doesn't let the request pass.
pub(crate) fn refused(log: Log<'_>, request_id: &str, error: &GatewayError) {
    match error {
        GatewayError::Unauthorized | GatewayError::TokenExpired => {
            log.info(|| format!("Unauthorized request: {request_id}"));
        }
        GatewayError::AuthorizerConfiguration => log.error(|| error.error_type().to_owned()),
        _ => log.info(|| "The client is not authorized to perform this operation.".to_owned()),
    }
}
