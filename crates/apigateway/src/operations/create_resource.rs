use std::sync::Arc;

use pitbird_names::resource_id;
use pitbird_records::Resource;
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::resource::{self, RESOURCES_MAX};
use crate::{Error, State, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    parent_id: String,
    path_part: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Resource, Fault> {
    let Call { caller, input, .. } = call;
    let entropy = state.entropy;
    let create = move |tx: &mut pitbird_store::Transaction<'_>| {
        let api = find::api(tx, &caller.scope, &input.rest_api_id)?;
        let resources = find::resources(tx, &api.scope, &api.id)?;
        let parent = resources.iter().find(|resource| resource.id == input.parent_id);
        let parent = parent.ok_or(Error::UnknownResource)?;
        let path = resource::place(&resources, parent, &input.path_part, None)?;
        if resources.len() >= RESOURCES_MAX {
            return Err(Error::TooMany { what: "resources for this API", limit: RESOURCES_MAX });
        }
        let mut id = resource_id(entropy());
        while resources.iter().any(|resource| resource.id == id) {
            id = resource_id(entropy());
        }
        let resource = Resource {
            scope: api.scope,
            api_id: api.id,
            id,
            parent_id: Some(parent.id.clone()),
            path_part: Some(input.path_part),
            path,
            methods: Default::default(),
        };
        tx.put(&resource)?;
        Ok(resource)
    };
    Ok(shape::Resource::new(state.store.write(create).await?, false))
}
