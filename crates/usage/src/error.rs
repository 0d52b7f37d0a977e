use pitbird_service::Fault;
use thiserror::Error;

/// Why a call fails.
#[derive(Debug, Error)]
pub enum Error {
    #[error("{0:?} is no month: give it as in 2026-11.")]
    Month(String),
    #[error("FunctionName {0:?} is neither a function's name nor an ARN of one.")]
    Function(String),
    #[error("MaxResults must be from 1 to {0}.")]
    MaxResults(usize),
    #[error(transparent)]
    Store(#[from] pitbird_store::Error),
    #[error(transparent)]
    Telemetry(#[from] pitbird_telemetry::Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        match error {
            Error::Month(_) | Error::Function(_) | Error::MaxResults(_) => {
                Fault::new("InvalidParameterException", error.to_string())
            }
            Error::Store(_) | Error::Telemetry(_) => Fault::internal(error),
        }
    }
}
