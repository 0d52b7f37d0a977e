use pitbird_records::{DomainMapping, HttpApi, RoutingRule};
use pitbird_store::Transaction;

use super::*;

const ARN: &str = "arn:aws:acm:us-east-1:000000000000:certificate/a";

#[tokio::test]
async fn a_regional_domain_is_made_read_changed_and_deleted() {
    let bed = Bed::new();
    let asked = json!({
        "domainName": "API.example.com", "regionalCertificateArn": ARN, "tags": {"a": "1"},
        "endpointConfiguration": {"types": ["REGIONAL"]}, "securityPolicy": "TLS_1_2",
    });
    let (status, made) = bed.told("CreateDomainName", asked.clone()).await.expect("made");
    let target = text(&made["regionalDomainName"]);
    let plain = json!({
        "domainName": "api.example.com", "regionalCertificateArn": ARN, "regionalDomainName": target,
        "regionalHostedZoneId": "Z1UJRXOUMOOFQ8", "certificateUploadDate": made["certificateUploadDate"],
        "endpointConfiguration": {"types": ["REGIONAL"], "ipAddressType": "ipv4"},
        "domainNameStatus": "AVAILABLE", "securityPolicy": "TLS_1_2", "tags": {"a": "1"},
        "routingMode": "BASE_PATH_MAPPING_ONLY",
    });
    assert_eq!((status, &made), (201, &plain));
    let at = json!({"domainName": "api.example.com"});
    assert_eq!(bed.ok("GetDomainName", at.clone()).await, plain);
    assert_eq!(bed.ok("GetDomainNames", json!({})).await, json!({"item": [plain]}));
    let refused = bed.run("CreateDomainName", asked.clone()).await.expect_err("twice");
    assert_eq!(refused, bad("The domain name you provided already exists."));
    let operations = json!([patch("replace", "/securityPolicy", "TLS_1_0")]);
    let changed = bed.ok("UpdateDomainName", with(&at, json!({"patchOperations": operations}))).await;
    assert_eq!(changed, with(&plain, json!({"securityPolicy": "TLS_1_0"})));
    assert_eq!(bed.told("DeleteDomainName", at.clone()).await.expect("deleted"), (202, Json::Null));
    for operation in ["GetDomainName", "UpdateDomainName", "DeleteDomainName", "GetBasePathMappings"] {
        let refused = bed.run(operation, at.clone()).await.expect_err(operation);
        assert_eq!(refused, missing("Invalid domain name identifier specified"));
    }
    for (more, refused) in [
        (json!({"regionalCertificateArn": null}), bad("A certificate must be specified for the domain name")),
        (json!({"domainName": "localhost"}), bad("Invalid domain name specified: localhost")),
        (json!({"certificateBody": "-----"}), unsupported("certificateBody")),
        (
            json!({"endpointConfiguration": {"types": ["PRIVATE"]}}),
            unsupported("endpointConfiguration.types PRIVATE"),
        ),
        (
            json!({"mutualTlsAuthentication": {"truststoreUri": "s3://a/b"}}),
            unsupported("mutualTlsAuthentication"),
        ),
    ] {
        assert_eq!(bed.run("CreateDomainName", with(&asked, more)).await.expect_err("refused"), refused);
    }
}

#[tokio::test]
async fn an_edge_domain_has_a_distribution() {
    let mut bed = Bed::new();
    let asked = json!({"domainName": "*.example.com", "certificateArn": ARN});
    let made = bed.ok("CreateDomainName", asked.clone()).await;
    assert!(text(&made["distributionDomainName"]).ends_with(".cloudfront.net"));
    assert_eq!(
        (&made["distributionHostedZoneId"], &made["certificateArn"], made.get("regionalDomainName")),
        (&json!("Z2FDTNDATAQYW2"), &json!(ARN), None)
    );
    bed.caller.scope.region = pitbird_names::Region::parse("eu-west-1").expect("a region");
    let refused = bed.run("CreateDomainName", asked).await.expect_err("elsewhere neither");
    assert_eq!(refused, bad("The domain name you provided already exists."));
}

#[tokio::test]
async fn a_path_leads_to_a_stage() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    bed.deploy(&api, json!({"stageName": "dev"})).await;
    bed.ok("CreateDomainName", json!({"domainName": "a.example.com", "certificateArn": ARN})).await;
    let domain = json!({"domainName": "a.example.com"});
    let put = with(&domain, json!({"restApiId": api, "stage": "dev"}));
    let (status, whole) = bed.told("CreateBasePathMapping", put.clone()).await.expect("made");
    let told = json!({"basePath": "(none)", "restApiId": api, "stage": "dev"});
    assert_eq!((status, &whole), (201, &told));
    let root = with(&domain, json!({"basePath": "(none)"}));
    assert_eq!(bed.ok("GetBasePathMapping", root.clone()).await, whole);
    for (more, refused) in [
        (json!({"basePath": "(none)"}), conflict("Base path already exists for this domain name")),
        (json!({"basePath": "x", "restApiId": "nowhere"}), bad("Invalid REST API identifier specified")),
        (json!({"basePath": "x", "stage": "none"}), bad("Invalid stage identifier specified")),
        (
            json!({"basePath": "x/y"}),
            bad(
                "API Gateway V1 doesn't support the slash character (/) in base path mappings. To create a multi-level \
                 base path mapping, use API Gateway V2.",
            ),
        ),
    ] {
        assert_eq!(bed.run("CreateBasePathMapping", with(&put, more)).await.expect_err("refused"), refused);
    }
    bed.ok("CreateBasePathMapping", with(&domain, json!({"restApiId": api, "basePath": "v1"}))).await;
    let v1 = with(&domain, json!({"basePath": "v1"}));
    assert_eq!(bed.ok("GetBasePathMapping", v1.clone()).await, json!({"basePath": "v1", "restApiId": api}));
    let operations = json!([patch("replace", "/basePath", "v2"), patch("replace", "/stage", "dev")]);
    let changed = bed.ok("UpdateBasePathMapping", with(&v1, json!({"patchOperations": operations}))).await;
    assert_eq!(changed, json!({"basePath": "v2", "restApiId": api, "stage": "dev"}));
    assert_eq!(bed.ok("GetBasePathMappings", domain.clone()).await, json!({"item": [whole, changed]}));
    let refused = bed.run("DeleteRestApi", json!({"restApiId": api})).await.expect_err("mapped");
    assert_eq!(refused.code, "BadRequestException");
    let refused = bed.run("DeleteStage", json!({"restApiId": api, "stageName": "dev"})).await;
    let message = "Deleting stage failed. Please remove or move all base path mappings related to the stage in your domains.";
    assert_eq!(refused.expect_err("mapped"), bad(message));
    assert_eq!(bed.told("DeleteBasePathMapping", root.clone()).await.expect("deleted"), (202, Json::Null));
    for operation in ["GetBasePathMapping", "UpdateBasePathMapping", "DeleteBasePathMapping"] {
        let refused = bed.run(operation, root.clone()).await.expect_err(operation);
        assert_eq!(refused, missing("Invalid base path mapping identifier specified"));
    }
    bed.ok("DeleteDomainName", domain).await;
    bed.ok("DeleteRestApi", json!({"restApiId": api})).await;
}

#[tokio::test]
async fn what_a_routing_rule_leads_to_stays() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    bed.deploy(&api, json!({"stageName": "dev"})).await;
    bed.deploy(&api, json!({"stageName": "free"})).await;
    let made =
        json!({"domainName": "a.example.com", "certificateArn": ARN, "routingMode": "ROUTING_RULE_ONLY"});
    bed.ok("CreateDomainName", made).await;
    let mapping = json!({"domainName": "a.example.com", "restApiId": api, "stage": "dev"});
    let refused = bed.run("CreateBasePathMapping", mapping).await.expect_err("nobody asks it");
    let message = "API mappings can't be created while the domain name's routing mode is ROUTING_RULE_ONLY";
    assert_eq!(refused, bad(message));
    let rule = RoutingRule {
        scope: bed.caller.scope.clone(),
        domain_name: "a.example.com".to_owned(),
        id: "rule".to_owned(),
        priority: 1,
        conditions: Vec::new(),
        api_id: api.clone(),
        stage: "dev".to_owned(),
        strip_base_path: false,
    };
    bed.store.write(move |tx: &mut Transaction<'_>| tx.put(&rule)).await.expect("kept");
    let refused = bed.run("DeleteRestApi", json!({"restApiId": api})).await.expect_err("routed");
    let message = "Deleting API failed. Please remove all routing rules related to the API in your domains.";
    assert_eq!(refused, bad(message));
    let refused = bed.run("DeleteStage", json!({"restApiId": api, "stageName": "dev"})).await;
    let message =
        "Deleting stage failed. Please remove all routing rules related to the stage in your domains.";
    assert_eq!(refused.expect_err("routed"), bad(message));
    bed.ok("DeleteStage", json!({"restApiId": api, "stageName": "free"})).await;
    bed.ok("DeleteDomainName", json!({"domainName": "a.example.com"})).await;
    bed.ok("DeleteRestApi", json!({"restApiId": api})).await;
}

/// The other service has led two paths to HTTP APIs, beside which a rule may stand.
#[tokio::test]
async fn mappings_of_two_kinds_never_come_beside_routing_rules() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    bed.deploy(&api, json!({"stageName": "dev"})).await;
    let domain = json!({"domainName": "a.example.com"});
    let mode = json!({"certificateArn": ARN, "routingMode": "ROUTING_RULE_THEN_BASE_PATH_MAPPING"});
    bed.ok("CreateDomainName", with(&domain, mode)).await;
    let scope = bed.caller.scope.clone();
    let http_api: HttpApi = serde_json::from_value(json!({
        "scope": scope, "id": "http", "name": "http", "created_ms": 0, "api_key_selection_expression": "",
        "route_selection_expression": "", "disable_execute_api_endpoint": false, "ip_address_type": "ipv4", "tags": {},
    }))
    .expect("an API");
    let mapping = |path: &str| DomainMapping {
        scope: scope.clone(),
        domain_name: "a.example.com".to_owned(),
        id: path.to_owned(),
        base_path: path.to_owned(),
        api_id: "http".to_owned(),
        stage: Some("$default".to_owned()),
    };
    let rule = RoutingRule {
        scope: scope.clone(),
        domain_name: "a.example.com".to_owned(),
        id: "rule".to_owned(),
        priority: 1,
        conditions: Vec::new(),
        api_id: api.clone(),
        stage: "dev".to_owned(),
        strip_base_path: false,
    };
    let mappings = [mapping("one"), mapping("two")];
    let put = move |tx: &mut Transaction<'_>| {
        tx.put(&http_api)?;
        mappings.iter().try_for_each(|mapping| tx.put(mapping).map(drop))?;
        tx.put(&rule)
    };
    bed.store.write(put).await.expect("kept");
    let operations = json!([patch("replace", "/restapiId", &api), patch("replace", "/stage", "dev")]);
    let one = with(&domain, json!({"basePath": "one", "patchOperations": operations}));
    let mixed = bad(
        "Routing rules aren't supported for a domain name that has API mappings to both REST and HTTP APIs",
    );
    assert_eq!(bed.run("UpdateBasePathMapping", one.clone()).await.expect_err("mixed"), mixed);
    let other = with(&domain, json!({"restApiId": api, "basePath": "three"}));
    assert_eq!(bed.run("CreateBasePathMapping", other).await.expect_err("mixed"), mixed);
    bed.ok("DeleteBasePathMapping", with(&domain, json!({"basePath": "two"}))).await;
    let moved = bed.ok("UpdateBasePathMapping", one).await;
    assert_eq!(moved, json!({"basePath": "one", "restApiId": api, "stage": "dev"}), "the only one may move");
}

#[tokio::test]
async fn a_client_certificate_is_made_shown_and_deleted() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    bed.deploy(&api, json!({"stageName": "dev"})).await;
    let asked = json!({"description": "d", "tags": {"a": "1"}});
    let (status, made) = bed.told("GenerateClientCertificate", asked).await.expect("made");
    let id = text(&made["clientCertificateId"]);
    assert_eq!((status, id.len(), &made["description"]), (201, 6, &json!("d")));
    assert!(text(&made["pemEncodedCertificate"]).starts_with("-----BEGIN CERTIFICATE-----"));
    let day = |name: &str| made[name].as_f64().expect("a date") / 86_400.0;
    assert_eq!(day("expirationDate") - day("createdDate"), 365.0);
    assert!(!made.to_string().contains("PRIVATE"));
    let at = json!({"clientCertificateId": id});
    assert_eq!(bed.ok("GetClientCertificate", at.clone()).await, made);
    assert_eq!(bed.ok("GetClientCertificates", json!({})).await, json!({"item": [made]}));
    let operations = json!([patch("replace", "/description", "e")]);
    let changed = bed.ok("UpdateClientCertificate", with(&at, json!({"patchOperations": operations}))).await;
    assert_eq!(changed, with(&made, json!({"description": "e"})));
    let show = json!([patch("replace", "/clientCertificateId", &id)]);
    let stage = bed.patch_stage(&api, "dev", show).await.expect("shown");
    assert_eq!(stage["clientCertificateId"], json!(id));
    let refused = bed.run("DeleteClientCertificate", at.clone()).await.expect_err("shown");
    assert_eq!(refused.code, "BadRequestException");
    bed.patch_stage(&api, "dev", json!([patch("replace", "/clientCertificateId", "")]))
        .await
        .expect("hidden");
    assert_eq!(bed.told("DeleteClientCertificate", at.clone()).await.expect("deleted").0, 202);
    for operation in ["GetClientCertificate", "UpdateClientCertificate", "DeleteClientCertificate"] {
        let refused = bed.run(operation, at.clone()).await.expect_err(operation);
        assert_eq!(refused, missing("Invalid Client Certificate identifier specified"));
    }
}

#[tokio::test]
async fn nothing_is_private_here() {
    let bed = Bed::new();
    for operation in ["GetVpcLinks", "GetDomainNameAccessAssociations"] {
        assert_eq!(bed.ok(operation, json!({"limit": 5})).await, json!({"item": []}));
    }
    let refused = bed.run("GetVpcLink", json!({"vpcLinkId": "a"})).await.expect_err("none");
    assert_eq!(refused, missing("Invalid Vpc Link identifier specified"));
}
