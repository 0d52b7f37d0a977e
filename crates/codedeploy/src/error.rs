use pitbird_service::Fault;
use thiserror::Error;

/// Why a call fails. Words marked "ours" in docs/codedeploy.md are not known to be AWS's.
#[derive(Debug, Error)]
pub enum Error {
    #[error("No application found for name: {0}")]
    UnknownApplication(String),
    #[error("No Deployment Group found for name: {0}")]
    UnknownGroup(String),
    #[error("No Deployment Configuration found for name: {0}")]
    UnknownConfig(String),
    #[error("The deployment {0} could not be found")]
    UnknownDeployment(String),
    #[error("The deployment target {0} could not be found")]
    UnknownTarget(String),
    #[error("The revision could not be found")]
    UnknownRevision,
    #[error("{0}")]
    RevisionNotFetched(String),

    #[error("An application named {0} already exists.")]
    ApplicationTaken(String),
    #[error("A deployment group named {0} already exists.")]
    GroupTaken(String),
    #[error("A deployment configuration named {0} already exists.")]
    ConfigTaken(String),
    #[error("The deployment configuration {0} is in use.")]
    ConfigInUse(String),
    #[error("The Deployment Group '{group}' already has an active Deployment '{deployment}'")]
    GroupBusy { group: String, deployment: String },
    #[error("The alias {alias} of function {function} is being moved by {by}")]
    AliasBusy { function: String, alias: String, by: String },

    #[error("Cannot assume role provided.")]
    Role,
    #[error("The deployment {0} has not started.")]
    NotStarted(String),
    #[error("The deployment {0} has already completed.")]
    Completed(String),
    #[error("The lifecycle event has already completed.")]
    EventCompleted,
    #[error("{0}")]
    WrongPlatform(String),

    /// An input that is none: AWS's name for it, and words.
    #[error("{words}")]
    Invalid { code: &'static str, words: String },
    /// More than there may be: AWS's name for it, and words.
    #[error("{words}")]
    TooMany { code: &'static str, words: String },
    /// A setting that isn't obeyed here.
    #[error("{0}")]
    Unsupported(String),
    #[error(transparent)]
    Store(#[from] pitbird_store::Error),
}

impl Error {
    pub(crate) fn invalid(code: &'static str, words: impl Into<String>) -> Error {
        Error::Invalid { code, words: words.into() }
    }

    pub(crate) fn revision(words: impl Into<String>) -> Error {
        Error::invalid("InvalidRevisionException", words)
    }

    /// The error shape that carries this fact.
    fn code(&self) -> &'static str {
        use Error::*;
        match self {
            UnknownApplication(_) => "ApplicationDoesNotExistException",
            UnknownGroup(_) => "DeploymentGroupDoesNotExistException",
            UnknownConfig(_) => "DeploymentConfigDoesNotExistException",
            UnknownDeployment(_) => "DeploymentDoesNotExistException",
            UnknownTarget(_) => "DeploymentTargetDoesNotExistException",
            UnknownRevision | RevisionNotFetched(_) => "RevisionDoesNotExistException",
            ApplicationTaken(_) => "ApplicationAlreadyExistsException",
            GroupTaken(_) => "DeploymentGroupAlreadyExistsException",
            ConfigTaken(_) => "DeploymentConfigAlreadyExistsException",
            ConfigInUse(_) => "DeploymentConfigInUseException",
            GroupBusy { .. } | AliasBusy { .. } => "DeploymentLimitExceededException",
            Role => "InvalidRoleException",
            NotStarted(_) => "DeploymentNotStartedException",
            Completed(_) => "DeploymentAlreadyCompletedException",
            EventCompleted => "LifecycleEventAlreadyCompletedException",
            WrongPlatform(_) => "UnsupportedActionForDeploymentTypeException",
            Invalid { code, .. } | TooMany { code, .. } => code,
            Unsupported(_) => "ValidationException",
            Store(_) => "InternalFailure",
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        match error {
            Error::Store(_) => Fault::internal(error),
            Error::Unsupported(what) => Fault::unsupported(&what),
            _ => Fault::new(error.code(), error.to_string()).with_status(400),
        }
    }
}
