//! `$context` of one exchange. What doesn't apply is empty. Source: API Gateway developer guide, "Variables for data models,
//! authorizers, mapping templates, and CloudWatch access logging".

use std::borrow::Cow;

use pitbird_mapping::{Letters, Member, Members};
use pitbird_records::ApiKey;
use pitbird_snapshot::{Method, Resource, Stage, Track};

use crate::UrlSigner;
use crate::admitted::Admitted;
use crate::arrival::Arrival;
use crate::routed::Routed;

pub(super) struct Context<'a> {
    stage: &'a Stage,
    track: &'a Track,
    resource: &'a Resource,
    method: &'a Method,
    arrival: &'a Arrival<'a>,
    custom_domain: CustomDomain<'a>,
    identity: Identity<'a>,
    authorizer: Authorizer<'a>,
}

impl<'a> Context<'a> {
    pub fn of(routed: &Routed<'a, '_>, arrival: &'a Arrival<'a>, admitted: &'a Admitted) -> Context<'a> {
        Context {
            stage: routed.stage,
            track: routed.track,
            resource: routed.matched.value,
            method: routed.method,
            arrival,
            custom_domain: CustomDomain(arrival),
            identity: Identity { arrival, admitted },
            authorizer: Authorizer { admitted, claims: Claims(admitted) },
        }
    }
}

impl Members for Context<'_> {
    fn get(&self, name: &str) -> Option<Member<'_>> {
        let Context { stage, track, resource, method, arrival, .. } = *self;
        Some(match name {
            "accountId" => stage.scope.account.as_str().into(),
            "apiId" => stage.api_id.as_str().into(),
            "deploymentId" => track.deployment.id.as_str().into(),
            "domainName" => Member::Text(arrival.domain()),
            "domainPrefix" => arrival.domain_prefix().into(),
            "customDomain" => Member::Members(&self.custom_domain),
            "extendedRequestId" => arrival.extended_request_id.as_str().into(),
            "httpMethod" => arrival.method().into(),
            "identity" => Member::Members(&self.identity),
            "authorizer" => Member::Members(&self.authorizer),
            "isCanaryRequest" if stage.canary.is_some() => Member::Boolean(track.is_canary),
            "isCanaryRequest" => "".into(),
            "operationName" => method.operation_name.as_deref().unwrap_or_default().into(),
            "path" => Member::Text(Cow::Owned(arrival.path())),
            "protocol" => arrival.protocol().into(),
            "requestId" => arrival.request_id.as_str().into(),
            "requestTime" => Member::Text(Cow::Owned(pitbird_event::request_time(arrival.at_ms))),
            "requestTimeEpoch" => Member::Integer(i64::try_from(arrival.at_ms).unwrap_or(i64::MAX)),
            "resourceId" => resource.id.as_str().into(),
            "resourcePath" => resource.path.as_str().into(),
            "stage" => stage.record.name.as_str().into(),
            _ => return None,
        })
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        const NAMES: [&str; 20] = [
            "accountId",
            "apiId",
            "deploymentId",
            "domainName",
            "domainPrefix",
            "customDomain",
            "extendedRequestId",
            "httpMethod",
            "identity",
            "authorizer",
            "isCanaryRequest",
            "operationName",
            "path",
            "protocol",
            "requestId",
            "requestTime",
            "requestTimeEpoch",
            "resourceId",
            "resourcePath",
            "stage",
        ];
        NAMES.map(Cow::Borrowed).into()
    }

    fn values(&self, name: &str, _: Letters) -> Vec<Cow<'_, str>> {
        texts(self.get(name))
    }
}

struct CustomDomain<'a>(&'a Arrival<'a>);

impl Members for CustomDomain<'_> {
    fn get(&self, name: &str) -> Option<Member<'_>> {
        (name == "basePathMatched").then(|| self.0.base_path().into())
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        vec!["basePathMatched".into()]
    }

    fn values(&self, name: &str, _: Letters) -> Vec<Cow<'_, str>> {
        texts(self.get(name))
    }
}

struct Identity<'a> {
    arrival: &'a Arrival<'a>,
    admitted: &'a Admitted,
}

impl Members for Identity<'_> {
    fn get(&self, name: &str) -> Option<Member<'_>> {
        let admitted = self.admitted;
        let signed = |member: fn(&UrlSigner) -> &String| {
            admitted.signer.as_deref().map_or("", |signer| member(signer))
        };
        let key = |member: fn(&ApiKey) -> &String| admitted.api_key.as_deref().map_or("", |key| member(key));
        Some(Member::from(match name {
            "accountId" => signed(|signer| &signer.account),
            "apiKey" => key(|key| &key.value),
            "apiKeyId" => key(|key| &key.id),
            "caller" | "user" => signed(|signer| &signer.user_id),
            "cognitoAuthenticationProvider"
            | "cognitoAuthenticationType"
            | "cognitoIdentityId"
            | "cognitoIdentityPoolId"
            | "principalOrgId" => "",
            "sourceIp" => self.arrival.peer.source,
            "userAgent" => self.arrival.header(http::header::USER_AGENT).unwrap_or_default(),
            "userArn" => signed(|signer| &signer.principal),
            _ => return None,
        }))
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        const NAMES: [&str; 13] = [
            "accountId",
            "apiKey",
            "apiKeyId",
            "caller",
            "cognitoAuthenticationProvider",
            "cognitoAuthenticationType",
            "cognitoIdentityId",
            "cognitoIdentityPoolId",
            "principalOrgId",
            "sourceIp",
            "user",
            "userAgent",
            "userArn",
        ];
        NAMES.map(Cow::Borrowed).into()
    }

    fn values(&self, name: &str, _: Letters) -> Vec<Cow<'_, str>> {
        texts(self.get(name))
    }
}

/// What an authorizer said, every value a text.
struct Authorizer<'a> {
    admitted: &'a Admitted,
    claims: Claims<'a>,
}

impl Members for Authorizer<'_> {
    fn get(&self, name: &str) -> Option<Member<'_>> {
        if self.claims.all().is_some() {
            return (name == "claims").then_some(Member::Members(&self.claims));
        }
        let result = self.admitted.authorizer_result()?;
        if name == "principalId" {
            return Some(result.principal_id.as_str().into());
        }
        result.context.iter().rfind(|(known, _)| known == name).map(|(_, value)| value.as_str().into())
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        if self.claims.all().is_some() {
            return vec!["claims".into()];
        }
        let Some(result) = self.admitted.authorizer_result() else { return Vec::new() };
        let mut names = names(&result.context);
        names.retain(|name| name != "principalId");
        names.push("principalId".into());
        names
    }

    fn values(&self, name: &str, _: Letters) -> Vec<Cow<'_, str>> {
        texts(self.get(name))
    }
}

/// The claims of a user pool's token.
struct Claims<'a>(&'a Admitted);

impl Claims<'_> {
    fn all(&self) -> Option<&Vec<(String, String)>> {
        self.0.authorizer.as_ref()?.claims.as_ref()
    }
}

impl Members for Claims<'_> {
    fn get(&self, name: &str) -> Option<Member<'_>> {
        self.all()?.iter().rfind(|(known, _)| known == name).map(|(_, value)| value.as_str().into())
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        self.all().map(|all| names(all)).unwrap_or_default()
    }

    fn values(&self, name: &str, _: Letters) -> Vec<Cow<'_, str>> {
        texts(self.get(name))
    }
}

fn names(pairs: &[(String, String)]) -> Vec<Cow<'_, str>> {
    let is_first = |at: usize, name: &String| !pairs[..at].iter().any(|(known, _)| known == name);
    let names = pairs.iter().enumerate().filter(|(at, (name, _))| is_first(*at, name));
    names.map(|(_, (name, _))| Cow::Borrowed(name.as_str())).collect()
}

fn texts(member: Option<Member<'_>>) -> Vec<Cow<'_, str>> {
    match member {
        Some(Member::Text(text)) => vec![text],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pitbird_snapshot::PolicyDocument;

    use super::*;
    use crate::admitted::{AuthorizerResult, AuthorizerStory};

    fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
        of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn asked(result: Option<AuthorizerResult>, claims: Option<Vec<(String, String)>>) -> Admitted {
        let result = result.map(Arc::new);
        let story = AuthorizerStory {
            result,
            claims,
            latency_ms: 1,
            integration_status: None,
            status: 200,
            error: None,
        };
        Admitted { authorizer: Some(Box::new(story)), ..Admitted::default() }
    }

    /// All members, as JSON would show them.
    fn shown(members: &dyn Members) -> String {
        let members = members.names().into_iter().map(|name| match members.get(&name) {
            Some(Member::Text(text)) => format!("{name}={text}"),
            Some(Member::Members(inner)) => format!("{name}={{{}}}", shown(inner)),
            other => panic!("{name}: {other:?}"),
        });
        members.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_an_authorizer_said_is_told_whatever_it_was() {
        let shown = |admitted: &Admitted| shown(&Authorizer { admitted, claims: Claims(admitted) });
        assert_eq!(shown(&Admitted::default()), "");
        let result = AuthorizerResult {
            principal_id: "ann".into(),
            policy: PolicyDocument::parse(r#"{"Statement": []}"#).expect("a policy"),
            context: pairs(&[("a", "1"), ("principalId", "bob"), ("b", "2"), ("a", "3")]),
            usage_key: None,
        };
        assert_eq!(shown(&asked(Some(result), None)), "a=3 b=2 principalId=ann");
        let claims = pairs(&[("sub", "1-2"), ("cognito:username", "bob")]);
        assert_eq!(shown(&asked(None, Some(claims))), "claims={sub=1-2 cognito:username=bob}");
    }

    #[test]
    fn whoever_is_unknown_has_an_identity_of_empty_texts() {
        let request = http::Request::get("/").header("user-agent", "curl/8");
        let (head, ()) = request.body(()).expect("a request").into_parts();
        let peer = crate::Peer { source: "192.0.2.1", port: 80, scheme: "http", raw_head: b"", timer: None };
        let target = crate::Target::parse("localhost", "/_aws/execute-api/abc/prod/").expect("an API's");
        let arrival = Arrival::new(target, &head, peer, None);
        let admitted = Admitted::default();
        let identity = Identity { arrival: &arrival, admitted: &admitted };
        let shown = shown(&identity);
        let told: Vec<&str> = shown.split(' ').filter(|member| !member.ends_with('=')).collect();
        assert_eq!(told, ["sourceIp=192.0.2.1", "userAgent=curl/8"]);
        assert_eq!(shown.split(' ').count(), 13);
        assert!(identity.get("zz").is_none());
    }
}
