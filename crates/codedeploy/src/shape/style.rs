use serde::{Deserialize, Serialize};

use crate::Error;

const TYPE: &str = "BLUE_GREEN";
const OPTION: &str = "WITH_TRAFFIC_CONTROL";

#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentStyle {
    deployment_type: Option<String>,
    deployment_option: Option<String>,
}

impl DeploymentStyle {
    /// The one that Lambda has.
    pub fn of_lambda() -> DeploymentStyle {
        DeploymentStyle { deployment_type: Some(TYPE.to_owned()), deployment_option: Some(OPTION.to_owned()) }
    }

    pub fn check(&self) -> Result<(), Error> {
        if self.deployment_type.as_deref() == Some(TYPE) && self.deployment_option.as_deref() == Some(OPTION)
        {
            return Ok(());
        }
        Err(Error::invalid(
            "InvalidDeploymentStyleException",
            "For Lambda deployment group, deployment type can be BLUE_GREEN only and deployment option can be WITH_TRAFFIC_CONTROL \
             only.",
        ))
    }
}
