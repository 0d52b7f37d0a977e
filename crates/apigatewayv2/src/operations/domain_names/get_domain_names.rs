use std::sync::Arc;

use pitbird_records::{DomainName, prefix};
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

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Items<shape::DomainName>, Fault> {
    let Call { caller, input, .. } = call;
    let page = Page::parse(input.next_token.as_deref(), input.max_results.as_deref())?;
    let all: Vec<DomainName> = find::all(&state.store, &prefix(&caller.scope, &[]))?;
    let (items, next_token) = page.cut(all, |domain| domain.name.clone());
    Ok(Items { items: items.into_iter().map(shape::DomainName::from).collect(), next_token })
}
