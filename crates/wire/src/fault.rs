//! Errors as the protocols write them.

use crate::check::{Violation, summary};
use crate::codec::{DecodeError, cbor, json, scalar, xml};
use crate::model::{Kind, Location, Model, Shape, TimestampFormat};
use crate::protocol::Protocol;
use crate::server::{response, s3_ids};
use crate::value::{Key, Value};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use std::borrow::Cow;

/// An error for a caller. Its code is the name of an error shape, or the shape's code under the query protocol, or one
/// of the [`Common`] codes.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    pub code: Cow<'static, str>,
    /// Status if neither the model nor [`Common`] has one; 400 without.
    pub status: Option<u16>,
    pub message: String,
    /// Further members of the error's shape.
    pub members: Vec<(Key, Value)>,
}

impl Fault {
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Fault {
        Fault { code: code.into(), status: None, message: message.into(), members: Vec::new() }
    }

    pub fn with_status(mut self, status: u16) -> Fault {
        self.status = Some(status);
        self
    }

    pub fn with_member(mut self, name: impl Into<Key>, value: impl Into<Value>) -> Fault {
        self.members.push((name.into(), value.into()));
        self
    }

    /// The error for an input that breaks constraints.
    pub fn validation(model: &Model, violations: &[Violation]) -> Fault {
        let code = model.metadata.peculiar.validation_code.unwrap_or("ValidationException");
        Fault::new(code, summary(violations))
    }

    /// The error for a request that can't be read.
    pub fn decoding(model: &Model, error: &DecodeError) -> Fault {
        match (error, model.metadata.peculiar.malformed_body) {
            (DecodeError::Malformed(_), Some((code, beginning))) => {
                Fault::new(code, format!("{beginning}{error}"))
            }
            (DecodeError::Inflated | DecodeError::Size { .. }, _) => {
                Fault::new("RequestEntityTooLargeException", error.to_string()).with_status(413)
            }
            _ => Fault::new("SerializationException", error.to_string()),
        }
    }

    /// What the fault is in a service; `None` if the service isn't known.
    pub fn form<'f>(&'f self, model: Option<&'f Model>) -> FaultForm<'f> {
        let shape = model.and_then(|model| model.error(&self.code));
        let common = COMMON.iter().find(|it| it.name == self.code || it.query_code == self.code);
        let error = shape.and_then(|shape| shape.error.as_ref());
        let modeled = error.map(|error| error.status.unwrap_or(if error.server_fault { 500 } else { 400 }));
        let status = modeled.or(self.status).or(common.map(|it| it.status)).unwrap_or(400);
        let name = match (shape, common) {
            (Some(shape), _) => shape.name,
            (None, Some(common)) => common.name,
            (None, None) => &self.code,
        };
        let query_code = match (shape, common) {
            (Some(shape), _) => error.and_then(|error| error.code).unwrap_or(shape.name),
            (None, Some(common)) => common.query_code,
            (None, None) => &self.code,
        };
        FaultForm { shape, status, name, query_code, sender: status < 500 }
    }

    /// Writes the error in a protocol.
    pub fn encode(
        &self,
        model: Option<&Model>,
        protocol: Protocol,
        query_mode: bool,
        request_id: &str,
    ) -> Response<Bytes> {
        let form = self.form(model);
        let status = StatusCode::from_u16(form.status).unwrap_or(StatusCode::BAD_REQUEST);
        let is_bare = model.is_some_and(|model| model.metadata.peculiar.bare_errors);
        let body = match protocol {
            Protocol::RestXml if is_bare => self.bare_xml_body(&form, request_id),
            Protocol::Query | Protocol::RestXml => self.xml_body(&form, model, request_id),
            Protocol::Cbor => self.cbor_body(&form, model),
            Protocol::RestJson | Protocol::Json10 | Protocol::Json11 => {
                self.json_body(&form, model, protocol)
            }
        };
        let mut answer = response(status, protocol, Some(protocol.content_type()), request_id, body);
        if protocol == Protocol::RestJson {
            put(&mut answer, HeaderName::from_static("x-amzn-errortype"), form.name);
        }
        if protocol.is_rest() {
            self.put_headers(&form, model, &mut answer);
        }
        let compatible = model.is_some_and(|model| model.metadata.query_compatible);
        if compatible
            && query_mode
            && matches!(protocol, Protocol::Cbor | Protocol::Json10 | Protocol::Json11)
        {
            let code = format!("{};{}", form.query_code, form.party());
            put(&mut answer, HeaderName::from_static("x-amzn-query-error"), &code);
        }
        answer
    }

    /// The body's members: the message under the shape's own name for it, then the others.
    fn members(&self, form: &FaultForm<'_>) -> Vec<(Key, Value)> {
        let mut members = Vec::with_capacity(self.members.len() + 2);
        let structure = form.shape.and_then(|shape| match &shape.kind {
            Kind::Structure(structure) => Some(structure),
            _ => None,
        });
        if let Some(structure) = structure {
            // Whose fault it is, for services whose errors say so.
            if structure.member("Type").is_some() && !self.members.iter().any(|(name, _)| name == "Type") {
                members.push(("Type".into(), Value::from(if form.sender { "User" } else { "Service" })));
            }
            members.extend(self.members.iter().filter(|(name, _)| structure.member(name).is_some()).cloned());
            let own = structure.members.iter().find(|member| member.name.eq_ignore_ascii_case("message"));
            if own.is_some() || !self.message.is_empty() {
                members
                    .push((own.map_or("message", |member| member.name).into(), self.message.as_str().into()));
            }
        } else {
            let name = if form.name == "AccessDeniedException" { "Message" } else { "message" };
            members.push((name.into(), self.message.as_str().into()));
        }
        members
    }

    fn type_name(&self, form: &FaultForm<'_>, model: Option<&Model>) -> String {
        let peculiar = model.map(|model| &model.metadata.peculiar);
        let namespace = match form.shape {
            Some(_) => peculiar.and_then(|it| it.error_namespace),
            None if form.name == "ValidationException" => peculiar.and_then(|it| it.validation_namespace),
            None => None,
        };
        match namespace {
            Some(namespace) => format!("{namespace}#{}", form.name),
            None => form.name.to_owned(),
        }
    }

    fn json_body(&self, form: &FaultForm<'_>, model: Option<&Model>, protocol: Protocol) -> Vec<u8> {
        let mut body = Vec::new();
        body.push(b'{');
        let mut first = true;
        let mut name = |name: &str, body: &mut Vec<u8>| {
            if !std::mem::take(&mut first) {
                body.push(b',');
            }
            json::write_text(name, body);
            body.push(b':');
        };
        if protocol != Protocol::RestJson {
            name("__type", &mut body);
            json::write_text(&self.type_name(form, model), &mut body);
        }
        for (key, value) in self.members(form) {
            match form.member(&key) {
                Some(member) if member.location != Location::Body => {}
                Some(member) => {
                    let model = model.expect("shapes come from models");
                    let mut written = Vec::new();
                    if json::write(model, &member.reference, &value, &mut written).is_ok() {
                        name(member.wire_name(), &mut body);
                        body.append(&mut written);
                    }
                }
                None => {
                    name(&key, &mut body);
                    json::write_any(&value, &mut body);
                }
            }
        }
        body.push(b'}');
        body
    }

    fn cbor_body(&self, form: &FaultForm<'_>, model: Option<&Model>) -> Vec<u8> {
        let mut members = vec![(Key::Borrowed("__type"), Value::String(self.type_name(form, model)))];
        members.extend(self.members(form));
        let mut body = Vec::new();
        cbor::write_any(&Value::Map(members), &mut body);
        body
    }

    fn xml_body(&self, form: &FaultForm<'_>, model: Option<&Model>, request_id: &str) -> Vec<u8> {
        let mut body = String::from("<ErrorResponse");
        if let Some(namespace) = model.and_then(|model| model.metadata.xml_namespace) {
            body.push_str(" xmlns=\"");
            xml::escape(namespace, &mut body);
            body.push('"');
        }
        body.push_str("><Error><Type>");
        body.push_str(form.party());
        body.push_str("</Type><Code>");
        xml::escape(form.query_code, &mut body);
        body.push_str("</Code>");
        if form.has_message() || !self.message.is_empty() {
            body.push_str("<Message>");
            xml::escape(&self.message, &mut body);
            body.push_str("</Message>");
        }
        for (key, value) in &self.members {
            let member = form.member(key).filter(|member| member.location == Location::Body);
            if let (Some(member), Some(model)) = (member, model) {
                let length = body.len();
                if xml::write_element(model, &member.reference, member.wire_name(), value, &mut body).is_err()
                {
                    body.truncate(length);
                }
            }
        }
        body.push_str("</Error><RequestId>");
        xml::escape(request_id, &mut body);
        body.push_str("</RequestId></ErrorResponse>");
        body.into_bytes()
    }

    /// The root is the error itself; members that the shape doesn't have are told as well.
    fn bare_xml_body(&self, form: &FaultForm<'_>, request_id: &str) -> Vec<u8> {
        let mut body = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
        let mut tell = |name: &str, text: &str| {
            body.extend(["<", name, ">"]);
            xml::escape(text, &mut body);
            body.extend(["</", name, ">"]);
        };
        tell("Code", form.query_code);
        tell("Message", &self.message);
        for (name, value) in &self.members {
            if let Some(text) = value.as_str() {
                tell(name, text);
            }
        }
        let [id, host] = s3_ids(request_id);
        tell("RequestId", &id);
        tell("HostId", &host);
        body.push_str("</Error>");
        body.into_bytes()
    }

    fn put_headers(&self, form: &FaultForm<'_>, model: Option<&Model>, answer: &mut Response<Bytes>) {
        let Some(model) = model else { return };
        for (key, value) in &self.members {
            let Some(member) = form.member(key).filter(|member| member.location == Location::Header) else {
                continue;
            };
            let text = scalar::write(model, &member.reference, value, TimestampFormat::HttpDate);
            if let (Ok(name), Ok(text)) = (HeaderName::try_from(member.wire_name()), text) {
                put(answer, name, &text);
            }
        }
    }
}

/// A header whose value can't be one is left out.
fn put(answer: &mut Response<Bytes>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}

/// What a fault is under a service's model.
#[derive(Debug, Clone, Copy)]
pub struct FaultForm<'f> {
    pub(crate) shape: Option<&'f Shape>,
    /// HTTP status.
    pub status: u16,
    /// The error's name under all protocols but query.
    pub name: &'f str,
    /// The error's code under the query protocol.
    pub query_code: &'f str,
    /// Whether the caller is to blame.
    pub sender: bool,
}

impl<'f> FaultForm<'f> {
    fn party(&self) -> &'static str {
        if self.sender { "Sender" } else { "Receiver" }
    }

    /// Whether the shape, if there is one, has a message.
    fn has_message(&self) -> bool {
        self.shape.is_none() || self.member("message").or(self.member("Message")).is_some()
    }

    fn member(&self, name: &str) -> Option<&'f crate::model::Member> {
        match &self.shape?.kind {
            Kind::Structure(structure) => structure.member(name),
            _ => None,
        }
    }
}

/// An error that every service has without naming it in its model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Common {
    pub name: &'static str,
    /// Its code under the query protocol.
    pub query_code: &'static str,
    pub status: u16,
}

const fn common(name: &'static str, query_code: &'static str, status: u16) -> Common {
    Common { name, query_code, status }
}

/// From AWS's pages on common errors.
const COMMON: [Common; 16] = [
    common("AccessDeniedException", "AccessDenied", 403),
    common("ExpiredTokenException", "ExpiredToken", 403),
    common("IncompleteSignatureException", "IncompleteSignature", 400),
    common("InternalFailure", "InternalFailure", 500),
    common("InvalidSignatureException", "SignatureDoesNotMatch", 403),
    common("MissingAuthenticationTokenException", "MissingAuthenticationToken", 403),
    common("NotImplementedException", "NotImplemented", 501),
    common("RequestEntityTooLargeException", "RequestEntityTooLarge", 413),
    common("RequestExpired", "RequestExpired", 400),
    common("SerializationException", "MalformedInput", 400),
    common("ServiceUnavailableException", "ServiceUnavailable", 503),
    common("ThrottlingException", "Throttling", 400),
    common("UnknownOperationException", "InvalidAction", 404),
    common("UnrecognizedClientException", "InvalidClientTokenId", 403),
    common("UnsupportedOperationException", "UnsupportedOperation", 400),
    common("ValidationException", "ValidationError", 400),
];
