use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use pitbird_names::{Month, Scope};
use tokio::sync::{Semaphore, oneshot};

use crate::error::{Error, Result};
use crate::logs::{
    self, EventPage, EventPointer, FilterPage, FilterQuery, GetQuery, GroupRetention, GroupSummary, Intake,
    Lines, LogStream, LogWriter, NewEvent, Outlet, Record, ScanProgress, ScanQuery, Spread, StreamName,
    StreamPage, StreamQuery, Tap, Visit, Wanted,
};
use crate::metrics::{
    self, Aggregate, Counted, Custom, CustomTotals, Datapoint, Datum, ListQuery, Metric, MetricPage,
    MetricQuery, MetricWriter, Probe, ProbeSpec, Probes, SeriesQuery, Watch, Watched,
};
use crate::sqlite::Readers;
use crate::tally::{Slot, Slots, Subject};
use crate::usage::{self, Ledger, Level, Used};
use crate::writer::{Ack, Bell, Command, Writer};

/// Scans that run at the same time; others wait. Each uses all cores.
const SCANS_AT_ONCE: usize = 4;

/// What acknowledged data survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// The end of the process, however it comes. A loss of power may take the last moments.
    #[default]
    Process,
    /// A loss of power too, at the price of a disk flush per batch.
    Machine,
}

/// Bounds and promises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    pub durability: Durability,
    /// Room for lines of the data plane that aren't filed yet, bytes. Beyond it lines are dropped and counted.
    pub lines_bytes: usize,
    /// Room for what callers put and append and that isn't durable yet, bytes. Beyond it they wait.
    pub calls_bytes: usize,
    /// Metrics (with their units) that may exist; beyond it new ones are refused.
    pub metrics_max: usize,
    /// Are measurements and lines of the data plane taken? Without them probes count nothing, also not for rollouts and usage: only
    /// whoever measures what they cost wants that.
    pub takes_data_plane: bool,
}

impl Default for Config {
    /// Process durability, 32 MiB of lines, 16 MiB of calls, a million metrics, everything taken.
    fn default() -> Config {
        Config {
            durability: Durability::Process,
            lines_bytes: 32 << 20,
            calls_bytes: 16 << 20,
            metrics_max: 1_000_000,
            takes_data_plane: true,
        }
    }
}

/// Logs and metrics of one folder.
///
/// Asynchronous methods need a tokio runtime: they read on its blocking threads. All may be called from everywhere at
/// once. Dropping it flushes and waits for the writer; [`Telemetry::close`] does the same and says how it went.
#[derive(Debug)]
pub struct Telemetry {
    commands: Sender<Command>,
    probes: Arc<Probes>,
    custom: Custom,
    slots: Slots,
    intake: Arc<Intake>,
    outlet: Arc<Outlet>,
    export: Arc<Outlet>,
    watched: Watched,
    shared: Arc<Shared>,
    /// Room for calls, in KiB.
    room: Arc<Semaphore>,
    room_kib: u32,
    /// Turns to scan.
    scans: Arc<Semaphore>,
    writer: Mutex<Option<JoinHandle<()>>>,
    /// Locked while the folder is ours.
    _lock: File,
}

struct Shared {
    folder: PathBuf,
    metrics: PathBuf,
    logs: PathBuf,
    readers: Arc<Readers>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("folder", &self.folder)
            .field("metrics", &self.metrics)
            .field("logs", &self.logs)
            .finish_non_exhaustive()
    }
}

impl Telemetry {
    /// Opens the folder, makes what is missing in it, and starts the writer. A folder that another process has open is
    /// [`Error::Locked`]; a damaged catalogue is [`Error::Corrupt`], named.
    pub fn open(dir: &Path, config: &Config) -> Result<Arc<Telemetry>> {
        let (metrics, logs) = (dir.join("metrics"), dir.join("logs"));
        for folder in [&metrics, &logs] {
            std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, &e))?;
        }
        let lock = lock(&dir.join("lock"))?;
        let (commands, received) = mpsc::channel();
        let bell = Bell::new(commands.clone());
        let probes = Probes::new(bell.clone(), config.takes_data_plane);
        let intake = Intake::new(bell.clone(), config.lines_bytes, config.takes_data_plane);
        let readers = Arc::new(Readers::default());
        let watched = Watched::default();
        let metric_writer = MetricWriter::open(&metrics, config, probes.clone(), watched.clone())?;
        let custom = metric_writer.custom();
        let (outlet, export) = (Arc::new(Outlet::default()), Arc::new(Outlet::default()));
        let outlets = [outlet.clone(), export.clone()];
        let log_writer = LogWriter::open(&logs, config, intake.clone(), outlets)?;
        let ledger = Ledger::open(dir, config.durability)?;
        let writer = Writer::new(received, bell, metric_writer, log_writer, ledger, readers.clone());
        let writer = std::thread::Builder::new()
            .name("telemetry".to_owned())
            .spawn(|| writer.run())
            .map_err(|e| Error::io(dir, &e))?;
        let room_kib = u32::try_from(config.calls_bytes >> 10).unwrap_or(u32::MAX >> 4).max(1);
        Ok(Arc::new(Telemetry {
            commands,
            probes,
            custom,
            slots: Slots::default(),
            intake,
            outlet,
            export,
            watched,
            shared: Arc::new(Shared { folder: dir.to_path_buf(), metrics, logs, readers }),
            room: Arc::new(Semaphore::new(room_kib as usize)),
            room_kib,
            scans: Arc::new(Semaphore::new(SCANS_AT_ONCE)),
            writer: Mutex::new(Some(writer)),
            _lock: lock,
        }))
    }

    /// The probe of these measurements. The same spec gives the same probe, and with it running totals, as long as
    /// somebody holds it. Made off the request's path; held, not looked up, on it.
    pub fn probe(&self, spec: ProbeSpec) -> Arc<Probe> {
        self.probes.get(spec)
    }

    /// Where the data plane finds who counts on a subject, and whoever wants to count puts his tally.
    pub fn slot(&self, subject: Subject) -> Arc<Slot> {
        self.slots.of(subject)
    }

    /// What all probes have counted since the process began. Totals never shrink, except where negative samples were taken. Counts of
    /// the last moment may be missing; nobody is held up for longer than the copying of a few numbers takes.
    pub fn counted(&self) -> Vec<Counted> {
        self.probes.counted()
    }

    /// What metrics that aren't services' own have got since the process began; a bounded number of series.
    pub fn custom_totals(&self) -> CustomTotals {
        self.custom.totals()
    }

    /// A stream for lines of the data plane; made, with its group here, when the first line is filed.
    pub fn log_stream(&self, scope: &Scope, group: &str, stream: &str, spread: Spread) -> Arc<LogStream> {
        self.intake.stream(stream_name(scope, group, stream), spread)
    }

    /// Opens the tap: events as they are filed from now on, of the batches that are `wanted`. There is one tap; an earlier
    /// one gets nothing any more. What was filed but not taken when the process ends is not seen again.
    pub fn tap(&self, wanted: Wanted) -> Tap {
        self.outlet.open(wanted)
    }

    /// A second tap, for whoever hands all events on to somewhere else.
    pub fn export_tap(&self, wanted: Wanted) -> Tap {
        self.export.open(wanted)
    }

    /// From now on `watch` is shown what is added to any series. There is one; `false` when there was one already.
    pub fn watch_metrics(&self, watch: Watch) -> bool {
        self.watched.by(watch)
    }

    /// Lines that found no room since the start.
    pub fn lines_dropped(&self) -> u64 {
        self.intake.dropped()
    }

    /// Keeps what PutMetricData brings; durable on return. The caller has checked names and numbers.
    pub async fn put(&self, scope: &Scope, namespace: &str, data: Vec<Datum>) -> Result<()> {
        let room = self.room(data.iter().map(Datum::bytes).sum()).await?;
        let (scope, namespace) = (scope.clone(), namespace.to_owned());
        self.call(|ack| Command::Put { scope, namespace, data, ack, room }).await
    }

    /// Answers each query, in order, from one moment on: what was measured and put before is in it. Thousands at once cost far
    /// less than one by one.
    pub async fn statistics(&self, queries: Vec<MetricQuery>) -> Result<Vec<Vec<Datapoint>>> {
        self.read(move |shared| metrics::read(&shared.metrics, &shared.readers, &queries)).await
    }

    /// The samples themselves of each query's periods, by the periods' starts in milliseconds; of their distributions as much as the
    /// query's statistics need.
    pub async fn samples(&self, queries: Vec<MetricQuery>) -> Result<Vec<BTreeMap<i64, Aggregate>>> {
        self.read(move |shared| metrics::read_samples(&shared.metrics, &shared.readers, &queries)).await
    }

    /// One statistic over time for each query, in order, from one moment on, as [`Telemetry::statistics`] is: times of periods'
    /// starts in milliseconds, by ascending time.
    pub async fn series(&self, queries: Vec<SeriesQuery>) -> Result<Vec<Vec<(i64, f64)>>> {
        self.read(move |shared| metrics::read_series(&shared.metrics, &shared.readers, &queries)).await
    }

    /// Metrics that a query lists (its `limit` and `token` don't matter) and that `fits` takes, at most `most`.
    pub async fn find_metrics(
        &self,
        query: ListQuery,
        most: usize,
        fits: impl Fn(&Metric) -> bool + Send + 'static,
    ) -> Result<Vec<Metric>> {
        self.read(move |shared| metrics::find(&shared.metrics, &shared.readers, &query, most, fits)).await
    }

    /// Lists metrics.
    pub async fn metrics(&self, query: ListQuery) -> Result<MetricPage> {
        self.read(move |shared| metrics::list(&shared.metrics, &shared.readers, &query)).await
    }

    /// Makes a stream without events; [`Error::StreamExists`] if there is one of the name.
    pub async fn create_stream(&self, scope: &Scope, group: &str, stream: &str) -> Result<()> {
        let name = stream_name(scope, group, stream);
        self.call(|ack| Command::CreateStream { name, ack }).await
    }

    /// Files events; durable on return. They may be in any order of time. [`Error::NoStream`] if there is none.
    pub async fn append(&self, scope: &Scope, group: &str, stream: &str, events: &[NewEvent]) -> Result<()> {
        let name = stream_name(scope, group, stream);
        let mut lines = Lines::default();
        events.iter().for_each(|event| lines.push(event.at_ms, &event.message));
        let room = self.room(lines.text.len() + events.len() * 64).await?;
        self.call(|ack| Command::Append { name, lines, ack, room }).await
    }

    /// Removes a stream and its events; durable on return. [`Error::NoStream`] if there is none. Lines that a
    /// [`LogStream`] writes afterwards make it anew.
    pub async fn delete_stream(&self, scope: &Scope, group: &str, stream: &str) -> Result<()> {
        let name = stream_name(scope, group, stream);
        self.call(|ack| Command::DeleteStream { name, ack }).await
    }

    /// Removes a group's streams and events; durable on return. A group without streams is no error.
    pub async fn delete_group(&self, scope: &Scope, group: &str) -> Result<()> {
        let (scope, group) = (scope.clone(), group.to_owned());
        self.call(|ack| Command::DeleteGroup { scope, group, ack }).await
    }

    /// One stream's events.
    pub async fn events(&self, query: GetQuery) -> Result<EventPage> {
        self.read(move |shared| logs::get(&shared.logs, &shared.readers, &query)).await
    }

    /// A group's events.
    pub async fn filter(&self, query: FilterQuery) -> Result<FilterPage> {
        self.read(move |shared| logs::filter(&shared.logs, &shared.readers, &query)).await
    }

    /// Shows the query's events to visitors, on as many threads as there are cores, each with a visitor of its own that
    /// `make` has made. Returns the visitors, to be merged. `progress` tells how far it is and can end it; when the
    /// future is dropped the scan ends by itself. [`Error::Corrupt`] names a damaged file that lies in the range.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use pitbird_telemetry::{Config, Telemetry};
    /// # use pitbird_telemetry::logs::{Flow, ScanProgress, ScanQuery, ScannedEvent, StreamChoice, Visit};
    /// #[derive(Default)]
    /// struct Longest(usize);
    ///
    /// impl Visit for Longest {
    ///     fn event(&mut self, event: &ScannedEvent<'_>) -> Flow {
    ///         self.0 = self.0.max(event.message.len());
    ///         Flow::Next
    ///     }
    /// }
    ///
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let dir = tempfile::tempdir()?;
    /// # let telemetry = Telemetry::open(dir.path(), &Config::default())?;
    /// let query = ScanQuery {
    ///     scope: Default::default(),
    ///     groups: vec!["/aws/lambda/f".to_owned()],
    ///     streams: StreamChoice::All,
    ///     start_ms: None,
    ///     end_ms: None,
    ///     needles: vec![b"REPORT".to_vec()],
    ///     latest_first: false,
    /// };
    /// let progress = Arc::new(ScanProgress::default());
    /// let visitors = telemetry.scan(query, progress.clone(), Longest::default).await?;
    /// let longest = visitors.iter().map(|visitor| visitor.0).max();
    /// # assert_eq!((longest, progress.scanned_events()), (Some(0), 0));
    /// # Ok::<_, Box<dyn std::error::Error>>(()) })?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub async fn scan<V: Visit + 'static>(
        &self,
        query: ScanQuery,
        progress: Arc<ScanProgress>,
        make: impl Fn() -> V + Send + Sync + 'static,
    ) -> Result<Vec<V>> {
        let turn = self.scans.clone().acquire_owned().await.map_err(|_| Error::Closed)?;
        let mut ends = EndsScan(Some(progress.clone()));
        let visitors = self
            .read(move |shared| {
                let _turn = turn;
                logs::scan(&shared.logs, &shared.readers, &query, &progress, make)
            })
            .await;
        // It is over: another may go on with the same progress.
        ends.0 = None;
        visitors
    }

    /// The event at a pointer that a scan gave; `None` when it is gone or in another account or region.
    pub async fn record(&self, scope: &Scope, pointer: EventPointer) -> Result<Option<Record>> {
        let scope = scope.clone();
        self.read(move |shared| logs::record(&shared.logs, &shared.readers, &scope, pointer)).await
    }

    /// A group's streams.
    pub async fn streams(&self, query: StreamQuery) -> Result<StreamPage> {
        self.read(move |shared| logs::streams(&shared.logs, &shared.readers, &query)).await
    }

    /// The groups that have had streams, also those that nobody but the data plane has made.
    pub async fn groups(&self, scope: &Scope) -> Result<Vec<GroupSummary>> {
        let scope = scope.clone();
        self.read(move |shared| logs::groups(&shared.logs, &shared.readers, &scope)).await
    }

    /// Throws away what is too old: metrics by CloudWatch's tiers, events by their group's retention. To be called now
    /// and then, an hour apart or so.
    pub async fn sweep(&self, now_ms: i64, retention: Vec<GroupRetention>) -> Result<()> {
        self.call(|ack| Command::Sweep { now_ms, retention, ack }).await
    }

    /// What the subjects of a scope have used in a month, by service, names and quantity: everything that was counted before.
    pub async fn usage(&self, scope: &Scope, month: Month) -> Result<Vec<Used>> {
        let scope = scope.clone();
        self.read(move |shared| usage::read(&shared.folder, &shared.readers, &scope, month)).await
    }

    /// Tells what is there of things that cost by the time: each counts for the whole minutes since levels were last told
    /// under the name, by this process or an earlier one; nothing the first time. Durable on return.
    pub async fn tell_levels(&self, name: &str, now_ms: i64, levels: Vec<Level>) -> Result<()> {
        let name = name.to_owned();
        self.call(|ack| Command::Levels { name, now_ms, levels, ack }).await
    }

    /// Returns when everything measured and written before is durable.
    pub async fn flush(&self) -> Result<()> {
        self.call(|ack| Command::Flush { ack }).await
    }

    /// Flushes and stops the writer. What comes afterwards is [`Error::Closed`]; probes and streams go on in vain.
    pub async fn close(&self) -> Result<()> {
        let stopped = self.call(|ack| Command::Stop { ack }).await;
        self.join();
        stopped
    }

    async fn room(&self, bytes: usize) -> Result<tokio::sync::OwnedSemaphorePermit> {
        let kib = u32::try_from((bytes >> 10) + 1).unwrap_or(u32::MAX).min(self.room_kib);
        self.room.clone().acquire_many_owned(kib).await.map_err(|_| Error::Closed)
    }

    async fn call(&self, command: impl FnOnce(Ack) -> Command) -> Result<()> {
        let (ack, answer) = oneshot::channel();
        self.commands.send(command(ack)).map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }

    /// Lets the writer catch up, then reads on a thread that may block.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.flush().await?;
        let shared = self.shared.clone();
        // Cancelled only when the runtime ends.
        tokio::task::spawn_blocking(move || work(&shared)).await.map_err(|_| Error::Closed)?
    }

    fn join(&self) {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let was_open = writer.is_some();
        if writer.is_some_and(|writer| writer.join().is_err()) {
            tracing::error!("the telemetry writer has panicked");
        }
        if was_open {
            self.outlet.close();
            self.export.close();
        }
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        let (ack, _) = oneshot::channel();
        // Fails when it has been closed already.
        let _ = self.commands.send(Command::Stop { ack });
        self.join();
    }
}

/// Ends a scan that nobody waits for any more.
struct EndsScan(Option<Arc<ScanProgress>>);

impl Drop for EndsScan {
    fn drop(&mut self) {
        if let Some(progress) = &self.0 {
            progress.stop();
        }
    }
}

fn lock(path: &Path) -> Result<File> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(|e| Error::io(path, &e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Locked { path: path.to_path_buf() }),
        Err(TryLockError::Error(e)) => Err(Error::io(path, &e)),
    }
}

fn stream_name(scope: &Scope, group: &str, stream: &str) -> StreamName {
    StreamName { scope: scope.clone(), group: group.into(), stream: stream.into() }
}
