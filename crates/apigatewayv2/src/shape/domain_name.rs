use pitbird_names::domain::{self, DISTRIBUTION_ZONE, regional_zone};
use pitbird_records as records;
use pitbird_records::Texts;
use serde::Serialize;

use super::seconds;
use crate::domain_name::told_mode;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DomainName {
    api_mapping_selection_expression: &'static str,
    domain_name: String,
    domain_name_arn: String,
    domain_name_configurations: [Configuration; 1],
    routing_mode: &'static str,
    tags: Texts,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Configuration {
    api_gateway_domain_name: String,
    certificate_arn: Option<String>,
    certificate_name: Option<String>,
    certificate_upload_date: Option<f64>,
    domain_name_status: &'static str,
    endpoint_type: String,
    hosted_zone_id: Option<&'static str>,
    ip_address_type: String,
    security_policy: String,
}

impl From<records::DomainName> for DomainName {
    fn from(domain: records::DomainName) -> DomainName {
        let is_regional = domain.endpoint_type == "REGIONAL";
        let region = domain.scope.region.as_str();
        let zone = if is_regional { regional_zone(region) } else { Some(DISTRIBUTION_ZONE) };
        // The guide's regional domains have no date.
        let uploaded_ms = domain.certificate_uploaded_ms.filter(|_| !is_regional);
        let configuration = Configuration {
            api_gateway_domain_name: domain::target(&domain.scope, &domain.name, is_regional),
            certificate_arn: domain.certificate_arn,
            certificate_name: domain.certificate_name,
            certificate_upload_date: uploaded_ms.map(seconds),
            domain_name_status: "AVAILABLE",
            endpoint_type: domain.endpoint_type,
            hosted_zone_id: zone,
            ip_address_type: domain.ip_address_type,
            security_policy: domain.security_policy,
        };
        DomainName {
            api_mapping_selection_expression: "$request.basepath",
            domain_name_arn: format!("arn:aws:apigateway:{region}::/domainnames/{}", domain.name),
            domain_name: domain.name,
            domain_name_configurations: [configuration],
            routing_mode: told_mode(&domain.routing_mode),
            tags: domain.tags,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ApiMapping {
    api_id: String,
    api_mapping_id: String,
    api_mapping_key: String,
    stage: Option<String>,
}

impl From<records::DomainMapping> for ApiMapping {
    fn from(mapping: records::DomainMapping) -> ApiMapping {
        ApiMapping {
            api_id: mapping.api_id,
            api_mapping_id: mapping.id,
            api_mapping_key: mapping.base_path,
            stage: mapping.stage,
        }
    }
}
