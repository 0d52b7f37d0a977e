//! Which service and operation a request means.

use crate::catalog::{Catalog, Service};
use crate::fault::Fault;
use crate::model::{Addressed, Model, Operation};
use crate::protocol::Protocol;
use crate::query;
use crate::server::Call;
use http::request::Parts;
use pitbird_paths::Segment;
use std::borrow::Cow;
use thiserror::Error;

/// Why a request means no operation.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unidentified {
    #[error("the request is for no AWS service")]
    Nothing,
    #[error("service {name} is not known")]
    Service { name: String, protocol: Protocol },
    #[error("service {service} has no operation {operation}")]
    Operation { service: &'static str, api_version: &'static str, operation: String, protocol: Protocol },
}

impl Unidentified {
    /// The protocol in which to answer.
    pub fn protocol(&self) -> Protocol {
        match self {
            Unidentified::Nothing => Protocol::RestJson,
            Unidentified::Service { protocol, .. } | Unidentified::Operation { protocol, .. } => *protocol,
        }
    }

    /// The model of the service that has no such operation: its answer bears the service's namespace.
    pub fn model(&self) -> Option<&'static Model> {
        let Unidentified::Operation { service, .. } = self else { return None };
        let services = Catalog::embedded().services();
        services.iter().find(|held| held.metadata.service_id == *service).map(Service::model)
    }

    /// What to answer.
    pub fn fault(&self) -> Fault {
        match self {
            Unidentified::Operation { api_version, operation, protocol: Protocol::Query, .. } => Fault::new(
                "InvalidAction",
                format!("Could not find operation {operation} for version {api_version}"),
            )
            .with_status(400),
            Unidentified::Operation { protocol: Protocol::RestXml, .. } => {
                let words = "The specified method is not allowed against this resource.";
                Fault::new("MethodNotAllowed", words).with_status(405)
            }
            other => Fault::new("UnknownOperationException", other.to_string()),
        }
    }
}

impl<'m> Call<'m> {
    /// Finds what a request to one service means.
    pub fn identify(model: &'m Model, parts: &Parts, body: &[u8]) -> Result<Call<'m>, Unidentified> {
        Clues::of(parts, body).call(model)
    }
}

/// What the head says of the way in which it was written.
struct Clues<'r> {
    parts: &'r Parts,
    body: &'r [u8],
    path: &'r str,
    query: &'r str,
}

impl Catalog {
    /// Finds what a request means: by credential scope, then `X-Amz-Target`, then the rpc-v2-cbor path, then form, then
    /// path. The body is read for forms only. The host is asked of services alone that let it bear a label, since everything
    /// shares ours.
    pub fn identify(&self, parts: &Parts, body: &[u8]) -> Result<Call<'_>, Unidentified> {
        let clues =
            Clues { parts, body, path: parts.uri.path(), query: parts.uri.query().unwrap_or_default() };
        let Some(name) = clues.scope_service() else { return self.identify_unsigned(&clues) };
        let named: Vec<&Service> =
            self.services().iter().filter(|service| service.metadata.signing_name == name).collect();
        let mut reason = Unidentified::Service { name, protocol: clues.guessed_protocol() };
        // Of services that share a name, the one is meant whose paths all begin like this one, or else the first.
        for (at, service) in named.into_iter().enumerate() {
            match clues.call(service.model()) {
                Ok(call) => return Ok(call),
                Err(unknown) if at == 0 || clues.begins_like(service.model()) => reason = unknown,
                Err(_) => {}
            }
        }
        Err(reason)
    }

    fn identify_unsigned<'c>(&'c self, clues: &Clues<'_>) -> Result<Call<'c>, Unidentified> {
        let by_head = self.services().iter().find(|service| clues.names(service));
        if let Some(service) = by_head {
            return clues.call(service.model());
        }
        let hosted = self.services().iter().find(|service| {
            let word = service.metadata.peculiar.host_word;
            // What a `.localhost` name means is only asked when no path says it.
            word.is_some_and(|word| hosted_label(clues.host(), word).is_some_and(|(_, is_named)| is_named))
        });
        if let Some(service) = hosted {
            return clues.call(service.model());
        }
        let rest =
            self.services().iter().filter(|service| service.metadata.protocols.iter().any(|p| p.is_rest()));
        let found = rest.filter_map(|service| clues.whole_call(service.model())).next();
        found.ok_or_else(|| match clues.target().or_else(|| clues.action()) {
            Some(name) => Unidentified::Service { name, protocol: clues.guessed_protocol() },
            None => Unidentified::Nothing,
        })
    }
}

impl<'r> Clues<'r> {
    fn of(parts: &'r Parts, body: &'r [u8]) -> Clues<'r> {
        Clues { parts, body, path: parts.uri.path(), query: parts.uri.query().unwrap_or_default() }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }

    /// The service of the credential scope, from the header or a presigned URL.
    fn scope_service(&self) -> Option<String> {
        let header = self.header("authorization").and_then(|value| value.split_once("Credential="));
        let scope = match header {
            Some((_, rest)) => rest.split([',', ' ']).next()?.to_owned(),
            None => query::get(self.query, "X-Amz-Credential")?.into_owned(),
        };
        scope
            .rsplit('/')
            .nth(1)
            .filter(|name| !name.is_empty() && scope.split('/').count() >= 5)
            .map(str::to_owned)
    }

    /// The host's name, without its port.
    fn host(&self) -> &str {
        let host = self.header("host").or_else(|| self.parts.uri.host()).unwrap_or_default();
        host.split(':').next().unwrap_or_default()
    }

    fn target(&self) -> Option<String> {
        self.header("x-amz-target").map(str::to_owned)
    }

    /// Service and operation of `/service/{service}/operation/{operation}`; what stands before is a mount point.
    fn cbor_path(&self) -> Option<(&str, &str)> {
        let mut parts = self.path.rsplit('/');
        let (operation, word) = (parts.next()?, parts.next()?);
        let (service, first) = (parts.next()?, parts.next()?);
        (word == "operation" && first == "service").then_some((service, operation))
    }

    /// Whether all paths of the model begin with the first word of this one.
    fn begins_like(&self, model: &Model) -> bool {
        let word = self.path.split('/').nth(1).unwrap_or_default();
        model.operations().iter().all(|operation| {
            matches!(operation.path.segments().first(), Some(Segment::Static(first)) if **first == *word)
        })
    }

    /// The form, which GET requests carry in the URL.
    fn form(&self) -> &str {
        query::form(&self.parts.method, self.query, self.body)
    }

    fn is_form(&self) -> bool {
        let form = "application/x-www-form-urlencoded";
        self.path == "/"
            && (self.parts.method == http::Method::GET
                || query::get(self.query, "Action").is_some()
                || self.header("content-type").is_none_or(|it| it.trim_start().starts_with(form)))
    }

    fn action(&self) -> Option<String> {
        if !self.is_form() {
            return None;
        }
        query::get(self.form(), "Action").map(|action| action.into_owned())
    }

    fn guessed_protocol(&self) -> Protocol {
        if self.cbor_path().is_some() {
            Protocol::Cbor
        } else if self.target().is_some() {
            self.json_version().unwrap_or(Protocol::Json11)
        } else if self.action().is_some() {
            Protocol::Query
        } else {
            Protocol::RestJson
        }
    }

    fn json_version(&self) -> Option<Protocol> {
        let content_type = self.header("content-type")?;
        [Protocol::Json10, Protocol::Json11]
            .into_iter()
            .find(|it| content_type.starts_with(it.content_type()))
    }

    /// Whether target, path or form name the service.
    fn names(&self, service: &Service) -> bool {
        let prefix = service.metadata.target_prefix;
        if let Some((named, _)) = self.cbor_path() {
            return prefix == Some(named) && service.metadata.protocols.contains(&Protocol::Cbor);
        }
        if let Some(target) = self.header("x-amz-target") {
            return target.rsplit_once('.').is_some_and(|(named, _)| prefix == Some(named));
        }
        service.metadata.protocols.contains(&Protocol::Query)
            && self.action().is_some()
            && query::get(self.form(), "Version").as_deref() == Some(service.metadata.api_version)
    }

    /// The operation of a service.
    fn call<'c>(&self, model: &'c Model) -> Result<Call<'c>, Unidentified> {
        let speaks = |protocol: Protocol| model.metadata.protocols.contains(&protocol);
        let json = model.metadata.protocols.iter().copied().find(|p| p.is_json() && !p.is_rest());
        let (protocol, name) = match (self.cbor_path(), self.header("x-amz-target"), json) {
            (Some((_, operation)), _, _) if speaks(Protocol::Cbor) => (Protocol::Cbor, operation.to_owned()),
            (_, Some(target), Some(json)) => {
                let name = target.rsplit('.').next().unwrap_or_default();
                (self.json_version().unwrap_or(json), name.to_owned())
            }
            _ => match model.metadata.protocols.iter().copied().find(|p| p.is_rest()) {
                Some(rest) => return self.rest_call(model, rest),
                None if speaks(Protocol::Query) => (Protocol::Query, self.action().unwrap_or_default()),
                None => (json.unwrap_or(Protocol::Json11), String::new()),
            },
        };
        match model.operation(&name) {
            Some(operation) => Ok(self.made(model, operation, protocol, Vec::new())),
            None => Err(unknown(model, name, protocol)),
        }
    }

    fn rest_call<'c>(&self, model: &'c Model, protocol: Protocol) -> Result<Call<'c>, Unidentified> {
        let routed = self.routed(model, protocol).map(|(call, _)| call);
        routed.ok_or_else(|| unknown(model, format!("{} {}", self.parts.method, self.path), protocol))
    }

    /// The operation of a rest service that has all it requires; nobody named the service, so a guess must fit.
    fn whole_call<'c>(&self, model: &'c Model) -> Option<Call<'c>> {
        let protocol = model.metadata.protocols.iter().copied().find(|protocol| protocol.is_rest())?;
        let is_open = model.metadata.peculiar.host_word.is_some();
        self.routed(model, protocol).filter(|(_, is_complete)| *is_complete || !is_open).map(|(call, _)| call)
    }

    fn routed<'c>(&self, model: &'c Model, protocol: Protocol) -> Option<(Call<'c>, bool)> {
        let addressed =
            Addressed { method: &self.parts.method, query: self.query, headers: &self.parts.headers };
        let label = model.metadata.peculiar.host_word.and_then(|word| hosted_label(self.host(), word));
        let path = match label {
            Some((label, _)) => Cow::Owned(format!("/{label}{}", self.path)),
            None => Cow::Borrowed(self.path),
        };
        let routed = model.route(&addressed, &path)?;
        let labels = routed.labels.iter().map(|raw| pitbird_paths::decode(raw).into_owned()).collect();
        Some((self.made(model, routed.operation, protocol, labels), routed.is_complete))
    }

    fn made<'c>(
        &self,
        model: &'c Model,
        operation: &'c Operation,
        protocol: Protocol,
        labels: Vec<String>,
    ) -> Call<'c> {
        let query_mode = self.header("x-amzn-query-mode") == Some("true");
        Call { model, operation, protocol, query_mode, labels }
    }
}

/// The label that stands before a service's word in a host name (`{label}.{word}.…`, `{label}.{word}-…`), or alone before
/// `localhost`, and whether the word was there.
fn hosted_label<'h>(host: &'h str, word: &str) -> Option<(&'h str, bool)> {
    let is_word = |at: usize| {
        let rest = host[at + 1..].strip_prefix(word);
        rest.is_some_and(|rest| rest.starts_with(['.', '-']))
    };
    if let Some((at, _)) = host.match_indices('.').rev().find(|(at, _)| is_word(*at)) {
        return Some((&host[..at], true)).filter(|(label, _)| !label.is_empty());
    }
    let label = host.strip_suffix(".localhost").filter(|label| !label.is_empty())?;
    let is_service =
        label.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']));
    (!is_service).then_some((label, false))
}

fn unknown(model: &Model, operation: String, protocol: Protocol) -> Unidentified {
    Unidentified::Operation {
        service: model.metadata.service_id,
        api_version: model.metadata.api_version,
        operation,
        protocol,
    }
}
