//! S3's actions, which are fewer than its operations, and their buckets and objects.

use pitbird_wire::Value;

use super::Asked;

/// Source: AWS service authorization reference, "Actions, resources, and condition keys for Amazon S3".
pub(super) fn asked(operation: &str, input: &Value) -> Vec<Asked> {
    let text = |name: &str| input.get(name).and_then(Value::as_str);
    let Some(bucket) = text("Bucket") else {
        let action = if operation == "ListBuckets" { "ListAllMyBuckets" } else { operation };
        return vec![Asked { action: format!("s3:{action}"), resources: Vec::new() }];
    };
    let object = |key: &str| format!("arn:aws:s3:::{bucket}/{key}");
    let resource = text("Key").map_or_else(|| format!("arn:aws:s3:::{bucket}"), object);
    let action = match operation {
        "HeadObject" | "GetObjectAttributes" => "GetObject",
        "HeadBucket" | "ListObjects" | "ListObjectsV2" => "ListBucket",
        "ListObjectVersions" => "ListBucketVersions",
        "ListMultipartUploads" => "ListBucketMultipartUploads",
        "ListParts" => "ListMultipartUploadParts",
        "CreateMultipartUpload"
        | "UploadPart"
        | "UploadPartCopy"
        | "CompleteMultipartUpload"
        | "CopyObject" => "PutObject",
        "GetBucketEncryption" => "GetEncryptionConfiguration",
        "PutBucketEncryption" | "DeleteBucketEncryption" => "PutEncryptionConfiguration",
        "GetPublicAccessBlock" => "GetBucketPublicAccessBlock",
        "PutPublicAccessBlock" | "DeletePublicAccessBlock" => "PutBucketPublicAccessBlock",
        "DeleteBucketOwnershipControls" => "PutBucketOwnershipControls",
        "DeleteBucketTagging" => "PutBucketTagging",
        "DeleteObjects" => return deleted(input, object),
        other => other,
    };
    let mut all = vec![Asked::one(&format!("s3:{action}"), resource)];
    // `bucket/key`, with or without a slash before it; a version may follow.
    let source =
        text("CopySource").map(|source| source.trim_start_matches('/').split('?').next().unwrap_or(source));
    all.extend(source.map(|source| Asked::one("s3:GetObject", format!("arn:aws:s3:::{source}"))));
    all
}

fn deleted(input: &Value, object: impl Fn(&str) -> String) -> Vec<Asked> {
    let objects = input.get("Delete").and_then(|delete| delete.get("Objects"));
    let Some(Value::List(objects)) = objects else {
        return vec![Asked { action: "s3:DeleteObject".to_owned(), resources: Vec::new() }];
    };
    let keys = objects.iter().filter_map(|object| object.get("Key").and_then(Value::as_str));
    keys.map(|key| Asked::one("s3:DeleteObject", object(key))).collect()
}

/// Code that is read from a bucket.
pub(super) fn code(source: &Value) -> Option<Asked> {
    let bucket = source.get("S3Bucket").and_then(Value::as_str)?;
    let key = source.get("S3Key").and_then(Value::as_str)?;
    Some(Asked::one("s3:GetObject", format!("arn:aws:s3:::{bucket}/{key}")))
}

#[cfg(test)]
mod tests {
    use pitbird_wire::Key;

    use super::*;

    fn map(entries: &[(&'static str, Value)]) -> Value {
        Value::Map(entries.iter().map(|(name, value)| (Key::Borrowed(*name), value.clone())).collect())
    }

    fn text(text: &str) -> Value {
        Value::String(text.to_owned())
    }

    fn told(operation: &str, input: &Value) -> Vec<String> {
        let shown = |asked: Asked| format!("{} {}", asked.action, asked.resources.join(","));
        asked(operation, input).into_iter().map(shown).collect()
    }

    #[test]
    fn operations_ask_for_what_they_touch() {
        let object = map(&[("Bucket", text("b")), ("Key", text("k/1"))]);
        assert_eq!(told("UploadPart", &object), ["s3:PutObject arn:aws:s3:::b/k/1"]);
        assert_eq!(told("HeadObject", &object), ["s3:GetObject arn:aws:s3:::b/k/1"]);
        assert_eq!(told("ListObjectsV2", &map(&[("Bucket", text("b"))])), ["s3:ListBucket arn:aws:s3:::b"]);
        for (operation, action) in [
            ("DeleteBucketEncryption", "PutEncryptionConfiguration"),
            ("DeletePublicAccessBlock", "PutBucketPublicAccessBlock"),
            ("DeleteBucketOwnershipControls", "PutBucketOwnershipControls"),
            ("DeleteBucketTagging", "PutBucketTagging"),
            ("DeleteBucketPolicy", "DeleteBucketPolicy"),
        ] {
            let asked = told(operation, &map(&[("Bucket", text("b"))]));
            assert_eq!(asked, [format!("s3:{action} arn:aws:s3:::b")]);
        }
        assert_eq!(told("ListBuckets", &map(&[])), ["s3:ListAllMyBuckets "]);
        let copy =
            map(&[("Bucket", text("b")), ("Key", text("k")), ("CopySource", text("/a/x?versionId=1"))]);
        assert_eq!(
            told("CopyObject", &copy),
            ["s3:PutObject arn:aws:s3:::b/k", "s3:GetObject arn:aws:s3:::a/x"]
        );
        let keys = Value::List(vec![map(&[("Key", text("1"))]), map(&[("Key", text("2"))])]);
        let delete = map(&[("Bucket", text("b")), ("Delete", map(&[("Objects", keys)]))]);
        let both = ["s3:DeleteObject arn:aws:s3:::b/1", "s3:DeleteObject arn:aws:s3:::b/2"];
        assert_eq!(told("DeleteObjects", &delete), both);
        let code = code(&map(&[("S3Bucket", text("b")), ("S3Key", text("f.zip"))])).expect("code");
        assert_eq!(
            (code.action.as_str(), code.resources[0].as_str()),
            ("s3:GetObject", "arn:aws:s3:::b/f.zip")
        );
    }
}
