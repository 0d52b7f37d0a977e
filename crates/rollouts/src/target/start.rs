//! From what a caller names to a target that a rollout may begin on.

mod find;

use std::collections::BTreeMap;

use pitbird_names::{FunctionRef, Scope, VersionId};
use pitbird_records::rollout::{AliasTarget, Target, alias_claim, stage_claim};
use pitbird_records::{Alias, Texts, key};
use pitbird_rollout::TargetKind;
use pitbird_store::{Store, Transaction};

use super::extra;
use crate::{Error, LiveTarget, shape};

/// Of many aliases the first are told, in so many bytes.
const DESCRIPTION_BYTES_MAX: usize = pitbird_rollout::plan::TARGET_BYTES_MAX - 64;
const ONE_TARGET: &str = "Target must be one of RestStage, LambdaAlias and LambdaAliases.";

/// What the target is to be given besides traffic.
#[derive(Debug, Default)]
pub struct Extra {
    pub pre_warm: Option<u32>,
    pub tags: Tags,
}

/// What a stage is to share its requests out by besides the draw, as its tags have it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tags {
    pub force: Option<String>,
    pub sticky: Option<String>,
    pub mirror: Option<String>,
}

/// What is wanted, before it was held against what there is.
#[derive(Debug)]
pub enum Wish {
    RestStage {
        api_id: String,
        stage: String,
        canary: Option<String>,
        overrides: Option<Texts>,
        tags: Tags,
    },
    LambdaAlias {
        alias: AliasWish,
        pre_warm: Option<u32>,
    },
    /// By the functions' names, each once. Environments are kept ready of each.
    LambdaAliases {
        aliases: Vec<AliasWish>,
        pre_warm: Option<u32>,
    },
}

#[derive(Debug, Clone)]
pub struct AliasWish {
    pub function: FunctionRef,
    pub alias: String,
    pub canary: VersionId,
}

impl Wish {
    pub fn parse(target: shape::Target, canary: shape::Canary, extra: Extra) -> Result<Wish, Error> {
        let Extra { pre_warm, tags } = extra;
        let shape::Canary { deployment_id, function_version, function_versions, stage_variable_overrides } =
            canary;
        let named =
            [target.rest_stage.is_some(), target.lambda_alias.is_some(), target.lambda_aliases.is_some()];
        if named.into_iter().filter(|is_named| *is_named).count() != 1 {
            return Err(Error::invalid(ONE_TARGET));
        }
        if target.lambda_alias.is_none() {
            refuse(function_version.is_some(), "Canary.FunctionVersion", "Target.LambdaAlias")?;
        }
        if target.lambda_aliases.is_none() {
            refuse(function_versions.is_some(), "Canary.FunctionVersions", "Target.LambdaAliases")?;
        }
        if target.rest_stage.is_none() {
            refuse(deployment_id.is_some(), "Canary.DeploymentId", "Target.RestStage")?;
            let overrides = stage_variable_overrides.is_some();
            refuse(overrides, "Canary.StageVariableOverrides", "Target.RestStage")?;
            refuse(tags.force.is_some(), "Force", "Target.RestStage")?;
            refuse(tags.sticky.is_some(), "Sticky", "Target.RestStage")?;
            refuse(tags.mirror.is_some(), "Mirror", "Target.RestStage")?;
        }
        match (target.rest_stage, target.lambda_alias, target.lambda_aliases) {
            (Some(stage), None, None) => {
                if pre_warm.is_some() {
                    return Err(Error::invalid(
                        "PreWarm goes with Target.LambdaAlias and Target.LambdaAliases only.",
                    ));
                }
                Ok(Wish::RestStage {
                    api_id: stage.rest_api_id,
                    stage: stage.stage_name,
                    canary: deployment_id,
                    overrides: stage_variable_overrides.filter(|overrides| !overrides.is_empty()),
                    tags,
                })
            }
            (None, Some(alias), None) => {
                let function = function(&alias, "Target.LambdaAlias")?;
                let canary = published(function_version.as_deref(), "Canary.FunctionVersion")?;
                Ok(Wish::LambdaAlias {
                    alias: AliasWish { function, alias: alias.alias_name, canary },
                    pre_warm,
                })
            }
            (None, None, Some(aliases)) => {
                let aliases = together(aliases, function_versions.unwrap_or_default())?;
                Ok(Wish::LambdaAliases { aliases, pre_warm })
            }
            _ => Err(Error::invalid(ONE_TARGET)),
        }
    }

    /// What a rollout on this target claims: see [`Target::claims`].
    pub fn claims(&self) -> Vec<String> {
        let claim = |wish: &AliasWish| alias_claim(&wish.function.name, &wish.alias);
        match self {
            Wish::RestStage { api_id, stage, .. } => vec![stage_claim(api_id, stage)],
            Wish::LambdaAlias { alias, .. } => vec![claim(alias)],
            Wish::LambdaAliases { aliases, .. } => aliases.iter().map(claim).collect(),
        }
    }

    /// Is this the target that a rollout found?
    pub fn is_for(&self, found: &Target) -> bool {
        match (self, found) {
            (Wish::RestStage { api_id, stage, canary, overrides, tags }, Target::RestStage(found)) => {
                let is_canary = canary.as_ref().is_none_or(|canary| *canary == found.canary);
                let is_same = overrides.is_none() || *overrides == found.overrides;
                let is_chosen_alike = *tags == extra::tags(found);
                (api_id, stage) == (&found.api_id, &found.stage) && is_chosen_alike && is_canary && is_same
            }
            (Wish::LambdaAlias { alias, pre_warm }, Target::LambdaAlias(found)) => {
                alias.is_for(*pre_warm, found)
            }
            (Wish::LambdaAliases { aliases, pre_warm }, Target::LambdaAliases(found)) => {
                let is_each = |(wish, found): (&AliasWish, &AliasTarget)| wish.is_for(*pre_warm, found);
                aliases.len() == found.len() && aliases.iter().zip(found).all(is_each)
            }
            _ => false,
        }
    }

    /// Whose counts tell what the base has done so far; nobody's where there is no such alias.
    pub fn live(&self, store: &Store, scope: &Scope) -> Result<Vec<LiveTarget>, pitbird_store::Error> {
        let aliases = match self {
            Wish::RestStage { api_id, stage, .. } => {
                let (api_id, stage) = (api_id.clone(), stage.clone());
                return Ok(vec![LiveTarget::RestStage { scope: scope.clone(), api_id, stage }]);
            }
            Wish::LambdaAlias { alias, .. } => std::slice::from_ref(alias),
            Wish::LambdaAliases { aliases, .. } => aliases,
        };
        let mut live = Vec::new();
        for AliasWish { function, alias, canary } in aliases {
            let found = store.get::<Alias>(&key(scope, &[&function.name, alias]))?;
            live.extend(found.map(|found| LiveTarget::LambdaAlias {
                scope: scope.clone(),
                function: function.name.clone(),
                alias: alias.clone(),
                base: found.record.version,
                canary: *canary,
            }));
        }
        Ok(live)
    }

    /// The target as it is, if a rollout may begin on it.
    pub fn find(self, tx: &Transaction<'_>, scope: &Scope) -> Result<Target, Error> {
        match self {
            Wish::RestStage { api_id, stage, canary, overrides, tags } => {
                let found = find::stage(tx, scope, api_id, stage, canary, overrides)?;
                Ok(Target::RestStage(Box::new(find::choosing(tx, scope, found, tags)?)))
            }
            Wish::LambdaAlias { alias, pre_warm } => {
                find::alias(tx, scope, alias, pre_warm).map(Target::LambdaAlias)
            }
            Wish::LambdaAliases { aliases, pre_warm } => {
                let find = |alias| find::alias(tx, scope, alias, pre_warm);
                aliases.into_iter().map(find).collect::<Result<_, _>>().map(Target::LambdaAliases)
            }
        }
    }
}

impl AliasWish {
    fn is_for(&self, pre_warm: Option<u32>, found: &AliasTarget) -> bool {
        let named = (&self.function.name, &self.alias, self.canary, pre_warm);
        named == (&found.function, &found.alias, found.canary, found.pre_warm)
    }
}

/// What rollouts on a target claim.
pub fn claims(target: shape::Target) -> Result<Vec<String>, Error> {
    let claim =
        |alias: &shape::LambdaAlias, of: &str| Ok(alias_claim(&function(alias, of)?.name, &alias.alias_name));
    match (target.rest_stage, target.lambda_alias, target.lambda_aliases) {
        (Some(stage), None, None) => Ok(vec![stage_claim(&stage.rest_api_id, &stage.stage_name)]),
        (None, Some(alias), None) => Ok(vec![claim(&alias, "Target.LambdaAlias")?]),
        (None, None, Some(aliases)) => {
            aliases.iter().map(|alias| claim(alias, "Target.LambdaAliases")).collect()
        }
        _ => Err(Error::invalid(ONE_TARGET)),
    }
}

/// Several aliases with the versions that they are to get, by the functions' names.
fn together(aliases: Vec<shape::LambdaAlias>, versions: Texts) -> Result<Vec<AliasWish>, Error> {
    let mut canaries = BTreeMap::new();
    for (name, version) in &versions {
        let of = format!("Canary.FunctionVersions.{name}");
        let function = named(name, &of)?;
        canaries.insert(function.name, published(Some(version), &of)?);
    }
    let mut wishes = BTreeMap::new();
    for alias in aliases {
        let function = function(&alias, "Target.LambdaAliases")?;
        let name = function.name.clone();
        let canary = canaries.remove(&name).ok_or_else(|| {
            Error::invalid(format!(
                "Canary.FunctionVersions says no version of {name}, or it is named twice."
            ))
        })?;
        wishes.insert(name, AliasWish { function, alias: alias.alias_name, canary });
    }
    match canaries.into_keys().next() {
        Some(name) => Err(Error::invalid(format!(
            "Canary.FunctionVersions.{name}: Target.LambdaAliases doesn't name it."
        ))),
        None => Ok(wishes.into_values().collect()),
    }
}

fn function(alias: &shape::LambdaAlias, of: &str) -> Result<FunctionRef, Error> {
    named(&alias.function_name, &format!("{of}.FunctionName"))
}

fn named(name: &str, of: &str) -> Result<FunctionRef, Error> {
    let function = FunctionRef::parse(name).map_err(|error| Error::invalid(format!("{of}: {error}.")))?;
    match function.qualifier {
        Some(_) => Err(Error::invalid(format!("{of} must not have a qualifier."))),
        None => Ok(function),
    }
}

fn published(version: Option<&str>, of: &str) -> Result<VersionId, Error> {
    let version = version.and_then(VersionId::parse).filter(|version| *version != VersionId::Latest);
    version.ok_or_else(|| Error::invalid(format!("{of} must be the number of a published version.")))
}

fn refuse(is_given: bool, member: &str, target: &str) -> Result<(), Error> {
    match is_given {
        true => Err(Error::invalid(format!("{member} goes with {target} only."))),
        false => Ok(()),
    }
}

/// The target in the words that belong to the plan.
pub fn description(target: &Target) -> pitbird_rollout::Target {
    let (kind, description) = match target {
        Target::RestStage(target) => (
            TargetKind::StageCanary,
            format!(
                "restapis/{}/stages/{}: deployment {} over {}",
                target.api_id, target.stage, target.canary, target.base
            ),
        ),
        Target::LambdaAlias(_) | Target::LambdaAliases(_) => {
            let words = |target: &AliasTarget| {
                let AliasTarget { function, alias, canary, base, .. } = target;
                format!("functions/{function}/aliases/{alias}: version {canary} over {base}")
            };
            let mut told = String::new();
            for (number, alias) in target.aliases().iter().enumerate() {
                let (begin, words) = (if number == 0 { "" } else { ", " }, words(alias));
                if told.len() + words.len() > DESCRIPTION_BYTES_MAX {
                    told += &format!(" and {} more", target.aliases().len() - number);
                    break;
                }
                told += begin;
                told += &words;
            }
            (TargetKind::FunctionAlias, told)
        }
    };
    pitbird_rollout::Target { kind, description }
}
