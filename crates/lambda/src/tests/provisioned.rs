use super::*;

fn of(qualifier: &str, more: Json) -> Json {
    with(json!({"FunctionName": "f", "Qualifier": qualifier}), more)
}

fn wanted(qualifier: &str, count: u32) -> Json {
    of(qualifier, json!({"ProvisionedConcurrentExecutions": count}))
}

/// With a version 1 and an alias that leads to it.
async fn bed() -> Bed {
    let bed = Bed::new().await;
    bed.create("f").await;
    bed.ok("PublishVersion", json!({"FunctionName": "f"})).await;
    bed.ok("CreateAlias", json!({"FunctionName": "f", "Name": "live", "FunctionVersion": "1"})).await;
    bed
}

#[tokio::test]
async fn it_is_asked_for_becomes_ready_and_is_given_back() {
    let bed = bed().await;
    let none = refusal(
        404,
        "ProvisionedConcurrencyConfigNotFoundException",
        "No Provisioned Concurrency Config found for this function",
    );
    assert_eq!(bed.refused("GetProvisionedConcurrencyConfig", of("live", json!({}))).await, none);
    let (status, begun) = bed.told("PutProvisionedConcurrencyConfig", wanted("live", 3)).await.expect("put");
    assert_eq!(status, 202);
    let expected = |allocated: u32, available: u32, status: &str| {
        json!({
            "RequestedProvisionedConcurrentExecutions": 3, "AvailableProvisionedConcurrentExecutions": available,
            "AllocatedProvisionedConcurrentExecutions": allocated, "Status": status,
            "LastModified": begun["LastModified"],
        })
    };
    assert_eq!(begun, expected(0, 0, "IN_PROGRESS"));
    let is_so = |allocated, ready, has_failed| {
        *bed.stand.provisioned.lock().expect("nobody panics") = Provisioned { allocated, ready, has_failed };
    };
    let now = async || bed.ok("GetProvisionedConcurrencyConfig", of("live", json!({}))).await;
    for (allocated, ready) in [(2, 0), (3, 1), (3, 2)] {
        is_so(allocated, ready, false);
        assert_eq!(now().await, expected(allocated, ready, "IN_PROGRESS"));
    }
    is_so(0, 0, true);
    let failed = with(expected(0, 0, "FAILED"), json!({"StatusReason": "FUNCTION_ERROR_INIT_FAILURE"}));
    assert_eq!(now().await, failed);
    is_so(3, 3, false);
    assert_eq!(now().await, expected(3, 3, "READY"));
    let listed = bed.ok("ListProvisionedConcurrencyConfigs", json!({"FunctionName": "f"})).await;
    let item = with(expected(3, 3, "READY"), json!({"FunctionArn": format!("{ARN}:live")}));
    assert_eq!(listed, json!({"ProvisionedConcurrencyConfigs": [item]}));
    for _ in 0..2 {
        let gone = bed.told("DeleteProvisionedConcurrencyConfig", of("live", json!({}))).await;
        assert_eq!(gone, Ok((204, Json::Null)), "also where there is none");
    }
    assert_eq!(bed.refused("GetProvisionedConcurrencyConfig", of("live", json!({}))).await, none);
}

#[tokio::test]
async fn the_data_plane_learns_of_it_and_forgets_it_with_what_it_was_for() {
    let bed = bed().await;
    let provisioned = || {
        let snapshot = bed.store.snapshot();
        let key = pitbird_snapshot::FunctionKey { scope: Default::default(), name: "f".to_owned() };
        snapshot.function(&key).map(|function| function.provisioned_versions().into_values().sum::<u32>())
    };
    bed.ok("PutProvisionedConcurrencyConfig", wanted("live", 3)).await;
    assert_eq!(provisioned(), Some(3));
    bed.ok("DeleteAlias", json!({"FunctionName": "f", "Name": "live"})).await;
    assert_eq!(provisioned(), Some(0));
    bed.ok("PutProvisionedConcurrencyConfig", wanted("1", 2)).await;
    assert_eq!(provisioned(), Some(2));
    bed.ok("DeleteFunction", json!({"FunctionName": "f", "Qualifier": "1"})).await;
    assert_eq!(provisioned(), Some(0));
}

#[tokio::test]
async fn what_cannot_have_it_is_refused() {
    let bed = bed().await;
    let words = "Provisioned Concurrency Configs cannot be applied to unpublished function versions.";
    assert_eq!(bed.refused("PutProvisionedConcurrencyConfig", wanted("$LATEST", 1)).await, invalid(words));
    let refused = bed.refused("PutProvisionedConcurrencyConfig", wanted("none", 1)).await;
    assert_eq!(refused, missing(format!("Cannot find alias arn: {ARN}:none")));
    let refused = bed.refused("PutProvisionedConcurrencyConfig", wanted("7", 1)).await;
    assert_eq!(refused, missing(format!("Function not found: {ARN}:7")));
    assert_eq!(
        bed.refused("PutProvisionedConcurrencyConfig", wanted("1", 0)).await.code,
        "ValidationException"
    );

    bed.ok("PutProvisionedConcurrencyConfig", wanted("1", 1)).await;
    let words =
        "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version";
    assert_eq!(bed.refused("PutProvisionedConcurrencyConfig", wanted("live", 1)).await, conflict(words));
    bed.ok("DeleteProvisionedConcurrencyConfig", of("1", json!({}))).await;
    bed.ok("PutProvisionedConcurrencyConfig", wanted("live", 1)).await;
    let words = "Version is pointed by a Provisioned Concurrency alias";
    assert_eq!(bed.refused("PutProvisionedConcurrencyConfig", wanted("1", 1)).await, conflict(words));
}

#[tokio::test]
async fn it_stays_within_what_the_function_and_the_account_have() {
    let bed = bed().await;
    let unreserved = async || {
        let limit = bed.ok("GetAccountSettings", json!({})).await["AccountLimit"].clone();
        limit["UnreservedConcurrentExecutions"].as_u64().expect("a number")
    };
    let low = invalid(
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its \
         minimum value of [100].",
    );
    assert_eq!(bed.refused("PutProvisionedConcurrencyConfig", wanted("live", 901)).await, low);
    bed.ok("PutProvisionedConcurrencyConfig", wanted("live", 900)).await;
    assert_eq!(unreserved().await, 100);
    bed.create("g").await;
    let reserve =
        |name: &str, count: u32| json!({"FunctionName": name, "ReservedConcurrentExecutions": count});
    assert_eq!(bed.refused("PutFunctionConcurrency", reserve("g", 1)).await, low);
    // What the function reserves covers what is kept ready for it.
    bed.ok("PutProvisionedConcurrencyConfig", wanted("live", 5)).await;
    bed.ok("PutFunctionConcurrency", reserve("f", 10)).await;
    assert_eq!(unreserved().await, 990);
    let words = "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function";
    assert_eq!(bed.refused("PutProvisionedConcurrencyConfig", wanted("live", 11)).await, invalid(words));
    bed.ok("PutProvisionedConcurrencyConfig", wanted("live", 10)).await;
    // And it doesn't reserve less than that, in whatever order it is told.
    for count in [9, 0] {
        let words = format!(
            " ReservedConcurrentExecutions  {count} should not be lower than function's total provisioned concurrency [10]."
        );
        assert_eq!(bed.refused("PutFunctionConcurrency", reserve("f", count)).await, invalid(words));
    }
    bed.ok("PutFunctionConcurrency", reserve("f", 11)).await;
    bed.ok("DeleteProvisionedConcurrencyConfig", of("live", json!({}))).await;
    bed.ok("PutFunctionConcurrency", reserve("f", 0)).await;
}

#[tokio::test]
async fn an_alias_that_has_it_leads_to_a_published_version_without() {
    let bed = bed().await;
    bed.publish("2").await;
    bed.publish("3").await;
    let latest = "Provisioned Concurrency Configs cannot be applied to unpublished function versions.";
    let head = json!({"FunctionName": "f", "Name": "head", "FunctionVersion": "$LATEST"});
    bed.ok("CreateAlias", head).await;
    assert_eq!(bed.refused("PutProvisionedConcurrencyConfig", wanted("head", 1)).await, invalid(latest));

    bed.ok("PutProvisionedConcurrencyConfig", wanted("live", 1)).await;
    bed.ok("PutProvisionedConcurrencyConfig", wanted("2", 1)).await;
    let live = |members: Json| with(json!({"FunctionName": "f", "Name": "live"}), members);
    let weights = |weights: Json| live(json!({"RoutingConfig": {"AdditionalVersionWeights": weights}}));
    let version =
        "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version";
    for (input, expected) in [
        (live(json!({"FunctionVersion": "$LATEST"})), invalid(latest)),
        (live(json!({"FunctionVersion": "2"})), conflict(version)),
        (weights(json!({"2": 0.1})), conflict(version)),
    ] {
        assert_eq!(bed.refused("UpdateAlias", input).await, expected);
    }
    bed.ok("UpdateAlias", weights(json!({"3": 0.1}))).await;
    bed.ok("UpdateAlias", live(json!({"FunctionVersion": "3", "RoutingConfig": {}}))).await;
    bed.ok("DeleteProvisionedConcurrencyConfig", of("live", json!({}))).await;
    bed.ok("UpdateAlias", live(json!({"FunctionVersion": "2"}))).await;
    bed.ok("UpdateAlias", live(json!({"FunctionVersion": "$LATEST"}))).await;
}
