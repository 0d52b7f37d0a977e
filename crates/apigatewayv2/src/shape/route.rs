use pitbird_records as records;
use serde::Serialize;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Route {
    api_gateway_managed: Option<bool>,
    api_key_required: bool,
    authorization_scopes: Option<Vec<String>>,
    authorization_type: String,
    authorizer_id: Option<String>,
    operation_name: Option<String>,
    route_id: String,
    route_key: String,
    target: Option<String>,
}

impl From<records::HttpRoute> for Route {
    fn from(route: records::HttpRoute) -> Route {
        Route {
            api_gateway_managed: route.is_managed.then_some(true),
            api_key_required: false,
            authorization_scopes: Some(route.authorization_scopes).filter(|scopes| !scopes.is_empty()),
            authorization_type: route.authorization_type,
            authorizer_id: route.authorizer_id,
            operation_name: route.operation_name,
            route_id: route.id,
            route_key: route.route_key,
            target: route.integration_id.map(|id| format!("integrations/{id}")),
        }
    }
}
