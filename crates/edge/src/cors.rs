//! What browsers are told of a function's URL, so that pages of other origins may call it.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderName, HeaderValue, ORIGIN, VARY,
};
use http::request::Parts;
use http::{HeaderMap, Method};
use pitbird_records::function_url::Cors;

type Headers = Vec<(HeaderName, HeaderValue)>;

/// The answer to a browser's question whether it may call, which the function never sees; `None` for any other request, and
/// where no rules are set.
pub(crate) fn preflight(cors: Option<&Cors>, head: &Parts) -> Option<Headers> {
    let is_question = head.method == Method::OPTIONS
        && head.headers.contains_key(ORIGIN)
        && head.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let cors = cors.filter(|_| is_question)?;
    let mut headers = Vec::new();
    if origin(cors, &head.headers).is_some() {
        put_list(&mut headers, ACCESS_CONTROL_ALLOW_METHODS, cors.allow_methods.as_deref());
        put_list(&mut headers, ACCESS_CONTROL_ALLOW_HEADERS, cors.allow_headers.as_deref());
        headers.extend(cors.max_age.map(|age| (ACCESS_CONTROL_MAX_AGE, HeaderValue::from(age))));
    }
    Some(headers)
}

/// What every answer to an allowed origin carries.
pub(crate) fn headers(cors: Option<&Cors>, head: &Parts) -> Headers {
    let mut headers = Vec::new();
    let Some((cors, origin)) = cors.and_then(|cors| Some((cors, origin(cors, &head.headers)?))) else {
        return headers;
    };
    headers.push((ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone()));
    if origin != "*" {
        headers.push((VARY, HeaderValue::from_static("Origin")));
    }
    put_list(&mut headers, ACCESS_CONTROL_EXPOSE_HEADERS, cors.expose_headers.as_deref());
    if cors.allow_credentials == Some(true) {
        headers.push((ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true")));
    }
    headers
}

/// The origin as it is to be told that it is allowed; `None` when it isn't, or there is none.
fn origin(cors: &Cors, headers: &HeaderMap) -> Option<HeaderValue> {
    let origin = headers.get(ORIGIN)?;
    let allowed = cors.allow_origins.as_deref().unwrap_or_default();
    if allowed.iter().any(|allowed| allowed == "*") {
        // Browsers take no star together with credentials.
        let is_star = cors.allow_credentials != Some(true);
        return Some(if is_star { HeaderValue::from_static("*") } else { origin.clone() });
    }
    allowed.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes()).then(|| origin.clone())
}

pub(crate) fn put_list(headers: &mut Headers, name: HeaderName, items: Option<&[String]>) {
    let text = items.filter(|items| !items.is_empty()).map(|items| items.join(","));
    let value = text.and_then(|text| HeaderValue::try_from(text).ok());
    headers.extend(value.map(|value| (name, value)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors(origins: &[&str], has_credentials: bool) -> Cors {
        let texts = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect());
        Cors {
            allow_credentials: Some(has_credentials),
            allow_headers: texts(&["x-a", "x-b"]),
            allow_methods: texts(&["GET", "PUT"]),
            allow_origins: texts(origins),
            expose_headers: texts(&["x-c"]),
            max_age: Some(60),
        }
    }

    fn head(method: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = http::Request::builder().method(method);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).expect("a request").into_parts().0
    }

    fn shown(headers: &Headers) -> Vec<String> {
        headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().expect("text"))).collect()
    }

    #[test]
    fn only_a_browsers_question_is_answered_here() {
        let question = [("origin", "https://a"), ("access-control-request-method", "PUT")];
        let rules = cors(&["https://a"], false);
        let told = preflight(Some(&rules), &head("OPTIONS", &question)).expect("an answer");
        let expected = [
            "access-control-allow-methods: GET,PUT",
            "access-control-allow-headers: x-a,x-b",
            "access-control-max-age: 60",
        ];
        assert_eq!(shown(&told), expected);
        let other = [("origin", "https://b"), ("access-control-request-method", "PUT")];
        assert_eq!(preflight(Some(&rules), &head("OPTIONS", &other)), Some(vec![]), "told nothing");
        assert_eq!(preflight(Some(&rules), &head("OPTIONS", &question[..1])), None);
        assert_eq!(preflight(Some(&rules), &head("GET", &question)), None);
        assert_eq!(preflight(None, &head("OPTIONS", &question)), None);
    }

    #[test]
    fn an_allowed_origin_is_told_so() {
        let from = |origin| head("GET", &[("origin", origin)]);
        for (rules, origin, expected) in [
            (cors(&["https://a"], true), "https://a", &["https://a", "vary", "expose", "credentials"][..]),
            (cors(&["*"], false), "https://a", &["*", "expose"]),
            (cors(&["*"], true), "https://a", &["https://a", "vary", "expose", "credentials"]),
            (cors(&["https://a"], false), "https://b", &[]),
        ] {
            let told = shown(&headers(Some(&rules), &from(origin)));
            assert_eq!(told.len(), expected.len(), "{told:?}");
            assert!(told.iter().zip(expected).all(|(told, part)| told.contains(part)), "{told:?}");
        }
        assert_eq!(headers(None, &from("https://a")), vec![]);
        assert_eq!(headers(Some(&cors(&["*"], false)), &head("GET", &[])), vec![], "no browser");
    }
}
