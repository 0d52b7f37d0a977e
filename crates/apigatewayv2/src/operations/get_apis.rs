use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::page::Page;
use crate::shape::{self, Items};
use crate::{State, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    max_results: Option<String>,
    next_token: Option<String>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Items<shape::Api>, Fault> {
    let page = Page::parse(call.input.next_token.as_deref(), call.input.max_results.as_deref())?;
    let apis = find::apis(&state.store, &call.caller.scope)?;
    let (apis, next_token) = page.cut(apis, |api| api.id.clone());
    Ok(Items { items: apis.into_iter().map(shape::Api::from).collect(), next_token })
}
