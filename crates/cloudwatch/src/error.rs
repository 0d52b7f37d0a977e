use pitbird_service::Fault;
use pitbird_telemetry::metrics::StatError;
use pitbird_wire::Value as Wire;
use thiserror::Error;

use crate::dashboard::Problem;

/// Why a call fails, in CloudWatch's own words where they are known (recorded answers of the service).
#[derive(Debug, Error)]
pub enum Error {
    #[error("The value {value} for parameter {parameter} is invalid.")]
    Value { parameter: String, value: String },
    #[error("The value {value} for parameter {parameter} contains non-ASCII characters.")]
    NotAscii { parameter: String, value: String },
    #[error("The collection {parameter} must not have a size greater than {limit}.")]
    TooMany { parameter: String, limit: usize },
    #[error("The parameters {0}.Values and {0}.Counts must be of the same size.")]
    Counts(String),
    #[error("The parameter {0}.Minimum must be less than or equal to the parameter {0}.Maximum.")]
    Extremes(String),
    #[error("The parameter {0}.Timestamp must specify a time no older than two weeks.")]
    TooOld(String),
    #[error("The parameter {0}.Timestamp must specify a time no more than two hours in the future.")]
    TooNew(String),
    #[error("The parameter {0} must be 1, 5, 10, 20, 30 or a multiple of 60, and at most 86400.")]
    Period(String),
    #[error("The parameter StartTime must be less than the parameter EndTime.")]
    StartTime,

    #[error("The parameters {one} and {other} are mutually exclusive and you have specified both.")]
    Exclusive { one: String, other: String },
    #[error(
        "You have requested up to {asked} datapoints, which exceeds the limit of {limit}. You may reduce the datapoints \
         requested by increasing Period, or decreasing the time range."
    )]
    TooManyDatapoints { asked: u64, limit: u64 },

    #[error("The parameter {0} is required.")]
    Missing(String),
    #[error("At least one of the parameters must be specified.")]
    NoSamples,
    #[error("At least one of the parameters Statistics and ExtendedStatistics must be specified.")]
    NoStatistic,

    /// Recorded answer of the service: these words, and what is wrong.
    #[error("Error in expression '{id}': {cause}")]
    Expression { id: String, cause: pitbird_metricmath::Error },
    #[error("Error in expression '{id}': Circular reference")]
    Circular { id: String },
    #[error("Error in expression '{id}': The result must be a time series or an array of time series")]
    Scalar { id: String },

    /// An input that contradicts itself or AWS's rules, in words of its own.
    #[error("{0}")]
    Invalid(String),

    /// Recorded answer of the service: how many there are, and then those that are told, as JSON.
    #[error("The dashboard body is invalid, there are {count} validation errors:\n{told}")]
    DashboardBody { count: usize, told: String, problems: Vec<Problem> },
    #[error("The field DashboardBody must be a valid JSON object")]
    NoDashboardBody,
    /// Recorded answer of the service, with the line's end.
    #[error(
        "The value for field DashboardName contains invalid characters. It can only contain alphanumerics, dash (-) and \
         underscore (_).\n"
    )]
    DashboardName,
    #[error("Dashboard {0} does not exist")]
    NoDashboard(String),

    /// AWS says nothing at all here.
    #[error("")]
    NoAlarm,
    #[error("The alarms {0} do not exist.")]
    NoAlarms(String),
    #[error("The resource {0} does not exist.")]
    NoResource(String),
    #[error("The specified nextToken is invalid.")]
    Token,
    #[error("StateReasonData was not valid JSON")]
    ReasonData,
    #[error("The maximum number of alarms, {limit}, has been reached.")]
    TooManyAlarms { limit: usize },
    #[error("The maximum number of anomaly detection models, {limit}, has been reached.")]
    TooManyDetectors { limit: usize },
    #[error("The anomaly detection model does not exist.")]
    NoDetector,
    #[error("The maximum number of metrics, {limit}, has been reached.")]
    TooManyMetrics { limit: usize },

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

    pub(crate) fn value(parameter: impl Into<String>, value: impl ToString) -> Error {
        Error::Value { parameter: parameter.into(), value: value.to_string() }
    }

    /// Why a text isn't obeyed as a statistic.
    pub(crate) fn statistic(parameter: &str, error: StatError) -> Error {
        match error {
            StatError::Malformed(text) => Error::value(parameter, text),
        }
    }

    /// What is wrong with the expression of a query, or that it isn't obeyed.
    pub(crate) fn expression(id: &str, cause: pitbird_metricmath::Error) -> Error {
        match cause {
            pitbird_metricmath::Error::Unsupported(what) => Error::Unsupported(what),
            cause => Error::Expression { id: id.to_owned(), cause },
        }
    }

    /// The same fact under `ValidationError`, which is how operations that list no errors of their own tell it.
    pub(crate) fn into_invalid(self) -> Error {
        match self {
            Error::Unsupported(_) | Error::Store(_) | Error::Telemetry(_) => self,
            told => Error::Invalid(told.to_string()),
        }
    }

    /// The error shape that carries this fact.
    fn code(&self) -> &'static str {
        use Error::*;
        match self {
            Exclusive { .. } | TooManyDatapoints { .. } => "InvalidParameterCombinationException",
            Missing(_) | NoSamples | NoStatistic => "MissingRequiredParameterException",
            Invalid(_) | Expression { .. } | Circular { .. } | Scalar { .. } => "ValidationException",
            DashboardBody { .. } | NoDashboardBody | DashboardName => "DashboardInvalidInputError",
            NoDashboard(_) => "DashboardNotFoundError",
            NoAlarm | NoAlarms(_) => "ResourceNotFound",
            NoResource(_) | NoDetector => "ResourceNotFoundException",
            Token => "InvalidNextToken",
            ReasonData => "InvalidFormatFault",
            TooManyAlarms { .. } => "LimitExceededFault",
            TooManyMetrics { .. } | TooManyDetectors { .. } => "LimitExceededException",
            _ => "InvalidParameterValueException",
        }
    }
}

impl From<pitbird_telemetry::Error> for Error {
    fn from(error: pitbird_telemetry::Error) -> Error {
        match error {
            pitbird_telemetry::Error::InvalidToken => Error::Token,
            pitbird_telemetry::Error::TooManyMetrics { limit } => Error::TooManyMetrics { limit },
            pitbird_telemetry::Error::TooManyDatapoints { asked, limit } => {
                Error::TooManyDatapoints { asked, limit }
            }
            error => Error::Telemetry(error),
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        match error {
            Error::Unsupported(what) => Fault::unsupported(&what),
            Error::Store(error) => Fault::internal(error),
            Error::Telemetry(error) => Fault::internal(error),
            error => {
                let mut fault = Fault::new(error.code(), error.to_string());
                if let Error::DashboardBody { problems, .. } = error {
                    let problems = problems.into_iter().map(Problem::into_value).collect();
                    fault.members.push(("dashboardValidationMessages", Wire::List(problems)));
                }
                fault
            }
        }
    }
}
