//! Trying out what isn't deployed: a method, or an authorizer, of a stage that no record keeps. Nobody is asked who he is, nothing is
//! throttled, kept or recorded; what happens is told in full.

use std::future::poll_fn;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{HeaderName, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Uri};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use pitbird_names::{arn, limits};
use pitbird_records::{ApiKey, Texts};
use pitbird_snapshot::{Authorization, Snapshot, Stage};
use serde_json::Value as Json;
use thiserror::Error;
use tokio::time::{Instant, timeout_at};

use crate::admit::{Asking, validate};
use crate::admitted::Admitted;
use crate::arrival::{Arrival, Peer};
use crate::execution_log::{self, ExecutionLog, Log};
use crate::integrate::{Outcome, integrate};
use crate::journey::dress;
use crate::routed::Routed;
use crate::streamed::Next;
use crate::{Edge, GatewayError, Target, UrlSigner};

/// The host under which a trial seems to come in, and its stage as authorizers are told it. Source: recorded events of the service's
/// test console.
const DOMAIN: &str = "testPrefix.testDomainName";
const AUTHORIZER_STAGE: &str = "ESTestInvoke-stage";
const KEY_ID: &str = "test-invoke-api-key-id";
const KEY: &str = "test-invoke-api-key";

/// What can't stand in a query; everything else stays as it is given.
const UNWRITABLE: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>');

/// A request that nobody sends.
#[derive(Debug)]
pub struct Trial<'t> {
    pub stage: &'t Stage,
    pub resource_id: &'t str,
    /// `GET` …
    pub verb: &'t str,
    /// Begins with a `/`, percent-encoded.
    pub path: &'t str,
    /// Without `?`.
    pub query: &'t str,
    pub headers: &'t [(String, String)],
    pub body: Bytes,
    /// Who tries.
    pub signer: UrlSigner,
    /// What is said of `$context` beside, for authorizers.
    pub additional_context: &'t Texts,
}

/// What a method answers.
#[derive(Debug)]
pub struct Tried {
    pub status: u16,
    /// By the names that clients see.
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
    pub latency_ms: u64,
    pub log: TrialLog,
}

/// What an authorizer says.
#[derive(Debug)]
pub struct Judged {
    /// What a client would be answered with; 0 where he may pass, as far as the authorizer goes.
    pub client_status: u16,
    pub latency_ms: u64,
    pub log: TrialLog,
    pub principal_id: Option<String>,
    /// As JSON.
    pub policy: Option<String>,
    /// Of a user pool's token: names and texts.
    pub claims: Option<Vec<(String, String)>>,
}

/// What happened, line by line.
#[derive(Debug)]
pub struct TrialLog {
    pub request_id: String,
    /// Epoch milliseconds and text of each line, oldest first.
    pub lines: Vec<(u64, String)>,
}

/// Why there was nothing to try.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Untried {
    #[error("no such method")]
    Method,
    #[error("{0} is no header")]
    Header(String),
    #[error("the headers are too large")]
    HeadersTooLarge,
    #[error("the path can't be one")]
    Path,
}

impl Edge {
    /// Runs a method of a stage that isn't deployed.
    ///
    /// # Errors
    /// When the stage has no such method, or the request can't be written as one.
    pub async fn try_method(&self, trial: Trial<'_>) -> Result<Tried, Untried> {
        let (head, raw_head) = head(&trial)?;
        let peer = Peer { raw_head: &raw_head, ..Peer::NOBODY };
        let arrival = Arrival::new(target(&trial), &head, peer, None);
        let log = ExecutionLog::whole();
        let snapshot = self.snapshots.load_full();
        let routed = route(&trial, head.method.as_str(), Log(Some(&log)))?;
        let admitted = caller(&trial);
        let asked = self.tried(&routed, &arrival, trial.body, &snapshot, &admitted);
        if routed.method.integration.is_streamed() {
            return Ok(Box::pin(tried_stream(asked, &arrival)).await);
        }
        let outcome = asked.await;
        let latency_ms = arrival.elapsed_us() / 1000;
        execution_log::finish(routed.log, &arrival, &outcome);
        let Outcome { answer, trace_id, .. } = outcome;
        let shown = |name: &HeaderName, value: &HeaderValue| {
            (log.shown(name.as_str()), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let traced = trace_id.filter(|_| answer.is_traced);
        let traced = traced.map(|trace_id| ("X-Amzn-Trace-Id".to_owned(), trace_id));
        let own = answer.headers.iter().map(|(name, value)| shown(name, value));
        let headers = traced.into_iter().chain(own).collect();
        let log = TrialLog::of(&log, arrival.request_id);
        Ok(Tried { status: answer.status, headers, body: answer.body, latency_ms, log })
    }

    async fn tried<'a>(
        &self,
        routed: &Routed<'_, 'a>,
        arrival: &Arrival<'a>,
        body: Bytes,
        snapshot: &Snapshot,
        admitted: &Admitted,
    ) -> Outcome {
        execution_log::begin(routed, arrival, admitted, &body);
        let track = routed.track;
        let quoted = track.deployment.gateway_responses.as_ref().map(|_| body.clone());
        let checked = match body.len() > limits::GATEWAY_BODY_BYTES {
            true => Err(GatewayError::RequestTooLarge),
            false => validate(routed, arrival, &body),
        };
        let mut outcome = match checked {
            Ok(()) => integrate(routed, arrival, body, &self.means(snapshot, admitted)).await,
            Err(error) => Outcome::error(error),
        };
        let place = (routed.stage, track, Some(routed));
        dress(&mut outcome, arrival, place, admitted, quoted.as_deref());
        outcome
    }

    /// Asks the authorizer of a method of a stage that isn't deployed, whatever is known of it, and doesn't ask what its policy means.
    ///
    /// # Errors
    /// When the stage has no such method, or the request can't be written as one.
    pub async fn try_authorizer(&self, trial: Trial<'_>) -> Result<Judged, Untried> {
        let (head, raw_head) = head(&trial)?;
        let peer = Peer { raw_head: &raw_head, ..Peer::NOBODY };
        let arrival = Arrival::new(target(&trial), &head, peer, None);
        let log = ExecutionLog::whole();
        let snapshot = self.snapshots.load_full();
        let routed = route(&trial, head.method.as_str(), Log(Some(&log)))?;
        let stage = trial.stage;
        let method_arn = arn::execute_api(&stage.scope, &stage.api_id, AUTHORIZER_STAGE, trial.verb, "/");
        let asking = Asking {
            edge: self,
            snapshot: &snapshot,
            routed: &routed,
            arrival: &arrival,
            body: &trial.body,
            method_arn,
            additional: Some(trial.additional_context),
        };
        let said = asking.judged().await;
        if let Err(error) = &said {
            execution_log::authorizer::refused(routed.log, &arrival.request_id, error);
            if !matches!(error, GatewayError::AuthorizerConfiguration) {
                routed.log.info(|| error.message().unwrap_or_default().into_owned());
            }
        }
        let latency_ms = arrival.elapsed_us() / 1000;
        let client_status = said.as_ref().err().map_or(0, GatewayError::status);
        let Verdict { principal_id, policy, claims } = said.unwrap_or_default();
        let log = TrialLog::of(&log, arrival.request_id);
        Ok(Judged { client_status, latency_ms, log, principal_id, policy, claims })
    }
}

/// A method whose answer is passed on as it comes, tried out: as much of the answer as there is after a while, and no log. Source: API
/// Gateway developer guide, "Troubleshoot issues with response streaming in API Gateway".
async fn tried_stream(asked: impl Future<Output = Outcome>, arrival: &Arrival<'_>) -> Tried {
    let until = Instant::now() + STREAM_TRIAL;
    let mut tried = Tried {
        status: 0,
        headers: Vec::new(),
        body: Bytes::new(),
        latency_ms: 0,
        log: TrialLog { request_id: arrival.request_id.clone(), lines: Vec::new() },
    };
    if let Ok(Outcome { answer, stream, .. }) = timeout_at(until, asked).await {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = answer.headers.iter().map(|(name, value)| (name.to_string(), text(value)));
        (tried.status, tried.headers, tried.body) = (answer.status, headers.collect(), answer.body);
        if let Some(mut stream) = stream {
            let mut body = BytesMut::new();
            let read = async {
                while body.len() <= STREAM_TRIAL_BYTES
                    && let Next::Data(data) = poll_fn(|context| stream.poll_next(context)).await
                {
                    body.extend_from_slice(&data);
                }
            };
            // What has come by then is what there is.
            let _is_whole = timeout_at(until, read).await;
            tried.body = body.freeze();
        }
    }
    tried.latency_ms = arrival.elapsed_us() / 1000;
    tried
}

/// For how long a trial waits for a stream, and from how many bytes on it doesn't. Source: the same.
const STREAM_TRIAL: Duration = Duration::from_secs(35);
const STREAM_TRIAL_BYTES: usize = 1 << 20;

/// What an authorizer that lets somebody pass says of him.
#[derive(Debug, Default)]
struct Verdict {
    principal_id: Option<String>,
    policy: Option<String>,
    claims: Option<Vec<(String, String)>>,
}

impl Asking<'_, '_> {
    async fn judged(&self) -> Result<Verdict, GatewayError> {
        match &self.routed.method.authorization {
            Authorization::Function(function) => {
                let (result, payload) = self.try_out(function).await?;
                let said = serde_json::from_slice::<Json>(&payload).unwrap_or_default();
                let policy = said.get("policyDocument").map(Json::to_string);
                Ok(Verdict { principal_id: Some(result.principal_id), policy, claims: None })
            }
            Authorization::Pools { authorizer, scopes } => {
                let (admitted, result) = self.by_pool(authorizer, scopes).await;
                result?;
                let claims = admitted.authorizer.and_then(|story| story.claims);
                Ok(Verdict { claims, ..Verdict::default() })
            }
            Authorization::Open | Authorization::Iam | Authorization::Unserved => {
                Err(GatewayError::AuthorizerConfiguration)
            }
        }
    }
}

impl TrialLog {
    fn of(log: &ExecutionLog, request_id: String) -> TrialLog {
        let lines = log.lines().into_iter().map(|line| (line.at_ms, line.text)).collect();
        TrialLog { request_id, lines }
    }
}

fn head(trial: &Trial<'_>) -> Result<(Parts, Vec<u8>), Untried> {
    written(trial.verb, trial.query, trial.headers)
}

/// A request's head, and how it would have looked on a connection.
pub(crate) fn written(
    verb: &str,
    query: &str,
    given: &[(String, String)],
) -> Result<(Parts, Vec<u8>), Untried> {
    let bytes: usize = given.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
    if bytes > limits::GATEWAY_HEADER_BYTES {
        return Err(Untried::HeadersTooLarge);
    }
    let mut headers = HeaderMap::with_capacity(given.len());
    let mut raw_head = b"TRY / HTTP/1.1\r\n".to_vec();
    for (name, value) in given {
        let unwritable = || Untried::Header(name.clone());
        let known = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unwritable())?;
        headers.append(known, HeaderValue::from_bytes(value.as_bytes()).map_err(|_| unwritable())?);
        raw_head.extend([name.as_bytes(), b":\r\n"].concat());
    }
    let mut request = Request::new(());
    // Nothing is sent with the name of all methods.
    let verb = if verb == "ANY" { "GET" } else { verb };
    *request.method_mut() = Method::from_bytes(verb.as_bytes()).map_err(|_| Untried::Method)?;
    if !query.is_empty() {
        let query = utf8_percent_encode(query, UNWRITABLE);
        *request.uri_mut() = format!("/?{query}").parse::<Uri>().map_err(|_| Untried::Path)?;
    }
    *request.headers_mut() = headers;
    Ok((request.into_parts().0, raw_head))
}

fn target<'t>(trial: &Trial<'t>) -> Target<'t> {
    Target {
        api: &trial.stage.api_id,
        stage: &trial.stage.record.name,
        path: trial.path,
        raw_path: trial.path,
        domain: Some(DOMAIN),
        mapped: Some((trial.path, "")),
    }
}

/// The resource is named, so its path only says what its variables stand for.
fn route<'r>(trial: &Trial<'r>, verb: &'r str, log: Log<'r>) -> Result<Routed<'r, 'r>, Untried> {
    let stage = trial.stage;
    let router = &stage.base.deployment.router;
    let matched = router.force_where(trial.path, |resource| resource.id == trial.resource_id);
    let matched = matched.ok_or(Untried::Method)?;
    let method = matched.value.method(trial.verb).or_else(|| matched.value.method(verb));
    let method = method.ok_or(Untried::Method)?;
    Ok(Routed { stage, track: &stage.base, matched, method, verb, setting: None, log })
}

/// As whom the request comes: with a key that no plan knows.
fn caller(trial: &Trial<'_>) -> Admitted {
    let key = ApiKey {
        scope: trial.stage.scope.clone(),
        id: KEY_ID.to_owned(),
        value: KEY.to_owned(),
        name: None,
        customer_id: None,
        description: None,
        enabled: true,
        created_ms: 0,
        updated_ms: 0,
        stage_keys: Vec::new(),
        tags: Texts::new(),
    };
    let signer = Some(Box::new(trial.signer.clone()));
    Admitted { signer, api_key: Some(key.into()), ..Admitted::default() }
}

#[cfg(test)]
mod tests;
