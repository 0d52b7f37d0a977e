use super::*;

#[tokio::test]
async fn a_policy_is_made_and_read_as_aws_shows_it() {
    let bed = Bed::new();
    let input = json!({
        "PolicyName": "Own", "PolicyDocument": DOCUMENT, "Path": "/a/b/", "Description": "ours",
        "Tags": [{"Key": "team", "Value": "a"}],
    });
    let made = bed.ok("CreatePolicy", input.clone()).await["Policy"].clone();
    let id = made["PolicyId"].as_str().expect("an id").to_owned();
    assert!(id.starts_with("ANPA") && id.len() == 21, "{id}");
    let arn = "arn:aws:iam::123456789012:policy/a/b/Own";
    let brief = json!({
        "PolicyName": "Own", "PolicyId": id, "Arn": arn, "Path": "/a/b/", "DefaultVersionId": "v1",
        "AttachmentCount": 0, "PermissionsBoundaryUsageCount": 0, "IsAttachable": true,
        "CreateDate": START_S as f64, "UpdateDate": START_S as f64,
    });
    let tags = json!({"Tags": [{"Key": "team", "Value": "a"}]});
    assert_eq!(made, with(brief.clone(), tags.clone()));
    let whole = with(with(brief.clone(), tags), json!({"Description": "ours"}));
    assert_eq!(bed.ok("GetPolicy", json!({"PolicyArn": arn})).await["Policy"], whole);
    let listed = bed.ok("ListPolicies", json!({"Scope": "Local"})).await;
    assert_eq!(listed, json!({"Policies": [brief], "IsTruncated": false}));
    let refused = bed.refused("CreatePolicy", with(input, json!({"PolicyName": "own"}))).await;
    let words = "A policy called own already exists. Duplicate names are not allowed.";
    assert_eq!(refused, (409, "EntityAlreadyExists".to_owned(), words.to_owned()));
}

#[tokio::test]
async fn versions_are_made_chosen_and_deleted() {
    let bed = Bed::new();
    let arn = bed.policy("p").await;
    let policy = json!({"PolicyArn": arn});
    let version = |id: &str| with(policy.clone(), json!({"VersionId": id}));
    let other = DOCUMENT.replace("logs", "s3");
    let make =
        |is_default: bool| with(policy.clone(), json!({"PolicyDocument": other, "SetAsDefault": is_default}));
    let made = bed.ok("CreatePolicyVersion", make(true)).await["PolicyVersion"].clone();
    let expected = json!({"VersionId": "v2", "IsDefaultVersion": true, "CreateDate": (START_S + 1) as f64});
    assert_eq!(made, expected);
    bed.ok("CreatePolicyVersion", make(false)).await;
    let read = bed.ok("GetPolicyVersion", version("v2")).await["PolicyVersion"].clone();
    assert_eq!(read["IsDefaultVersion"], json!(true));
    assert!(read["Document"].as_str().expect("a document").contains("%22s3%3A%2A%22"), "{read}");
    let default = bed.ok("GetPolicy", policy.clone()).await["Policy"]["DefaultVersionId"].clone();
    assert_eq!(default, json!("v2"));
    bed.ok("SetDefaultPolicyVersion", version("v1")).await;
    assert_eq!(
        bed.refused("DeletePolicyVersion", version("v1")).await,
        conflict("Cannot delete the default version of a policy.")
    );
    bed.ok("DeletePolicyVersion", version("v3")).await;
    for _ in 0..3 {
        bed.ok("CreatePolicyVersion", make(false)).await;
    }
    let listed = bed.ok("ListPolicyVersions", policy.clone()).await;
    let listed: Vec<&str> = listed["Versions"]
        .as_array()
        .expect("versions")
        .iter()
        .map(|it| it["VersionId"].as_str().expect("an id"))
        .collect();
    assert_eq!(listed, ["v6", "v5", "v4", "v2", "v1"]);
    let words = "A managed policy can have up to 5 versions. Before you create a new version, you must delete an \
                 existing version.";
    assert_eq!(bed.refused("CreatePolicyVersion", make(false)).await, limit(words));
    for operation in ["GetPolicyVersion", "SetDefaultPolicyVersion", "DeletePolicyVersion"] {
        for id in ["v3", "v99999999999", "v1.x"] {
            let words = format!("Policy {arn} version {id} does not exist or is not attachable.");
            assert_eq!(bed.refused(operation, version(id)).await, missing(words), "{operation}");
        }
    }
    let words = "This policy has more than one version. Before you delete a policy, you must delete the policy's \
                 versions. The default version is deleted with the policy.";
    assert_eq!(bed.refused("DeletePolicy", policy.clone()).await, conflict(words));
}

#[tokio::test]
async fn a_policy_in_use_is_not_deleted() {
    let bed = Bed::new();
    bed.role("r").await;
    let arn = bed.policy("p").await;
    let attachment = json!({"RoleName": "r", "PolicyArn": arn});
    bed.ok("AttachRolePolicy", attachment.clone()).await;
    let policy = json!({"PolicyArn": arn});
    assert_eq!(bed.ok("GetPolicy", policy.clone()).await["Policy"]["AttachmentCount"], json!(1));
    assert_eq!(
        bed.refused("DeletePolicy", policy.clone()).await,
        conflict("Cannot delete a policy attached to entities.")
    );
    let users = bed.ok("ListEntitiesForPolicy", policy.clone()).await;
    assert_eq!(users["PolicyRoles"][0]["RoleName"], json!("r"));
    for more in [
        json!({"EntityFilter": "User"}),
        json!({"PolicyUsageFilter": "PermissionsBoundary"}),
        json!({"PathPrefix": "/elsewhere/"}),
    ] {
        let users = bed.ok("ListEntitiesForPolicy", with(policy.clone(), more)).await;
        assert_eq!(users["PolicyRoles"], json!([]));
    }
    bed.ok("DetachRolePolicy", attachment).await;
    bed.ok("DeletePolicy", policy.clone()).await;
    for operation in
        ["GetPolicy", "DeletePolicy", "ListPolicyVersions", "ListPolicyTags", "ListEntitiesForPolicy"]
    {
        assert_eq!(
            bed.refused(operation, policy.clone()).await,
            missing(format!("Policy {arn} was not found."))
        );
    }
}

#[tokio::test]
async fn policies_of_aws_are_read_and_not_changed() {
    let bed = Bed::new();
    let policy = json!({"PolicyArn": BASIC});
    let read = bed.ok("GetPolicy", policy.clone()).await["Policy"].clone();
    assert_eq!((&read["Path"], &read["DefaultVersionId"]), (&json!("/service-role/"), &json!("v1")));
    assert_eq!(read["Arn"], json!(BASIC));
    let version = with(policy.clone(), json!({"VersionId": "v1"}));
    let document = bed.ok("GetPolicyVersion", version.clone()).await["PolicyVersion"]["Document"].clone();
    assert!(document.as_str().expect("a document").contains("logs%3APutLogEvents"), "{document}");
    for (operation, action, input) in [
        ("DeletePolicy", "DeletePolicy", policy.clone()),
        ("DeletePolicyVersion", "DeletePolicyVersion", version.clone()),
        ("SetDefaultPolicyVersion", "SetDefaultPolicyVersion", version),
        (
            "CreatePolicyVersion",
            "CreatePolicyVersion",
            with(policy.clone(), json!({"PolicyDocument": DOCUMENT})),
        ),
        ("TagPolicy", "TagPolicy", with(policy.clone(), json!({"Tags": [{"Key": "a", "Value": ""}]}))),
        ("UntagPolicy", "UntagPolicy", with(policy.clone(), json!({"TagKeys": ["a"]}))),
    ] {
        let words = format!(
            "User: arn:aws:iam::123456789012:root is not authorized to perform: iam:{action} on resource: policy {BASIC}"
        );
        assert_eq!(bed.refused(operation, input).await, (403, "AccessDenied".to_owned(), words));
    }
}

#[tokio::test]
async fn policies_are_listed_by_whose_they_are_and_who_uses_them() {
    let bed = Bed::new();
    bed.role("r").await;
    let used = bed.policy("used").await;
    bed.policy("unused").await;
    bed.ok("AttachRolePolicy", json!({"RoleName": "r", "PolicyArn": used})).await;
    bed.ok("AttachRolePolicy", json!({"RoleName": "r", "PolicyArn": BASIC})).await;
    let admin = "arn:aws:iam::aws:policy/AdministratorAccess";
    bed.ok("PutRolePermissionsBoundary", json!({"RoleName": "r", "PermissionsBoundary": admin})).await;
    let names = async |input: Json| -> Vec<String> {
        let listed = bed.ok("ListPolicies", input).await;
        assert_eq!(listed["IsTruncated"], json!(false));
        let policies = listed["Policies"].as_array().expect("policies").clone();
        policies.iter().map(|policy| policy["PolicyName"].as_str().expect("a name").to_owned()).collect()
    };
    let aws = names(json!({"Scope": "AWS"})).await.len();
    assert!(aws >= 30);
    for scope in [json!({}), json!({"Scope": "All"})] {
        assert_eq!(names(scope).await.len(), aws + 2);
    }
    let basic = "AWSLambdaBasicExecutionRole";
    for (input, expected) in [
        (json!({"Scope": "Local"}), vec!["unused", "used"]),
        (json!({"Scope": "Local", "OnlyAttached": true}), vec!["used"]),
        (json!({"OnlyAttached": true}), vec!["used", "AdministratorAccess", basic]),
        (json!({"OnlyAttached": true, "PolicyUsageFilter": "PermissionsPolicy"}), vec!["used", basic]),
        (json!({"PolicyUsageFilter": "PermissionsBoundary"}), vec!["AdministratorAccess"]),
        (json!({"OnlyAttached": true, "PathPrefix": "/service-role/"}), vec![basic]),
    ] {
        assert_eq!(names(input.clone()).await, expected, "{input}");
    }
}

#[tokio::test]
async fn policies_have_tags_too() {
    let bed = Bed::new();
    let policy = json!({"PolicyArn": bed.policy("p").await});
    let tags = json!({"Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]});
    bed.ok("TagPolicy", with(policy.clone(), tags)).await;
    bed.ok("UntagPolicy", with(policy.clone(), json!({"TagKeys": ["A"]}))).await;
    let listed = bed.ok("ListPolicyTags", policy).await;
    assert_eq!(listed, json!({"Tags": [{"Key": "b", "Value": "2"}], "IsTruncated": false}));
}

#[tokio::test]
async fn documents_are_checked_when_policies_are_made() {
    let bed = Bed::new();
    let arn = bed.policy("p").await;
    for (document, words) in [
        ("no json", "This policy contains invalid Json"),
        (r#"{"Version":"2012-10-17","Statement":[]}"#, "Syntax errors in policy."),
        (TRUST, "Policy document should not specify a principal."),
    ] {
        for (operation, input) in [
            ("CreatePolicy", json!({"PolicyName": "q", "PolicyDocument": document})),
            ("CreatePolicyVersion", json!({"PolicyArn": arn, "PolicyDocument": document})),
        ] {
            assert_eq!(bed.refused(operation, input).await, malformed(words));
        }
    }
    let listed = bed.ok("ListPolicies", json!({"Scope": "Local"})).await;
    assert_eq!(listed["Policies"].as_array().expect("policies").len(), 1);
}
