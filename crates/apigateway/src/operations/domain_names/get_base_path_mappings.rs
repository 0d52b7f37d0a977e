use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::domain_name::{self, base_path};
use crate::page::Page;
use crate::shape::Items;
use crate::{State, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    domain_name: String,
    position: Option<String>,
    limit: Option<i64>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Items<shape::BasePathMapping>, Fault> {
    let Call { caller, input, .. } = call;
    let page = Page::parse(input.position.as_deref(), input.limit)?;
    let domain = domain_name::domain(&state.store, &caller.scope, &input.domain_name)?;
    let mappings = base_path::all(&state.store, &domain.scope, &domain.name)?;
    let (mappings, position) = page.cut(mappings, |mapping| base_path::told(&mapping.base_path).to_owned());
    Ok(Items { position, items: mappings.into_iter().map(shape::BasePathMapping::from).collect() })
}
