//! What callers get to see: Lambda's output shapes, made from records. A member that was never set is left out, not
//! null and not empty, as tools that compare expect it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pitbird_names::{Qualifier, VersionId, arn};
use pitbird_records::function::{LastUpdate, LayerUse, State};
use pitbird_records::{self as records, FunctionVersion, Texts};
use serde::Serialize;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::Target;

/// Why a function or a version isn't active yet, in Lambda's words; an update in progress has the same ones.
const CREATING: &str = "The function is being created.";

/// The answer of an operation that has nothing to say.
#[derive(Debug, Serialize)]
pub struct Nothing {}

/// A function's reserved concurrency; no member where there is none.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Concurrency {
    pub reserved_concurrent_executions: Option<u32>,
}

/// When a version's runtime is replaced by a newer one.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RuntimeManagement {
    update_runtime_on: &'static str,
    function_arn: String,
}

impl RuntimeManagement {
    /// `Auto`: as soon as there is one. Unqualified means `$LATEST`.
    pub fn auto(target: &Target) -> RuntimeManagement {
        let qualifier = target.qualifier.clone().unwrap_or(Qualifier::LATEST);
        RuntimeManagement { update_runtime_on: "Auto", function_arn: target.with(qualifier).arn() }
    }
}

/// Whether loops are stopped: `Terminate` or `Allow`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Recursion {
    recursive_loop: &'static str,
}

impl Recursion {
    pub fn new(allows_loops: bool) -> Recursion {
        Recursion { recursive_loop: if allows_loops { "Allow" } else { "Terminate" } }
    }
}

/// `FunctionConfiguration`.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Configuration {
    function_name: String,
    function_arn: String,
    runtime: String,
    role: String,
    handler: Option<String>,
    code_size: u64,
    description: String,
    timeout: u32,
    memory_size: u32,
    last_modified: String,
    code_sha256: String,
    version: String,
    environment: Option<Environment>,
    layers: Option<Vec<Layer>>,
    tracing_config: Mode,
    revision_id: String,
    state: Option<&'static str>,
    state_reason: Option<String>,
    state_reason_code: Option<String>,
    last_update_status: Option<&'static str>,
    last_update_status_reason: Option<String>,
    last_update_status_reason_code: Option<String>,
    package_type: &'static str,
    architectures: Vec<String>,
    ephemeral_storage: Size,
    snap_start: SnapStart,
    runtime_version_config: RuntimeVersion,
    logging_config: Logging,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Environment {
    variables: Texts,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Layer {
    arn: String,
    code_size: u64,
}

impl From<LayerUse> for Layer {
    fn from(layer: LayerUse) -> Layer {
        Layer { arn: layer.arn, code_size: layer.code.size_bytes }
    }
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Mode {
    mode: String,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Size {
    size: u32,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct SnapStart {
    apply_on: &'static str,
    optimization_status: &'static str,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct RuntimeVersion {
    runtime_version_arn: String,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Logging {
    log_format: String,
    application_log_level: Option<String>,
    system_log_level: Option<String>,
    log_group: String,
}

impl Configuration {
    /// A version under the qualifier by which it was asked for, with its state.
    pub fn of(version: FunctionVersion, qualifier: Option<&Qualifier>) -> Configuration {
        let (state, last_update) = (version.state.clone(), version.last_update.clone());
        let mut shown = Configuration::without_state(version, qualifier);
        shown.tell_state(state);
        shown.tell_last_update(last_update);
        shown
    }

    /// A version as lists show it: Lambda leaves the state out there.
    pub fn listed(version: FunctionVersion, is_qualified: bool) -> Configuration {
        let qualifier = is_qualified.then_some(Qualifier::Version(version.version));
        Configuration::without_state(version, qualifier.as_ref())
    }

    /// A published version under its own number.
    pub fn numbered(version: FunctionVersion) -> Configuration {
        let qualifier = Qualifier::Version(version.version);
        Configuration::of(version, Some(&qualifier))
    }

    fn without_state(version: FunctionVersion, qualifier: Option<&Qualifier>) -> Configuration {
        let settings = version.settings;
        Configuration {
            function_arn: arn::function(&version.scope, &version.name, qualifier),
            function_name: version.name,
            runtime_version_config: RuntimeVersion {
                runtime_version_arn: pitbird_invoke::runtime_version_arn(
                    &version.scope.region,
                    &settings.runtime,
                ),
            },
            runtime: settings.runtime,
            role: settings.role,
            handler: settings.handler,
            code_size: version.code.size_bytes,
            description: settings.description,
            timeout: settings.timeout_s,
            memory_size: settings.memory_mib,
            last_modified: instant(version.modified_ms),
            code_sha256: base64_of_hex(&version.code.sha256_hex),
            version: version.version.to_string(),
            environment: settings.environment.map(|variables| Environment { variables }),
            layers: (!settings.layers.is_empty())
                .then(|| settings.layers.into_iter().map(Layer::from).collect()),
            tracing_config: Mode { mode: settings.tracing_mode },
            revision_id: version.revision_id,
            package_type: "Zip",
            architectures: vec![settings.architecture],
            ephemeral_storage: Size { size: settings.tmp_mib },
            snap_start: SnapStart { apply_on: "None", optimization_status: "Off" },
            logging_config: Logging {
                log_format: settings.logging.format,
                application_log_level: settings.logging.application_level,
                system_log_level: settings.logging.system_level,
                log_group: settings.logging.group,
            },
            ..Configuration::default()
        }
    }

    fn tell_state(&mut self, state: State) {
        let (name, reason, code) = match state {
            State::Pending => ("Pending", Some(CREATING.to_owned()), Some("Creating".to_owned())),
            State::Active => ("Active", None, None),
            State::Failed { code, reason } => ("Failed", Some(reason), Some(code)),
        };
        (self.state, self.state_reason, self.state_reason_code) = (Some(name), reason, code);
    }

    fn tell_last_update(&mut self, last_update: LastUpdate) {
        let (name, reason, code) = match last_update {
            LastUpdate::None => return,
            LastUpdate::InProgress => ("InProgress", Some(CREATING.to_owned()), Some("Creating".to_owned())),
            LastUpdate::Successful => ("Successful", None, None),
            LastUpdate::Failed { code, reason } => ("Failed", Some(reason), Some(code)),
        };
        self.last_update_status = Some(name);
        self.last_update_status_reason = reason;
        self.last_update_status_reason_code = code;
    }
}

/// `AliasConfiguration`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Alias {
    alias_arn: String,
    name: String,
    function_version: VersionId,
    description: String,
    routing_config: Option<Routing>,
    revision_id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Routing {
    additional_version_weights: std::collections::BTreeMap<String, f64>,
}

impl From<records::Alias> for Alias {
    fn from(alias: records::Alias) -> Alias {
        let additional = alias.additional.map(|it| (it.version.to_string(), it.weight.get()));
        Alias {
            alias_arn: alias_arn(&alias),
            name: alias.name,
            function_version: alias.version,
            description: alias.description,
            routing_config: additional.map(|it| Routing { additional_version_weights: [it].into() }),
            revision_id: alias.revision_id,
        }
    }
}

pub fn alias_arn(alias: &records::Alias) -> String {
    arn::function(&alias.scope, &alias.function, Some(&Qualifier::Alias(alias.name.clone())))
}

/// A SHA-256 as Lambda writes it.
pub fn base64_of_hex(hex: &str) -> String {
    let digit = |at: usize| hex.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let bytes: Vec<u8> = (0..hex.len()).step_by(2).map_while(digit).collect();
    STANDARD.encode(bytes)
}

/// `2025-11-25T02:26:54.000+0000`.
pub fn instant(epoch_ms: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(epoch_ms) * 1_000_000);
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]+0000");
    at.unwrap_or(OffsetDateTime::UNIX_EPOCH).format(form).expect("a time has all of its parts")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_hashes_have_lambdas_form() {
        assert_eq!(instant(1_764_037_614_007), "2025-11-25T02:26:54.007+0000");
        assert_eq!(instant(i64::MAX), "1970-01-01T00:00:00.000+0000");
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(base64_of_hex(empty), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }
}
