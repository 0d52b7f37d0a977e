//! Custom domains: what they may be, where their names would point with AWS, and how patches change one.

pub mod base_path;

use pitbird_names::{Scope, arn, short_id};
use pitbird_records::{DomainName, key};

use crate::Error;
use crate::find::Records;
use crate::patch::{Op, Patch};

/// Domains in one account and region. Source: API Gateway quotas.
pub const DOMAINS_MAX: usize = 120;
/// Longest name, bytes (RFC 1035).
const NAME_BYTES: usize = 253;
const LABEL_BYTES: usize = 63;
/// What a server here can be told to ask of TLS. Newer words of AWS's are refused by name.
const SECURITY_POLICIES: [&str; 2] = ["TLS_1_0", "TLS_1_2"];
const ROUTING_MODES: [&str; 3] =
    ["BASE_PATH_MAPPING_ONLY", "ROUTING_RULE_ONLY", "ROUTING_RULE_THEN_BASE_PATH_MAPPING"];
/// The hosted zone of all CloudFront distributions. Source: Route 53 API reference.
pub const DISTRIBUTION_ZONE: &str = "Z2FDTNDATAQYW2";
/// Hosted zones of regional endpoints. Source: AWS General Reference, "Amazon API Gateway endpoints".
const REGIONAL_ZONES: [(&str, &str); 12] = [
    ("us-east-1", "Z1UJRXOUMOOFQ8"),
    ("us-east-2", "ZOJJZC49E0EPZ"),
    ("us-west-1", "Z2MUQ32089INYE"),
    ("us-west-2", "Z2OJLYMUO9EFXC"),
    ("eu-west-1", "ZLY8HYME6SFDD"),
    ("eu-west-2", "ZJ5UAJN8Y3Z2Q"),
    ("eu-central-1", "Z1U9ULNL0V5AJ3"),
    ("ap-southeast-1", "ZL327KTPIQFUL"),
    ("ap-southeast-2", "Z2RPCDW04V8134"),
    ("ap-northeast-1", "Z1YSHQZHG15GKL"),
    ("ap-south-1", "Z3VO1THU9YC4UR"),
    ("sa-east-1", "ZCMLWB8V5SYIT"),
];

/// The hosted zone of a region's endpoints, where it is known.
pub fn regional_zone(region: &str) -> Option<&'static str> {
    REGIONAL_ZONES.iter().find(|(name, _)| *name == region).map(|(_, zone)| *zone)
}

/// The name that a domain's own name would be an alias of: the same for its whole life, as it is made of its own name.
pub fn target(domain: &DomainName) -> String {
    // FNV-1a, 128 bits: no secret, just letters that differ from domain to domain.
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    for byte in key(&domain.scope, &[&domain.name]).bytes() {
        hash = (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    }
    match domain.endpoint_type.as_str() {
        "REGIONAL" => {
            format!("d-{}.execute-api.{}.amazonaws.com", short_id(hash, 10), domain.scope.region.as_str())
        }
        _ => format!("d{}.cloudfront.net", short_id(hash, 13)),
    }
}

/// Lower case, as hosts are compared.
pub fn parse_name(text: &str) -> Result<String, Error> {
    let name = text.to_ascii_lowercase();
    let bare = name.strip_prefix("*.").unwrap_or(&name);
    let is_label = |label: &str| {
        let letters = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        letters
            && (1..=LABEL_BYTES).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let fits = bare.len() <= NAME_BYTES && bare.contains('.') && bare.split('.').all(is_label);
    if fits { Ok(name) } else { Err(Error::DomainName(text.to_owned())) }
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
        Some(text) if !is_certificate(text) => return Err(Error::CertificateArn(text.clone())),
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

fn is_certificate(text: &str) -> bool {
    arn::parse(text).is_some_and(|arn| {
        let id =
            arn.resource.strip_prefix("certificate/").or(arn.resource.strip_prefix("server-certificate/"));
        ["acm", "iam"].contains(&arn.service) && id.is_some_and(|id| !id.is_empty())
    })
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
    fn a_name_is_a_host() {
        assert_eq!(parse_name("API.Example.com").expect("a name"), "api.example.com");
        let longest = format!("{0}.{0}.{0}.{1}", "a".repeat(63), "b".repeat(61));
        for name in ["*.example.com", "a-b.c", &longest] {
            assert!(parse_name(name).is_ok(), "{name}");
        }
        for name in
            ["", "localhost", "a..b", "-a.b", "a-.b", "*.*.b", "a_b.c", "a b.c", &format!("{longest}b")]
        {
            assert!(parse_name(name).is_err(), "{name}");
        }
        assert!(parse_name(&format!("{}.b", "a".repeat(64))).is_err());
    }

    #[test]
    fn a_target_is_the_domains_own() {
        let one = target(&regional());
        assert!(one.starts_with("d-") && one.ends_with(".execute-api.us-east-1.amazonaws.com"));
        assert_eq!(one, target(&regional()));
        assert_ne!(one, target(&DomainName { name: "b.example.com".to_owned(), ..regional() }));
        let edge = target(&DomainName { endpoint_type: "EDGE".to_owned(), ..regional() });
        assert!(edge.ends_with(".cloudfront.net"));
        assert_eq!(regional_zone("us-east-1"), Some("Z1UJRXOUMOOFQ8"));
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
