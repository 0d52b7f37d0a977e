//! What CodeDeploy's deployments need of the other services: alarms, permissions, functions, objects.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use pitbird_codedeploy::{AlarmStanding, Ask, Fetched, HookCall, Later, ObjectRef, Told};
use pitbird_invoke::{Event, Invocation, Invoker};
use pitbird_names::{FunctionRef, arn};
use pitbird_service::{Call, Caller, Permission, Service};
use pitbird_snapshot::{Function, FunctionKey, InvocationSource};
use pitbird_store::Store;
use pitbird_telemetry::alarm::State as AlarmValue;
use pitbird_wire::Value;

use crate::services::entropy;
use pitbird_webhook::Webhooks;

/// Whom a function's policy must let invoke it for a trigger.
const PRINCIPAL: &str = "codedeploy.amazonaws.com";
/// The name of the role sessions in which CodeDeploy acts.
const SESSION: &str = "CodeDeploy";

/// The parts of the service. `time_scale` is what its waits are divided by.
pub fn parts(
    store: &Store,
    invoker: &Invoker,
    cloudwatch: Arc<pitbird_cloudwatch::State>,
    s3: Service,
    time_scale: f64,
) -> pitbird_codedeploy::Parts {
    let reach =
        Arc::new(Reach { store: store.clone(), invoker: invoker.clone(), s3, webhooks: Webhooks::default() });
    let (policies, hooks, objects, triggers) = (store.clone(), reach.clone(), reach.clone(), reach);
    pitbird_codedeploy::Parts {
        store: store.clone(),
        alarms: Arc::new(move |scope, names| alarms(&cloudwatch, scope, names)),
        may: Arc::new(move |ask| may(&policies, ask)),
        invoke_hook: Arc::new(move |call| {
            later(hooks.clone(), |reach| async move { reach.run_hook(call).await })
        }),
        fetch: Arc::new(move |object| {
            later(objects.clone(), |reach| async move { reach.fetch(object).await })
        }),
        tell: Arc::new(move |told| later(triggers.clone(), |reach| async move { reach.tell(told).await })),
        clock: Arc::new(|| now_ms() as u64),
        entropy,
        time_scale,
    }
}

fn later<T, F: Future<Output = T> + Send + 'static>(
    reach: Arc<Reach>,
    run: impl FnOnce(Arc<Reach>) -> F,
) -> Later<T> {
    Box::pin(run(reach))
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// How alarms stand. Those that can't be read are left out, as if they weren't there.
fn alarms(
    cloudwatch: &pitbird_cloudwatch::State,
    scope: &pitbird_names::Scope,
    names: &[String],
) -> Vec<AlarmStanding> {
    let standings = cloudwatch.alarm_states(scope, names.iter().map(String::as_str));
    let standings = standings.unwrap_or_else(|error| {
        tracing::error!(%error, "alarms can't be read");
        Vec::new()
    });
    let standing = |alarm: pitbird_cloudwatch::Standing| AlarmStanding {
        name: alarm.name,
        is_active: alarm.state == AlarmValue::Alarm,
    };
    standings.into_iter().map(standing).collect()
}

/// What a role's policies say. A store that can't be read allows nothing.
fn may(store: &Store, ask: &Ask<'_>) -> bool {
    let Some(parts) = arn::parse(ask.role) else { return false };
    let name = parts.resource.rsplit('/').next().unwrap_or_default();
    let session = format!("arn:aws:sts::{}:assumed-role/{name}/{SESSION}", parts.account);
    let asked = pitbird_iam::Asked { action: ask.action, resources: ask.resources };
    match pitbird_iam::role_session_permission(store, &session, asked) {
        Ok(permission) => permission == Permission::Allowed,
        Err(error) => {
            tracing::error!(%error, "a role's policies can't be read");
            false
        }
    }
}

/// What is done for deployments.
struct Reach {
    store: Store,
    invoker: Invoker,
    s3: Service,
    webhooks: Webhooks,
}

impl Reach {
    fn function(&self, named: &FunctionRef, scope: &pitbird_names::Scope) -> Option<Arc<Function>> {
        let key = FunctionKey { scope: named.scope(scope), name: named.name.clone() };
        self.store.snapshot().function(&key).cloned()
    }

    /// Runs a hook's function once. What it answers is nobody's business; that it failed is.
    async fn run_hook(&self, call: HookCall) -> Result<(), String> {
        let HookCall { scope, function, event } = call;
        let named = FunctionRef::parse(&function).map_err(|error| error.to_string())?;
        let found = self.function(&named, &scope).filter(|_| named.scope(&scope).account == scope.account);
        let found = found.ok_or_else(|| format!("Function not found: {function}"))?;
        let invocation = invocation(event);
        let outcome =
            self.invoker.invoke(&found, named.qualifier.as_ref(), fastrand::f64(), invocation).await;
        match outcome.map_err(|refused| refused.to_string())? {
            pitbird_invoke::Outcome { function_error: None, .. } => Ok(()),
            pitbird_invoke::Outcome { function_error: Some(error), error_type, .. } => {
                Err(format!("the function failed: {}", error_type.unwrap_or_else(|| error.to_owned())))
            }
        }
    }

    /// Reads an object as S3 gives it; a longer one than is wanted isn't read.
    async fn fetch(&self, object: ObjectRef) -> Result<Fetched, String> {
        let length = self.read("HeadObject", &object).await?;
        match length.get("ContentLength") {
            Some(Value::Integer(length)) if *length >= 0 && *length as u64 <= object.bytes_max => {}
            _ => return Err(format!("it is longer than {} bytes", object.bytes_max)),
        }
        let found = self.read("GetObject", &object).await?;
        let content = match found.get("Body") {
            Some(Value::Blob(content)) => content.clone(),
            _ => Bytes::new(),
        };
        let etag = found.get("ETag").and_then(Value::as_str).unwrap_or_default();
        Ok(Fetched { content, etag: etag.trim_matches('"').to_owned() })
    }

    async fn read(&self, operation: &str, object: &ObjectRef) -> Result<Value, String> {
        let mut input = vec![
            ("Bucket".into(), Value::String(object.bucket.clone())),
            ("Key".into(), Value::String(object.key.clone())),
        ];
        input.extend(object.version.clone().map(|version| ("VersionId".into(), Value::String(version))));
        let call = Call {
            caller: Caller::root(object.scope.clone()),
            request_id: pitbird_names::uuid(entropy()),
            now_ms: now_ms(),
            endpoint: String::new(),
            trace_id: None,
            input: Value::Map(input),
        };
        let answer = self.s3.call(operation, call).ok_or_else(|| format!("S3 has no {operation}"))?;
        answer.await.map(pitbird_service::Answer::into_output).map_err(|fault| fault.into_told().message)
    }

    async fn tell(&self, told: Told) -> Result<(), String> {
        let Told { scope, target, group_arn, event } = told;
        if target.starts_with("http://") || target.starts_with("https://") {
            return self.webhooks.post(&target, event).await;
        }
        let named = FunctionRef::parse(&target).map_err(|error| error.to_string())?;
        let found = self.function(&named, &scope).ok_or_else(|| format!("Function not found: {target}"))?;
        let source =
            InvocationSource { service: PRINCIPAL, arn: &group_arn, account: scope.account.as_str() };
        if !found.policy(named.qualifier.as_ref()).is_some_and(|policy| policy.allows(&source)) {
            return Err(format!(
                "CodeDeploy is not authorized to perform: lambda:InvokeFunction on the resource {target} because no resource-based \
                 policy allows the lambda:InvokeFunction action"
            ));
        }
        let own = named.scope(&scope);
        let event = Event {
            scope: own,
            function: named.name,
            qualifier: named.qualifier,
            invocation: invocation(event),
        };
        self.invoker.enqueue(event).await.map_err(|error| error.to_string())
    }
}

fn invocation(event: String) -> Invocation {
    Invocation {
        request_id: pitbird_names::uuid(fastrand::u128(..)),
        payload: Bytes::from(event),
        at_ms: now_ms(),
        ..Invocation::default()
    }
}
