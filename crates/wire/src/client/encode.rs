use crate::codec::{EncodeError, cbor, form, gzip, json};
use crate::model::{Model, Operation, Reference};
use crate::protocol::Protocol;
use crate::query;
use crate::rest;
use crate::value::Value;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};

/// Bodies below this stay as they are, as with AWS's SDKs.
const COMPRESSED_BYTES_MIN: usize = 10_240;

/// Writes a request. Its URI has path and query only, and it isn't signed; host, signature and idempotency tokens are
/// the sender's to add.
pub fn encode(
    model: &Model,
    operation: &Operation,
    protocol: Protocol,
    input: Value,
) -> Result<Request<Bytes>, EncodeError> {
    if protocol.is_rest() {
        let written = rest::request(model, operation, protocol, input)?;
        let (mut headers, mut body) = (written.headers, written.body);
        if let Some(content_type) = written.content_type {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(content_type));
        }
        compress(operation, &mut headers, &mut body);
        return Ok(request(operation.method.clone(), &written.uri, headers, body));
    }
    let reference = operation.input.map(Reference::to);
    let mut headers = HeaderMap::new();
    let mut put = |name: HeaderName, value: &str| {
        headers.insert(name, HeaderValue::from_str(value).expect("names of models are plain text"));
    };
    let prefix = model.metadata.target_prefix.unwrap_or_default();
    let mut body = Vec::new();
    let mut uri = String::from("/");
    match protocol {
        Protocol::Query => {
            let mut text = String::new();
            query::push(&mut text, "Action", operation.name);
            query::push(&mut text, "Version", model.metadata.api_version);
            if let Some(reference) = &reference {
                form::write(model, reference, &input, &mut text)?;
            }
            body = text.into_bytes();
            put(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8");
        }
        Protocol::Cbor => {
            uri = format!("/service/{prefix}/operation/{}", operation.name);
            put(HeaderName::from_static("smithy-protocol"), "rpc-v2-cbor");
            put(ACCEPT, protocol.content_type());
            if let Some(reference) = &reference {
                cbor::write(model, reference, &input, &mut body)?;
                put(CONTENT_TYPE, protocol.content_type());
            }
        }
        _ => {
            put(HeaderName::from_static("x-amz-target"), &format!("{prefix}.{}", operation.name));
            put(CONTENT_TYPE, protocol.content_type());
            match &reference {
                Some(reference) => json::write(model, reference, &input, &mut body)?,
                None => body.extend_from_slice(b"{}"),
            }
        }
    }
    if model.metadata.query_compatible && protocol != Protocol::Query {
        headers.insert(HeaderName::from_static("x-amzn-query-mode"), HeaderValue::from_static("true"));
    }
    let mut body = Bytes::from(body);
    compress(operation, &mut headers, &mut body);
    Ok(request(Method::POST, &uri, headers, body))
}

fn compress(operation: &Operation, headers: &mut HeaderMap, body: &mut Bytes) {
    if operation.request_compression && body.len() >= COMPRESSED_BYTES_MIN {
        *body = gzip::deflate(body);
        headers.append(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
}

/// Gives each idempotency token that the caller left out a fresh value.
pub fn fill_tokens(
    model: &Model,
    operation: &Operation,
    input: &mut Value,
    mut fresh: impl FnMut() -> String,
) {
    let Value::Map(members) = input else { return };
    let tokens = operation.input.map_or(&[][..], |shape| model.members(shape)).iter();
    for token in tokens.filter(|member| member.idempotency_token) {
        if !members.iter().any(|(name, _)| name == token.name) {
            members.push((token.name.into(), fresh().into()));
        }
    }
}

fn request(method: Method, uri: &str, headers: HeaderMap, body: Bytes) -> Request<Bytes> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri.parse::<Uri>().expect("labels and queries are percent-encoded");
    *request.headers_mut() = headers;
    request
}
