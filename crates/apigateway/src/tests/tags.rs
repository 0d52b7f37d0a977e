use super::*;

#[tokio::test]
async fn apis_and_stages_are_tagged() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    bed.deploy(&api, json!({"stageName": "dev"})).await;
    for arn in [
        format!("arn:aws:apigateway:us-east-1::/restapis/{api}"),
        format!("arn:aws:apigateway:us-east-1::/restapis/{api}/stages/dev"),
    ] {
        let input = json!({"resourceArn": arn, "tags": {"a": "1", "b": "2"}});
        assert_eq!(bed.told("TagResource", input).await.expect("tagged"), (204, Json::Null));
        let tags = bed.ok("GetTags", json!({"resourceArn": arn, "limit": 5})).await;
        assert_eq!(tags, json!({"tags": {"a": "1", "b": "2"}}));
        let input = json!({"resourceArn": arn, "tagKeys": ["a", "other"]});
        assert_eq!(bed.told("UntagResource", input).await.expect("untagged"), (204, Json::Null));
        assert_eq!(bed.ok("GetTags", json!({"resourceArn": arn})).await, json!({"tags": {"b": "2"}}));
    }
    assert_eq!(bed.ok("GetRestApi", json!({"restApiId": api})).await["tags"], json!({"b": "2"}));
    assert_eq!(bed.stage(&api, "dev").await["tags"], json!({"b": "2"}));
}

#[tokio::test]
async fn whatever_an_account_has_is_tagged() {
    let bed = Bed::new();
    let key = text(&bed.ok("CreateApiKey", json!({"name": "k"})).await["id"]);
    let plan = text(&bed.ok("CreateUsagePlan", json!({"name": "p"})).await["id"]);
    let certificate = "arn:aws:acm:us-east-1:000000000000:certificate/a";
    bed.ok("CreateDomainName", json!({"domainName": "a.example.com", "certificateArn": certificate})).await;
    let client = text(&bed.ok("GenerateClientCertificate", json!({})).await["clientCertificateId"]);
    for (path, operation, at) in [
        (format!("apikeys/{key}"), "GetApiKey", json!({"apiKey": key})),
        (format!("usageplans/{plan}"), "GetUsagePlan", json!({"usagePlanId": plan})),
        ("domainnames/a.example.com".to_owned(), "GetDomainName", json!({"domainName": "a.example.com"})),
        (
            format!("clientcertificates/{client}"),
            "GetClientCertificate",
            json!({"clientCertificateId": client}),
        ),
    ] {
        let arn = json!({"resourceArn": format!("arn:aws:apigateway:us-east-1::/{path}")});
        bed.ok("TagResource", with(&arn, json!({"tags": {"a": "1", "b": "2"}}))).await;
        bed.ok("UntagResource", with(&arn, json!({"tagKeys": ["a"]}))).await;
        assert_eq!(bed.ok("GetTags", arn).await, json!({"tags": {"b": "2"}}), "{path}");
        assert_eq!(bed.ok(operation, at).await["tags"], json!({"b": "2"}), "{path}");
    }
    let link = json!({"resourceArn": "arn:aws:apigateway:us-east-1::/vpclinks/a"});
    assert_eq!(
        bed.run("GetTags", link).await.expect_err("none"),
        missing("Invalid Vpc Link identifier specified")
    );
}

#[tokio::test]
async fn what_is_not_there_has_no_tags() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    for (arn, refused) in [
        (
            "arn:aws:apigateway:us-east-1::/restapis/nowhere".to_owned(),
            missing("Invalid API identifier specified 000000000000:nowhere"),
        ),
        (
            format!("arn:aws:apigateway:us-east-1::/restapis/{api}/stages/none"),
            missing("Invalid stage identifier specified"),
        ),
        ("pets".to_owned(), missing("Invalid resource identifier specified: pets")),
    ] {
        for (operation, more) in [
            ("GetTags", json!({})),
            ("TagResource", json!({"tags": {"a": "1"}})),
            ("UntagResource", json!({"tagKeys": ["a"]})),
        ] {
            let input = with(&json!({"resourceArn": arn}), more);
            assert_eq!(bed.run(operation, input).await.expect_err(operation), refused);
        }
    }
    let arn = format!("arn:aws:apigateway:us-east-1::/restapis/{api}");
    let refused = bed.run("TagResource", json!({"resourceArn": arn, "tags": {"aws:a": "1"}})).await;
    assert_eq!(refused.expect_err("AWS's own"), bad("Invalid tag specified: aws:a"));
}
