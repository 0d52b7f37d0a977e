use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A GET of `/pets/7` on stage `prod`, as small as can be.
fn bare(variables: &BTreeMap<String, String>) -> Exchange<'_> {
    Exchange {
        resource: "/pets/{petId}",
        method: "GET",
        path: "/pets/7",
        query: "",
        headers: &[],
        body: b"",
        path_parameters: &[("petId", "7")],
        stage_variables: variables,
        binary: MediaTypes(&[]),
        is_trial: false,
        host: "abc.execute-api.localhost:4566",
        port: 4566,
        scheme: "http",
        trace_id: "Root=1-58bcab84-000102030405060708090a0b",
        context: Context {
            account_id: "123456789012",
            api_id: "abc",
            deployment_id: "dep123",
            stage: "prod",
            resource_id: "res456",
            operation_name: None,
            path: "/prod/pets/7",
            protocol: "HTTP/1.1",
            domain_name: "abc.execute-api.localhost",
            domain_prefix: "abc",
            request_id: "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            extended_request_id: "Xe1vtGrDIAMFeQA=",
            request_time_epoch_ms: 1_428_582_896_789,
            source_ip: "127.0.0.1",
            caller: ApiCaller::default(),
        },
    }
}

fn event(exchange: &Exchange<'_>) -> Value {
    let mut out = Vec::new();
    exchange.write_event(&mut out);
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn an_exchange_with_nothing_in_it_has_nulls() {
    let variables = BTreeMap::new();
    let want = json!({
        "resource": "/pets/{petId}",
        "path": "/pets/7",
        "httpMethod": "GET",
        "headers": {
            "Host": "abc.execute-api.localhost:4566",
            "X-Amzn-Trace-Id": "Root=1-58bcab84-000102030405060708090a0b",
            "X-Forwarded-For": "127.0.0.1",
            "X-Forwarded-Port": "4566",
            "X-Forwarded-Proto": "http"
        },
        "multiValueHeaders": {
            "Host": ["abc.execute-api.localhost:4566"],
            "X-Amzn-Trace-Id": ["Root=1-58bcab84-000102030405060708090a0b"],
            "X-Forwarded-For": ["127.0.0.1"],
            "X-Forwarded-Port": ["4566"],
            "X-Forwarded-Proto": ["http"]
        },
        "queryStringParameters": null,
        "multiValueQueryStringParameters": null,
        "pathParameters": {"petId": "7"},
        "stageVariables": null,
        "requestContext": {
            "resourceId": "res456",
            "resourcePath": "/pets/{petId}",
            "httpMethod": "GET",
            "extendedRequestId": "Xe1vtGrDIAMFeQA=",
            "requestTime": "09/Apr/2015:12:34:56 +0000",
            "path": "/prod/pets/7",
            "accountId": "123456789012",
            "protocol": "HTTP/1.1",
            "stage": "prod",
            "domainPrefix": "abc",
            "domainName": "abc.execute-api.localhost",
            "requestTimeEpoch": 1_428_582_896_789_u64,
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "deploymentId": "dep123",
            "apiId": "abc",
            "identity": {
                "cognitoIdentityPoolId": null,
                "accountId": null,
                "cognitoIdentityId": null,
                "caller": null,
                "sourceIp": "127.0.0.1",
                "principalOrgId": null,
                "accessKey": null,
                "cognitoAuthenticationType": null,
                "cognitoAuthenticationProvider": null,
                "userArn": null,
                "userAgent": null,
                "user": null
            }
        },
        "body": null,
        "isBase64Encoded": false
    });
    assert_eq!(event(&bare(&variables)), want);
    let rootless = Exchange { path_parameters: &[], ..bare(&variables) };
    assert_eq!(event(&rootless)["pathParameters"], Value::Null);
}

#[test]
fn a_trial_has_only_the_headers_that_it_is_given() {
    let variables = BTreeMap::new();
    let mut exchange = Exchange { is_trial: true, ..bare(&variables) };
    let trial = event(&exchange);
    assert_eq!((&trial["headers"], &trial["multiValueHeaders"]), (&Value::Null, &Value::Null));
    exchange.headers = &[("X-One", b"1")];
    assert_eq!(event(&exchange)["headers"], json!({"X-One": "1"}));
}

#[test]
fn what_is_given_is_shown() {
    let variables =
        BTreeMap::from([("alias".to_owned(), "li\"ve".to_owned()), ("b".to_owned(), String::new())]);
    let mut exchange = bare(&variables);
    exchange.context.operation_name = Some("GetPet");
    exchange.path = "/pets/a%2Fb/";
    exchange.path_parameters = &[("petId", "a%2Fb"), ("proxy", "x//y")];
    let event = event(&exchange);
    assert_eq!(event["stageVariables"], json!({"alias": "li\"ve", "b": ""}));
    assert_eq!(event["pathParameters"], json!({"petId": "a%2Fb", "proxy": "x//y"}));
    assert_eq!(event["path"], "/pets/a%2Fb/");
    assert_eq!(event["requestContext"]["operationName"], "GetPet");
}

/// Client headers that API Gateway was recorded with (integration AWS_PROXY, July 2024): which of them get through.
#[test]
fn headers_of_the_connection_stay_behind() {
    let variables = BTreeMap::new();
    let kept = [
        "Accept",
        "Accept-Charset",
        "Accept-Encoding",
        "Age",
        "Authorization",
        "Content-Encoding",
        "Content-Type",
        "Date",
        "Pragma",
        "Range",
        "Referer",
        "User-Agent",
        "Via",
        "Warn",
    ];
    let dropped = [
        "Connection",
        "Content-MD5",
        "Content-Length",
        "Expect",
        "Max-Forwards",
        "Proxy-Authenticate",
        "Server",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
        "WWW-Authenticate",
    ];
    let sent: Vec<(&str, &[u8])> = kept.iter().chain(&dropped).map(|&name| (name, &b"v"[..])).collect();
    let event = event(&Exchange { headers: &sent, ..bare(&variables) });
    let own = ["Host", "X-Amzn-Trace-Id", "X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto"];
    let mut want: Vec<&str> = kept.iter().chain(&own).copied().collect();
    want.sort_unstable();
    for map in ["headers", "multiValueHeaders"] {
        let mut names: Vec<_> = event[map].as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, want, "{map}");
    }
    assert_eq!(event["requestContext"]["identity"]["userAgent"], "v");
}

#[test]
fn headers_keep_their_case_and_all_their_values() {
    let variables = BTreeMap::new();
    let headers: &[(&str, &[u8])] = &[
        ("tEsT-HEADeR", b"aValUE"),
        ("aUThorization", b"Bearer token123;API key456"),
        ("user-agent", b"python-requests/testing"),
        ("x-many", b"1"),
        ("Cookie", b"a=b"),
        ("X-Many", b"2"),
        ("x-manyfold", b"3"),
        ("X-MANY", b"\xe9\xff"),
        ("x-text", "é\"\\\t".as_bytes()),
        ("x-empty", b""),
    ];
    let event = event(&Exchange { headers, ..bare(&variables) });
    let (one, all) = (&event["headers"], &event["multiValueHeaders"]);
    for (name, value, values) in [
        ("tEsT-HEADeR", "aValUE", json!(["aValUE"])),
        ("Authorization", "Bearer token123;API key456", json!(["Bearer token123;API key456"])),
        ("User-Agent", "python-requests/testing", json!(["python-requests/testing"])),
        ("x-many", "éÿ", json!(["1", "2", "éÿ"])),
        ("x-manyfold", "3", json!(["3"])),
        ("x-text", "é\"\\\t", json!(["é\"\\\t"])),
        ("x-empty", "", json!([""])),
    ] {
        assert_eq!((&one[name], &all[name]), (&json!(value), &values), "{name}");
    }
    assert_eq!(event["requestContext"]["identity"]["userAgent"], "python-requests/testing");
}

#[test]
fn the_gateway_speaks_for_the_connection_itself() {
    let variables = BTreeMap::new();
    let headers: &[(&str, &[u8])] = &[
        ("x-forwarded-for", b"203.0.113.7"),
        ("X-Forwarded-For", b"198.51.100.2, 198.51.100.3"),
        ("x-forwarded-port", b"1"),
        ("x-forwarded-proto", b"gopher"),
        ("x-amzn-trace-id", b"mine"),
        ("host", b"elsewhere"),
    ];
    let event = event(&Exchange { headers, ..bare(&variables) });
    let want = json!({
        "Host": "abc.execute-api.localhost:4566",
        "X-Amzn-Trace-Id": "Root=1-58bcab84-000102030405060708090a0b",
        "X-Forwarded-For": "203.0.113.7, 198.51.100.2, 198.51.100.3, 127.0.0.1",
        "X-Forwarded-Port": "4566",
        "X-Forwarded-Proto": "http"
    });
    assert_eq!(event["headers"], want);
}

#[test]
fn a_query_is_decoded_and_the_last_value_wins() {
    let variables = BTreeMap::new();
    for (query, one, all) in [
        ("", json!(null), json!(null)),
        ("&&", json!(null), json!(null)),
        ("a=1&b=2", json!({"a": "1", "b": "2"}), json!({"a": ["1"], "b": ["2"]})),
        (
            "category=electronics&price=10&category=books&price=20&price=30",
            json!({"category": "books", "price": "30"}),
            json!({"category": ["electronics", "books"], "price": ["10", "20", "30"]}),
        ),
        (
            "dateTimeOffset=2023-06-12T18:05:10.123456+00:00&email=test%2Balias@gmail.com&plus=test+alias@gmail.com",
            json!({
                "dateTimeOffset": "2023-06-12T18:05:10.123456 00:00",
                "email": "test+alias@gmail.com",
                "plus": "test alias@gmail.com"
            }),
            json!({
                "dateTimeOffset": ["2023-06-12T18:05:10.123456 00:00"],
                "email": ["test+alias@gmail.com"],
                "plus": ["test alias@gmail.com"]
            }),
        ),
        ("flag", json!({"flag": ""}), json!({"flag": [""]})),
        ("a==b&%61=c%3Dd", json!({"a": "c=d"}), json!({"a": ["=b", "c=d"]})),
        ("A=1&a=2", json!({"A": "1", "a": "2"}), json!({"A": ["1"], "a": ["2"]})),
        (
            "longname1=1&longname2=2&longname1=3",
            json!({"longname1": "3", "longname2": "2"}),
            json!({"longname1": ["1", "3"], "longname2": ["2"]}),
        ),
        ("a=%ff%zz%4", json!({"a": "\u{fffd}%zz%4"}), json!({"a": ["\u{fffd}%zz%4"]})),
    ] {
        let event = event(&Exchange { query, ..bare(&variables) });
        assert_eq!(event["queryStringParameters"], one, "{query}");
        assert_eq!(event["multiValueQueryStringParameters"], all, "{query}");
    }
}

#[test]
fn a_body_is_text_unless_its_type_is_binary() {
    let variables = BTreeMap::new();
    let types = ["image/png".to_owned()];
    let png: &[(&str, &[u8])] = &[("content-type", b"image/png")];
    for (headers, body, shown, is_base64) in [
        (&[][..], &b"{\"a\":\"b\\n\"}"[..], json!("{\"a\":\"b\\n\"}"), false),
        (&[], b"\xffx", json!("\u{fffd}x"), false),
        (png, b"\xff\x00x", json!("/wB4"), true),
        (png, b"text", json!("dGV4dA=="), true),
        (png, b"", json!(null), false),
    ] {
        let exchange =
            Exchange { method: "POST", headers, body, binary: MediaTypes(&types), ..bare(&variables) };
        let event = event(&exchange);
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&shown, &json!(is_base64)), "{body:?}");
    }
}

#[test]
fn an_event_is_appended() {
    let variables = BTreeMap::new();
    let mut out = b"before".to_vec();
    bare(&variables).write_event(&mut out);
    assert!(out.starts_with(b"before{\"resource\":"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_bytes_make_an_event_that_says_them(
        headers in prop::collection::vec(("[a-cA-C-]{0,9}|.{0,5}", prop::collection::vec(any::<u8>(), 0..12)), 0..40),
        parameters in prop::collection::vec(("[a-b%+0-9]{0,10}", ".{0,6}"), 0..30),
        raw in ".{0,30}",
        body in prop::collection::vec(any::<u8>(), 0..40),
        is_binary in any::<bool>(),
    ) {
        let variables = BTreeMap::from([(raw.clone(), raw.clone())]);
        let fields: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        let query: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let query = query.join("&");
        let types = ["*/*".to_owned()];
        let mut exchange = bare(&variables);
        exchange.headers = &fields;
        exchange.query = &query;
        exchange.body = &body;
        exchange.path = &raw;
        exchange.binary = MediaTypes(if is_binary { &types } else { &[] });
        let event = event(&exchange);

        prop_assert_eq!(&event["path"], &raw);
        prop_assert_eq!(&event["stageVariables"][&raw], &raw);
        let all = event["multiValueHeaders"].as_object().unwrap();
        // So short that chance hits them now and then, and never shown as they came.
        let is_dropped = |name: &str| ["te", "host"].iter().any(|dropped| name.eq_ignore_ascii_case(dropped));
        let kept = fields.iter().filter(|(name, _)| !is_dropped(name)).count();
        prop_assert_eq!(all.values().map(|values| values.as_array().unwrap().len()).sum::<usize>(), kept + 5);
        for (name, values) in all {
            let last = fields.iter().rfind(|(sent, _)| sent.eq_ignore_ascii_case(name) && !is_dropped(sent));
            if let Some((_, last)) = last {
                let want = String::from_utf8(last.to_vec()).unwrap_or_else(|_| last.iter().map(|&b| char::from(b)).collect());
                prop_assert_eq!(&event["headers"][name], &want);
                prop_assert_eq!(values.as_array().unwrap().last().unwrap(), &want);
            }
        }
        let shown = event["body"].as_str().unwrap_or_default();
        if is_binary {
            prop_assert_eq!(STANDARD.decode(shown).unwrap(), body);
        } else {
            prop_assert_eq!(shown, String::from_utf8_lossy(&body));
        }
    }
}
