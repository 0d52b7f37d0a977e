//! A store with an API and a function in it, traffic that follows the live weights, alarms, and the service.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use pitbird_names::{Percent, Scope, VersionId, Weight};
use pitbird_records::{self as records, Alias, RestApi, Stage, key};
use pitbird_rollout::{Alarm, AlarmState, replay};
use pitbird_service::{Call, Caller, Service};
use pitbird_store::{Store, Transaction};
use pitbird_telemetry::Telemetry;
use pitbird_telemetry::tally::{Slots, Subject};
use pitbird_wire::{Catalog, Model};
use serde_json::{Value as Json, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::aws::recording::Tape;
use crate::{Entry, LiveTarget, Parts, Rollout};

mod filling;
mod road;

use filling::fill;
pub use road::{Crowd, Pace, Traffic};
use road::{Roads, share};

pub const BEGAN_MS: u64 = 1_700_000_000_000;
pub const API: &str = "a1b2c3d4e5";

/// What functions and URLs answer; those that aren't here are silent.
pub type Says = Arc<Mutex<BTreeMap<String, Result<&'static str, &'static str>>>>;

/// One run of the server: what lasts is the directory.
pub struct Bed {
    pub store: Store,
    service: Service,
    roads: Arc<Mutex<Roads>>,
    slots: Arc<Slots>,
    alarms: Arc<Mutex<BTreeMap<String, AlarmState>>>,
    /// What was told.
    pub told: Arc<Mutex<Vec<crate::Notice>>>,
    /// What hooks were asked, by their bodies, and how they answer.
    pub asked: Arc<Mutex<Vec<crate::HookCall>>>,
    pub says: Says,
    /// Probes that were sent: see [`answer`].
    pub probes: Arc<Mutex<Vec<crate::StageProbe>>>,
    /// The same for events.
    pub events: Arc<Mutex<Vec<crate::VersionProbe>>>,
    /// Environments of the canary that are ready; `u32::MAX`: none can be started.
    pub ready: Arc<AtomicU32>,
    /// How many more times counting breaks down while the canary has a share.
    pub breaks: Arc<AtomicUsize>,
    /// Where metrics are, for those who put some.
    pub metrics: Arc<OnceLock<Arc<Telemetry>>>,
    clock: crate::Clock,
    stop: Option<oneshot::Sender<()>>,
    executor: Option<JoinHandle<()>>,
}

pub fn model() -> &'static Model {
    Catalog::embedded().model("rollouts").expect("the model is embedded")
}

/// Whether a probe fails, by its path or by version and payload.
fn answer(call: &crate::ProbeCall) -> Option<bool> {
    match call {
        crate::ProbeCall::Request(call) => match call.request.path.as_str() {
            "/fails?q=1" => Some(true),
            "/refused" => None,
            _ => Some(false),
        },
        crate::ProbeCall::Event(call) => match call.payload.as_str() {
            r#""refused""# => None,
            r#""fails on 2""# => Some(call.version == VersionId::Number(2)),
            _ => Some(false),
        },
    }
}

fn entropy() -> u128 {
    0x1234_5678_9abc_def0_0fed_cba9_8765_4321
}

pub fn at(parts: &[&str]) -> String {
    key(&Scope::default(), parts)
}

impl Bed {
    /// Opens the directory, fills it when it is new, and runs the executor.
    pub async fn open(directory: &Path, began: Instant) -> Bed {
        let store = Store::open(directory).expect("a store");
        if store.get::<RestApi>(&at(&[API])).expect("readable").is_none() {
            store.write(fill).await.expect("a fresh store");
        }
        Bed::on(store, began)
    }

    /// An executor and a service on a store.
    pub fn on(store: Store, began: Instant) -> Bed {
        let breaks = Arc::new(AtomicUsize::new(0));
        let clock: crate::Clock = Arc::new(move || BEGAN_MS + began.elapsed().as_millis() as u64);
        let roads = Arc::new(Mutex::new(Roads::new(clock())));
        let alarms: Arc<Mutex<BTreeMap<String, AlarmState>>> = Arc::default();
        let slots: Arc<Slots> = Arc::default();
        let told: Arc<Mutex<Vec<crate::Notice>>> = Arc::default();
        let asked: Arc<Mutex<Vec<crate::HookCall>>> = Arc::default();
        let says = Says::default();
        let probes: Arc<Mutex<Vec<crate::StageProbe>>> = Arc::default();
        let events: Arc<Mutex<Vec<crate::VersionProbe>>> = Arc::default();
        let ready: Arc<AtomicU32> = Arc::default();
        let metrics: Arc<OnceLock<Arc<Telemetry>>> = Arc::default();
        let (state, executor) = crate::new(Parts {
            store: store.clone(),
            prices: Arc::new(pitbird_prices::PriceList::embedded().clone()),
            counts: {
                let (roads, store, clock) = (roads.clone(), store.clone(), clock.clone());
                let (breaks, slots) = (breaks.clone(), slots.clone());
                Arc::new(move |target| {
                    let left = breaks.load(Ordering::SeqCst);
                    if left > 0 && share(&store, target) > 0.0 {
                        breaks.store(left - 1, Ordering::SeqCst);
                        panic!("the count broke down, as it was told to");
                    }
                    let mut roads = roads.lock().unwrap();
                    let road = roads.of(target);
                    if let Some(tape) = &mut road.tape {
                        let counts = tape.counts(clock(), share(&store, target));
                        let (subject, arms) = target.subject();
                        tape.tell(counts, &slots.of(subject), arms);
                        return counts;
                    }
                    let counts = road.counts(clock(), share(&store, target));
                    let (subject, arms) = target.subject();
                    road.tell(counts, &slots.of(subject), arms);
                    Some(counts)
                })
            },
            slots: {
                let slots = slots.clone();
                Arc::new(move |subject| slots.of(subject))
            },
            alarms: {
                let (alarms, roads, clock) = (alarms.clone(), roads.clone(), clock.clone());
                Arc::new(move |_, names| {
                    if let Some(tape) = &roads.lock().unwrap().main.tape {
                        let state = tape.alarm(clock()).filter(|_| names.len() == 1);
                        return state
                            .map(|state| Alarm { name: names[0].clone(), state })
                            .into_iter()
                            .collect();
                    }
                    let alarms = alarms.lock().unwrap();
                    let found = names.iter().filter_map(|name| alarms.get_key_value(name));
                    found.map(|(name, state)| Alarm { name: name.clone(), state: *state }).collect()
                })
            },
            samples: {
                let metrics = metrics.clone();
                Arc::new(move |queries| {
                    let metrics = metrics.get().cloned();
                    Box::pin(async move {
                        match metrics {
                            Some(metrics) => metrics.samples(queries).await,
                            None => Ok(vec![crate::Minutes::new(); queries.len()]),
                        }
                    })
                })
            },
            clock: clock.clone(),
            entropy,
            tell: {
                let told = told.clone();
                Arc::new(move |notice| {
                    told.lock().unwrap().push(notice);
                    Box::pin(std::future::ready(Ok(())))
                })
            },
            probe: {
                let (probes, events) = (probes.clone(), events.clone());
                Arc::new(move |call| {
                    let said = answer(&call);
                    match call {
                        crate::ProbeCall::Request(call) => probes.lock().unwrap().push(call),
                        crate::ProbeCall::Event(call) => events.lock().unwrap().push(call),
                    }
                    Box::pin(std::future::ready(said))
                })
            },
            warmth: {
                let ready = ready.clone();
                Arc::new(move |_, _, _| match ready.load(Ordering::SeqCst) {
                    u32::MAX => crate::Warmth { ready: 0, has_failed: true },
                    ready => crate::Warmth { ready, has_failed: false },
                })
            },
            ask: {
                let (asked, says) = (asked.clone(), says.clone());
                Arc::new(move |call| {
                    let said = says.lock().unwrap().get(call.whom.as_str()).copied();
                    asked.lock().unwrap().push(call);
                    Box::pin(async move {
                        match said {
                            Some(said) => said.map(|said| said.as_bytes().to_vec()).map_err(str::to_owned),
                            None => std::future::pending().await,
                        }
                    })
                })
            },
        });
        let (stop, stopped) = oneshot::channel();
        let executor = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            executor.run(stopped).await.expect("a readable store");
        });
        Bed {
            store,
            service: crate::service(state),
            roads,
            slots,
            alarms,
            told,
            asked,
            says,
            probes,
            events,
            ready,
            breaks,
            metrics,
            clock,
            stop: Some(stop),
            executor: Some(executor),
        }
    }

    /// Stops the executor between two commits and closes the store, as a crash at that moment would leave it.
    pub async fn close(mut self) {
        self.stop().await;
    }

    /// Stops the executor; the service goes on.
    pub async fn stop(&mut self) {
        let _ = self.stop.take().expect("runs").send(());
        let executor = self.executor.take().expect("runs");
        executor.await.expect("the executor ended");
    }

    pub fn service(&self) -> &Service {
        &self.service
    }

    pub fn now_ms(&self) -> u64 {
        (self.clock)()
    }

    /// Sends requests to the canary, whatever its weight.
    pub fn force(&self, requests: u64) {
        self.roads.lock().unwrap().main.forced += requests;
    }

    pub fn traffic(&self, traffic: Traffic) {
        let road = &mut self.roads.lock().unwrap().main;
        let now_ms = (self.clock)();
        // What has passed until now passed under the traffic before.
        let share = share(
            &self.store,
            &LiveTarget::RestStage { scope: Scope::default(), api_id: API.into(), stage: "prod".into() },
        );
        road.counts(now_ms, share);
        road.traffic = traffic;
    }

    /// Another function has traffic of its own from now on.
    pub fn traffic_of(&self, function: &str, traffic: Traffic, pace: Option<Pace>) {
        let now_ms = (self.clock)();
        self.roads.lock().unwrap().open(function, now_ms, traffic, pace);
    }

    /// From now on a recording says what is counted, and how the one alarm stands that a plan may name.
    pub fn play(&self, tape: Tape) {
        self.roads.lock().unwrap().main.tape = Some(tape);
    }

    /// The same for another function.
    pub fn play_of(&self, function: &str, tape: Tape) {
        self.traffic_of(function, Traffic::default(), None);
        let mut roads = self.roads.lock().unwrap();
        roads.named(function).expect("it was opened just now").tape = Some(tape);
    }

    /// From now on these clients come instead.
    pub fn crowd(&self, crowd: Crowd) {
        self.roads.lock().unwrap().main.crowd = Some(crowd);
    }

    /// From now on requests take time, and take routes.
    pub fn pace(&self, pace: Pace) {
        self.roads.lock().unwrap().main.pace = Some(pace);
    }

    /// Does somebody count on the stage?
    pub fn is_counted(&self) -> bool {
        let subject = Subject::Stage { api_id: API.into(), stage: "prod".into() };
        self.slots.of(subject).watch().is_some()
    }

    /// Both arms have answered so many requests.
    pub fn pair(&self, requests: u64, base_failed: bool, canary_failed: bool) {
        let subject = Subject::Stage { api_id: API.into(), stage: "prod".into() };
        let watch = self.slots.of(subject).watch().expect("somebody counts");
        (0..requests).for_each(|_| watch.tally.pair(base_failed, canary_failed));
    }

    /// Waits until nobody counts on the stage. The store's writer takes real time, which the paused clock doesn't know.
    pub async fn uncounted(&self) {
        let began = std::time::Instant::now();
        while self.is_counted() {
            assert!(began.elapsed().as_secs() < 60, "somebody still counts after the end");
            tokio::task::yield_now().await;
        }
    }

    pub fn ring(&self, alarm: &str, state: AlarmState) {
        self.alarms.lock().unwrap().insert(alarm.into(), state);
    }

    /// From now on a function or URL answers so.
    pub fn say(&self, whom: &str, said: Result<&'static str, &'static str>) {
        self.says.lock().unwrap().insert(whom.into(), said);
    }

    /// What hooks were asked, oldest first.
    pub fn asked(&self) -> Vec<Json> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|call| serde_json::from_str(&call.body).expect("JSON")).collect()
    }

    pub fn forget(&self, alarm: &str) {
        self.alarms.lock().unwrap().remove(alarm);
    }

    pub async fn run(&self, operation: &str, input: Json) -> Result<Json, String> {
        let input = pitbird_wire::to_value(&input).expect("JSON is a value");
        let known = model().operation(operation).expect(operation);
        let violations = pitbird_wire::check(model(), known, &input);
        if !violations.is_empty() {
            return Err(format!("ValidationException: {}", pitbird_wire::summary(&violations)));
        }
        let call = Call {
            caller: Caller { access_key_id: Some("AKIATEST".into()), ..Caller::root(Scope::default()) },
            request_id: String::new(),
            now_ms: self.now_ms() as i64,
            endpoint: String::new(),
            trace_id: None,
            input,
        };
        let output = self
            .service
            .call(operation, call)
            .expect(operation)
            .await
            .map(pitbird_service::Answer::into_output);
        let output = output.map_err(|fault| {
            let words = fault.cause.as_deref().unwrap_or(&fault.message);
            format!("{}: {words}", fault.code)
        })?;
        Ok(serde_json::to_value(&output).expect("a value is JSON"))
    }

    /// Calls an operation on a rollout and answers the rollout.
    pub async fn ok(&self, operation: &str, input: Json) -> Json {
        let answer = self.run(operation, input.clone()).await;
        answer.unwrap_or_else(|words| panic!("{operation} {input}: {words}"))["Rollout"].clone()
    }

    /// Starts a rollout of the stage's second deployment.
    pub async fn start_stage(&self, name: &str, more: Json) -> Json {
        let input = json!({
            "Name": name,
            "Target": {"RestStage": {"RestApiId": API, "StageName": "prod"}},
            "Canary": {"DeploymentId": "d2"},
            "Steps": steps(),
            "Rules": {"MaxDurationMs": 600_000},
        });
        self.ok("StartRollout", with(input, more)).await
    }

    /// Starts a rollout of the function's second version.
    pub async fn start_alias(&self, name: &str) -> Json {
        self.start_alias_with(name, json!({})).await
    }

    pub async fn start_alias_with(&self, name: &str, more: Json) -> Json {
        let input = json!({
            "Name": name,
            "Target": {"LambdaAlias": {"FunctionName": "pets", "AliasName": "live"}},
            "Canary": {"FunctionVersion": "2"},
            "Steps": steps(),
            "Rules": {"MaxDurationMs": 600_000},
        });
        self.ok("StartRollout", with(input, more)).await
    }

    pub async fn get(&self, name: &str) -> Json {
        self.ok("GetRollout", json!({"Name": name})).await
    }

    /// Waits for a commit after which the rollout is as wanted; it must not have ended otherwise.
    pub async fn until(&self, name: &str, wanted: impl Fn(&Json) -> bool) -> Json {
        let rollout = self.settled(name, |rollout| wanted(rollout) || rollout["EndedAt"].is_number()).await;
        assert!(wanted(&rollout), "ended otherwise: {rollout:#}");
        rollout
    }

    /// Waits for the rollout's end and for the time of its last change to be written.
    pub async fn end(&self, name: &str) -> Json {
        let is_live = |rollout: &Json| {
            let shifts = rollout["Shifts"].as_array().expect("a list");
            shifts.iter().all(|shift| shift["LiveAt"].is_number())
        };
        let rollout = self.settled(name, |rollout| rollout["EndedAt"].is_number() && is_live(rollout)).await;
        self.check_replay(name);
        rollout
    }

    /// Waits for a commit after which the rollout is as wanted.
    pub async fn settled(&self, name: &str, wanted: impl Fn(&Json) -> bool) -> Json {
        let mut commits = self.store.watch();
        loop {
            commits.borrow_and_update();
            let rollout = self.get(name).await;
            if wanted(&rollout) {
                return rollout;
            }
            commits.changed().await.expect("the store is open");
        }
    }

    pub async fn watching(&self, name: &str, percent: f64) -> Json {
        self.until(name, |rollout| rollout["Phase"] == "Watching" && rollout["Percent"] == percent).await
    }

    /// The records of a rollout make its state, and are the same after a replay.
    pub fn check_replay(&self, name: &str) {
        let rollout = self.rollout(name);
        let records: Vec<_> = self.entries(name).into_iter().map(|entry| entry.record).collect();
        let state = replay(&rollout.plan, &records).expect("the records replay");
        assert_eq!(state, rollout.state);
    }

    pub fn rollout(&self, name: &str) -> Rollout {
        self.store.get(&at(&[name])).expect("readable").expect("a rollout").record
    }

    pub fn entries(&self, name: &str) -> Vec<Entry> {
        let entries =
            self.store.list::<Entry>(&records::prefix(&Scope::default(), &[name])).expect("readable");
        let entries: Vec<Entry> = entries.into_iter().map(|found| found.record).collect();
        assert!(
            entries.iter().map(|entry| entry.number).eq(1..=entries.len() as u64),
            "numbered without gaps"
        );
        entries
    }

    pub fn stage(&self) -> Stage {
        self.store.get(&at(&[API, "prod"])).expect("readable").expect("a stage").record
    }

    pub fn alias(&self) -> Alias {
        self.alias_of("pets")
    }

    pub fn alias_of(&self, function: &str) -> Alias {
        self.store.get(&at(&[function, "live"])).expect("readable").expect("an alias").record
    }

    /// Changes the stage by hand.
    pub async fn edit_stage(&self, edit: impl FnOnce(&mut Stage) + Send + 'static) {
        let edit = move |tx: &mut Transaction<'_>| {
            let mut stage = tx.get::<Stage>(&at(&[API, "prod"]))?.expect("a stage").record;
            edit(&mut stage);
            tx.put(&stage)
        };
        self.store.write::<_, pitbird_store::Error>(edit).await.expect("written");
    }

    /// Changes the alias by hand.
    pub async fn edit_alias(&self, edit: impl FnOnce(&mut Alias) + Send + 'static) {
        self.edit_alias_of("pets", edit).await;
    }

    pub async fn edit_alias_of(
        &self,
        function: &'static str,
        edit: impl FnOnce(&mut Alias) + Send + 'static,
    ) {
        let edit = move |tx: &mut Transaction<'_>| {
            let mut alias = tx.get::<Alias>(&at(&[function, "live"]))?.expect("an alias").record;
            edit(&mut alias);
            tx.put(&alias)
        };
        self.store.write::<_, pitbird_store::Error>(edit).await.expect("written");
    }
}

pub fn steps() -> Json {
    json!([{"Percent": 10, "WaitMs": 5000}, {"Percent": 50, "WaitMs": 5000}, {"Percent": 100, "WaitMs": 5000}])
}

pub fn with(mut input: Json, more: Json) -> Json {
    let members = input.as_object_mut().expect("an object");
    members.extend(more.as_object().expect("an object").clone());
    input
}

pub fn percent(value: f64) -> Percent {
    Percent::new(value).expect("a percentage")
}

pub fn weight(value: f64) -> Weight {
    Weight::new(value).expect("a share")
}
