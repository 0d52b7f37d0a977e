use super::*;

fn conflict(message: &str) -> Refusal {
    refusal(409, "ConflictException", message)
}

#[tokio::test]
async fn a_domain_is_made_read_changed_and_deleted() {
    let bed = Bed::new();
    let asked = json!({
        "DomainName": "API.example.com", "Tags": {"a": "1"},
        "DomainNameConfigurations": [{"CertificateArn": CERTIFICATE, "EndpointType": "REGIONAL", "SecurityPolicy": "TLS_1_2"}],
    });
    let (status, made) = bed.told("CreateDomainName", asked.clone()).await.expect("made");
    let target = text(&made["domainNameConfigurations"][0]["apiGatewayDomainName"]);
    assert!(target.starts_with("d-") && target.ends_with(".execute-api.us-east-1.amazonaws.com"), "{target}");
    let arn = "arn:aws:apigateway:us-east-1::/domainnames/api.example.com";
    let plain = json!({
        "apiMappingSelectionExpression": "$request.basepath", "domainName": "api.example.com", "domainNameArn": arn,
        "domainNameConfigurations": [{
            "apiGatewayDomainName": target, "certificateArn": CERTIFICATE, "domainNameStatus": "AVAILABLE",
            "endpointType": "REGIONAL", "hostedZoneId": "Z1UJRXOUMOOFQ8", "ipAddressType": "ipv4",
            "securityPolicy": "TLS_1_2",
        }],
        "routingMode": "API_MAPPING_ONLY", "tags": {"a": "1"},
    });
    assert_eq!((status, &made), (201, &plain));
    let at = json!({"DomainName": "api.example.com"});
    assert_eq!(bed.ok("GetDomainName", at.clone()).await, plain);
    assert_eq!(bed.ok("GetDomainNames", json!({})).await, json!({"items": [plain]}));
    let refused = bed.run("CreateDomainName", asked).await.expect_err("twice");
    assert_eq!(refused, bad("The domain name you provided already exists."));
    let other = format!("{CERTIFICATE}2");
    let change = json!({
        "DomainNameConfigurations": [{"CertificateArn": other, "IpAddressType": "dualstack"}],
        "RoutingMode": "ROUTING_RULE_THEN_API_MAPPING",
    });
    let changed = bed.ok("UpdateDomainName", with(&at, change)).await;
    let configuration = &changed["domainNameConfigurations"][0];
    assert_eq!(
        (&configuration["certificateArn"], &configuration["ipAddressType"], &changed["routingMode"]),
        (&json!(other), &json!("dualstack"), &json!("ROUTING_RULE_THEN_API_MAPPING"))
    );
    let echo = json!({"DomainNameConfigurations": [{
        "ApiGatewayDomainName": "d-other.execute-api.us-east-1.amazonaws.com", "CertificateArn": other,
        "CertificateUploadDate": 1.0, "DomainNameStatus": "UPDATING", "DomainNameStatusMessage": "soon",
        "EndpointType": "REGIONAL", "HostedZoneId": "Z0", "IpAddressType": "dualstack", "SecurityPolicy": "TLS_1_2",
    }]});
    assert_eq!(bed.ok("UpdateDomainName", with(&at, echo)).await, changed, "what it says itself isn't set");
    bed.ok("TagResource", json!({"ResourceArn": arn, "Tags": {"b": "2"}})).await;
    bed.ok("UntagResource", json!({"ResourceArn": arn, "TagKeys": ["a"]})).await;
    assert_eq!(bed.ok("GetTags", json!({"ResourceArn": arn})).await, json!({"tags": {"b": "2"}}));
    assert_eq!(bed.told("DeleteDomainName", at.clone()).await.expect("deleted"), (204, Json::Null));
    for operation in
        ["GetDomainName", "UpdateDomainName", "DeleteDomainName", "GetApiMappings", "ListRoutingRules"]
    {
        let refused = bed.run(operation, at.clone()).await.expect_err(operation);
        assert_eq!(refused, missing("Invalid domain name identifier specified"));
    }
}

#[tokio::test]
async fn what_is_no_domain_is_refused() {
    let bed = Bed::new();
    let asked = |more: Json| {
        let configuration = with(&json!({"CertificateArn": CERTIFICATE}), more);
        json!({"DomainName": "a.example.com", "DomainNameConfigurations": [configuration]})
    };
    let managed = "Only REGIONAL domain names with a security policy of TLS 1.2 can be managed through the API Gateway V2 \
                   API. For TLS 1.0 domain names, please use the API Gateway V1 API to upgrade your security policy to TLS \
                   1.2. Currently, only REST APIs can be attached to a domain name with a security policy of TLS 1.0.";
    let one = "Invalid input. Expected one domain name configuration";
    for (input, refused) in [
        (json!({"DomainName": "a.example.com"}), bad(one)),
        (json!({"DomainName": "a.example.com", "DomainNameConfigurations": [{}, {}]}), bad(one)),
        (asked(json!({"CertificateArn": null})), bad("A certificate must be specified for the domain name")),
        (asked(json!({"CertificateArn": "arn"})), bad("Invalid certificate ARN: arn")),
        (asked(json!({"EndpointType": "EDGE"})), bad(managed)),
        (
            asked(json!({"SecurityPolicy": "TLS_1_0"})),
            bad("TLS_1_0 is not supported for APIGatewayV2 domainName."),
        ),
        (
            with(&asked(json!({})), json!({"DomainName": "localhost"})),
            bad("Invalid domain name specified: localhost"),
        ),
        (
            with(&asked(json!({})), json!({"MutualTlsAuthentication": {"TruststoreUri": "s3://a/b"}})),
            unsupported("MutualTlsAuthentication"),
        ),
    ] {
        assert_eq!(
            bed.run("CreateDomainName", input.clone()).await.expect_err("refused"),
            refused,
            "{input}"
        );
    }
    let ownership = asked(json!({"OwnershipVerificationCertificateArn": CERTIFICATE}));
    let refused = bed.run("CreateDomainName", ownership).await.expect_err("no ownership");
    assert!(refused.message.contains("OwnershipVerificationCertificateArn"), "{refused:?}");
    let mode = with(&asked(json!({})), json!({"RoutingMode": "BASE_PATH_MAPPING_ONLY"}));
    assert_eq!(bed.run("CreateDomainName", mode).await.expect_err("of the other service").status, 400);
    for number in 0..120 {
        bed.domain(&format!("d{number}.example.com"), "API_MAPPING_ONLY").await;
    }
    let refused = bed.run("CreateDomainName", asked(json!({}))).await.expect_err("one too many");
    assert_eq!(refused.code, "TooManyRequestsException");
}

/// A domain as the other service may have made it.
async fn edge(bed: &Bed, name: &str) -> Json {
    bed.domain(name, "API_MAPPING_ONLY").await;
    let key = pitbird_records::key(&bed.caller.scope, &[name]);
    let mut record = bed.store.get::<pitbird_records::DomainName>(&key).expect("read").expect("there").record;
    record.endpoint_type = "EDGE".to_owned();
    bed.store.write(move |tx: &mut Transaction<'_>| tx.put(&record)).await.expect("kept");
    json!({"DomainName": name})
}

#[tokio::test]
async fn domains_of_the_other_service_are_shown_but_not_changed() {
    let bed = Bed::new();
    let (api, at) = (bed.staged().await, edge(&bed, "edge.example.com").await);
    let shown = &bed.ok("GetDomainName", at.clone()).await["domainNameConfigurations"][0];
    assert_eq!((&shown["endpointType"], &shown["hostedZoneId"]), (&json!("EDGE"), &json!("Z2FDTNDATAQYW2")));
    assert!(text(&shown["apiGatewayDomainName"]).ends_with(".cloudfront.net"), "{shown}");
    assert_eq!(text(&shown["certificateUploadDate"]), "2020-09-13T12:26:42Z");
    for (operation, more) in [
        ("UpdateDomainName", json!({"DomainNameConfigurations": [{"EndpointType": "REGIONAL"}]})),
        ("CreateApiMapping", json!({"ApiId": api, "Stage": "prod"})),
        ("DeleteApiMapping", json!({"ApiMappingId": "a"})),
    ] {
        let refused = bed.run(operation, with(&at, more)).await.expect_err(operation);
        assert!(refused.message.starts_with("Only REGIONAL domain names"), "{refused:?}");
    }
    assert_eq!(bed.ok("GetApiMappings", at.clone()).await, json!({"items": []}));
    bed.ok("DeleteDomainName", at).await;
}

#[tokio::test]
async fn stages_of_both_kinds_are_mapped() {
    let bed = Bed::new();
    let (http, rest) = (bed.staged().await, bed.rest_api("rest").await);
    let at = bed.domain("a.example.com", "API_MAPPING_ONLY").await;
    let put = with(&at, json!({"ApiId": http, "Stage": "prod", "ApiMappingKey": "orders/v1/items"}));
    let (status, made) = bed.told("CreateApiMapping", put.clone()).await.expect("made");
    let id = text(&made["apiMappingId"]);
    let plain =
        json!({"apiId": http, "apiMappingId": id, "apiMappingKey": "orders/v1/items", "stage": "prod"});
    assert_eq!((status, &made), (201, &plain));
    let one = with(&at, json!({"ApiMappingId": id}));
    assert_eq!(bed.ok("GetApiMapping", one.clone()).await, plain);
    let whole = bed.ok("CreateApiMapping", with(&at, json!({"ApiId": rest, "Stage": "prod"}))).await;
    assert_eq!(whole["apiMappingKey"], json!(""));
    for (more, refused) in [
        (json!({}), conflict("ApiMapping key already exists for this domain name")),
        (json!({"ApiMappingKey": "a", "ApiId": "nowhere"}), bad("Invalid API identifier specified")),
        (json!({"ApiMappingKey": "a", "Stage": "none"}), bad("Invalid stage identifier specified")),
        (
            json!({"ApiMappingKey": "a b"}),
            bad("An ApiMapping key may contain only letters, numbers and one of $-_.+!*'()/"),
        ),
        (
            json!({"ApiMappingKey": "/a"}),
            bad("ApiMapping key should not start or end with a '/' or have consecutive '/'s."),
        ),
    ] {
        assert_eq!(bed.run("CreateApiMapping", with(&put, more)).await.expect_err("refused"), refused);
    }
    let first = bed.ok("GetApiMappings", with(&at, json!({"MaxResults": "1"}))).await;
    let next = json!({"MaxResults": "1", "NextToken": first["nextToken"]});
    let second = bed.ok("GetApiMappings", with(&at, next)).await;
    assert_eq!((&first["items"], second), (&json!([whole]), json!({"items": [plain]})));
    let change = with(&one, json!({"ApiId": rest, "ApiMappingKey": "b"}));
    let changed = bed.ok("UpdateApiMapping", change).await;
    assert_eq!(changed, json!({"apiId": rest, "apiMappingId": id, "apiMappingKey": "b", "stage": "prod"}));
    let taken = with(&one, json!({"ApiId": rest, "ApiMappingKey": ""}));
    assert_eq!(bed.run("UpdateApiMapping", taken).await.expect_err("taken").code, "ConflictException");
    assert_eq!(bed.told("DeleteApiMapping", one.clone()).await.expect("deleted"), (204, Json::Null));
    for (operation, more) in [
        ("GetApiMapping", json!({})),
        ("UpdateApiMapping", json!({"ApiId": rest})),
        ("DeleteApiMapping", json!({})),
    ] {
        let refused = bed.run(operation, with(&one, more)).await.expect_err(operation);
        assert_eq!(refused, missing("Invalid API mapping identifier specified"));
    }
}

#[tokio::test]
async fn what_is_mapped_stays() {
    let bed = Bed::new();
    let api = bed.staged().await;
    bed.ok("CreateStage", json!({"ApiId": api, "StageName": "free"})).await;
    let at = bed.domain("a.example.com", "API_MAPPING_ONLY").await;
    bed.ok("CreateApiMapping", with(&at, json!({"ApiId": api, "Stage": "prod"}))).await;
    let refused = bed.run("DeleteApi", json!({"ApiId": api})).await.expect_err("mapped");
    let words = "Please remove all API mappings for the";
    assert_eq!(
        refused,
        bad(format!("Deleting API {api} failed. {words} API from your custom domain names."))
    );
    let stage = |name: &str| json!({"ApiId": api, "StageName": name});
    let refused = bed.run("DeleteStage", stage("prod")).await.expect_err("mapped");
    assert_eq!(
        refused,
        bad(format!("Deleting stage prod failed. {words} stage from your custom domain names."))
    );
    bed.ok("DeleteStage", stage("free")).await;
    bed.ok("DeleteDomainName", at).await;
    bed.ok("DeleteApi", json!({"ApiId": api})).await;
}

#[tokio::test]
async fn a_domain_has_no_more_mappings_than_may_be() {
    let bed = Bed::new();
    let api = bed.staged().await;
    let at = bed.domain("a.example.com", "API_MAPPING_ONLY").await;
    let put = |key: String| with(&at, json!({"ApiId": api, "Stage": "prod", "ApiMappingKey": key}));
    for number in 0..200 {
        bed.ok("CreateApiMapping", put(format!("m{number}"))).await;
    }
    let refused = bed.run("CreateApiMapping", put("one/more".to_owned())).await.expect_err("one too many");
    assert_eq!(refused.code, "TooManyRequestsException");
}
