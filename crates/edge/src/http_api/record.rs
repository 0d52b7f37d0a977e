//! The last step of every exchange, whatever happened before: metrics and the access log.

use std::sync::Arc;

use pitbird_names::arn;
use pitbird_snapshot::{HttpApiTarget, HttpStage};
use pitbird_telemetry::Telemetry;
use pitbird_telemetry::logs::{LogStream, Spread};
use pitbird_telemetry::metrics::{Dimensions, Probe, ProbeSpec, Resolution, Unit};

use super::admitted::Admitted;
use super::context::{Context, End, Seen};
use super::integrate::Outcome;
use crate::Edge;
use crate::access_log::Format;
use crate::arrival::Arrival;
use crate::route_probes::RouteProbes;
use crate::trace::HttpExchange;
use crate::used;

/// An exchange that is over.
pub(super) struct Exchange<'a> {
    pub seen: &'a Seen<'a>,
    pub arrival: &'a Arrival<'a>,
    pub route_key: Option<&'a str>,
    pub admitted: &'a Admitted,
    pub outcome: &'a Outcome,
    pub body_bytes: usize,
    /// What the route leads to.
    pub target: Option<&'a HttpApiTarget>,
}

/// How the exchanges of one stage are recorded: metric handles and the log's format, made once per stage and kept in its slot.
struct Recorder {
    spec: ProbeSpec,
    plain: Arc<Probe>,
    /// Probes of routes with detailed metrics, by key. A stage has few hundred routes.
    detailed: RouteProbes,
    access: Option<(Format<String>, Arc<LogStream>)>,
}

pub(super) fn record(edge: &Edge, stage: &HttpStage, exchange: &Exchange<'_>) {
    let recorder =
        stage.slot.get_or_init(|| Arc::new(Recorder::new(stage, &edge.telemetry, &edge.log_stream)));
    let (answer, at_ms) = (&exchange.outcome.answer, exchange.arrival.at_ms as i64);
    let end = End {
        status: answer.status,
        response_bytes: answer.body.len(),
        data_processed: exchange.body_bytes + answer.body.len(),
        latency_us: exchange.arrival.elapsed_us(),
        integration: exchange.outcome.integration.as_ref(),
        error: exchange.outcome.error.as_ref(),
        authorizer_error: exchange.outcome.authorizer_error.as_deref(),
    };
    let values = end.values();
    let used = used::http_used(end.error, end.data_processed as u64, end.response_bytes as u64);
    recorder.plain.record_used(at_ms, &values, &used);
    if let Some(key) = exchange.route_key
        && is_detailed(stage, key)
    {
        let make = || recorder.detail(key, &edge.telemetry);
        recorder.detailed.record((key, ""), make, |probe| probe.record(at_ms, &values));
    }
    if let Some(traced) = exchange.arrival.trace.as_ref().filter(|traced| traced.is_recorded()) {
        let Exchange { arrival, route_key, target, .. } = *exchange;
        let (status, told) = (answer.status, exchange.outcome.integration.as_ref());
        let (backend_status, error) =
            (told.and_then(|told| told.status), told.and_then(|told| told.error.as_deref()));
        let exchange = HttpExchange { stage, route_key, target, arrival, status, backend_status, error };
        traced.record_http(&edge.tracer, &exchange);
    }
    if let Some((format, stream)) = &recorder.access {
        let Exchange { seen, route_key, admitted, .. } = *exchange;
        let context = Context { stage, seen, route_key, admitted, end: Some(end) };
        stream.write(at_ms, |line| format.write(line, |line, name| context.append(line, name)));
    }
}

fn is_detailed(stage: &HttpStage, route_key: &str) -> bool {
    let own = stage.record.route_settings.get(route_key).and_then(|own| own.detailed_metrics_enabled);
    own.or(stage.record.default_route_settings.detailed_metrics_enabled).unwrap_or_default()
}

impl End<'_> {
    /// The values of a probe's metrics. Latencies are whole milliseconds, as API Gateway gives them.
    fn values(&self) -> [f64; 6] {
        [
            1.0,
            f64::from(u8::from((400..500).contains(&self.status))),
            f64::from(u8::from(self.status >= 500)),
            (self.latency_us / 1000) as f64,
            self.integration.map_or(f64::NAN, |integration| integration.latency_ms() as f64),
            self.data_processed as f64,
        ]
    }
}

impl Recorder {
    /// `run` names the log stream of this server's run, so that streams of different runs never mix.
    fn new(stage: &HttpStage, telemetry: &Telemetry, run: &str) -> Recorder {
        let api = ("ApiId", stage.api_id.clone());
        let name = ("Stage", stage.record.name.clone());
        // Source: API Gateway developer guide, "Monitor CloudWatch metrics for HTTP APIs".
        let metrics = [
            ("Count", Unit::Count),
            ("4xx", Unit::Count),
            ("5xx", Unit::Count),
            ("Latency", Unit::Milliseconds),
            ("IntegrationLatency", Unit::Milliseconds),
            ("DataProcessed", Unit::Bytes),
        ];
        let spec = ProbeSpec {
            scope: stage.scope.clone(),
            namespace: "AWS/ApiGateway".to_owned(),
            metrics: metrics.map(|(name, unit)| (name.to_owned(), unit)).to_vec(),
            dimension_sets: vec![Dimensions::from_iter([api.clone()]), Dimensions::from_iter([api, name])],
            resolution: Resolution::Minute,
            usage: None,
        };
        let access = stage.record.access_log.as_ref().and_then(|access| {
            let group =
                arn::parse(access.destination_arn.as_deref()?)?.resource.strip_prefix("log-group:")?;
            let stream = telemetry.log_stream(&stage.scope, group, run, Spread::Many);
            Some((Format::parse(access.format.as_deref()?, str::to_owned), stream))
        });
        let usage = used::http_spec(&stage.scope, &stage.api_id, &stage.record.name);
        let plain = telemetry.probe(ProbeSpec { usage: Some(usage), ..spec.clone() });
        Recorder { plain, spec, detailed: RouteProbes::default(), access }
    }

    fn detail(&self, key: &str, telemetry: &Telemetry) -> Arc<Probe> {
        let mut spec = self.spec.clone();
        let (method, resource) = key.split_once(' ').unwrap_or((key, key));
        let of_stage = &self.spec.dimension_sets[1];
        // Documented is `Route`; `Method` and `Resource` are what the service has beside.
        let by_route = of_stage.iter().chain([("Route", key)]).collect();
        let by_method = of_stage.iter().chain([("Method", method), ("Resource", resource)]).collect();
        spec.dimension_sets = vec![by_route, by_method];
        telemetry.probe(spec)
    }
}
