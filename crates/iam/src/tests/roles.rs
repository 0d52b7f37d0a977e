use super::*;

/// As RFC 3986 has it.
const TRUST_ENCODED: &str = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C\
    %22Principal%22%3A%7B%22Service%22%3A%22lambda.amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D";

#[tokio::test]
async fn a_role_is_made_and_read_as_aws_shows_it() {
    let bed = Bed::new();
    let input = json!({
        "RoleName": "Runner", "AssumeRolePolicyDocument": TRUST, "Path": "/ci/", "Description": "runs",
        "MaxSessionDuration": 7200, "Tags": [{"Key": "team", "Value": "a"}, {"Key": "Cost", "Value": ""}],
    });
    let made = bed.ok("CreateRole", input).await["Role"].clone();
    let id = made["RoleId"].as_str().expect("an id").to_owned();
    assert!(id.starts_with("AROA") && id.len() == 21, "{id}");
    let expected = json!({
        "Path": "/ci/", "RoleName": "Runner", "RoleId": id, "Arn": "arn:aws:iam::123456789012:role/ci/Runner",
        "CreateDate": START_S as f64, "AssumeRolePolicyDocument": TRUST_ENCODED, "Description": "runs",
        "Tags": [{"Key": "Cost", "Value": ""}, {"Key": "team", "Value": "a"}],
    });
    assert_eq!(made, expected);
    let whole = with(expected, json!({"MaxSessionDuration": 7200, "RoleLastUsed": {}}));
    assert_eq!(bed.ok("GetRole", json!({"RoleName": "Runner"})).await["Role"], whole);
    let listed = bed.ok("ListRoles", json!({})).await;
    assert_eq!(listed["Roles"][0]["MaxSessionDuration"], json!(7200));
    assert_eq!((&listed["Roles"][0]["Tags"], &listed["IsTruncated"]), (&Json::Null, &json!(false)));
    let plain = bed.role("plain").await;
    assert_eq!(
        (&plain["Path"], &plain["Tags"], &plain["Description"]),
        (&json!("/"), &Json::Null, &Json::Null)
    );
    let plain = bed.ok("GetRole", json!({"RoleName": "plain"})).await["Role"].clone();
    assert_eq!(plain["MaxSessionDuration"], json!(3600));
}

#[tokio::test]
async fn a_role_is_the_same_from_every_region_and_after_a_restart() {
    let bed = Bed::new();
    let made = bed.role("r").await;
    let read = bed.run_as(caller("eu-west-1"), "GetRole", json!({"RoleName": "r"})).await.expect("found");
    assert_eq!(read["Role"]["RoleId"], made["RoleId"]);
    let other = Caller::root(Scope { account: Account::default(), ..caller("us-east-1").scope });
    let refused = bed.run_as(other, "GetRole", json!({"RoleName": "r"})).await.expect_err("another account");
    assert_eq!(refused.code, "NoSuchEntity");
    let Bed { service, store, directory, .. } = bed;
    drop((service, store));
    let read = Bed::at(directory).ok("GetRole", json!({"RoleName": "r"})).await;
    assert_eq!(read["Role"]["RoleId"], made["RoleId"]);
}

#[tokio::test]
async fn what_a_role_trusts_is_kept_as_data() {
    let bed = Bed::new();
    bed.role("r").await;
    let account = caller("us-east-1").scope.account;
    let read = || crate::find::role(&bed.store, &account, "r").expect("a role");
    assert!(read().trusts_service("lambda.amazonaws.com"));
    let other = TRUST.replace("lambda", "codedeploy");
    bed.ok("UpdateAssumeRolePolicy", json!({"RoleName": "r", "PolicyDocument": other})).await;
    assert!(
        !read().trusts_service("lambda.amazonaws.com") && read().trusts_service("codedeploy.amazonaws.com")
    );
    let refused =
        bed.refused("UpdateAssumeRolePolicy", json!({"RoleName": "r", "PolicyDocument": "{"})).await;
    assert_eq!(refused, malformed("This policy contains invalid Json"));
    assert_eq!(read().trust_document, other);
}

#[tokio::test]
async fn a_name_is_taken_once_in_any_case() {
    let bed = Bed::new();
    bed.role("Runner").await;
    for name in ["Runner", "runner"] {
        let refused =
            bed.refused("CreateRole", json!({"RoleName": name, "AssumeRolePolicyDocument": TRUST})).await;
        assert_eq!(
            refused,
            (409, "EntityAlreadyExists".into(), format!("Role with name {name} already exists."))
        );
    }
    assert_eq!(
        bed.refused("GetRole", json!({"RoleName": "runner"})).await,
        missing("The role with name runner cannot be found.")
    );
}

#[tokio::test]
async fn every_operation_misses_a_role_that_is_not_there() {
    let bed = Bed::new();
    for (operation, more) in [
        ("GetRole", json!({})),
        ("UpdateRole", json!({})),
        ("UpdateRoleDescription", json!({"Description": ""})),
        ("DeleteRole", json!({})),
        ("UpdateAssumeRolePolicy", json!({"PolicyDocument": TRUST})),
        ("AttachRolePolicy", json!({"PolicyArn": BASIC})),
        ("DetachRolePolicy", json!({"PolicyArn": BASIC})),
        ("ListAttachedRolePolicies", json!({})),
        ("PutRolePolicy", json!({"PolicyName": "p", "PolicyDocument": DOCUMENT})),
        ("GetRolePolicy", json!({"PolicyName": "p"})),
        ("DeleteRolePolicy", json!({"PolicyName": "p"})),
        ("ListRolePolicies", json!({})),
        ("PutRolePermissionsBoundary", json!({"PermissionsBoundary": BASIC})),
        ("DeleteRolePermissionsBoundary", json!({})),
        ("ListInstanceProfilesForRole", json!({})),
        ("TagRole", json!({"Tags": []})),
        ("UntagRole", json!({"TagKeys": ["a"]})),
        ("ListRoleTags", json!({})),
    ] {
        let refused = bed.refused(operation, with(json!({"RoleName": "r"}), more)).await;
        assert_eq!(refused, missing("The role with name r cannot be found."), "{operation}");
    }
}

#[tokio::test]
async fn an_update_leaves_alone_what_it_does_not_name() {
    let bed = Bed::new();
    bed.role("r").await;
    let read = async || bed.ok("GetRole", json!({"RoleName": "r"})).await["Role"].clone();
    assert_eq!(bed.ok("UpdateRole", json!({"RoleName": "r", "Description": "one"})).await, json!({}));
    bed.ok("UpdateRole", json!({"RoleName": "r", "MaxSessionDuration": 43_200})).await;
    let role = read().await;
    assert_eq!((&role["Description"], &role["MaxSessionDuration"]), (&json!("one"), &json!(43_200)));
    let told = bed.ok("UpdateRoleDescription", json!({"RoleName": "r", "Description": "two"})).await;
    assert_eq!(told["Role"], read().await);
    assert_eq!(told["Role"]["Description"], json!("two"));
}

#[tokio::test]
async fn policies_are_attached_once_and_detached() {
    let bed = Bed::new();
    bed.role("r").await;
    let own = bed.policy("own").await;
    let role = json!({"RoleName": "r"});
    for arn in [BASIC, &own, BASIC] {
        bed.ok("AttachRolePolicy", with(role.clone(), json!({"PolicyArn": arn}))).await;
    }
    let listed = bed.ok("ListAttachedRolePolicies", role.clone()).await;
    let basic = json!({"PolicyName": "AWSLambdaBasicExecutionRole", "PolicyArn": BASIC});
    let attached = json!([{"PolicyName": "own", "PolicyArn": own}, basic]);
    assert_eq!(listed, json!({"AttachedPolicies": attached, "IsTruncated": false}));
    let below = with(role.clone(), json!({"PathPrefix": "/service-role/"}));
    assert_eq!(bed.ok("ListAttachedRolePolicies", below).await["AttachedPolicies"], json!([basic]));
    assert_eq!(
        bed.refused("DeleteRole", role.clone()).await,
        conflict("Cannot delete entity, must detach all policies first.")
    );
    for arn in [BASIC, &own] {
        bed.ok("DetachRolePolicy", with(role.clone(), json!({"PolicyArn": arn}))).await;
    }
    let again = bed.refused("DetachRolePolicy", with(role.clone(), json!({"PolicyArn": BASIC}))).await;
    assert_eq!(again, missing(format!("Policy {BASIC} was not found.")));
    for (arn, expected) in [
        ("arn:aws:iam::aws:policy/NoSuchPolicy", None),
        ("arn:aws:iam::123456789012:policy/none", None),
        ("arn:aws:iam::210987654321:policy/own", None),
        ("arn:aws:iam::123456789012:policy/path/own", None),
        ("arn:aws:iam::123456789012:role/r", Some("InvalidInput")),
        ("nonsense, and long enough", Some("InvalidInput")),
    ] {
        let refused = bed.refused("AttachRolePolicy", with(role.clone(), json!({"PolicyArn": arn}))).await;
        match expected {
            None => {
                assert_eq!(refused, missing(format!("Policy {arn} does not exist or is not attachable.")))
            }
            Some(code) => assert_eq!(refused, (400, code.to_owned(), format!("ARN {arn} is not valid."))),
        }
    }
    bed.ok("DeleteRole", role.clone()).await;
    assert_eq!(bed.refused("GetRole", role).await.0, 404);
}

#[tokio::test]
async fn a_role_has_at_most_ten_policies() {
    let bed = Bed::new();
    bed.role("r").await;
    for n in 0..10 {
        let arn = bed.policy(&format!("p{n}")).await;
        bed.ok("AttachRolePolicy", json!({"RoleName": "r", "PolicyArn": arn})).await;
    }
    let refused = bed.refused("AttachRolePolicy", json!({"RoleName": "r", "PolicyArn": BASIC})).await;
    assert_eq!(refused, limit("Cannot exceed quota for PoliciesPerRole: 10"));
}

#[tokio::test]
async fn inline_policies_are_put_read_and_deleted() {
    let bed = Bed::new();
    bed.role("r").await;
    let role = json!({"RoleName": "r"});
    let policy = with(role.clone(), json!({"PolicyName": "p"}));
    assert_eq!(
        bed.refused("GetRolePolicy", policy.clone()).await,
        missing("The role policy with name p cannot be found.")
    );
    bed.ok("PutRolePolicy", with(policy.clone(), json!({"PolicyDocument": "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Deny\",\"Action\":\"s3:*\",\"Resource\":\"*\"}}"}))).await;
    bed.ok("PutRolePolicy", with(policy.clone(), json!({"PolicyDocument": DOCUMENT}))).await;
    let read = bed.ok("GetRolePolicy", policy.clone()).await;
    let encoded = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C\
                   %22Action%22%3A%22logs%3A%2A%22%2C%22Resource%22%3A%22%2A%22%7D%5D%7D";
    assert_eq!(read, json!({"RoleName": "r", "PolicyName": "p", "PolicyDocument": encoded}));
    let listed = bed.ok("ListRolePolicies", role.clone()).await;
    assert_eq!(listed, json!({"PolicyNames": ["p"], "IsTruncated": false}));
    assert_eq!(
        bed.refused("DeleteRole", role.clone()).await,
        conflict("Cannot delete entity, must delete policies first.")
    );
    for (document, words) in [("{", "This policy contains invalid Json"), ("{}", "Syntax errors in policy.")]
    {
        let refused =
            bed.refused("PutRolePolicy", with(policy.clone(), json!({"PolicyDocument": document}))).await;
        assert_eq!(refused, malformed(words));
    }
    let long = DOCUMENT.replace("logs:*", &format!("logs:{}", "a".repeat(10_200)));
    let second = with(policy.clone(), json!({"PolicyName": "q", "PolicyDocument": long}));
    assert_eq!(
        bed.refused("PutRolePolicy", second).await,
        limit("Maximum policy size of 10240 bytes exceeded for role r")
    );
    bed.ok("DeleteRolePolicy", policy.clone()).await;
    assert_eq!(
        bed.refused("DeleteRolePolicy", policy).await,
        missing("The role policy with name p cannot be found.")
    );
    bed.ok("DeleteRole", role).await;
}

#[tokio::test]
async fn a_boundary_is_put_shown_counted_and_removed() {
    let bed = Bed::new();
    let own = bed.policy("own").await;
    let input = json!({"RoleName": "r", "AssumeRolePolicyDocument": TRUST, "PermissionsBoundary": own});
    let boundary = |arn: &str| json!({"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": arn});
    assert_eq!(bed.ok("CreateRole", input).await["Role"]["PermissionsBoundary"], boundary(&own));
    assert_eq!(
        bed.refused("DeletePolicy", json!({"PolicyArn": own})).await,
        conflict("Cannot delete a policy attached to entities.")
    );
    let admin = "arn:aws:iam::aws:policy/AdministratorAccess";
    bed.ok("PutRolePermissionsBoundary", json!({"RoleName": "r", "PermissionsBoundary": admin})).await;
    let read = bed.ok("GetRole", json!({"RoleName": "r"})).await;
    assert_eq!(read["Role"]["PermissionsBoundary"], boundary(admin));
    let counted = bed.ok("GetPolicy", json!({"PolicyArn": admin})).await["Policy"].clone();
    assert_eq!(
        (&counted["AttachmentCount"], &counted["PermissionsBoundaryUsageCount"]),
        (&json!(0), &json!(1))
    );
    bed.ok("DeleteRolePermissionsBoundary", json!({"RoleName": "r"})).await;
    assert_eq!(bed.refused("DeleteRolePermissionsBoundary", json!({"RoleName": "r"})).await.0, 404);
    let none =
        json!({"RoleName": "s", "AssumeRolePolicyDocument": TRUST, "PermissionsBoundary": format!("{own}x")});
    let expected = missing(format!("Policy {own}x does not exist or is not attachable."));
    assert_eq!(bed.refused("CreateRole", none).await, expected);
}

#[tokio::test]
async fn tags_have_keys_without_case() {
    let bed = Bed::new();
    bed.role("r").await;
    let tag = async |tags: Json| {
        bed.run_as(caller("us-east-1"), "TagRole", json!({"RoleName": "r", "Tags": tags})).await
    };
    tag(json!([{"Key": "team", "Value": "a"}, {"Key": "cost", "Value": "1"}])).await.expect("tagged");
    tag(json!([{"Key": "Team", "Value": "b"}])).await.expect("tagged");
    let listed = bed.ok("ListRoleTags", json!({"RoleName": "r"})).await;
    let expected = json!([{"Key": "Team", "Value": "b"}, {"Key": "cost", "Value": "1"}]);
    assert_eq!(listed, json!({"Tags": expected, "IsTruncated": false}));
    for (tags, code) in [
        (json!([{"Key": "a", "Value": ""}, {"Key": "A", "Value": ""}]), "InvalidInput"),
        (json!([{"Key": "aws:x", "Value": ""}]), "InvalidInput"),
        (Json::from_iter((0..49).map(|n| json!({"Key": format!("k{n}"), "Value": ""}))), "LimitExceeded"),
    ] {
        assert_eq!(tag(tags).await.expect_err("refused").code, code);
    }
    bed.ok("UntagRole", json!({"RoleName": "r", "TagKeys": ["TEAM", "none"]})).await;
    let left = bed.ok("ListRoleTags", json!({"RoleName": "r"})).await;
    assert_eq!(left["Tags"], json!([{"Key": "cost", "Value": "1"}]));
}

#[tokio::test]
async fn roles_come_in_pages_and_by_path() {
    let bed = Bed::new();
    for n in 0..5 {
        let path = if n % 2 == 0 { "/even/" } else { "/odd/" };
        let input = json!({"RoleName": format!("r{n}"), "AssumeRolePolicyDocument": TRUST, "Path": path});
        bed.ok("CreateRole", input).await;
    }
    let (mut marker, mut names) = (Json::Null, Vec::new());
    loop {
        let page = match &marker {
            Json::Null => json!({"MaxItems": 2}),
            marker => json!({"MaxItems": 2, "Marker": marker}),
        };
        let page = bed.ok("ListRoles", page).await;
        names.extend(page["Roles"].as_array().expect("roles").iter().map(|role| role["RoleName"].clone()));
        marker = page["Marker"].clone();
        assert_eq!(page["IsTruncated"], json!(!marker.is_null()));
        if marker.is_null() {
            break;
        }
    }
    assert_eq!(Json::Array(names), json!(["r0", "r1", "r2", "r3", "r4"]));
    let odd = bed.ok("ListRoles", json!({"PathPrefix": "/odd"})).await;
    assert_eq!(odd["Roles"].as_array().expect("roles").len(), 2);
    let refused = bed.refused("ListRoles", json!({"Marker": "!"})).await;
    assert_eq!(refused, (400, "ValidationError".to_owned(), "Invalid Marker.".to_owned()));
}

#[tokio::test]
async fn a_role_has_no_instance_profiles() {
    let bed = Bed::new();
    bed.role("r").await;
    let listed = bed.ok("ListInstanceProfilesForRole", json!({"RoleName": "r", "MaxItems": 7})).await;
    assert_eq!(listed, json!({"InstanceProfiles": [], "IsTruncated": false}));
}

#[tokio::test]
async fn trust_policies_are_checked_when_roles_are_made() {
    let bed = Bed::new();
    for (document, words) in
        [("no json", "This policy contains invalid Json"), (DOCUMENT, "Has prohibited field Resource")]
    {
        let refused =
            bed.refused("CreateRole", json!({"RoleName": "r", "AssumeRolePolicyDocument": document})).await;
        assert_eq!(refused, malformed(words));
    }
}
