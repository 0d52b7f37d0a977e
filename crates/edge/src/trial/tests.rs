use std::collections::BTreeMap;

use pitbird_records::{self as records, Integration, Method as MethodRecord, Resource};
use pitbird_snapshot::{LambdaTarget, trial};

use super::*;
use crate::Renewal;
use crate::answer::Answer;
use crate::execution_log::Line;
use crate::integrate::Seen;
use crate::story::IntegrationStory;

/// A stage with a mock behind `ANY /pets/{id}`.
fn stage() -> Stage {
    let template = Texts::from([("application/json".to_owned(), r#"{"statusCode": 200}"#.to_owned())]);
    let integration =
        Integration { kind: "MOCK".into(), request_templates: template, ..Integration::default() };
    let method = MethodRecord {
        authorization_type: "NONE".into(),
        integration: Some(integration),
        ..MethodRecord::default()
    };
    let resource = Resource {
        scope: Default::default(),
        api_id: "abc".into(),
        id: "pet".into(),
        parent_id: None,
        path_part: None,
        path: "/pets/{id}".into(),
        methods: BTreeMap::from([("ANY".to_owned(), method)]),
    };
    let api = records::RestApi {
        scope: Default::default(),
        id: "abc".into(),
        name: "pets".into(),
        description: None,
        version: None,
        created_ms: 0,
        binary_media_types: Vec::new(),
        minimum_compression_size: None,
        api_key_source: "HEADER".into(),
        endpoint_types: Vec::new(),
        ip_address_type: "ipv4".into(),
        vpc_endpoint_ids: Vec::new(),
        policy: None,
        disable_execute_api_endpoint: false,
        root_resource_id: "root".into(),
        tags: Texts::new(),
    };
    let deployment = records::Deployment {
        scope: Default::default(),
        api_id: "abc".into(),
        id: String::new(),
        description: None,
        created_ms: 0,
        api,
        resources: vec![resource],
        models: Vec::new(),
        request_validators: Vec::new(),
        authorizers: Vec::new(),
        gateway_responses: Vec::new(),
    };
    let record = records::Stage {
        scope: Default::default(),
        api_id: "abc".into(),
        name: "test-invoke-stage".into(),
        deployment_id: String::new(),
        description: None,
        created_ms: 0,
        updated_ms: 0,
        variables: Texts::new(),
        canary: None,
        method_settings: BTreeMap::new(),
        access_log: None,
        documentation_version: None,
        tracing_enabled: false,
        cache_cluster_enabled: false,
        cache_cluster_size: None,
        client_certificate_id: None,
        cache_flushed: 0,
        authorizers_flushed: 0,
        tags: Texts::new(),
    };
    trial(deployment, record)
}

fn request<'t>(
    stage: &'t Stage,
    verb: &'t str,
    path: &'t str,
    headers: &'t [(String, String)],
    nothing: &'t Texts,
) -> Trial<'t> {
    Trial {
        stage,
        resource_id: "pet",
        verb,
        path,
        query: "a=1&a=x y",
        headers,
        body: Bytes::from_static(b"body"),
        signer: UrlSigner {
            access_key_id: "AKID".into(),
            account: "000000000000".into(),
            principal: "arn:aws:iam::000000000000:user/ada".into(),
            user_id: "AIDA".into(),
            may_call: true,
            renewal: Renewal::NotMentioned,
        },
        additional_context: nothing,
    }
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// What is told of a request until its integration is asked, and then by `then`.
fn told(
    trial: &Trial<'_>,
    log: &ExecutionLog,
    then: impl FnOnce(&Routed<'_, '_>, &Arrival<'_>),
) -> Vec<String> {
    let (head, raw_head) = head(trial).expect("a request");
    let peer = Peer { raw_head: &raw_head, ..Peer::NOBODY };
    let mut arrival = Arrival::new(target(trial), &head, peer, None);
    arrival.request_id = "id".to_owned();
    let routed = route(trial, head.method.as_str(), Log(Some(log))).expect("a method");
    execution_log::begin(&routed, &arrival, &caller(trial), &trial.body);
    then(&routed, &arrival);
    log.lines().into_iter().map(|Line { text, .. }| text).collect()
}

const BEGUN: [&str; 6] = [
    "Starting execution for request: id",
    "HTTP Method: POST, Resource Path: /pets/7",
    "Method request path: {id=7}",
    "Method request query string: {a=x y}",
    "Method request headers: {X-ODD=1,2, Authorization=***abcdef}",
    "Method request body before transformations: body",
];

fn after_begin(then: impl FnOnce(&Routed<'_, '_>, &Arrival<'_>)) -> Vec<String> {
    let (stage, nothing) = (stage(), Texts::new());
    let headers = [pair("X-ODD", "1"), pair("X-ODD", "2"), pair("Authorization", "my abcdef")];
    let trial = request(&stage, "POST", "/pets/7", &headers, &nothing);
    let lines = told(&trial, &ExecutionLog::whole(), then);
    assert_eq!(lines[..BEGUN.len()], BEGUN);
    lines[BEGUN.len()..].to_vec()
}

fn answer(status: u16) -> Answer {
    let headers = vec![(HeaderName::from_static("x-own"), HeaderValue::from_static("1"))];
    Answer { status, headers, body: Bytes::from_static(b"answer"), is_traced: true }
}

const ENDED: [&str; 4] = [
    "Method response body after transformations: answer",
    "Method response headers: {X-Own=1, X-Amzn-Trace-Id=Root=1}",
    "Successfully completed execution",
    "Method completed with status: 201",
];

#[test]
fn a_backends_exchange_is_told_in_order() {
    let lines = after_begin(|routed, arrival| {
        let mut sent = HeaderMap::new();
        sent.insert("x-amzn-apigateway-api-id", HeaderValue::from_static("abc"));
        execution_log::asked(routed.log, "http://a/b", &sent, b"asked");
        let mut response = http::Response::new(Bytes::from_static(b"answered"));
        response.headers_mut().insert("x-backend", HeaderValue::from_static("yes"));
        execution_log::answered(routed.log, &response, 12_999);
        let outcome = Outcome { trace_id: Some("Root=1".into()), ..Outcome::answer(answer(201)) };
        execution_log::finish(routed.log, arrival, &outcome);
    });
    let exchange = [
        "Endpoint request URI: http://a/b",
        "Endpoint request headers: {x-amzn-apigateway-api-id=abc}",
        "Endpoint request body after transformations: asked",
        "Sending request to http://a/b",
        "Received response. Status: 200, Integration latency: 12 ms",
        "Endpoint response headers: {X-Backend=yes}",
        "Endpoint response body before transformations: answered",
    ];
    assert_eq!(lines, [&exchange[..], &ENDED].concat());
}

#[test]
fn a_functions_exchange_is_told_in_order() {
    let target = LambdaTarget {
        function: pitbird_snapshot::FunctionKey { scope: Default::default(), name: "f".into() },
        qualifier: None,
    };
    let lines = after_begin(|routed, arrival| {
        let mapped = HeaderMap::from_iter([(
            HeaderName::from_static("x-amz-invocation-type"),
            HeaderValue::from_static("Event"),
        )]);
        let asked = (Some(&mapped), || Bytes::from_static(b"{}"));
        execution_log::function_asked(routed, arrival, &target, "Root=1", asked);
        execution_log::function_queued(routed.log, 1000);
        let outcome = Outcome { trace_id: Some("Root=1".into()), ..Outcome::answer(answer(201)) };
        execution_log::finish(routed.log, arrival, &outcome);
        routed.log.end();
    });
    let uri = "https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/\
               arn:aws:lambda:us-east-1:000000000000:function:f/invocations";
    let exchange = [
        format!("Endpoint request URI: {uri}"),
        "Endpoint request headers: {x-amzn-apigateway-api-id=abc, Accept=application/json, \
         User-Agent=AmazonAPIGateway_abc, Host=lambda.us-east-1.amazonaws.com, X-Amzn-Trace-Id=Root=1, \
         x-amzn-lambda-integration-tag=id, \
         X-Amz-Source-Arn=arn:aws:execute-api:us-east-1:000000000000:abc/test-invoke-stage/POST/pets/{id}, \
         X-Amz-Invocation-Type=Event}"
            .to_owned(),
        "Endpoint request body after transformations: {}".to_owned(),
        format!("Sending request to {uri}"),
        "Received response. Status: 202, Integration latency: 1 ms".to_owned(),
        "Endpoint response body before transformations: ".to_owned(),
    ];
    let end = ["AWS Integration Endpoint RequestId : id".to_owned()];
    assert_eq!(lines, [&exchange[..], &ENDED.map(str::to_owned), &end].concat());
}

#[test]
fn failures_take_the_place_of_an_answer() {
    let failed = |error: GatewayError, why: Option<&str>| {
        after_begin(|routed, arrival| {
            let story = why.map(|why| IntegrationStory { error: Some(why.into()), ..Default::default() });
            let outcome = Outcome { integration: story.map(Box::new), ..Outcome::error(error) };
            execution_log::finish(routed.log, arrival, &outcome);
        })
    };
    let timeout = "Execution failed due to a timeout error";
    assert_eq!(
        failed(GatewayError::IntegrationTimeout, Some(timeout)),
        [timeout, "Method completed with status: 504"]
    );
    assert_eq!(
        failed(GatewayError::InvalidBody("[a]".into()), None),
        [
            "Request body does not match model schema for content type application/json: [a]",
            "Method completed with status: 400"
        ]
    );
    assert_eq!(
        failed(GatewayError::MissingParameters(vec!["a".into()]), None),
        ["Missing required request parameters: [a]", "Method completed with status: 400"]
    );
    assert_eq!(failed(GatewayError::InvalidApiKey, None), ["Method completed with status: 403"]);
    assert!(failed(GatewayError::Unauthorized, None).is_empty());
}

#[test]
fn a_functions_error_that_is_mapped_is_told_beside_its_answer() {
    let lines = after_begin(|routed, arrival| {
        let story = IntegrationStory { error: Some("why".into()), ..Default::default() };
        let outcome = Outcome {
            integration: Some(Box::new(story)),
            trace_id: Some("Root=1".into()),
            ..Outcome::answer(answer(201))
        };
        execution_log::finish(routed.log, arrival, &outcome);
    });
    assert_eq!(lines, [&["why"], &ENDED[..]].concat());
}

#[test]
fn usage_plans_are_told_with_keys_masked() {
    let lines = after_begin(|routed, arrival| {
        execution_log::verify_plan(routed, arrival, Some("0123456789abcdef"));
        execution_log::plan_verified(routed, Some("0123456789abcdef"));
        execution_log::verify_plan(routed, arrival, None);
        execution_log::plan_verified(routed, None);
        execution_log::key_refused(routed, Some("0123456789abcdef"), "why");
        let limit = pitbird_records::usage_plan::Throttle { burst_limit: 1, rate_limit: 0.5 };
        execution_log::throttled(routed, "Key", limit);
    });
    let (key, at) = (["*".repeat(34).as_str(), "abcdef"].concat(), "abc/test-invoke-stage");
    let expected = [
        format!("Verifying Usage Plan for request: id. API Key: {key} API Stage: {at}"),
        format!("Usage Plan check succeeded for API Key {key} and API Stage {at}"),
        format!("Verifying Usage Plan for request: id. API Key:  API Stage: {at}"),
        "API Key  authorized because method 'ANY /pets/{id}' does not require API Key. Request will not contribute to \
         throttle or quota limits"
            .to_owned(),
        format!("Usage Plan check succeeded for API Key  and API Stage {at}"),
        format!(
            "API Key {key} not authorized because method 'ANY /pets/{{id}}' requires API Key and API Key is not associated \
             with a Usage Plan for API Stage {at}: why"
        ),
        "Key throttle limit exceeded for RestApi abc, Stage test-invoke-stage, Resource pet, HttpMethod POST. Limit: 0.50 \
         Burst: 1"
            .to_owned(),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_path_says_only_what_its_variables_stand_for() {
    let (stage, nothing) = (stage(), Texts::new());
    for (path, captured) in [("/pets/a%20b", Some("a b")), ("/elsewhere", None), ("/", None)] {
        let trial = request(&stage, "GET", path, &[], &nothing);
        let (head, _) = head(&trial).expect("a request");
        let arrival = Arrival::new(target(&trial), &head, Peer::NOBODY, None);
        let routed = route(&trial, "GET", Log::default()).expect("a method");
        let nobody = Admitted::default();
        let seen = Seen::new(&routed, &arrival, &nobody);
        let shown = seen.path_parameters().first().map(|(_, value)| value.clone().into_owned());
        assert_eq!(shown.as_deref(), captured, "{path}");
        assert_eq!((arrival.path().as_str(), arrival.shown_path()), (path, path));
        assert_eq!((arrival.domain_prefix(), &*arrival.domain()), ("testPrefix", DOMAIN));
    }
}

#[test]
fn what_cant_be_a_request_isnt_tried() {
    let (stage, nothing) = (stage(), Texts::new());
    let refused = |name: &str, value: &str| {
        let headers = [pair(name, value)];
        head(&request(&stage, "GET", "/", &headers, &nothing)).err()
    };
    assert_eq!(refused("a", "é"), None, "values are bytes");
    assert_eq!(refused("a b", "1"), Some(Untried::Header("a b".into())));
    assert_eq!(refused("", "1"), Some(Untried::Header(String::new())));
    assert_eq!(refused("a", "1\r\nb: 2"), Some(Untried::Header("a".into())));
    let longest = "a".repeat(limits::GATEWAY_HEADER_BYTES - 5);
    assert_eq!(refused("a", &longest), None);
    assert_eq!(refused("ab", &longest), Some(Untried::HeadersTooLarge));
    assert_eq!(head(&request(&stage, "A B", "/", &[], &nothing)).err(), Some(Untried::Method));
    let trial = Trial { resource_id: "none", ..request(&stage, "GET", "/", &[], &nothing) };
    assert_eq!(route(&trial, "GET", Log::default()).err(), Some(Untried::Method));
    for (query, written) in
        [("a=\u{e9}#<\">", "a=%C3%A9%23%3C%22%3E"), ("a={b}|^`\\", "a={b}|^`\\"), ("", "")]
    {
        let trial = Trial { query, ..request(&stage, "ANY", "/", &[], &nothing) };
        let (head, _) = head(&trial).expect("a request");
        assert_eq!((head.uri.query().unwrap_or_default(), head.method.as_str()), (written, "GET"));
    }
}
