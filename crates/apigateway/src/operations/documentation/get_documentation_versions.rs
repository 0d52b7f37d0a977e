use std::sync::Arc;

use pitbird_records::DocumentationVersion;
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::page::Page;
use crate::shape::Items;
use crate::{State, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    position: Option<String>,
    limit: Option<i64>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Items<shape::DocumentationVersion>, Fault> {
    let Call { caller, input, .. } = call;
    let page = Page::parse(input.position.as_deref(), input.limit)?;
    let records: Vec<DocumentationVersion> = find::children(&state.store, &caller.scope, &input.rest_api_id)?;
    let (records, position) = page.cut(records, |record| record.version.clone());
    Ok(Items { position, items: records.into_iter().map(shape::DocumentationVersion::from).collect() })
}
