use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use crate::{Error, schema};

/// Connections for reading at the same time; a read takes microseconds, so more would only cost memory.
const READERS_MAX: usize = 4;

/// Connections that read. Each read begins after the last commit and sees all of it; the writer is never waited for.
pub struct Readers {
    path: PathBuf,
    pool: Mutex<Pool>,
    returned: Condvar,
}

#[derive(Default)]
struct Pool {
    idle: Vec<Connection>,
    open: usize,
}

impl Readers {
    pub fn new(path: PathBuf) -> Readers {
        Readers { path, pool: Mutex::default(), returned: Condvar::new() }
    }

    /// Runs one read. When all connections are in use it waits for the first that comes back.
    pub fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        let lease = self.lease()?;
        read(lease.connection.as_ref().expect("a lease has its connection until it is dropped"))
    }

    fn lease(&self) -> Result<Lease<'_>, Error> {
        let mut pool = self.lock();
        loop {
            if let Some(connection) = pool.idle.pop() {
                return Ok(Lease { readers: self, connection: Some(connection) });
            }
            if pool.open < READERS_MAX {
                pool.open += 1;
                drop(pool);
                let mut lease = Lease { readers: self, connection: None };
                lease.connection = Some(schema::open_reader(&self.path)?);
                return Ok(lease);
            }
            pool = self.returned.wait(pool).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Lease<'r> {
    readers: &'r Readers,
    connection: Option<Connection>,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let mut pool = self.readers.lock();
        match self.connection.take() {
            Some(connection) => pool.idle.push(connection),
            None => pool.open -= 1,
        }
        drop(pool);
        self.readers.returned.notify_one();
    }
}
