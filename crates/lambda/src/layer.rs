//! Layers: what their names mean, which of them a function may have, and what callers get to see of them.

use pitbird_names::{Account, Region, Scope, arn, limits};
use pitbird_records::function::{Code, LayerUse};
use pitbird_records::{LayerVersion, key, prefix};
use pitbird_service::Caller;
use serde::Serialize;

use crate::find::Records;
use crate::location::{Locations, Owner};
use crate::view::{base64_of_hex, instant};
use crate::{Error, State};

/// Layers of one function. Source: Lambda quotas.
const LAYERS_MAX: usize = 5;
/// Length of a layer's name or ARN, bytes. Source: Lambda API reference, `LayerName`.
const NAME_BYTES_MAX: usize = 140;
/// The pattern of a layer's name. Source: Lambda API reference.
const NAME_PATTERN: &str =
    r"(arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+)|[a-zA-Z0-9-_]+";
/// The pattern of the ARN of a layer's version. Source: Lambda API reference.
const VERSION_PATTERN: &str = r"arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+";

/// A layer that a call names, by its name or ARN. It need not exist.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerName {
    pub scope: Scope,
    pub name: String,
}

impl LayerName {
    /// Reads `LayerName`; a layer of another account is refused to whoever asks, in the name of `operation`.
    pub fn parse(caller: &Caller, operation: &'static str, text: &str) -> Result<LayerName, Error> {
        let malformed = || Error::Constraint {
            member: "layerName",
            value: text.to_owned(),
            constraint: format!("Member must satisfy regular expression pattern: {NAME_PATTERN}"),
        };
        if text.len() > NAME_BYTES_MAX {
            return Err(malformed());
        }
        if is_name(text) {
            return Ok(LayerName { scope: caller.scope.clone(), name: text.to_owned() });
        }
        match parse_arn(text).ok_or_else(malformed)? {
            (layer, None) => layer.of_caller(caller, operation, text),
            (_, Some(_)) => Err(malformed()),
        }
    }

    /// Reads the ARN of one version.
    pub fn parse_version(
        caller: &Caller,
        operation: &'static str,
        text: &str,
    ) -> Result<(LayerName, u64), Error> {
        match parse_arn(text) {
            Some((layer, Some(version))) => Ok((layer.of_caller(caller, operation, text)?, version)),
            _ => Err(Error::Constraint {
                member: "arn",
                value: text.to_owned(),
                constraint: format!("Member must satisfy regular expression pattern: {VERSION_PATTERN}"),
            }),
        }
    }

    fn of_caller(self, caller: &Caller, operation: &'static str, arn: &str) -> Result<LayerName, Error> {
        if self.scope.account == caller.scope.account {
            return Ok(self);
        }
        let (principal, resource) = (caller.principal.clone(), arn.to_owned());
        Err(Error::OtherAccount { principal, operation, resource })
    }

    pub fn key(&self) -> String {
        key(&self.scope, &[&self.name])
    }

    pub fn version_key(&self, version: u64) -> String {
        key(&self.scope, &[&self.name, &LayerVersion::key_part(version)])
    }

    /// All versions, the newest first.
    pub fn versions(&self, records: &impl Records) -> Result<Vec<LayerVersion>, Error> {
        let mut versions: Vec<LayerVersion> = records.list(&prefix(&self.scope, &[&self.name]))?;
        versions.reverse();
        Ok(versions)
    }

    pub fn version(&self, records: &impl Records, version: u64) -> Result<LayerVersion, Error> {
        records.get(&self.version_key(version))?.ok_or(Error::UnknownResource)
    }
}

/// A version's number as a call gives it.
pub fn parse_number(number: i64) -> Result<u64, Error> {
    u64::try_from(number).ok().filter(|number| *number > 0).ok_or(Error::LayerNumber)
}

/// `arn:…:layer:{name}[:{version}]`, taken apart.
fn parse_arn(text: &str) -> Option<(LayerName, Option<u64>)> {
    let arn = arn::parse(text).filter(|arn| arn.service == "lambda" && text.len() <= NAME_BYTES_MAX)?;
    let (name, version) = match arn.resource.strip_prefix("layer:")?.split_once(':') {
        None => (arn.resource.strip_prefix("layer:")?, None),
        Some((name, version)) => {
            let is_number = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
            (name, Some(version.parse().ok().filter(|_| is_number)?))
        }
    };
    let scope = Scope { account: Account::parse(arn.account)?, region: Region::parse(arn.region)? };
    is_name(name).then(|| (LayerName { scope, name: name.to_owned() }, version))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// The layers that a function of the caller's shall have, in their order.
pub fn resolve(records: &impl Records, caller: &Caller, arns: &[String]) -> Result<Vec<LayerUse>, Error> {
    if arns.len() > LAYERS_MAX {
        return Err(Error::TooManyLayers(LAYERS_MAX));
    }
    let mut named: Vec<(LayerName, &str)> = Vec::new();
    let mut layers = Vec::new();
    for arn in arns {
        let (layer, version) = match parse_arn(arn) {
            Some((layer, Some(version))) => (layer.of_caller(caller, "GetLayerVersion", arn)?, version),
            _ => return Err(malformed(arns)),
        };
        if layer.scope.region != caller.scope.region {
            return Err(Error::LayerRegion(caller.scope.region.to_string()));
        }
        let found: Option<LayerVersion> = records.get(&layer.version_key(version))?;
        let found = found.ok_or_else(|| Error::UnknownLayerVersion(arn.clone()))?;
        if let Some((_, other)) = named.iter().find(|(other, _)| *other == layer) {
            return Err(Error::TwoLayerVersions { first: (*other).to_owned(), second: arn.clone() });
        }
        named.push((layer, arn));
        layers.push(LayerUse { arn: arn.clone(), code: found.code });
    }
    Ok(layers)
}

fn malformed(arns: &[String]) -> Error {
    Error::Constraint {
        member: "layers",
        value: format!("[{}]", arns.join(", ")),
        constraint: format!(
            "Member must satisfy constraint: [Member must have length less than or equal to {NAME_BYTES_MAX}, Member \
             must have length greater than or equal to 1, Member must satisfy regular expression pattern: \
             {VERSION_PATTERN}, Member must not be null]"
        ),
    }
}

/// Does all that a function sees fit within Lambda's limit?
pub fn check_size(code: &Code, layers: &[LayerUse]) -> Result<(), Error> {
    let layers: u64 = layers.iter().map(|layer| layer.code.unpacked_bytes).sum();
    if layers > limits::UNZIPPED_BYTES {
        return Err(Error::LayersSize);
    }
    match code.unpacked_bytes.saturating_add(layers) {
        actual if layers > 0 && actual > limits::UNZIPPED_BYTES => Err(Error::CombinedSize { actual }),
        _ => Ok(()),
    }
}

/// The zips of all layers of an account in a region, bytes.
pub fn stored_bytes(state: &State, scope: &Scope) -> Result<u64, Error> {
    let versions: Vec<LayerVersion> = Records::list(&state.store, &prefix(scope, &[]))?;
    Ok(versions.iter().map(|version| version.code.size_bytes).sum())
}

/// Which versions a caller wants listed.
pub struct Filter<'a> {
    pub runtime: Option<&'a str>,
    pub architecture: Option<&'a str>,
}

impl Filter<'_> {
    /// A version that doesn't say what it is compatible with is none of those that are asked for.
    pub fn takes(&self, version: &LayerVersion) -> bool {
        let says = |said: &[String], wanted: Option<&str>| {
            wanted.is_none_or(|wanted| said.iter().any(|said| said == wanted))
        };
        says(&version.runtimes, self.runtime) && says(&version.architectures, self.architecture)
    }
}

/// A version with where its content can be had.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Whole {
    content: Content,
    layer_arn: String,
    #[serde(flatten)]
    version: Listed,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    location: String,
    code_sha256: String,
    code_size: u64,
}

/// A version as lists show it. What was never said is left out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Listed {
    layer_version_arn: String,
    version: u64,
    description: String,
    created_date: String,
    compatible_runtimes: Option<Vec<String>>,
    license_info: Option<String>,
    compatible_architectures: Option<Vec<String>>,
}

impl Whole {
    /// `endpoint` is where the caller reaches us.
    pub fn of(version: LayerVersion, locations: &Locations, endpoint: &str, now_ms: i64) -> Whole {
        let Code { sha256_hex, size_bytes, .. } = &version.code;
        let owner = Owner::Layer(&version.layer);
        Whole {
            content: Content {
                location: locations.url(endpoint, now_ms, &version.scope, owner, sha256_hex),
                code_sha256: base64_of_hex(sha256_hex),
                code_size: *size_bytes,
            },
            layer_arn: arn::layer(&version.scope, &version.layer, None),
            version: version.into(),
        }
    }
}

impl From<LayerVersion> for Listed {
    fn from(version: LayerVersion) -> Listed {
        let said = |said: Vec<String>| (!said.is_empty()).then_some(said);
        Listed {
            layer_version_arn: arn::layer(&version.scope, &version.layer, Some(version.version)),
            version: version.version,
            description: version.description,
            created_date: instant(version.created_ms),
            compatible_runtimes: said(version.runtimes),
            license_info: version.license,
            compatible_architectures: said(version.architectures),
        }
    }
}
