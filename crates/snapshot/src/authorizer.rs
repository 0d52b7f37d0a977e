use std::sync::Arc;

use pitbird_records as records;
use regex_lite::Regex;

use crate::target::{TargetTemplate, UriTemplate};

/// Who decides whether a method's requests may pass.
#[derive(Debug, Clone)]
pub enum Authorization {
    /// Anybody may call.
    Open,
    /// Whoever signs, and is allowed to.
    Iam,
    /// Whoever a function says.
    Function(Arc<FunctionAuthorizer>),
    /// An authorizer that is gone or of a kind that isn't served: nobody.
    Unserved,
}

/// A function that decides.
#[derive(Debug)]
pub struct FunctionAuthorizer {
    pub id: String,
    /// Index of its function; see [`Track::function`](crate::Track::function).
    pub target: usize,
    pub asks: AuthorizerAsks,
    /// How long its results are kept, seconds; 0: not at all.
    pub ttl_s: u32,
}

/// What it wants to see.
#[derive(Debug)]
pub enum AuthorizerAsks {
    /// `TOKEN`: one header, which must look like this.
    Token { header: String, expression: Option<Regex> },
    /// `REQUEST`: all of it. Results are kept by the values of these.
    Request { sources: Vec<IdentitySource> },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentitySource {
    Header(String),
    Query(String),
    StageVariable(String),
    /// Without `context.`.
    Context(String),
}

/// How long an authorizer's results are kept unless it says otherwise, seconds. Source: API Gateway API reference,
/// "CreateAuthorizer".
const TTL_S_DEFAULT: u32 = 300;

impl IdentitySource {
    /// Reads `method.request.header.X`, `method.request.querystring.X`, `stageVariables.X` and `context.X`.
    pub fn parse(text: &str) -> Option<IdentitySource> {
        let (of, name) = match text.strip_prefix("method.request.") {
            Some(parameter) => parameter.split_once('.')?,
            None => text.split_once('.').filter(|(of, _)| matches!(*of, "stageVariables" | "context"))?,
        };
        let name = name.to_owned();
        match of {
            "header" => Some(IdentitySource::Header(name)),
            "querystring" => Some(IdentitySource::Query(name)),
            "stageVariables" => Some(IdentitySource::StageVariable(name)),
            "context" => Some(IdentitySource::Context(name)),
            _ => None,
        }
    }
}

impl FunctionAuthorizer {
    /// `None` for one that can't be asked: then nobody is let in.
    pub(crate) fn compile(
        record: &records::Authorizer,
        targets: &mut Vec<TargetTemplate>,
    ) -> Option<FunctionAuthorizer> {
        let source = record.identity_source.as_deref().unwrap_or_default();
        let asks = match record.kind.as_str() {
            "TOKEN" => {
                let source = if source.is_empty() { "method.request.header.Authorization" } else { source };
                let Some(IdentitySource::Header(header)) = IdentitySource::parse(source) else { return None };
                let text = record.identity_validation_expression.as_deref().filter(|text| !text.is_empty());
                let expression = text.map(|text| Regex::new(&format!("^(?:{text})$"))).transpose().ok()?;
                AuthorizerAsks::Token { header, expression }
            }
            "REQUEST" => {
                let sources = source.split(',').map(str::trim).filter(|source| !source.is_empty());
                AuthorizerAsks::Request {
                    sources: sources.map(IdentitySource::parse).collect::<Option<_>>()?,
                }
            }
            _ => return None,
        };
        let role = record.credentials.clone().filter(|role| !role.is_empty());
        targets.push(TargetTemplate { uri: UriTemplate::Aws(record.uri.clone()?), role });
        let ttl_s = record.result_ttl_s.unwrap_or(TTL_S_DEFAULT);
        Some(FunctionAuthorizer { id: record.id.clone(), target: targets.len() - 1, asks, ttl_s })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_sources_are_read_and_others_are_not() {
        for (text, source) in [
            ("method.request.header.Auth", Some(IdentitySource::Header("Auth".into()))),
            ("method.request.querystring.a.b", Some(IdentitySource::Query("a.b".into()))),
            ("stageVariables.x", Some(IdentitySource::StageVariable("x".into()))),
            ("context.identity.sourceIp", Some(IdentitySource::Context("identity.sourceIp".into()))),
            ("method.request.path.x", None),
            ("header.x", None),
            ("x", None),
        ] {
            assert_eq!(IdentitySource::parse(text), source, "{text}");
        }
    }
}
