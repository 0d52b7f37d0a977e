//! The task that starts an environment's process, watches over it, and sees it end.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, Instant};

use pitbird_sandbox::{Exit, Sandbox, Spec};
use pitbird_telemetry::logs::Spread;
use tokio::net::TcpListener;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tracing::Instrument as _;

use super::conclude::Came;
use super::deadlines::Check;
use super::output::{Drained, Output, Pipes};
use super::start::{Start, StartFault};
use super::{AWS_REQUESTS_MAX, Environment, Peak, Running, State};
use crate::clock;
use crate::extensions::{self, TooMany};
use crate::invocation::Refused;
use crate::lines::{self, Form, Line};
use crate::pool::{Job, Pool};
use crate::runtime::Made;
use crate::runtime_api::machine::{Machine, Phase};
use crate::runtime_api::serve;

/// Connections that one process may have to its Runtime API.
const CONNECTIONS_MAX: usize = 64;
/// What a process had said before its end is waited for no longer.
const LAST_WORDS_MAX: Duration = Duration::from_millis(100);
/// A process that doesn't die is left to its fate after this.
const KILL_MAX: Duration = Duration::from_secs(10);

/// How long the start of an environment that is kept ready may take at least. Source: Lambda developer guide, "Lambda runtime
/// environment".
const PROVISIONED_INIT: Duration = Duration::from_secs(130);

/// How a process's life went.
enum Lived {
    /// There was never one.
    Refused(Refused),
    NotStarted(StartFault),
    Started,
}

fn number_of(stream: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    stream.hash(&mut hasher);
    hasher.finish()
}

/// One environment's whole life. The pool counts it among those that are being started.
pub(crate) async fn supervise(pool: Arc<Pool>) {
    let turn = pool.parts.launch_turn().await;
    if !pool.is_still_wanted() {
        return;
    }
    let Some(_place) = pool.parts.take_place() else { return pool.give_up_launch() };
    let environment = Arc::new(Environment::new(pool.clone(), false));
    match environment.live(Some(turn)).await {
        Lived::Started => {}
        Lived::Refused(refused) => return pool.refuse_one(refused),
        Lived::NotStarted(fault) => {
            environment.lock().report_start(false, &fault);
            let Some(job) = pool.job_for_retry() else { return };
            if !environment.start_again(job, Some(fault)).await {
                return pool.rescale();
            }
        }
    }
    while let Some(job) = environment.next_after_reset().await {
        if !environment.start_again(job, None).await {
            break;
        }
    }
    if environment.is_counted() {
        pool.gone(&environment);
    } else {
        // Somebody may wait whom nobody else will serve.
        pool.rescale();
    }
}

/// The whole life of an environment that is kept ready. The pool counts it among those.
pub(crate) async fn supervise_provisioned(pool: Arc<Pool>) {
    let turn = pool.parts.launch_turn().await;
    if !pool.keeps_provisioned() {
        return pool.provisioned_unwanted();
    }
    let Some(_place) = pool.parts.take_place() else { return pool.provisioned_gone(false) };
    let _allocated = pool.provisioned_allocated();
    let environment = Arc::new(Environment::new(pool.clone(), true));
    match environment.live(Some(turn)).await {
        Lived::Started => {}
        Lived::Refused(refused) => {
            tracing::warn!(function = pool.record.name, %refused, "an environment can't be kept ready");
        }
        Lived::NotStarted(fault) => environment.lock().report_start(false, &fault),
    }
    let had_started = environment.lock().is_ready;
    if environment.is_counted() {
        pool.gone(&environment);
    }
    pool.provisioned_gone(had_started);
}

impl Environment {
    fn new(pool: Arc<Pool>, is_provisioned: bool) -> Environment {
        let parts = &pool.parts;
        let record = &pool.record;
        let group = &record.settings.logging.group;
        let is_own_group = *group != format!("/aws/lambda/{}", record.name);
        let entropy = uuid::Uuid::new_v4().as_u128();
        let stream = lines::stream(clock::now_ms(), &record.name, is_own_group, record.version, entropy);
        let log = parts.telemetry.log_stream(&record.scope, group, &stream, Spread::One);
        let now = Instant::now();
        let state = State {
            number: number_of(&stream),
            machine: Machine::new(),
            is_over: false,
            is_ready: false,
            is_provisioned,
            is_listed: false,
            is_reset: false,
            given: None,
            tmp: None,
            is_frozen: false,
            parked: None,
            ticket: 0,
            running: None,
            rest: None,
            reminded: None,
            idle_since: now,
            start: Start { began: now, deadline: now + parts.limits.init, is_retry: false, fault: None },
            init_ms: None,
            output: Output::new(log, Form::of(&record.settings.logging), parts.limits.output_bytes_per_s),
            process: None,
            files: None,
            peak: Peak::default(),
            launch: None,
            extended: None,
        };
        let (state, control) = (Mutex::new(state), Notify::new());
        let aws_turns = Arc::new(Semaphore::new(AWS_REQUESTS_MAX));
        let init_error_turn = Semaphore::new(1);
        Environment { pool, state, control, stream, is_provisioned, made: now, aws_turns, init_error_turn }
    }

    /// Since when it has nothing to do.
    pub(crate) fn idle_since(&self) -> Instant {
        self.lock().idle_since
    }

    /// Starts once more, inside an invocation and on its time; `first` is why an earlier start failed. Answers whether it may be
    /// tried again.
    async fn start_again(self: &Arc<Self>, job: Box<Job>, first: Option<StartFault>) -> bool {
        let request_id = job.invocation.request_id.clone();
        let timeout = self.pool.timeout();
        {
            let mut state = self.lock();
            let now = Instant::now();
            (state.is_over, state.is_reset) = (false, false);
            state.machine = Machine::new();
            state.peak = Peak::default();
            state.start = Start { began: now, deadline: now + timeout, is_retry: true, fault: None };
            state.running = Some(Running::new(job, now, now + timeout));
            state.announce(&self.pool, clock::now_ms());
            if let Some(first) = first.filter(StartFault::is_certain) {
                state.report_start(true, &first);
                let fault = first.fault(&request_id, self.pool.timeout_s());
                state.conclude(&self.pool, Err(fault));
                state.end_rest(&self.pool);
                state.is_reset = true;
                return true;
            }
        }
        match self.live(None).await {
            Lived::Started => {}
            Lived::NotStarted(fault) => {
                let mut state = self.lock();
                state.is_reset = true;
                state.report_start(true, &fault);
                let fault = fault.fault(&request_id, self.pool.timeout_s());
                if state.running.is_some() {
                    state.conclude(&self.pool, Err(fault));
                    state.end_rest(&self.pool);
                }
            }
            Lived::Refused(refused) => {
                if let Some(running) = self.lock().running.take() {
                    running.job.refuse(refused);
                }
                return false;
            }
        }
        true
    }

    /// One process's life, from its making to its end.
    async fn live(self: &Arc<Self>, turn: Option<OwnedSemaphorePermit>) -> Lived {
        let (spec, template) = match self.spec().await {
            Ok(found) => found,
            Err(Unmade::Refused(refused)) => return Lived::Refused(refused),
            Err(Unmade::Fault(fault)) => {
                self.begin(turn, None);
                return Lived::NotStarted(fault);
            }
        };
        let program = spec.program.clone();
        self.begin(turn, Some(&spec));
        let parts = &self.pool.parts;
        let tmp = self.lock().tmp.take();
        let mut sandbox = match parts.parking.launch(&parts.tasks, spec, template, tmp).await {
            Ok(sandbox) => sandbox,
            Err(pitbird_sandbox::Error::Program { source, .. }) => {
                return Lived::NotStarted(StartFault::Unstartable { program, why: words(&source) });
            }
            Err(error) => {
                tracing::error!(
                    function = self.pool.record.name,
                    error = &error as &dyn std::error::Error,
                    "no environment could be made"
                );
                return Lived::Refused(Refused::Environment(Arc::new(error)));
            }
        };
        let listener = sandbox.take_listener();
        let (output, extensions) = (sandbox.take_output(), sandbox.take_companions_output());
        let connectors = sandbox.take_connectors();
        let _way_out = self.lead_out(sandbox.take_device());
        let tmp = sandbox.take_tmp();
        let sandbox = Arc::new(sandbox);
        let made = {
            let mut state = self.lock();
            state.connect_with(connectors);
            (state.tmp, state.process) = (tmp, Some(sandbox.clone()));
            if state.start.is_retry {
                // A start within an invocation is part of that.
                self.hold_to_cpu_share(&state);
            }
            TcpListener::from_std(listener)
                .and_then(|listener| Ok((listener, state.output.connect(output, extensions)?)))
        };
        let (listener, pipes) = match made {
            Ok(made) => made,
            Err(source) => {
                let error = pitbird_sandbox::Error::Step { step: pitbird_sandbox::Step::Exchange, source };
                return Lived::Refused(Refused::Environment(Arc::new(error)));
            }
        };
        let exit = self.watch(&sandbox, listener, pipes).await;
        match self.ended(exit) {
            Came::Started => Lived::Started,
            Came::NotStarted(fault) => Lived::NotStarted(fault),
        }
    }

    /// Passes on what the process sends to the outside world, until the result is dropped.
    fn lead_out(&self, device: Option<OwnedFd>) -> JoinSet<()> {
        let mut ways = JoinSet::new();
        if let (Some(device), Some(reach)) = (device, self.pool.parts.reach) {
            let share = self.pool.parts.allowance.share();
            let span = tracing::warn_span!("egress", function = self.pool.record.name);
            let way = async move {
                let policy = pitbird_egress::Policy::with_host_names(reach);
                if let Err(error) = pitbird_egress::serve(device, policy, share).await {
                    tracing::warn!(%error, "a function's way to the outside world has ended");
                }
            };
            ways.spawn(way.instrument(span));
        }
        ways
    }

    /// How long a start may take. Nobody waits for what is kept ready, so that it may take longer.
    fn init_limit(&self) -> Duration {
        let limit = self.pool.parts.limits.init;
        if self.is_provisioned { limit.max(PROVISIONED_INIT).max(self.pool.timeout()) } else { limit }
    }

    /// The start begins now, whatever had to be waited for until now. Without `spec` there is nothing to be started.
    fn begin(&self, turn: Option<OwnedSemaphorePermit>, spec: Option<&Spec>) {
        let mut state = self.lock();
        state.launch = turn;
        if let Some(spec) = spec {
            state.extend_for(spec);
        }
        let is_retry = state.start.is_retry;
        if is_retry && state.extended.is_none() {
            return;
        }
        let (version, arn) = self.pool.parts.runtimes.version(&self.pool.record);
        let start = Line::InitStart {
            runtime: &version,
            runtime_arn: &arn,
            function: &self.pool.record.name,
            version: self.pool.version(),
            is_provisioned: self.is_provisioned,
            is_retry,
        };
        state.output.relay(clock::now_ms(), &start);
        if is_retry {
            return;
        }
        let now = Instant::now();
        (state.start.began, state.start.deadline) = (now, now + self.init_limit());
        state.output.log(clock::now_ms(), &start);
    }

    /// Serves a process's calls and reads its output until it is gone.
    async fn watch(
        self: &Arc<Self>,
        sandbox: &Arc<Sandbox>,
        listener: TcpListener,
        (output, mut extensions): Pipes,
    ) -> Exit {
        let has_extensions = extensions.is_some();
        let mut connections = JoinSet::new();
        let mut exited = pin!(sandbox.exited());
        let mut end = self.pool.parts.tasks.end();
        let mut end = pin!(async {
            // The sender lives as long as the parts.
            let _ = end.wait_for(|end| *end).await;
        });
        let mut has_output = true;
        let (mut programs_ended, mut deliveries) = (0, JoinSet::new());
        while let Check::LookAgain(at) = self.check(Instant::now()) {
            if has_extensions {
                self.begin_deliveries(&mut deliveries);
            }
            tokio::select! {
                exit = &mut exited => {
                    self.last_words(&listener, connections).await;
                    return exit;
                }
                accepted = listener.accept(), if connections.len() < CONNECTIONS_MAX => {
                    // An error is the connection's own; there may be others.
                    if let Ok((stream, _)) = accepted {
                        connections.spawn(serve(stream, self.clone()));
                    }
                }
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
                readable = output.readable(), if has_output => match readable {
                    Ok(()) => {
                        let drained = self.lock().output.drain(clock::now_ms());
                        has_output = drained != Drained::Ended;
                    }
                    Err(_) => has_output = false,
                },
                drained = self.extensions_output(extensions.as_deref()), if extensions.is_some() => {
                    if drained == Drained::Ended {
                        extensions = None;
                    }
                }
                end = sandbox.program_ended(programs_ended), if has_extensions => {
                    programs_ended += 1;
                    self.program_ended(end);
                }
                () = tokio::time::sleep_until(at.into()) => {}
                () = self.control.notified() => {}
                () = &mut end => break,
            }
        }
        if self.lock().machine.phase() == Phase::Idle {
            sandbox.kill()
        } else {
            sandbox.kill_runaway()
        }
        match tokio::time::timeout(KILL_MAX, exited).await {
            Ok(exit) => exit,
            Err(_) => {
                tracing::error!(function = self.pool.record.name, "an environment's process does not die");
                Exit { code: None, signal: Some(9), out_of_memory: false }
            }
        }
    }

    /// Hears what a process that has ended had said before: an answer may be the last thing it did.
    async fn last_words(self: &Arc<Self>, listener: &TcpListener, mut connections: JoinSet<()>) {
        {
            let mut state = self.lock();
            // Nobody wanted it to end.
            state.is_reset |= !state.is_over;
            state.is_over = true;
        }
        while connections.len() < CONNECTIONS_MAX {
            let pending = std::future::poll_fn(|context| Poll::Ready(listener.poll_accept(context))).await;
            let Poll::Ready(Ok((stream, _))) = pending else { break };
            connections.spawn(serve(stream, self.clone()));
        }
        let all = async { while connections.join_next().await.is_some() {} };
        // A connection that outlives its process has nothing to say.
        let _ = tokio::time::timeout(LAST_WORDS_MAX, all).await;
    }

    /// What is to be run, once the code is unpacked and the interpreter is found, and with what its interpreter may have been
    /// started before.
    async fn spec(&self) -> Result<(Spec, Option<Spec>), Unmade> {
        let Pool { parts, record, .. } = &*self.pool;
        let store = parts.store().ok_or(Unmade::Refused(Refused::ShuttingDown))?;
        let credentials = async {
            match parts.aws() {
                Some(aws) => aws.credentials(record).await,
                None => None,
            }
        };
        let (files, runtime, credentials) = tokio::join!(
            parts.code.files(&store, record),
            parts.runtimes.find(&record.settings.runtime),
            credentials
        );
        let runtime = runtime.map_err(|error| Unmade::Refused(Refused::Runtime(error)))?;
        let files = files.map_err(|error| Unmade::Refused(Refused::Code(error)))?;
        let made = Made {
            log_stream: &self.stream,
            endpoint_url: parts.endpoint_url.as_deref(),
            credentials: credentials.as_ref(),
            is_provisioned: self.is_provisioned,
        };
        runtime.study(&files).await;
        let spec = runtime.spec(record, &files, &made);
        let mut spec = spec.map_err(|missing| Unmade::Fault(StartFault::NoEntryPoint(missing)))?;
        if let Some(layers) = &files.layers {
            extensions::add(&mut spec, &layers.path)
                .map_err(|TooMany| Unmade::Fault(StartFault::TooManyExtensions))?;
        }
        // Extensions start before the runtime, which then can't have been started before them.
        let is_alone = spec.companions.programs.is_empty();
        let template = if is_alone { runtime.template(record, &files) } else { None };
        // They stay on the disk while the environment's process may read them.
        self.lock().files = Some(files);
        Ok((spec, template))
    }
}

enum Unmade {
    Refused(Refused),
    Fault(StartFault),
}

/// The kernel's words without the number that Rust adds.
pub(super) fn words(error: &io::Error) -> String {
    let text = error.to_string().to_lowercase();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}
