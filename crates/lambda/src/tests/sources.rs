//! Code that lies in a bucket.

use pitbird_names::{Region, Scope};
use pitbird_records::object::{Checksum, Content};
use pitbird_records::{Bucket, Object};

use super::*;

/// Puts an object into a bucket of somebody's.
async fn put(bed: &Bed, scope: Scope, bucket: &str, key: &str, content: &'static [u8], size_bytes: u64) {
    let sha256_hex = bed.store.put_blob(Bytes::from_static(content)).await.expect("kept");
    let bucket = Bucket {
        scope,
        name: bucket.into(),
        created_ms: 0,
        tags: Default::default(),
        settings: Default::default(),
    };
    let object = Object {
        bucket: bucket.name.clone(),
        key: key.into(),
        content: Content { sha256_hex, size_bytes },
        description: Default::default(),
        etag: String::new(),
        modified_ms: 0,
        checksum: Checksum { algorithm: String::new(), value: String::new(), is_composite: false },
        part_sizes: Vec::new(),
    };
    let write = move |tx: &mut pitbird_store::Transaction<'_>| {
        tx.put(&bucket)?;
        tx.put(&object)?;
        Ok::<(), Error>(())
    };
    bed.store.write(write).await.expect("written");
}

async fn bed() -> Bed {
    let bed = Bed::new().await;
    let here = Scope::default();
    let region = |name| Scope { region: Region::parse(name).expect("a region"), ..Scope::default() };
    let other = Account::parse("123456789012").expect("an account");
    put(&bed, here.clone(), "packages", "app/one.zip", b"one", 3).await;
    put(&bed, here.clone(), "packages", "two.zip", b"two", 3).await;
    put(&bed, here.clone(), "packages", "bad.zip", b"bad", 3).await;
    put(&bed, here.clone(), "packages", "none.zip", b"", 0).await;
    put(&bed, here, "packages", "huge.zip", b"huge", 262_144_001).await;
    put(&bed, region("eu-west-1"), "abroad", "k", b"one", 3).await;
    put(&bed, Scope { account: other, ..Scope::default() }, "theirs", "k", b"one", 3).await;
    bed
}

fn source(bucket: &str, key: &str) -> Json {
    json!({"S3Bucket": bucket, "S3Key": key})
}

#[tokio::test]
async fn a_function_is_made_and_updated_from_a_bucket() {
    let bed = bed().await;
    let made = |content: &str| json!({"ZipFile": zip(content)});
    let plain = bed.ok("CreateFunction", with(function("g"), json!({"Code": made("one")}))).await;
    let input = with(function("f"), json!({"Code": source("packages", "app/one.zip")}));
    let found = bed.ok("CreateFunction", input).await;
    assert_eq!((&found["CodeSha256"], &found["CodeSize"]), (&plain["CodeSha256"], &json!(3)));
    bed.state.finish().await;
    let update = with(source("packages", "two.zip"), json!({"FunctionName": "f", "Publish": true}));
    let updated = bed.ok("UpdateFunctionCode", update).await;
    assert_eq!(updated["Version"], "1");
    assert_ne!(updated["CodeSha256"], found["CodeSha256"]);
    bed.state.finish().await;
    let dry = with(source("packages", "app/one.zip"), json!({"FunctionName": "f", "DryRun": true}));
    assert_eq!(bed.ok("UpdateFunctionCode", dry).await["CodeSha256"], found["CodeSha256"]);
}

#[tokio::test]
async fn what_a_bucket_does_not_give_is_told_in_the_words_of_both() {
    let bed = bed().await;
    let s3 = |code: &str, message: &str| {
        format!("Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: {message}")
    };
    let invalid = "InvalidParameterValueException";
    let abroad = "The bucket is in this region: eu-west-1. Please use this region to retry the request";
    let denied = "Your access has been denied by S3, please make sure your request credentials have permission to GetObject for \
                  theirs/k. S3 Error Code: AccessDenied. S3 Error Message: Access Denied";
    let two = with(source("packages", "two.zip"), json!({"ZipFile": zip("one")}));
    for (code, status, name, message) in [
        (source("packages", "no"), 400, invalid, s3("NoSuchKey", "The specified key does not exist.")),
        (source("nowhere", "k"), 400, invalid, s3("NoSuchBucket", "The specified bucket does not exist")),
        (source("abroad", "k"), 400, invalid, s3("PermanentRedirect", abroad)),
        (source("theirs", "k"), 403, "AccessDeniedException", denied.to_owned()),
        (source("packages", "none.zip"), 400, invalid, Error::EmptyZip.to_string()),
        (source("packages", "bad.zip"), 400, invalid, Error::BadZip.to_string()),
        (source("packages", "huge.zip"), 400, invalid, Error::UnzippedSize.to_string()),
        (json!({"S3Bucket": "packages"}), 400, invalid, Error::NoCode.to_string()),
        (two, 400, invalid, Error::TwoSources.to_string()),
    ] {
        let input = with(function("f"), json!({"Code": code.clone()}));
        assert_eq!(bed.refused("CreateFunction", input).await, refusal(status, name, message), "{code}");
    }
    let version = with(source("packages", "two.zip"), json!({"S3ObjectVersion": "7"}));
    let input = with(function("f"), json!({"Code": version}));
    assert_eq!(bed.refused("CreateFunction", input).await, unsupported("S3ObjectVersion"));
}
