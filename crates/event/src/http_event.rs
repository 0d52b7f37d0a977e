use crate::field::{Fields, forwarded_for};
use crate::{json, request_time};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// One request as HTTP APIs and function URLs hand it to a function, in borrowed parts: payload format 2.0.
#[derive(Debug, Clone)]
pub struct HttpExchange<'a> {
    /// `GET /pets/{id}`, `$default`.
    pub route_key: &'a str,
    /// Still percent-encoded; with the stage unless that is `$default`.
    pub raw_path: &'a str,
    /// As it came, without `?`; empty if there is none.
    pub query: &'a str,
    /// Names in lower case, values as they came, in order. The gateway's own headers need not be here.
    pub headers: &'a [(&'a str, &'a [u8])],
    pub body: &'a [u8],
    /// What the client asked for in `Host` or `:authority`.
    pub host: &'a str,
    /// Port and scheme (`http`, `https`) by which the client reached us.
    pub port: u16,
    pub scheme: &'a str,
    /// See [`crate::trace_id`].
    pub trace_id: &'a str,
    pub context: HttpContext<'a>,
}

/// What `requestContext` tells beside the exchange itself.
#[derive(Debug, Clone)]
pub struct HttpContext<'a> {
    /// `anonymous` where nobody signed for a function URL.
    pub account_id: &'a str,
    pub api_id: &'a str,
    pub domain_name: &'a str,
    pub domain_prefix: &'a str,
    pub method: &'a str,
    /// `HTTP/1.1` or `HTTP/2.0`.
    pub protocol: &'a str,
    pub source_ip: &'a str,
    pub request_id: &'a str,
    pub stage: &'a str,
    /// Arrival, milliseconds since 1970.
    pub time_epoch_ms: u64,
    /// Who signed, where that was asked for.
    pub signer: Option<Signer<'a>>,
}

/// Whose signature a request has.
#[derive(Debug, Clone, Copy)]
pub struct Signer<'a> {
    pub access_key_id: &'a str,
    pub account_id: &'a str,
    /// The ARN of the user or role session.
    pub principal: &'a str,
    /// `AIDA…`, `AROA…:{session}`, or the account's number for its root.
    pub user_id: &'a str,
}

/// Room for what an event says beside the client's own bytes.
const EVENT_FRAME_BYTES: usize = 1024;

impl HttpExchange<'_> {
    /// Appends the event as one JSON object. What a request doesn't have is left out, never null.
    pub fn write_event(&self, out: &mut Vec<u8>) {
        let header_bytes: usize = self.headers.iter().map(|(name, value)| name.len() + value.len() + 8).sum();
        out.reserve(EVENT_FRAME_BYTES + header_bytes + 2 * self.query.len() + self.body.len() / 2 * 3);

        let mut port = itoa::Buffer::new();
        let headers = Fields::of_http_headers(
            self.headers,
            [
                ("host", Cow::Borrowed(self.host)),
                ("x-amzn-trace-id", Cow::Borrowed(self.trace_id)),
                ("x-forwarded-for", forwarded_for(self.headers, self.context.source_ip)),
                ("x-forwarded-port", Cow::Borrowed(port.format(self.port))),
                ("x-forwarded-proto", Cow::Borrowed(self.scheme)),
            ],
        );
        json::raw(out, r#"{"version":"2.0","routeKey":"#);
        json::string(out, self.route_key);
        json::raw(out, r#","rawPath":"#);
        json::string(out, self.raw_path);
        json::raw(out, r#","rawQueryString":"#);
        json::string(out, self.query);
        self.write_cookies(out);
        json::raw(out, r#","headers":"#);
        headers.write_joined(out);
        if !self.query.is_empty() {
            json::raw(out, r#","queryStringParameters":"#);
            Fields::of_query(self.query).write_joined(out);
        }
        json::raw(out, r#","requestContext":"#);
        self.write_context(out, headers.last("user-agent"));
        let is_base64 = self.write_body(out);
        let end = if is_base64 { r#","isBase64Encoded":true}"# } else { r#","isBase64Encoded":false}"# };
        json::raw(out, end);
    }

    /// Each cookie by itself, as the client put them into one header or several.
    fn write_cookies(&self, out: &mut Vec<u8>) {
        let mut lead = r#","cookies":["#;
        for (_, value) in self.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("cookie")) {
            let text = String::from_utf8_lossy(value);
            for cookie in text.split(';').map(str::trim).filter(|cookie| !cookie.is_empty()) {
                json::raw(out, lead);
                lead = ",";
                json::string(out, cookie);
            }
        }
        if lead == "," {
            out.push(b']');
        }
    }

    fn write_context(&self, out: &mut Vec<u8>, user_agent: Option<&str>) {
        let context = &self.context;
        json::raw(out, r#"{"accountId":"#);
        json::string(out, context.account_id);
        json::raw(out, r#","apiId":"#);
        json::string(out, context.api_id);
        if let Some(Signer { access_key_id, account_id, principal, user_id }) = context.signer {
            let lead = r#","authorizer":{"iam":{"accessKey":"#;
            for (lead, value) in [
                (lead, access_key_id),
                (r#","accountId":"#, account_id),
                (r#","callerId":"#, user_id),
                (r#","cognitoIdentity":null,"principalOrgId":null,"userArn":"#, principal),
                (r#","userId":"#, user_id),
            ] {
                json::raw(out, lead);
                json::string(out, value);
            }
            json::raw(out, "}}");
        }
        let time = request_time(context.time_epoch_ms);
        for (lead, value) in [
            (r#","domainName":"#, context.domain_name),
            (r#","domainPrefix":"#, context.domain_prefix),
            (r#","http":{"method":"#, context.method),
            (r#","path":"#, self.raw_path),
            (r#","protocol":"#, context.protocol),
            (r#","sourceIp":"#, context.source_ip),
            (r#","userAgent":"#, user_agent.unwrap_or_default()),
            (r#"},"requestId":"#, context.request_id),
            (r#","routeKey":"#, self.route_key),
            (r#","stage":"#, context.stage),
            (r#","time":"#, &time),
        ] {
            json::raw(out, lead);
            json::string(out, value);
        }
        let mut epoch_ms = itoa::Buffer::new();
        json::raw(out, r#","timeEpoch":"#);
        json::raw(out, epoch_ms.format(context.time_epoch_ms));
        json::raw(out, "}");
    }

    /// Writes the body, if there is one, and says whether it is base64.
    fn write_body(&self, out: &mut Vec<u8>) -> bool {
        if self.body.is_empty() {
            return false;
        }
        json::raw(out, r#","body":"#);
        let content_type = self.headers.iter().rfind(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let text = content_type.filter(|(_, value)| is_text(value)).map(|_| std::str::from_utf8(self.body));
        if let Some(Ok(text)) = text {
            json::string(out, text);
            return false;
        }
        json::string(out, &STANDARD.encode(self.body));
        true
    }
}

/// Which bodies are handed on as text. Source: API Gateway developer guide, "Working with AWS Lambda proxy integrations for
/// HTTP APIs", and recordings.
fn is_text(content_type: &[u8]) -> bool {
    let bare = content_type.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
    let bare = bare.to_ascii_lowercase();
    let whole: [&[u8]; 4] = [
        b"application/json",
        b"application/javascript",
        b"application/xml",
        b"application/x-www-form-urlencoded",
    ];
    bare.starts_with(b"text/")
        || whole.contains(&bare.as_slice())
        || bare.ends_with(b"+json")
        || bare.ends_with(b"+xml")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn exchange<'a>(headers: &'a [(&'a str, &'a [u8])], query: &'a str, body: &'a [u8]) -> HttpExchange<'a> {
        HttpExchange {
            route_key: "$default",
            raw_path: "/a%20b",
            query,
            headers,
            body,
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
                signer: None,
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
    fn who_signed_is_told() {
        let mut exchange = exchange(&[], "", b"");
        exchange.context.signer = Some(Signer {
            access_key_id: "ASIA",
            account_id: "000000000000",
            principal: "arn:aws:iam::000000000000:user/ada",
            user_id: "AIDA",
        });
        let expected = json!({"iam": {
            "accessKey": "ASIA", "accountId": "000000000000", "callerId": "AIDA", "cognitoIdentity": null,
            "principalOrgId": null, "userArn": "arn:aws:iam::000000000000:user/ada", "userId": "AIDA",
        }});
        assert_eq!(written(&exchange)["requestContext"]["authorizer"], expected);
    }
}
