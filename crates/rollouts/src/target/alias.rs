//! An alias and its routing.
//!
//! Source: Lambda developer guide, "Implement Lambda canary deployments using a weighted alias".

use pitbird_names::{Percent, Scope, Weight};
use pitbird_records::alias::Additional;
use pitbird_records::rollout::{AliasTarget, Change};
use pitbird_records::{Alias, FunctionVersion, key};
use pitbird_store::{Error, Store, Transaction, Versioned};

use super::{Written, is_same, put};

/// One alias as it is now, or as it is to be.
#[derive(Debug, Clone)]
pub struct View {
    pub target: AliasTarget,
    pub alias: Option<Versioned<Alias>>,
    pub canary_exists: bool,
}

impl View {
    pub fn read(store: &Store, scope: &Scope, target: AliasTarget) -> Result<View, Error> {
        let alias = store.get(&key(scope, &[&target.function, &target.alias]))?;
        let canary = key(scope, &[&target.function, &target.canary.to_string()]);
        let canary_exists = store.get::<FunctionVersion>(&canary)?.is_some();
        Ok(View { target, alias, canary_exists })
    }

    pub fn strayed(&self, weight: Percent) -> Option<String> {
        match &self.alias {
            Some(alias) => strayed(&alias.record, &self.target, weight),
            None => Some(format!("alias {} was deleted", self.target.alias)),
        }
    }

    pub fn change(&mut self, change: Change, percent: Percent, entropy: u128) -> Result<(), String> {
        let target = &self.target;
        let Some(alias) = &mut self.alias else { return Ok(()) };
        if change != Change::RollBack && !self.canary_exists {
            return Err(format!("version {} was deleted", target.canary));
        }
        alias.record.revision_id = pitbird_names::uuid(entropy);
        match change {
            Change::Shift => shift(&mut alias.record, target, percent),
            Change::Promote => promote(&mut alias.record, target),
            Change::RollBack => roll_back(&mut alias.record, target),
        }
        Ok(())
    }

    pub fn write(&self, tx: &mut Transaction<'_>) -> Result<Written, Error> {
        let Some(alias) = &self.alias else { return Ok(Written::Stale) };
        let record = &alias.record;
        let versions = record.additional.iter().map(|additional| additional.version);
        for version in versions.chain([record.version]) {
            let version = key(&record.scope, &[&record.function, &version.to_string()]);
            if !tx.exists::<FunctionVersion>(&version)? {
                return Ok(Written::Stale);
            }
        }
        put(tx, record, alias.rev)
    }
}

/// How the alias differs from what the rollout made of it.
fn strayed(alias: &Alias, target: &AliasTarget, weight: Percent) -> Option<String> {
    let name = &alias.name;
    if alias.version != target.base {
        return Some(format!("alias {name} names version {} instead of {}", alias.version, target.base));
    }
    let expected = if weight.get() > 0.0 { Some(additional(target, weight)) } else { target.found };
    match (alias.additional, expected) {
        (None, None) => None,
        (None, Some(_)) => Some(format!("the routing of alias {name} was removed")),
        (Some(found), None) => Some(format!("alias {name} was given a share for version {}", found.version)),
        (Some(found), Some(expected)) if found.version != expected.version => Some(format!(
            "alias {name} sends a share to version {} instead of {}",
            found.version, expected.version
        )),
        (Some(found), Some(expected)) => {
            let (weight, set) = (found.weight.get(), expected.weight.get());
            (!is_same(weight, set)).then(|| {
                format!(
                    "alias {name} sends a share of {weight} instead of {set} to version {}",
                    found.version
                )
            })
        }
    }
}

fn additional(target: &AliasTarget, percent: Percent) -> Additional {
    let weight = Weight::new(percent.get() / 100.0).expect("a hundredth of a percentage is a share");
    Additional { version: target.canary, weight }
}

fn shift(alias: &mut Alias, target: &AliasTarget, percent: Percent) {
    alias.additional = Some(additional(target, percent));
}

fn promote(alias: &mut Alias, target: &AliasTarget) {
    alias.version = target.canary;
    alias.additional = None;
}

fn roll_back(alias: &mut Alias, target: &AliasTarget) {
    alias.version = target.base;
    alias.additional = None;
}
