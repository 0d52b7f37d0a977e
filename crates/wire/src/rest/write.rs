use super::join;
use crate::codec::{EncodeError, json, scalar, xml};
use crate::events;
use crate::model::{
    Kind, Location, Member, Model, Operation, Reference, ShapeId, Structure, TimestampFormat,
};
use crate::protocol::Protocol;
use crate::query;
use crate::value::Value;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use pitbird_paths::Segment;
use std::borrow::Cow;

/// What a request or an answer consists of.
#[derive(Debug, Default)]
pub struct Written {
    /// Path and query; of requests only.
    pub uri: String,
    /// Status that a member asks for; of answers only.
    pub status: Option<u16>,
    pub headers: HeaderMap,
    pub content_type: Option<&'static str>,
    pub body: Bytes,
}

/// Writes an operation's input.
pub fn request(
    model: &Model,
    operation: &Operation,
    protocol: Protocol,
    input: Value,
) -> Result<Written, EncodeError> {
    let mut written = Written { uri: path(model, operation, &input)?, ..Written::default() };
    let mut text = String::new();
    operation.fixed_query.iter().for_each(|(name, value)| query::push(&mut text, name, value));
    if let Some(structure) = operation.input.and_then(|shape| model.structure(shape)) {
        let in_query = || structure.members.iter().filter(|member| member.location == Location::Query);
        let is_map = |member: &&Member| matches!(input.get(member.name), Some(Value::Map(_)));
        // Members beat entries of a map with the same name.
        for member in in_query().filter(|it| !is_map(it)).chain(in_query().filter(is_map)) {
            if let Some(value) = input.get(member.name) {
                push_query(model, member, value, &mut text)?;
            }
        }
    }
    if !text.is_empty() {
        written.uri.push('?');
        written.uri.push_str(&text);
    }
    if let Some(shape) = operation.input {
        write_headers_and_body(model, shape, protocol, input, &mut written)?;
    }
    Ok(written)
}

/// Writes an operation's output.
pub fn response(
    model: &Model,
    shape: ShapeId,
    protocol: Protocol,
    output: Value,
) -> Result<Written, EncodeError> {
    let mut written = Written::default();
    for member in model.members(shape).iter().filter(|member| member.location == Location::StatusCode) {
        if let Some(Value::Integer(status)) = output.get(member.name) {
            written.status = u16::try_from(*status).ok();
        }
    }
    write_headers_and_body(model, shape, protocol, output, &mut written)?;
    let has_payload = model.structure(shape).is_some_and(|structure| structure.payload.is_some());
    if !has_payload && written.content_type.is_none() {
        let empty: &'static [u8] = if protocol == Protocol::RestJson { b"{}" } else { b"" };
        written.body = Bytes::from_static(empty);
        written.content_type = Some(protocol.content_type());
    }
    Ok(written)
}

fn path(model: &Model, operation: &Operation, input: &Value) -> Result<String, EncodeError> {
    let mut path = String::new();
    let members = operation.input.map_or(&[][..], |shape| model.members(shape));
    for segment in operation.path.segments() {
        path.push('/');
        let (name, greedy) = match segment {
            Segment::Static(text) => {
                path.push_str(text);
                continue;
            }
            Segment::Param(name) => (name, false),
            Segment::Greedy(name) => (name, true),
        };
        let member = members.iter().find(|it| it.location == Location::Uri && it.wire_name() == &**name);
        let member = member.ok_or(EncodeError::Label(operation.name))?;
        let value = input.get(member.name).ok_or(EncodeError::Label(member.name))?;
        let text = scalar::write(model, &member.reference, value, TimestampFormat::Iso8601)?;
        if text.is_empty() {
            return Err(EncodeError::Label(member.name));
        }
        path.push_str(&query::encode_label(&text, greedy));
    }
    if path.is_empty() {
        path.push('/');
    }
    Ok(path)
}

fn push_query(model: &Model, member: &Member, value: &Value, text: &mut String) -> Result<(), EncodeError> {
    let write = |reference: &Reference, value: &Value, name: &str, text: &mut String| {
        let written = scalar::write(model, reference, value, TimestampFormat::Iso8601)?;
        query::push(text, name, &written);
        Ok(())
    };
    match (&model.shape(member.reference.shape).kind, value) {
        (_, Value::Null) => Ok(()),
        (Kind::List { member: element, .. }, Value::List(items)) => {
            items.iter().try_for_each(|item| write(element, item, member.wire_name(), text))
        }
        (Kind::Map { value: element, .. }, Value::Map(entries)) => {
            for (name, entry) in entries {
                if query::get(text, name).is_some() {
                    continue;
                }
                match (&model.shape(element.shape).kind, entry) {
                    (Kind::List { member: inner, .. }, Value::List(items)) => {
                        let mut several = String::new();
                        items.iter().try_for_each(|item| write(inner, item, name, &mut several))?;
                        if !several.is_empty() {
                            text.push_str(if text.is_empty() { "" } else { "&" });
                            text.push_str(&several);
                        }
                    }
                    _ => write(element, entry, name, text)?,
                }
            }
            Ok(())
        }
        _ => write(&member.reference, value, member.wire_name(), text),
    }
}

fn write_headers_and_body(
    model: &Model,
    shape: ShapeId,
    protocol: Protocol,
    value: Value,
    written: &mut Written,
) -> Result<(), EncodeError> {
    let Some(structure) = model.structure(shape) else { return Ok(()) };
    for member in &structure.members {
        match (member.location, value.get(member.name)) {
            (Location::Header, Some(it)) => write_header(model, member, it, &mut written.headers)?,
            (Location::Headers, Some(Value::Map(entries))) => {
                for (name, entry) in entries {
                    let name = format!("{}{name}", member.wire_name());
                    let text = entry.as_str().ok_or_else(|| EncodeError::Header(name.clone()))?;
                    put(&mut written.headers, &name, text)?;
                }
            }
            _ => {}
        }
    }
    if let Some(payload) = structure.payload {
        return write_payload(model, protocol, &structure.members[payload], value, written);
    }
    write_members(model, protocol, shape, structure, &value, written)
}

fn write_members(
    model: &Model,
    protocol: Protocol,
    shape: ShapeId,
    structure: &Structure,
    value: &Value,
    written: &mut Written,
) -> Result<(), EncodeError> {
    if !structure.members.iter().any(|member| member.location == Location::Body) {
        return Ok(());
    }
    let mut body = Vec::new();
    if protocol == Protocol::RestXml && structure.unwrapped {
        let mut text = String::new();
        if let Value::Map(members) = value {
            xml::write_members(model, model.shape(shape).name, structure, members, &mut text)?;
        }
        body = text.into_bytes();
    } else if protocol == Protocol::RestXml {
        let mut text = String::new();
        let named = model.shape(shape);
        let name = named.wire_name.unwrap_or(named.name);
        xml::write_element(model, &Reference::to(shape), name, value, &mut text)?;
        body = text.into_bytes();
    } else {
        json::write(model, &Reference::to(shape), value, &mut body)?;
    }
    written.body = body.into();
    written.content_type = Some(protocol.content_type());
    Ok(())
}

fn write_payload(
    model: &Model,
    protocol: Protocol,
    member: &Member,
    value: Value,
    written: &mut Written,
) -> Result<(), EncodeError> {
    let Value::Map(members) = value else { return Ok(()) };
    let found = members.into_iter().find(|(name, _)| name == member.name).map(|(_, value)| value);
    let shape = model.shape(member.reference.shape);
    let (body, content_type) = match (&shape.kind, found) {
        (Kind::Blob { .. }, Some(Value::Blob(bytes))) => {
            (bytes, model.metadata.peculiar.blob_content_type.unwrap_or("application/octet-stream"))
        }
        (Kind::String, Some(Value::String(text))) => (text.into(), "text/plain"),
        (Kind::Blob { .. } | Kind::String, None | Some(Value::Null)) => return Ok(()),
        // The events come one by one, after the head.
        (Kind::Structure(structure), _) if structure.event_stream => (Bytes::new(), events::CONTENT_TYPE),
        (Kind::Structure(_), None) if protocol == Protocol::RestJson => {
            (Bytes::from_static(b"{}"), protocol.content_type())
        }
        (_, None | Some(Value::Null)) => return Ok(()),
        (_, Some(value)) if protocol == Protocol::RestXml => {
            let mut text = String::new();
            let name = member.reference.wire_name.or(shape.wire_name).unwrap_or(shape.name);
            xml::write_element(model, &member.reference, name, &value, &mut text)?;
            (text.into(), protocol.content_type())
        }
        (_, Some(value)) => {
            let mut body = Vec::new();
            json::write(model, &member.reference, &value, &mut body)?;
            (body.into(), protocol.content_type())
        }
    };
    written.body = body;
    written.content_type = Some(content_type);
    Ok(())
}

fn write_header(
    model: &Model,
    member: &Member,
    value: &Value,
    headers: &mut HeaderMap,
) -> Result<(), EncodeError> {
    let text: Cow<'_, str> = match (&model.shape(member.reference.shape).kind, value) {
        (_, Value::Null) => return Ok(()),
        (_, Value::String(text)) if member.json_value => STANDARD.encode(text).into(),
        (Kind::List { member: element, .. }, Value::List(items)) => {
            let date = matches!(model.shape(element.shape).kind, Kind::Timestamp(_));
            let texts: Vec<Cow<'_, str>> = items
                .iter()
                .map(|item| scalar::write(model, element, item, TimestampFormat::HttpDate))
                .collect::<Result<_, _>>()?;
            join(texts.into_iter(), date).into()
        }
        _ => scalar::write(model, &member.reference, value, TimestampFormat::HttpDate)?,
    };
    put(headers, member.wire_name(), &text)
}

fn put(headers: &mut HeaderMap, name: &str, text: &str) -> Result<(), EncodeError> {
    let bad = || EncodeError::Header(name.to_owned());
    let key = HeaderName::try_from(name).map_err(|_| bad())?;
    headers.insert(key, HeaderValue::from_str(text).map_err(|_| bad())?);
    Ok(())
}
