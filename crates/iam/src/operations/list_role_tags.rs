use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::page::Page;
use crate::shape::More;
use crate::tags::{self, Tag};
use crate::{State, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    role_name: String,
    marker: Option<String>,
    max_items: Option<u32>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    tags: Vec<Tag>,
    #[serde(flatten)]
    more: More,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let page = Page::parse(input.marker.as_deref(), input.max_items)?;
    let role = find::role(&state.store, &caller.scope.account, &input.role_name)?;
    let (tags, more) = page.cut(tags::shape(role.tags), |tag| tag.key.clone()).split();
    Ok(Output { tags, more })
}
