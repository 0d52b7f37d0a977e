//! A request's way through a function's URL: find, admit, invoke, answer, record.

mod streamed;

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Response, StatusCode};
use http_body_util::{Either, Full};
use pitbird_event::{HttpAuthorizer, HttpContext, HttpExchange, Signer};
use pitbird_invoke::{self as invoke, Invocation, Refused};
use pitbird_names::{Qualifier, arn, limits};
use pitbird_snapshot::{Function, FunctionUrl, Snapshot, UrlCaller};
use pitbird_telemetry::Telemetry;
use pitbird_telemetry::metrics::{Dimensions, Probe, ProbeSpec, Resolution, Unit};
use smallvec::SmallVec;

use crate::arrival::Peer;
use crate::journey::read_body;
use crate::trace;
use crate::{Edge, GatewayError, UrlTarget, cors};

use streamed::StreamBody;

/// Who signed a request, and whether his own policies let him call the function. Who is denied it by them is nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlSigner {
    pub access_key_id: String,
    pub account: String,
    /// The ARN of the user or role session.
    pub principal: String,
    pub user_id: String,
    pub may_call: bool,
    /// What they say of `execute-api:InvalidateCache`.
    pub renewal: Renewal,
}

/// What somebody's own policies say of a new answer in place of a cached one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    Allowed,
    NotMentioned,
    Denied,
}

/// A signature that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    pub signer: UrlSigner,
    /// Do his own policies deny him what he asks for? Then nobody else's help.
    pub is_denied: bool,
}

/// Source: recordings of the service.
const FORBIDDEN: &str = r#"{"Message":"Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"}"#;
const FAILED: &str = "Internal Server Error";
/// What an answer is that doesn't say it. Source: Lambda developer guide, "Invoking Lambda function URLs".
const USUAL_TYPE: &str = "application/json";

/// Body of what goes back to the client.
pub type UrlBody = Either<Full<Bytes>, Box<StreamBody>>;

/// What goes back to the client.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Content,
}

#[derive(Debug)]
enum Content {
    Whole(Bytes),
    Streamed(Box<StreamBody>),
}

/// One request once it has come in.
struct Arrival<'a> {
    head: &'a Parts,
    target: UrlTarget<'a>,
    peer: Peer<'a>,
    request_id: String,
    trace_id: String,
    at_ms: u64,
    began: Instant,
}

impl Edge {
    /// A request's whole way through a function's URL. `signer_of` reads a signature over the head and a body, for whom the
    /// function's ARN is what is asked for; `None` is no valid one.
    pub async fn serve_url<B>(
        &self,
        target: UrlTarget<'_>,
        head: &Parts,
        body: B,
        peer: Peer<'_>,
        signer_of: impl Fn(&[u8], &str) -> Option<UrlSigner>,
    ) -> Response<UrlBody>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let arrival = Arrival::new(target, head, peer);
        let snapshot = self.snapshots.load_full();
        let Some((url, function)) = find(&snapshot, target.id) else {
            return Answer::json(403, FORBIDDEN).into_response(arrival);
        };
        let cors = url.record.cors.as_ref();
        let answer = match (cors::preflight(cors, head), read_body(&head.headers, body).await) {
            (Some(headers), _) => Answer { status: 200, headers, body: Content::Whole(Bytes::new()) },
            (None, Err(error)) => Answer::refused(error),
            (None, Ok(body)) => match admit(url, function, |arn| signer_of(&body, arn)) {
                None => Answer::json(403, FORBIDDEN),
                Some(signer) => self.invoke_url(url, function, &arrival, &body, signer.as_ref()).await,
            },
        };
        self.record_url(url, &arrival, answer.status);
        answer.with(cors::headers(cors, head)).into_response(arrival)
    }

    async fn invoke_url(
        &self,
        url: &FunctionUrl,
        function: &Function,
        arrival: &Arrival<'_>,
        body: &[u8],
        signer: Option<&UrlSigner>,
    ) -> Answer {
        let invocation = Invocation {
            request_id: arrival.request_id.clone(),
            payload: arrival.event(url, body, signer),
            at_ms: arrival.at_ms as i64,
            trace_id: Some(arrival.trace_id.clone()),
            ..Invocation::default()
        };
        let (qualifier, draw) = (url.qualifier.as_ref(), fastrand::f64());
        let malformed = |malformed: &dyn std::fmt::Display| {
            tracing::debug!(request_id = arrival.request_id, %malformed, "a function's answer is none");
            Answer::json(502, FAILED)
        };
        let refused = |refused| Answer::not_run(&refused, &arrival.request_id);
        if !url.record.is_streamed {
            return match self.invoker.invoke(function, qualifier, draw, invocation).await {
                Ok(outcome) if outcome.function_error.is_some() => Answer::json(502, FAILED),
                Ok(outcome) => pitbird_event::http_reply(&outcome.payload, USUAL_TYPE)
                    .map_or_else(|error| malformed(&error), Answer::of_function),
                Err(error) => refused(error),
            };
        }
        match self.invoker.invoke_streaming(function, qualifier, draw, invocation).await {
            Ok(invoke::Answer::Whole(outcome)) if outcome.function_error.is_some() => {
                Answer::json(502, FAILED)
            }
            // What it answers goes out as it is: only a stream can say a status.
            Ok(invoke::Answer::Whole(outcome)) => Answer::whole(200, outcome.payload),
            Ok(invoke::Answer::Pieces(pieces)) => {
                streamed::answer(pieces).await.unwrap_or_else(|error| malformed(&error))
            }
            Err(error) => refused(error),
        }
    }

    fn record_url(&self, url: &FunctionUrl, arrival: &Arrival<'_>, status: u16) {
        let probe = url.slot.get_or_init(|| Arc::new(UrlProbe::new(&self.telemetry, url)));
        let latency_ms = (arrival.began.elapsed().as_micros() / 1000) as f64;
        let is = |class: u16| f64::from(u8::from(status / 100 == class));
        probe.0.record(arrival.at_ms as i64, &[1.0, is(4), is(5), latency_ms]);
    }
}

fn find<'s>(snapshot: &'s Snapshot, id: &str) -> Option<(&'s FunctionUrl, &'s Function)> {
    let url = snapshot.url(id)?;
    Some((url, snapshot.function(&url.function)?))
}

/// Who may call: anybody where the function's policy says so, else somebody who signed: of the function's own account whom his own
/// policies or the function's let, of another whom both let. `None` is nobody; `Some(None)` somebody unknown.
fn admit(
    url: &FunctionUrl,
    function: &Function,
    signer_of: impl FnOnce(&str) -> Option<UrlSigner>,
) -> Option<Option<UrlSigner>> {
    let policy = function.policy(url.qualifier.as_ref());
    let lets = |caller| policy.is_some_and(|policy| policy.allows_url(caller));
    if !url.record.is_signed {
        return lets(UrlCaller::Anybody).then_some(None);
    }
    let signer = signer_of(&arn::function(&function.scope, &function.name, url.qualifier.as_ref()))?;
    let caller = UrlCaller::Signer {
        account: &signer.account,
        principal: &signer.principal,
        may_call: signer.may_call,
    };
    let may = match signer.account == function.scope.account.as_str() {
        true => signer.may_call || lets(caller),
        false => signer.may_call && lets(caller),
    };
    may.then_some(Some(signer))
}

impl<'a> Arrival<'a> {
    fn new(target: UrlTarget<'a>, head: &'a Parts, peer: Peer<'a>) -> Arrival<'a> {
        let at_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
        let trace_id = trace::untold(&head.headers, at_ms);
        let request_id = pitbird_names::uuid(fastrand::u128(..));
        Arrival { head, target, peer, request_id, trace_id, at_ms, began: Instant::now() }
    }

    fn event(&self, url: &FunctionUrl, body: &[u8], signer: Option<&UrlSigner>) -> Bytes {
        let headers: SmallVec<[(&str, &[u8]); 24]> =
            self.head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let host = self.head.headers.get(HOST).and_then(|value| value.to_str().ok());
        let region = url.record.scope.region.as_str();
        let domain = match self.target.domain {
            Some(domain) => domain.to_owned(),
            None => format!("{}.lambda-url.{region}.localhost", self.target.id),
        };
        let is_http2 = self.head.version == http::Version::HTTP_2;
        let exchange = HttpExchange {
            route_key: "$default",
            raw_path: self.target.path,
            query: self.head.uri.query().unwrap_or_default(),
            headers: &headers,
            body,
            path_parameters: &[],
            stage_variables: None,
            host: host.unwrap_or(&domain),
            port: self.peer.port,
            scheme: self.peer.scheme,
            trace_id: &self.trace_id,
            context: HttpContext {
                account_id: signer.map_or("anonymous", |signer| &signer.account),
                api_id: self.target.id,
                domain_name: &domain,
                domain_prefix: self.target.id,
                method: self.head.method.as_str(),
                protocol: if is_http2 { "HTTP/2.0" } else { "HTTP/1.1" },
                source_ip: self.peer.source,
                request_id: &self.request_id,
                stage: "$default",
                time_epoch_ms: self.at_ms,
                authorizer: signer.map(|signer| {
                    HttpAuthorizer::Iam(Signer {
                        access_key_id: &signer.access_key_id,
                        account_id: &signer.account,
                        principal: &signer.principal,
                        user_id: &signer.user_id,
                    })
                }),
            },
        };
        let mut event = Vec::new();
        exchange.write_event(&mut event);
        Bytes::from(event)
    }
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");

impl Answer {
    fn json(status: u16, body: &str) -> Answer {
        Answer::whole(status, Bytes::copy_from_slice(body.as_bytes()))
    }

    /// JSON that is there.
    fn whole(status: u16, body: Bytes) -> Answer {
        let headers = vec![(CONTENT_TYPE, HeaderValue::from_static(USUAL_TYPE))];
        Answer { status, headers, body: Content::Whole(body) }
    }

    /// The function couldn't be called.
    fn not_run(refused: &Refused, request_id: &str) -> Answer {
        match refused {
            Refused::Throttled(throttle) => {
                let reason = throttle.as_str();
                Answer::json(
                    429,
                    &format!(r#"{{"Reason":"{reason}","Type":"User","message":"Rate Exceeded."}}"#),
                )
            }
            Refused::PayloadTooLarge => Answer::refused(GatewayError::RequestTooLarge),
            refused => {
                tracing::debug!(request_id, %refused, "a function can't be called");
                Answer::json(502, FAILED)
            }
        }
    }

    /// The request itself is at fault.
    fn refused(error: GatewayError) -> Answer {
        match error {
            GatewayError::RequestTooLarge => {
                let limit = limits::INVOKE_PAYLOAD_BYTES_TOLD;
                let words =
                    format!("Request must be smaller than {limit} bytes for the InvokeFunction operation");
                Answer::json(413, &format!(r#"{{"Message":"{words}"}}"#))
            }
            other => {
                let words = other.message_json();
                Answer::json(other.status(), &format!(r#"{{"Message":{words}}}"#))
            }
        }
    }

    fn of_function(answer: pitbird_event::Answer<'_>) -> Answer {
        let header = |(name, value): &pitbird_event::Header<'_>| {
            Some((
                HeaderName::from_bytes(name.as_bytes()).ok()?,
                HeaderValue::from_bytes(value.as_bytes()).ok()?,
            ))
        };
        let headers = answer.headers.iter().filter_map(header).collect();
        Answer { status: answer.status, headers, body: Content::Whole(answer.body) }
    }

    /// With headers that take the place of the function's own.
    fn with(mut self, headers: Vec<(HeaderName, HeaderValue)>) -> Answer {
        self.headers.retain(|(name, _)| !headers.iter().any(|(ours, _)| ours == name));
        self.headers.extend(headers);
        self
    }

    fn into_response(self, arrival: Arrival<'_>) -> Response<UrlBody> {
        let mut response = Response::new(match self.body {
            Content::Whole(body) => Either::Left(Full::new(body)),
            Content::Streamed(body) => Either::Right(body),
        });
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_GATEWAY);
        let headers = response.headers_mut();
        for (name, value) in self.headers {
            headers.append(name, value);
        }
        for (name, text) in [(REQUEST_ID, arrival.request_id), (TRACE_ID, arrival.trace_id)] {
            let value = HeaderValue::from_maybe_shared(Bytes::from(text)).ok();
            headers.extend(value.map(|value| (name, value)));
        }
        response
    }
}

/// What is measured of a URL. Source: Lambda developer guide, "Monitoring Lambda function URLs".
#[derive(Debug)]
struct UrlProbe(Arc<Probe>);

impl UrlProbe {
    fn new(telemetry: &Telemetry, url: &FunctionUrl) -> UrlProbe {
        let function = url.record.function.as_str();
        let name = ("FunctionName", function.to_owned());
        let resource = match &url.qualifier {
            Some(Qualifier::Alias(alias)) => format!("{function}:{alias}"),
            _ => function.to_owned(),
        };
        let metrics = [
            ("UrlRequestCount", Unit::Count),
            ("Url4xxCount", Unit::Count),
            ("Url5xxCount", Unit::Count),
            ("UrlRequestLatency", Unit::Milliseconds),
        ];
        let spec = ProbeSpec {
            scope: url.record.scope.clone(),
            namespace: "AWS/Lambda".to_owned(),
            metrics: metrics.map(|(name, unit)| (name.to_owned(), unit)).to_vec(),
            dimension_sets: vec![
                Dimensions::from_iter([name.clone()]),
                Dimensions::from_iter([name, ("Resource", resource)]),
            ],
            resolution: Resolution::Minute,
            usage: None,
        };
        UrlProbe(telemetry.probe(spec))
    }
}
