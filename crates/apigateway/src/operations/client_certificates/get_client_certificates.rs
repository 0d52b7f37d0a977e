use std::sync::Arc;

use pitbird_records::{ClientCertificate, prefix};
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::page::Page;
use crate::shape::Items;
use crate::{State, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    position: Option<String>,
    limit: Option<i64>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Items<shape::ClientCertificate>, Fault> {
    let Call { caller, input, .. } = call;
    let page = Page::parse(input.position.as_deref(), input.limit)?;
    let records: Vec<ClientCertificate> = find::all(&state.store, &prefix(&caller.scope, &[]))?;
    let (records, position) = page.cut(records, |record| record.id.clone());
    Ok(Items { position, items: records.into_iter().map(shape::ClientCertificate::from).collect() })
}
