//! Who ends what is beyond its time, on time.
//!
//! Tasks that sleep until a deadline wake when their thread gets the CPU, and functions that spin in many processes let it wait for that
//! just when their time is over: eight of them kept the kill of a ninth waiting for 100 ms. So there is one thread that the
//! kernel serves before them all. It does nothing but wait for deadlines that supervisors have told it of shortly before, and
//! ends what hasn't ended by itself. Where the host doesn't give it that place it is as late as the others; supervisors look
//! at deadlines in any case.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use crate::environment::Environment;

/// How long before a deadline it is told at the earliest; so it never has more than a few for each environment. No
/// time limit is shorter.
pub const AHEAD_MAX: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Timekeeper {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    has_changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The next one first; the number tells which.
    deadlines: BinaryHeap<Reverse<(Instant, u64)>>,
    of: HashMap<u64, Weak<Environment>>,
    next: u64,
    is_over: bool,
}

impl Timekeeper {
    /// Starts the thread, which lives as long as the result.
    ///
    /// # Errors
    /// No thread can be had.
    pub fn start(handle: Handle) -> io::Result<Timekeeper> {
        let shared = Arc::new(Shared::default());
        let thread = std::thread::Builder::new().name("pitbird-deadline".to_owned()).spawn({
            let shared = shared.clone();
            move || {
                // What is ended may have others start.
                let _inside = handle.enter();
                if let Err(error) = pitbird_sandbox::serve_this_thread_first() {
                    tracing::debug!(%error, "functions that spin may delay their own end");
                }
                shared.keep();
            }
        })?;
        Ok(Timekeeper { shared, thread: Some(thread) })
    }

    /// Has an environment's deadlines looked at then, if it still is there.
    pub fn remind(&self, at: Instant, environment: Weak<Environment>) {
        let mut state = self.shared.lock();
        let number = state.next;
        state.next += 1;
        let is_first = state.deadlines.peek().is_none_or(|Reverse((first, _))| at < *first);
        state.deadlines.push(Reverse((at, number)));
        state.of.insert(number, environment);
        drop(state);
        if is_first {
            self.shared.has_changed.notify_one();
        }
    }
}

impl Drop for Timekeeper {
    fn drop(&mut self) {
        self.shared.lock().is_over = true;
        self.shared.has_changed.notify_one();
        // The last that holds the timekeeper may be the environment that it is ending.
        if let Some(thread) =
            self.thread.take().filter(|thread| thread.thread().id() != std::thread::current().id())
        {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn keep(&self) {
        let mut state = self.lock();
        while !state.is_over {
            let now = Instant::now();
            let due = state.deadlines.peek().map(|Reverse((at, _))| *at);
            state = match due {
                Some(due) if due <= now => {
                    let environment = state.take_first();
                    drop(state);
                    if let Some(environment) = environment {
                        environment.end_if_overdue(now);
                    }
                    self.lock()
                }
                Some(due) => {
                    let waited = self.has_changed.wait_timeout(state, due - now);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.has_changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take_first(&mut self) -> Option<Arc<Environment>> {
        let Reverse((_, number)) = self.deadlines.pop()?;
        self.of.remove(&number)?.upgrade()
    }
}
