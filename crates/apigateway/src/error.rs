use pitbird_service::Fault;
use thiserror::Error;

/// Why a call fails, in API Gateway's own words where they are known (recorded answers of the service).
#[derive(Debug, Error)]
pub enum Error {
    #[error("Invalid API identifier specified {account}:{id}")]
    UnknownApi { account: String, id: String },
    #[error("Invalid Resource identifier specified")]
    UnknownResource,
    #[error("Invalid Method identifier specified")]
    UnknownMethod,
    #[error("Invalid Integration identifier specified")]
    UnknownIntegration,
    #[error("Invalid Response status code specified")]
    UnknownResponse,
    #[error("Invalid Deployment identifier specified")]
    UnknownDeployment,
    #[error("Invalid stage identifier specified")]
    UnknownStage,
    #[error("Invalid parameter name specified")]
    UnknownParameter,
    #[error("Gateway response type not defined on api")]
    UnknownGatewayResponse,
    #[error("Invalid API Key identifier specified")]
    UnknownApiKey,
    #[error("Invalid Usage Plan ID specified")]
    UnknownUsagePlan,
    #[error("Invalid Usage Plan Key identifier specified")]
    UnknownUsagePlanKey,
    #[error("Invalid API Stage {{api: {api}, stage: {stage}}} specified for usageplan {plan}")]
    UsagePlanStage { api: String, stage: String, plan: String },
    #[error("Invalid domain name identifier specified")]
    UnknownDomainName,
    #[error("Invalid base path mapping identifier specified")]
    UnknownBasePath,
    #[error("Invalid Vpc Link identifier specified")]
    UnknownVpcLink,
    #[error("Invalid Documentation part identifier specified")]
    UnknownDocumentationPart,
    #[error("Invalid Documentation version specified")]
    UnknownDocumentationVersion,
    #[error("Invalid Client Certificate identifier specified")]
    UnknownClientCertificate,
    #[error("Invalid model name specified: {0}")]
    UnknownModel(String),
    #[error("Invalid Request Validator identifier specified")]
    UnknownRequestValidator,
    #[error("Invalid Authorizer identifier specified")]
    UnknownAuthorizer,
    #[error("Content-Type specified was not found")]
    UnknownContentType,
    #[error("Invalid resource identifier specified: {0}")]
    UnknownTagged(String),

    #[error("Another resource with the same parent already has this name: {0}")]
    SiblingExists(String),
    #[error("Method already exists for this resource")]
    MethodExists,
    #[error("Response already exists for this resource")]
    ResponseExists,
    #[error("Stage already exists")]
    StageExists,
    #[error("Model name already exists for this REST API")]
    ModelExists,
    #[error("Cannot delete model '{name}', is referenced in {by}: {at}")]
    ModelUsed { name: String, by: &'static str, at: String },
    #[error("Cannot delete request validator '{name}', is referenced in method: {at}")]
    RequestValidatorUsed { name: String, at: String },

    #[error("Maximum number of {what} has been reached ({limit}).")]
    TooMany { what: &'static str, limit: usize },

    #[error("Cannot delete authorizer '{name}', is referenced in method: {at}")]
    AuthorizerUsed { name: String, at: String },
    #[error("Unable to complete operation due to concurrent modification. Please try again later.")]
    ConcurrentModification,

    #[error("Authorizer name must be unique. Authorizer {0} already exists in this RestApi.")]
    AuthorizerExists(String),
    #[error("Authorizer name cannot be empty")]
    AuthorizerName,
    #[error("Invalid authorizer type specified. Valid options are TOKEN,REQUEST,COGNITO_USER_POOLS")]
    AuthorizerType,
    #[error(
        "Invalid Authorizer URI: {0}. Authorizer URI should be a valid API Gateway ARN that represents a Lambda \
         function invocation."
    )]
    AuthorizerUri(String),
    #[error("Authorizer result TTL must be between 0 and 3600 seconds")]
    AuthorizerTtl,
    #[error("Authorizer identity source cannot be empty when results are cached")]
    AuthorizerIdentity,
    #[error("Authorizers of type COGNITO_USER_POOLS need at least one provider ARN")]
    AuthorizerProviders,
    #[error("Invalid provider ARN specified: {0}")]
    AuthorizerProvider(String),
    #[error("Authorization scopes can only be set with the authorization type COGNITO_USER_POOLS")]
    Scopes,
    #[error("Cross-account pass role is not allowed.")]
    CrossAccountRole,
    #[error("Role ARN must be specified for AWS integrations")]
    NoRole,

    #[error("Invalid status code specified: {0}")]
    StatusCode(String),
    #[error("Invalid null or empty value in {0}")]
    NullValue(String),

    #[error("API Key already exists")]
    ApiKeyExists,
    #[error("API Key value should be at least 20 characters")]
    ApiKeyShort,
    #[error("API Key value should be at most 128 visible ASCII characters")]
    ApiKeyValue,
    #[error("Failed to import API keys: {0}")]
    Csv(String),

    #[error("Usage Plan name cannot be empty")]
    UsagePlanName,
    #[error("Invalid API Stage specified")]
    BadApiStage,
    #[error("API Stage {0} is listed more than once")]
    UsagePlanStageTwice(String),
    #[error(
        "Cannot delete Usage Plan {plan} because there are API Stages associated with it, including {stage}"
    )]
    UsagePlanUsed { plan: String, stage: String },
    #[error(
        "Usage Plan {plan} cannot be added because API Key {key} cannot reference multiple Usage Plans with the same \
         API Stage: {stage}"
    )]
    UsagePlanTwice { plan: String, key: String, stage: String },
    #[error("Usage Plan Key already exists")]
    UsagePlanKeyExists,
    #[error("Invalid key type specified: {0}. Valid options are API_KEY")]
    KeyType(String),
    #[error("Invalid quota period specified. Valid options are DAY,WEEK,MONTH")]
    QuotaPeriod,
    #[error("Usage Plan quota limit must be between 0 and 2147483647")]
    QuotaLimit,
    #[error("Usage Plan quota offset must be zero in the DAY period")]
    QuotaOffsetDay,
    #[error("Usage Plan quota offset must be between 0 and {max} inclusive in the {period} period")]
    QuotaOffset { max: i64, period: String },
    #[error("Usage Plan {0} has no quota")]
    NoQuota(String),
    #[error("Invalid date specified: {0}. Dates have the form yyyy-MM-dd")]
    UsageDate(String),
    #[error("Invalid range of dates specified")]
    UsageRange,

    #[error("Invalid domain name specified: {0}")]
    DomainName(String),
    #[error("The domain name you provided already exists.")]
    DomainNameExists,
    #[error("A certificate must be specified for the domain name")]
    NoCertificate,
    #[error("Invalid certificate ARN: {0}")]
    CertificateArn(String),
    #[error(
        "Invalid routing mode specified. Valid options are \
         BASE_PATH_MAPPING_ONLY,ROUTING_RULE_ONLY,ROUTING_RULE_THEN_BASE_PATH_MAPPING"
    )]
    RoutingMode,
    #[error(
        "API Gateway V1 doesn't support the slash character (/) in base path mappings. To create a multi-level base \
         path mapping, use API Gateway V2."
    )]
    BasePathSlash,
    #[error("Invalid base path specified. It may have letters, digits and $-_.+!*'()")]
    BasePath,
    #[error("Base path already exists for this domain name")]
    BasePathExists,
    #[error("Invalid stage identifier specified")]
    BadStage,
    #[error("Deleting API failed. Please remove all base path mappings related to the API in your domains.")]
    ApiMapped,
    #[error(
        "Deleting stage failed. Please remove or move all base path mappings related to the stage in your domains."
    )]
    StageMapped,
    #[error("Deleting {0} failed. Please remove all routing rules related to the {0} in your domains.")]
    Routed(&'static str),
    #[error("API mappings can't be created while the domain name's routing mode is ROUTING_RULE_ONLY")]
    MappingsUnused,
    #[error(
        "Routing rules aren't supported for a domain name that has API mappings to both REST and HTTP APIs"
    )]
    MixedWithRules,

    #[error("Invalid documentation location specified: {0}")]
    DocumentationLocation(String),
    #[error("Documentation part properties must be non-empty")]
    DocumentationEmpty,
    #[error("Documentation is longer than {0} bytes")]
    DocumentationTooLong(usize),
    #[error("Documentation part properties must be a JSON object")]
    DocumentationProperties,
    #[error("Documentation part already exists for the specified location: type '{0}'")]
    DocumentationExists(String),
    #[error("Documentation version only allows a-zA-Z0-9._- and has at most 64 letters")]
    DocumentationVersionName,
    #[error("Documentation version already exists")]
    DocumentationVersionExists,
    #[error("Stages that show this documentation version must be changed first")]
    DocumentationVersionUsed,
    #[error("Failed to import documentation parts: {0}")]
    DocumentationImport(String),

    #[error("Client certificate {0} is used by a stage")]
    ClientCertificateUsed(String),
    /// A certificate couldn't be made; nothing that a caller could mend.
    #[error("a certificate could not be made: {0}")]
    Certificate(String),

    #[error("Invalid OpenAPI input.")]
    OpenApi,
    #[error("Invalid OpenAPI input: {0}.")]
    OpenApiBounds(String),
    #[error("Errors found during import:\n\t{}", .0.join("\n\t"))]
    Import(Vec<String>),
    #[error("Warnings found during import:\n\t{}", .0.join("\n\t"))]
    ImportWarnings(Vec<String>),
    #[error("Invalid value '{value}' of parameter {name} specified. Valid options are {valid}")]
    ImportParameter { name: &'static str, value: String, valid: &'static str },
    #[error("Invalid export type specified: {0}. Valid options are swagger,oas30")]
    ExportType(String),
    #[error("Invalid gateway response type specified: {0}")]
    GatewayResponseType(String),

    #[error("Model name must be non-empty")]
    ModelNameEmpty,
    #[error("Model name must be alphanumeric: {0}")]
    ModelNameLetters(String),
    #[error("Model schema must have at least 1 property or array items defined")]
    ModelSchemaEmpty,
    #[error("Model schema is longer than {0} bytes")]
    ModelSchemaTooLong(usize),
    #[error(
        "Invalid model specified: Validation Result: warnings : [], errors : [Invalid model schema specified]"
    )]
    ModelSchema,
    #[error("Request Validator name cannot be blank")]
    RequestValidatorName,
    #[error("Invalid REST API identifier specified")]
    BadApi,

    #[error("Name cannot be empty")]
    EmptyName,
    #[error("Description cannot be an empty string")]
    EmptyDescription,
    #[error("Cannot create an api with multiple Endpoint Types.")]
    ManyEndpointTypes,
    #[error("REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.")]
    NoEndpointType,
    #[error("Only dualstack ipAddressType is supported for Private APIs.")]
    PrivateIpv4,
    #[error("Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE")]
    EndpointType,
    #[error("ipAddressType must be either ipv4 or dualstack.")]
    IpAddressType,
    #[error("Invalid ApiKeySourceType specified. Valid options are HEADER,AUTHORIZER")]
    ApiKeySource,
    #[error("Invalid policy document. Please check the policy syntax and ensure that Principals are valid.")]
    Policy,
    #[error("The resource policy is longer than {0} bytes")]
    PolicyTooLong(usize),
    #[error("Invalid minimum compression size, must be between 0 and 10485760")]
    CompressionSize,

    #[error(
        "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the \
         beginning and the end."
    )]
    PathPart,
    #[error("A sibling ({0}) of this resource already has a variable path part -- only one is allowed")]
    SiblingVariable(String),
    #[error("Cannot create a child of a resource with a greedy path variable: {0}")]
    GreedyParent(String),
    #[error("Resources cannot be cyclical.")]
    Cyclical,
    #[error("Root resource cannot update its pathPart.")]
    RootPathPart,
    #[error("Root resource cannot update its parentId.")]
    RootParent,
    #[error("Root resource cannot be deleted.")]
    RootDelete,
    #[error("Resource path is too long: {0}")]
    PathTooLong(String),

    #[error("Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY")]
    Verb,
    #[error(
        "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a \
         valid authorizer."
    )]
    Authorizer,
    #[error("Invalid authorization type specified. Valid options are NONE,AWS_IAM,CUSTOM,COGNITO_USER_POOLS")]
    AuthorizationType,
    #[error("Invalid Request Validator identifier specified")]
    RequestValidator,
    #[error("Invalid model identifier specified: {0}")]
    ModelName(String),
    #[error("Parameter names must be unique across querystring, header and path")]
    ParameterTwice,
    #[error(
        "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression \
         specified: {0}]"
    )]
    Mapping(String),
    #[error(
        "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression \
         parameter specified: {0}]"
    )]
    MappingParameter(String),
    #[error("Validation Result: warnings : [], errors : [Invalid content type specified: {0}]")]
    ContentType(String),
    #[error("Template is longer than {0} bytes")]
    TemplateTooLong(usize),

    #[error("Enumeration value for HttpMethod must be non-empty")]
    NoIntegrationVerb,
    #[error("Invalid HTTP endpoint specified for URI")]
    HttpEndpoint,
    #[error("Invalid ARN specified in the request")]
    Arn,
    #[error("AWS ARN for integration must contain path or action")]
    ArnWithoutPath,
    #[error(
        "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations."
    )]
    ProxyTarget,
    #[error("Invalid integration type specified. Valid options are HTTP,MOCK,AWS_PROXY,HTTP_PROXY,AWS")]
    IntegrationType,
    #[error("Invalid passthroughBehavior specified. Valid options are WHEN_NO_MATCH,WHEN_NO_TEMPLATES,NEVER")]
    Passthrough,
    #[error("Invalid contentHandling specified. Valid options are CONVERT_TO_BINARY,CONVERT_TO_TEXT")]
    ContentHandling,
    #[error("Timeout should be between 50 ms and {limit_ms} ms")]
    Timeout { limit_ms: u32 },
    #[error("Invalid ResponseTransferMode. Valid options are BUFFERED,STREAM")]
    TransferMode,
    #[error(
        "Invalid ResponseTransferMode. ResponseTransferMode STREAM is only supported for HTTP_PROXY and AWS_PROXY \
         integrations."
    )]
    StreamedKind,
    #[error(
        "Invalid ResponseTransferMode. ResponseTransferMode STREAM is only supported for Lambda functions invoked by \
         InvokeWithResponseStream for AWS_PROXY integrations."
    )]
    StreamedTarget,

    #[error("The REST API doesn't contain any methods")]
    NoMethods,
    #[error("No integration defined for method")]
    NoIntegration,
    #[error("Invalid header specified: {0}")]
    TrialHeader(String),
    #[error("Request Header Fields Too Large")]
    TrialHeaders,
    #[error("Invalid path specified")]
    TrialPath,
    #[error("Active stages pointing to this deployment must be moved or deleted")]
    DeploymentActive,
    #[error("Active stages with canary settings pointing to this deployment must be moved or deleted")]
    DeploymentActiveAsCanary,
    #[error("Deployment id does not exist")]
    NoSuchDeployment,
    #[error(
        "Invalid deployment content specified.Non null and non empty stageName must be provided for canary deployment. \
         Provided value is {0}"
    )]
    CanaryWithoutStage(String),
    #[error(
        "Invalid deployment content specified.Stage {0} must already be created before making a canary release \
         deployment"
    )]
    CanaryStageMissing(String),
    #[error(
        "Invalid deployment content specified.Non canary deployment not supported on stage {0} because Canary is \
         enabled. Provide CanarySettings in deploymentInput."
    )]
    CanaryEnabled(String),
    #[error("Promotion not available. Canary does not exist.")]
    NoCanary,
    #[error("Invalid canary percentTraffic specified: {0}. It must be between 0.0 and 100.0")]
    Percent(String),

    #[error("Invalid Documentation version specified")]
    BadDocumentationVersion,
    #[error("Invalid Client Certificate identifier specified")]
    BadClientCertificate,
    #[error(
        "Invalid cache cluster size specified: {0}. Valid options are 0.5,1.6,6.1,13.5,28.4,58.2,118,237"
    )]
    CacheClusterSize(String),
    #[error("Stage name only allows a-zA-Z0-9_-")]
    StageName,
    #[error("Invalid stage variable name: {0}. Please use alphanumeric characters and underscores")]
    VariableName(String),
    #[error(
        "Invalid stage variable value of key {0}.  Please use values with alphanumeric characters and the symbols ' ', \
         -', '.', '_', ':', '/', '?', '&', '=', and ','."
    )]
    VariableValue(String),
    #[error("Invalid stage variables: {0}")]
    VariablesText(String),
    #[error("Access Log value must not be empty")]
    AccessLogEmpty,
    #[error("Access Log format must contain $context.requestId or $context.extendedRequestId")]
    AccessLogFormat,
    #[error("Access Log format must be single line, new line character is allowed only at end of the format")]
    AccessLogLines,
    #[error(
        "Invalid accessLogSettings path. Must be one of : [/accessLogSettings/destinationArn, \
         /accessLogSettings/format]"
    )]
    AccessLogPath,
    #[error("CloudWatch Logs role ARN must be set in account settings to enable logging")]
    NoLoggingRole,
    #[error("The role ARN is not well formed")]
    RoleArn,
    #[error("Invalid value specified for {what}: {value}")]
    SettingValue { what: String, value: String },

    #[error("Invalid patch path {0}")]
    PatchPath(String),
    #[error("Invalid patch operation specified. Must be one of: [replace]")]
    PatchOnlyReplace,
    #[error("Invalid patch operation specified. Must be 'add'|'remove'|'replace'")]
    PatchOp,
    #[error("Invalid patch path  '{path}' specified for op '{op}'. Please choose supported operations")]
    PatchUnsupportedOp { path: String, op: &'static str },
    #[error("Invalid patch path  '{path}' specified for op '{op}'. Must be one of: [{valid}]")]
    PatchNotOneOf { path: String, op: &'static str, valid: &'static str },
    #[error("Invalid {op} operation with path: {path}")]
    StagePatchOp { path: String, op: &'static str },
    #[error("Invalid method setting path: {path}. Must be one of: [{valid}]")]
    StagePatchPath { path: String, valid: &'static str },
    #[error("Cannot remove method setting {0} because there is no method setting for this method ")]
    StagePatchRemove(String),
    #[error(
        "Invalid copy operation with path: {path} and from {from}. Valid copy:path are [{paths}] and valid copy:from are [{froms}]"
    )]
    StagePatchCopy { path: String, from: String, paths: &'static str, froms: &'static str },

    #[error("Invalid position token specified")]
    Position,
    #[error("Limit must be at least 1")]
    Limit,
    #[error("Invalid tag specified: {0}")]
    Tag(String),
    #[error(transparent)]
    StageTag(#[from] pitbird_snapshot::BadTag),

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

    /// The error shape that carries this fact.
    fn code(&self) -> &'static str {
        use Error::*;
        match self {
            UnknownApi { .. }
            | UnknownResource
            | UnknownMethod
            | UnknownIntegration
            | UnknownResponse
            | UnknownDeployment
            | UnknownStage
            | UnknownParameter
            | UnknownContentType
            | UnknownModel(_)
            | UnknownRequestValidator
            | UnknownAuthorizer
            | UnknownGatewayResponse
            | UnknownApiKey
            | UnknownUsagePlan
            | UnknownUsagePlanKey
            | UsagePlanStage { .. }
            | UnknownDomainName
            | UnknownBasePath
            | UnknownVpcLink
            | UnknownDocumentationPart
            | UnknownDocumentationVersion
            | UnknownClientCertificate
            | UnknownTagged(_) => "NotFoundException",
            SiblingExists(_)
            | MethodExists
            | ResponseExists
            | StageExists
            | ModelExists
            | ModelUsed { .. }
            | RequestValidatorUsed { .. }
            | AuthorizerUsed { .. }
            | ApiKeyExists
            | UsagePlanKeyExists
            | UsagePlanTwice { .. }
            | BasePathExists
            | DocumentationExists(_)
            | DocumentationVersionExists
            | ConcurrentModification => "ConflictException",
            TooMany { .. } => "LimitExceededException",
            _ => "BadRequestException",
        }
    }
}

/// What a limit tells clients to wait, seconds: the model has the header, and nobody knows when something is deleted.
const RETRY_AFTER_S: u32 = 1;

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        match error {
            Error::Unsupported(what) => Fault::unsupported(&what),
            Error::Store(pitbird_store::Error::TooLarge { table, .. }) => {
                Fault::new("LimitExceededException", format!("The {table} is too large to be stored."))
                    .retry_after(RETRY_AFTER_S)
            }
            error @ Error::TooMany { .. } => {
                Fault::new(error.code(), error.to_string()).retry_after(RETRY_AFTER_S)
            }
            Error::Store(error) => Fault::internal(error),
            error @ Error::Certificate(_) => Fault::internal(error),
            error @ Error::CrossAccountRole => {
                Fault::new("AccessDeniedException", error.to_string()).with_status(403)
            }
            error => Fault::new(error.code(), error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_says_when_to_come_back() {
        let fault = Fault::from(Error::TooMany { what: "stages for this API", limit: 10 });
        assert_eq!((&*fault.code, fault.retry_after_s), ("LimitExceededException", Some(1)));
        assert_eq!(Fault::from(Error::StageExists).retry_after_s, None);
    }
}
