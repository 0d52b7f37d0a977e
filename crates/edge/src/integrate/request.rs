//! A request as mappings see it: decoded, in pairs of names and texts.

use std::borrow::Cow;
use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use pitbird_mapping::parameter::Message;
use pitbird_mapping::{Exchange, Template};
use pitbird_records::ApiKey;
use serde_json::{Value, json};

use super::Routed;
use crate::UrlSigner;
use crate::admitted::Admitted;
use crate::arrival::Arrival;
use crate::names_shown::NamesShown;

/// All that a request's templates and parameters may name. Of several values of a name all are here, in their order.
pub(crate) struct Seen<'a> {
    path: Vec<(&'a str, Cow<'a, str>)>,
    querystring: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    header: Vec<(&'a str, Cow<'a, str>)>,
    context: Value,
    stage_variables: &'a BTreeMap<String, String>,
}

impl<'a> Seen<'a> {
    /// `wants_context` says whether anybody will look at `$context`.
    pub fn new<'p: 'a>(
        routed: &'a Routed<'_, 'p>,
        arrival: &'a Arrival<'_>,
        admitted: &Admitted,
        wants_context: bool,
    ) -> Seen<'a> {
        let names = NamesShown::read(arrival.peer.raw_head);
        Seen {
            path: routed.matched.captures().map(|(name, text)| (name, decoded(text))).collect(),
            querystring: query(arrival.query()),
            header: arrival
                .headers()
                .iter()
                .map(|(name, value)| (names.shown(name.as_str()), String::from_utf8_lossy(value.as_bytes())))
                .collect(),
            context: if wants_context { context(routed, arrival, admitted) } else { Value::Null },
            stage_variables: &routed.track.variables,
        }
    }

    /// What a template is rendered with, `body` being the request's or the backend's.
    pub fn render(
        &self,
        template: &Template,
        body: &str,
    ) -> Result<pitbird_mapping::Rendered, pitbird_mapping::RenderError> {
        template.render(&Exchange {
            body,
            path: &last_of_each(&self.path, false),
            querystring: &last_of_each(&self.querystring, false),
            header: &last_of_each(&self.header, true),
            context: &self.context,
            stage_variables: self.stage_variables,
        })
    }

    /// Asks `read` with the request as parameters see it.
    pub fn message<T>(&self, body: &str, read: impl FnOnce(&Message<'_>) -> T) -> T {
        self.message_with(body, &pairs(&self.header), read)
    }

    /// The same with the headers of a backend's answer in place of the request's.
    pub fn message_with<T>(
        &self,
        body: &str,
        header: &[(&str, &str)],
        read: impl FnOnce(&Message<'_>) -> T,
    ) -> T {
        read(&Message {
            path: &pairs(&self.path),
            querystring: &pairs(&self.querystring),
            header,
            body,
            context: &self.context,
            stage_variables: self.stage_variables,
        })
    }
}

fn pairs<'p, N: AsRef<str>>(of: &'p [(N, Cow<'_, str>)]) -> Vec<(&'p str, &'p str)> {
    of.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect()
}

/// Of several values of a name the last one is seen.
fn last_of_each<'p, N: AsRef<str>>(of: &'p [(N, Cow<'_, str>)], any_case: bool) -> Vec<(&'p str, &'p str)> {
    let mut kept: Vec<(&str, &str)> = Vec::with_capacity(of.len());
    for (name, value) in of {
        let (name, value) = (name.as_ref(), value.as_ref());
        let is_same = |known: &str| if any_case { known.eq_ignore_ascii_case(name) } else { known == name };
        match kept.iter_mut().find(|(known, _)| is_same(known)) {
            Some(known) => *known = (name, value),
            None => kept.push((name, value)),
        }
    }
    kept
}

fn decoded(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

fn query(text: &str) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
    let plain = |text: &str| -> Cow<'_, str> {
        let spaced = if text.contains('+') { text.replace('+', " ") } else { text.to_owned() };
        Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
    };
    let pieces = text.split('&').filter(|piece| !piece.is_empty());
    pieces
        .map(|piece| piece.split_once('=').unwrap_or((piece, "")))
        .map(|(n, v)| (plain(n), plain(v)))
        .collect()
}

/// `$context` of one exchange. What doesn't apply is empty. Source: API Gateway developer guide, "Variables for data models,
/// authorizers, mapping templates, and CloudWatch access logging".
fn context(routed: &Routed<'_, '_>, arrival: &Arrival<'_>, admitted: &Admitted) -> Value {
    let Routed { stage, track, matched, method, .. } = routed;
    let signed =
        |member: fn(&UrlSigner) -> &String| admitted.signer.as_deref().map_or("", |signer| member(signer));
    let key = |member: fn(&ApiKey) -> &String| admitted.api_key.as_deref().map_or("", |key| member(key));
    let user_agent = arrival.header(http::header::USER_AGENT).unwrap_or_default();
    let is_canary = stage.canary.as_ref().map_or(Value::from(""), |_| Value::from(track.is_canary));
    json!({
        "accountId": stage.scope.account.as_str(),
        "apiId": stage.api_id,
        "deploymentId": track.deployment.id,
        "domainName": arrival.domain(),
        "domainPrefix": arrival.domain_prefix(),
        "customDomain": { "basePathMatched": arrival.base_path() },
        "extendedRequestId": arrival.extended_request_id,
        "httpMethod": arrival.method(),
        "identity": {
            "accountId": signed(|signer| &signer.account), "apiKey": key(|key| &key.value),
            "apiKeyId": key(|key| &key.id), "caller": signed(|signer| &signer.user_id),
            "cognitoAuthenticationProvider": "", "cognitoAuthenticationType": "", "cognitoIdentityId": "",
            "cognitoIdentityPoolId": "", "principalOrgId": "", "sourceIp": arrival.peer.source,
            "user": signed(|signer| &signer.user_id), "userAgent": user_agent,
            "userArn": signed(|signer| &signer.principal),
        },
        "authorizer": authorizer(admitted),
        "isCanaryRequest": is_canary,
        "operationName": method.operation_name.as_deref().unwrap_or_default(),
        "path": arrival.path(),
        "protocol": arrival.protocol(),
        "requestId": arrival.request_id,
        "requestTime": pitbird_event::request_time(arrival.at_ms),
        "requestTimeEpoch": arrival.at_ms,
        "resourceId": matched.value.id,
        "resourcePath": matched.value.path,
        "stage": stage.record.name,
    })
}

/// What an authorizer said, every value a text.
fn authorizer(admitted: &Admitted) -> Value {
    if let Some(claims) = admitted.authorizer.as_ref().and_then(|story| story.claims.as_ref()) {
        let members = claims.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str())));
        return json!({"claims": members.collect::<serde_json::Map<_, _>>()});
    }
    let Some(result) = admitted.authorizer_result() else { return json!({}) };
    let context = result.context.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str())));
    let mut members: serde_json::Map<String, Value> = context.collect();
    members.insert("principalId".to_owned(), Value::from(result.principal_id.as_str()));
    Value::Object(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded_and_the_last_of_a_name_counts() {
        let query = query("a=1&b=x+y&a=%32&c&=d&%zz=%ff");
        let shown: Vec<(&str, &str)> = query.iter().map(|(n, v)| (&**n, &**v)).collect();
        assert_eq!(shown, [("a", "1"), ("b", "x y"), ("a", "2"), ("c", ""), ("", "d"), ("%zz", "\u{fffd}")]);
        assert_eq!(last_of_each(&query[..3], false), [("a", "2"), ("b", "x y")]);
        let headers = [("X-A", Cow::Borrowed("1")), ("x-a", Cow::Borrowed("2"))];
        assert_eq!(last_of_each(&headers, true), [("x-a", "2")]);
    }
}
