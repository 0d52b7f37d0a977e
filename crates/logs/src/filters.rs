//! The filters of all groups, compiled: what the writer asks and what the follower runs.
//!
//! The store keeps them as records. Operations that change them have them read anew, under a lock, so that an answer comes
//! after the change is in force.

mod counting;
mod subscription;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use pitbird_filterpattern::Pattern;
use pitbird_names::Scope;
use pitbird_records::{MetricFilter, SubscriptionFilter};
use pitbird_store::{Store, Transaction};

pub use counting::{Counted, Counting};
pub use subscription::Subscription;

use crate::Error;

/// Filters of all groups as they are now.
#[derive(Default)]
pub struct Filters {
    live: ArcSwap<Index>,
    reading: Mutex<()>,
}

type Index = HashMap<Scope, HashMap<String, Arc<GroupFilters>>>;

/// The filters of one group, by their names.
#[derive(Debug, Default)]
pub struct GroupFilters {
    pub counting: Vec<Arc<Counting>>,
    pub subscriptions: Vec<Arc<Subscription>>,
}

impl Filters {
    /// Reads all filters of a store.
    pub fn open(store: &Store) -> Result<Filters, pitbird_store::Error> {
        let filters = Filters::default();
        filters.read(store)?;
        Ok(filters)
    }

    /// Takes in what has been changed.
    pub fn read(&self, store: &Store) -> Result<(), pitbird_store::Error> {
        let _one_at_a_time = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let mut index: HashMap<Scope, HashMap<String, GroupFilters>> = HashMap::new();
        let mut of = |scope: &Scope, group: &str, add: &mut dyn FnMut(&mut GroupFilters)| {
            add(index.entry(scope.clone()).or_default().entry(group.to_owned()).or_default());
        };
        for found in store.list::<MetricFilter>("")? {
            let record = found.record;
            match Counting::compile(&record) {
                Ok(counting) => {
                    let counting = Arc::new(counting);
                    of(&record.scope, &record.group, &mut |group| group.counting.push(counting.clone()));
                }
                Err(error) => unreadable(&record.group, &record.name, &error),
            }
        }
        for found in store.list::<SubscriptionFilter>("")? {
            let record = found.record;
            match Subscription::compile(&record) {
                Ok(subscription) => {
                    let subscription = Arc::new(subscription);
                    of(&record.scope, &record.group, &mut |group| {
                        group.subscriptions.push(subscription.clone());
                    });
                }
                Err(error) => unreadable(&record.group, &record.name, &error),
            }
        }
        let shared = |groups: HashMap<String, GroupFilters>| {
            groups.into_iter().map(|(name, filters)| (name, Arc::new(filters))).collect()
        };
        self.live.store(Arc::new(index.into_iter().map(|(scope, groups)| (scope, shared(groups))).collect()));
        Ok(())
    }

    /// A group's filters; none for most groups.
    pub fn of(&self, scope: &Scope, group: &str) -> Option<Arc<GroupFilters>> {
        self.live.load().get(scope)?.get(group).cloned()
    }

    /// Has a group any? Asked on the writer's thread.
    pub fn has(&self, scope: &Scope, group: &str) -> bool {
        self.live.load().get(scope).is_some_and(|groups| groups.contains_key(group))
    }
}

/// Filters of one group whose patterns have regular expressions. Source: the user guide's quotas.
const REGEX_FILTERS_MAX: usize = 5;

/// Has a group room for one more filter with a regular expression, in the place of a filter of the name if there is one?
pub fn check_regexes(
    tx: &Transaction<'_>,
    scope: &Scope,
    group: &str,
    metric_filter: Option<&str>,
    subscription_filter: Option<&str>,
) -> Result<(), Error> {
    let prefix = MetricFilter::prefix_of(scope, group);
    let metric = tx.list::<MetricFilter>(&prefix)?.into_iter().map(|found| found.record);
    let metric = metric.filter(|filter| Some(filter.name.as_str()) != metric_filter);
    let subscription = tx.list::<SubscriptionFilter>(&prefix)?.into_iter().map(|found| found.record);
    let subscription = subscription.filter(|filter| Some(filter.name.as_str()) != subscription_filter);
    let patterns = metric.map(|filter| filter.pattern).chain(subscription.map(|filter| filter.pattern));
    let has_regex = |text: &String| Pattern::parse(text).is_ok_and(|pattern| pattern.regexes() > 0);
    if patterns.filter(has_regex).count() < REGEX_FILTERS_MAX { Ok(()) } else { Err(Error::Limit) }
}

/// A record was held against the same rules when it was made: this takes a program that is older than its data.
fn unreadable(group: &str, name: &str, error: &Error) {
    tracing::error!(group, name, %error, "a filter can't be used");
}
