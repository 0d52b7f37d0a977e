use super::*;

const ISSUER: &str = "https://issuer.example";

/// A document with these paths.
fn document(paths: Json, more: Json) -> Json {
    let base = json!({"openapi": "3.0.1", "info": {"title": "pets", "version": "7"}, "paths": paths});
    with(&base, more)
}

/// An operation that calls a function, with more members.
fn function(more: Json) -> Json {
    let integration =
        json!({"type": "aws_proxy", "httpMethod": "POST", "uri": FUNCTION, "payloadFormatVersion": "2.0"});
    with(
        &json!({"responses": {"default": {"description": "x"}}, "x-amazon-apigateway-integration": integration}),
        more,
    )
}

fn backend(more: Json) -> Json {
    let base = json!({
        "type": "http_proxy", "httpMethod": "GET", "uri": "https://a.example", "payloadFormatVersion": "1.0",
    });
    json!({"responses": {"default": {"description": "x"}}, "x-amazon-apigateway-integration": with(&base, more)})
}

fn secured() -> Json {
    json!({"components": {"securitySchemes": {
        "tokens": {"type": "oauth2", "x-amazon-apigateway-authorizer": {
            "type": "jwt", "identitySource": "$request.header.Authorization",
            "jwtConfiguration": {"issuer": ISSUER, "audience": ["a"]},
        }},
        "asked": {"type": "apiKey", "in": "header", "name": "Authorization", "x-amazon-apigateway-authorizer": {
            "type": "request", "identitySource": "$request.header.a, $request.querystring.b",
            "authorizerUri": format!("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"),
            "authorizerPayloadFormatVersion": "2.0", "authorizerResultTtlInSeconds": 60, "enableSimpleResponses": true,
        }},
        "signed": {"type": "apiKey", "in": "header", "name": "Authorization", "x-amazon-apigateway-authtype": "awsSigv4"},
    }}})
}

impl Bed {
    async fn import(&self, tree: &Json) -> Result<Json, Refusal> {
        self.run("ImportApi", json!({"Body": tree.to_string()})).await
    }

    /// Route keys with what they ask for, in order.
    async fn routes(&self, api: &str) -> Vec<Json> {
        let all = self.ok("GetRoutes", json!({"ApiId": api})).await;
        let mut routes = all["items"].as_array().expect("a list").clone();
        routes.sort_by_key(|route| text(&route["routeKey"]));
        routes
    }
}

#[tokio::test]
async fn a_document_makes_an_api() {
    let bed = Bed::new();
    let tree = document(
        json!({
            "/pets/{id}": {"get": function(json!({"operationId": "pet"}))},
            "/$default": {"x-amazon-apigateway-any-method": function(json!({}))},
        }),
        json!({
            "tags": [{"name": "a", "x-amazon-apigateway-tag-value": "b"}, {"name": "only words"}],
            "x-amazon-apigateway-cors": {"allowOrigins": ["https://a.example"], "maxAge": 5},
            "servers": [{"url": "/", "x-amazon-apigateway-endpoint-configuration": {"disableExecuteApiEndpoint": true}}],
        }),
    );
    let (status, made) = bed.told("ImportApi", json!({"Body": tree.to_string()})).await.expect("an API");
    assert_eq!(status, 201);
    assert_eq!(
        (&made["name"], &made["version"], &made["tags"]),
        (&json!("pets"), &json!("7"), &json!({"a": "b"}))
    );
    assert_eq!(made["corsConfiguration"], json!({"allowOrigins": ["https://a.example"], "maxAge": 5}));
    assert_eq!((&made["disableExecuteApiEndpoint"], made.get("importInfo")), (&json!(true), None));
    let api = text(&made["apiId"]);
    assert_eq!(bed.ok("GetApi", json!({"ApiId": api})).await, made);
    let routes = bed.routes(&api).await;
    let keys: Vec<&Json> = routes.iter().map(|route| &route["routeKey"]).collect();
    assert_eq!(keys, [&json!("$default"), &json!("GET /pets/{id}")]);
    assert_eq!(
        (&routes[1]["operationName"], &routes[1]["authorizationType"]),
        (&json!("pet"), &json!("NONE"))
    );
    let id = text(&routes[1]["target"]).replace("integrations/", "");
    let integration = bed.ok("GetIntegration", json!({"ApiId": api, "IntegrationId": id})).await;
    assert_eq!(
        (&integration["integrationType"], &integration["integrationUri"]),
        (&json!("AWS_PROXY"), &json!(FUNCTION))
    );
    assert_eq!(integration["payloadFormatVersion"], json!("2.0"));
}

#[tokio::test]
async fn authorizers_are_made_and_asked_for() {
    let bed = Bed::new();
    let asks = |scheme: &str| function(json!({"security": [{scheme: ["read"]}]}));
    let tree = document(
        json!({"/t": {"get": asks("tokens")}, "/r": {"get": asks("asked")}, "/s": {"get": asks("signed")}, "/u": {"get": asks("unknown")}}),
        secured(),
    );
    let made = bed.import(&tree).await.expect("an API");
    let api = text(&made["apiId"]);
    let unknown =
        "Unable to find security definition 'unknown' of route 'GET /u'. The route will not be created.";
    assert_eq!(made["importInfo"], json!([unknown]));
    assert_eq!(bed.ok("GetApi", json!({"ApiId": api})).await, made, "it is kept");
    let routes = bed.routes(&api).await;
    let kinds: Vec<(&Json, &Json)> =
        routes.iter().map(|it| (&it["routeKey"], &it["authorizationType"])).collect();
    let expected =
        [json!("GET /r"), json!("CUSTOM"), json!("GET /s"), json!("AWS_IAM"), json!("GET /t"), json!("JWT")];
    assert_eq!(
        kinds,
        [(&expected[0], &expected[1]), (&expected[2], &expected[3]), (&expected[4], &expected[5])]
    );
    assert_eq!(routes[2]["authorizationScopes"], json!(["read"]));
    let id = &routes[2]["authorizerId"];
    let tokens = bed.ok("GetAuthorizer", json!({"ApiId": api, "AuthorizerId": id})).await;
    assert_eq!(tokens["jwtConfiguration"], json!({"issuer": ISSUER, "audience": ["a"]}));
    assert_eq!(
        (&tokens["name"], &tokens["identitySource"]),
        (&json!("tokens"), &json!(["$request.header.Authorization"]))
    );
    let asked =
        bed.ok("GetAuthorizer", json!({"ApiId": api, "AuthorizerId": routes[0]["authorizerId"]})).await;
    assert_eq!(asked["identitySource"], json!(["$request.header.a", "$request.querystring.b"]));
    assert_eq!(
        (&asked["authorizerResultTtlInSeconds"], &asked["enableSimpleResponses"]),
        (&json!(60), &json!(true))
    );

    let strict = json!({"Body": tree.to_string(), "FailOnWarnings": true});
    let refused = bed.run("ImportApi", strict).await.expect_err("a warning");
    assert_eq!(refused, bad(format!("Warnings found during import:\n\t{unknown}")));
    let apis = bed.ok("GetApis", json!({})).await;
    assert_eq!(apis["items"].as_array().expect("a list").len(), 1, "nothing of a refused import stays");
}

#[tokio::test]
async fn a_document_in_the_place_of_another_leaves_nothing_of_that() {
    let bed = Bed::new();
    let first = document(
        json!({"/a": {"get": function(json!({"security": [{"tokens": []}]}))}, "/b": {"get": function(json!({}))}}),
        with(&secured(), json!({"x-amazon-apigateway-cors": {"allowOrigins": ["*"]}})),
    );
    let api = text(&bed.import(&first).await.expect("an API")["apiId"]);
    let known = bed.routes(&api).await;
    bed.ok("CreateStage", json!({"ApiId": api, "StageName": "$default", "AutoDeploy": true})).await;
    let before = text(&bed.stage(&api, "$default").await["deploymentId"]);
    let second = document(
        json!({"/b": {"get": backend(json!({
            "requestParameters": {"overwrite:path": "/x"}, "responseParameters": {"200": {"append:header.a": "b"}},
        }))}, "/c": {"post": function(json!({}))}}),
        json!({}),
    );
    let body = json!({"ApiId": api, "Body": second.to_string()});
    let (status, made) = bed.told("ReimportApi", body).await.expect("the API");
    assert_eq!((status, &made["apiId"], made.get("corsConfiguration")), (201, &json!(api), None));
    let routes = bed.routes(&api).await;
    let keys: Vec<&Json> = routes.iter().map(|route| &route["routeKey"]).collect();
    assert_eq!(keys, [&json!("GET /b"), &json!("POST /c")]);
    assert_eq!(routes[0]["routeId"], known[1]["routeId"], "what stays keeps its id");
    assert_eq!(bed.ok("GetAuthorizers", json!({"ApiId": api})).await["items"], json!([]));
    let integrations = bed.ok("GetIntegrations", json!({"ApiId": api})).await;
    assert_eq!(integrations["items"].as_array().expect("a list").len(), 2);
    let id = text(&routes[0]["target"]).replace("integrations/", "");
    let integration = bed.ok("GetIntegration", json!({"ApiId": api, "IntegrationId": id})).await;
    assert_eq!(integration["requestParameters"], json!({"overwrite:path": "/x"}));
    assert_eq!(integration["responseParameters"], json!({"200": {"append:header.a": "b"}}));
    assert_ne!(text(&bed.stage(&api, "$default").await["deploymentId"]), before, "the stage deploys itself");
    let nobody = json!({"ApiId": "nobody", "Body": second.to_string()});
    let refused = bed.run("ReimportApi", nobody).await.expect_err("there is none");
    assert_eq!(refused, missing("Invalid API identifier specified 000000000000:nobody"));
}

#[tokio::test]
async fn base_paths_come_before_paths_as_asked() {
    let bed = Bed::new();
    let servers =
        json!({"servers": [{"url": "https://a.example/{b}/w", "variables": {"b": {"default": "v"}}}]});
    let tree = document(json!({"/p": {"get": function(json!({}))}}), servers).to_string();
    for (asked, key) in [("ignore", "GET /p"), ("prepend", "GET /v/w/p"), ("split", "GET /w/p")] {
        let made = bed.ok("ImportApi", json!({"Body": tree, "Basepath": asked})).await;
        assert_eq!(bed.routes(&text(&made["apiId"])).await[0]["routeKey"], json!(key));
    }
    let refused = bed.run("ImportApi", json!({"Body": tree, "Basepath": "append"})).await.expect_err("odd");
    assert_eq!(
        refused,
        bad("Invalid value 'append' of parameter basepath specified. Valid options are ignore,prepend,split")
    );
}

#[tokio::test]
async fn yaml_is_read_too() {
    let bed = Bed::new();
    let body = format!(
        "openapi: 3.0.1\ninfo: {{title: pets, version: '1'}}\npaths:\n  /p:\n    get:\n      responses: {{}}\n      \
         x-amazon-apigateway-integration:\n        type: AWS_PROXY\n        uri: {FUNCTION}\n        \
         payloadFormatVersion: 1.0\n"
    );
    let made = bed.ok("ImportApi", json!({"Body": body})).await;
    let integrations = bed.ok("GetIntegrations", json!({"ApiId": made["apiId"]})).await;
    assert_eq!(integrations["items"][0]["payloadFormatVersion"], json!("1.0"));
}

#[tokio::test]
async fn what_can_t_be_obeyed_is_refused_and_what_is_of_no_use_is_told() {
    let bed = Bed::new();
    let get = |operation: Json, more: Json| document(json!({"/p": {"get": operation}}), more);
    let key = json!({"components": {"securitySchemes": {"k": {"type": "apiKey", "in": "header", "name": "x-api-key"}}}});
    for (tree, refused) in [
        (
            get(backend(json!({"credentials": "arn"})), json!({})),
            unsupported("credentials of an integration"),
        ),
        (
            get(backend(json!({"connectionType": "VPC_LINK"})), json!({})),
            unsupported("connectionType VPC_LINK"),
        ),
        (get(backend(json!({"connectionId": "a"})), json!({})), unsupported("connectionId")),
        (
            get(backend(json!({"integrationSubtype": "SQS-SendMessage"})), json!({})),
            unsupported("integrationSubtype"),
        ),
        (
            get(backend(json!({"tlsConfig": {"serverNameToVerify": "a"}})), json!({})),
            unsupported("tlsConfig.serverNameToVerify"),
        ),
        (
            get(function(json!({"security": [{"k": []}]})), key),
            unsupported("an API key for a route of an HTTP API"),
        ),
        (
            get(function(json!({})), json!({"x-amazon-apigateway-policy": {"Version": "2012-10-17"}})),
            unsupported("x-amazon-apigateway-policy of an HTTP API"),
        ),
        (json!({"swagger": "2.0"}), bad("HTTP APIs are imported from OpenAPI 3.0 only")),
        (json!({"openapi": "3.1.0"}), bad("Invalid OpenAPI input.")),
        (
            get(backend(json!({"uri": "nowhere"})), json!({})),
            bad(
                "Errors found during import:\n\tUnable to put integration on 'GET /p': Invalid integration URI specified",
            ),
        ),
        (
            get(backend(json!({"timeoutInMillis": 30_001})), json!({})),
            bad(
                "Errors found during import:\n\tUnable to put integration on 'GET /p': Invalid value specified for timeoutInMillis",
            ),
        ),
    ] {
        assert_eq!(bed.import(&tree).await.expect_err("refused"), refused, "{tree}");
    }
    let told = backend(
        json!({"passthroughBehavior": "when_no_match", "responses": {"default": {"statusCode": "200"}}}),
    );
    let made = bed
        .import(&get(told, json!({"x-amazon-apigateway-cors": {"allowOrigin": "*"}})))
        .await
        .expect("an API");
    assert_eq!(
        made["importInfo"],
        json!([
            "CORS Scheme is malformed, ignoring.",
            "responses of an integration is not supported for HTTP APIs. Ignoring.",
            "passthroughBehavior of an integration is not supported for HTTP APIs. Ignoring.",
        ])
    );
}

#[tokio::test]
async fn a_document_has_no_more_routes_than_an_api() {
    let bed = Bed::new();
    let paths =
        |count: usize| (0..count).map(|n| (format!("/{n}"), json!({"get": {"responses": {}}}))).collect();
    let of = |count: usize| document(Json::Object(paths(count)), json!({}));
    let made = bed.import(&of(300)).await.expect("just as many as may be");
    assert_eq!(made.get("importInfo"), None);
    let refused = bed.import(&of(301)).await.expect_err("one too many");
    assert_eq!(refused.code, "TooManyRequestsException");
}

#[tokio::test]
async fn what_is_exported_makes_the_same_api_again() {
    let bed = Bed::new();
    let asks = |scheme: &str| function(json!({"operationId": scheme, "security": [{scheme: []}]}));
    let mapped = json!({
        "requestParameters": {"overwrite:path": "/x"}, "responseParameters": {"200": {"append:header.a": "b"}},
        "timeoutInMillis": 50,
    });
    let tree = document(
        json!({
            "/t/{id}": {"get": asks("tokens"), "post": asks("asked")}, "/s/{proxy+}": {"put": asks("signed")},
            "/b": {"x-amazon-apigateway-any-method": backend(mapped)},
            "/$default": {"x-amazon-apigateway-any-method": function(json!({}))},
        }),
        with(
            &secured(),
            json!({
                "tags": [{"name": "a", "x-amazon-apigateway-tag-value": "b"}],
                "x-amazon-apigateway-cors": {"allowOrigins": ["https://a.example"], "allowCredentials": true, "maxAge": 5},
            }),
        ),
    );
    let api = text(&bed.import(&tree).await.expect("an API")["apiId"]);
    let now = json!({"ApiId": api, "Specification": "OAS30", "OutputType": "JSON", "ExportVersion": "1.0"});
    let exported = bed.ok("ExportApi", now.clone()).await;
    let again = bed.ok("ImportApi", json!({"Body": exported.to_string(), "FailOnWarnings": true})).await;
    let copy = text(&again["apiId"]);
    let mut twice = bed.ok("ExportApi", with(&now, json!({"ApiId": copy}))).await;
    twice["servers"] = exported["servers"].clone();
    assert_eq!(twice, exported);
    let keys = |routes: Vec<Json>| -> Vec<Json> {
        routes
            .iter()
            .map(|it| json!([it["routeKey"], it["authorizationType"], it["operationName"]]))
            .collect()
    };
    let made = keys(bed.routes(&copy).await);
    assert_eq!((made.len(), made), (5, keys(bed.routes(&api).await)));

    let bare = bed.ok("ExportApi", with(&now, json!({"IncludeExtensions": false}))).await;
    assert_eq!(
        bare["paths"]["/b"]["x-amazon-apigateway-any-method"].get("x-amazon-apigateway-integration"),
        None
    );
    assert_eq!(
        (bare.get("x-amazon-apigateway-cors"), bare.get("x-amazon-apigateway-importexport-version")),
        (None, None)
    );
    let odd =
        bed.run("ExportApi", with(&now, json!({"ExportVersion": "2.0"}))).await.expect_err("no such version");
    assert_eq!(odd, bad("Invalid value specified for exportVersion"));
    let none =
        bed.run("ExportApi", with(&now, json!({"StageName": "none"}))).await.expect_err("no such stage");
    assert_eq!(none, missing("Invalid stage identifier specified"));
}

#[tokio::test]
async fn a_stage_is_exported_as_it_serves() {
    let bed = Bed::new();
    let tree = document(json!({"/a": {"get": function(json!({}))}}), json!({}));
    let api = text(&bed.import(&tree).await.expect("an API")["apiId"]);
    let deployment = bed.ok("CreateDeployment", json!({"ApiId": api})).await;
    let stage = json!({"ApiId": api, "StageName": "live", "DeploymentId": deployment["deploymentId"]});
    bed.ok("CreateStage", stage).await;
    bed.route(&api, "GET /later").await;
    let asked = json!({"ApiId": api, "Specification": "OAS30", "OutputType": "JSON", "StageName": "live"});
    let exported = bed.ok("ExportApi", asked).await;
    let paths: Vec<&String> = exported["paths"].as_object().expect("paths").keys().collect();
    assert_eq!(paths, ["/a"]);
    assert_eq!(exported["servers"][0]["variables"]["basePath"]["default"], json!("live"));
}
