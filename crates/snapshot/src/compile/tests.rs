use pitbird_names::{Percent, Qualifier, VersionId, Weight};
use pitbird_records::alias::Additional;
use pitbird_records::function::{Code, LastUpdate, Logging, Settings, State, WholeFunction};
use pitbird_records::{Canary, Integration, Method, Resource, RestApi, Texts};

use super::*;
use crate::{Integration as Compiled, MemorySource};

const URI: &str = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/\
                   arn:aws:lambda:us-east-1:000000000000:function:f:${stageVariables.alias}/invocations";

fn texts(pairs: &[(&str, &str)]) -> Texts {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn rest_api() -> RestApi {
    RestApi {
        scope: Scope::default(),
        id: "api1".into(),
        name: "pets".into(),
        description: None,
        version: None,
        created_ms: 0,
        binary_media_types: vec![],
        minimum_compression_size: None,
        api_key_source: "HEADER".into(),
        endpoint_types: vec!["EDGE".into()],
        ip_address_type: "ipv4".into(),
        vpc_endpoint_ids: vec![],
        policy: None,
        disable_execute_api_endpoint: false,
        root_resource_id: "root".into(),
        tags: Texts::new(),
    }
}

fn deployment(id: &str) -> records::Deployment {
    let integration = Integration {
        kind: "AWS_PROXY".into(),
        http_method: Some("POST".into()),
        uri: Some(URI.into()),
        timeout_ms: 29_000,
        ..Default::default()
    };
    let method = Method { integration: Some(integration), ..Default::default() };
    let root = Resource {
        scope: Scope::default(),
        api_id: "api1".into(),
        id: "root".into(),
        parent_id: None,
        path_part: None,
        path: "/".into(),
        methods: [("GET".to_owned(), method)].into(),
    };
    records::Deployment {
        scope: Scope::default(),
        api_id: "api1".into(),
        id: id.into(),
        description: None,
        created_ms: 0,
        api: rest_api(),
        resources: vec![root],
        models: Vec::new(),
        request_validators: Vec::new(),
        authorizers: Vec::new(),
        gateway_responses: Vec::new(),
    }
}

fn stage(name: &str, canary: Option<Canary>) -> records::Stage {
    records::Stage {
        scope: Scope::default(),
        api_id: "api1".into(),
        name: name.into(),
        deployment_id: "d1".into(),
        description: None,
        created_ms: 0,
        updated_ms: 0,
        variables: texts(&[("alias", "live"), ("other", "kept")]),
        canary,
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

fn version(version: VersionId) -> records::FunctionVersion {
    records::FunctionVersion {
        scope: Scope::default(),
        name: "f".into(),
        version,
        settings: Settings {
            runtime: "provided.al2023".into(),
            handler: None,
            role: "arn:aws:iam::000000000000:role/r".into(),
            description: String::new(),
            timeout_s: 3,
            memory_mib: 128,
            tmp_mib: 512,
            environment: None,
            architecture: "x86_64".into(),
            logging: Logging {
                group: "/aws/lambda/f".into(),
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
        state: State::Active,
        last_update: LastUpdate::Successful,
        function: (version == VersionId::Latest).then(WholeFunction::default),
    }
}

fn everything(source: &MemorySource) -> Snapshot {
    let touched = Touched::everything(source).expect("records");
    compile(&Snapshot::default(), &touched, source).expect("records")
}

fn with_canary(percent: f64) -> MemorySource {
    let mut source = MemorySource::default();
    source.put(&rest_api());
    source.put(&deployment("d1"));
    source.put(&deployment("d2"));
    source.put(&stage(
        "prod",
        Some(Canary {
            deployment_id: "d2".into(),
            percent_traffic: Percent::new(percent).expect("a percentage"),
            stage_variable_overrides: Some(texts(&[("alias", "next")])),
            use_stage_cache: false,
        }),
    ));
    source
}

#[test]
fn the_canary_sees_its_overrides_over_the_variables() {
    let snapshot = everything(&with_canary(10.0));
    let stage = snapshot.stage("api1", "prod").expect("the stage");
    let (base, canary) = (stage.choose(0.1), stage.choose(0.0999));
    assert!(!base.is_canary && canary.is_canary);
    assert_eq!(base.deployment.id, "d1");
    assert_eq!(canary.deployment.id, "d2");
    assert_eq!(*canary.variables, texts(&[("alias", "next"), ("other", "kept")]));
    let qualifier = |track: &Track| track.function(0).expect("a function").qualifier.clone();
    assert_eq!(qualifier(base), Some(Qualifier::Alias("live".into())));
    assert_eq!(qualifier(canary), Some(Qualifier::Alias("next".into())));
    let resource = base.deployment.router.find("/").expect("the root").value;
    assert!(matches!(
        resource.method("GET").expect("GET").integration,
        Compiled::LambdaProxy { target: 0, timeout_ms: 29_000, is_event: false, is_streamed: false }
    ));
}

#[test]
fn a_canary_at_zero_percent_is_never_chosen() {
    let snapshot = everything(&with_canary(0.0));
    let stage = snapshot.stage("api1", "prod").expect("the stage");
    assert!(stage.canary.is_some() && !stage.choose(0.0).is_canary);
}

#[test]
fn what_a_commit_did_not_touch_stays_the_same() {
    let mut source = with_canary(10.0);
    source.put(&stage("dev", None));
    source.put(&version(VersionId::Latest));
    source.put(&version(VersionId::Number(1)));
    let before = everything(&source);
    let moved = stage(
        "dev",
        Some(Canary {
            deployment_id: "d2".into(),
            percent_traffic: Percent::default(),
            stage_variable_overrides: None,
            use_stage_cache: false,
        }),
    );
    source.put(&moved);
    let mut touched = Touched::default();
    touched.note(records::Stage::TABLE, &moved.key());
    let after = compile(&before, &touched, &source).expect("records");
    let same = |name| Arc::ptr_eq(before.stage("api1", name).unwrap(), after.stage("api1", name).unwrap());
    assert!(same("prod") && !same("dev"));
    let (old, new) = (before.stage("api1", "dev").unwrap(), after.stage("api1", "dev").unwrap());
    assert!(Arc::ptr_eq(&old.base.deployment, &new.base.deployment), "deployments are shared");
    assert!(Arc::ptr_eq(&before.functions, &after.functions));
    assert_eq!(after.generation, before.generation + 1);
}

#[test]
fn a_version_keeps_its_slot_while_it_runs_alike() {
    let mut source = MemorySource::default();
    source.put(&version(VersionId::Latest));
    let mut snapshot = everything(&source);
    let mut kept_over = |change: &dyn Fn(&mut records::FunctionVersion)| {
        let slot = |snapshot: &Snapshot| {
            let key = crate::FunctionKey { scope: Scope::default(), name: "f".into() };
            snapshot.functions[&key].versions[&VersionId::Latest].slot.clone()
        };
        slot(&snapshot).get_or_init(|| Arc::new("environments"));
        let mut record = version(VersionId::Latest);
        change(&mut record);
        source.put(&record);
        let mut touched = Touched::default();
        touched.note(records::FunctionVersion::TABLE, &record.key());
        snapshot = compile(&snapshot, &touched, &source).expect("records");
        slot(&snapshot).get::<&str>().is_some()
    };
    assert!(kept_over(&|record| record.function.as_mut().expect("whole").next_version = 2));
    assert!(kept_over(&|record| record.state = State::Pending));
    assert!(!kept_over(&|record| record.settings.memory_mib = 256));
    assert!(!kept_over(&|record| record.code.sha256_hex = "01".into()));
}

#[test]
fn an_alias_splits_by_weight_and_keeps_its_versions() {
    let mut source = MemorySource::default();
    source.put(&version(VersionId::Latest));
    source.put(&version(VersionId::Number(1)));
    source.put(&version(VersionId::Number(2)));
    source.put(&records::Alias {
        scope: Scope::default(),
        function: "f".into(),
        name: "live".into(),
        version: VersionId::Number(1),
        description: String::new(),
        revision_id: "r".into(),
        additional: Some(Additional {
            version: VersionId::Number(2),
            weight: Weight::new(0.25).expect("a weight"),
        }),
    });
    let snapshot = everything(&source);
    let key = FunctionKey { scope: Scope::default(), name: "f".into() };
    let function = snapshot.function(&key).expect("the function");
    let live = Qualifier::Alias("live".into());
    let drawn = |draw| function.resolve(Some(&live), draw).expect("the alias").version.record.version;
    assert_eq!((drawn(0.249), drawn(0.25)), (VersionId::Number(2), VersionId::Number(1)));
    assert_eq!(function.resolve(None, 0.0).unwrap().version.record.version, VersionId::Latest);
    assert!(function.resolve(Some(&Qualifier::Alias("nobody".into())), 0.0).is_err());

    let ready = |requested| {
        source.put(&records::ProvisionedConcurrency {
            scope: Scope::default(),
            function: "f".into(),
            qualifier: "live".into(),
            requested,
            modified_ms: 0,
        });
        let versions = everything(&source).function(&key).expect("the function").provisioned_versions();
        let of = |number| versions.get(&VersionId::Number(number)).copied().unwrap_or(0);
        (of(1), of(2))
    };
    assert_eq!([1, 2, 4, 10].map(ready), [(1, 0), (1, 1), (3, 1), (7, 3)]);
}

#[test]
fn what_is_deleted_is_gone() {
    let mut source = with_canary(10.0);
    let before = everything(&source);
    source.delete::<RestApi>(&rest_api().key());
    let mut touched = Touched::default();
    touched.note(RestApi::TABLE, &rest_api().key());
    assert!(compile(&before, &touched, &source).expect("records").api("api1").is_none());
}
