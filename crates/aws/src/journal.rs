//! Where rollouts are written down: a folder with some files for each.
//!
//! `NAME.json` is the rollout, replaced as a whole; `NAME.records.jsonl` its records, appended before that; `NAME.orders.jsonl` what
//! people want of it, appended by whoever orders; `NAME.lock` is held by the one process that drives it. All is on the disk before
//! anything is done.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use pitbird_rollout::Record;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::run::{FORM, Run};

/// Longest line of an order, bytes.
const ORDER_BYTES_MAX: usize = 4096;
/// Orders of a rollout at most.
const ORDERS_MAX: usize = 1000;

#[derive(Debug, Error)]
pub enum Error {
    #[error("{path}: {cause}")]
    Io { path: String, cause: io::Error },
    #[error("{path} is no rollout of this program: {cause}")]
    Unreadable { path: String, cause: String },
    #[error("another process drives rollout {0} already")]
    Taken(String),
    #[error("rollout {0} has been given {ORDERS_MAX} orders; no more are read")]
    TooManyOrders(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    Pause,
    Resume,
    Abort,
    Promote,
}

/// What somebody wants of a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    pub wanted: Wanted,
    pub by: String,
    pub reason: Option<String>,
    pub at_ms: u64,
}

/// A rollout's files.
#[derive(Debug, Clone)]
pub struct Journal {
    folder: PathBuf,
    name: String,
}

/// Held as long as it lives; the kernel lets go of it when the process ends, however that ends.
#[derive(Debug)]
pub struct Lock(#[allow(dead_code, reason = "it is held, not read")] File);

impl Journal {
    pub fn new(folder: &Path, name: &str) -> Journal {
        Journal { folder: folder.to_owned(), name: name.to_owned() }
    }

    fn path(&self, ending: &str) -> PathBuf {
        self.folder.join(format!("{}.{ending}", self.name))
    }

    /// Says that this process drives it.
    pub fn lock(&self) -> Result<Lock, Error> {
        let path = self.path("lock");
        let said = |cause| io_error(&path, cause);
        fs::create_dir_all(&self.folder).map_err(said)?;
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(said)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Lock(file)),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(Error::Taken(self.name.clone())),
            Err(error) => Err(said(error.into())),
        }
    }

    pub fn load(&self) -> Result<Option<Run>, Error> {
        let path = self.path("json");
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error(&path, error)),
        };
        let wrong = |cause: String| Error::Unreadable { path: path.display().to_string(), cause };
        let run: Run = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        if run.form != FORM || run.name != self.name || !run.state.belongs_to(&run.plan) {
            return Err(wrong("its form, name or plan is another".to_owned()));
        }
        Ok(Some(run))
    }

    /// Writes the rollout down with what the planner recorded meanwhile, the records first.
    pub fn write(&self, run: &mut Run, records: &[Record]) -> Result<(), Error> {
        self.append(run, records).map_err(|cause| io_error(&self.path("records.jsonl"), cause))?;
        self.replace(run).map_err(|cause| io_error(&self.path("json"), cause))
    }

    fn append(&self, run: &mut Run, records: &[Record]) -> io::Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        let path = self.path("records.jsonl");
        let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path)?;
        // What a process wrote that died before it wrote the rollout down doesn't belong to it.
        let mut kept = 0;
        let mut lines = BufReader::new(&file);
        for _ in 0..run.records {
            kept += lines.read_until(b'\n', &mut Vec::new())? as u64;
        }
        file.set_len(kept)?;
        io::Seek::seek(&mut file, io::SeekFrom::End(0))?;
        for record in records {
            let mut line = serde_json::to_vec(record)?;
            line.push(b'\n');
            file.write_all(&line)?;
        }
        file.sync_all()?;
        run.records += records.len() as u64;
        Ok(())
    }

    fn replace(&self, run: &Run) -> io::Result<()> {
        let (path, fresh) = (self.path("json"), self.path("json.new"));
        // Hooks' secrets are in it.
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&fresh)?;
        file.write_all(&serde_json::to_vec_pretty(run)?)?;
        file.sync_all()?;
        fs::rename(&fresh, &path)?;
        File::open(&self.folder)?.sync_all()
    }

    /// The records that belong to a rollout.
    pub fn records(&self, run: &Run) -> Result<Vec<Record>, Error> {
        let path = self.path("records.jsonl");
        let file = File::open(&path).map_err(|cause| io_error(&path, cause))?;
        let lines = BufReader::new(file).lines().take(run.records as usize);
        let read = |line: io::Result<String>| Ok(serde_json::from_str(&line?)?);
        lines.map(read).collect::<io::Result<_>>().map_err(|cause| io_error(&path, cause))
    }

    /// Leaves an order for whoever drives the rollout.
    pub fn order(&self, order: &Order) -> Result<(), Error> {
        let path = self.path("orders.jsonl");
        let write = || -> io::Result<()> {
            let mut line = serde_json::to_vec(order)?;
            line.push(b'\n');
            if line.len() > ORDER_BYTES_MAX {
                return Err(io::Error::other(format!("an order has at most {ORDER_BYTES_MAX} bytes")));
            }
            let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
            file.write_all(&line)?;
            file.sync_all()
        };
        write().map_err(|cause| io_error(&path, cause))
    }

    /// Orders from this line on.
    pub fn orders(&self, from: u64) -> Result<Vec<Order>, Error> {
        let path = self.path("orders.jsonl");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io_error(&path, error)),
        };
        // A line without its end is still being written.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        if whole.lines().count() > ORDERS_MAX {
            return Err(Error::TooManyOrders(self.name.clone()));
        }
        let read = |line: &str| serde_json::from_str(line).map_err(|error| io_error(&path, error.into()));
        whole.lines().skip(from as usize).map(read).collect()
    }
}

fn io_error(path: &Path, cause: io::Error) -> Error {
    Error::Io { path: path.display().to_string(), cause }
}
