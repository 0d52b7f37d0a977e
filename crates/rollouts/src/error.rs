use pitbird_rollout::{Outcome, plan};
use pitbird_service::Fault;
use thiserror::Error;

/// Why a call fails.
#[derive(Debug, Error)]
pub enum Error {
    #[error("There is no rollout named {0}.")]
    UnknownRollout(String),
    #[error("There is no REST API {0}.")]
    UnknownApi(String),
    #[error("REST API {api_id} has no stage {stage}.")]
    UnknownStage { api_id: String, stage: String },
    #[error("REST API {api_id} has no deployment {deployment}.")]
    UnknownDeployment { api_id: String, deployment: String },
    #[error("Function {function} has no alias {alias}.")]
    UnknownAlias { function: String, alias: String },
    #[error("Function {function} has no version {version}.")]
    UnknownVersion { function: String, version: String },

    #[error("There is a rollout named {0} already; names are given once.")]
    NameTaken(String),
    #[error("Rollout {0} is running on this target; a target has one rollout at a time.")]
    TargetTaken(String),
    #[error(
        "Stage {stage} has a canary with deployment {found}; remove it or roll it out before another deployment."
    )]
    OtherCanary { stage: String, found: String },
    #[error(
        "Alias {alias} sends a share to version {found}; clear its routing before another version is rolled out."
    )]
    OtherVersion { alias: String, found: String },
    #[error("Rollout {name} has ended: {outcome}.")]
    Ended { name: String, outcome: Outcome },
    #[error("Rollout {0} has not shifted anything yet, so there is nothing to promote.")]
    NothingToPromote(String),
    #[error("Rollout {0} is rolling back; nothing stops that.")]
    RollingBack(String),

    #[error("{0}")]
    Invalid(String),
    #[error("The plan is none: {0}.")]
    Plan(#[from] plan::Error),
    #[error("There is no alarm named {0}.")]
    UnknownAlarm(String),

    #[error("{limit} rollouts are running; that is the most at a time.")]
    TooMany { limit: usize },
    #[error("Rollout {0} is not being driven right now; try again.")]
    NotDriven(String),
    /// The rollout is not what its own plan makes; somebody meddled with the data.
    #[error("rollout {0} doesn't belong to its plan")]
    Foreign(String),
    #[error("another executor drives rollout {0}")]
    Superseded(String),
    #[error(transparent)]
    Store(#[from] pitbird_store::Error),
    #[error(transparent)]
    Samples(pitbird_telemetry::Error),
}

impl Error {
    pub(crate) fn invalid(words: impl Into<String>) -> Error {
        Error::Invalid(words.into())
    }

    /// The error shape that carries this fact.
    fn code(&self) -> &'static str {
        use Error::*;
        match self {
            UnknownRollout(_)
            | UnknownApi(_)
            | UnknownStage { .. }
            | UnknownDeployment { .. }
            | UnknownAlias { .. }
            | UnknownVersion { .. } => "ResourceNotFoundException",
            NameTaken(_)
            | TargetTaken(_)
            | OtherCanary { .. }
            | OtherVersion { .. }
            | Ended { .. }
            | NothingToPromote(_)
            | RollingBack(_) => "ConflictException",
            TooMany { .. } => "LimitExceededException",
            NotDriven(_) | Superseded(_) => "ServiceUnavailableException",
            Invalid(_) | Plan(_) | UnknownAlarm(_) => "InvalidParameterException",
            Foreign(_) | Store(_) | Samples(_) => "InternalFailure",
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        match error {
            Error::Store(_) | Error::Foreign(_) | Error::Samples(_) => Fault::internal(error),
            Error::NotDriven(_) | Error::Superseded(_) => {
                Fault::new(error.code(), error.to_string()).retry_after(1)
            }
            _ => Fault::new(error.code(), error.to_string()),
        }
    }
}
