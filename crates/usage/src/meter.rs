//! What costs by the time, told to the ledger.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pitbird_names::Scope;
use pitbird_prices::Quantity;
use pitbird_records::alarm::Watched;
use pitbird_records::{Alarm, CompositeAlarm};
use pitbird_store::Store;
use pitbird_telemetry::metrics::Dimensions;
use pitbird_telemetry::usage::{Level, Subject};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::{Error, State};

/// How often it is told. What comes and goes between two times isn't counted.
const PERIOD: Duration = Duration::from_secs(60);
/// Under which name the ledger remembers when it was told.
const NAME: &str = "configured";
/// Alarms that look more often than this, in seconds, have a price of their own. Source: aws.amazon.com/cloudwatch/pricing.
const HIGH_RESOLUTION_S: u32 = 60;

/// The task that tells, until it is stopped.
pub struct Meter {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Meter {
    /// Tells once more, and ends.
    pub async fn stop(self) {
        drop(self.stop);
        if self.task.await.is_err() {
            tracing::error!("the meter of usage has panicked");
        }
    }
}

/// Starts telling: at once, then every minute.
pub fn start_meter(state: Arc<State>) -> Meter {
    let (stop, mut stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(async move {
        loop {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            if let Err(error) = tell(&state, since.as_millis() as i64).await {
                tracing::error!(%error, "alarms and provisioned concurrency can't be counted");
            }
            if stopped.try_recv() != Err(oneshot::error::TryRecvError::Empty) {
                return;
            }
            let _passed_or_stopped = tokio::time::timeout(PERIOD, &mut stopped).await;
        }
    });
    Meter { stop, task }
}

/// Tells what is configured, as of `now_ms` (milliseconds since 1970).
pub async fn tell(state: &State, now_ms: i64) -> Result<(), Error> {
    let mut levels = alarms(&state.store)?;
    levels.extend(provisioned(&state.store));
    Ok(state.telemetry.tell_levels(NAME, now_ms, levels).await?)
}

/// Alarms cost by the metrics that they watch, composite ones as they are.
fn alarms(store: &Store) -> Result<Vec<Level>, Error> {
    let mut counts: HashMap<(Scope, Quantity), u64> = HashMap::new();
    for alarm in store.list::<Alarm>("")? {
        let Alarm { head, rule } = alarm.record;
        let (quantity, metrics) = watched(&rule.watched);
        // A band's two edges are metrics, too.
        let edges = if rule.threshold_metric.is_some() { 2 } else { 0 };
        *counts.entry((head.scope, quantity)).or_default() += metrics + edges;
    }
    for alarm in store.list::<CompositeAlarm>("")? {
        *counts.entry((alarm.record.head.scope, Quantity::CompositeAlarmMinutes)).or_default() += 1;
    }
    let level = |((scope, quantity), amount): ((Scope, Quantity), u64)| Level {
        subject: Subject { scope, service: "CloudWatch".to_owned(), names: Dimensions::none() },
        quantity: quantity.as_str().to_owned(),
        amount,
    };
    Ok(counts.into_iter().map(level).collect())
}

fn watched(watched: &Watched) -> (Quantity, u64) {
    let (period_s, metrics) = match watched {
        Watched::Metric(metric) => (metric.period_s, 1),
        Watched::Queries { queries } => {
            let metrics: Vec<u32> =
                queries.iter().filter_map(|query| Some(query.statistic.as_ref()?.period_s)).collect();
            // A query without a metric of its own (Metrics Insights) counts as one.
            (metrics.iter().copied().min().unwrap_or(HIGH_RESOLUTION_S), metrics.len().max(1) as u64)
        }
    };
    match period_s < HIGH_RESOLUTION_S {
        true => (Quantity::HighResolutionAlarmMinutes, metrics),
        false => (Quantity::StandardAlarmMinutes, metrics),
    }
}

/// Provisioned concurrency costs by its memory, in use or not, from when it is asked for.
fn provisioned(store: &Store) -> Vec<Level> {
    let snapshot = store.snapshot();
    let quantity = match cfg!(target_arch = "aarch64") {
        true => Quantity::ProvisionedConcurrencyArm,
        false => Quantity::ProvisionedConcurrencyX86,
    };
    let mut levels = Vec::new();
    for function in snapshot.functions() {
        for (id, environments) in function.provisioned_versions() {
            let Some(version) = function.versions.get(&id) else { continue };
            let memory_mib = u64::from(version.record.settings.memory_mib);
            let names =
                [("FunctionName", function.name.clone()), ("Version", id.to_string())].into_iter().collect();
            levels.push(Level {
                subject: Subject { scope: function.scope.clone(), service: "Lambda".to_owned(), names },
                quantity: quantity.as_str().to_owned(),
                amount: memory_mib * u64::from(environments),
            });
        }
    }
    levels
}
