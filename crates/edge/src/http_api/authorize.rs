//! Who may come through a route.

use std::borrow::Cow;
use std::fmt;

use percent_encoding::percent_decode_str;
use pitbird_jwt::Rules;
use pitbird_records::HttpAuthorizerKind;
use pitbird_snapshot::{HttpAccess, HttpAuthorizer};

use super::admitted::Admitted;
use super::context::Context;
use super::{HttpError, Routed, function_authorizer};
use crate::issuers::{KeysAt, bare};
use crate::{Edge, UrlSigner};

/// Why somebody isn't let in: what he is told, and what the log is told beside.
#[derive(Debug)]
pub(super) struct Refused {
    pub error: HttpError,
    pub why: Option<String>,
}

impl From<HttpError> for Refused {
    fn from(error: HttpError) -> Refused {
        Refused { error, why: None }
    }
}

impl Refused {
    pub fn because(error: HttpError, why: impl fmt::Display) -> Refused {
        Refused { error, why: Some(why.to_string()) }
    }
}

/// Lets somebody in as far as the route says. `signer_of` is asked for an ARN only where signatures are.
pub(super) async fn authorize(
    edge: &Edge,
    routed: &Routed<'_, '_>,
    signer_of: impl Fn(&str) -> Option<UrlSigner>,
) -> Result<Admitted, Refused> {
    match &routed.matched.route.access {
        HttpAccess::Anybody => Ok(Admitted::Anybody),
        HttpAccess::Nobody => Err(HttpError::Forbidden.into()),
        HttpAccess::Signed => {
            let (stage, path) = (routed.stage, routed.judged_path());
            let name = &stage.record.name;
            let arn =
                pitbird_names::arn::execute_api(&stage.scope, &stage.api_id, name, routed.seen.method, &path);
            // There is no policy of the API's own that could let in somebody of another account.
            let signer = signer_of(&arn).filter(|signer| signer.may_call);
            let own = signer.filter(|signer| signer.account == stage.scope.account.as_str());
            own.map(Admitted::Signed).ok_or_else(|| HttpError::Forbidden.into())
        }
        HttpAccess::Jwt { authorizer, scopes } => by_token(edge, routed, authorizer, scopes).await,
        HttpAccess::Function(authorizer) => function_authorizer::ask(edge, routed, authorizer).await,
    }
}

async fn by_token(
    edge: &Edge,
    routed: &Routed<'_, '_>,
    authorizer: &HttpAuthorizer,
    scopes: &[String],
) -> Result<Admitted, Refused> {
    let HttpAuthorizerKind::Jwt { issuer, audience } = &authorizer.record.kind else {
        return Err(HttpError::Forbidden.into());
    };
    let source = authorizer.record.identity_sources.first();
    let brought = source.and_then(|source| identity(routed, source)).ok_or(HttpError::Token(None))?;
    let token = bare(&brought);
    let now_s = (routed.seen.at_ms / 1000) as i64;
    let rules = Rules { issuer, audience: Some(audience), algorithm: None };
    let verified = edge.issuers.verify(&edge.backend, token, &rules, KeysAt::Discovered, now_s).await;
    let verified = verified.map_err(|error| {
        tracing::warn!(%error, "an authorizer has no keys");
        Refused::because(HttpError::Issuer, error)
    })?;
    let claims =
        verified.map_err(|rejection| Refused::because(HttpError::Token(Some(rejection)), rejection))?;
    if scopes.is_empty() {
        return Ok(Admitted::Token { claims, scopes: None });
    }
    let given: Vec<String> = claims.scopes_of(scopes).into_iter().map(str::to_owned).collect();
    match given.is_empty() {
        true => Err(Refused::because(HttpError::Scope(scopes.join(" ")), "insufficient_scope")),
        false => Ok(Admitted::Token { claims, scopes: Some(given) }),
    }
}

/// The value of an identity source; `None` when it isn't there or is empty.
pub(super) fn identity(routed: &Routed<'_, '_>, source: &str) -> Option<String> {
    let value = if let Some(name) = source.strip_prefix("$request.header.") {
        let values = routed.arrival.headers().get_all(name).iter().filter_map(|value| value.to_str().ok());
        Some(values.collect::<Vec<_>>().join(","))
    } else if let Some(name) = source.strip_prefix("$request.querystring.") {
        query_values(routed.arrival.query(), name).next().map(Cow::into_owned)
    } else if let Some(name) = source.strip_prefix("$stageVariables.") {
        routed.stage.record.variables.get(name).cloned()
    } else {
        let route_key = Some(routed.matched.route.key.as_str());
        let (stage, seen, admitted) = (routed.stage, routed.seen, &Admitted::Anybody);
        Context { stage, seen, route_key, admitted, end: None }.value(source.strip_prefix("$context.")?)
    };
    value.filter(|value| !value.is_empty())
}

/// The decoded values of a parameter in a raw query string.
pub(super) fn query_values<'q>(query: &'q str, name: &'q str) -> impl Iterator<Item = Cow<'q, str>> {
    let decoded = |raw: &'q str| match raw.contains('+') {
        true => Cow::Owned(percent_decode_str(&raw.replace('+', " ")).decode_utf8_lossy().into_owned()),
        false => percent_decode_str(raw).decode_utf8_lossy(),
    };
    query.split('&').filter_map(move |piece| {
        let (key, value) = piece.split_once('=').unwrap_or((piece, ""));
        (decoded(key) == name).then(|| decoded(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded() {
        let all = |name| query_values("a=1&b%20c=x+y&a=%32&d", name).collect::<Vec<_>>();
        assert_eq!(all("a"), ["1", "2"]);
        assert_eq!(
            (all("b c"), all("d"), all("e").len()),
            (vec![Cow::Borrowed("x y")], vec![Cow::Borrowed("")], 0)
        );
    }
}
