//! The server's side of the wire.

use crate::codec::{DecodeError, EncodeError, Reading, cbor, form, gzip, json, xml};
use crate::events;
use crate::fault::Fault;
use crate::model::{Kind, Model, Operation, Reference, ShapeId};
use crate::protocol::Protocol;
use crate::query;
use crate::rest;
use crate::value::Value;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Response, StatusCode};

/// An identified request: what it means and how to read and answer it.
#[derive(Debug, Clone)]
pub struct Call<'m> {
    pub model: &'m Model,
    pub operation: &'m Operation,
    pub protocol: Protocol,
    /// Whether the caller wants to know the codes that errors had under the query protocol.
    pub query_mode: bool,
    /// Decoded path labels in the template's order.
    pub labels: Vec<String>,
}

/// What a request says.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    pub input: Value,
    /// Paths of members that the model doesn't have, at most 32.
    pub unknown: Vec<String>,
}

impl Call<'_> {
    /// Reads the input. Payloads that are blobs are the body itself, not a copy.
    pub fn decode(&self, parts: &Parts, body: Bytes) -> Result<Decoded, DecodeError> {
        // What a streaming body holds is the caller's, its encoding too.
        let body = if self.streams() { body } else { plain(parts, body)? };
        self.check_size(parts, &body)?;
        let mut reading = Reading::new(self.model);
        let input = match (self.protocol, self.operation.input) {
            (protocol, _) if protocol.is_rest() => {
                rest::input(&mut reading, self.operation, protocol, &self.labels, parts, &body)?
            }
            (Protocol::Query, None) | (_, None) => Value::empty_map(),
            (Protocol::Query, Some(shape)) => {
                let text = query::form(&parts.method, parts.uri.query().unwrap_or_default(), &body);
                form::read(&mut reading, &Reference::to(shape), text.as_bytes())?
            }
            (_, Some(_)) if body.is_empty() => Value::empty_map(),
            (Protocol::Cbor, Some(shape)) => cbor::read(&mut reading, &Reference::to(shape), &body)?,
            (_, Some(shape)) => json::read(&mut reading, &Reference::to(shape), &body)?,
        };
        let input = if input.is_null() { Value::empty_map() } else { input };
        Ok(Decoded { input, unknown: reading.unknown })
    }

    /// Holds what the request says against the most that the operation takes.
    fn check_size(&self, parts: &Parts, body: &[u8]) -> Result<(), DecodeError> {
        let Some(limit) = self.operation.request_bytes_max else { return Ok(()) };
        let size = match self.protocol {
            Protocol::Query => query::form(&parts.method, parts.uri.query().unwrap_or_default(), body).len(),
            _ => body.len(),
        };
        if size > limit { Err(DecodeError::Size { size, limit }) } else { Ok(()) }
    }

    /// Whether the request's body is kept as it is, whatever its size: a blob that streams.
    pub fn streams(&self) -> bool {
        let structure = self.operation.input.and_then(|shape| self.model.structure(shape));
        let payload = structure.and_then(|structure| Some(&structure.members[structure.payload?]));
        payload.is_some_and(|member| {
            matches!(self.model.shape(member.reference.shape).kind, Kind::Blob { streaming: true })
        })
    }

    /// Writes the output.
    pub fn encode(&self, output: Value, request_id: &str) -> Result<Response<Bytes>, EncodeError> {
        let status = StatusCode::from_u16(self.operation.response_code).unwrap_or(StatusCode::OK);
        if self.protocol.is_rest() {
            return self.encode_rest(output, status, request_id);
        }
        let output = if output.is_null() { Value::empty_map() } else { output };
        let (content_type, body) = match self.protocol {
            Protocol::Query => (Some("text/xml"), self.query_body(&output, request_id)?),
            Protocol::Cbor => match self.operation.output {
                Some(shape) => {
                    let mut body = Vec::new();
                    cbor::write(self.model, &Reference::to(shape), &output, &mut body)?;
                    (Some(self.protocol.content_type()), body)
                }
                None => (None, Vec::new()),
            },
            _ => {
                let mut body = Vec::new();
                match self.operation.output {
                    Some(shape) => json::write(self.model, &Reference::to(shape), &output, &mut body)?,
                    None => body.extend_from_slice(b"{}"),
                }
                match self.event_stream() {
                    Some(_) => (Some(events::CONTENT_TYPE), self.initial_response(&body).into()),
                    None => (Some(self.protocol.content_type()), body),
                }
            }
        };
        Ok(response(status, self.protocol, content_type, request_id, body))
    }

    /// Writes an error.
    pub fn encode_fault(&self, fault: &Fault, request_id: &str) -> Response<Bytes> {
        fault.encode(Some(self.model), self.protocol, self.query_mode, request_id)
    }

    fn encode_rest(
        &self,
        output: Value,
        status: StatusCode,
        request_id: &str,
    ) -> Result<Response<Bytes>, EncodeError> {
        let written = match self.operation.output {
            Some(shape) => rest::response(self.model, shape, self.protocol, output)?,
            None => rest::Written::default(),
        };
        let status = written.status.and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or(status);
        let body = if status == StatusCode::NO_CONTENT { Bytes::new() } else { written.body };
        let content_type = written.content_type.filter(|_| status != StatusCode::NO_CONTENT);
        let mut answer = response(status, self.protocol, content_type, request_id, body);
        answer.headers_mut().extend(written.headers);
        Ok(answer)
    }

    fn query_body(&self, output: &Value, request_id: &str) -> Result<Vec<u8>, EncodeError> {
        let name = self.operation.name;
        let mut body = format!("<{name}Response");
        if let Some(namespace) = self.model.metadata.xml_namespace {
            body.push_str(" xmlns=\"");
            xml::escape(namespace, &mut body);
            body.push('"');
        }
        body.push('>');
        if let Some(shape) = self.operation.output {
            self.query_result(shape, output, &mut body)?;
        }
        body.push_str("<ResponseMetadata><RequestId>");
        xml::escape(request_id, &mut body);
        body.push_str("</RequestId></ResponseMetadata></");
        body.push_str(name);
        body.push_str("Response>");
        Ok(body.into_bytes())
    }

    fn query_result(&self, shape: ShapeId, output: &Value, body: &mut String) -> Result<(), EncodeError> {
        let (Some(structure), Value::Map(members)) = (self.model.structure(shape), output) else {
            return Ok(());
        };
        if let Some(wrapper) = self.operation.result_wrapper {
            body.extend(["<", wrapper, ">"]);
        }
        xml::write_members(self.model, self.model.shape(shape).name, structure, members, body)?;
        if let Some(wrapper) = self.operation.result_wrapper {
            body.extend(["</", wrapper, ">"]);
        }
        Ok(())
    }
}

/// The body without its outermost content encoding. An encoding below it is the caller's and stays.
fn plain(parts: &Parts, body: Bytes) -> Result<Bytes, DecodeError> {
    let Some(encoding) = parts.headers.get_all(CONTENT_ENCODING).iter().next_back() else { return Ok(body) };
    let encoding = String::from_utf8_lossy(encoding.as_bytes());
    match encoding.rsplit(',').next().unwrap_or_default().trim() {
        "gzip" => gzip::inflate(&body),
        _ => Ok(body),
    }
}

/// The two ids that S3 gives a request, made of the id that other services would give: sixteen capitals and digits, and
/// base64.
pub fn s3_ids(request_id: &str) -> [String; 2] {
    let signs = request_id.chars().filter(char::is_ascii_alphanumeric).take(16);
    [signs.map(|sign| sign.to_ascii_uppercase()).collect(), STANDARD.encode(request_id)]
}

/// An answer with the headers that every answer has. Only S3 speaks the REST protocol with XML, so its answers are as
/// S3's.
pub fn response(
    status: StatusCode,
    protocol: Protocol,
    content_type: Option<&'static str>,
    request_id: &str,
    body: impl Into<Bytes>,
) -> Response<Bytes> {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    let mut say = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    if protocol == Protocol::RestXml {
        let [id, host] = s3_ids(request_id);
        say("x-amz-request-id", &id);
        say("x-amz-id-2", &host);
        say("server", "AmazonS3");
    } else {
        say("x-amzn-requestid", request_id);
    }
    if let Some(content_type) = content_type {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    if protocol == Protocol::Cbor {
        headers.insert(HeaderName::from_static("smithy-protocol"), HeaderValue::from_static("rpc-v2-cbor"));
    }
    answer
}
