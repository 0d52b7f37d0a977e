//! What AWS says when it doesn't do what it was asked.

use std::fmt;

use aws_sdk_lambda::config::http::HttpResponse;
use aws_sdk_lambda::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

/// Where AWS gives no message, so much of what the SDK says is told.
const CONTEXT_CHARS_MAX: usize = 300;

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub kind: Kind,
    pub words: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The caller may not.
    Denied,
    /// What was asked for isn't there.
    Gone,
    /// AWS will never do it.
    Refused,
    /// Somebody changed the target since it was seen: look again.
    Stale,
    /// It may work next time.
    Passing,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl Fault {
    /// It is about this function, of several.
    pub fn about(self, function: &str) -> Fault {
        Fault { words: format!("{} (function {function})", self.words), ..self }
    }

    /// `action` as policies name it, such as `lambda:UpdateAlias`.
    pub fn new<E>(action: &str, error: SdkError<E, HttpResponse>) -> Fault
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let status = error.raw_response().map(|response| response.status().as_u16());
        let code = error.code().unwrap_or_default().to_owned();
        let message = error.message().map(str::to_owned);
        let kind = if matches!(error, SdkError::ConstructionFailure(_)) {
            Kind::Refused
        } else {
            kind(&code, status)
        };
        // With all of an answer in it, it goes on for pages.
        let context = || DisplayErrorContext(&error).to_string().chars().take(CONTEXT_CHARS_MAX).collect();
        let message = message.unwrap_or_else(context);
        let code = if code.is_empty() { String::new() } else { format!("{code}: ") };
        let words = match kind {
            Kind::Denied => {
                format!("the credentials may not do {action}; allow it and try again ({code}{message})")
            }
            _ => format!("{action}: {code}{message}"),
        };
        Fault { kind, words }
    }
}

fn kind(code: &str, status: Option<u16>) -> Kind {
    match code {
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedException" | "NotAuthorized" => Kind::Denied,
        "UnrecognizedClientException" | "InvalidClientTokenId" | "SignatureDoesNotMatch" => Kind::Denied,
        "PreconditionFailedException" => Kind::Stale,
        "NotFoundException" | "ResourceNotFoundException" | "ResourceNotFound" => Kind::Gone,
        // Another change of the same thing is under way; limits on calls pass as well.
        "ConflictException" | "ResourceConflictException" | "ThrottlingException" | "Throttling" => {
            Kind::Passing
        }
        "TooManyRequestsException"
        | "LimitExceededException"
        | "RequestExpired"
        | "ExpiredTokenException" => Kind::Passing,
        _ => match status {
            Some(403) => Kind::Denied,
            Some(404) => Kind::Gone,
            Some(400) => Kind::Refused,
            _ => Kind::Passing,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_work_next_time_is_told_from_what_never_will() {
        for (code, status, expected) in [
            ("AccessDeniedException", Some(403), Kind::Denied),
            ("", Some(403), Kind::Denied),
            ("ResourceNotFoundException", Some(404), Kind::Gone),
            ("BadRequestException", Some(400), Kind::Refused),
            ("ThrottlingException", Some(400), Kind::Passing),
            ("PreconditionFailedException", Some(412), Kind::Stale),
            ("InternalFailure", Some(500), Kind::Passing),
            ("", None, Kind::Passing),
        ] {
            assert_eq!(kind(code, status), expected, "{code} {status:?}");
        }
    }
}
