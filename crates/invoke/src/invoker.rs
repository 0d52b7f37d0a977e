//! The door itself.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use hyper::header::HeaderValue;
use pitbird_names::{Qualifier, Scope, VersionId, arn, limits};
use pitbird_records::function::State;
use pitbird_snapshot::{Alias, Function, FunctionKey, Resolved, Version};
use thiserror::Error;
use tokio::sync::{oneshot, watch};

use crate::code::archive::ZipFacts;
use crate::code::{CodeCache, CodeError};
use crate::concurrency::Own;
use crate::config::Config;
use crate::invocation::{Invocation, Outcome, Refused};
use crate::measure::{Called, InvocationProbe, LiveCounts};
use crate::parts::Parts;
use crate::pool::{Alive, Job, Pool, Target};
use crate::provision;
use crate::queue::{self, Event, Queue, Unqueued};
use crate::runtime::{RuntimeError, RuntimeReport, Runtimes, Served};
use crate::stream::{self, Answer, Sink};
use crate::timekeeper::Timekeeper;
use crate::trace::Traced;

/// Runs function versions. Clones share everything.
#[derive(Clone)]
pub struct Invoker(Arc<Inner>);

pub(crate) struct Inner {
    pub parts: Arc<Parts>,
    queue: Arc<Queue>,
    is_closed: AtomicBool,
}

impl Inner {
    pub fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }
}

impl From<Arc<Inner>> for Invoker {
    fn from(inner: Arc<Inner>) -> Invoker {
        Invoker(inner)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.queue.ring();
        self.parts.close();
        self.parts.tasks.must_end();
        self.parts.release_store();
    }
}

/// Why the door could not be opened.
#[derive(Debug, Error)]
pub enum StartError {
    #[error("the cache directory {path} can't be used")]
    Cache { path: String, source: io::Error },
    #[error("no thread can be started")]
    Thread(#[source] io::Error),
    #[error("the queued events can't be read")]
    Queue(#[source] pitbird_store::Error),
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
}

/// What a version's slot in the snapshot holds: it ends with the version.
pub(crate) struct VersionSlot {
    pub pool: Arc<Pool>,
    /// Called without a qualifier, as `$LATEST` or by its number.
    target: Arc<Target>,
}

impl Drop for VersionSlot {
    fn drop(&mut self) {
        self.pool.close();
    }
}

/// What either of an alias's slots holds.
struct AliasSlot {
    target: Arc<Target>,
}

impl Invoker {
    /// Opens the door, and goes on with the events that are in the queue. Needs a tokio runtime.
    pub fn start(config: Config) -> Result<Invoker, StartError> {
        let cache = |source| StartError::Cache { path: config.cache_directory.display().to_string(), source };
        let code = CodeCache::open(config.cache_directory.join("code"), config.limits.code_cache_bytes);
        let code = Arc::new(code.map_err(cache)?);
        let runtimes = config.cache_directory.join("runtimes");
        std::fs::create_dir_all(&runtimes).map_err(cache)?;
        let runtimes = std::fs::canonicalize(&runtimes).map_err(cache)?;
        let runtimes = Runtimes::new(runtimes, config.search_path.clone(), &config.chosen_runtimes)?;
        let timekeeper = Timekeeper::start(tokio::runtime::Handle::current()).map_err(StartError::Thread)?;
        let parts = Arc::new(Parts::new(&config, code, runtimes, timekeeper));
        let queue = Arc::new(Queue::new(config.events.clone()));
        queue.load(&config.store).map_err(StartError::Queue)?;
        let inner = Arc::new(Inner { parts, queue: queue.clone(), is_closed: AtomicBool::new(false) });
        tokio::spawn(queue::dispatch(queue, Arc::downgrade(&inner)));
        tokio::spawn(provision::follow(config.store.watch_tables(provision::TABLES), Arc::downgrade(&inner)));
        Ok(Invoker(inner))
    }

    /// Takes an asynchronous invocation: it is on the disk when this returns, and runs soon, with the same request id at
    /// each attempt. What its function or alias stands for is asked at each attempt; whether they exist is the
    /// caller's to say before.
    pub async fn enqueue(&self, mut event: Event) -> Result<(), Unqueued> {
        if self.is_closed() {
            return Err(Unqueued::ShuttingDown);
        }
        Traced::decide(&self.0.parts.tracer, &mut event.invocation);
        let inner = self.0.clone();
        // It goes on when the caller hangs up: what is stored must also run.
        let taken = tokio::spawn(async move { inner.queue.take(&inner.parts, event).await });
        taken.await.unwrap_or(Err(Unqueued::ShuttingDown))
    }

    /// How many events were acknowledged and haven't ended, now and at every change.
    pub fn open_events(&self) -> watch::Receiver<usize> {
        self.0.queue.open()
    }

    /// Runs a function once. An alias chooses its version by `draw` in [0, 1).
    ///
    /// An invocation that was begun goes on when this future is dropped, as it does on Lambda when a caller hangs up.
    pub async fn invoke(
        &self,
        function: &Function,
        qualifier: Option<&Qualifier>,
        draw: f64,
        invocation: Invocation,
    ) -> Result<Outcome, Refused> {
        let (reply, replied) = oneshot::channel();
        self.begin(function, qualifier, draw, invocation, reply, None)?;
        // The other end is dropped without a word only when the whole server goes.
        replied.await.unwrap_or(Err(Refused::ShuttingDown))
    }

    /// As [`Invoker::invoke`], but what a function answers as a stream comes as it writes it: at most
    /// [`limits::STREAMED_BYTES`]. While the caller takes nothing, the function waits, on its own time.
    pub async fn invoke_streaming(
        &self,
        function: &Function,
        qualifier: Option<&Qualifier>,
        draw: f64,
        invocation: Invocation,
    ) -> Result<Answer, Refused> {
        let (reply, replied) = oneshot::channel();
        let (sink, said) = stream::channel();
        let version = self.begin(function, qualifier, draw, invocation, reply, Some(sink))?;
        Answer::begin(version, said, replied).await
    }

    fn begin(
        &self,
        function: &Function,
        qualifier: Option<&Qualifier>,
        draw: f64,
        mut invocation: Invocation,
        reply: oneshot::Sender<Result<Outcome, Refused>>,
        sink: Option<Sink>,
    ) -> Result<VersionId, Refused> {
        if self.is_closed() {
            return Err(Refused::ShuttingDown);
        }
        if invocation.payload.len() > limits::INVOKE_PAYLOAD_BYTES {
            return Err(Refused::PayloadTooLarge);
        }
        let resolved = function.resolve(qualifier, draw)?;
        let state = &resolved.version.record.state;
        if *state != State::Active {
            return Err(Refused::NotReady(state.clone()));
        }
        let version = self.version_slot(resolved.version);
        let target = match resolved.alias {
            Some(alias) => &self.alias_slot(function, alias, &resolved).target,
            None => &version.target,
        };
        let pool = &version.pool;
        let snapshot = || self.0.parts.store().map(|store| store.snapshot()).unwrap_or_default();
        let is_kept_ready = pool.provisioned_wanted() > 0;
        let own = Own {
            reserved: function.reserved_concurrency,
            provisioned: if is_kept_ready { function.provisioned.values().sum() } else { 0 },
        };
        let permit = match pool.counter.acquire(own, invocation.is_queued, snapshot, invocation.at_ms) {
            Ok(permit) => permit,
            Err(throttle) => {
                target.probe.throttled(invocation.at_ms);
                return Err(Refused::Throttled(throttle));
            }
        };
        let is_active = pool.record.settings.tracing_mode == "Active";
        let traced = Traced::join(&self.0.parts.tracer, &pool.reservoir, is_active, &mut invocation);
        let target = target.clone();
        pool.submit(Box::new(Job { invocation, target, permit, reply, sink, since: None, traced }));
        Ok(pool.version())
    }

    /// Makes ready what a version's first environment needs: its code unpacked, its interpreter found. An error is what
    /// would keep the version from running.
    pub async fn prepare(&self, version: &Version) -> Result<(), Refused> {
        let parts = &self.0.parts;
        let record = &version.record;
        let runtime = parts.runtimes.find(&record.settings.runtime).await.map_err(Refused::Runtime)?;
        let store = parts.store().ok_or(Refused::ShuttingDown)?;
        let files = parts.code.files(&store, record).await.map_err(Refused::Code)?;
        runtime.study(&files).await;
        if let Some(template) = runtime.template(record, &files) {
            parts.parking.want(&parts.tasks, template);
        }
        Ok(())
    }

    /// Checks a zip by unpacking it to where its environments will see it. `sha256_hex` is its hash in lower case.
    pub async fn admit_code(&self, sha256_hex: &str, zip: Bytes) -> Result<ZipFacts, CodeError> {
        self.0.parts.code.admit(sha256_hex, zip).await
    }

    /// What serves one runtime on this host.
    pub async fn runtime(&self, name: &str) -> Result<Served, Arc<RuntimeError>> {
        self.0.parts.runtimes.find(name).await.map(|runtime| runtime.served())
    }

    /// What serves each runtime on this host. Looks for all interpreters, which takes a moment.
    pub async fn runtimes(&self) -> Vec<RuntimeReport> {
        self.0.parts.runtimes.report().await
    }

    /// The live counts of one version under one alias; without an alias, of a version called by itself.
    pub fn live_counts(
        &self,
        scope: &Scope,
        function: &str,
        alias: Option<&str>,
        executed: VersionId,
    ) -> LiveCounts {
        let called = match alias {
            Some(name) => Called::Alias { name: name.to_owned(), executed },
            None => Called::plainly(Some(&Qualifier::Version(executed))),
        };
        LiveCounts(InvocationProbe::new(&self.0.parts.telemetry, scope, function, &called))
    }

    /// How many environments there are, now and at every change.
    pub fn environments(&self) -> watch::Receiver<u32> {
        self.0.parts.environments()
    }

    /// The environments that there are now in an account and region, by function and version.
    pub fn alive(&self, scope: &Scope) -> Vec<Alive> {
        self.0.parts.alive(scope)
    }

    /// How many interpreters wait for a function, now and at every change.
    pub fn parked(&self) -> watch::Receiver<usize> {
        self.0.parts.parking.count()
    }

    /// Refuses what comes, lets what runs end within [`Limits::shutdown`](crate::Limits::shutdown), and returns when no
    /// environment is left.
    pub async fn shutdown(&self) {
        self.0.is_closed.store(true, Ordering::Relaxed);
        self.0.queue.ring();
        let parts = &self.0.parts;
        parts.close();
        if tokio::time::timeout(parts.limits.shutdown, parts.tasks.all_ended()).await.is_err() {
            parts.tasks.must_end();
            parts.tasks.all_ended().await;
        }
        parts.release_store();
    }

    pub(crate) fn parts(&self) -> &Arc<Parts> {
        &self.0.parts
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    pub(crate) fn version_slot<'v>(&self, version: &'v Version) -> &'v VersionSlot {
        version.slot.get_or_init(|| {
            let parts = &self.0.parts;
            let record = version.record.clone();
            let key = FunctionKey { scope: record.scope.clone(), name: record.name.clone() };
            let counter = parts.counters.of(&parts.telemetry, key, &parts.limits);
            let qualifier = match record.version {
                VersionId::Latest => None,
                number => Some(Qualifier::Version(number)),
            };
            let called = Called::plainly(qualifier.as_ref());
            let target = self.target(&record.scope, &record.name, qualifier.as_ref(), &called);
            Arc::new(VersionSlot { pool: Pool::new(parts.clone(), record, counter), target })
        })
    }

    fn alias_slot<'f>(
        &self,
        function: &Function,
        alias: &'f Alias,
        resolved: &Resolved<'_>,
    ) -> &'f AliasSlot {
        let slot = if resolved.is_additional { &alias.additional_slot } else { &alias.slot };
        slot.get_or_init(|| {
            let name = alias.record.name.clone();
            let qualifier = Qualifier::Alias(name.clone());
            let called = Called::Alias { name, executed: resolved.version.record.version };
            Arc::new(AliasSlot {
                target: self.target(&function.scope, &function.name, Some(&qualifier), &called),
            })
        })
    }

    fn target(
        &self,
        scope: &Scope,
        function: &str,
        qualifier: Option<&Qualifier>,
        called: &Called,
    ) -> Arc<Target> {
        let arn = arn::function(scope, function, qualifier);
        let arn = HeaderValue::try_from(arn).expect("names of functions and aliases are plain ASCII");
        let probe = InvocationProbe::new(&self.0.parts.telemetry, scope, function, called);
        Arc::new(Target { arn, probe })
    }
}
