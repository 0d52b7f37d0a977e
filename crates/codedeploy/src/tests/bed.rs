//! A store with a function, a role and an alias in it; and the service.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use pitbird_names::{Account, Scope, VersionId};
use pitbird_records::function::{Code, LastUpdate, Logging, Settings};
use pitbird_records::role::TrustStatement;
use pitbird_records::{
    self as records, Alias, FunctionDeployment, FunctionVersion, Record, Role, Texts, key,
};
use pitbird_service::{Call, Caller, Service};
use pitbird_store::{Store, Transaction};
use pitbird_wire::{Catalog, Model};
use serde_json::{Value as Json, json};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::{AlarmStanding, Fetched, HookCall, Parts, Told};

pub const ROLE: &str = "arn:aws:iam::000000000000:role/deployer";
/// What waits are divided by: a minute is a tenth of a second, the hour of hooks six seconds.
pub const SCALE: f64 = 600.0;
pub const MINUTE_MS: u64 = 100;

/// What a test scripts, and what it sees.
#[derive(Default)]
pub struct Around {
    /// Alarms, and which of them are on.
    pub alarms: BTreeMap<String, bool>,
    /// Actions that the role may not take.
    pub forbidden: BTreeSet<String>,
    /// Functions that fail when they are asked, and their errors.
    pub failing: BTreeMap<String, String>,
    /// Objects by bucket and key.
    pub objects: BTreeMap<String, String>,
}

/// One run of the server: what lasts is the directory.
pub struct Bed {
    pub store: Store,
    service: Service,
    pub around: Arc<Mutex<Around>>,
    /// Hooks as they were asked, and what triggers were told.
    pub asked: watch::Sender<Vec<HookCall>>,
    pub told: watch::Sender<Vec<Told>>,
    clock: crate::Clock,
    stop: Option<oneshot::Sender<()>>,
    executor: Option<JoinHandle<()>>,
}

pub fn model() -> &'static Model {
    Catalog::embedded().model("codedeploy").expect("the model is embedded")
}

/// Never the same twice, and well spread.
fn entropy() -> u128 {
    static DRAWN: AtomicU64 = AtomicU64::new(1);
    u128::from(DRAWN.fetch_add(1, Ordering::Relaxed)).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
}

pub fn at(parts: &[&str]) -> String {
    key(&Scope::default(), parts)
}

pub fn with(mut input: Json, more: Json) -> Json {
    let members = input.as_object_mut().expect("an object");
    members.extend(more.as_object().expect("an object").clone());
    input
}

/// From version 1 to 2 of the alias `live` of `pets`.
pub fn appspec(hooks: &[(&str, &str)]) -> String {
    let properties = json!({"Name": "pets", "Alias": "live", "CurrentVersion": "1", "TargetVersion": "2"});
    let hooks: Vec<Json> = hooks.iter().map(|(event, function)| json!({ *event: function })).collect();
    let resource = json!({"pets": {"Type": "AWS::Lambda::Function", "Properties": properties}});
    json!({"version": 0.0, "Resources": [resource], "Hooks": hooks}).to_string()
}

pub fn revision(content: &str) -> Json {
    json!({"revisionType": "AppSpecContent", "appSpecContent": {"content": content}})
}

impl Bed {
    /// Opens the directory, fills it when it is new, and runs the executor.
    pub async fn open(directory: &Path, time_scale: f64) -> Bed {
        let store = Store::open(directory).expect("a store");
        if store.get::<Alias>(&at(&["pets", "live"])).expect("readable").is_none() {
            store.write(fill).await.expect("a fresh store");
        }
        let clock: crate::Clock = Arc::new(|| {
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
        });
        let around: Arc<Mutex<Around>> = Arc::default();
        let (asked, told) = (watch::Sender::new(Vec::new()), watch::Sender::new(Vec::new()));
        let (state, executor) =
            crate::new(Parts { time_scale, ..parts(&store, &around, &asked, &told, &clock) });
        let (stop, stopped) = oneshot::channel();
        let executor = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            executor.run(stopped).await.expect("a readable store");
        });
        let service = crate::service(state);
        Bed { store, service, around, asked, told, clock, stop: Some(stop), executor: Some(executor) }
    }

    /// Stops between two commits and closes the store, as a crash at that moment would leave it.
    pub async fn close(mut self) {
        self.halt().await;
    }

    /// Stops the executor; the service goes on.
    pub async fn halt(&mut self) {
        let (Some(stop), Some(executor)) = (self.stop.take(), self.executor.take()) else { return };
        let _ = stop.send(());
        executor.await.expect("the executor ended");
    }

    pub fn service(&self) -> &Service {
        &self.service
    }

    pub fn now_ms(&self) -> u64 {
        (self.clock)()
    }

    pub fn around(&self) -> std::sync::MutexGuard<'_, Around> {
        self.around.lock().expect("nobody panicked")
    }

    /// Code and words of a refusal.
    pub async fn run(&self, operation: &str, input: Json) -> Result<Json, (String, String)> {
        let input = pitbird_wire::to_value(&input).expect("JSON is a value");
        let known = model().operation(operation).expect(operation);
        let violations = pitbird_wire::check(model(), known, &input);
        if !violations.is_empty() {
            return Err(("ValidationException".into(), pitbird_wire::summary(&violations)));
        }
        let call = Call {
            caller: Caller::root(Scope::default()),
            request_id: String::new(),
            now_ms: self.now_ms() as i64,
            endpoint: String::new(),
            trace_id: None,
            input,
        };
        let output = self.service.call(operation, call).expect(operation).await;
        let output = output.map_err(|fault| {
            let told = fault.into_told();
            (told.code.to_string(), told.cause.unwrap_or(told.message))
        })?;
        Ok(serde_json::to_value(output.into_output()).expect("a value is JSON"))
    }

    pub async fn ok(&self, operation: &str, input: Json) -> Json {
        let answer = self.run(operation, input.clone()).await;
        answer.unwrap_or_else(|words| panic!("{operation} {input}: {words:?}"))
    }

    pub async fn refused(&self, operation: &str, input: Json) -> (String, String) {
        match self.run(operation, input.clone()).await {
            Ok(answer) => panic!("{operation} {input} is answered: {answer}"),
            Err(refusal) => refusal,
        }
    }

    /// An application `app` with a group `group`.
    pub async fn group(&self, more: Json) {
        self.ok("CreateApplication", json!({"applicationName": "app", "computePlatform": "Lambda"})).await;
        self.ok("CreateDeploymentGroup", with(group_input("group"), more)).await;
    }

    /// Makes a deployment from 1 to 2; its id.
    pub async fn deploy(&self, config: &str, hooks: &[(&str, &str)], more: Json) -> String {
        let input = json!({
            "applicationName": "app",
            "deploymentGroupName": "group",
            "deploymentConfigName": format!("CodeDeployDefault.Lambda{config}"),
            "revision": revision(&appspec(hooks)),
        });
        // No two of them are of the same millisecond.
        let before_ms = self.now_ms();
        while self.now_ms() == before_ms {
            tokio::task::yield_now().await;
        }
        let made = self.ok("CreateDeployment", with(input, more)).await;
        made["deploymentId"].as_str().expect("an id").to_owned()
    }

    pub async fn info(&self, id: &str) -> Json {
        self.ok("GetDeployment", json!({"deploymentId": id})).await["deploymentInfo"].clone()
    }

    /// The deployment's target.
    pub async fn target(&self, id: &str) -> Json {
        let input = json!({"deploymentId": id, "targetId": "pets:live"});
        self.ok("GetDeploymentTarget", input).await["deploymentTarget"]["lambdaTarget"].clone()
    }

    /// The statuses of its lifecycle events.
    pub async fn events(&self, id: &str) -> Vec<String> {
        let target = self.target(id).await;
        let events = target["lifecycleEvents"].as_array().expect("a list").iter();
        events.map(|event| event["status"].as_str().expect("a text").to_owned()).collect()
    }

    /// Waits for a commit after which the deployment is as wanted.
    pub async fn until(&self, id: &str, wanted: impl Fn(&FunctionDeployment) -> bool) -> FunctionDeployment {
        let mut commits = self.store.watch();
        loop {
            commits.borrow_and_update();
            let deployment = self.deployment(id);
            if wanted(&deployment) {
                return deployment;
            }
            assert!(!deployment.has_ended(), "it has ended otherwise: {deployment:?}");
            commits.changed().await.expect("the store is open");
        }
    }

    pub async fn end(&self, id: &str) -> Json {
        self.until(id, FunctionDeployment::has_ended).await;
        self.info(id).await
    }

    pub fn deployment(&self, id: &str) -> FunctionDeployment {
        self.store.get(&at(&[id])).expect("readable").expect("a deployment").record
    }

    /// Waits until the `count`-th hook was asked.
    pub async fn asked(&self, count: usize) -> HookCall {
        let mut asked = self.asked.subscribe();
        let found = asked.wait_for(|asked| asked.len() >= count).await.expect("the bed holds it");
        found[count - 1].clone()
    }

    /// Answers for a hook.
    pub async fn answer(&self, call: &HookCall, status: &str) {
        let event: Json = serde_json::from_str(&call.event).expect("JSON");
        let input = json!({
            "deploymentId": event["DeploymentId"],
            "lifecycleEventHookExecutionId": event["LifecycleEventHookExecutionId"],
            "status": status,
        });
        self.ok("PutLifecycleEventHookExecutionStatus", input).await;
    }

    /// Where the alias leads, and its share for another version.
    pub fn leads(&self) -> (VersionId, Option<f64>) {
        let alias: Alias =
            self.store.get(&at(&["pets", "live"])).expect("readable").expect("an alias").record;
        (alias.version, alias.additional.map(|additional| additional.weight.get()))
    }

    /// Changes something by hand.
    pub async fn edit<R: Record>(&self, key: &str, edit: impl FnOnce(&mut R) + Send + 'static) {
        let key = key.to_owned();
        let edit = move |tx: &mut Transaction<'_>| {
            let mut record = tx.get::<R>(&key)?.expect("is there").record;
            edit(&mut record);
            tx.put(&record)
        };
        self.store.write::<_, pitbird_store::Error>(edit).await.expect("written");
    }
}

pub fn group_input(name: &str) -> Json {
    json!({
        "applicationName": "app",
        "deploymentGroupName": name,
        "serviceRoleArn": ROLE,
        "deploymentStyle": {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
    })
}

fn parts(
    store: &Store,
    around: &Arc<Mutex<Around>>,
    asked: &watch::Sender<Vec<HookCall>>,
    told: &watch::Sender<Vec<Told>>,
    clock: &crate::Clock,
) -> Parts {
    let (alarms, may, failing, objects) = (around.clone(), around.clone(), around.clone(), around.clone());
    let (asked, told) = (asked.clone(), told.clone());
    Parts {
        store: store.clone(),
        alarms: Arc::new(move |_, names| {
            let around = alarms.lock().expect("whole");
            let found = names.iter().filter_map(|name| around.alarms.get_key_value(name));
            found
                .map(|(name, is_active)| AlarmStanding { name: name.clone(), is_active: *is_active })
                .collect()
        }),
        may: Arc::new(move |ask| !may.lock().expect("whole").forbidden.contains(ask.action)),
        invoke_hook: Arc::new(move |call| {
            let failure = failing.lock().expect("whole").failing.get(&call.function).cloned();
            asked.send_modify(|asked| asked.push(call));
            Box::pin(async move { failure.map_or(Ok(()), Err) })
        }),
        fetch: Arc::new(move |object| {
            let path = format!("{}/{}", object.bucket, object.key);
            let found = objects.lock().expect("whole").objects.get(&path).cloned();
            let found = found.map(|text| Fetched { content: text.into(), etag: "e".into() });
            Box::pin(async move { found.ok_or_else(|| "no such key".to_owned()) })
        }),
        tell: Arc::new(move |event| {
            told.send_modify(|told| told.push(event));
            Box::pin(async { Ok(()) })
        }),
        clock: clock.clone(),
        entropy,
        time_scale: 1.0,
    }
}

fn fill(tx: &mut Transaction<'_>) -> Result<(), pitbird_store::Error> {
    let scope = Scope::default();
    tx.put(&role())?;
    for version in [VersionId::Latest, VersionId::Number(1), VersionId::Number(2), VersionId::Number(3)] {
        tx.put(&function(&scope, version))?;
    }
    tx.put(&Alias {
        scope,
        function: "pets".into(),
        name: "live".into(),
        version: VersionId::Number(1),
        description: String::new(),
        revision_id: "before".into(),
        additional: None,
    })?;
    Ok(())
}

pub fn role() -> Role {
    Role {
        account: Account::default(),
        path: "/".into(),
        name: "deployer".into(),
        id: "AROAAAAAAAAAAAAAAAAAA".into(),
        description: None,
        created_ms: 0,
        trust_document: String::new(),
        trust: vec![TrustStatement {
            is_allow: true,
            actions: vec!["sts:AssumeRole".into()],
            services: vec!["codedeploy.amazonaws.com".into()],
            aws: Vec::new(),
            conditions: BTreeMap::new(),
        }],
        session_s_max: 3600,
        permissions_boundary: None,
        tags: Texts::new(),
        policies: Texts::new(),
        attached: Vec::new(),
    }
}

fn function(scope: &Scope, version: VersionId) -> FunctionVersion {
    FunctionVersion {
        scope: scope.clone(),
        name: "pets".into(),
        version,
        settings: Settings {
            runtime: "provided.al2023".into(),
            handler: None,
            role: if version == VersionId::Number(3) { "other".into() } else { "usual".into() },
            description: String::new(),
            timeout_s: 3,
            memory_mib: 128,
            tmp_mib: 512,
            environment: None,
            architecture: "x86_64".into(),
            logging: Logging {
                group: "/aws/lambda/pets".into(),
                format: "Text".into(),
                application_level: None,
                system_level: None,
            },
            tracing_mode: "PassThrough".into(),
            layers: Vec::new(),
        },
        code: Code { sha256_hex: "00".into(), size_bytes: 1, unpacked_bytes: 1 },
        revision_id: "r".into(),
        modified_ms: 0,
        state: records::function::State::Active,
        last_update: LastUpdate::Successful,
        function: None,
    }
}
