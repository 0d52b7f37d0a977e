//! Function URLs: for what they can be had, and what callers get to see of them.

use pitbird_names::{Qualifier, Region, arn};
use pitbird_records::FunctionUrl;
use pitbird_records::function_url::Cors;
use pitbird_service::Caller;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::find::{self, Records};
use crate::{Error, Target};

/// The pattern of a URL's qualifier, which is an alias. Source: Lambda API reference, `FunctionUrlQualifier`.
const QUALIFIER_PATTERN: &str = r"((?!^\d+$)^[0-9a-zA-Z-_]+$)";

/// The function or alias that a call names; it is there.
pub fn target(
    records: &impl Records,
    caller: &Caller,
    operation: &'static str,
    name: &str,
    qualifier: Option<&str>,
) -> Result<Target, Error> {
    let target = Target::own(caller, operation, name, qualifier)?;
    let absent = |error| match error {
        Error::UnknownFunction(_) => Error::NoFunction,
        other => other,
    };
    find::head(records, &target).map_err(absent)?;
    match &target.qualifier {
        None => {}
        Some(Qualifier::Alias(alias)) => {
            drop(find::alias(records, &target, alias)?.ok_or(Error::NoFunction)?)
        }
        Some(version) => {
            return Err(Error::Constraint {
                member: "qualifier",
                value: version.to_string(),
                constraint: format!("Member must satisfy regular expression pattern: {QUALIFIER_PATTERN}"),
            });
        }
    }
    Ok(target)
}

pub fn key(target: &Target) -> String {
    let alias = target.qualifier.as_ref().map_or_else(|| "$".to_owned(), Qualifier::to_string);
    target.key(&alias)
}

/// The URL of what a call names.
pub fn find(records: &impl Records, target: &Target) -> Result<FunctionUrl, Error> {
    records.get(&key(target))?.ok_or(Error::UnknownResource)
}

/// 32 of `[a-z0-9]`.
pub fn id(mut entropy: [u128; 2]) -> String {
    const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut draw = |at: usize| {
        let bits = &mut entropy[at / 16];
        let letter = LETTERS[(*bits % 36) as usize];
        *bits /= 36;
        char::from(letter)
    };
    (0..32).map(&mut draw).collect()
}

/// `NONE` and `AWS_IAM`, the model's only two.
pub fn is_signed(auth_type: &str) -> bool {
    auth_type == "AWS_IAM"
}

/// `BUFFERED` and `RESPONSE_STREAM`, the model's only two.
pub fn is_streamed(invoke_mode: &str) -> bool {
    invoke_mode == "RESPONSE_STREAM"
}

/// What browsers shall be told, as callers give it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct WantedCors {
    allow_credentials: Option<bool>,
    allow_headers: Option<Vec<String>>,
    allow_methods: Option<Vec<String>>,
    allow_origins: Option<Vec<String>>,
    expose_headers: Option<Vec<String>>,
    max_age: Option<u32>,
}

impl From<WantedCors> for Cors {
    fn from(wanted: WantedCors) -> Cors {
        Cors {
            allow_credentials: wanted.allow_credentials,
            allow_headers: wanted.allow_headers,
            allow_methods: wanted.allow_methods,
            allow_origins: wanted.allow_origins,
            expose_headers: wanted.expose_headers,
            max_age: wanted.max_age,
        }
    }
}

/// `FunctionUrlConfig`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct View {
    function_url: String,
    function_arn: String,
    auth_type: &'static str,
    cors: Option<Cors>,
    creation_time: String,
    last_modified_time: Option<String>,
    invoke_mode: Option<&'static str>,
}

impl View {
    /// `endpoint` is where the caller reaches us: the URL has its port.
    pub fn of(url: FunctionUrl, endpoint: &str) -> View {
        let alias = url.alias.clone().map(Qualifier::Alias);
        View {
            function_url: address(&url.url_id, &url.scope.region, endpoint),
            function_arn: arn::function(&url.scope, &url.function, alias.as_ref()),
            auth_type: if url.is_signed { "AWS_IAM" } else { "NONE" },
            cors: url.cors,
            creation_time: instant(url.created_ms),
            last_modified_time: Some(instant(url.modified_ms)),
            invoke_mode: Some(if url.is_streamed { "RESPONSE_STREAM" } else { "BUFFERED" }),
        }
    }

    /// As it is told to whoever just made it: the mode only if it was given.
    pub fn created(url: FunctionUrl, endpoint: &str, is_mode_given: bool) -> View {
        let view = View::of(url, endpoint);
        View { last_modified_time: None, invoke_mode: view.invoke_mode.filter(|_| is_mode_given), ..view }
    }
}

/// `http://{id}.lambda-url.{region}.localhost:{port}/`: every name under `localhost` is this machine.
fn address(id: &str, region: &Region, endpoint: &str) -> String {
    let port = endpoint.rsplit_once(':').map_or("", |(_, port)| port);
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let port = if is_port { format!(":{port}") } else { String::new() };
    format!("http://{id}.lambda-url.{region}.localhost{port}/")
}

/// `2022-03-09T21:06:59.146Z`.
fn instant(epoch_ms: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(epoch_ms) * 1_000_000);
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    at.unwrap_or(OffsetDateTime::UNIX_EPOCH).format(form).expect("a time has all of its parts")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_addresses_have_their_form() {
        for entropy in [[0; 2], [u128::MAX; 2], [1 << 100, 7]] {
            let id = id(entropy);
            assert!(
                id.len() == 32 && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()),
                "{id}"
            );
        }
        for (endpoint, port) in [
            ("http://127.0.0.1:4566", ":4566"),
            ("http://[::1]:4566", ":4566"),
            ("http://pitbird.example", ""),
            ("http://[::1]", ""),
        ] {
            let address = address("id", &Region::default(), endpoint);
            assert_eq!(address, format!("http://id.lambda-url.us-east-1.localhost{port}/"), "{endpoint}");
        }
    }
}
