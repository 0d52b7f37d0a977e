//! The one thread that changes durable state.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pitbird_snapshot::{Snapshot, Touched, compile};
use rusqlite::{Connection, params};
use tokio::sync::{mpsc, oneshot};

use crate::live::Live;
use crate::lock::DirectoryLock;
use crate::transaction::words;
use crate::{Error, Transaction};

/// Changes that wait for the writer; who comes later waits to be let in.
pub const QUEUE_CHANGES: usize = 512;

/// Changes that share one commit.
const BATCH_CHANGES_MAX: usize = 256;

/// How long the writer stays awake after a commit where the last change came as soon, and who waits for one alone.
pub const AWAKE: Duration = Duration::from_micros(250);

/// Revisions are reserved in blocks of this many, so that most commits needn't write the counter.
const REV_BLOCK: u64 = 1 << 20;

/// What a change answered, a `Result` of types that only it and who waits for it know.
pub type Made = Box<dyn Any + Send>;

/// A change of any type: answers whether it went well, and what it made.
pub type Change = Box<dyn FnOnce(&mut Transaction<'_>) -> (bool, Made) + Send>;

/// A change that waits, with the one who waits for it.
pub struct Job {
    change: Option<Change>,
    made: Option<Made>,
    answer: oneshot::Sender<Result<Made, Error>>,
    /// Why what it made doesn't stand.
    failure: Option<Error>,
}

impl Job {
    pub fn new(change: Change, answer: oneshot::Sender<Result<Made, Error>>) -> Job {
        Job { change: Some(change), made: None, answer, failure: None }
    }

    fn run(&mut self, transaction: &mut Transaction<'_>) {
        let Job { change, made, .. } = self;
        let kept = transaction.run(&mut |transaction| {
            let change = change.take().expect("a job runs once");
            let (is_well, result) = change(transaction);
            *made = Some(result);
            is_well
        });
        self.failure = kept.err();
    }

    fn answer(self, outcome: Result<(), Error>) {
        let result = match outcome.and(self.failure.map_or(Ok(()), Err)) {
            Ok(()) => Ok(self.made.expect("what is committed has run")),
            Err(error) => Err(error),
        };
        // Whoever asked may have stopped waiting; the change stands all the same.
        let _ = self.answer.send(result);
    }
}

/// The writer's side: the connection, the directory's lock and the revisions.
pub struct Writer {
    connection: Connection,
    live: Arc<Live>,
    /// The last revision handed out, and the highest that the file knows to be reserved.
    rev: u64,
    reserved_rev: u64,
    /// Dropped last: the directory is free only when the database is closed.
    _lock: DirectoryLock,
}

impl Writer {
    /// Takes over an open database and makes its first snapshot live.
    pub fn new(connection: Connection, lock: DirectoryLock) -> Result<Writer, Error> {
        let counter = "SELECT value FROM counters WHERE name = 'rev'";
        let rev = connection.query_row(counter, [], |row| row.get::<_, i64>(0))? as u64;
        let transaction = Transaction::new(&connection, rev);
        let everything = Touched::everything(&transaction)?;
        let snapshot = compile(&Snapshot::default(), &everything, &transaction)?;
        drop(transaction);
        let live = Arc::new(Live::new(snapshot));
        Ok(Writer { connection, live, rev, reserved_rev: rev, _lock: lock })
    }

    pub fn live(&self) -> Arc<Live> {
        self.live.clone()
    }

    /// Works until every sender is gone and the queue is empty.
    pub fn run(mut self, jobs: mpsc::Receiver<Job>) {
        let mut door = Door { jobs, come_soon: true };
        let mut waiting = VecDeque::new();
        loop {
            if waiting.is_empty() {
                match door.next() {
                    Some(job) => waiting.push_back(job),
                    None => return,
                }
            }
            while waiting.len() < BATCH_CHANGES_MAX
                && let Ok(job) = door.jobs.try_recv()
            {
                waiting.push_back(job);
            }
            self.batch(&mut waiting);
        }
    }

    /// Commits what waits and answers. Where the transaction is lost half-way, the changes after that point stay
    /// waiting. After a failed commit nobody is told anything but the failure: also a refusal may rest on what a
    /// neighbour had written.
    fn batch(&mut self, waiting: &mut VecDeque<Job>) {
        let mut done = Vec::with_capacity(waiting.len());
        let outcome = self.commit(waiting, &mut done);
        if outcome.is_err() && !self.connection.is_autocommit() {
            // A rollback that fails leaves the transaction open; the next batch tries again.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        let published = outcome.map(|commit| {
            commit.map(|Commit { snapshot, written }| self.live.publish(Arc::new(snapshot), &written))
        });
        for job in done {
            job.answer(published.as_ref().map(|_| ()).map_err(Error::clone));
        }
        // The snapshot before is freed only now, so that nobody waits for it.
        drop(published);
    }

    /// Runs the changes in one transaction. `None` if nothing was written.
    fn commit(&mut self, waiting: &mut VecDeque<Job>, done: &mut Vec<Job>) -> Result<Option<Commit>, Error> {
        if let Err(error) = self.begin() {
            done.extend(waiting.drain(..));
            return Err(error);
        }
        let mut transaction = Transaction::new(&self.connection, self.rev);
        while let Some(mut job) = waiting.pop_front() {
            job.run(&mut transaction);
            done.push(job);
            if transaction.lost().is_some() {
                break;
            }
        }
        self.rev = transaction.rev();
        if let Some(error) = transaction.lost() {
            return Err(error);
        }
        if transaction.tables().is_empty() {
            self.connection.prepare_cached("ROLLBACK")?.execute([])?;
            return Ok(None);
        }
        let snapshot = self.compile(&transaction)?;
        let written = transaction.tables().to_vec();
        let reserved_rev = self.reserve()?;
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        self.reserved_rev = reserved_rev;
        Ok(Some(Commit { snapshot, written }))
    }

    fn begin(&self) -> Result<(), Error> {
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        Ok(())
    }

    fn compile(&self, transaction: &Transaction<'_>) -> Result<Snapshot, Error> {
        let previous = self.live.snapshots.load();
        let compiled =
            catch_unwind(AssertUnwindSafe(|| compile(&previous, transaction.touched(), transaction)));
        compiled.unwrap_or_else(|panic| Err(Error::Panicked(words(panic.as_ref()))))
    }

    /// Writes down that revisions up to the answer are taken, so that none is handed out twice after a restart.
    fn reserve(&self) -> Result<u64, Error> {
        if self.rev <= self.reserved_rev {
            return Ok(self.reserved_rev);
        }
        let reserved = self.rev + REV_BLOCK;
        let mut statement =
            self.connection.prepare_cached("UPDATE counters SET value = ?1 WHERE name = 'rev'")?;
        statement.execute(params![reserved as i64])?;
        Ok(reserved)
    }
}

/// A commit that was made: the snapshot to publish, and the tables that it wrote.
struct Commit {
    snapshot: Snapshot,
    written: Vec<&'static str>,
}

/// Lets changes in. One that comes soon is taken without going to sleep first, since to be woken takes as long as half a commit.
/// That pays only where they do come soon: where they don't, each look spends the thread's turn, and it waits the longer for the
/// next one beside busy neighbours.
struct Door {
    jobs: mpsc::Receiver<Job>,
    /// Did the last change come while a writer could stay awake?
    come_soon: bool,
}

impl Door {
    /// The next change, `None` when every sender is gone.
    fn next(&mut self) -> Option<Job> {
        let began = Instant::now();
        let mut next = self.jobs.try_recv();
        while self.come_soon
            && matches!(next, Err(mpsc::error::TryRecvError::Empty))
            && began.elapsed() < AWAKE
        {
            std::thread::yield_now();
            next = self.jobs.try_recv();
        }
        let next = match next {
            Ok(job) => Some(job),
            Err(mpsc::error::TryRecvError::Disconnected) => None,
            Err(mpsc::error::TryRecvError::Empty) => self.jobs.blocking_recv(),
        };
        self.come_soon = began.elapsed() < AWAKE;
        next
    }
}
