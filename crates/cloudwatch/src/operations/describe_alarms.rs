use std::collections::BTreeSet;
use std::sync::Arc;

use pitbird_names::Scope;
use pitbird_records::{Alarm, CompositeAlarm};
use pitbird_service::{Call, Fault};
use pitbird_store::Store;
use serde::{Deserialize, Serialize};

use crate::alarm::Kind;
use crate::shape::{Composite, MetricAlarm, seconds};
use crate::{Error, State, alarm, page};

/// Alarms on a page. Source: DescribeAlarms.
const LIMIT: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    alarm_names: Option<Vec<String>>,
    alarm_name_prefix: Option<String>,
    alarm_types: Option<Vec<String>>,
    children_of_alarm_name: Option<String>,
    parents_of_alarm_name: Option<String>,
    state_value: Option<String>,
    action_prefix: Option<String>,
    max_records: Option<u32>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    composite_alarms: Vec<Shown<Composite>>,
    metric_alarms: Vec<Shown<MetricAlarm>>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Shown<T> {
    Whole(Box<T>),
    Relative(Relative),
}

/// What is told of an alarm that was asked for as another's child or parent.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Relative {
    alarm_name: String,
    alarm_arn: String,
    state_value: String,
    state_updated_timestamp: f64,
}

enum Found {
    Metric(Alarm),
    Composite(CompositeAlarm),
}

impl Found {
    fn name(&self) -> String {
        match self {
            Found::Metric(alarm) => alarm.head.name.clone(),
            Found::Composite(alarm) => alarm.head.name.clone(),
        }
    }
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    input.check()?;
    let (limit, token) = (input.max_records.map_or(LIMIT, |limit| limit as usize), input.next_token.clone());
    let is_relative = input.children_of_alarm_name.is_some() || input.parents_of_alarm_name.is_some();
    let found = state.read(move |store| input.find(store, &caller.scope)).await.map_err(Error::from)?;
    let (found, next_token) = page::cut(found, token.as_deref(), limit, Found::name)?;
    let mut output = Output { composite_alarms: Vec::new(), metric_alarms: Vec::new(), next_token };
    for found in found {
        match found {
            Found::Metric(alarm) => output.metric_alarms.push(shown(alarm, is_relative)),
            Found::Composite(alarm) => output.composite_alarms.push(shown(alarm, is_relative)),
        }
    }
    Ok(output)
}

fn shown<A: Kind, T: From<A>>(alarm: A, is_relative: bool) -> Shown<T> {
    if !is_relative {
        return Shown::Whole(Box::new(alarm.into()));
    }
    let head = alarm.head();
    Shown::Relative(Relative {
        alarm_name: head.name.clone(),
        alarm_arn: head.arn(),
        state_value: head.state.value.clone(),
        state_updated_timestamp: seconds(head.state.updated_ms),
    })
}

impl Input {
    fn check(&self) -> Result<(), Error> {
        let invalid = |words: &str| Err(Error::Invalid(words.to_owned()));
        if self.alarm_names.is_some() && self.alarm_name_prefix.is_some() {
            return invalid("AlarmNames and AlarmNamePrefix are mutually exclusive.");
        }
        let others = [
            self.alarm_names.is_some(),
            self.alarm_name_prefix.is_some(),
            self.alarm_types.is_some(),
            self.state_value.is_some(),
            self.action_prefix.is_some(),
        ];
        let (children, parents) = (&self.children_of_alarm_name, &self.parents_of_alarm_name);
        match (children.is_some(), parents.is_some()) {
            (true, true) => invalid("ChildrenOfAlarmName and ParentsOfAlarmName are mutually exclusive."),
            (true, false) | (false, true) if others.contains(&true) => {
                invalid("ChildrenOfAlarmName and ParentsOfAlarmName can't be combined with other filters.")
            }
            _ => Ok(()),
        }
    }

    /// What is asked for, by name.
    fn find(&self, store: &Store, scope: &Scope) -> Result<Vec<Found>, pitbird_store::Error> {
        if let Some(name) = &self.children_of_alarm_name {
            let children = alarm::children(store, scope, name)?;
            return relatives(store, scope, |alarm| children.contains(&alarm.name));
        }
        if let Some(name) = &self.parents_of_alarm_name {
            let parents = alarm::parents(store, scope, name)?;
            return relatives(store, scope, |alarm| parents.contains(&alarm.name));
        }
        let is_asked = |kind: &str| match self.alarm_types.as_deref() {
            None | Some([]) => kind == Alarm::TYPE,
            Some(types) => types.iter().any(|known| known == kind),
        };
        let mut found = Vec::new();
        if is_asked(Alarm::TYPE) {
            let alarms = self.candidates::<Alarm>(store, scope)?;
            found.extend(alarms.into_iter().filter(|alarm| self.takes(alarm)).map(Found::Metric));
        }
        if is_asked(CompositeAlarm::TYPE) {
            let alarms = self.candidates::<CompositeAlarm>(store, scope)?;
            found.extend(alarms.into_iter().filter(|alarm| self.takes(alarm)).map(Found::Composite));
        }
        found.sort_by_cached_key(Found::name);
        Ok(found)
    }

    /// The alarms of the names that are given, each once; without names all.
    fn candidates<A: Kind>(&self, store: &Store, scope: &Scope) -> Result<Vec<A>, pitbird_store::Error> {
        let Some(names) = &self.alarm_names else { return alarm::all(store, scope) };
        let mut found = Vec::new();
        for name in names.iter().collect::<BTreeSet<_>>() {
            found.extend(store.get::<A>(&Alarm::key_of(scope, name))?.map(|found| found.record));
        }
        Ok(found)
    }

    fn takes(&self, alarm: &impl Kind) -> bool {
        let head = alarm.head();
        let actions = &head.actions;
        let begins = |prefix: &String| {
            let mut all = actions.ok.iter().chain(&actions.alarm).chain(&actions.insufficient_data);
            all.any(|action| action.starts_with(prefix.as_str()))
        };
        self.alarm_name_prefix.as_deref().is_none_or(|prefix| head.name.starts_with(prefix))
            && self.state_value.as_ref().is_none_or(|value| head.state.value == *value)
            && self.action_prefix.as_ref().is_none_or(begins)
    }
}

fn relatives(
    store: &Store,
    scope: &Scope,
    is_one: impl Fn(&pitbird_records::AlarmHead) -> bool,
) -> Result<Vec<Found>, pitbird_store::Error> {
    let metric = alarm::all::<Alarm>(store, scope)?.into_iter().filter(|alarm| is_one(&alarm.head));
    let composite =
        alarm::all::<CompositeAlarm>(store, scope)?.into_iter().filter(|alarm| is_one(&alarm.head));
    let mut found: Vec<Found> = metric.map(Found::Metric).chain(composite.map(Found::Composite)).collect();
    found.sort_by_cached_key(Found::name);
    Ok(found)
}
