//! Carries out what alarms set going: functions get an event, URLs a request.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use pitbird_cloudwatch::{Act, Action, Deed, Done};
use pitbird_invoke::{Event, Invocation, Invoker};
use pitbird_names::FunctionRef;
use pitbird_snapshot::{FunctionKey, InvocationSource};
use pitbird_store::Store;

use pitbird_webhook::Webhooks;

/// Whom a function's policy must let invoke it. Source: CloudWatch, "Invoke a Lambda function from an alarm".
const PRINCIPAL: &str = "lambda.alarms.cloudwatch.amazonaws.com";

pub struct AlarmActions {
    invoker: Invoker,
    store: Store,
    webhooks: Webhooks,
}

impl AlarmActions {
    pub fn new(invoker: Invoker, store: Store) -> AlarmActions {
        AlarmActions { invoker, store, webhooks: Webhooks::default() }
    }

    async fn invoke(&self, function: &str, deed: &Deed) -> Result<(), String> {
        let named = FunctionRef::parse(function).map_err(|error| error.to_string())?;
        let (scope, name, qualifier) = (named.scope(&deed.scope), named.name, named.qualifier);
        let snapshot = self.store.snapshot();
        let found = snapshot.function(&FunctionKey { scope: scope.clone(), name: name.clone() });
        let found = found.ok_or_else(|| format!("Function not found: {function}"))?;
        let source = InvocationSource {
            service: PRINCIPAL,
            arn: &deed.alarm_arn,
            account: deed.scope.account.as_str(),
        };
        if !found.policy(qualifier.as_ref()).is_some_and(|policy| policy.allows(&source)) {
            return Err(format!(
                "CloudWatch Alarms is not authorized to perform: lambda:InvokeFunction on the resource {function} because no \
                 resource-based policy allows the lambda:InvokeFunction action"
            ));
        }
        let invocation = Invocation {
            request_id: pitbird_names::uuid(fastrand::u128(..)),
            payload: Bytes::from(deed.event.clone()),
            at_ms: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64),
            trace_id: None,
            client_context: None,
            is_queued: false,
            wants_log_tail: false,
        };
        let event = Event { scope, function: name, qualifier, invocation };
        self.invoker.enqueue(event).await.map_err(|error| error.to_string())
    }
}

impl Act for AlarmActions {
    fn act(&self, deed: Deed) -> Done<'_> {
        Box::pin(async move {
            match &deed.action {
                Action::Function(arn) => self.invoke(arn, &deed).await,
                Action::Webhook(url) => self.webhooks.post(url, deed.event.clone()).await,
            }
        })
    }
}
