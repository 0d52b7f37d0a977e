use pitbird_records::Texts;
use pitbird_records::rollout::Target as TargetRecord;
use serde::{Deserialize, Serialize};

/// Exactly one of the two.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Target {
    pub rest_stage: Option<RestStage>,
    pub lambda_alias: Option<LambdaAlias>,
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
                lambda_alias: None,
            },
            TargetRecord::LambdaAlias(target) => Target {
                rest_stage: None,
                lambda_alias: Some(LambdaAlias {
                    function_name: target.function.clone(),
                    alias_name: target.alias.clone(),
                }),
            },
        }
    }
}

pub fn canary(target: &TargetRecord) -> Canary {
    match target {
        TargetRecord::RestStage(target) => Canary {
            deployment_id: Some(target.canary.clone()),
            stage_variable_overrides: target.overrides.clone(),
            function_version: None,
        },
        TargetRecord::LambdaAlias(target) => version(target.canary.to_string()),
    }
}

pub fn base(target: &TargetRecord) -> Canary {
    match target {
        TargetRecord::RestStage(target) => {
            Canary { deployment_id: Some(target.base.clone()), ..Canary::default() }
        }
        TargetRecord::LambdaAlias(target) => version(target.base.to_string()),
    }
}

fn version(version: String) -> Canary {
    Canary { function_version: Some(version), ..Canary::default() }
}
