//! S3's objects, and uploads of objects in parts. The content lies in the store as a blob.

use serde::{Deserialize, Serialize};

use crate::{Record, Texts};

/// An object as it is served.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Object {
    pub bucket: String,
    /// 1 to 1024 bytes of anything.
    pub key: String,
    pub content: Content,
    pub description: Description,
    /// Without quotes: MD5 in hex, and `-parts` behind it if the object was uploaded in parts.
    pub etag: String,
    pub modified_ms: i64,
    pub checksum: Checksum,
    /// Bytes of each part that the object was uploaded in; empty if it came whole.
    pub part_sizes: Vec<u64>,
}

impl Object {
    /// The key of an object's record.
    pub fn key_of(bucket: &str, key: &str) -> String {
        format!("{bucket}/{key}")
    }
}

impl Record for Object {
    const TABLE: &'static str = "object";
    fn key(&self) -> String {
        Object::key_of(&self.bucket, &self.key)
    }
}

/// Which bytes: the blob lies in the store under its hash.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// Lower-case hex.
    pub sha256_hex: String,
    pub size_bytes: u64,
}

/// What the uploader says of an object, given back with it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Description {
    pub content_type: Option<String>,
    pub content_encoding: Option<String>,
    pub content_language: Option<String>,
    pub content_disposition: Option<String>,
    pub cache_control: Option<String>,
    /// As it came; nothing is done with it.
    pub expires: Option<String>,
    /// `x-amz-meta-` headers by what follows that.
    pub metadata: Texts,
    pub tags: Texts,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Checksum {
    /// AWS's name: `CRC64NVME`, `SHA256`.
    pub algorithm: String,
    /// Base64; of composite ones with `-parts` behind it.
    pub value: String,
    /// Whether it is made of the parts' checksums and not of the bytes.
    pub is_composite: bool,
}

/// An object on its way, part by part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MultipartUpload {
    pub bucket: String,
    pub id: String,
    /// The object's key.
    pub object_key: String,
    pub started_ms: i64,
    pub description: Description,
    /// Of the object and of each part.
    pub algorithm: String,
    pub is_composite: bool,
    /// Whether the uploader chose the algorithm.
    pub is_algorithm_asked: bool,
}

impl MultipartUpload {
    pub fn key_of(bucket: &str, id: &str) -> String {
        format!("{bucket}/{id}")
    }
}

impl Record for MultipartUpload {
    const TABLE: &'static str = "multipart_upload";
    fn key(&self) -> String {
        MultipartUpload::key_of(&self.bucket, &self.id)
    }
}

/// A part that has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UploadedPart {
    pub bucket: String,
    pub upload_id: String,
    /// 1 to 10 000.
    pub number: u32,
    pub content: Content,
    /// Without quotes: MD5 in hex.
    pub etag: String,
    /// Base64, in the upload's algorithm.
    pub checksum: String,
    pub modified_ms: i64,
}

impl UploadedPart {
    /// The prefix of the keys of an upload's parts, which are in the order of their numbers.
    pub fn prefix_of(bucket: &str, upload_id: &str) -> String {
        format!("{bucket}/{upload_id}/")
    }

    pub fn key_of(bucket: &str, upload_id: &str, number: u32) -> String {
        format!("{}{number:05}", UploadedPart::prefix_of(bucket, upload_id))
    }
}

impl Record for UploadedPart {
    const TABLE: &'static str = "uploaded_part";
    fn key(&self) -> String {
        UploadedPart::key_of(&self.bucket, &self.upload_id, self.number)
    }
}
