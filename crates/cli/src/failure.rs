use std::io;
use std::process::ExitCode;

use crate::client;

/// Why a command did not do what it was told: what happened, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub what: String,
    pub hint: Option<String>,
    /// 1, or 2 where the command was used wrongly.
    pub code: u8,
}

impl Failure {
    pub fn new(what: impl Into<String>) -> Failure {
        Failure { what: what.into(), hint: None, code: 1 }
    }

    /// A wrong use of the command.
    pub fn usage(what: impl Into<String>) -> Failure {
        Failure { code: 2, ..Failure::new(what) }
    }

    /// Whoever read standard output has gone away: nothing more needs to be said or done.
    pub fn nobody_reads() -> Failure {
        Failure { what: String::new(), hint: None, code: 0 }
    }

    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Failure {
        Failure { hint: Some(hint.into()), ..self }
    }

    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.what.is_empty() {
            return Ok(());
        }
        write!(f, "pitbird: {}", self.what)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

/// From writing to standard output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::nobody_reads(),
            _ => Failure::new(format!("can't write to standard output: {error}")),
        }
    }
}

impl From<client::Error> for Failure {
    fn from(error: client::Error) -> Failure {
        let what = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
        let what: Vec<String> = what.map(ToString::to_string).collect();
        let failure =
            if error.is_usage() { Failure::usage(what.join(": ")) } else { Failure::new(what.join(": ")) };
        match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}
