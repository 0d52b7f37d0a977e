//! Probes: requests that a rollout sends by itself.

use std::future::Future;
use std::pin::Pin;

use pitbird_records::rollout::Probe;

/// One probe of one arm of a stage.
#[derive(Debug, Clone)]
pub struct ProbeCall {
    pub api_id: String,
    pub stage: String,
    pub is_canary: bool,
    /// What the arm serves; where it has come to serve something else nobody is asked.
    pub deployment: String,
    pub request: Probe,
}

/// Whether the answer is a failure; `None` where the release has answered nothing.
pub type Probed = Pin<Box<dyn Future<Output = Option<bool>> + Send>>;
