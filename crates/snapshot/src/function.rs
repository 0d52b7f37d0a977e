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
    /// Environments kept ready, by the version or alias that they are for.
    pub provisioned: BTreeMap<Qualifier, u32>,
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

    /// Environments to keep ready of each version that any are wanted of. Those of an alias with weights are divided among
    /// its two versions by weight; either has one at least where there are two.
    pub fn provisioned_versions(&self) -> BTreeMap<VersionId, u32> {
        let mut versions = BTreeMap::new();
        for (qualifier, requested) in &self.provisioned {
            for (version, count) in self.shares(qualifier, *requested) {
                *versions.entry(version).or_default() += count;
            }
        }
        versions
    }

    /// Of those the ones that a version or an alias asks for.
    pub fn provisioned_versions_of(&self, qualifier: &Qualifier) -> Vec<(VersionId, u32)> {
        let requested = self.provisioned.get(qualifier);
        requested.map_or_else(Vec::new, |requested| self.shares(qualifier, *requested))
    }

    fn shares(&self, qualifier: &Qualifier, requested: u32) -> Vec<(VersionId, u32)> {
        match qualifier {
            Qualifier::Version(version) => vec![(*version, requested)],
            Qualifier::Alias(name) => {
                let Some(alias) = self.aliases.get(name) else { return Vec::new() };
                let version = alias.version.record.version;
                match &alias.additional {
                    Some((additional, weight)) if requested > 1 && weight.get() > 0.0 => {
                        let share = (f64::from(requested) * weight.get()).round() as u32;
                        let share = share.clamp(1, requested - 1);
                        vec![(version, requested - share), (additional.record.version, share)]
                    }
                    _ => vec![(version, requested)],
                }
            }
        }
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
