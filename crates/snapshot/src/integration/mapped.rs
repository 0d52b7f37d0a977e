use pitbird_mapping::Template;
use pitbird_mapping::parameter::{Direction, Source, Target};
use pitbird_records as records;
use regex_lite::Regex;

use super::static_status;
use crate::target::{TargetTemplate, UriTemplate};

/// Where values go to, and where each comes from.
pub type Parameters = Vec<(Target, Source)>;

/// An HTTP endpoint that is given requests as they are, with some values mapped.
#[derive(Debug)]
pub struct HttpProxy {
    pub target: usize,
    /// The verb to ask with; `None` is the client's own (`ANY`).
    pub verb: Option<http::Method>,
    pub trust: Trust,
    pub parameters: Parameters,
    pub content_handling: Option<ContentHandling>,
    pub timeout_ms: u32,
    /// Whether the answer is passed on as it comes.
    pub is_streamed: bool,
}

/// An integration whose requests and answers are mapped by templates.
#[derive(Debug)]
pub struct Mapped {
    pub backend: Backend,
    pub templates: Templates,
    /// What a mock's templates say without any template language, in their order.
    fixed_statuses: Vec<Option<u16>>,
    pub passthrough: Passthrough,
    pub parameters: Parameters,
    pub content_handling: Option<ContentHandling>,
    /// Those with a pattern first, then the one without, in the order of their statuses.
    pub responses: Vec<ResponseRule>,
    pub timeout_ms: u32,
}

/// What a mapped request is sent to.
#[derive(Debug)]
pub enum Backend {
    /// Nothing: the mapped request is the answer.
    Mock,
    /// A Lambda function or another service's operation.
    Aws {
        target: usize,
        verb: http::Method,
    },
    Http {
        target: usize,
        verb: Option<http::Method>,
        trust: Trust,
    },
}

/// Whose certificates are taken from an endpoint that speaks TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trust {
    /// Those of the authorities that this host trusts.
    #[default]
    KnownAuthorities,
    /// Those of any authority, if they are the host's and in date: `insecureSkipVerification`.
    AnyAuthority,
}

/// What becomes of a request that no template is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passthrough {
    WhenNoMatch,
    WhenNoTemplates,
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentHandling {
    ToBinary,
    ToText,
}

/// Templates by their media type; one that is none of the language fails when it is used, as in API Gateway.
#[derive(Debug, Default)]
pub struct Templates(Vec<(String, Option<Template>)>);

/// What an answer of the backend becomes.
#[derive(Debug)]
pub struct ResponseRule {
    pub status: u16,
    /// What an answer's status, or a function's error, must match whole; `None` is the default. A pattern that is none matches
    /// nothing.
    pattern: Option<Option<Regex>>,
    pub parameters: Parameters,
    pub templates: Templates,
    pub content_handling: Option<ContentHandling>,
}

impl HttpProxy {
    pub(super) fn compile(
        integration: &records::Integration,
        targets: &mut Vec<TargetTemplate>,
    ) -> HttpProxy {
        HttpProxy {
            target: push(targets, integration, UriTemplate::Http),
            verb: verb(integration),
            trust: trust(integration),
            parameters: parameters(&integration.request_parameters, Direction::Request),
            content_handling: content_handling(integration.content_handling.as_deref()),
            timeout_ms: integration.timeout_ms,
            is_streamed: integration.is_streamed,
        }
    }
}

impl Mapped {
    pub(super) fn compile(integration: &records::Integration, targets: &mut Vec<TargetTemplate>) -> Mapped {
        let backend = match integration.kind.as_str() {
            "AWS" => Backend::Aws {
                target: push(targets, integration, UriTemplate::Aws),
                verb: verb(integration).unwrap_or(http::Method::POST),
            },
            "HTTP" => Backend::Http {
                target: push(targets, integration, UriTemplate::Http),
                verb: verb(integration),
                trust: trust(integration),
            },
            _ => Backend::Mock,
        };
        let mut responses: Vec<ResponseRule> =
            integration.responses.iter().filter_map(|(status, response)| rule(status, response)).collect();
        responses.sort_by_key(|rule| rule.pattern.is_none());
        let templates = Templates::compile(&integration.request_templates);
        let texts = integration.request_templates.values().zip(&templates.0);
        let statuses = texts.map(|(text, (_, template))| template.as_ref().and_then(|_| static_status(text)));
        Mapped {
            fixed_statuses: statuses.collect(),
            backend,
            templates,
            passthrough: match integration.passthrough_behavior.as_str() {
                "NEVER" => Passthrough::Never,
                "WHEN_NO_TEMPLATES" => Passthrough::WhenNoTemplates,
                _ => Passthrough::WhenNoMatch,
            },
            parameters: parameters(&integration.request_parameters, Direction::Request),
            content_handling: content_handling(integration.content_handling.as_deref()),
            responses,
            timeout_ms: integration.timeout_ms,
        }
    }

    /// The status that a mock answers a request of this media type with, where that is known before the request: its template has no
    /// template language, and nothing else of the request is mapped.
    pub fn fixed_status(&self, media: &str) -> Option<u16> {
        let is_fixed = matches!(self.backend, Backend::Mock) && self.content_handling.is_none();
        let at = self.templates.place(media).filter(|_| is_fixed && self.parameters.is_empty())?;
        self.fixed_statuses[at]
    }

    /// The rule for an answer of this status, or of a function with this error (empty if it had none).
    pub fn rule(&self, answered: &str) -> Option<&ResponseRule> {
        self.responses.iter().find(|rule| match &rule.pattern {
            None => true,
            Some(pattern) => pattern.as_ref().is_some_and(|pattern| pattern.is_match(answered)),
        })
    }
}

impl Templates {
    fn compile(texts: &records::Texts) -> Templates {
        let parse = |(media, text): (&String, &String)| (media.clone(), Template::parse(text).ok());
        Templates(texts.iter().map(parse).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The template for a request's media type, else the one for all. `Some(None)` is one that can't be parsed.
    pub fn of_request(&self, media: &str) -> Option<Option<&Template>> {
        self.place(media).map(|at| self.0[at].1.as_ref())
    }

    fn place(&self, media: &str) -> Option<usize> {
        let named = |name: &str| self.0.iter().position(|(known, _)| known.eq_ignore_ascii_case(name));
        named(media).or_else(|| named("$default"))
    }

    /// The template for an answer and the media type that it makes: the first that the client accepts, else the one for JSON,
    /// else the first.
    pub fn of_answer<'a>(
        &self,
        mut accepted: impl Iterator<Item = &'a str>,
    ) -> Option<(&str, Option<&Template>)> {
        let named = |name: &str| self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        let found = accepted.find_map(named).or_else(|| named("application/json")).or(self.0.first())?;
        Some((&found.0, found.1.as_ref()))
    }
}

fn rule(status: &str, response: &records::IntegrationResponse) -> Option<ResponseRule> {
    let pattern = response.selection_pattern.as_deref().filter(|pattern| !pattern.is_empty());
    Some(ResponseRule {
        status: status.parse().ok().filter(|status| (100..600).contains(status))?,
        pattern: pattern.map(|pattern| Regex::new(&format!("^(?:{pattern})$")).ok()),
        parameters: parameters(&response.response_parameters, Direction::Response),
        templates: Templates::compile(&response.response_templates),
        content_handling: content_handling(response.content_handling.as_deref()),
    })
}

/// The control plane lets no other expressions pass.
fn parameters(texts: &records::Texts, direction: Direction) -> Parameters {
    let parse = |(target, source): (&String, &String)| {
        Some((Target::parse(target, direction).ok()?, Source::parse(source, direction).ok()?))
    };
    texts.iter().filter_map(parse).collect()
}

fn content_handling(text: Option<&str>) -> Option<ContentHandling> {
    match text? {
        "CONVERT_TO_BINARY" => Some(ContentHandling::ToBinary),
        "CONVERT_TO_TEXT" => Some(ContentHandling::ToText),
        _ => None,
    }
}

fn verb(integration: &records::Integration) -> Option<http::Method> {
    let verb = integration.http_method.as_deref().filter(|verb| *verb != "ANY")?;
    verb.parse().ok()
}

fn trust(integration: &records::Integration) -> Trust {
    match integration.skips_tls_verification {
        Some(true) => Trust::AnyAuthority,
        _ => Trust::KnownAuthorities,
    }
}

fn push(
    targets: &mut Vec<TargetTemplate>,
    integration: &records::Integration,
    uri: impl FnOnce(String) -> UriTemplate,
) -> usize {
    let uri = uri(integration.uri.clone().unwrap_or_default());
    targets.push(TargetTemplate { uri, role: integration.credentials.clone() });
    targets.len() - 1
}
