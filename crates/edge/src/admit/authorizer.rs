//! Functions that decide whether a request may pass.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use pitbird_invoke::Invocation;
use pitbird_names::{arn, limits};
use pitbird_snapshot::{
    AuthorizerAsks, Function, FunctionAuthorizer, IdentitySource, InvocationSource, LambdaTarget,
    PolicyDocument,
};
use serde_json::{Map, Value as Json};

use super::validate::query_parameter;
use super::{Asking, elapsed_ms};
use crate::GatewayError;
use crate::admitted::{Admitted, AuthorizerResult, AuthorizerStory};
use crate::authorizer_cache::ResultKey;
use crate::exchanged::exchanged;
use crate::execution_log::authorizer as told;
use crate::{context, journey};

/// Longer answers aren't kept, bytes.
const KEPT_BYTES_MAX: usize = 16 * 1024;
/// The longest resource that an authorizer's policy may name, bytes. Source: API Gateway developer guide, "Output from an API
/// Gateway Lambda authorizer".
const RESOURCE_BYTES_MAX: usize = 512;
/// What a function's error must say for the client to be told that it isn't authorized.
const UNAUTHORIZED: &str = "Unauthorized";

type Said = Result<Arc<AuthorizerResult>, GatewayError>;

/// What came of asking a function: what it said, as it said it, and the status of the service that ran it.
struct Answered {
    said: Result<AuthorizerResult, GatewayError>,
    payload: Bytes,
    status: Option<u16>,
}

impl Asking<'_, '_> {
    /// What the authorizer says of this request: now, or not long ago of one like it.
    pub(super) async fn ask(&self, authorizer: &FunctionAuthorizer) -> (AuthorizerStory, Said) {
        let log = self.routed.log;
        told::start(log, &authorizer.id, &self.arrival.request_id);
        let identity = match self.identity(authorizer) {
            Ok(identity) => identity,
            Err(error) => return (story(None, 401, Some("Unauthorized"), 0), Err(error)),
        };
        let now_ms = self.arrival.at_ms;
        let is_kept = authorizer.ttl_s > 0 && !identity.is_empty();
        let key = is_kept.then(|| self.result_key(authorizer, &identity));
        if let Some(known) = key.and_then(|key| self.edge.authorizers.get(&key, now_ms)) {
            told::passed(log, &known.principal_id);
            return (story(Some(known.clone()), 200, None, 0), Ok(known));
        }
        let began = Instant::now();
        let Answered { said, payload, status } = self.call(authorizer, &identity).await;
        let said = said.map(Arc::new);
        let mut story = match &said {
            Ok(result) => story(Some(result.clone()), 200, None, elapsed_ms(began)),
            Err(error) => story(None, error.status(), error.message().as_deref(), elapsed_ms(began)),
        };
        story.integration_status = status;
        if let (Some(key), Ok(result)) = (key, &said)
            && payload.len() <= KEPT_BYTES_MAX
        {
            let until_ms = now_ms + u64::from(authorizer.ttl_s) * 1000;
            self.edge.authorizers.put(key, result.clone(), now_ms, until_ms);
        }
        (story, said)
    }

    /// Asks an authorizer anew, whatever is known of it: what it says, and as it says it.
    pub(crate) async fn try_out(
        &self,
        authorizer: &FunctionAuthorizer,
    ) -> Result<(AuthorizerResult, Bytes), GatewayError> {
        told::start(self.routed.log, &authorizer.id, &self.arrival.request_id);
        let identity = self.identity(authorizer)?;
        let Answered { said, payload, .. } = self.call(authorizer, &identity).await;
        Ok((said?, payload))
    }

    /// What the authorizer judges by. A request that lacks it is refused without asking, as is one whose token doesn't look like one.
    fn identity(&self, authorizer: &FunctionAuthorizer) -> Result<Vec<String>, GatewayError> {
        match &authorizer.asks {
            AuthorizerAsks::Token { header, expression } => {
                let token = self.header(header).filter(|token| !token.is_empty());
                let token = token.ok_or(GatewayError::Unauthorized)?;
                told::token(self.routed.log, token);
                if expression.as_ref().is_some_and(|expression| !expression.is_match(token)) {
                    return Err(GatewayError::Unauthorized);
                }
                Ok(vec![token.to_owned()])
            }
            AuthorizerAsks::Request { sources } if authorizer.ttl_s > 0 => {
                let values = sources.iter().map(|source| self.source(source));
                let values = values.map(|value| value.filter(|value| !value.is_empty()));
                let values = values.collect::<Option<Vec<_>>>().ok_or(GatewayError::Unauthorized)?;
                told::sources(self.routed.log, sources, &values);
                Ok(values)
            }
            // Where nothing is kept nothing is asked for.
            AuthorizerAsks::Request { .. } => Ok(Vec::new()),
        }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.arrival.headers().get(name)?.to_str().ok()
    }

    fn source(&self, source: &IdentitySource) -> Option<String> {
        match source {
            IdentitySource::Header(name) => self.header(name).map(str::to_owned),
            IdentitySource::Query(name) => {
                query_parameter(self.arrival.query(), name).map(|value| value.into_owned())
            }
            IdentitySource::StageVariable(name) => self.routed.track.variables.get(name).cloned(),
            IdentitySource::Context(name) if self.additional.is_some_and(|more| more.contains_key(name)) => {
                self.additional?.get(name).cloned()
            }
            IdentitySource::Context(name) => {
                let (stage, track) = (self.routed.stage, self.routed.track);
                let nobody = Admitted::default();
                let resource = Some(self.routed.matched.value);
                let story = journey::story(stage, track, resource, self.arrival, &nobody);
                let mut value = String::new();
                context::append(&mut value, name, context::Place::of(stage), &story);
                Some(value)
            }
        }
    }

    /// Results are kept for a stage and one of its deployments, until they are flushed.
    fn result_key(&self, authorizer: &FunctionAuthorizer, identity: &[String]) -> ResultKey {
        let (stage, track) = (self.routed.stage, self.routed.track);
        let flushed = stage.record.authorizers_flushed.to_string();
        let place = [&stage.api_id, &stage.record.name, &track.deployment.id, &authorizer.id, &flushed];
        ResultKey::of(place.into_iter().chain(identity).map(String::as_str))
    }

    async fn call(&self, authorizer: &FunctionAuthorizer, identity: &[String]) -> Answered {
        let Asking { edge, routed, arrival, .. } = self;
        let log = routed.log;
        let failed = |why: &str, status| {
            told::misconfigured(log, why);
            let said = Err(GatewayError::AuthorizerConfiguration);
            Answered { said, payload: Bytes::new(), status }
        };
        let target = match routed.track.function(authorizer.target) {
            Ok(target) => target,
            Err(unrenderable) => return failed(&unrenderable.to_string(), None),
        };
        let trace_id = arrival.new_authorizer_trace_id();
        let event = self.event(authorizer, identity, &trace_id);
        let source = self.source_arn(authorizer);
        let about = (&*routed.stage.api_id, &*arrival.request_id);
        told::asked(log, target, about, (&trace_id, &source), &event);
        let Some(function) = self.function(authorizer, target, &source) else {
            return failed("Invalid permissions on Lambda function", Some(403));
        };
        let invocation = Invocation {
            request_id: pitbird_names::uuid(fastrand::u128(..)),
            payload: event,
            at_ms: arrival.at_ms as i64,
            trace_id: Some(trace_id),
            ..Invocation::default()
        };
        let invoked = edge.invoker.invoke(function, target.qualifier.as_ref(), fastrand::f64(), invocation);
        let limit = Duration::from_millis(limits::INTEGRATION_TIMEOUT_MS.into());
        match tokio::time::timeout(limit, invoked).await {
            Ok(Ok(outcome)) if outcome.function_error.is_some() => {
                told::answered(log, &outcome.payload);
                let is_unauthorized = serde_json::from_slice::<Json>(&outcome.payload)
                    .is_ok_and(|error| error["errorMessage"] == UNAUTHORIZED);
                if !is_unauthorized {
                    return failed("Invalid JSON in response", Some(200));
                }
                Answered { said: Err(GatewayError::Unauthorized), payload: Bytes::new(), status: Some(200) }
            }
            Ok(Ok(outcome)) => {
                told::answered(log, &outcome.payload);
                let Some(result) = read(&outcome.payload) else {
                    return failed("Invalid JSON in response", Some(200));
                };
                told::passed(log, &result.principal_id);
                Answered { said: Ok(result), payload: outcome.payload, status: Some(200) }
            }
            Ok(Err(refused)) => {
                tracing::debug!(request_id = arrival.request_id, %refused, "an authorizer can't be run");
                failed(&refused.to_string(), None)
            }
            Err(_) => failed("Authorizer timed out", Some(504)),
        }
    }

    /// The authorizer's function, if it is there and may be invoked for it: by its own policy, or in the name of the authorizer's
    /// role.
    fn function(
        &self,
        authorizer: &FunctionAuthorizer,
        target: &LambdaTarget,
        source_arn: &str,
    ) -> Option<&Function> {
        let (stage, track) = (self.routed.stage, self.routed.track);
        let function = self.snapshot.function(&target.function)?;
        if let Some(role) = &track.roles[authorizer.target] {
            let arn = arn::function(&function.scope, &function.name, target.qualifier.as_ref());
            let services = self.edge.services.get()?;
            return services.may(role, "lambda:InvokeFunction", &arn).then_some(function);
        }
        let account = stage.scope.account.as_str();
        let source = InvocationSource { service: "apigateway.amazonaws.com", arn: source_arn, account };
        function.policy(target.qualifier.as_ref())?.allows(&source).then_some(function)
    }

    /// What a function's policy is asked for: the authorizer's ARN.
    fn source_arn(&self, authorizer: &FunctionAuthorizer) -> String {
        let stage = self.routed.stage;
        let api = arn::execute_api_root(&stage.scope, &stage.api_id);
        [&api, "/authorizers/", &authorizer.id].concat()
    }

    fn event(&self, authorizer: &FunctionAuthorizer, identity: &[String], trace_id: &str) -> Bytes {
        if let (AuthorizerAsks::Token { .. }, [token]) = (&authorizer.asks, identity) {
            return Bytes::from(pitbird_event::token_event(token, &self.method_arn));
        }
        let nobody = Admitted::default();
        exchanged(self.routed, self.arrival, &nobody, trace_id, &[], |exchange| {
            let mut event = Vec::new();
            exchange.write_authorizer_event(&mut event, &self.method_arn);
            Bytes::from(event)
        })
    }
}

fn story(
    result: Option<Arc<AuthorizerResult>>,
    status: u16,
    error: Option<&str>,
    latency_ms: u64,
) -> AuthorizerStory {
    let error = error.map(str::to_owned);
    AuthorizerStory { result, claims: None, latency_ms, integration_status: None, status, error }
}

/// Reads what an authorizer said: `{principalId, policyDocument, context?, usageIdentifierKey?}`; `None` if it is something else.
/// Context values are texts, numbers and booleans.
fn read(payload: &[u8]) -> Option<AuthorizerResult> {
    let Json::Object(mut said) = serde_json::from_slice(payload).ok()? else { return None };
    let policy = PolicyDocument::from_json(said.remove("policyDocument")?).ok()?;
    if policy.longest_resource() > RESOURCE_BYTES_MAX {
        return None;
    }
    let context = match said.remove("context") {
        None | Some(Json::Null) => Vec::new(),
        Some(Json::Object(context)) => read_context(context)?,
        Some(_) => return None,
    };
    let usage_key = match said.remove("usageIdentifierKey") {
        None | Some(Json::Null) => None,
        Some(Json::String(key)) => Some(key),
        Some(_) => return None,
    };
    let principal_id = match said.remove("principalId")? {
        Json::String(id) if !id.is_empty() => id,
        Json::Number(number) => number.to_string(),
        _ => return None,
    };
    Some(AuthorizerResult { principal_id, policy, context, usage_key })
}

fn read_context(context: Map<String, Json>) -> Option<Vec<(String, String)>> {
    let text = |value| match value {
        Json::String(text) => Some(text),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(value) => Some(value.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    };
    // What the gateway says itself under these names isn't said twice.
    let is_own = |name: &str| matches!(name, "principalId" | "integrationLatency");
    let own = context.into_iter().filter(|(name, _)| !is_own(name));
    own.map(|(name, value)| Some((name, text(value)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#""policyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"}]}"#;

    #[test]
    fn an_authorizers_answer_is_read() {
        let answer = format!(
            r#"{{"principalId":"ada","context":{{"a":"x","n":1.5,"b":true,"principalId":"no"}},"usageIdentifierKey":"k",{POLICY}}}"#
        );
        let result = read(answer.as_bytes()).unwrap();
        assert_eq!((result.principal_id.as_str(), result.usage_key.as_deref()), ("ada", Some("k")));
        let context: Vec<_> =
            result.context.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(context, [("a", "x"), ("n", "1.5"), ("b", "true")]);
    }

    #[test]
    fn anything_else_is_no_answer() {
        let long = format!(
            r#"{{"principalId":"a","policyDocument":{{"Statement":{{"Effect":"Allow","Action":"*","Resource":"{}"}}}}}}"#,
            "x".repeat(RESOURCE_BYTES_MAX + 1)
        );
        for answer in [
            "null",
            "\"Allow\"",
            "{",
            r#"{"principalId":"a"}"#,
            &format!("{{{POLICY}}}"),
            &format!(r#"{{"principalId":"",{POLICY}}}"#),
            &format!(r#"{{"principalId":"a","context":{{"x":{{}}}},{POLICY}}}"#),
            &format!(r#"{{"principalId":"a","context":[],{POLICY}}}"#),
            &format!(r#"{{"principalId":"a","usageIdentifierKey":1,{POLICY}}}"#),
            r#"{"principalId":"a","policyDocument":{"Statement":[{"Effect":"Perhaps"}]}}"#,
            &long,
        ] {
            assert!(read(answer.as_bytes()).is_none(), "{answer}");
        }
    }
}
