//! What becomes of the asynchronous invocations of a function, a version or an alias.

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::Record;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventInvokeConfig {
    pub scope: Scope,
    pub function: String,
    /// `$LATEST`, a version's number or an alias: what the events name.
    pub qualifier: String,
    /// Attempts after the first that ended in a function error, 0 to 2; `None` is Lambda's default.
    pub retries_max: Option<u32>,
    /// Seconds; `None` is Lambda's default.
    pub age_max_s: Option<u32>,
    /// ARNs of functions, perhaps with a qualifier, that are told of the end.
    pub on_success: Option<String>,
    pub on_failure: Option<String>,
    pub modified_ms: i64,
}

impl Record for EventInvokeConfig {
    const TABLE: &'static str = "event_invoke_config";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.function, &self.qualifier])
    }
}
