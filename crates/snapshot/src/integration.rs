use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use pitbird_records as records;
use regex_lite::Regex;

use crate::target::{TargetTemplate, UriTemplate};

mod mapped;

pub use mapped::{
    Backend, ContentHandling, HttpProxy, Mapped, Parameters, Passthrough, ResponseRule, Templates, Trust,
};

/// What answers a method's requests. Targets are indices into [`Track::targets`](crate::Track::targets).
#[derive(Debug)]
pub enum Integration {
    /// A Lambda function that is given the whole request as an event.
    LambdaProxy {
        target: usize,
        timeout_ms: u32,
        /// Whether the function is to run later: `integration.request.header.X-Amz-Invocation-Type` is `'Event'`.
        is_event: bool,
        /// Whether the answer is passed on as the function writes it.
        is_streamed: bool,
    },
    /// A MOCK without template language: everything is decided beforehand.
    Mock(Mock),
    /// An HTTP endpoint that is given the request as it is.
    HttpProxy(Box<HttpProxy>),
    /// Whatever has its requests and answers mapped.
    Mapped(Box<Mapped>),
    /// The method has no integration, or one that can't be served: API Gateway's `500`.
    Unconfigured,
}

/// A MOCK integration with everything decided beforehand: its request templates give fixed status codes, its response
/// templates fixed bodies.
#[derive(Debug, Default)]
pub struct Mock {
    /// Answers by the request's media type, in the order of their names.
    answers: Vec<(String, Option<MockAnswer>)>,
    /// Whether an unlisted media type passes through (and, having no status, fails) or is refused with 415.
    is_strict: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MockAnswer {
    pub status: u16,
    /// The names of its own headers as they are spelled in the API.
    pub spelled: Vec<String>,
    /// Those that can be sent, and a `Content-Type` in any case.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Bytes,
}

/// Why a mock has no answer for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MockFault {
    /// `415 Unsupported Media Type`.
    UnsupportedMediaType,
    /// `500`: no status code.
    NoStatus,
    /// `500`: none that an integration response was put for.
    NoOutput,
}

impl Mock {
    /// The answer for a request with this `Content-Type` (`application/json` when it has none).
    pub fn answer(&self, content_type: Option<&str>) -> Result<&MockAnswer, MockFault> {
        let media =
            content_type.map_or("application/json", |text| text.split(';').next().unwrap_or(text).trim());
        let listed = self.answers.iter().find(|(name, _)| name.eq_ignore_ascii_case(media));
        let listed = listed.or_else(|| self.answers.iter().find(|(name, _)| name == "$default"));
        match listed {
            Some((_, answer)) => answer.as_ref().ok_or(MockFault::NoOutput),
            None if self.is_strict => Err(MockFault::UnsupportedMediaType),
            None => Err(MockFault::NoStatus),
        }
    }

    fn compile(integration: &records::Integration) -> Mock {
        let answer = |template: &String| {
            let status = static_status(template)?;
            let (code, response) = select(integration, status)?;
            let template = response.response_templates.get("application/json");
            let template = template.or_else(|| response.response_templates.values().next());
            let own = response.response_parameters.iter().filter_map(|(name, value)| {
                let name = name.strip_prefix("method.response.header.")?;
                Some((name, value.strip_prefix('\'')?.strip_suffix('\'')?))
            });
            Some(MockAnswer {
                status: code.parse().ok()?,
                spelled: own.clone().map(|(name, _)| name.to_owned()).collect(),
                headers: sendable(own),
                body: Bytes::from(template.cloned().unwrap_or_default()),
            })
        };
        let templates = &integration.request_templates;
        let is_strict = match integration.passthrough_behavior.as_str() {
            "NEVER" => true,
            "WHEN_NO_TEMPLATES" => !templates.is_empty(),
            _ => false,
        };
        Mock {
            answers: templates.iter().map(|(media, text)| (media.clone(), answer(text))).collect(),
            is_strict,
        }
    }
}

/// Those headers that can be sent, and a `Content-Type` where there is none.
fn sendable<'t>(headers: impl Iterator<Item = (&'t str, &'t str)>) -> Vec<(HeaderName, HeaderValue)> {
    let sendable = headers.filter_map(|(name, value)| {
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_bytes(value.as_bytes()).ok()?))
    });
    let mut sendable: Vec<_> = sendable.collect();
    if !sendable.iter().any(|(name, _)| name == CONTENT_TYPE) {
        sendable.push((CONTENT_TYPE, HeaderValue::from_static("application/json")));
    }
    sendable
}

/// The status code that a mock's request template names, if it names one without any template language:
/// `{"statusCode": 200}`, with or without quotes around the key.
pub fn static_status(template: &str) -> Option<u16> {
    let object = template.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
    let (key, value) = object.split_once(':')?;
    let key = key.trim().trim_matches('"');
    let status = value.trim().trim_end_matches(',').trim();
    (key == "statusCode").then(|| status.parse().ok()).flatten().filter(|status| (100..600).contains(status))
}

/// The integration response for a status: the first whose pattern matches it whole, else the one without a pattern.
fn select(
    integration: &records::Integration,
    status: u16,
) -> Option<(&String, &records::IntegrationResponse)> {
    let status = status.to_string();
    let pattern = |response: &records::IntegrationResponse| {
        response.selection_pattern.clone().filter(|pattern| !pattern.is_empty())
    };
    let matching = integration.responses.iter().find(|(_, response)| {
        let regex = pattern(response).and_then(|pattern| Regex::new(&format!("^(?:{pattern})$")).ok());
        regex.is_some_and(|regex| regex.is_match(&status))
    });
    matching.or_else(|| integration.responses.iter().find(|(_, response)| pattern(response).is_none()))
}

impl Integration {
    /// Are answers passed on as they come?
    pub fn is_streamed(&self) -> bool {
        match self {
            Integration::LambdaProxy { is_streamed, .. } => *is_streamed,
            Integration::HttpProxy(proxy) => proxy.is_streamed,
            Integration::Mock(_) | Integration::Mapped(_) | Integration::Unconfigured => false,
        }
    }

    pub(crate) fn compile(method: &records::Method, targets: &mut Vec<TargetTemplate>) -> Integration {
        let Some(integration) = &method.integration else { return Integration::Unconfigured };
        match integration.kind.as_str() {
            // API Gateway takes any verb but can invoke with POST only: such a method answers 500.
            "AWS_PROXY" if integration.http_method.as_deref() == Some("POST") => {
                let mut uri = integration.uri.clone().unwrap_or_default();
                let is_streamed = integration.is_streamed;
                if is_streamed {
                    uri = as_invocations(&uri);
                }
                targets.push(TargetTemplate {
                    uri: UriTemplate::Aws(uri),
                    role: integration.credentials.clone(),
                });
                let is_event = integration.request_parameters.iter().any(|(target, source)| {
                    target.eq_ignore_ascii_case("integration.request.header.x-amz-invocation-type")
                        && source.eq_ignore_ascii_case("'event'")
                });
                let target = targets.len() - 1;
                Integration::LambdaProxy { target, timeout_ms: integration.timeout_ms, is_event, is_streamed }
            }
            "MOCK" if is_literal(integration) => Integration::Mock(Mock::compile(integration)),
            "HTTP_PROXY" => Integration::HttpProxy(Box::new(HttpProxy::compile(integration, targets))),
            "MOCK" | "AWS" | "HTTP" => Integration::Mapped(Box::new(Mapped::compile(integration, targets))),
            _ => Integration::Unconfigured,
        }
    }
}

/// The URI by which the same function is invoked whose answer isn't streamed: both name it.
fn as_invocations(uri: &str) -> String {
    uri.replacen("path/2021-11-15/functions/", "path/2015-03-31/functions/", 1).replacen(
        "/response-streaming-invocations",
        "/invocations",
        1,
    )
}

/// Can a mock's answers be decided beforehand?
fn is_literal(integration: &records::Integration) -> bool {
    let is_constant = |source: &String| source.starts_with('\'');
    integration.request_parameters.is_empty()
        && integration.content_handling.is_none()
        && !integration.request_templates.is_empty()
        && integration.request_templates.values().all(|template| static_status(template).is_some())
        && integration.responses.values().all(|response| {
            let mut templates = response.response_templates.values();
            let first = templates.next();
            response.content_handling.is_none()
                && response.response_templates.values().all(|template| !template.contains(['$', '#']))
                // Which one is taken depends on what the client accepts.
                && templates.all(|other| Some(other) == first)
                && response.response_parameters.values().all(is_constant)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_static_status_is_read_and_a_template_is_not() {
        assert_eq!(static_status(r#"{"statusCode": 200}"#), Some(200));
        assert_eq!(static_status("{statusCode: 404}"), Some(404));
        for bad in ["", "{}", r#"{"statusCode": "$input.x"}"#, r#"{"statusCode": 99}"#, "#set($x = 1)"] {
            assert_eq!(static_status(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_function_that_streams_is_the_same_function() {
        let function = "arn:aws:lambda:us-east-1:000000000000:function:f:${stageVariables.alias}";
        let uri = |version: &str, operation: &str| {
            format!("arn:aws:apigateway:us-east-1:lambda:path/{version}/functions/{function}/{operation}")
        };
        let plain = uri("2015-03-31", "invocations");
        assert_eq!(as_invocations(&uri("2021-11-15", "response-streaming-invocations")), plain);
        assert_eq!(as_invocations(&plain), plain);
        let compiled = |is_streamed, kind: &str| {
            let http_method = Some("POST".to_owned());
            let integration =
                records::Integration { kind: kind.into(), http_method, is_streamed, ..Default::default() };
            let method = records::Method { integration: Some(integration), ..Default::default() };
            Integration::compile(&method, &mut Vec::new()).is_streamed()
        };
        for kind in ["AWS_PROXY", "HTTP_PROXY"] {
            assert!(compiled(true, kind) && !compiled(false, kind), "{kind}");
        }
        assert!(!compiled(true, "HTTP"), "its answers are mapped");
    }

    #[test]
    fn a_mocks_status_is_known_where_nothing_of_the_request_is_mapped() {
        let texts = |texts: &[(&str, &str)]| -> records::Texts {
            texts.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
        };
        let mock = records::Integration {
            kind: "MOCK".into(),
            request_templates: texts(&[
                ("application/json", r#"{"statusCode": 201}"#),
                ("text/plain", r#"{"statusCode": $input.json('$')}"#),
                ("$default", "{statusCode: 404}"),
            ]),
            ..Default::default()
        };
        let status = |integration: &records::Integration, media: &str| {
            Mapped::compile(integration, &mut Vec::new()).fixed_status(media)
        };
        assert_eq!(status(&mock, "Application/JSON"), Some(201));
        assert_eq!(status(&mock, "text/plain"), None, "the body says it");
        assert_eq!(status(&mock, "text/xml"), Some(404), "the template for all");
        let only = records::Integration {
            request_templates: texts(&[("text/plain", "{statusCode: 404}")]),
            ..mock.clone()
        };
        assert_eq!(status(&only, "text/xml"), None, "no template is for it");
        let parameters = texts(&[("integration.request.header.a", "method.request.header.b")]);
        let others = [
            records::Integration { request_parameters: parameters, ..mock.clone() },
            records::Integration { content_handling: Some("CONVERT_TO_BINARY".into()), ..mock.clone() },
            records::Integration { kind: "HTTP".into(), ..mock },
        ];
        for other in others {
            assert_eq!(status(&other, "application/json"), None, "{other:?}");
        }
    }
}
