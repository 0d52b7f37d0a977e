//! The forms of the answers that the gateway gives itself.

use std::collections::HashMap;

use pitbird_records as records;

use crate::ParameterPlace;

/// A deployment's own forms of gateway answers, defaults put in.
#[derive(Debug)]
pub struct GatewayResponses {
    by_type: HashMap<&'static str, GatewayResponse>,
}

/// The form of one type's answers.
#[derive(Debug, Clone)]
pub struct GatewayResponse {
    /// Instead of the type's own.
    pub status: Option<u16>,
    pub headers: Vec<(String, GatewayValue)>,
    /// By media type; empty: API Gateway's own words.
    pub templates: Vec<(String, GatewayTemplate)>,
}

/// Where a header's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GatewayValue {
    Fixed(String),
    Variable(GatewayVariable),
}

/// What the answers' templates and headers may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GatewayVariable {
    /// A `$context` variable's name without `$context.`.
    Context(String),
    Stage(String),
    Request(ParameterPlace, String),
    Body,
}

/// A text with variables in it; there is no language beside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayTemplate {
    pub pieces: Vec<GatewayPiece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GatewayPiece {
    Text(String),
    Variable(GatewayVariable),
}

/// Each type with the default that it falls back to. Source: API Gateway developer guide, "Gateway response types".
pub const GATEWAY_RESPONSE_TYPES: [(&str, Option<&str>); 20] = [
    ("ACCESS_DENIED", FOR_4XX),
    ("API_CONFIGURATION_ERROR", FOR_5XX),
    ("AUTHORIZER_CONFIGURATION_ERROR", FOR_5XX),
    ("AUTHORIZER_FAILURE", FOR_5XX),
    ("BAD_REQUEST_BODY", FOR_4XX),
    ("BAD_REQUEST_PARAMETERS", FOR_4XX),
    ("DEFAULT_4XX", None),
    ("DEFAULT_5XX", None),
    ("EXPIRED_TOKEN", FOR_4XX),
    ("INTEGRATION_FAILURE", FOR_5XX),
    ("INTEGRATION_TIMEOUT", FOR_5XX),
    ("INVALID_API_KEY", FOR_4XX),
    ("INVALID_SIGNATURE", FOR_4XX),
    ("MISSING_AUTHENTICATION_TOKEN", FOR_4XX),
    ("QUOTA_EXCEEDED", FOR_4XX),
    ("RESOURCE_NOT_FOUND", FOR_4XX),
    ("THROTTLED", FOR_4XX),
    ("UNAUTHORIZED", FOR_4XX),
    ("UNSUPPORTED_MEDIA_TYPE", FOR_4XX),
    ("WAF_FILTERED", FOR_4XX),
];
const FOR_4XX: Option<&str> = Some("DEFAULT_4XX");
const FOR_5XX: Option<&str> = Some("DEFAULT_5XX");

impl GatewayResponses {
    /// `None` where all answers are API Gateway's own.
    pub(crate) fn compile(records: &[records::GatewayResponse]) -> Option<Box<GatewayResponses>> {
        let put = |name: &str| records.iter().find(|record| record.response_type == name);
        let mut by_type = HashMap::new();
        for (name, default) in GATEWAY_RESPONSE_TYPES {
            // What was put stands for itself; what wasn't is as its default has it.
            let record = put(name).or_else(|| default.and_then(put));
            by_type.extend(record.map(|record| (name, GatewayResponse::compile(record))));
        }
        (!by_type.is_empty()).then(|| Box::new(GatewayResponses { by_type }))
    }

    /// The form of a type's answers, if it isn't API Gateway's own. `REQUEST_TOO_LARGE` always is.
    pub fn of(&self, response_type: &str) -> Option<&GatewayResponse> {
        self.by_type.get(response_type)
    }
}

impl GatewayResponse {
    fn compile(record: &records::GatewayResponse) -> GatewayResponse {
        let headers = record.response_parameters.iter().filter_map(|(name, value)| {
            Some((name.strip_prefix("gatewayresponse.header.")?.to_owned(), GatewayValue::parse(value)?))
        });
        let templates = record.response_templates.iter();
        GatewayResponse {
            status: record.status_code.as_deref().and_then(|code| code.parse().ok()),
            headers: headers.collect(),
            templates: templates.map(|(media, text)| (media.clone(), GatewayTemplate::parse(text))).collect(),
        }
    }

    /// The template for a request, with its media type: what the client accepts, else what it sent, else JSON, else any.
    pub fn template(
        &self,
        accept: Option<&str>,
        content_type: Option<&str>,
    ) -> Option<(&str, &GatewayTemplate)> {
        let named = |wanted: &str| {
            let media = wanted.split(';').next().unwrap_or(wanted).trim();
            self.templates.iter().find(|(name, _)| name.eq_ignore_ascii_case(media))
        };
        let found = accept.and_then(|accept| accept.split(',').find_map(named));
        let found = found.or_else(|| content_type.and_then(named)).or_else(|| named("application/json"));
        found.or_else(|| self.templates.first()).map(|(media, template)| (media.as_str(), template))
    }
}

impl GatewayValue {
    /// Reads `'static'`, `method.request.{header|path|querystring}.X`, `method.request.body`, `context.X` and `stageVariables.X`;
    /// `None` for anything else.
    pub fn parse(text: &str) -> Option<GatewayValue> {
        if let Some(fixed) = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
            return Some(GatewayValue::Fixed(fixed.to_owned()));
        }
        GatewayVariable::parse(text).map(GatewayValue::Variable)
    }
}

impl GatewayVariable {
    fn parse(text: &str) -> Option<GatewayVariable> {
        if text == "method.request.body" {
            return Some(GatewayVariable::Body);
        }
        if let Some(parameter) = text.strip_prefix("method.request.") {
            let (place, name) = ParameterPlace::parse(parameter)?;
            return Some(GatewayVariable::Request(place, name.to_owned()));
        }
        let (of, name) = text.split_once('.')?;
        match of {
            "context" => Some(GatewayVariable::Context(name.to_owned())),
            "stageVariables" => Some(GatewayVariable::Stage(name.to_owned())),
            _ => None,
        }
    }
}

impl GatewayTemplate {
    /// Text that names no variable stays as it is.
    pub fn parse(text: &str) -> GatewayTemplate {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            plain.push_str(&rest[..at]);
            let after = &rest[at + 1..];
            let braced = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
            let (name, then) = match braced {
                Some((name, then)) => (name, then),
                None => {
                    let end =
                        after.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')));
                    let name = after[..end.unwrap_or(after.len())].trim_end_matches(['.', '-']);
                    (name, &after[name.len()..])
                }
            };
            match GatewayVariable::parse(name) {
                Some(variable) => {
                    pieces.push(GatewayPiece::Text(std::mem::take(&mut plain)));
                    pieces.push(GatewayPiece::Variable(variable));
                    rest = then;
                }
                None => {
                    plain.push('$');
                    rest = after;
                }
            }
        }
        plain.push_str(rest);
        pieces.push(GatewayPiece::Text(plain));
        pieces.retain(|piece| *piece != GatewayPiece::Text(String::new()));
        GatewayTemplate { pieces }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(response_type: &str, status: Option<&str>) -> records::GatewayResponse {
        records::GatewayResponse {
            scope: Default::default(),
            api_id: "abc".into(),
            response_type: response_type.into(),
            status_code: status.map(str::to_owned),
            response_parameters: Default::default(),
            response_templates: Default::default(),
        }
    }

    #[test]
    fn what_was_not_put_is_as_its_default_has_it() {
        assert!(GatewayResponses::compile(&[]).is_none());
        let records = [record("DEFAULT_4XX", Some("400")), record("UNAUTHORIZED", Some("418"))];
        let responses = GatewayResponses::compile(&records).unwrap();
        for (name, status) in [
            ("THROTTLED", Some(400)),
            ("UNAUTHORIZED", Some(418)),
            ("DEFAULT_4XX", Some(400)),
            ("API_CONFIGURATION_ERROR", None),
            ("REQUEST_TOO_LARGE", None),
        ] {
            assert_eq!(responses.of(name).and_then(|response| response.status), status, "{name}");
        }
    }

    #[test]
    fn templates_have_variables_and_nothing_else() {
        let text = |text: &str| GatewayPiece::Text(text.to_owned());
        let context = |name: &str| GatewayPiece::Variable(GatewayVariable::Context(name.to_owned()));
        for (template, pieces) in [
            (
                r#"{"m":$context.error.messageString}"#,
                vec![text(r#"{"m":"#), context("error.messageString"), text("}")],
            ),
            ("$context.requestId.", vec![context("requestId"), text(".")]),
            ("#set($x = 1) $x $", vec![text("#set($x = 1) $x $")]),
            (
                "${stageVariables.a}$method.request.header.X-A",
                vec![
                    GatewayPiece::Variable(GatewayVariable::Stage("a".into())),
                    GatewayPiece::Variable(GatewayVariable::Request(ParameterPlace::Header, "X-A".into())),
                ],
            ),
            ("", vec![]),
        ] {
            assert_eq!(GatewayTemplate::parse(template).pieces, pieces, "{template}");
        }
    }

    #[test]
    fn the_template_is_what_the_client_understands() {
        let mut record = record("THROTTLED", None);
        for media in ["application/json", "text/html", "application/xml"] {
            record.response_templates.insert(media.to_owned(), String::new());
        }
        let response = GatewayResponse::compile(&record);
        for (accept, sent, media) in [
            (None, None, "application/json"),
            (Some("text/plain, text/html;q=0.9"), None, "text/html"),
            (Some("*/*"), Some("application/xml; charset=utf-8"), "application/xml"),
            (Some("*/*"), Some("a/b"), "application/json"),
        ] {
            assert_eq!(response.template(accept, sent).map(|(media, _)| media), Some(media), "{accept:?}");
        }
    }
}
