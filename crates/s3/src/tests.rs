//! The operations through the registry, as bytes from and to a caller.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::Response;
use pitbird_names::{Account, Scope, limits};
use pitbird_service::{Call, Caller, Fault, Service};
use pitbird_store::Store;
use pitbird_wire::client::{self, ClientError, Refusal};
use pitbird_wire::{Catalog, Model, Protocol, Value};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;

const NOW_MS: i64 = 1_600_000_000_500;

struct Bed {
    service: Service,
    store: Store,
    directory: tempfile::TempDir,
}

/// Different bits each time, the same in each run.
fn entropy() -> u128 {
    static DRAWN: AtomicU64 = AtomicU64::new(1);
    let drawn = u128::from(DRAWN.fetch_add(1, Ordering::Relaxed));
    drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
}

fn model() -> &'static Model {
    Catalog::embedded().model("s3").expect("the model is embedded")
}

/// JSON as a value, its bodies as blobs.
fn value(input: &Json) -> Value {
    let Value::Map(members) = pitbird_wire::to_value(input).expect("JSON is a value") else {
        panic!("{input}")
    };
    let member = |(name, value): (pitbird_wire::Key, Value)| match (name.as_ref(), value) {
        ("Body", Value::String(text)) => (name, Value::Blob(text.into())),
        (_, value) => (name, value),
    };
    Value::Map(members.into_iter().map(member).collect())
}

impl Bed {
    fn at(directory: tempfile::TempDir) -> Bed {
        let store = Store::open(directory.path()).expect("a store");
        let service = service(Arc::new(State::new(store.clone(), entropy)));
        Bed { service, store, directory }
    }

    /// A service with a bucket `b`.
    async fn new() -> Bed {
        let bed = Bed::at(tempfile::tempdir().expect("a directory"));
        bed.ok("CreateBucket", json!({"Bucket": "bbb"})).await;
        bed
    }

    /// Stops, as by a crash as far as the store is concerned, and starts again.
    fn restarted(self) -> Bed {
        let Bed { service, store, directory } = self;
        drop((service, store));
        Bed::at(directory)
    }

    async fn run(&self, caller: Caller, operation: &str, input: &Json) -> Result<Json, Refusal> {
        let model = model();
        let known = model.operation(operation).expect(operation);
        let mut request =
            client::encode(model, known, Protocol::RestXml, value(input)).expect("an input fits its model");
        let scope = "AWS4-HMAC-SHA256 Credential=AKID/20261123/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
        request.headers_mut().insert("authorization", scope.parse().expect("a header"));
        let (parts, body) = request.into_parts();
        let wire = Catalog::embedded().identify(&parts, &body).expect("an operation");
        assert_eq!(wire.operation.name, operation);
        let input = wire.decode(&parts, body).expect("readable").input;
        assert_eq!(pitbird_wire::check(model, known, &input).len(), 0, "{operation} {input:?}");
        let (request_id, endpoint) = ("id".to_owned(), "http://localhost:4566".to_owned());
        let call = Call { caller, request_id, now_ms: NOW_MS, endpoint, trace_id: None, input };
        let answer = match self
            .service
            .call(operation, call)
            .expect(operation)
            .await
            .map(pitbird_service::Answer::into_output)
        {
            Ok(output) => wire.encode(output, "id").expect("an output fits its model"),
            Err(fault) => refused(&wire, fault),
        };
        match client::decode(model, known, Protocol::RestXml, answer) {
            Ok(output) => Ok(serde_json::to_value(output).expect("JSON")),
            Err(ClientError::Refused(refusal)) => Err(refusal),
            Err(error) => panic!("{operation}: {error}"),
        }
    }

    async fn ok(&self, operation: &str, input: Json) -> Json {
        let answer = self.run(Caller::root(Scope::default()), operation, &input).await;
        answer.unwrap_or_else(|no| panic!("{operation} {input}: {no}"))
    }

    /// Status and code of a call that must be refused.
    async fn refused(&self, operation: &str, input: Json) -> (u16, String) {
        match self.run(Caller::root(Scope::default()), operation, &input).await {
            Ok(output) => panic!("{operation} {input} answered {output}"),
            Err(Refusal { status, code, .. }) => (status, code),
        }
    }

    async fn put(&self, key: &str, body: &str) {
        self.ok("PutObject", json!({"Bucket": "bbb", "Key": key, "Body": body})).await;
    }

    async fn body(&self, key: &str) -> String {
        let found = self.ok("GetObject", json!({"Bucket": "bbb", "Key": key})).await;
        let bytes: Vec<u8> = serde_json::from_value(found["Body"].clone()).unwrap_or_default();
        String::from_utf8(bytes).expect("text")
    }

    async fn upload(&self, key: &str) -> String {
        let begun = self.ok("CreateMultipartUpload", json!({"Bucket": "bbb", "Key": key})).await;
        begun["UploadId"].as_str().expect("an id").to_owned()
    }

    async fn part(&self, key: &str, upload: &str, number: u32, body: &str) -> Json {
        let place =
            json!({"Bucket": "bbb", "Key": key, "UploadId": upload, "PartNumber": number, "Body": body});
        let kept = self.ok("UploadPart", place).await;
        json!({"PartNumber": number, "ETag": kept["ETag"]})
    }
}

/// A fault as the endpoint tells it.
fn refused(wire: &pitbird_wire::Call<'_>, fault: Fault) -> Response<Bytes> {
    let fault = fault.into_told();
    let mut told = pitbird_wire::Fault::new(fault.code, fault.message);
    told.status = fault.status;
    told.members = fault.members.into_iter().map(|(name, value)| (name.into(), value)).collect();
    wire.encode_fault(&told, "id")
}

fn code(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let bed = Bed::new().await;
    bed.put("a/b", "hello").await;
    let upload = bed.upload("joined").await;
    let part = bed.part("joined", &upload, 3, "part").await;
    let bed = bed.restarted();
    assert_eq!(bed.body("a/b").await, "hello");
    let complete = json!({
        "Bucket": "bbb", "Key": "joined", "UploadId": upload, "MultipartUpload": {"Parts": [part]},
    });
    bed.ok("CompleteMultipartUpload", complete.clone()).await;
    assert_eq!(bed.refused("CompleteMultipartUpload", complete).await, code(404, "NoSuchUpload"));
    let bed = bed.restarted();
    assert_eq!(bed.body("joined").await, "part");
    let left = bed.ok("ListMultipartUploads", json!({"Bucket": "bbb"})).await;
    assert_eq!(left["Uploads"], Json::Null, "the upload is over");
}

#[tokio::test]
async fn a_sweep_spares_what_any_record_names() {
    let bed = Bed::new().await;
    bed.put("kept", "kept").await;
    bed.put("replaced", "old").await;
    bed.put("replaced", "new").await;
    bed.put("deleted", "deleted").await;
    bed.ok("DeleteObject", json!({"Bucket": "bbb", "Key": "deleted"})).await;
    let upload = bed.upload("k").await;
    let part = bed.part("k", &upload, 1, "part").await;
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(60);
    assert_eq!(bed.store.remove_unnamed_blobs(later).expect("swept").blobs, 2, "old and deleted");
    for (key, body) in [("kept", "kept"), ("replaced", "new")] {
        assert_eq!(bed.body(key).await, body);
    }
    let complete =
        json!({"Bucket": "bbb", "Key": "k", "UploadId": upload, "MultipartUpload": {"Parts": [part]}});
    bed.ok("CompleteMultipartUpload", complete).await;
    assert_eq!(bed.body("k").await, "part");
    let young = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
    bed.ok("DeleteObject", json!({"Bucket": "bbb", "Key": "kept"})).await;
    assert_eq!(bed.store.remove_unnamed_blobs(young).expect("swept").blobs, 0, "it may be somebody's yet");
}

#[tokio::test]
async fn buckets_and_objects_are_their_owners_alone() {
    let bed = Bed::new().await;
    bed.put("k", "mine").await;
    let account = Account::parse("123456789012").expect("an account");
    let other = || Caller::root(Scope { account: account.clone(), ..Scope::default() });
    let object = json!({"Bucket": "bbb", "Key": "k"});
    for (operation, input) in [
        ("HeadBucket", json!({"Bucket": "bbb"})),
        ("DeleteBucket", json!({"Bucket": "bbb"})),
        ("ListObjectsV2", json!({"Bucket": "bbb"})),
        ("GetObject", object.clone()),
        ("PutObject", object.clone()),
        ("DeleteObject", object.clone()),
        ("DeleteObjects", json!({"Bucket": "bbb", "Delete": {"Objects": [{"Key": "k"}]}})),
        ("PutObjectTagging", json!({"Bucket": "bbb", "Key": "k", "Tagging": {"TagSet": []}})),
        ("CreateMultipartUpload", object),
    ] {
        let refusal = bed.run(other(), operation, &input).await.expect_err(operation);
        assert_eq!((refusal.status, refusal.code.as_str()), (403, "AccessDenied"), "{operation}");
    }
    bed.run(other(), "CreateBucket", &json!({"Bucket": "theirs"})).await.expect("made");
    let copy = json!({"Bucket": "theirs", "Key": "k", "CopySource": "bbb/k"});
    assert_eq!(bed.run(other(), "CopyObject", &copy).await.expect_err("not theirs").code, "AccessDenied");
    let expected = json!({"Bucket": "bbb", "Key": "k", "ExpectedBucketOwner": "123456789012"});
    assert_eq!(bed.refused("GetObject", expected).await, code(403, "AccessDenied"));
    assert_eq!(bed.body("k").await, "mine");
}

#[tokio::test]
async fn what_is_too_long_is_refused() {
    let bed = Bed::new().await;
    let key = |length| json!({"Bucket": "bbb", "Key": "k".repeat(length)});
    bed.ok("PutObject", key(1024)).await;
    assert_eq!(bed.refused("PutObject", key(1025)).await, code(400, "KeyTooLongError"));
    let metadata = |length| json!({"Bucket": "bbb", "Key": "k", "Metadata": {"a": "v".repeat(length)}});
    bed.ok("PutObject", metadata(2047)).await;
    assert_eq!(bed.refused("PutObject", metadata(2048)).await, code(400, "MetadataTooLarge"));
    let many: Vec<Json> = (0..1001).map(|n| json!({"Key": n.to_string()})).collect();
    let delete = |objects: &[Json]| json!({"Bucket": "bbb", "Delete": {"Objects": objects}});
    bed.ok("DeleteObjects", delete(&many[1..])).await;
    assert_eq!(bed.refused("DeleteObjects", delete(&many)).await, code(400, "MalformedXML"));
    let upload = bed.upload("k").await;
    for number in [0, 10_001] {
        let part = json!({"Bucket": "bbb", "Key": "k", "UploadId": upload, "PartNumber": number});
        assert_eq!(bed.refused("UploadPart", part).await, code(400, "InvalidArgument"), "{number}");
    }
    assert!(content::check_size(limits::OBJECT_BYTES as u64).is_ok());
    assert!(content::check_size(limits::OBJECT_BYTES as u64 + 1).is_err());
    let of_model = model().metadata.peculiar.body_bytes_max;
    assert_eq!(of_model, Some(limits::OBJECT_BYTES), "the endpoint lets in what the service takes");
}

#[tokio::test]
async fn versions_other_than_the_only_one_are_not_there() {
    let bed = Bed::new().await;
    bed.put("k", "v").await;
    let of = |version: &str| json!({"Bucket": "bbb", "Key": "k", "VersionId": version});
    for operation in ["GetObject", "HeadObject", "GetObjectTagging", "GetObjectAcl"] {
        bed.ok(operation, of("null")).await;
        assert_eq!(bed.refused(operation, of("7")).await, code(404, "NoSuchVersion"), "{operation}");
    }
    let delete =
        json!({"Bucket": "bbb", "Delete": {"Objects": [{"Key": "k", "VersionId": "7"}, {"Key": "n"}]}});
    let answer = bed.ok("DeleteObjects", delete).await;
    assert_eq!(answer["Errors"][0]["Code"], "NoSuchVersion");
    assert_eq!(answer["Deleted"], json!([{"Key": "n"}]));
    bed.ok("DeleteObject", of("null")).await;
    assert_eq!(bed.refused("GetObject", of("null")).await, code(404, "NoSuchKey"));
}

#[tokio::test]
async fn a_setting_that_is_not_obeyed_is_refused_by_name() {
    let bed = Bed::new().await;
    for (operation, member, value) in [
        ("PutObject", "ServerSideEncryption", "aws:kms"),
        ("PutObject", "StorageClass", "GLACIER"),
        ("PutObject", "ObjectLockLegalHoldStatus", "ON"),
        ("PutObject", "SSECustomerAlgorithm", "AES256"),
        ("CreateMultipartUpload", "WebsiteRedirectLocation", "/x"),
        ("CreateMultipartUpload", "ChecksumAlgorithm", "XXHASH64"),
    ] {
        let input = json!({"Bucket": "bbb", "Key": "k", member: value});
        let refusal = bed.run(Caller::root(Scope::default()), operation, &input).await.expect_err(member);
        assert_eq!((refusal.status, refusal.code.as_str()), (501, "NotImplemented"));
        assert!(refusal.message.starts_with(member), "{}", refusal.message);
    }
    assert_eq!(bed.refused("GetObject", json!({"Bucket": "bbb", "Key": "k"})).await, code(404, "NoSuchKey"));
}

#[tokio::test]
async fn a_reader_may_ask_for_other_headers() {
    let bed = Bed::new().await;
    bed.put("k", "v").await;
    let asked = json!({
        "Bucket": "bbb", "Key": "k", "ResponseContentType": "text/css", "ResponseContentDisposition": "inline",
        "ResponseCacheControl": "no-store", "ResponseExpires": 1_600_000_000.0,
    });
    for operation in ["GetObject", "HeadObject"] {
        let seen = bed.ok(operation, asked.clone()).await;
        for (name, expected) in [
            ("ContentType", "text/css"),
            ("ContentDisposition", "inline"),
            ("CacheControl", "no-store"),
            ("Expires", "Sun, 13 Sep 2020 12:26:40 GMT"),
        ] {
            assert_eq!(seen[name], expected, "{operation}");
        }
    }
}

#[tokio::test]
async fn deleting_a_bucket_ends_its_uploads() {
    let bed = Bed::new().await;
    let upload = bed.upload("k").await;
    bed.part("k", &upload, 1, "part").await;
    bed.ok("DeleteBucket", json!({"Bucket": "bbb"})).await;
    bed.ok("CreateBucket", json!({"Bucket": "bbb"})).await;
    let parts = json!({"Bucket": "bbb", "Key": "k", "UploadId": upload});
    assert_eq!(bed.refused("ListParts", parts).await, code(404, "NoSuchUpload"));
}

#[test]
fn every_inputs_members_are_in_the_model() {
    let bed = Bed::at(tempfile::tempdir().expect("a directory"));
    for operation in bed.service.operations() {
        let known = model().operation(operation).expect(operation);
        let names: HashSet<&str> = known
            .input
            .map_or(&[][..], |shape| model().members(shape))
            .iter()
            .map(|member| member.name)
            .collect();
        for found in bed.service.input_members(operation).expect(operation) {
            let name = found.path.split(['.', '[']).next().unwrap_or_default().to_owned();
            assert!(names.contains(name.as_str()), "{operation} has no {}", found.path);
        }
    }
}

/// What a list must be: everything below the prefix and after the marker, rolled up.
fn expected(keys: &[String], query: &listing::Query) -> Vec<String> {
    let mut entries: Vec<String> = Vec::new();
    for key in keys.iter().filter(|key| key.starts_with(&query.prefix)) {
        let rest = &key[query.prefix.len()..];
        let rolled =
            query.delimiter.as_deref().and_then(|delimiter| Some(rest.find(delimiter)? + delimiter.len()));
        let entry = match rolled {
            Some(end) => key[..query.prefix.len() + end].to_owned(),
            None => key.clone(),
        };
        if entries.last() != Some(&entry) {
            entries.push(entry);
        }
    }
    entries
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn pages_of_any_size_make_the_whole_list(
        keys in prop::collection::btree_set("[a-c/é]{1,6}", 0..40),
        prefix in "[a-c/]{0,2}",
        delimiter in prop::option::of("/|b|é"),
        max in 1usize..7,
    ) {
        let keys: Vec<String> = keys.into_iter().collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let whole = runtime.block_on(async {
            let bed = Bed::at(tempfile::tempdir().expect("a directory"));
            let objects: Vec<pitbird_records::Object> = keys.iter().map(|key| object_at(key)).collect();
            let put = move |tx: &mut pitbird_store::Transaction<'_>| {
                objects.iter().try_for_each(|object| tx.put(object).map(drop)).map_err(Error::from)
            };
            bed.store.write(put).await.expect("written");
            let mut query = listing::Query { prefix, delimiter, after: None, max };
            let expected = expected(&keys, &query);
            let mut seen = Vec::new();
            loop {
                let page = listing::page(&bed.store, "bbb", &query).expect("a page");
                let mut entries: Vec<String> = page.objects.into_iter().map(|object| object.key).collect();
                entries.extend(page.prefixes);
                assert!(entries.len() <= max);
                entries.sort();
                seen.extend(entries);
                match page.next {
                    Some(next) => query.after = Some(next),
                    None => return (seen, expected),
                }
            }
        });
        prop_assert_eq!(whole.0, whole.1);
    }
}

fn object_at(key: &str) -> pitbird_records::Object {
    use pitbird_records::object::{Checksum, Content};
    pitbird_records::Object {
        bucket: "bbb".into(),
        key: key.into(),
        content: Content { sha256_hex: String::new(), size_bytes: 0 },
        description: Default::default(),
        etag: String::new(),
        modified_ms: 0,
        checksum: Checksum { algorithm: String::new(), value: String::new(), is_composite: false },
        part_sizes: Vec::new(),
    }
}

#[tokio::test]
async fn what_is_set_of_a_bucket_is_told_and_forgotten() {
    let bed = Bed::new().await;
    let bucket = |more: Json| {
        let mut input = json!({"Bucket": "bbb"});
        input.as_object_mut().expect("a map").extend(more.as_object().expect("a map").clone());
        input
    };
    let one = || bucket(json!({}));
    let policy = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":"s3:*","Resource":"arn:aws:s3:::bbb"}}"#;
    assert_eq!(bed.refused("GetBucketPolicyStatus", one()).await, code(404, "NoSuchBucketPolicy"));
    bed.ok("PutBucketPolicy", bucket(json!({"Policy": policy}))).await;
    let block = json!({"BlockPublicAcls": true, "RestrictPublicBuckets": false});
    bed.ok("PutPublicAccessBlock", bucket(json!({"PublicAccessBlockConfiguration": block}))).await;
    let rule =
        json!({"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": true});
    let rules = json!({"ServerSideEncryptionConfiguration": {"Rules": [rule]}});
    bed.ok("PutBucketEncryption", bucket(rules.clone())).await;
    let bed = bed.restarted();
    assert_eq!(bed.ok("GetBucketPolicy", one()).await["Policy"], policy);
    assert_eq!(bed.ok("GetBucketPolicyStatus", one()).await["PolicyStatus"]["IsPublic"], false);
    let told = bed.ok("GetPublicAccessBlock", one()).await["PublicAccessBlockConfiguration"].clone();
    let expected = json!({
        "BlockPublicAcls": true, "IgnorePublicAcls": false, "BlockPublicPolicy": false, "RestrictPublicBuckets": false,
    });
    assert_eq!(told, expected);
    assert_eq!(bed.ok("GetBucketEncryption", one()).await, rules);

    for _ in 0..2 {
        for operation in [
            "DeleteBucketPolicy",
            "DeletePublicAccessBlock",
            "DeleteBucketOwnershipControls",
            "DeleteBucketEncryption",
        ] {
            bed.ok(operation, one()).await;
        }
    }
    for (operation, gone) in [
        ("GetBucketPolicy", "NoSuchBucketPolicy"),
        ("GetPublicAccessBlock", "NoSuchPublicAccessBlockConfiguration"),
        ("GetBucketOwnershipControls", "OwnershipControlsNotFoundError"),
    ] {
        assert_eq!(bed.refused(operation, one()).await, code(404, gone));
    }
    let rule = &bed.ok("GetBucketEncryption", one()).await["ServerSideEncryptionConfiguration"]["Rules"][0];
    assert_eq!(rule["BucketKeyEnabled"], false);
    let controls = |of: &str| bucket(json!({"OwnershipControls": {"Rules": [{"ObjectOwnership": of}]}}));
    bed.ok("PutBucketOwnershipControls", controls("BucketOwnerEnforced")).await;
    assert_eq!(
        bed.ok("GetBucketOwnershipControls", one()).await,
        json!({"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}})
    );

    let encryption = |rule: Json| bucket(json!({"ServerSideEncryptionConfiguration": {"Rules": rule}}));
    let with = |default: Json| encryption(json!([{"ApplyServerSideEncryptionByDefault": default}]));
    for (operation, input, status, refusal) in [
        ("PutBucketOwnershipControls", controls("ObjectWriter"), 501, "NotImplemented"),
        ("PutBucketEncryption", with(json!({"SSEAlgorithm": "aws:kms"})), 501, "NotImplemented"),
        (
            "PutBucketEncryption",
            with(json!({"SSEAlgorithm": "AES256", "KMSMasterKeyID": "k"})),
            501,
            "NotImplemented",
        ),
        ("PutBucketEncryption", encryption(json!([{}, {}])), 400, "MalformedXML"),
        ("PutBucketPolicy", bucket(json!({"Policy": "{}"})), 400, "MalformedPolicy"),
        (
            "PutBucketPolicy",
            bucket(json!({"Policy": policy.replace("Allow", "Deny")})),
            501,
            "NotImplemented",
        ),
    ] {
        assert_eq!(bed.refused(operation, input.clone()).await, code(status, refusal), "{operation} {input}");
    }
}

/// A record from before there were settings is a bucket as new.
#[test]
fn a_bucket_without_settings_is_read() {
    let old = json!({"scope": Scope::default(), "name": "bbb", "created_ms": 0, "tags": {}});
    let bucket: pitbird_records::Bucket = serde_json::from_value(old).expect("a bucket");
    assert_eq!(bucket.settings, pitbird_records::BucketSettings::default());
    assert!(bucket.settings.public_access_block.is_some_and(|block| block.block_public_policy));
}
