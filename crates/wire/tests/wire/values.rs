//! Values and what serde makes of them; what a request says beyond the model.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use pitbird_wire::{
    Blob, Call, Catalog, DecodeError, Fault, Value, from_value, from_value_reporting, to_value,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Deserialize, Serialize, PartialEq)]
#[serde(rename_all = "PascalCase")]
struct All {
    text: String,
    number: Option<i64>,
    ratio: f64,
    when: f64,
    flag: Option<bool>,
    blob: Option<Blob>,
    bytes: Option<Bytes>,
    list: Vec<Inner>,
    map: BTreeMap<String, u8>,
    choice: Choice,
    union: Union,
}

#[derive(Debug, Deserialize, Serialize, PartialEq)]
#[serde(rename_all = "PascalCase")]
struct Inner {
    name: Option<String>,
}

#[derive(Debug, Deserialize, Serialize, PartialEq)]
enum Choice {
    #[serde(rename = "AWS_PROXY")]
    AwsProxy,
}

#[derive(Debug, Deserialize, Serialize, PartialEq)]
enum Union {
    Stage(Inner),
    Alias { name: String },
}

fn map<const N: usize>(entries: [(&'static str, Value); N]) -> Value {
    Value::Map(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
}

#[test]
fn types_come_through_serde_both_ways() {
    let all = All {
        text: "a".into(),
        number: None,
        ratio: 2.0,
        when: 1.5,
        flag: Some(true),
        blob: Some(Blob(Bytes::from_static(b"b"))),
        bytes: Some(Bytes::from_static(b"c")),
        list: vec![Inner { name: Some("n".into()) }, Inner { name: None }],
        map: [("k".to_owned(), 7)].into(),
        choice: Choice::AwsProxy,
        union: Union::Alias { name: "x".into() },
    };
    let value = to_value(&all).unwrap();
    assert!(value.get("Number").is_none(), "absent members are left out");
    assert_eq!(value.get("Union"), Some(&map([("Alias", map([("name", "x".into())]))])));
    assert_eq!(from_value::<All>(value).unwrap(), all);
    let stage = map([("Stage", map([("Name", "s".into())]))]);
    assert_eq!(from_value::<Union>(stage).unwrap(), Union::Stage(Inner { name: Some("s".into()) }));
    assert_eq!(from_value::<f64>(Value::Timestamp(3.25)).unwrap(), 3.25);
    assert_eq!(from_value::<f64>(Value::Integer(3)).unwrap(), 3.0);
}

#[test]
fn values_are_json_themselves() {
    let json = r#"{"a":[1,2.5,null,true,"x"],"b":{}}"#;
    let value: Value = serde_json::from_str(json).unwrap();
    assert_eq!(serde_json::to_string(&value).unwrap(), json);
    assert_eq!(from_value::<Value>(value.clone()).unwrap(), value);
    assert_eq!(to_value(&value).unwrap(), value);
    let blob = Value::Blob(Bytes::from_static(b"b"));
    assert_eq!(from_value::<Value>(blob.clone()).unwrap(), to_value(&blob).unwrap());
}

#[test]
fn a_blob_is_not_copied() {
    let bytes = Bytes::from(vec![1; 1000]);
    let found: Option<Blob> = from_value(Value::Blob(bytes.clone())).unwrap();
    assert_eq!(found.unwrap().as_ptr(), bytes.as_ptr());
    assert!(
        matches!(to_value(&Blob(bytes.clone())).unwrap(), Value::Blob(it) if it.as_ptr() == bytes.as_ptr())
    );
    let alone = Bytes::from(vec![2; 1000]);
    let address = alone.as_ptr();
    let found: Bytes = from_value(Value::Blob(alone)).unwrap();
    assert_eq!(found.as_ptr(), address, "plain bytes move if nobody else holds them");
}

#[test]
fn ignored_members_are_reported_by_path() {
    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "PascalCase")]
    #[allow(dead_code)]
    struct Some {
        list: Vec<Inner>,
        inner: Option<Inner>,
    }
    let value = map([
        ("List", Value::List(vec![map([]), map([("Name", "n".into()), ("Odd", Value::Blob(Bytes::new()))])])),
        ("Inner", map([("Other", Value::List(Vec::new()))])),
        ("Top", Value::Null),
    ]);
    let (_, ignored) = from_value_reporting::<Some>(value).unwrap();
    assert_eq!(ignored, ["List.1.Odd", "Inner.Other", "Top"]);
}

fn decode(
    method: Method,
    uri: &str,
    headers: &[(&'static str, &str)],
    body: &str,
) -> (Call<'static>, Result<pitbird_wire::Decoded, DecodeError>) {
    let mut request = Request::new(Bytes::copy_from_slice(body.as_bytes()));
    *request.method_mut() = method;
    *request.uri_mut() = uri.parse().unwrap();
    *request.headers_mut() = headers
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect::<HeaderMap>();
    let (parts, body) = request.into_parts();
    let call = Catalog::embedded().identify(&parts, &body).unwrap();
    let decoded = call.decode(&parts, body);
    (call, decoded)
}

#[test]
fn labels_are_decoded_after_the_path_is_split() {
    let (call, decoded) = decode(Method::POST, "/2015-03-31/functions/f%3Alive/invocations", &[], "{}");
    assert_eq!(
        (call.operation.name, decoded.unwrap().input.get("FunctionName").unwrap().as_str()),
        ("Invoke", Some("f:live"))
    );
    let arn = "arn%3Aaws%3Aapigateway%3Aeu-central-1%3A%3A%2Frestapis%2Fa";
    let (call, decoded) = decode(Method::GET, &format!("/tags/{arn}"), &[], "");
    let arn = Value::from("arn:aws:apigateway:eu-central-1::/restapis/a");
    assert_eq!((call.model.key, decoded.unwrap().input.get("resourceArn")), ("apigateway", Some(&arn)));
}

#[test]
fn queries_tell_operations_apart() {
    for (method, uri, name) in [
        (Method::POST, "/restapis", "CreateRestApi"),
        (Method::POST, "/restapis?mode=import&failonwarnings=true", "ImportRestApi"),
        (Method::POST, "/apikeys?format=csv&mode=import", "ImportApiKeys"),
        (Method::GET, "/2018-10-31/layers?find=LayerVersion&Arn=a", "GetLayerVersionByArn"),
        (Method::GET, "/2018-10-31/layers", "ListLayers"),
        (Method::GET, "/v2/apis/", "GetApis"),
        (Method::PUT, "/2015-03-31/functions/f/code", "UpdateFunctionCode"),
    ] {
        assert_eq!(decode(method, uri, &[], "").0.operation.name, name);
    }
}

#[test]
fn the_body_of_an_invocation_is_its_payload() {
    let body = Bytes::from_static(b"\x00 anything");
    let (parts, ()) = Request::post("/2015-03-31/functions/f/invocations").body(()).unwrap().into_parts();
    let call = Catalog::embedded().identify(&parts, &body).unwrap();
    let decoded = call.decode(&parts, body.clone()).unwrap();
    assert!(matches!(decoded.input.get("Payload"), Some(Value::Blob(it)) if it.as_ptr() == body.as_ptr()));
}

#[test]
fn the_status_member_and_header_members_shape_the_answer() {
    let model = Catalog::embedded().model("lambda").unwrap();
    let operation = model.operation("Invoke").unwrap();
    let call = Call {
        model,
        operation,
        protocol: pitbird_wire::Protocol::RestJson,
        query_mode: false,
        labels: Vec::new(),
    };
    let output = map([
        ("StatusCode", Value::Integer(202)),
        ("FunctionError", "Unhandled".into()),
        ("Payload", Value::Blob(Bytes::from_static(b"{}"))),
    ]);
    let answer = call.encode(output, "id").unwrap();
    assert_eq!(answer.status(), 202);
    assert_eq!(answer.headers()["x-amz-function-error"], "Unhandled");
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(&answer.body()[..], b"{}");
    let call = Call { operation: model.operation("DeleteFunction").unwrap(), ..call };
    let answer = call.encode(Value::empty_map(), "id").unwrap();
    assert_eq!((answer.status(), answer.body().len()), (StatusCode::NO_CONTENT, 0));
}

#[test]
fn unknown_members_are_named_with_their_path() {
    let target =
        [("x-amz-target", "Logs_20140328.PutLogEvents"), ("content-type", "application/x-amz-json-1.1")];
    let body = r#"{"logGroupName":"g","odd":{"deep":[1]},"logEvents":[{"message":"m"},{"level":1}]}"#;
    let decoded = decode(Method::POST, "/", &target, body).1.unwrap();
    assert_eq!(decoded.unknown, ["odd", "logEvents.1.level"]);
    let form =
        "Action=CreateRole&Version=2010-05-08&RoleName=r&Odd.x=1&Tags.member.1.Key=k&Tags.member.1.Kind=z";
    let decoded = decode(Method::POST, "/", &[], form).1.unwrap();
    assert_eq!(decoded.unknown, ["Tags.0.Kind", "Odd"]);
    let decoded = decode(Method::GET, "/restapis?limit=3&odd=1", &[], "").1.unwrap();
    assert_eq!(decoded.unknown, ["odd"]);
}

#[test]
fn a_form_may_come_in_the_query_whatever_the_method() {
    let query = "/?Action=GetRole&Version=2010-05-08&RoleName=in%20query";
    let json = [("content-type", "application/json")];
    for (method, headers, body) in
        [(Method::GET, &json[..0], ""), (Method::POST, &json[..0], ""), (Method::POST, &json[..], "{}")]
    {
        let (call, decoded) = decode(method, query, headers, body);
        assert_eq!(call.operation.name, "GetRole");
        assert_eq!(decoded.unwrap().input.get("RoleName"), Some(&"in query".into()));
    }
    let body = "Action=GetUser&Version=2010-05-08&UserName=in+body";
    let (call, decoded) = decode(Method::POST, query, &[], body);
    assert_eq!(call.operation.name, "GetUser", "a body that says what it wants is meant");
    assert_eq!(decoded.unwrap().input.get("UserName"), Some(&"in body".into()));
}

#[test]
fn wrong_types_are_refused_in_aws_words() {
    let target =
        [("x-amz-target", "Logs_20140328.DescribeLogGroups"), ("content-type", "application/x-amz-json-1.1")];
    for (body, words) in [
        (r#"{"limit":"3"}"#, "STRING_VALUE can not be converted to an Integer"),
        (r#"{"limit":1.5}"#, "NUMBER_VALUE can not be converted to an Integer"),
        (r#"{"limit":99999999999}"#, "NUMBER_VALUE can not be converted to an Integer"),
        (r#"{"nextToken":3}"#, "NUMBER_VALUE can not be converted to a String"),
        (r#"{"nextToken":true}"#, "TRUE_VALUE can not be converted to a String"),
        (r#"{"nextToken":{}}"#, "Start of structure or map found where not expected."),
        (r#"{"nextToken":[]}"#, "Start of list found where not expected"),
    ] {
        let (call, decoded) = decode(Method::POST, "/", &target, body);
        let error = decoded.unwrap_err();
        assert_eq!(error, DecodeError::Type(words.into()));
        assert_eq!(Fault::decoding(call.model, &error).code, "SerializationException");
    }
    let (call, decoded) = decode(Method::POST, "/", &target, "{");
    assert_eq!(Fault::decoding(call.model, &decoded.unwrap_err()).code, "SerializationException");
    let (call, decoded) = decode(Method::POST, "/2015-03-31/functions", &[], "nonsense");
    let fault = Fault::decoding(call.model, &decoded.unwrap_err());
    assert_eq!(fault.code, "InvalidRequestContentException");
    assert!(fault.message.starts_with("Could not parse request body into json: "));
}
