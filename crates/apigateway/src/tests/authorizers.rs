use super::*;

const URI: &str = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/\
                   arn:aws:lambda:us-east-1:000000000000:function:auth/invocations";

#[tokio::test]
async fn an_authorizer_is_made_read_changed_and_deleted() {
    let bed = Bed::new();
    let (api, root) = bed.mock_api().await;
    let put = json!({"restApiId": api, "name": "auth", "type": "TOKEN", "authorizerUri": URI});
    let (status, made) = bed.told("CreateAuthorizer", put.clone()).await.expect("made");
    let plain = json!({
        "id": made["id"], "name": "auth", "type": "TOKEN", "authType": "custom", "authorizerUri": URI,
        "identitySource": "method.request.header.Authorization", "authorizerResultTtlInSeconds": 300,
    });
    assert_eq!((status, &made, text(&made["id"]).len()), (201, &plain, 6));
    let refused = bed.run("CreateAuthorizer", put.clone()).await.expect_err("twice");
    let twice = "Authorizer name must be unique. Authorizer auth already exists in this RestApi.";
    assert_eq!(refused, bad(twice));
    let own = json!({"restApiId": api, "authorizerId": made["id"]});
    let operations = json!([
        patch("replace", "/authorizerResultTtlInSeconds", "0"),
        patch("replace", "/identitySource", "method.request.header.X"),
        patch("replace", "/identityValidationExpression", "a.*"),
    ]);
    let changed = bed.ok("UpdateAuthorizer", with(&own, json!({"patchOperations": operations}))).await;
    let more = json!({
        "authorizerResultTtlInSeconds": 0, "identitySource": "method.request.header.X",
        "identityValidationExpression": "a.*",
    });
    assert_eq!(changed, with(&plain, more));
    assert_eq!(bed.ok("GetAuthorizer", own.clone()).await, changed);
    assert_eq!(bed.ok("GetAuthorizers", json!({"restApiId": api})).await, json!({"item": [changed]}));
    let post = at(&api, &root, "POST");
    let method = json!({"authorizationType": "CUSTOM", "authorizerId": made["id"], "apiKeyRequired": true});
    let method = bed.ok("PutMethod", with(&post, method)).await;
    assert_eq!((&method["authorizerId"], &method["apiKeyRequired"]), (&made["id"], &json!(true)));
    let refused = bed.run("DeleteAuthorizer", own.clone()).await.expect_err("in use");
    assert_eq!(refused, conflict("Cannot delete authorizer 'auth', is referenced in method: //POST"));
    let pool = json!([
        patch("replace", "/type", "COGNITO_USER_POOLS"),
        patch("add", "/providerARNs", "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_abc"),
    ]);
    let refused = bed.run("UpdateAuthorizer", with(&own, json!({"patchOperations": pool}))).await;
    let message = "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS \
                   requires a valid authorizer.";
    assert_eq!(refused.expect_err("a method asks it as a function"), bad(message));
    let open = json!([patch("replace", "/authorizationType", "NONE")]);
    let method = bed.ok("UpdateMethod", with(&post, json!({"patchOperations": open}))).await;
    assert_eq!(method.get("authorizerId"), None);
    assert_eq!(bed.told("DeleteAuthorizer", own.clone()).await.expect("deleted"), (202, Json::Null));
    for operation in ["GetAuthorizer", "UpdateAuthorizer", "DeleteAuthorizer"] {
        let refused = bed.run(operation, own.clone()).await.expect_err(operation);
        assert_eq!(refused, missing("Invalid Authorizer identifier specified"));
    }
    let refused = bed.run("CreateAuthorizer", with(&put, json!({"restApiId": "nowhere"}))).await;
    let message = "Unable to complete operation due to concurrent modification. Please try again later.";
    assert_eq!(refused.expect_err("no API"), conflict(message));
}

#[tokio::test]
async fn a_pool_needs_no_function_and_an_api_has_so_many_authorizers() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    let pool = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_abc";
    for n in 0..10 {
        let name = format!("pool{n}");
        let put = json!({
            "restApiId": api, "name": name, "type": "COGNITO_USER_POOLS", "providerARNs": [pool],
        });
        let made = bed.ok("CreateAuthorizer", put).await;
        assert_eq!(
            (&made["providerARNs"], &made["authType"]),
            (&json!([pool]), &json!("cognito_user_pools"))
        );
    }
    let one_more = json!({"restApiId": api, "name": "b", "type": "TOKEN", "authorizerUri": URI});
    let refused = bed.run("CreateAuthorizer", one_more).await.expect_err("one too many");
    assert_eq!((refused.status, refused.code.as_str()), (429, "LimitExceededException"));
}
