use pitbird_records as records;
use pitbird_records::HttpAuthorizerKind;
use serde::Serialize;

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Authorizer {
    authorizer_id: String,
    authorizer_payload_format_version: Option<String>,
    authorizer_result_ttl_in_seconds: Option<u32>,
    authorizer_type: &'static str,
    authorizer_uri: Option<String>,
    enable_simple_responses: Option<bool>,
    identity_source: Vec<String>,
    jwt_configuration: Option<JwtConfiguration>,
    name: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct JwtConfiguration {
    audience: Vec<String>,
    issuer: String,
}

impl From<records::HttpAuthorizer> for Authorizer {
    fn from(authorizer: records::HttpAuthorizer) -> Authorizer {
        let mut shape = Authorizer {
            authorizer_id: authorizer.id,
            identity_source: authorizer.identity_sources,
            name: authorizer.name,
            ..Authorizer::default()
        };
        match authorizer.kind {
            HttpAuthorizerKind::Jwt { issuer, audience } => {
                shape.authorizer_type = "JWT";
                shape.jwt_configuration = Some(JwtConfiguration { audience, issuer });
            }
            HttpAuthorizerKind::Request {
                uri,
                payload_format_version,
                enable_simple_responses,
                result_ttl_s,
            } => {
                shape.authorizer_type = "REQUEST";
                shape.authorizer_uri = Some(uri);
                shape.authorizer_payload_format_version = Some(payload_format_version);
                shape.enable_simple_responses = Some(enable_simple_responses);
                shape.authorizer_result_ttl_in_seconds = Some(result_ttl_s);
            }
        }
        shape
    }
}
