//! `$context`: what access logs, mappings and identity sources may name of an exchange. Source: API Gateway developer guide,
//! "Customize HTTP API access logs".

use std::fmt::Write;

use http::header;
use pitbird_snapshot::HttpStage;

use super::HttpError;
use super::admitted::Admitted;
use super::integrate::Story;
use crate::arrival::Arrival;

/// An exchange as far as it has come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'a> {
    pub stage: &'a HttpStage,
    pub seen: &'a Seen<'a>,
    pub route_key: Option<&'a str>,
    pub admitted: &'a Admitted,
    /// Once it is over.
    pub end: Option<End<'a>>,
}

/// What of a request is told.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub protocol: &'a str,
    pub domain_name: &'a str,
    pub domain_prefix: &'a str,
    /// The base path under a custom domain that led here.
    pub base_path: &'a str,
    pub request_id: &'a str,
    pub source_ip: &'a str,
    pub user_agent: Option<&'a str>,
    pub at_ms: u64,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct End<'a> {
    pub status: u16,
    pub response_bytes: usize,
    /// Of the request and the response, bytes.
    pub data_processed: usize,
    pub latency_us: u64,
    pub integration: Option<&'a Story>,
    pub error: Option<&'a HttpError>,
    /// Why an authorizer didn't let somebody in.
    pub authorizer_error: Option<&'a str>,
}

impl<'a> Seen<'a> {
    pub fn of(arrival: &'a Arrival<'_>, path: &'a str, domain_name: &'a str) -> Seen<'a> {
        Seen {
            method: arrival.method(),
            path,
            protocol: arrival.protocol(),
            domain_name,
            domain_prefix: arrival.domain_prefix(),
            base_path: arrival.base_path(),
            request_id: &arrival.extended_request_id,
            source_ip: arrival.peer.source,
            user_agent: arrival.header(header::USER_AGENT),
            at_ms: arrival.at_ms,
        }
    }
}

impl Context<'_> {
    /// A variable's value by its name without `$context.`; `None` when it has none.
    pub fn value(&self, name: &str) -> Option<String> {
        let mut value = String::new();
        self.append(&mut value, name);
        Some(value).filter(|value| !value.is_empty())
    }

    /// Appends a variable's value; nothing when it has none.
    pub fn append(&self, out: &mut String, name: &str) {
        let seen = self.seen;
        match name {
            "accountId" => out.push_str(self.stage.scope.account.as_str()),
            "apiId" => out.push_str(&self.stage.api_id),
            "domainPrefix" => out.push_str(seen.domain_prefix),
            "customDomain.basePathMatched" => out.push_str(seen.base_path),
            "stage" => out.push_str(&self.stage.record.name),
            "domainName" => out.push_str(seen.domain_name),
            "httpMethod" => out.push_str(seen.method),
            "path" => out.push_str(seen.path),
            "protocol" => out.push_str(seen.protocol),
            "requestId" | "extendedRequestId" => out.push_str(seen.request_id),
            "requestTime" => out.push_str(&pitbird_event::request_time(seen.at_ms)),
            "requestTimeEpoch" => show(out, Some(seen.at_ms)),
            "routeKey" => out.push_str(self.route_key.unwrap_or_default()),
            "identity.sourceIp" => out.push_str(seen.source_ip),
            "identity.userAgent" => out.push_str(seen.user_agent.unwrap_or_default()),
            _ => self.append_admitted(out, name),
        }
    }

    fn append_admitted(&self, out: &mut String, name: &str) {
        if let Some(property) = name.strip_prefix("authorizer.")
            && property != "error"
        {
            return show(out, self.admitted.property(property));
        }
        let signer = match self.admitted {
            Admitted::Signed(signer) => Some(signer),
            _ => None,
        };
        match name {
            "identity.accountId" => show(out, signer.map(|signer| &signer.account)),
            "identity.caller" | "identity.user" => show(out, signer.map(|signer| &signer.user_id)),
            "identity.userArn" => show(out, signer.map(|signer| &signer.principal)),
            _ => {
                if let Some(end) = &self.end {
                    end.append(out, name);
                }
            }
        }
    }
}

impl End<'_> {
    fn append(&self, out: &mut String, name: &str) {
        let integration = self.integration;
        match name {
            "status" => show(out, Some(self.status)),
            "responseLength" => show(out, Some(self.response_bytes)),
            "responseLatency" => show(out, Some(self.latency_us / 1000)),
            "dataProcessed" => show(out, Some(self.data_processed)),
            "authorizer.error" => out.push_str(self.authorizer_error.unwrap_or_default()),
            "error.message" => out.push_str(self.error.map_or("", HttpError::message)),
            "error.messageString" => show(out, self.error.map(|error| format!("\"{}\"", error.message()))),
            "error.responseType" => out.push_str(self.error.map_or("", HttpError::response_type)),
            "integration.status" => show(out, integration.and_then(|integration| integration.status)),
            "integrationStatus" | "integration.integrationStatus" => {
                show(out, integration.and_then(|integration| integration.service_status));
            }
            "integrationLatency" | "integration.latency" => {
                show(out, integration.map(Story::latency_ms));
            }
            "integration.requestId" | "awsEndpointRequestId" => {
                out.push_str(integration.and_then(|known| known.request_id.as_deref()).unwrap_or_default());
            }
            "integrationErrorMessage" | "integration.error" => {
                out.push_str(integration.and_then(|known| known.error.as_deref()).unwrap_or_default());
            }
            _ => {}
        }
    }
}

fn show(out: &mut String, value: Option<impl std::fmt::Display>) {
    if let Some(value) = value {
        write!(out, "{value}").expect("a String takes all text");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integrations_request_is_known_by_its_own_id() {
        let shown = |story: Option<&Story>, name: &str| {
            let end = End {
                status: 200,
                response_bytes: 0,
                data_processed: 0,
                latency_us: 0,
                integration: story,
                error: None,
                authorizer_error: None,
            };
            let mut out = String::new();
            end.append(&mut out, name);
            out
        };
        let ran = Story { request_id: Some("of-the-function".to_owned()), ..Story::default() };
        for name in ["integration.requestId", "awsEndpointRequestId"] {
            assert_eq!(shown(Some(&ran), name), "of-the-function");
            assert_eq!(shown(Some(&Story::default()), name), "", "it says none");
            assert_eq!(shown(None, name), "", "nobody was asked");
        }
    }
}
