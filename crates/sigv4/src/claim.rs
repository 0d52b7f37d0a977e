use crate::error::Error;
use crate::identity::Identity;
use crate::key::{ALGORITHM, TERMINATOR};
use crate::request::Request;
use crate::stamp::Stamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Names in one `SignedHeaders`; no client comes near.
const SIGNED_HEADERS_MAX: usize = 128;

/// What a request says of its own signature. Nothing in here is proven.
#[derive(Debug)]
pub(crate) struct Claim {
    pub identity: Identity,
    /// The scope's last word, `aws4_request` if all is well.
    pub terminator: String,
    /// Names in lower case.
    pub signed_headers: Vec<String>,
    pub signature: String,
    pub signed: Stamp,
    /// Seconds; presigned only.
    pub expires_s: Option<u64>,
}

/// Who a request says it is from, with nothing verified; for servers that take anybody's word.
pub fn parse_identity(request: &Request<'_>) -> Result<Identity, Error> {
    let raw = Raw::read(request)?;
    let Some(credential) = &raw.credential else { return Err(raw.incomplete()) };
    Ok(raw.identity(credential)?.0)
}

impl Claim {
    pub(crate) fn parse(request: &Request<'_>) -> Result<Claim, Error> {
        let raw = Raw::read(request)?;
        let (Some(credential), Some(signature), Some(signed_headers), Some(date)) =
            (&raw.credential, &raw.signature, &raw.signed_headers, &raw.date)
        else {
            return Err(raw.incomplete());
        };
        let (identity, terminator) = raw.identity(credential)?;
        let signed = Stamp::parse(date).ok_or_else(|| {
            Error::IncompleteSignature(format!("Date must be in ISO-8601 'basic format'. Got '{date}'."))
        })?;
        let signed_headers: Vec<String> =
            signed_headers.split(';').map(|name| name.trim().to_ascii_lowercase()).collect();
        if signed_headers.len() > SIGNED_HEADERS_MAX {
            let words = format!("At most {SIGNED_HEADERS_MAX} headers can be signed.");
            return Err(Error::IncompleteSignature(words));
        }
        let expires_s = raw.expires.as_deref().map(expires).transpose()?;
        Ok(Claim { identity, terminator, signed_headers, signature: signature.clone(), signed, expires_s })
    }
}

/// The parts of a claim as they came, from either form.
#[derive(Default)]
struct Raw {
    is_presigned: bool,
    algorithm: Option<String>,
    credential: Option<String>,
    signed_headers: Option<String>,
    signature: Option<String>,
    date: Option<String>,
    expires: Option<String>,
    token: Option<String>,
    /// The `Authorization` header, for messages.
    header: Vec<u8>,
}

impl Raw {
    fn read(request: &Request<'_>) -> Result<Raw, Error> {
        let presigned = Raw::from_query(request);
        let raw = match (request.header("authorization"), presigned) {
            (None, None) => return Err(Error::MissingAuthenticationToken),
            (Some(_), Some(_)) => {
                return Err(Error::IncompleteSignature(
                    "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.".into(),
                ));
            }
            (None, Some(raw)) => raw,
            (Some(header), None) => Raw::from_header(request, header)?,
        };
        match raw.algorithm.as_deref() {
            Some(ALGORITHM) | None => Ok(raw),
            Some(other) if other.starts_with("AWS4-") => Err(Error::Unsupported { what: other.to_owned() }),
            Some(other) => {
                Err(Error::IncompleteSignature(format!("Unsupported AWS 'algorithm': '{other}'.")))
            }
        }
    }

    /// `None` if the query string speaks of no signature at all.
    fn from_query(request: &Request<'_>) -> Option<Raw> {
        let mut raw = Raw { is_presigned: true, ..Raw::default() };
        for (name, value) in request.parameters() {
            let slot = match &*name {
                b"X-Amz-Algorithm" => &mut raw.algorithm,
                b"X-Amz-Credential" => &mut raw.credential,
                b"X-Amz-SignedHeaders" => &mut raw.signed_headers,
                b"X-Amz-Signature" => &mut raw.signature,
                b"X-Amz-Date" => &mut raw.date,
                b"X-Amz-Expires" => &mut raw.expires,
                b"X-Amz-Security-Token" => &mut raw.token,
                _ => continue,
            };
            slot.get_or_insert_with(|| String::from_utf8_lossy(&value).into_owned());
        }
        let speaks = raw.algorithm.is_some() || raw.credential.is_some() || raw.signature.is_some();
        speaks.then_some(raw)
    }

    fn from_header(request: &Request<'_>, header: &[u8]) -> Result<Raw, Error> {
        let text = |value: &[u8]| String::from_utf8_lossy(value).trim().to_owned();
        let mut raw = Raw {
            date: request.header("x-amz-date").or_else(|| request.header("date")).map(text),
            token: request.header("x-amz-security-token").map(text),
            header: header.to_vec(),
            ..Raw::default()
        };
        let authorization = text(header);
        let Some((algorithm, pairs)) = authorization.split_once(' ') else {
            raw.algorithm = Some(authorization).filter(|word| word != ALGORITHM);
            return Ok(raw);
        };
        raw.algorithm = Some(algorithm.to_owned());
        if algorithm != ALGORITHM {
            return Ok(raw);
        }
        for pair in pairs.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let Some((name, value)) = pair.split_once('=') else {
                return Err(Error::IncompleteSignature(format!(
                    "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and \
                     encoded with Base64): '{}'.",
                    raw.hash()
                )));
            };
            let slot = match name.trim() {
                "Credential" => &mut raw.credential,
                "SignedHeaders" => &mut raw.signed_headers,
                "Signature" => &mut raw.signature,
                _ => continue,
            };
            slot.get_or_insert_with(|| value.trim().to_owned());
        }
        Ok(raw)
    }

    fn identity(&self, credential: &str) -> Result<(Identity, String), Error> {
        let pieces: Vec<&str> = credential.split('/').collect();
        let [access_key_id, date, region, service, terminator] = pieces[..] else {
            return Err(Error::IncompleteSignature(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got \
                 '{credential}'"
            )));
        };
        let identity = Identity {
            access_key_id: access_key_id.into(),
            date: date.into(),
            region: region.into(),
            service: service.into(),
            is_presigned: self.is_presigned,
            session_token: self.token.clone(),
        };
        Ok((identity, terminator.into()))
    }

    /// Names all that is missing at once, as the service does.
    fn incomplete(&self) -> Error {
        let parts = [
            ("Algorithm", self.algorithm.is_none() && self.is_presigned),
            ("Credential", self.credential.is_none()),
            ("Signature", self.signature.is_none()),
            ("SignedHeaders", self.signed_headers.is_none()),
        ];
        let missing = parts.iter().filter(|(_, is_missing)| *is_missing).map(|(name, _)| name);
        let mut words = String::new();
        if self.is_presigned {
            missing.for_each(|name| {
                words += &format!("AWS query-string parameters must include 'X-Amz-{name}'. ")
            });
            if self.date.is_none() {
                words += "AWS query-string parameters must include 'X-Amz-Date'. ";
            }
            words += "Re-examine the query-string parameters.";
        } else {
            missing.for_each(|name| words += &format!("Authorization header requires '{name}' parameter. "));
            if self.date.is_none() {
                words +=
                    "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
            }
            words += &format!("(Hashed with SHA-256 and encoded with Base64) Authorization={}", self.hash());
        }
        Error::IncompleteSignature(words)
    }

    fn hash(&self) -> String {
        STANDARD.encode(Sha256::digest(&self.header))
    }
}

/// Seconds that a presigned URL lives.
fn expires(text: &str) -> Result<u64, Error> {
    let words = match text.parse::<i64>() {
        Ok(seconds @ 0..=crate::sign::EXPIRES_S_MAX_SIGNED) => return Ok(seconds.unsigned_abs()),
        Ok(..0) => "X-Amz-Expires must be non-negative",
        Ok(_) => {
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds"
        }
        Err(_) => "X-Amz-Expires should be a number",
    };
    Err(Error::IncompleteSignature(words.into()))
}

impl Claim {
    pub(crate) fn has_right_terminator(&self) -> bool {
        self.terminator == TERMINATOR
    }
}

#[cfg(test)]
mod tests;
