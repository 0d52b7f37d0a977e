use super::split;
use crate::codec::{DecodeError, Reading, Step, json, scalar, timestamp_format, xml};
use crate::model::{Kind, Location, Member, Operation, Reference, ShapeId, Structure, TimestampFormat};
use crate::protocol::Protocol;
use crate::query;
use crate::value::{Key, Value};
use base64::Engine as _;
use bytes::Bytes;
use http::HeaderMap;
use std::borrow::Cow;

/// Reads an operation's input.
pub fn input(
    reading: &mut Reading<'_>,
    operation: &Operation,
    protocol: Protocol,
    labels: &[String],
    parts: &http::request::Parts,
    body: &Bytes,
) -> Result<Value, DecodeError> {
    let Some(shape) = operation.input else { return Ok(Value::empty_map()) };
    let Some(structure) = reading.model.structure(shape) else { return Ok(Value::empty_map()) };
    let mut members = Vec::with_capacity(structure.members.len().min(16));
    read_labels(reading, operation, structure, labels, &mut members)?;
    read_query(reading, operation, structure, parts.uri.query().unwrap_or_default(), &mut members)?;
    read_headers(reading, structure, &parts.headers, &mut members)?;
    read_body(reading, protocol, shape, structure, body, &mut members)?;
    Ok(Value::Map(members))
}

/// Reads an operation's output or an error's members.
pub fn output(
    reading: &mut Reading<'_>,
    shape: ShapeId,
    protocol: Protocol,
    parts: &http::response::Parts,
    body: &Bytes,
) -> Result<Value, DecodeError> {
    let Some(structure) = reading.model.structure(shape) else { return Ok(Value::empty_map()) };
    let mut members = Vec::new();
    read_headers(reading, structure, &parts.headers, &mut members)?;
    if let Some(member) = structure.members.iter().find(|member| member.location == Location::StatusCode) {
        members.push((member.name.into(), Value::Integer(parts.status.as_u16().into())));
    }
    read_body(reading, protocol, shape, structure, body, &mut members)?;
    Ok(Value::Map(members))
}

type Members = Vec<(Key, Value)>;

fn read_labels(
    reading: &mut Reading<'_>,
    operation: &Operation,
    structure: &Structure,
    labels: &[String],
    members: &mut Members,
) -> Result<(), DecodeError> {
    for (name, text) in operation.path.names().zip(labels) {
        let member =
            structure.members.iter().find(|it| it.location == Location::Uri && it.wire_name() == name);
        let Some(member) = member else { continue };
        let value = scalar::read(reading.model, &member.reference, text.into(), TimestampFormat::Iso8601)?;
        members.push((member.name.into(), value));
    }
    Ok(())
}

fn read_query(
    reading: &mut Reading<'_>,
    operation: &Operation,
    structure: &Structure,
    text: &str,
    members: &mut Members,
) -> Result<(), DecodeError> {
    let is_presigned = text.contains("AWSAccessKeyId=");
    let mut rest: Vec<(Cow<'_, str>, Cow<'_, str>)> = query::pairs(text)
        .filter(|(name, value)| {
            !says_who(name, is_presigned)
                && !operation.fixed_query.iter().any(|fixed| fixed.0 == name && fixed.1 == value)
        })
        .collect();
    let in_query = || structure.members.iter().filter(|member| member.location == Location::Query);
    for member in in_query().filter(|member| !is_map(reading, &member.reference)) {
        let (mine, others): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|(name, _)| name == member.wire_name());
        rest = others;
        match &reading.model.shape(member.reference.shape).kind {
            _ if mine.is_empty() => {}
            Kind::List { member: element, .. } => {
                let read = |(_, text)| scalar::read(reading.model, element, text, TimestampFormat::Iso8601);
                let items = mine.into_iter().map(read).collect::<Result<_, _>>()?;
                members.push((member.name.into(), Value::List(items)));
            }
            _ => {
                let (_, text) = mine.into_iter().next().expect("checked above");
                let value = scalar::read(reading.model, &member.reference, text, TimestampFormat::Iso8601)?;
                members.push((member.name.into(), value));
            }
        }
    }
    match in_query().find(|member| is_map(reading, &member.reference)) {
        Some(member) => {
            let value = query_map(reading, &member.reference, rest)?;
            if value != Value::empty_map() {
                members.push((member.name.into(), value));
            }
        }
        None => rest.iter().for_each(|(name, _)| reading.note_unknown(name)),
    }
    Ok(())
}

/// Whether a parameter belongs to the signature, or to the older one of presigned URLs, or repeats the operation's name as
/// newer SDKs do.
fn says_who(name: &str, is_presigned: bool) -> bool {
    let is_older = is_presigned && matches!(name, "AWSAccessKeyId" | "Signature" | "Expires");
    name.starts_with("X-Amz-") || name == "x-id" || is_older
}

fn is_map(reading: &Reading<'_>, reference: &Reference) -> bool {
    matches!(reading.model.shape(reference.shape).kind, Kind::Map { .. })
}

/// All parameters that no other member takes.
fn query_map(
    reading: &Reading<'_>,
    reference: &Reference,
    pairs: Vec<(Cow<'_, str>, Cow<'_, str>)>,
) -> Result<Value, DecodeError> {
    let Kind::Map { value, .. } = &reading.model.shape(reference.shape).kind else {
        return Ok(Value::empty_map());
    };
    let mut entries: Members = Vec::new();
    for (name, text) in pairs {
        let Kind::List { member, .. } = &reading.model.shape(value.shape).kind else {
            let it = scalar::read(reading.model, value, text, TimestampFormat::Iso8601)?;
            entries.push((Key::Owned(name.into_owned()), it));
            continue;
        };
        let it = scalar::read(reading.model, member, text, TimestampFormat::Iso8601)?;
        match entries.iter_mut().find(|(held, _)| *held == name) {
            Some((_, Value::List(items))) => items.push(it),
            _ => entries.push((Key::Owned(name.into_owned()), Value::List(vec![it]))),
        }
    }
    Ok(Value::Map(entries))
}

fn read_headers(
    reading: &mut Reading<'_>,
    structure: &Structure,
    headers: &HeaderMap,
    members: &mut Members,
) -> Result<(), DecodeError> {
    for member in &structure.members {
        let value = match member.location {
            Location::Header => header(reading, member, headers)?,
            Location::Headers => Some(prefixed(member.wire_name(), headers)),
            _ => None,
        };
        members.extend(value.map(|value| (Key::Borrowed(member.name), value)));
    }
    Ok(())
}

fn header(reading: &Reading<'_>, member: &Member, headers: &HeaderMap) -> Result<Option<Value>, DecodeError> {
    let texts: Vec<Cow<'_, str>> =
        headers.get_all(member.wire_name()).iter().map(|it| String::from_utf8_lossy(it.as_bytes())).collect();
    if texts.is_empty() {
        return Ok(None);
    }
    let text = texts.join(", ");
    let model = reading.model;
    if member.json_value {
        let bytes = json::BASE64_LENIENT.decode(text.trim());
        let bytes =
            bytes.map_err(|_| DecodeError::Type(format!("header {} is no base64", member.wire_name())))?;
        return Ok(Some(Value::String(String::from_utf8_lossy(&bytes).into_owned())));
    }
    if let Kind::List { member: element, .. } = &model.shape(member.reference.shape).kind {
        let date = matches!(model.shape(element.shape).kind, Kind::Timestamp(_))
            .then(|| timestamp_format(model, element, TimestampFormat::HttpDate));
        let read = |text| scalar::read(model, element, text, TimestampFormat::HttpDate);
        let items = split(&text, date).into_iter().map(read).collect::<Result<_, _>>()?;
        return Ok(Some(Value::List(items)));
    }
    scalar::read(model, &member.reference, text.into(), TimestampFormat::HttpDate).map(Some)
}

/// A map of all headers with a prefix, by what follows it.
fn prefixed(prefix: &str, headers: &HeaderMap) -> Value {
    let prefix = prefix.to_ascii_lowercase();
    let entries: Members = headers
        .iter()
        .filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix(&prefix)?;
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            Some((Key::Owned(name.to_owned()), Value::String(value)))
        })
        .collect();
    Value::Map(entries)
}

fn read_body(
    reading: &mut Reading<'_>,
    protocol: Protocol,
    shape: ShapeId,
    structure: &Structure,
    body: &Bytes,
    members: &mut Members,
) -> Result<(), DecodeError> {
    if let Some(payload) = structure.payload {
        let member = &structure.members[payload];
        if let Some(value) = read_payload(reading, protocol, member, body)? {
            members.push((member.name.into(), value));
        }
        return Ok(());
    }
    let has_body = structure.members.iter().any(|member| member.location == Location::Body);
    // A body where the model has none is let pass: SDKs send `{}` there.
    if !has_body || is_blank(body) {
        return Ok(());
    }
    let reference = Reference::to(shape);
    let value = match protocol {
        Protocol::RestXml if structure.unwrapped => {
            xml::read_unwrapped(reading, structure, xml::parse(body)?)?
        }
        Protocol::RestXml => xml::read_element(reading, &reference, &xml::parse(body)?)?,
        _ => json::read(reading, &reference, body)?,
    };
    if let Value::Map(entries) = value {
        members.extend(entries);
    }
    Ok(())
}

fn is_blank(body: &Bytes) -> bool {
    body.iter().all(u8::is_ascii_whitespace)
}

fn read_payload(
    reading: &mut Reading<'_>,
    protocol: Protocol,
    member: &Member,
    body: &Bytes,
) -> Result<Option<Value>, DecodeError> {
    if body.is_empty() {
        return Ok(None);
    }
    let value = match &reading.model.shape(member.reference.shape).kind {
        Kind::Blob { .. } => Value::Blob(body.clone()),
        Kind::String => {
            let text = std::str::from_utf8(body);
            Value::String(text.map_err(|_| DecodeError::Malformed("the body is no UTF-8".into()))?.to_owned())
        }
        _ if protocol == Protocol::RestXml => {
            let document = xml::parse(body)?;
            let step = || Step::Name(member.name.into());
            reading.within(step, true, |reading| xml::read_element(reading, &member.reference, &document))?
        }
        _ => json::read(reading, &member.reference, body)?,
    };
    // A client that has nothing to say says `{}`.
    Ok((!value.is_null() && value != Value::empty_map()).then_some(value))
}
