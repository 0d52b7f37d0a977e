use pitbird_records::{Revision, S3Revision};
use serde::{Deserialize, Serialize};

use crate::{Error, limits, revisions};

#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RevisionLocation {
    revision_type: Option<String>,
    s3_location: Option<S3Location>,
    string: Option<RawString>,
    app_spec_content: Option<RawString>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct S3Location {
    bucket: Option<String>,
    key: Option<String>,
    bundle_type: Option<String>,
    version: Option<String>,
    e_tag: Option<String>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
struct RawString {
    content: Option<String>,
    sha256: Option<String>,
}

impl RevisionLocation {
    pub fn parse(self) -> Result<Revision, Error> {
        let kind = self.revision_type.as_deref().unwrap_or_default();
        let missing =
            |member: &str| Error::revision(format!("A revision of type {kind} must have {member}."));
        match (kind, self.s3_location, self.string, self.app_spec_content) {
            ("AppSpecContent", None, None, given) => {
                let (content, sha256) = given.ok_or_else(|| missing("appSpecContent"))?.parse(kind)?;
                Ok(Revision::AppSpecContent { content, sha256 })
            }
            ("String", None, given, None) => {
                let (content, sha256) = given.ok_or_else(|| missing("string"))?.parse(kind)?;
                Ok(Revision::String { content, sha256 })
            }
            ("S3", given, None, None) => {
                given.ok_or_else(|| missing("s3Location"))?.parse().map(Revision::S3)
            }
            ("GitHub", ..) => Err(Error::Unsupported("A revision of type GitHub".to_owned())),
            ("", ..) => Err(Error::revision("The revision must have a revisionType.")),
            _ => Err(Error::revision(format!(
                "A revision of type {kind} can't have what belongs to another type."
            ))),
        }
    }
}

impl RawString {
    fn parse(self, kind: &str) -> Result<(String, Option<String>), Error> {
        let content = self.content.filter(|content| !content.is_empty());
        let content = content
            .ok_or_else(|| Error::revision(format!("A revision of type {kind} must have content.")))?;
        if content.len() > limits::APPSPEC_BYTES {
            return Err(Error::revision(format!(
                "The AppSpec is longer than {} bytes.",
                limits::APPSPEC_BYTES
            )));
        }
        let found = revisions::sha256_hex(content.as_bytes());
        match &self.sha256 {
            Some(given) if !given.eq_ignore_ascii_case(&found) => {
                Err(Error::revision("The sha256 is not that of the content."))
            }
            _ => Ok((content, self.sha256)),
        }
    }
}

impl S3Location {
    fn parse(self) -> Result<S3Revision, Error> {
        let given = |member: &str, value: Option<String>| {
            let value = value.filter(|value| !value.is_empty());
            value.ok_or_else(|| Error::revision(format!("s3Location must have a {member}.")))
        };
        let bundle = given("bundleType", self.bundle_type)?;
        if !matches!(&*bundle, "YAML" | "JSON") {
            return Err(Error::Unsupported(format!("s3Location.bundleType {bundle} of a Lambda deployment")));
        }
        Ok(S3Revision {
            bucket: given("bucket", self.bucket)?,
            key: given("key", self.key)?,
            bundle,
            version: self.version,
            etag: self.e_tag,
        })
    }
}

impl From<&Revision> for RevisionLocation {
    fn from(revision: &Revision) -> RevisionLocation {
        let raw = |content: &String, sha256: &Option<String>| {
            Some(RawString { content: Some(content.clone()), sha256: sha256.clone() })
        };
        match revision {
            Revision::AppSpecContent { content, sha256 } => RevisionLocation {
                revision_type: Some("AppSpecContent".to_owned()),
                app_spec_content: raw(content, sha256),
                ..RevisionLocation::default()
            },
            Revision::String { content, sha256 } => RevisionLocation {
                revision_type: Some("String".to_owned()),
                string: raw(content, sha256),
                ..RevisionLocation::default()
            },
            Revision::S3(S3Revision { bucket, key, bundle, version, etag }) => RevisionLocation {
                revision_type: Some("S3".to_owned()),
                s3_location: Some(S3Location {
                    bucket: Some(bucket.clone()),
                    key: Some(key.clone()),
                    bundle_type: Some(bundle.clone()),
                    version: version.clone(),
                    e_tag: etag.clone(),
                }),
                ..RevisionLocation::default()
            },
        }
    }
}
