use std::collections::BTreeMap;

use pitbird_records as records;
use serde::Serialize;

use super::seconds;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployment {
    id: String,
    description: Option<String>,
    created_date: f64,
    api_summary: Option<Summary>,
}

/// By path, by verb.
type Summary = BTreeMap<String, BTreeMap<String, MethodSnapshot>>;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct MethodSnapshot {
    authorization_type: String,
    api_key_required: bool,
}

impl Deployment {
    pub fn new(deployment: records::Deployment, is_summary_embedded: bool) -> Deployment {
        Deployment {
            api_summary: is_summary_embedded.then(|| summary(&deployment)),
            id: deployment.id,
            description: deployment.description,
            created_date: seconds(deployment.created_ms),
        }
    }
}

/// The methods that a deployment has frozen.
fn summary(deployment: &records::Deployment) -> Summary {
    let methods = |resource: &records::Resource| {
        let methods = resource.methods.iter().map(|(verb, method)| {
            let authorization_type = method.authorization_type.clone();
            (verb.clone(), MethodSnapshot { authorization_type, api_key_required: method.api_key_required })
        });
        (resource.path.clone(), methods.collect())
    };
    deployment.resources.iter().filter(|resource| !resource.methods.is_empty()).map(methods).collect()
}
