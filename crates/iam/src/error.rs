use pitbird_service::Fault;
use thiserror::Error;

use crate::document::Malformed;

/// Why a call fails, in IAM's own words where they are known.
#[derive(Debug, Error)]
pub enum Error {
    #[error("The role with name {0} cannot be found.")]
    UnknownRole(String),
    #[error("The role policy with name {0} cannot be found.")]
    UnknownRolePolicy(String),
    #[error("Policy {0} was not found.")]
    UnknownPolicy(String),
    #[error("Policy {0} does not exist or is not attachable.")]
    NotAttachable(String),
    #[error("Policy {arn} version {version} does not exist or is not attachable.")]
    UnknownVersion { arn: String, version: String },
    #[error("Role {0} does not have a permissions boundary attached.")]
    NoBoundary(String),
    #[error("The user with name {0} cannot be found.")]
    UnknownUser(String),

    #[error("Role with name {0} already exists.")]
    RoleExists(String),
    #[error("A policy called {0} already exists. Duplicate names are not allowed.")]
    PolicyExists(String),

    #[error("Cannot delete entity, must detach all policies first.")]
    RoleHasAttachments,
    #[error("Cannot delete entity, must delete policies first.")]
    RoleHasPolicies,
    #[error("Cannot delete a policy attached to entities.")]
    PolicyAttached,
    #[error(
        "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The \
         default version is deleted with the policy."
    )]
    PolicyHasVersions,
    #[error("Cannot delete the default version of a policy.")]
    DefaultVersion,

    #[error("Cannot exceed quota for {what}: {limit}")]
    Quota { what: &'static str, limit: usize },
    #[error("Maximum policy size of {limit} bytes exceeded for role {role}")]
    RolePoliciesTooLarge { limit: usize, role: String },
    #[error(
        "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing \
         version."
    )]
    TooManyVersions,
    #[error("The number of tags has reached the maximum limit.")]
    TooManyTags,

    #[error(transparent)]
    Document(#[from] Malformed),

    #[error("ARN {0} is not valid.")]
    Arn(String),
    #[error("Duplicate tag keys found. Please note that Tag keys are case insensitive.")]
    TagTwice,
    #[error("System tags cannot be added/updated by requester")]
    SystemTag,

    #[error("Invalid Marker.")]
    Marker,
    #[error("Must specify userName when calling with non-User credentials")]
    NoUser,
    #[error("User: {principal} is not authorized to perform: iam:{action} on resource: policy {arn}")]
    NotYours { principal: String, action: &'static str, arn: String },

    #[error(transparent)]
    Store(#[from] pitbird_store::Error),
}

impl Error {
    /// The error shape that carries this fact; `ValidationException` and `AccessDeniedException` are every service's.
    fn code(&self) -> &'static str {
        use Error::*;
        match self {
            UnknownRole(_)
            | UnknownRolePolicy(_)
            | UnknownPolicy(_)
            | NotAttachable(_)
            | UnknownVersion { .. }
            | NoBoundary(_)
            | UnknownUser(_) => "NoSuchEntityException",
            RoleExists(_) | PolicyExists(_) => "EntityAlreadyExistsException",
            RoleHasAttachments | RoleHasPolicies | PolicyAttached | PolicyHasVersions | DefaultVersion => {
                "DeleteConflictException"
            }
            Quota { .. } | RolePoliciesTooLarge { .. } | TooManyVersions | TooManyTags => {
                "LimitExceededException"
            }
            Document(_) => "MalformedPolicyDocumentException",
            Arn(_) | TagTwice | SystemTag => "InvalidInputException",
            Marker | NoUser => "ValidationException",
            NotYours { .. } => "AccessDeniedException",
            Store(_) => "ServiceFailureException",
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        match error {
            Error::Store(error) => Fault::internal(error),
            error => Fault::new(error.code(), error.to_string()),
        }
    }
}
