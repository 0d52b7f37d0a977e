use pitbird_names::domain::{DISTRIBUTION_ZONE, regional_zone};
use pitbird_records as records;
use pitbird_records::Texts;
use serde::Serialize;

use super::seconds;
use crate::domain_name::{self, base_path};

/// What is said of a regional domain, and what of an edge-optimised one, differs by its members' names.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DomainName {
    domain_name: String,
    certificate_name: Option<String>,
    certificate_arn: Option<String>,
    certificate_upload_date: Option<f64>,
    regional_domain_name: Option<String>,
    regional_hosted_zone_id: Option<&'static str>,
    regional_certificate_name: Option<String>,
    regional_certificate_arn: Option<String>,
    distribution_domain_name: Option<String>,
    distribution_hosted_zone_id: Option<&'static str>,
    endpoint_configuration: EndpointConfiguration,
    domain_name_status: &'static str,
    security_policy: String,
    #[serde(skip_serializing_if = "Texts::is_empty")]
    tags: Texts,
    routing_mode: String,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct EndpointConfiguration {
    types: Vec<String>,
    ip_address_type: String,
}

impl From<records::DomainName> for DomainName {
    fn from(domain: records::DomainName) -> DomainName {
        let target = Some(domain_name::target(&domain));
        let mut shape = match domain.endpoint_type.as_str() {
            "REGIONAL" => DomainName {
                regional_domain_name: target,
                regional_hosted_zone_id: regional_zone(domain.scope.region.as_str()),
                regional_certificate_name: domain.certificate_name,
                regional_certificate_arn: domain.certificate_arn,
                ..DomainName::default()
            },
            _ => DomainName {
                distribution_domain_name: target,
                distribution_hosted_zone_id: Some(DISTRIBUTION_ZONE),
                certificate_name: domain.certificate_name,
                certificate_arn: domain.certificate_arn,
                ..DomainName::default()
            },
        };
        shape.domain_name = domain.name;
        shape.certificate_upload_date = domain.certificate_uploaded_ms.map(seconds);
        shape.endpoint_configuration = EndpointConfiguration {
            types: vec![domain.endpoint_type],
            ip_address_type: domain.ip_address_type,
        };
        shape.domain_name_status = "AVAILABLE";
        shape.security_policy = domain.security_policy;
        shape.tags = domain.tags;
        shape.routing_mode = domain.routing_mode;
        shape
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BasePathMapping {
    base_path: String,
    rest_api_id: String,
    stage: Option<String>,
}

impl From<records::DomainMapping> for BasePathMapping {
    fn from(mapping: records::DomainMapping) -> BasePathMapping {
        BasePathMapping {
            base_path: base_path::told(&mapping.base_path).to_owned(),
            rest_api_id: mapping.api_id,
            stage: mapping.stage,
        }
    }
}
