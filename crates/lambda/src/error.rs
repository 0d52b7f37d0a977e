use pitbird_names::VersionId;
use pitbird_service::Fault;
use thiserror::Error;

/// Why a call fails, in Lambda's own words where they are known (recorded answers of the service).
#[derive(Debug, Error)]
pub enum Error {
    #[error("Function not found: {0}")]
    UnknownFunction(String),
    #[error("Cannot find alias arn: {0}")]
    UnknownAlias(String),
    #[error("Alias not found: {0}")]
    UnknownAliasToUpdate(String),
    #[error("Functions from '{asked}' are not reachable in this region ('{here}')")]
    OtherRegion { asked: String, here: String },
    #[error(
        "User: {principal} is not authorized to perform: lambda:{operation} on resource: {resource} because no \
         resource-based policy allows the lambda:{operation} action"
    )]
    OtherAccount { principal: String, operation: &'static str, resource: String },
    #[error("The resource you requested does not exist.")]
    UnknownResource,
    #[error("The Lambda code signing configuration {0} can not be found.")]
    UnknownCodeSigningConfig(String),
    #[error("The function {0} doesn't have an EventInvokeConfig")]
    NoEventInvokeConfig(String),
    #[error("You must specify at least one of error handling or destination setting.")]
    NoEventRules,
    /// The words are ours.
    #[error(
        "The destination {0} is invalid. It must be another function of this account and region, or a version or alias of one."
    )]
    Destination(String),
    #[error("Function does not exist")]
    NoFunction,
    /// The same words of another code, where an event source is to feed it.
    #[error("Function does not exist")]
    NoFunctionToFeed,
    #[error("Unrecognized event source.")]
    UnknownSource,
    #[error(
        "Failed to create function url config for [functionArn = {0}]. Error message:  FunctionUrlConfig exists for this \
         Lambda function"
    )]
    UrlExists(String),
    #[error("No Provisioned Concurrency Config found for this function")]
    NoProvisionedConcurrency,
    #[error("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")]
    ProvisionedLatest,
    #[error("The function resource provided must be an alias or a published version.")]
    NotPublished,
    #[error(
        "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
    )]
    ProvisionedVersion,
    #[error("Version is pointed by a Provisioned Concurrency alias")]
    ProvisionedAlias,
    #[error(
        "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function"
    )]
    ProvisionedAboveReserved,
    /// The spaces are Lambda's.
    #[error(
        " ReservedConcurrentExecutions  {wanted} should not be lower than function's total provisioned concurrency \
         [{provisioned}]."
    )]
    ReservedBelowProvisioned { wanted: u32, provisioned: u32 },

    #[error(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"
    )]
    Constraint { member: &'static str, value: String, constraint: String },
    #[error(
        "1 validation error detected: Value '{0}' at 'functionName' failed to satisfy constraint: Member must have \
         length less than or equal to 64"
    )]
    NameTooLong(String),
    #[error("The derived qualifier from the function name does not match the specified qualifier.")]
    QualifierMismatch,
    #[error(
        "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. \
         Please specify either a function name or an unqualified function ARN."
    )]
    WholeFunctionOnly,
    #[error("Invalid Marker: it is none that this service has given")]
    Marker,

    #[error("Function already exist: {0}")]
    FunctionExists(String),
    #[error("Alias already exists: {0}")]
    AliasExists(String),
    #[error("The operation cannot be performed at this time. An update is in progress for resource: {0}")]
    InProgress(String),
    #[error("Currently unable to delete {arn} because it is used by alias {aliases}")]
    VersionInUse { arn: String, aliases: String },
    #[error(
        "The Revision Id provided does not match the latest Revision Id. Call the {0} API to retrieve the latest \
         Revision Id"
    )]
    Revision(&'static str),

    #[error("Runtime and Handler are mandatory parameters for functions created with deployment packages.")]
    NoRuntimeOrHandler,
    #[error(
        "The runtime parameter of {0} is no longer supported for creating or updating AWS Lambda functions. We \
         recommend you use a supported runtime while creating or updating functions."
    )]
    RetiredRuntime(String),
    #[error(
        "Value {0} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [{1}] or be a valid \
         ARN"
    )]
    UnknownRuntime(String, String),
    #[error(
        "'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to {0}"
    )]
    MemorySize(u32),
    #[error("The role defined for the function cannot be assumed by Lambda.")]
    Role,
    #[error("Cross-account pass role is not allowed.")]
    CrossAccountRole,
    #[error(
        "Lambda was unable to configure your environment variables because the environment variables you have provided \
         exceeded the 4KB limit. String measured: {0}"
    )]
    EnvironmentTooLarge(String),
    #[error(
        "Lambda was unable to configure your environment variables because the environment variables you have provided \
         contains reserved keys that are currently not supported for modification. Reserved keys used in this request: \
         {0}"
    )]
    ReservedKeys(String),
    #[error(
        "LogLevel is not supported when LogFormat is set to \"Text\". Remove LogLevel from your request or change the \
         LogFormat to \"JSON\" and try again."
    )]
    LevelsOfText,
    #[error(
        "1 validation error detected: Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy \
         constraint: [Member must satisfy regular expression pattern: {0}, Member must not be null]"
    )]
    VariableName(&'static str),
    #[error("Cannot reference more than {0} layers.")]
    TooManyLayers(usize),
    #[error("Layer version {0} does not exist.")]
    UnknownLayerVersion(String),
    #[error("Layers are not in the same region as the function. Layers are expected to be in region {0}.")]
    LayerRegion(String),
    #[error(
        "Two different versions of the same layer are not allowed to be referenced in the same function. {first} and \
         {second} are versions of the same layer."
    )]
    TwoLayerVersions { first: String, second: String },
    #[error("Layers consume more than the available size of {} bytes", pitbird_names::limits::UNZIPPED_BYTES)]
    LayersSize,
    #[error(
        "Function code combined with layers exceeds the maximum allowed size of {limit} bytes. The actual size is \
         {actual} bytes.",
        limit = pitbird_names::limits::UNZIPPED_BYTES
    )]
    CombinedSize { actual: u64 },
    #[error("Layer Version Cannot be less than 1.")]
    LayerNumber,
    #[error("Number of tags exceeds resource tag limit.")]
    TooManyTags,
    #[error("Invalid tag: {0}")]
    Tag(String),
    #[error("Tags on function aliases and versions are not supported. Please specify a function ARN.")]
    TagsOnQualified,

    #[error("Please provide a source for function code.")]
    NoCode,
    #[error("Please do not provide other FunctionCode parameters when providing a ZipFile.")]
    TwoSources,
    #[error("Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: {message}")]
    Source { code: &'static str, message: String },
    #[error(
        "Your access has been denied by S3, please make sure your request credentials have permission to GetObject for {0}. \
         S3 Error Code: AccessDenied. S3 Error Message: Access Denied"
    )]
    SourceDenied(String),
    #[error("Uploaded file must be a non-empty zip")]
    EmptyZip,
    #[error("Could not unzip uploaded file. Please check your file, then try to upload again.")]
    BadZip,
    #[error("Zipped size must be smaller than {} bytes", pitbird_names::limits::ZIP_BYTES)]
    ZippedSize,
    #[error("Unzipped size must be smaller than {} bytes", pitbird_names::limits::UNZIPPED_BYTES)]
    UnzippedSize,
    #[error("Code storage limit exceeded.")]
    CodeStorage,
    #[error(
        "CodeSHA256 ({asked}) is different from current CodeSHA256 in $LATEST ({found}). Please try again with the \
         CodeSHA256 in $LATEST."
    )]
    CodeSha256 { asked: String, found: String },

    #[error("$LATEST version cannot be deleted without deleting the function.")]
    LatestNotDeletable,
    #[error("Deletion of aliases is not currently supported.")]
    AliasNotDeletable,

    #[error("Number of items in AdditionalVersionWeights cannot be greater than 1")]
    TooManyWeights,
    #[error(
        "Invalid function version {0}. Function version {0} is already included in routing configuration."
    )]
    VersionTwice(VersionId),
    #[error("$LATEST is not supported for an alias pointing to more than 1 version")]
    LatestWithWeights,
    #[error("Alias can't point to versions with different execution roles: {0} and {1}")]
    DifferentRoles(VersionId, VersionId),

    #[error("We currently do not support adding policies for $LATEST.")]
    PolicyOnLatest,
    #[error(
        "The statement id ({0}) provided already exists. Please provide a new statement id, or remove the existing \
         statement."
    )]
    StatementExists(String),
    #[error("Statement {0} is not found in resource policy.")]
    UnknownStatement(String),
    #[error("No policy is associated with the given resource.")]
    NoPolicy,
    #[error("The provided principal was invalid. Please check the principal and try again.")]
    Principal,
    #[error("FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action")]
    UrlAuthTypeAction,
    #[error("The final policy size ({size}) is bigger than the limit ({limit}).")]
    PolicyLength { size: usize, limit: usize },

    #[error(
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below \
         its minimum value of [{0}]."
    )]
    UnreservedConcurrency(u32),

    #[error(
        "The operation cannot be performed at this time. The function is currently in the following state: {0}"
    )]
    NotReady(String),
    #[error("{0}")]
    Runtime(String),
    #[error("Could not parse request body into json: Could not parse payload into json: {0}")]
    Payload(String),
    #[error("Request must be smaller than {0} bytes for the InvokeFunction operation")]
    PayloadTooLarge(usize),
    #[error("Client context must be a valid Base64-encoded JSON object.")]
    ClientContext,
    #[error("Client context must be no more than {0} bytes when base64-encoded.")]
    ClientContextTooLarge(usize),

    /// A value that pitbird would have to ignore.
    #[error("{0} is not supported")]
    Unsupported(String),
    /// What has another shape: a throttle with its reason, or a cause for the log.
    #[error("{}", .0.message)]
    Told(Box<Fault>),
    #[error(transparent)]
    Store(#[from] pitbird_store::Error),
}

impl Error {
    pub(crate) fn unsupported(what: impl Into<String>) -> Error {
        Error::Unsupported(what.into())
    }

    pub(crate) fn told(fault: Fault) -> Error {
        Error::Told(Box::new(fault))
    }

    /// The error shape that carries this fact.
    fn code(&self) -> &'static str {
        use Error::*;
        match self {
            UnknownFunction(_)
            | UnknownAlias(_)
            | UnknownAliasToUpdate(_)
            | OtherRegion { .. }
            | UnknownResource
            | UnknownCodeSigningConfig(_)
            | NoFunction
            | NoEventInvokeConfig(_)
            | UnknownStatement(_)
            | NoPolicy => "ResourceNotFoundException",
            NoProvisionedConcurrency => "ProvisionedConcurrencyConfigNotFoundException",
            OtherAccount { .. } | CrossAccountRole | SourceDenied(_) => "AccessDeniedException",
            Constraint { .. } | VariableName(_) => "ValidationException",
            NotReady(_)
            | FunctionExists(_)
            | AliasExists(_)
            | InProgress(_)
            | VersionInUse { .. }
            | ProvisionedVersion
            | UrlExists(_)
            | ProvisionedAlias
            | StatementExists(_) => "ResourceConflictException",
            Runtime(_) => "InvalidRuntimeException",
            Revision(_) => "PreconditionFailedException",
            ZippedSize => "RequestEntityTooLargeException",
            CodeStorage => "CodeStorageExceededException",
            PolicyLength { .. } => "PolicyLengthExceededException",
            Payload(_) | ClientContext | ClientContextTooLarge(_) => "InvalidRequestContentException",
            PayloadTooLarge(_) => "RequestTooLargeException",
            _ => "InvalidParameterValueException",
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        match error {
            Error::Unsupported(what) => Fault::unsupported(&what),
            Error::Told(fault) => *fault,
            Error::Store(error) => Fault::internal(error),
            error => Fault::new(error.code(), error.to_string()),
        }
    }
}
