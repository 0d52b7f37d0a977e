use super::*;

#[tokio::test]
async fn an_api_is_created_read_changed_and_deleted() {
    let bed = Bed::new();
    let (status, api) = bed.told("CreateRestApi", json!({"name": "pets"})).await.expect("created");
    let (id, root) = (text(&api["id"]), text(&api["rootResourceId"]));
    assert_eq!((status, id.len(), root.len()), (201, 10, 10));
    let plain = json!({
        "id": id, "name": "pets", "createdDate": 1_600_000_000, "apiKeySource": "HEADER",
        "endpointConfiguration": {"types": ["EDGE"], "ipAddressType": "ipv4"},
        "disableExecuteApiEndpoint": false, "rootResourceId": root,
    });
    assert_eq!(api, plain);
    let untagged = with(&plain, json!({"tags": {}}));
    assert_eq!(bed.ok("GetRestApi", json!({"restApiId": id})).await, untagged);
    assert_eq!(bed.ok("GetRestApis", json!({})).await, json!({"item": [plain]}));
    let operations = json!([
        patch("replace", "/name", "dogs"),
        patch("replace", "/description", "text"),
        patch("replace", "/disableExecuteApiEndpoint", "true"),
        patch("replace", "/endpointConfiguration/types/0", "REGIONAL"),
        patch("replace", "/endpointConfiguration/ipAddressType", "dualstack"),
        {"op": "add", "path": "/binaryMediaTypes/image~1png"},
        {"op": "add", "path": "/binaryMediaTypes/image~1jpeg"},
        patch("replace", "/binaryMediaTypes/image~1png", "image/gif"),
        {"op": "replace", "path": "/minimumCompressionSize"},
    ]);
    let changed = bed.ok("UpdateRestApi", json!({"restApiId": id, "patchOperations": operations})).await;
    let expected = json!({
        "name": "dogs", "description": "text", "disableExecuteApiEndpoint": true, "tags": {},
        "endpointConfiguration": {"types": ["REGIONAL"], "ipAddressType": "dualstack"},
        "binaryMediaTypes": ["image/jpeg", "image/gif"],
    });
    assert_eq!(changed, with(&plain, expected));
    assert_eq!(bed.told("DeleteRestApi", json!({"restApiId": id})).await.expect("deleted").0, 202);
    let gone = missing(format!("Invalid API identifier specified 000000000000:{id}"));
    for operation in
        ["GetRestApi", "DeleteRestApi", "GetResources", "GetStages", "GetDeployments", "UpdateRestApi"]
    {
        assert_eq!(bed.run(operation, json!({"restApiId": id})).await.expect_err(operation), gone);
    }
}

#[tokio::test]
async fn a_created_api_has_what_was_asked_for() {
    let bed = Bed::new();
    let asked = json!({
        "name": "a", "description": "d", "version": "v1", "binaryMediaTypes": ["*/*"], "apiKeySource": "HEADER",
        "tags": {"k": "v"}, "disableExecuteApiEndpoint": true,
    });
    let endpoint = json!({"types": ["REGIONAL"], "vpcEndpointIds": []});
    let api = bed.ok("CreateRestApi", with(&asked, json!({"endpointConfiguration": endpoint}))).await;
    for (name, value) in asked.as_object().expect("an object") {
        assert_eq!(&api[name], value, "{name}");
    }
    assert_eq!(api["endpointConfiguration"], json!({"types": ["REGIONAL"], "ipAddressType": "ipv4"}));
    let empty = json!({"name": "b", "binaryMediaTypes": [], "tags": {}, "endpointConfiguration": {}});
    let api = bed.ok("CreateRestApi", empty).await;
    assert!(api.get("binaryMediaTypes").is_none() && api.get("tags").is_none());
    assert_eq!(api["endpointConfiguration"]["types"], json!(["EDGE"]));
}

#[tokio::test]
async fn what_is_no_api_is_refused() {
    let bed = Bed::new();
    let size = "Invalid minimum compression size, must be between 0 and 10485760";
    for (input, refused) in [
        (json!({"name": "", "description": "d"}), bad("Name cannot be empty")),
        (json!({"name": "a", "description": ""}), bad("Description cannot be an empty string")),
        (json!({"name": "a", "minimumCompressionSize": -1}), bad(size)),
        (json!({"name": "a", "minimumCompressionSize": 10_485_761}), bad(size)),
        (
            json!({"name": "a", "policy": "{}"}),
            bad(
                "Invalid policy document. Please check the policy syntax and ensure that Principals are valid.",
            ),
        ),
        (
            json!({"name": "a", "endpointConfiguration": {"types": []}}),
            bad("REGIONAL Configuration and EDGE Configuration cannot be both DISABLED."),
        ),
        (
            json!({"name": "a", "endpointConfiguration": {"types": ["EDGE", "REGIONAL"]}}),
            bad("Cannot create an api with multiple Endpoint Types."),
        ),
        (
            json!({"name": "a", "endpointConfiguration": {"types": ["PRIVATE"], "ipAddressType": "ipv4"}}),
            bad("Only dualstack ipAddressType is supported for Private APIs."),
        ),
        (
            json!({"name": "a", "endpointConfiguration": {"types": ["PRIVATE"]}}),
            unsupported("endpointConfiguration.types PRIVATE"),
        ),
        (
            json!({"name": "a", "endpointConfiguration": {"vpcEndpointIds": ["vpce-1"]}}),
            unsupported("endpointConfiguration.vpcEndpointIds"),
        ),
        (json!({"name": "a", "tags": {"aws:x": "y"}}), bad("Invalid tag specified: aws:x")),
    ] {
        assert_eq!(bed.run("CreateRestApi", input).await.expect_err("refused"), refused);
    }
    assert_eq!(bed.ok("GetRestApis", json!({})).await, json!({"item": []}), "nothing was made");
}

#[tokio::test]
async fn patches_that_make_no_api_change_nothing() {
    let bed = Bed::new();
    let (id, _) = bed.mock_api().await;
    let before = bed.ok("GetRestApi", json!({"restApiId": id})).await;
    let only_replace = "Invalid patch operation specified. Must be one of: [replace]";
    let size = "Invalid minimum compression size, must be between 0 and 10485760";
    for (op, path, value, refused) in [
        ("add", "/minimumCompressionSize", "10", bad(only_replace)),
        ("replace", "/minimumCompressionSize", "-1", bad(size)),
        ("replace", "/minimumCompressionSize", "test", bad(size)),
        ("add", "/name", "x", bad(only_replace)),
        ("replace", "/name", "", bad("Name cannot be empty")),
        ("add", "/binaryMediaTypes", "image/gif", bad("Invalid patch path /binaryMediaTypes")),
        ("replace", "/binaryMediaTypes", "image/gif", bad("Invalid patch path /binaryMediaTypes")),
        ("remove", "/binaryMediaTypes", "", bad("Invalid patch path /binaryMediaTypes")),
        (
            "copy",
            "/binaryMediaTypes/a~1b",
            "/x",
            bad("Invalid patch operation specified. Must be 'add'|'remove'|'replace'"),
        ),
        (
            "replace",
            "/endpointConfiguration/ipAddressType",
            "wrong",
            bad("ipAddressType must be either ipv4 or dualstack."),
        ),
        ("add", "/endpointConfiguration/ipAddressType", "ipv4", bad(only_replace)),
        (
            "replace",
            "/endpointConfiguration/types/EDGE",
            "wrong",
            bad("Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE"),
        ),
        (
            "test",
            "/endpointConfiguration/types/EDGE",
            "EDGE",
            bad("Invalid patch operation specified. Must be 'add'|'remove'|'replace'"),
        ),
        (
            "replace",
            "/endpointConfiguration/types/EDGE",
            "PRIVATE",
            unsupported("endpointConfiguration.types PRIVATE"),
        ),
        (
            "add",
            "/endpointConfiguration/types/0",
            "EDGE",
            bad("Cannot create an api with multiple Endpoint Types."),
        ),
        (
            "add",
            "/endpointConfiguration/vpcEndpointIds",
            "vpce-1",
            unsupported("endpointConfiguration.vpcEndpointIds"),
        ),
        (
            "replace",
            "/policy",
            "{}",
            bad(
                "Invalid policy document. Please check the policy syntax and ensure that Principals are valid.",
            ),
        ),
        (
            "replace",
            "/apiKeySource",
            "BODY",
            bad("Invalid ApiKeySourceType specified. Valid options are HEADER,AUTHORIZER"),
        ),
        ("replace", "/id", "x", bad("Invalid patch path /id")),
        ("replace", "nonsense", "x", bad("Invalid patch path nonsense")),
    ] {
        // A good operation before the bad one: all or nothing.
        let operations = json!([patch("replace", "/description", "changed"), patch(op, path, value)]);
        let input = json!({"restApiId": id, "patchOperations": operations});
        assert_eq!(bed.run("UpdateRestApi", input).await.expect_err(path), refused, "{op} {path}");
    }
    let input = json!({"restApiId": id, "patchOperations": [{"op": "replace", "value": "x"}]});
    assert_eq!(bed.run("UpdateRestApi", input).await.expect_err("no path"), bad("Invalid patch path null"));
    assert_eq!(bed.ok("GetRestApi", json!({"restApiId": id})).await, before);
}

#[tokio::test]
async fn deleting_an_api_leaves_nothing_of_it() {
    let bed = Bed::new();
    let (id, _) = bed.mock_api().await;
    let (other, _) = bed.mock_api().await;
    for api in [&id, &other] {
        bed.deploy(api, json!({"stageName": "prod"})).await;
    }
    bed.ok("DeleteRestApi", json!({"restApiId": id})).await;
    let scope = &bed.caller.scope;
    let below = pitbird_records::prefix(scope, &[&id]);
    assert!(bed.store.list::<pitbird_records::Stage>(&below).expect("a read").is_empty());
    assert!(bed.store.list::<pitbird_records::Deployment>(&below).expect("a read").is_empty());
    assert!(bed.store.list::<pitbird_records::Resource>(&below).expect("a read").is_empty());
    assert!(bed.store.snapshot().api(&id).is_none());
    assert!(bed.store.snapshot().stage(&other, "prod").is_some(), "its neighbour stays");
}

#[tokio::test]
async fn accounts_and_regions_see_their_own_only() {
    let mut bed = Bed::new();
    let (id, root) = bed.mock_api().await;
    bed.caller.scope.region = pitbird_names::Region::parse("eu-west-1").expect("a region");
    assert_eq!(bed.ok("GetRestApis", json!({})).await, json!({"item": []}));
    assert!(bed.run("GetRestApi", json!({"restApiId": id})).await.is_err());
    assert!(bed.run("DeleteRestApi", json!({"restApiId": id})).await.is_err());
    let refused = bed.run("GetResource", json!({"restApiId": id, "resourceId": root})).await;
    assert_eq!(refused.expect_err("not here"), missing("Invalid Resource identifier specified"));
}

#[tokio::test]
async fn a_policy_and_a_compression_size_are_kept() {
    let bed = Bed::new();
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*",
        }],
    });
    let asked = json!({"name": "a", "policy": policy.to_string(), "minimumCompressionSize": 0});
    let api = bed.ok("CreateRestApi", asked).await;
    // Tools put quotes around it and read it as JSON.
    let told: String = serde_json::from_str(&format!("\"{}\"", text(&api["policy"]))).expect("escaped");
    assert_eq!(serde_json::from_str::<Json>(&told).expect("a policy"), policy);
    assert_eq!(api["minimumCompressionSize"], 0);
    let operations =
        json!([patch("replace", "/policy", ""), patch("replace", "/minimumCompressionSize", "")]);
    let api = bed.ok("UpdateRestApi", json!({"restApiId": api["id"], "patchOperations": operations})).await;
    assert!(api.get("policy").is_none() && api.get("minimumCompressionSize").is_none());
}
