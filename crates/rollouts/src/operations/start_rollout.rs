use std::sync::Arc;

use pitbird_analysis::Arm;
use pitbird_names::{Percent, Scope};
use pitbird_records::{RolloutClaim, key, prefix};
use pitbird_rollout::{self as planner, Plan, RampStep, Rules, plan};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::shape::{self, Canary, Step, Target};
use crate::target::start;
use crate::{Error, Rollout, State, commit, keep};

/// Rollouts that run in one account and region at a time.
pub const RUNNING_MAX: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    name: String,
    target: Target,
    canary: Canary,
    steps: Option<Vec<Step>>,
    alarms: Option<Vec<String>>,
    rules: Option<shape::Rules>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Answer, Fault> {
    let Call { caller, input, .. } = call;
    let parts = &state.parts;
    let steps = steps(input.steps)?;
    let rules = rules(input.rules.unwrap_or_default(), input.alarms.unwrap_or_default());
    know_alarms(&state, &caller.scope, &rules.alarms)?;
    keep::make_room(&parts.store, &caller.scope, keep::ROLLOUTS_MAX).await.map_err(Error::from)?;
    let wish = start::Wish::parse(input.target, input.canary)?;
    let (scope, name, now_ms) = (caller.scope, input.name, (parts.clock)());
    let begin = move |tx: &mut Transaction<'_>| {
        check_free(tx, &scope, &name, &wish.claim())?;
        let target = wish.find(tx, &scope)?;
        let plan = Plan::new(start::description(&target), steps, rules)?;
        let word = planner::begin(&plan, Arm::default(), now_ms);
        let record = word.record.expect("a beginning is recorded");
        let rollout = Rollout {
            reason: record.reason.to_string(),
            scope,
            name,
            target,
            plan,
            state: word.state,
            entries: 1,
            commands: 0,
            shifts: Vec::new(),
            phase_began_ms: now_ms,
            started_ms: now_ms,
            ended_ms: None,
            canary_use: Default::default(),
        };
        write(tx, &rollout, record)?;
        Ok::<_, Error>(rollout)
    };
    let rollout = parts.store.write(begin).await?;
    state.drivers.drive(&rollout).await;
    Ok(shape::Answer::from(&rollout))
}

/// Nothing of the kind is running, and the name is new.
fn check_free(tx: &Transaction<'_>, scope: &Scope, name: &str, claim: &str) -> Result<(), Error> {
    if tx.exists::<Rollout>(&key(scope, &[name]))? {
        return Err(Error::NameTaken(name.to_owned()));
    }
    if let Some(taken) = tx.get::<RolloutClaim>(&key(scope, &[claim]))? {
        return Err(Error::TargetTaken(taken.record.rollout));
    }
    if tx.count::<RolloutClaim>(&prefix(scope, &[]))? >= RUNNING_MAX {
        return Err(Error::TooMany { limit: RUNNING_MAX });
    }
    Ok(())
}

fn write(tx: &mut Transaction<'_>, rollout: &Rollout, record: planner::Record) -> Result<(), Error> {
    tx.put(&commit::claim(rollout))?;
    tx.put(rollout)?;
    commit::entry(tx, rollout, 1, record)?;
    Ok(())
}

/// The ramp; a step that doesn't say how long it takes gets the usual wait, the last one the usual bake.
fn steps(steps: Option<Vec<Step>>) -> Result<Vec<RampStep>, Error> {
    let Some(steps) = steps else { return Ok(plan::standard_steps()) };
    let last = steps.len().saturating_sub(1);
    let step = |(at, step): (usize, Step)| {
        let percent =
            Percent::new(step.percent).map_err(|error| Error::invalid(format!("Percent: {error}.")))?;
        let usual = if at == last { plan::BAKE_MS } else { plan::WAIT_MS };
        Ok(RampStep { percent, wait_ms: step.wait_ms.unwrap_or(usual) })
    };
    steps.into_iter().enumerate().map(step).collect()
}

fn rules(given: shape::Rules, alarms: Vec<String>) -> Rules {
    let usual = Rules::default();
    Rules {
        alpha_rollback: given.alpha_rollback.unwrap_or(usual.alpha_rollback),
        alpha_promote: given.alpha_promote.unwrap_or(usual.alpha_promote),
        margin: given.margin.unwrap_or(usual.margin),
        budget: given.budget.unwrap_or(usual.budget),
        canary_requests_min: given.canary_requests_min.unwrap_or(usual.canary_requests_min),
        max_duration_ms: given.max_duration_ms.unwrap_or(usual.max_duration_ms),
        deadline_ms: given.deadline_ms.unwrap_or(usual.deadline_ms),
        interval_ms: given.interval_ms.unwrap_or(usual.interval_ms),
        alarms,
        checks: Vec::new(),
    }
}

/// A misspelt alarm would hold the rollout until its time is over.
fn know_alarms(state: &State, scope: &Scope, names: &[String]) -> Result<(), Error> {
    if names.is_empty() {
        return Ok(());
    }
    let known = (state.parts.alarms)(scope, names);
    match names.iter().find(|name| known.iter().all(|alarm| alarm.name != **name)) {
        Some(name) => Err(Error::UnknownAlarm(name.clone())),
        None => Ok(()),
    }
}
