use super::*;

fn jwt(api: &str) -> Json {
    json!({
        "ApiId": api, "AuthorizerType": "JWT", "Name": "tokens", "IdentitySource": ["$request.header.Authorization"],
        "JwtConfiguration": {"Issuer": "https://issuer.example", "Audience": ["a"]},
    })
}

fn request(api: &str) -> Json {
    json!({
        "ApiId": api, "AuthorizerType": "REQUEST", "Name": "function", "IdentitySource": [],
        "AuthorizerUri": format!("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"),
        "AuthorizerPayloadFormatVersion": "2.0",
    })
}

#[tokio::test]
async fn authorizers_are_told_as_they_were_made() {
    let bed = Bed::new();
    let api = bed.api().await;
    let (status, made) = bed.told("CreateAuthorizer", jwt(&api)).await.expect("an authorizer");
    assert_eq!(status, 201);
    let expected = json!({
        "authorizerId": made["authorizerId"], "authorizerType": "JWT",
        "identitySource": ["$request.header.Authorization"],
        "jwtConfiguration": {"audience": ["a"], "issuer": "https://issuer.example"}, "name": "tokens",
    });
    assert_eq!(made, expected);
    let made = bed.ok("CreateAuthorizer", request(&api)).await;
    let expected = json!({
        "authorizerId": made["authorizerId"], "authorizerPayloadFormatVersion": "2.0",
        "authorizerResultTtlInSeconds": 0, "authorizerType": "REQUEST", "authorizerUri": request(&api)["AuthorizerUri"],
        "enableSimpleResponses": false, "identitySource": [], "name": "function",
    });
    assert_eq!(made, expected);
    let id = text(&made["authorizerId"]);
    let update = json!({
        "ApiId": api, "AuthorizerId": id, "EnableSimpleResponses": true, "AuthorizerResultTtlInSeconds": 300,
        "IdentitySource": ["$request.header.X"],
    });
    let updated = bed.ok("UpdateAuthorizer", update).await;
    assert_eq!(updated["enableSimpleResponses"], json!(true));
    assert_eq!(updated["authorizerResultTtlInSeconds"], json!(300));
    let listed = bed.ok("GetAuthorizers", json!({"ApiId": api})).await;
    assert_eq!(listed["items"].as_array().expect("a list").len(), 2);
}

#[tokio::test]
async fn what_no_authorizer_can_be_is_refused() {
    let bed = Bed::new();
    let api = bed.api().await;
    let (jwt, request) = (jwt(&api), request(&api));
    for (base, more) in [
        (&jwt, json!({"IdentitySource": []})),
        (&jwt, json!({"IdentitySource": ["$context.path"]})),
        (&jwt, json!({"IdentitySource": ["Authorization"]})),
        (&jwt, json!({"JwtConfiguration": {"Issuer": "issuer", "Audience": ["a"]}})),
        (&jwt, json!({"JwtConfiguration": {"Issuer": "https://a", "Audience": []}})),
        (&jwt, json!({"JwtConfiguration": {"Issuer": "https://a", "Audience": vec!["a"; 51]}})),
        (&jwt, json!({"AuthorizerUri": FUNCTION})),
        (&request, json!({"AuthorizerUri": "https://a"})),
        (&request, json!({"AuthorizerPayloadFormatVersion": "3.0"})),
        (&request, json!({"AuthorizerPayloadFormatVersion": "1.0", "EnableSimpleResponses": true})),
        (&request, json!({"AuthorizerResultTtlInSeconds": 1})),
        (&request, json!({"AuthorizerResultTtlInSeconds": 3601, "IdentitySource": ["$request.header.X"]})),
        (&request, json!({"JwtConfiguration": {"Issuer": "https://a", "Audience": ["a"]}})),
        (&request, json!({"Name": ""})),
    ] {
        let refused = bed.run("CreateAuthorizer", with(base, more.clone())).await;
        assert!(matches!(refused.expect_err("refused").status, 400 | 429), "{more}");
    }
    let credentials = with(&request, json!({"AuthorizerCredentialsArn": "arn"}));
    let refused = bed.run("CreateAuthorizer", credentials).await.expect_err("refused");
    assert_eq!(refused, unsupported("AuthorizerCredentialsArn"));
    let named = |n: usize| with(&jwt, json!({"Name": format!("tokens{n}")}));
    for n in 0..crate::authorizer::AUTHORIZERS_MAX {
        bed.ok("CreateAuthorizer", named(n)).await;
    }
    let more = bed.run("CreateAuthorizer", named(crate::authorizer::AUTHORIZERS_MAX)).await;
    assert_eq!(more.expect_err("one too many").status, 429);
}

#[tokio::test]
async fn an_authorizers_name_is_its_own() {
    let bed = Bed::new();
    let api = bed.api().await;
    let taken = || bad("Authorizer name must be unique. Authorizer tokens already exists in this RestApi.");
    bed.ok("CreateAuthorizer", jwt(&api)).await;
    assert_eq!(bed.run("CreateAuthorizer", jwt(&api)).await.expect_err("taken"), taken());
    let other = bed.ok("CreateAuthorizer", request(&api)).await;
    let at = json!({"ApiId": api, "AuthorizerId": other["authorizerId"]});
    let renamed = with(&at, json!({"Name": "tokens"}));
    assert_eq!(bed.run("UpdateAuthorizer", renamed).await.expect_err("taken"), taken());
    bed.ok("UpdateAuthorizer", with(&at, json!({"Name": "function"}))).await;
    let elsewhere = bed.api().await;
    bed.ok("CreateAuthorizer", jwt(&elsewhere)).await;
}

#[tokio::test]
async fn a_routes_authorization_has_an_authorizer_of_its_kind() {
    let bed = Bed::new();
    let api = bed.api().await;
    let tokens = text(&bed.ok("CreateAuthorizer", jwt(&api)).await["authorizerId"]);
    let function = text(&bed.ok("CreateAuthorizer", request(&api)).await["authorizerId"]);
    let route = |more: Json| with(&json!({"ApiId": api, "RouteKey": "GET /"}), more);
    for more in [
        json!({"AuthorizationType": "JWT"}),
        json!({"AuthorizationType": "JWT", "AuthorizerId": function}),
        json!({"AuthorizationType": "CUSTOM", "AuthorizerId": tokens}),
        json!({"AuthorizationType": "CUSTOM", "AuthorizerId": "none"}),
        json!({"AuthorizationType": "CUSTOM", "AuthorizerId": function, "AuthorizationScopes": ["a"]}),
        json!({"AuthorizationType": "JWT", "AuthorizerId": tokens, "AuthorizationScopes": vec!["a"; 11]}),
    ] {
        assert!(bed.run("CreateRoute", route(more.clone())).await.is_err(), "{more}");
    }
    for (kind, words) in [
        ("JWT", "Setting the authorization type to JWT requires a valid JWT authorizer."),
        ("CUSTOM", "Setting the authorization type to CUSTOM requires a valid authorizer."),
    ] {
        let refused = bed.run("CreateRoute", route(json!({"AuthorizationType": kind}))).await;
        assert_eq!(refused.expect_err(kind), bad(format!("Invalid authorizer ID specified. {words}")));
    }
    let more = json!({"AuthorizationType": "JWT", "AuthorizerId": tokens, "AuthorizationScopes": ["a"]});
    let made = bed.ok("CreateRoute", route(more)).await;
    assert_eq!(made["authorizationScopes"], json!(["a"]));
    let gone = json!({"ApiId": api, "AuthorizerId": tokens});
    assert_eq!(bed.run("DeleteAuthorizer", gone.clone()).await.expect_err("in use").status, 409);
    let open = json!({"ApiId": api, "RouteId": made["routeId"], "AuthorizationType": "NONE"});
    let open = bed.ok("UpdateRoute", open).await;
    assert_eq!((open.get("authorizerId"), open.get("authorizationScopes")), (None, None));
    assert_eq!(bed.told("DeleteAuthorizer", gone).await.expect("gone").0, 204);
}
