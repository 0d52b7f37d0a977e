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
        append(headers, REQUEST_ID, request_id);
        append(headers, GATEWAY_ID, extended_request_id);
        if let Some(trace_id) = trace_id.filter(|_| self.is_traced) {
            append(headers, TRACE_ID, trace_id);
        }
        response
    }
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const GATEWAY_ID: HeaderName = HeaderName::from_static("x-amz-apigw-id");
const TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");

/// A text whose own buffer becomes the value, if it can be one.
fn append(headers: &mut HeaderMap, name: HeaderName, text: String) {
    if let Ok(value) = HeaderValue::from_maybe_shared(Bytes::from(text)) {
        headers.append(name, value);
    }
}

/// A header, if the texts can be one.
pub(crate) fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_bytes(value.as_bytes()).ok()?))
}
