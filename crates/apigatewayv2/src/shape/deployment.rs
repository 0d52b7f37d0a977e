use pitbird_records as records;
use serde::Serialize;

use super::seconds;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Deployment {
    auto_deployed: bool,
    created_date: f64,
    deployment_id: String,
    deployment_status: &'static str,
    description: Option<String>,
}

impl From<records::HttpDeployment> for Deployment {
    fn from(deployment: records::HttpDeployment) -> Deployment {
        Deployment {
            auto_deployed: deployment.is_automatic,
            created_date: seconds(deployment.created_ms),
            deployment_id: deployment.id,
            // A deployment is live when its call returns: there is no other state to see.
            deployment_status: "DEPLOYED",
            description: deployment.description,
        }
    }
}
