//! APIs of 50 routes in a store, the rollouts service on it, and a data plane that is played.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use pitbird_names::{Percent, Scope};
use pitbird_records::{Canary, Deployment, Resource, RestApi, Stage, Texts};
use pitbird_rollouts::{ArmCounts, Counts, LiveTarget, Parts, Warmth};
use pitbird_service::{Call, Caller, Service};
use pitbird_store::{Store, Transaction};
use pitbird_telemetry::tally::{Request, STAGE_BASE, STAGE_CANARY, Slots, Subject};
use pitbird_wire::{Catalog, Model};
use serde_json::{Value as Json, json};
use tokio::time::Instant;

pub const ROUTES: usize = 50;
const BEGAN_MS: u64 = 1_700_000_000_000;
/// Requests of each route when an API is served.
const REQUESTS: u64 = 24;

pub struct Bed {
    store: Store,
    service: Service,
    slots: Arc<Slots>,
    served: Arc<Vec<[AtomicU64; 2]>>,
    begun: AtomicUsize,
    paths: Vec<String>,
    clock: pitbird_rollouts::Clock,
}

fn model() -> &'static Model {
    Catalog::embedded().model("rollouts").expect("the model is embedded")
}

impl Bed {
    pub async fn open(directory: &Path, rollouts: usize) -> Bed {
        let store = Store::open(directory).expect("a store");
        for number in 0..rollouts {
            store.write(move |tx| fill(tx, number)).await.expect("an API");
        }
        let began = Instant::now();
        let clock: pitbird_rollouts::Clock = Arc::new(move || BEGAN_MS + began.elapsed().as_millis() as u64);
        let slots: Arc<Slots> = Arc::default();
        let served: Arc<Vec<[AtomicU64; 2]>> = Arc::new((0..rollouts).map(|_| Default::default()).collect());
        let (state, executor) = pitbird_rollouts::new(Parts {
            store: store.clone(),
            prices: Arc::new(pitbird_prices::PriceList::embedded().clone()),
            counts: {
                let served = served.clone();
                Arc::new(move |target| {
                    let LiveTarget::RestStage { api_id, .. } = target else { return None };
                    let counts = &served[api_id.strip_prefix("api")?.parse::<usize>().ok()?];
                    let arm = |at: u64| ArmCounts {
                        requests: counts[at as usize].load(Ordering::Relaxed),
                        failures: 0,
                    };
                    Some(Counts { base: arm(STAGE_BASE), canary: arm(STAGE_CANARY), ..Counts::default() })
                })
            },
            slots: {
                let slots = slots.clone();
                Arc::new(move |subject| slots.of(subject))
            },
            alarms: Arc::new(|_, _| Vec::new()),
            samples: Arc::new(|_| Box::pin(std::future::ready(Ok(Vec::new())))),
            clock: clock.clone(),
            entropy: || 0x1234_5678_9abc_def0_0fed_cba9_8765_4321,
            tell: Arc::new(|_| Box::pin(std::future::ready(Ok(())))),
            ask: Arc::new(|_| Box::pin(std::future::pending())),
            probe: Arc::new(|_| Box::pin(std::future::ready(None))),
            warmth: Arc::new(|_, _, _| Warmth::default()),
        });
        tokio::spawn(executor.run(std::future::pending()));
        let paths = (0..ROUTES).map(|route| format!("/r{route}")).collect();
        Bed {
            store,
            service: pitbird_rollouts::service(state),
            slots,
            served,
            begun: AtomicUsize::new(0),
            paths,
            clock,
        }
    }

    /// Starts rollouts that stay at 50 % for long.
    pub async fn begin(&self, numbers: Range<usize>) {
        for number in numbers {
            self.begun.fetch_add(1, Ordering::Relaxed);
            self.ok(
                "StartRollout",
                json!({
                    "Name": format!("weighed-{number}"),
                    "Target": {"RestStage": {"RestApiId": format!("api{number}"), "StageName": "prod"}},
                    "Canary": {"DeploymentId": "d2"}, "Routes": ["*"], "Latency": {},
                    "Steps": [{"Percent": 50, "WaitMs": 6_000_000}],
                    "Rules": {"IntervalMs": 1000, "Margin": 0.3, "MaxDurationMs": 86_400_000},
                }),
            )
            .await;
        }
    }

    /// Lets requests pass through every route, all of the base before the rollout has moved anything.
    pub fn serve(&self, numbers: Range<usize>) {
        for number in numbers {
            let slot = self.slots.of(Subject::Stage { api_id: format!("api{number}"), stage: "prod".into() });
            for (at, path) in (0..REQUESTS).flat_map(|at| self.paths.iter().map(move |path| (at, path))) {
                slot.record(|| Request {
                    arm: STAGE_BASE,
                    route: Some(("GET", path)),
                    latency_us: 1_000 + at * 100,
                    is_cold: false,
                    is_failure: false,
                    client: Some(at),
                    environment: Some(at),
                    drawn: None,
                });
            }
            self.served[number][0].fetch_add(REQUESTS * ROUTES as u64, Ordering::Relaxed);
        }
    }

    /// Gives stages a canary that no rollout moves.
    pub async fn give_canaries(&self, numbers: Range<usize>) {
        for number in numbers {
            let give = move |tx: &mut Transaction<'_>| {
                let stage = stage(Scope::default(), format!("api{number}"));
                let canary = Canary {
                    deployment_id: "d2".into(),
                    percent_traffic: Percent::new(50.0).expect("a percentage"),
                    stage_variable_overrides: None,
                    use_stage_cache: false,
                };
                tx.put(&Stage { canary: Some(canary), ..stage }).map(|_| ())
            };
            self.store.write::<(), pitbird_store::Error>(give).await.expect("a canary");
        }
    }

    /// Rollouts at 50 %, and others: to be seen that the right thing was weighed.
    pub async fn standing(&self) -> (usize, usize) {
        let (mut shifted, mut others) = (0, 0);
        for number in 0..self.begun.load(Ordering::Relaxed) {
            let rollout = self.ok("GetRollout", json!({"Name": format!("weighed-{number}")})).await;
            let count = if rollout["Percent"] == 50.0 { &mut shifted } else { &mut others };
            *count += 1;
        }
        (shifted, others)
    }

    async fn ok(&self, operation: &str, input: Json) -> Json {
        let call = Call {
            caller: Caller::root(Scope::default()),
            request_id: String::new(),
            now_ms: (self.clock)() as i64,
            endpoint: String::new(),
            trace_id: None,
            input: pitbird_wire::to_value(&input).expect("JSON is a value"),
        };
        let known = model().operation(operation).expect("an operation");
        assert!(pitbird_wire::check(model(), known, &call.input).is_empty(), "{input}");
        let answer = self.service.call(operation, call).expect("an operation").await;
        let output = answer.unwrap_or_else(|fault| panic!("{}: {}", fault.code, fault.message)).into_output();
        serde_json::to_value(&output).expect("a value is JSON")["Rollout"].clone()
    }
}

/// An API of so many routes, with two deployments.
fn fill(tx: &mut Transaction<'_>, number: usize) -> Result<(), pitbird_store::Error> {
    let (scope, api_id) = (Scope::default(), format!("api{number}"));
    let api = RestApi {
        scope: scope.clone(),
        id: api_id.clone(),
        name: api_id.clone(),
        description: None,
        version: None,
        created_ms: 0,
        binary_media_types: Vec::new(),
        minimum_compression_size: None,
        api_key_source: "HEADER".into(),
        endpoint_types: vec!["EDGE".into()],
        ip_address_type: "ipv4".into(),
        vpc_endpoint_ids: Vec::new(),
        policy: None,
        disable_execute_api_endpoint: false,
        root_resource_id: "root".into(),
        tags: Texts::new(),
    };
    tx.put(&api)?;
    let resource = |route: usize| Resource {
        scope: scope.clone(),
        api_id: api_id.clone(),
        id: format!("r{route}"),
        parent_id: None,
        path_part: None,
        path: format!("/r{route}"),
        methods: [("GET".to_owned(), Default::default())].into(),
    };
    for id in ["d1", "d2"] {
        tx.put(&Deployment {
            scope: scope.clone(),
            api_id: api_id.clone(),
            id: id.into(),
            description: None,
            created_ms: 0,
            api: api.clone(),
            resources: (0..ROUTES).map(resource).collect(),
            models: Vec::new(),
            request_validators: Vec::new(),
            authorizers: Vec::new(),
            gateway_responses: Vec::new(),
        })?;
    }
    tx.put(&stage(scope.clone(), api_id)).map(|_| ())
}

fn stage(scope: Scope, api_id: String) -> Stage {
    Stage {
        scope,
        api_id,
        name: "prod".into(),
        deployment_id: "d1".into(),
        description: None,
        created_ms: 0,
        updated_ms: 0,
        variables: Texts::new(),
        canary: None,
        method_settings: Default::default(),
        access_log: None,
        documentation_version: None,
        tracing_enabled: false,
        cache_cluster_enabled: false,
        cache_cluster_size: None,
        client_certificate_id: None,
        cache_flushed: 0,
        authorizers_flushed: 0,
        tags: Texts::new(),
    }
}
