use std::borrow::Cow;
use std::ops::{Deref, DerefMut};

use pitbird_wire::Value;

/// What a caller is told when a call fails: an error's name and message in AWS's words. A pointer wide: all of an
/// operation's results carry it.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault(Box<Told>);

/// What a [`Fault`] says. The model gives the HTTP status of errors that it lists; `status` is for the others and for the
/// rare deviation.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// The error shape's name, such as `ResourceNotFoundException`.
    pub code: Cow<'static, str>,
    pub message: String,
    pub status: Option<u16>,
    /// Further members of the error's body, such as Lambda's `Reason`.
    pub members: Vec<(&'static str, Value)>,
    pub retry_after_s: Option<u32>,
    /// For the log, never for the caller.
    pub cause: Option<String>,
}

impl Fault {
    pub fn new(code: &'static str, message: impl Into<String>) -> Fault {
        Fault(Box::new(Told {
            code: Cow::Borrowed(code),
            message: message.into(),
            status: None,
            members: Vec::new(),
            retry_after_s: None,
            cause: None,
        }))
    }

    pub fn into_told(self) -> Told {
        *self.0
    }

    /// Sets the HTTP status of an error that the model doesn't list.
    pub fn with_status(mut self, status: u16) -> Fault {
        self.status = Some(status);
        self
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Fault {
        self.members.push((name, Value::String(value.into())));
        self
    }

    pub fn retry_after(mut self, seconds: u32) -> Fault {
        self.retry_after_s = Some(seconds);
        self
    }

    /// A setting that pitbird doesn't obey yet, refused by its name: `400 ValidationException`. A caller learns what to
    /// leave out; nothing was stored.
    pub fn unsupported(what: &str) -> Fault {
        Fault::new(
            "ValidationException",
            format!("{what} is not supported by pitbird, so it is refused rather than ignored."),
        )
        .with_status(400)
    }

    /// Something failed that the caller can't mend; `cause` goes to the log.
    pub fn internal(cause: impl std::fmt::Display) -> Fault {
        let mut fault =
            Fault::new("InternalFailure", "The request processing has failed because of an internal error.");
        fault.cause = Some(cause.to_string());
        fault.with_status(500)
    }
}

impl Deref for Fault {
    type Target = Told;

    fn deref(&self) -> &Told {
        &self.0
    }
}

impl DerefMut for Fault {
    fn deref_mut(&mut self) -> &mut Told {
        &mut self.0
    }
}
