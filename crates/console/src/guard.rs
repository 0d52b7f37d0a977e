//! Keeps other people's pages out, which the browser of somebody who is let in may have open beside this one.
//!
//! A page can be made to ask anything of this address (cross-site requests), and a name can be made to lead here (DNS rebinding).
//! So on loopback only loopback's own names are answered, and whatever acts must come from a page of this very host, which
//! browsers say, with a header that no form can send.

use http::Method;
use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::request::Parts;

use crate::fence;

/// Sent by the page with everything that acts.
const MARK: &str = "x-pitbird-console";

/// Why a request isn't answered.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    NoHost,
    ForeignHost(String),
    ForeignOrigin(String),
    NoOrigin,
    OtherSite(String),
    Unmarked,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refused::NoHost => f.write_str("the request names no host"),
            Refused::ForeignHost(host) => {
                write!(f, "{host:?} is no name of this machine's own; use localhost or 127.0.0.1")
            }
            Refused::ForeignOrigin(origin) => write!(f, "a page of {origin:?} may not ask this"),
            Refused::NoOrigin => f.write_str("the request doesn't say which page it comes from"),
            Refused::OtherSite(site) => write!(f, "a {site} page may not ask this"),
            Refused::Unmarked => {
                f.write_str("actions need the header X-Pitbird-Console and a body of application/json")
            }
        }
    }
}

/// Every request: is it for us, by a name that nobody else can make lead here? Where a session is needed, any name is right: the
/// session is bound to it.
pub fn host(parts: &Parts, needs_own_host: bool) -> Result<(), Refused> {
    let host = named(parts).ok_or(Refused::NoHost)?;
    if !needs_own_host || is_own(host) { Ok(()) } else { Err(Refused::ForeignHost(host.to_owned())) }
}

/// A stream that only the page may listen to.
pub fn stream(parts: &Parts) -> Result<(), Refused> {
    same_site(parts)?;
    match header(parts, ORIGIN.as_str()) {
        Some(origin) => same_origin(parts, origin),
        None => Ok(()),
    }
}

/// Whatever acts.
pub fn action(parts: &Parts) -> Result<(), Refused> {
    same_site(parts)?;
    same_origin(parts, header(parts, ORIGIN.as_str()).ok_or(Refused::NoOrigin)?)?;
    let is_json =
        header(parts, CONTENT_TYPE.as_str()).is_some_and(|kind| kind.starts_with("application/json"));
    if is_json && parts.headers.contains_key(MARK) { Ok(()) } else { Err(Refused::Unmarked) }
}

/// A call to AWS on a server that takes anybody at his word, who is on this machine: it mustn't come from a page that somebody else has
/// put into a browser there. Such a page can send what a form can, and show pictures, without asking whether it may.
pub fn call(parts: &Parts) -> Result<(), Refused> {
    if !fence::is_browser(parts) && !parts.headers.contains_key(ORIGIN) {
        return Ok(());
    }
    let host = named(parts).ok_or(Refused::NoHost)?;
    if !is_of_loopback(host) {
        return Err(Refused::ForeignHost(host.to_owned()));
    }
    // What only reads is read by nobody: no answer lets another origin look into it.
    let is_action = parts.uri.query().is_some_and(|query| query.contains("Action="));
    if !is_action && (parts.method == Method::GET || parts.method == Method::HEAD) {
        return Ok(());
    }
    match header(parts, "sec-fetch-site") {
        None | Some("same-origin" | "none") => {}
        Some(other) => return Err(Refused::OtherSite(other.to_owned())),
    }
    header(parts, ORIGIN.as_str()).map_or(Ok(()), |origin| same_origin(parts, origin))
}

/// The base URL that the page was reached under.
pub fn endpoint(parts: &Parts, scheme: &str) -> String {
    format!("{scheme}://{}", named(parts).unwrap_or_default())
}

fn named(parts: &Parts) -> Option<&str> {
    header(parts, HOST.as_str()).filter(|host| !host.is_empty())
}

fn header<'p>(parts: &'p Parts, name: &str) -> Option<&'p str> {
    parts.headers.get(name).and_then(|value| value.to_str().ok())
}

/// A literal address of loopback, or the name that no resolver may answer otherwise.
fn is_own(host: &str) -> bool {
    let name = name(host);
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// One of those, or a name below one that leads here by what it is: buckets have such names.
fn is_of_loopback(host: &str) -> bool {
    let name = name(host).to_ascii_lowercase();
    let below =
        |parent: &str| name.strip_suffix(parent).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    is_own(host) || below("localhost") || below("localhost.localstack.cloud")
}

/// A host without its port.
fn name(host: &str) -> &str {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name.trim_start_matches('[').trim_end_matches(']')
}

/// What newer browsers say by themselves.
fn same_site(parts: &Parts) -> Result<(), Refused> {
    match header(parts, "sec-fetch-site") {
        None | Some("same-origin") => Ok(()),
        Some(other) => Err(Refused::OtherSite(other.to_owned())),
    }
}

/// The scheme isn't compared: whoever ends TLS in front of us changes it.
fn same_origin(parts: &Parts, origin: &str) -> Result<(), Refused> {
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    match authority.zip(named(parts)) {
        Some((authority, host)) if authority.eq_ignore_ascii_case(host) => Ok(()),
        _ => Err(Refused::ForeignOrigin(origin.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn parts(headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::post("/_pitbird/call/rollouts/AbortRollout");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn only_names_of_loopback_lead_here() {
        for own in ["localhost", "LocalHost:4566", "127.0.0.1:4566", "127.9.9.9", "[::1]:4566", "[::1]"] {
            assert_eq!(host(&parts(&[("host", own)]), true), Ok(()), "{own}");
        }
        for foreign in [
            "evil.example",
            "evil.example:4566",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "10.0.0.1:4566",
            "evil.localhost",
            "localhost.localstack.cloud:4566",
            "[::2]:80",
            "0.0.0.0:4566",
        ] {
            let found = host(&parts(&[("host", foreign)]), true);
            assert_eq!(found, Err(Refused::ForeignHost(foreign.to_owned())));
            assert_eq!(host(&parts(&[("host", foreign)]), false), Ok(()), "bound to its session");
        }
        assert_eq!(host(&parts(&[]), false), Err(Refused::NoHost));
    }

    #[test]
    fn no_page_of_others_calls_aws() {
        let of = |method: &str, path: &str, headers: &[(&str, &str)]| {
            let mut request = Request::builder().method(method).uri(path);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            call(&request.body(()).unwrap().into_parts().0)
        };
        let here = ("host", "localhost:4566");
        let browser = ("user-agent", "Mozilla/5.0");
        for (method, path, headers) in [
            ("POST", "/", &[("host", "pits.example:4566"), ("user-agent", "aws-cli/1.38")][..]),
            ("POST", "/", &[here, browser, ("origin", "http://localhost:4566")]),
            ("GET", "/bucket/picture.png", &[here, browser, ("sec-fetch-site", "cross-site")]),
            ("GET", "/picture.png", &[("host", "bucket.s3.localhost.localstack.cloud:4566"), browser]),
            ("GET", "/?Action=ListUsers", &[here, browser, ("sec-fetch-site", "none")]),
        ] {
            assert_eq!(of(method, path, headers), Ok(()), "{method} {path} {headers:?}");
        }
        for (method, path, headers) in [
            ("POST", "/", &[here, browser, ("origin", "null")][..]),
            ("POST", "/", &[here, ("origin", "http://evil.example")]),
            ("POST", "/", &[here, ("sec-fetch-site", "same-site")]),
            ("GET", "/?Action=DeleteAlarms", &[here, ("sec-fetch-site", "cross-site")]),
            ("POST", "/", &[("host", "evil.example"), browser, ("origin", "http://evil.example")]),
            ("GET", "/?Action=DeleteAlarms", &[("host", "evillocalhost"), browser]),
        ] {
            assert!(of(method, path, headers).is_err(), "{method} {path} {headers:?}");
        }
    }

    #[test]
    fn only_the_page_itself_acts() {
        let own = [
            ("host", "localhost:4566"),
            ("origin", "http://localhost:4566"),
            ("content-type", "application/json"),
            ("x-pitbird-console", "1"),
        ];
        assert_eq!(action(&parts(&own)), Ok(()));
        let with = |name: &str, value: &'static str| {
            let changed = own.map(|(known, before)| (known, if known == name { value } else { before }));
            action(&parts(&changed))
        };
        for origin in [
            "http://evil.example",
            "null",
            "http://localhost",
            "http://localhost:80",
            "http://api.localhost:4566",
            "ftp://localhost:4566",
            "http://localhost:4566.evil.example",
        ] {
            assert_eq!(with("origin", origin), Err(Refused::ForeignOrigin(origin.to_owned())));
        }
        assert_eq!(with("content-type", "text/plain"), Err(Refused::Unmarked), "what a form can send");
        assert_eq!(action(&parts(&own[..3])), Err(Refused::Unmarked));
        assert_eq!(action(&parts(&[own[0], own[2], own[3]])), Err(Refused::NoOrigin));
        for site in ["cross-site", "same-site", "none"] {
            let mut said = own.to_vec();
            said.push(("sec-fetch-site", site));
            assert_eq!(action(&parts(&said)), Err(Refused::OtherSite(site.to_owned())));
            assert_eq!(stream(&parts(&said)), Err(Refused::OtherSite(site.to_owned())));
        }
    }
}
