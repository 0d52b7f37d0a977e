//! Custom domains. A domain is one thing with REST APIs' own: what is made here is seen there, and the other way round.

use pitbird_names::{Scope, domain as names};
use pitbird_records::{DomainMapping, DomainName, RoutingRule, key, prefix};
use serde::Deserialize;

use crate::Error;
use crate::find::Records;

/// How the record's words for who is asked, those of REST APIs, are spelled here.
const ROUTING_MODES: [(&str, &str); 3] = [
    ("API_MAPPING_ONLY", "BASE_PATH_MAPPING_ONLY"),
    ("ROUTING_RULE_ONLY", "ROUTING_RULE_ONLY"),
    ("ROUTING_RULE_THEN_API_MAPPING", "ROUTING_RULE_THEN_BASE_PATH_MAPPING"),
];

/// How a domain is reached. A domain has exactly one.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Configuration {
    certificate_arn: Option<String>,
    certificate_name: Option<String>,
    endpoint_type: Option<String>,
    ip_address_type: Option<String>,
    security_policy: Option<String>,
}

impl Configuration {
    /// The one of a list.
    pub fn only(mut configurations: Vec<Configuration>) -> Result<Configuration, Error> {
        match (configurations.pop(), configurations.is_empty()) {
            (Some(only), true) => Ok(only),
            _ => Err(Error::Configurations),
        }
    }

    /// Changes a domain as far as something is said. [`check`] it afterwards.
    pub fn apply(self, domain: &mut DomainName, now_ms: i64) {
        let said = |text: Option<String>| text.filter(|text| !text.is_empty());
        if let Some(arn) = said(self.certificate_arn) {
            domain.certificate_uploaded_ms = Some(now_ms);
            domain.certificate_arn = Some(arn);
        }
        if let Some(name) = said(self.certificate_name) {
            domain.certificate_name = Some(name);
        }
        for (member, value) in [
            (&mut domain.endpoint_type, self.endpoint_type),
            (&mut domain.ip_address_type, self.ip_address_type),
            (&mut domain.security_policy, self.security_policy),
        ] {
            if let Some(value) = value {
                *member = value;
            }
        }
    }
}

/// A domain of which nothing is said yet.
pub fn fresh(scope: Scope, name: &str, now_ms: i64) -> Result<DomainName, Error> {
    Ok(DomainName {
        scope,
        name: names::parse(name).ok_or_else(|| Error::DomainName(name.to_owned()))?,
        created_ms: now_ms,
        endpoint_type: "REGIONAL".to_owned(),
        ip_address_type: "ipv4".to_owned(),
        certificate_arn: None,
        certificate_name: None,
        certificate_uploaded_ms: Some(now_ms),
        security_policy: "TLS_1_2".to_owned(),
        routing_mode: "BASE_PATH_MAPPING_ONLY".to_owned(),
        tags: Default::default(),
    })
}

/// Checks a domain as a whole.
pub fn check(domain: &DomainName) -> Result<(), Error> {
    if domain.security_policy == "TLS_1_0" {
        return Err(Error::OldTls);
    }
    check_managed(domain)?;
    match &domain.certificate_arn {
        None if domain.certificate_name.is_none() => Err(Error::NoCertificate),
        Some(text) if !names::is_certificate(text) => Err(Error::CertificateArn(text.clone())),
        _ => Ok(()),
    }
}

/// Is this a domain that this service may change? Others it only shows.
pub fn check_managed(domain: &DomainName) -> Result<(), Error> {
    match domain.endpoint_type == "REGIONAL" && domain.security_policy == "TLS_1_2" {
        true => Ok(()),
        false => Err(Error::NotManaged),
    }
}

/// The record's word for a routing mode; the model has checked that it is one.
pub fn routing_mode(text: &str) -> Option<&'static str> {
    ROUTING_MODES.iter().find(|(own, _)| *own == text).map(|(_, kept)| *kept)
}

/// The routing mode as it is told here.
pub fn told_mode(kept: &str) -> &'static str {
    ROUTING_MODES.iter().find(|(_, known)| *known == kept).map_or("API_MAPPING_ONLY", |(own, _)| own)
}

pub fn find(records: &impl Records, scope: &Scope, name: &str) -> Result<DomainName, Error> {
    records.get(&key(scope, &[&name.to_ascii_lowercase()]))?.ok_or(Error::UnknownDomainName)
}

pub fn mappings(records: &impl Records, domain: &DomainName) -> Result<Vec<DomainMapping>, Error> {
    Ok(records.list(&prefix(&domain.scope, &[&domain.name]))?)
}

pub fn rules(records: &impl Records, domain: &DomainName) -> Result<Vec<RoutingRule>, Error> {
    Ok(records.list(&prefix(&domain.scope, &[&domain.name]))?)
}

/// Refuses to let go of an API, or of one stage of it, that a domain's mapping leads to. Routing rules lead to no HTTP API.
pub fn check_unmapped(
    records: &impl Records,
    scope: &Scope,
    api_id: &str,
    stage: Option<&str>,
) -> Result<(), Error> {
    let mut mappings = records.list::<DomainMapping>(&prefix(scope, &[]))?.into_iter();
    let leads = mappings
        .any(|mapping| mapping.api_id == api_id && (stage.is_none() || mapping.stage.as_deref() == stage));
    match (leads, stage) {
        (false, _) => Ok(()),
        (true, Some(stage)) => Err(Error::StageMapped(stage.to_owned())),
        (true, None) => Err(Error::ApiMapped(api_id.to_owned())),
    }
}
