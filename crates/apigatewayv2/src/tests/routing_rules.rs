use super::*;

const THEN: &str = "ROUTING_RULE_THEN_API_MAPPING";

fn header(name: &str, glob: &str) -> Json {
    json!({"MatchHeaders": {"AnyOf": [{"Header": name, "ValueGlob": glob}]}})
}

fn path(path: &str) -> Json {
    json!({"MatchBasePaths": {"AnyOf": [path]}})
}

#[tokio::test]
async fn a_rule_is_made_read_replaced_and_deleted() {
    let bed = Bed::new();
    let rest = bed.rest_api("rest").await;
    let at = bed.domain("a.example.com", THEN).await;
    let asked = with(
        &at,
        json!({
            "Actions": [{"InvokeApi": {"ApiId": rest, "Stage": "prod", "StripBasePath": true}}],
            "Conditions": [header("x-version", "a*"), path("v1/users")], "Priority": 1_000_000,
        }),
    );
    let (status, made) = bed.told("CreateRoutingRule", asked.clone()).await.expect("made");
    let id = text(&made["routingRuleId"]);
    let arn =
        format!("arn:aws:apigateway:us-east-1:000000000000:/domainnames/a.example.com/routingrules/{id}");
    let plain = json!({
        "actions": [{"invokeApi": {"apiId": rest, "stage": "prod", "stripBasePath": true}}],
        "conditions": [
            {"matchHeaders": {"anyOf": [{"header": "x-version", "valueGlob": "a*"}]}},
            {"matchBasePaths": {"anyOf": ["v1/users"]}},
        ],
        "priority": 1_000_000, "routingRuleArn": arn, "routingRuleId": id,
    });
    assert_eq!((status, &made), (201, &plain));
    let one = with(&at, json!({"RoutingRuleId": id}));
    assert_eq!(bed.ok("GetRoutingRule", one.clone()).await, plain);
    let refused = bed.run("CreateRoutingRule", asked.clone()).await.expect_err("the priority is taken");
    assert_eq!((refused.status, refused.code.as_str()), (409, "ConflictException"));
    let anything = json!({"Actions": [{"InvokeApi": {"ApiId": rest, "Stage": "prod"}}], "Conditions": [], "Priority": 7});
    let (status, put) = bed.told("PutRoutingRule", with(&one, anything.clone())).await.expect("replaced");
    let everything = json!({
        "actions": [{"invokeApi": {"apiId": rest, "stage": "prod", "stripBasePath": false}}], "conditions": [],
        "priority": 7, "routingRuleArn": arn, "routingRuleId": id,
    });
    assert_eq!((status, &put), (200, &everything));
    let both = json!({"MatchHeaders": header("a", "b")["MatchHeaders"], "MatchBasePaths": path("c")["MatchBasePaths"]});
    let first = bed.ok("CreateRoutingRule", with(&asked, json!({"Priority": 3, "Conditions": [both]}))).await;
    let listed = bed.ok("ListRoutingRules", with(&at, json!({"MaxResults": 1}))).await;
    assert_eq!(listed["routingRules"], json!([first]));
    let rest_of = with(&at, json!({"NextToken": listed["nextToken"]}));
    assert_eq!(bed.ok("ListRoutingRules", rest_of).await, json!({"routingRules": [put]}));
    assert_eq!(bed.told("DeleteRoutingRule", one.clone()).await.expect("deleted"), (204, Json::Null));
    for (operation, more) in
        [("GetRoutingRule", json!({})), ("PutRoutingRule", anything), ("DeleteRoutingRule", json!({}))]
    {
        let refused = bed.run(operation, with(&one, more)).await.expect_err(operation);
        assert_eq!(refused, missing("Invalid routing rule identifier specified"));
    }
}

#[tokio::test]
async fn what_is_no_rule_is_refused() {
    let bed = Bed::new();
    let (rest, http) = (bed.rest_api("rest").await, bed.staged().await);
    let at = bed.domain("a.example.com", THEN).await;
    let invoke =
        |api: &str, more: Json| json!({"InvokeApi": with(&json!({"ApiId": api, "Stage": "prod"}), more)});
    let action = invoke(&rest, json!({}));
    let asked = with(&at, json!({"Actions": [action], "Conditions": [header("a", "b")], "Priority": 1}));
    let conditions = |conditions: Json| json!({"Conditions": conditions});
    let any_of = "Each anyOf of a condition must contain exactly one value";
    let many = "A routing rule may have up to two header conditions and one base path condition";
    for (more, message) in [
        (json!({"Actions": []}), "A routing rule must have exactly one action"),
        (json!({"Actions": [action, action]}), "A routing rule must have exactly one action"),
        (
            json!({"Actions": [invoke(&http, json!({}))]}),
            "The target API of a routing rule must be a REST API of this account",
        ),
        (json!({"Actions": [invoke(&rest, json!({"Stage": "none"}))]}), "Invalid stage identifier specified"),
        (
            json!({"Actions": [invoke(&rest, json!({"StripBasePath": true}))]}),
            "stripBasePath can only be set for a routing rule with a base path condition",
        ),
        (conditions(json!([header("a", "b"), header("c", "d"), header("e", "f")])), many),
        (conditions(json!([path("a"), path("b")])), many),
        (conditions(json!([{}])), "A condition must have matchHeaders or matchBasePaths"),
        (conditions(json!([{"MatchBasePaths": {"AnyOf": ["a", "b"]}}])), any_of),
        (conditions(json!([{"MatchHeaders": {"AnyOf": []}}])), any_of),
        (conditions(json!([header("Via", "a")])), "Header Via is not supported as a condition"),
    ] {
        let refused = bed.run("CreateRoutingRule", with(&asked, more)).await.expect_err(message);
        assert_eq!(refused, bad(message));
    }
    for priority in [0, 1_000_001] {
        let refused = bed.run("CreateRoutingRule", with(&asked, json!({"Priority": priority}))).await;
        assert_eq!(refused.expect_err("out of bounds").status, 400, "{priority}");
    }
    let private = with(&asked, json!({"DomainNameId": "abc"}));
    assert_eq!(bed.run("CreateRoutingRule", private).await.expect_err("none"), unsupported("DomainNameId"));
    for priority in 1..=50 {
        bed.ok("CreateRoutingRule", with(&asked, json!({"Priority": priority}))).await;
    }
    let refused = bed.run("CreateRoutingRule", with(&asked, json!({"Priority": 51}))).await;
    assert_eq!(refused.expect_err("one too many").code, "TooManyRequestsException");
}

#[tokio::test]
async fn a_mode_lets_nothing_be_made_that_nobody_asks() {
    let bed = Bed::new();
    let (rest, http) = (bed.rest_api("rest").await, bed.staged().await);
    let at = bed.domain("a.example.com", "ROUTING_RULE_ONLY").await;
    let map = |api: &str, key: &str| with(&at, json!({"ApiId": api, "Stage": "prod", "ApiMappingKey": key}));
    let refused = bed.run("CreateApiMapping", map(&http, "a")).await.expect_err("no mappings");
    assert_eq!(
        refused,
        bad("API mappings can't be created while the domain name's routing mode is ROUTING_RULE_ONLY")
    );
    bed.ok("UpdateDomainName", with(&at, json!({"RoutingMode": "API_MAPPING_ONLY"}))).await;
    let actions = json!([{"InvokeApi": {"ApiId": rest, "Stage": "prod"}}]);
    let rule = with(&at, json!({"Actions": actions, "Conditions": [], "Priority": 1}));
    let refused = bed.run("CreateRoutingRule", rule.clone()).await.expect_err("no rules");
    assert_eq!(
        refused,
        bad("Routing rules can't be created while the domain name's routing mode is API_MAPPING_ONLY")
    );
    // Mappings to both kinds of API and rules don't go together, whichever comes last.
    bed.ok("UpdateDomainName", with(&at, json!({"RoutingMode": THEN}))).await;
    bed.ok("CreateApiMapping", map(&rest, "rest")).await;
    let id = bed.ok("CreateApiMapping", map(&http, "http")).await["apiMappingId"].clone();
    let mixed = bad(
        "Routing rules aren't supported for a domain name that has API mappings to both REST and HTTP APIs",
    );
    assert_eq!(bed.run("CreateRoutingRule", rule.clone()).await.expect_err("both"), mixed);
    bed.ok("DeleteApiMapping", with(&at, json!({"ApiMappingId": id}))).await;
    bed.ok("CreateRoutingRule", rule).await;
    assert_eq!(bed.run("CreateApiMapping", map(&http, "http")).await.expect_err("both"), mixed);
}
