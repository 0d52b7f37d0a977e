use bytes::Bytes;
use pitbird_jwt::Rejection;

/// An answer that an HTTP API gives itself instead of the integration. Source: API Gateway developer guide, and recordings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HttpError {
    /// No such API, stage or route, or one that may not be reached under this host.
    NotFound,
    /// A token is missing, or isn't taken; with the answer's `www-authenticate`.
    Token(Option<Rejection>),
    /// The issuer of tokens can't be asked for its keys.
    Issuer,
    /// A token without a scope that the route asks for; with those.
    Scope(String),
    /// What an authorizer judges by isn't there.
    Unauthorized,
    /// Somebody may not.
    Forbidden,
    /// A function that should decide failed, or said nothing that is a decision.
    Authorizer,
    TooManyRequests,
    BodyTooLarge,
    HeadersTooLarge,
    UriTooLong,
    /// The request's body broke off or isn't HTTP.
    BadRequest,
    /// The function failed, may not be invoked, or answered something that is no answer.
    Integration,
    /// The function was too slow or too busy.
    Unavailable,
    /// The backend was too slow.
    Timeout,
}

impl HttpError {
    pub fn status(&self) -> u16 {
        match self {
            HttpError::NotFound => 404,
            HttpError::Token(_) | HttpError::Issuer | HttpError::Unauthorized => 401,
            HttpError::Scope(_) | HttpError::Forbidden => 403,
            HttpError::Authorizer | HttpError::Integration => 500,
            HttpError::TooManyRequests => 429,
            HttpError::BodyTooLarge => 413,
            HttpError::HeadersTooLarge => 431,
            HttpError::UriTooLong => 414,
            HttpError::BadRequest => 400,
            HttpError::Unavailable => 503,
            HttpError::Timeout => 504,
        }
    }

    /// What the body says, and `$context.error.message`.
    pub fn message(&self) -> &'static str {
        match self {
            HttpError::NotFound => "Not Found",
            HttpError::Token(_) | HttpError::Issuer | HttpError::Unauthorized => "Unauthorized",
            HttpError::Scope(_) | HttpError::Forbidden => "Forbidden",
            HttpError::Authorizer | HttpError::Integration => "Internal Server Error",
            HttpError::TooManyRequests => "Too Many Requests",
            HttpError::BodyTooLarge => "Request Entity Too Large",
            HttpError::HeadersTooLarge => "Request Header Fields Too Large",
            HttpError::UriTooLong => "URI Too Long",
            HttpError::BadRequest => "Bad Request",
            HttpError::Unavailable => "Service Unavailable",
            HttpError::Timeout => "Endpoint request timed out",
        }
    }

    /// `$context.error.responseType`.
    pub fn response_type(&self) -> &'static str {
        match self {
            HttpError::NotFound => "NOT_FOUND",
            HttpError::Token(_) | HttpError::Issuer | HttpError::Unauthorized => "UNAUTHORIZED",
            HttpError::Scope(_) | HttpError::Forbidden => "ACCESS_DENIED",
            HttpError::Authorizer => "AUTHORIZER_FAILURE",
            HttpError::TooManyRequests => "THROTTLED",
            HttpError::BodyTooLarge | HttpError::HeadersTooLarge | HttpError::UriTooLong => {
                "REQUEST_TOO_LARGE"
            }
            HttpError::BadRequest => "DEFAULT_4XX",
            HttpError::Integration | HttpError::Unavailable => "INTEGRATION_FAILURE",
            HttpError::Timeout => "INTEGRATION_TIMEOUT",
        }
    }

    /// How to come with a better token (RFC 6750 §3).
    pub fn www_authenticate(&self) -> Option<String> {
        let about = |scope: &str, error: &str, words: &str| {
            Some(format!("Bearer scope=\"{scope}\" error=\"{error}\" error_description=\"{words}\""))
        };
        match self {
            HttpError::Token(None) => Some("Bearer".to_owned()),
            HttpError::Token(Some(rejection)) => about("", "invalid_token", &rejection.to_string()),
            HttpError::Issuer => about("", "invalid_token", "OIDC discovery endpoint communication error"),
            HttpError::Scope(scopes) => {
                about(scopes, "insufficient_scope", "the token does not have a required scope")
            }
            _ => None,
        }
    }

    pub fn body(&self) -> Bytes {
        Bytes::from(format!("{{\"message\":\"{}\"}}", self.message()))
    }
}
