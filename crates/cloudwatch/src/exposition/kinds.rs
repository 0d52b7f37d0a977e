//! Which probes are shown, and how their metrics are called.

use pitbird_telemetry::metrics::{Dimensions, ProbeSpec};

/// Probes that measure the same, told apart by the same labels.
pub struct Kind {
    pub prefix: &'static str,
    pub labels: &'static [&'static str],
    pub shown: &'static [Shown],
    namespace: &'static str,
    /// The probes' first metric.
    first: &'static str,
    /// The values of the labels after account and region; `None` for a probe that counts what another counts as well.
    values: fn(&[Dimensions]) -> Option<Vec<String>>,
}

/// A metric as it is shown.
pub struct Shown {
    pub name: &'static str,
    pub help: &'static str,
    pub measure: Measure,
    /// What the probes call it.
    pub metrics: &'static [&'static str],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// How often it was measured.
    Count,
    /// The sum of what was measured.
    Sum,
    /// Both, of milliseconds that are told in seconds.
    Milliseconds,
}

const fn shown(
    name: &'static str,
    measure: Measure,
    metrics: &'static [&'static str],
    help: &'static str,
) -> Shown {
    Shown { name, help, measure, metrics }
}

use Measure::{Count, Milliseconds, Sum};

pub const KINDS: &[Kind] = &[
    Kind {
        prefix: "pitbird_apigateway",
        labels: &["account", "region", "protocol", "api", "stage", "track"],
        namespace: "AWS/ApiGateway",
        first: "Count",
        values: api,
        shown: &[
            shown("requests", Count, &["Count"], "Requests to a stage."),
            shown("client_errors", Sum, &["4XXError", "4xx"], "Answers with a status of 400 to 499."),
            shown("server_errors", Sum, &["5XXError", "5xx"], "Answers with a status of 500 or more."),
            shown("latency_seconds", Milliseconds, &["Latency"], "From a request to its answer."),
            shown(
                "integration_latency_seconds",
                Milliseconds,
                &["IntegrationLatency"],
                "What of it was the backend's.",
            ),
            shown("cache_hits", Sum, &["CacheHitCount"], "Answers that a stage's cache had."),
            shown("cache_misses", Sum, &["CacheMissCount"], "Answers that a stage's cache did not have."),
            shown("processed_bytes", Sum, &["DataProcessed"], "Bytes of bodies, both ways."),
        ],
    },
    Kind {
        prefix: "pitbird_lambda",
        labels: &["account", "region", "function", "qualifier", "version"],
        namespace: "AWS/Lambda",
        first: "Invocations",
        values: invocations,
        shown: &[
            shown("invocations", Count, &["Invocations"], "Invocations that have ended."),
            shown("errors", Sum, &["Errors"], "Invocations that ended in an error of the function."),
            shown("duration_seconds", Milliseconds, &["Duration"], "How long invocations took."),
            shown("throttles", Sum, &["Throttles"], "Calls that were refused for want of concurrency."),
            shown(
                "provisioned_invocations",
                Sum,
                &["ProvisionedConcurrencyInvocations"],
                "Invocations in environments that were kept ready.",
            ),
            shown(
                "provisioned_spillover",
                Sum,
                &["ProvisionedConcurrencySpilloverInvocations"],
                "Invocations for which none of the environments that are kept ready was free.",
            ),
        ],
    },
    Kind {
        prefix: "pitbird_lambda_async",
        labels: &["account", "region", "function", "qualifier"],
        namespace: "AWS/Lambda",
        first: "AsyncEventsReceived",
        values: qualified,
        shown: &[
            shown("events_received", Sum, &["AsyncEventsReceived"], "Events that were queued."),
            shown(
                "event_age_seconds",
                Milliseconds,
                &["AsyncEventAge"],
                "How old events were when they ran.",
            ),
            shown("events_dropped", Sum, &["AsyncEventsDropped"], "Events that were given up."),
            shown(
                "delivery_failures",
                Sum,
                &["DestinationDeliveryFailures"],
                "Destinations that could not be told.",
            ),
            shown(
                "recursive_invocations_dropped",
                Sum,
                &["RecursiveInvocationsDropped"],
                "Loops of destinations that were ended.",
            ),
        ],
    },
    Kind {
        prefix: "pitbird_lambda_url",
        labels: &["account", "region", "function", "qualifier"],
        namespace: "AWS/Lambda",
        first: "UrlRequestCount",
        values: qualified,
        shown: &[
            shown("requests", Sum, &["UrlRequestCount"], "Requests to a function's URL."),
            shown("client_errors", Sum, &["Url4xxCount"], "Answers with a status of 400 to 499."),
            shown("server_errors", Sum, &["Url5xxCount"], "Answers with a status of 500 or more."),
            shown("latency_seconds", Milliseconds, &["UrlRequestLatency"], "From a request to its answer."),
        ],
    },
];

impl Kind {
    /// The labels' values for a probe; `None` for one of another kind.
    pub fn labels_of(&self, spec: &ProbeSpec) -> Option<Vec<String>> {
        let is_ours = spec.namespace == self.namespace
            && spec.metrics.first().is_some_and(|(name, _)| name == self.first);
        if !is_ours {
            return None;
        }
        if spec.dimension_sets.is_empty() {
            return Some(self.others());
        }
        let mut labels = vec![spec.scope.account.to_string(), spec.scope.region.to_string()];
        labels.extend((self.values)(&spec.dimension_sets)?);
        Some(labels)
    }

    /// The labels of those that aren't told apart.
    pub fn others(&self) -> Vec<String> {
        vec!["other".to_owned(); self.labels.len()]
    }
}

fn value(set: &Dimensions, wanted: &str) -> Option<String> {
    set.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.to_owned())
}

/// A stage's track. Methods and routes with metrics of their own are counted by their stage as well.
fn api(sets: &[Dimensions]) -> Option<Vec<String>> {
    if sets.iter().any(|set| value(set, "Method").is_some() || value(set, "Route").is_some()) {
        return None;
    }
    // The sets may be in any order; a canary's name is longer than its stage's.
    let named = || sets.iter().filter_map(|set| value(set, "Stage"));
    let stage = named().min_by_key(String::len)?;
    let first = sets.first()?;
    let (protocol, api) = match value(first, "ApiId") {
        Some(id) => ("HTTP", id),
        None => ("REST", value(first, "ApiName")?),
    };
    let is_canary = named().any(|name| name.strip_prefix(stage.as_str()) == Some("/Canary"));
    let track = if is_canary { "canary" } else { "base" };
    Some(vec![protocol.to_owned(), api, stage, track.to_owned()])
}

/// Of whom an invocation was asked, and which version ran.
fn invocations(sets: &[Dimensions]) -> Option<Vec<String>> {
    let mut labels = qualified(sets)?;
    let qualifier = labels[1].clone();
    let version = match sets.iter().find_map(|set| value(set, "ExecutedVersion")) {
        Some(version) => version,
        None if qualifier.is_empty() => "$LATEST".to_owned(),
        None => qualifier,
    };
    labels.push(version);
    Some(labels)
}

/// A function and its alias or version; no qualifier is an empty one.
fn qualified(sets: &[Dimensions]) -> Option<Vec<String>> {
    let function = sets.iter().find_map(|set| value(set, "FunctionName"))?;
    let resource = sets.iter().find_map(|set| value(set, "Resource"));
    let qualifier = resource
        .as_deref()
        .and_then(|resource| resource.strip_prefix(function.as_str())?.strip_prefix(':'))
        .unwrap_or_default()
        .to_owned();
    Some(vec![function, qualifier])
}
