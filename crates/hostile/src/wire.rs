//! Bodies of calls, in each protocol.

use bytes::Bytes;
use http::{HeaderMap, Request};
use pitbird_wire::{Call, Catalog, Fault, Protocol, check, client, read_cbor, read_json};

use crate::Target;

/// Reads a body as the server does, refuses what breaks the model's rules, and reads it as a client does that was answered so.
fn read(service: &str, operation: &str, protocol: Protocol, body: &[u8]) -> bool {
    let model = Catalog::embedded().model(service).expect("a service");
    let operation = model.operation(operation).expect("an operation");
    let call = Call { model, operation, protocol, query_mode: true, labels: vec!["a".into(); 3] };
    let mut request = Request::new(Bytes::copy_from_slice(body));
    *request.method_mut() = http::Method::POST;
    *request.headers_mut() = HeaderMap::new();
    let (parts, body) = request.into_parts();
    for status in [200, 400] {
        let mut answer = http::Response::new(body.clone());
        *answer.status_mut() = http::StatusCode::from_u16(status).expect("a status");
        let _ = client::decode(model, operation, protocol, answer);
    }
    match call.decode(&parts, body) {
        Ok(decoded) => {
            let violations = check(model, operation, &decoded.input);
            drop(call.encode_fault(&Fault::validation(model, &violations), "id"));
            true
        }
        Err(error) => {
            drop(call.encode_fault(&Fault::decoding(model, &error), "id"));
            false
        }
    }
}

pub const JSON: Target = Target {
    name: "json",
    pieces: &[
        "{", "}", "[", "]", ",", ":", "\"", "\"name\":\"a\"", "\"protocolType\":\"HTTP\"", "\"tags\":{\"a\":\"b\"}", "\"logEvents\":[",
        "{\"timestamp\":1,\"message\":\"m\"}", "\"corsConfiguration\":{\"maxAge\":1e9}", "\"patchOperations\":[{\"op\":\"add\",\"path\":\"/a\"}]",
        "null", "true", "1.5", "-0", "1e400", "\"\\ud83d\"", "\"Code\":{\"ZipFile\":\"AAAA\"}", "\"MetricData\":[{\"MetricName\":\"m\",\"Value\":1}]",
    ],
    seeds: &[
        b"{\"name\":\"a\",\"protocolType\":\"HTTP\",\"tags\":{\"a\":\"b\"}}",
        b"{\"logGroupName\":\"a\",\"logStreamName\":\"b\",\"logEvents\":[{\"timestamp\":1,\"message\":\"m\"}]}",
        b"{\"patchOperations\":[{\"op\":\"replace\",\"path\":\"/a\",\"value\":\"b\"}]}",
    ],
    reads: |bytes| {
        let _ = read_json(bytes);
        read("apigatewayv2", "CreateApi", Protocol::RestJson, bytes)
            | read("apigateway", "UpdateStage", Protocol::RestJson, bytes)
            | read("lambda", "CreateFunction", Protocol::RestJson, bytes)
            | read("logs", "PutLogEvents", Protocol::Json11, bytes)
            | read("cloudwatch", "PutMetricData", Protocol::Json10, bytes)
    },
};

pub const CBOR: Target = Target {
    name: "cbor",
    pieces: &["\u{0}", "\u{1f}", "iNamespace", "aN", "jMetricData", "`", "@", "A", "\u{18}", "\u{7f}"],
    seeds: &[
        b"\xa1\x69Namespace\x61N",
        b"\xbf\x69Namespace\x61N\x6aMetricData\x9f\xa2\x6aMetricName\x61m\x65Value\xfb\x3f\xf0\0\0\0\0\0\0\xff\xff",
        b"\xa1\x69Namespace\x7f\x61a\x61b\xff",
    ],
    reads: |bytes| {
        let _ = read_cbor(&Bytes::copy_from_slice(bytes));
        read("cloudwatch", "PutMetricData", Protocol::Cbor, bytes)
    },
};

pub const QUERY: Target = Target {
    name: "query",
    pieces: &[
        "Action=GetMetricData", "&", "=", "MetricDataQueries.member.", "1", "2", "99999999", ".Id=a", ".MetricStat.Metric.Namespace=N", ".",
        "Dimensions.member.1.Name=a", "StartTime=2020-01-01T00%3A00%3A00Z", "EndTime=1e9", "%", "+", "%ff", "member", "entry.1.key=a",
    ],
    seeds: &[
        b"Action=GetMetricData&Version=2010-08-01&StartTime=2020-01-01T00%3A00%3A00Z&EndTime=2020-01-02T00%3A00%3A00Z&MetricDataQueries.member.1.Id=a&MetricDataQueries.member.1.Expression=1",
        b"Action=CreateRole&RoleName=a&AssumeRolePolicyDocument=%7B%7D&Tags.member.1.Key=a&Tags.member.1.Value=b",
    ],
    reads: |bytes| {
        read("cloudwatch", "GetMetricData", Protocol::Query, bytes)
            | read("iam", "CreateRole", Protocol::Query, bytes)
    },
};

pub const XML: Target = Target {
    name: "xml",
    pieces: &[
        "<",
        ">",
        "</",
        "/>",
        "<?xml version=\"1.0\"?>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]>",
        "&b;",
        "&amp;",
        "&#x10ffff;",
        "&#0;",
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "<Delete>",
        "</Delete>",
        "<Object>",
        "</Object>",
        "<Key>a</Key>",
        "<Quiet>true</Quiet>",
        "<Tagging>",
        "xmlns=\"a\"",
        " ",
        "<Tag><Key>a</Key><Value>b</Value></Tag>",
    ],
    seeds: &[
        b"<Delete><Object><Key>a</Key></Object><Quiet>true</Quiet></Delete>",
        b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>",
    ],
    reads: |bytes| {
        read("s3", "DeleteObjects", Protocol::RestXml, bytes)
            | read("s3", "PutObjectTagging", Protocol::RestXml, bytes)
    },
};
