use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;
use pitbird_snapshot::MockAnswer;

use crate::GatewayError;

/// What goes back to the client, before the gateway's own headers.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Bytes,
    /// Whether the answer tells its trace: those of functions do, those of mocks and of the gateway itself don't.
    pub is_traced: bool,
}

impl Answer {
    pub fn of_error(error: GatewayError) -> Answer {
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
        let mut headers = Vec::with_capacity(mock.headers.len() + 1);
        for (name, value) in &mock.headers {
            headers.extend(header(name, value));
        }
        if !headers.iter().any(|(name, _)| *name == CONTENT_TYPE) {
            headers.push((CONTENT_TYPE, HeaderValue::from_static("application/json")));
        }
        Answer { status: mock.status, headers, body: mock.body.clone(), is_traced: false }
    }

    pub fn of_function(answer: pitbird_event::Answer<'_>) -> Answer {
        let headers = answer.headers.iter().filter_map(|(name, value)| header(name, value)).collect();
        Answer { status: answer.status, headers, body: answer.body, is_traced: true }
    }

    /// The response with the headers that every answer of the gateway has.
    pub fn into_response(
        self,
        request_id: &str,
        extended_request_id: &str,
        trace_id: &str,
    ) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_GATEWAY);
        let headers = response.headers_mut();
        headers.reserve(self.headers.len() + 3);
        for (name, value) in self.headers {
            headers.append(name, value);
        }
        for (name, value) in [("x-amzn-requestid", request_id), ("x-amz-apigw-id", extended_request_id)] {
            headers.extend(header(name, value));
        }
        if self.is_traced {
            headers.extend(header("x-amzn-trace-id", trace_id));
        }
        response
    }
}

/// A header, if the texts can be one.
fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_bytes(value.as_bytes()).ok()?))
}
