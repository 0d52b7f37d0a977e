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

#[test]
fn each_kind_is_checked_by_its_rules_then_refused_by_name() {
    let action = "arn:aws:apigateway:us-east-1:sqs:path/1/q";
    for (kind, verb, uri, text) in [
        ("AWS_PROXY", None, "", "Enumeration value for HttpMethod must be non-empty"),
        ("AWS_PROXY", Some("POST"), "", "Invalid ARN specified in the request"),
        ("HTTP", None, "", "Enumeration value for HttpMethod must be non-empty"),
        ("HTTP", Some("GET"), "nowhere", "Invalid HTTP endpoint specified for URI"),
        ("HTTP", Some("GET"), "http://example.com", "type HTTP is not supported"),
        ("HTTP_PROXY", Some("GET"), "http://example.com", "type HTTP_PROXY is not supported"),
        ("AWS", Some("POST"), "x", "Invalid ARN specified in the request"),
        ("AWS", Some("POST"), action, "type AWS is not supported"),
        (
            "AWS_PROXY",
            Some("post"),
            "",
            "Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY",
        ),
    ] {
        let error = check(&Method::default(), &of_kind(kind, verb, uri)).expect_err(text);
        assert_eq!(error.to_string(), text, "{kind} {uri}");
    }
}

#[test]
fn a_mock_answers_without_template_language() {
    let with = |template: &str| {
        let mut mock = mock();
        mock.request_templates.insert("application/json".to_owned(), template.to_owned());
        check(&Method::default(), &mock)
    };
    assert!(check(&Method::default(), &mock()).is_ok());
    assert!(with("{\"statusCode\": 200}").is_ok() && with("{statusCode: 404}").is_ok());
    for template in ["", "{\"statusCode\": $input.params('s')}", "#set($a = 1)\n{\"statusCode\": 200}", "{}"]
    {
        assert!(matches!(with(template), Err(Error::Unsupported(_))), "{template}");
    }
}

#[test]
fn a_mocks_response_is_literal_and_declared() {
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
        check_response(&method, &mock(), "200", &response).map_err(|error| error.to_string())
    };
    let header = "method.response.header.A";
    assert_eq!(run(Some((header, "'*'")), &[("application/json", "{\"a\":1}")], Some("2\\d\\d")), Ok(()));
    assert_eq!(run(None, &[("a/b", "same"), ("a/c", "same")], Some("")), Ok(()));
    for (parameter, templates, pattern, text) in [
        (
            Some(("method.response.header.B", "'*'")),
            &[][..],
            None,
            "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping \
             expression parameter specified: method.response.header.B]",
        ),
        (
            Some((header, "integration.response.header.A")),
            &[],
            None,
            "responseParameters.method.response.header.A from integration.response.header.A is not supported",
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
            &[("a/b", "$input.body")],
            None,
            "responseTemplates.a/b with template language is not supported",
        ),
        (
            None,
            &[("a/b", "## comment")],
            None,
            "responseTemplates.a/b with template language is not supported",
        ),
        (
            None,
            &[("a/b", "1"), ("a/c", "2")],
            None,
            "responseTemplates that differ by media type is not supported",
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
    assert_eq!(run(Op::Replace, "/timeoutInMillis", Some("50")).expect("in bounds").timeout_ms, 50);
    let template = run(Op::Add, "/requestTemplates/application~1json", Some("{}")).expect("added");
    assert_eq!(template.request_templates["application/json"], "{}");
    let key = run(Op::Add, "/cacheKeyParameters/method.request.path.id", Some("")).expect("added");
    assert_eq!(key.cache_key_parameters, ["method.request.path.id"]);
    assert_eq!(run(Op::Replace, "/uri", Some("u")).expect("replaced").uri, Some("u".to_owned()));
    assert!(
        run(Op::Replace, "/credentials", None).is_ok()
            && run(Op::Replace, "/contentHandling", Some("")).is_ok()
    );
    for (op, path, value, text) in [
        (Op::Replace, "/timeoutInMillis", Some("49"), "Timeout should be between 50 ms and 29000 ms"),
        (Op::Replace, "/timeoutInMillis", Some("29001"), "Timeout should be between 50 ms and 29000 ms"),
        (Op::Add, "/uri", Some("u"), "Invalid patch operation specified. Must be one of: [replace]"),
        (Op::Replace, "/type", Some("MOCK"), "Invalid patch path /type"),
        (Op::Replace, "/a/b/c", None, "Invalid patch path /a/b/c"),
        (Op::Replace, "/credentials", Some("arn"), "credentials is not supported"),
        (Op::Replace, "/tlsConfig/insecureSkipVerification", Some("true"), "tlsConfig is not supported"),
        (Op::Remove, "/requestTemplates/a~1b", None, "Content-Type specified was not found"),
        (Op::Replace, "/requestParameters/x", Some("y"), "Invalid parameter name specified"),
    ] {
        assert_eq!(run(op, path, value), Err(text.to_owned()));
    }
}
