//! A service on a store and telemetry of its own.

use std::sync::Arc;
use std::time::SystemTime;

use pitbird_names::{Month, Scope, VersionId};
use pitbird_records::function::{Code, LastUpdate, Logging, Settings, State as FunctionState};
use pitbird_records::stage::AccessLog;
use pitbird_records::{FunctionVersion, HttpStage, ProvisionedConcurrency, Texts};
use pitbird_service::{Call, Caller, Service};
use pitbird_store::{Error, Store, Transaction};
use pitbird_telemetry::metrics::{ProbeSpec, Resolution};
use pitbird_telemetry::usage::{Subject, UsageSpec};
use pitbird_telemetry::{Config, Telemetry};
use pitbird_wire::{Catalog, Model};
use serde_json::Value as Json;

use crate::{Environments, State};

/// 2026-11-28.
pub const NOW_MS: i64 = 1_795_824_000_000;

pub fn this_month() -> String {
    Month::of(SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64).to_string()
}

pub fn model() -> &'static Model {
    Catalog::embedded().model("usage").expect("the model is embedded")
}

pub struct Bed {
    pub state: Arc<State>,
    pub telemetry: Arc<Telemetry>,
    pub service: Service,
    _folder: tempfile::TempDir,
}

/// Something has been used.
pub fn add(bed: &Bed, service: &str, names: &[(&str, &str)], quantity: &str, amount: u64) {
    let (scope, names) = (Scope::default(), names.iter().copied().collect());
    let subject = Subject { scope: scope.clone(), service: service.to_owned(), names };
    let usage =
        UsageSpec { subject, quantities: vec![quantity.to_owned()], totals_only: 0, part: String::new() };
    let probe = bed.telemetry.probe(ProbeSpec {
        scope,
        namespace: "AWS/Test".to_owned(),
        metrics: Vec::new(),
        dimension_sets: Vec::new(),
        resolution: Resolution::Minute,
        usage: Some(usage),
    });
    probe.record_used(NOW_MS, &[], &[amount]);
}

impl Bed {
    pub async fn open() -> Bed {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let telemetry = Telemetry::open(&folder.path().join("telemetry"), &Config::default()).unwrap();
        let state = Arc::new(State {
            store,
            telemetry: telemetry.clone(),
            environments: Arc::new(|scope| {
                let of = |(name, version, alive): (&str, &str, usize)| Environments {
                    function_name: name.to_owned(),
                    version: version.to_owned(),
                    alive,
                    idle: 1,
                    starting: 0,
                };
                let all = [("pets", "2", 3), ("pets", "1", 2), ("carts", "$LATEST", 1)];
                if *scope == Scope::default() { all.map(of).into() } else { Vec::new() }
            }),
        });
        Bed { service: crate::service(state.clone()), state, telemetry, _folder: folder }
    }

    /// A function with a log group of its own, and stages of two HTTP APIs, which share one of theirs.
    pub async fn fill(&self) {
        self.state.store.write(fill).await.unwrap();
    }

    pub async fn run(&self, input: Json) -> Result<Json, String> {
        self.call("GetUsage", input).await
    }

    pub async fn call(&self, operation: &str, input: Json) -> Result<Json, String> {
        let input = pitbird_wire::to_value(&input).unwrap();
        let known = model().operation(operation).unwrap();
        let violations = pitbird_wire::check(model(), known, &input);
        if !violations.is_empty() {
            return Err(pitbird_wire::summary(&violations));
        }
        let caller = Caller::root(Scope::default());
        let (request_id, endpoint) = (String::new(), String::new());
        let call = Call { caller, request_id, now_ms: NOW_MS, endpoint, trace_id: None, input };
        let answer = self.service.call(operation, call).unwrap().await;
        let output = answer.map_err(|fault| format!("{}: {}", fault.code, fault.message))?;
        Ok(serde_json::to_value(output.into_output()).unwrap())
    }

    /// All rows over all pages, one line each.
    pub async fn rows(&self, mut input: Json) -> Vec<String> {
        let mut rows = Vec::new();
        loop {
            let mut page = self.run(input.clone()).await.unwrap();
            for item in page["Items"].as_array().unwrap() {
                let group: Vec<&str> =
                    ["Api", "Stage", "Track", "FunctionName", "Version", "LogGroup", "Namespace"]
                        .iter()
                        .filter_map(|name| item["Group"][*name].as_str())
                        .collect();
                let (quantity, unit) = (item["Quantity"].as_str().unwrap(), item["Unit"].as_str().unwrap());
                rows.push(
                    format!("{} {quantity} {} {unit}", group.join("/"), item["Amount"]).trim().to_owned(),
                );
            }
            match page["NextToken"].take() {
                Json::Null => return rows,
                token => input["NextToken"] = token,
            }
        }
    }
}

fn fill(tx: &mut Transaction<'_>) -> Result<(), Error> {
    let scope = Scope::default();
    for version in [VersionId::Latest, VersionId::Number(1)] {
        tx.put(&function(&scope, version))?;
    }
    tx.put(&ProvisionedConcurrency {
        scope: scope.clone(),
        function: "pets".to_owned(),
        qualifier: "1".to_owned(),
        requested: 3,
        modified_ms: 0,
    })?;
    for (api, stage, group) in [("a1", "prod", "access"), ("a2", "one", "shared"), ("a3", "two", "shared")] {
        tx.put(&stage_of(api, stage, group))?;
    }
    Ok(())
}

fn stage_of(api: &str, name: &str, group: &str) -> HttpStage {
    let destination_arn = Some(format!("arn:aws:logs:us-east-1:000000000000:log-group:{group}:*"));
    HttpStage {
        scope: Scope::default(),
        api_id: api.to_owned(),
        name: name.to_owned(),
        deployment_id: None,
        auto_deploy: false,
        last_deployment_status_message: None,
        description: None,
        created_ms: 0,
        updated_ms: 0,
        variables: Texts::new(),
        default_route_settings: Default::default(),
        route_settings: Default::default(),
        access_log: Some(AccessLog { destination_arn, format: None }),
        tags: Texts::new(),
        is_managed: false,
        authorizer_cache_epoch: 0,
    }
}

fn function(scope: &Scope, version: VersionId) -> FunctionVersion {
    FunctionVersion {
        scope: scope.clone(),
        name: "pets".to_owned(),
        version,
        settings: Settings {
            runtime: "provided.al2023".to_owned(),
            handler: None,
            role: String::new(),
            description: String::new(),
            timeout_s: 3,
            memory_mib: 512,
            tmp_mib: 512,
            environment: None,
            architecture: "x86_64".to_owned(),
            logging: Logging {
                group: "/own/group".to_owned(),
                format: "Text".to_owned(),
                application_level: None,
                system_level: None,
            },
            tracing_mode: "PassThrough".to_owned(),
            layers: Vec::new(),
        },
        code: Code { sha256_hex: "00".to_owned(), size_bytes: 1, unpacked_bytes: 1 },
        revision_id: "r".to_owned(),
        modified_ms: 0,
        state: FunctionState::Active,
        last_update: LastUpdate::Successful,
        function: None,
    }
}
