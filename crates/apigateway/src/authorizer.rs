//! Authorizers: functions and user pools that decide who may call a method.
//!
//! Source: API Gateway API reference, `CreateAuthorizer`; recorded answers of the service where there are any.

use pitbird_names::{Scope, arn};
use pitbird_records::{Authorizer, Resource};
use regex_lite::Regex;

use crate::patch::Patch;
use crate::{Error, integration, mapping};

/// Authorizers of one API. Source: API Gateway quotas.
pub const AUTHORIZERS_MAX: usize = 10;
/// How long results are kept, seconds. Source: API Gateway API reference.
pub const TTL_S: u32 = 300;
const TTL_S_MAX: u32 = 3600;
/// User pools of one authorizer. Source: API Gateway quotas.
const PROVIDERS_MAX: usize = 1000;
/// What a token is looked for in when nothing is said.
const IDENTITY_SOURCE: &str = "method.request.header.Authorization";

/// Fills in what API Gateway fills in, and checks an authorizer as a whole, as one of those that its API has.
pub fn settle(authorizer: &mut Authorizer, others: &[Authorizer]) -> Result<(), Error> {
    if authorizer.name.is_empty() {
        return Err(Error::AuthorizerName);
    }
    let mut others = others.iter().filter(|other| other.id != authorizer.id);
    if others.any(|other| other.name == authorizer.name) {
        return Err(Error::AuthorizerExists(authorizer.name.clone()));
    }
    let is_pool = match authorizer.kind.as_str() {
        "COGNITO_USER_POOLS" => true,
        "TOKEN" | "REQUEST" => false,
        _ => return Err(Error::AuthorizerType),
    };
    let auth_type = if is_pool { "cognito_user_pools" } else { "custom" };
    authorizer.auth_type.get_or_insert_with(|| auth_type.to_owned());
    if is_pool {
        check_providers(&authorizer.provider_arns)?;
    } else {
        check_uri(authorizer.uri.as_deref(), &authorizer.scope)?;
        authorizer.result_ttl_s.get_or_insert(TTL_S);
    }
    if let Some(credentials) = &authorizer.credentials {
        integration::check_role(credentials, &authorizer.scope)?;
    }
    settle_identity(authorizer)
}

/// The time that a caller asks for, 0 to 3600 seconds.
pub fn ttl_s(asked: i64) -> Result<u32, Error> {
    u32::try_from(asked).ok().filter(|asked| *asked <= TTL_S_MAX).ok_or(Error::AuthorizerTtl)
}

fn settle_identity(authorizer: &mut Authorizer) -> Result<(), Error> {
    if authorizer.kind != "REQUEST" {
        let source = authorizer.identity_source.get_or_insert_with(|| IDENTITY_SOURCE.to_owned());
        mapping::check_identity_source(source, &["header"])?;
    }
    match &authorizer.identity_source {
        None if authorizer.result_ttl_s != Some(0) => return Err(Error::AuthorizerIdentity),
        None => {}
        Some(sources) => sources.split(',').try_for_each(|source| {
            mapping::check_identity_source(source.trim(), &["header", "querystring"])
        })?,
    }
    match &authorizer.identity_validation_expression {
        Some(expression) if Regex::new(&format!("^(?:{expression})$")).is_err() => {
            Err(Error::unsupported(format!("identityValidationExpression {expression}")))
        }
        _ => Ok(()),
    }
}

fn check_uri(uri: Option<&str>, scope: &Scope) -> Result<(), Error> {
    let bad = || Error::AuthorizerUri(uri.unwrap_or("null").to_owned());
    let uri = uri.ok_or_else(bad)?;
    integration::uri::check_proxy(uri, false).map_err(|_| bad())?;
    match arn::parse(uri) {
        Some(parts) if parts.region == scope.region.as_str() => Ok(()),
        _ => Err(bad()),
    }
}

fn check_providers(providers: &[String]) -> Result<(), Error> {
    if providers.is_empty() {
        return Err(Error::AuthorizerProviders);
    }
    if providers.len() > PROVIDERS_MAX {
        return Err(Error::TooMany { what: "provider ARNs for this authorizer", limit: PROVIDERS_MAX });
    }
    let is_pool = |text: &&String| {
        arn::parse(text).is_some_and(|arn| {
            let pool = arn.resource.strip_prefix("userpool/").unwrap_or_default();
            arn.service == "cognito-idp" && !pool.is_empty() && !arn.region.is_empty()
        })
    };
    match providers.iter().find(|text| !is_pool(text)) {
        Some(bad) => Err(Error::AuthorizerProvider(bad.clone())),
        None => Ok(()),
    }
}

/// Applies one patch operation. [`settle`] it after the last one.
pub fn apply(authorizer: &mut Authorizer, patch: &Patch<'_>) -> Result<(), Error> {
    let text = || patch.text().map(str::to_owned);
    if patch.path == "/providerARNs" {
        let arn = patch.text().ok_or_else(|| patch.bad_path())?;
        return patch.item(&mut authorizer.provider_arns, arn);
    }
    let member = match patch.path {
        "/authorizerUri" => &mut authorizer.uri,
        "/authorizerCredentials" => &mut authorizer.credentials,
        "/identitySource" => &mut authorizer.identity_source,
        "/identityValidationExpression" => &mut authorizer.identity_validation_expression,
        "/authType" => &mut authorizer.auth_type,
        path => {
            patch.must_replace()?;
            match path {
                "/name" => authorizer.name = text().unwrap_or_default(),
                "/type" => authorizer.kind = text().unwrap_or_default(),
                "/authorizerResultTtlInSeconds" => {
                    let asked = patch.text().map(|text| text.parse().map_err(|_| Error::AuthorizerTtl));
                    authorizer.result_ttl_s = asked.transpose()?.map(ttl_s).transpose()?;
                }
                _ => return Err(patch.bad_path()),
            }
            return Ok(());
        }
    };
    patch.must_replace()?;
    *member = text();
    Ok(())
}

/// Does it ask a user pool, and no function?
pub fn is_pool(authorizer: &Authorizer) -> bool {
    authorizer.kind == "COGNITO_USER_POOLS"
}

/// Refuses to let go of an authorizer that a method asks.
pub fn check_unused(authorizer: &Authorizer, resources: &[Resource]) -> Result<(), Error> {
    for resource in resources {
        for (verb, method) in &resource.methods {
            if method.authorizer_id.as_ref() == Some(&authorizer.id) {
                let at = format!("{}/{verb}", resource.path);
                return Err(Error::AuthorizerUsed { name: authorizer.name.clone(), at });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patch::Op;

    const URI: &str = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/\
                       arn:aws:lambda:us-east-1:000000000000:function:auth/invocations";
    const POOL: &str = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_abc";

    fn token() -> Authorizer {
        Authorizer {
            scope: Scope::default(),
            api_id: "api".to_owned(),
            id: "a".to_owned(),
            name: "auth".to_owned(),
            kind: "TOKEN".to_owned(),
            provider_arns: Vec::new(),
            auth_type: None,
            uri: Some(URI.to_owned()),
            credentials: None,
            identity_source: None,
            identity_validation_expression: None,
            result_ttl_s: None,
        }
    }

    fn settled(change: impl FnOnce(&mut Authorizer)) -> Result<Authorizer, String> {
        let mut authorizer = token();
        change(&mut authorizer);
        settle(&mut authorizer, &[]).map(|()| authorizer).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_said_is_filled_in() {
        let plain = settled(|_| {}).expect("a token authorizer");
        assert_eq!((plain.result_ttl_s, plain.auth_type.as_deref()), (Some(300), Some("custom")));
        assert_eq!(plain.identity_source.as_deref(), Some(IDENTITY_SOURCE));
        let pool = |it: &mut Authorizer| {
            (it.kind, it.uri, it.provider_arns) = ("COGNITO_USER_POOLS".into(), None, vec![POOL.into()]);
        };
        let pool = settled(pool).expect("a pool");
        assert_eq!((pool.result_ttl_s, pool.auth_type.as_deref()), (None, Some("cognito_user_pools")));
        let request = |it: &mut Authorizer| (it.kind, it.result_ttl_s) = ("REQUEST".into(), Some(0));
        assert_eq!(settled(request).expect("uncached").identity_source, None);
    }

    #[test]
    fn what_is_no_authorizer_is_refused() {
        let source = |kind: &'static str, text: &'static str| {
            settled(move |it| (it.kind, it.identity_source) = (kind.into(), Some(text.into())))
        };
        for good in ["method.request.header.A, method.request.querystring.b", "context.path,stageVariables.v"]
        {
            assert!(source("REQUEST", good).is_ok(), "{good}");
        }
        for (kind, bad) in [
            ("TOKEN", "method.request.querystring.a"),
            ("TOKEN", "Authorization"),
            ("REQUEST", "method.request.path.a"),
            ("REQUEST", "method.request.header.a,"),
        ] {
            assert!(source(kind, bad).expect_err(bad).contains("Invalid mapping expression"), "{bad}");
        }
        // A user pool's token comes in one header and nowhere else: whatever were kept here would answer every request with 500.
        for bad in [
            "method.request.querystring.a",
            "method.request.header.A,method.request.header.B",
            "context.requestId",
            "stageVariables.v",
            "'token'",
            "method.request.header.",
        ] {
            let refused = settled(|it| {
                (it.kind, it.uri) = ("COGNITO_USER_POOLS".into(), None);
                (it.provider_arns, it.identity_source) = (vec![POOL.into()], Some(bad.into()));
            });
            assert!(refused.expect_err(bad).contains("Invalid mapping expression"), "{bad}");
        }
        let uri = |uri: Option<&'static str>| settled(move |it| it.uri = uri.map(str::to_owned));
        assert_eq!(
            uri(None).expect_err("none"),
            "Invalid Authorizer URI: null. Authorizer URI should be a valid API Gateway ARN that represents a Lambda \
             function invocation."
        );
        assert!(uri(Some("arn:aws:lambda:us-east-1:000000000000:function:auth")).is_err());
        assert!(settled(|it| it.uri = Some(URI.replace("y:us-east-1", "y:region"))).is_err());
        assert!(settled(|it| it.kind = "COGNITO_USER_POOLS".into()).is_err(), "without a pool");
        assert!(settled(|it| it.name.clear()).is_err());
        assert!(settled(|it| it.credentials = Some("role".into())).is_err());
        assert!(
            settled(|it| it.identity_validation_expression = Some("(?=a)".into()))
                .expect_err("look-ahead")
                .ends_with("is not supported")
        );
        assert_eq!(
            (ttl_s(0).ok(), ttl_s(3600).ok(), ttl_s(3601).ok(), ttl_s(-1).ok()),
            (Some(0), Some(3600), None, None)
        );
        let twin = Authorizer { id: "b".to_owned(), ..token() };
        assert_eq!(
            settle(&mut token(), &[twin]).expect_err("a namesake").to_string(),
            "Authorizer name must be unique. Authorizer auth already exists in this RestApi."
        );
    }

    #[test]
    fn patches_reach_their_member() {
        let run = |op, path, value| {
            let mut authorizer = token();
            apply(&mut authorizer, &Patch { op, path, value, from: None }).map(|()| authorizer)
        };
        let pools = run(Op::Add, "/providerARNs", Some(POOL)).expect("added").provider_arns;
        assert_eq!(pools, [POOL]);
        let ttl = run(Op::Replace, "/authorizerResultTtlInSeconds", Some("60")).expect("set").result_ttl_s;
        assert_eq!(ttl, Some(60));
        assert_eq!(run(Op::Replace, "/authorizerCredentials", Some("")).expect("gone").credentials, None);
        for (op, path, value) in [
            (Op::Replace, "/authorizerResultTtlInSeconds", Some("3601")),
            (Op::Add, "/name", Some("x")),
            (Op::Replace, "/id", Some("x")),
            (Op::Remove, "/authorizerUri", None),
            (Op::Add, "/providerARNs", None),
        ] {
            assert!(run(op, path, value).is_err(), "{op} {path}");
        }
    }
}
