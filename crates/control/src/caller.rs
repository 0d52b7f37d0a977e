use std::sync::Arc;

use http::header::HOST;
use http::request::Parts;
use pitbird_names::{Account, Region, Scope};
use pitbird_service::Caller;
use pitbird_sigv4::{Error, Expected, Identity, Kind, Payload, Request, Seal, Secret};
use pitbird_wire::{self as wire, Fault, Protocol};
use sha2::{Digest, Sha256};

/// What the endpoint asks of signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signatures {
    /// Loopback: anybody may call; a signature only says for which account and region.
    Unchecked,
    /// Beyond loopback: every call must be signed with a key that we know.
    Required,
}

/// A key that we know.
#[derive(Debug, Clone)]
pub struct Credential {
    pub secret: Secret,
    pub account: Account,
    /// The ARN of the user or role session that owns the key.
    pub principal: String,
    /// What IAM calls the session, if it is one's: `AROA…:{name}`.
    pub session_id: Option<String>,
}

/// Finds an access key id's credential.
pub type Lookup = Arc<dyn Fn(&str) -> Option<Credential> + Send + Sync>;

/// Who calls, and what the frames of the body are held against.
pub(crate) struct Identified {
    pub caller: Caller,
    pub seal: Option<Seal>,
}

/// Finds out who calls a service.
pub(crate) fn identify(
    parts: &Parts,
    body: &[u8],
    call: &wire::Call<'_>,
    now_epoch_s: u64,
    signatures: Signatures,
    lookup: &Lookup,
) -> Result<Identified, Fault> {
    let service = call.model.metadata.signing_name;
    let recognized = recognize(parts, body, service, now_epoch_s, signatures, lookup);
    recognized.map_err(|error| fault(&error, call))
}

/// Finds out who signed for a service of this name.
pub(crate) fn recognize(
    parts: &Parts,
    body: &[u8],
    signing_name: &str,
    now_epoch_s: u64,
    signatures: Signatures,
    lookup: &Lookup,
) -> Result<Identified, Error> {
    let mut headers: Vec<(&str, &[u8])> =
        parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    // Under HTTP/2 the host is part of the target.
    let authority = parts.uri.authority().filter(|_| !parts.headers.contains_key(HOST));
    headers.extend(authority.map(|authority| ("host", authority.as_str().as_bytes())));
    let request = Request {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers: &headers,
    };
    if signatures == Signatures::Unchecked {
        check_hash(parts, body)?;
        return Ok(Identified { caller: claimed(&request, lookup), seal: None });
    }
    let mut found = None;
    let expected = Expected { service: Some(signing_name), region: None };
    let known = |id: &str| {
        found = lookup(id);
        found.as_ref().map(|credential| credential.secret.clone())
    };
    let identity = pitbird_sigv4::verify(&request, &Payload::Bytes(body), now_epoch_s, &expected, known)?;
    if Region::parse(&identity.region).is_none() {
        // It would be taken for the default region's.
        return Err(Error::WrongRegion { given: identity.region });
    }
    let is_framed = crate::body::framing(parts).is_some();
    let seal = found.as_ref().filter(|_| is_framed);
    let seal = seal.map(|credential| pitbird_sigv4::seal(&request, &credential.secret)).transpose()?;
    Ok(Identified { caller: caller(identity, found, true), seal })
}

/// Nobody's word is asked for on loopback, but a body must be what its head says: it may have been damaged on the way.
fn check_hash(parts: &Parts, body: &[u8]) -> Result<(), Error> {
    let announced = parts.headers.get("x-amz-content-sha256").and_then(|value| value.to_str().ok());
    let Some(announced) = announced.map(str::trim).filter(|word| word.len() == 64) else { return Ok(()) };
    let hash: String = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
    if hash == announced { Ok(()) } else { Err(Error::ContentSha256Mismatch) }
}

/// Who a request says it is from, taken at its word. Unsigned or unreadable, it is the default account's root.
fn claimed(request: &Request<'_>, lookup: &Lookup) -> Caller {
    match pitbird_sigv4::parse_identity(request) {
        Ok(identity) => {
            let credential = lookup(&identity.access_key_id);
            caller(identity, credential, false)
        }
        Err(_) => older(request).unwrap_or_else(|| Caller::root(Scope::default())),
    }
}

/// Who a URL presigned in the older way says it is from: SDKs still make them unless they are told which version to use.
fn older(request: &Request<'_>) -> Option<Caller> {
    let pairs = request.query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, key_id) = pairs.into_iter().find(|(name, _)| *name == "AWSAccessKeyId")?;
    let account = Account::parse(key_id)?;
    Some(Caller::root(Scope { account, region: Region::default() }))
}

fn caller(identity: Identity, credential: Option<Credential>, is_verified: bool) -> Caller {
    let account = match &credential {
        Some(credential) => credential.account.clone(),
        // A key of twelve digits names the account, as users of LocalStack know it.
        None => Account::parse(&identity.access_key_id).unwrap_or_default(),
    };
    let region = Region::parse(&identity.region).unwrap_or_default();
    let scope = Scope { account, region };
    let mut caller =
        Caller { is_verified, access_key_id: Some(identity.access_key_id), ..Caller::root(scope) };
    if let Some(Credential { principal, session_id, .. }) = credential {
        (caller.principal, caller.session_id) = (principal, session_id);
    }
    caller
}

fn fault(error: &Error, call: &wire::Call<'_>) -> Fault {
    if call.model.metadata.peculiar.bare_errors {
        return bare_fault(error);
    }
    let code = match error.kind() {
        Kind::MissingAuthenticationToken => "MissingAuthenticationTokenException",
        Kind::UnrecognizedClient => "UnrecognizedClientException",
        Kind::ExpiredToken => "ExpiredTokenException",
        Kind::InvalidSignature => "InvalidSignatureException",
        Kind::IncompleteSignature | Kind::Unsupported => "IncompleteSignatureException",
    };
    match (error, call.protocol) {
        // Source: IAM's and STS's common errors.
        (Error::MissingAuthenticationToken, Protocol::Query) => {
            Fault::new(code, "Request is missing Authentication Token")
        }
        _ => Fault::new(code, error.to_string()),
    }
}

/// The same facts in the words of the services whose errors are bare. Source: S3 API reference, "Error responses".
pub fn bare_fault(error: &Error) -> Fault {
    let told = error.to_string();
    let (code, words, status) = match error {
        Error::MissingAuthenticationToken => ("AccessDenied", "Access Denied", 403),
        Error::UnrecognizedClient => {
            ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403)
        }
        Error::ExpiredToken => ("ExpiredToken", "The provided token has expired.", 400),
        Error::SignatureExpired { is_presigned: true, .. } => ("AccessDenied", "Request has expired", 403),
        Error::SignatureExpired { .. } | Error::SignatureNotYetCurrent { .. } => (
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
            403,
        ),
        Error::ContentSha256Mismatch => ("XAmzContentSHA256Mismatch", told.as_str(), 400),
        Error::InvalidSignature { .. } => (
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
            403,
        ),
        Error::HeaderNotSigned { .. } | Error::HostNotSigned => ("AccessDenied", told.as_str(), 403),
        Error::Unsupported { .. } => ("NotImplemented", told.as_str(), 501),
        Error::WrongRegion { .. }
        | Error::WrongService { .. }
        | Error::WrongTerminator { .. }
        | Error::WrongDate { .. }
        | Error::IncompleteSignature(_) => ("AuthorizationHeaderMalformed", told.as_str(), 400),
    };
    Fault::new(code, words).with_status(status)
}
