//! An asynchronous invocation that was acknowledged and has not ended.

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::Record;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AsyncEvent {
    pub scope: Scope,
    pub function: String,
    /// What the caller named: a version or an alias. It is resolved anew at each attempt.
    pub qualifier: Option<String>,
    /// The same at each attempt.
    pub request_id: String,
    /// JSON.
    pub payload: String,
    /// JSON.
    pub client_context: Option<String>,
    pub trace_id: Option<String>,
    pub received_ms: i64,
    /// Attempts that ended in a function error.
    pub errors: u32,
    /// Attempts that were throttled, or failed on the platform's side, since the last one that ran.
    pub refusals: u32,
    /// When the next attempt is due.
    pub due_ms: i64,
    /// How many events before it led to this one, each as the destination of the one before.
    #[serde(default)]
    pub hops: u32,
}

impl Record for AsyncEvent {
    const TABLE: &'static str = "async_event";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.function, &self.request_id])
    }
}
