//! The one thread that writes.
//!
//! It sleeps until a command comes or something drained is due. Commands that have come meanwhile are carried out together
//! and committed together; then their callers are told. A call that fails by itself (no such stream) doesn't hurt the
//! others; a commit that fails hurts all of its batch.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pitbird_names::Scope;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::error::{Error, Result};
use crate::logs::{GroupRetention, Lines, LogWriter, StreamName};
use crate::metrics::{Datum, MetricWriter};
use crate::sqlite::Readers;
use crate::usage::{Ledger, Level};

/// Commands of one batch.
const BATCH: usize = 1024;
/// How long after lines or measurements the writer takes them.
const LINES_DUE: Duration = Duration::from_millis(400);
const METRICS_DUE: Duration = Duration::from_millis(900);
/// How long after a failed commit it is tried again.
const RETRY: Duration = Duration::from_secs(1);

pub(crate) type Ack = oneshot::Sender<Result<()>>;

pub(crate) enum Command {
    /// Probes have something to drain.
    MetricsDue,
    /// Streams have something to drain.
    LinesDue,
    Put {
        scope: Scope,
        namespace: String,
        data: Vec<Datum>,
        ack: Ack,
        room: OwnedSemaphorePermit,
    },
    Append {
        name: StreamName,
        lines: Lines,
        ack: Ack,
        room: OwnedSemaphorePermit,
    },
    CreateStream {
        name: StreamName,
        ack: Ack,
    },
    DeleteStream {
        name: StreamName,
        ack: Ack,
    },
    DeleteGroup {
        scope: Scope,
        group: String,
        ack: Ack,
    },
    /// Everything recorded and written before must be on disk.
    Flush {
        ack: Ack,
    },
    Sweep {
        now_ms: i64,
        retention: Vec<GroupRetention>,
        ack: Ack,
    },
    /// What is there of things that cost by the time, told under a name.
    Levels {
        name: String,
        now_ms: i64,
        levels: Vec<Level>,
        ack: Ack,
    },
    /// The same as a flush, and then no more.
    Stop {
        ack: Ack,
    },
}

/// Tells the writer that there is something to drain, once until it has looked.
#[derive(Debug, Clone)]
pub(crate) struct Bell {
    commands: Sender<Command>,
    rung: Arc<Rung>,
}

#[derive(Debug, Default)]
struct Rung {
    metrics: AtomicBool,
    lines: AtomicBool,
}

impl Bell {
    pub fn new(commands: Sender<Command>) -> Bell {
        Bell { commands, rung: Arc::default() }
    }

    /// Probes have joined the list of those to drain.
    pub fn metrics(&self) {
        if !self.rung.metrics.swap(true, Ordering::AcqRel) {
            // When the writer has stopped nobody is left to drain.
            let _ = self.commands.send(Command::MetricsDue);
        }
    }

    /// Streams have joined the list of those to drain.
    pub fn lines(&self) {
        if !self.rung.lines.swap(true, Ordering::AcqRel) {
            let _ = self.commands.send(Command::LinesDue);
        }
    }
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

pub(crate) struct Writer {
    commands: Receiver<Command>,
    bell: Bell,
    metrics: MetricWriter,
    logs: LogWriter,
    ledger: Ledger,
    readers: Arc<Readers>,
    metrics_due: Option<Instant>,
    lines_due: Option<Instant>,
    batch: Batch,
}

/// Who waits for the next commit.
#[derive(Default)]
struct Batch {
    metrics: Vec<Waiting>,
    logs: Vec<Waiting>,
    ledger: Vec<Waiting>,
    all: Vec<Ack>,
    drain: bool,
    stop: bool,
}

/// A caller, and the room that its data takes until it is told.
struct Waiting {
    ack: Ack,
    _room: Option<OwnedSemaphorePermit>,
}

impl Waiting {
    fn new(ack: Ack, room: Option<OwnedSemaphorePermit>) -> Waiting {
        Waiting { ack, _room: room }
    }
}

impl Writer {
    pub fn new(
        commands: Receiver<Command>,
        bell: Bell,
        metrics: MetricWriter,
        logs: LogWriter,
        ledger: Ledger,
        readers: Arc<Readers>,
    ) -> Writer {
        let (metrics_due, lines_due, batch) = (None, None, Batch::default());
        Writer { commands, bell, metrics, logs, ledger, readers, metrics_due, lines_due, batch }
    }

    /// Works until it is told to stop or nobody is left who could tell it.
    pub fn run(mut self) {
        loop {
            match self.wait() {
                Ok(command) => self.take(command),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => self.batch.stop = true,
            }
            for _ in 0..BATCH {
                let Ok(command) = self.commands.try_recv() else { break };
                self.take(command);
            }
            let stop = self.batch.stop;
            self.commit();
            if stop {
                return;
            }
        }
    }

    fn wait(&self) -> Result<Command, RecvTimeoutError> {
        match self.metrics_due.into_iter().chain(self.lines_due).min() {
            Some(due) => self.commands.recv_timeout(due.saturating_duration_since(Instant::now())),
            None => self.commands.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }

    fn take(&mut self, command: Command) {
        let now_ms = now_ms();
        match command {
            Command::MetricsDue => self.metrics_due = self.metrics_due.or(Some(Instant::now() + METRICS_DUE)),
            Command::LinesDue => self.lines_due = self.lines_due.or(Some(Instant::now() + LINES_DUE)),
            Command::Put { scope, namespace, data, ack, room } => {
                let done = self.metrics.put(&scope, &namespace, data, now_ms, &mut self.ledger);
                answer(done, &mut self.batch.metrics, Waiting::new(ack, Some(room)));
            }
            Command::Append { name, lines, ack, room } => {
                let done = self.logs.append(&name, &lines, now_ms);
                self.answer_logs(done, Waiting::new(ack, Some(room)));
            }
            Command::CreateStream { name, ack } => {
                let done = self.logs.create_stream(&name, now_ms);
                self.answer_logs(done, Waiting::new(ack, None));
            }
            Command::DeleteStream { name, ack } => {
                self.file_lines(now_ms);
                let done = self.logs.delete_stream(&name);
                self.answer_logs(done, Waiting::new(ack, None));
            }
            Command::DeleteGroup { scope, group, ack } => {
                self.file_lines(now_ms);
                let done = self.logs.delete_group(&scope, &group);
                self.answer_logs(done, Waiting::new(ack, None));
            }
            Command::Flush { ack } => {
                self.batch.drain = true;
                self.batch.all.push(ack);
            }
            Command::Sweep { now_ms, retention, ack } => self.sweep(now_ms, &retention, ack),
            Command::Levels { name, now_ms, levels, ack } => {
                let told = self.ledger.tell(&name, now_ms, &levels);
                answer(told, &mut self.batch.ledger, Waiting::new(ack, None));
            }
            Command::Stop { ack } => {
                self.batch.drain = true;
                self.batch.stop = true;
                self.batch.all.push(ack);
            }
        }
    }

    /// Lines that were written before a deletion are deleted with it.
    fn file_lines(&mut self, now_ms: i64) {
        self.bell.rung.lines.store(false, Ordering::Release);
        if let Err(error) = self.logs.drain(now_ms) {
            self.fail_logs(&error);
        }
    }

    fn answer_logs(&mut self, done: Result<()>, waiting: Waiting) {
        if let Err(error @ (Error::Storage { .. } | Error::Corrupt { .. } | Error::Locked { .. })) = &done {
            // The transaction may hold half of what was asked: the whole batch goes.
            let error = error.clone();
            self.fail_logs(&error);
        }
        answer(done, &mut self.batch.logs, waiting);
    }

    fn fail_logs(&mut self, error: &Error) {
        self.logs.roll_back();
        tell(self.batch.logs.drain(..), &Err(error.clone()));
    }

    fn sweep(&mut self, now_ms: i64, retention: &[GroupRetention], ack: Ack) {
        self.commit();
        let swept = self.metrics.sweep(now_ms, &self.readers);
        let swept = self.logs.sweep(now_ms, retention, &self.readers).and(swept);
        let swept = self.count_stored(now_ms).and_then(|()| self.ledger.sweep(now_ms)).and(swept);
        // Nobody waits any longer: nobody need be told.
        let _ = ack.send(swept);
    }

    /// Drains what is due, commits, tells.
    fn commit(&mut self) {
        let now = Instant::now();
        let batch = std::mem::take(&mut self.batch);
        let metrics = self.commit_metrics(batch.drain || self.metrics_due.is_some_and(|due| due <= now));
        let logs = self.commit_logs(batch.drain || self.lines_due.is_some_and(|due| due <= now));
        let usage = self.commit_usage();
        tell(batch.metrics, &metrics);
        tell(batch.logs, &logs);
        tell(batch.ledger, &usage);
        let all = metrics.and(logs).and(usage);
        tell(batch.all.into_iter().map(|ack| Waiting::new(ack, None)), &all);
    }

    /// After what was measured and filed: what is lost between is counted once too seldom, never twice.
    fn commit_usage(&mut self) -> Result<()> {
        let now_ms = now_ms();
        for ((scope, group), bytes) in self.logs.take_bytes() {
            self.ledger.filed(now_ms, &scope, &group, bytes);
        }
        let committed = self.ledger.commit();
        if let Err(error) = &committed {
            tracing::error!(%error, "usage can't be written");
            let retry = Instant::now() + RETRY;
            self.metrics_due = Some(self.metrics_due.map_or(retry, |due| due.min(retry)));
        }
        committed
    }

    fn count_stored(&mut self, now_ms: i64) -> Result<()> {
        let stored = self.logs.stored()?;
        self.ledger.tell_stored(now_ms, &stored)?;
        self.ledger.commit()
    }

    fn commit_metrics(&mut self, drain: bool) -> Result<()> {
        let now_ms = now_ms();
        if drain {
            self.metrics_due = None;
            self.bell.rung.metrics.store(false, Ordering::Release);
            self.metrics.drain(now_ms, &mut self.ledger);
        }
        let committed = self.metrics.commit(now_ms);
        if let Err(error) = &committed {
            tracing::error!(%error, "metrics can't be written");
            self.metrics_due = Some(Instant::now() + RETRY);
        }
        committed
    }

    fn commit_logs(&mut self, drain: bool) -> Result<()> {
        let mut filed = Ok(());
        if drain {
            self.lines_due = None;
            self.bell.rung.lines.store(false, Ordering::Release);
            filed = self.logs.drain(now_ms());
        }
        let committed = filed.and_then(|()| self.logs.commit());
        if drain && self.logs.has_spares() {
            // Another look, which gives back what nobody needs any more.
            self.lines_due = Some(Instant::now() + LINES_DUE);
        }
        if let Err(error) = &committed {
            tracing::error!(%error, "logs can't be written");
            self.logs.roll_back();
            if self.logs.has_backlog() {
                self.lines_due = Some(Instant::now() + RETRY);
            }
        }
        committed
    }
}

/// Tells a caller of its failure at once, and of success with the commit.
fn answer(done: Result<()>, batch: &mut Vec<Waiting>, waiting: Waiting) {
    match done {
        Ok(()) => batch.push(waiting),
        // A caller who has gone needn't know.
        Err(error) => drop(waiting.ack.send(Err(error))),
    }
}

fn tell(waiting: impl IntoIterator<Item = Waiting>, result: &Result<()>) {
    for Waiting { ack, _room } in waiting {
        let _ = ack.send(result.clone());
    }
}
