//! Stages of REST APIs.

use aws_sdk_apigateway::types::{Op, PatchOperation};

use super::{Cloud, Fault, Kind};
use crate::marker::TAG;
use crate::target::stage::Canary;
use crate::target::{Call, Patch, StageSeen, StageTarget};

/// APIs that are looked through for one of the same name at most.
const APIS_MAX: usize = 5000;

impl Cloud {
    pub async fn stage(&self, api_id: &str, stage: &str) -> Result<StageSeen, Fault> {
        let call = self.gateway.get_stage().rest_api_id(api_id).stage_name(stage).send().await;
        let found = call.map_err(|error| Fault::new("apigateway:GET on the stage", error))?;
        let canary = found.canary_settings.map(|canary| Canary {
            deployment: canary.deployment_id.unwrap_or_default(),
            percent: canary.percent_traffic,
            overrides: canary.stage_variable_overrides.unwrap_or_default().into_iter().collect(),
        });
        Ok(StageSeen {
            deployment: found.deployment_id.unwrap_or_default(),
            canary,
            variables: found.variables.unwrap_or_default().into_iter().collect(),
            marker: found.tags.and_then(|mut tags| tags.remove(TAG)),
        })
    }

    /// The API's name, which its metrics are told by; refused where another API has the same.
    pub async fn api_name(&self, api_id: &str) -> Result<String, Fault> {
        let call = self.gateway.get_rest_api().rest_api_id(api_id).send().await;
        let found = call.map_err(|error| Fault::new("apigateway:GET on the API", error))?;
        let name = found.name.unwrap_or_default();
        let (mut position, mut seen) = (None, 0);
        loop {
            let call = self.gateway.get_rest_apis().limit(500).set_position(position).send().await;
            let page = call.map_err(|error| Fault::new("apigateway:GET on /restapis", error))?;
            seen += page.items().len();
            let is_other = |id: Option<&str>, of: Option<&str>| of == Some(&name) && id != Some(api_id);
            if let Some(other) = page.items().iter().find(|api| is_other(api.id(), api.name())) {
                let words = format!(
                    "REST API {} is called {name} as well; CloudWatch counts by that name, so their requests can't be told apart",
                    other.id().unwrap_or_default()
                );
                return Err(Fault { kind: Kind::Refused, words });
            }
            position = page.position;
            if position.is_none() || seen >= APIS_MAX {
                return Ok(name);
            }
        }
    }

    /// Is this deployment there?
    pub async fn deployment(&self, api_id: &str, deployment: &str) -> Result<(), Fault> {
        let call = self.gateway.get_deployment().rest_api_id(api_id).deployment_id(deployment).send().await;
        call.map(|_| ()).map_err(|error| Fault::new("apigateway:GET on the deployment", error))
    }

    pub(super) async fn change_stage(&self, target: &StageTarget, call: Call) -> Result<(), Fault> {
        match call {
            Call::UpdateStage(patches) => {
                let call = self.gateway.update_stage().rest_api_id(&target.api_id).stage_name(&target.stage);
                let operations = patches.into_iter().map(operation).collect();
                let done = call.set_patch_operations(Some(operations)).send().await;
                done.map(|_| ()).map_err(|error| Fault::new("apigateway:PATCH on the stage", error))
            }
            Call::TagStage(value) => {
                let call =
                    self.gateway.tag_resource().resource_arn(self.arn(target)).tags(TAG, value).send().await;
                call.map(|_| ()).map_err(|error| Fault::new("apigateway:PUT on /tags", error))
            }
            Call::UntagStage => {
                let call =
                    self.gateway.untag_resource().resource_arn(self.arn(target)).tag_keys(TAG).send().await;
                call.map(|_| ()).map_err(|error| Fault::new("apigateway:DELETE on /tags", error))
            }
            Call::UpdateAlias { .. } => {
                Err(Fault { kind: Kind::Refused, words: "a stage takes no such call".to_owned() })
            }
        }
    }

    fn arn(&self, target: &StageTarget) -> String {
        let partition = match self.region.split('-').next() {
            Some("cn") => "aws-cn",
            Some("us") if self.region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        };
        format!(
            "arn:{partition}:apigateway:{}::/restapis/{}/stages/{}",
            self.region, target.api_id, target.stage
        )
    }
}

fn operation(patch: Patch) -> PatchOperation {
    let built = PatchOperation::builder();
    match patch {
        Patch::Replace { path, value } => built.op(Op::Replace).path(path).value(value),
        Patch::Remove { path } => built.op(Op::Remove).path(path),
        Patch::Copy { from, path } => built.op(Op::Copy).from(from).path(path),
    }
    .build()
}
