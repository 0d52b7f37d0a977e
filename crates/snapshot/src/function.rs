use std::collections::BTreeMap;
use std::sync::Arc;

use pitbird_names::{Qualifier, Scope, VersionId};
use pitbird_records as records;
use thiserror::Error;

use crate::{Policy, Slot};

/// A function as the data plane sees it.
#[derive(Debug)]
pub struct Function {
    pub scope: Scope,
    pub name: String,
    pub versions: BTreeMap<VersionId, Arc<Version>>,
    pub aliases: BTreeMap<String, Alias>,
    /// By qualifier; the unqualified function's under [`Qualifier::LATEST`].
    pub policies: BTreeMap<Qualifier, Policy>,
    pub reserved_concurrency: Option<u32>,
    pub allows_loops: bool,
}

/// One runnable version. The same `Arc` stays in every snapshot until its record changes.
#[derive(Debug)]
pub struct Version {
    /// The store's revision of the record.
    pub rev: u64,
    pub record: records::FunctionVersion,
    /// Belongs to `invoke`: the version's environments. Kept while settings and code stay the same.
    pub slot: Slot,
}

#[derive(Debug)]
pub struct Alias {
    pub record: records::Alias,
    /// The version that the alias names, and the additional one with its weight.
    pub version: Arc<Version>,
    pub additional: Option<(Arc<Version>, pitbird_names::Weight)>,
    /// Belong to `invoke`: the metric handles for either version under this alias.
    pub slot: Slot,
    pub additional_slot: Slot,
}

/// Where an invocation goes.
#[derive(Debug)]
pub struct Resolved<'a> {
    pub version: &'a Arc<Version>,
    /// The alias that was named, if one was.
    pub alias: Option<&'a Alias>,
    /// Under which slot of the alias (or of no alias) metrics are kept.
    pub is_additional: bool,
}

/// A qualifier that names nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no version or alias {0}")]
pub struct Unknown(pub Qualifier);

impl Function {
    /// The version that one invocation runs: `$LATEST` without a qualifier, else the version named, else the alias's
    /// choice by `draw` in [0, 1). Each invocation draws for itself; there is no affinity.
    pub fn resolve(&self, qualifier: Option<&Qualifier>, draw: f64) -> Result<Resolved<'_>, Unknown> {
        let unknown = || Unknown(qualifier.cloned().unwrap_or(Qualifier::LATEST));
        let version = match qualifier {
            Some(Qualifier::Alias(name)) => {
                let alias = self.aliases.get(name).ok_or_else(unknown)?;
                return Ok(alias.choose(draw));
            }
            Some(Qualifier::Version(version)) => *version,
            None => VersionId::Latest,
        };
        let version = self.versions.get(&version).ok_or_else(unknown)?;
        Ok(Resolved { version, alias: None, is_additional: false })
    }

    /// The policy that guards an invocation through `qualifier`.
    pub fn policy(&self, qualifier: Option<&Qualifier>) -> Option<&Policy> {
        self.policies.get(qualifier.unwrap_or(&Qualifier::LATEST))
    }
}

impl Alias {
    fn choose(&self, draw: f64) -> Resolved<'_> {
        match &self.additional {
            Some((version, weight)) if weight.takes(draw) => {
                Resolved { version, alias: Some(self), is_additional: true }
            }
            _ => Resolved { version: &self.version, alias: Some(self), is_additional: false },
        }
    }
}
