//! The metrics of `AWS/Lambda`, with every dimension set in which they are found.

use std::sync::Arc;

use pitbird_names::{Qualifier, Scope, VersionId};
use pitbird_prices::Quantity;
use pitbird_telemetry::Telemetry;
use pitbird_telemetry::metrics::{Dimensions, Probe, ProbeSpec, Resolution, Unit};
use pitbird_telemetry::tally::{self, Request, Slot};
use pitbird_telemetry::usage::{Subject, UsageSpec};

use crate::invocation::Billed;

const NAMESPACE: &str = "AWS/Lambda";

/// What one invocation measures.
#[derive(Debug, Clone)]
pub(crate) struct InvocationProbe {
    probe: Arc<Probe>,
    /// Of an alias: where those count who try versions under it, and the number of the version that ran.
    trial: Option<(Arc<Slot>, u64)>,
}

/// How an invocation went, for those who try its version.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Went {
    /// From when its environment got the event until it answered.
    pub latency_us: u64,
    pub is_cold: bool,
    pub is_error: bool,
    /// Its environment's number.
    pub environment: u64,
}

impl InvocationProbe {
    /// The probe of a function called unqualified or as `$LATEST`, by a version's number, or through an alias that
    /// chose `executed`.
    pub fn new(telemetry: &Telemetry, scope: &Scope, function: &str, target: &Called) -> InvocationProbe {
        let metrics = [
            ("Invocations", Unit::Count),
            ("Errors", Unit::Count),
            ("Duration", Unit::Milliseconds),
            ("Throttles", Unit::Count),
            ("ProvisionedConcurrencyInvocations", Unit::Count),
            ("ProvisionedConcurrencySpilloverInvocations", Unit::Count),
            ("PostRuntimeExtensionsDuration", Unit::Milliseconds),
        ];
        let mut spec = spec(scope, &metrics, target.dimension_sets(function));
        spec.usage = Some(usage(scope, function, target.executed()));
        let trial = match target {
            Called::Alias { name, executed: VersionId::Number(executed) } => {
                let (scope, function, alias) = (scope.clone(), function.to_owned(), name.clone());
                Some((telemetry.slot(tally::Subject::Alias { scope, function, alias }), *executed))
            }
            _ => None,
        };
        InvocationProbe { probe: telemetry.probe(spec), trial }
    }

    /// Tells whoever tries the version that ran. Costs nothing but a look where nobody does.
    pub fn tried(&self, went: Went) {
        let Some((slot, arm)) = &self.trial else { return };
        slot.record(|| Request {
            arm: *arm,
            route: None,
            latency_us: went.latency_us,
            is_cold: went.is_cold,
            is_failure: went.is_error,
            client: None,
            environment: Some(went.environment),
            drawn: None,
        });
    }

    /// `on_provisioned` says whether it ran where environments are kept ready, and was in one of those; `billed` is for
    /// [`InvocationProbe::extended`] to tell where it isn't known yet.
    pub fn ended(
        &self,
        at_ms: i64,
        duration_ms: f64,
        is_error: bool,
        on_provisioned: Option<bool>,
        billed: Option<Billed>,
    ) {
        let (ready, spilled) = match on_provisioned {
            Some(true) => (1.0, f64::NAN),
            Some(false) => (f64::NAN, 1.0),
            None => (f64::NAN, f64::NAN),
        };
        let error = f64::from(u8::from(is_error));
        let [on_demand, provisioned] = mib_ms(billed.unwrap_or_default());
        let values = [1.0, error, duration_ms, f64::NAN, ready, spilled, f64::NAN];
        self.probe.record_used(at_ms, &values, &[1, on_demand, provisioned]);
    }

    /// How long extensions worked on after the function had answered, and what all of it comes to.
    pub fn extended(&self, at_ms: i64, extensions_ms: f64, billed: Billed) {
        let nothing = f64::NAN;
        let [on_demand, provisioned] = mib_ms(billed);
        let values = [nothing, nothing, nothing, nothing, nothing, nothing, extensions_ms];
        self.probe.record_used(at_ms, &values, &[0, on_demand, provisioned]);
    }

    /// A throttled call counts in `Throttles` only.
    pub fn throttled(&self, at_ms: i64) {
        self.probe.record(at_ms, &[f64::NAN, f64::NAN, f64::NAN, 1.0, f64::NAN, f64::NAN, f64::NAN]);
    }

    pub fn counts(&self) -> Counts {
        let totals = self.probe.totals();
        let used = self.probe.used();
        Counts {
            invocations: totals[0].count,
            errors: totals[1].sum as u64,
            throttles: totals[3].count,
            mib_ms: used[1],
            provisioned_mib_ms: used[2],
        }
    }
}

/// What has been counted since the server started, or since nobody held the counter any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Invocations that ended.
    pub invocations: u64,
    /// Those of them that ended in a function error.
    pub errors: u64,
    /// Calls that were refused for want of concurrency; not among the invocations.
    pub throttles: u64,
    /// Billed milliseconds times MiB, on demand and where environments are kept ready.
    pub mib_ms: u64,
    pub provisioned_mib_ms: u64,
}

/// On demand and where environments are kept ready.
fn mib_ms(billed: Billed) -> [u64; 2] {
    if billed.is_provisioned { [0, billed.mib_ms] } else { [billed.mib_ms, 0] }
}

/// What a version of a function uses, in the order of what the probe is given. Functions run on the host's own architecture.
fn usage(scope: &Scope, function: &str, version: VersionId) -> UsageSpec {
    let durations = [false, true].map(Quantity::host_duration);
    let quantities = [Quantity::FunctionRequests].into_iter().chain(durations);
    UsageSpec {
        subject: Subject {
            scope: scope.clone(),
            service: "Lambda".to_owned(),
            names: [("FunctionName", function.to_owned()), ("Version", version.to_string())]
                .into_iter()
                .collect(),
        },
        quantities: quantities.map(|quantity| quantity.as_str().to_owned()).collect(),
        totals_only: 0,
        part: String::new(),
    }
}

/// The live counts of what one version did under one alias. They grow as long as this is held.
#[derive(Debug, Clone)]
pub struct LiveCounts(pub(crate) InvocationProbe);

impl LiveCounts {
    /// Counts so far; an invocation is in them before its caller has the answer.
    pub fn read(&self) -> Counts {
        self.0.counts()
    }
}

/// How a function was called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Called {
    Unqualified,
    Version(u64),
    Alias { name: String, executed: VersionId },
}

impl Called {
    /// How a call without an alias was made.
    pub fn plainly(qualifier: Option<&Qualifier>) -> Called {
        match qualifier {
            Some(Qualifier::Version(VersionId::Number(number))) => Called::Version(*number),
            _ => Called::Unqualified,
        }
    }

    /// The version that runs.
    fn executed(&self) -> VersionId {
        match self {
            Called::Unqualified => VersionId::Latest,
            Called::Version(number) => VersionId::Number(*number),
            Called::Alias { executed, .. } => *executed,
        }
    }

    fn dimension_sets(&self, function: &str) -> Vec<Dimensions> {
        let name = ("FunctionName", function.to_owned());
        let resource = match self {
            Called::Unqualified => function.to_owned(),
            Called::Version(number) => format!("{function}:{number}"),
            Called::Alias { name, .. } => format!("{function}:{name}"),
        };
        let resource = ("Resource", resource);
        let mut sets = vec![
            Dimensions::none(),
            [name.clone()].into_iter().collect(),
            [name.clone(), resource.clone()].into_iter().collect(),
        ];
        if let Called::Alias { executed, .. } = self {
            sets.push([name, resource, ("ExecutedVersion", executed.to_string())].into_iter().collect());
        }
        sets
    }
}

/// `ConcurrentExecutions` of a function.
pub(crate) fn function_concurrency(scope: &Scope, function: &str) -> ProbeSpec {
    let sets = vec![[("FunctionName", function)].into_iter().collect()];
    spec(scope, &[("ConcurrentExecutions", Unit::Count)], sets)
}

/// How many of the environments that a version or an alias asks to be kept ready are at work, and which part of all that is.
pub(crate) fn provisioned_concurrency(scope: &Scope, function: &str, qualifier: &Qualifier) -> ProbeSpec {
    let resource = format!("{function}:{qualifier}");
    let sets = vec![
        [("FunctionName", function)].into_iter().collect(),
        [("FunctionName", function), ("Resource", &resource)].into_iter().collect(),
    ];
    let metrics =
        [("ProvisionedConcurrentExecutions", Unit::Count), ("ProvisionedConcurrencyUtilization", Unit::None)];
    spec(scope, &metrics, sets)
}

/// How much of an account's concurrency is in use: in all; by functions without a share of their own; by those, or set aside for
/// somebody.
pub(crate) fn account_concurrency(scope: &Scope) -> ProbeSpec {
    let metrics = ["ConcurrentExecutions", "UnreservedConcurrentExecutions", "ClaimedAccountConcurrency"];
    spec(scope, &metrics.map(|name| (name, Unit::Count)), vec![Dimensions::none()])
}

/// What becomes of a function's queued events.
#[derive(Debug)]
pub(crate) struct EventProbe(Arc<Probe>);

const EVENT_METRICS: [(&str, Unit); 5] = [
    ("AsyncEventsReceived", Unit::Count),
    ("AsyncEventAge", Unit::Milliseconds),
    ("AsyncEventsDropped", Unit::Count),
    ("DestinationDeliveryFailures", Unit::Count),
    ("RecursiveInvocationsDropped", Unit::Count),
];

impl EventProbe {
    /// `qualifier` is what the caller named: a version or an alias.
    pub fn new(telemetry: &Telemetry, scope: &Scope, function: &str, qualifier: Option<&str>) -> EventProbe {
        let name = ("FunctionName", function.to_owned());
        let resource = match qualifier.filter(|qualifier| *qualifier != "$LATEST") {
            Some(qualifier) => format!("{function}:{qualifier}"),
            None => function.to_owned(),
        };
        let sets = vec![
            Dimensions::none(),
            [name.clone()].into_iter().collect(),
            [name, ("Resource", resource)].into_iter().collect(),
        ];
        EventProbe(telemetry.probe(spec(scope, &EVENT_METRICS, sets)))
    }

    pub fn received(&self, at_ms: i64) {
        self.record(at_ms, 0, 1.0);
    }

    pub fn age(&self, at_ms: i64, age_ms: i64) {
        self.record(at_ms, 1, age_ms as f64);
    }

    pub fn dropped(&self, at_ms: i64) {
        self.record(at_ms, 2, 1.0);
    }

    /// A destination couldn't be told.
    pub fn undelivered(&self, at_ms: i64) {
        self.record(at_ms, 3, 1.0);
    }

    /// A loop of destinations was ended.
    pub fn unlooped(&self, at_ms: i64) {
        self.record(at_ms, 4, 1.0);
    }

    fn record(&self, at_ms: i64, metric: usize, value: f64) {
        let mut values = [f64::NAN; EVENT_METRICS.len()];
        values[metric] = value;
        self.0.record(at_ms, &values);
    }
}

fn spec(scope: &Scope, metrics: &[(&str, Unit)], dimension_sets: Vec<Dimensions>) -> ProbeSpec {
    ProbeSpec {
        scope: scope.clone(),
        namespace: NAMESPACE.to_owned(),
        metrics: metrics.iter().map(|(name, unit)| ((*name).to_owned(), *unit)).collect(),
        dimension_sets,
        resolution: Resolution::Minute,
        usage: None,
    }
}
