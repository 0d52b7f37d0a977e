//! The condensed AWS service models, embedded as data.
//!
//! Each service is `models/<key>.json`, botocore's model language without its documentation, and perhaps
//! `models/<key>.patch.json`, our deliberate deviations with their reasons. The texts are a megabyte, so they are deflated when this crate is
//! built, to a tenth, and inflated when `pitbird-wire` asks for a service. Nothing is parsed here. To bring the files up to date run
//! `cargo xtask models`.

use std::io::Read as _;

/// One embedded service.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    /// The file's stem, which is botocore's name of the service (`apigatewayv2`, `logs`).
    pub key: &'static str,
    /// The model's `metadata` alone, JSON; so knowing who a service is costs neither inflating nor parsing.
    pub metadata: &'static str,
    /// JSON: a list of deviations, each with its `reason`.
    pub patch: Option<&'static str>,
    deflated: &'static [u8],
}

impl Source {
    /// JSON: `metadata`, `operations`, `shapes`. Inflated anew by each call.
    pub fn model(&self) -> String {
        let mut text = String::new();
        let mut reader = flate2::read::DeflateDecoder::new(self.deflated);
        reader.read_to_string(&mut text).expect("a test inflates all embedded models");
        text
    }
}

macro_rules! source {
    ($key:literal) => {
        Source {
            key: $key,
            metadata: include_str!(concat!(env!("OUT_DIR"), "/", $key, ".metadata.json")),
            patch: None,
            deflated: include_bytes!(concat!(env!("OUT_DIR"), "/", $key, ".json.deflate")),
        }
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
    fn every_source_is_what_its_file_says() {
        for source in SOURCES {
            let path = format!("{}/../../models/{}.json", env!("CARGO_MANIFEST_DIR"), source.key);
            let text = source.model();
            assert_eq!(text, std::fs::read_to_string(path).unwrap(), "{}", source.key);
            assert!(
                source.metadata.contains("\"serviceId\":") && source.metadata.ends_with('}'),
                "{}",
                source.key
            );
            assert!(text.contains(source.metadata), "{}", source.key);
        }
    }

    #[test]
    fn a_service_is_found_by_its_key_only() {
        assert_eq!(source("logs").map(|source| source.key), Some("logs"));
        assert!(source("CloudWatch Logs").is_none());
    }
}
