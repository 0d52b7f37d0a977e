//! Client certificates: how API Gateway shows itself to HTTP backends.

use pitbird_records::ClientCertificate;
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, SerialNumber};
use time::OffsetDateTime;

use crate::Error;
use crate::patch::{Op, Patch};

/// Certificates in one account and region. Source: API Gateway quotas.
pub const CERTIFICATES_MAX: usize = 60;
/// Days that a certificate is good for. Source: API Gateway developer guide.
const DAYS: i64 = 365;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// When a certificate of this moment (epoch milliseconds) expires.
pub fn expires_ms(created_ms: i64) -> i64 {
    created_ms + DAYS * DAY_MS
}

/// A certificate that signs itself, and its private key, both PEM. The key comes from the system's own randomness.
pub fn generate(serial: u128, created_ms: i64) -> Result<(String, String), Error> {
    let failed = |error: rcgen::Error| Error::Certificate(error.to_string());
    let moment = |epoch_ms: i64| {
        OffsetDateTime::from_unix_timestamp(epoch_ms.div_euclid(1000))
            .map_err(|error| Error::Certificate(error.to_string()))
    };
    let mut params = CertificateParams::default();
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, "ApiGateway");
    name.push(DnType::OrganizationName, "pitbird");
    params.distinguished_name = name;
    params.not_before = moment(created_ms)?;
    params.not_after = moment(expires_ms(created_ms))?;
    params.serial_number = Some(SerialNumber::from_slice(&(serial >> 1).to_be_bytes()));
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate().map_err(failed)?;
    let certificate = params.self_signed(&key).map_err(failed)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

/// Applies one patch operation.
pub fn apply(certificate: &mut ClientCertificate, patch: &Patch<'_>) -> Result<(), Error> {
    match (patch.op, patch.path) {
        (Op::Replace, "/description") => {
            certificate.description = patch.text().map(str::to_owned);
            Ok(())
        }
        _ => Err(patch.not_one_of("/description")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_of_its_own_key() {
        let (certificate, key) = generate(u128::MAX, 1_600_000_000_500).expect("a certificate");
        assert!(certificate.starts_with("-----BEGIN CERTIFICATE-----"), "{certificate}");
        let key = KeyPair::from_pem(&key).expect("a key");
        let body: String = certificate.lines().filter(|line| !line.starts_with('-')).collect();
        use base64::Engine as _;
        let der = base64::engine::general_purpose::STANDARD.decode(body).expect("PEM");
        let public = key.public_key_raw();
        assert!(der.windows(public.len()).any(|window| window == public), "its public key is in it");
        let (other, _) = generate(1, 1_600_000_000_500).expect("a certificate");
        assert_ne!(certificate, other);
    }
}
