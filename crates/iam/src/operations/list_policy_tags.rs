use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::State;
use crate::page::Page;
use crate::policy;
use crate::shape::More;
use crate::tags::{self, Tag};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    policy_arn: String,
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
    let policy = policy::get(&state.store, &caller.scope.account, &input.policy_arn)?.record;
    let (tags, more) = page.cut(tags::shape(policy.tags), |tag| tag.key.clone()).split();
    Ok(Output { tags, more })
}
