//! Documents that callers bring: of APIs, of who may do what, of what bodies look like.

use pitbird_openapi::read;
use pitbird_snapshot::{Models, PolicyDocument, PolicyPrincipal, PolicyQuestion, Schema};

use crate::Target;

pub const OPENAPI: Target = Target {
    name: "openapi",
    pieces: &[
        "openapi: 3.0.1\n",
        "swagger: '2.0'\n",
        "{\"openapi\":\"3.0.1\",",
        "info: {title: a}\n",
        "paths:\n",
        "  /a/{b}:\n",
        "  /$default:\n",
        "    get:\n",
        "    x-amazon-apigateway-any-method:\n",
        "      x-amazon-apigateway-integration:\n",
        "        type: aws_proxy\n",
        "        responses: {default: {statusCode: '200'}}\n",
        "$ref: '#/components/schemas/A'\n",
        "components:\n",
        "definitions:\n",
        "  schemas:\n",
        "securityDefinitions:\n",
        "x-amazon-apigateway-authorizer: ",
        "x-amazon-apigateway-cors: ",
        "x-amazon-apigateway-gateway-responses: ",
        "x-amazon-apigateway-policy: ",
        "x-amazon-apigateway-documentation: ",
        "x-amazon-apigateway-request-validators: ",
        "servers: [{url: 'https://a/{b}', variables: {b: {default: c}}}]\n",
        "&a ",
        "*a",
        "<<: *a\n",
        "!!binary ",
        "? ",
        "- ",
        ": ",
        "{",
        "}",
        "[",
        "]",
        ",",
        "\"",
        "'",
        "|\n",
        ">-\n",
        "---\n",
        "...\n",
        "#",
        "~",
        "true",
        "0x10",
        "1e3",
        "  ",
        "\t",
        "\n",
    ],
    seeds: &[
        b"openapi: 3.0.1\ninfo: {title: a, version: '1'}\npaths:\n  /a/{b}:\n    get:\n      responses: {'200': {description: ok}}\n",
        b"{\"swagger\":\"2.0\",\"info\":{\"title\":\"a\"},\"paths\":{\"/\":{\"x-amazon-apigateway-any-method\":{\"x-amazon-apigateway-integration\":{\"type\":\"mock\"}}}}}",
        b"openapi: 3.0.1\ninfo: {title: a}\npaths: {}\ncomponents:\n  schemas:\n    A: {type: object, properties: {b: {$ref: '#/components/schemas/A'}}}\n",
    ],
    reads: |bytes| {
        let rest = read::document(bytes);
        rest.is_ok() | read::http_api(bytes).is_ok()
    },
};

pub const POLICY: Target = Target {
    name: "policy",
    pieces: &[
        "{\"Version\":\"2012-10-17\",\"Statement\":",
        "{\"Effect\":\"Allow\",",
        "\"Effect\":\"Deny\",",
        "\"Principal\":\"*\",",
        "\"Principal\":{\"AWS\":[\"arn:aws:iam::000000000000:root\",\"*\"]},",
        "\"NotPrincipal\":",
        "\"Action\":\"execute-api:*\"",
        "\"NotAction\":[\"a:b?\"]",
        "\"Resource\":\"*\"",
        "\"NotResource\":\"arn:*:*:?\"",
        "\"Condition\":{\"IpAddress\":{\"aws:SourceIp\":[\"10.0.0.0/8\",\"::/0\"]}}",
        "\"NumericLessThan\":{\"aws:EpochTime\":\"5\"}",
        "\"DateGreaterThan\":{\"aws:CurrentTime\":\"2020-01-01T00:00:00Z\"}",
        "\"ForAllValues:StringLike\":",
        "\"StringEqualsIfExists\":{\"aws:UserAgent\":\"*a*\"}",
        "\"Bool\":{\"aws:SecureTransport\":\"true\"}",
        "\"Null\":{\"aws:Referer\":true}",
        "${aws:username}",
        "*",
        "?",
        "*?*?*",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "/129",
        "null",
    ],
    seeds: &[
        b"{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"execute-api:Invoke\",\"Resource\":\"*\"}}",
        b"{\"Statement\":[{\"Effect\":\"Deny\",\"Principal\":{\"AWS\":\"000000000000\"},\"Action\":[\"execute-api:*\"],\"Resource\":\"arn:aws:execute-api:*\",\"Condition\":{\"NotIpAddress\":{\"aws:SourceIp\":[\"192.0.2.0/24\"]}}}]}",
    ],
    reads: |bytes| {
        let Ok(policy) = PolicyDocument::parse(&String::from_utf8_lossy(bytes)) else { return false };
        let principal =
            PolicyPrincipal { account: "000000000000", arn: "arn:aws:iam::000000000000:user/a", may_call: true };
        for principal in [None, Some(principal)] {
            let _ = policy.judge(&PolicyQuestion {
                action: "execute-api:Invoke",
                resource: "arn:aws:execute-api:us-east-1:000000000000:abcdefghij/prod/GET/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
                principal,
                source_ip: "192.0.2.1",
                user_agent: Some("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"),
                referer: None,
                is_secure: true,
                at_epoch_s: 1_700_000_000,
            });
        }
        policy.longest_resource() <= bytes.len() * 4
    },
};

pub const SCHEMA: Target = Target {
    name: "schema",
    pieces: &[
        "{\"$schema\":\"http://json-schema.org/draft-04/schema#\",",
        "\"type\":\"object\",",
        "\"type\":[\"string\",\"null\"],",
        "\"properties\":{\"a\":",
        "\"patternProperties\":{\"^a+$\":",
        "\"additionalProperties\":false",
        "\"required\":[\"a\"]",
        "\"items\":",
        "\"additionalItems\":",
        "\"uniqueItems\":true",
        "\"enum\":[1,\"a\",null]",
        "\"allOf\":[",
        "\"anyOf\":[",
        "\"oneOf\":[",
        "\"not\":",
        "\"$ref\":\"#\"",
        "\"$ref\":\"#/definitions/a~1b\"",
        "\"$ref\":\"https://apigateway.amazonaws.com/restapis/a/models/B\"",
        "\"definitions\":{\"a\":",
        "\"dependencies\":{\"a\":[\"b\"]}",
        "\"pattern\":\"(a+)+$\"",
        "\"multipleOf\":0.01",
        "\"minimum\":1e308",
        "\"maxLength\":-1",
        "\"exclusiveMinimum\":true",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "{}",
    ],
    seeds: &[
        b"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\",\"pattern\":\"^a+$\"},\"b\":{\"$ref\":\"#\"}},\"required\":[\"a\"]}",
        b"{\"anyOf\":[{\"type\":\"array\",\"items\":{\"$ref\":\"#\"},\"uniqueItems\":true},{\"enum\":[1,2]}]}",
        b"{}",
    ],
    reads: |bytes| {
        let Ok(schema) = Schema::compile(&String::from_utf8_lossy(bytes), &Models::default()) else {
            return false;
        };
        let deep = (0..6).fold(serde_json::json!({"a": "aaaaaaaaaaaaaaaaaaaaaab"}), |within, _| {
            serde_json::json!({"a": [within.clone(), 1, 1.5], "b": within})
        });
        let small = serde_json::json!({"a": "aaab", "b": {"a": [1, null, {"a": 1e308}]}});
        for value in [small, deep, serde_json::json!([[], [1, 1], "a"])] {
            let _ = schema.faults(&value);
        }
        true
    },
};
