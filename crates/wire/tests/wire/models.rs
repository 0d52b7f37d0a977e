//! Every operation of every embedded model goes over the wire and back.

use crate::sample::{self, sample};
use pitbird_wire::{Call, Catalog, Decoded, EncodeError, Model, Operation, Protocol, Value, client};

/// Calls `check` with each operation and protocol of each service.
fn each(mut check: impl FnMut(&Model, &Operation, Protocol)) {
    for service in Catalog::embedded().services() {
        let model = service.model();
        for operation in model.operations() {
            for protocol in &model.metadata.protocols {
                check(model, operation, *protocol);
            }
        }
    }
}

fn scope(model: &Model) -> String {
    let service = model.metadata.signing_name;
    format!(
        "AWS4-HMAC-SHA256 Credential=AKID/20261123/eu-central-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )
}

fn is_event_stream(model: &Model, shape: Option<pitbird_wire::ShapeId>) -> bool {
    let Some(shape) = shape else { return false };
    model.members(shape).iter().any(|member| match &model.shape(member.reference.shape).kind {
        pitbird_wire::Kind::Structure(structure) => structure.event_stream,
        _ => false,
    })
}

#[test]
fn every_operation_is_identified_by_scope_and_without() {
    let mut count = 0;
    each(|model, operation, protocol| {
        let input = operation.input.map_or(Value::empty_map(), |shape| sample(model, shape));
        for signed in [true, false] {
            let mut request = client::encode(model, operation, protocol, input.clone()).unwrap();
            if signed {
                request.headers_mut().insert("authorization", scope(model).parse().unwrap());
            }
            let (parts, body) = request.into_parts();
            let call = Catalog::embedded().identify(&parts, &body).unwrap();
            assert_eq!((call.model.key, call.operation.name), (model.key, operation.name), "{}", parts.uri);
            assert_eq!(call.protocol, protocol);
        }
        count += 1;
    });
    assert!(count > 790, "{count}");
}

fn told(protocol: Protocol, value: Value) -> Value {
    if protocol == Protocol::RestXml { sample::without_empty_lists(value) } else { value }
}

#[test]
fn every_input_comes_through() {
    each(|model, operation, protocol| {
        let Some(shape) = operation.input else { return };
        let input = told(protocol, sample(model, shape));
        let request = client::encode(model, operation, protocol, input.clone()).unwrap();
        let (parts, body) = request.into_parts();
        let call = Catalog::embedded().identify(&parts, &body).unwrap();
        let Decoded { input: found, unknown } = call.decode(&parts, body).unwrap();
        assert_eq!(
            sample::sorted(told(protocol, found)),
            sample::sorted(input),
            "{} {} {protocol:?}",
            model.key,
            operation.name
        );
        assert_eq!(unknown, [""; 0], "{} {} {protocol:?}", model.key, operation.name);
    });
}

#[test]
fn every_output_comes_through() {
    each(|model, operation, protocol| {
        let Some(shape) = operation.output else { return };
        let output = told(protocol, sample(model, shape));
        let call = Call { model, operation, protocol, query_mode: false, labels: Vec::new() };
        let answer = match call.encode(output.clone(), "id") {
            Err(EncodeError::Unsupported(_)) => return assert!(is_event_stream(model, Some(shape))),
            other => other.unwrap(),
        };
        if protocol.is_rest() && is_event_stream(model, Some(shape)) {
            // Its events follow one by one.
            let (name, id) = match protocol {
                Protocol::RestXml => ("x-amz-request-id", "ID"),
                _ => ("x-amzn-requestid", "id"),
            };
            assert_eq!(answer.headers()[name], id);
            return assert!(answer.body().is_empty(), "{}", operation.name);
        }
        if is_event_stream(model, Some(shape)) {
            // What else there is comes as a message before the events.
            assert_eq!(answer.headers()["content-type"], "application/vnd.amazon.eventstream");
            let text = String::from_utf8_lossy(answer.body());
            return assert!(text.contains("initial-response"), "{} {text:?}", operation.name);
        }
        let found = client::decode(model, operation, protocol, answer).unwrap();
        assert_eq!(
            sample::sorted(told(protocol, found)),
            sample::sorted(output),
            "{} {} {protocol:?}",
            model.key,
            operation.name
        );
    });
}

#[test]
fn samples_hold_no_constraint_but_those_on_texts() {
    each(|model, operation, _| {
        let input = operation.input.map_or(Value::empty_map(), |shape| sample(model, shape));
        for violation in pitbird_wire::check(model, operation, &input) {
            assert!(violation.constraint != "Member must not be null", "{violation}");
        }
    });
}
