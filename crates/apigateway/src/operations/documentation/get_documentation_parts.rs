use std::sync::Arc;

use pitbird_records::DocumentationPart;
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::page::Page;
use crate::shape::Items;
use crate::{Error, State, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    name_query: Option<String>,
    path: Option<String>,
    position: Option<String>,
    limit: Option<i64>,
    location_status: Option<String>,
}

/// Parts, on demand only those of a kind, a path or a name.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Items<shape::DocumentationPart>, Fault> {
    let Call { caller, input, .. } = call;
    if input.location_status.is_some_and(|status| status != "DOCUMENTED") {
        return Err(Error::unsupported("locationStatus UNDOCUMENTED").into());
    }
    let page = Page::parse(input.position.as_deref(), input.limit)?;
    let mut parts: Vec<DocumentationPart> = find::children(&state.store, &caller.scope, &input.rest_api_id)?;
    parts.retain(|part| {
        let is_asked =
            |asked: &Option<String>, has: Option<&String>| asked.is_none() || asked.as_ref() == has;
        is_asked(&input.kind, Some(&part.location.kind))
            && is_asked(&input.path, part.location.path.as_ref())
            && is_asked(&input.name_query, part.location.name.as_ref())
    });
    let (parts, position) = page.cut(parts, |part| part.id.clone());
    Ok(Items { position, items: parts.into_iter().map(shape::DocumentationPart::from).collect() })
}
