//! What an object is made of and how it is shown.

use pitbird_records::object::Description;
use pitbird_records::{Object, Texts};
use pitbird_wire::Blob;
use serde::Serialize;

use crate::checksum::{self, Sums};
use crate::{Error, plain};

/// An object's key, bytes. Source: S3 user guide, "Naming objects".
const KEY_BYTES_MAX: usize = 1024;
/// All names and values of user-defined metadata together, bytes. Source: S3 user guide, "User-defined metadata".
const METADATA_BYTES_MAX: usize = 2048;
/// What an object is if nobody says.
const CONTENT_TYPE: &str = "binary/octet-stream";

/// May an object have this key?
pub fn check_key(key: &str) -> Result<(), Error> {
    match key.len() {
        size if size > KEY_BYTES_MAX => Err(Error::KeyTooLong { size, limit: KEY_BYTES_MAX }),
        _ => Ok(()),
    }
}

/// May an object have this metadata?
pub fn check_metadata(metadata: &Texts) -> Result<(), Error> {
    let size = metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    match size {
        size if size > METADATA_BYTES_MAX => Err(Error::MetadataTooLarge { size, limit: METADATA_BYTES_MAX }),
        _ => Ok(()),
    }
}

/// Takes what describes an object out of an input that has these members.
macro_rules! description {
    ($input:expr) => {{
        let metadata = $input.metadata.take().unwrap_or_default();
        $crate::object::check_metadata(&metadata)?;
        pitbird_records::object::Description {
            content_type: $input.content_type.take(),
            content_encoding: $input.content_encoding.take(),
            content_language: $input.content_language.take(),
            content_disposition: $input.content_disposition.take(),
            cache_control: $input.cache_control.take(),
            expires: $input.expires.take(),
            metadata,
            tags: $crate::tags::from_header($input.tagging.as_deref())?,
        }
    }};
}
pub(crate) use description;

/// An ETag as it is written: in quotes.
pub fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

/// Seconds since 1970, whole ones as S3 counts them.
pub fn seconds(ms: i64) -> f64 {
    ms.div_euclid(1000) as f64
}

/// An object as `GetObject` and `HeadObject` show it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Shown {
    pub body: Option<Blob>,
    pub status_code: Option<u16>,
    pub content_range: Option<String>,
    pub content_length: u64,
    pub parts_count: Option<usize>,
    pub content_type: String,
    pub content_encoding: Option<String>,
    pub content_language: Option<String>,
    pub content_disposition: Option<String>,
    pub cache_control: Option<String>,
    pub expires: Option<String>,
    pub metadata: Texts,
    pub tag_count: Option<usize>,
    #[serde(rename = "ETag")]
    etag: String,
    last_modified: f64,
    accept_ranges: &'static str,
    server_side_encryption: &'static str,
    #[serde(flatten)]
    pub sums: Sums,
    pub checksum_type: Option<&'static str>,
}

impl Shown {
    /// A whole object, without its content.
    pub fn of(object: &Object, wants_checksum: bool) -> Shown {
        let Description {
            content_type,
            content_encoding,
            content_language,
            content_disposition,
            cache_control,
            expires,
            metadata,
            tags,
        } = object.description.clone();
        let checksum = wants_checksum.then_some(&object.checksum);
        Shown {
            body: None,
            status_code: None,
            content_range: None,
            content_length: object.content.size_bytes,
            parts_count: None,
            content_type: content_type.unwrap_or_else(|| CONTENT_TYPE.to_owned()),
            content_encoding,
            content_language,
            content_disposition,
            cache_control,
            expires,
            metadata,
            tag_count: (!tags.is_empty()).then_some(tags.len()),
            etag: quoted(&object.etag),
            last_modified: seconds(object.modified_ms),
            accept_ranges: "bytes",
            server_side_encryption: plain::ENCRYPTION,
            sums: checksum.map(Sums::shown).unwrap_or_default(),
            checksum_type: checksum.map(|checksum| checksum::kind(checksum.is_composite)),
        }
    }

    /// Only some bytes of it, whose checksum isn't the object's.
    pub fn part(mut self, range: &std::ops::Range<u64>) -> Shown {
        let size = self.content_length;
        self.status_code = Some(206);
        self.content_range = Some(format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1)));
        self.content_length = range.end - range.start;
        self.sums = Sums::default();
        self.checksum_type = None;
        self
    }
}
