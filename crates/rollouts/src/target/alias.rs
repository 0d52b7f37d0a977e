//! An alias and its routing.
//!
//! Source: Lambda developer guide, "Implement Lambda canary deployments using a weighted alias".

use pitbird_names::{Percent, Weight};
use pitbird_records::Alias;
use pitbird_records::alias::Additional;
use pitbird_records::rollout::AliasTarget;

use super::is_same;

/// How the alias differs from what the rollout made of it.
pub fn strayed(alias: &Alias, target: &AliasTarget, weight: Percent) -> Option<String> {
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

pub fn shift(alias: &mut Alias, target: &AliasTarget, percent: Percent) {
    alias.additional = Some(additional(target, percent));
}

pub fn promote(alias: &mut Alias, target: &AliasTarget) {
    alias.version = target.canary;
    alias.additional = None;
}

pub fn roll_back(alias: &mut Alias, target: &AliasTarget) {
    alias.version = target.base;
    alias.additional = None;
}
