//! One file per operation: its input, its output, one function.

mod abort_multipart_upload;
mod complete_multipart_upload;
mod copy_object;
mod create_bucket;
mod create_multipart_upload;
mod delete_bucket;
mod delete_bucket_encryption;
mod delete_bucket_ownership_controls;
mod delete_bucket_policy;
mod delete_bucket_tagging;
mod delete_object;
mod delete_object_tagging;
mod delete_objects;
mod delete_public_access_block;
mod get_bucket_accelerate_configuration;
mod get_bucket_acl;
mod get_bucket_cors;
mod get_bucket_encryption;
mod get_bucket_lifecycle_configuration;
mod get_bucket_location;
mod get_bucket_logging;
mod get_bucket_notification_configuration;
mod get_bucket_ownership_controls;
mod get_bucket_policy;
mod get_bucket_policy_status;
mod get_bucket_replication;
mod get_bucket_request_payment;
mod get_bucket_tagging;
mod get_bucket_versioning;
mod get_bucket_website;
mod get_object;
mod get_object_acl;
mod get_object_lock_configuration;
mod get_object_tagging;
mod get_public_access_block;
mod head_bucket;
mod head_object;
mod list_buckets;
mod list_multipart_uploads;
mod list_object_versions;
mod list_objects;
mod list_objects_v2;
mod list_parts;
mod put_bucket_encryption;
mod put_bucket_ownership_controls;
mod put_bucket_policy;
mod put_bucket_tagging;
mod put_object;
mod put_object_tagging;
mod put_public_access_block;
mod upload_part;
mod upload_part_copy;

use pitbird_service::{Builder, Harmless};
use serde::{Deserialize, Serialize};

use crate::State;

/// Who owns what is in a bucket, in AWS's word: its owner, without ACLs.
const OWNERSHIP: &str = "BucketOwnerEnforced";

/// That a requester would pay changes nothing where nobody pays.
const FREE: Harmless = &["RequestPayer"];
/// The length of what has come whole is known.
const SENT: Harmless = &["RequestPayer", "ContentLength"];
/// A body that is a document was held against these before it was read.
const CHECKED: Harmless = &["RequestPayer", "ContentMD5", "ChecksumAlgorithm"];

/// As before; and no policy that is taken keeps its bucket's owner out.
const POLICY: Harmless = &["ContentMD5", "ChecksumAlgorithm", "ConfirmRemoveSelfBucketAccess"];

/// An input that names a bucket.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OfBucket {
    bucket: String,
    expected_bucket_owner: Option<String>,
}

/// An input that names an object.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OfObject {
    bucket: String,
    key: String,
    version_id: Option<String>,
    expected_bucket_owner: Option<String>,
}

/// An output without members.
#[derive(Debug, Serialize)]
pub struct Nothing {}

/// Hangs all operations in.
pub fn hang(builder: Builder<State>) -> Builder<State> {
    builder
        .operation("AbortMultipartUpload", FREE, abort_multipart_upload::run)
        .operation("CompleteMultipartUpload", FREE, complete_multipart_upload::run)
        .operation("CopyObject", FREE, copy_object::run)
        .operation("CreateBucket", FREE, create_bucket::run)
        .operation("CreateMultipartUpload", FREE, create_multipart_upload::run)
        .operation("DeleteBucket", FREE, delete_bucket::run)
        .operation("DeleteBucketEncryption", FREE, delete_bucket_encryption::run)
        .operation("DeleteBucketOwnershipControls", FREE, delete_bucket_ownership_controls::run)
        .operation("DeleteBucketPolicy", FREE, delete_bucket_policy::run)
        .operation("DeleteBucketTagging", FREE, delete_bucket_tagging::run)
        .operation("DeleteObject", FREE, delete_object::run)
        .operation("DeleteObjectTagging", FREE, delete_object_tagging::run)
        .operation("DeleteObjects", CHECKED, delete_objects::run)
        .operation("DeletePublicAccessBlock", FREE, delete_public_access_block::run)
        .operation("GetBucketAccelerateConfiguration", FREE, get_bucket_accelerate_configuration::run)
        .operation("GetBucketAcl", FREE, get_bucket_acl::run)
        .operation("GetBucketCors", FREE, get_bucket_cors::run)
        .operation("GetBucketEncryption", FREE, get_bucket_encryption::run)
        .operation("GetBucketLifecycleConfiguration", FREE, get_bucket_lifecycle_configuration::run)
        .operation("GetBucketLocation", FREE, get_bucket_location::run)
        .operation("GetBucketLogging", FREE, get_bucket_logging::run)
        .operation("GetBucketNotificationConfiguration", FREE, get_bucket_notification_configuration::run)
        .operation("GetBucketOwnershipControls", FREE, get_bucket_ownership_controls::run)
        .operation("GetBucketPolicy", FREE, get_bucket_policy::run)
        .operation("GetBucketPolicyStatus", FREE, get_bucket_policy_status::run)
        .operation("GetBucketReplication", FREE, get_bucket_replication::run)
        .operation("GetBucketRequestPayment", FREE, get_bucket_request_payment::run)
        .operation("GetBucketTagging", FREE, get_bucket_tagging::run)
        .operation("GetBucketVersioning", FREE, get_bucket_versioning::run)
        .operation("GetBucketWebsite", FREE, get_bucket_website::run)
        .operation("GetObject", FREE, get_object::run)
        .operation("GetObjectAcl", FREE, get_object_acl::run)
        .operation("GetObjectLockConfiguration", FREE, get_object_lock_configuration::run)
        .operation("GetObjectTagging", FREE, get_object_tagging::run)
        .operation("GetPublicAccessBlock", FREE, get_public_access_block::run)
        .operation("HeadBucket", FREE, head_bucket::run)
        .operation("HeadObject", FREE, head_object::run)
        .operation("ListBuckets", FREE, list_buckets::run)
        .operation("ListMultipartUploads", FREE, list_multipart_uploads::run)
        .operation("ListObjectVersions", FREE, list_object_versions::run)
        .operation("ListObjects", FREE, list_objects::run)
        .operation("ListObjectsV2", FREE, list_objects_v2::run)
        .operation("ListParts", FREE, list_parts::run)
        .operation("PutBucketEncryption", CHECKED, put_bucket_encryption::run)
        .operation("PutBucketOwnershipControls", CHECKED, put_bucket_ownership_controls::run)
        .operation("PutBucketPolicy", POLICY, put_bucket_policy::run)
        .operation("PutBucketTagging", CHECKED, put_bucket_tagging::run)
        .operation("PutObject", SENT, put_object::run)
        .operation("PutObjectTagging", CHECKED, put_object_tagging::run)
        .operation("PutPublicAccessBlock", CHECKED, put_public_access_block::run)
        .operation("UploadPart", SENT, upload_part::run)
        .operation("UploadPartCopy", FREE, upload_part_copy::run)
}
