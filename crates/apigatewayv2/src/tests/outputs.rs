//! What the service's model says that callers are told, member by member: each is told, or is named here with the reason why not.

use super::*;

/// The members of an operation's output that no answer has.
fn untold(operation: &str, answers: &[Json]) -> Vec<String> {
    let answers: Vec<_> =
        answers.iter().map(|answer| pitbird_wire::to_value(answer).expect("JSON is a value")).collect();
    pitbird_service::untold(wire_model(), operation, &answers)
}

/// Only WebSocket APIs have it.
const WEBSOCKET: &str = "of WebSocket APIs";
/// It can't be set: who tries is refused by its name.
const REFUSED: &str = "refused by name";
/// It would only ever say that something is as it should be.
const NOTHING_TO_SAY: &str = "nothing to say";

/// Holds a list of what isn't told, each with its reason, against what isn't.
fn check(operation: &str, answers: &[Json], expected: &[(&str, &[&str])]) {
    let mut expected: Vec<&str> = expected.iter().flat_map(|(_, names)| *names).copied().collect();
    expected.sort_unstable();
    assert_eq!(untold(operation, answers), expected, "{operation}");
}

/// An API with one of each, and each with all that it can have; its id.
async fn full(bed: &Bed) -> String {
    let cors = json!({
        "AllowCredentials": true, "AllowHeaders": ["x"], "AllowMethods": ["GET"], "AllowOrigins": ["https://a.example"],
        "ExposeHeaders": ["y"], "MaxAge": 1,
    });
    let made = json!({
        "Name": "pets", "ProtocolType": "HTTP", "Description": "d", "Version": "1", "Tags": {"a": "b"},
        "CorsConfiguration": cors, "Target": FUNCTION, "RouteKey": "GET /quick",
    });
    text(&bed.ok("CreateApi", made).await["apiId"])
}

#[tokio::test]
async fn apis_routes_and_integrations_are_told_whole() {
    let bed = Bed::new();
    let api = full(&bed).await;
    let document =
        json!({"openapi": "3.0.1", "info": {"title": "t"}, "paths": {}, "x-amazon-apigateway-cors": 7});
    let imported = bed.ok("ImportApi", json!({"Body": document.to_string()})).await;
    check(
        "GetApi",
        &[bed.ok("GetApi", json!({"ApiId": api})).await, imported],
        &[
            (WEBSOCKET, &["disableSchemaValidation"]),
            // An import that warnings fail makes no API that could have them; another service's tooling manages none.
            (NOTHING_TO_SAY, &["apiGatewayManaged", "warnings"]),
        ],
    );
    let authorizer = json!({
        "ApiId": api, "AuthorizerType": "JWT", "Name": "tokens", "IdentitySource": ["$request.header.Authorization"],
        "JwtConfiguration": {"Issuer": "https://issuer.example", "Audience": ["a"]},
    });
    let tokens = bed.ok("CreateAuthorizer", authorizer).await;
    let function = json!({
        "ApiId": api, "AuthorizerType": "REQUEST", "Name": "function", "AuthorizerUri": FUNCTION,
        "AuthorizerPayloadFormatVersion": "2.0", "EnableSimpleResponses": true, "AuthorizerResultTtlInSeconds": 1,
        "IdentitySource": ["$request.header.X"],
    });
    let function = bed.ok("CreateAuthorizer", function).await;
    check(
        "GetAuthorizer",
        &[tokens.clone(), function],
        &[
            (REFUSED, &["authorizerCredentialsArn"]),
            // The service's own words: it isn't used.
            (NOTHING_TO_SAY, &["identityValidationExpression"]),
        ],
    );
    let guarded = json!({
        "ApiId": api, "RouteKey": "GET /", "AuthorizationType": "JWT", "AuthorizerId": tokens["authorizerId"],
        "AuthorizationScopes": ["a"], "OperationName": "o",
    });
    let guarded = bed.ok("CreateRoute", guarded).await;
    let quick = bed.ok("GetRoutes", json!({"ApiId": api})).await["items"].as_array().expect("a list").clone();
    check(
        "GetRoute",
        &[vec![guarded], quick].concat(),
        &[(
            WEBSOCKET,
            &[
                "modelSelectionExpression",
                "requestModels",
                "requestParameters",
                "requestParameters.required",
                "routeResponseSelectionExpression",
            ],
        )],
    );
    let mapped = json!({
        "ApiId": api, "IntegrationType": "HTTP_PROXY", "IntegrationUri": "https://a.example", "IntegrationMethod": "GET",
        "Description": "d", "RequestParameters": {"overwrite:path": "/"},
        "ResponseParameters": {"200": {"overwrite:statuscode": "201"}},
    });
    bed.ok("CreateIntegration", mapped).await;
    let all =
        bed.ok("GetIntegrations", json!({"ApiId": api})).await["items"].as_array().expect("a list").clone();
    check(
        "GetIntegration",
        &all,
        &[
            (
                WEBSOCKET,
                &[
                    "contentHandlingStrategy",
                    "integrationResponseSelectionExpression",
                    "passthroughBehavior",
                    "requestTemplates",
                    "templateSelectionExpression",
                ],
            ),
            (
                REFUSED,
                &[
                    "connectionId",
                    "credentialsArn",
                    "integrationSubtype",
                    "tlsConfig",
                    "tlsConfig.serverNameToVerify",
                ],
            ),
        ],
    );
}

#[tokio::test]
async fn stages_deployments_and_domains_are_told_whole() {
    let bed = Bed::new();
    let api = full(&bed).await;
    let settings =
        json!({"DetailedMetricsEnabled": true, "ThrottlingBurstLimit": 1, "ThrottlingRateLimit": 1.0});
    let group = "arn:aws:logs:us-east-1:000000000000:log-group:access";
    let stage = json!({
        "ApiId": api, "StageName": "$default", "Description": "d", "StageVariables": {"a": "1"},
        "AccessLogSettings": {"DestinationArn": group, "Format": "$context.requestId"},
        "DefaultRouteSettings": settings, "RouteSettings": {"GET /quick": settings},
    });
    let stage = bed.ok("UpdateStage", stage).await;
    check(
        "GetStage",
        &[stage],
        &[(
            WEBSOCKET,
            &[
                "clientCertificateId",
                "defaultRouteSettings.dataTraceEnabled",
                "defaultRouteSettings.loggingLevel",
                "routeSettings.dataTraceEnabled",
                "routeSettings.loggingLevel",
            ],
        )],
    );
    let deployments = bed.ok("GetDeployments", json!({"ApiId": api})).await["items"].clone();
    let of_message: &[&str] = &["deploymentStatusMessage"];
    check("GetDeployment", deployments.as_array().expect("a list"), &[(NOTHING_TO_SAY, of_message)]);

    let at = bed.domain("a.example.com", "ROUTING_RULE_THEN_API_MAPPING").await;
    let named = json!({"DomainNameConfigurations": [{"CertificateName": "c"}]});
    let domain = bed.ok("UpdateDomainName", with(&at, named)).await;
    let mutual = |name: &str| format!("mutualTlsAuthentication{name}");
    let refused = ["", ".truststoreUri", ".truststoreVersion", ".truststoreWarnings"].map(mutual);
    let mut untold_of_domains: Vec<&str> = refused.iter().map(String::as_str).collect();
    untold_of_domains.push("domainNameConfigurations.ownershipVerificationCertificateArn");
    check(
        "GetDomainName",
        &[domain],
        &[
            (REFUSED, &untold_of_domains),
            // Regional domains, which this service makes, have no date of upload.
            (
                NOTHING_TO_SAY,
                &[
                    "domainNameConfigurations.certificateUploadDate",
                    "domainNameConfigurations.domainNameStatusMessage",
                ],
            ),
        ],
    );
    let mapping = with(&at, json!({"ApiId": api, "Stage": "$default", "ApiMappingKey": "v1"}));
    check("GetApiMapping", &[bed.ok("CreateApiMapping", mapping).await], &[]);
    let rest = bed.rest_api("rest").await;
    let other = bed.domain("b.example.com", "ROUTING_RULE_ONLY").await;
    let rule = json!({
        "Actions": [{"InvokeApi": {"ApiId": rest, "Stage": "prod", "StripBasePath": true}}], "Priority": 1,
        "Conditions": [
            {"MatchHeaders": {"AnyOf": [{"Header": "a", "ValueGlob": "b"}]}}, {"MatchBasePaths": {"AnyOf": ["c"]}},
        ],
    });
    check("GetRoutingRule", &[bed.ok("CreateRoutingRule", with(&other, rule)).await], &[]);
}
