//! What a subscriber asks for. Decides only. Sources: Lambda developer guide, "Telemetry API reference" and "Using the Lambda Logs API".

use std::ops::RangeInclusive;
use std::time::Duration;

use hyper::{Method, Uri};
use pitbird_sandbox::RUNTIME_API_PORT;
use serde::Deserialize;
use thiserror::Error;

/// Versions of the events' schema in the Telemetry API. The first one has function lines as text even where they are JSON.
const TELEMETRY_SCHEMAS: [&str; 3] = ["2022-07-01", "2022-12-13", "2025-01-29"];
/// In the Logs API, the usual one first. The other also has `platform.runtimeDone`.
const LOGS_SCHEMAS: [&str; 2] = ["2020-08-15", "2021-03-18"];
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
    pub form: Form,
    pub buffering: Buffering,
    pub destination: Destination,
}

/// By which of the two APIs something is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    Telemetry,
    Logs,
}

/// What events look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Function lines that are JSON stay it, or don't.
    Telemetry {
        keeps_json: bool,
    },
    Logs {
        has_runtime_done: bool,
    },
}

impl Form {
    pub fn api(self) -> Api {
        match self {
            Form::Telemetry { .. } => Api::Telemetry,
            Form::Logs { .. } => Api::Logs,
        }
    }
}

/// Where the listener is, on the sandbox's loopback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    pub port: u16,
    pub protocol: Protocol,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protocol {
    /// An array of events a request.
    Http {
        method: Method,
        /// `Host` of the requests.
        host: String,
        path: String,
    },
    /// An event a line.
    Tcp,
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
    schema_version: Option<String>,
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
    port: Option<u16>,
    method: Option<String>,
    encoding: Option<String>,
}

impl Subscription {
    /// Reads the body of `PUT /2022-07-01/telemetry` or `PUT /2020-08-15/logs`.
    pub fn parse(api: Api, body: &[u8]) -> Result<Subscription, Invalid> {
        let asked: Asked = serde_json::from_slice(body).map_err(|error| Invalid(error.to_string()))?;
        let Asked { schema_version, types, buffering, destination } = asked;
        Ok(Subscription {
            kinds: kinds(&types)?,
            form: form(api, schema_version.as_deref())?,
            buffering: Buffering {
                items_max: within("maxItems", buffering.max_items, 10_000, ITEMS)? as usize,
                bytes_max: within("maxBytes", buffering.max_bytes, 262_144, BYTES)? as usize,
                timeout: Duration::from_millis(within("timeoutMs", buffering.timeout_ms, 1000, TIMEOUT_MS)?),
            },
            destination: self::destination(&destination)?,
        })
    }

    pub fn takes(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }
}

fn form(api: Api, schema: Option<&str>) -> Result<Form, Invalid> {
    let (schemas, usual) = match api {
        Api::Telemetry => (&TELEMETRY_SCHEMAS[..], None),
        Api::Logs => (&LOGS_SCHEMAS[..], Some(0)),
    };
    let place = match schema {
        Some(schema) => schemas.iter().position(|known| *known == schema),
        None => usual,
    };
    let place = place.ok_or_else(|| {
        Invalid(format!("schemaVersion {:?} is none of {schemas:?}", short(schema.unwrap_or_default())))
    })?;
    Ok(match api {
        Api::Telemetry => Form::Telemetry { keeps_json: place > 0 },
        Api::Logs => Form::Logs { has_runtime_done: place > 0 },
    })
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

fn destination(asked: &AskedDestination) -> Result<Destination, Invalid> {
    if let Some(encoding) = asked.encoding.as_deref().filter(|encoding| *encoding != "JSON") {
        return Err(Invalid(format!("destination.encoding {:?} is not JSON", short(encoding))));
    }
    let foreign = |name: &str| Invalid(format!("destination.{name} is none of {}", asked.protocol));
    match asked.protocol.as_str() {
        "HTTP" if asked.port.is_some() => Err(foreign("port")),
        "HTTP" => {
            let (port, host, path) = place(asked)?;
            Ok(Destination { port, protocol: Protocol::Http { method: method(asked)?, host, path } })
        }
        "TCP" if asked.uri.is_some() => Err(foreign("URI")),
        "TCP" if asked.method.is_some() => Err(foreign("method")),
        "TCP" => {
            let port = asked.port.ok_or_else(|| Invalid("destination.port is missing".to_owned()))?;
            if is_taken(port) {
                return Err(Invalid(format!(
                    "destination.port {port} is one on which no extension can listen"
                )));
            }
            Ok(Destination { port, protocol: Protocol::Tcp })
        }
        other => Err(Invalid(format!("destination.protocol {:?} is neither HTTP nor TCP", short(other)))),
    }
}

/// Can nobody but the Runtime API listen there?
fn is_taken(port: u16) -> bool {
    port == RUNTIME_API_PORT || port == 0
}

fn method(destination: &AskedDestination) -> Result<Method, Invalid> {
    match destination.method.as_deref() {
        None | Some("POST") => Ok(Method::POST),
        Some("PUT") => Ok(Method::PUT),
        Some(other) => Err(Invalid(format!("destination.method {:?} is neither POST nor PUT", short(other)))),
    }
}

/// Port, host and path of the listener.
fn place(destination: &AskedDestination) -> Result<(u16, String, String), Invalid> {
    let text = destination.uri.as_deref().ok_or_else(|| Invalid("destination.URI is missing".to_owned()))?;
    let unusable = |why: &str| Invalid(format!("destination.URI {:?} {why}", short(text)));
    let uri: Uri = text.parse().map_err(|_| unusable("is no URI"))?;
    if uri.scheme_str() != Some("http") {
        return Err(unusable("does not begin with http://"));
    }
    let host = uri.host().filter(|host| HOSTS.contains(host));
    let host = host.ok_or_else(|| unusable("leads to another host than sandbox.localdomain"))?;
    let port = uri.port_u16().unwrap_or(80);
    if is_taken(port) {
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
        Subscription::parse(Api::Telemetry, asked.to_string().as_bytes())
    }

    #[test]
    fn what_is_asked_for_is_understood() {
        let buffering =
            Buffering { items_max: 10_000, bytes_max: 262_144, timeout: Duration::from_millis(1000) };
        let usual = Subscription {
            kinds: vec![Kind::Platform, Kind::Function],
            form: Form::Telemetry { keeps_json: true },
            buffering,
            destination: Destination {
                port: 8080,
                protocol: Protocol::Http {
                    method: Method::POST,
                    host: "sandbox.localdomain:8080".to_owned(),
                    path: "/events?a=b".to_owned(),
                },
            },
        };
        assert_eq!(asked(|_| {}), Ok(usual.clone()));
        let own = asked(|asked| {
            asked["buffering"] = json!({ "maxItems": 1000, "maxBytes": 1_048_576, "timeoutMs": 25 });
            asked["schemaVersion"] = json!("2022-07-01");
            asked["destination"] = json!({ "protocol": "HTTP", "URI": "http://sandbox:1", "method": "PUT" });
        })
        .unwrap();
        let (host, path) = ("sandbox:1".to_owned(), "/".to_owned());
        let protocol = Protocol::Http { method: Method::PUT, host, path };
        assert_eq!(own.destination, Destination { port: 1, protocol });
        assert_eq!(own.form, Form::Telemetry { keeps_json: false });
        let least = Buffering { items_max: 1000, bytes_max: 1_048_576, timeout: Duration::from_millis(25) };
        assert_eq!(own.buffering, least);
    }

    #[test]
    fn lines_go_to_a_port() {
        let tcp = asked(|asked| asked["destination"] = json!({ "protocol": "TCP", "port": 8080 })).unwrap();
        assert_eq!(tcp.destination, Destination { port: 8080, protocol: Protocol::Tcp });
    }

    #[test]
    fn the_logs_api_has_schemas_of_its_own() {
        let form = |schema: Value| {
            let destination = json!({ "protocol": "TCP", "port": 1 });
            let mut asked = json!({ "types": ["platform"], "destination": destination });
            if !schema.is_null() {
                asked["schemaVersion"] = schema;
            }
            Subscription::parse(Api::Logs, asked.to_string().as_bytes()).map(|asked| asked.form)
        };
        for (schema, has_runtime_done) in
            [(Value::Null, false), (json!("2020-08-15"), false), (json!("2021-03-18"), true)]
        {
            assert_eq!(form(schema), Ok(Form::Logs { has_runtime_done }));
        }
        assert!(form(json!("2022-12-13")).unwrap_err().to_string().contains("2021-03-18"));
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
        refused(&["schemaVersion"], Value::Null, "schemaVersion");
        refused(&["destination", "protocol"], json!("UDP"), "UDP");
        refused(&["destination", "protocol"], json!("TCP"), "URI is none of TCP");
        refused(&["destination", "port"], json!(8080), "port is none of HTTP");
        for (tcp, word) in [
            (json!({}), "port is missing"),
            (json!({ "port": 9001 }), "9001"),
            (json!({ "port": 0 }), "port 0"),
            (json!({ "port": 65536 }), "65536"),
            (json!({ "port": 80, "method": "POST" }), "method"),
        ] {
            let mut destination = tcp.clone();
            destination["protocol"] = json!("TCP");
            refused(&["destination"], destination, word);
        }
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
        for nonsense in [&b""[..], b"[]"] {
            assert!(Subscription::parse(Api::Telemetry, nonsense).is_err());
        }
    }
}
