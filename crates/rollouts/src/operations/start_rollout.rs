use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pitbird_analysis::Arm;
use pitbird_names::{Percent, Scope};
use pitbird_records::rollout::OrderKind;
use pitbird_records::{RolloutClaim, key, prefix, rollout as records};
use pitbird_rollout::{
    self as planner, Guardrails, Hook, Judged, Latency, Plan, Ramp, RampStep, Rules, plan,
};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::shape::{self, Canary, Step, Target};
use crate::target::{extra, routes, start};
use crate::{Error, Parts, Rollout, State, commit, hook, keep, live, notice};

/// Rollouts that run in one account and region at a time.
pub const RUNNING_MAX: usize = 100;
/// The base's history counts for so many requests at most, so that what it does now soon counts for more.
const HISTORY_REQUESTS_MAX: u64 = 10_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    name: String,
    target: Target,
    canary: Canary,
    steps: Option<Vec<Step>>,
    alarms: Option<Vec<String>>,
    rules: Option<shape::Rules>,
    ramp: Option<shape::Ramp>,
    latency: Option<shape::Latency>,
    routes: Option<Vec<String>>,
    guardrails: Option<shape::Guardrails>,
    /// Goes into the record: why this release, or by which ticket.
    reason: Option<String>,
    notifications: Option<Vec<shape::Notification>>,
    hooks: Option<Vec<shape::Hook>>,
    pre_warm: Option<shape::PreWarm>,
    force: Option<String>,
    sticky: Option<String>,
    mirror: Option<f64>,
    probes: Option<shape::Probes>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Answer, Fault> {
    let Call { caller, input, .. } = call;
    let parts = &state.parts;
    let guardrails = input.guardrails.unwrap_or_default().parse();
    let ordered = Ordered::parse(input.steps, input.rules, input.alarms, (input.ramp, input.latency))?;
    let (hooks, hook_secrets) = hook::parse(&input.hooks.unwrap_or_default())?;
    let mut ordered = Ordered { guardrails, hooks, ..ordered };
    know_alarms(&state, &caller.scope, &ordered.rules.alarms)?;
    keep::make_room(&parts.store, &caller.scope, keep::ROLLOUTS_MAX).await.map_err(Error::from)?;
    let notifications = notice::parse(input.notifications.unwrap_or_default())?;
    let pre_warm = input.pre_warm.map(|pre_warm| pre_warm.environments);
    ordered.rules.checks.extend(pre_warm.map(|_| plan::PRE_WARMED.to_owned()));
    let mirror = input.mirror.map(|mirror| mirror.to_string());
    let probes = input.probes.map(|probes| probes.parse(&input.target)).transpose()?;
    ordered.pairs = mirror.is_some() || probes.is_some();
    let tags = start::Tags { force: input.force, sticky: input.sticky, mirror };
    let extra = start::Extra { pre_warm, tags };
    let wish = start::Wish::parse(input.target, input.canary, extra)?;
    let now_ms = (parts.clock)();
    let reason = input.reason.clone();
    let order = super::audited(&caller, OrderKind::Start, input.reason.as_deref(), now_ms);
    let (scope, name) = (caller.scope, input.name);
    let history = history(parts, &wish, &scope).map_err(Error::from)?;
    let routes = input.routes.unwrap_or_default();
    let begin = move |tx: &mut Transaction<'_>| {
        let same = started_before(tx, &scope, &name, (&wish, &ordered, &routes))?;
        let is_same = |same: &Rollout| {
            same.probes == probes && is_said_alike(same, &notifications, &hook_secrets, reason.as_deref())
        };
        if let Some(same) = same.filter(is_same) {
            return Ok::<_, Error>((same, false));
        }
        check_free(tx, &scope, &name, &wish.claims())?;
        hook::check(tx, &scope, &ordered.hooks)?;
        let target = wish.find(tx, &scope)?;
        let users = extra::keeps_clients(tx, &scope, &target)?;
        let plan = ordered.plan(&target, routes::find(tx, &scope, &target, routes)?, users)?;
        let word = planner::begin(&plan, history, now_ms);
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
            cold_starts: Default::default(),
            pairs: Default::default(),
            pair_minutes: Vec::new(),
            thresholds: None,
            orders: vec![order],
            notifications,
            hook_secrets,
            probes,
        };
        extra::pre_warm(tx, &rollout)?;
        write(tx, &rollout, record)?;
        Ok((rollout, true))
    };
    let (rollout, is_new) = parts.store.write(begin).await?;
    if is_new {
        state.drivers.drive(&rollout).await;
    }
    Ok(shape::Answer::new(&rollout, &parts.prices))
}

/// What a caller wants of a rollout, but for its target.
#[derive(Clone)]
struct Ordered {
    steps: Vec<RampStep>,
    rules: Rules,
    ramp: Option<Ramp>,
    latency: Option<Latency>,
    guardrails: Guardrails,
    hooks: Vec<Hook>,
    /// Whether both arms answer some requests.
    pairs: bool,
}

impl Ordered {
    fn parse(
        given: Option<Vec<Step>>,
        rules: Option<shape::Rules>,
        alarms: Option<Vec<String>>,
        (ramp, latency): (Option<shape::Ramp>, Option<shape::Latency>),
    ) -> Result<Ordered, Error> {
        let ramp = ramp.map(shape::Ramp::parse).transpose()?;
        let latency = latency.map(shape::Latency::parse);
        let mut rules = self::rules(rules.unwrap_or_default(), alarms.unwrap_or_default());
        // Nothing moves before it is known how long the base takes.
        rules.checks.extend(latency.iter().map(|_| plan::LATENCY_HISTORY.to_owned()));
        let steps = match (given, &ramp) {
            (None, Some(_)) => plan::adaptive_steps(),
            (given, _) => steps(given)?,
        };
        let (guardrails, hooks) = (Guardrails::default(), Vec::new());
        Ok(Ordered { steps, rules, ramp, latency, guardrails, hooks, pairs: false })
    }

    fn plan(self, target: &records::Target, routes: Vec<String>, users: bool) -> Result<Plan, Error> {
        let Ordered { steps, rules, ramp, latency, guardrails, hooks, pairs } = self;
        let judged = Judged { latency, routes, users, pairs };
        let plan = Plan::new(start::description(target), steps, rules)?.with(ramp, judged)?;
        Ok(plan.guarded(guardrails)?.hooked(hooks)?)
    }
}

/// The rollout of this name, if it was started with the same words: then nothing is to be done.
fn started_before(
    tx: &Transaction<'_>,
    scope: &Scope,
    name: &str,
    (wish, ordered, routes): (&start::Wish, &Ordered, &[String]),
) -> Result<Option<Rollout>, Error> {
    let Some(found) = tx.get::<Rollout>(&key(scope, &[name]))? else { return Ok(None) };
    let rollout = found.record;
    if !wish.is_for(&rollout.target) {
        return Ok(None);
    }
    let is_all = routes == [routes::ALL] || matches!(rollout.target, records::Target::LambdaAliases(_));
    let routes = if is_all { rollout.plan.judged().routes.clone() } else { routes.to_vec() };
    // Whether users are counted was decided when it began, by the stage's tags among others.
    let plan = ordered.clone().plan(&rollout.target, routes, rollout.plan.judged().users)?;
    Ok((plan == rollout.plan).then_some(rollout))
}

/// Were the same URLs to be told, signed with the same secrets, for the same reason? Rollouts of older versions know no reason.
fn is_said_alike(
    rollout: &Rollout,
    notifications: &[records::Notification],
    hook_secrets: &BTreeMap<String, String>,
    reason: Option<&str>,
) -> bool {
    let is_same_reason = rollout.orders.first().is_none_or(|order| order.why.as_deref() == reason);
    let is_same_secrets = rollout.hook_secrets == *hook_secrets;
    rollout.notifications == notifications && is_same_secrets && is_same_reason
}

/// What the base has done so far, as far as its counters tell: they go back to the server's start at most. Of many
/// requests, only the share of failures is of interest.
fn history(parts: &Parts, wish: &start::Wish, scope: &Scope) -> Result<Arm, pitbird_store::Error> {
    let base = live::counts(&parts.counts, &wish.live(&parts.store, scope)?).unwrap_or_default().base;
    let (requests, failures) = (base.requests, base.failures.min(base.requests));
    let kept = requests.min(HISTORY_REQUESTS_MAX);
    let failures = (u128::from(failures) * u128::from(kept)).div_ceil(u128::from(requests.max(1))) as u64;
    Ok(Arm::new(kept, failures.min(kept)).expect("at most as many as requests"))
}

/// Nothing of the kind is running, and the name is new.
fn check_free(tx: &Transaction<'_>, scope: &Scope, name: &str, claims: &[String]) -> Result<(), Error> {
    if tx.exists::<Rollout>(&key(scope, &[name]))? {
        return Err(Error::NameTaken(name.to_owned()));
    }
    for claim in claims {
        if let Some(taken) = tx.get::<RolloutClaim>(&key(scope, &[claim]))? {
            return Err(Error::TargetTaken(taken.record.rollout));
        }
    }
    let running = tx.list::<RolloutClaim>(&prefix(scope, &[]))?;
    let running: BTreeSet<String> = running.into_iter().map(|claim| claim.record.rollout).collect();
    if running.len() >= RUNNING_MAX {
        return Err(Error::TooMany { limit: RUNNING_MAX });
    }
    Ok(())
}

fn write(tx: &mut Transaction<'_>, rollout: &Rollout, record: planner::Record) -> Result<(), Error> {
    commit::claims(rollout).iter().try_for_each(|claim| tx.put(claim).map(|_| ()))?;
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
        let (wait_ms, gate) = (step.wait_ms.unwrap_or(usual), step.gate.unwrap_or_default());
        Ok(RampStep { percent, wait_ms, gate })
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
        gate_timeout_ms: given.gate_timeout_ms.unwrap_or(usual.gate_timeout_ms),
        interval_ms: given.interval_ms.unwrap_or(usual.interval_ms),
        alarms,
        checks: Vec::new(),
        when_blind: given.when_blind.map(Into::into).unwrap_or(usual.when_blind),
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
