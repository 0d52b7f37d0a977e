use bytes::Bytes;

/// An answer that the gateway gives itself instead of the integration. Status, body and type: API Gateway's default
/// gateway responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GatewayError {
    /// No such API or stage, or one that may not be reached under this host.
    Forbidden,
    /// No resource or method matches.
    MissingAuthenticationToken,
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

impl GatewayError {
    pub fn status(self) -> u16 {
        match self {
            GatewayError::Forbidden | GatewayError::MissingAuthenticationToken => 403,
            GatewayError::RequestTooLarge => 413,
            GatewayError::HeadersTooLarge => 431,
            GatewayError::BadRequest => 400,
            GatewayError::UnsupportedMediaType => 415,
            GatewayError::ApiConfiguration => 500,
            GatewayError::BadIntegrationAnswer => 502,
            GatewayError::IntegrationTimeout | GatewayError::IntegrationFailure => 504,
        }
    }

    /// What `$context.error.message` says.
    pub fn message(self) -> &'static str {
        match self {
            GatewayError::Forbidden => "Forbidden",
            GatewayError::MissingAuthenticationToken => "Missing Authentication Token",
            GatewayError::RequestTooLarge => "Request Too Long",
            GatewayError::HeadersTooLarge => "Request Header Fields Too Large",
            GatewayError::BadRequest => "Bad Request",
            GatewayError::UnsupportedMediaType => "Unsupported Media Type",
            GatewayError::ApiConfiguration | GatewayError::BadIntegrationAnswer => "Internal server error",
            GatewayError::IntegrationTimeout => "Endpoint request timed out",
            GatewayError::IntegrationFailure => "Network error communicating with endpoint",
        }
    }

    /// The `x-amzn-ErrorType` header.
    pub fn error_type(self) -> &'static str {
        match self {
            GatewayError::Forbidden => "ForbiddenException",
            GatewayError::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            GatewayError::RequestTooLarge => "RequestTooLargeException",
            GatewayError::HeadersTooLarge | GatewayError::BadRequest | GatewayError::UnsupportedMediaType => {
                "BadRequestException"
            }
            GatewayError::ApiConfiguration
            | GatewayError::BadIntegrationAnswer
            | GatewayError::IntegrationTimeout
            | GatewayError::IntegrationFailure => "InternalServerErrorException",
        }
    }

    /// `$context.error.responseType`.
    pub fn response_type(self) -> &'static str {
        match self {
            GatewayError::Forbidden => "ACCESS_DENIED",
            GatewayError::MissingAuthenticationToken => "MISSING_AUTHENTICATION_TOKEN",
            GatewayError::RequestTooLarge | GatewayError::HeadersTooLarge => "REQUEST_TOO_LARGE",
            GatewayError::BadRequest => "DEFAULT_4XX",
            GatewayError::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
            GatewayError::ApiConfiguration | GatewayError::BadIntegrationAnswer => "API_CONFIGURATION_ERROR",
            GatewayError::IntegrationTimeout => "INTEGRATION_TIMEOUT",
            GatewayError::IntegrationFailure => "INTEGRATION_FAILURE",
        }
    }

    pub fn body(self) -> Bytes {
        Bytes::from(format!("{{\"message\":\"{}\"}}", self.message()))
    }
}
