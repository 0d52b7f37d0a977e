use crate::field::{Fields, forwarded_for};
use crate::{MediaTypes, json, request_time};
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
    /// What the client asked for in `Host` or `:authority`.
    pub host: &'a str,
    /// Port and scheme (`http`, `https`) by which the client reached us.
    pub port: u16,
    pub scheme: &'a str,
    /// See [`crate::trace_id`].
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
}

/// Room for what an event says beside the client's own bytes.
const EVENT_FRAME_BYTES: usize = 2048;

impl Exchange<'_> {
    /// Appends the proxy event, payload 1.0, as one JSON object.
    pub fn write_event(&self, out: &mut Vec<u8>) {
        let header_bytes: usize = self.headers.iter().map(|(name, value)| name.len() + value.len() + 8).sum();
        out.reserve(EVENT_FRAME_BYTES + 2 * header_bytes + 3 * self.query.len() + self.body.len() / 2 * 3);

        let mut port = itoa::Buffer::new();
        let headers = Fields::of_headers(
            self.headers,
            [
                ("Host", Cow::Borrowed(self.host)),
                ("X-Amzn-Trace-Id", Cow::Borrowed(self.trace_id)),
                ("X-Forwarded-For", forwarded_for(self.headers, self.context.source_ip)),
                ("X-Forwarded-Port", Cow::Borrowed(port.format(self.port))),
                ("X-Forwarded-Proto", Cow::Borrowed(self.scheme)),
            ],
        );
        let query = Fields::of_query(self.query);

        json::raw(out, r#"{"resource":"#);
        json::string(out, self.resource);
        json::raw(out, r#","path":"#);
        json::string(out, self.path);
        json::raw(out, r#","httpMethod":"#);
        json::string(out, self.method);
        json::raw(out, r#","headers":"#);
        headers.write_last(out);
        json::raw(out, r#","multiValueHeaders":"#);
        headers.write_all(out);
        json::raw(out, r#","queryStringParameters":"#);
        query.write_last(out);
        json::raw(out, r#","multiValueQueryStringParameters":"#);
        query.write_all(out);
        json::raw(out, r#","pathParameters":"#);
        json::object(out, self.path_parameters.iter().copied());
        json::raw(out, r#","stageVariables":"#);
        json::object(out, self.stage_variables.iter().map(|(name, value)| (&**name, &**value)));
        json::raw(out, r#","requestContext":"#);
        self.write_context(out, headers.last("user-agent"));
        json::raw(out, r#","body":"#);
        let is_base64 = self.write_body(out);
        json::raw(
            out,
            if is_base64 { r#","isBase64Encoded":true}"# } else { r#","isBase64Encoded":false}"# },
        );
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
        json::raw(
            out,
            concat!(
                r#","identity":{"cognitoIdentityPoolId":null,"accountId":null,"cognitoIdentityId":null,"caller":null,"#,
                r#""principalOrgId":null,"accessKey":null,"cognitoAuthenticationType":null,"#,
                r#""cognitoAuthenticationProvider":null,"userArn":null,"user":null,"sourceIp":"#,
            ),
        );
        json::string(out, context.source_ip);
        json::raw(out, r#","userAgent":"#);
        json::string_or_null(out, user_agent);
        json::raw(out, "}}");
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
