use std::sync::Arc;

use pitbird_records::Texts;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::tags::{self, Tagged};
use crate::{State, domain_name, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    resource_arn: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    tags: Texts,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let scope = &call.caller.scope;
    let tags = match tags::parse(&call.input.resource_arn, scope)? {
        Tagged::Api(id) => find::api(&state.store, scope, &id)?.tags,
        Tagged::Stage { api_id, name } => {
            let api = find::api(&state.store, scope, &api_id)?;
            find::stage(&state.store, &api, &name)?.tags
        }
        Tagged::DomainName(name) => domain_name::find(&state.store, scope, &name)?.tags,
    };
    Ok(Output { tags })
}
