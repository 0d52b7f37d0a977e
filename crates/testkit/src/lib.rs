//! What system tests stand on: a server of their own in a folder of their own, AWS's own tools, and a way to wait.
//!
//! Start at [`Server`]. Nothing here sleeps to wait for something: what is waited for is read from a pipe or asked for
//! until it is there, with a deadline. Readers of strangers' bytes are tried by [`try_hostile`].

mod calls;
mod documents;
mod hostile;
mod http;
mod package;
mod packages;
mod processes;
mod python;
mod server;
mod terraform;

pub use calls::{Called, Calls, done};
pub use documents::{DOCUMENTS, operations, with_integrations};
pub use hostile::{INPUTS_MIN, Tried, try_hostile};
pub use http::{Answer, Client, get, post, send};
pub use package::zipped;
pub use packages::{Tool, packages};
pub use processes::{Process, descendants, survivors};
pub use python::{Python, aws, python};
pub use server::{Ended, Server, ServerOptions};
pub use terraform::Terraform;

use std::time::{Duration, Instant};

/// Asks `probe` until it has an answer.
///
/// # Panics
/// After `deadline`, naming `what` was waited for.
pub fn wait_for<T>(what: &str, deadline: Duration, mut probe: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(began.elapsed() < deadline, "waited {deadline:?} for {what}");
        // Gives way between two questions; what ends the wait is the answer, never the time.
        std::thread::yield_now();
        std::thread::sleep(Duration::from_millis(5));
    }
}
