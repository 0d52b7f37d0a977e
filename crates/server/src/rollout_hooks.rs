//! How a rollout's hooks are asked and its probes sent, and how the environments stand that it wants ready.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use pitbird_edge::{Edge, Probe};
use pitbird_invoke::{Invocation, Invoker, Outcome};
use pitbird_names::{FunctionRef, Qualifier, Scope};
use pitbird_rollouts::{AskOf, HookCall, ProbeCall, ProbeOf, StageProbe, VersionProbe, WarmthOf, Whom};
use pitbird_snapshot::{Function, FunctionKey};
use pitbird_store::Store;

use crate::services::entropy;
use pitbird_webhook::Webhooks;

/// What a function sees of a probe beside its event, where a request has a header.
const PROBE_CONTEXT: &str = r#"{"custom":{"X-Pitbird-Probe":"true"}}"#;

/// Asks functions by the one door there is, and URLs as they are.
pub fn ask(store: &Store, invoker: &Invoker, webhooks: &Arc<Webhooks>) -> AskOf {
    let (store, invoker, webhooks) = (store.clone(), invoker.clone(), webhooks.clone());
    Arc::new(move |call| {
        let (store, invoker, webhooks) = (store.clone(), invoker.clone(), webhooks.clone());
        Box::pin(async move {
            match &call.whom {
                Whom::Function(named) => invoke(&store, &invoker, named, &call).await,
                Whom::Url(url) => {
                    webhooks.ask(url, call.body, call.signature.as_deref(), call.answer_bytes_max).await
                }
            }
        })
    })
}

async fn invoke(store: &Store, invoker: &Invoker, named: &str, call: &HookCall) -> Result<Vec<u8>, String> {
    let function = FunctionRef::parse(named).map_err(|error| error.to_string())?;
    let found = find(store, &function.scope(&call.scope), &function.name);
    let found = found.ok_or_else(|| format!("there is no function {named}"))?;
    let invocation = invocation(call.body.clone());
    let outcome = invoker.invoke(&found, function.qualifier.as_ref(), fastrand::f64(), invocation).await;
    match outcome.map_err(|refused| refused.to_string())? {
        Outcome { function_error: Some(error), error_type, .. } => {
            Err(format!("the function failed: {}", error_type.unwrap_or_else(|| error.to_owned())))
        }
        Outcome { payload, .. } if payload.len() > call.answer_bytes_max => {
            Err(format!("its answer has more than {} bytes", call.answer_bytes_max))
        }
        Outcome { payload, .. } => Ok(payload.to_vec()),
    }
}

fn invocation(payload: impl Into<Bytes>) -> Invocation {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Invocation {
        request_id: pitbird_names::uuid(entropy()),
        payload: payload.into(),
        at_ms: since.as_millis() as i64,
        ..Invocation::default()
    }
}

/// Sends probes the way of requests and of invocations, within the process.
pub fn probe(edge: &Arc<Edge>, store: &Store, invoker: &Invoker) -> ProbeOf {
    let (edge, store, invoker) = (edge.clone(), store.clone(), invoker.clone());
    Arc::new(move |call| {
        let (edge, store, invoker) = (edge.clone(), store.clone(), invoker.clone());
        Box::pin(async move {
            match call {
                ProbeCall::Request(call) => request(&edge, call).await,
                ProbeCall::Event(call) => event(&store, &invoker, call).await,
            }
        })
    })
}

async fn request(edge: &Arc<Edge>, call: StageProbe) -> Option<bool> {
    let StageProbe { api_id, stage, is_canary, deployment, request } = call;
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let headers: Vec<(String, String)> = request.headers.into_iter().collect();
    let probe = Probe {
        api: &api_id,
        stage: &stage,
        is_canary,
        deployment: &deployment,
        method: &request.method,
        path,
        query,
        headers: &headers,
        body: request.body.unwrap_or_default().into(),
    };
    edge.probe(probe).await
}

/// What the invoker refuses, the version has had no say in.
async fn event(store: &Store, invoker: &Invoker, call: VersionProbe) -> Option<bool> {
    let VersionProbe { scope, function, version, payload } = call;
    let found = find(store, &scope, &function)?;
    let invocation = Invocation { client_context: Some(PROBE_CONTEXT.to_owned()), ..invocation(payload) };
    let version = Qualifier::Version(version);
    let outcome = invoker.invoke(&found, Some(&version), fastrand::f64(), invocation).await.ok()?;
    Some(outcome.function_error.is_some())
}

/// What is kept ready of a version, by its own provisioned concurrency.
pub fn warmth(store: &Store, invoker: &Invoker) -> WarmthOf {
    let (store, invoker) = (store.clone(), invoker.clone());
    Arc::new(move |scope, function, qualifier: &Qualifier| {
        let Some(found) = find(&store, scope, function) else { return pitbird_rollouts::Warmth::default() };
        let pitbird_invoke::Provisioned { ready, has_failed, .. } = invoker.provisioned(&found, qualifier);
        pitbird_rollouts::Warmth { ready, has_failed }
    })
}

fn find(store: &Store, scope: &Scope, name: &str) -> Option<Arc<Function>> {
    let key = FunctionKey { scope: scope.clone(), name: name.to_owned() };
    store.snapshot().function(&key).cloned()
}
