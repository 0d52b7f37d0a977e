//! The condensed AWS service models, embedded as data.
//!
//! Each service is `models/<key>.json`, botocore's model language without its documentation, and perhaps
//! `models/<key>.patch.json`, our deliberate deviations with their reasons. Nothing is parsed here: the text stays in
//! the binary's read-only pages until `pitbird-wire` asks for a service. To bring the files up to date run
//! `cargo xtask models`.

/// One embedded service.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    /// The file's stem, which is botocore's name of the service (`apigatewayv2`, `logs`).
    pub key: &'static str,
    /// JSON: `metadata`, `operations`, `shapes`.
    pub model: &'static str,
    /// JSON: a list of deviations, each with its `reason`.
    pub patch: Option<&'static str>,
}

impl Source {
    /// The JSON text of `metadata` alone, which stands on a line of its own; so knowing who a service is costs no
    /// parsing of its shapes.
    pub fn metadata(&self) -> &'static str {
        let line = self.model.lines().find_map(|line| line.strip_prefix("\"metadata\":"));
        line.map_or("{}", |line| line.strip_suffix(',').unwrap_or(line))
    }
}

macro_rules! source {
    ($key:literal) => {
        Source { key: $key, model: include_str!(concat!("../../../models/", $key, ".json")), patch: None }
    };
    ($key:literal, patched) => {
        Source {
            patch: Some(include_str!(concat!("../../../models/", $key, ".patch.json"))),
            ..source!($key)
        }
    };
}

/// All services, in the order in which a request is tried against them; S3 comes last, since any path may be a bucket's.
pub const SOURCES: [Source; 11] = [
    source!("apigateway", patched),
    source!("apigatewayv2", patched),
    source!("cloudwatch", patched),
    source!("codedeploy"),
    source!("iam"),
    source!("lambda", patched),
    source!("logs", patched),
    source!("rollouts"),
    source!("sts"),
    source!("usage"),
    source!("s3", patched),
];

/// The service with this key.
pub fn source(key: &str) -> Option<&'static Source> {
    SOURCES.iter().find(|source| source.key == key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_has_its_metadata_on_one_line() {
        for source in SOURCES {
            assert!(source.metadata().contains("\"serviceId\":"), "{}", source.key);
            assert!(source.metadata().ends_with('}'), "{}", source.key);
        }
    }

    #[test]
    fn a_service_is_found_by_its_key_only() {
        assert_eq!(source("logs").map(|source| source.key), Some("logs"));
        assert!(source("CloudWatch Logs").is_none());
    }
}
