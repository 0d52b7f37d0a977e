//! What a subscriber asks for. Decides only. Source: Lambda developer guide, "Telemetry API reference".

use std::ops::RangeInclusive;
use std::time::Duration;

use hyper::{Method, Uri};
use pitbird_sandbox::RUNTIME_API_PORT;
use serde::Deserialize;
use thiserror::Error;

/// Versions of the events' schema. The first one has function lines as text even where they are JSON.
const SCHEMAS: [&str; 3] = ["2022-07-01", "2022-12-13", "2025-01-29"];
/// Names under which a sandbox knows itself.
const HOSTS: [&str; 2] = ["sandbox.localdomain", "sandbox"];

const ITEMS: RangeInclusive<u64> = 1000..=10_000;
const BYTES: RangeInclusive<u64> = 262_144..=1_048_576;
const TIMEOUT_MS: RangeInclusive<u64> = 25..=30_000;

/// Kinds of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Platform,
    Function,
    Extension,
}

impl Kind {
    const ALL: [Kind; 3] = [Kind::Platform, Kind::Function, Kind::Extension];

    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Platform => "platform",
            Kind::Function => "function",
            Kind::Extension => "extension",
        }
    }

    /// As the log has it.
    pub fn title(self) -> &'static str {
        match self {
            Kind::Platform => "Platform",
            Kind::Function => "Function",
            Kind::Extension => "Extension",
        }
    }
}

/// One that can be obeyed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    pub kinds: Vec<Kind>,
    /// Function lines that are JSON stay it.
    pub keeps_json: bool,
    pub buffering: Buffering,
    pub method: Method,
    /// Where the listener is, on the sandbox's loopback.
    pub port: u16,
    /// `Host` of the requests.
    pub host: String,
    pub path: String,
}

/// How much is gathered, and how long, before it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buffering {
    pub items_max: usize,
    pub bytes_max: usize,
    pub timeout: Duration,
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Invalid(String);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    schema_version: String,
    types: Vec<String>,
    #[serde(default)]
    buffering: AskedBuffering,
    destination: AskedDestination,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct AskedBuffering {
    max_items: Option<u64>,
    max_bytes: Option<u64>,
    timeout_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AskedDestination {
    protocol: String,
    #[serde(rename = "URI")]
    uri: Option<String>,
    method: Option<String>,
    encoding: Option<String>,
}

impl Subscription {
    /// Reads the body of `PUT /2022-07-01/telemetry`.
    pub fn parse(body: &[u8]) -> Result<Subscription, Invalid> {
        let asked: Asked = serde_json::from_slice(body).map_err(|error| Invalid(error.to_string()))?;
        let schema = SCHEMAS.iter().position(|schema| *schema == asked.schema_version);
        let schema = schema.ok_or_else(|| {
            Invalid(format!("schemaVersion {:?} is none of {SCHEMAS:?}", short(&asked.schema_version)))
        })?;
        let Asked { types, buffering, destination, .. } = asked;
        let (port, host, path) = place(&destination)?;
        Ok(Subscription {
            kinds: kinds(&types)?,
            keeps_json: schema > 0,
            buffering: Buffering {
                items_max: within("maxItems", buffering.max_items, 10_000, ITEMS)? as usize,
                bytes_max: within("maxBytes", buffering.max_bytes, 262_144, BYTES)? as usize,
                timeout: Duration::from_millis(within("timeoutMs", buffering.timeout_ms, 1000, TIMEOUT_MS)?),
            },
            method: method(&destination)?,
            port,
            host,
            path,
        })
    }

    pub fn takes(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }
}

fn kinds(types: &[String]) -> Result<Vec<Kind>, Invalid> {
    let mut kinds = Vec::new();
    for name in types {
        let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == name);
        let kind = kind.ok_or_else(|| {
            Invalid(format!("type {:?} is none of platform, function, extension", short(name)))
        })?;
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    if kinds.is_empty() { Err(Invalid("types has nothing in it".to_owned())) } else { Ok(kinds) }
}

fn within(name: &str, asked: Option<u64>, usual: u64, range: RangeInclusive<u64>) -> Result<u64, Invalid> {
    let value = asked.unwrap_or(usual);
    if range.contains(&value) {
        return Ok(value);
    }
    Err(Invalid(format!("buffering.{name} is {value}, not from {} to {}", range.start(), range.end())))
}

fn method(destination: &AskedDestination) -> Result<Method, Invalid> {
    if let Some(encoding) = destination.encoding.as_deref().filter(|encoding| *encoding != "JSON") {
        return Err(Invalid(format!("destination.encoding {:?} is not JSON", short(encoding))));
    }
    match destination.method.as_deref() {
        None | Some("POST") => Ok(Method::POST),
        Some("PUT") => Ok(Method::PUT),
        Some(other) => Err(Invalid(format!("destination.method {:?} is neither POST nor PUT", short(other)))),
    }
}

/// Port, host and path of the listener.
fn place(destination: &AskedDestination) -> Result<(u16, String, String), Invalid> {
    if destination.protocol != "HTTP" {
        let protocol = short(&destination.protocol);
        return Err(Invalid(format!("destination.protocol {protocol:?} is not served here: HTTP is")));
    }
    let text = destination.uri.as_deref().ok_or_else(|| Invalid("destination.URI is missing".to_owned()))?;
    let unusable = |why: &str| Invalid(format!("destination.URI {:?} {why}", short(text)));
    let uri: Uri = text.parse().map_err(|_| unusable("is no URI"))?;
    if uri.scheme_str() != Some("http") {
        return Err(unusable("does not begin with http://"));
    }
    let host = uri.host().filter(|host| HOSTS.contains(host));
    let host = host.ok_or_else(|| unusable("leads to another host than sandbox.localdomain"))?;
    let port = uri.port_u16().unwrap_or(80);
    if port == RUNTIME_API_PORT || port == 0 {
        return Err(unusable("leads to a port on which no extension can listen"));
    }
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    Ok((port, format!("{host}:{port}"), path.to_owned()))
}

/// No more of what came than is needed to find it again.
fn short(text: &str) -> String {
    text.chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn asked(change: impl FnOnce(&mut Value)) -> Result<Subscription, Invalid> {
        let mut asked = json!({
            "schemaVersion": "2022-12-13", "types": ["platform", "function"],
            "destination": { "protocol": "HTTP", "URI": "http://sandbox.localdomain:8080/events?a=b" },
        });
        change(&mut asked);
        Subscription::parse(asked.to_string().as_bytes())
    }

    #[test]
    fn what_is_asked_for_is_understood() {
        let buffering =
            Buffering { items_max: 10_000, bytes_max: 262_144, timeout: Duration::from_millis(1000) };
        let usual = Subscription {
            kinds: vec![Kind::Platform, Kind::Function],
            keeps_json: true,
            buffering,
            method: Method::POST,
            port: 8080,
            host: "sandbox.localdomain:8080".to_owned(),
            path: "/events?a=b".to_owned(),
        };
        assert_eq!(asked(|_| {}), Ok(usual.clone()));
        let own = asked(|asked| {
            asked["buffering"] = json!({ "maxItems": 1000, "maxBytes": 1_048_576, "timeoutMs": 25 });
            asked["schemaVersion"] = json!("2022-07-01");
            asked["destination"] = json!({ "protocol": "HTTP", "URI": "http://sandbox:1", "method": "PUT" });
        })
        .unwrap();
        assert_eq!((own.port, own.path.as_str(), own.method, own.keeps_json), (1, "/", Method::PUT, false));
        let least = Buffering { items_max: 1000, bytes_max: 1_048_576, timeout: Duration::from_millis(25) };
        assert_eq!(own.buffering, least);
    }

    #[test]
    fn what_cannot_be_obeyed_is_refused_by_name() {
        let refused = |path: &[&str], value: Value, word: &str| {
            let words = asked(|asked| {
                let (last, above) = path.split_last().unwrap();
                let place = above.iter().fold(asked, |place, name| &mut place[*name]);
                place[*last] = value;
            })
            .unwrap_err()
            .to_string();
            assert!(words.contains(word), "{words}");
        };
        for (name, bad) in [
            ("maxItems", [json!(999), json!(10_001)]),
            ("maxBytes", [json!(262_143), json!(1_048_577)]),
            ("timeoutMs", [json!(24), json!(30_001)]),
        ] {
            for bad in bad {
                refused(&["buffering", name], bad, name);
            }
            refused(&["buffering", name], json!("1000"), "expected");
            refused(&["buffering", name], json!(-1), "expected");
        }
        refused(&["schemaVersion"], json!("2020-08-15"), "schemaVersion");
        refused(&["types"], json!([]), "types");
        refused(&["types"], json!(["other"]), "other");
        refused(&["destination", "protocol"], json!("TCP"), "TCP");
        refused(&["destination", "method"], json!("GET"), "method");
        refused(&["destination", "encoding"], json!("XML"), "encoding");
        refused(&["destination", "URI"], Value::Null, "URI is missing");
        for (uri, word) in [
            ("http://127.0.0.1:8080", "another host"),
            ("http://169.254.169.254/", "another host"),
            ("http://sandbox.localdomain.example.com:80", "another host"),
            ("https://sandbox.localdomain:8080", "http://"),
            ("sandbox.localdomain:8080", "http://"),
            ("http://sandbox.localdomain:9001/2018-06-01/runtime/init/error", "port"),
            ("http://sandbox:0", "port"),
            ("\u{0}", "no URI"),
        ] {
            refused(&["destination", "URI"], json!(uri), word);
        }
        assert!(Subscription::parse(b"").is_err() && Subscription::parse(b"[]").is_err());
    }
}
