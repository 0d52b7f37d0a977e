use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;
use pitbird_snapshot::MockAnswer;

use crate::GatewayError;

/// What goes back to the client, before the gateway's own headers.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Bytes,
    /// Whether the answer tells its trace: those of functions do, those of mocks and of the gateway itself don't.
    pub is_traced: bool,
}

impl Answer {
    pub fn of_error(error: &GatewayError) -> Answer {
        Answer {
            status: error.status(),
            headers: vec![
                (CONTENT_TYPE, HeaderValue::from_static("application/json")),
                (HeaderName::from_static("x-amzn-errortype"), HeaderValue::from_static(error.error_type())),
            ],
            body: error.body(),
            is_traced: false,
        }
    }

    pub fn of_mock(mock: &MockAnswer) -> Answer {
        let MockAnswer { status, headers, body, .. } = mock;
        Answer { status: *status, headers: headers.clone(), body: body.clone(), is_traced: false }
    }

    pub fn of_function(answer: pitbird_event::Answer<'_>) -> Answer {
        let headers = answer.headers.iter().filter_map(|(name, value)| header(name, value)).collect();
        Answer { status: answer.status, headers, body: answer.body, is_traced: true }
    }

    /// The response with the headers that every answer of the gateway has; a trace only where the exchange has one.
    pub fn into_response(
        self,
        request_id: String,
        extended_request_id: String,
        trace_id: Option<String>,
    ) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_GATEWAY);
        let headers = response.headers_mut();
        headers.reserve(self.headers.len() + 3);
        for (name, value) in self.headers {
            headers.append(name, value);
        }
        if let Some(theirs) = put(headers, REQUEST_ID, request_id) {
            headers.insert(REMAPPED_REQUEST_ID, theirs);
        }
        put(headers, GATEWAY_ID, extended_request_id);
        if let Some(trace_id) = trace_id.filter(|_| self.is_traced) {
            put(headers, TRACE_ID, trace_id);
        }
        response
    }
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
/// What a function or an endpoint calls by the gateway's own name.
const REMAPPED_REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-remapped-x-amzn-requestid");
const GATEWAY_ID: HeaderName = HeaderName::from_static("x-amz-apigw-id");
const TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");

/// Sets a header to a text whose own buffer becomes the value, if it can be one. Answers what the integration had set it to.
fn put(headers: &mut HeaderMap, name: HeaderName, text: String) -> Option<HeaderValue> {
    headers.insert(name, HeaderValue::from_maybe_shared(Bytes::from(text)).ok()?)
}

/// A header, if the texts can be one.
pub(crate) fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_bytes(value.as_bytes()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gateways_own_headers_are_there_once() {
        let of = |name: &'static str| (HeaderName::from_static(name), HeaderValue::from_static("theirs"));
        let headers = ["x-amzn-requestid", "x-amz-apigw-id", "x-amzn-trace-id", "x-own"].map(of).to_vec();
        let answer = Answer { status: 200, headers, body: Bytes::new(), is_traced: true };
        let response = answer.into_response("id".into(), "extended".into(), Some("trace".into()));
        let told = |name| response.headers().get_all(name).iter().collect::<Vec<_>>();
        assert_eq!(told("x-amzn-requestid"), ["id"]);
        assert_eq!(told("x-amzn-remapped-x-amzn-requestid"), ["theirs"]);
        assert_eq!(told("x-amz-apigw-id"), ["extended"]);
        assert_eq!(told("x-amzn-trace-id"), ["trace"]);
        assert_eq!(told("x-own"), ["theirs"]);
    }
}
