use super::*;

const OTHER: &str = "arn:aws:lambda:us-east-1:000000000000:function:g";

async fn bed() -> Bed {
    let bed = Bed::new().await;
    bed.create("f").await;
    bed.create("g").await;
    bed
}

fn of(qualifier: Option<&str>, more: Json) -> Json {
    let named = match qualifier {
        Some(qualifier) => json!({"FunctionName": "f", "Qualifier": qualifier}),
        None => json!({"FunctionName": "f"}),
    };
    with(named, more)
}

#[tokio::test]
async fn rules_are_set_changed_told_and_taken_back() {
    let bed = bed().await;
    let named = of(None, json!({}));
    let none = missing(format!("The function {ARN}:$LATEST doesn't have an EventInvokeConfig"));
    assert_eq!(
        bed.refused("UpdateFunctionEventInvokeConfig", of(None, json!({"MaximumRetryAttempts": 1}))).await,
        none
    );
    assert_eq!(bed.refused("DeleteFunctionEventInvokeConfig", named.clone()).await, none);

    let set = json!({"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60});
    let mut told = bed.ok("PutFunctionEventInvokeConfig", of(None, set)).await;
    assert!(told["LastModified"].is_number(), "{told}");
    told.as_object_mut().expect("an object").remove("LastModified");
    let expected = json!({
        "FunctionArn": format!("{ARN}:$LATEST"), "MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60,
        "DestinationConfig": {"OnSuccess": {}, "OnFailure": {}},
    });
    assert_eq!(told, expected);

    let more = json!({"DestinationConfig": {"OnFailure": {"Destination": OTHER}}});
    let told = bed.ok("UpdateFunctionEventInvokeConfig", of(None, more)).await;
    assert_eq!(
        (&told["MaximumRetryAttempts"], &told["DestinationConfig"]["OnFailure"]["Destination"]),
        (&json!(0), &json!(OTHER))
    );
    assert_eq!(bed.ok("GetFunctionEventInvokeConfig", named.clone()).await, told);
    // What is put stands alone.
    let told = bed.ok("PutFunctionEventInvokeConfig", of(None, json!({"MaximumRetryAttempts": 2}))).await;
    assert_eq!(told["DestinationConfig"], json!({"OnSuccess": {}, "OnFailure": {}}));
    assert_eq!(told.get("MaximumEventAgeInSeconds"), None);

    assert_eq!(bed.told("DeleteFunctionEventInvokeConfig", named.clone()).await, Ok((204, Json::Null)));
    assert_eq!(bed.refused("GetFunctionEventInvokeConfig", named).await, none);
}

#[tokio::test]
async fn each_name_has_rules_of_its_own_and_takes_them_along() {
    let bed = bed().await;
    bed.ok("PublishVersion", json!({"FunctionName": "f"})).await;
    bed.ok("CreateAlias", json!({"FunctionName": "f", "Name": "live", "FunctionVersion": "1"})).await;
    let rules = json!({"MaximumRetryAttempts": 1});
    for qualifier in [None, Some("1"), Some("live")] {
        bed.ok("PutFunctionEventInvokeConfig", of(qualifier, rules.clone())).await;
    }
    let missing_alias = missing(format!("Function not found: {ARN}:none"));
    assert_eq!(bed.refused("PutFunctionEventInvokeConfig", of(Some("none"), rules)).await, missing_alias);
    let arns = async |max: u32, marker: Option<&Json>| {
        let mut input = json!({"FunctionName": "f", "MaxItems": max});
        if let Some(marker) = marker {
            input["Marker"] = marker.clone();
        }
        bed.ok("ListFunctionEventInvokeConfigs", input).await
    };
    let first = arns(2, None).await;
    let second = arns(2, Some(&first["NextMarker"])).await;
    let names = |page: &Json| -> Vec<String> {
        let configs = page["FunctionEventInvokeConfigs"].as_array().expect("a list");
        configs.iter().map(|config| config["FunctionArn"].as_str().expect("an ARN").to_owned()).collect()
    };
    let all: Vec<String> = [names(&first), names(&second)].concat();
    assert_eq!(all, [format!("{ARN}:$LATEST"), format!("{ARN}:1"), format!("{ARN}:live")]);
    assert_eq!(second.get("NextMarker"), None);

    bed.told("DeleteAlias", json!({"FunctionName": "f", "Name": "live"})).await.expect("deleted");
    bed.told("DeleteFunction", json!({"FunctionName": "f", "Qualifier": "1"})).await.expect("deleted");
    assert_eq!(names(&arns(50, None).await), [format!("{ARN}:$LATEST")]);
    bed.told("DeleteFunction", json!({"FunctionName": "f"})).await.expect("deleted");
    bed.create("f").await;
    assert_eq!(names(&arns(50, None).await), Vec::<String>::new());
}

#[tokio::test]
async fn what_cannot_be_obeyed_is_refused() {
    let bed = bed().await;
    let put = async |more: Json| bed.refused("PutFunctionEventInvokeConfig", of(None, more)).await;
    let nothing = invalid("You must specify at least one of error handling or destination setting.");
    assert_eq!(put(json!({})).await, nothing);
    assert_eq!(put(json!({"DestinationConfig": {"OnSuccess": {}}})).await, nothing);
    let to = |arn: &str| json!({"DestinationConfig": {"OnSuccess": {"Destination": arn}}});
    let queue = "arn:aws:sqs:us-east-1:000000000000:queue";
    assert_eq!(put(to(queue)).await, unsupported(&format!("DestinationConfig with the destination {queue}")));
    for arn in [
        ARN.to_owned(),
        format!("{ARN}:live"),
        format!("{OTHER}:none"),
        OTHER.replace(":g", ":none"),
        OTHER.replace("us-east-1", "eu-west-1"),
    ] {
        let refused = put(to(&arn)).await;
        assert!(
            refused.status == 400 && refused.message.contains(&format!("destination {arn} is invalid")),
            "{refused:?}"
        );
    }
    for (member, value) in [("MaximumRetryAttempts", 3), ("MaximumEventAgeInSeconds", 59)] {
        let refused = put(json!({member: value})).await;
        assert!(
            refused.status == 400 && refused.message.contains("failed to satisfy constraint"),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn loops_are_stopped_unless_allowed() {
    let bed = bed().await;
    let named = of(None, json!({}));
    let told = |word: &str| json!({"RecursiveLoop": word});
    assert_eq!(bed.ok("GetFunctionRecursionConfig", named.clone()).await, told("Terminate"));
    for word in ["Allow", "Terminate", "Allow"] {
        assert_eq!(bed.ok("PutFunctionRecursionConfig", of(None, told(word))).await, told(word));
        assert_eq!(bed.ok("GetFunctionRecursionConfig", named.clone()).await, told(word));
    }
    let refused = bed.refused("PutFunctionRecursionConfig", of(None, told("Perhaps"))).await;
    assert!(refused.message.contains("Member must satisfy enum value set"), "{refused:?}");
    let unknown = bed.refused("GetFunctionRecursionConfig", json!({"FunctionName": "none"})).await;
    assert_eq!(unknown.status, 404);
}
