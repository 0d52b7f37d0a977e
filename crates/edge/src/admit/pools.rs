//! Tokens of user pools that decide whether a request may pass.

use std::time::Instant;

use pitbird_jwt::{Algorithm, Claims, Rejection, Rules, claimed_issuer};
use pitbird_snapshot::PoolAuthorizer;
use serde_json::Value;
use time::OffsetDateTime;

use super::{Asking, elapsed_ms};
use crate::GatewayError;
use crate::admitted::{Admitted, AuthorizerStory};
use crate::execution_log::authorizer as told;
use crate::issuers::{KeysAt, bare};

impl Asking<'_, '_> {
    /// Lets in whoever brings a good token of one of the pools. Nothing is kept of it: to verify one takes no call.
    pub(crate) async fn by_pool(
        &self,
        authorizer: &PoolAuthorizer,
        scopes: &[String],
    ) -> (Admitted, Result<(), GatewayError>) {
        let began = Instant::now();
        let log = self.routed.log;
        told::start(log, &authorizer.id, &self.arrival.request_id);
        let (claims, result) = match self.claims(authorizer, scopes).await {
            Ok(claims) => {
                told::completed(log);
                (Some(texts(&claims)), Ok(()))
            }
            Err(error) => (None, Err(error)),
        };
        let error = result.as_ref().err();
        let story = AuthorizerStory {
            result: None,
            claims,
            latency_ms: elapsed_ms(began),
            integration_status: None,
            status: error.map_or(200, GatewayError::status),
            error: error.and_then(GatewayError::message).map(|message| message.into_owned()),
        };
        (Admitted { authorizer: Some(Box::new(story)), ..Admitted::default() }, result)
    }

    async fn claims(&self, authorizer: &PoolAuthorizer, scopes: &[String]) -> Result<Claims, GatewayError> {
        let token = self.header(&authorizer.header).map(bare).filter(|token| !token.is_empty());
        let token = token.ok_or(GatewayError::Unauthorized)?;
        told::token(self.routed.log, token);
        let claimed = claimed_issuer(token).ok_or(GatewayError::Unauthorized)?;
        // Only the pools' own issuers are ever asked for keys.
        let issuer = authorizer.issuers.iter().find(|issuer| **issuer == claimed);
        let rules = Rules {
            issuer: issuer.ok_or(GatewayError::Unauthorized)?,
            audience: None,
            algorithm: Some(Algorithm::Rs256),
        };
        let (edge, now_s) = (self.edge, (self.arrival.at_ms / 1000) as i64);
        let verified = edge.issuers.verify(&edge.backend, token, &rules, KeysAt::UserPool, now_s).await;
        let verified = verified.map_err(|error| {
            tracing::warn!(%error, "a user pool has no keys");
            GatewayError::AuthorizerConfiguration
        })?;
        let claims = verified.map_err(|rejection| {
            tracing::debug!(request_id = self.arrival.request_id, %rejection, "a token isn't taken");
            match rejection {
                Rejection::Expired => GatewayError::TokenExpired,
                _ => GatewayError::Unauthorized,
            }
        })?;
        check(&claims, authorizer, scopes)?;
        Ok(claims)
    }
}

/// Is a verified token of the kind that the method asks for? Source: API Gateway developer guide, "Integrate a REST API with an
/// Amazon Cognito user pool". That a token without any of the scopes is answered 403 is inferred from what HTTP APIs do, and that
/// `client_id` stands in for the audience that tokens of access don't have.
fn check(claims: &Claims, authorizer: &PoolAuthorizer, scopes: &[String]) -> Result<(), GatewayError> {
    let wanted = if scopes.is_empty() { "id" } else { "access" };
    if claims.text("token_use").as_deref() != Some(wanted) {
        return Err(GatewayError::Unauthorized);
    }
    if let Some(expression) = &authorizer.audience {
        let audience = claims.text("aud").or_else(|| claims.text("client_id"));
        if !audience.is_some_and(|audience| expression.is_match(&audience)) {
            return Err(GatewayError::Unauthorized);
        }
    }
    match scopes.is_empty() || !claims.scopes_of(scopes).is_empty() {
        true => Ok(()),
        false => Err(GatewayError::Denied { is_explicit: false }),
    }
}

/// Claims as REST APIs tell them: lists joined by commas, and `exp` and `iat` as dates. Inferred from published
/// events, as is that other claims that aren't texts are told as JSON.
fn texts(claims: &Claims) -> Vec<(String, String)> {
    let told = claims.values().map(|(name, value)| {
        let date = value.as_i64().filter(|_| matches!(name, "exp" | "iat")).and_then(date);
        (name.to_owned(), date.unwrap_or_else(|| text(value)))
    });
    told.collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// `Tue Jan 10 20:55:02 UTC 2017`.
fn date(epoch_s: i64) -> Option<String> {
    let at = OffsetDateTime::from_unix_timestamp(epoch_s).ok()?;
    let (weekday, month) = (at.weekday().to_string(), at.month().to_string());
    let (hour, minute, second) = at.to_hms();
    let day = at.day();
    Some(format!(
        "{} {} {day:02} {hour:02}:{minute:02}:{second:02} UTC {}",
        weekday.get(..3)?,
        month.get(..3)?,
        at.year()
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn claims_are_told_as_rest_apis_do() {
        assert_eq!(date(1_484_081_702).as_deref(), Some("Tue Jan 10 20:55:02 UTC 2017"));
        assert_eq!(date(i64::MAX), None);
        assert_eq!(text(&json!(["a", "b", 1])), "a,b,1");
        assert_eq!(text(&json!(true)), "true");
        assert_eq!(text(&json!({"a": 1})), r#"{"a":1}"#);
    }
}
