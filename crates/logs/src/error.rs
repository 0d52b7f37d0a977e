use std::ops::Range;

use pitbird_service::Fault;
use pitbird_telemetry::logs::PatternError;
use pitbird_wire::Value;
use thiserror::Error;

/// Why a call fails, in CloudWatch Logs' own words where they are known (recorded answers of the service).
#[derive(Debug, Error)]
pub enum Error {
    #[error("The specified log group already exists")]
    GroupExists,
    #[error("The specified log stream already exists")]
    StreamExists,
    #[error("The specified log group does not exist.")]
    NoGroup,
    #[error("The specified log stream does not exist.")]
    NoStream,

    #[error("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")]
    PrefixAndPattern,
    #[error("logGroupIdentifiers can't be combined with {0}.")]
    IdentifiersAnd(&'static str),
    #[error("Exactly one of logGroupName and logGroupIdentifier must be specified.")]
    NameOrIdentifier,
    #[error("{0} is neither the name nor the ARN of a log group.")]
    Identifier(String),
    #[error("logStreamNamePrefix and logStreamNames are mutually exclusive parameters.")]
    PrefixAndNames,
    #[error("Cannot order by LastEventTime with a logStreamNamePrefix.")]
    OrderWithPrefix,
    #[error("The specified nextToken is invalid.")]
    Token,
    #[error(transparent)]
    Pattern(#[from] PatternError),
    #[error(
        "Invalid retentionInDays {0}. Valid values are [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, \
         1096, 1827, 2192, 2557, 2922, 3288, 3653]"
    )]
    Retention(i64),

    #[error("The specified metric filter does not exist.")]
    NoMetricFilter,
    #[error("The specified subscription filter does not exist.")]
    NoSubscriptionFilter,
    #[error("Resource limit exceeded.")]
    Limit,
    #[error("Invalid metric transformation: {0}")]
    Transformation(String),
    #[error("The specified filter pattern does not support dimensions")]
    NoDimensions,
    #[error("metricName and metricNamespace must be specified together.")]
    NameAndNamespace,
    #[error("destinationArn {0} is not valid.")]
    Destination(String),
    #[error("destinationArn for vendor {0} cannot be used without roleArn")]
    NoRole(String),
    #[error("destinationArn for vendor lambda cannot be used with roleArn")]
    LambdaWithRole,
    #[error(
        "Cross-account lambda invocation passing is not allowed. You must use DestinationPolicies to create cross account \
         lambda triggers."
    )]
    CrossAccount,
    #[error(
        "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your function."
    )]
    NoPermission,
    #[error("the function's queue didn't take the event: {0}")]
    Undelivered(String),
    #[error("At most {limit} Live Tail sessions may be open at once.")]
    TooManySessions { limit: usize },
    #[error("logStreamNames and logStreamNamePrefixes take exactly one log group.")]
    StreamsOfOneGroup,
    #[error("logStreamNames and logStreamNamePrefixes are mutually exclusive parameters.")]
    NamesAndPrefixes,

    #[error("policyName must be specified.")]
    PolicyName,
    #[error("Policy with name [{0}] does not exist.")]
    NoPolicy(String),
    #[error("Policy document is not valid: {0}")]
    PolicyDocument(String),

    #[error("The given bucket does not exist. Please make sure the bucket is valid.")]
    NoBucket,
    #[error("The from time must be before the to time.")]
    ExportTimes,
    #[error("The specified export task does not exist.")]
    NoExportTask,
    #[error("The specified export task has already finished.")]
    ExportOver,
    /// Why an export task failed.
    #[error("the export failed: {0}")]
    Export(String),

    #[error("Log events in a single PutLogEvents request must be in chronological order.")]
    Order,
    #[error("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")]
    Span,
    #[error("Log event too large: {bytes} bytes exceeds limit of {limit}")]
    EventTooLarge { bytes: usize, limit: usize },
    #[error("Upload too large: {bytes} bytes exceeds limit of {limit}")]
    BatchTooLarge { bytes: usize, limit: usize },

    #[error("The log group {0} is protected against deletion.")]
    Protected(String),
    #[error("Invalid tag specified: {0}")]
    Tag(String),
    #[error("A resource may have at most {limit} tags.")]
    TooManyTags { arn: String, limit: usize },

    #[error(
        "Log group '{group}' does not exist for account ID '{account}' (Service: AWSLogs; Status Code: 400; Error Code: \
         ResourceNotFoundException; Request ID: {request_id}; Proxy: null)"
    )]
    NoGroupToQuery { group: String, account: String, request_id: String },
    #[error(
        "{message} (Service: AWSLogs; Status Code: 400; Error Code: MalformedQueryException; Request ID: {request_id}; \
         Proxy: null)"
    )]
    Query { message: String, at: Range<usize>, request_id: String },
    #[error("Exactly one of logGroupName, logGroupNames and logGroupIdentifiers must be specified.")]
    QueryGroups,
    #[error("A query takes at most {limit} log groups.")]
    TooManyQueryGroups { limit: usize },
    #[error("The end time of a query must not be before its start time.")]
    QueryTime,
    #[error("Account maximum query concurrency limit of [{limit}] reached.")]
    TooManyQueries { limit: usize },
    #[error("Query with id {0} does not exist.")]
    NoQuery(String),
    #[error("Query is already ended.")]
    QueryEnded,
    #[error("The specified log record pointer is invalid.")]
    RecordPointer,
    #[error("The specified log record does not exist.")]
    NoRecord,
    #[error("The specified query definition does not exist.")]
    NoDefinition,
    #[error("An account has at most {limit} query definitions.")]
    TooManyDefinitions { limit: usize },

    /// A value that pitbird would have to ignore.
    #[error("{0} is not supported")]
    Unsupported(String),
    #[error(transparent)]
    Store(#[from] pitbird_store::Error),
    #[error(transparent)]
    Telemetry(pitbird_telemetry::Error),
}

impl Error {
    pub(crate) fn unsupported(what: impl Into<String>) -> Error {
        Error::Unsupported(what.into())
    }

    /// The error shape that carries this fact.
    fn code(&self) -> &'static str {
        use Error::*;
        match self {
            GroupExists | StreamExists => "ResourceAlreadyExistsException",
            NoGroup
            | NoStream
            | NoMetricFilter
            | NoSubscriptionFilter
            | NoPolicy(_)
            | NoExportTask
            | NoGroupToQuery { .. }
            | NoQuery(_)
            | NoRecord
            | NoDefinition => "ResourceNotFoundException",
            Query { .. } => "MalformedQueryException",
            Limit | TooManySessions { .. } | TooManyQueries { .. } | TooManyDefinitions { .. } => {
                "LimitExceededException"
            }
            ExportOver => "InvalidOperationException",
            CrossAccount => "AccessDeniedException",
            Protected(_) => "ValidationException",
            TooManyTags { .. } => "TooManyTagsException",
            _ => "InvalidParameterException",
        }
    }
}

impl From<pitbird_telemetry::Error> for Error {
    fn from(error: pitbird_telemetry::Error) -> Error {
        match error {
            pitbird_telemetry::Error::StreamExists => Error::StreamExists,
            pitbird_telemetry::Error::NoStream => Error::NoStream,
            pitbird_telemetry::Error::InvalidToken => Error::Token,
            error => Error::Telemetry(error),
        }
    }
}

/// Where a query is no query, in characters of its text.
fn compile_error(message: &str, at: &Range<usize>) -> Value {
    let place = |place: usize| Value::Integer(place as i64);
    let location = [("startCharOffset", place(at.start)), ("endCharOffset", place(at.end))];
    let location = Value::Map(location.map(|(name, value)| (name.into(), value)).into());
    let members = [("location", location), ("message", Value::String(message.to_owned()))];
    Value::Map(members.map(|(name, value)| (name.into(), value)).into())
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        match error {
            Error::Unsupported(what) => Fault::unsupported(&what),
            Error::Store(error) => Fault::internal(error),
            Error::Telemetry(error) => Fault::internal(error),
            Error::TooManyTags { ref arn, .. } => {
                Fault::new(error.code(), error.to_string()).with("resourceName", arn)
            }
            Error::Query { ref message, ref at, .. } => {
                let mut fault = Fault::new(error.code(), error.to_string());
                fault.members.push(("queryCompileError", compile_error(message, at)));
                fault
            }
            error => Fault::new(error.code(), error.to_string()),
        }
    }
}
