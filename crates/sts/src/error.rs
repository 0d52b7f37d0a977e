use pitbird_service::Fault;
use thiserror::Error;

/// Why a call fails, in STS's own words where they are known.
#[derive(Debug, Error)]
pub enum Error {
    #[error("{0} is invalid")]
    RoleArn(String),
    /// The role isn't there, or its trust policy doesn't let the caller in: AWS doesn't say which.
    #[error("User: {principal} is not authorized to perform: sts:AssumeRole on resource: {role}")]
    NotTrusted { principal: String, role: String },
    /// A trust policy may ask for what isn't known here; then it lets nobody in.
    #[error(
        "User: {principal} is not authorized to perform: sts:AssumeRole on resource: {role} because pitbird does not \
         evaluate the condition {condition}"
    )]
    UnknownCondition { principal: String, role: String, condition: String },
    #[error("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")]
    TooLong,
    #[error(
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
    )]
    TooLongForChain,
    #[error("Cannot call GetSessionToken with session credentials")]
    SessionOfSession,
    #[error("Access key {0} names no account")]
    KeyId(String),
    #[error("Rate exceeded")]
    TooManySessions,
    #[error(transparent)]
    Store(#[from] pitbird_store::Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        let code = match &error {
            Error::RoleArn(_) | Error::TooLong | Error::TooLongForChain | Error::KeyId(_) => {
                "ValidationException"
            }
            Error::NotTrusted { .. } | Error::UnknownCondition { .. } | Error::SessionOfSession => {
                "AccessDeniedException"
            }
            Error::TooManySessions => "ThrottlingException",
            Error::Store(error) => return Fault::internal(error),
        };
        Fault::new(code, error.to_string())
    }
}
