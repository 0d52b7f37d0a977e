use crate::codec::{DecodeError, Reading, cbor, json, xml};
use crate::model::{Model, Operation, Reference, ShapeId};
use crate::protocol::Protocol;
use crate::rest;
use crate::value::Value;
use bytes::Bytes;
use http::Response;
use http::response::Parts;
use thiserror::Error;

/// Why there is no output.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ClientError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the answer can't be read")]
    Decode(#[from] DecodeError),
}

/// An error that the service answered.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    pub status: u16,
    /// The code by which callers know the error; under the query protocol or query mode the service's own.
    pub code: String,
    pub message: String,
    /// The members of the error's shape, if the model has it.
    pub members: Value,
}

/// Reads an answer.
pub fn decode(
    model: &Model,
    operation: &Operation,
    protocol: Protocol,
    answer: Response<Bytes>,
) -> Result<Value, ClientError> {
    let (parts, body) = answer.into_parts();
    if parts.status.as_u16() >= 300 {
        return Err(refusal(model, protocol, &parts, &body).into());
    }
    let mut reading = Reading::new(model);
    let Some(shape) = operation.output else { return Ok(Value::empty_map()) };
    let reference = Reference::to(shape);
    let output = match protocol {
        Protocol::RestJson | Protocol::RestXml => rest::output(&mut reading, shape, protocol, &parts, &body)?,
        _ if body.is_empty() => Value::empty_map(),
        Protocol::Query => {
            let document = xml::parse(&body)?;
            let element =
                operation.result_wrapper.and_then(|wrapper| document.child(wrapper)).unwrap_or(&document);
            xml::read_element(&mut reading, &reference, element)?
        }
        Protocol::Cbor => cbor::read(&mut reading, &reference, &body)?,
        Protocol::Json10 | Protocol::Json11 => json::read(&mut reading, &reference, &body)?,
    };
    Ok(if output.is_null() { Value::empty_map() } else { output })
}

/// Makes the best of an error, also of one that isn't in the protocol: a proxy's page, an empty body.
fn refusal(model: &Model, protocol: Protocol, parts: &Parts, body: &Bytes) -> Refusal {
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let (code, message) = match protocol {
        Protocol::Query | Protocol::RestXml => xml_words(body),
        Protocol::Cbor => any_words(&cbor::read_any(body).unwrap_or_default()),
        _ => any_words(&json::read_document(body).unwrap_or_default()),
    };
    let name = header("x-amzn-errortype").map(str::to_owned).or(code).unwrap_or_default();
    let name = bare(&name);
    let shape = model.error(name).and_then(|shape| model.shape_named(shape.name));
    let members = shape.map_or(Value::empty_map(), |shape| members(model, protocol, shape, parts, body));
    let queried = header("x-amzn-query-error").and_then(|value| value.split(';').next());
    let code = match queried {
        Some(code) => code,
        None if name.is_empty() => parts.status.as_str(),
        None => name,
    };
    Refusal {
        status: parts.status.as_u16(),
        code: code.to_owned(),
        message: message.unwrap_or_default(),
        members,
    }
}

/// `namespace#Name:url` without what isn't the name.
fn bare(name: &str) -> &str {
    let name = name.rsplit('#').next().unwrap_or(name);
    name.split(':').next().unwrap_or(name).trim()
}

fn any_words(value: &Value) -> (Option<String>, Option<String>) {
    let find = |names: &[&str]| {
        names.iter().find_map(|name| value.get(name).and_then(Value::as_str)).map(str::to_owned)
    };
    (find(&["__type", "code", "Code"]), find(&["message", "Message", "errorMessage"]))
}

fn xml_words(body: &Bytes) -> (Option<String>, Option<String>) {
    let Ok(document) = xml::parse(body) else { return (None, None) };
    let error = document.child("Error").unwrap_or(&document);
    let text = |name: &str| error.child(name).map(|element| element.text.trim().to_owned());
    (text("Code"), text("Message").or_else(|| text("message")))
}

fn members(model: &Model, protocol: Protocol, shape: ShapeId, parts: &Parts, body: &Bytes) -> Value {
    let mut reading = Reading::new(model);
    let reference = Reference::to(shape);
    let read = match protocol {
        Protocol::RestJson => rest::output(&mut reading, shape, protocol, parts, body),
        Protocol::Query | Protocol::RestXml => xml::parse(body).and_then(|document| {
            let error = document.child("Error").unwrap_or(&document);
            xml::read_element(&mut reading, &reference, error)
        }),
        Protocol::Cbor => cbor::read(&mut reading, &reference, body),
        _ => json::read(&mut reading, &reference, body),
    };
    read.unwrap_or(Value::empty_map())
}
