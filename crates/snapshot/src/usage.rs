//! API keys and usage plans: who may call how often. They change without a deployment.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use pitbird_names::Scope;
use pitbird_records as records;
use pitbird_records::usage_plan::{Quota, Throttle};

use crate::Source;

/// The API keys of an account in a region, by the value that requests bring.
pub type KeyRing = HashMap<String, Arc<records::ApiKey>>;

/// A usage plan with its keys.
#[derive(Debug)]
pub struct UsagePlan {
    pub scope: Scope,
    pub id: String,
    pub throttle: Option<Throttle>,
    pub quota: Option<PlanQuota>,
    pub api_stages: Vec<PlanStage>,
    /// By id, with what UpdateUsage granted them.
    keys: HashMap<String, Option<Grant>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanQuota {
    pub limit: i64,
    /// Requests taken off the first period.
    pub offset: i64,
    pub period: QuotaPeriod,
}

/// Periods begin at midnight UTC: of each day, of Sundays, of each month's first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuotaPeriod {
    Day,
    Week,
    Month,
}

/// A stage that a plan's keys may call, with what it says of single methods.
#[derive(Debug)]
pub struct PlanStage {
    pub api_id: String,
    pub stage: String,
    pub throttles: Vec<MethodThrottle>,
}

/// How fast one method of a stage may be called.
#[derive(Debug, Clone, PartialEq)]
pub struct MethodThrottle {
    /// The resource's path without its first `/`; `None`: all methods that nothing else is said of.
    pub path: Option<String>,
    /// `GET` …
    pub verb: String,
    pub limit: Throttle,
}

/// How fast all APIs of an account in a region may be called. Source: API Gateway quotas.
pub const ACCOUNT_THROTTLE: Throttle = Throttle { burst_limit: 5_000, rate_limit: 10_000.0 };

/// What a key has left since it was granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// The record's revision: a new grant counts anew.
    pub rev: u64,
    /// The day (UTC) of the grant: it ends with the period that this falls into.
    pub since: time::Date,
    pub remaining: i64,
}

impl UsagePlan {
    pub(crate) fn compile<S: Source>(
        scope: &Scope,
        id: &str,
        source: &S,
    ) -> Result<Option<UsagePlan>, S::Error> {
        let Some((_, record)) = source.get::<records::UsagePlan>(&records::key(scope, &[id]))? else {
            return Ok(None);
        };
        let prefix = records::prefix(scope, &[id]);
        let mut keys = HashMap::new();
        for (_, key) in source.list::<records::UsagePlanKey>(&prefix)? {
            keys.insert(key.key_id, None);
        }
        for (rev, grant) in source.list::<records::UsageGrant>(&prefix)? {
            if let Some(key) = keys.get_mut(&grant.key_id) {
                // A day that can't be read is in no period: the grant has ended.
                let since = day(&grant.since).unwrap_or(time::Date::MIN);
                *key = Some(Grant { rev, since, remaining: grant.remaining });
            }
        }
        let api_stages = record.api_stages.into_iter().map(|stage| PlanStage {
            throttles: stage
                .throttle
                .into_iter()
                .filter_map(|(name, limit)| MethodThrottle::parse(&name, limit))
                .collect(),
            api_id: stage.api_id,
            stage: stage.stage,
        });
        Ok(Some(UsagePlan {
            scope: scope.clone(),
            id: record.id,
            throttle: record.throttle,
            quota: record.quota.as_ref().and_then(PlanQuota::compile),
            api_stages: api_stages.collect(),
            keys,
        }))
    }

    pub fn has_key(&self, key_id: &str) -> bool {
        self.keys.contains_key(key_id)
    }

    /// What UpdateUsage granted a key last.
    pub fn grant(&self, key_id: &str) -> Option<Grant> {
        self.keys.get(key_id).copied().flatten()
    }

    /// What it says of a stage, if its keys may call that.
    pub fn stage(&self, api_id: &str, stage: &str) -> Option<&PlanStage> {
        self.api_stages.iter().find(|it| it.api_id == api_id && it.stage == stage)
    }
}

/// Reads a day as records have it: `2026-01-31`.
pub fn day(text: &str) -> Option<time::Date> {
    time::Date::parse(text, time::macros::format_description!("[year]-[month]-[day]")).ok()
}

impl QuotaPeriod {
    /// The first day of the period that a day falls into.
    pub fn start(self, day: time::Date) -> time::Date {
        let back = match self {
            QuotaPeriod::Day => 0,
            QuotaPeriod::Week => day.weekday().number_days_from_sunday(),
            QuotaPeriod::Month => day.day() - 1,
        };
        day.saturating_sub(time::Duration::days(back.into()))
    }
}

impl PlanQuota {
    fn compile(record: &Quota) -> Option<PlanQuota> {
        let period = match record.period.as_str() {
            "DAY" => QuotaPeriod::Day,
            "WEEK" => QuotaPeriod::Week,
            "MONTH" => QuotaPeriod::Month,
            _ => return None,
        };
        Some(PlanQuota { limit: record.limit, offset: record.offset, period })
    }
}

impl MethodThrottle {
    /// Reads the names that AWS gives methods in settings: `*/*`, `pets/GET`, `/pets/GET`, `~1pets/GET`, `a~1b/GET`.
    pub fn parse(name: &str, limit: Throttle) -> Option<MethodThrottle> {
        let (path, verb) = name.rsplit_once('/')?;
        let path = path.replace("~1", "/");
        let path = (path != "*").then(|| path.trim_start_matches('/').to_owned());
        Some(MethodThrottle { path, verb: verb.to_owned(), limit })
    }

    /// What a stage's method settings say; empty where they limit nothing.
    pub(crate) fn of_stage(stage: &records::Stage) -> Vec<MethodThrottle> {
        let all = stage.method_settings.iter().filter_map(|(name, setting)| {
            let burst_limit = setting.throttling_burst_limit;
            MethodThrottle::parse(name, Throttle { burst_limit, rate_limit: setting.throttling_rate_limit })
        });
        // An entry that limits nothing still stands before the one for all methods.
        let all: Vec<MethodThrottle> = all.collect();
        if all.iter().any(|throttle| throttle.limit().is_some()) { all } else { Vec::new() }
    }

    /// The limit, if it is one: -1 is how clients write that there is none, and the account's own limits, which settings begin with,
    /// say nothing more of one method than of all.
    pub fn limit(&self) -> Option<Throttle> {
        let Throttle { burst_limit, rate_limit } = self.limit;
        let is_accounts =
            burst_limit == ACCOUNT_THROTTLE.burst_limit && rate_limit == ACCOUNT_THROTTLE.rate_limit;
        (burst_limit >= 0 && rate_limit >= 0.0 && !is_accounts).then_some(self.limit)
    }

    /// What is said of a method: of itself, else of all.
    pub fn of<'t>(all: &'t [MethodThrottle], path: &str, verb: &str) -> Option<&'t MethodThrottle> {
        let path = path.trim_start_matches('/');
        let own = all.iter().find(|it| it.verb == verb && it.path.as_deref() == Some(path));
        own.or_else(|| all.iter().find(|it| it.path.is_none()))
    }
}

/// Keys of the scopes and plans that changed, anew.
pub(crate) fn key_rings<S: Source>(
    previous: &HashMap<Scope, Arc<KeyRing>>,
    touched: &BTreeSet<(Scope, String)>,
    source: &S,
) -> Result<HashMap<Scope, Arc<KeyRing>>, S::Error> {
    let mut rings = previous.clone();
    let mut scopes: Vec<&Scope> = touched.iter().map(|(scope, _)| scope).collect();
    scopes.dedup();
    for scope in scopes {
        let ids: BTreeSet<&str> =
            touched.iter().filter(|(of, _)| of == scope).map(|(_, id)| id.as_str()).collect();
        let mut ring = rings.get(scope).map(|ring| KeyRing::clone(ring)).unwrap_or_default();
        ring.retain(|_, key| !ids.contains(key.id.as_str()));
        for id in ids {
            if let Some((_, key)) = source.get::<records::ApiKey>(&records::key(scope, &[id]))? {
                ring.insert(key.value.clone(), Arc::new(key));
            }
        }
        rings.insert(scope.clone(), Arc::new(ring));
    }
    Ok(rings)
}

/// The plans of each API, by its id.
pub(crate) type PlansOfApis = HashMap<String, Vec<Arc<UsagePlan>>>;

pub(crate) fn plans<S: Source>(
    previous: &PlansOfApis,
    touched: &BTreeSet<(Scope, String)>,
    source: &S,
) -> Result<PlansOfApis, S::Error> {
    let mut plans = previous.clone();
    for (scope, id) in touched {
        for of_api in plans.values_mut() {
            of_api.retain(|plan| plan.id != *id || plan.scope != *scope);
        }
        let Some(plan) = UsagePlan::compile(scope, id, source)?.map(Arc::new) else { continue };
        let apis: BTreeSet<&str> = plan.api_stages.iter().map(|stage| stage.api_id.as_str()).collect();
        for api in apis {
            plans.entry(api.to_owned()).or_default().push(plan.clone());
        }
    }
    plans.retain(|_, of_api| !of_api.is_empty());
    Ok(plans)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_begin_with_days_sundays_and_months() {
        for (period, date, start) in [
            (QuotaPeriod::Day, "2026-11-28", "2026-11-28"),
            (QuotaPeriod::Week, "2026-11-28", "2026-11-22"),
            (QuotaPeriod::Week, "2026-11-29", "2026-11-29"),
            (QuotaPeriod::Month, "2024-02-29", "2024-02-01"),
        ] {
            assert_eq!(period.start(day(date).unwrap()), day(start).unwrap(), "{period:?} {date}");
        }
        assert_eq!(day("2026-02-30"), None);
    }

    #[test]
    fn a_methods_name_is_read_in_every_spelling() {
        let limit = Throttle { burst_limit: 1, rate_limit: 1.0 };
        for (name, path, verb) in [
            ("*/*", None, "*"),
            ("pets/GET", Some("pets"), "GET"),
            ("/pets/GET", Some("pets"), "GET"),
            ("~1pets~1{id}/GET", Some("pets/{id}"), "GET"),
            ("~1/GET", Some(""), "GET"),
            ("//GET", Some(""), "GET"),
        ] {
            let read = MethodThrottle::parse(name, limit).unwrap();
            assert_eq!((read.path.as_deref(), read.verb.as_str()), (path, verb), "{name}");
        }
        let all: Vec<_> =
            ["*/*", "pets/GET"].into_iter().filter_map(|name| MethodThrottle::parse(name, limit)).collect();
        assert_eq!(MethodThrottle::of(&all, "/pets", "GET"), Some(&all[1]));
        assert_eq!(MethodThrottle::of(&all, "/pets", "POST"), Some(&all[0]));
        assert_eq!(MethodThrottle::of(&all[1..], "/pets", "POST"), None);
    }
}
