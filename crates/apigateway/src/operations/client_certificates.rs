//! Certificates by which API Gateway shows itself to HTTP backends.

mod delete_client_certificate;
mod generate_client_certificate;
mod get_client_certificate;
mod get_client_certificates;
mod update_client_certificate;

use pitbird_service::Builder;

use crate::State;

/// Hangs the family in.
pub fn hang(builder: Builder<State>) -> Builder<State> {
    builder
        .operation("DeleteClientCertificate", &[], delete_client_certificate::run)
        .operation("GenerateClientCertificate", &[], generate_client_certificate::run)
        .operation("GetClientCertificate", &[], get_client_certificate::run)
        .operation("GetClientCertificates", &[], get_client_certificates::run)
        .operation("UpdateClientCertificate", &[], update_client_certificate::run)
}
