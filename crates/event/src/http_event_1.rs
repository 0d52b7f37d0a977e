use crate::field::Fields;
use crate::{AuthorizerQuestion, HttpAuthorizer, HttpExchange, Signer, json, request_time};

/// What only payload format 1.0 tells of a request.
impl HttpExchange<'_> {
    /// Appends the event of an HTTP API in payload format 1.0. What a request doesn't have is null here. Source: API Gateway
    /// developer guide, "Create AWS Lambda proxy integrations for HTTP APIs".
    pub fn write_event_1(&self, out: &mut Vec<u8>) {
        out.reserve(2 * self.room() + self.body.len() / 2 * 3);
        json::raw(out, r#"{"version":"1.0","#);
        self.write_request_1(out, true);
        let before = out.len();
        let is_base64 = self.write_body(out);
        if out.len() == before {
            json::raw(out, r#","body":null"#);
        }
        let end = if is_base64 { r#","isBase64Encoded":true}"# } else { r#","isBase64Encoded":false}"# };
        json::raw(out, end);
    }

    /// Appends the event for the function that decides about the request, in the same format.
    pub fn write_authorizer_event_1(&self, question: &AuthorizerQuestion<'_>, out: &mut Vec<u8>) {
        out.reserve(2 * self.room());
        let identity = question.identity.join(",");
        json::raw(out, r#"{"version":"1.0","type":"REQUEST","methodArn":"#);
        json::string(out, question.arn);
        for lead in [r#","identitySource":"#, r#","authorizationToken":"#] {
            json::raw(out, lead);
            json::string(out, &identity);
        }
        out.push(b',');
        self.write_request_1(out, false);
        out.push(b'}');
    }

    /// From the resource to the stage's variables.
    fn write_request_1(&self, out: &mut Vec<u8>, has_all_values: bool) {
        let (headers, query) = (self.fields(true), Fields::of_query(self.query));
        for (lead, value) in [
            (r#""resource":"#, self.resource()),
            (r#","path":"#, self.raw_path),
            (r#","httpMethod":"#, self.context.method),
        ] {
            json::raw(out, lead);
            json::string(out, value);
        }
        json::raw(out, r#","headers":"#);
        match has_all_values {
            true => headers.write_both(out, r#","multiValueHeaders":"#, "null"),
            false => headers.write_last(out),
        }
        json::raw(out, r#","queryStringParameters":"#);
        match has_all_values {
            true => query.write_both(out, r#","multiValueQueryStringParameters":"#, "null"),
            false => query.write_last(out),
        }
        json::raw(out, r#","requestContext":"#);
        self.write_context_1(out, headers.last("user-agent"));
        json::raw(out, r#","pathParameters":"#);
        json::object(out, self.path_parameters.iter().map(|(name, text)| (*name, &**text)));
        json::raw(out, r#","stageVariables":"#);
        let variables = self.stage_variables.into_iter().flatten();
        json::object(out, variables.map(|(name, value)| (name.as_str(), value.as_str())));
    }

    /// The route's path, or `$default`.
    fn resource(&self) -> &str {
        self.route_key.split_once(' ').map_or(self.route_key, |(_, path)| path)
    }

    fn write_context_1(&self, out: &mut Vec<u8>, user_agent: Option<&str>) {
        let context = &self.context;
        for (lead, value) in [(r#"{"accountId":"#, context.account_id), (r#","apiId":"#, context.api_id)] {
            json::raw(out, lead);
            json::string(out, value);
        }
        let mut signer = None;
        match context.authorizer {
            Some(HttpAuthorizer::Told(told)) => {
                json::raw(out, r#","authorizer":"#);
                json::raw(out, told);
            }
            Some(HttpAuthorizer::Iam(known)) => signer = Some(known),
            None => json::raw(out, r#","authorizer":{"claims":null,"scopes":null}"#),
        }
        for (lead, value) in [
            (r#","domainName":"#, context.domain_name),
            (r#","domainPrefix":"#, context.domain_prefix),
            (r#","extendedRequestId":"#, context.request_id),
            (r#","httpMethod":"#, context.method),
        ] {
            json::raw(out, lead);
            json::string(out, value);
        }
        write_identity(out, signer.as_ref(), context.source_ip, user_agent);
        let time = request_time(context.time_epoch_ms);
        for (lead, value) in [
            (r#","path":"#, self.raw_path),
            (r#","protocol":"#, context.protocol),
            (r#","requestId":"#, context.request_id),
            (r#","requestTime":"#, &time),
        ] {
            json::raw(out, lead);
            json::string(out, value);
        }
        json::raw(out, r#","requestTimeEpoch":"#);
        json::raw(out, itoa::Buffer::new().format(context.time_epoch_ms));
        json::raw(out, r#","resourceId":null,"resourcePath":"#);
        json::string(out, self.resource());
        json::raw(out, r#","stage":"#);
        json::string(out, context.stage);
        out.push(b'}');
    }
}

fn write_identity(out: &mut Vec<u8>, signer: Option<&Signer<'_>>, source_ip: &str, user_agent: Option<&str>) {
    json::raw(out, r#","identity":{"accessKey":"#);
    json::string_or_null(out, signer.map(|signer| signer.access_key_id));
    for (lead, value) in [
        (r#","accountId":"#, signer.map(|signer| signer.account_id)),
        (r#","caller":"#, signer.map(|signer| signer.user_id)),
    ] {
        json::raw(out, lead);
        json::string_or_null(out, value);
    }
    json::raw(
        out,
        r#","cognitoAmr":null,"cognitoAuthenticationProvider":null,"cognitoAuthenticationType":null,"cognitoIdentityId":null,"cognitoIdentityPoolId":null,"principalOrgId":null"#,
    );
    for (lead, value) in [
        (r#","sourceIp":"#, Some(source_ip)),
        (r#","user":"#, signer.map(|signer| signer.user_id)),
        (r#","userAgent":"#, Some(user_agent.unwrap_or_default())),
        (r#","userArn":"#, signer.map(|signer| signer.principal)),
    ] {
        json::raw(out, lead);
        json::string_or_null(out, value);
    }
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HttpContext;
    use serde_json::{Value, json};
    use std::borrow::Cow;

    fn exchange<'a>(headers: &'a [(&'a str, &'a [u8])], query: &'a str) -> HttpExchange<'a> {
        HttpExchange {
            route_key: "GET /pets/{id}",
            raw_path: "/v1/pets/7",
            query,
            headers,
            body: b"",
            path_parameters: &[],
            stage_variables: None,
            host: "api.execute-api.localhost",
            port: 4566,
            scheme: "http",
            trace_id: "Root=1-2-3",
            context: HttpContext {
                account_id: "000000000000",
                api_id: "api",
                domain_name: "api.execute-api.localhost",
                domain_prefix: "api",
                method: "GET",
                protocol: "HTTP/1.1",
                source_ip: "127.0.0.1",
                request_id: "r=",
                stage: "v1",
                time_epoch_ms: 1_428_582_896_000,
                authorizer: None,
            },
        }
    }

    #[test]
    fn an_event_has_the_documented_shape_with_nulls() {
        let headers: [(&str, &[u8]); 4] =
            [("x-a", b"1"), ("cookie", b"c=1"), ("x-a", b"2"), ("user-agent", b"curl")];
        let mut out = Vec::new();
        exchange(&headers, "q=1&q=2").write_event_1(&mut out);
        let event: Value = serde_json::from_slice(&out).expect("JSON");
        let expected = json!({
            "version": "1.0", "resource": "/pets/{id}", "path": "/v1/pets/7", "httpMethod": "GET",
            "headers": {
                "x-a": "2", "cookie": "c=1", "user-agent": "curl", "host": "api.execute-api.localhost",
                "x-amzn-trace-id": "Root=1-2-3", "x-forwarded-for": "127.0.0.1", "x-forwarded-port": "4566",
                "x-forwarded-proto": "http",
            },
            "multiValueHeaders": {
                "x-a": ["1", "2"], "cookie": ["c=1"], "user-agent": ["curl"], "host": ["api.execute-api.localhost"],
                "x-amzn-trace-id": ["Root=1-2-3"], "x-forwarded-for": ["127.0.0.1"], "x-forwarded-port": ["4566"],
                "x-forwarded-proto": ["http"],
            },
            "queryStringParameters": {"q": "2"}, "multiValueQueryStringParameters": {"q": ["1", "2"]},
            "requestContext": {
                "accountId": "000000000000", "apiId": "api", "authorizer": {"claims": null, "scopes": null},
                "domainName": "api.execute-api.localhost", "domainPrefix": "api", "extendedRequestId": "r=",
                "httpMethod": "GET",
                "identity": {
                    "accessKey": null, "accountId": null, "caller": null, "cognitoAmr": null,
                    "cognitoAuthenticationProvider": null, "cognitoAuthenticationType": null, "cognitoIdentityId": null,
                    "cognitoIdentityPoolId": null, "principalOrgId": null, "sourceIp": "127.0.0.1", "user": null,
                    "userAgent": "curl", "userArn": null,
                },
                "path": "/v1/pets/7", "protocol": "HTTP/1.1", "requestId": "r=",
                "requestTime": "09/Apr/2015:12:34:56 +0000", "requestTimeEpoch": 1_428_582_896_000_u64,
                "resourceId": null, "resourcePath": "/pets/{id}", "stage": "v1",
            },
            "pathParameters": null, "stageVariables": null, "body": null, "isBase64Encoded": false,
        });
        assert_eq!(event, expected);
    }

    #[test]
    fn an_authorizer_is_asked_by_the_methods_arn() {
        let parameters = [("id", Cow::Borrowed("7"))];
        let mut exchange = exchange(&[], "");
        exchange.path_parameters = &parameters;
        let identity = ["a".to_owned(), "b".to_owned()];
        let mut out = Vec::new();
        exchange
            .write_authorizer_event_1(&AuthorizerQuestion { arn: "arn:x", identity: &identity }, &mut out);
        let event: Value = serde_json::from_slice(&out).expect("JSON");
        for (member, expected) in [
            ("version", json!("1.0")),
            ("type", json!("REQUEST")),
            ("methodArn", json!("arn:x")),
            ("identitySource", json!("a,b")),
            ("authorizationToken", json!("a,b")),
            ("pathParameters", json!({"id": "7"})),
            ("queryStringParameters", Value::Null),
        ] {
            assert_eq!(event[member], expected, "{member}");
        }
        assert_eq!((event.get("body"), event.get("multiValueHeaders")), (None, None));
    }

    #[test]
    fn who_is_known_is_told_where_the_format_has_it() {
        let mut told = exchange(&[], "");
        told.context.authorizer = Some(HttpAuthorizer::Told(r#"{"principalId":"ada"}"#));
        let mut out = Vec::new();
        told.write_event_1(&mut out);
        let event: Value = serde_json::from_slice(&out).expect("JSON");
        assert_eq!(event["requestContext"]["authorizer"], json!({"principalId": "ada"}));
        let signer = Signer {
            access_key_id: "ASIA",
            account_id: "1",
            principal: "arn:aws:iam::1:user/a",
            user_id: "AIDA",
        };
        let mut signed = exchange(&[], "");
        signed.context.authorizer = Some(HttpAuthorizer::Iam(signer));
        let mut out = Vec::new();
        signed.write_event_1(&mut out);
        let event: Value = serde_json::from_slice(&out).expect("JSON");
        let identity = &event["requestContext"]["identity"];
        assert_eq!(
            (&identity["userArn"], &identity["accessKey"]),
            (&json!("arn:aws:iam::1:user/a"), &json!("ASIA"))
        );
    }
}
