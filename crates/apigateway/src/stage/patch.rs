//! What patch operations may do to a stage.
//!
//! Source: API Gateway API reference, "Patch operations", and recorded answers of the service; where the two differ the
//! answers count. Operations apply in their order; the first that fails leaves it to the caller to drop the stage.

use pitbird_records::{Stage, Texts};

use crate::patch::{self, Op, Patch, PatchOperation};
use crate::{Error, access_log, canary, stage};

use super::{cache, method_setting};

/// What API Gateway tells who sends a path that it doesn't know. The missing commas are its own.
const PATHS: &str = "/deploymentId, /description, /cacheClusterEnabled, /cacheClusterSize, /clientCertificateId, \
    /accessLogSettings, /accessLogSettings/destinationArn, /accessLogSettings/format, \
    /{resourcePath}/{httpMethod}/metrics/enabled, /{resourcePath}/{httpMethod}/logging/dataTrace, \
    /{resourcePath}/{httpMethod}/logging/loglevel, \
    /{resourcePath}/{httpMethod}/throttling/burstLimit/{resourcePath}/{httpMethod}/throttling/rateLimit\
    /{resourcePath}/{httpMethod}/caching/ttlInSeconds, /{resourcePath}/{httpMethod}/caching/enabled, \
    /{resourcePath}/{httpMethod}/caching/dataEncrypted, \
    /{resourcePath}/{httpMethod}/caching/requireAuthorizationForCacheControl, \
    /{resourcePath}/{httpMethod}/caching/unauthorizedCacheControlHeaderStrategy, /*/*/metrics/enabled, \
    /*/*/logging/dataTrace, /*/*/logging/loglevel, /*/*/throttling/burstLimit /*/*/throttling/rateLimit \
    /*/*/caching/ttlInSeconds, /*/*/caching/enabled, /*/*/caching/dataEncrypted, \
    /*/*/caching/requireAuthorizationForCacheControl, /*/*/caching/unauthorizedCacheControlHeaderStrategy, \
    /variables/{variable_name}, /tracingEnabled";

/// What a stage leans on.
pub struct Surroundings<'a> {
    pub deployment_exists: &'a dyn Fn(&str) -> Result<bool, Error>,
    pub certificate_exists: &'a dyn Fn(&str) -> Result<bool, Error>,
    pub documentation_exists: &'a dyn Fn(&str) -> Result<bool, Error>,
    /// Has the account a role with which logs are written?
    pub has_logging_role: bool,
}

/// Applies patch operations and checks the stage that comes out.
pub fn apply(
    stage: &mut Stage,
    operations: Option<&[PatchOperation]>,
    around: &Surroundings<'_>,
) -> Result<(), Error> {
    let (log_before, logging_before) = (stage.access_log.clone(), has_logging(stage));
    patch::each(operations, |patch| one(stage, patch, around))?;
    stage::check_variables(&stage.variables)?;
    if let Some(overrides) = stage.canary.as_ref().and_then(|canary| canary.stage_variable_overrides.as_ref())
    {
        stage::check_variables(overrides)?;
    }
    let new_log = stage.access_log.as_ref().filter(|log| Some(*log) != log_before.as_ref());
    if let Some(log) = new_log {
        access_log::check(log, &stage.scope)?;
    }
    let starts_logging = has_logging(stage) && !logging_before;
    if (new_log.is_some() || starts_logging) && !around.has_logging_role {
        return Err(Error::NoLoggingRole);
    }
    Ok(())
}

fn has_logging(stage: &Stage) -> bool {
    stage.method_settings.values().any(method_setting::has_logging)
}

fn one(stage: &mut Stage, patch: &Patch<'_>, around: &Surroundings<'_>) -> Result<(), Error> {
    let pieces = patch.pieces();
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    match (patch.op, pieces.as_slice()) {
        (Op::Copy, _) => copy(stage, patch),
        (Op::Remove, pieces) => remove(stage, pieces, patch),
        (Op::Replace, ["canarySettings", pieces @ ..]) => set_canary(stage, pieces, patch, around),
        (Op::Replace, pieces) => set(stage, pieces, patch, around),
        (Op::Add, ["variables", _] | ["accessLogSettings", "destinationArn" | "format"]) => {
            set(stage, &pieces, patch, around)
        }
        _ => Err(Error::StagePatchOp { path: patch.path.to_owned(), op: patch.op.name() }),
    }
}

fn set(
    stage: &mut Stage,
    pieces: &[&str],
    patch: &Patch<'_>,
    around: &Surroundings<'_>,
) -> Result<(), Error> {
    let value = patch.value.unwrap_or_default();
    match pieces {
        ["deploymentId"] => stage.deployment_id = known_deployment(value, around)?,
        ["description"] => stage.description = patch.text().map(str::to_owned),
        ["variables"] => stage.variables = texts(value)?,
        ["variables", name] => {
            stage.variables.insert((*name).to_owned(), value.to_owned());
        }
        ["accessLogSettings", leaf] => {
            let log = stage.access_log.get_or_insert_default();
            let member = match *leaf {
                "destinationArn" => &mut log.destination_arn,
                "format" => &mut log.format,
                _ => return Err(Error::AccessLogPath),
            };
            *member = Some(patch.text().ok_or(Error::AccessLogEmpty)?.to_owned());
        }
        ["accessLogSettings", ..] => return Err(Error::AccessLogPath),
        ["cacheClusterEnabled"] => cache::set(stage, Some(patch.switch()), None)?,
        ["cacheClusterSize"] => cache::set(stage, None, patch.value)?,
        ["tracingEnabled"] => stage.tracing_enabled = patch.switch(),
        ["clientCertificateId"] => {
            let id = patch.text();
            if !id.map_or(Ok(true), around.certificate_exists)? {
                return Err(Error::BadClientCertificate);
            }
            stage.client_certificate_id = id.map(str::to_owned);
        }
        ["documentationVersion"] => {
            let version = patch.text();
            if !version.map_or(Ok(true), around.documentation_exists)? {
                return Err(Error::BadDocumentationVersion);
            }
            stage.documentation_version = version.map(str::to_owned);
        }
        _ => {
            let setting = method_setting::parse_path(patch.path);
            let set = setting
                .and_then(|(key, name)| method_setting::set(&mut stage.method_settings, key, name, value));
            return set.unwrap_or_else(|| Err(unknown_path(patch)));
        }
    }
    Ok(())
}

fn set_canary(
    stage: &mut Stage,
    pieces: &[&str],
    patch: &Patch<'_>,
    around: &Surroundings<'_>,
) -> Result<(), Error> {
    let value = patch.value.unwrap_or_default();
    match pieces {
        ["percentTraffic"] => canary::set_percent(stage, canary::parse_percent(value)?),
        ["deploymentId"] => canary::set_deployment(stage, &known_deployment(value, around)?),
        ["useStageCache"] => canary::set_use_stage_cache(stage, patch.switch()),
        ["stageVariableOverrides"] => canary::set_overrides(stage, texts(value)?),
        ["stageVariableOverrides", name] => canary::set_override(stage, name, value),
        _ => return Err(unknown_path(patch)),
    }
    Ok(())
}

fn remove(stage: &mut Stage, pieces: &[&str], patch: &Patch<'_>) -> Result<(), Error> {
    let was_there = match pieces {
        ["variables"] => {
            stage.variables.clear();
            true
        }
        ["variables", name] => stage.variables.remove(*name).is_some(),
        ["accessLogSettings"] => {
            stage.access_log = None;
            true
        }
        // Twice is as good as once: whoever takes a canary back may have to ask again.
        ["canarySettings"] => {
            canary::remove(stage);
            true
        }
        ["canarySettings", "stageVariableOverrides", name] => canary::remove_override(stage, name),
        _ => stage.method_settings.remove(entry(patch)).is_some(),
    };
    if was_there { Ok(()) } else { Err(Error::StagePatchRemove(entry(patch).to_owned())) }
}

/// Promotion, in two halves: a canary's deployment or its overrides become the stage's. Nothing is copied the other way.
fn copy(stage: &mut Stage, patch: &Patch<'_>) -> Result<(), Error> {
    const VALID: [(&str, &str); 2] = [
        ("/deploymentId", "/canarySettings/deploymentId"),
        ("/variables", "/canarySettings/stageVariableOverrides"),
    ];
    let from = patch.from.unwrap_or("null");
    match VALID.iter().position(|valid| *valid == (patch.path, from)) {
        Some(0) => canary::copy_deployment(stage),
        Some(_) => canary::copy_variables(stage),
        None => Err(Error::StagePatchCopy {
            path: patch.path.to_owned(),
            from: from.to_owned(),
            paths: "/deploymentId, /variables",
            froms: "/canarySettings/deploymentId, /canarySettings/stageVariableOverrides",
        }),
    }
}

fn known_deployment(id: &str, around: &Surroundings<'_>) -> Result<String, Error> {
    if (around.deployment_exists)(id)? { Ok(id.to_owned()) } else { Err(Error::NoSuchDeployment) }
}

/// A JSON object of texts, as some paths take it for a value.
fn texts(value: &str) -> Result<Texts, Error> {
    serde_json::from_str(value).map_err(|error| Error::VariablesText(error.to_string()))
}

/// A path as the key of a method-settings entry.
fn entry<'p>(patch: &Patch<'p>) -> &'p str {
    patch.path.strip_prefix('/').unwrap_or(patch.path)
}

fn unknown_path(patch: &Patch<'_>) -> Error {
    Error::StagePatchPath { path: patch.path.to_owned(), valid: PATHS }
}

#[cfg(test)]
mod tests;
