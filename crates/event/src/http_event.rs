use crate::field::{Fields, forwarded_for};
use crate::{json, request_time};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;
use std::collections::BTreeMap;

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
    /// Name and decoded text.
    pub path_parameters: &'a [(&'a str, Cow<'a, str>)],
    /// Of a stage; `None` where there is none.
    pub stage_variables: Option<&'a BTreeMap<String, String>>,
    /// What the client asked for in `Host` or `:authority`.
    pub host: &'a str,
    /// Port and scheme (`http`, `https`) by which the client reached us.
    pub port: u16,
    pub scheme: &'a str,
    /// The value of `X-Amzn-Trace-Id`.
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
    /// Who asks, where somebody wanted to know.
    pub authorizer: Option<HttpAuthorizer<'a>>,
}

/// What is known of who asks.
#[derive(Debug, Clone, Copy)]
pub enum HttpAuthorizer<'a> {
    /// Whose signature it is.
    Iam(Signer<'a>),
    /// The whole `authorizer` member of a request's context, as JSON in the event's format.
    Told(&'a str),
}

/// What a function that decides about a request is asked.
#[derive(Debug, Clone, Copy)]
pub struct AuthorizerQuestion<'a> {
    /// `arn:aws:execute-api:{region}:{account}:{api}/{stage}/{METHOD}/{path}`.
    pub arn: &'a str,
    /// The values of its identity sources.
    pub identity: &'a [String],
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
        out.reserve(self.room() + self.body.len() / 2 * 3);
        json::raw(out, r#"{"version":"2.0","routeKey":"#);
        self.write_request(out);
        let is_base64 = self.write_body(out);
        self.write_parameters(out);
        let end = if is_base64 { r#","isBase64Encoded":true}"# } else { r#","isBase64Encoded":false}"# };
        json::raw(out, end);
    }

    /// Appends the event for the function that decides about the request, in the same format.
    pub fn write_authorizer_event(&self, question: &AuthorizerQuestion<'_>, out: &mut Vec<u8>) {
        out.reserve(self.room());
        json::raw(out, r#"{"version":"2.0","type":"REQUEST","routeArn":"#);
        json::string(out, question.arn);
        json::raw(out, r#","identitySource":"#);
        let mut lead = b'[';
        for value in question.identity {
            out.push(lead);
            lead = b',';
            json::string(out, value);
        }
        json::raw(out, if lead == b',' { "]" } else { "null" });
        json::raw(out, r#","routeKey":"#);
        self.write_request(out);
        self.write_parameters(out);
        out.push(b'}');
    }

    /// Room for everything but the body, bytes.
    pub(crate) fn room(&self) -> usize {
        let header_bytes: usize = self.headers.iter().map(|(name, value)| name.len() + value.len() + 8).sum();
        EVENT_FRAME_BYTES + header_bytes + 2 * self.query.len()
    }

    /// The client's headers and the gateway's own.
    pub(crate) fn fields(&self, keeps_cookies: bool) -> Fields<'_> {
        let mut port = itoa::Buffer::new();
        let added = [
            ("host", Cow::Borrowed(self.host)),
            ("x-amzn-trace-id", Cow::Borrowed(self.trace_id)),
            ("x-forwarded-for", forwarded_for(self.headers, self.context.source_ip)),
            ("x-forwarded-port", Cow::Owned(port.format(self.port).to_owned())),
            ("x-forwarded-proto", Cow::Borrowed(self.scheme)),
        ];
        Fields::of_http_headers(self.headers, added, keeps_cookies)
    }

    /// From the route's key to the context.
    fn write_request(&self, out: &mut Vec<u8>) {
        let headers = self.fields(false);
        json::string(out, self.route_key);
        json::raw(out, r#","rawPath":"#);
        json::string(out, self.raw_path);
        json::raw(out, r#","rawQueryString":"#);
        json::string(out, self.query);
        self.write_cookies(out);
        json::raw(out, r#","headers":"#);
        headers.write_joined(out);
        let query = Fields::of_query(self.query);
        if !query.is_empty() {
            json::raw(out, r#","queryStringParameters":"#);
            query.write_joined(out);
        }
        json::raw(out, r#","requestContext":"#);
        self.write_context(out, headers.last("user-agent"));
    }

    fn write_parameters(&self, out: &mut Vec<u8>) {
        if !self.path_parameters.is_empty() {
            json::raw(out, r#","pathParameters":"#);
            json::object(out, self.path_parameters.iter().map(|(name, text)| (*name, &**text)));
        }
        if let Some(variables) = self.stage_variables.filter(|variables| !variables.is_empty()) {
            json::raw(out, r#","stageVariables":"#);
            json::object(out, variables.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        }
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
        match context.authorizer {
            Some(HttpAuthorizer::Iam(signer)) => write_signer(out, &signer),
            Some(HttpAuthorizer::Told(told)) => {
                json::raw(out, r#","authorizer":"#);
                json::raw(out, told);
            }
            None => {}
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
    pub(crate) fn write_body(&self, out: &mut Vec<u8>) -> bool {
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

fn write_signer(out: &mut Vec<u8>, signer: &Signer<'_>) {
    let Signer { access_key_id, account_id, principal, user_id } = signer;
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
mod tests;
