use serde_json::json;

use super::*;

fn with(statement: Json) -> String {
    json!({"Version": "2012-10-17", "Statement": statement}).to_string()
}

fn told(result: Result<(), Error>) -> String {
    result.map_or_else(|error| error.to_string(), |()| "fine".to_owned())
}

#[test]
fn identity_policies_are_held_against_the_grammar() {
    let allow =
        |action: Json, resource: Json| json!({"Effect": "Allow", "Action": action, "Resource": resource});
    let fine = [
        with(allow(json!("*"), json!("*"))),
        with(json!([allow(json!(["logs:PutLogEvents", "s3:Get*"]), json!("arn:aws:s3:::b/*"))])),
        with(json!({"Effect": "Deny", "NotAction": "iam:*", "NotResource": ["arn:aws:iam::1:role/r"]})),
        with(json!({"Sid": "One", "Effect": "Allow", "Action": "s3:*", "Resource": "*",
            "Condition": {"Bool": {"aws:SecureTransport": true}, "NumericLessThan": {"a": [1, "2"]}}})),
        json!({"Statement": allow(json!("*"), json!("*")), "Version": "2012-10-17", "Id": "x"}).to_string(),
    ];
    for document in fine {
        assert_eq!(told(check_managed(&document)), "fine", "{document}");
        assert_eq!(check_inline(&document), Ok(()), "{document}");
    }
    let twice = json!([
        {"Sid": "A", "Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Sid": "A", "Effect": "Allow", "Action": "*", "Resource": "*"},
    ]);
    for (document, expected) in [
        ("{".to_owned(), Malformed::Json),
        ("".to_owned(), Malformed::Json),
        ("[".repeat(100_000), Malformed::Json),
        ("[]".to_owned(), Malformed::Syntax),
        ("7".to_owned(), Malformed::Syntax),
        ("{}".to_owned(), Malformed::Syntax),
        (with(json!([])), Malformed::Syntax),
        (with(json!(["x"])), Malformed::Syntax),
        (with(json!([["A", "Allow"]])), Malformed::Syntax),
        (with(json!({"Effect": "Perhaps", "Action": "*", "Resource": "*"})), Malformed::Syntax),
        (with(json!({"Action": "*", "Resource": "*"})), Malformed::Syntax),
        (with(json!({"Effect": "Allow", "Action": 7, "Resource": "*"})), Malformed::Syntax),
        (
            with(json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Colour": "red"})),
            Malformed::Syntax,
        ),
        (
            with(json!({"Effect": "Allow", "Action": "*", "NotAction": "*", "Resource": "*"})),
            Malformed::Syntax,
        ),
        (with(json!({"Effect": "Allow", "Resource": "*"})), Malformed::NoActions),
        (with(json!({"Effect": "Allow", "Action": "*"})), Malformed::NoResources),
        (with(json!({"Effect": "Allow", "Action": [], "Resource": "*"})), Malformed::NoActions),
        (with(allow(json!("read"), json!("*"))), Malformed::NoVendor),
        (with(allow(json!("a:b:c"), json!("*"))), Malformed::Colons),
        (with(allow(json!("a b:c"), json!("*"))), Malformed::Vendor("a b".into())),
        (with(allow(json!("s3:"), json!("*"))), Malformed::Syntax),
        (with(allow(json!("s3:*"), json!("bucket"))), Malformed::Resource("bucket".into())),
        (
            with(json!({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"})),
            Malformed::Principal,
        ),
        (with(json!({"Sid": "a b", "Effect": "Allow", "Action": "*", "Resource": "*"})), Malformed::Sid),
        (with(twice), Malformed::SidTwice),
        (
            json!({"Version": "2020-01-01", "Statement": allow(json!("*"), json!("*"))}).to_string(),
            Malformed::Syntax,
        ),
    ] {
        let shown = document.get(..200).unwrap_or(&document);
        assert_eq!(check_inline(&document), Err(expected), "{shown}");
        assert_ne!(told(check_managed(&document)), "fine", "{shown}");
    }
}

#[test]
fn a_managed_policy_says_its_version_and_is_bounded() {
    for version in [json!(null), json!("2008-10-17")] {
        let document =
            json!({"Version": version, "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}});
        assert_eq!(told(check_managed(&document.to_string())), Malformed::Version.to_string());
        assert_eq!(check_inline(&document.to_string()), Ok(()));
    }
    let of_size = |more: usize| {
        let resource = format!("arn:aws:s3:::{}", "a".repeat(more));
        with(json!({"Effect": "Allow", "Action": "*", "Resource": resource}))
    };
    let short = of_size(MANAGED_CHARS_MAX - of_size(0).len());
    assert_eq!(told(check_managed(&short)), "fine");
    assert_eq!(
        told(check_managed(
            &short.replace(':', " : \n").replace("arn : \naws : \ns3 : \n : \n : \n", "arn:aws:s3:::")
        )),
        "fine"
    );
    let long = of_size(MANAGED_CHARS_MAX - of_size(0).len() + 1);
    assert_eq!(told(check_managed(&long)), "Cannot exceed quota for PolicySize: 6144");
}

#[test]
fn a_trust_policy_becomes_data() {
    let document = with(json!([
        {"Effect": "Allow", "Principal": {"Service": ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]}, "Action": "sts:AssumeRole"},
        {"Sid": "any sid", "Effect": "Deny", "Principal": {"AWS": "123456789012", "Federated": "x"}, "Action": ["sts:AssumeRole", "sts:Tag*"],
            "Condition": {"StringEquals": {"sts:ExternalId": "x"}}},
        {"Effect": "Allow", "Principal": "*", "Action": "sts:*"},
    ]));
    let trust = parse_trust(&document).expect("a trust policy");
    assert_eq!(trust[0].services, ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]);
    assert!(trust[0].is_allow && trust[0].aws.is_empty());
    assert!(
        !trust[1].is_allow && trust[1].covers("sts:TagSession") && !trust[1].covers("sts:SetSourceIdentity")
    );
    assert_eq!(trust[1].aws, ["123456789012"]);
    assert_eq!(trust[1].conditions["StringEquals"]["sts:ExternalId"], ["x"]);
    assert_eq!(trust[2].aws, ["*"]);
}

#[test]
fn what_is_no_trust_policy_is_refused() {
    let lambda = json!({"Service": "lambda.amazonaws.com"});
    let plain = |principal: Json| {
        with(json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}))
    };
    for (document, expected) in [
        ("no".to_owned(), "This policy contains invalid Json"),
        ("{}".to_owned(), "Syntax errors in policy."),
        (with(json!({"Effect": "Allow", "Action": "sts:AssumeRole"})), "Missing required field Principal"),
        (with(json!({"Effect": "Allow", "Principal": lambda})), "Missing required field Action"),
        (
            with(
                json!({"Effect": "Allow", "Principal": lambda, "Action": "sts:AssumeRole", "Resource": "*"}),
            ),
            "Has prohibited field Resource",
        ),
        (
            with(json!({"Effect": "Allow", "NotPrincipal": lambda, "Action": "sts:AssumeRole"})),
            "Has prohibited field NotPrincipal",
        ),
        (
            with(json!({"Effect": "Allow", "Principal": lambda, "Action": "lambda:InvokeFunction"})),
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
        (
            with(json!({"Effect": "Allow", "Principal": lambda, "Action": "*"})),
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
        (plain(json!("lambda.amazonaws.com")), "Syntax errors in policy."),
        (plain(json!({})), "Syntax errors in policy."),
        (plain(json!({"Person": "ada"})), "Syntax errors in policy."),
        (plain(json!({"Service": "lambda"})), "Invalid principal in policy: \"SERVICE\":\"lambda\""),
        (plain(json!({"AWS": "ada"})), "Invalid principal in policy: \"AWS\":\"ada\""),
        (
            plain(json!({"AWS": ["*", "arn:aws:iam::123456789012:user/"]})),
            "Invalid principal in policy: \"AWS\":\"arn:aws:iam::123456789012:user/\"",
        ),
        (plain(json!({"AWS": "arn:aws:s3:::b"})), "Invalid principal in policy: \"AWS\":\"arn:aws:s3:::b\""),
        (
            with(
                json!({"Sid": "a".repeat(2048), "Effect": "Allow", "Principal": lambda, "Action": "sts:AssumeRole"}),
            ),
            "Cannot exceed quota for ACLSizePerRole: 2048",
        ),
    ] {
        assert_eq!(told(parse_trust(&document).map(|_| ())), expected, "{document}");
    }
    for named in [
        json!("123456789012"),
        json!("arn:aws:iam::123456789012:root"),
        json!("arn:aws:iam::123456789012:user/a/b"),
        json!(["arn:aws:iam::123456789012:role/r", "arn:aws:sts::123456789012:assumed-role/r/s"]),
    ] {
        assert!(parse_trust(&plain(json!({"AWS": named}))).is_ok(), "{named}");
    }
}
