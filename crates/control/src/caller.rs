use std::sync::Arc;

use http::header::HOST;
use http::request::Parts;
use pitbird_names::{Account, Region, Scope};
use pitbird_service::Caller;
use pitbird_sigv4::{Error, Expected, Identity, Kind, Payload, Request, Secret};
use pitbird_wire::Fault;

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
}

/// Finds an access key id's credential.
pub type Lookup = Arc<dyn Fn(&str) -> Option<Credential> + Send + Sync>;

/// Who calls.
pub(crate) fn identify(
    parts: &Parts,
    body: &[u8],
    signing_name: &str,
    now_epoch_s: u64,
    signatures: Signatures,
    lookup: &Lookup,
) -> Result<Caller, Fault> {
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
        return Ok(claimed(&request, lookup));
    }
    let mut found = None;
    let expected = Expected { service: Some(signing_name), region: None };
    let known = |id: &str| {
        found = lookup(id);
        found.as_ref().map(|credential| credential.secret.clone())
    };
    let identity = pitbird_sigv4::verify(&request, &Payload::Bytes(body), now_epoch_s, &expected, known);
    let identity = identity.map_err(|error| fault(&error))?;
    Ok(caller(identity, found, true))
}

/// Who a request says it is from, taken at its word. Unsigned or unreadable, it is the default account's root.
fn claimed(request: &Request<'_>, lookup: &Lookup) -> Caller {
    match pitbird_sigv4::parse_identity(request) {
        Ok(identity) => {
            let credential = lookup(&identity.access_key_id);
            caller(identity, credential, false)
        }
        Err(_) => Caller::root(Scope::default()),
    }
}

fn caller(identity: Identity, credential: Option<Credential>, is_verified: bool) -> Caller {
    let account = match &credential {
        Some(credential) => credential.account.clone(),
        // A key of twelve digits names the account, as users of LocalStack know it.
        None => Account::parse(&identity.access_key_id).unwrap_or_default(),
    };
    let region = Region::parse(&identity.region).unwrap_or_default();
    let scope = Scope { account, region };
    let principal = credential.map(|credential| credential.principal);
    let mut caller =
        Caller { is_verified, access_key_id: Some(identity.access_key_id), ..Caller::root(scope) };
    if let Some(principal) = principal {
        caller.principal = principal;
    }
    caller
}

fn fault(error: &Error) -> Fault {
    let code = match error.kind() {
        Kind::MissingAuthenticationToken => "MissingAuthenticationTokenException",
        Kind::UnrecognizedClient => "UnrecognizedClientException",
        Kind::ExpiredToken => "ExpiredTokenException",
        Kind::InvalidSignature => "InvalidSignatureException",
        Kind::IncompleteSignature | Kind::Unsupported => "IncompleteSignatureException",
    };
    Fault::new(code, error.to_string())
}
