//! How often each API key has called under each usage plan: counted here, written down by whoever has the store.
//!
//! Requests count in memory only. [`UsageBook::changed`] gives what is to be written, absolute numbers for each day, so that writing
//! the same twice does no harm; [`UsageBook::restore`] takes it all back after a restart.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use pitbird_names::Scope;
use pitbird_records::Usage;
use pitbird_snapshot::{Grant, PlanQuota, Snapshot, UsagePlan};
use time::Date;

/// Days that one counter remembers: a month's quota needs that month's.
const DAYS_MAX: usize = 32;
/// Counters from which on those of keys that are gone are looked for.
const COUNTERS_SWEPT: usize = 16_384;

/// The quota is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaExceeded;

#[derive(Debug, Default)]
pub struct UsageBook {
    hasher: RandomState,
    counters: RwLock<HashMap<u64, Arc<Counter>>>,
}

/// What one key has used under one plan.
#[derive(Debug)]
struct Counter {
    scope: Scope,
    plan_id: String,
    key_id: String,
    days: Mutex<Days>,
}

#[derive(Debug, Default)]
struct Days {
    by_day: BTreeMap<Date, Day>,
    /// Has anything been used before the days that are remembered?
    is_old: bool,
    /// What has been spent of the allowance at hand, and of which that is.
    spent: i64,
    of: Option<Allowance>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Day {
    used: i64,
    remaining: Option<i64>,
    grant: Option<u64>,
    is_changed: bool,
}

/// Whose allowance is being spent: a period's, or a grant's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Allowance {
    start: Date,
    grant: Option<u64>,
}

impl UsageBook {
    /// Counts a request of a key under a plan.
    ///
    /// # Errors
    /// When the plan's quota is used up; the request then isn't counted.
    pub fn count(&self, plan: &UsagePlan, key_id: &str, today: Date) -> Result<(), QuotaExceeded> {
        let counter = self.counter(&plan.scope, &plan.id, key_id);
        let mut days = counter.days.lock().unwrap_or_else(PoisonError::into_inner);
        days.count(plan.quota, plan.grant(key_id), today)
    }

    /// The days that have changed since they were last asked for. Whoever can't write them gives them back to
    /// [`UsageBook::not_written`].
    pub fn changed(&self, snapshot: &Snapshot) -> Vec<Usage> {
        let mut changed = Vec::new();
        let counters: Vec<Arc<Counter>> =
            self.counters.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        for counter in &counters {
            let mut days = counter.days.lock().unwrap_or_else(PoisonError::into_inner);
            for (day, of_day) in days.by_day.iter_mut().filter(|(_, day)| day.is_changed) {
                of_day.is_changed = false;
                changed.push(counter.record(*day, *of_day));
            }
        }
        if counters.len() >= COUNTERS_SWEPT {
            self.sweep(snapshot);
        }
        changed
    }

    /// Takes back what couldn't be written.
    pub fn not_written(&self, records: &[Usage]) {
        for record in records {
            let counter = self.counter(&record.scope, &record.plan_id, &record.key_id);
            let mut days = counter.days.lock().unwrap_or_else(PoisonError::into_inner);
            let day = pitbird_snapshot::day(&record.day).and_then(|day| days.by_day.get_mut(&day));
            if let Some(day) = day {
                day.is_changed = true;
            }
        }
    }

    /// Takes up what an earlier run wrote down; before the first request.
    pub fn restore(&self, records: impl IntoIterator<Item = Usage>) {
        for record in records {
            let Some(day) = pitbird_snapshot::day(&record.day) else { continue };
            let counter = self.counter(&record.scope, &record.plan_id, &record.key_id);
            let mut days = counter.days.lock().unwrap_or_else(PoisonError::into_inner);
            let of_day = Day {
                used: record.used,
                remaining: record.remaining,
                grant: record.grant,
                is_changed: false,
            };
            days.by_day.insert(day, of_day);
            days.forget();
        }
    }

    fn counter(&self, scope: &Scope, plan_id: &str, key_id: &str) -> Arc<Counter> {
        let hash = self.hasher.hash_one((scope, plan_id, key_id));
        if let Some(counter) = self.counters.read().unwrap_or_else(PoisonError::into_inner).get(&hash) {
            return counter.clone();
        }
        let mut counters = self.counters.write().unwrap_or_else(PoisonError::into_inner);
        let counter = counters.entry(hash).or_insert_with(|| {
            let (scope, plan_id, key_id) = (scope.clone(), plan_id.to_owned(), key_id.to_owned());
            Arc::new(Counter { scope, plan_id, key_id, days: Mutex::default() })
        });
        counter.clone()
    }

    /// Forgets keys that no plan has any more.
    fn sweep(&self, snapshot: &Snapshot) {
        let mut plans: HashMap<(&Scope, &str), &Arc<UsagePlan>> = HashMap::new();
        plans.extend(snapshot.usage_plans().map(|plan| ((&plan.scope, plan.id.as_str()), plan)));
        let mut counters = self.counters.write().unwrap_or_else(PoisonError::into_inner);
        counters.retain(|_, counter| {
            let plan = plans.get(&(&counter.scope, counter.plan_id.as_str()));
            let days = counter.days.lock().unwrap_or_else(PoisonError::into_inner);
            let is_changed = days.by_day.values().any(|day| day.is_changed);
            is_changed || plan.is_some_and(|plan| plan.has_key(&counter.key_id))
        });
    }
}

impl Counter {
    fn record(&self, day: Date, of_day: Day) -> Usage {
        Usage {
            scope: self.scope.clone(),
            plan_id: self.plan_id.clone(),
            key_id: self.key_id.clone(),
            day: day.to_string(),
            used: of_day.used,
            remaining: of_day.remaining,
            grant: of_day.grant,
        }
    }
}

impl Days {
    fn count(
        &mut self,
        quota: Option<PlanQuota>,
        grant: Option<Grant>,
        today: Date,
    ) -> Result<(), QuotaExceeded> {
        let mut remaining = None;
        let mut of_grant = None;
        if let Some(quota) = quota {
            let start = quota.period.start(today);
            let grant = grant.filter(|grant| grant.since >= start);
            of_grant = grant.map(|grant| grant.rev);
            self.turn_to(Allowance { start, grant: of_grant }, grant);
            let is_first = !self.is_old && self.by_day.range(..start).next().is_none();
            let taken_off = if is_first { quota.offset } else { 0 };
            let allowance =
                grant.map_or_else(|| quota.limit.saturating_sub(taken_off), |grant| grant.remaining);
            if self.spent >= allowance {
                return Err(QuotaExceeded);
            }
            self.spent += 1;
            remaining = Some(allowance - self.spent);
        }
        let day = self.by_day.entry(today).or_default();
        *day = Day { used: day.used + 1, remaining, grant: of_grant, is_changed: true };
        self.forget();
        Ok(())
    }

    /// Sees to it that what has been spent is that of the allowance at hand: of a grant what its days tell, of a period what they
    /// add up to.
    fn turn_to(&mut self, allowance: Allowance, grant: Option<Grant>) {
        if self.of == Some(allowance) {
            return;
        }
        self.of = Some(allowance);
        self.spent = match grant {
            Some(grant) => {
                let told = self.by_day.values().rfind(|day| day.grant == Some(grant.rev));
                told.and_then(|day| day.remaining).map_or(0, |remaining| grant.remaining - remaining)
            }
            None => self.by_day.range(allowance.start..).map(|(_, day)| day.used).sum(),
        };
    }

    fn forget(&mut self) {
        while self.by_day.len() > DAYS_MAX
            && let Some((day, oldest)) = self.by_day.first_key_value()
            && !oldest.is_changed
        {
            let day = *day;
            self.by_day.remove(&day);
            self.is_old = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use pitbird_snapshot::{QuotaPeriod, day};

    use super::*;

    fn quota(limit: i64, period: QuotaPeriod) -> Option<PlanQuota> {
        Some(PlanQuota { limit, offset: 0, period })
    }

    fn on(text: &str) -> Date {
        day(text).unwrap()
    }

    fn taken(days: &mut Days, quota: Option<PlanQuota>, grant: Option<Grant>, on: Date) -> usize {
        (0..100).filter(|_| days.count(quota, grant, on).is_ok()).count()
    }

    #[test]
    fn a_quota_is_for_a_period() {
        let mut days = Days::default();
        let week = quota(3, QuotaPeriod::Week);
        assert_eq!(taken(&mut days, week, None, on("2026-11-26")), 3);
        assert_eq!(taken(&mut days, week, None, on("2026-11-28")), 0);
        assert_eq!(taken(&mut days, week, None, on("2026-11-29")), 3, "a Sunday");
        assert_eq!(days.by_day[&on("2026-11-26")].used, 3);
        assert_eq!(days.by_day[&on("2026-11-26")].remaining, Some(0));
        assert!(!days.by_day.contains_key(&on("2026-11-28")), "what was refused isn't counted");
        assert_eq!(taken(&mut days, None, None, on("2026-11-30")), 100, "no quota, no bound");
        assert_eq!(days.by_day[&on("2026-11-30")].remaining, None);
    }

    #[test]
    fn an_offset_shortens_the_first_period_only() {
        let mut days = Days::default();
        let short = Some(PlanQuota { limit: 3, offset: 2, period: QuotaPeriod::Day });
        assert_eq!(taken(&mut days, short, None, on("2026-11-26")), 1);
        assert_eq!(taken(&mut days, short, None, on("2026-11-27")), 3);
    }

    #[test]
    fn a_grant_counts_anew_until_the_period_ends() {
        let mut days = Days::default();
        let month = quota(2, QuotaPeriod::Month);
        let grant = |rev| Some(Grant { rev, since: on("2026-11-20"), remaining: 5 });
        assert_eq!(taken(&mut days, month, None, on("2026-11-20")), 2);
        assert_eq!(taken(&mut days, month, grant(7), on("2026-11-20")), 5);
        assert_eq!(taken(&mut days, month, grant(7), on("2026-11-21")), 0);
        assert_eq!(taken(&mut days, month, grant(8), on("2026-11-21")), 5, "granted again");
        assert_eq!(taken(&mut days, month, grant(8), on("2026-12-01")), 2);
    }

    #[test]
    fn what_was_written_is_taken_up_again() {
        let (book, month) = (UsageBook::default(), quota(4, QuotaPeriod::Month));
        let grant = Some(Grant { rev: 7, since: on("2026-11-20"), remaining: 3 });
        let scope = Scope::default();
        let count = |book: &UsageBook, key: &str, grant, day| {
            book.counter(&scope, "plan", key).days.lock().unwrap().count(month, grant, day)
        };
        for (key, grant) in [("plain", None), ("granted", grant)] {
            count(&book, key, grant, on("2026-11-20")).unwrap();
            count(&book, key, grant, on("2026-11-21")).unwrap();
        }
        let snapshot = Snapshot::default();
        let written = book.changed(&snapshot);
        assert_eq!(written.len(), 4);
        assert_eq!(book.changed(&snapshot).len(), 0);
        book.not_written(&written[..1]);
        assert_eq!(book.changed(&snapshot), written[..1]);
        let later = UsageBook::default();
        later.restore(written);
        let left =
            |key, grant| (0..9).filter(|_| count(&later, key, grant, on("2026-11-21")).is_ok()).count();
        assert_eq!((left("plain", None), left("granted", grant)), (2, 1));
        assert_eq!(later.changed(&snapshot).iter().map(|usage| usage.used).collect::<Vec<_>>().len(), 2);
    }

    #[test]
    fn only_so_many_days_are_remembered() {
        let mut days = Days::default();
        let mut today = on("2026-01-01");
        for _ in 0..3 * DAYS_MAX {
            days.count(None, None, today).unwrap();
            days.by_day.values_mut().for_each(|day| day.is_changed = false);
            today = today.next_day().unwrap();
        }
        assert!(days.by_day.len() <= DAYS_MAX + 1 && days.is_old);
    }
}
