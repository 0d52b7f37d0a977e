//! Provisioned concurrency: for what it can be had, how much of it, and how it stands.

use pitbird_names::{Qualifier, VersionId};
use pitbird_records::{Alias, ProvisionedConcurrency};
use pitbird_snapshot::FunctionKey;
use serde::Serialize;

use crate::find::{self, Records};
use crate::routing::versions;
use crate::view::instant;
use crate::{Error, State, Target, concurrency};

/// Is the version or alias there that a call names?
pub fn check_there(records: &impl Records, target: &Target) -> Result<(), Error> {
    match &target.qualifier {
        None | Some(Qualifier::Version(VersionId::Latest)) => return Err(Error::NotPublished),
        Some(Qualifier::Alias(name)) => {
            find::head(records, target)?;
            find::alias(records, target, name)?.ok_or_else(|| Error::UnknownAlias(target.arn()))?;
        }
        Some(Qualifier::Version(_)) => drop(find::version(records, target)?),
    }
    Ok(())
}

pub fn key(target: &Target) -> String {
    target.key(&target.qualifier.as_ref().map(Qualifier::to_string).unwrap_or_default())
}

/// May so much be kept ready for a version or an alias?
pub fn check(records: &impl Records, target: &Target, wanted: u32) -> Result<(), Error> {
    let others: Vec<ProvisionedConcurrency> = records.list(&target.prefix())?;
    let others: Vec<_> = others.into_iter().filter(|other| key(&of(target, other)) != key(target)).collect();
    check_apart(records, target, &others)?;
    let all = others.iter().fold(wanted, |all, other| all.saturating_add(other.requested));
    match find::head(records, target)?.function.unwrap_or_default().reserved_concurrency {
        Some(reserved) if all > reserved => Err(Error::ProvisionedAboveReserved),
        Some(_) => Ok(()),
        None => concurrency::check(records, target, all),
    }
}

/// A published version is kept ready for itself or for its aliases, not for both.
fn check_apart(
    records: &impl Records,
    target: &Target,
    others: &[ProvisionedConcurrency],
) -> Result<(), Error> {
    match &target.qualifier {
        Some(Qualifier::Alias(name)) => {
            find::alias(records, target, name)?.map_or(Ok(()), |alias| check_alias(&alias, others))
        }
        Some(Qualifier::Version(version)) => {
            let aliases = find::aliases(records, target)?;
            let has = |alias: &Alias| others.iter().any(|other| other.qualifier == alias.name);
            let is_led_to = |alias: &Alias| has(alias) && versions(alias).any(|id| id == *version);
            if aliases.iter().any(is_led_to) { Err(Error::ProvisionedAlias) } else { Ok(()) }
        }
        None => Ok(()),
    }
}

/// The same for an alias that is to be moved; what is kept ready for it moves with it.
pub fn check_moved(records: &impl Records, alias: &Alias, function: &Target) -> Result<(), Error> {
    let all: Vec<ProvisionedConcurrency> = records.list(&function.prefix())?;
    match all.iter().any(|one| one.qualifier == alias.name) {
        true => check_alias(alias, &all),
        false => Ok(()),
    }
}

fn check_alias(alias: &Alias, others: &[ProvisionedConcurrency]) -> Result<(), Error> {
    if alias.version == VersionId::Latest {
        return Err(Error::ProvisionedLatest);
    }
    let has = |version: VersionId| others.iter().any(|other| other.qualifier == version.to_string());
    if versions(alias).any(has) { Err(Error::ProvisionedVersion) } else { Ok(()) }
}

/// May a function reserve so much, which is then the most that it gets?
pub fn check_reserved(records: &impl Records, target: &Target, wanted: u32) -> Result<(), Error> {
    let all: Vec<ProvisionedConcurrency> = records.list(&target.prefix())?;
    let provisioned = all.iter().fold(0_u32, |all, one| all.saturating_add(one.requested));
    if wanted < provisioned { Err(Error::ReservedBelowProvisioned { wanted, provisioned }) } else { Ok(()) }
}

/// What a record is for.
pub fn of(target: &Target, record: &ProvisionedConcurrency) -> Target {
    Target { qualifier: Qualifier::parse(&record.qualifier), ..target.clone() }
}

/// `ProvisionedConcurrencyConfig`, and with an ARN one of a list of them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct View {
    function_arn: Option<String>,
    requested_provisioned_concurrent_executions: u32,
    available_provisioned_concurrent_executions: u32,
    allocated_provisioned_concurrent_executions: u32,
    status: &'static str,
    status_reason: Option<&'static str>,
    last_modified: String,
}

impl View {
    /// As it was just asked for.
    pub fn begun(record: &ProvisionedConcurrency) -> View {
        View {
            function_arn: None,
            requested_provisioned_concurrent_executions: record.requested,
            available_provisioned_concurrent_executions: 0,
            allocated_provisioned_concurrent_executions: 0,
            status: "IN_PROGRESS",
            status_reason: None,
            last_modified: instant(record.modified_ms),
        }
    }

    /// As it stands now.
    pub fn of(state: &State, target: &Target, record: &ProvisionedConcurrency) -> View {
        let snapshot = state.store.snapshot();
        let key = FunctionKey { scope: target.scope.clone(), name: target.name.clone() };
        let now = snapshot.function(&key).zip(target.qualifier.as_ref());
        let now = now.map(|(function, qualifier)| state.run.provisioned(function, qualifier));
        let now = now.unwrap_or_default();
        let (status, status_reason) = match now.ready {
            ready if ready >= record.requested => ("READY", None),
            _ if now.has_failed => ("FAILED", Some("FUNCTION_ERROR_INIT_FAILURE")),
            _ => ("IN_PROGRESS", None),
        };
        View {
            available_provisioned_concurrent_executions: now.ready,
            allocated_provisioned_concurrent_executions: now.allocated,
            status,
            status_reason,
            ..View::begun(record)
        }
    }

    pub fn listed(state: &State, target: &Target, record: &ProvisionedConcurrency) -> View {
        View { function_arn: Some(target.arn()), ..View::of(state, target, record) }
    }
}
