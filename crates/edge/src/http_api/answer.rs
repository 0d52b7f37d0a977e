use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use http::{Response, StatusCode};
use http_body_util::Full;

use super::HttpError;

pub(super) type Headers = Vec<(HeaderName, HeaderValue)>;

/// What goes back to the client, before the gateway's own headers.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: u16,
    pub headers: Headers,
    pub body: Bytes,
}

const REQUEST_ID: HeaderName = HeaderName::from_static("apigw-requestid");

impl Answer {
    pub fn of_error(error: &HttpError) -> Answer {
        let mut headers = vec![(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        let challenge = error.www_authenticate().and_then(|text| HeaderValue::try_from(text).ok());
        headers.extend(challenge.map(|value| (WWW_AUTHENTICATE, value)));
        Answer { status: error.status(), headers, body: error.body() }
    }

    pub fn of_function(answer: pitbird_event::Answer<'_>) -> Answer {
        let header = |(name, value): &pitbird_event::Header<'_>| {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            Some((name, HeaderValue::from_bytes(value.as_bytes()).ok()?))
        };
        let headers = answer.headers.iter().filter_map(header).collect();
        Answer { status: answer.status, headers, body: answer.body }
    }

    pub fn into_response(self, request_id: String) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.reserve(self.headers.len() + 1);
        for (name, value) in self.headers {
            headers.append(name, value);
        }
        // The text's own buffer becomes the value.
        let value = HeaderValue::from_maybe_shared(Bytes::from(request_id)).ok();
        // The gateway's own, whatever came from behind it.
        if let Some(value) = value {
            headers.insert(REQUEST_ID, value);
        }
        response
    }
}
