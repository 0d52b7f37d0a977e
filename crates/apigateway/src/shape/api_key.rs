use pitbird_records as records;
use pitbird_records::Texts;
use serde::Serialize;

use super::seconds;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiKey {
    id: String,
    value: Option<String>,
    name: Option<String>,
    customer_id: Option<String>,
    description: Option<String>,
    enabled: bool,
    created_date: f64,
    last_updated_date: f64,
    stage_keys: Vec<String>,
    #[serde(skip_serializing_if = "Texts::is_empty")]
    tags: Texts,
}

impl ApiKey {
    /// A key; its value is for those who ask for it.
    pub fn new(key: records::ApiKey, has_value: bool) -> ApiKey {
        ApiKey {
            id: key.id,
            value: has_value.then_some(key.value),
            name: key.name,
            customer_id: key.customer_id,
            description: key.description,
            enabled: key.enabled,
            created_date: seconds(key.created_ms),
            last_updated_date: seconds(key.updated_ms),
            stage_keys: key.stage_keys,
            tags: key.tags,
        }
    }
}
