use pitbird_records as records;
use pitbird_records::Texts;
use serde::Serialize;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayResponse {
    response_type: String,
    status_code: Option<String>,
    response_parameters: Texts,
    response_templates: Texts,
    default_response: bool,
}

impl GatewayResponse {
    /// `is_default` when nobody has put it.
    pub fn new(response: records::GatewayResponse, is_default: bool) -> GatewayResponse {
        GatewayResponse {
            response_type: response.response_type,
            status_code: response.status_code,
            response_parameters: response.response_parameters,
            response_templates: response.response_templates,
            default_response: is_default,
        }
    }
}
