//! From an order to a rollout that may be driven: what stands on AWS is looked at, held against what is wanted, and claimed.

use std::collections::BTreeMap;
use std::time::Duration;

use pitbird_analysis::Arm;
use pitbird_names::Percent;
use pitbird_rollout::notice::Standing;
use pitbird_rollout::{self as planner, Whom};
use thiserror::Error;

use crate::cloud::{Cloud, Fault, Kind};
use crate::journal::{self, Journal};
use crate::marker::Marker;
use crate::minutes::{self, MINUTE_MS, Meter, Shift};
use crate::order::{self, AliasWish, Order, Wish};
use crate::run::{FORM, Run};
use crate::target::{AliasTarget, Change, Seen, StageTarget, Target};

/// What the base did for so long before the rollout is taken along, ms.
const HISTORY_MS: u64 = 60 * MINUTE_MS;
/// Where there is no compare-and-set, a sign is looked at again after this time: of two, one remains.
pub const SECOND_LOOK: Duration = Duration::from_secs(2);

#[derive(Debug, Error)]
pub enum Error {
    #[error(transparent)]
    Order(#[from] order::Error),
    #[error("{0}")]
    Target(String),
    #[error("{0}")]
    Cloud(Fault),
    #[error(transparent)]
    Journal(#[from] journal::Error),
    #[error("rollout {0} has ended already; choose another name")]
    NameTaken(String),
    #[error(
        "rollout {0} is under way with another plan, target, hooks or notifications; abort it, or start it with the same file"
    )]
    OtherOrder(String),
    #[error("alarm {0} doesn't exist")]
    UnknownAlarm(String),
    #[error("{shown} is taken by rollout {}, which began at {} (epoch ms)", .by.name, .by.began_ms)]
    Taken { shown: String, by: Box<Marker>, may_be_taken_over: bool },
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Error {
        Error::Cloud(fault)
    }
}

/// What stands on AWS where the rollout is to be.
pub struct Found {
    pub target: Target,
    pub seen: Seen,
    pub history: Arm,
}

/// Looks at all that the rollout needs, and changes nothing.
pub async fn find(cloud: &Cloud, order: &Order, lag_ms: u64, now_ms: u64) -> Result<Found, Error> {
    let (target, seen) = match order.wish()? {
        Wish::Alias(AliasWish { function, alias, canary, .. }) => {
            let seen = cloud.alias(&function, &alias).await?;
            cloud.version(&function, &canary).await?;
            let target = AliasTarget::find(function, alias, canary, &seen).map_err(Error::Target)?;
            (Target::Alias(target), Seen::Alias(seen))
        }
        Wish::Aliases(wishes) => {
            let (mut targets, mut found) = (Vec::new(), Vec::new());
            for AliasWish { name, function, alias, canary } in wishes {
                let about = |fault: Fault| fault.about(&name);
                let seen = cloud.alias(&function, &alias).await.map_err(about)?;
                cloud.version(&function, &canary).await.map_err(about)?;
                let target = AliasTarget::find(function, alias, canary, &seen);
                targets.push(target.map_err(|words| Error::Target(format!("{words} (function {name})")))?);
                found.push(Some(seen));
            }
            (Target::Aliases(targets), Seen::Aliases(found))
        }
        Wish::Stage { api_id, stage, canary, overrides } => {
            let api_name = cloud.api_name(&api_id).await?;
            let seen = cloud.stage(&api_id, &stage).await?;
            let target = StageTarget::find((api_id, api_name, stage), canary, overrides, &seen)
                .map_err(Error::Target)?;
            cloud.deployment(&target.api_id, &target.canary).await?;
            (Target::Stage(target), Seen::Stage(seen))
        }
    };
    let alarms = &order.plan.rules().alarms;
    let known = cloud.alarms(alarms).await?;
    if let Some(name) = alarms.iter().find(|name| known.iter().all(|alarm| alarm.name != **name)) {
        return Err(Error::UnknownAlarm(name.clone()));
    }
    for hook in order.plan.hooks() {
        if let Whom::Function(named) = &hook.whom {
            cloud.function(named).await?;
        }
    }
    let floor = |ms: u64| ms / MINUTE_MS * MINUTE_MS;
    let (from_ms, to_ms) = (floor(now_ms.saturating_sub(HISTORY_MS)), floor(now_ms.saturating_sub(lag_ms)));
    // Where a canary had a share before, whose failures they were isn't known.
    let is_alone = !seen.is_shared();
    let read = cloud.minutes(&target, from_ms..to_ms.max(from_ms)).await?;
    let history =
        if is_alone { minutes::history(read.iter().flat_map(BTreeMap::values)) } else { Arm::default() };
    Ok(Found { target, seen, history })
}

/// The rollout of this name as it was written down, if it is the same: then it goes on.
pub fn resumed(journal: &Journal, order: &Order) -> Result<Option<Run>, Error> {
    let Some(run) = journal.load()? else { return Ok(None) };
    if run.is_done() {
        return Err(Error::NameTaken(run.name));
    }
    let is_same = run.plan == order.plan
        && run.input["Target"] == order.input["Target"]
        && run.input["Canary"] == order.input["Canary"]
        // With their secrets, which no plan has.
        && run.input["Hooks"] == order.input["Hooks"]
        && run.input["Notifications"] == order.input["Notifications"];
    if is_same { Ok(Some(run)) } else { Err(Error::OtherOrder(run.name)) }
}

/// Begins: written down first, then claimed.
pub async fn begin(
    cloud: &Cloud,
    journal: &Journal,
    order: Order,
    (lag_ms, take_over): (u64, bool),
    now_ms: u64,
) -> Result<Run, Error> {
    let name = order.name()?.to_owned();
    let Found { target, seen, history } = find(cloud, &order, lag_ms, now_ms).await?;
    for by in seen.markers().into_iter().flatten() {
        let may_be_taken_over = by.name == name;
        if !(take_over && may_be_taken_over) {
            return Err(Error::Taken { shown: target.shown(), by: Box::new(by), may_be_taken_over });
        }
    }
    let word = planner::begin(&order.plan, history, now_ms);
    let told = Some(Standing::of(&order.plan, &word.state));
    let others = target.functions().len().saturating_sub(1);
    let other_meters = vec![Meter::new(now_ms, lag_ms); others];
    let mut run = Run {
        form: FORM,
        name,
        input: order.input,
        plan: order.plan,
        target,
        run: nonce(),
        began_ms: now_ms,
        is_claimed: false,
        state: word.state,
        meter: Meter::new(now_ms, lag_ms),
        other_meters,
        shifts: vec![Shift { percent: Percent::default(), decided_ms: now_ms, live_ms: Some(now_ms) }],
        reason: word.record.as_ref().map(|record| record.reason.to_string()).unwrap_or_default(),
        records: 0,
        orders: journal.orders(0)?.len() as u64,
        commands: 0,
        told,
        notices: Vec::new(),
        is_released: false,
    };
    // A target that can't carry the sign is refused before anything is written.
    run.target.calls(&seen, Change::Claim, &run.marker(), false).map_err(Error::Target)?;
    journal.write(&mut run, &Vec::from_iter(word.record))?;
    Ok(run)
}

/// Puts the sign on the target, unless it is there. Of several aliases all have it, or none.
pub async fn claim(cloud: &Cloud, journal: &Journal, run: &mut Run, take_over: bool) -> Result<(), Error> {
    if let Err(error) = sign(cloud, run, take_over).await {
        if matches!(run.target, Target::Aliases(_)) {
            // Those that were signed before one couldn't be.
            let seen = cloud.see(&run.target).await;
            let calls = seen.map(|seen| run.target.calls(&seen, Change::Release, &run.marker(), false));
            for call in calls.into_iter().flatten().flatten() {
                // What can't be taken back is seen by the next start, which says whose it is.
                let _tried = cloud.call(&run.target, call).await;
            }
        }
        return Err(error);
    }
    run.is_claimed = true;
    journal.write(run, &[])?;
    Ok(())
}

async fn sign(cloud: &Cloud, run: &Run, take_over: bool) -> Result<(), Error> {
    let own = run.marker();
    let seen = cloud.see(&run.target).await?;
    let taken = |by: Marker| {
        let may_be_taken_over = by.name == own.name;
        Error::Taken { shown: run.target.shown(), by: Box::new(by), may_be_taken_over }
    };
    for (found, own) in seen.markers().into_iter().zip(run.target.signs(&own)) {
        match found {
            Some(by) if by != own && !(take_over && by.name == own.name) => return Err(taken(by)),
            _ => {}
        }
    }
    let calls = run.target.calls(&seen, Change::Claim, &own, false).map_err(Error::Target)?;
    if calls.is_empty() {
        return Ok(());
    }
    for call in calls {
        cloud.call(&run.target, call).await.map_err(|fault| match fault.kind {
            Kind::Stale => Error::Target(format!(
                "{} was changed by somebody else just now; try again",
                run.target.shown()
            )),
            _ => Error::Cloud(fault),
        })?;
    }
    if matches!(run.target, Target::Stage(_)) {
        // Whoever put his sign at the same moment is seen by then; nothing on AWS tells of it.
        tokio::time::sleep(SECOND_LOOK).await;
    }
    let seen = cloud.see(&run.target).await?;
    for (found, own) in seen.markers().into_iter().zip(run.target.signs(&own)) {
        match found {
            Some(by) if by == own => {}
            Some(by) => return Err(taken(by)),
            None => {
                let words = format!("the sign of the rollout doesn't stay on {}", run.target.shown());
                return Err(Error::Target(words));
            }
        }
    }
    Ok(())
}

fn nonce() -> String {
    std::iter::repeat_with(fastrand::alphanumeric).take(10).collect()
}
