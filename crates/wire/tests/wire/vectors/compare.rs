use super::run::payload;
use bytes::Bytes;
use http::{HeaderMap, Response, Uri};
use pitbird_wire::{Kind, Model, Protocol, ShapeId, Value};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// The vectors' parameters as a value: blobs are plain text there, timestamps numbers, odd floats words.
pub fn value(model: &Model, shape: ShapeId, json: &Json) -> Value {
    match (&model.shape(shape).kind, json) {
        (_, Json::Null) => Value::Null,
        (Kind::Structure(structure), Json::Object(entries)) => Value::Map(
            entries
                .iter()
                .filter_map(|(name, json)| {
                    let member = structure.members.iter().find(|member| member.name == name)?;
                    Some((member.name.into(), value(model, member.reference.shape, json)))
                })
                .filter(|(_, value)| !value.is_null())
                .collect(),
        ),
        (Kind::Map { value: entry, .. }, Json::Object(entries)) => Value::Map(
            entries.iter().map(|(key, json)| (key.clone().into(), value(model, entry.shape, json))).collect(),
        ),
        (Kind::List { member, .. }, Json::Array(items)) => {
            Value::List(items.iter().map(|item| value(model, member.shape, item)).collect())
        }
        (Kind::Blob { .. }, Json::String(text)) => Value::Blob(text.clone().into()),
        (Kind::Float | Kind::Double, Json::String(text)) => Value::Float(text.parse().unwrap()),
        (Kind::Float | Kind::Double, json) => Value::Float(json.as_f64().unwrap()),
        (Kind::Timestamp(_), json) => Value::Timestamp(json.as_f64().unwrap()),
        (_, json) => document(json),
    }
}

fn document(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(it) => Value::Bool(*it),
        Json::Number(it) => it.as_i64().map_or_else(|| Value::Float(it.as_f64().unwrap()), Value::Integer),
        Json::String(it) => Value::String(it.clone()),
        Json::Array(items) => Value::List(items.iter().map(document).collect()),
        Json::Object(entries) => {
            Value::Map(entries.iter().map(|(key, json)| (key.clone().into(), document(json))).collect())
        }
    }
}

/// Whether values are the same, whatever the order of maps.
pub fn same(found: &Value, expected: &Value) -> Result<(), String> {
    let sorted = |value: &Value| format!("{:?}", crate::sample::sorted(value.clone()));
    let (found, expected) = (sorted(found), sorted(expected));
    if found == expected { Ok(()) } else { Err(format!("{found}\n  not {expected}")) }
}

pub fn uris(found: &Uri, expected: &str) -> Result<(), String> {
    let split = |text: &str| {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let mut query: Vec<String> = query
            .split('&')
            .filter(|it| !it.is_empty())
            .map(|it| it.trim_end_matches('=').to_owned())
            .collect();
        query.sort();
        (path.trim_end_matches('/').to_owned(), query)
    };
    let (found, expected) = (split(&found.to_string()), split(expected));
    if found == expected { Ok(()) } else { Err(format!("{found:?}\n  not {expected:?}")) }
}

/// All expected headers must be there, but for what the HTTP layer adds and what belongs to requests.
pub fn headers(found: &HeaderMap, expected: &HeaderMap) -> Result<(), String> {
    for (name, value) in expected {
        if matches!(name.as_str(), "content-length" | "date" | "x-amzn-requestid" | "x-amz-target") {
            continue;
        }
        let found = found.get(name).and_then(|value| value.to_str().ok());
        let parts =
            |text: &str| text.split([',', ';']).map(|it| it.trim().to_ascii_lowercase()).collect::<Vec<_>>();
        let value = value.to_str().unwrap();
        let matches = found.is_some_and(|found| {
            parts(found) == parts(value) || (name == "content-type" && parts(found)[0] == parts(value)[0])
        });
        if !matches {
            return Err(format!("header {name}: {found:?}, not {value:?}"));
        }
    }
    Ok(())
}

/// How bodies are compared.
#[derive(Clone, Copy)]
pub enum Body {
    Json,
    Xml,
    Form,
    Cbor,
    Bytes,
}

impl Body {
    pub fn of(protocol: Protocol, shape: Option<(&Model, ShapeId)>) -> Body {
        let payload = shape.and_then(|(model, shape)| payload(model, shape));
        match (protocol, payload) {
            (_, Some(Kind::Blob { .. } | Kind::String)) => Body::Bytes,
            (Protocol::Cbor, _) => Body::Cbor,
            (Protocol::RestXml, _) => Body::Xml,
            (Protocol::Query, _) => Body::Form,
            _ => Body::Json,
        }
    }
}

pub fn bodies(kind: Body, found: &[u8], expected: &[u8]) -> Result<(), String> {
    let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (one, other) = match kind {
        _ if found == expected => return Ok(()),
        Body::Json => (json(found), json(expected)),
        // No body is an answer without a result.
        Body::Form if expected.is_empty() => (xml(found).contains("Result").to_string(), "false".into()),
        // What is no form is an answer.
        Body::Form if expected.first() == Some(&b'<') => (xml(found), xml(expected)),
        Body::Form => (form(found), form(expected)),
        Body::Xml => (xml(found), xml(expected)),
        Body::Cbor => (cbor(found), cbor(expected)),
        Body::Bytes => (words(found), words(expected)),
    };
    if one == other { Ok(()) } else { Err(format!("{one}\n  not {other}")) }
}

/// Whether two errors in JSON are the same: the name, wherever in its three places it stands and whatever surrounds it,
/// and the other members.
pub fn json_errors(found: &Response<Bytes>, expected: &Response<Bytes>) -> Result<(), String> {
    let parts = |answer: &Response<Bytes>| {
        let body = serde_json::from_slice(answer.body()).unwrap_or(Json::Null);
        let mut members: BTreeMap<String, Json> = serde_json::from_value(body).unwrap_or_default();
        let code = members.remove("code");
        let name = members.remove("__type").or(code);
        let header = answer.headers().get("x-amzn-errortype").map(|name| name.to_str().unwrap().to_owned());
        let name = header.or(name.and_then(|name| Some(name.as_str()?.to_owned()))).unwrap_or_default();
        let name = name.rsplit('#').next().unwrap().split(':').next().unwrap().to_owned();
        (name, members)
    };
    let (one, other) = (parts(found), parts(expected));
    if one == other { Ok(()) } else { Err(format!("{one:?}\n  not {other:?}")) }
}

/// Without order, and without what no client sees: null members, and the type of what is no error. No body is an empty
/// object.
fn json(bytes: &[u8]) -> String {
    let bytes = if bytes.is_empty() { b"{}" } else { bytes };
    fn sorted(json: Json) -> Json {
        match json {
            Json::Object(entries) => {
                let seen = entries.into_iter().filter(|(key, json)| !json.is_null() && key != "__type");
                let mut entries: Vec<_> = seen.map(|(key, json)| (key, sorted(json))).collect();
                entries.sort_by(|(one, _), (other, _)| one.cmp(other));
                Json::Object(entries.into_iter().collect())
            }
            Json::Array(items) => Json::Array(items.into_iter().map(sorted).collect()),
            Json::Number(it) => it.as_f64().map_or(Json::Null, Json::from),
            Json::String(text) => utc(&text).into(),
            other => other,
        }
    }
    serde_json::from_slice(bytes)
        .map_or_else(|_| String::from_utf8_lossy(bytes).into_owned(), |json| sorted(json).to_string())
}

fn form(bytes: &[u8]) -> String {
    let mut pairs: Vec<String> = String::from_utf8_lossy(bytes).split('&').map(str::to_owned).collect();
    pairs.sort();
    pairs.join("&")
}

/// An element's text form with attributes and children in order, and without blank text.
fn xml(bytes: &[u8]) -> String {
    use quick_xml::events::Event;
    #[derive(Default)]
    struct Open {
        head: String,
        text: String,
        children: Vec<String>,
    }
    let text = String::from_utf8_lossy(bytes).into_owned();
    let mut reader = quick_xml::Reader::from_str(&text);
    let mut open = vec![Open::default()];
    let head = |start: &quick_xml::events::BytesStart<'_>| {
        let mut attributes: Vec<String> = start
            .attributes()
            .map(|it| it.map(|it| format!("{}={}", it.key.as_ref(), it.value)).unwrap())
            .collect();
        attributes.sort();
        format!("{} {}", start.name().as_ref(), attributes.join(" "))
    };
    let close = |it: Open| {
        let mut children = it.children;
        children.sort();
        format!(
            "<{}>{}{}</>",
            it.head,
            if children.is_empty() { utc(it.text.trim()) } else { String::new() },
            children.concat()
        )
    };
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => open.push(Open { head: head(&start), ..Open::default() }),
            Ok(Event::Empty(start)) => {
                let it = close(Open { head: head(&start), ..Open::default() });
                open.last_mut().unwrap().children.push(it);
            }
            Ok(Event::End(_)) => {
                let it = close(open.pop().unwrap());
                open.last_mut().unwrap().children.push(it);
            }
            Ok(Event::Text(it)) => open.last_mut().unwrap().text.push_str(&it),
            Ok(Event::GeneralRef(it)) => {
                // Escapes are as good as what they stand for.
                let plain = match it.resolve_char_ref() {
                    Ok(Some(character)) => character.to_string(),
                    _ => it.replace("quot", "\"").replace("apos", "'"),
                };
                open.last_mut().unwrap().text.push_str(&plain);
            }
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(error) => return error.to_string(),
        }
    }
    // Of the request id the vectors have a word only where it matters.
    let document = open.swap_remove(0);
    let text = document.children.concat();
    let metadata = "<ResponseMetadata ><RequestId >foo-id</></>";
    text.replace(metadata, "")
}

/// CBOR as our reader sees it, which the reading tests hold against the vectors' own bytes; without what no client
/// sees.
fn cbor(bytes: &[u8]) -> String {
    fn seen(value: Value) -> Value {
        match value {
            Value::Map(entries) => Value::Map(
                entries
                    .into_iter()
                    .filter(|(_, value)| !value.is_null())
                    .map(|(key, value)| match value {
                        Value::String(text) if key == "__type" => {
                            (key, text.rsplit('#').next().unwrap_or_default().into())
                        }
                        other => (key, seen(other)),
                    })
                    .collect(),
            ),
            Value::List(items) => Value::List(items.into_iter().map(seen).collect()),
            other => other,
        }
    }
    let bytes = if bytes.is_empty() { b"\xa0" } else { bytes };
    let value = pitbird_wire::read_cbor(&Bytes::copy_from_slice(bytes));
    value.map_or_else(|error| error.to_string(), |value| format!("{:?}", crate::sample::sorted(seen(value))))
}

/// A text that is a point in time with an offset, at offset zero.
fn utc(text: &str) -> String {
    let parts: Vec<i64> = text.split(['-', 'T', ':', '+']).map_while(|part| part.parse().ok()).collect();
    let (&[year, month, day, hour, minute, second, hours, minutes], Some(sign)) =
        (&parts[..], text.get(19..20))
    else {
        return text.to_owned();
    };
    let sign = if sign == "-" { 1 } else { -1 };
    let all = ((day * 24 + hour + sign * hours) * 60 + minute + sign * minutes) * 60 + second;
    let (day, hour, minute, second) = (all / 86_400, all / 3600 % 24, all / 60 % 60, all % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}
