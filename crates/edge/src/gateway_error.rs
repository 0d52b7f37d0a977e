use std::borrow::Cow;

use bytes::Bytes;

/// An answer that the gateway gives itself instead of the integration. Status, body and type: API Gateway's default
/// gateway responses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GatewayError {
    /// No such API or stage, or one that may not be reached under this host.
    Forbidden,
    /// No resource or method matches.
    MissingAuthenticationToken,
    /// A signature is wanted, and isn't there or isn't right.
    Signature(SignatureFault),
    /// An authorizer wants something to judge by that isn't there, or doesn't look like it.
    Unauthorized,
    /// A user pool's token was good once.
    TokenExpired,
    /// An authorizer's policy doesn't let the caller in, or denies it.
    Denied {
        is_explicit: bool,
    },
    /// Policies don't let this caller in: `User: … is not authorized to perform: …`.
    NotAuthorized(String),
    /// The authorizer failed, or said nothing that could be understood.
    AuthorizerConfiguration,
    /// No API key, one that isn't known or enabled, or one that no usage plan lets call this stage.
    InvalidApiKey,
    /// Too many requests a second.
    Throttled,
    /// The usage plan's quota is used up.
    QuotaExceeded,
    /// Parameters that have to be there aren't: their names, in the message's order.
    MissingParameters(Vec<String>),
    /// The body doesn't fit its model; what is wrong with it goes to `$context.error.validationErrorString`.
    InvalidBody(String),
    /// The body is larger than API Gateway or Lambda takes.
    RequestTooLarge,
    /// All headers together are larger than API Gateway takes.
    HeadersTooLarge,
    /// The request's body broke off or isn't HTTP.
    BadRequest,
    UnsupportedMediaType,
    /// A method without a usable integration, or an integration that may not invoke its function.
    ApiConfiguration,
    /// The function failed or answered something that is no answer.
    BadIntegrationAnswer,
    /// The integration took too long.
    IntegrationTimeout,
    /// The integration can't be reached.
    IntegrationFailure,
}

/// What is wrong with a request's signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureFault {
    Missing,
    /// Nobody knows the key.
    Unrecognized,
    /// The session is over.
    Expired,
    /// It isn't that of this request, or of another time, region or service: in AWS's words.
    Invalid(String),
    /// It can't be read: in AWS's words.
    Incomplete(String),
}

/// What is told of one kind of error: status, `x-amzn-ErrorType` and `$context.error.responseType`.
type Told = (u16, &'static str, &'static str);

impl GatewayError {
    fn told(&self) -> Told {
        const INTERNAL: &str = "InternalServerErrorException";
        const MISSING: Told = (403, "MissingAuthenticationTokenException", "MISSING_AUTHENTICATION_TOKEN");
        match self {
            GatewayError::Forbidden => (403, "ForbiddenException", "ACCESS_DENIED"),
            GatewayError::MissingAuthenticationToken => MISSING,
            GatewayError::Signature(fault) => match fault {
                SignatureFault::Missing => MISSING,
                SignatureFault::Unrecognized => (403, "UnrecognizedClientException", "INVALID_SIGNATURE"),
                SignatureFault::Expired => (403, "ExpiredTokenException", "EXPIRED_TOKEN"),
                SignatureFault::Invalid(_) => (403, "InvalidSignatureException", "INVALID_SIGNATURE"),
                SignatureFault::Incomplete(_) => (403, "IncompleteSignatureException", "INVALID_SIGNATURE"),
            },
            GatewayError::Unauthorized => (401, "UnauthorizedException", "UNAUTHORIZED"),
            // The response type is that of expired signatures; that the status is 401 all the same is inferred from reports.
            GatewayError::TokenExpired => (401, "UnauthorizedException", "EXPIRED_TOKEN"),
            GatewayError::Denied { .. } | GatewayError::NotAuthorized(_) => {
                (403, "AccessDeniedException", "ACCESS_DENIED")
            }
            GatewayError::AuthorizerConfiguration => {
                (500, "AuthorizerConfigurationException", "AUTHORIZER_CONFIGURATION_ERROR")
            }
            GatewayError::InvalidApiKey => (403, "ForbiddenException", "INVALID_API_KEY"),
            GatewayError::Throttled => (429, "TooManyRequestsException", "THROTTLED"),
            GatewayError::QuotaExceeded => (429, "LimitExceededException", "QUOTA_EXCEEDED"),
            GatewayError::MissingParameters(_) => (400, BAD_REQUEST, "BAD_REQUEST_PARAMETERS"),
            GatewayError::InvalidBody(_) => (400, BAD_REQUEST, "BAD_REQUEST_BODY"),
            GatewayError::RequestTooLarge => (413, "RequestTooLargeException", "REQUEST_TOO_LARGE"),
            GatewayError::HeadersTooLarge => (431, BAD_REQUEST, "REQUEST_TOO_LARGE"),
            GatewayError::BadRequest => (400, BAD_REQUEST, "DEFAULT_4XX"),
            GatewayError::UnsupportedMediaType => (415, BAD_REQUEST, "UNSUPPORTED_MEDIA_TYPE"),
            GatewayError::ApiConfiguration => (500, INTERNAL, "API_CONFIGURATION_ERROR"),
            GatewayError::BadIntegrationAnswer => (502, INTERNAL, "API_CONFIGURATION_ERROR"),
            GatewayError::IntegrationTimeout => (504, INTERNAL, "INTEGRATION_TIMEOUT"),
            GatewayError::IntegrationFailure => (504, INTERNAL, "INTEGRATION_FAILURE"),
        }
    }

    pub fn status(&self) -> u16 {
        self.told().0
    }

    /// The `x-amzn-ErrorType` header.
    pub fn error_type(&self) -> &'static str {
        self.told().1
    }

    /// `$context.error.responseType`.
    pub fn response_type(&self) -> &'static str {
        self.told().2
    }

    /// What `$context.error.message` says; `None` where API Gateway says nothing.
    pub fn message(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(match self {
            GatewayError::Forbidden | GatewayError::InvalidApiKey => "Forbidden",
            GatewayError::MissingAuthenticationToken | GatewayError::Signature(SignatureFault::Missing) => {
                "Missing Authentication Token"
            }
            GatewayError::Signature(SignatureFault::Unrecognized) => {
                "The security token included in the request is invalid."
            }
            GatewayError::Signature(SignatureFault::Expired) => {
                "The security token included in the request is expired"
            }
            GatewayError::Signature(SignatureFault::Invalid(words) | SignatureFault::Incomplete(words))
            | GatewayError::NotAuthorized(words) => words,
            GatewayError::Unauthorized => "Unauthorized",
            GatewayError::TokenExpired => "The incoming token has expired",
            GatewayError::Denied { is_explicit: true } => {
                "User is not authorized to access this resource with an explicit deny"
            }
            GatewayError::Denied { is_explicit: false } => "User is not authorized to access this resource",
            GatewayError::AuthorizerConfiguration => return None,
            GatewayError::Throttled => "Too Many Requests",
            GatewayError::QuotaExceeded => "Limit Exceeded",
            GatewayError::MissingParameters(names) => {
                let names = names.join(", ");
                return Some(Cow::Owned(format!("Missing required request parameters: [{names}]")));
            }
            GatewayError::InvalidBody(_) => "Invalid request body",
            GatewayError::RequestTooLarge => "Request Too Long",
            GatewayError::HeadersTooLarge => "Request Header Fields Too Large",
            GatewayError::BadRequest => "Bad Request",
            GatewayError::UnsupportedMediaType => "Unsupported Media Type",
            GatewayError::ApiConfiguration | GatewayError::BadIntegrationAnswer => "Internal server error",
            GatewayError::IntegrationTimeout => "Endpoint request timed out",
            GatewayError::IntegrationFailure => "Network error communicating with endpoint",
        }))
    }

    /// `$context.error.messageString`: the message as JSON.
    pub fn message_json(&self) -> String {
        self.message().map_or_else(|| "null".to_owned(), |message| json_string(&message))
    }

    /// `$context.error.validationErrorString`.
    pub fn validation(&self) -> Option<&str> {
        if let GatewayError::InvalidBody(faults) = self { Some(faults) } else { None }
    }

    pub fn body(&self) -> Bytes {
        // What policies say against a caller comes under a name of its own.
        let is_denial = matches!(self, GatewayError::Denied { .. } | GatewayError::NotAuthorized(_));
        let name = if is_denial { "Message" } else { "message" };
        Bytes::from(format!("{{\"{name}\":{}}}", self.message_json()))
    }
}

const BAD_REQUEST: &str = "BadRequestException";

fn json_string(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            control if control < ' ' => json.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => json.push(other),
        }
    }
    json.push('"');
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_the_services_status_body_and_type() {
        let names = || vec!["a".to_owned(), "b".to_owned()];
        for (error, status, body, error_type) in [
            (GatewayError::InvalidApiKey, 403, r#"{"message":"Forbidden"}"#, "ForbiddenException"),
            (GatewayError::Throttled, 429, r#"{"message":"Too Many Requests"}"#, "TooManyRequestsException"),
            (GatewayError::QuotaExceeded, 429, r#"{"message":"Limit Exceeded"}"#, "LimitExceededException"),
            (
                GatewayError::MissingParameters(names()),
                400,
                r#"{"message":"Missing required request parameters: [a, b]"}"#,
                "BadRequestException",
            ),
            (
                GatewayError::InvalidBody("x".into()),
                400,
                r#"{"message":"Invalid request body"}"#,
                "BadRequestException",
            ),
            (GatewayError::Unauthorized, 401, r#"{"message":"Unauthorized"}"#, "UnauthorizedException"),
            (
                GatewayError::TokenExpired,
                401,
                r#"{"message":"The incoming token has expired"}"#,
                "UnauthorizedException",
            ),
            (
                GatewayError::Denied { is_explicit: true },
                403,
                r#"{"Message":"User is not authorized to access this resource with an explicit deny"}"#,
                "AccessDeniedException",
            ),
            (
                GatewayError::Denied { is_explicit: false },
                403,
                r#"{"Message":"User is not authorized to access this resource"}"#,
                "AccessDeniedException",
            ),
            (
                GatewayError::AuthorizerConfiguration,
                500,
                r#"{"message":null}"#,
                "AuthorizerConfigurationException",
            ),
            (
                GatewayError::NotAuthorized("a \"b\"\n".into()),
                403,
                r#"{"Message":"a \"b\"\u000a"}"#,
                "AccessDeniedException",
            ),
        ] {
            assert_eq!((error.status(), error.error_type()), (status, error_type), "{error:?}");
            assert_eq!(error.body(), body, "{error:?}");
        }
    }
}
