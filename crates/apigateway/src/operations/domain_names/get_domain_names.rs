use std::sync::Arc;

use pitbird_records::{DomainName, prefix};
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::page::Page;
use crate::shape::Items;
use crate::{Error, State, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    position: Option<String>,
    limit: Option<i64>,
    resource_owner: Option<String>,
}

/// An account's own domains; none are shared.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Items<shape::DomainName>, Fault> {
    let Call { caller, input, .. } = call;
    if input.resource_owner.is_some_and(|owner| owner != "SELF") {
        return Err(Error::unsupported("resourceOwner OTHER_ACCOUNTS").into());
    }
    let page = Page::parse(input.position.as_deref(), input.limit)?;
    let records: Vec<DomainName> = find::all(&state.store, &prefix(&caller.scope, &[]))?;
    let (records, position) = page.cut(records, |record| record.name.clone());
    Ok(Items { position, items: records.into_iter().map(shape::DomainName::from).collect() })
}
