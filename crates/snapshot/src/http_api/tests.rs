use super::*;
use crate::{MemorySource, Snapshot, Touched, compile};

fn integration(id: &str, uri: &str) -> records::HttpIntegration {
    records::HttpIntegration {
        scope: Scope::default(),
        api_id: "api".to_owned(),
        id: id.to_owned(),
        kind: "AWS_PROXY".to_owned(),
        uri: uri.to_owned(),
        method: Some("POST".to_owned()),
        payload_format_version: "2.0".to_owned(),
        timeout_ms: 30_000,
        description: None,
        request_parameters: Texts::new(),
        response_parameters: Default::default(),
        is_managed: false,
    }
}

fn route(key: &str) -> records::HttpRoute {
    records::HttpRoute {
        scope: Scope::default(),
        api_id: "api".to_owned(),
        id: key.to_owned(),
        route_key: key.to_owned(),
        integration_id: Some("i".to_owned()),
        authorization_type: "NONE".to_owned(),
        authorizer_id: None,
        authorization_scopes: Vec::new(),
        operation_name: None,
        is_managed: false,
    }
}

const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:f:${stageVariables.alias}";

fn deployment(id: &str, keys: &[&str]) -> records::HttpDeployment {
    records::HttpDeployment {
        scope: Scope::default(),
        api_id: "api".to_owned(),
        id: id.to_owned(),
        description: None,
        created_ms: 0,
        is_automatic: false,
        routes: keys.iter().map(|key| route(key)).collect(),
        integrations: vec![integration("i", FUNCTION)],
        authorizers: Vec::new(),
    }
}

fn stage(name: &str, deployment_id: Option<&str>) -> records::HttpStage {
    records::HttpStage {
        scope: Scope::default(),
        api_id: "api".to_owned(),
        name: name.to_owned(),
        deployment_id: deployment_id.map(str::to_owned),
        auto_deploy: false,
        last_deployment_status_message: None,
        description: None,
        created_ms: 0,
        updated_ms: 0,
        variables: [("alias".to_owned(), name.trim_start_matches('$').to_owned())].into(),
        default_route_settings: Default::default(),
        route_settings: Default::default(),
        access_log: None,
        tags: Texts::new(),
        is_managed: false,
        authorizer_cache_epoch: 0,
    }
}

fn api() -> records::HttpApi {
    records::HttpApi {
        scope: Scope::default(),
        id: "api".to_owned(),
        name: "pets".to_owned(),
        description: None,
        version: None,
        created_ms: 0,
        api_key_selection_expression: String::new(),
        route_selection_expression: String::new(),
        disable_execute_api_endpoint: false,
        ip_address_type: "ipv4".to_owned(),
        cors: None,
        tags: Texts::new(),
        import_info: Vec::new(),
    }
}

/// The key of the route that takes a request, and what its variables captured.
fn taken(keys: &[&str], method: &str, path: &str) -> Option<String> {
    let deployment = HttpDeployment::compile(deployment("d", keys));
    let found = deployment.route(method, path)?;
    let captures: Vec<String> = found.captures.iter().map(|(name, text)| format!("{name}={text}")).collect();
    Some([found.route.key.as_str(), &captures.join(",")].join(" ").trim_end().to_owned())
}

/// The example of API Gateway's developer guide, "Create routes for HTTP APIs".
#[test]
fn the_most_specific_route_takes_a_request() {
    let keys = ["GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}", "$default"];
    for (method, path, expected) in [
        ("GET", "/pets/dog/1", "GET /pets/dog/1"),
        ("GET", "/pets/dog/2", "GET /pets/dog/{id} id=2"),
        ("GET", "/pets/cat/1", "GET /pets/{proxy+} proxy=cat/1"),
        ("POST", "/test/5", "ANY /{proxy+} proxy=test/5"),
        ("POST", "/pets/dog/1", "ANY /{proxy+} proxy=pets/dog/1"),
        ("GET", "/", "$default"),
        ("TRACE", "/pets/dog/1", "$default"),
    ] {
        assert_eq!(taken(&keys, method, path).as_deref(), Some(expected), "{method} {path}");
    }
}

#[test]
fn a_full_match_comes_before_a_greedy_one_wherever_it_branches() {
    let keys = ["GET /a/{rest+}", "GET /{x}/b"];
    assert_eq!(taken(&keys, "GET", "/a/b").as_deref(), Some("GET /{x}/b x=a"));
    assert_eq!(taken(&keys, "GET", "/a/c").as_deref(), Some("GET /a/{rest+} rest=c"));
    let keys = ["ANY /pets", "GET /pets"];
    assert_eq!(taken(&keys, "GET", "/pets").as_deref(), Some("GET /pets"));
    assert_eq!(taken(&keys, "PUT", "/pets").as_deref(), Some("ANY /pets"));
    assert_eq!(taken(&["GET /pets"], "PUT", "/pets"), None, "no 405: it isn't there");
}

#[test]
fn a_slash_at_the_end_is_another_path() {
    assert_eq!(taken(&["GET /pets"], "GET", "/pets/"), None);
    assert_eq!(taken(&["GET /pets/"], "GET", "/pets"), None);
    let both = ["GET /pets", "GET /pets/"];
    assert_eq!(taken(&both, "GET", "/pets/").as_deref(), Some("GET /pets/"));
    assert_eq!(taken(&both, "GET", "/pets").as_deref(), Some("GET /pets"));
    assert_eq!(taken(&["GET /pets/{id}"], "GET", "/pets/7/").as_deref(), Some("GET /pets/{id} id=7"));
}

#[test]
fn variables_have_the_names_of_their_own_route() {
    let keys = ["GET /pets/{id}", "PUT /pets/{name}"];
    assert_eq!(taken(&keys, "PUT", "/pets/7").as_deref(), Some("PUT /pets/{name} name=7"));
}

#[test]
fn a_route_that_leads_nowhere_isnt_there() {
    let mut record = deployment("d", &["GET /a", "$default"]);
    record.routes[0].integration_id = None;
    record.routes[1].integration_id = Some("gone".to_owned());
    let deployment = HttpDeployment::compile(record);
    assert!(deployment.route("GET", "/a").is_none());
}

#[test]
fn the_first_segment_names_a_stage_or_nothing() {
    let mut source = MemorySource::default();
    source.put(&api());
    source.put(&deployment("d", &["$default"]));
    for name in ["$default", "v1"] {
        source.put(&stage(name, Some("d")));
    }
    source.put(&stage("empty", None));
    let touched = Touched::everything(&source).expect("records");
    let snapshot = compile(&Snapshot::default(), &touched, &source).expect("a snapshot");
    let api = snapshot.http_api("api").expect("the API");
    for (path, name, below) in [
        ("/v1/pets", "v1", "/pets"),
        ("/v1", "v1", "/"),
        ("/v1/", "v1", "/"),
        ("/v2/pets", "$default", "/v2/pets"),
        ("/$default/pets", "$default", "/$default/pets"),
        ("/empty/pets", "$default", "/empty/pets"),
        ("/", "$default", "/"),
        ("", "$default", "/"),
    ] {
        let (stage, rest) = api.stage(path).expect(path);
        assert_eq!((stage.record.name.as_str(), rest), (name, below), "{path}");
    }
    let targets = &api.stages["v1"].targets;
    let HttpApiTarget::Function(Ok(target)) = &targets[0] else { panic!("{targets:?}") };
    assert_eq!(target.function.name, "f");
    assert_eq!(target.qualifier, Some(pitbird_names::Qualifier::Alias("v1".to_owned())));
}

#[test]
fn what_a_commit_doesnt_touch_is_shared() {
    let mut source = MemorySource::default();
    source.put(&api());
    source.put(&deployment("d", &["$default"]));
    for name in ["v1", "v2"] {
        source.put(&stage(name, Some("d")));
    }
    let touched = Touched::everything(&source).expect("records");
    let first = compile(&Snapshot::default(), &touched, &source).expect("a snapshot");
    source.put(&stage("v2", Some("d")));
    let mut touched = Touched::default();
    touched.note("http_stage", "000000000000/us-east-1/api/v2");
    let second = compile(&first, &touched, &source).expect("a snapshot");
    let stage =
        |snapshot: &Snapshot, name: &str| snapshot.http_api("api").expect("the API").stages[name].clone();
    assert!(Arc::ptr_eq(&stage(&first, "v1"), &stage(&second, "v1")));
    assert!(!Arc::ptr_eq(&stage(&first, "v2"), &stage(&second, "v2")));
    assert!(Arc::ptr_eq(&stage(&first, "v2").deployment, &stage(&second, "v2").deployment));
    source.delete::<records::HttpApi>("000000000000/us-east-1/api");
    let third = compile(&second, &touched, &source).expect("a snapshot");
    assert!(third.http_api("api").is_none());
}
