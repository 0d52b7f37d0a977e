use std::sync::Arc;

use pitbird_names::{Percent, Scope};
use pitbird_records::{self as records, Texts};

use crate::{Choice, Deployment, Found, LambdaTarget, MethodThrottle, Settings, Slot, Target, Unrenderable};

/// A REST API with the stages that it is reached under.
#[derive(Debug)]
pub struct Api {
    pub scope: Scope,
    pub id: String,
    pub name: String,
    pub disable_execute_api_endpoint: bool,
    pub stages: Found<String, Arc<Stage>>,
}

/// A stage: one track, or two of them while it has a canary. The same `Arc` stays until the stage's record changes.
#[derive(Debug)]
pub struct Stage {
    /// The store's revision of the record.
    pub rev: u64,
    pub scope: Scope,
    pub api_id: String,
    pub api_name: String,
    pub record: records::Stage,
    pub base: Track,
    pub canary: Option<(Percent, Track)>,
    pub settings: Settings,
    /// What its owner asks for beside the draw.
    pub choice: Choice,
    /// How fast single methods may be called; empty where no setting limits any. See [`MethodThrottle::of`].
    pub throttles: Vec<MethodThrottle>,
    /// Belongs to `edge`: metric handles and parsed log formats.
    pub slot: Slot,
}

/// One of the two pictures that a stage serves: a deployment and the stage variables that go with it.
#[derive(Debug)]
pub struct Track {
    pub deployment: Arc<Deployment>,
    pub is_canary: bool,
    /// The stage's variables, on the canary overlaid by its overrides.
    pub variables: Arc<Texts>,
    /// What the deployment's integrations call, rendered with these variables, as
    /// [`Integration`](crate::Integration)s count them.
    pub targets: Vec<Result<Target, Unrenderable>>,
    /// In whose name each of them is called, as the ARN of a role.
    pub roles: Vec<Option<String>>,
}

impl Track {
    /// The function that an integration calls.
    pub fn function(&self, target: usize) -> Result<&LambdaTarget, &Unrenderable> {
        match &self.targets[target] {
            Ok(Target::Function(function)) => Ok(function),
            Ok(_) => Err(NO_FUNCTION),
            Err(unrenderable) => Err(unrenderable),
        }
    }
}

/// What a proxy integration can't call.
const NO_FUNCTION: &Unrenderable = &Unrenderable(String::new());

impl Stage {
    /// The track of one request by `draw` in [0, 1). Each request draws for itself; 0 % never and 100 % always takes
    /// the canary.
    pub fn choose(&self, draw: f64) -> &Track {
        match &self.canary {
            Some((percent, canary)) if percent.takes(draw) => canary,
            _ => &self.base,
        }
    }

    /// The share of requests that the canary gets: 0 without one.
    pub fn canary_percent(&self) -> f64 {
        self.canary.as_ref().map_or(0.0, |(percent, _)| percent.get())
    }
}
