use crate::field::{Fields, forwarded_for};
use crate::{MediaTypes, Signer, json, request_time};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// One request as API Gateway hands it to a function, in borrowed parts.
#[derive(Debug, Clone)]
pub struct Exchange<'a> {
    /// The matched resource's template: `/pets/{petId}`.
    pub resource: &'a str,
    pub method: &'a str,
    /// Without the stage, still percent-encoded, a trailing slash kept: `/pets/7`.
    pub path: &'a str,
    /// As it came, without `?`; empty if there is none.
    pub query: &'a str,
    /// Names as they shall be shown, values as they came, in order. The gateway's own headers need not be here.
    pub headers: &'a [(&'a str, &'a [u8])],
    pub body: &'a [u8],
    /// Name and text, still percent-encoded: the service does not decode them for a function.
    pub path_parameters: &'a [(&'a str, &'a str)],
    pub stage_variables: &'a BTreeMap<String, String>,
    pub binary: MediaTypes<'a>,
    /// Whether it is only tried out, and came over no connection: then the gateway adds no headers of its own.
    pub is_trial: bool,
    /// What the client asked for in `Host` or `:authority`.
    pub host: &'a str,
    /// Port and scheme (`http`, `https`) by which the client reached us.
    pub port: u16,
    pub scheme: &'a str,
    /// The value of `X-Amzn-Trace-Id`.
    pub trace_id: &'a str,
    pub context: Context<'a>,
}

/// What `requestContext` tells beside the exchange itself.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    pub account_id: &'a str,
    pub api_id: &'a str,
    pub deployment_id: &'a str,
    pub stage: &'a str,
    pub resource_id: &'a str,
    pub operation_name: Option<&'a str>,
    /// The path with the stage, exactly as it came: `/prod//pets/7`.
    pub path: &'a str,
    /// `HTTP/1.1` or `HTTP/2.0`.
    pub protocol: &'a str,
    pub domain_name: &'a str,
    pub domain_prefix: &'a str,
    pub request_id: &'a str,
    /// See [`crate::extended_request_id`].
    pub extended_request_id: &'a str,
    /// Arrival, milliseconds since 1970.
    pub request_time_epoch_ms: u64,
    pub source_ip: &'a str,
    pub caller: ApiCaller<'a>,
}

/// What is known of who calls a REST API.
#[derive(Debug, Clone, Default)]
pub struct ApiCaller<'a> {
    /// Who signed, where a method asks for signatures.
    pub signer: Option<Signer<'a>>,
    /// Id and value of the API key, where a method asks for one.
    pub api_key: Option<(&'a str, &'a str)>,
    pub authorizer: Option<Authorizer<'a>>,
    /// What a user pool's token claims, names and texts.
    pub claims: Option<&'a [(String, String)]>,
}

/// What a function that authorizes said.
#[derive(Debug, Clone)]
pub struct Authorizer<'a> {
    pub principal_id: &'a str,
    pub integration_latency_ms: u64,
    pub context: &'a [(String, String)],
}

/// Room for what an event says beside the client's own bytes.
const EVENT_FRAME_BYTES: usize = 2048;

/// The event of an authorizer of type `TOKEN`.
pub fn token_event(token: &str, method_arn: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(token.len() + method_arn.len() + 64);
    json::raw(&mut out, r#"{"type":"TOKEN","methodArn":"#);
    json::string(&mut out, method_arn);
    json::raw(&mut out, r#","authorizationToken":"#);
    json::string(&mut out, token);
    out.push(b'}');
    out
}

impl Exchange<'_> {
    /// Appends the proxy event, payload 1.0, as one JSON object.
    pub fn write_event(&self, out: &mut Vec<u8>) {
        let header_bytes: usize = self.headers.iter().map(|(name, value)| name.len() + value.len() + 8).sum();
        out.reserve(EVENT_FRAME_BYTES + 2 * header_bytes + 3 * self.query.len() + self.body.len() / 2 * 3);
        out.push(b'{');
        self.write_request(out, "null");
        json::raw(out, r#","body":"#);
        let is_base64 = self.write_body(out);
        json::raw(
            out,
            if is_base64 { r#","isBase64Encoded":true}"# } else { r#","isBase64Encoded":false}"# },
        );
    }

    /// Appends the event of an authorizer of type `REQUEST`: the exchange without its body, where there is nothing in it empty
    /// objects. Source: API Gateway developer guide, "Input to an API Gateway Lambda authorizer".
    pub fn write_authorizer_event(&self, out: &mut Vec<u8>, method_arn: &str) {
        json::raw(out, r#"{"type":"REQUEST","methodArn":"#);
        json::string(out, method_arn);
        out.push(b',');
        self.write_request(out, "{}");
        out.push(b'}');
    }

    /// The members that both kinds of event have; `nothing` stands for maps without members.
    fn write_request(&self, out: &mut Vec<u8>, nothing: &str) {
        let mut port = itoa::Buffer::new();
        let added = [
            ("Host", Cow::Borrowed(self.host)),
            ("X-Amzn-Trace-Id", Cow::Borrowed(self.trace_id)),
            ("X-Forwarded-For", forwarded_for(self.headers, self.context.source_ip)),
            ("X-Forwarded-Port", Cow::Borrowed(port.format(self.port))),
            ("X-Forwarded-Proto", Cow::Borrowed(self.scheme)),
        ];
        let headers = match self.is_trial {
            true => Fields::of_headers(self.headers, []),
            false => Fields::of_headers(self.headers, added),
        };
        let query = Fields::of_query(self.query);
        let or_nothing = |out: &mut Vec<u8>, is_empty: bool, write: &dyn Fn(&mut Vec<u8>)| {
            if is_empty { json::raw(out, nothing) } else { write(out) }
        };
        json::raw(out, r#""resource":"#);
        json::string(out, self.resource);
        json::raw(out, r#","path":"#);
        json::string(out, self.path);
        json::raw(out, r#","httpMethod":"#);
        json::string(out, self.method);
        json::raw(out, r#","headers":"#);
        headers.write_both(out, r#","multiValueHeaders":"#, nothing);
        json::raw(out, r#","queryStringParameters":"#);
        query.write_both(out, r#","multiValueQueryStringParameters":"#, nothing);
        json::raw(out, r#","pathParameters":"#);
        or_nothing(out, self.path_parameters.is_empty(), &|out| {
            json::object(out, self.path_parameters.iter().copied());
        });
        json::raw(out, r#","stageVariables":"#);
        or_nothing(out, self.stage_variables.is_empty(), &|out| {
            json::object(out, self.stage_variables.iter().map(|(name, value)| (&**name, &**value)));
        });
        json::raw(out, r#","requestContext":"#);
        self.write_context(out, headers.last("user-agent"));
    }

    fn write_context(&self, out: &mut Vec<u8>, user_agent: Option<&str>) {
        let context = &self.context;
        let time = request_time(context.request_time_epoch_ms);
        let mut epoch_ms = itoa::Buffer::new();
        for (lead, value) in [
            (r#"{"resourceId":"#, context.resource_id),
            (r#","resourcePath":"#, self.resource),
            (r#","httpMethod":"#, self.method),
            (r#","extendedRequestId":"#, context.extended_request_id),
            (r#","requestTime":"#, &time),
            (r#","path":"#, context.path),
            (r#","accountId":"#, context.account_id),
            (r#","protocol":"#, context.protocol),
            (r#","stage":"#, context.stage),
            (r#","domainPrefix":"#, context.domain_prefix),
            (r#","domainName":"#, context.domain_name),
            (r#","requestId":"#, context.request_id),
            (r#","deploymentId":"#, context.deployment_id),
            (r#","apiId":"#, context.api_id),
        ] {
            json::raw(out, lead);
            json::string(out, value);
        }
        if let Some(name) = context.operation_name {
            json::raw(out, r#","operationName":"#);
            json::string(out, name);
        }
        json::raw(out, r#","requestTimeEpoch":"#);
        json::raw(out, epoch_ms.format(context.request_time_epoch_ms));
        self.write_authorizer(out);
        self.write_identity(out, user_agent);
        out.push(b'}');
    }

    fn write_authorizer(&self, out: &mut Vec<u8>) {
        if let Some(claims) = self.context.caller.claims {
            json::raw(out, r#","authorizer":{"claims":{"#);
            for (index, (name, value)) in claims.iter().enumerate() {
                json::raw(out, if index == 0 { "" } else { "," });
                json::string(out, name);
                out.push(b':');
                json::string(out, value);
            }
            json::raw(out, "}}");
        }
        let Some(authorizer) = &self.context.caller.authorizer else { return };
        let mut latency_ms = itoa::Buffer::new();
        json::raw(out, r#","authorizer":{"principalId":"#);
        json::string(out, authorizer.principal_id);
        json::raw(out, r#","integrationLatency":"#);
        json::raw(out, latency_ms.format(authorizer.integration_latency_ms));
        for (name, value) in authorizer.context {
            out.push(b',');
            json::string(out, name);
            out.push(b':');
            json::string(out, value);
        }
        out.push(b'}');
    }

    fn write_identity(&self, out: &mut Vec<u8>, user_agent: Option<&str>) {
        let caller = &self.context.caller;
        json::raw(out, r#","identity":{"cognitoIdentityPoolId":null,"#);
        match &caller.signer {
            None => json::raw(
                out,
                concat!(
                    r#""accountId":null,"cognitoIdentityId":null,"caller":null,"principalOrgId":null,"accessKey":null,"#,
                    r#""cognitoAuthenticationType":null,"cognitoAuthenticationProvider":null,"userArn":null,"user":null,"#,
                ),
            ),
            Some(signer) => {
                for (lead, value) in [
                    (r#""accountId":"#, signer.account_id),
                    (r#","cognitoIdentityId":null,"caller":"#, signer.user_id),
                    (r#","principalOrgId":null,"accessKey":"#, signer.access_key_id),
                    (
                        r#","cognitoAuthenticationType":null,"cognitoAuthenticationProvider":null,"userArn":"#,
                        signer.principal,
                    ),
                    (r#","user":"#, signer.user_id),
                ] {
                    json::raw(out, lead);
                    json::string(out, value);
                }
                out.push(b',');
            }
        }
        if let Some((id, value)) = caller.api_key {
            json::raw(out, r#""apiKey":"#);
            json::string(out, value);
            json::raw(out, r#","apiKeyId":"#);
            json::string(out, id);
            out.push(b',');
        }
        json::raw(out, r#""sourceIp":"#);
        json::string(out, self.context.source_ip);
        json::raw(out, r#","userAgent":"#);
        json::string_or_null(out, user_agent);
        out.push(b'}');
    }

    /// Writes the body and says whether it is base64. Bytes of a text type that are no UTF-8 become U+FFFD.
    fn write_body(&self, out: &mut Vec<u8>) -> bool {
        if self.body.is_empty() {
            json::raw(out, "null");
            return false;
        }
        let content_type = self.headers.iter().rfind(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if !self.binary.is_binary(content_type.map(|(_, value)| *value)) {
            match std::str::from_utf8(self.body) {
                Ok(text) => json::string(out, text),
                Err(_) => json::string(out, &String::from_utf8_lossy(self.body)),
            }
            return false;
        }
        out.push(b'"');
        let start = out.len();
        out.resize(start + self.body.len().div_ceil(3) * 4, 0);
        STANDARD.encode_slice(self.body, &mut out[start..]).expect("the room is exact");
        out.push(b'"');
        true
    }
}

#[cfg(test)]
mod tests;
