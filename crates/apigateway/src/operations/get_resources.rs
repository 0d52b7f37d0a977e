use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::page::Page;
use crate::shape::{self, Items};
use crate::{State, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    position: Option<String>,
    limit: Option<i64>,
    embed: Option<Vec<String>>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Items<shape::Resource>, Fault> {
    let Call { caller, input, .. } = call;
    let page = Page::parse(input.position.as_deref(), input.limit)?;
    let api = find::api(&state.store, &caller.scope, &input.rest_api_id)?;
    let resources = find::resources(&state.store, &api.scope, &api.id)?;
    let (resources, position) = page.cut(resources, |resource| resource.path.clone());
    let is_method_embedded = super::embeds(input.embed.as_deref(), "methods");
    let items = resources.into_iter().map(|resource| shape::Resource::new(resource, is_method_embedded));
    Ok(Items { position, items: items.collect() })
}
