//! Keeps apart from the console what others have made and lies on its host: pages of APIs below `/_aws/execute-api/…`, of functions
//! by path, objects in buckets. For a browser they'd be of the console's origin, with all that a page may do in its own.
//!
//! To a browser each of them is answered with a policy of the sandbox, by which its page has an origin that nobody else has; and
//! without the headers that speak for a whole host. Who is no browser gets everything as it is.

use http::header::{
    ALT_SVC, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE,
    STRICT_TRANSPORT_SECURITY, USER_AGENT,
};
use http::request::Parts;

use crate::session;

/// All that a sandbox may let a page do, but an origin shared with others. What it opens is none of its own, and fenced by itself.
const SANDBOX: &str = "sandbox allow-scripts allow-forms allow-modals allow-downloads allow-pointer-lock allow-popups \
                       allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation";

/// What these say holds for everything of an origin.
const OF_THE_HOST: [HeaderName; 6] = [
    ALT_SVC,
    STRICT_TRANSPORT_SECURITY,
    HeaderName::from_static("clear-site-data"),
    HeaderName::from_static("nel"),
    HeaderName::from_static("report-to"),
    HeaderName::from_static("service-worker-allowed"),
];

/// Sent by browsers with all that they ask of addresses that they trust, and by nothing that a page could do.
static FETCH: [HeaderName; 3] = [
    HeaderName::from_static("sec-fetch-dest"),
    HeaderName::from_static("sec-fetch-mode"),
    HeaderName::from_static("sec-fetch-site"),
];

/// Does a browser ask? All of them have called themselves so for thirty years.
pub fn is_browser(parts: &Parts) -> bool {
    // One after the other, since a request has few of them: to look up four names takes longer.
    parts.headers.iter().any(|(name, value)| match *name {
        USER_AGENT => value.as_bytes().starts_with(b"Mozilla/"),
        _ => name.as_str().starts_with("sec-fetch-") && FETCH.contains(name),
    })
}

/// Makes of an answer one that a browser may have from the console's host. It doesn't matter what it is for: what has been got as a
/// picture may be kept, and shown as a page later.
pub fn around(headers: &mut HeaderMap) {
    for name in OF_THE_HOST {
        headers.remove(name);
    }
    let cookies: Vec<HeaderValue> = headers.get_all(SET_COOKIE).iter().cloned().collect();
    if cookies.iter().any(session::is_ours) {
        headers.remove(SET_COOKIE);
        for cookie in cookies.into_iter().filter(|cookie| !session::is_ours(cookie)) {
            headers.append(SET_COOKIE, cookie);
        }
    }
    if !is_document_without_script(headers) {
        headers.append(CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX));
    }
}

/// Browsers show no PDF in a sandbox; what is in one never has the origin that it came from.
fn is_document_without_script(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let only = types.next().filter(|_| types.next().is_none());
    only.is_some_and(|kind| kind.as_bytes().eq_ignore_ascii_case(b"application/pdf"))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn fenced(given: &[(&'static str, &'static str)]) -> Vec<(String, String)> {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.append(*name, HeaderValue::from_static(value));
        }
        around(&mut headers);
        let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
    }

    fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
        all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_page_keeps_its_own_policy_and_has_no_origin_of_ours() {
        let own = ("content-security-policy", "img-src *");
        assert_eq!(fenced(&[own]), pairs(&[own, ("content-security-policy", SANDBOX)]));
        assert!(!SANDBOX.contains("allow-same-origin"));
    }

    #[test]
    fn what_speaks_for_the_whole_host_is_left_out() {
        let left = fenced(&[
            ("clear-site-data", "\"*\""),
            ("service-worker-allowed", "/"),
            ("nel", "{}"),
            ("report-to", "{}"),
            ("alt-svc", "h2=\"evil.example:443\""),
            ("strict-transport-security", "max-age=1"),
            ("x-own", "1"),
            ("set-cookie", "a=b"),
            ("set-cookie", " pitbird_session=mine; Path=/_pitbird"),
            ("set-cookie", "=pitbird_session=mine; Path=/_pitbird"),
            ("set-cookie", "c=pitbird_session=d"),
        ]);
        let own = [("x-own", "1"), ("set-cookie", "a=b"), ("set-cookie", "c=pitbird_session=d")];
        assert_eq!(left, pairs(&[&own[..], &[("content-security-policy", SANDBOX)]].concat()));
    }

    #[test]
    fn only_what_is_surely_a_pdf_is_shown_as_one() {
        assert_eq!(fenced(&[("content-type", "application/pdf")]).len(), 1);
        for kinds in [
            &["application/pdf, text/html"][..],
            &["application/pdf", "text/html"],
            &["application/pdf;text/html"],
            &["image/svg+xml"],
            &[],
        ] {
            let given: Vec<_> = kinds.iter().map(|kind| ("content-type", *kind)).collect();
            assert_eq!(fenced(&given).len(), kinds.len() + 1, "{kinds:?}");
        }
    }

    #[test]
    fn browsers_are_told_from_others() {
        let asks = |name: &str, value: &str| {
            is_browser(&Request::get("/").header(name, value).body(()).unwrap().into_parts().0)
        };
        assert!(asks("user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"));
        assert!(asks("sec-fetch-site", "none") && asks("sec-fetch-dest", "image"));
        for other in ["aws-cli/1.38.0 Python/3.11", "curl/8.5.0", "Boto3/1.37 (not Mozilla/5.0)"] {
            assert!(!asks("user-agent", other), "{other}");
        }
    }
}
