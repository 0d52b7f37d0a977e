//! Which headers go through API Gateway, and under which names. Source: API Gateway developer guide, "Important notes for
//! Amazon API Gateway", tables of dropped and remapped headers.

use http::header::{self, HeaderName, HeaderValue};

/// Whose answer a header is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    HttpProxy,
    /// `HTTP_PROXY` whose answers are passed on as they come, and so as they were coded.
    Streamed,
    /// `HTTP` and `AWS`, whose answers are mapped.
    Mapped,
}

/// What of a client's headers no backend sees.
pub(crate) fn is_dropped(name: &HeaderName) -> bool {
    const DROPPED: [HeaderName; 12] = [
        header::CONNECTION,
        header::CONTENT_LENGTH,
        HeaderName::from_static("content-md5"),
        header::EXPECT,
        header::MAX_FORWARDS,
        header::PROXY_AUTHENTICATE,
        header::SERVER,
        header::TE,
        header::TRANSFER_ENCODING,
        header::TRAILER,
        header::UPGRADE,
        header::WWW_AUTHENTICATE,
    ];
    DROPPED.contains(name) || *name == KEEP_ALIVE || *name == header::PROXY_AUTHORIZATION
}

/// A signature: where the gateway has read one for itself, nothing of it is passed on.
pub(crate) fn is_signature(name: &HeaderName, value: &HeaderValue) -> bool {
    *name == header::AUTHORIZATION && value.as_bytes().starts_with(b"AWS4-HMAC-SHA256")
}

/// A header of one connection, which HTTP lets nobody pass on.
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");

/// May a mapping set this header of a request? With one that it may not, the method answers 500.
pub(crate) fn is_settable(name: &HeaderName, is_aws: bool) -> bool {
    const NEVER: [HeaderName; 4] = [
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
        HeaderName::from_static("x-amzn-trace-id"),
        HeaderName::from_static("x-amzn-apigateway-api-id"),
    ];
    const NEVER_FOR_AWS: [HeaderName; 5] =
        [header::AUTHORIZATION, header::CONNECTION, header::EXPECT, header::PROXY_AUTHENTICATE, header::TE];
    let is_never = NEVER.contains(name) || (is_aws && NEVER_FOR_AWS.contains(name));
    !is_never
}

/// The name under which a client gets an answer's header; `None` when it doesn't.
pub(crate) fn answered(name: &HeaderName, kind: Kind) -> Option<HeaderName> {
    const REMAPPED: [(HeaderName, HeaderName); 4] = [
        (header::CONNECTION, HeaderName::from_static("x-amzn-remapped-connection")),
        (header::CONTENT_LENGTH, HeaderName::from_static("x-amzn-remapped-content-length")),
        (header::DATE, HeaderName::from_static("x-amzn-remapped-date")),
        (header::SERVER, HeaderName::from_static("x-amzn-remapped-server")),
    ];
    const REMAPPED_IF_MAPPED: [(HeaderName, HeaderName); 10] = [
        (header::AUTHORIZATION, HeaderName::from_static("x-amzn-remapped-authorization")),
        (HeaderName::from_static("content-md5"), HeaderName::from_static("x-amzn-remapped-content-md5")),
        (header::EXPECT, HeaderName::from_static("x-amzn-remapped-expect")),
        (header::HOST, HeaderName::from_static("x-amzn-remapped-host")),
        (header::MAX_FORWARDS, HeaderName::from_static("x-amzn-remapped-max-forwards")),
        (header::PROXY_AUTHENTICATE, HeaderName::from_static("x-amzn-remapped-proxy-authenticate")),
        (header::TRAILER, HeaderName::from_static("x-amzn-remapped-trailer")),
        (header::UPGRADE, HeaderName::from_static("x-amzn-remapped-upgrade")),
        (header::USER_AGENT, HeaderName::from_static("x-amzn-remapped-user-agent")),
        (header::WWW_AUTHENTICATE, HeaderName::from_static("x-amzn-remapped-www-authenticate")),
    ];
    let of = |table: &[(HeaderName, HeaderName)]| {
        table.iter().find(|(known, _)| known == name).map(|(_, remapped)| remapped.clone())
    };
    if *name == header::TRANSFER_ENCODING || *name == KEEP_ALIVE {
        return None;
    }
    match kind {
        Kind::HttpProxy if *name == header::CONTENT_ENCODING || *name == header::VIA => None,
        Kind::Streamed if *name == header::VIA => None,
        Kind::HttpProxy | Kind::Streamed => Some(of(&REMAPPED).unwrap_or_else(|| name.clone())),
        Kind::Mapped => {
            Some(of(&REMAPPED).or_else(|| of(&REMAPPED_IF_MAPPED)).unwrap_or_else(|| name.clone()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_answers_are_remapped_by_kind() {
        for (name, proxied, mapped) in [
            ("date", Some("x-amzn-remapped-date"), Some("x-amzn-remapped-date")),
            (
                "content-length",
                Some("x-amzn-remapped-content-length"),
                Some("x-amzn-remapped-content-length"),
            ),
            ("user-agent", Some("user-agent"), Some("x-amzn-remapped-user-agent")),
            ("transfer-encoding", None, None),
            ("content-encoding", None, Some("content-encoding")),
            ("via", None, Some("via")),
            ("x-own", Some("x-own"), Some("x-own")),
        ] {
            let header = HeaderName::from_static(name);
            let shown = |kind| answered(&header, kind).map(|name| name.to_string());
            assert_eq!(shown(Kind::HttpProxy).as_deref(), proxied, "{name}");
            let streamed = if name == "content-encoding" { Some(name) } else { proxied };
            assert_eq!(shown(Kind::Streamed).as_deref(), streamed, "{name}");
            assert_eq!(shown(Kind::Mapped).as_deref(), mapped, "{name}");
        }
    }

    #[test]
    fn some_headers_are_never_set() {
        for (name, for_http, for_aws) in [
            ("content-length", false, false),
            ("x-amzn-trace-id", false, false),
            ("authorization", true, false),
            ("te", true, false),
            ("host", true, true),
            ("x-own", true, true),
        ] {
            let header = HeaderName::from_static(name);
            assert_eq!(
                (is_settable(&header, false), is_settable(&header, true)),
                (for_http, for_aws),
                "{name}"
            );
        }
    }
}
