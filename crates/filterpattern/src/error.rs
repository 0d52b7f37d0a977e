use thiserror::Error;

/// Why a text is no pattern, in CloudWatch Logs' words.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PatternError {
    #[error("Invalid filter pattern: longer than 1024 characters")]
    TooLong,
    /// Words observed in the field; the service says no more than that.
    #[error("Invalid filter pattern")]
    Invalid,
    /// Words observed in the field.
    #[error("Invalid character(s) in term '{0}'")]
    Character(String),
    #[error("Invalid filter pattern: more than {limit} regular expressions")]
    TooManyRegexes { limit: usize },
    #[error("Invalid filter pattern: more than {limit} wildcard selectors")]
    TooManyWildcards { limit: usize },
}
