//! Custom domains: what they may be, where their names would point with AWS, and how patches change one.

pub mod base_path;

use pitbird_names::{Scope, domain as names};
use pitbird_records::{DomainName, key};

use crate::Error;
use crate::find::Records;
use crate::patch::{Op, Patch};

/// What a server here can be told to ask of TLS. Newer words of AWS's are refused by name.
const SECURITY_POLICIES: [&str; 2] = ["TLS_1_0", "TLS_1_2"];
const ROUTING_MODES: [&str; 3] =
    ["BASE_PATH_MAPPING_ONLY", "ROUTING_RULE_ONLY", "ROUTING_RULE_THEN_BASE_PATH_MAPPING"];
/// The name that a domain's own name would be an alias of.
pub fn target(domain: &DomainName) -> String {
    names::target(&domain.scope, &domain.name, domain.endpoint_type == "REGIONAL")
}

/// Lower case, as hosts are compared.
pub fn parse_name(text: &str) -> Result<String, Error> {
    names::parse(text).ok_or_else(|| Error::DomainName(text.to_owned()))
}

/// Checks a domain as a whole.
pub fn check(domain: &DomainName) -> Result<(), Error> {
    match domain.endpoint_type.as_str() {
        "EDGE" | "REGIONAL" => {}
        "PRIVATE" => return Err(Error::unsupported("endpointConfiguration.types PRIVATE")),
        _ => return Err(Error::EndpointType),
    }
    if !["ipv4", "dualstack"].contains(&domain.ip_address_type.as_str()) {
        return Err(Error::IpAddressType);
    }
    match &domain.certificate_arn {
        None if domain.certificate_name.is_none() => return Err(Error::NoCertificate),
        Some(text) if !names::is_certificate(text) => return Err(Error::CertificateArn(text.clone())),
        _ => {}
    }
    if !SECURITY_POLICIES.contains(&domain.security_policy.as_str()) {
        return Err(Error::unsupported(format!("securityPolicy {}", domain.security_policy)));
    }
    match ROUTING_MODES.contains(&domain.routing_mode.as_str()) {
        true => Ok(()),
        false => Err(Error::RoutingMode),
    }
}

pub fn domain(records: &impl Records, scope: &Scope, name: &str) -> Result<DomainName, Error> {
    records.get(&key(scope, &[&name.to_ascii_lowercase()]))?.ok_or(Error::UnknownDomainName)
}

/// Applies one patch operation. [`check`] the domain after the last one.
pub fn apply(domain: &mut DomainName, patch: &Patch<'_>, now_ms: i64) -> Result<(), Error> {
    let pieces = patch.pieces();
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    let value = || patch.value.unwrap_or_default().to_owned();
    match pieces.as_slice() {
        ["endpointConfiguration", "types", _] => {
            return match patch.op {
                Op::Replace => {
                    domain.endpoint_type = value();
                    Ok(())
                }
                // A domain may be moved by adding a type and then removing the other; here it has one at a time.
                Op::Add => Err(Error::unsupported("a second endpoint type")),
                Op::Remove => Err(Error::NoEndpointType),
                _ => Err(Error::PatchOp),
            };
        }
        ["mutualTlsAuthentication", ..] => return Err(Error::unsupported("mutualTlsAuthentication")),
        ["ownershipVerificationCertificateArn"] => {
            return Err(Error::unsupported("ownershipVerificationCertificateArn"));
        }
        _ => patch.must_replace()?,
    }
    match pieces.as_slice() {
        ["certificateArn" | "regionalCertificateArn"] => {
            domain.certificate_arn = patch.text().map(str::to_owned);
            domain.certificate_uploaded_ms = Some(now_ms);
        }
        ["certificateName" | "regionalCertificateName"] => {
            domain.certificate_name = patch.text().map(str::to_owned);
        }
        ["securityPolicy"] => domain.security_policy = value(),
        ["routingMode"] => domain.routing_mode = value(),
        ["endpointConfiguration", "ipAddressType"] => domain.ip_address_type = value(),
        _ => return Err(patch.bad_path()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regional() -> DomainName {
        DomainName {
            scope: Scope::default(),
            name: "api.example.com".to_owned(),
            created_ms: 0,
            endpoint_type: "REGIONAL".to_owned(),
            ip_address_type: "ipv4".to_owned(),
            certificate_arn: Some("arn:aws:acm:us-east-1:000000000000:certificate/a".to_owned()),
            certificate_name: None,
            certificate_uploaded_ms: Some(0),
            security_policy: "TLS_1_2".to_owned(),
            routing_mode: "BASE_PATH_MAPPING_ONLY".to_owned(),
            tags: Default::default(),
        }
    }

    #[test]
    fn patches_reach_their_member() {
        let run = |op, path, value| {
            let mut domain = regional();
            let patched = apply(&mut domain, &Patch { op, path, value, from: None }, 7);
            patched.and_then(|()| check(&domain)).map(|()| domain).map_err(|error| error.to_string())
        };
        let arn = "arn:aws:acm:us-east-1:000000000000:certificate/b";
        let changed = run(Op::Replace, "/regionalCertificateArn", Some(arn)).expect("a certificate");
        assert_eq!(
            (changed.certificate_arn.as_deref(), changed.certificate_uploaded_ms),
            (Some(arn), Some(7))
        );
        let moved = run(Op::Replace, "/endpointConfiguration/types/REGIONAL", Some("EDGE")).expect("moved");
        assert_eq!(moved.endpoint_type, "EDGE");
        assert_eq!(
            run(Op::Replace, "/securityPolicy", Some("TLS_1_0")).expect("set").security_policy,
            "TLS_1_0"
        );
        for (op, path, value, text) in [
            (Op::Replace, "/domainName", Some("x"), "Invalid patch path /domainName"),
            (Op::Replace, "/certificateArn", Some("x"), "Invalid certificate ARN: x"),
            (
                Op::Replace,
                "/mutualTlsAuthentication/truststoreUri",
                Some("s3://a/b"),
                "mutualTlsAuthentication is not supported",
            ),
            (
                Op::Replace,
                "/endpointConfiguration/types/0",
                Some("PRIVATE"),
                "endpointConfiguration.types PRIVATE is not supported",
            ),
            (
                Op::Replace,
                "/securityPolicy",
                Some("SecurityPolicy_TLS13_2025_EDGE"),
                "securityPolicy SecurityPolicy_TLS13_2025_EDGE is not supported",
            ),
            (
                Op::Add,
                "/securityPolicy",
                Some("TLS_1_2"),
                "Invalid patch operation specified. Must be one of: [replace]",
            ),
        ] {
            assert_eq!(run(op, path, value).expect_err(text), text);
        }
    }
}
