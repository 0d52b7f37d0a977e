//! Probes: requests and events that a rollout sends by itself.

use std::future::Future;
use std::pin::Pin;

use pitbird_names::{Scope, VersionId};
use pitbird_records::rollout::RequestProbe;

/// One probe of one arm.
#[derive(Debug, Clone)]
pub enum ProbeCall {
    Request(StageProbe),
    Event(VersionProbe),
}

/// A request to an arm of a stage.
#[derive(Debug, Clone)]
pub struct StageProbe {
    pub api_id: String,
    pub stage: String,
    pub is_canary: bool,
    /// What the arm serves; where it has come to serve something else nobody is asked.
    pub deployment: String,
    pub request: RequestProbe,
}

/// An event for a version, by its number and not by the alias: it isn't the alias' traffic.
#[derive(Debug, Clone)]
pub struct VersionProbe {
    pub scope: Scope,
    pub function: String,
    pub version: VersionId,
    pub payload: String,
}

/// Whether it failed; `None` where the release has answered nothing.
pub type Probed = Pin<Box<dyn Future<Output = Option<bool>> + Send>>;
