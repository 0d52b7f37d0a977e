use pitbird_records as records;
use serde::Serialize;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Authorizer {
    id: String,
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(rename = "providerARNs", skip_serializing_if = "Vec::is_empty")]
    provider_arns: Vec<String>,
    auth_type: Option<String>,
    authorizer_uri: Option<String>,
    authorizer_credentials: Option<String>,
    identity_source: Option<String>,
    identity_validation_expression: Option<String>,
    authorizer_result_ttl_in_seconds: Option<u32>,
}

impl From<records::Authorizer> for Authorizer {
    fn from(authorizer: records::Authorizer) -> Authorizer {
        Authorizer {
            id: authorizer.id,
            name: authorizer.name,
            kind: authorizer.kind,
            provider_arns: authorizer.provider_arns,
            auth_type: authorizer.auth_type,
            authorizer_uri: authorizer.uri,
            authorizer_credentials: authorizer.credentials,
            identity_source: authorizer.identity_source,
            identity_validation_expression: authorizer.identity_validation_expression,
            authorizer_result_ttl_in_seconds: authorizer.result_ttl_s,
        }
    }
}
