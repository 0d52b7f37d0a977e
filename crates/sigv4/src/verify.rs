use crate::claim::Claim;
use crate::error::Error;
use crate::frames::{Framing, Seal};
use crate::identity::{Expected, Identity, Secret, is_s3};
use crate::request::{Payload, Request};
use crate::stamp::Stamp;
use crate::{canonical, key};
use hmac::Mac;

/// How far the clocks of client and server may be apart, seconds.
const SKEW_S: u64 = 5 * 60;
/// The same for S3.
const SKEW_S3_S: u64 = 15 * 60;

/// Headers that need not be signed although their names begin with `x-amz-`: date and hash are part of what is signed
/// anyway, the token is compared, and a CDN on the way adds its id.
const NEED_NO_SIGNATURE: [&str; 4] =
    ["x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "x-amz-cf-id"];

/// Proves that a request comes from who it says and is as it was sent.
///
/// Of a framed body ([`Framing`]) the head alone is proven; [`seal`] proves the frames.
///
/// `lookup` gives the secret of an access key id. `now_epoch_s` is in seconds since 1970. The body is hashed only once
/// key, scope and time are good.
pub fn verify(
    request: &Request<'_>,
    payload: &Payload<'_>,
    now_epoch_s: u64,
    expected: &Expected<'_>,
    lookup: impl FnOnce(&str) -> Option<Secret>,
) -> Result<Identity, Error> {
    let claim = Claim::parse(request)?;
    let now = Stamp::new(now_epoch_s);
    let secret = lookup(&claim.identity.access_key_id).ok_or(Error::UnrecognizedClient)?;
    check_scope(&claim, expected)?;
    check_time(&claim, now)?;
    check_session(&claim.identity, &secret, now)?;
    check_signed_headers(request, &claim)?;
    let hash = payload_hash(request, payload, &claim.identity)?;
    check_signature(request, &claim, &secret, &hash)?;
    Ok(claim.identity)
}

/// What proves the frames of a request that [`verify`] has let pass.
pub fn seal(request: &Request<'_>, secret: &Secret) -> Result<Seal, Error> {
    let Claim { identity, signature, signed, .. } = Claim::parse(request)?;
    Ok(Seal::new(&secret.secret_access_key, &identity, signed, signature))
}

fn check_scope(claim: &Claim, expected: &Expected<'_>) -> Result<(), Error> {
    let Identity { date, region, service, .. } = &claim.identity;
    if !claim.has_right_terminator() {
        return Err(Error::WrongTerminator { given: claim.terminator.clone() });
    }
    if region.is_empty() || expected.region.is_some_and(|wanted| wanted != region) {
        return Err(Error::WrongRegion { given: region.clone() });
    }
    if let Some(wanted) = expected.service
        && wanted != service
    {
        return Err(Error::WrongService { expected: wanted.into() });
    }
    if *date != claim.signed.date() {
        return Err(Error::WrongDate { scope: date.clone(), signed: claim.signed });
    }
    Ok(())
}

/// A header signature lives as long as clocks may differ; a presigned one as long as it says.
fn check_time(claim: &Claim, now: Stamp) -> Result<(), Error> {
    let skew_s = if is_s3(&claim.identity.service) { SKEW_S3_S } else { SKEW_S };
    let signed = claim.signed;
    let earliest = |allowed_s: u64| Stamp::new(now.epoch_s().saturating_sub(allowed_s));
    let latest = Stamp::new(now.epoch_s() + skew_s);
    let life_s = claim.expires_s.unwrap_or(skew_s);
    if signed < earliest(life_s) {
        let (limit, is_presigned) = (earliest(life_s), claim.identity.is_presigned);
        return Err(Error::SignatureExpired { signed, limit, now, allowed_s: life_s, is_presigned });
    }
    if signed > latest {
        return Err(Error::SignatureNotYetCurrent { signed, limit: latest, now, allowed_s: skew_s });
    }
    Ok(())
}

fn check_session(identity: &Identity, secret: &Secret, now: Stamp) -> Result<(), Error> {
    match (&secret.session, &identity.session_token) {
        (None, None) => Ok(()),
        (Some(session), Some(token)) if key::is_same(&session.token, token) => {
            if now.epoch_s() < session.expires_epoch_s { Ok(()) } else { Err(Error::ExpiredToken) }
        }
        _ => Err(Error::UnrecognizedClient),
    }
}

/// What chooses the operation and the host must be covered.
fn check_signed_headers(request: &Request<'_>, claim: &Claim) -> Result<(), Error> {
    let is_signed = |name: &str| claim.signed_headers.iter().any(|signed| signed.eq_ignore_ascii_case(name));
    if !is_signed("host") {
        return Err(Error::HostNotSigned);
    }
    for (name, _) in request.headers {
        let is_aws = name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("x-amz-"));
        let needs = is_aws && !NEED_NO_SIGNATURE.iter().any(|free| free.eq_ignore_ascii_case(name));
        if needs && !is_signed(name) {
            return Err(Error::HeaderNotSigned { name: name.to_ascii_lowercase() });
        }
    }
    Ok(())
}

/// The payload's part of the canonical request. S3's clients may say that they did not sign it; what others announce
/// must be the body's hash.
fn payload_hash(request: &Request<'_>, payload: &Payload<'_>, identity: &Identity) -> Result<String, Error> {
    const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
    let header = request.header("x-amz-content-sha256").map(String::from_utf8_lossy);
    let announced = header.map(|header| header.trim().to_owned());
    if is_s3(&identity.service) {
        let in_query = || {
            let found = request.parameters().find(|(name, _)| &**name == b"X-Amz-Content-Sha256");
            found.map(|(_, value)| String::from_utf8_lossy(&value).into_owned())
        };
        let announced = announced.or_else(|| if identity.is_presigned { in_query() } else { None });
        match announced {
            None if identity.is_presigned => return Ok(UNSIGNED.into()),
            Some(word) if word == UNSIGNED || Framing::parse(&word).is_some() => return Ok(word),
            Some(word) if word.starts_with("STREAMING-") => return Err(Error::Unsupported { what: word }),
            announced => return same_hash(announced, payload),
        }
    }
    same_hash(announced, payload)
}

fn same_hash(announced: Option<String>, payload: &Payload<'_>) -> Result<String, Error> {
    let hash = payload.sha256_hex();
    match announced {
        Some(announced) if announced != hash => Err(Error::ContentSha256Mismatch),
        _ => Ok(hash),
    }
}

fn check_signature(
    request: &Request<'_>,
    claim: &Claim,
    secret: &Secret,
    payload: &str,
) -> Result<(), Error> {
    let signed: Vec<&str> = claim.signed_headers.iter().map(String::as_str).collect();
    let mut first = None;
    for path in canonical::paths(request.path, &claim.identity.service) {
        let canonical_request = canonical::request(&path, request, &signed, payload);
        let string_to_sign = key::string_to_sign(claim.signed, &claim.identity, &canonical_request);
        let mac = key::signature(&secret.secret_access_key, &claim.identity, &string_to_sign);
        // Compares in constant time.
        if from_hex(&claim.signature).is_some_and(|given| mac.verify_slice(&given).is_ok()) {
            return Ok(());
        }
        first.get_or_insert((canonical_request, string_to_sign));
    }
    let (canonical_request, string_to_sign) = first.expect("a path has a canonical form");
    let canonical_request = String::from_utf8_lossy(&canonical_request).into_owned();
    Err(Error::InvalidSignature { canonical_request, string_to_sign })
}

/// Reads 64 digits; capitals are no signature, as for the service.
fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
