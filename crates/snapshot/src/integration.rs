use bytes::Bytes;
use pitbird_names::{FunctionRef, Qualifier, Scope};
use pitbird_records::{self as records, Texts};
use regex_lite::Regex;
use thiserror::Error;

use crate::FunctionKey;

/// What answers a method's requests.
#[derive(Debug)]
pub enum Integration {
    /// A Lambda function, by the index of its target in [`Track::targets`](crate::Track::targets).
    LambdaProxy {
        target: usize,
        timeout_ms: u32,
    },
    Mock(Mock),
    /// The method has no integration, or one that can't be served: API Gateway's `500`.
    Unconfigured,
}

/// A function as a stage's track names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LambdaTarget {
    pub function: FunctionKey,
    pub qualifier: Option<Qualifier>,
}

/// A URI that, with the track's variables put in, names no function.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("integration URI doesn't name a function: {0}")]
pub struct Unrenderable(pub String);

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
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

/// Why a mock has no answer for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MockFault {
    /// `415 Unsupported Media Type`.
    UnsupportedMediaType,
    /// `500`: no status code, or none that an integration response was put for.
    Configuration,
}

impl Mock {
    /// The answer for a request with this `Content-Type` (`application/json` when it has none).
    pub fn answer(&self, content_type: Option<&str>) -> Result<&MockAnswer, MockFault> {
        let media =
            content_type.map_or("application/json", |text| text.split(';').next().unwrap_or(text).trim());
        let listed = self.answers.iter().find(|(name, _)| name.eq_ignore_ascii_case(media));
        let listed = listed.or_else(|| self.answers.iter().find(|(name, _)| name == "$default"));
        match listed {
            Some((_, answer)) => answer.as_ref().ok_or(MockFault::Configuration),
            None if self.is_strict => Err(MockFault::UnsupportedMediaType),
            None => Err(MockFault::Configuration),
        }
    }

    fn compile(integration: &records::Integration) -> Mock {
        let answer = |template: &String| {
            let status = static_status(template)?;
            let (code, response) = select(integration, status)?;
            let template = response.response_templates.get("application/json");
            let template = template.or_else(|| response.response_templates.values().next());
            let headers = response.response_parameters.iter().filter_map(|(name, value)| {
                let name = name.strip_prefix("method.response.header.")?;
                let value = value.strip_prefix('\'')?.strip_suffix('\'')?;
                Some((name.to_owned(), value.to_owned()))
            });
            Some(MockAnswer {
                status: code.parse().ok()?,
                headers: headers.collect(),
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
    pub(crate) fn compile(method: &records::Method, uris: &mut Vec<UriTemplate>) -> Integration {
        match &method.integration {
            // API Gateway takes any verb but can invoke with POST only: such a method answers 500.
            Some(integration)
                if integration.kind == "AWS_PROXY" && integration.http_method.as_deref() == Some("POST") =>
            {
                uris.push(UriTemplate(integration.uri.clone().unwrap_or_default()));
                Integration::LambdaProxy { target: uris.len() - 1, timeout_ms: integration.timeout_ms }
            }
            Some(integration) if integration.kind == "MOCK" => Integration::Mock(Mock::compile(integration)),
            _ => Integration::Unconfigured,
        }
    }
}

/// An integration's URI with its `${stageVariables.NAME}` still in place.
#[derive(Debug)]
pub(crate) struct UriTemplate(String);

impl UriTemplate {
    /// The function named with these variables. An undefined variable is an empty string. Only the API's own account
    /// may be named through a stage variable.
    pub(crate) fn render(&self, variables: &Texts, scope: &Scope) -> Result<LambdaTarget, Unrenderable> {
        let uri = substitute(&self.0, variables);
        let parsed = uri
            .split_once(":lambda:path/")
            // API Gateway tolerates a doubled slash here.
            .and_then(|(_, rest)| rest.trim_start_matches('/').strip_prefix("2015-03-31/functions/"))
            .and_then(|rest| rest.strip_suffix("/invocations"))
            .and_then(|function| FunctionRef::parse(function).ok());
        let Some(parsed) = parsed else { return Err(Unrenderable(uri)) };
        let scope = parsed.scope(scope);
        Ok(LambdaTarget { function: FunctionKey { scope, name: parsed.name }, qualifier: parsed.qualifier })
    }
}

/// Puts variables in for `${stageVariables.NAME}`; any other `${…}` stays.
fn substitute(text: &str, variables: &Texts) -> String {
    let mut rest = text;
    let mut out = String::with_capacity(text.len());
    while let Some((before, after)) = rest.split_once("${stageVariables.") {
        out.push_str(before);
        match after.split_once('}') {
            Some((name, tail)) => {
                out.push_str(variables.get(name).map_or("", String::as_str));
                rest = tail;
            }
            None => {
                out.push_str("${stageVariables.");
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
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
    fn variables_choose_the_alias() {
        let uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/\
                   arn:aws:lambda:us-east-1:000000000000:function:f:${stageVariables.alias}/invocations";
        let template = UriTemplate(uri.to_owned());
        let variables = Texts::from([("alias".to_owned(), "live".to_owned())]);
        let target = template.render(&variables, &Scope::default()).expect("a function");
        assert_eq!(target.function.name, "f");
        assert_eq!(target.qualifier, Some(Qualifier::Alias("live".to_owned())));
        assert!(
            template.render(&Texts::new(), &Scope::default()).is_err(),
            "an empty qualifier names nothing"
        );
    }
}
