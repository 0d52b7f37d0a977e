use std::fmt;

use crate::environment;

/// Keys to sign with.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: Option<String>,
}

impl Credentials {
    /// Keys that nobody knows, for a server that takes any.
    pub fn anonymous() -> Credentials {
        Credentials {
            access_key_id: "test".to_owned(),
            secret_access_key: "test".to_owned(),
            session_token: None,
        }
    }

    /// The keys of the environment; [`Credentials::anonymous`] where it has none. `text` reads a variable.
    pub fn from_environment(text: impl Fn(&str) -> Option<String>) -> Credentials {
        match (text(environment::ACCESS_KEY_ID), text(environment::SECRET_ACCESS_KEY)) {
            (Some(access_key_id), Some(secret_access_key)) => Credentials {
                access_key_id,
                secret_access_key,
                session_token: text(environment::SESSION_TOKEN),
            },
            _ => Credentials::anonymous(),
        }
    }

    pub(crate) fn borrowed(&self) -> pitbird_sigv4::Credentials<'_> {
        pitbird_sigv4::Credentials {
            access_key_id: &self.access_key_id,
            secret_access_key: &self.secret_access_key,
            session_token: self.session_token.as_deref(),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}
