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
    /// Whoever brings a token of a user pool: one of his identity, or, where scopes are asked for, one of access with one of them.
    Pools { authorizer: Arc<PoolAuthorizer>, scopes: Vec<String> },
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

/// User pools whose tokens are taken.
#[derive(Debug)]
pub struct PoolAuthorizer {
    pub id: String,
    /// `https://cognito-idp.{region}.amazonaws.com/{pool}` of each.
    pub issuers: Vec<String>,
    /// The header that brings the token.
    pub header: String,
    /// What the token's audience must look like.
    pub audience: Option<Regex>,
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

    /// As authorizers name it.
    pub fn to_text(&self) -> String {
        match self {
            IdentitySource::Header(name) => ["method.request.header.", name].concat(),
            IdentitySource::Query(name) => ["method.request.querystring.", name].concat(),
            IdentitySource::StageVariable(name) => ["stageVariables.", name].concat(),
            IdentitySource::Context(name) => ["context.", name].concat(),
        }
    }
}

impl PoolAuthorizer {
    /// `None` for one of another kind, or that can't be obeyed: then nobody is let in.
    pub(crate) fn compile(record: &records::Authorizer) -> Option<PoolAuthorizer> {
        if record.kind != "COGNITO_USER_POOLS" {
            return None;
        }
        let issuers: Vec<String> =
            record.provider_arns.iter().map(|arn| issuer(arn)).collect::<Option<_>>()?;
        let header = token_header(record)?;
        let audience = expression(record).ok()?;
        Some(PoolAuthorizer { id: record.id.clone(), issuers, header, audience })
    }
}

/// The issuer of a pool: `arn:aws:cognito-idp:{region}:{account}:userpool/{pool}`.
fn issuer(arn: &str) -> Option<String> {
    let mut parts = arn.splitn(6, ':').skip(2);
    let (service, region) = (parts.next()?, parts.next()?);
    let pool = parts.nth(1)?.strip_prefix("userpool/")?;
    let is_good = service == "cognito-idp" && !region.is_empty() && !pool.is_empty();
    is_good.then(|| format!("https://cognito-idp.{region}.amazonaws.com/{pool}"))
}

/// The one header that brings a token.
fn token_header(record: &records::Authorizer) -> Option<String> {
    let source = record.identity_source.as_deref().filter(|source| !source.is_empty());
    match IdentitySource::parse(source.unwrap_or("method.request.header.Authorization"))? {
        IdentitySource::Header(header) => Some(header),
        _ => None,
    }
}

fn expression(record: &records::Authorizer) -> Result<Option<Regex>, regex_lite::Error> {
    let text = record.identity_validation_expression.as_deref().filter(|text| !text.is_empty());
    text.map(|text| Regex::new(&format!("^(?:{text})$"))).transpose()
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
                AuthorizerAsks::Token { header: token_header(record)?, expression: expression(record).ok()? }
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
    fn a_pools_issuer_is_read_off_its_arn() {
        let arn = "arn:aws:cognito-idp:eu-west-1:000000000000:userpool/eu-west-1_Ab1";
        let expected = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab1";
        assert_eq!(issuer(arn).as_deref(), Some(expected));
        for bad in [
            "",
            "arn:aws:cognito-idp:eu-west-1:0:userpool/",
            "arn:aws:cognito-idp::0:userpool/a",
            "arn:aws:s3:eu-west-1:0:userpool/a",
            "arn:aws:cognito-idp:eu-west-1:0:pool/a",
        ] {
            assert_eq!(issuer(bad), None, "{bad}");
        }
    }

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
            let parsed = IdentitySource::parse(text);
            assert!(parsed.as_ref().is_none_or(|parsed| parsed.to_text() == text), "{text}");
            assert_eq!(parsed, source, "{text}");
        }
    }
}
