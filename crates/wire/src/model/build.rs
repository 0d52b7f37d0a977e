//! From the raw language to a [`Model`]: names become indices, absent fields get their meaning.

use super::raw::{RawMetadata, RawModel, RawNamespace, RawOperation, RawReference, RawShape, Text};
use super::shape::{
    Constraints, ErrorTrait, Kind, Location, Member, Reference, Shape, ShapeId, Structure, TimestampFormat,
    XmlNamespace,
};
use super::{Metadata, Model, Operation, Peculiar, patch};
use crate::Protocol;
use http::Method;
use pitbird_paths::{Router, Template};
use std::collections::HashMap;
use thiserror::Error;

/// Why a text is no model.
#[derive(Debug, Error)]
pub enum ModelError {
    #[error("not in the model language")]
    Language(#[from] serde_json::Error),
    #[error("unknown {what} {name:?}")]
    Unknown { what: &'static str, name: &'static str },
    #[error("{shape} has no {field}")]
    Missing { shape: &'static str, field: &'static str },
    #[error("operation {operation} has a bad path")]
    Path { operation: &'static str, source: pitbird_paths::Error },
}

pub fn metadata(text: &'static str, patch: Option<&'static str>) -> Result<Metadata, ModelError> {
    let mut raw: RawMetadata = serde_json::from_str(text)?;
    if let Some(patch) = patch {
        patch::apply_metadata(&mut raw, patch)?;
    }
    from_raw_metadata(raw)
}

pub fn model(
    key: &'static str,
    model: &'static str,
    patch: Option<&'static str>,
) -> Result<Model, ModelError> {
    let mut raw: RawModel = serde_json::from_str(model)?;
    if let Some(patch) = patch {
        patch::apply(&mut raw, patch)?;
    }
    let metadata = from_raw_metadata(raw.metadata)?;
    let mut shapes = raw.shapes.0;
    shapes.sort_by_key(|(name, _)| *name);
    let names = Names(shapes.iter().map(|(name, _)| *name).collect());
    let shapes = shapes.into_iter().map(|(name, raw)| shape(name, raw, &names)).collect::<Result<_, _>>()?;
    let mut operations = raw.operations.0;
    operations.sort_by_key(|(name, _)| *name);
    let operations: Vec<Operation> =
        operations.into_iter().map(|(name, raw)| operation(name, raw, &names)).collect::<Result<_, _>>()?;
    let routes = routes(&operations);
    Ok(Model { key, metadata, operations, shapes, routes })
}

fn routes(operations: &[Operation]) -> HashMap<Method, Router<Vec<usize>>> {
    let mut routes: HashMap<Method, Router<Vec<usize>>> = HashMap::new();
    for (at, operation) in operations.iter().enumerate() {
        let router = routes.entry(operation.method.clone()).or_default();
        router.get_or_insert_with(&operation.path, Vec::new).push(at);
    }
    routes
}

/// Shape names, sorted.
struct Names(Vec<&'static str>);

impl Names {
    fn id(&self, name: &'static str) -> Result<ShapeId, ModelError> {
        let at = self.0.binary_search(&name).map_err(|_| ModelError::Unknown { what: "shape", name })?;
        Ok(ShapeId(at as u32))
    }

    fn of(&self, reference: &RawReference) -> Result<ShapeId, ModelError> {
        let Text(name) =
            reference.shape.ok_or(ModelError::Missing { shape: "a reference", field: "shape" })?;
        self.id(name)
    }
}

fn text(text: Option<Text>) -> Option<&'static str> {
    text.map(|Text(text)| text)
}

fn from_raw_metadata(raw: RawMetadata) -> Result<Metadata, ModelError> {
    let mut protocols = Vec::new();
    for Text(name) in raw.protocols.unwrap_or_default().into_iter().chain(raw.protocol) {
        let protocol = protocol(name, text(raw.json_version))?;
        if !protocols.contains(&protocol) {
            protocols.push(protocol);
        }
    }
    let signing_name = text(raw.signing_name).or(text(raw.endpoint_prefix)).unwrap_or_default();
    let malformed = text(raw.malformed_body_code)
        .map(|code| (code, text(raw.malformed_body_message).unwrap_or_default()));
    Ok(Metadata {
        service_id: text(raw.service_id).unwrap_or_default(),
        api_version: text(raw.api_version).unwrap_or_default(),
        signing_name,
        protocols,
        target_prefix: text(raw.target_prefix),
        xml_namespace: raw.xml_namespace.map(|namespace| xml_namespace(namespace).uri),
        query_compatible: raw.aws_query_compatible.is_some(),
        peculiar: Peculiar {
            member_path_root: text(raw.member_path_root),
            elements_not_null: raw.elements_not_null,
            error_namespace: text(raw.error_namespace),
            validation_namespace: text(raw.validation_namespace),
            validation_code: text(raw.validation_code),
            blob_content_type: text(raw.blob_content_type),
            malformed_body: malformed,
            host_word: text(raw.host_word),
            bare_errors: raw.bare_errors,
            body_bytes_max: raw.body_bytes_max,
        },
    })
}

fn protocol(name: &'static str, json_version: Option<&'static str>) -> Result<Protocol, ModelError> {
    Ok(match (name, json_version) {
        ("rest-json", _) => Protocol::RestJson,
        ("rest-xml", _) => Protocol::RestXml,
        ("json", Some("1.1")) => Protocol::Json11,
        ("json", _) => Protocol::Json10,
        ("query", _) => Protocol::Query,
        ("smithy-rpc-v2-cbor", _) => Protocol::Cbor,
        _ => return Err(ModelError::Unknown { what: "protocol", name }),
    })
}

fn xml_namespace(raw: RawNamespace) -> XmlNamespace {
    match raw {
        RawNamespace::Plain(Text(uri)) => XmlNamespace { uri, prefix: None },
        RawNamespace::Prefixed { uri: Text(uri), prefix } => XmlNamespace { uri, prefix: text(prefix) },
    }
}

fn operation(name: &'static str, raw: RawOperation, names: &Names) -> Result<Operation, ModelError> {
    let http = raw.http.unwrap_or_default();
    let uri = text(http.request_uri).unwrap_or("/");
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let path = Template::parse(path).map_err(|source| ModelError::Path { operation: name, source })?;
    let method = text(http.method).unwrap_or("POST");
    let method = method.parse().map_err(|_| ModelError::Unknown { what: "method", name: method })?;
    let id = |reference: &Option<RawReference>| reference.as_ref().map(|r| names.of(r)).transpose();
    Ok(Operation {
        name,
        method,
        path,
        fixed_query: query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .collect(),
        response_code: http.response_code.unwrap_or(200),
        input: id(&raw.input)?,
        output: id(&raw.output)?,
        errors: raw
            .errors
            .unwrap_or_default()
            .iter()
            .map(|error| names.of(error))
            .collect::<Result<_, _>>()?,
        result_wrapper: raw.output.and_then(|output| text(output.result_wrapper)),
        request_compression: raw.requestcompression.is_some(),
        host_prefix: raw.endpoint.and_then(|endpoint| text(endpoint.host_prefix)),
        unsigned: raw.authtype == Some(Text("none")),
        request_bytes_max: raw.request_bytes_max,
    })
}

fn shape(name: &'static str, raw: RawShape, names: &Names) -> Result<Shape, ModelError> {
    let error = raw.exception.then(|| {
        let error = raw.error.clone().unwrap_or_default();
        let server_fault = raw.fault || error.fault || error.http_status_code.is_some_and(|s| s >= 500);
        ErrorTrait { status: error.http_status_code, code: text(error.code), server_fault }
    });
    let constraints = Constraints {
        min: raw.min,
        max: raw.max,
        pattern: text(raw.pattern),
        too_long: text(raw.too_long),
        choices: raw.r#enum.iter().flatten().map(|Text(choice)| *choice).collect(),
        ..Constraints::default()
    };
    Ok(Shape {
        name,
        constraints,
        error,
        sensitive: raw.sensitive,
        xml_namespace: raw.xml_namespace.clone().map(xml_namespace),
        wire_name: text(raw.location_name),
        kind: kind(name, raw, names)?,
    })
}

fn kind(name: &'static str, raw: RawShape, names: &Names) -> Result<Kind, ModelError> {
    let part = |part: Option<RawReference>, field| {
        reference(&part.ok_or(ModelError::Missing { shape: name, field })?, names)
    };
    let Text(kind) = raw.r#type.ok_or(ModelError::Missing { shape: name, field: "type" })?;
    Ok(match kind {
        "structure" if raw.document => Kind::Document,
        "structure" => Kind::Structure(structure(name, raw, names)?),
        "list" => Kind::List { member: part(raw.member, "member")?, flattened: raw.flattened },
        "map" => Kind::Map {
            key: part(raw.key, "key")?,
            value: part(raw.value, "value")?,
            flattened: raw.flattened,
        },
        "string" | "character" => Kind::String,
        "boolean" => Kind::Boolean,
        "integer" | "short" | "byte" => Kind::Integer,
        "long" | "biginteger" => Kind::Long,
        "float" => Kind::Float,
        "double" | "bigdecimal" => Kind::Double,
        "timestamp" => Kind::Timestamp(raw.timestamp_format.map(format).transpose()?),
        "blob" => Kind::Blob { streaming: raw.streaming },
        _ => return Err(ModelError::Unknown { what: "type", name: kind }),
    })
}

fn format(Text(name): Text) -> Result<TimestampFormat, ModelError> {
    match name {
        "unixTimestamp" => Ok(TimestampFormat::Epoch),
        "iso8601" => Ok(TimestampFormat::Iso8601),
        "rfc822" => Ok(TimestampFormat::HttpDate),
        _ => Err(ModelError::Unknown { what: "timestamp format", name }),
    }
}

fn structure(name: &'static str, raw: RawShape, names: &Names) -> Result<Structure, ModelError> {
    let required: Vec<Text> = raw.required.unwrap_or_default();
    let mut members = Vec::with_capacity(raw.members.0.len());
    for (name, raw) in &raw.members.0 {
        members.push(Member {
            name,
            reference: reference(raw, names)?,
            location: location(raw.location)?,
            required: required.contains(&Text(name)),
            idempotency_token: raw.idempotency_token,
            host_label: raw.host_label,
            json_value: raw.jsonvalue,
            is_event_payload: raw.eventpayload,
        });
    }
    let payload = match raw.payload {
        Some(Text(payload)) => {
            let at = members.iter().position(|member| member.name == payload);
            Some(at.ok_or(ModelError::Missing { shape: name, field: payload })?)
        }
        None => None,
    };
    let mut by_wire_name: Vec<(&'static str, u32)> = (0..)
        .zip(&members)
        .filter(|(_, member)| member.location == Location::Body)
        .map(|(at, member)| (member.wire_name(), at))
        .collect();
    by_wire_name.sort_unstable();
    let (union, unwrapped, event_stream) = (raw.union, raw.unwrapped, raw.eventstream);
    Ok(Structure { members, payload, union, unwrapped, event_stream, by_wire_name })
}

fn reference(raw: &RawReference, names: &Names) -> Result<Reference, ModelError> {
    Ok(Reference {
        shape: names.of(raw)?,
        wire_name: text(raw.location_name),
        flattened: raw.flattened,
        timestamp_format: raw.timestamp_format.map(format).transpose()?,
        xml_attribute: raw.xml_attribute,
        xml_namespace: raw.xml_namespace.clone().map(xml_namespace),
    })
}

fn location(raw: Option<Text>) -> Result<Location, ModelError> {
    Ok(match text(raw) {
        None => Location::Body,
        Some("uri") => Location::Uri,
        Some("querystring") => Location::Query,
        Some("header") => Location::Header,
        Some("headers") => Location::Headers,
        Some("statusCode") => Location::StatusCode,
        Some(name) => return Err(ModelError::Unknown { what: "location", name }),
    })
}
