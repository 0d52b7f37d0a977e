use pitbird_records as records;
use pitbird_records::Texts;
use serde::Serialize;

use super::seconds;
use crate::policy;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RestApi {
    id: String,
    name: String,
    description: Option<String>,
    version: Option<String>,
    created_date: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    binary_media_types: Vec<String>,
    minimum_compression_size: Option<i64>,
    api_key_source: String,
    endpoint_configuration: EndpointConfiguration,
    policy: Option<String>,
    tags: Option<Texts>,
    disable_execute_api_endpoint: bool,
    root_resource_id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EndpointConfiguration {
    types: Vec<String>,
    ip_address_type: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    vpc_endpoint_ids: Vec<String>,
}

impl RestApi {
    /// As one of a list, or as it was just created.
    pub fn brief(api: records::RestApi) -> RestApi {
        let tags = Some(api.tags).filter(|tags| !tags.is_empty());
        RestApi {
            id: api.id,
            name: api.name,
            description: api.description,
            version: api.version,
            created_date: seconds(api.created_ms),
            binary_media_types: api.binary_media_types,
            minimum_compression_size: api.minimum_compression_size,
            api_key_source: api.api_key_source,
            endpoint_configuration: EndpointConfiguration {
                types: api.endpoint_types,
                ip_address_type: api.ip_address_type,
                vpc_endpoint_ids: api.vpc_endpoint_ids,
            },
            policy: api.policy.as_deref().map(policy::escaped),
            tags,
            disable_execute_api_endpoint: api.disable_execute_api_endpoint,
            root_resource_id: api.root_resource_id,
            warnings: Vec::new(),
        }
    }

    /// As a document made it, with what of the document was left out.
    pub fn imported(api: records::RestApi, warnings: Vec<String>) -> RestApi {
        RestApi { warnings, ..RestApi::brief(api) }
    }

    /// By itself: tags are told even when there are none.
    pub fn whole(api: records::RestApi) -> RestApi {
        let mut shape = RestApi::brief(api);
        shape.tags.get_or_insert_default();
        shape
    }
}
