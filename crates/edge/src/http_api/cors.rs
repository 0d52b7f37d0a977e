//! What browsers are told of an HTTP API. Source: API Gateway developer guide, "Configure CORS for HTTP APIs".

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderValue, ORIGIN, VARY,
};
use http::{HeaderMap, Method};
use pitbird_records::HttpCors;

use super::answer::{Answer, Headers};
use crate::cors::put_list;

/// Is this a browser's question whether it may call?
fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// The API's own answer to that question, whole; none to any other request.
pub(super) fn preflight(cors: &HttpCors, method: &Method, asked: &HeaderMap) -> Option<Answer> {
    if !is_preflight(method, asked) {
        return None;
    }
    let mut headers = Headers::new();
    if is_allowed(cors, asked) {
        put_list(&mut headers, ACCESS_CONTROL_ALLOW_METHODS, cors.allow_methods.as_deref());
        put_list(&mut headers, ACCESS_CONTROL_ALLOW_HEADERS, cors.allow_headers.as_deref());
        headers.extend(cors.max_age_s.map(|age| (ACCESS_CONTROL_MAX_AGE, HeaderValue::from(age))));
    }
    tell(cors, asked, &mut headers);
    Some(Answer { status: 204, headers, body: Default::default() })
}

/// Makes an integration's answer tell what the configuration says; what the integration said of it doesn't count, also where
/// it was asked a browser's question.
pub(super) fn apply(cors: &HttpCors, asked: &HeaderMap, answer: &mut Answer) {
    answer.headers.retain(|(name, _)| !name.as_str().starts_with("access-control-"));
    tell(cors, asked, &mut answer.headers);
}

fn tell(cors: &HttpCors, asked: &HeaderMap, headers: &mut Headers) {
    let Some(origin) = asked.get(ORIGIN).filter(|_| is_allowed(cors, asked)) else { return };
    let is_any = cors.allow_origins.iter().flatten().any(|allowed| allowed == "*");
    let told = if is_any { HeaderValue::from_static("*") } else { origin.clone() };
    headers.push((ACCESS_CONTROL_ALLOW_ORIGIN, told));
    if !is_any {
        headers.push((VARY, HeaderValue::from_static("origin")));
    }
    put_list(headers, ACCESS_CONTROL_EXPOSE_HEADERS, cors.expose_headers.as_deref());
    if cors.allow_credentials == Some(true) {
        headers.push((ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true")));
    }
}

fn is_allowed(cors: &HttpCors, asked: &HeaderMap) -> bool {
    let Some(origin) = asked.get(ORIGIN).and_then(|origin| origin.to_str().ok()) else { return false };
    cors.allow_origins.iter().flatten().any(|allowed| match allowed.as_str() {
        "*" => true,
        "http://*" => origin.starts_with("http://"),
        "https://*" => origin.starts_with("https://"),
        exact => exact == origin,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::HeaderName;

    fn rules(origins: &[&str], has_credentials: bool) -> HttpCors {
        let texts = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect());
        HttpCors {
            allow_credentials: Some(has_credentials),
            allow_headers: texts(&["x-a", "x-b"]),
            allow_methods: texts(&["GET", "PUT"]),
            allow_origins: texts(origins),
            expose_headers: texts(&["x-c"]),
            max_age_s: Some(-1),
        }
    }

    fn from(origin: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ORIGIN, HeaderValue::from_static(origin));
        headers
    }

    /// What browsers ask before they call from another origin.
    fn question(origin: &'static str) -> HeaderMap {
        let mut headers = from(origin);
        headers.insert(ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static("PUT"));
        headers
    }

    fn shown(answer: &Answer) -> Vec<String> {
        let line =
            |(name, value): &(HeaderName, HeaderValue)| format!("{name}: {}", value.to_str().expect("text"));
        answer.headers.iter().map(line).collect()
    }

    #[test]
    fn an_allowed_origin_is_told_all_and_others_nothing() {
        let rules = rules(&["https://a.example", "http://*"], true);
        for origin in ["https://a.example", "http://b.example"] {
            let answer = preflight(&rules, &Method::OPTIONS, &question(origin)).expect("an answer");
            let expected = [
                "access-control-allow-methods: GET,PUT",
                "access-control-allow-headers: x-a,x-b",
                "access-control-max-age: -1",
                &format!("access-control-allow-origin: {origin}"),
                "vary: origin",
                "access-control-expose-headers: x-c",
                "access-control-allow-credentials: true",
            ];
            assert_eq!((answer.status, shown(&answer)), (204, expected.map(str::to_owned).to_vec()));
        }
        let asked = question("https://b.example");
        let answer = preflight(&rules, &Method::OPTIONS, &asked).expect("an answer");
        assert_eq!((answer.status, shown(&answer)), (204, vec![]));
    }

    #[test]
    fn what_the_integration_says_doesnt_count() {
        let rules = rules(&["*"], false);
        let said =
            [("access-control-allow-origin", "https://evil"), ("access-control-max-age", "9"), ("x-a", "1")];
        let said = said.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        // The second is a question that a guarded route's integration has answered.
        for asked in [from("https://any"), question("https://any")] {
            let mut answer = Answer { status: 200, headers: said.to_vec(), body: Default::default() };
            apply(&rules, &asked, &mut answer);
            assert_eq!(
                shown(&answer),
                ["x-a: 1", "access-control-allow-origin: *", "access-control-expose-headers: x-c"]
            );
        }
        let mut answer = Answer { status: 200, headers: said.to_vec(), body: Default::default() };
        apply(&rules, &HeaderMap::new(), &mut answer);
        assert_eq!(shown(&answer), ["x-a: 1"], "no browser");
    }

    #[test]
    fn only_a_browsers_question_is_one() {
        let rules = rules(&["*"], false);
        let is_answered = |method: Method, headers: &HeaderMap| preflight(&rules, &method, headers).is_some();
        assert!(!is_answered(Method::OPTIONS, &from("https://a")));
        let asked = question("https://a");
        assert!(is_answered(Method::OPTIONS, &asked) && !is_answered(Method::GET, &asked));
    }
}
