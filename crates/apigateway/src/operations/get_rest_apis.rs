use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::page::Page;
use crate::shape::{self, Items};
use crate::{State, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    position: Option<String>,
    limit: Option<i64>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Items<shape::RestApi>, Fault> {
    let page = Page::parse(call.input.position.as_deref(), call.input.limit)?;
    let apis = find::apis(&state.store, &call.caller.scope)?;
    let (apis, position) = page.cut(apis, |api| api.id.clone());
    Ok(Items { position, items: apis.into_iter().map(shape::RestApi::brief).collect() })
}
