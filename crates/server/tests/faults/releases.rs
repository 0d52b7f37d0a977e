//! Rollouts of good and bad canaries, one after the other, under traffic that outlives servers.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use pitbird_testkit::{Calls, done, wait_for};
use serde_json::{Value, json};

/// How long a rollout may go between two records or to its end, on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// An API whose deployments answer 200, but for one that answers 500.
pub struct Releases {
    api: String,
    /// The deployment that must be live when no rollout runs.
    live: String,
    /// Rollouts that were started, with the deployment that each must leave behind.
    expected: HashMap<String, (String, &'static str)>,
    root: String,
    traffic: Traffic,
}

pub struct Traffic {
    place: Arc<Place>,
    clients: Vec<JoinHandle<()>>,
}

/// Where the server is just now.
#[derive(Default)]
struct Place {
    now: Mutex<Now>,
    has_changed: Condvar,
}

#[derive(Clone, Default)]
struct Now {
    calls: Option<Calls>,
    /// Counts what clients were told.
    told: u64,
    is_over: bool,
}

impl Releases {
    pub fn prepare(calls: &Calls) -> Releases {
        let (api, root) = calls.mock_api("releases", 200);
        let live = calls.deploy(&api, json!({"stageName": "prod"}));
        let traffic = Traffic::start(&api);
        Releases { api, live, expected: HashMap::new(), root, traffic }
    }

    /// Starts the next rollout: of a bad canary every third time. Its name.
    pub fn start(&mut self, calls: &Calls) -> String {
        self.traffic.move_to(calls);
        let number = self.expected.len();
        let name = format!("release-{number}");
        let is_bad = number % 3 == 2;
        calls.mock(&self.api, &self.root, if is_bad { 500 } else { 200 });
        let canary = calls.deploy(&self.api, json!({}));
        let step = |percent| json!({"Percent": percent, "WaitMs": 100});
        let order = json!({
            "Name": name,
            "Target": {"RestStage": {"RestApiId": self.api, "StageName": "prod"}},
            "Canary": {"DeploymentId": canary},
            "Steps": [step(30), step(60), step(100)],
            "Rules": {"Margin": 0.3, "CanaryRequestsMin": 20, "IntervalMs": 50},
        });
        done(calls.json("PitbirdRollouts_20261101.StartRollout", order));
        let expected = if is_bad { (self.live.clone(), "RolledBack") } else { (canary, "Promoted") };
        self.expected.insert(name.clone(), expected);
        name
    }

    /// Waits until a rollout has so many records or has ended; whether it goes on.
    pub fn runs_on(&self, calls: &Calls, name: &str, records: usize) -> bool {
        self.traffic.move_to(calls);
        wait_for("the rollout's next record", DEADLINE, || {
            let rollout = rollout(calls, name);
            if rollout["EndedAt"] != Value::Null {
                return Some(false);
            }
            (rollout["RecordCount"].as_u64().unwrap_or(0) >= records as u64).then_some(true)
        })
    }

    /// It ended as its canary deserved, and the stage with it.
    pub fn check(&mut self, calls: &Calls, name: &str) {
        let (deployment, status) = self.expected[name].clone();
        let rollout = rollout(calls, name);
        assert_eq!(rollout["Status"], status, "{rollout:#}");
        let stage =
            done(calls.rest("GET", &format!("/restapis/{}/stages/prod", self.api), Value::Null)).json();
        assert_eq!(stage["deploymentId"], *deployment, "{name}: {stage:#}");
        assert_eq!(stage.get("canarySettings"), None, "{name}");
        for _ in 0..20 {
            done(calls.fetch(&self.api, "prod", "/"));
        }
        self.live = deployment;
    }
}

pub fn rollout(calls: &Calls, name: &str) -> Value {
    let mut answer = done(calls.json("PitbirdRollouts_20261101.GetRollout", json!({"Name": name}))).json();
    answer["Rollout"].take()
}

impl Traffic {
    pub fn start(api: &str) -> Traffic {
        let place = Arc::new(Place::default());
        let client = || {
            let (place, api) = (place.clone(), api.to_owned());
            std::thread::spawn(move || place.ask_on(&api))
        };
        let clients = (0..2).map(|_| client()).collect();
        Traffic { place, clients }
    }

    pub fn move_to(&self, calls: &Calls) {
        self.place.tell(|now| now.calls = Some(calls.clone()));
    }
}

impl Place {
    fn tell(&self, change: impl FnOnce(&mut Now)) {
        let mut now = self.now.lock().expect("nobody panics with it");
        change(&mut now);
        now.told += 1;
        self.has_changed.notify_all();
    }

    /// Sends request after request; when there is no server, waits to be told where the next one is.
    fn ask_on(&self, api: &str) {
        let mut told = 0;
        loop {
            let now = {
                let now = self.now.lock().expect("nobody panics with it");
                let news = |now: &mut Now| now.told == told && !now.is_over;
                self.has_changed.wait_while(now, news).expect("nobody panics with it").clone()
            };
            let Some(calls) = now.calls.filter(|_| !now.is_over) else { return };
            told = now.told;
            while calls.fetch(api, "prod", "/").is_ok() {
                if self.now.lock().expect("nobody panics with it").is_over {
                    return;
                }
            }
        }
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.place.tell(|now| now.is_over = true);
        for client in self.clients.drain(..) {
            let _panicked = client.join();
        }
    }
}
