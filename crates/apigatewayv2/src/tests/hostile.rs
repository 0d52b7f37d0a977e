//! Whatever texts come, they are read or refused. For minutes: `PITBIRD_FUZZ_SECONDS=600 cargo nextest run -p
//! pitbird-apigatewayv2 of_strangers`.

use pitbird_names::Scope;
use pitbird_records::{HttpApi, Texts};
use pitbird_testkit::try_hostile;
use serde_json::json;

use crate::integration::{Settings, fresh, uri};
use crate::{api_mapping, authorizer, import, route};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn route_keys_of_strangers_are_read_or_refused() {
    const PIECES: &[&str] = &[
        "GET", "ANY", "OPTIONS", " ", "/", "$default", "{a}", "{b+}", "{", "}", "+", "pets", "//", "%2f", "*",
    ];
    let seeds: &[&[u8]] = &[b"$default", b"GET /pets/{id}", b"ANY /{proxy+}"];
    let tried = try_hostile("route keys", PIECES, seeds, |bytes| {
        let key = text(bytes);
        let is_key = route::check_key(&key).is_ok_and(|kept| kept == key);
        // Every key takes what it takes itself.
        assert!(!is_key || route::is_same(&key, &key), "{key}");
        is_key
    });
    assert!(tried.read > 0, "{tried:?}");
}

/// A line is a place and a value: what may be written is what the edge reads.
#[test]
fn parameter_mappings_of_strangers_are_read_or_refused() {
    const PIECES: &[&str] = &[
        "append:",
        "overwrite:",
        "remove:",
        "header.x-a",
        "header.Authorization",
        "querystring.q",
        "path",
        "statuscode",
        "=",
        "\n",
        "$request.",
        "$response.",
        "body",
        "body.a.b[0]",
        "$context.requestId",
        "$stageVariables.v",
        "${",
        "}",
        "$",
        ".",
        "..",
        "'",
    ];
    let seeds: &[&[u8]] = &[
        b"append:header.x-a=$request.header.b",
        b"overwrite:path=/v${stageVariables.v}${request.path}",
        b"remove:querystring.q=''\noverwrite:querystring.p=$request.body.a[0].b",
    ];
    let api: HttpApi = serde_json::from_value(json!({
        "scope": Scope::default(), "id": "api", "name": "pets", "created_ms": 0, "api_key_selection_expression": "",
        "route_selection_expression": "", "disable_execute_api_endpoint": false, "ip_address_type": "ipv4", "tags": {},
    }))
    .expect("an API");
    let tried = try_hostile("parameter mappings", PIECES, seeds, |bytes| {
        let text = text(bytes);
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        let parameters: Texts = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let has_some = !parameters.is_empty();
        let settings = |is_request: bool| Settings {
            kind: Some("HTTP_PROXY".to_owned()),
            uri: Some("https://a.example".to_owned()),
            method: Some("GET".to_owned()),
            request_parameters: Some(parameters.clone()).filter(|_| is_request),
            response_parameters: Some([("200".to_owned(), parameters.clone())].into())
                .filter(|_| !is_request),
            ..Settings::default()
        };
        [true, false].map(|is_request| settings(is_request).apply(&mut fresh(&api, "i".to_owned())).is_ok())
            != [false; 2]
            && has_some
    });
    assert!(tried.read > 0, "{tried:?}");
}

#[test]
fn names_of_places_of_strangers_are_read_or_refused() {
    const PIECES: &[&str] = &[
        "arn:aws:lambda:us-east-1:000000000000:function:f",
        "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/",
        "/invocations",
        "${stageVariables.",
        "a",
        "}",
        ":",
        "https://",
        "$request.header.",
        "/",
        "$",
        "*",
    ];
    let seeds: &[&[u8]] = &[
        b"arn:aws:lambda:us-east-1:000000000000:function:f:${stageVariables.a}",
        b"https://a.example/b",
        b"$request.header.Authorization",
        b"v1/orders",
    ];
    let tried = try_hostile("places", PIECES, seeds, |bytes| {
        let text = text(bytes);
        let _ = import::document(&text);
        [
            uri::check_function(&text).is_ok(),
            uri::is_http(&text),
            authorizer::is_identity_source(&text),
            api_mapping::parse_key(Some(text)).is_ok(),
        ] != [false; 4]
    });
    assert!(tried.read > 0, "{tried:?}");
}
