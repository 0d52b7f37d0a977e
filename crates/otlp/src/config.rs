//! Where telemetry goes, from the command line and OpenTelemetry's environment variables. Source: OpenTelemetry specification,
//! "OpenTelemetry Protocol Exporter" and "Environment Variable Specification".

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use percent_encoding::percent_decode_str;
use pitbird_trace::Rate;
use thiserror::Error;

/// A kind of telemetry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    Traces,
    Metrics,
    Logs,
}

impl Signal {
    pub const ALL: [Signal; 3] = [Signal::Traces, Signal::Metrics, Signal::Logs];

    /// As URLs have it.
    pub fn word(self) -> &'static str {
        match self {
            Signal::Traces => "traces",
            Signal::Metrics => "metrics",
            Signal::Logs => "logs",
        }
    }

    /// As environment variables have it.
    fn upper(self) -> &'static str {
        match self {
            Signal::Traces => "TRACES",
            Signal::Metrics => "METRICS",
            Signal::Logs => "LOGS",
        }
    }
}

/// What is exported, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub service_name: String,
    /// What else is said of where it comes from.
    pub attributes: Vec<(String, String)>,
    /// By [`Signal`]; those without one aren't exported.
    pub(crate) endpoints: [Option<Endpoint>; 3],
    pub(crate) is_compressed: bool,
    /// Of one attempt.
    pub(crate) timeout: Duration,
    pub(crate) metric_interval: Duration,
    pub(crate) is_delta: bool,
    /// Which part of the traces that nobody has decided about is recorded.
    pub sampled: Rate,
}

/// Where one signal goes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Endpoint {
    pub uri: Uri,
    pub headers: HeaderMap,
}

/// A setting that can't be obeyed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConfigError {
    #[error("{name} {value} is not supported: OTLP goes out as {offered}")]
    Unsupported { name: String, value: String, offered: &'static str },
    #[error("{name} is not supported")]
    Unknown { name: String },
    #[error("{name} must be {wanted}, and is {value:?}")]
    Invalid { name: String, value: String, wanted: &'static str },
}

/// What sets up an exporter when nothing else is said. Source: the specification's defaults, but for compression, which every
/// collector takes.
const TIMEOUT: Duration = Duration::from_secs(10);
const METRIC_INTERVAL: Duration = Duration::from_secs(60);
const INTERVAL_MS_MIN: u64 = 100;

/// Variables of settings that we don't have; whoever gives them means something.
const REFUSED: [&str; 3] = ["CERTIFICATE", "CLIENT_KEY", "CLIENT_CERTIFICATE"];

impl Config {
    /// Reads what the command line says of the endpoint, and the environment. `None` where nobody asks for an export.
    ///
    /// # Errors
    /// What isn't supported, or can't be read, by its name.
    pub fn read(
        given: Option<&str>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Config>, ConfigError> {
        let variables = Variables(&environment);
        if given.is_none()
            && variables.text("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
        {
            return Ok(None);
        }
        let mut endpoints = [None, None, None];
        for signal in Signal::ALL {
            endpoints[signal as usize] = variables.endpoint(given, signal)?;
        }
        if endpoints.iter().all(Option::is_none) {
            return Ok(None);
        }
        let is_delta = match variables.text("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE") {
            None => false,
            Some(value) if value.eq_ignore_ascii_case("cumulative") => false,
            Some(value) if value.eq_ignore_ascii_case("delta") => true,
            Some(value) => {
                let name = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE".to_owned();
                return Err(ConfigError::Unsupported { name, value, offered: "cumulative or delta" });
            }
        };
        let mut attributes = variables.pairs("OTEL_RESOURCE_ATTRIBUTES")?;
        let named = attributes.iter().position(|(name, _)| name == "service.name");
        let named = named.map(|at| attributes.remove(at).1);
        let service_name =
            variables.text("OTEL_SERVICE_NAME").or(named).unwrap_or_else(|| "pitbird".to_owned());
        Ok(Some(Config {
            service_name,
            attributes,
            endpoints,
            is_compressed: variables.is_compressed()?,
            timeout: variables.duration("OTEL_EXPORTER_OTLP_TIMEOUT", TIMEOUT)?,
            metric_interval: variables.duration("OTEL_METRIC_EXPORT_INTERVAL", METRIC_INTERVAL)?,
            is_delta,
            sampled: variables.sampler()?,
        }))
    }

    /// Does this signal go anywhere?
    pub fn exports(&self, signal: Signal) -> bool {
        self.endpoints[signal as usize].is_some()
    }
}

struct Variables<'a, E>(&'a E);

impl<E: Fn(&str) -> Option<String>> Variables<'_, E> {
    /// An empty variable is none.
    fn text(&self, name: &str) -> Option<String> {
        (self.0)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn endpoint(&self, given: Option<&str>, signal: Signal) -> Result<Option<Endpoint>, ConfigError> {
        let exporter = format!("OTEL_{}_EXPORTER", signal.upper());
        match self.text(&exporter).as_deref() {
            None | Some("otlp") => {}
            Some("none") => return Ok(None),
            Some(value) => {
                return Err(ConfigError::Invalid {
                    name: exporter,
                    value: value.to_owned(),
                    wanted: "otlp or none",
                });
            }
        }
        let own = format!("OTEL_EXPORTER_OTLP_{}", signal.upper());
        let base = "OTEL_EXPORTER_OTLP";
        let own_endpoint = self.text(&format!("{own}_ENDPOINT")).filter(|_| given.is_none());
        let of_all = given.map(str::to_owned).or_else(|| self.text(&format!("{base}_ENDPOINT")));
        let (name, address) = match (own_endpoint, of_all) {
            (Some(whole), _) => (format!("{own}_ENDPOINT"), whole),
            (None, Some(of_all)) => {
                let whole = format!("{}/v1/{}", of_all.trim_end_matches('/'), signal.word());
                (given.map_or_else(|| format!("{base}_ENDPOINT"), |_| "--otlp-endpoint".to_owned()), whole)
            }
            (None, None) => return Ok(None),
        };
        for prefix in [own.as_str(), base] {
            self.check_protocol(&format!("{prefix}_PROTOCOL"))?;
            for refused in REFUSED {
                let name = format!("{prefix}_{refused}");
                if self.text(&name).is_some() {
                    return Err(ConfigError::Unknown { name });
                }
            }
        }
        let wanted = "a URL with http or https, such as http://127.0.0.1:4318";
        let uri = address
            .parse::<Uri>()
            .ok()
            .filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.authority().is_some());
        let Some(uri) = uri else { return Err(ConfigError::Invalid { name, value: address, wanted }) };
        let own_headers = format!("{own}_HEADERS");
        let headers = if self.text(&own_headers).is_some() { own_headers } else { format!("{base}_HEADERS") };
        Ok(Some(Endpoint { uri, headers: self.headers(&headers)? }))
    }

    fn check_protocol(&self, name: &str) -> Result<(), ConfigError> {
        match self.text(name) {
            Some(value) if value != "http/protobuf" => {
                Err(ConfigError::Unsupported { name: name.to_owned(), value, offered: "http/protobuf" })
            }
            _ => Ok(()),
        }
    }

    fn is_compressed(&self) -> Result<bool, ConfigError> {
        let name = "OTEL_EXPORTER_OTLP_COMPRESSION";
        match self.text(name).as_deref() {
            None | Some("gzip") => Ok(true),
            Some("none") => Ok(false),
            Some(value) => Err(ConfigError::Unsupported {
                name: name.to_owned(),
                value: value.to_owned(),
                offered: "gzip or none",
            }),
        }
    }

    fn duration(&self, name: &str, default: Duration) -> Result<Duration, ConfigError> {
        let Some(value) = self.text(name) else { return Ok(default) };
        let ms = value.parse().ok().filter(|ms| *ms >= INTERVAL_MS_MIN);
        let wanted = "a number of milliseconds, 100 or more";
        ms.map(Duration::from_millis).ok_or(ConfigError::Invalid { name: name.to_owned(), value, wanted })
    }

    /// All of those sampler's names obey the parent's decision here: what was decided is obeyed by all.
    fn sampler(&self) -> Result<Rate, ConfigError> {
        let name = "OTEL_TRACES_SAMPLER";
        match self.text(name).as_deref() {
            None | Some("parentbased_always_on") => Ok(Rate::ALL),
            Some("parentbased_always_off") => Ok(Rate::NONE),
            Some("parentbased_traceidratio") => {
                let name = "OTEL_TRACES_SAMPLER_ARG";
                let value = self.text(name).unwrap_or_else(|| "1".to_owned());
                let rate = value.parse().ok().and_then(Rate::new);
                rate.ok_or(ConfigError::Invalid { name: name.to_owned(), value, wanted: "from 0 to 1" })
            }
            Some(value) => {
                let wanted = "parentbased_always_on, parentbased_always_off or parentbased_traceidratio";
                Err(ConfigError::Invalid { name: name.to_owned(), value: value.to_owned(), wanted })
            }
        }
    }

    fn headers(&self, name: &str) -> Result<HeaderMap, ConfigError> {
        let mut headers = HeaderMap::new();
        for (key, value) in self.pairs(name)? {
            let header = HeaderName::from_bytes(key.as_bytes()).ok().zip(HeaderValue::from_str(&value).ok());
            let Some((key, mut value)) = header else {
                let wanted = "names and values of headers";
                return Err(ConfigError::Invalid { name: name.to_owned(), value: key, wanted });
            };
            value.set_sensitive(true);
            headers.insert(key, value);
        }
        Ok(headers)
    }

    /// `key=value,key=value` with values percent-encoded, as W3C's baggage.
    fn pairs(&self, name: &str) -> Result<Vec<(String, String)>, ConfigError> {
        let Some(text) = self.text(name) else { return Ok(Vec::new()) };
        let pair = |piece: &str| {
            let (key, value) = piece.split_once('=')?;
            let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
            let key = key.trim();
            (!key.is_empty()).then(|| (key.to_owned(), value.into_owned()))
        };
        let pieces = text.split(',').filter(|piece| !piece.trim().is_empty());
        // What is in headers may be secret, so it isn't repeated.
        let invalid = || ConfigError::Invalid {
            name: name.to_owned(),
            value: "…".to_owned(),
            wanted: "key=value pairs with commas between them",
        };
        pieces.map(|piece| pair(piece).ok_or_else(invalid)).collect()
    }
}

#[cfg(test)]
mod tests;
