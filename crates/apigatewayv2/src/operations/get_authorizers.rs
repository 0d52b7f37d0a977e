use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::page::Page;
use crate::shape::{self, Items};
use crate::{State, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    api_id: String,
    max_results: Option<String>,
    next_token: Option<String>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Items<shape::Authorizer>, Fault> {
    let Call { caller, input, .. } = call;
    let page = Page::parse(input.next_token.as_deref(), input.max_results.as_deref())?;
    let api = find::api(&state.store, &caller.scope, &input.api_id)?;
    let all = find::authorizers(&state.store, &api)?;
    let (items, next_token) = page.cut(all, |authorizer| authorizer.id.clone());
    Ok(Items { items: items.into_iter().map(shape::Authorizer::from).collect(), next_token })
}
