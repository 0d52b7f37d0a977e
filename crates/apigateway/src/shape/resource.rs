use std::collections::BTreeMap;

use pitbird_records as records;
use serde::Serialize;

use super::Method;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    id: String,
    parent_id: Option<String>,
    path_part: Option<String>,
    path: String,
    /// The methods by their verbs; each is empty unless the caller asked for them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    resource_methods: BTreeMap<String, Embedded>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Embedded {
    Whole(Box<Method>),
    Name {},
}

impl Resource {
    pub fn new(resource: records::Resource, is_method_embedded: bool) -> Resource {
        let embed = |(verb, method): (String, records::Method)| {
            let embedded = match is_method_embedded {
                true => Embedded::Whole(Box::new(Method::new(&verb, method))),
                false => Embedded::Name {},
            };
            (verb, embedded)
        };
        Resource {
            id: resource.id,
            parent_id: resource.parent_id,
            path_part: resource.path_part,
            path: resource.path,
            resource_methods: resource.methods.into_iter().map(embed).collect(),
        }
    }
}
