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
    #[error("Invalid domain name identifier specified")]
    UnknownDomainName,
    #[error("Invalid API mapping identifier specified")]
    UnknownApiMapping,
    #[error("Invalid routing rule identifier specified")]
    UnknownRoutingRule,
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

    #[error("ApiMapping key already exists for this domain name")]
    MappingExists,
    #[error("A routing rule with priority {0} already exists for this domain name")]
    PriorityTaken(i64),

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
        "Invalid authorizer ID specified. Setting the authorization type to {0} requires a valid{1} authorizer."
    )]
    RouteAuthorizer(String, &'static str),
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
    /// The service says so of HTTP APIs too.
    #[error("Authorizer name must be unique. Authorizer {0} already exists in this RestApi.")]
    AuthorizerExists(String),
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
    #[error("Access Log format must be single line, new line character is allowed only at end of the format")]
    AccessLogLines,
    #[error("Invalid ARN specified in the request")]
    Arn,

    #[error("Invalid domain name specified: {0}")]
    DomainName(String),
    #[error("The domain name you provided already exists.")]
    DomainNameExists,
    #[error("Invalid input. Expected one domain name configuration")]
    Configurations,
    #[error("A certificate must be specified for the domain name")]
    NoCertificate,
    #[error("Invalid certificate ARN: {0}")]
    CertificateArn(String),
    #[error("TLS_1_0 is not supported for APIGatewayV2 domainName.")]
    OldTls,
    #[error(
        "Only REGIONAL domain names with a security policy of TLS 1.2 can be managed through the API Gateway V2 API. For \
         TLS 1.0 domain names, please use the API Gateway V1 API to upgrade your security policy to TLS 1.2. Currently, \
         only REST APIs can be attached to a domain name with a security policy of TLS 1.0."
    )]
    NotManaged,
    #[error("An ApiMapping key may contain only letters, numbers and one of $-_.+!*'()/")]
    MappingKey,
    #[error("ApiMapping key should not start or end with a '/' or have consecutive '/'s.")]
    MappingKeySlash,
    #[error("Invalid API identifier specified")]
    MappedApi,
    #[error("Invalid stage identifier specified")]
    MappedStage,
    #[error(
        "Deleting API {0} failed. Please remove all API mappings for the API from your custom domain names."
    )]
    ApiMapped(String),
    #[error(
        "Deleting stage {0} failed. Please remove all API mappings for the stage from your custom domain names."
    )]
    StageMapped(String),
    #[error("API mappings can't be created while the domain name's routing mode is ROUTING_RULE_ONLY")]
    MappingsUnused,
    #[error("Routing rules can't be created while the domain name's routing mode is API_MAPPING_ONLY")]
    RulesUnused,
    #[error(
        "Routing rules aren't supported for a domain name that has API mappings to both REST and HTTP APIs"
    )]
    MixedWithRules,
    #[error("A routing rule must have exactly one action")]
    RuleActions,
    #[error("A routing rule may have up to two header conditions and one base path condition")]
    RuleConditions,
    #[error("A condition must have matchHeaders or matchBasePaths")]
    EmptyCondition,
    #[error("Each anyOf of a condition must contain exactly one value")]
    AnyOf,
    #[error("stripBasePath can only be set for a routing rule with a base path condition")]
    StripsNothing,
    #[error("The target API of a routing rule must be a REST API of this account")]
    RuleApi,
    #[error("Header {0} is not supported as a condition")]
    RuleHeaderReserved(String),
    #[error(
        "Invalid header name specified: {0}. It must have fewer than 40 of a-z, A-Z, 0-9 and ?-!#$%&'.^_`|~"
    )]
    RuleHeader(String),
    #[error(
        "Invalid header glob specified: {0}. It must have fewer than 128 of a-z, A-Z, 0-9 and *?-!#$%&'.^_`|~, and a \
         wildcard must be *prefix-match, suffix-match* or *contains*"
    )]
    RuleGlob(String),
    #[error(
        "Invalid base path specified: {0}. It must have fewer than 128 letters, numbers and $-_.+!*'()/, and can't start \
         or end with a slash"
    )]
    RuleBasePath(String),

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
            Error::UnknownDomainName => Some("DomainName"),
            Error::UnknownApiMapping => Some("ApiMapping"),
            Error::UnknownRoutingRule => Some("RoutingRule"),
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
            | Error::AuthorizerInUse(_)
            | Error::MappingExists
            | Error::PriorityTaken(_) => Fault::new("ConflictException", words),
            Error::TooMany { what, .. } => {
                Fault::new("TooManyRequestsException", words).with("LimitType", what)
            }
            _ => Fault::new("BadRequestException", words),
        }
    }
}
