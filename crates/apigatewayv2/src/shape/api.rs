use pitbird_records as records;
use pitbird_records::Texts;
use serde::Serialize;

use super::seconds;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Api {
    api_endpoint: String,
    api_id: String,
    api_key_selection_expression: String,
    cors_configuration: Option<Cors>,
    created_date: f64,
    description: Option<String>,
    disable_execute_api_endpoint: bool,
    import_info: Option<Vec<String>>,
    ip_address_type: String,
    name: String,
    protocol_type: &'static str,
    route_selection_expression: String,
    tags: Texts,
    version: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Cors {
    allow_credentials: Option<bool>,
    allow_headers: Option<Vec<String>>,
    allow_methods: Option<Vec<String>>,
    allow_origins: Option<Vec<String>>,
    expose_headers: Option<Vec<String>>,
    max_age: Option<i32>,
}

impl From<records::HttpApi> for Api {
    fn from(api: records::HttpApi) -> Api {
        Api {
            api_endpoint: format!("https://{}.execute-api.{}.amazonaws.com", api.id, api.scope.region),
            api_id: api.id,
            api_key_selection_expression: api.api_key_selection_expression,
            cors_configuration: api.cors.map(|cors| Cors {
                allow_credentials: cors.allow_credentials,
                allow_headers: cors.allow_headers,
                allow_methods: cors.allow_methods,
                allow_origins: cors.allow_origins,
                expose_headers: cors.expose_headers,
                max_age: cors.max_age_s,
            }),
            created_date: seconds(api.created_ms),
            description: api.description,
            disable_execute_api_endpoint: api.disable_execute_api_endpoint,
            import_info: Some(api.import_info).filter(|lines| !lines.is_empty()),
            ip_address_type: api.ip_address_type,
            name: api.name,
            protocol_type: "HTTP",
            route_selection_expression: api.route_selection_expression,
            tags: api.tags,
            version: api.version,
        }
    }
}
