//! How a deployment ends when it doesn't succeed, and the rollback that follows.

use pitbird_records::Revision;
use pitbird_records::TrafficRouting;
use pitbird_records::function_deployment::{
    AliasShift, Creator, DeploymentError, DeploymentStatus, EventStatus, FunctionDeployment, Hooks,
    LifecycleEvent, RollbackInfo,
};

use super::{Turn, words};
use crate::{appspec, config, revisions};

/// Why a deployment goes no further.
#[derive(Debug, Clone)]
pub struct Halt {
    status: DeploymentStatus,
    error: DeploymentError,
    /// The event of an automatic rollback that it is.
    cause: &'static str,
    /// Whether to roll back, where somebody has said it.
    wanted: Option<bool>,
}

impl Halt {
    pub fn failed(code: &str, message: String) -> Halt {
        let error = DeploymentError { code: code.to_owned(), message };
        Halt { status: DeploymentStatus::Failed, error, cause: "DEPLOYMENT_FAILURE", wanted: None }
    }

    pub fn alarm(message: String) -> Halt {
        let error = DeploymentError { code: "ALARM_ACTIVE".to_owned(), message };
        Halt { status: DeploymentStatus::Stopped, error, cause: "DEPLOYMENT_STOP_ON_ALARM", wanted: None }
    }

    fn order(wanted: Option<bool>) -> Halt {
        let error = DeploymentError { code: "MANUAL_STOP".to_owned(), message: words::STOPPED.to_owned() };
        Halt { status: DeploymentStatus::Stopped, error, cause: "DEPLOYMENT_STOP_ON_REQUEST", wanted }
    }
}

/// Stops a deployment that hasn't ended because somebody wants it. `rollback` says whether to roll back; without it the
/// deployment's settings do.
pub fn stop(
    before: &FunctionDeployment,
    rollback: Option<bool>,
    has_group: bool,
    now_ms: u64,
    draw: u128,
) -> Turn {
    let mut turn = Turn::of(before);
    turn.halt(Halt::order(rollback), now_ms, has_group, draw);
    turn.deployment.updated_ms = now_ms as i64;
    turn
}

impl Turn {
    pub(super) fn halt(&mut self, halt: Halt, now_ms: u64, has_group: bool, draw: u128) {
        let deployment = &mut self.deployment;
        deployment.status = halt.status;
        deployment.completed_ms = Some(now_ms as i64);
        deployment.next_ms = None;
        end_events(&mut deployment.events, &halt.error.message, now_ms as i64);
        deployment.error = Some(halt.error);
        self.states.push(if halt.status == DeploymentStatus::Failed { "FAILURE" } else { "STOP" });
        let rolls_back = halt.wanted.unwrap_or_else(|| is_configured(deployment, halt.cause));
        // Before it was begun nothing had changed, and a rollback isn't rolled back.
        if rolls_back && has_group && deployment.is_begun && deployment.creator == Creator::User {
            self.roll_back(now_ms as i64, draw);
        }
    }

    fn roll_back(&mut self, now_ms: i64, draw: u128) {
        let failed = &mut self.deployment;
        let rollback = rollback_of(failed, deployment_id(draw), now_ms);
        failed.rollback = Some(RollbackInfo {
            deployment: Some(rollback.id.clone()),
            triggering: None,
            message: words::rolled_back(&failed.id, &rollback.id),
        });
        self.rollback = Some(rollback);
    }
}

/// The event that was on, or was to come next, failed; the later ones don't come.
fn end_events(events: &mut [LifecycleEvent; 3], message: &str, now_ms: i64) {
    let mut open = events.iter_mut().filter(|event| !event.status.has_ended());
    if let Some(event) = open.next() {
        event.status = EventStatus::Failed;
        event.started_ms.get_or_insert(now_ms);
        event.ended_ms = Some(now_ms);
        event.diagnostics = Some(message.to_owned());
    }
    open.for_each(|event| event.status = EventStatus::Skipped);
}

fn is_configured(deployment: &FunctionDeployment, cause: &str) -> bool {
    let settings = deployment.auto_rollback.as_ref().filter(|settings| settings.is_enabled);
    settings.is_some_and(|settings| settings.events.iter().any(|event| event == cause))
}

/// `d-` and 9 of `[A-Z0-9]`.
pub fn deployment_id(draw: u128) -> String {
    format!("d-{}", pitbird_names::short_id(draw, 9).to_ascii_uppercase())
}

/// The deployment that puts an alias back where it was, at once and without hooks.
fn rollback_of(failed: &FunctionDeployment, id: String, now_ms: i64) -> FunctionDeployment {
    let AliasShift { function, alias, current, target } = failed.shift.clone();
    let shift = AliasShift { function, alias, current: target, target: current };
    let content = appspec::write(&shift);
    let sha256 = Some(revisions::sha256_hex(content.as_bytes()));
    FunctionDeployment {
        rollback: Some(RollbackInfo {
            deployment: None,
            triggering: Some(failed.id.clone()),
            message: words::rolls_back(&id, &failed.id),
        }),
        id,
        config: config::DEFAULT.to_owned(),
        routing: TrafficRouting::AllAtOnce,
        revision: Revision::AppSpecContent { content, sha256 },
        previous_revision: Some(failed.revision.clone()),
        description: None,
        creator: Creator::Rollback,
        shift,
        hooks: Hooks::default(),
        status: DeploymentStatus::Created,
        error: None,
        events: Default::default(),
        is_begun: false,
        generation: 0,
        next_ms: None,
        created_ms: now_ms,
        started_ms: None,
        completed_ms: None,
        updated_ms: now_ms,
        ..failed.clone()
    }
}
