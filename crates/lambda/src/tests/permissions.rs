use super::*;

const SOURCE: &str = "arn:aws:execute-api:us-east-1:000000000000:abc/*/GET/pets";

fn permission(sid: &str, members: Json) -> Json {
    let permission = json!({
        "FunctionName": "f",
        "StatementId": sid,
        "Action": "lambda:InvokeFunction",
        "Principal": "apigateway.amazonaws.com",
    });
    with(permission, members)
}

/// A function with version 1 and the alias `live`.
async fn bed() -> Bed {
    let bed = Bed::new().await;
    bed.create("f").await;
    bed.publish("1").await;
    bed.ok("CreateAlias", json!({"FunctionName": "f", "Name": "live", "FunctionVersion": "1"})).await;
    bed
}

#[tokio::test]
async fn a_permission_is_a_statement_of_the_policy() {
    let bed = bed().await;
    let (status, added) =
        bed.told("AddPermission", permission("s1", json!({"SourceArn": SOURCE}))).await.expect("added");
    let statement = format!(
        r#"{{"Sid":"s1","Effect":"Allow","Principal":{{"Service":"apigateway.amazonaws.com"}},"Action":"lambda:InvokeFunction","Resource":"{ARN}","Condition":{{"ArnLike":{{"AWS:SourceArn":"{SOURCE}"}}}}}}"#
    );
    assert_eq!((status, &added["Statement"]), (201, &json!(statement)));
    let policy = bed.ok("GetPolicy", json!({"FunctionName": "f"})).await;
    let document = format!(r#"{{"Version":"2012-10-17","Id":"default","Statement":[{statement}]}}"#);
    assert_eq!(policy["Policy"], document);
    let revision = policy["RevisionId"].clone();
    bed.ok("AddPermission", permission("s2", json!({"Principal": "111111111111", "RevisionId": revision})))
        .await;
    let changed = bed.ok("GetPolicy", json!({"FunctionName": "f"})).await;
    assert_ne!(changed["RevisionId"], revision);
    for sid in ["s1", "s2"] {
        let removed = bed.told("RemovePermission", json!({"FunctionName": "f", "StatementId": sid})).await;
        assert_eq!(removed.expect("removed"), (204, Json::Null));
    }
    let gone = missing("The resource you requested does not exist.");
    assert_eq!(bed.refused("GetPolicy", json!({"FunctionName": "f"})).await, gone);
}

#[tokio::test]
async fn versions_and_aliases_have_policies_of_their_own() {
    let bed = bed().await;
    for (qualifier, name) in [(Some("live"), "f"), (Some("1"), "f"), (None, "f")] {
        bed.ok("AddPermission", permission("s", json!({"Qualifier": qualifier, "FunctionName": name}))).await;
    }
    for (qualifier, arn) in
        [(Some("live"), format!("{ARN}:live")), (Some("1"), format!("{ARN}:1")), (None, ARN.into())]
    {
        let input = with(json!({"FunctionName": "f"}), json!({"Qualifier": qualifier}));
        let policy = text(&bed.ok("GetPolicy", input.clone()).await["Policy"]);
        let policy: Json = serde_json::from_str(&policy).expect("JSON");
        assert_eq!(policy["Statement"][0]["Resource"], arn);
        bed.ok("RemovePermission", with(input, json!({"StatementId": "s"}))).await;
    }
}

#[tokio::test]
async fn the_data_plane_lets_in_whom_the_policy_names() {
    let bed = bed().await;
    bed.ok("AddPermission", permission("s", json!({"SourceArn": SOURCE, "Qualifier": "live"}))).await;
    let snapshot = bed.store.snapshot();
    let key = pitbird_snapshot::FunctionKey { scope: Default::default(), name: "f".to_owned() };
    let function = snapshot.function(&key).expect("the function");
    let live = pitbird_names::Qualifier::Alias("live".to_owned());
    let source = pitbird_snapshot::InvocationSource {
        service: "apigateway.amazonaws.com",
        arn: "arn:aws:execute-api:us-east-1:000000000000:abc/prod/GET/pets",
        account: "000000000000",
    };
    assert!(function.policy(Some(&live)).is_some_and(|policy| policy.allows(&source)));
    assert!(function.policy(None).is_none(), "the function itself has none");
}

#[tokio::test]
async fn a_policy_has_the_revision_of_what_it_belongs_to() {
    let bed = bed().await;
    let input = |qualifier: Option<&str>| with(json!({"FunctionName": "f"}), json!({"Qualifier": qualifier}));
    let revision = async |qualifier: Option<&str>| {
        let (operation, input) = match qualifier {
            Some("live") => ("GetAlias", json!({"FunctionName": "f", "Name": "live"})),
            _ => ("GetFunctionConfiguration", input(qualifier)),
        };
        text(&bed.ok(operation, input).await["RevisionId"])
    };
    let all = [None, Some("1"), Some("live")];
    for qualifier in all {
        let mut others = Vec::new();
        for other in all.into_iter().filter(|other| *other != qualifier) {
            others.push((other, revision(other).await));
        }
        let before = revision(qualifier).await;
        let of = |sid: &str, revision: &str| {
            permission(sid, json!({"Qualifier": qualifier, "RevisionId": revision}))
        };
        assert_eq!(bed.refused("AddPermission", of("s", "old")).await, stale("GetPolicy"));
        bed.ok("AddPermission", of("s", &before)).await;
        let added = revision(qualifier).await;
        assert_ne!(added, before, "{qualifier:?}");
        assert_eq!(bed.ok("GetPolicy", input(qualifier)).await["RevisionId"], added, "{qualifier:?}");
        assert_eq!(bed.refused("AddPermission", of("t", &before)).await, stale("GetPolicy"));
        bed.ok("AddPermission", of("t", &added)).await;

        let removal =
            |revision: &str| with(input(qualifier), json!({"StatementId": "s", "RevisionId": revision}));
        assert_eq!(bed.refused("RemovePermission", removal(&added)).await, stale("GetPolicy"));
        let second = revision(qualifier).await;
        bed.ok("RemovePermission", removal(&second)).await;
        let removed = revision(qualifier).await;
        assert_ne!(removed, second, "{qualifier:?}");
        assert_eq!(bed.ok("GetPolicy", input(qualifier)).await["RevisionId"], removed, "{qualifier:?}");
        for (other, before) in others {
            assert_eq!(revision(other).await, before, "{other:?} has nothing to do with {qualifier:?}");
        }
    }
}

#[tokio::test]
async fn a_permission_given_during_an_update_renews_the_updates_revision() {
    let bed = Bed::preparing(1).await;
    bed.create("f").await;
    let updating = bed.ok("UpdateFunctionCode", json!({"FunctionName": "f", "ZipFile": zip("two")})).await;
    bed.ok("AddPermission", permission("s", json!({"RevisionId": updating["RevisionId"]}))).await;
    let now = bed.ok("GetFunctionConfiguration", json!({"FunctionName": "f"})).await;
    assert_eq!(
        (&now["LastUpdateStatus"], &now["CodeSha256"]),
        (&json!("InProgress"), &updating["CodeSha256"])
    );
    assert_ne!(now["RevisionId"], updating["RevisionId"]);
    assert_eq!(bed.ok("GetPolicy", json!({"FunctionName": "f"})).await["RevisionId"], now["RevisionId"]);
    bed.stand.preparations.add_permits(1);
    bed.state.finish().await;
    let done = bed.ok("GetFunctionConfiguration", json!({"FunctionName": "f"})).await;
    assert_eq!(
        (&done["LastUpdateStatus"], &done["CodeSha256"]),
        (&json!("Successful"), &updating["CodeSha256"])
    );
}

/// Who calls from another account, if the named policies let him.
fn stranger() -> Caller {
    let account = Account::parse("111111111111").expect("twelve digits");
    Caller::root(pitbird_names::Scope { account, ..Default::default() })
}

fn denied(action: &str, arn: &str) -> Refusal {
    let message = format!(
        "User: arn:aws:iam::111111111111:root is not authorized to perform: lambda:{action} on resource: {arn} because no \
         resource-based policy allows the lambda:{action} action"
    );
    refusal(403, "AccessDeniedException", message)
}

#[tokio::test]
async fn another_account_is_let_in_by_the_policy_of_what_it_names() {
    let mut bed = bed().await;
    let (owner, live) = (bed.caller.clone(), format!("{ARN}:live"));
    let named = |arn: &str| json!({"FunctionName": arn});
    for principal in ["111111111111", "arn:aws:iam::111111111111:root", "*"] {
        let member = json!({"Principal": principal, "Qualifier": "live"});
        bed.ok("AddPermission", permission("s", member)).await;
        bed.caller = stranger();
        bed.ok("Invoke", named(&live)).await;
        bed.ok("Invoke", with(named(&live), json!({"InvocationType": "Event"}))).await;
        bed.ok("Invoke", with(named(&live), json!({"InvocationType": "DryRun"}))).await;
        bed.ok("InvokeAsync", with(named(&live), json!({"InvokeArgs": "{}"}))).await;
        // Nothing else of the function, and nothing else with it.
        for arn in [ARN.to_owned(), format!("{ARN}:1"), format!("{ARN}:$LATEST"), format!("{ARN}:none")] {
            assert_eq!(bed.refused("Invoke", named(&arn)).await, denied("InvokeFunction", &arn));
        }
        assert_eq!(bed.refused("GetFunction", named(&live)).await, denied("GetFunction", &live));
        bed.caller = owner.clone();
        let removal = json!({"FunctionName": "f", "StatementId": "s", "Qualifier": "live"});
        bed.ok("RemovePermission", removal).await;
    }
    bed.caller = stranger();
    assert_eq!(bed.refused("Invoke", named(&live)).await, denied("InvokeFunction", &live));
}

#[tokio::test]
async fn another_account_does_what_the_action_names_and_no_policy_gives_all() {
    let mut bed = bed().await;
    let owner = bed.caller.clone();
    let get = json!({"Principal": "111111111111", "Action": "lambda:GetFunction"});
    bed.ok("AddPermission", permission("get", get)).await;
    let source = json!({"Principal": "*", "SourceArn": SOURCE});
    bed.ok("AddPermission", permission("conditional", source)).await;
    bed.caller = stranger();
    let named = json!({"FunctionName": ARN});
    let got = bed.ok("GetFunction", named.clone()).await;
    assert_eq!(got["Configuration"]["FunctionArn"], ARN);
    assert_eq!(bed.refused("Invoke", named.clone()).await, denied("InvokeFunction", ARN));
    assert_eq!(bed.refused("ListAliases", named.clone()).await, denied("ListAliases", ARN));

    bed.caller = owner;
    let all = json!({"Principal": "111111111111", "Action": "lambda:*"});
    bed.ok("AddPermission", permission("all", all)).await;
    bed.caller = stranger();
    bed.ok("Invoke", named.clone()).await;
    bed.ok("ListAliases", named.clone()).await;
    bed.ok("UpdateAlias", with(named.clone(), json!({"Name": "live", "Description": "d"}))).await;
    bed.ok("GetPolicy", named.clone()).await;
    bed.ok("TagResource", json!({"Resource": ARN, "Tags": {"a": "b"}})).await;
    // Who may do this stays with the owner, whatever a policy says.
    for (operation, members) in [
        ("AddPermission", permission("t", named.clone())),
        ("RemovePermission", with(named.clone(), json!({"StatementId": "all"}))),
        ("UpdateFunctionConfiguration", with(named.clone(), json!({"Timeout": 9}))),
        ("CreateFunctionUrlConfig", with(named.clone(), json!({"AuthType": "NONE"}))),
    ] {
        assert_eq!(bed.refused(operation, members).await, denied(operation, ARN));
    }
}

#[tokio::test]
async fn every_violation_has_its_words() {
    let bed = bed().await;
    bed.ok("AddPermission", permission("s", json!({}))).await;
    let twice = "The statement id (s) provided already exists. Please provide a new statement id, or remove the \
                 existing statement.";
    let principal = "The provided principal was invalid. Please check the principal and try again.";
    let latest = "We currently do not support adding policies for $LATEST.";
    let removal = |sid: &str, qualifier: Option<&str>| {
        with(json!({"FunctionName": "f", "StatementId": sid}), json!({"Qualifier": qualifier}))
    };
    for (operation, input, expected) in [
        ("AddPermission", permission("s", json!({})), conflict(twice)),
        ("AddPermission", permission("t", json!({"Principal": "me"})), invalid(principal)),
        ("AddPermission", permission("t", json!({"Qualifier": "$LATEST"})), invalid(latest)),
        ("AddPermission", permission("t", json!({"FunctionName": "f:$LATEST"})), invalid(latest)),
        (
            "AddPermission",
            permission("t", json!({"Qualifier": "old"})),
            missing(format!("Function not found: {ARN}:old")),
        ),
        (
            "AddPermission",
            permission("t", json!({"Qualifier": "9"})),
            missing(format!("Function not found: {ARN}:9")),
        ),
        (
            "AddPermission",
            permission("t", json!({"FunctionName": "g"})),
            missing("Function not found: arn:aws:lambda:us-east-1:000000000000:function:g"),
        ),
        ("AddPermission", permission("t", json!({"RevisionId": "old"})), stale("GetPolicy")),
        (
            "AddPermission",
            permission("t", json!({"FunctionUrlAuthType": "NONE"})),
            invalid("FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action"),
        ),
        ("RemovePermission", removal("t", None), missing("Statement t is not found in resource policy.")),
        (
            "RemovePermission",
            removal("s", Some("live")),
            missing("No policy is associated with the given resource."),
        ),
        ("RemovePermission", with(removal("s", None), json!({"RevisionId": "old"})), stale("GetPolicy")),
        (
            "GetPolicy",
            json!({"FunctionName": "f", "Qualifier": "live"}),
            missing("The resource you requested does not exist."),
        ),
        (
            "GetPolicy",
            json!({"FunctionName": "g"}),
            missing("Function not found: arn:aws:lambda:us-east-1:000000000000:function:g"),
        ),
    ] {
        assert_eq!(bed.refused(operation, input.clone()).await, expected, "{operation} {input}");
    }
}
