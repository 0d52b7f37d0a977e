//! What a function's settings may be: what `CreateFunction` and `UpdateFunctionConfiguration` have in common.

mod environment;
mod runtime;

use pitbird_records::Texts;
use pitbird_records::function::{LayerUse, Logging, Settings};
use serde::Deserialize;

use crate::Error;

/// Seconds. Source: Lambda quotas.
const TIMEOUT_S: u32 = 3;
const TIMEOUT_S_MAX: u32 = 900;
/// MiB. Source: Lambda quotas.
const MEMORY_MIB: u32 = 128;
const MEMORY_MIB_MAX: u32 = 10_240;
/// MiB. Source: Lambda quotas.
const TMP_MIB: u32 = 512;

/// The architecture that functions run on here.
pub const ARCHITECTURE: &str = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };

/// What a caller wants set; what isn't there stays as it is.
#[derive(Debug, Default)]
pub struct Wanted {
    pub runtime: Option<String>,
    pub handler: Option<String>,
    pub role: Option<String>,
    pub description: Option<String>,
    pub timeout: Option<u32>,
    pub memory_size: Option<u32>,
    pub ephemeral_storage: Option<EphemeralStorage>,
    pub environment: Option<Environment>,
    pub logging_config: Option<LoggingConfig>,
    pub layers: Option<Vec<LayerUse>>,
    pub tracing_config: Option<TracingConfig>,
    pub harmless: Harmless,
}

/// Settings that aren't obeyed here, in which only their defaults are accepted: tools send these all the time.
#[derive(Debug, Default)]
pub struct Harmless {
    pub vpc_config: Option<VpcConfig>,
    pub dead_letter_config: Option<DeadLetterConfig>,
    pub kms_key_arn: Option<String>,
    pub file_system_configs: Option<Vec<FileSystemConfig>>,
    pub snap_start: Option<SnapStart>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EphemeralStorage {
    pub size: u32,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Environment {
    pub variables: Option<Texts>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LoggingConfig {
    pub log_format: Option<String>,
    pub application_log_level: Option<String>,
    pub system_log_level: Option<String>,
    pub log_group: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct VpcConfig {
    pub subnet_ids: Option<Vec<String>>,
    pub security_group_ids: Option<Vec<String>>,
    pub ipv6_allowed_for_dual_stack: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeadLetterConfig {
    pub target_arn: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TracingConfig {
    pub mode: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct FileSystemConfig {}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SnapStart {
    pub apply_on: Option<String>,
}

/// A new function's settings.
pub fn create(function: &str, wanted: Wanted) -> Result<Settings, Error> {
    if wanted.runtime.is_none() || wanted.handler.is_none() {
        return Err(Error::NoRuntimeOrHandler);
    }
    let group = format!("/aws/lambda/{function}");
    let logging = Logging { group, format: "Text".to_owned(), application_level: None, system_level: None };
    let mut settings = Settings {
        runtime: String::new(),
        handler: None,
        role: String::new(),
        description: String::new(),
        timeout_s: TIMEOUT_S,
        memory_mib: MEMORY_MIB,
        tmp_mib: TMP_MIB,
        environment: None,
        architecture: ARCHITECTURE.to_owned(),
        logging,
        tracing_mode: "PassThrough".to_owned(),
        layers: Vec::new(),
    };
    change(&mut settings, wanted)?;
    Ok(settings)
}

/// Sets what is wanted, or refuses all of it.
pub fn change(settings: &mut Settings, wanted: Wanted) -> Result<(), Error> {
    wanted.harmless.check()?;
    if let Some(runtime) = wanted.runtime {
        runtime::check(&runtime)?;
        settings.runtime = runtime;
    }
    if let Some(seconds) = wanted.timeout {
        settings.timeout_s = timeout(seconds)?;
    }
    if let Some(mib) = wanted.memory_size {
        settings.memory_mib = memory(mib)?;
    }
    if let Some(environment) = wanted.environment {
        let variables = environment.variables.unwrap_or_default();
        environment::check(&variables)?;
        settings.environment = (!variables.is_empty()).then_some(variables);
    }
    if let Some(logging) = wanted.logging_config {
        settings.logging = self::logging(settings.logging.clone(), logging)?;
    }
    settings.layers = wanted.layers.unwrap_or(std::mem::take(&mut settings.layers));
    settings.handler = wanted.handler.or(settings.handler.take());
    let set =
        |setting: &mut String, wanted: Option<String>| *setting = wanted.unwrap_or(std::mem::take(setting));
    set(&mut settings.role, wanted.role);
    set(&mut settings.description, wanted.description);
    set(&mut settings.tracing_mode, wanted.tracing_config.and_then(|config| config.mode));
    settings.tmp_mib = wanted.ephemeral_storage.map_or(settings.tmp_mib, |storage| storage.size);
    Ok(())
}

/// Only the host's own architecture runs.
pub fn check_architectures(wanted: Option<&[String]>) -> Result<(), Error> {
    match wanted.unwrap_or_default().iter().find(|wanted| *wanted != ARCHITECTURE) {
        Some(other) => {
            Err(Error::unsupported(format!("Architectures {other} on a host with {ARCHITECTURE}")))
        }
        None => Ok(()),
    }
}

fn timeout(seconds: u32) -> Result<u32, Error> {
    let constraint = || format!("Member must have value less than or equal to {TIMEOUT_S_MAX}");
    match seconds {
        1..=TIMEOUT_S_MAX => Ok(seconds),
        _ => {
            Err(Error::Constraint { member: "timeout", value: seconds.to_string(), constraint: constraint() })
        }
    }
}

fn memory(mib: u32) -> Result<u32, Error> {
    if mib > MEMORY_MIB_MAX { Err(Error::MemorySize(MEMORY_MIB_MAX)) } else { Ok(mib) }
}

/// What is left out stays as it is. Only JSON has levels: they come with it, and go with it.
fn logging(now: Logging, wanted: LoggingConfig) -> Result<Logging, Error> {
    let format = wanted.log_format.unwrap_or(now.format);
    let group = wanted.log_group.unwrap_or(now.group);
    let (application, system) = (wanted.application_log_level, wanted.system_log_level);
    if format == "JSON" {
        let level = |wanted: Option<String>, now: Option<String>| {
            Some(wanted.or(now).unwrap_or_else(|| "INFO".to_owned()))
        };
        let application_level = level(application, now.application_level);
        let system_level = level(system, now.system_level);
        return Ok(Logging { group, format, application_level, system_level });
    }
    if application.is_some() || system.is_some() {
        return Err(Error::LevelsOfText);
    }
    Ok(Logging { group, format, application_level: None, system_level: None })
}

impl Harmless {
    fn check(&self) -> Result<(), Error> {
        let is_some = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
        let has_items = |items: &Option<Vec<String>>| items.as_ref().is_some_and(|items| !items.is_empty());
        let vpc = self.vpc_config.as_ref().is_some_and(|vpc| {
            has_items(&vpc.subnet_ids)
                || has_items(&vpc.security_group_ids)
                || vpc.ipv6_allowed_for_dual_stack == Some(true)
        });
        let dead_letter = self.dead_letter_config.as_ref().is_some_and(|config| is_some(&config.target_arn));
        let files = self.file_system_configs.as_ref().is_some_and(|configs| !configs.is_empty());
        let snap_start = self.snap_start.as_ref().and_then(|config| config.apply_on.as_deref());
        let snap_start = snap_start.is_some_and(|apply_on| apply_on != "None");
        for (is_wanted, name) in [
            (vpc, "VpcConfig"),
            (dead_letter, "DeadLetterConfig"),
            (is_some(&self.kms_key_arn), "KMSKeyArn"),
            (files, "FileSystemConfigs"),
            (snap_start, "SnapStart PublishedVersions"),
        ] {
            if is_wanted {
                return Err(Error::unsupported(name));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
