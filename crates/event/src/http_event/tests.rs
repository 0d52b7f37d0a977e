use super::*;
use serde_json::{Value, json};

fn exchange<'a>(headers: &'a [(&'a str, &'a [u8])], query: &'a str, body: &'a [u8]) -> HttpExchange<'a> {
    HttpExchange {
        route_key: "$default",
        raw_path: "/a%20b",
        query,
        headers,
        body,
        path_parameters: &[],
        stage_variables: None,
        host: "id.lambda-url.us-east-1.localhost",
        port: 4566,
        scheme: "http",
        trace_id: "Root=1-2-3",
        context: HttpContext {
            account_id: "anonymous",
            api_id: "id",
            domain_name: "id.lambda-url.us-east-1.localhost",
            domain_prefix: "id",
            method: "GET",
            protocol: "HTTP/1.1",
            source_ip: "127.0.0.1",
            request_id: "r",
            stage: "$default",
            time_epoch_ms: 1_428_582_896_000,
            authorizer: None,
        },
    }
}

fn written(exchange: &HttpExchange<'_>) -> Value {
    let mut out = Vec::new();
    exchange.write_event(&mut out);
    serde_json::from_slice(&out).expect("JSON")
}

#[test]
fn an_event_has_the_documented_shape_and_no_nulls() {
    let headers: [(&str, &[u8]); 8] = [
        ("x-a", b"1"),
        ("cookie", b"a=1; b=2"),
        ("x-a", b"2"),
        ("cookie", b"c=3"),
        ("connection", b"close"),
        ("user-agent", b"curl"),
        ("x-forwarded-for", b"10.0.0.1"),
        ("host", b"elsewhere"),
    ];
    let expected = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": "/a%20b", "rawQueryString": "q=1&q=2&p=a+b",
        "cookies": ["a=1", "b=2", "c=3"],
        "headers": {
            "x-a": "1,2", "user-agent": "curl", "host": "id.lambda-url.us-east-1.localhost",
            "x-amzn-trace-id": "Root=1-2-3", "x-forwarded-for": "10.0.0.1, 127.0.0.1", "x-forwarded-port": "4566",
            "x-forwarded-proto": "http",
        },
        "queryStringParameters": {"q": "1,2", "p": "a b"},
        "requestContext": {
            "accountId": "anonymous", "apiId": "id", "domainName": "id.lambda-url.us-east-1.localhost",
            "domainPrefix": "id",
            "http": {
                "method": "GET", "path": "/a%20b", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1",
                "userAgent": "curl",
            },
            "requestId": "r", "routeKey": "$default", "stage": "$default", "time": "09/Apr/2015:12:34:56 +0000",
            "timeEpoch": 1_428_582_896_000_u64,
        },
        "isBase64Encoded": false,
    });
    assert_eq!(written(&exchange(&headers, "q=1&q=2&p=a+b", b"")), expected);
    let bare = written(&exchange(&[], "", b""));
    for member in ["cookies", "queryStringParameters", "body"] {
        assert_eq!(bare.get(member), None, "{member}");
    }
}

#[test]
fn text_stays_text_and_the_rest_is_base64() {
    for (content_type, body, expected, is_base64) in [
        ("application/json; charset=utf-8", &b"{}"[..], "{}", false),
        ("text/plain", b"a\n", "a\n", false),
        ("application/vnd.api+json", b"[]", "[]", false),
        ("application/octet-stream", b"abc", "YWJj", true),
        ("text/plain", b"\xff", "/w==", true),
        ("", b"abc", "YWJj", true),
    ] {
        let event = written(&exchange(&[("content-type", content_type.as_bytes())], "", body));
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!(expected), &json!(is_base64)));
    }
}

#[test]
fn a_query_without_parameters_is_no_map() {
    for query in ["", "&", "&&"] {
        let event = written(&exchange(&[], query, b""));
        assert_eq!((&event["rawQueryString"], event.get("queryStringParameters")), (&json!(query), None));
    }
}

#[test]
fn who_signed_is_told() {
    let mut exchange = exchange(&[], "", b"");
    exchange.context.authorizer = Some(HttpAuthorizer::Iam(Signer {
        access_key_id: "ASIA",
        account_id: "000000000000",
        principal: "arn:aws:iam::000000000000:user/ada",
        user_id: "AIDA",
    }));
    let expected = json!({"iam": {
        "accessKey": "ASIA", "accountId": "000000000000", "callerId": "AIDA", "cognitoIdentity": null,
        "principalOrgId": null, "userArn": "arn:aws:iam::000000000000:user/ada", "userId": "AIDA",
    }});
    assert_eq!(written(&exchange)["requestContext"]["authorizer"], expected);
}

#[test]
fn what_a_stage_and_an_authorizer_add_is_told() {
    let variables = [("v".to_owned(), "1".to_owned())].into();
    let parameters = [("id", Cow::Borrowed("7 8"))];
    let mut exchange = exchange(&[], "", b"{}");
    exchange.stage_variables = Some(&variables);
    exchange.path_parameters = &parameters;
    exchange.context.authorizer = Some(HttpAuthorizer::Told(r#"{"lambda":{"a":[1]}}"#));
    let event = written(&exchange);
    assert_eq!(event["pathParameters"], json!({"id": "7 8"}));
    assert_eq!(event["stageVariables"], json!({"v": "1"}));
    assert_eq!(event["requestContext"]["authorizer"], json!({"lambda": {"a": [1]}}));
    exchange.stage_variables = Some(const { &BTreeMap::new() });
    assert_eq!(written(&exchange).get("stageVariables"), None);
}

#[test]
fn an_authorizer_is_asked_with_the_request_but_its_body() {
    let exchange = exchange(&[("x-a", b"1"), ("cookie", b"c=1")], "q=1", b"secret");
    let identity = ["1".to_owned(), "2".to_owned()];
    let question = AuthorizerQuestion { arn: "arn:x", identity: &identity };
    let mut out = Vec::new();
    exchange.write_authorizer_event(&question, &mut out);
    let event: Value = serde_json::from_slice(&out).expect("JSON");
    let whole = written(&exchange);
    assert_eq!((&event["type"], &event["routeArn"]), (&json!("REQUEST"), &json!("arn:x")));
    assert_eq!(event["identitySource"], json!(["1", "2"]));
    for member in
        ["version", "routeKey", "rawPath", "cookies", "headers", "queryStringParameters", "requestContext"]
    {
        assert_eq!(event[member], whole[member], "{member}");
    }
    assert_eq!((event.get("body"), event.get("isBase64Encoded")), (None, None));
    let mut out = Vec::new();
    exchange.write_authorizer_event(&AuthorizerQuestion { arn: "a", identity: &[] }, &mut out);
    let event: Value = serde_json::from_slice(&out).expect("JSON");
    assert_eq!(event["identitySource"], Value::Null);
}
