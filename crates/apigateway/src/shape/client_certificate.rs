use pitbird_records as records;
use pitbird_records::Texts;
use serde::Serialize;

use super::seconds;

/// The private key is not told.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientCertificate {
    client_certificate_id: String,
    description: Option<String>,
    pem_encoded_certificate: String,
    created_date: f64,
    expiration_date: f64,
    #[serde(skip_serializing_if = "Texts::is_empty")]
    tags: Texts,
}

impl From<records::ClientCertificate> for ClientCertificate {
    fn from(certificate: records::ClientCertificate) -> ClientCertificate {
        ClientCertificate {
            client_certificate_id: certificate.id,
            description: certificate.description,
            pem_encoded_certificate: certificate.certificate_pem,
            created_date: seconds(certificate.created_ms),
            expiration_date: seconds(certificate.expires_ms),
            tags: certificate.tags,
        }
    }
}
