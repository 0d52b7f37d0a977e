//! No bytes whatever make the wire panic or forget its bounds.

use crate::sample::sample;
use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use pitbird_wire::{Call, Catalog, DecodeError, INFLATED_BYTES_MAX, Protocol, Value, client};
use proptest::prelude::*;

/// Operations that between them have every shape and place.
const TARGETS: [(&str, &str, Protocol); 12] = [
    ("lambda", "Invoke", Protocol::RestJson),
    ("lambda", "CreateFunction", Protocol::RestJson),
    ("lambda", "UpdateAlias", Protocol::RestJson),
    ("apigateway", "UpdateStage", Protocol::RestJson),
    ("apigateway", "PutIntegration", Protocol::RestJson),
    ("apigatewayv2", "CreateApi", Protocol::RestJson),
    ("logs", "PutLogEvents", Protocol::Json11),
    ("cloudwatch", "PutMetricData", Protocol::Cbor),
    ("cloudwatch", "PutMetricData", Protocol::Json10),
    ("cloudwatch", "GetMetricData", Protocol::Query),
    ("iam", "CreateRole", Protocol::Query),
    ("rollouts", "StartRollout", Protocol::Json10),
];

fn call(target: usize) -> Call<'static> {
    let (service, operation, protocol) = TARGETS[target];
    let model = Catalog::embedded().model(service).unwrap();
    let operation = model.operation(operation).unwrap();
    Call { model, operation, protocol, query_mode: true, labels: vec!["%/é".into(); 3] }
}

fn request(method: Method, uri: &str, headers: HeaderMap, body: Vec<u8>) -> (http::request::Parts, Bytes) {
    let mut request = Request::new(Bytes::from(body));
    *request.method_mut() = method;
    *request.uri_mut() = uri.parse().unwrap();
    *request.headers_mut() = headers;
    request.into_parts()
}

/// Reads a body for both sides and answers whatever comes of it.
fn read(target: usize, uri: &str, headers: HeaderMap, body: Vec<u8>) {
    let call = call(target);
    let (parts, body) = request(Method::POST, uri, headers, body);
    match call.decode(&parts, body.clone()) {
        Ok(decoded) => {
            let violations = pitbird_wire::check(call.model, call.operation, &decoded.input);
            let fault = pitbird_wire::Fault::validation(call.model, &violations);
            call.encode_fault(&fault, "id");
        }
        Err(error) => drop(call.encode_fault(&pitbird_wire::Fault::decoding(call.model, &error), "id")),
    }
    for status in [200, 400] {
        let answer = http::Response::builder().status(status).body(body.clone()).unwrap();
        let _ = client::decode(call.model, call.operation, call.protocol, answer);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn arbitrary_bodies_are_read_or_refused(target in 0..TARGETS.len(), body in prop::collection::vec(any::<u8>(), 0..200)) {
        read(target, "/", HeaderMap::new(), body);
    }

    #[test]
    fn damaged_bodies_are_read_or_refused(
        target in 0..TARGETS.len(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let call = call(target);
        let input = call.operation.input.map_or(Value::empty_map(), |shape| sample(call.model, shape));
        let request = client::encode(call.model, call.operation, call.protocol, input).unwrap();
        let mut body = request.body().to_vec();
        for (at, byte) in damage {
            if !body.is_empty() {
                let at = at.index(body.len());
                body[at] = byte;
            }
        }
        body.truncate(cut.index(body.len() + 1).max(body.len() / 2));
        read(target, "/", HeaderMap::new(), body);
    }

    #[test]
    fn arbitrary_heads_are_identified_or_not(
        path in "(/[a-z0-9%{}:.+-]{0,12}){1,6}",
        query in "[a-zA-Z0-9=&%+.-]{0,40}",
        names in prop::collection::vec(0usize..6, 0..4),
        value in "[ -~]{0,60}",
        body in "(Action|Version|=|&|[a-z0-9-]){0,12}",
    ) {
        let known = ["authorization", "x-amz-target", "content-type", "smithy-protocol", "x-amzn-query-mode", "content-encoding"];
        let mut headers = HeaderMap::new();
        for name in names {
            let value = if name == 0 { format!("AWS4-HMAC-SHA256 Credential={value}/a/b/lambda/aws4_request") } else { value.clone() };
            headers.insert(known[name], value.parse().unwrap());
        }
        let Ok(uri) = format!("{path}?{query}").parse::<http::Uri>() else { return Ok(()) };
        for method in [Method::GET, Method::POST, Method::PUT] {
            let (parts, bytes) = request(method, &uri.to_string(), headers.clone(), body.clone().into_bytes());
            match Catalog::embedded().identify(&parts, &bytes) {
                Ok(call) => drop(call.decode(&parts, bytes)),
                Err(unidentified) => {
                    unidentified.fault().encode(None, unidentified.protocol(), false, "id");
                }
            }
        }
    }
}

#[test]
fn depth_is_bounded_in_every_notation() {
    let deep = 100_000;
    let bodies = [
        (6, [r#"{"logEvents":"#.as_bytes(), &b"[".repeat(deep)].concat()),
        (6, [r#"{"x":"#.as_bytes(), &b"[".repeat(deep)].concat()),
        (7, [&[0xa1, 0x61, b'x'][..], &[0x81].repeat(deep)].concat()),
        (7, [&[0xa1, 0x61, b'x'][..], &[0xc1].repeat(deep)].concat()),
        (7, [0x9f].repeat(deep)),
        (9, [b"a", &b".1".repeat(deep)[..], b"=x"].concat()),
        (9, b"<a>".repeat(deep)),
    ];
    for (target, body) in bodies {
        let call = call(target);
        let (parts, bytes) = request(Method::POST, "/", HeaderMap::new(), body.clone());
        if target != 9 || body[0] != b'<' {
            assert!(call.decode(&parts, bytes.clone()).is_err(), "{target}");
        }
        let answer = http::Response::new(bytes);
        let found = client::decode(call.model, call.operation, call.protocol, answer);
        assert!(found.is_err() || call.operation.output.is_none(), "{target}");
    }
}

#[test]
fn a_bomb_is_not_inflated() {
    use std::io::Write as _;
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let chunk = vec![b' '; 1 << 20];
    for _ in 0..=INFLATED_BYTES_MAX >> 20 {
        writer.write_all(&chunk).unwrap();
    }
    let mut headers = HeaderMap::new();
    headers.insert("content-encoding", "gzip".parse().unwrap());
    let (parts, body) = request(Method::POST, "/", headers, writer.finish().unwrap());
    let call = call(8);
    let error = call.decode(&parts, body).unwrap_err();
    assert_eq!(error, DecodeError::Inflated);
    assert_eq!(call.encode_fault(&pitbird_wire::Fault::decoding(call.model, &error), "id").status(), 413);
}

/// An operation's answer to a request that can't be read: status, code and message; nothing if it can.
fn refusal(target: usize, headers: HeaderMap, body: Vec<u8>) -> Option<(u16, String, String)> {
    let (parts, body) = request(Method::POST, "/", headers, body);
    let call = call(target);
    let error = call.decode(&parts, body).err()?;
    let fault = pitbird_wire::Fault::decoding(call.model, &error);
    let form = fault.form(Some(call.model));
    Some((form.status, form.query_code.to_owned(), fault.message.clone()))
}

#[test]
fn an_operation_has_a_largest_request() {
    use std::io::Write as _;
    // PutMetricData as JSON, GetMetricData as a form; what means nothing is counted, too.
    let json = |size: usize| format!("{{{}}}", " ".repeat(size - 2)).into_bytes();
    let form = |size: usize| format!("Action=GetMetricData&x={}", "y".repeat(size - 23)).into_bytes();
    let packed = |size: usize| {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        writer.write_all(&json(size)).unwrap();
        writer.finish().unwrap()
    };
    let gzip = HeaderMap::from_iter([(http::header::CONTENT_ENCODING, "gzip".parse().unwrap())]);
    let refused = |limit: usize| {
        let words = format!("Request size {} exceeded {limit} bytes", limit + 1);
        Some((413, "RequestEntityTooLarge".to_owned(), words))
    };
    let limit = 1 << 20;
    for (size, expected) in [(limit, None), (limit + 1, refused(limit))] {
        assert_eq!(refusal(8, HeaderMap::new(), json(size)), expected);
        assert_eq!(refusal(8, gzip.clone(), packed(size)), expected);
    }
    let limit = 614_400;
    for (size, expected) in [(limit, None), (limit + 1, refused(limit))] {
        assert_eq!(refusal(9, HeaderMap::new(), form(size)), expected);
    }
}

#[test]
fn lengths_that_lie_cost_nothing() {
    // A list of 2^60 items, text of 2^62 bytes, a map that ends at once.
    for body in [
        &b"\xa1\x61x\x9b\x10\0\0\0\0\0\0\0"[..],
        b"\xa1\x7b\x40\0\0\0\0\0\0\0",
        b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff",
    ] {
        let (parts, body) = request(Method::POST, "/", HeaderMap::new(), body.to_vec());
        assert!(matches!(call(7).decode(&parts, body), Err(DecodeError::Malformed(_))));
    }
}
