use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::page::Page;
use crate::policy;
use crate::shape::{AttachedPolicy, More};
use crate::{State, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    role_name: String,
    path_prefix: Option<String>,
    marker: Option<String>,
    max_items: Option<u32>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    attached_policies: Vec<AttachedPolicy>,
    #[serde(flatten)]
    more: More,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let page = Page::parse(input.marker.as_deref(), input.max_items)?;
    let mut attached = find::role(&state.store, &caller.scope.account, &input.role_name)?.attached;
    let prefix = input.path_prefix.unwrap_or_default();
    attached.retain(|arn| policy::path(arn).starts_with(&prefix));
    let (attached, more) = page.cut(attached, String::clone).split();
    Ok(Output { attached_policies: attached.into_iter().map(AttachedPolicy::new).collect(), more })
}
