//! Errors as each protocol writes them.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use pitbird_wire::{Call, Catalog, Fault, Protocol, Unidentified, client};

fn call(service: &str, operation: &str, protocol: Protocol) -> Call<'static> {
    let model = Catalog::embedded().model(service).unwrap();
    let operation = model.operation(operation).unwrap();
    Call { model, operation, protocol, query_mode: true, labels: Vec::new() }
}

fn text(answer: &Response<Bytes>) -> &str {
    std::str::from_utf8(answer.body()).unwrap()
}

fn header<'a>(answer: &'a Response<Bytes>, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[test]
fn rest_json_names_the_error_in_a_header_and_spells_message_as_the_shape_does() {
    let call = call("lambda", "GetFunction", Protocol::RestJson);
    let answer = call.encode_fault(&Fault::new("ResourceNotFoundException", "Function not found: x"), "id");
    assert_eq!(answer.status(), 404);
    assert_eq!(header(&answer, "x-amzn-errortype"), "ResourceNotFoundException");
    assert_eq!(header(&answer, "x-amzn-requestid"), "id");
    assert_eq!(text(&answer), r#"{"Type":"User","Message":"Function not found: x"}"#);
    let answer = call.encode_fault(&Fault::new("InvalidParameterValueException", "no"), "id");
    assert_eq!(text(&answer), r#"{"Type":"User","message":"no"}"#);
    let answer = call.encode_fault(&Fault::new("ServiceException", "oh"), "id");
    assert_eq!((answer.status().as_u16(), text(&answer)), (500, r#"{"Type":"Service","Message":"oh"}"#));
}

#[test]
fn members_of_errors_go_where_the_model_says() {
    let call = call("lambda", "Invoke", Protocol::RestJson);
    let fault = Fault::new("TooManyRequestsException", "Rate exceeded")
        .with_member("Reason", "CallerRateLimitExceeded")
        .with_member("retryAfterSeconds", "3");
    let answer = call.encode_fault(&fault, "id");
    assert_eq!((answer.status().as_u16(), header(&answer, "retry-after")), (429, "3"));
    assert_eq!(
        text(&answer),
        r#"{"Type":"User","Reason":"CallerRateLimitExceeded","message":"Rate exceeded"}"#
    );
}

#[test]
fn errors_that_no_model_has_get_their_common_status() {
    let call = call("apigateway", "GetStage", Protocol::RestJson);
    for (code, status) in
        [("ValidationException", 400), ("AccessDeniedException", 403), ("NotImplementedException", 501)]
    {
        let answer = call.encode_fault(&Fault::new(code, "x"), "id");
        assert_eq!((answer.status().as_u16(), header(&answer, "x-amzn-errortype")), (status, code));
    }
    assert_eq!(call.encode_fault(&Fault::new("Other", "x").with_status(409), "id").status(), 409);
}

#[test]
fn json_and_cbor_carry_namespace_and_the_old_code() {
    for protocol in [Protocol::Json10, Protocol::Cbor] {
        let call = call("cloudwatch", "SetAlarmState", protocol);
        let answer = call.encode_fault(&Fault::new("ResourceNotFound", ""), "id");
        assert_eq!(
            (answer.status().as_u16(), header(&answer, "x-amzn-query-error")),
            (404, "ResourceNotFound;Sender")
        );
        let body = match protocol {
            Protocol::Cbor => pitbird_wire::read_cbor(answer.body()).unwrap(),
            _ => pitbird_wire::read_json(answer.body()).unwrap(),
        };
        let name = body.get("__type").and_then(|it| it.as_str());
        assert_eq!(name, Some("com.amazonaws.cloudwatch.v2010_08_01#ResourceNotFound"));
        let answer = call.encode_fault(&Fault::new("InvalidParameterValue", "no"), "id");
        assert_eq!(header(&answer, "x-amzn-query-error"), "InvalidParameterValue;Sender");
    }
    let call = call("cloudwatch", "SetAlarmState", Protocol::Json10);
    let answer = call.encode_fault(&Fault::new("ValidationException", "no"), "id");
    assert_eq!(text(&answer), r#"{"__type":"com.amazon.coral.validate#ValidationException","message":"no"}"#);
}

#[test]
fn query_errors_are_xml_with_the_code_of_that_protocol() {
    let call = call("iam", "GetRole", Protocol::Query);
    let answer = call.encode_fault(&Fault::new("NoSuchEntityException", "no <x>"), "id");
    assert_eq!(answer.status(), 404);
    assert_eq!(
        text(&answer),
        "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type>\
         <Code>NoSuchEntity</Code><Message>no &lt;x&gt;</Message></Error><RequestId>id</RequestId></ErrorResponse>"
    );
    let answer = call.encode_fault(&Fault::new("ValidationException", "x"), "id");
    assert!(text(&answer).contains("<Code>ValidationError</Code>"));
}

#[test]
fn every_error_of_every_operation_is_understood_by_the_client() {
    for service in Catalog::embedded().services() {
        let model = service.model();
        for operation in model.operations() {
            for &protocol in &model.metadata.protocols {
                let call = Call { model, operation, protocol, query_mode: true, labels: Vec::new() };
                for &error in &operation.errors {
                    let fault = Fault::new(model.shape(error).name, "words");
                    let answer = call.encode_fault(&fault, "id");
                    let form = fault.form(Some(model));
                    let Err(client::ClientError::Refused(found)) =
                        client::decode(model, operation, protocol, answer)
                    else {
                        panic!("{} {}", model.key, operation.name)
                    };
                    assert!(found.code == form.name || found.code == form.query_code, "{found:?}");
                    assert_eq!(
                        (found.status, &*found.message),
                        (form.status, "words"),
                        "{} {}",
                        model.key,
                        found.code
                    );
                }
            }
        }
    }
}

fn unidentified(method: Method, uri: &str, headers: &[(&str, &str)], body: &str) -> Unidentified {
    let mut request = Request::new(());
    *request.method_mut() = method;
    *request.uri_mut() = uri.parse().unwrap();
    *request.headers_mut() = headers
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect::<HeaderMap>();
    let (parts, ()) = request.into_parts();
    Catalog::embedded().identify(&parts, body.as_bytes()).expect_err("nothing is meant")
}

#[test]
fn what_is_not_known_is_answered_in_the_protocol_that_asked() {
    let found = unidentified(Method::POST, "/", &[], "Action=Dance&Version=2010-05-08");
    let answer = found.fault().encode(found.model(), found.protocol(), false, "id");
    assert_eq!(answer.status(), 400);
    assert!(text(&answer).starts_with("<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">"));
    assert!(text(&answer).contains(
        "<Code>InvalidAction</Code><Message>Could not find operation Dance for version 2010-05-08<"
    ));

    let target = [("x-amz-target", "Logs_20140328.Dance"), ("content-type", "application/x-amz-json-1.1")];
    let found = unidentified(Method::POST, "/", &target, "{}");
    let answer = found.fault().encode(None, found.protocol(), false, "id");
    assert!(text(&answer).starts_with(r#"{"__type":"UnknownOperationException""#), "{}", text(&answer));

    let target =
        [("x-amz-target", "DynamoDB_20120810.ListTables"), ("content-type", "application/x-amz-json-1.0")];
    let found = unidentified(Method::POST, "/", &target, "{}");
    assert_eq!(
        found,
        Unidentified::Service { name: "DynamoDB_20120810.ListTables".into(), protocol: Protocol::Json10 }
    );

    let scope = [(
        "authorization",
        "AWS4-HMAC-SHA256 Credential=A/20261123/eu-central-1/sqs/aws4_request, Signature=0",
    )];
    let found = unidentified(Method::GET, "/bucket/key", &scope, "");
    assert!(matches!(found, Unidentified::Service { name, .. } if name == "sqs"));

    assert_eq!(unidentified(Method::POST, "/favicon.ico", &[], ""), Unidentified::Nothing);
}
