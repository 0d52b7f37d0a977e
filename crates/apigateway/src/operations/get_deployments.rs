use std::sync::Arc;

use pitbird_records::{Deployment, prefix};
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::State;
use crate::find;
use crate::page::Page;
use crate::shape::{self, Items};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    position: Option<String>,
    limit: Option<i64>,
}

/// Lists deployments, the latest first.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Items<shape::Deployment>, Fault> {
    let Call { caller, input, .. } = call;
    let page = Page::parse(input.position.as_deref(), input.limit)?;
    let api = find::api(&state.store, &caller.scope, &input.rest_api_id)?;
    let deployments = find::all::<Deployment>(&state.store, &prefix(&api.scope, &[&api.id]))?;
    let latest_first =
        |deployment: &Deployment| format!("{:020} {}", i64::MAX - deployment.created_ms, deployment.id);
    let (deployments, position) = page.cut(deployments, latest_first);
    let items = deployments.into_iter().map(|deployment| shape::Deployment::new(deployment, false));
    Ok(Items { position, items: items.collect() })
}
