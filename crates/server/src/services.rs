//! All services, each around its state, and the tasks that go with them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use pitbird_edge::Edge;
use pitbird_invoke::{Invoker, LiveCounts};
use pitbird_lambda::Locations;
use pitbird_names::{Scope, VersionId};
use pitbird_prices::PriceList;
use pitbird_records::rollout::CanaryUse;
use pitbird_rollouts::{Alarm, AlarmState, ArmCounts, Counts, LiveTarget};
use pitbird_service::{Call, Caller, Service};
use pitbird_store::Store;
use pitbird_telemetry::Telemetry;
use pitbird_telemetry::alarm::State as AlarmValue;
use pitbird_wire::Value;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::alarm_actions::AlarmActions;
use crate::deployments;
use crate::rollout_hooks;
use crate::trials::DataPlane;
use crate::usage::UsageKeeper;
use pitbird_webhook::Webhooks;

/// What services are made of.
pub struct Parts {
    pub store: Store,
    pub telemetry: Arc<Telemetry>,
    pub invoker: Invoker,
    pub edge: Arc<Edge>,
    /// What rollouts reckon with.
    pub prices: Arc<PriceList>,
}

/// What runs beside the services, until it is stopped.
pub struct Tasks {
    evaluator: pitbird_cloudwatch::Evaluator,
    actor: pitbird_cloudwatch::Actor,
    sweeper: pitbird_logs::Sweeper,
    blob_sweeper: pitbird_s3::Sweeper,
    usage: UsageKeeper,
    meter: pitbird_usage::Meter,
    stop_rollouts: oneshot::Sender<()>,
    rollouts: JoinHandle<Result<(), pitbird_rollouts::Error>>,
    stop_deployments: oneshot::Sender<()>,
    deployments: JoinHandle<Result<(), pitbird_codedeploy::Error>>,
}

/// What runs once it is started.
pub struct Started {
    pub services: Vec<Service>,
    pub tasks: Tasks,
    /// What looks at log events as they come: to be stopped when no function runs any more.
    pub follower: pitbird_logs::Follower,
    /// What opens the URLs of code.
    pub locations: Arc<Locations>,
}

impl Tasks {
    /// Lets what is under way finish: rollouts and deployments first, since they read alarms.
    pub async fn stop(self) -> Result<()> {
        let _already_ended = self.stop_rollouts.send(());
        let _already_ended = self.stop_deployments.send(());
        self.rollouts.await??;
        self.deployments.await??;
        self.evaluator.stop().await;
        self.actor.stop().await;
        self.sweeper.stop().await;
        self.blob_sweeper.stop().await;
        self.usage.stop().await;
        self.meter.stop().await;
        Ok(())
    }
}

/// Every service there is. Needs a tokio runtime: what an earlier run left undone is taken up at once. `time_scale` is what
/// CodeDeploy's waits are divided by.
pub fn start(parts: &Parts, time_scale: f64) -> Result<Started> {
    let Parts { store, telemetry, invoker, edge, .. } = parts;
    let trials = Arc::new(DataPlane(edge.clone()));
    let account_throttle = edge.account_throttle();
    let apigateway = pitbird_apigateway::State { store: store.clone(), entropy, trials, account_throttle };
    let apigatewayv2 = pitbird_apigatewayv2::State { store: store.clone(), entropy };
    let iam = pitbird_iam::State { store: store.clone(), entropy };
    let lambda = pitbird_lambda::State::new(store.clone(), Arc::new(invoker.clone()), entropy)?;
    let s3 = Arc::new(pitbird_s3::State::new(store.clone(), entropy));
    let (deliver, keep) = (subscribers(invoker.clone()), exports(pitbird_s3::service(s3.clone())));
    let logs = Arc::new(pitbird_logs::State::new(store.clone(), telemetry.clone(), deliver, keep, entropy)?);
    let cloudwatch = Arc::new(pitbird_cloudwatch::State::new(store.clone(), telemetry.clone()));
    let alarm_actions = AlarmActions::new(invoker.clone(), store.clone());
    let environments = environments(invoker.clone());
    let usage =
        Arc::new(pitbird_usage::State { store: store.clone(), telemetry: telemetry.clone(), environments });
    let sts = pitbird_sts::State { store: store.clone(), entropy };
    let (rollouts, executor) = pitbird_rollouts::new(rollout_parts(parts, cloudwatch.clone()));
    let (stop_rollouts, stopped) = oneshot::channel::<()>();
    let s3_reader = pitbird_s3::service(s3.clone());
    let deployment_parts = deployments::parts(store, invoker, cloudwatch.clone(), s3_reader, time_scale);
    let (codedeploy, deployer) = pitbird_codedeploy::new(deployment_parts);
    let (stop_deployments, deployments_stopped) = oneshot::channel::<()>();
    let tasks = Tasks {
        evaluator: pitbird_cloudwatch::start_evaluator(cloudwatch.clone()),
        actor: pitbird_cloudwatch::start_actor(cloudwatch.clone(), Arc::new(alarm_actions)),
        sweeper: pitbird_logs::start_sweeper(logs.clone()),
        blob_sweeper: pitbird_s3::start_sweeper(store.clone()),
        usage: UsageKeeper::start(store.clone(), edge.clone())?,
        meter: pitbird_usage::start_meter(usage.clone()),
        stop_rollouts,
        rollouts: tokio::spawn(executor.run(async move {
            // A dropped sender stops them as well.
            let _stopped = stopped.await;
        })),
        stop_deployments,
        deployments: tokio::spawn(deployer.run(async move {
            let _stopped = deployments_stopped.await;
        })),
    };
    let follower = pitbird_logs::start_follower(logs.clone());
    let locations = lambda.locations();
    let services = vec![
        pitbird_apigateway::service(Arc::new(apigateway)),
        pitbird_apigatewayv2::service(Arc::new(apigatewayv2)),
        pitbird_cloudwatch::service(cloudwatch),
        pitbird_codedeploy::service(codedeploy),
        pitbird_iam::service(Arc::new(iam)),
        pitbird_lambda::service(Arc::new(lambda)),
        pitbird_logs::service(logs),
        pitbird_rollouts::service(rollouts),
        pitbird_s3::service(s3),
        pitbird_sts::service(Arc::new(sts)),
        pitbird_usage::service(usage),
    ];
    Ok(Started { services, tasks, follower, locations })
}

/// The way of log events to the functions that subscribe to them.
fn subscribers(invoker: Invoker) -> pitbird_logs::Deliver {
    Arc::new(move |delivery| {
        let invoker = invoker.clone();
        Box::pin(async move {
            let pitbird_logs::Delivery { scope, function, qualifier, payload } = delivery;
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let invocation = pitbird_invoke::Invocation {
                request_id: pitbird_names::uuid(entropy()),
                payload: payload.into(),
                at_ms: since.as_millis() as i64,
                trace_id: None,
                client_context: None,
                is_queued: false,
                wants_log_tail: false,
            };
            let event = pitbird_invoke::Event { scope, function, qualifier, invocation };
            invoker.enqueue(event).await.map_err(|unqueued| unqueued.to_string())
        })
    })
}

/// The way of exported log events into buckets.
fn exports(s3: Service) -> pitbird_logs::Keep {
    let s3 = Arc::new(s3);
    Arc::new(move |file| {
        let s3 = s3.clone();
        Box::pin(async move {
            let pitbird_logs::Exported { scope, bucket, key, content } = file;
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let input = vec![
                ("Bucket".into(), Value::String(bucket)),
                ("Key".into(), Value::String(key)),
                ("Body".into(), Value::Blob(content.into())),
            ];
            let call = Call {
                caller: Caller::root(scope),
                request_id: pitbird_names::uuid(entropy()),
                now_ms: since.as_millis() as i64,
                endpoint: String::new(),
                trace_id: None,
                input: Value::Map(input),
            };
            let put = s3.call("PutObject", call).expect("s3 puts objects");
            put.await.map(drop).map_err(|fault| fault.into_told().message)
        })
    })
}

fn rollout_parts(parts: &Parts, cloudwatch: Arc<pitbird_cloudwatch::State>) -> pitbird_rollouts::Parts {
    let (edge, aliases) = (parts.edge.clone(), AliasCounters::new(parts.invoker.clone()));
    let (telemetry, measured) = (parts.telemetry.clone(), parts.telemetry.clone());
    let webhooks = Arc::new(Webhooks::default());
    pitbird_rollouts::Parts {
        store: parts.store.clone(),
        counts: Arc::new(move |target| counted(&edge, &aliases, target)),
        slots: Arc::new(move |subject| telemetry.slot(subject)),
        alarms: Arc::new(move |scope, names| alarms(&cloudwatch, scope, names)),
        samples: Arc::new(move |queries| {
            let measured = measured.clone();
            Box::pin(async move { measured.samples(queries).await })
        }),
        clock: Arc::new(|| {
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
        }),
        entropy,
        ask: rollout_hooks::ask(&parts.store, &parts.invoker, &webhooks),
        probe: rollout_hooks::probe(&parts.edge, &parts.store, &parts.invoker),
        warmth: rollout_hooks::warmth(&parts.store, &parts.invoker),
        prices: parts.prices.clone(),
        tell: Arc::new(move |notice| {
            let webhooks = webhooks.clone();
            Box::pin(async move {
                let pitbird_rollouts::Notice { url, body, signature } = notice;
                webhooks.post_signed(&url, body, signature.as_deref()).await
            })
        }),
    }
}

/// What functions have of environments, as the usage service tells it.
fn environments(invoker: Invoker) -> pitbird_usage::EnvironmentsOf {
    Arc::new(move |scope| {
        let told = |alive: pitbird_invoke::Alive| pitbird_usage::Environments {
            function_name: alive.function,
            version: alive.version.to_string(),
            alive: alive.ready,
            idle: alive.idle,
            starting: alive.starting,
        };
        invoker.alive(scope).into_iter().map(told).collect()
    })
}

/// What the data plane has counted on a rollout's target since this server started.
fn counted(edge: &Edge, aliases: &AliasCounters, target: &LiveTarget) -> Option<Counts> {
    match target {
        LiveTarget::RestStage { api_id, stage, .. } => {
            let (base, canary) = edge.counts(api_id, stage)?;
            let arm = |counts: pitbird_edge::Counts| ArmCounts {
                requests: counts.requests,
                failures: counts.server_errors,
            };
            Some(Counts { base: arm(base), canary: arm(canary), canary_use: canary_use(canary.used) })
        }
        LiveTarget::LambdaAlias { scope, function, alias, base, canary } => {
            let arm = |counts: pitbird_invoke::Counts| ArmCounts {
                requests: counts.invocations,
                failures: counts.errors,
            };
            let read = |version| aliases.read(scope, function, alias, version);
            let (base, canary) = (read(*base), read(*canary));
            let canary_use = CanaryUse {
                function_requests: canary.invocations,
                mib_ms: canary.mib_ms,
                provisioned_mib_ms: canary.provisioned_mib_ms,
                ..CanaryUse::default()
            };
            Some(Counts { base: arm(base), canary: arm(canary), canary_use })
        }
    }
}

fn canary_use(used: pitbird_edge::TrackUse) -> CanaryUse {
    let pitbird_edge::TrackUse { requests, requests_uncharged, bytes_out, functions } = used;
    CanaryUse {
        requests,
        requests_uncharged,
        bytes_out,
        function_requests: functions.requests,
        mib_ms: functions.mib_ms,
        provisioned_mib_ms: functions.provisioned_mib_ms,
    }
}

type AliasVersion = (Scope, String, String, VersionId);

/// Counters that are held at most: a hundred rollouts may run in each scope, each with two.
const COUNTERS_MAX: usize = 2048;

/// The counters of aliases that rollouts look at, held so that they go on counting between two looks.
struct AliasCounters {
    invoker: Invoker,
    held: Mutex<HashMap<AliasVersion, LiveCounts>>,
}

impl AliasCounters {
    fn new(invoker: Invoker) -> AliasCounters {
        AliasCounters { invoker, held: Mutex::default() }
    }

    fn read(&self, scope: &Scope, function: &str, alias: &str, version: VersionId) -> pitbird_invoke::Counts {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= COUNTERS_MAX {
            // They begin again at 0, which rollouts know how to read.
            held.clear();
        }
        let key = (scope.clone(), function.to_owned(), alias.to_owned(), version);
        let counter = held
            .entry(key)
            .or_insert_with(|| self.invoker.live_counts(scope, function, Some(alias), version));
        counter.read()
    }
}

/// How the alarms that a rollout names stand. One that can't be read is left out, which holds the rollout.
fn alarms(cloudwatch: &pitbird_cloudwatch::State, scope: &Scope, names: &[String]) -> Vec<Alarm> {
    let standings = cloudwatch.alarm_states(scope, names.iter().map(String::as_str));
    let standings = standings.unwrap_or_else(|error| {
        tracing::error!(%error, "alarms can't be read");
        Vec::new()
    });
    let state = |value| match value {
        AlarmValue::Ok => AlarmState::Ok,
        AlarmValue::Alarm => AlarmState::Alarm,
        AlarmValue::InsufficientData => AlarmState::InsufficientData,
    };
    standings.into_iter().map(|alarm| Alarm { name: alarm.name, state: state(alarm.state) }).collect()
}

/// Random bits that nobody can foretell: secrets are made from them.
pub fn entropy() -> u128 {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("every system that we run on has a random source");
    u128::from_ne_bytes(bytes)
}

#[cfg(test)]
mod tests;
