//! Names of custom domains, and where they would point with AWS. REST and HTTP APIs share them.

use crate::{Scope, arn, short_id};

/// Domains in one account and region. Source: API Gateway quotas.
pub const DOMAINS_MAX: usize = 120;
/// Mappings of one domain. Source: API Gateway quotas, "Multi-level API mappings per domain"; here it bounds all of them.
pub const MAPPINGS_MAX: usize = 200;
/// Longest path of a mapping, bytes. Source: API Gateway quotas.
pub const MAPPING_PATH_BYTES: usize = 300;
/// Longest name, bytes (RFC 1035).
const NAME_BYTES: usize = 253;
const LABEL_BYTES: usize = 63;
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
pub fn target(scope: &Scope, name: &str, is_regional: bool) -> String {
    // FNV-1a, 128 bits: no secret, just letters that differ from domain to domain.
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    let text = [scope.account.as_str(), "/", scope.region.as_str(), "/", name].concat();
    for byte in text.bytes() {
        hash = (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    }
    match is_regional {
        true => format!("d-{}.execute-api.{}.amazonaws.com", short_id(hash, 10), scope.region.as_str()),
        false => format!("d{}.cloudfront.net", short_id(hash, 13)),
    }
}

/// A host with at least two labels, maybe with `*.` before; lower case, as hosts are compared. `None` for what is none.
pub fn parse(text: &str) -> Option<String> {
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
    fits.then_some(name)
}

/// Can this be the ARN of a certificate of ACM's or IAM's?
pub fn is_certificate(text: &str) -> bool {
    arn::parse(text).is_some_and(|arn| {
        let id =
            arn.resource.strip_prefix("certificate/").or(arn.resource.strip_prefix("server-certificate/"));
        ["acm", "iam"].contains(&arn.service) && id.is_some_and(|id| !id.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_host() {
        assert_eq!(parse("API.Example.com").as_deref(), Some("api.example.com"));
        let longest = format!("{0}.{0}.{0}.{1}", "a".repeat(63), "b".repeat(61));
        for name in ["*.example.com", "a-b.c", &longest] {
            assert!(parse(name).is_some(), "{name}");
        }
        for name in [
            "",
            "localhost",
            "a..b",
            "-a.b",
            "a-.b",
            "*.*.b",
            "a_b.c",
            "a b.c",
            "*.a",
            &format!("{longest}b"),
        ] {
            assert!(parse(name).is_none(), "{name}");
        }
        assert!(parse(&format!("{}.b", "a".repeat(64))).is_none());
    }

    #[test]
    fn a_target_is_a_domains_own() {
        let scope = Scope::default();
        let of = |name| target(&scope, name, true);
        assert_eq!(of("a.example.com"), of("a.example.com"));
        assert_ne!(of("a.example.com"), of("b.example.com"));
        assert!(of("a.example.com").ends_with(".execute-api.us-east-1.amazonaws.com"));
        assert!(target(&scope, "a.example.com", false).ends_with(".cloudfront.net"));
        assert_eq!(regional_zone("us-east-1"), Some("Z1UJRXOUMOOFQ8"));
    }
}
