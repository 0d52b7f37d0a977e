use percent_encoding::percent_decode_str;

use crate::find::Named;
use crate::{Error, plain};

/// What is copied, read from `x-amz-copy-source`: `bucket/key`, perhaps with a slash before it and a version behind it.
#[derive(Debug, PartialEq)]
pub struct CopySource {
    pub bucket: String,
    pub key: String,
}

impl CopySource {
    pub fn parse(header: &str) -> Result<CopySource, Error> {
        let bad = || Error::CopySource(header.to_owned());
        let (path, version) = match header.split_once("?versionId=") {
            Some((path, version)) => (path, Some(version)),
            None => (header, None),
        };
        plain::check_version(version)?;
        let path = percent_decode_str(path).decode_utf8().map_err(|_| bad())?;
        let (bucket, key) = path.strip_prefix('/').unwrap_or(&path).split_once('/').ok_or_else(bad)?;
        if bucket.is_empty() || key.is_empty() {
            return Err(bad());
        }
        Ok(CopySource { bucket: bucket.to_owned(), key: key.to_owned() })
    }

    /// The source's bucket, for the caller who names the other.
    pub fn named(&self, other: &Named, expected_owner: Option<String>) -> Named {
        Named { bucket: self.bucket.clone(), account: other.account.clone(), expected_owner }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_a_bucket_and_a_key() {
        for (header, key) in [
            ("b/k", "k"),
            ("/b/a/b", "a/b"),
            ("b/a%2Fb%20c+d", "a/b c+d"),
            ("b%2Fk", "k"),
            ("b/k?versionId=null", "k"),
            ("b/k%3FversionId=7", "k?versionId=7"),
        ] {
            let expected = CopySource { bucket: "b".into(), key: key.into() };
            assert_eq!(CopySource::parse(header).expect(header), expected, "{header}");
        }
        for header in ["", "b", "/b", "b/", "//k", "b/%ff", "b/k?versionId=7"] {
            assert!(CopySource::parse(header).is_err(), "{header}");
        }
    }
}
