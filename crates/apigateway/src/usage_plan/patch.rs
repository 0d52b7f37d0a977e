//! What patch operations may do to a usage plan.
//!
//! Source: API Gateway API reference, "Patch operations"; the lists of valid paths are the service's own.

use pitbird_records::{ApiStage, Quota, Throttle, UsagePlan};

use super::name;
use crate::Error;
use crate::patch::{Op, Patch, unescape};

const REMOVABLE: &str = "/apiStages, /quota, /throttle, /productCode, \
    /apiStages/<apidId:stageName>/throttle/<resourcePath>/<httpMethod>, /apiStages/<apidId:stageName>/throttle";
const REPLACEABLE: &str = "/name, /description, /productCode, /quota/limit, /quota/offset, /quota/period, \
    /throttle/burstLimit, /throttle/rateLimit, \
    /apiStages/<apidId:stageName>/throttle/<resourcePath>/<httpMethod>/burstLimit, \
    /apiStages/<apidId:stageName>/throttle/<resourcePath>/<httpMethod>/rateLimit";
const ADDABLE: &str = "/apiStages, /quota/limit, /quota/offset, /quota/period, /throttle/burstLimit, \
    /throttle/rateLimit, /apiStages/<apidId:stageName>/throttle/<resourcePath>/<httpMethod>/burstLimit, \
    /apiStages/<apidId:stageName>/throttle/<resourcePath>/<httpMethod>/rateLimit";

/// Applies one patch operation. [`super::check`] the plan after the last one.
pub fn apply(plan: &mut UsagePlan, patch: &Patch<'_>) -> Result<(), Error> {
    match patch.op {
        Op::Add if patch.path == "/apiStages" => add_stage(plan, patch),
        Op::Add => set(plan, patch, ADDABLE),
        Op::Replace => match patch.path {
            "/name" => {
                patch.value.unwrap_or_default().clone_into(&mut plan.name);
                Ok(())
            }
            "/description" => {
                plan.description = patch.text().map(str::to_owned);
                Ok(())
            }
            "/productCode" => {
                plan.product_code = patch.text().map(str::to_owned);
                Ok(())
            }
            _ => set(plan, patch, REPLACEABLE),
        },
        Op::Remove => remove(plan, patch),
        _ => Err(Error::PatchOp),
    }
}

/// Sets a number of a throttle or a quota; what isn't there yet begins with zeros.
fn set(plan: &mut UsagePlan, patch: &Patch<'_>, valid: &'static str) -> Result<(), Error> {
    let fresh = Quota { limit: 0, offset: 0, period: "DAY".to_owned() };
    match patch.path {
        "/quota/limit" => plan.quota.get_or_insert(fresh).limit = number(patch)?,
        "/quota/offset" => plan.quota.get_or_insert(fresh).offset = number(patch)?,
        "/quota/period" => {
            patch.value.unwrap_or_default().clone_into(&mut plan.quota.get_or_insert(fresh).period)
        }
        path => {
            let (throttle, leaf) = match path.strip_prefix("/throttle/") {
                Some(leaf) => (plan.throttle.get_or_insert_default(), leaf),
                None => {
                    let (stage, rest) = stage_path(plan, path).ok_or_else(|| not_one_of(patch, valid))??;
                    let (method, leaf) = rest.rsplit_once('/').ok_or_else(|| not_one_of(patch, valid))?;
                    (stage.throttle.entry(unescape(method)).or_default(), leaf)
                }
            };
            set_throttle(throttle, leaf, patch).unwrap_or_else(|| Err(not_one_of(patch, valid)))?;
        }
    }
    Ok(())
}

fn set_throttle(throttle: &mut Throttle, leaf: &str, patch: &Patch<'_>) -> Option<Result<(), Error>> {
    match leaf {
        "burstLimit" => Some(number(patch).map(|limit| throttle.burst_limit = limit)),
        "rateLimit" => Some(number(patch).map(|limit| throttle.rate_limit = limit)),
        _ => None,
    }
}

fn add_stage(plan: &mut UsagePlan, patch: &Patch<'_>) -> Result<(), Error> {
    let (api_id, stage) = patch.value.and_then(parse_name).ok_or(Error::BadApiStage)?;
    let stage = ApiStage { api_id: api_id.to_owned(), stage: stage.to_owned(), throttle: Default::default() };
    if !plan.api_stages.iter().any(|known| name(known) == name(&stage)) {
        plan.api_stages.push(stage);
    }
    Ok(())
}

fn remove(plan: &mut UsagePlan, patch: &Patch<'_>) -> Result<(), Error> {
    match patch.path {
        "/apiStages" => {
            let (api, stage) = patch.value.and_then(parse_name).ok_or(Error::BadApiStage)?;
            let count = plan.api_stages.len();
            plan.api_stages.retain(|known| known.api_id != api || known.stage != stage);
            if plan.api_stages.len() == count {
                let (api, stage, plan) = (api.to_owned(), stage.to_owned(), plan.id.clone());
                return Err(Error::UsagePlanStage { api, stage, plan });
            }
        }
        "/quota" => plan.quota = None,
        "/throttle" => plan.throttle = None,
        "/productCode" => plan.product_code = None,
        path => {
            let (stage, method) = stage_path(plan, path).ok_or_else(|| not_one_of(patch, REMOVABLE))??;
            match method {
                "" => stage.throttle.clear(),
                method => {
                    stage.throttle.remove(&unescape(method)).ok_or(Error::UnknownParameter)?;
                }
            }
        }
    }
    Ok(())
}

/// The stage in `/apiStages/{api}:{stage}/throttle[/{rest}]`, and the rest. `None` when it is no such path.
fn stage_path<'p>(
    plan: &'p mut UsagePlan,
    path: &'p str,
) -> Option<Result<(&'p mut ApiStage, &'p str), Error>> {
    let (wanted, rest) = path.strip_prefix("/apiStages/")?.split_once('/')?;
    let rest = rest.strip_prefix("throttle")?;
    let rest = if rest.is_empty() { rest } else { rest.strip_prefix('/')? };
    let wanted = unescape(wanted);
    let stage = plan.api_stages.iter_mut().find(|stage| name(stage) == wanted);
    Some(stage.map(|stage| (stage, rest)).ok_or(Error::BadApiStage))
}

fn parse_name(text: &str) -> Option<(&str, &str)> {
    let (api, stage) = text.split_once(':')?;
    (!api.is_empty() && !stage.is_empty() && !stage.contains(':')).then_some((api, stage))
}

fn number<N: std::str::FromStr>(patch: &Patch<'_>) -> Result<N, Error> {
    let value = patch.value.unwrap_or_default();
    let bad = |_| Error::SettingValue {
        what: patch.path.trim_start_matches('/').to_owned(),
        value: value.to_owned(),
    };
    value.trim().parse().map_err(bad)
}

fn not_one_of(patch: &Patch<'_>, valid: &'static str) -> Error {
    Error::PatchNotOneOf { path: patch.path.to_owned(), op: patch.op.name(), valid }
}
