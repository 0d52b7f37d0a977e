use pitbird_service::Fault;
use thiserror::Error;

/// Why a call fails, in API Gateway's own words where they are known.
#[derive(Debug, Error)]
pub enum Error {
    #[error("Invalid API identifier specified {account}:{id}")]
    UnknownApi { account: String, id: String },
    #[error("Invalid Route identifier specified {0}")]
    UnknownRoute(String),
    #[error("Invalid Integration identifier specified {0}")]
    UnknownIntegration(String),
    #[error("Invalid Authorizer identifier specified {0}")]
    UnknownAuthorizer(String),
    #[error("Invalid Deployment identifier specified {0}")]
    UnknownDeployment(String),
    #[error("Invalid stage identifier specified")]
    UnknownStage,
    #[error("Unable to find Route by key {0} within the provided RouteSettings")]
    UnknownRouteKey(String),
    #[error("Invalid resource identifier specified: {0}")]
    UnknownTagged(String),

    #[error("Route with key {0} already exists for this API")]
    RouteExists(String),
    #[error("Stage already exists")]
    StageExists,
    #[error("Cannot delete Integration because it is referenced by the following Routes with Ids: [{0}]")]
    IntegrationInUse(String),
    #[error("Cannot delete Authorizer because it is referenced by the following Routes with Ids: [{0}]")]
    AuthorizerInUse(String),

    #[error("Maximum number of {what} has been reached ({limit}).")]
    TooMany { what: &'static str, limit: usize },

    #[error("{0} is a required parameter")]
    Missing(&'static str),
    #[error("{what} must have {min} to {max} characters")]
    Length { what: &'static str, min: usize, max: usize },
    #[error("Route selection expression for HTTP APIs must be $request.method $request.path")]
    RouteSelection,
    #[error(
        "Invalid format for origin {0}. Origins are '*', 'http://*', 'https://*' or a scheme, '://' and a host"
    )]
    Origin(String),
    #[error("Invalid method {0} in allowMethods")]
    CorsMethod(String),
    #[error("Invalid header name {0} in CORS configuration")]
    CorsHeader(String),
    #[error("allowCredentials is not supported when allowOrigins contains '*'")]
    CorsCredentials,
    #[error("Target is required when routeKey or credentialsArn is given")]
    QuickWithoutTarget,
    #[error("This API was not made by quick create: its {0} can't be updated by UpdateApi")]
    NotQuick(&'static str),

    #[error("The provided route key is not formatted properly for HTTP protocol. {0}")]
    RouteKey(String),
    #[error("The route key of a route that is managed by API Gateway can't be changed")]
    ManagedRoute,
    #[error(
        "Invalid target specified: {0}. It must be integrations/{{integrationId}} of an integration of this API"
    )]
    Target(String),
    #[error(
        "Invalid authorizer specified. Setting the authorization type to {0} requires an authorizer of that kind"
    )]
    RouteAuthorizer(String),
    #[error("Authorization scopes are supported only for JWT authorization")]
    Scopes,

    #[error("An integration that is managed by API Gateway can't be deleted")]
    ManagedIntegration,
    #[error("{0} integrations are supported only for WebSocket APIs")]
    IntegrationType(String),
    #[error("Invalid integration URI specified")]
    IntegrationUri,
    #[error("Invalid payload format version specified: {0}")]
    PayloadFormat(String),
    #[error("PayloadFormatVersion is a required parameter for integration")]
    NoPayloadFormat,
    #[error("HttpMethod must be one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS and ANY")]
    IntegrationMethod,
    #[error("Invalid mapping expression specified: {0}")]
    Mapping(String),

    #[error("Invalid identity source expression specified: {0}")]
    IdentitySource(String),
    #[error("A JWT authorizer has one identity source, a header or a parameter of the query string")]
    JwtIdentitySource,
    #[error("Issuer in jwtConfiguration must be an http or https URL")]
    Issuer,
    #[error("Identity sources are required when results are cached")]
    TtlWithoutSources,
    #[error("Simple responses are supported only with payload format version 2.0")]
    SimpleResponses,
    #[error("The type of an authorizer can't be changed")]
    AuthorizerType,
    #[error("{0} doesn't belong to an authorizer of this type")]
    NotOfAuthorizer(&'static str),

    #[error("Unable to deploy API because no routes exist in this API")]
    NoRoutes,
    #[error("Active stages with following deployments must be moved or deleted: {0}")]
    DeploymentActive(String),
    #[error("Deployment ID cannot be set manually on a Stage with AutoDeploy enabled")]
    DeploymentOfAutoStage,

    #[error("Stage name only allows a-zA-Z0-9_- and $default")]
    StageName,
    #[error("Invalid stage variable name: {0}. Please use alphanumeric characters and underscores")]
    VariableName(String),
    #[error(
        "Invalid stage variable value of key {0}.  Please use values with alphanumeric characters and the symbols ' ', \
         -', '.', '_', ':', '/', '?', '&', '=', and ','."
    )]
    VariableValue(String),
    #[error("Execution logs are not supported on protocolType HTTP")]
    ExecutionLog,
    #[error("Invalid value specified for {0}")]
    SettingValue(&'static str),
    #[error("Access Log value must not be empty")]
    AccessLogEmpty,
    #[error("Access Log format must contain $context.requestId or $context.extendedRequestId")]
    AccessLogFormat,
    #[error("Invalid ARN specified in the request")]
    Arn,

    #[error("Invalid OpenAPI input.")]
    OpenApi,
    #[error("Invalid OpenAPI input: {0}.")]
    OpenApiBounds(String),
    #[error("HTTP APIs are imported from OpenAPI 3.0 only")]
    OpenApiVersion,
    #[error("Errors found during import:\n\t{}", .0.join("\n\t"))]
    Import(Vec<String>),
    #[error("Warnings found during import:\n\t{}", .0.join("\n\t"))]
    ImportWarnings(Vec<String>),
    #[error("Invalid value '{0}' of parameter basepath specified. Valid options are ignore,prepend,split")]
    BasePath(String),

    #[error("Invalid nextToken specified")]
    NextToken,
    #[error("Invalid maxResults specified")]
    MaxResults,
    #[error("Invalid tag specified: {0}")]
    Tag(String),

    /// A value that pitbird would have to ignore.
    #[error("{0} is not supported")]
    Unsupported(String),
    #[error(transparent)]
    Store(#[from] pitbird_store::Error),
}

impl Error {
    pub(crate) fn unsupported(what: impl Into<String>) -> Error {
        Error::Unsupported(what.into())
    }

    /// The kind of thing that isn't there.
    fn missing_kind(&self) -> Option<&'static str> {
        match self {
            Error::UnknownApi { .. } => Some("Api"),
            Error::UnknownRoute(_) | Error::UnknownRouteKey(_) => Some("Route"),
            Error::UnknownIntegration(_) => Some("Integration"),
            Error::UnknownAuthorizer(_) => Some("Authorizer"),
            Error::UnknownDeployment(_) => Some("Deployment"),
            Error::UnknownStage => Some("Stage"),
            Error::UnknownTagged(_) => Some("Resource"),
            _ => None,
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        if let Some(kind) = error.missing_kind() {
            return Fault::new("NotFoundException", error.to_string()).with("ResourceType", kind);
        }
        let words = error.to_string();
        match error {
            Error::Unsupported(what) => Fault::unsupported(&what),
            Error::Store(pitbird_store::Error::TooLarge { table, .. }) => {
                Fault::new("TooManyRequestsException", format!("The {table} is too large to be stored."))
            }
            Error::Store(error) => Fault::internal(error),
            Error::RouteExists(_)
            | Error::StageExists
            | Error::IntegrationInUse(_)
            | Error::AuthorizerInUse(_) => Fault::new("ConflictException", words),
            Error::TooMany { what, .. } => {
                Fault::new("TooManyRequestsException", words).with("LimitType", what)
            }
            _ => Fault::new("BadRequestException", words),
        }
    }
}
