use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::page::Page;
use crate::shape::{self, Items};
use crate::{State, domain_name};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    domain_name: String,
    max_results: Option<String>,
    next_token: Option<String>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Items<shape::ApiMapping>, Fault> {
    let Call { caller, input, .. } = call;
    let page = Page::parse(input.next_token.as_deref(), input.max_results.as_deref())?;
    let domain = domain_name::find(&state.store, &caller.scope, &input.domain_name)?;
    let all = domain_name::mappings(&state.store, &domain)?;
    let (items, next_token) = page.cut(all, |mapping| mapping.base_path.clone());
    Ok(Items { items: items.into_iter().map(shape::ApiMapping::from).collect(), next_token })
}
