use thiserror::Error;

/// Why an expression can't be parsed or evaluated. CloudWatch says `Error in expression 'ID': ` before these words.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// Recorded answer of the service.
    #[error("Invalid syntax")]
    Syntax,
    /// Recorded answer of the service.
    #[error("Function '{0}' not found")]
    NoFunction(String),
    #[error("Expression must not be longer than {limit} characters")]
    TooLong { limit: usize },
    #[error("Expression must not be nested deeper than {limit} levels")]
    TooDeep { limit: usize },
    #[error("Unknown id '{0}'")]
    NoId(String),
    #[error("Unsupported operand type(s) for {operator}: '[{left}, {right}]'")]
    Operands { operator: &'static str, left: &'static str, right: &'static str },
    #[error("Function '{function}' doesn't take the arguments ({given})")]
    Arguments { function: &'static str, given: String },
    #[error("Expression has more than {limit} datapoints")]
    TooManyPoints { limit: usize },
    #[error("The width of ANOMALY_DETECTION_BAND must be a positive number")]
    Width,
    #[error("ANOMALY_DETECTION_BAND must be of another query, by its id")]
    Banded,
    /// What pitbird doesn't do, by name.
    #[error("{0} is not supported")]
    Unsupported(String),
}
