//! An environment whose process has failed: what it logged and what it is stay, and it starts again inside its next invocation.
//! Source: Lambda developer guide, "Lambda runtime environment", failures during the invoke phase.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Environment, Job, NextJob};

/// One that was just being given an invocation is looked at again after this.
const AGAIN: Duration = Duration::from_millis(10);

impl Environment {
    /// Waits for the invocation in which it starts again. `None` when there will be none: it wasn't reset but has ended.
    pub(super) async fn next_after_reset(self: &Arc<Self>) -> Option<Box<Job>> {
        if let Some(job) = self.list_after_reset()? {
            return Some(job);
        }
        let mut end = self.pool.parts.tasks.end();
        loop {
            let due = {
                let mut state = self.lock();
                if let Some(job) = state.given.take() {
                    return Some(job);
                }
                if state.is_over {
                    return None;
                }
                state.idle_since + self.pool.idle()
            };
            let now = Instant::now();
            if now >= due && self.pool.unlist(self) {
                let mut state = self.lock();
                (state.is_listed, state.is_over) = (false, true);
                return None;
            }
            let look = if now >= due { now + AGAIN } else { due };
            tokio::select! {
                () = self.control.notified() => {}
                () = tokio::time::sleep_until(look.into()) => {}
                _ = end.wait_for(|end| *end) => return None,
            }
        }
    }

    /// Puts it on the pool's list of idle ones, or answers at once with an invocation that waits.
    fn list_after_reset(self: &Arc<Self>) -> Option<Option<Box<Job>>> {
        let was_counted = self.is_counted();
        let mut state = self.lock();
        if !state.is_reset {
            return None;
        }
        (state.is_ready, state.is_over, state.process) = (false, false, None);
        state.idle_since = Instant::now();
        let is_listed = state.is_listed;
        drop(state);
        if was_counted {
            // Of those that would take an invocation at once.
            self.pool.failed();
        }
        if is_listed {
            return Some(None);
        }
        let mut state = self.lock();
        match self.pool.next_job(self, None, Instant::now()) {
            NextJob::Job(job) => return Some(Some(job)),
            NextJob::Listed => state.is_listed = true,
            NextJob::Closed => {
                state.is_over = true;
                return None;
            }
        }
        Some(None)
    }
}
