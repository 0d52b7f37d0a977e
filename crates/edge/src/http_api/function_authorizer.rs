//! Functions that decide whether a request may pass. Source: API Gateway developer guide, "Control access to HTTP APIs with AWS
//! Lambda authorizers".

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use pitbird_event::AuthorizerQuestion;
use pitbird_invoke::Invocation;
use pitbird_names::arn;
use pitbird_records::HttpAuthorizerKind;
use pitbird_snapshot::{HttpAuthorizer, PolicyDocument, PolicyQuestion, PolicyVerdict};
use serde_json::{Map, Value as Json};

use super::admitted::{Admitted, Decision, Told, Verdict};
use super::authorize::{Refused, identity};
use super::integrate::permitted;
use super::{HttpError, Routed};
use crate::Edge;
use crate::authorizer_cache::ResultKey;

/// How long a function may take to decide.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Longer answers aren't kept, bytes.
const KEPT_BYTES_MAX: usize = 16 * 1024;

pub(super) async fn ask(
    edge: &Edge,
    routed: &Routed<'_, '_>,
    authorizer: &HttpAuthorizer,
) -> Result<Admitted, Refused> {
    let HttpAuthorizerKind::Request { payload_format_version, enable_simple_responses, result_ttl_s, .. } =
        &authorizer.record.kind
    else {
        return Err(HttpError::Forbidden.into());
    };
    let sources = &authorizer.record.identity_sources;
    let identity: Option<Vec<String>> = sources.iter().map(|source| identity(routed, source)).collect();
    let identity = identity.ok_or_else(|| Refused::because(HttpError::Unauthorized, "no identity source"))?;
    let arn = routed.arn(&routed.judged_path());
    let now_ms = routed.seen.at_ms;
    let is_kept = *result_ttl_s > 0 && !identity.is_empty();
    let key = is_kept.then(|| result_key(routed, authorizer, &identity));
    let kept = key.and_then(|key| edge.http.decisions.get(&key, now_ms));
    let decision = match kept {
        Some(kept) => kept,
        None => {
            let question = AuthorizerQuestion { arn: &arn, identity: &identity };
            let said = call(edge, routed, authorizer, &question, payload_format_version == "2.0").await?;
            let decision = Arc::new(read(&said, *enable_simple_responses).ok_or_else(|| {
                Refused::because(HttpError::Authorizer, "The authorizer's answer is no decision")
            })?);
            if let Some(key) = key.filter(|_| said.len() <= KEPT_BYTES_MAX) {
                let until_ms = now_ms + u64::from(*result_ttl_s) * 1000;
                edge.http.decisions.put(key, decision.clone(), now_ms, until_ms);
            }
            decision
        }
    };
    match allows(&decision, routed, &arn) {
        true => Ok(Admitted::Told(decision)),
        false => Err(Refused::because(HttpError::Forbidden, "The authorizer doesn't allow it")),
    }
}

/// Results are kept for a stage until they are thrown away; its deployments share them.
fn result_key(routed: &Routed<'_, '_>, authorizer: &HttpAuthorizer, identity: &[String]) -> ResultKey {
    let stage = routed.stage;
    let epoch = stage.record.authorizer_cache_epoch.to_string();
    let place = [&stage.api_id, &stage.record.name, &authorizer.record.id, &epoch];
    ResultKey::of(place.into_iter().chain(identity).map(String::as_str))
}

async fn call(
    edge: &Edge,
    routed: &Routed<'_, '_>,
    authorizer: &HttpAuthorizer,
    question: &AuthorizerQuestion<'_>,
    is_format_2: bool,
) -> Result<Bytes, Refused> {
    let failed = |why: &str| Refused::because(HttpError::Authorizer, why);
    let stage = routed.stage;
    let Some(Ok(target)) = &stage.authorizer_targets[authorizer.index] else {
        return Err(failed("The authorizer's URI names no function"));
    };
    // `arn:aws:execute-api:{region}:{account}:{api}/authorizers/{id}`: what invokes the function.
    let invoker = arn::execute_api(&stage.scope, &stage.api_id, "authorizers", &authorizer.record.id, "");
    let Some(function) = permitted(routed, target, invoker.trim_end_matches('/')) else {
        return Err(failed("API Gateway doesn't have permissions to call the authorizer"));
    };
    let trace_id = routed.arrival.new_authorizer_trace_id();
    let invocation = Invocation {
        request_id: pitbird_names::uuid(fastrand::u128(..)),
        payload: routed.question(question, &trace_id, is_format_2),
        at_ms: routed.arrival.at_ms as i64,
        trace_id: Some(trace_id),
        ..Invocation::default()
    };
    let invoked = edge.invoker.invoke(function, target.qualifier.as_ref(), fastrand::f64(), invocation);
    match tokio::time::timeout(TIMEOUT, invoked).await {
        Err(_) => Err(failed("The authorizer didn't answer in time")),
        Ok(Err(refused)) => Err(Refused::because(HttpError::Authorizer, refused)),
        Ok(Ok(outcome)) if outcome.function_error.is_some() => Err(failed("The authorizer failed")),
        Ok(Ok(outcome)) => Ok(outcome.payload),
    }
}

/// A function's word: `{"isAuthorized": …}` where simple responses are enabled, else a policy.
fn read(said: &[u8], is_simple: bool) -> Option<Decision> {
    let mut members: Map<String, Json> = serde_json::from_slice(said).ok()?;
    let context = match members.remove("context") {
        None | Some(Json::Null) => Map::new(),
        Some(Json::Object(context)) => context,
        Some(_) => return None,
    };
    if is_simple {
        let verdict = Verdict::Simple(members.get("isAuthorized")?.as_bool()?);
        return Some(Decision { told: Told { principal_id: None, context }, verdict });
    }
    let principal_id = members.get("principalId").and_then(Json::as_str).map(str::to_owned);
    let policy = PolicyDocument::from_json(members.remove("policyDocument")?).ok()?;
    Some(Decision { told: Told { principal_id, context }, verdict: Verdict::Policy(policy) })
}

fn allows(decision: &Decision, routed: &Routed<'_, '_>, arn: &str) -> bool {
    let policy = match &decision.verdict {
        Verdict::Simple(is_authorized) => return *is_authorized,
        Verdict::Policy(policy) => policy,
    };
    let question = PolicyQuestion {
        action: "execute-api:Invoke",
        resource: arn,
        principal: None,
        source_ip: routed.seen.source_ip,
        user_agent: routed.seen.user_agent,
        referer: routed.arrival.header(http::header::REFERER),
        is_secure: routed.arrival.peer.scheme == "https",
        at_epoch_s: routed.seen.at_ms / 1000,
    };
    policy.judge(&question) == PolicyVerdict::Allowed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simple_word_is_a_boolean() {
        let said = |json: &str| read(json.as_bytes(), true);
        let decision = said(r#"{"isAuthorized":true,"context":{"a":{"b":[1]}}}"#).expect("a decision");
        assert!(matches!(decision.verdict, Verdict::Simple(true)));
        assert_eq!(decision.told.context["a"]["b"][0], 1);
        assert!(matches!(said(r#"{"isAuthorized":false}"#).expect("too").verdict, Verdict::Simple(false)));
        for json in ["", "true", "{}", r#"{"isAuthorized":"true"}"#, r#"{"isAuthorized":true,"context":7}"#] {
            assert!(said(json).is_none(), "{json}");
        }
    }

    #[test]
    fn a_policy_is_one_or_nothing() {
        let said = |json: &str| read(json.as_bytes(), false);
        let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"}]}"#;
        let decision =
            said(&format!(r#"{{"principalId":"ada","policyDocument":{policy}}}"#)).expect("a decision");
        assert_eq!(decision.told.principal_id.as_deref(), Some("ada"));
        for json in [r#"{"isAuthorized":true}"#, r#"{"principalId":"ada"}"#, r#"{"policyDocument":{}}"#] {
            assert!(said(json).is_none(), "{json}");
        }
    }
}
