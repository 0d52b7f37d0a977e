//! HTTP endpoints: what they are asked, and what comes back.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::Full;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use pitbird_event::MediaTypes;
use pitbird_mapping::RenderError;
use pitbird_mapping::parameter::{Source, Target as To};
use pitbird_snapshot::{HttpProxy, HttpTarget, Parameters, Target, Trust};

use super::content;
use super::headers::{Kind, answered, is_dropped, is_settable, is_signature};
use super::request::Seen;
use super::{MISCONFIGURED, Means, Outcome};
use crate::GatewayError;
use crate::admitted::Admitted;
use crate::answer::Answer;
use crate::arrival::Arrival;
use crate::backend::{Tls, Unanswered};
use crate::compression::unpacked;
use crate::execution_log;
use crate::routed::Routed;
use crate::story::IntegrationStory;

/// What mappings add to a request: pairs of a name and its values.
#[derive(Debug, Default)]
pub(crate) struct Additions {
    pub header: Vec<(String, Vec<String>)>,
    /// Percent-encoded.
    pub path: Vec<(String, String)>,
    pub querystring: Vec<(String, Vec<String>)>,
}

impl Additions {
    /// The values of parameters; what has none is not added.
    pub fn of(
        parameters: &Parameters,
        seen: &Seen<'_>,
        routed: &Routed<'_, '_>,
        body: &str,
    ) -> Result<Additions, RenderError> {
        let mut additions = Additions::default();
        let message = seen.message(body);
        for (to, source) in parameters {
            if let (To::Path(name), Source::Path(from)) = (to, source) {
                // As the client wrote it: decoding and encoding anew might make another path of it.
                let raw = routed.matched.get(from).unwrap_or_default();
                additions.path.push((name.to_string(), raw.to_owned()));
                continue;
            }
            let mut values = source.values(&message)?;
            match to {
                _ if values.is_empty() => {}
                To::Header(name) => additions.header.push((name.to_string(), values)),
                To::Querystring(name) => additions.querystring.push((name.to_string(), values)),
                To::Path(name) => {
                    let value = values.pop().unwrap_or_default();
                    additions.path.push((name.to_string(), encoded_path(&value)));
                }
            }
        }
        Ok(additions)
    }

    /// Sets headers over those that are there.
    pub fn set_headers(&self, headers: &mut HeaderMap, is_aws: bool) -> Result<(), Unsettable> {
        for (name, values) in &self.header {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| Unsettable(name.clone()))?;
            if !is_settable(&name, is_aws) {
                return Err(Unsettable(name.to_string()));
            }
            headers.remove(&name);
            for value in values {
                let value = HeaderValue::from_str(value).map_err(|_| Unsettable(name.to_string()))?;
                headers.append(&name, value);
            }
        }
        Ok(())
    }

    /// The whole URI: the target's with path parameters, the client's own query if it is passed on, and what is added to it.
    pub fn uri(&self, target: &HttpTarget, routed: &Routed<'_, '_>, passed_query: &str) -> String {
        let mut uri = match target.fixed() {
            Some(fixed) => fixed.to_owned(),
            None => target.with(|name| {
                let added = self.path.iter().rfind(|(known, _)| known == name);
                added.map(|(_, value)| value.as_str()).or_else(|| routed.matched.get(name))
            }),
        };
        let mut join = if uri.contains('?') { '&' } else { '?' };
        let mut push = |piece: &str| {
            if !piece.is_empty() {
                uri.push(std::mem::replace(&mut join, '&'));
                uri.push_str(piece);
            }
        };
        push(passed_query);
        for (name, values) in &self.querystring {
            for value in values {
                push(&[&encoded(name), "=", &encoded(value)].concat());
            }
        }
        uri
    }
}

/// A mapping that sets what it may not set, or to what can't stand in a header.
#[derive(Debug, thiserror::Error)]
#[error("Invalid mapping expression: header {0}")]
pub(crate) struct Unsettable(String);

/// Asks an HTTP endpoint as the client asked, and gives back what it answers.
pub(crate) async fn proxy(
    routed: &Routed<'_, '_>,
    arrival: &Arrival<'_>,
    body: Bytes,
    proxy: &HttpProxy,
    means: &Means<'_>,
) -> Outcome {
    let Ok(Target::Http(target)) = &routed.track.targets[proxy.target] else {
        return super::misconfigured(Unanswered::Address);
    };
    let additions = match additions(proxy, routed, arrival, means.admitted, &body) {
        Ok(additions) => additions,
        Err(error) => return super::misconfigured(error),
    };
    let uri = additions.uri(target, routed, arrival.query());
    let mut headers = passed_on(arrival.headers());
    let is_signed = |value: &HeaderValue| is_signature(&header::AUTHORIZATION, value);
    if means.admitted.signer.is_some() && headers.get(header::AUTHORIZATION).is_some_and(is_signed) {
        headers.remove(header::AUTHORIZATION);
    }
    introduce(&mut headers, routed, arrival);
    if let Some(traced) = &arrival.trace {
        traced.tell(&mut headers);
    }
    if let Err(error) = additions.set_headers(&mut headers, false) {
        return super::misconfigured(error);
    }
    let media = MediaTypes(&routed.track.deployment.binary_media_types);
    let body = match content::of_request(body, arrival, media, proxy.content_handling) {
        Ok(body) => body,
        Err(undecodable) => return super::misconfigured(undecodable),
    };
    let verb = proxy.verb.clone().unwrap_or_else(|| arrival.verb().clone());
    if proxy.is_streamed {
        return match request(verb, &uri, headers, body, routed) {
            Ok(request) => super::streamed::backend(request, proxy, routed, arrival, means).await,
            Err(unanswered) => failed(&unanswered),
        };
    }
    let terms = (Duration::from_millis(proxy.timeout_ms.into()), proxy.trust);
    let (response, story) = match ask(verb, &uri, headers, body, terms, (routed, means)).await {
        Ok(answered) => answered,
        Err(outcome) => return outcome,
    };
    given_back(response, story, arrival, proxy, media).await
}

fn additions(
    proxy: &HttpProxy,
    routed: &Routed<'_, '_>,
    arrival: &Arrival<'_>,
    admitted: &Admitted,
    body: &[u8],
) -> Result<Additions, RenderError> {
    if proxy.parameters.is_empty() {
        return Ok(Additions::default());
    }
    let seen = Seen::new(routed, arrival, admitted);
    Additions::of(&proxy.parameters, &seen, routed, &String::from_utf8_lossy(body))
}

async fn given_back(
    response: Response<Bytes>,
    story: IntegrationStory,
    arrival: &Arrival<'_>,
    proxy: &HttpProxy,
    media: MediaTypes<'_>,
) -> Outcome {
    let (head, body) = response.into_parts();
    // Clients aren't told a coding, so they get what was coded.
    let body = match unpacked(&head.headers, body.clone()).await {
        Ok(unpacked) => unpacked,
        Err(_) => body,
    };
    let body = match content::of_answer(body, &head.headers, arrival, media, proxy.content_handling) {
        Ok(body) => body,
        Err(content::Undecodable(body)) => body,
    };
    let mut headers = Vec::with_capacity(head.headers.len());
    for (name, value) in &head.headers {
        headers.extend(answered(name, Kind::HttpProxy).map(|name| (name, value.clone())));
    }
    let answer = Answer { status: head.status.as_u16(), headers, body, is_traced: false };
    Outcome { integration: Some(Box::new(story)), ..Outcome::answer(answer) }
}

/// Sends a request to an endpoint; the gateway's own answer when there is none from there.
pub(crate) async fn ask(
    verb: Method,
    uri: &str,
    headers: HeaderMap,
    body: Bytes,
    (limit, trust): (Duration, Trust),
    (routed, means): (&Routed<'_, '_>, &Means<'_>),
) -> Result<(Response<Bytes>, IntegrationStory), Outcome> {
    let request = request(verb, uri, headers, body, routed).map_err(|unanswered| failed(&unanswered))?;
    let began = Instant::now();
    let certificate = means.snapshot.client_certificate(routed.stage).map(|shown| &**shown);
    let answered = means.backend.send(request, limit, Tls { trust, certificate }).await;
    let latency_us = began.elapsed().as_micros() as u64;
    match answered {
        Ok(response) => {
            execution_log::answered(routed.log, &response, latency_us);
            let status = Some(response.status().as_u16());
            let story = IntegrationStory { latency_us, status, service_status: status, ..Default::default() };
            Ok((response, story))
        }
        Err(unanswered) => {
            let mut outcome = failed(&unanswered);
            if let Some(story) = &mut outcome.integration {
                story.latency_us = latency_us;
            }
            Err(outcome)
        }
    }
}

/// What an endpoint is asked, told to the log.
fn request(
    verb: Method,
    uri: &str,
    headers: HeaderMap,
    body: Bytes,
    routed: &Routed<'_, '_>,
) -> Result<Request<Full<Bytes>>, Unanswered> {
    execution_log::asked(routed.log, uri, &headers, &body);
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = verb;
    *request.uri_mut() = uri.parse().map_err(|_| Unanswered::Address)?;
    *request.headers_mut() = headers;
    Ok(request)
}

/// The gateway's own answer where an endpoint gave none.
pub(super) fn failed(unanswered: &Unanswered) -> Outcome {
    let error = match unanswered {
        Unanswered::Address | Unanswered::Certificate(_) => GatewayError::ApiConfiguration,
        Unanswered::Network => GatewayError::IntegrationFailure,
        Unanswered::TooLarge => GatewayError::BadIntegrationAnswer,
        Unanswered::Timeout => GatewayError::IntegrationTimeout,
    };
    Outcome::failed(error, told(unanswered))
}

/// Why there is no answer, in an execution log's words.
fn told(unanswered: &Unanswered) -> String {
    match unanswered {
        Unanswered::Address | Unanswered::TooLarge | Unanswered::Certificate(_) => {
            format!("{MISCONFIGURED}{unanswered}")
        }
        Unanswered::Network => {
            "Execution failed due to a network error communicating with endpoint".to_owned()
        }
        Unanswered::Timeout => unanswered.to_string(),
    }
}

/// A client's headers, but for those of its connection and the ones that an endpoint isn't told unless they are mapped.
fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let mut passed = HeaderMap::with_capacity(headers.len() + 6);
    for (name, value) in headers {
        let is_the_gateways = *name == header::HOST || *name == header::CONTENT_ENCODING;
        if !is_the_gateways && !is_dropped(name) {
            passed.append(name.clone(), value.clone());
        }
    }
    passed
}

/// The headers by which the gateway says who asks.
pub(crate) fn introduce(headers: &mut HeaderMap, routed: &Routed<'_, '_>, arrival: &Arrival<'_>) {
    let api_id = &routed.stage.api_id;
    let text = |text: &str| HeaderValue::from_str(text).ok();
    let forwarded = match headers.get(&FORWARDED_FOR).and_then(|value| value.to_str().ok()) {
        Some(before) => text(&[before, ", ", arrival.peer.source].concat()),
        None => text(arrival.peer.source),
    };
    let mut port = itoa::Buffer::new();
    let by_connection = [
        (FORWARDED_FOR, forwarded),
        (HeaderName::from_static("x-forwarded-port"), text(port.format(arrival.peer.port))),
        (HeaderName::from_static("x-forwarded-proto"), text(arrival.peer.scheme)),
    ];
    let by_connection = by_connection.into_iter().filter(|_| !arrival.peer.is_nobody());
    let own = (HeaderName::from_static("x-amzn-apigateway-api-id"), text(api_id));
    for (name, value) in by_connection.chain([own]) {
        headers.extend(value.map(|value| (name, value)));
    }
    if !headers.contains_key(header::USER_AGENT) {
        let agent = text(&["AmazonAPIGateway_", api_id].concat());
        headers.extend(agent.map(|agent| (header::USER_AGENT, agent)));
    }
}

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What stands for itself in a URI. Source: RFC 3986, "unreserved".
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Slashes stay: a value may be several segments.
pub(crate) fn encoded_path(text: &str) -> String {
    const RESERVED_BUT_SLASH: &AsciiSet = &RESERVED.remove(b'/');
    utf8_percent_encode(text, RESERVED_BUT_SLASH).to_string()
}
