use pitbird_records as records;
use serde::Serialize;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Model {
    id: String,
    name: String,
    description: Option<String>,
    schema: Option<String>,
    content_type: String,
}

impl From<records::Model> for Model {
    fn from(model: records::Model) -> Model {
        let records::Model { id, name, description, schema, content_type, .. } = model;
        Model { id, name, description, schema, content_type }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestValidator {
    id: String,
    name: Option<String>,
    validate_request_body: bool,
    validate_request_parameters: bool,
}

impl From<records::RequestValidator> for RequestValidator {
    fn from(validator: records::RequestValidator) -> RequestValidator {
        RequestValidator {
            id: validator.id,
            name: validator.name,
            validate_request_body: validator.validate_request_body,
            validate_request_parameters: validator.validate_request_parameters,
        }
    }
}
