//! HTTP backends behind routes: what they are asked, and what comes back.

use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::Full;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use pitbird_snapshot::HttpIntegration;

use super::admitted::Admitted;
use super::answer::Answer;
use super::authorize::query_values;
use super::context::Context;
use super::integrate::{Outcome, Story};
use super::mapping::{self, Change, Place, Values};
use super::{HttpError, Routed};
use crate::Edge;
use crate::backend::{Tls, Unanswered};

/// Asks an HTTP endpoint as the client asked, and gives back what it answers.
pub(super) async fn ask(
    edge: &Edge,
    routed: &Routed<'_, '_>,
    admitted: &Admitted,
    integration: &HttpIntegration,
    url: &str,
    body: Bytes,
) -> Outcome {
    let values = OfRequest { routed, admitted, body: &body };
    let changes = mapping::changes(&integration.record.request_parameters, "$request.", &values);
    let Some(request) = request(routed, integration, url, &body, &changes) else {
        return Outcome::failed(
            HttpError::Integration,
            "The integration's URL or what is mapped to it is invalid.",
        );
    };
    let limit = Duration::from_millis(integration.record.timeout_ms.into());
    match edge.backend.send(request, limit, Tls::default()).await {
        Ok(response) => given_back(routed, admitted, integration, response),
        Err(Unanswered::Timeout) => {
            Outcome::failed(HttpError::Timeout, "The integration didn't answer in time.")
        }
        Err(Unanswered::Address) => Outcome::failed(HttpError::Integration, "Invalid endpoint address"),
        Err(error) => Outcome::failed(HttpError::Unavailable, error.to_string()),
    }
}

fn request(
    routed: &Routed<'_, '_>,
    integration: &HttpIntegration,
    url: &str,
    body: &Bytes,
    changes: &[Change],
) -> Option<Request<Full<Bytes>>> {
    let arrival = routed.arrival;
    let method = match integration.record.method.as_deref() {
        None | Some("ANY") => arrival.verb().clone(),
        Some(method) => method.parse::<Method>().ok()?,
    };
    let mut headers = HeaderMap::new();
    for (name, value) in arrival.headers() {
        if !is_of_connection(name) && name != header::HOST {
            headers.append(name, value.clone());
        }
    }
    introduce(&mut headers, routed);
    let mut query =
        Query(arrival.query().split('&').filter(|piece| !piece.is_empty()).map(str::to_owned).collect());
    let mut path = None;
    for change in changes {
        match change {
            Change::Overwrite(Place::Path, value) => path = Some(value.as_str()),
            Change::Remove(Place::Query(name)) => query.remove(name),
            Change::Overwrite(Place::Query(name), value) => {
                query.remove(name);
                query.append(name, value);
            }
            Change::Append(Place::Query(name), value) => query.append(name, value),
            of_header => change_header(&mut headers, of_header)?,
        }
    }
    let uri = address(url, routed, path, &query.0.join("&"));
    let mut request = Request::builder().method(method).uri(uri).body(Full::new(body.clone())).ok()?;
    *request.headers_mut() = headers;
    Some(request)
}

/// Where a request goes: the integration's URL with the route's variables put in and the client's query added. Behind
/// `$default` the request's path below its stage is added too, where the mapping doesn't say another.
fn address(url: &str, routed: &Routed<'_, '_>, path: Option<&str>, query: &str) -> String {
    let (base, own_query) = url.split_once('?').unwrap_or((url, ""));
    let mut address = base.to_owned();
    for (name, text) in &routed.matched.captures {
        address = address.replace(&format!("{{{name}}}"), text);
    }
    if let Some(path) = path {
        let host_end = address.find("://").and_then(|at| address[at + 3..].find('/').map(|end| at + 3 + end));
        address.truncate(host_end.unwrap_or(address.len()));
        address.push('/');
        address.push_str(path.trim_start_matches('/'));
    } else if routed.matched.route.key == "$default" {
        address.truncate(address.trim_end_matches('/').len());
        address.push_str(routed.path_below_stage());
    }
    let mut join = '?';
    for piece in [own_query, query].into_iter().filter(|piece| !piece.is_empty()) {
        address.push(std::mem::replace(&mut join, '&'));
        address.push_str(piece);
    }
    address
}

/// The pieces of a raw query string.
struct Query(Vec<String>);

impl Query {
    fn remove(&mut self, name: &str) {
        self.0.retain(|piece| query_values(piece, name).next().is_none());
    }

    fn append(&mut self, name: &str, value: &str) {
        let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        self.0.push([encoded(name), encoded(value)].join("="));
    }
}

fn change_header(headers: &mut HeaderMap, change: &Change) -> Option<()> {
    let (place, value) = match change {
        Change::Remove(place) => (place, None),
        Change::Overwrite(place, value) | Change::Append(place, value) => (place, Some(value)),
    };
    let Place::Header(name) = place else { return Some(()) };
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    if !matches!(change, Change::Append(..)) {
        headers.remove(&name);
    }
    if let Some(value) = value {
        headers.append(name, HeaderValue::from_str(value).ok()?);
    }
    Some(())
}

/// Tells the backend for whom the gateway asks.
fn introduce(headers: &mut HeaderMap, routed: &Routed<'_, '_>) {
    let arrival = routed.arrival;
    let told = format!(
        "by={};for={};host={};proto={}",
        arrival.peer.source,
        arrival.peer.source,
        arrival.host(),
        arrival.peer.scheme
    );
    // Source: API Gateway developer guide, "HTTP proxy integrations for HTTP APIs": the standard header in place of the others.
    let value = HeaderValue::try_from(told).ok();
    headers.extend(value.map(|value| (header::FORWARDED, value)));
    let via = HeaderValue::from_static("HTTP/1.1 AmazonAPIGateway");
    headers.append(header::VIA, via);
    if let Ok(trace) = HeaderValue::try_from(arrival.new_trace_id()) {
        headers.insert(HeaderName::from_static("x-amzn-trace-id"), trace);
    }
    if let Some(traced) = &arrival.trace {
        traced.tell(headers);
    }
}

/// Headers of one connection, which HTTP lets nobody pass on; and lengths, which are told anew.
fn is_of_connection(name: &HeaderName) -> bool {
    const NAMES: [&str; 9] = [
        "connection",
        "content-length",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "transfer-encoding",
        "upgrade",
    ];
    NAMES.contains(&name.as_str())
}

fn given_back(
    routed: &Routed<'_, '_>,
    admitted: &Admitted,
    integration: &HttpIntegration,
    response: Response<Bytes>,
) -> Outcome {
    let (mut head, body) = response.into_parts();
    let mut status = head.status.as_u16();
    if let Some(parameters) = integration.record.response_parameters.get(head.status.as_str()) {
        let values = OfResponse { routed, admitted, headers: &head.headers, body: &body };
        let changes = mapping::changes(parameters, "$response.", &values);
        for change in &changes {
            if let Change::Overwrite(Place::Status, value) = change {
                let said = value.parse().ok().filter(|status| (200..=599).contains(status));
                let Some(said) = said else {
                    return Outcome::failed(HttpError::Integration, "The status that is mapped is none.");
                };
                status = said;
            } else if change_header(&mut head.headers, change).is_none() {
                return Outcome::failed(HttpError::Integration, "A header that is mapped is none.");
            }
        }
    }
    let mut headers = Vec::with_capacity(head.headers.len());
    for (name, value) in &head.headers {
        if !is_of_connection(name) && name != header::DATE {
            headers.push((name.clone(), value.clone()));
        }
    }
    let known = Some(head.status.as_u16());
    let request_id = joined(&head.headers, "x-amzn-requestid");
    let story = Story { status: known, service_status: known, request_id, ..Story::default() };
    Outcome { integration: Some(story), ..Outcome::answer(Answer { status, headers, body }) }
}

/// What a request's mappings may name.
struct OfRequest<'a> {
    routed: &'a Routed<'a, 'a>,
    admitted: &'a Admitted,
    body: &'a [u8],
}

/// What an answer's mappings may name.
struct OfResponse<'a> {
    routed: &'a Routed<'a, 'a>,
    admitted: &'a Admitted,
    headers: &'a HeaderMap,
    body: &'a [u8],
}

impl Values for OfRequest<'_> {
    fn own(&self, name: &str) -> Option<String> {
        let routed = self.routed;
        match name.split_once('.') {
            None if name == "path" => Some(routed.path_below_stage().to_owned()),
            Some(("path", variable)) => {
                let captured = routed.matched.captures.iter().find(|(known, _)| *known == variable);
                captured.map(|(_, text)| (*text).to_owned())
            }
            Some(("header", name)) => joined(routed.arrival.headers(), name),
            Some(("querystring", name)) => {
                let values: Vec<_> = query_values(routed.arrival.query(), name).collect();
                Some(values.join(",")).filter(|_| !values.is_empty())
            }
            _ => of_body(self.body, name),
        }
    }

    fn context(&self, name: &str) -> Option<String> {
        context(self.routed, self.admitted, name)
    }

    fn stage_variable(&self, name: &str) -> Option<String> {
        self.routed.stage.record.variables.get(name).cloned()
    }
}

impl Values for OfResponse<'_> {
    fn own(&self, name: &str) -> Option<String> {
        match name.split_once('.') {
            Some(("header", name)) => joined(self.headers, name),
            _ => of_body(self.body, name),
        }
    }

    fn context(&self, name: &str) -> Option<String> {
        context(self.routed, self.admitted, name)
    }

    fn stage_variable(&self, name: &str) -> Option<String> {
        self.routed.stage.record.variables.get(name).cloned()
    }
}

fn joined(headers: &HeaderMap, name: &str) -> Option<String> {
    let values: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    Some(values.join(",")).filter(|_| !values.is_empty())
}

fn of_body(body: &[u8], name: &str) -> Option<String> {
    if name == "body" {
        return Some(mapping::whole(body));
    }
    mapping::select(body, name.strip_prefix("body.")?)
}

fn context(routed: &Routed<'_, '_>, admitted: &Admitted, name: &str) -> Option<String> {
    let route_key = Some(routed.matched.route.key.as_str());
    Context { stage: routed.stage, seen: routed.seen, route_key, admitted, end: None }.value(name)
}
