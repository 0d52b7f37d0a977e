//! What the service's model says that callers are told, member by member: each is told, or is named here with the reason why not.

use super::*;

/// The members of an operation's output that no answer has.
fn untold(operation: &str, answers: &[Json]) -> Vec<String> {
    let answers: Vec<_> =
        answers.iter().map(|answer| pitbird_wire::to_value(answer).expect("JSON is a value")).collect();
    pitbird_service::untold(wire_model(), operation, &answers)
}

/// It can't be set: who tries is refused by its name.
const REFUSED: &str = "refused by name";
/// It would only ever say that something is as it should be.
const NOTHING_TO_SAY: &str = "nothing to say";

/// Only another service sets it, which isn't served here.
const SET_ELSEWHERE: &str = "set by another service";

/// Holds a list of what isn't told, each with its reason, against what isn't.
fn check(wrong: &mut Vec<String>, operation: &str, answers: &[Json], expected: &[(&str, &[&str])]) {
    let mut expected: Vec<&str> = expected.iter().flat_map(|(_, names)| *names).copied().collect();
    expected.sort_unstable();
    let found = untold(operation, answers);
    if found != expected {
        wrong.push(format!("{operation}: {found:?}, not {expected:?}"));
    }
}

const ROLE: &str = "arn:aws:iam::000000000000:role/gateway";

const FUNCTION: &str = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:f/invocations";

#[tokio::test]
async fn apis_resources_and_methods_are_told_whole() {
    let bed = Bed::new();
    let mut wrong = Vec::new();
    let made = json!({
        "name": "pets", "description": "d", "version": "1", "binaryMediaTypes": ["image/*"], "minimumCompressionSize": 1,
        "policy": "{\"Statement\": []}", "tags": {"a": "b"},
    });
    let made = bed.ok("CreateRestApi", made).await;
    let document = json!({"swagger": "2.0", "info": {"title": "t"}, "paths": {}});
    let imported = bed.ok("ImportRestApi", json!({"body": document.to_string()})).await;
    check(
        &mut wrong,
        "GetRestApi",
        &[made.clone(), imported],
        &[
            (REFUSED, &["endpointAccessMode", "endpointConfiguration.vpcEndpointIds", "securityPolicy"]),
            (NOTHING_TO_SAY, &["apiStatus", "apiStatusMessage"]),
        ],
    );
    let api = json!({"restApiId": made["id"]});
    let root = with(&api, json!({"resourceId": made["rootResourceId"]}));

    let authorizer = with(
        &api,
        json!({
            "name": "a", "type": "TOKEN", "authorizerUri": FUNCTION, "identityValidationExpression": "a.*",
            "authorizerCredentials": ROLE,
        }),
    );
    let authorizer = bed.ok("CreateAuthorizer", authorizer).await;
    let pool = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_abc";
    let pool = json!({"name": "pool", "type": "COGNITO_USER_POOLS", "providerARNs": [pool]});
    let pool = bed.ok("CreateAuthorizer", with(&api, pool)).await;
    check(&mut wrong, "GetAuthorizer", &[authorizer.clone(), pool.clone()], &[]);
    let validator = json!({"name": "v", "validateRequestBody": true, "validateRequestParameters": true});
    let validator = bed.ok("CreateRequestValidator", with(&api, validator)).await;
    check(&mut wrong, "GetRequestValidator", std::slice::from_ref(&validator), &[]);
    let model = json!({"name": "Pet", "description": "d", "contentType": "application/json", "schema": "{}"});
    check(&mut wrong, "GetModel", &[bed.ok("CreateModel", with(&api, model)).await], &[]);

    let at = with(&root, json!({"httpMethod": "GET"}));
    let method = json!({
        "authorizationType": "COGNITO_USER_POOLS", "authorizerId": pool["id"], "authorizationScopes": ["s"],
        "apiKeyRequired": true, "requestValidatorId": validator["id"], "operationName": "o",
        "requestParameters": {"method.request.header.a": true}, "requestModels": {"application/json": "Pet"},
    });
    bed.ok("PutMethod", with(&at, method)).await;
    let response = json!({
        "statusCode": "200", "responseParameters": {"method.response.header.a": true},
        "responseModels": {"application/json": "Pet"},
    });
    bed.ok("PutMethodResponse", with(&at, response)).await;
    let integration = json!({
        "type": "HTTP", "integrationHttpMethod": "GET", "uri": "https://a.example", "contentHandling": "CONVERT_TO_TEXT",
        "tlsConfig": {"insecureSkipVerification": true},
        "requestParameters": {"integration.request.header.a": "method.request.header.a"},
        "requestTemplates": {"application/json": "{}"}, "cacheKeyParameters": ["method.request.header.a"],
    });
    bed.ok("PutIntegration", with(&at, integration)).await;
    let response = json!({
        "statusCode": "200", "selectionPattern": "2..", "responseParameters": {"method.response.header.a": "'a'"},
        "responseTemplates": {"application/json": "{}"}, "contentHandling": "CONVERT_TO_TEXT",
    });
    bed.ok("PutIntegrationResponse", with(&at, response)).await;
    check(
        &mut wrong,
        "GetMethod",
        &[bed.ok("GetMethod", at).await],
        &[
            (REFUSED, &["methodIntegration.connectionId", "methodIntegration.integrationTarget"]),
            ("only of proxy integrations", &["methodIntegration.responseTransferMode"]),
            ("only of integrations that take a role", &["methodIntegration.credentials"]),
        ],
    );
    let below = json!({"restApiId": made["id"], "parentId": made["rootResourceId"], "pathPart": "pets"});
    let below = bed.ok("CreateResource", below).await;
    let embedded = bed.ok("GetResource", with(&root, json!({"embed": ["methods"]}))).await;
    check(
        &mut wrong,
        "GetResource",
        &[below, embedded],
        &[
            (
                REFUSED,
                &[
                    "resourceMethods.methodIntegration.connectionId",
                    "resourceMethods.methodIntegration.integrationTarget",
                ],
            ),
            ("only of proxy integrations", &["resourceMethods.methodIntegration.responseTransferMode"]),
            ("only of integrations that take a role", &["resourceMethods.methodIntegration.credentials"]),
        ],
    );
    let response = json!({
        "responseType": "THROTTLED", "statusCode": "429", "responseTemplates": {"application/json": "{}"},
        "responseParameters": {"gatewayresponse.header.X": "'x'"},
    });
    check(&mut wrong, "GetGatewayResponse", &[bed.ok("PutGatewayResponse", with(&api, response)).await], &[]);
    let location =
        json!({"type": "RESPONSE_HEADER", "path": "/", "method": "GET", "statusCode": "200", "name": "a"});
    let part = json!({"location": location, "properties": "{\"a\": 1}"});
    check(
        &mut wrong,
        "GetDocumentationPart",
        &[bed.ok("CreateDocumentationPart", with(&api, part)).await],
        &[],
    );
    let version = json!({"documentationVersion": "1", "description": "d"});
    check(
        &mut wrong,
        "GetDocumentationVersion",
        &[bed.ok("CreateDocumentationVersion", with(&api, version)).await],
        &[],
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn stages_keys_plans_and_domains_are_told_whole() {
    let bed = Bed::throttled(Some(Throttle { burst_limit: 5, rate_limit: 1.0 }));
    let mut wrong = Vec::new();
    let (api, _) = bed.mock_api().await;
    let deployment = bed.deploy(&api, json!({"description": "d"})).await;
    let at = json!({"restApiId": api, "deploymentId": deployment, "embed": ["apisummary"]});
    check(&mut wrong, "GetDeployment", &[bed.ok("GetDeployment", at).await], &[]);
    bed.ok("CreateDocumentationVersion", json!({"restApiId": api, "documentationVersion": "1"})).await;
    let client = bed.ok("GenerateClientCertificate", json!({"description": "d", "tags": {"a": "b"}})).await;
    check(&mut wrong, "GetClientCertificate", std::slice::from_ref(&client), &[]);
    let stage = json!({
        "restApiId": api, "stageName": "prod", "deploymentId": deployment, "description": "d", "variables": {"a": "1"},
        "cacheClusterEnabled": true, "cacheClusterSize": "0.5", "documentationVersion": "1", "tracingEnabled": true,
        "canarySettings": {
            "percentTraffic": 1.0, "stageVariableOverrides": {"a": "2"}, "useStageCache": true, "deploymentId": deployment,
        },
        "tags": {"a": "b"},
    });
    bed.ok("CreateStage", stage).await;
    let role = json!([patch("replace", "/cloudwatchRoleArn", "arn:aws:iam::000000000000:role/logs")]);
    let account = bed.ok("UpdateAccount", json!({"patchOperations": role})).await;
    check(&mut wrong, "GetAccount", &[account], &[]);
    let operations = json!([
        patch("replace", "/*/*/logging/loglevel", "INFO"),
        patch(
            "replace",
            "/accessLogSettings/destinationArn",
            "arn:aws:logs:us-east-1:000000000000:log-group:a"
        ),
        patch("replace", "/accessLogSettings/format", "$context.requestId"),
        patch("replace", "/clientCertificateId", &text(&client["clientCertificateId"])),
    ]);
    let stage = bed.patch_stage(&api, "prod", operations).await.expect("changed");
    check(&mut wrong, "GetStage", &[stage], &[(SET_ELSEWHERE, &["webAclArn"])]);

    let key = json!({
        "name": "k", "description": "d", "customerId": "c", "enabled": true, "tags": {"a": "b"},
        "value": "k".repeat(24),
    });
    let key = bed.ok("CreateApiKey", key).await;
    check(&mut wrong, "GetApiKey", std::slice::from_ref(&key), &[]);
    let throttle = json!({"burstLimit": 1, "rateLimit": 1.0});
    let plan = json!({
        "name": "p", "description": "d", "throttle": throttle, "quota": {"limit": 1, "offset": 0, "period": "DAY"},
        "apiStages": [{"apiId": api, "stage": "prod", "throttle": {"//GET": throttle}}], "tags": {"a": "b"},
    });
    let plan = bed.ok("CreateUsagePlan", plan).await;
    let code = json!([patch("replace", "/productCode", "code")]);
    let own = json!({"usagePlanId": plan["id"]});
    let plan = bed.ok("UpdateUsagePlan", with(&own, json!({"patchOperations": code}))).await;
    check(&mut wrong, "GetUsagePlan", &[plan], &[]);
    let member =
        bed.ok("CreateUsagePlanKey", with(&own, json!({"keyId": key["id"], "keyType": "API_KEY"}))).await;
    check(&mut wrong, "GetUsagePlanKey", &[member], &[]);

    let certificate = "arn:aws:acm:us-east-1:000000000000:certificate/a";
    let edge = json!({
        "domainName": "a.example.com", "certificateArn": certificate, "certificateName": "c", "tags": {"a": "b"},
    });
    let edge = bed.ok("CreateDomainName", edge).await;
    let regional = json!({
        "domainName": "b.example.com", "regionalCertificateArn": certificate, "regionalCertificateName": "c",
        "endpointConfiguration": {"types": ["REGIONAL"]},
    });
    let regional = bed.ok("CreateDomainName", regional).await;
    check(
        &mut wrong,
        "GetDomainName",
        &[edge, regional],
        &[
            (
                REFUSED,
                &[
                    "endpointAccessMode",
                    "endpointConfiguration.vpcEndpointIds",
                    "mutualTlsAuthentication",
                    "mutualTlsAuthentication.truststoreUri",
                    "mutualTlsAuthentication.truststoreVersion",
                    "mutualTlsAuthentication.truststoreWarnings",
                    "ownershipVerificationCertificateArn",
                    "policy",
                ],
            ),
            ("of private domain names", &["domainNameArn", "domainNameId", "managementPolicy"]),
            (NOTHING_TO_SAY, &["domainNameStatusMessage"]),
        ],
    );
    let mapping = json!({"domainName": "a.example.com", "basePath": "v1", "restApiId": api, "stage": "prod"});
    check(&mut wrong, "GetBasePathMapping", &[bed.ok("CreateBasePathMapping", mapping).await], &[]);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What the lists above call refused is: whoever sets it is told so by its name, and nothing has changed.
#[tokio::test]
async fn what_cannot_be_obeyed_is_refused_by_name() {
    let bed = Bed::new();
    let (api, root) = bed.mock_api().await;
    let at = at(&api, &root, "GET");
    let of_api = json!({"restApiId": api});
    let domain = json!({"domainName": "a.example.com", "regionalCertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/a"});
    bed.ok("CreateDomainName", with(&domain, json!({"endpointConfiguration": {"types": ["REGIONAL"]}})))
        .await;
    let named = json!({"domainName": "a.example.com"});
    let http = with(&at, json!({"type": "HTTP", "integrationHttpMethod": "GET", "uri": "https://a.example"}));
    let patched = |of: &Json, op: &str, path: &str, value: &str| {
        with(of, json!({"patchOperations": [patch(op, path, value)]}))
    };
    let other = with(&domain, json!({"domainName": "b.example.com"}));
    let refused = [
        (
            "CreateRestApi",
            json!({"name": "a", "securityPolicy": "SecurityPolicy_TLS13_1_3_2025_09"}),
            "securityPolicy",
        ),
        ("CreateRestApi", json!({"name": "a", "endpointAccessMode": "STRICT"}), "endpointAccessMode"),
        (
            "CreateRestApi",
            json!({"name": "a", "endpointConfiguration": {"vpcEndpointIds": ["vpce-1"]}}),
            "vpcEndpointIds",
        ),
        ("UpdateRestApi", patched(&of_api, "replace", "/securityPolicy", "TLS_1_2"), "securityPolicy"),
        ("UpdateRestApi", patched(&of_api, "replace", "/endpointAccessMode", "STRICT"), "endpointAccessMode"),
        (
            "UpdateRestApi",
            patched(&of_api, "add", "/endpointConfiguration/vpcEndpointIds", "vpce-1"),
            "vpcEndpointIds",
        ),
        ("PutIntegration", with(&http, json!({"connectionType": "VPC_LINK"})), "VPC_LINK"),
        ("PutIntegration", with(&http, json!({"connectionId": "a"})), "connectionId"),
        (
            "PutIntegration",
            with(&http, json!({"integrationTarget": "arn:aws:elasticloadbalancing:a"})),
            "integrationTarget",
        ),
        ("UpdateIntegration", patched(&at, "replace", "/connectionType", "VPC_LINK"), "VPC_LINK"),
        ("UpdateIntegration", patched(&at, "replace", "/connectionId", "a"), "connectionId"),
        (
            "CreateDomainName",
            with(&other, json!({"mutualTlsAuthentication": {"truststoreUri": "s3://a/b"}})),
            "mutualTlsAuthentication",
        ),
        (
            "CreateDomainName",
            with(&other, json!({"ownershipVerificationCertificateArn": "arn:a"})),
            "ownershipVerificationCertificateArn",
        ),
        ("CreateDomainName", with(&other, json!({"policy": "{}"})), "policy"),
        ("CreateDomainName", with(&other, json!({"endpointAccessMode": "STRICT"})), "endpointAccessMode"),
        (
            "CreateDomainName",
            with(&other, json!({"endpointConfiguration": {"types": ["PRIVATE"]}})),
            "PRIVATE",
        ),
        (
            "CreateDomainName",
            with(
                &other,
                json!({"endpointConfiguration": {"types": ["REGIONAL"], "vpcEndpointIds": ["vpce-1"]}}),
            ),
            "vpcEndpointIds",
        ),
        (
            "UpdateDomainName",
            patched(&named, "replace", "/mutualTlsAuthentication/truststoreUri", "s3://a/b"),
            "mutualTlsAuthentication",
        ),
        (
            "UpdateDomainName",
            patched(&named, "replace", "/ownershipVerificationCertificateArn", "arn:a"),
            "ownershipVerificationCertificateArn",
        ),
        ("UpdateDomainName", patched(&named, "replace", "/policy", "{}"), "policy"),
        (
            "UpdateDomainName",
            patched(&named, "replace", "/endpointAccessMode", "STRICT"),
            "endpointAccessMode",
        ),
    ];
    let reads = [("GetRestApis", json!({})), ("GetMethod", at.clone()), ("GetDomainNames", json!({}))];
    let state = async || {
        let mut all = Vec::new();
        for (operation, input) in &reads {
            all.push(bed.ok(operation, input.clone()).await);
        }
        all
    };
    let before = state().await;
    let mut wrong = Vec::new();
    for (operation, input, name) in refused {
        match bed.run(operation, input.clone()).await {
            Err(refusal) if refusal.status == 400 && refusal.message.contains(name) => {}
            other => wrong.push(format!("{operation} {name}: {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(state().await, before);
}
