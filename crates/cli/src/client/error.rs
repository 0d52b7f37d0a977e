use std::time::Duration;

use pitbird_wire::client::Refusal;
use pitbird_wire::{Catalog, DecodeError, EncodeError, Model};
use thiserror::Error as ThisError;

use crate::json;
use crate::operation::{aws_service, kebab, nearest};
use crate::quantity;

/// Why a call has no output.
#[derive(Debug, ThisError)]
pub enum Error {
    #[error("there is no service {name:?}")]
    Service { name: String, meant: Option<&'static str> },
    #[error("{service} has no operation {name:?}")]
    Operation { service: &'static str, name: String, meant: Option<String> },
    #[error("{operation} answers with an event stream, which this command can't read yet")]
    EventStream { operation: &'static str },
    #[error(transparent)]
    Input(#[from] json::Error),
    #[error("the input can't be sent")]
    Encode(#[from] EncodeError),
    #[error("no server answers at {endpoint}")]
    Unreachable { endpoint: String, source: std::io::Error },
    #[error("no answer from {endpoint} within {}", quantity::words(*.deadline))]
    Late { endpoint: String, deadline: Duration },
    #[error("the connection to {endpoint} broke")]
    Broken { endpoint: String, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("{refusal}")]
    Refused { operation: &'static str, refusal: Box<Refusal> },
    #[error("the answer to {operation} can't be read")]
    Unreadable { operation: &'static str, cause: DecodeError },
}

impl Error {
    pub(crate) fn unknown_service(name: &str) -> Error {
        let keys = Catalog::embedded().services().iter().map(|service| service.key());
        Error::Service { name: name.to_owned(), meant: nearest(name, keys) }
    }

    pub(crate) fn unknown_operation(model: &'static Model, name: &str) -> Error {
        let names: Vec<String> = model.operations().iter().map(|operation| kebab(operation.name)).collect();
        let meant = nearest(&kebab(name), names.iter().map(String::as_str)).map(str::to_owned);
        Error::Operation { service: aws_service(model.key), name: name.to_owned(), meant }
    }

    /// Whether the caller asked for something that there isn't, so that no server was asked.
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Error::Service { .. } | Error::Operation { .. } | Error::EventStream { .. } | Error::Input(_)
        )
    }

    /// Whether trying again may help: there is no server now, or it went away.
    pub fn is_passing(&self) -> bool {
        matches!(self, Error::Unreachable { .. } | Error::Broken { .. } | Error::Late { .. })
    }

    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Error::Service { meant: Some(meant), .. } => format!("did you mean {meant}?"),
            Error::Service { .. } => "`pitbird api` lists the services".to_owned(),
            Error::Operation { meant: Some(meant), .. } => format!("did you mean {meant}?"),
            Error::Operation { service, .. } => format!("`pitbird api {service}` lists its operations"),
            Error::Unreachable { .. } => {
                "start a server with `pitbird serve`, or say where one is with --endpoint-url".to_owned()
            }
            Error::Late { .. } => "is it a pitbird server that listens there?".to_owned(),
            Error::Refused { refusal, .. } => return refusal_hint(refusal),
            _ => return None,
        })
    }
}

fn refusal_hint(refusal: &Refusal) -> Option<String> {
    let is_about_keys = matches!(
        refusal.code.as_str(),
        "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "SignatureDoesNotMatch"
    );
    let hint = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to a key of the file that the server was given with --keys";
    is_about_keys.then(|| hint.to_owned())
}
