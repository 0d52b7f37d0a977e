use pitbird_names::VersionId;
use pitbird_records::Texts;
use pitbird_records::rollout::{AliasTarget, Target as TargetRecord};
use serde::{Deserialize, Serialize};

/// Exactly one of the three.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Target {
    pub rest_stage: Option<RestStage>,
    pub lambda_alias: Option<LambdaAlias>,
    pub lambda_aliases: Option<Vec<LambdaAlias>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RestStage {
    pub rest_api_id: String,
    pub stage_name: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LambdaAlias {
    pub function_name: String,
    pub alias_name: String,
}

/// What is on trial, or what it is held against.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Canary {
    pub deployment_id: Option<String>,
    pub function_version: Option<String>,
    /// By the functions' names.
    pub function_versions: Option<Texts>,
    pub stage_variable_overrides: Option<Texts>,
}

impl From<&TargetRecord> for Target {
    fn from(target: &TargetRecord) -> Target {
        match target {
            TargetRecord::RestStage(target) => Target {
                rest_stage: Some(RestStage {
                    rest_api_id: target.api_id.clone(),
                    stage_name: target.stage.clone(),
                }),
                ..Target::default()
            },
            TargetRecord::LambdaAlias(target) => {
                Target { lambda_alias: Some(target.into()), ..Target::default() }
            }
            TargetRecord::LambdaAliases(targets) => Target {
                lambda_aliases: Some(targets.iter().map(LambdaAlias::from).collect()),
                ..Target::default()
            },
        }
    }
}

impl From<&AliasTarget> for LambdaAlias {
    fn from(target: &AliasTarget) -> LambdaAlias {
        LambdaAlias { function_name: target.function.clone(), alias_name: target.alias.clone() }
    }
}

pub fn canary(target: &TargetRecord) -> Canary {
    match target {
        TargetRecord::RestStage(target) => Canary {
            deployment_id: Some(target.canary.clone()),
            stage_variable_overrides: target.overrides.clone(),
            ..Canary::default()
        },
        aliases => versions(aliases, |target| target.canary),
    }
}

pub fn base(target: &TargetRecord) -> Canary {
    match target {
        TargetRecord::RestStage(target) => {
            Canary { deployment_id: Some(target.base.clone()), ..Canary::default() }
        }
        aliases => versions(aliases, |target| target.base),
    }
}

fn versions(target: &TargetRecord, of: impl Fn(&AliasTarget) -> VersionId) -> Canary {
    let aliases = target.aliases();
    match (target, aliases) {
        (TargetRecord::LambdaAlias(alias), _) => {
            Canary { function_version: Some(of(alias).to_string()), ..Canary::default() }
        }
        _ => {
            let versions = aliases.iter().map(|alias| (alias.function.clone(), of(alias).to_string()));
            Canary { function_versions: Some(versions.collect()), ..Canary::default() }
        }
    }
}
