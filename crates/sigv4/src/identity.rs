use std::fmt;

/// Who a request says it is from, and for which service and region its signature holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    pub access_key_id: String,
    /// `YYYYMMDD`.
    pub date: String,
    pub region: String,
    /// The signing name: `lambda`, `apigateway`, `monitoring`, …
    pub service: String,
    /// Is the signature in the query string?
    pub is_presigned: bool,
    pub session_token: Option<String>,
}

/// What a server asks of a signature beside that it is right.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expected<'a> {
    /// The only service that the signature may be for; any if there is none.
    pub service: Option<&'a str>,
    /// The only region that the signature may be for; any if there is none.
    pub region: Option<&'a str>,
}

/// What a server knows of an access key.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    pub secret_access_key: String,
    /// For temporary credentials.
    pub session: Option<Session>,
}

/// The other half of temporary credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    pub token: String,
    /// Seconds since 1970.
    pub expires_epoch_s: u64,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("session", &self.session).finish_non_exhaustive()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("expires_epoch_s", &self.expires_epoch_s).finish_non_exhaustive()
    }
}

/// S3 and its kin encode paths once, sign no dot-segment normalisation, and let payloads go unsigned.
pub(crate) fn is_s3(service: &str) -> bool {
    service == "s3" || service.starts_with("s3-") || service == "s3express"
}
