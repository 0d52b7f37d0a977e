use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Instant, SystemTime};

use arc_swap::ArcSwap;
use bytes::Bytes;
use pitbird_records::Record;
use pitbird_snapshot::Snapshot;
use rusqlite::ErrorCode;
use tokio::sync::{mpsc, oneshot, watch};

use crate::blobs::{Blobs, Removed};
use crate::live::Live;
use crate::lock::DirectoryLock;
use crate::readers::Readers;
use crate::writer::{AWAKE, Change, Job, Made, QUEUE_CHANGES, Writer};
use crate::{Error, OpenError, Transaction, Versioned, rows, schema};

/// A data directory, open. Clones share it; when the last one goes, what waits is still written and the directory is
/// let go.
#[derive(Clone)]
pub struct Store(Arc<Parts>);

struct Parts {
    live: Arc<Live>,
    readers: Readers,
    blobs: Arc<Blobs>,
    /// `None` only while the store is closed.
    jobs: Option<mpsc::Sender<Job>>,
    writer: Option<JoinHandle<()>>,
}

impl Store {
    /// Opens a data directory, which is made if there is none, and compiles the first snapshot. The directory belongs
    /// to this process until the last clone is dropped.
    ///
    /// # Errors
    /// It is in use, damaged, newer than this program, or not a data directory.
    pub fn open(directory: &Path) -> Result<Store, OpenError> {
        Store::open_with(directory, || {})
    }

    /// As [`Store::open`]. `began` runs first on the thread that writes, for which everybody waits who changes something.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with(directory: &Path, began: impl FnOnce() + Send + 'static) -> Result<Store, OpenError> {
        let failed = |source| OpenError::Directory { path: directory.to_owned(), source };
        make_directory(directory).map_err(failed)?;
        let lock = DirectoryLock::acquire(directory)?;
        let blobs = Blobs::open(directory.join("blobs")).map_err(failed)?;
        let path = schema::path(directory);
        let connection = schema::open_writer(&path)?;
        let writer = Writer::new(connection, lock).map_err(|error| unusable(&path, error))?;
        let live = writer.live();
        let (jobs, waiting) = mpsc::channel(QUEUE_CHANGES);
        let thread = thread::Builder::new().name("store-writer".to_owned());
        let writer = thread.spawn(move || {
            began();
            writer.run(waiting);
        });
        let writer = writer.map_err(failed)?;
        let readers = Readers::new(path);
        Ok(Store(Arc::new(Parts {
            live,
            readers,
            blobs: Arc::new(blobs),
            jobs: Some(jobs),
            writer: Some(writer),
        })))
    }

    /// The snapshot of the last commit.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.0.live.snapshots.load_full()
    }

    /// Where the live snapshot is found: the data plane's one load per request.
    pub fn snapshots(&self) -> &Arc<ArcSwap<Snapshot>> {
        &self.0.live.snapshots
    }

    /// The generation of the live snapshot, told after each commit.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.0.live.watch()
    }

    /// As [`Store::watch`], but told only after commits that wrote a record of one of these tables
    /// ([`Record::TABLE`]): who follows a few isn't woken by all others.
    pub fn watch_tables(&self, tables: &'static [&'static str]) -> watch::Receiver<u64> {
        self.0.live.watch_tables(tables)
    }

    /// A record as of the last commit.
    pub fn get<R: Record>(&self, key: &str) -> Result<Option<Versioned<R>>, Error> {
        self.0.readers.read(|connection| rows::get(connection, key))
    }

    /// All records whose key starts with `prefix`, in the order of their keys.
    pub fn list<R: Record>(&self, prefix: &str) -> Result<Vec<Versioned<R>>, Error> {
        self.page(prefix, None, usize::MAX)
    }

    /// The keys that start with `prefix` with their records' revisions, in the order of the keys: what has changed since
    /// somebody last looked, without the price of reading it all.
    pub fn revs<R: Record>(&self, prefix: &str) -> Result<Vec<(String, u64)>, Error> {
        self.0.readers.read(|connection| rows::revs(connection, R::TABLE, prefix))
    }

    /// Up to `limit` records whose key starts with `prefix` and comes after the key `after`, in the order of their keys.
    pub fn page<R: Record>(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Versioned<R>>, Error> {
        self.0.readers.read(|connection| rows::page(connection, prefix, after, limit))
    }

    /// Makes a change, all of it or nothing. `Ok` comes when it is durable and the snapshot with it is live; an `Err` of
    /// the change itself, a panic in it, or a failure to store it undoes it and leaves its neighbours alone. When the
    /// commit fails, all changes that were to share it get that error.
    ///
    /// The change runs on the writer's thread and holds up all others: it should decide and write, not compute or wait
    /// (waiting for another write would be for ever). Once it is queued it happens, also when this future is dropped.
    pub async fn write<T, E>(
        &self,
        change: impl FnOnce(&mut Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let change = move |transaction: &mut Transaction<'_>| {
            let result = change(transaction);
            (result.is_ok(), Box::new(result) as Made)
        };
        let made = self.queue(Box::new(change)).await?;
        *made.downcast::<Result<T, E>>().expect("what a change made comes back to who asked for it")
    }

    /// Lets the writer make a change, and waits until that is durable. All types of changes come this way, so that it is
    /// compiled once.
    async fn queue(&self, change: Change) -> Result<Made, Error> {
        let (answer, mut answered) = oneshot::channel();
        let jobs = self.0.jobs.as_ref().expect("only dropping the store closes the queue");
        let is_alone = jobs.capacity() == jobs.max_capacity();
        if jobs.send(Job::new(change, answer)).await.is_err() {
            return Err(Error::Closed);
        }
        // Who writes alone lets the runtime's other work go on for the time of a fast disk's commit, rather than the thread to
        // sleep: to be woken would take a third as long again.
        let began = Instant::now();
        while is_alone && began.elapsed() < AWAKE {
            match answered.try_recv() {
                Ok(result) => return result,
                Err(oneshot::error::TryRecvError::Closed) => return Err(Error::Closed),
                Err(oneshot::error::TryRecvError::Empty) => tokio::task::yield_now().await,
            }
        }
        answered.await.unwrap_or(Err(Error::Closed))
    }

    /// Keeps content under its SHA-256 in lower-case hex, which is answered once the content is durable. Idempotent.
    /// Needs a tokio runtime, whose blocking threads do the work.
    pub async fn put_blob(&self, content: Bytes) -> Result<String, Error> {
        let blobs = self.0.blobs.clone();
        match tokio::task::spawn_blocking(move || blobs.put(&content)).await {
            Ok(put) => put,
            Err(ended) => Err(Error::Panicked(ended.to_string())),
        }
    }

    /// Keeps what several blobs hold one after the other as one more blob, and answers its name and what `see` made of the
    /// pieces. Memory stays small, however long the blobs are. Needs a tokio runtime, whose blocking threads do the work.
    pub async fn join_blobs<D: Send + 'static>(
        &self,
        names: Vec<String>,
        mut digest: D,
        see: fn(&mut D, &[u8]),
    ) -> Result<(String, D), Error> {
        let blobs = self.0.blobs.clone();
        let join = move || {
            let name = blobs.join(&names, |piece| see(&mut digest, piece))?;
            Ok((name, digest))
        };
        match tokio::task::spawn_blocking(join).await {
            Ok(joined) => joined,
            Err(ended) => Err(Error::Panicked(ended.to_string())),
        }
    }

    /// `length` of a blob's bytes, from `from` on, unchecked: only the whole has a hash. Reads on the caller's thread.
    pub fn blob_slice(&self, sha256_hex: &str, from: u64, length: usize) -> Result<Bytes, Error> {
        self.0.blobs.slice(sha256_hex, from, length)
    }

    /// Where a blob lies. A text that isn't a blob's name leads to a path where there is never anything.
    pub fn blob_path(&self, sha256_hex: &str) -> PathBuf {
        self.0.blobs.path(sha256_hex)
    }

    /// A blob's content, checked against its name. Reads and hashes the whole file on the caller's thread.
    pub fn blob(&self, sha256_hex: &str) -> Result<Bytes, Error> {
        self.0.blobs.get(sha256_hex)
    }

    /// Removes the blobs that no record names and that were last put before `put_before`: see
    /// [`Store::remove_unused_blobs`]. Reads every record, on the caller's thread.
    pub fn remove_unnamed_blobs(&self, put_before: SystemTime) -> Result<Removed, Error> {
        let named = self.0.readers.read(rows::named_blobs)?;
        self.remove_unused_blobs(&named, put_before)
    }

    /// Removes the blobs that are not in `live` and were last put before `put_before`. A blob is put before the record
    /// that names it is written: let `put_before` be older than the longest time between the two, and older than
    /// `live`.
    pub fn remove_unused_blobs(
        &self,
        live: &HashSet<String>,
        put_before: SystemTime,
    ) -> Result<Removed, Error> {
        self.0.blobs.remove_unused(live, put_before)
    }
}

impl Drop for Parts {
    /// Waits until the writer has written what was queued and has closed the database, unless it is the writer itself
    /// that drops the last clone.
    fn drop(&mut self) {
        self.jobs = None;
        let Some(writer) = self.writer.take() else { return };
        if writer.thread().id() != thread::current().id() {
            // A panic of the writer was reported where it happened and has answered everybody with `Closed`.
            let _ = writer.join();
        }
    }
}

/// Makes a directory that others can't look into, durably; one that is there stays as it is.
fn make_directory(directory: &Path) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)?;
    let parent = fs::canonicalize(directory)?.parent().map(Path::to_owned);
    parent.map_or(Ok(()), |parent| fs::File::open(parent)?.sync_all())
}

fn unusable(path: &Path, error: Error) -> OpenError {
    let path = path.to_owned();
    match &error {
        Error::Database(source) if source.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
            OpenError::Damaged { path, detail: source.to_string() }
        }
        Error::Unreadable { .. } => OpenError::Damaged { path, detail: error.to_string() },
        _ => OpenError::Database { path, source: error },
    }
}

#[cfg(test)]
mod tests;
