//! What a deployment does next: pure.
//!
//! [`take`] goes as far as it can: from one lifecycle event to the next, until something has to be waited for. It changes
//! the alias at most once. Whoever calls it writes all of its answer down, or nothing.

mod ending;
pub mod words;

use pitbird_names::{VersionId, Weight};
use pitbird_records::Alias;
use pitbird_records::alias::Additional;
use pitbird_records::function_deployment::{
    AliasState, Creator, DeploymentStatus, EventStatus, FunctionDeployment, HookRun,
};

use crate::{AlarmStanding, limits};
use ending::Halt;
pub use ending::{deployment_id, stop};

/// The lifecycle events, in their order. The first and the last may have a hook.
pub const EVENTS: [&str; 3] = ["BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic"];
const BEFORE: usize = 0;
const ALLOW: usize = 1;
const AFTER: usize = 2;

/// The clock may be set while we wait; it is looked at again after this.
const LOOK_AGAIN_MS: u64 = 60_000;

/// What a deployment sees.
#[derive(Debug, Clone)]
pub struct World {
    pub now_ms: u64,
    pub alias: Option<Alias>,
    pub has_current: bool,
    pub has_target: bool,
    /// Why Lambda would not let the alias lead to both versions, or to the new one.
    pub obstacle: Option<String>,
    pub has_group: bool,
    pub role: RoleStanding,
    /// Those of the deployment's alarms that there are.
    pub alarms: Vec<AlarmStanding>,
    /// Why the function that is being asked could not answer.
    pub hook_failure: Option<String>,
    pub draws: Draws,
}

/// May the group's role do what the deployment needs?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleStanding {
    /// It is gone, or doesn't trust CodeDeploy.
    Missing,
    There {
        may_shift: bool,
        may_see_alarms: bool,
        /// The hooks before and after.
        may_invoke: [bool; 2],
    },
}

/// Random bits, each for one identifier.
#[derive(Debug, Clone, Copy, Default)]
pub struct Draws {
    pub rollback: u128,
    pub revision: u128,
    pub execution: u128,
}

/// What came of a look.
#[derive(Debug, Clone)]
pub struct Turn {
    pub deployment: FunctionDeployment,
    /// The alias as it is to be.
    pub alias: Option<Alias>,
    /// The deployment that puts the alias back.
    pub rollback: Option<FunctionDeployment>,
    /// States that triggers are told of: `START`, `SUCCESS`, `FAILURE`, `STOP`.
    pub states: Vec<&'static str>,
    /// When to look again, epoch milliseconds; none after the end.
    pub next_ms: Option<u64>,
}

/// Looks.
pub fn take(before: &FunctionDeployment, world: &World) -> Turn {
    let mut turn = Turn::of(before);
    if turn.deployment.has_ended() {
        return turn;
    }
    if let Err(halt) = turn.go_on(world) {
        turn.halt(halt, world.now_ms, world.has_group, world.draws.rollback);
    }
    if turn.deployment != *before {
        turn.deployment.updated_ms = world.now_ms as i64;
    }
    turn.next_ms = turn.wake(world.now_ms);
    turn
}

impl Turn {
    fn of(deployment: &FunctionDeployment) -> Turn {
        let deployment = deployment.clone();
        Turn { deployment, alias: None, rollback: None, states: Vec::new(), next_ms: None }
    }

    fn go_on(&mut self, world: &World) -> Result<(), Halt> {
        if self.deployment.status == DeploymentStatus::Created {
            self.deployment.status = DeploymentStatus::InProgress;
            self.deployment.started_ms = Some(world.now_ms as i64);
            self.states.push("START");
        }
        if !world.has_group {
            return Err(Halt::failed(
                "DEPLOYMENT_GROUP_MISSING",
                words::group_missing(&self.deployment.group),
            ));
        }
        let role = &self.deployment.service_role;
        match world.role {
            RoleStanding::Missing => return Err(Halt::failed("IAM_ROLE_MISSING", words::role_missing(role))),
            RoleStanding::There { may_shift: false, .. } => {
                return Err(Halt::failed("IAM_ROLE_PERMISSIONS", words::role_forbids(role, "AWSLambda")));
            }
            RoleStanding::There { .. } => {}
        }
        if !self.deployment.is_begun {
            self.validate(world)?;
            self.deployment.is_begun = true;
        }
        self.heed_alarms(world)?;
        if self.hook(BEFORE, world)? && self.allow(world)? && self.hook(AFTER, world)? {
            self.succeed(world.now_ms);
        }
        Ok(())
    }

    /// Is everything as the AppSpec says?
    fn validate(&self, world: &World) -> Result<(), Halt> {
        let FunctionDeployment { shift, creator, expected, .. } = &self.deployment;
        let alias = world.alias.as_ref().ok_or_else(|| {
            Halt::failed("INVALID_LAMBDA_CONFIGURATION", words::no_alias(&shift.function, &shift.alias))
        })?;
        if *creator == Creator::Rollback {
            return unmoved(alias, expected);
        }
        if shift.current == shift.target {
            return Err(Halt::failed("INVALID_LAMBDA_CONFIGURATION", words::CONFIGURATION.to_owned()));
        }
        if alias.version != shift.current {
            return Err(Halt::failed("INVALID_LAMBDA_CONFIGURATION", words::alias_mismatch()));
        }
        if !is_same(&AliasState::from(alias), expected) {
            return Err(Halt::failed("INVALID_LAMBDA_CONFIGURATION", words::alias_weighted(&shift.alias)));
        }
        for (version, exists) in [(shift.current, world.has_current), (shift.target, world.has_target)] {
            check_version(&shift.function, version, exists)?;
        }
        unhindered(world)
    }

    /// A rollback puts the alias back whatever alarms say.
    fn heed_alarms(&self, world: &World) -> Result<(), Halt> {
        let Some(settings) = self.watched_alarms() else { return Ok(()) };
        let may_see = matches!(world.role, RoleStanding::There { may_see_alarms: true, .. });
        if !may_see && !settings.ignores_poll_failure {
            let words = words::role_forbids(&self.deployment.service_role, "AmazonCloudWatch");
            return Err(Halt::failed("IAM_ROLE_PERMISSIONS", words));
        }
        if !may_see {
            return Ok(());
        }
        let of = |name: &String| world.alarms.iter().find(|alarm| alarm.name == *name);
        let active: Vec<&str> = settings
            .names
            .iter()
            .filter(|name| of(name).is_some_and(|alarm| alarm.is_active))
            .map(String::as_str)
            .collect();
        if !active.is_empty() {
            return Err(Halt::alarm(words::alarms_active(&active)));
        }
        match settings.names.iter().find(|name| of(name).is_none()) {
            Some(lost) if !settings.ignores_poll_failure => {
                Err(Halt::failed("INTERNAL_ERROR", words::alarm_unknown(lost)))
            }
            _ => Ok(()),
        }
    }

    fn watched_alarms(&self) -> Option<&pitbird_records::AlarmSettings> {
        let watched = self.deployment.alarms.as_ref().filter(|alarms| alarms.is_enabled);
        watched.filter(|_| self.deployment.creator == Creator::User)
    }

    /// Takes an event that may have a hook further; has it ended?
    fn hook(&mut self, at: usize, world: &World) -> Result<bool, Halt> {
        let FunctionDeployment { hooks, events, service_role, time_scale, .. } = &mut self.deployment;
        let (function, may_invoke) = match at {
            BEFORE => (&hooks.before, 0),
            _ => (&hooks.after, 1),
        };
        let event = &mut events[at];
        if event.status.has_ended() {
            return Ok(true);
        }
        event.started_ms.get_or_insert(world.now_ms as i64);
        event.status = EventStatus::InProgress;
        let Some(function) = function else {
            event.status = EventStatus::Succeeded;
            event.ended_ms = Some(world.now_ms as i64);
            return Ok(true);
        };
        let Some(run) = &event.hook else {
            if !matches!(world.role, RoleStanding::There { may_invoke: may, .. } if may[may_invoke]) {
                return Err(Halt::failed(
                    "IAM_ROLE_PERMISSIONS",
                    words::role_forbids(service_role, "AWSLambda"),
                ));
            }
            event.hook = Some(HookRun {
                function: function.clone(),
                execution_id: crate::executor::execution_id(world.draws.execution),
                deadline_ms: world.now_ms + scaled(limits::HOOK_MS, *time_scale),
                answer: None,
            });
            return Ok(false);
        };
        let failed = |words: String| Halt::failed("HOOK_EXECUTION_FAILURE", words);
        match (run.answer, &world.hook_failure) {
            (Some(true), _) => {
                event.status = EventStatus::Succeeded;
                event.ended_ms = Some(world.now_ms as i64);
                Ok(true)
            }
            (Some(false), _) => Err(failed(words::hook_said_no(EVENTS[at], function))),
            (None, Some(why)) => Err(failed(words::hook_broke(EVENTS[at], function, why))),
            (None, None) if world.now_ms >= run.deadline_ms => {
                Err(failed(words::hook_silent(EVENTS[at], function)))
            }
            (None, None) => Ok(false),
        }
    }

    /// Takes the shift of traffic further; is all of it shifted?
    fn allow(&mut self, world: &World) -> Result<bool, Halt> {
        if self.deployment.events[ALLOW].status.has_ended() {
            return Ok(true);
        }
        let event = &mut self.deployment.events[ALLOW];
        event.started_ms.get_or_insert(world.now_ms as i64);
        event.status = EventStatus::InProgress;
        if self.deployment.next_ms.is_some_and(|due| world.now_ms < due) {
            return Ok(false);
        }
        let deployment = &mut self.deployment;
        let shift = &deployment.shift;
        let no_alias =
            || Halt::failed("INVALID_LAMBDA_CONFIGURATION", words::no_alias(&shift.function, &shift.alias));
        let mut alias = world.alias.clone().ok_or_else(no_alias)?;
        unmoved(&alias, &deployment.expected)?;
        check_version(&shift.function, shift.target, world.has_target)?;
        unhindered(world)?;
        let percent = deployment.routing.percent_after(deployment.generation + 1);
        let state = state_at(shift.current, shift.target, percent);
        if state.additional.is_some() {
            check_version(&shift.function, shift.current, world.has_current)?;
        }
        alias.version = state.version;
        alias.additional = state.additional;
        alias.revision_id = pitbird_names::uuid(world.draws.revision);
        deployment.expected = state;
        deployment.generation += 1;
        self.alias = Some(alias);
        let deployment = &mut self.deployment;
        if percent < 100 {
            let interval_ms = u64::from(deployment.routing.interval_min()) * 60_000;
            deployment.next_ms = Some(world.now_ms + scaled(interval_ms, deployment.time_scale));
            return Ok(false);
        }
        deployment.next_ms = None;
        deployment.events[ALLOW].status = EventStatus::Succeeded;
        deployment.events[ALLOW].ended_ms = Some(world.now_ms as i64);
        Ok(true)
    }

    fn succeed(&mut self, now_ms: u64) {
        self.deployment.status = DeploymentStatus::Succeeded;
        self.deployment.completed_ms = Some(now_ms as i64);
        self.states.push("SUCCESS");
    }

    /// When something may be due; answers of hooks ring by themselves.
    fn wake(&self, now_ms: u64) -> Option<u64> {
        let deployment = &self.deployment;
        if deployment.has_ended() {
            return None;
        }
        let poll =
            self.watched_alarms().map(|_| now_ms + scaled(limits::ALARM_POLL_MS, deployment.time_scale));
        let hooks = deployment.events.iter().filter(|event| event.status == EventStatus::InProgress);
        let deadlines = hooks.filter_map(|event| event.hook.as_ref()).map(|run| run.deadline_ms);
        let due = deployment.next_ms.into_iter().chain(poll).chain(deadlines);
        due.chain([now_ms + LOOK_AGAIN_MS]).min()
    }
}

/// A wait, divided; never nothing.
fn scaled(wait_ms: u64, time_scale: f64) -> u64 {
    ((wait_ms as f64 / time_scale) as u64).max(1)
}

/// Where the alias leads when the new version gets so many percent.
fn state_at(current: VersionId, target: VersionId, percent: u32) -> AliasState {
    if percent >= 100 {
        return AliasState { version: target, additional: None };
    }
    let weight = Weight::new(f64::from(percent) / 100.0).expect("a hundredth of a percentage is a share");
    AliasState { version: current, additional: Some(Additional { version: target, weight }) }
}

/// Nobody else has moved the alias.
fn unmoved(alias: &Alias, expected: &AliasState) -> Result<(), Halt> {
    let found = AliasState::from(alias);
    if is_same(&found, expected) {
        return Ok(());
    }
    let words = words::alias_moved(&alias.name, &found, expected);
    Err(Halt::failed("INVALID_LAMBDA_CONFIGURATION", words))
}

fn unhindered(world: &World) -> Result<(), Halt> {
    match &world.obstacle {
        None => Ok(()),
        Some(why) => {
            Err(Halt::failed("INVALID_LAMBDA_CONFIGURATION", format!("{} {why}", words::CONFIGURATION)))
        }
    }
}

fn check_version(function: &str, version: VersionId, exists: bool) -> Result<(), Halt> {
    if exists {
        return Ok(());
    }
    Err(Halt::failed("INVALID_LAMBDA_FUNCTION", words::no_version(function, version)))
}

/// Are two states the same, but for what a share's way through a file may have cost? A share of nothing is none.
fn is_same(a: &AliasState, b: &AliasState) -> bool {
    let share = |state: &AliasState| {
        let additional = state.additional.filter(|additional| additional.weight.get() > 0.0);
        additional.map(|additional| (additional.version, additional.weight.get()))
    };
    let shares = match (share(a), share(b)) {
        (None, None) => true,
        (Some(a), Some(b)) => a.0 == b.0 && (a.1 - b.1).abs() < 1e-9,
        _ => false,
    };
    a.version == b.version && shares
}

#[cfg(test)]
mod tests;
