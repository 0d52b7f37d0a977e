use pitbird_records::MethodResponse;

use super::*;

fn mock() -> Integration {
    Integration {
        kind: "MOCK".to_owned(),
        passthrough_behavior: "WHEN_NO_MATCH".to_owned(),
        timeout_ms: 29_000,
        ..Integration::default()
    }
}

fn of_kind(kind: &str, verb: Option<&str>, uri: &str) -> Integration {
    let http_method = verb.map(str::to_owned);
    Integration { kind: kind.to_owned(), http_method, uri: Some(uri.to_owned()), ..mock() }
}

fn settled(integration: Integration) -> Result<Integration, String> {
    let mut integration = integration;
    let settled = settle(&Method::default(), &mut integration, &Scope::default());
    settled.map(|()| integration).map_err(|error| error.to_string())
}

#[test]
fn each_kind_is_checked_by_its_rules() {
    let page = "arn:aws:apigateway:us-east-1:s3:path/pages/a";
    let queue = "arn:aws:apigateway:us-east-1:sqs:path/1/q";
    let function = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/f/invocations";
    for (kind, verb, uri, connection) in [
        ("MOCK", None, "", None),
        ("AWS_PROXY", Some("POST"), function, None),
        ("AWS", Some("POST"), function, None),
        ("HTTP", Some("GET"), "http://example.com/{a}", Some("INTERNET")),
        ("HTTP_PROXY", Some("ANY"), "https://${stageVariables.host}/", Some("INTERNET")),
    ] {
        let settled = settled(of_kind(kind, verb, uri)).expect(kind);
        assert_eq!(settled.connection_type.as_deref(), connection, "{kind}");
    }
    for (kind, verb, uri, text) in [
        ("AWS_PROXY", None, "", "Enumeration value for HttpMethod must be non-empty"),
        ("AWS_PROXY", Some("POST"), "", "Invalid ARN specified in the request"),
        ("HTTP", None, "", "Enumeration value for HttpMethod must be non-empty"),
        ("HTTP", Some("GET"), "nowhere", "Invalid HTTP endpoint specified for URI"),
        ("HTTP_PROXY", Some("GET"), "", "Invalid HTTP endpoint specified for URI"),
        ("AWS", Some("POST"), "x", "Invalid ARN specified in the request"),
        ("AWS", Some("POST"), page, "Role ARN must be specified for AWS integrations"),
        ("AWS", Some("POST"), queue, "uri to sqs is not supported"),
        (
            "AWS_PROXY",
            Some("post"),
            "",
            "Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY",
        ),
    ] {
        assert_eq!(settled(of_kind(kind, verb, uri)).expect_err(text), text, "{kind} {uri}");
    }
}

#[test]
fn credentials_are_a_role_of_the_account() {
    let run = |credentials: &str| {
        let credentials = Some(credentials.to_owned());
        settled(Integration { credentials, ..mock() }).map(|_| ())
    };
    for good in [
        "arn:aws:iam::000000000000:role/r",
        "${stageVariables.role}",
        "arn:aws:iam::000000000000:role/${stageVariables.role}",
    ] {
        assert_eq!(run(good), Ok(()), "{good}");
    }
    let arn = "Invalid ARN specified in the request";
    for (bad, text) in [
        ("role", arn),
        ("arn:aws:iam::000000000000:user/u", arn),
        ("${stageVariables.role", arn),
        ("arn:aws:iam::*:user/*", "credentials arn:aws:iam::*:user/* is not supported"),
        ("arn:aws:iam::111111111111:role/r", "Cross-account pass role is not allowed."),
    ] {
        assert_eq!(run(bad), Err(text.to_owned()), "{bad}");
    }
}

#[test]
fn what_connects_otherwise_is_refused_by_name() {
    let link = Integration { connection_type: Some("VPC_LINK".to_owned()), ..mock() };
    assert_eq!(settled(link), Err("connectionType VPC_LINK is not supported".to_owned()));
    let handling = Integration { content_handling: Some("CONVERT".to_owned()), ..mock() };
    assert!(settled(handling).is_err());
    let keys = |count: usize| Integration { cache_key_parameters: vec!["a".to_owned(); count], ..mock() };
    assert!(settled(keys(CACHE_KEYS_MAX)).is_ok() && settled(keys(CACHE_KEYS_MAX + 1)).is_err());
}

#[test]
fn a_stream_may_take_longer() {
    let streamed = |is_streamed, timeout_ms| {
        let proxy = of_kind("HTTP_PROXY", Some("GET"), "https://example.com");
        settled(Integration { is_streamed, timeout_ms, ..proxy }).map(|_| ())
    };
    let bounds = |limit_ms: u32| Err(format!("Timeout should be between 50 ms and {limit_ms} ms"));
    for (is_streamed, limit_ms) in [(false, 29_000), (true, 900_000)] {
        assert_eq!(streamed(is_streamed, limit_ms), Ok(()));
        assert_eq!(streamed(is_streamed, limit_ms + 1), bounds(limit_ms));
        assert_eq!(streamed(is_streamed, 50), Ok(()));
        assert_eq!(streamed(is_streamed, 49), bounds(limit_ms));
    }
    let uri = "arn:aws:apigateway:us-east-1:lambda:path/2021-11-15/functions/\
               arn:aws:lambda:us-east-1:000000000000:function:f/response-streaming-invocations";
    let proxy = Integration { is_streamed: true, ..of_kind("AWS_PROXY", Some("POST"), uri) };
    assert!(settled(proxy.clone()).is_ok());
    let header = ("integration.request.header.X-Amz-Invocation-Type".to_owned(), "'Event'".to_owned());
    let later = Integration { request_parameters: [header].into(), ..proxy };
    let words = "X-Amz-Invocation-Type 'Event' with responseTransferMode STREAM is not supported";
    assert_eq!(settled(later).map(|_| ()), Err(words.to_owned()));
    let http = of_kind("HTTP", Some("GET"), "https://example.com");
    assert!(settled(Integration { is_streamed: true, ..http }).is_err(), "its answers are mapped");
}

#[test]
fn a_response_is_declared() {
    let mut method = Method::default();
    let parameters = [("method.response.header.A".to_owned(), false)].into();
    method
        .responses
        .insert("200".to_owned(), MethodResponse { response_parameters: parameters, ..Default::default() });
    let run = |parameter: Option<(&str, &str)>, templates: &[(&str, &str)], pattern: Option<&str>| {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let response = IntegrationResponse {
            selection_pattern: pattern.map(str::to_owned),
            response_parameters: parameter.iter().map(own).collect(),
            response_templates: templates.iter().map(own).collect(),
            content_handling: None,
        };
        check_response(&method, "200", &response).map_err(|error| error.to_string())
    };
    let header = "method.response.header.A";
    for source in ["'*'", "integration.response.header.B", "integration.response.body.a", "context.requestId"]
    {
        assert_eq!(run(Some((header, source)), &[("a/b", "#set($a = 1)$a")], Some("2\\d\\d")), Ok(()));
    }
    for (parameter, templates, pattern, text) in [
        (
            Some(("method.response.header.B", "'*'")),
            &[][..],
            None,
            "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping \
             expression parameter specified: method.response.header.B]",
        ),
        (
            Some((header, "plain")),
            &[],
            None,
            "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping \
             expression specified: plain]",
        ),
        (
            None,
            &[("123", "x")],
            None,
            "Validation Result: warnings : [], errors : [Invalid content type specified: 123]",
        ),
        (None, &[], Some("(?=a)"), "selectionPattern (?=a) is not supported"),
    ] {
        assert_eq!(run(parameter, templates, pattern), Err(text.to_owned()));
    }
}

#[test]
fn patches_reach_their_member() {
    let run = |op, path, value| {
        let mut integration = mock();
        let patch = Patch { op, path, value, from: None };
        apply(&mut integration, &patch).map(|()| integration).map_err(|error| error.to_string())
    };
    for (value, timeout_ms) in [("50", 50), ("900000", 900_000), ("soon", u32::MAX)] {
        let replaced = run(Op::Replace, "/timeoutInMillis", Some(value)).expect("bounds are asked last");
        assert_eq!(replaced.timeout_ms, timeout_ms);
    }
    for (value, is_streamed) in [("STREAM", true), ("BUFFERED", false)] {
        let replaced = run(Op::Replace, "/responseTransferMode", Some(value)).expect("replaced");
        assert_eq!(replaced.is_streamed, is_streamed);
    }
    let template = run(Op::Add, "/requestTemplates/application~1json", Some("{}")).expect("added");
    assert_eq!(template.request_templates["application/json"], "{}");
    let key = run(Op::Add, "/cacheKeyParameters/method.request.path.id", Some("")).expect("added");
    assert_eq!(key.cache_key_parameters, ["method.request.path.id"]);
    assert_eq!(run(Op::Replace, "/uri", Some("u")).expect("replaced").uri, Some("u".to_owned()));
    let role = run(Op::Replace, "/credentials", Some("arn")).expect("replaced").credentials;
    assert_eq!(role.as_deref(), Some("arn"));
    assert_eq!(run(Op::Replace, "/contentHandling", Some("")).expect("replaced").content_handling, None);
    for (value, skips) in [("true", true), ("false", false)] {
        let replaced =
            run(Op::Replace, "/tlsConfig/insecureSkipVerification", Some(value)).expect("replaced");
        assert_eq!(replaced.skips_tls_verification, Some(skips));
    }
    for (op, path, value, text) in [
        (
            Op::Replace,
            "/responseTransferMode",
            Some("stream"),
            "Invalid ResponseTransferMode. Valid options are BUFFERED,STREAM",
        ),
        (Op::Add, "/uri", Some("u"), "Invalid patch operation specified. Must be one of: [replace]"),
        (Op::Replace, "/type", Some("MOCK"), "Invalid patch path /type"),
        (Op::Replace, "/a/b/c", None, "Invalid patch path /a/b/c"),
        (Op::Replace, "/connectionId", Some("link"), "connectionId is not supported"),
        (
            Op::Add,
            "/tlsConfig/insecureSkipVerification",
            Some("true"),
            "Invalid patch operation specified. Must be one of: [replace]",
        ),
        (Op::Replace, "/tlsConfig/x", Some("true"), "Invalid patch path /tlsConfig/x"),
        (Op::Remove, "/requestTemplates/a~1b", None, "Content-Type specified was not found"),
        (Op::Replace, "/requestParameters/x", Some("y"), "Invalid parameter name specified"),
    ] {
        assert_eq!(run(op, path, value), Err(text.to_owned()));
    }
}
