use std::sync::Arc;

use pitbird_records::Record;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::page::Page;
use crate::shape::{self, More};
use crate::{State, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    path_prefix: Option<String>,
    marker: Option<String>,
    max_items: Option<u32>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    roles: Vec<shape::Role>,
    #[serde(flatten)]
    more: More,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let page = Page::parse(input.marker.as_deref(), input.max_items)?;
    let mut roles = find::roles(&state.store, &caller.scope.account)?;
    let prefix = input.path_prefix.unwrap_or_default();
    roles.retain(|role| role.path.starts_with(&prefix));
    let (roles, more) = page.cut(roles, |role| role.key()).split();
    Ok(Output { roles: roles.into_iter().map(shape::Role::brief).collect(), more })
}
