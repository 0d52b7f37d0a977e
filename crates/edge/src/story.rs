use http::{HeaderMap, header};

use crate::GatewayError;
use crate::admitted::Admitted;

/// A text in pieces, to be joined where it is told.
pub(crate) type Pieces<'a, const N: usize> = [&'a str; N];

/// What there is to tell about one exchange once it is over: the source of its metrics and log lines.
#[derive(Debug)]
pub(crate) struct Story<'a> {
    pub method: &'a str,
    /// With the stage, as it came.
    pub path: Pieces<'a, 3>,
    pub protocol: &'static str,
    pub domain_name: Pieces<'a, 2>,
    pub domain_prefix: &'a str,
    /// The base path under a custom domain that led here.
    pub base_path: &'a str,
    pub request_id: &'a str,
    pub extended_request_id: &'a str,
    pub trace_id: Option<&'a str>,
    pub source_ip: &'a str,
    /// What it brought.
    pub headers: &'a HeaderMap,
    /// When the request came, epoch milliseconds.
    pub at_ms: u64,
    /// The id and template of the resource that matched.
    pub resource: Option<(&'a str, &'a str)>,
    pub deployment_id: &'a str,
    /// `None` while the stage has no canary.
    pub is_canary: Option<bool>,
    pub status: u16,
    pub response_bytes: usize,
    pub latency_us: u64,
    pub integration: Option<&'a IntegrationStory>,
    pub error: Option<&'a GatewayError>,
    pub admitted: &'a Admitted,
}

/// What there is to tell about the integration, if the request came that far.
#[derive(Debug, Clone, Default)]
pub(crate) struct IntegrationStory {
    pub latency_us: u64,
    /// The status that the function answered with.
    pub status: Option<u16>,
    /// The status of the service that ran it: 200, also when the function failed.
    pub service_status: Option<u16>,
    /// Why it failed, for `$context.integrationErrorMessage` and the execution log.
    pub error: Option<String>,
    pub endpoint_id: EndpointId,
    /// `None` where the answer is passed on once it is whole.
    pub streamed: Option<Box<StreamTimes>>,
}

/// When the parts of an answer that is passed on as it comes were there, since the integration was asked; `None` for what never was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct StreamTimes {
    pub headers_us: Option<u64>,
    pub content_us: Option<u64>,
}

/// By which id an AWS service that was asked knows the request.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum EndpointId {
    /// None: it wasn't asked, said none, or isn't AWS's.
    #[default]
    None,
    /// The request's own, by which functions run.
    Own,
    Its(Box<str>),
}

impl Story<'_> {
    pub fn user_agent(&self) -> Option<&str> {
        self.headers.get(header::USER_AGENT)?.to_str().ok()
    }

    /// Latencies are whole milliseconds, as API Gateway gives them.
    pub fn latency_ms(&self) -> u64 {
        self.latency_us / 1000
    }
}

impl IntegrationStory {
    /// The id by which AWS's endpoint knows this request; empty where there is none.
    pub fn endpoint_id<'a>(&'a self, request_id: &'a str) -> &'a str {
        match &self.endpoint_id {
            EndpointId::None => "",
            EndpointId::Own => request_id,
            EndpointId::Its(id) => id,
        }
    }

    pub fn latency_ms(&self) -> u64 {
        self.latency_us / 1000
    }
}
