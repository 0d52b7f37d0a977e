use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use pitbird_names::arn;
use pitbird_snapshot::Stage;
use pitbird_telemetry::Telemetry;
use pitbird_telemetry::logs::{LogStream, Spread};
use pitbird_telemetry::metrics::{Dimensions, Probe, ProbeSpec, Resolution, Total, Unit};
use pitbird_telemetry::tally::{Drawn, Pair, Request, STAGE_BASE, STAGE_CANARY, Slot, Subject};
use pitbird_telemetry::usage::UsageSpec;
use pitbird_trace::Reservoir;

use crate::access_log::Format;
use crate::cache::StageCache;
use crate::context::{Place, Variable};
use crate::execution_log::Log;
use crate::route_probes::RouteProbes;
use crate::story::Story;
use crate::used::{self, TrackUse};

/// How the exchanges of one stage are recorded: metric handles and log formats, made once per stage and kept in its slot.
pub(crate) struct StageRecorder {
    base: TrackProbes,
    canary: TrackProbes,
    access: Option<(Format<Variable>, Streams)>,
    execution: Streams,
    cache: Option<Arc<StageCache>>,
    /// Where those count who try a canary on the stage.
    trial: Arc<Slot>,
    /// Which traces that nobody has decided about a stage that traces records.
    pub reservoir: Reservoir,
}

/// A log's stream, and the one in the group beside it that only the canary's exchanges go to as well.
struct Streams {
    all: Arc<LogStream>,
    canary: Arc<LogStream>,
}

/// What has been counted on one track.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub requests: u64,
    /// Answers with a status of 500 or more.
    pub server_errors: u64,
    /// What the track has used, exchanges that are no evidence among it, and functions that mirrored requests ran.
    pub used: TrackUse,
}

/// Order of a probe's metrics.
const COUNT: usize = 0;
const SERVER_ERRORS: usize = 2;

struct TrackProbes {
    spec: ProbeSpec,
    plain: Arc<Probe>,
    /// For exchanges that are no evidence: the same metrics, apart from what is counted.
    beside: Arc<Probe>,
    /// Probes of methods with detailed metrics, by resource and method.
    detailed: RouteProbes,
}

impl StageRecorder {
    /// `run` names the log streams of this server's run, so that streams of different runs never mix.
    pub fn new(
        stage: &Stage,
        telemetry: &Telemetry,
        run: &str,
        cache: Option<Arc<StageCache>>,
    ) -> StageRecorder {
        let streams = |group: String| Streams {
            canary: telemetry.log_stream(&stage.scope, &format!("{group}/Canary"), run, Spread::Many),
            all: telemetry.log_stream(&stage.scope, &group, run, Spread::Many),
        };
        let access = stage.record.access_log.as_ref().and_then(|access| {
            let arn = arn::parse(access.destination_arn.as_deref()?)?;
            let group = arn.resource.strip_prefix("log-group:")?.trim_end_matches(":*").to_owned();
            Some((Format::parse(access.format.as_deref()?, Variable::named), streams(group)))
        });
        let execution = format!("API-Gateway-Execution-Logs_{}/{}", stage.api_id, stage.record.name);
        StageRecorder {
            base: TrackProbes::new(stage, false, telemetry),
            canary: TrackProbes::new(stage, true, telemetry),
            access,
            execution: streams(execution),
            cache,
            trial: telemetry
                .slot(Subject::Stage { api_id: stage.api_id.clone(), stage: stage.record.name.clone() }),
            reservoir: Reservoir::default(),
        }
    }

    /// The probes that count; whoever holds them keeps their totals when the stage's record changes.
    pub fn counters(&self) -> [Arc<Probe>; 4] {
        let probes = [&self.base.plain, &self.canary.plain, &self.base.beside, &self.canary.beside];
        probes.map(Arc::clone)
    }

    /// Base and canary as counted so far by this server.
    pub fn counts(&self) -> (Counts, Counts) {
        (self.base.counts(), self.canary.counts())
    }

    /// A request that both tracks are to answer, if somebody compares them.
    pub fn pair(&self) -> Option<Arc<Pair>> {
        self.trial.pair()
    }

    /// The stage's cache, if it has one.
    pub fn cache(&self) -> Option<&StageCache> {
        self.cache.as_deref()
    }

    /// Records one exchange that is over. Its story is told only where a log wants it.
    pub fn record<'a>(
        &self,
        stage: &Stage,
        kind: Kind,
        measured: &Measured<'_>,
        story: impl FnOnce() -> Story<'a>,
        log: Log<'_>,
        telemetry: &Telemetry,
    ) {
        let Kind { is_canary, is_evidence, drawn } = kind;
        let probes = if is_canary { &self.canary } else { &self.base };
        let at_ms = measured.at_ms as i64;
        let values = measured.values();
        let probe = if is_evidence { &probes.plain } else { &probes.beside };
        probe.record_used(at_ms, &values, &measured.used.numbers());
        if is_evidence {
            self.trial.record(|| measured.tried(is_canary, drawn));
        }
        if let Some(path) = measured.resource_path.filter(|_| measured.is_detailed) {
            let (name, make) = ((path, measured.method), || probes.detail(path, measured.method, telemetry));
            probes.detailed.record(name, make, |probe| probe.record(at_ms, &values));
        }
        if self.access.is_some() || log.0.is_some() {
            self.log(stage, is_canary, &story(), log);
        }
    }

    fn log(&self, stage: &Stage, is_canary: bool, story: &Story<'_>, log: Log<'_>) {
        if let Some((format, streams)) = &self.access {
            let place = Place::of(stage);
            streams.write(is_canary, story.at_ms, |line| {
                format.write(line, |line, variable| variable.append(line, place, story));
            });
        }
        if let Some(kept) = log.0 {
            log.end();
            for line in kept.lines() {
                self.execution.write(is_canary, line.at_ms, |out| {
                    ["(", story.request_id, ") ", &line.text].iter().for_each(|piece| out.push_str(piece));
                });
            }
        }
    }
}

/// Of which sort an exchange is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    pub is_canary: bool,
    /// Whether it counts for the canary's verdict. The metrics have it in any case.
    pub is_evidence: bool,
    /// How chance shared it out, where there were two tracks.
    pub drawn: Option<Drawn>,
}

/// What is measured of every exchange.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured<'a> {
    pub at_ms: u64,
    pub method: &'a str,
    /// The template of the resource that matched.
    pub resource_path: Option<&'a str>,
    /// Whether the method is measured by itself as well.
    pub is_detailed: bool,
    pub status: u16,
    pub latency_us: u64,
    pub integration_latency_us: Option<u64>,
    /// Whether the stage's cache had the answer; `None` where nothing is cached.
    pub is_cache_hit: Option<bool>,
    pub used: TrackUse,
    pub source_ip: &'a str,
}

impl Measured<'_> {
    /// The exchange as those see it who try the canary.
    fn tried(&self, is_canary: bool, drawn: Option<Drawn>) -> Request<'_> {
        let functions = self.used.functions;
        Request {
            arm: if is_canary { STAGE_CANARY } else { STAGE_BASE },
            route: self.resource_path.map(|path| (self.method, path)),
            latency_us: self.latency_us,
            is_cold: functions.cold_starts > 0,
            is_failure: is_failure(self.status),
            client: Some(number_of(self.source_ip)),
            environment: Some(functions.environment).filter(|number| *number > 0),
            drawn,
        }
    }

    /// The values of a probe's metrics. Latencies are whole milliseconds, as API Gateway gives them.
    fn values(&self) -> [f64; 7] {
        let hit = |wanted: bool| self.is_cache_hit.map_or(f64::NAN, |hit| f64::from(u8::from(hit == wanted)));
        [
            1.0,
            f64::from(u8::from((400..500).contains(&self.status))),
            f64::from(u8::from(is_failure(self.status))),
            (self.latency_us / 1000) as f64,
            self.integration_latency_us.map_or(f64::NAN, |us| (us / 1000) as f64),
            hit(true),
            hit(false),
        ]
    }
}

/// What counts as one, wherever arms are compared.
pub(crate) fn is_failure(status: u16) -> bool {
    status >= 500
}

/// A client's number.
fn number_of(source_ip: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    source_ip.hash(&mut hasher);
    hasher.finish()
}

impl Streams {
    /// An event whose text `write` appends.
    fn write(&self, is_canary: bool, at_ms: u64, write: impl Fn(&mut String)) {
        self.all.write(at_ms as i64, &write);
        if is_canary {
            self.canary.write(at_ms as i64, &write);
        }
    }
}

impl TrackProbes {
    fn new(stage: &Stage, is_canary: bool, telemetry: &Telemetry) -> TrackProbes {
        let api = ("ApiName", stage.api_name.clone());
        let name = stage.record.name.clone();
        let mut sets = vec![
            Dimensions::from_iter([api.clone()]),
            Dimensions::from_iter([api.clone(), ("Stage", name.clone())]),
        ];
        if is_canary {
            sets.push(Dimensions::from_iter([api, ("Stage", format!("{name}/Canary"))]));
        }
        let metrics = [
            ("Count", Unit::Count),
            ("4XXError", Unit::Count),
            ("5XXError", Unit::Count),
            ("Latency", Unit::Milliseconds),
            ("IntegrationLatency", Unit::Milliseconds),
            ("CacheHitCount", Unit::Count),
            ("CacheMissCount", Unit::Count),
        ];
        let spec = ProbeSpec {
            scope: stage.scope.clone(),
            namespace: "AWS/ApiGateway".to_owned(),
            metrics: metrics.map(|(name, unit)| (name.to_owned(), unit)).to_vec(),
            dimension_sets: sets,
            resolution: Resolution::Minute,
            usage: None,
        };
        let usage = [true, false].map(|is_evidence| {
            used::rest_spec(&stage.scope, &stage.api_id, &stage.record.name, is_canary, is_evidence)
        });
        TrackProbes::of(spec, usage, telemetry)
    }

    /// Telemetry has one probe of a spec: what is counted beside tells the two apart.
    fn of(spec: ProbeSpec, [evidence, beside]: [UsageSpec; 2], telemetry: &Telemetry) -> TrackProbes {
        let plain = telemetry.probe(ProbeSpec { usage: Some(evidence), ..spec.clone() });
        let beside = telemetry.probe(ProbeSpec { usage: Some(beside), ..spec.clone() });
        TrackProbes { spec, plain, beside, detailed: RouteProbes::default() }
    }

    fn counts(&self) -> Counts {
        let totals = self.plain.totals();
        let total = |at: usize| totals.get(at).copied().unwrap_or(Total::default());
        let (mut used, beside) = (self.plain.used(), self.beside.used());
        used.iter_mut().zip(beside).for_each(|(sum, more)| *sum += more);
        Counts {
            requests: total(COUNT).count,
            server_errors: total(SERVER_ERRORS).sum as u64,
            used: TrackUse::of(&used),
        }
    }

    fn detail(&self, path: &str, method: &str, telemetry: &Telemetry) -> Arc<Probe> {
        let of_stage = self.spec.dimension_sets[1..].iter();
        let of_method =
            of_stage.map(|set| set.iter().chain([("Resource", path), ("Method", method)]).collect());
        telemetry.probe(ProbeSpec { dimension_sets: of_method.collect(), ..self.spec.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FunctionUse;

    #[test]
    fn those_who_try_a_canary_see_route_caller_and_cold_starts() {
        let functions = FunctionUse { cold_starts: 1, environment: 7, ..FunctionUse::default() };
        let measured = Measured {
            at_ms: 0,
            method: "GET",
            resource_path: Some("/pets/{id}"),
            is_detailed: false,
            status: 500,
            latency_us: 1234,
            integration_latency_us: None,
            is_cache_hit: None,
            used: TrackUse { functions, ..TrackUse::default() },
            source_ip: "192.0.2.1",
        };
        let seen = measured.tried(true, None);
        assert_eq!((seen.arm, seen.route), (STAGE_CANARY, Some(("GET", "/pets/{id}"))));
        assert_eq!((seen.latency_us, seen.is_cold, seen.is_failure), (1234, true, true));
        assert_eq!(seen.environment, Some(7));
        let other = Measured { source_ip: "192.0.2.2", status: 499, used: TrackUse::default(), ..measured };
        let next = other.tried(false, None);
        assert_eq!((next.arm, next.is_cold, next.is_failure), (STAGE_BASE, false, false));
        assert_eq!(next.environment, None, "no function ran");
        assert!(next.client.is_some() && next.client != seen.client);
    }

    #[test]
    fn what_is_no_evidence_is_measured_but_not_counted() {
        let folder = tempfile::tempdir().expect("a folder");
        let telemetry = Telemetry::open(folder.path(), &Default::default()).expect("telemetry");
        let api = ("ApiName", "pets");
        let spec = ProbeSpec {
            scope: Default::default(),
            namespace: "AWS/ApiGateway".to_owned(),
            metrics: ["Count", "4XXError", "5XXError"].map(|name| (name.to_owned(), Unit::Count)).to_vec(),
            dimension_sets: vec![[api].into_iter().collect(), [api, ("Stage", "prod")].into_iter().collect()],
            resolution: Resolution::Minute,
            usage: None,
        };
        let usage = [true, false]
            .map(|is_evidence| used::rest_spec(&Default::default(), "a1", "prod", true, is_evidence));
        let probes = TrackProbes::of(spec, usage, &telemetry);
        probes.plain.record_used(0, &[1.0, 0.0, 0.0], &[1, 0, 10]);
        probes.beside.record_used(0, &[1.0, 0.0, 1.0], &[1, 0, 10]);
        let used = TrackUse { requests: 2, bytes_out: 20, ..TrackUse::default() };
        assert_eq!(probes.counts(), Counts { requests: 1, server_errors: 0, used }, "both are used");
        let all = telemetry.counted();
        assert_eq!(all.iter().map(|counted| counted.totals[0].count).sum::<u64>(), 2, "both are measured");
    }
}
