//! What tells S3's requests apart: query and headers beside method and path, the host, and nothing at all.

use bytes::Bytes;
use http::Request;
use pitbird_wire::{Call, Catalog, Fault, Protocol, Value};
use serde_json::json;

const SIGNED: &str =
    "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";

fn request(method: &str, uri: &str, headers: &[(&str, &str)]) -> http::request::Parts {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).expect("a request").into_parts().0
}

fn meant(method: &str, uri: &str, headers: &[(&str, &str)]) -> String {
    let parts = request(method, uri, headers);
    match Catalog::embedded().identify(&parts, b"") {
        Ok(call) => format!("{} {} {}", call.model.key, call.operation.name, call.labels.join("|")),
        Err(no) => no.to_string(),
    }
}

#[test]
fn a_signed_request_means_what_method_path_query_and_headers_say() {
    for (method, uri, more, expected) in [
        ("GET", "/", None, "ListBuckets "),
        ("GET", "/b", None, "ListObjects b"),
        ("GET", "/b/", None, "ListObjects b"),
        ("GET", "/b?list-type=2&prefix=a%2F", None, "ListObjectsV2 b"),
        ("GET", "/b?location", None, "GetBucketLocation b"),
        ("GET", "/b?location=", None, "GetBucketLocation b"),
        ("GET", "/b?lifecycle", None, "GetBucketLifecycleConfiguration b"),
        ("PUT", "/b", None, "CreateBucket b"),
        ("PUT", "/b?lifecycle", None, "PutBucketLifecycleConfiguration b"),
        ("POST", "/b?delete", None, "DeleteObjects b"),
        ("PUT", "/b/k", None, "PutObject b|k"),
        ("PUT", "/b/k?x-id=PutObject", None, "PutObject b|k"),
        ("PUT", "/b/a%2Fb//c/", None, "PutObject b|a/b//c/"),
        ("GET", "/b//k", None, "GetObject b|/k"),
        ("PUT", "/b/k?partNumber=1&uploadId=u", None, "UploadPart b|k"),
        ("PUT", "/b/k", Some(("x-amz-copy-source", "/b/o")), "CopyObject b|k"),
        ("PUT", "/b/k?partNumber=1&uploadId=u", Some(("x-amz-copy-source", "/b/o")), "UploadPartCopy b|k"),
        ("GET", "/b/k?uploadId=u", None, "ListParts b|k"),
        ("GET", "/b/k?tagging", None, "GetObjectTagging b|k"),
        ("POST", "/b/k?uploads", None, "CreateMultipartUpload b|k"),
        ("POST", "/b/k?uploadId=u", None, "CompleteMultipartUpload b|k"),
        ("DELETE", "/b/k?uploadId=u", None, "AbortMultipartUpload b|k"),
        ("DELETE", "/b/k", None, "DeleteObject b|k"),
        ("HEAD", "/b/k", None, "HeadObject b|k"),
        ("GET", "/restapis/k", None, "GetObject restapis|k"),
    ] {
        let headers = [Some(("authorization", SIGNED)), Some(("host", "localhost:4566")), more];
        let headers: Vec<_> = headers.into_iter().flatten().collect();
        assert_eq!(meant(method, uri, &headers), format!("s3 {expected}"), "{method} {uri}");
    }
}

#[test]
fn a_bucket_may_stand_in_the_host() {
    for (host, expected) in [
        ("b.s3.localhost:4566", "GetObject b|k"),
        ("b.s3.us-east-1.localhost:4566", "GetObject b|k"),
        ("my.b.s3.amazonaws.com", "GetObject my.b|k"),
        ("b.s3-eu-west-1.amazonaws.com", "GetObject b|k"),
        ("b.localhost:4566", "GetObject b|k"),
        ("my.b.localhost", "GetObject my.b|k"),
        ("localhost:4566", "ListObjects k"),
        ("127.0.0.1:4566", "ListObjects k"),
        ("s3.localhost:4566", "ListObjects k"),
        ("s3.us-east-1.localhost:4566", "ListObjects k"),
        ("s3.amazonaws.com", "ListObjects k"),
    ] {
        let headers = [("authorization", SIGNED), ("host", host)];
        assert_eq!(meant("GET", "/k", &headers), format!("s3 {expected}"), "{host}");
    }
}

#[test]
fn an_unsigned_request_is_a_buckets_only_when_no_other_service_has_the_path() {
    let local = ("host", "127.0.0.1:4566");
    for (method, uri, host, expected) in [
        ("GET", "/restapis", local, "apigateway GetRestApis "),
        ("GET", "/restapis", ("host", "b.s3.localhost"), "s3 GetObject b|restapis"),
        ("GET", "/2015-03-31/functions", local, "lambda ListFunctions "),
        ("GET", "/b/k", local, "s3 GetObject b|k"),
        ("GET", "/b/k?AWSAccessKeyId=t&Signature=s&Expires=1", local, "s3 GetObject b|k"),
        ("PUT", "/b/k", local, "s3 PutObject b|k"),
        ("POST", "/b/k", local, "the request is for no AWS service"),
        ("POST", "/", local, "the request is for no AWS service"),
    ] {
        assert_eq!(meant(method, uri, &[host]), expected, "{method} {uri} {host:?}");
    }
    let other = SIGNED.replace("/s3/", "/lambda/");
    let seen = meant("GET", "/b/k", &[("authorization", &other), local]);
    assert_eq!(seen, "service Lambda has no operation GET /b/k");
    // Two services share a name, and a version in the path tells them apart.
    let other = SIGNED.replace("/s3/", "/apigateway/");
    for (path, service) in [("/none", "API Gateway"), ("/v2/none", "ApiGatewayV2")] {
        let seen = meant("GET", path, &[("authorization", &other), local]);
        assert_eq!(seen, format!("service {service} has no operation GET {path}"));
    }
}

fn identified(parts: &http::request::Parts) -> Call<'static> {
    Catalog::embedded().identify(parts, b"").expect("an operation")
}

#[test]
fn a_streamed_body_stays_as_it_came() {
    let headers = [("authorization", SIGNED), ("content-encoding", "gzip")];
    let parts = request("PUT", "/b/k", &headers);
    let call = identified(&parts);
    assert!(call.streams());
    let body = Bytes::from_static(b"\x1f\x8bno gzip");
    let decoded = call.decode(&parts, body.clone()).expect("any bytes").input;
    assert_eq!(decoded.get("Body"), Some(&Value::Blob(body)));
    assert_eq!(decoded.get("ContentEncoding"), Some(&"gzip".into()));
}

#[test]
fn an_element_that_the_model_lacks_is_noted() {
    let parts = request("POST", "/b?delete", &[("authorization", SIGNED)]);
    let body = "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key>a</Key><Sort>b</Sort></Object></Delete>";
    let decoded = identified(&parts).decode(&parts, body.into()).expect("XML");
    assert_eq!(decoded.unknown, ["Delete.Objects.Sort"]);
    let input = serde_json::to_value(&decoded.input).expect("JSON");
    assert_eq!(input, json!({"Bucket": "b", "Delete": {"Objects": [{"Key": "a"}]}}));
}

#[test]
fn errors_are_bare_and_tell_more_than_the_model() {
    let parts = request("GET", "/b/k", &[("authorization", SIGNED)]);
    let fault = Fault::new("NoSuchKey", "The specified key does not exist.").with_member("Key", "a&b");
    let answer = identified(&parts).encode_fault(&fault, "0a1b2c3d-4e5f-4a7b-8c9d-0e1f2a3b4c5d");
    assert_eq!(answer.status(), 404);
    let host = "MGExYjJjM2QtNGU1Zi00YTdiLThjOWQtMGUxZjJhM2I0YzVk";
    let told = ["x-amz-request-id", "x-amz-id-2", "server"]
        .map(|name| answer.headers()[name].to_str().expect("text"));
    assert_eq!(told, ["0A1B2C3D4E5F4A7B", host, "AmazonS3"]);
    assert!(!answer.headers().contains_key("x-amzn-requestid"));
    assert_eq!(
        *answer.body(),
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.\
             </Message><Key>a&amp;b</Key><RequestId>0A1B2C3D4E5F4A7B</RequestId><HostId>{host}</HostId></Error>"
        )
    );
    let model = Catalog::embedded().model("s3").expect("embedded");
    let operation = model.operation("GetObject").expect("known");
    let seen = pitbird_wire::client::decode(model, operation, Protocol::RestXml, answer);
    assert_eq!(seen.expect_err("refused").to_string(), "NoSuchKey: The specified key does not exist.");
}

#[test]
fn a_location_is_a_root_without_a_wrapper() {
    let parts = request("GET", "/b?location", &[("authorization", SIGNED)]);
    let call = identified(&parts);
    for location in ["eu-west-1", ""] {
        let output = Value::Map(vec![("LocationConstraint".into(), location.into())]);
        let answer = call.encode(output.clone(), "id").expect("fits");
        let root = "<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
        assert_eq!(answer.body(), &format!("{root}{location}</LocationConstraint>"));
        let seen = pitbird_wire::client::decode(call.model, call.operation, Protocol::RestXml, answer);
        assert_eq!(seen.expect("read"), output);
    }
}

#[test]
fn a_part_of_an_object_has_a_status_of_its_own() {
    let parts = request("GET", "/b/k", &[("authorization", SIGNED)]);
    let body = Value::Blob(Bytes::from_static(b"ab"));
    let output = vec![
        ("Body".into(), body),
        ("StatusCode".into(), Value::Integer(206)),
        ("ContentType".into(), "text/plain".into()),
        ("Metadata".into(), Value::Map(vec![("color".into(), "blue".into())])),
    ];
    let answer = identified(&parts).encode(Value::Map(output), "id").expect("fits");
    assert_eq!(answer.status(), 206);
    assert_eq!(answer.headers()["content-type"], "text/plain");
    assert_eq!(answer.headers()["x-amz-meta-color"], "blue");
    assert_eq!(answer.body(), "ab");
}
