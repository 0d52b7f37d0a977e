use super::*;

const LIVE: &str = "arn:aws:lambda:us-east-1:000000000000:function:f:live";

/// A function with versions 1 to 3, the third with another role.
async fn bed() -> Bed {
    let bed = Bed::new().await;
    bed.create("f").await;
    bed.publish("1").await;
    bed.publish("2").await;
    let role = json!({"FunctionName": "f", "Role": "arn:aws:iam::000000000000:role/walker"});
    bed.ok("UpdateFunctionConfiguration", role).await;
    bed.state.finish().await;
    bed.ok("PublishVersion", json!({"FunctionName": "f"})).await;
    bed
}

fn alias(version: &str, members: Json) -> Json {
    with(json!({"FunctionName": "f", "Name": "live", "FunctionVersion": version}), members)
}

fn weights(weights: Json) -> Json {
    json!({"RoutingConfig": {"AdditionalVersionWeights": weights}})
}

fn constraint(words: &str) -> Refusal {
    refusal(400, "ValidationException", format!("1 validation error detected: {words}"))
}

#[tokio::test]
async fn an_alias_lives_from_creation_to_deletion() {
    let bed = bed().await;
    let (status, created) = bed.told("CreateAlias", alias("1", json!({}))).await.expect("an alias");
    let revision = created["RevisionId"].clone();
    let expected = json!({
        "AliasArn": LIVE, "Name": "live", "FunctionVersion": "1", "Description": "", "RevisionId": revision,
    });
    assert_eq!((status, &created), (201, &expected));
    assert_eq!(bed.ok("GetAlias", json!({"FunctionName": "f", "Name": "live"})).await, created);
    assert_eq!(
        bed.refused("CreateAlias", alias("2", json!({}))).await,
        conflict(format!("Alias already exists: {LIVE}"))
    );
    let moved = bed.ok("UpdateAlias", alias("2", json!({"Description": "d"}))).await;
    assert_eq!((&moved["FunctionVersion"], &moved["Description"]), (&json!("2"), &json!("d")));
    assert_ne!(moved["RevisionId"], revision);
    let named = json!({"FunctionName": "f", "Name": "live"});
    assert_eq!(bed.told("DeleteAlias", named.clone()).await.expect("deleted"), (204, Json::Null));
    assert_eq!(bed.told("DeleteAlias", named.clone()).await.expect("again").0, 204);
    assert_eq!(bed.refused("GetAlias", named).await, missing(format!("Cannot find alias arn: {LIVE}")));
    assert_eq!(
        bed.refused("UpdateAlias", alias("2", json!({}))).await,
        missing(format!("Alias not found: {LIVE}"))
    );
}

#[tokio::test]
async fn a_routing_is_set_kept_and_cleared() {
    let bed = bed().await;
    let created = bed.ok("CreateAlias", alias("1", weights(json!({"2": 0.1})))).await;
    assert_eq!(created["RoutingConfig"], json!({"AdditionalVersionWeights": {"2": 0.1}}));
    let update = |members: Json| with(json!({"FunctionName": "f", "Name": "live"}), members);
    for (members, expected) in [
        (json!({"Description": "d"}), json!({"AdditionalVersionWeights": {"2": 0.1}})),
        (weights(json!({"2": 0.0})), json!({"AdditionalVersionWeights": {"2": 0.0}})),
        (weights(json!({"2": 1.0})), json!({"AdditionalVersionWeights": {"2": 1.0}})),
        (weights(json!({})), Json::Null),
        (weights(json!({"2": 0.5})), json!({"AdditionalVersionWeights": {"2": 0.5}})),
        (json!({"RoutingConfig": {}}), Json::Null),
    ] {
        let updated = bed.ok("UpdateAlias", update(members.clone())).await;
        assert_eq!(updated["RoutingConfig"], expected, "{members}");
    }
    bed.ok("UpdateAlias", update(weights(json!({"2": 0.5})))).await;
    let promoted = with(alias("2", json!({})), weights(json!({})));
    let promoted = bed.ok("UpdateAlias", promoted).await;
    assert_eq!((&promoted["FunctionVersion"], &promoted["RoutingConfig"]), (&json!("2"), &Json::Null));
}

#[tokio::test]
async fn the_data_plane_splits_as_the_alias_says() {
    let bed = bed().await;
    bed.ok("CreateAlias", alias("1", weights(json!({"2": 0.25})))).await;
    let snapshot = bed.store.snapshot();
    let key = pitbird_snapshot::FunctionKey { scope: Default::default(), name: "f".to_owned() };
    let function = snapshot.function(&key).expect("the function");
    let live = pitbird_names::Qualifier::Alias("live".to_owned());
    let chosen =
        |draw| function.resolve(Some(&live), draw).expect("a version").version.record.version.to_string();
    assert_eq!(
        (chosen(0.0), chosen(0.249), chosen(0.25), chosen(0.99)),
        ("2".into(), "2".into(), "1".into(), "1".into())
    );
}

#[tokio::test]
async fn every_violation_has_its_words() {
    let bed = bed().await;
    let share = "failed to satisfy constraint: Map value must satisfy constraint: [Member must have value less than or \
                 equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]";
    let keys = "failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or \
                equal to 1024, Member must have length greater than or equal to 1, Member must satisfy regular \
                expression pattern: [0-9]+, Member must not be null]";
    let at = "at 'routingConfig.additionalVersionWeights'";
    let cases = [
        (
            alias("1", weights(json!({"2": 0.1, "3": 0.1}))),
            invalid("Number of items in AdditionalVersionWeights cannot be greater than 1"),
        ),
        (alias("1", weights(json!({"2": 2.0}))), constraint(&format!("Value '{{2=2.0}}' {at} {share}"))),
        (alias("1", weights(json!({"2": -1.0}))), constraint(&format!("Value '{{2=-1.0}}' {at} {share}"))),
        (
            alias("1", weights(json!({"1": 0.5}))),
            invalid(
                "Invalid function version 1. Function version 1 is already included in routing configuration.",
            ),
        ),
        (
            alias("$LATEST", weights(json!({"1": 0.5}))),
            invalid("$LATEST is not supported for an alias pointing to more than 1 version"),
        ),
        (
            alias("1", weights(json!({"$LATEST": 0.5}))),
            constraint(&format!("Value '{{$LATEST=0.5}}' {at} {keys}")),
        ),
        (alias("1", weights(json!({"10": 0.5}))), missing(format!("Function not found: {ARN}:10"))),
        (alias("10", json!({})), missing(format!("Function not found: {ARN}:10"))),
        (alias("10", weights(json!({"1": 0.5}))), missing(format!("Function not found: {ARN}:10"))),
        (
            alias("1", weights(json!({"3": 0.5}))),
            invalid("Alias can't point to versions with different execution roles: 1 and 3"),
        ),
        (
            alias("live", json!({})),
            constraint(
                "Value 'live' at 'functionVersion' failed to satisfy constraint: Member must satisfy regular \
                 expression pattern: (\\$LATEST(\\.PUBLISHED)?|[0-9]+)",
            ),
        ),
        (alias("$LATEST.PUBLISHED", json!({})), unsupported("FunctionVersion $LATEST.PUBLISHED")),
    ];
    for (input, expected) in &cases {
        assert_eq!(bed.refused("CreateAlias", input.clone()).await, *expected, "{input}");
    }
    let numeric = constraint(
        "Value '12' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: \
         (?!^[0-9]+$)([a-zA-Z0-9-_]+)",
    );
    assert_eq!(bed.refused("CreateAlias", alias("1", json!({"Name": "12"}))).await, numeric);
    let created = bed.ok("CreateAlias", alias("1", weights(json!({"2": 0.1})))).await;
    for (input, expected) in &cases {
        assert_eq!(bed.refused("UpdateAlias", input.clone()).await, *expected, "{input}");
    }
    let twice =
        "Invalid function version 2. Function version 2 is already included in routing configuration.";
    assert_eq!(bed.refused("UpdateAlias", alias("2", json!({}))).await, invalid(twice), "the routing stays");
    let old = alias("1", json!({"RevisionId": "old"}));
    assert_eq!(bed.refused("UpdateAlias", old).await, stale("GetFunction/GetAlias"));
    assert_eq!(bed.ok("GetAlias", json!({"FunctionName": "f", "Name": "live"})).await, created);
}

#[tokio::test]
async fn aliases_are_listed_by_name_or_by_what_they_lead_to() {
    let bed = bed().await;
    for (name, version, routing) in
        [("c", "1", json!({})), ("a", "1", json!({"2": 0.1})), ("b", "2", json!({}))]
    {
        bed.ok("CreateAlias", with(alias(version, json!({"Name": name})), weights(routing))).await;
    }
    let names = |answer: &Json| -> Vec<String> {
        answer["Aliases"].as_array().expect("a list").iter().map(|alias| text(&alias["Name"])).collect()
    };
    let list = |members: Json| bed.ok("ListAliases", with(json!({"FunctionName": "f"}), members));
    assert_eq!(names(&list(json!({})).await), ["a", "b", "c"]);
    assert_eq!(names(&list(json!({"FunctionVersion": "2"})).await), ["a", "b"]);
    let first = list(json!({"MaxItems": 2})).await;
    assert_eq!(names(&first), ["a", "b"]);
    let rest = list(json!({"MaxItems": 2, "Marker": first["NextMarker"]})).await;
    assert_eq!((names(&rest), &rest["NextMarker"]), (vec!["c".to_owned()], &Json::Null));
}

#[tokio::test]
async fn a_version_is_named_as_it_was_given_out() {
    let bed = bed().await;
    bed.ok("CreateAlias", alias("1", json!({}))).await;
    let absent = missing(format!("Function not found: {ARN}:01"));
    for (operation, input) in [
        ("GetFunction", json!({"FunctionName": "f", "Qualifier": "01"})),
        ("GetFunction", json!({"FunctionName": "f:01"})),
        ("Invoke", json!({"FunctionName": "f", "Qualifier": "01"})),
        ("CreateAlias", with(alias("01", json!({})), json!({"Name": "other"}))),
        ("UpdateAlias", alias("01", json!({}))),
        ("UpdateAlias", alias("2", weights(json!({"01": 0.1})))),
    ] {
        assert_eq!(bed.refused(operation, input.clone()).await, absent, "{operation} {input}");
    }
    for (version, count) in [("1", 1), ("01", 0), ("9", 0)] {
        let listed = bed.ok("ListAliases", json!({"FunctionName": "f", "FunctionVersion": version})).await;
        assert_eq!(listed["Aliases"].as_array().map(Vec::len), Some(count), "{version}");
    }
}
