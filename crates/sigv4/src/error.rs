use crate::stamp::Stamp;
use thiserror::Error;

/// What is wrong with a request's signature. The text is AWS's, as its JSON services say it; S3 and the query protocol
/// say some of it otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    #[error("Missing Authentication Token")]
    MissingAuthenticationToken,
    /// An unknown access key, or a session token that is not the key's.
    #[error("The security token included in the request is invalid.")]
    UnrecognizedClient,
    #[error("The security token included in the request is expired")]
    ExpiredToken,
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
         Key and signing method. Consult the service documentation for details."
    )]
    InvalidSignature {
        /// What the server signed, for its log.
        canonical_request: String,
        string_to_sign: String,
    },
    #[error("Signature expired: {signed} is now earlier than {limit} ({now} - {} min.)", .allowed_s / 60)]
    SignatureExpired {
        signed: Stamp,
        limit: Stamp,
        now: Stamp,
        allowed_s: u64,
        /// Has a presigned URL outlived its `X-Amz-Expires`? S3 then says `Request has expired`.
        is_presigned: bool,
    },
    #[error("Signature not yet current: {signed} is still later than {limit} ({now} + {} min.)", .allowed_s / 60)]
    SignatureNotYetCurrent { signed: Stamp, limit: Stamp, now: Stamp, allowed_s: u64 },
    #[error("Credential should be scoped to a valid region.")]
    WrongRegion { given: String },
    #[error("Credential should be scoped to correct service: '{expected}'.")]
    WrongService { expected: String },
    #[error("Credential should be scoped with a valid terminator: 'aws4_request', not '{given}'.")]
    WrongTerminator { given: String },
    #[error(
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{scope}' != \
         '{}', from '{signed}'.", .signed.date()
    )]
    WrongDate { scope: String, signed: Stamp },
    #[error("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")]
    HostNotSigned,
    #[error("There were headers present in the request which were not signed: {name}")]
    HeaderNotSigned { name: String },
    /// The body is not the one that `x-amz-content-sha256` announces.
    #[error("The provided 'x-amz-content-sha256' header does not match what was computed.")]
    ContentSha256Mismatch,
    /// A form of signature that is not verified here; AWS has it.
    #[error("this server does not verify {what}")]
    Unsupported { what: String },
    /// Credentials that are there but can't be read.
    #[error("{0}")]
    IncompleteSignature(String),
}

/// The code that AWS gives an [`Error`], free of the protocol's spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    MissingAuthenticationToken,
    UnrecognizedClient,
    ExpiredToken,
    InvalidSignature,
    IncompleteSignature,
    Unsupported,
}

impl Error {
    pub fn kind(&self) -> Kind {
        match self {
            Error::MissingAuthenticationToken => Kind::MissingAuthenticationToken,
            Error::UnrecognizedClient => Kind::UnrecognizedClient,
            Error::ExpiredToken => Kind::ExpiredToken,
            Error::InvalidSignature { .. }
            | Error::SignatureExpired { .. }
            | Error::SignatureNotYetCurrent { .. }
            | Error::WrongRegion { .. }
            | Error::WrongService { .. }
            | Error::WrongTerminator { .. }
            | Error::WrongDate { .. }
            | Error::HostNotSigned
            | Error::HeaderNotSigned { .. }
            | Error::ContentSha256Mismatch => Kind::InvalidSignature,
            Error::Unsupported { .. } => Kind::Unsupported,
            Error::IncompleteSignature(_) => Kind::IncompleteSignature,
        }
    }
}
