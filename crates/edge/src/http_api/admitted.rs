//! Who asks, once it is known that he may.

use std::sync::Arc;

use pitbird_event::{HttpAuthorizer, Signer};
use pitbird_jwt::Claims;
use serde_json::{Map, Value as Json, json};

use crate::UrlSigner;

#[derive(Debug, Default)]
pub(super) enum Admitted {
    #[default]
    Anybody,
    Signed(UrlSigner),
    /// By a token; with those of the route's scopes that it was given, where the route has some.
    Token {
        claims: Claims,
        scopes: Option<Vec<String>>,
    },
    /// By a function, which may have said more.
    Told(Arc<Decision>),
}

/// What a function said of a request, or of one like it.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Told {
    pub principal_id: Option<String>,
    pub context: Map<String, Json>,
}

/// A function's word, as it is kept.
#[derive(Debug)]
pub(super) struct Decision {
    pub told: Told,
    pub verdict: Verdict,
}

#[derive(Debug)]
pub(super) enum Verdict {
    Simple(bool),
    /// To be asked for each request, which may be for another route.
    Policy(pitbird_snapshot::PolicyDocument),
}

impl Admitted {
    /// The `authorizer` member of a request's context, in the event's format.
    pub fn json(&self, is_format_2: bool) -> Option<String> {
        let told = match self {
            Admitted::Anybody | Admitted::Signed(_) => return None,
            Admitted::Token { claims, scopes } => {
                let texts: Map<String, Json> =
                    claims.texts().map(|(name, text)| (name.to_owned(), Json::String(text))).collect();
                let jwt = json!({"claims": texts, "scopes": scopes});
                if is_format_2 { json!({"jwt": jwt}) } else { jwt }
            }
            Admitted::Told(decision) if is_format_2 => json!({"lambda": decision.told.context}),
            Admitted::Told(decision) => {
                let mut members = decision.told.context.clone();
                let principal = decision.told.principal_id.clone();
                members.extend(principal.map(|id| ("principalId".to_owned(), Json::String(id))));
                Json::Object(members)
            }
        };
        Some(told.to_string())
    }

    /// As an event has it; `json` is what [`Admitted::json`] gave.
    pub fn authorizer<'a>(&'a self, json: Option<&'a str>) -> Option<HttpAuthorizer<'a>> {
        match self {
            Admitted::Signed(signer) => Some(HttpAuthorizer::Iam(Signer {
                access_key_id: &signer.access_key_id,
                account_id: &signer.account,
                principal: &signer.principal,
                user_id: &signer.user_id,
            })),
            _ => json.map(HttpAuthorizer::Told),
        }
    }

    /// `$context.authorizer.{name}`.
    pub fn property(&self, name: &str) -> Option<String> {
        match self {
            Admitted::Token { claims, .. } => claims.text(name.strip_prefix("claims.")?),
            Admitted::Told(decision) if name == "principalId" => decision.told.principal_id.clone(),
            Admitted::Told(decision) => decision.told.context.get(name).map(|value| match value {
                Json::String(text) => text.clone(),
                other => other.to_string(),
            }),
            _ => None,
        }
    }
}
