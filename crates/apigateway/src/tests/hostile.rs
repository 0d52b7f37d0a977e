//! Whatever a caller sends: no panic, and no half-done thing.

use pitbird_records::{ApiStage, Integration, IntegrationResponse, Method, MethodResponse, RestApi};
use proptest::prelude::*;

use super::*;
use crate::domain_name::base_path;
use crate::patch::{Op, PatchOperation};
use crate::stage::patch::{Surroundings, apply};
use crate::{api_key, documentation, domain_name, gateway_response, integration, method, model, page};
use crate::{resource, rest_api, stage, usage_plan};

/// Texts that are partly what the patches know, partly anything.
fn piece() -> impl Strategy<Value = String> {
    const KNOWN: &[&str] = &[
        "canarySettings",
        "percentTraffic",
        "stageVariableOverrides",
        "deploymentId",
        "variables",
        "accessLogSettings",
        "destinationArn",
        "format",
        "*",
        "GET",
        "metrics",
        "enabled",
        "logging",
        "loglevel",
        "throttling",
        "rateLimit",
        "requestTemplates",
        "requestParameters",
        "binaryMediaTypes",
        "endpointConfiguration",
        "types",
        "uri",
        "a~1b",
        "~",
        "~0",
        "",
        "{a}",
        "timeoutInMillis",
        "responseParameters",
        "pathPart",
        "parentId",
        "apiStages",
        "a:b",
        "throttle",
        "quota",
        "limit",
        "statusCode",
        "basePath",
        "name",
        "é",
    ];
    prop_oneof![4 => proptest::sample::select(KNOWN).prop_map(str::to_owned), 1 => any::<String>()]
}

fn path() -> impl Strategy<Value = String> {
    let pieces = proptest::collection::vec(piece(), 0..5);
    prop_oneof![4 => pieces.prop_map(|pieces| format!("/{}", pieces.join("/"))), 1 => any::<String>()]
}

fn operation() -> impl Strategy<Value = PatchOperation> {
    const OPS: &[Op] = &[Op::Add, Op::Remove, Op::Move, Op::Test, Op::Replace, Op::Replace, Op::Copy];
    let texts =
        prop_oneof![Just("true".to_owned()), Just("10".to_owned()), Just("D1".to_owned()), any::<String>()];
    let value = proptest::option::of(texts);
    let (op, path, from) = (proptest::option::weighted(0.95, proptest::sample::select(OPS)), path(), path());
    (op, proptest::option::weighted(0.95, path), value, proptest::option::of(from))
        .prop_map(|(op, path, value, from)| PatchOperation { op, path, value, from })
}

proptest! {
    #[test]
    fn patches_of_a_stage_hold_its_rules(operations in proptest::collection::vec(operation(), 0..6)) {
        let mut patched = stage::fresh(&Default::default(), "api", "dev", "D1", 0);
        let exists = |id: &str| Ok(id == "D1");
        let around = Surroundings {
            deployment_exists: &exists,
            certificate_exists: &exists,
            documentation_exists: &exists,
            has_logging_role: true,
        };
        if apply(&mut patched, Some(&operations), &around).is_ok() {
            prop_assert!(stage::check_variables(&patched.variables).is_ok());
            prop_assert_eq!(&patched.deployment_id, "D1");
            if let Some(canary) = &patched.canary {
                prop_assert_eq!(&canary.deployment_id, "D1");
                prop_assert!((0.0..=100.0).contains(&canary.percent_traffic.get()));
            }
            let text = serde_json::to_string(&patched).expect("a record");
            prop_assert_eq!(serde_json::from_str::<pitbird_records::Stage>(&text).expect("the record"), patched);
        }
    }

    #[test]
    fn no_patch_panics(operation in operation(), part in piece(), position in any::<String>()) {
        let Ok(patch) = operation.patch() else { return Ok(()) };
        let _ = rest_api::apply(&mut api(), &patch);
        let _ = method::apply(&mut Method::default(), &patch);
        let _ = method::apply_to_response(&mut MethodResponse::default(), &patch);
        let mut changed = Integration { kind: "AWS_PROXY".to_owned(), ..Integration::default() };
        changed.http_method = Some("POST".to_owned());
        let _ = integration::apply(&mut changed, &patch);
        let _ = integration::settle(&Method::default(), &mut changed, &Default::default());
        let _ = integration::apply_to_response(&mut IntegrationResponse::default(), &patch);
        let mut resources = [root()];
        let _ = resource::apply(&mut resources, "root", &patch);
        let _ = resource::place(&resources, &root(), &part, None);
        for is_streamed in [false, true] {
            let _ = integration::uri::check_proxy(&position, is_streamed);
        }
        let _ = page::Page::parse(Some(&position), None);
        let _ = crate::tags::parse(&position, &Default::default());
    }

    #[test]
    fn no_patch_of_what_an_account_has_panics(operation in operation(), text in any::<String>()) {
        let Ok(patch) = operation.patch() else { return Ok(()) };
        let scope = Default::default();
        let mut response = gateway_response::default(&scope, "api", "THROTTLED");
        let _ = gateway_response::apply(&mut response, &patch).and_then(|()| gateway_response::check(&response));
        let _ = api_key::apply(&mut api_key::fresh(&scope, "id".to_owned(), || 7, 0), &patch);
        let mut plan = plan();
        let _ = usage_plan::apply(&mut plan, &patch);
        let mut mapping = mapping();
        let _ = base_path::apply(&mut mapping, &patch);
        let _ = usage_plan::day::parse(&text);
        let _ = api_key::csv::parse(text.as_bytes());
        let _ = documentation::import::parse(text.as_bytes());
        let _ = domain_name::parse_name(&text);
        let _ = crate::policy::parse(&text);
        let _ = model::check_text(Some(&text));
        let _ = model::template(&text);
    }
}

fn plan() -> pitbird_records::UsagePlan {
    let stage = ApiStage { api_id: "a".to_owned(), stage: "b".to_owned(), throttle: Default::default() };
    pitbird_records::UsagePlan {
        scope: Default::default(),
        id: "p".to_owned(),
        name: "p".to_owned(),
        description: None,
        api_stages: vec![stage],
        throttle: None,
        quota: None,
        product_code: None,
        tags: Default::default(),
    }
}

fn mapping() -> pitbird_records::DomainMapping {
    pitbird_records::DomainMapping {
        scope: Default::default(),
        domain_name: "a.b".to_owned(),
        id: "m".to_owned(),
        base_path: String::new(),
        api_id: "api".to_owned(),
        stage: None,
    }
}

fn root() -> pitbird_records::Resource {
    pitbird_records::Resource {
        scope: Default::default(),
        api_id: "api".to_owned(),
        id: "root".to_owned(),
        parent_id: None,
        path_part: None,
        path: "/".to_owned(),
        methods: Default::default(),
    }
}

fn api() -> RestApi {
    RestApi {
        scope: Default::default(),
        id: "api".to_owned(),
        name: "pets".to_owned(),
        description: None,
        version: None,
        created_ms: 0,
        binary_media_types: Vec::new(),
        minimum_compression_size: None,
        api_key_source: "HEADER".to_owned(),
        endpoint_types: vec!["EDGE".to_owned()],
        ip_address_type: "ipv4".to_owned(),
        vpc_endpoint_ids: Vec::new(),
        policy: None,
        disable_execute_api_endpoint: false,
        root_resource_id: "root".to_owned(),
        tags: Default::default(),
    }
}

/// Names that would lead out of their place in the store's keys find nothing.
#[tokio::test]
async fn no_name_leads_out_of_its_place() {
    let bed = Bed::new();
    let (api, root) = bed.mock_api().await;
    bed.deploy(&api, json!({"stageName": "dev"})).await;
    for (api_id, stage) in
        [("", "dev"), (&*format!("{api}/dev"), ""), ("", ""), ("../x", "dev"), (&*format!("{api}/"), "dev")]
    {
        let input = json!({"restApiId": api_id, "stageName": stage});
        assert!(bed.run("GetStage", input.clone()).await.is_err(), "{input}");
        assert!(bed.run("DeleteStage", input).await.is_err());
        assert!(bed.run("DeleteRestApi", json!({"restApiId": api_id})).await.is_err());
        assert!(bed.run("GetResources", json!({"restApiId": api_id})).await.is_err());
    }
    let split = json!({"restApiId": "", "resourceId": format!("{api}/{root}")});
    assert!(bed.run("GetResource", split).await.is_err());
    assert!(bed.stage(&api, "dev").await.is_object());
}
