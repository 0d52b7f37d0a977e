use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pitbird_telemetry::Telemetry;
use pitbird_telemetry::logs::Tap;
use pitbird_trace::Spans;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::client::Client;
use crate::config::{Config, Signal};
use crate::deliver::{Outbox, Payload, outbox};
use crate::losses::Losses;
use crate::metrics::Totals;
use crate::resource::Origin;
use crate::{logs, traces};

/// Spans of one request.
const SPANS_MAX: usize = 512;
/// Text of the log events of one request, bytes; the last batch may go beyond it.
const LOG_BYTES: usize = 512 << 10;
/// How long spans and log events are gathered.
const GATHERED_FOR: Duration = Duration::from_secs(1);
/// How long the last of it may take to go out.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// Exports until it is stopped.
pub struct Exporter {
    stop: watch::Sender<bool>,
    losses: Arc<Losses>,
    tasks: Vec<JoinHandle<()>>,
}

/// What the tasks that gather share.
#[derive(Clone)]
struct Means {
    origin: Arc<Origin>,
    losses: Arc<Losses>,
    is_compressed: bool,
    stopped: watch::Receiver<bool>,
}

impl Exporter {
    /// Begins to export what is recorded, measured and logged from now on. Needs a tokio runtime.
    pub fn start(config: &Config, spans: Spans, telemetry: &Arc<Telemetry>) -> Exporter {
        let (stop, stopped) = watch::channel(false);
        let losses = Arc::new(Losses::default());
        let client = Arc::new(Client::new(config));
        let instance = format!("{:032x}", fastrand::u128(..));
        let origin = Arc::new(Origin::new(&config.service_name, &instance, &config.attributes));
        let means = Means {
            origin,
            losses: losses.clone(),
            is_compressed: config.is_compressed,
            stopped: stopped.clone(),
        };
        let mut tasks = Vec::new();
        let mut spans = Some(spans);
        for signal in Signal::ALL {
            let Some(endpoint) = config.endpoints[signal as usize].clone() else { continue };
            let (outbox, delivery) = outbox(signal, &losses, &client, endpoint, stopped.clone());
            tasks.push(tokio::spawn(delivery.run()));
            let means = means.clone();
            tasks.push(match signal {
                Signal::Traces => match spans.take() {
                    Some(spans) => tokio::spawn(means.gather_spans(spans, outbox)),
                    None => continue,
                },
                Signal::Metrics => {
                    let totals = watched(config.is_delta, &losses, telemetry);
                    let (telemetry, interval) = (telemetry.clone(), config.metric_interval);
                    tokio::spawn(means.gather_metrics(totals, telemetry, interval, outbox))
                }
                Signal::Logs => {
                    let tap = telemetry.export_tap(Arc::new(|_, _, _| true));
                    tokio::spawn(means.gather_logs(tap, outbox))
                }
            });
        }
        Exporter { stop, losses, tasks }
    }

    /// What was dropped so far.
    pub fn losses(&self) -> &Losses {
        &self.losses
    }

    /// Sends what there is, for at most five seconds. Log events come to their end only when telemetry has been closed before.
    pub async fn stop(self) {
        let _nobody_exports = self.stop.send(true);
        let aborts: Vec<_> = self.tasks.iter().map(JoinHandle::abort_handle).collect();
        let all = async {
            for task in self.tasks {
                if let Err(error) = task.await
                    && error.is_panic()
                {
                    tracing::error!("a task that exports telemetry has panicked");
                }
            }
        };
        if tokio::time::timeout(STOP_TIMEOUT, all).await.is_err() {
            aborts.iter().for_each(tokio::task::AbortHandle::abort);
            tracing::warn!("the last telemetry didn't reach the collector in time");
        }
    }
}

/// Totals of all that is measured from now on.
fn watched(is_delta: bool, losses: &Arc<Losses>, telemetry: &Telemetry) -> Arc<Totals> {
    let totals = Arc::new(Totals::new(is_delta));
    let (adding, losses) = (totals.clone(), losses.clone());
    telemetry.watch_metrics(Arc::new(move |measured| {
        if !adding.add(measured) {
            losses.add(Signal::Metrics, 1, "there are too many series");
        }
    }));
    totals
}

impl Means {
    async fn gather_spans(mut self, mut spans: Spans, outbox: Outbox) {
        let mut dropped = 0;
        let mut is_open = true;
        while is_open {
            let mut batch = Vec::new();
            is_open = tokio::select! {
                count = spans.take(&mut batch, SPANS_MAX) => count > 0,
                _ = self.stopped.changed() => false,
            };
            if is_open {
                let more = async {
                    while batch.len() < SPANS_MAX {
                        let room = SPANS_MAX - batch.len();
                        if spans.take(&mut batch, room).await == 0 {
                            return;
                        }
                    }
                };
                tokio::select! {
                    _ = tokio::time::timeout(GATHERED_FOR, more) => {}
                    _ = self.stopped.changed() => is_open = false,
                }
            }
            if !is_open {
                batch.extend(std::iter::from_fn(|| spans.try_take()));
            }
            let now_dropped = spans.dropped();
            self.losses.add(
                Signal::Traces,
                now_dropped - std::mem::replace(&mut dropped, now_dropped),
                "spans came too fast",
            );
            while !batch.is_empty() {
                let rest = batch.split_off(batch.len().min(SPANS_MAX));
                let part = std::mem::replace(&mut batch, rest);
                let (origin, items) = (self.origin.clone(), part.len() as u64);
                self.put(&outbox, move || vec![(traces::encode(&origin, part), items)]).await;
            }
        }
    }

    async fn gather_metrics(
        mut self,
        totals: Arc<Totals>,
        telemetry: Arc<Telemetry>,
        interval: Duration,
        outbox: Outbox,
    ) {
        let mut start_ns = now_ns();
        let is_delta = totals.is_delta();
        let mut is_open = true;
        while is_open {
            tokio::select! {
                // Metrics are told at intervals: that is what is awaited.
                () = tokio::time::sleep(interval) => {}
                _ = self.stopped.changed() => is_open = false,
            }
            // Fails when it is closed, and then there is nothing more to come.
            let _ = telemetry.flush().await;
            let times = (start_ns, now_ns());
            if is_delta {
                start_ns = times.1;
            }
            let (origin, losses, totals) = (self.origin.clone(), self.losses.clone(), totals.clone());
            self.put(&outbox, move || totals.encode(&origin, &losses, times)).await;
        }
    }

    /// Until telemetry is closed.
    async fn gather_logs(self, mut tap: Tap, outbox: Outbox) {
        let mut missed = 0;
        while let Some(first) = tap.next().await {
            let mut bytes = first.text_bytes();
            let mut batches = vec![first];
            let more = async {
                while bytes < LOG_BYTES {
                    let Some(next) = tap.next().await else { return };
                    bytes += next.text_bytes();
                    batches.push(next);
                }
            };
            // What stops is over soon: telemetry has been closed.
            let wait = if *self.stopped.borrow() { Duration::ZERO } else { GATHERED_FOR };
            let _ = tokio::time::timeout(wait, more).await;
            let now_missed = tap.missed();
            self.losses.add(
                Signal::Logs,
                now_missed - std::mem::replace(&mut missed, now_missed),
                "log events came too fast",
            );
            let items = batches.iter().map(|batch| batch.len() as u64).sum();
            let origin = self.origin.clone();
            self.put(&outbox, move || vec![(logs::encode(&origin, &batches), items)]).await;
        }
    }

    /// Encodes where that keeps nobody from a request, and leaves it to be sent.
    async fn put(&self, outbox: &Outbox, encode: impl FnOnce() -> Vec<(Vec<u8>, u64)> + Send + 'static) {
        let is_compressed = self.is_compressed;
        let payloads = tokio::task::spawn_blocking(move || {
            let payload = |(message, items)| Payload::new(message, items, is_compressed);
            encode().into_iter().map(payload).collect::<Vec<_>>()
        });
        // Cancelled only when the runtime ends.
        payloads.await.unwrap_or_default().into_iter().for_each(|payload| outbox.put(payload));
    }
}

/// Nanoseconds since 1970.
fn now_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}

#[cfg(test)]
mod tests;
