//! Usage plans: the stages that keys may call, how fast and how often.

pub mod day;
mod patch;

use pitbird_names::Scope;
use pitbird_records::{ApiKey, ApiStage, Quota, Throttle, UsagePlan, UsagePlanKey, key, prefix};
use pitbird_store::Transaction;

use crate::Error;
use crate::find::{self, Records};

pub use patch::apply;

/// Plans in one account and region. Source: API Gateway quotas.
pub const PLANS_MAX: usize = 300;
/// Stages of one plan, and limits for single methods in one of these. Source: none published; they bound a record.
const STAGES_MAX: usize = 300;
const METHODS_MAX: usize = 300;

/// Checks a plan as a whole: its stages exist, its limits can be kept.
pub fn check(plan: &UsagePlan, records: &impl Records) -> Result<(), Error> {
    if plan.name.is_empty() {
        return Err(Error::UsagePlanName);
    }
    if plan.api_stages.len() > STAGES_MAX {
        return Err(Error::TooMany { what: "API stages for this usage plan", limit: STAGES_MAX });
    }
    for (at, stage) in plan.api_stages.iter().enumerate() {
        check_stage(plan, stage, records)?;
        let is_same = |other: &ApiStage| other.api_id == stage.api_id && other.stage == stage.stage;
        if plan.api_stages[..at].iter().any(is_same) {
            return Err(Error::UsagePlanStageTwice(name(stage)));
        }
    }
    plan.throttle.iter().try_for_each(check_throttle)?;
    plan.quota.as_ref().map_or(Ok(()), check_quota)
}

fn check_stage(plan: &UsagePlan, stage: &ApiStage, records: &impl Records) -> Result<(), Error> {
    let found = find::stage(records, &plan.scope, &stage.api_id, &stage.stage);
    found.map_err(|error| match error {
        Error::UnknownStage => Error::UsagePlanStage {
            api: stage.api_id.clone(),
            stage: stage.stage.clone(),
            plan: plan.id.clone(),
        },
        error => error,
    })?;
    if stage.throttle.len() > METHODS_MAX {
        return Err(Error::TooMany { what: "method limits for this API stage", limit: METHODS_MAX });
    }
    stage.throttle.values().try_for_each(check_throttle)
}

fn check_throttle(throttle: &Throttle) -> Result<(), Error> {
    if !(0..=i64::from(i32::MAX)).contains(&throttle.burst_limit) {
        return Err(Error::SettingValue {
            what: "throttle/burstLimit".to_owned(),
            value: throttle.burst_limit.to_string(),
        });
    }
    if !throttle.rate_limit.is_finite() || throttle.rate_limit < 0.0 {
        return Err(Error::SettingValue {
            what: "throttle/rateLimit".to_owned(),
            value: throttle.rate_limit.to_string(),
        });
    }
    Ok(())
}

fn check_quota(quota: &Quota) -> Result<(), Error> {
    let offset_max = match quota.period.as_str() {
        "DAY" => 0,
        "WEEK" => 6,
        "MONTH" => 27,
        _ => return Err(Error::QuotaPeriod),
    };
    if !(0..=i64::from(i32::MAX)).contains(&quota.limit) {
        return Err(Error::QuotaLimit);
    }
    match (0..=offset_max).contains(&quota.offset) {
        true => Ok(()),
        false if offset_max == 0 => Err(Error::QuotaOffsetDay),
        false => Err(Error::QuotaOffset { max: offset_max, period: quota.period.clone() }),
    }
}

/// `{api id}:{stage}`, as patches name a plan's stages.
pub fn name(stage: &ApiStage) -> String {
    format!("{}:{}", stage.api_id, stage.stage)
}

/// Refuses to delete a plan that stages hang on.
pub fn check_unused(plan: &UsagePlan) -> Result<(), Error> {
    match plan.api_stages.first() {
        Some(stage) => Err(Error::UsagePlanUsed { plan: plan.id.clone(), stage: name(stage) }),
        None => Ok(()),
    }
}

/// Refuses what would give a key two plans for one stage: `plan`, and another that the key is in.
pub fn check_single(plan: &UsagePlan, key_id: &str, records: &impl Records) -> Result<(), Error> {
    let others = with_key(&plan.scope, key_id, records)?;
    others.iter().filter(|other| other.id != plan.id).try_for_each(|other| check_apart(plan, other, key_id))
}

/// Refuses a stage that two plans of one key share.
pub fn check_apart(plan: &UsagePlan, other: &UsagePlan, key_id: &str) -> Result<(), Error> {
    let is_theirs = |stage: &&ApiStage| other.api_stages.iter().any(|theirs| name(theirs) == name(stage));
    match plan.api_stages.iter().find(is_theirs) {
        Some(stage) => {
            let (plan, key) = (plan.id.clone(), key_id.to_owned());
            Err(Error::UsagePlanTwice { plan, key, stage: name(stage) })
        }
        None => Ok(()),
    }
}

/// The plans that a key is in.
pub fn with_key(scope: &Scope, key_id: &str, records: &impl Records) -> Result<Vec<UsagePlan>, Error> {
    let mut plans: Vec<UsagePlan> = records.list(&prefix(scope, &[]))?;
    let mut error = None;
    plans.retain(|plan| match records.get::<UsagePlanKey>(&key(scope, &[&plan.id, key_id])) {
        Ok(found) => found.is_some(),
        Err(failed) => {
            error = Some(failed);
            false
        }
    });
    error.map_or(Ok(plans), |error| Err(error.into()))
}

/// Takes a stage that is about to go, or all stages of an API, out of all plans.
pub fn forget(
    tx: &mut Transaction<'_>,
    scope: &Scope,
    api_id: &str,
    stage: Option<&str>,
) -> Result<(), Error> {
    let plans: Vec<UsagePlan> = Records::list(tx, &prefix(scope, &[]))?;
    for mut plan in plans {
        let count = plan.api_stages.len();
        let goes =
            |known: &ApiStage| known.api_id == api_id && stage.is_none_or(|stage| known.stage == stage);
        plan.api_stages.retain(|known| !goes(known));
        if plan.api_stages.len() < count {
            tx.put(&plan)?;
        }
    }
    Ok(())
}

pub fn plan(records: &impl Records, scope: &Scope, id: &str) -> Result<UsagePlan, Error> {
    records.get(&key(scope, &[id]))?.ok_or(Error::UnknownUsagePlan)
}

/// A key of a plan.
pub fn key_of(records: &impl Records, scope: &Scope, plan_id: &str, key_id: &str) -> Result<ApiKey, Error> {
    plan(records, scope, plan_id)?;
    records.get::<UsagePlanKey>(&key(scope, &[plan_id, key_id]))?.ok_or(Error::UnknownUsagePlanKey)?;
    records.get(&key(scope, &[key_id]))?.ok_or(Error::UnknownApiKey)
}

#[cfg(test)]
mod tests;
