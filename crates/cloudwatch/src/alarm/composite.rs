//! Alarms on alarms: their state follows from that of others, in the same commit.

use std::collections::{BTreeMap, BTreeSet};

use pitbird_names::{Scope, arn};
use pitbird_records::Alarm;
use pitbird_records::alarm::{AlarmState, CompositeAlarm, Suppression, Suppressor};
use pitbird_store::{Store, Transaction};
use pitbird_telemetry::alarm::{Expression, State as AlarmValue};
use serde_json::{Value as Json, json};

use super::{Cause, Previous, actions, enter, history, value};
use crate::{Error, shape};

/// Composite alarms that one alarm may be in the rules of. Source: PutCompositeAlarm.
const PARENTS_MAX: usize = 150;

/// Reads a rule.
pub fn rule(text: &str) -> Result<Expression, Error> {
    Expression::parse(text).map_err(|error| Error::Invalid(error.to_string()))
}

/// Checks a suppressor as it is given: with an alarm there are both periods, without one neither.
pub fn suppressor(
    alarm: Option<String>,
    wait_s: Option<u32>,
    extension_s: Option<u32>,
) -> Result<Option<Suppressor>, Error> {
    match (alarm, wait_s, extension_s) {
        (None, None, None) => Ok(None),
        (Some(alarm), Some(wait_s), Some(extension_s)) => Ok(Some(Suppressor { alarm, wait_s, extension_s })),
        (None, ..) => Err(Error::Invalid(
            "ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod need an ActionsSuppressor.".to_owned(),
        )),
        (Some(_), ..) => Err(Error::Invalid(
            "ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod are required with an ActionsSuppressor."
                .to_owned(),
        )),
    }
}

/// The name of an alarm of a scope that a rule gives by name or by ARN; `None` for one of another scope.
fn name_of<'t>(text: &'t str, scope: &Scope) -> Option<&'t str> {
    match arn::parse(text).filter(|parts| parts.service == "cloudwatch") {
        None => Some(text),
        Some(parts) => {
            let is_own = parts.region == scope.region.as_str() && parts.account == scope.account.as_str();
            parts.resource.strip_prefix("alarm:").filter(|_| is_own)
        }
    }
}

/// The alarms that an alarm names, in its rule and as its suppressor.
fn names<'a>(expression: &'a Expression, alarm: &'a CompositeAlarm) -> BTreeSet<&'a str> {
    let scope = &alarm.head.scope;
    let suppressor = alarm.suppressor.as_ref().map(|suppressor| suppressor.alarm.as_str());
    let named = expression.alarms().into_iter().chain(suppressor);
    named.map(|text| name_of(text, scope).unwrap_or(text)).collect()
}

/// Those of the alarms that an alarm names which there aren't, by their ARNs. Fails when one of them is in too many rules.
pub fn missing(tx: &Transaction<'_>, alarm: &CompositeAlarm) -> Result<Vec<String>, Error> {
    let expression = rule(&alarm.rule)?;
    let scope = &alarm.head.scope;
    let others = all(tx, scope)?;
    let mut missing = Vec::new();
    for name in names(&expression, alarm) {
        let key = Alarm::key_of(scope, name);
        // A rule may name the alarm itself, which then is never evaluated.
        let is_self = name == alarm.head.name;
        if !is_self && !tx.exists::<Alarm>(&key)? && !tx.exists::<CompositeAlarm>(&key)? {
            missing.push(arn::alarm(scope, name));
        }
        let parents = others.iter().filter(|other| {
            let read = Expression::parse(&other.rule);
            other.head.name != alarm.head.name && read.is_ok_and(|read| names(&read, other).contains(name))
        });
        if parents.count() >= PARENTS_MAX {
            let words =
                format!("The alarm {name} is in the rules of {PARENTS_MAX} composite alarms already.");
            return Err(Error::Invalid(words));
        }
    }
    Ok(missing)
}

/// Does some composite alarm beside those named depend on an alarm?
pub fn depending(
    tx: &Transaction<'_>,
    scope: &Scope,
    name: &str,
    beside: &[String],
) -> Result<bool, pitbird_store::Error> {
    let others = all(tx, scope)?;
    Ok(others
        .iter()
        .filter(|other| !beside.contains(&other.head.name))
        .any(|other| Expression::parse(&other.rule).is_ok_and(|read| names(&read, other).contains(name))))
}

fn all(tx: &Transaction<'_>, scope: &Scope) -> Result<Vec<CompositeAlarm>, pitbird_store::Error> {
    let found = tx.list::<CompositeAlarm>(&Alarm::prefix_of(scope))?;
    Ok(found.into_iter().map(|found| found.record).collect())
}

/// The alarms that a composite alarm's rule names; none when there is no such alarm.
pub fn children(store: &Store, scope: &Scope, name: &str) -> Result<BTreeSet<String>, pitbird_store::Error> {
    let Some(found) = store.get::<CompositeAlarm>(&Alarm::key_of(scope, name))? else {
        return Ok(BTreeSet::new());
    };
    let Ok(read) = Expression::parse(&found.record.rule) else { return Ok(BTreeSet::new()) };
    Ok(read.alarms().into_iter().filter_map(|text| name_of(text, scope)).map(str::to_owned).collect())
}

/// The composite alarms whose rules name an alarm.
pub fn parents(store: &Store, scope: &Scope, name: &str) -> Result<BTreeSet<String>, pitbird_store::Error> {
    let all = super::all::<CompositeAlarm>(store, scope)?;
    let is_parent = |alarm: &CompositeAlarm| {
        Expression::parse(&alarm.rule)
            .is_ok_and(|read| read.alarms().into_iter().any(|text| name_of(text, scope) == Some(name)))
    };
    Ok(all.into_iter().filter(is_parent).map(|alarm| alarm.head.name).collect())
}

/// Why composite alarms are looked at, beside that the time goes on.
#[derive(Debug, Default)]
pub struct Occasion {
    /// Alarms that have changed their state: those on them are judged anew.
    pub changed: BTreeSet<String>,
    /// A composite alarm that was set anew.
    pub renewed: Option<String>,
}

impl Occasion {
    pub fn changed(name: String) -> Occasion {
        Occasion { changed: BTreeSet::from([name]), renewed: None }
    }
}

/// Judges those of a scope's composite alarms whose rules name an alarm that has changed, and lets held-back actions go when
/// it is time. Alarms whose rules go round in circles are left as they are. Answers how many have changed their state.
///
/// A state that was set by hand lasts until one of the alarms that the rule names changes. Source: SetAlarmState.
pub fn settle(
    tx: &mut Transaction<'_>,
    scope: &Scope,
    occasion: Occasion,
    now_ms: i64,
) -> Result<usize, pitbird_store::Error> {
    let alarms = all(tx, scope)?;
    if alarms.is_empty() {
        return Ok(0);
    }
    let mut world = World { scope, states: BTreeMap::new(), occasion };
    let mut moved = 0;
    for alarm in in_order(alarms) {
        moved += usize::from(world.judge(tx, alarm, now_ms)?);
    }
    Ok(moved)
}

/// An alarm with its rule read.
struct Read {
    alarm: CompositeAlarm,
    expression: Expression,
}

/// Each after those that it depends on; without those that depend on themselves, and whose rules can't be read.
fn in_order(alarms: Vec<CompositeAlarm>) -> Vec<Read> {
    let mut waiting: Vec<Read> = alarms
        .into_iter()
        .filter_map(|alarm| Some(Read { expression: Expression::parse(&alarm.rule).ok()?, alarm }))
        .collect();
    let mut ordered: Vec<Read> = Vec::with_capacity(waiting.len());
    loop {
        let left: BTreeSet<String> = waiting.iter().map(|read| read.alarm.head.name.clone()).collect();
        let (later, now): (Vec<Read>, Vec<Read>) = waiting
            .into_iter()
            .partition(|read| names(&read.expression, &read.alarm).iter().any(|name| left.contains(*name)));
        if now.is_empty() {
            return ordered;
        }
        ordered.extend(now);
        waiting = later;
    }
}

/// What is known of the alarms of a scope within one commit.
struct World<'s> {
    scope: &'s Scope,
    states: BTreeMap<String, Option<AlarmState>>,
    occasion: Occasion,
}

impl World<'_> {
    fn load(&mut self, tx: &Transaction<'_>, name: &str) -> Result<(), pitbird_store::Error> {
        if self.states.contains_key(name) {
            return Ok(());
        }
        let key = Alarm::key_of(self.scope, name);
        let state = match tx.get::<Alarm>(&key)? {
            Some(found) => Some(found.record.head.state),
            None => tx.get::<CompositeAlarm>(&key)?.map(|found| found.record.head.state),
        };
        self.states.insert(name.to_owned(), state);
        Ok(())
    }

    fn state_of(&self, text: &str) -> Option<AlarmValue> {
        let state = self.states.get(name_of(text, self.scope)?)?.as_ref()?;
        Some(value(state))
    }

    /// Is there a reason to judge an alarm's rule?
    fn concerns(&self, expression: &Expression, alarm: &CompositeAlarm) -> bool {
        let is_changed =
            |text| name_of(text, self.scope).is_some_and(|name| self.occasion.changed.contains(name));
        self.occasion.renewed.as_ref() == Some(&alarm.head.name)
            || expression.alarms().into_iter().any(is_changed)
    }

    /// Moves an alarm to where its rule says, holds its actions back or lets them go. Has its state changed?
    fn judge(
        &mut self,
        tx: &mut Transaction<'_>,
        read: Read,
        now_ms: i64,
    ) -> Result<bool, pitbird_store::Error> {
        let Read { alarm: before, expression } = read;
        for name in names(&expression, &before) {
            self.load(tx, name)?;
        }
        let holds = expression.holds(&|text: &str| self.state_of(text));
        let next = match holds {
            _ if !self.concerns(&expression, &before) => value(&before.head.state),
            true => AlarmValue::Alarm,
            false => AlarmValue::Ok,
        };
        let has_changed = next != value(&before.head.state);
        let mut after = before.clone();
        if has_changed {
            let cause = self.cause(&expression, holds);
            enter(&mut after, next, cause, now_ms);
        }
        let suppressor = after.suppressor.as_ref().map(|it| (it, self.state_of(&it.alarm)));
        let step = Step { before: &before, has_changed, next, now_ms };
        let (suppression, acts) = step.suppression(suppressor);
        after.suppression = suppression;
        if !has_changed && after.suppression == before.suppression && !acts {
            return Ok(false);
        }
        after.head.state.updated_ms = now_ms;
        tx.put(&after)?;
        if has_changed {
            history::note_transition(tx, &after, &before.head.state)?;
        }
        if acts {
            actions::note_deeds(tx, &after, &Previous::of(&before))?;
        }
        if has_changed {
            self.occasion.changed.insert(after.head.name.clone());
            self.states.insert(after.head.name.clone(), Some(after.head.state));
        }
        Ok(has_changed)
    }

    /// Why a rule holds or doesn't: those of its alarms that have just changed, else the one that changed last.
    fn cause(&self, expression: &Expression, holds: bool) -> Cause {
        let states = expression.alarms().into_iter().filter_map(|text| {
            let name = name_of(text, self.scope)?;
            Some((name, self.states.get(name)?.as_ref()?))
        });
        let states: BTreeMap<&str, &AlarmState> = states.collect();
        let mut triggers: Vec<(&str, &AlarmState)> = states
            .iter()
            .filter(|(name, _)| self.occasion.changed.contains(**name))
            .map(|(n, s)| (*n, *s))
            .collect();
        if triggers.is_empty() {
            triggers.extend(states.into_iter().max_by_key(|(_, state)| state.transitioned_ms));
        }
        let Some(&(name, state)) = triggers.first() else {
            let outcome = if holds { "TRUE" } else { "FALSE" };
            return Cause { reason: format!("AlarmRule evaluates to {outcome}"), data: None };
        };
        let reason = format!(
            "{} transitioned to {} at {}",
            arn::alarm(self.scope, name),
            state.value,
            shape::long_date(state.transitioned_ms)
        );
        let told = triggers.iter().map(|(name, state)| {
            let at = shape::stamp(state.transitioned_ms);
            json!({"arn": arn::alarm(self.scope, name), "state": {"value": state.value, "timestamp": at}})
        });
        let data = json!({"triggeringAlarms": told.collect::<Vec<_>>()});
        Cause { reason, data: Some(data.to_string()) }
    }
}

/// One look at an alarm.
struct Step<'a> {
    before: &'a CompositeAlarm,
    has_changed: bool,
    next: AlarmValue,
    now_ms: i64,
}

impl Step<'_> {
    /// What holds the actions back from now on, and whether they are carried out now.
    ///
    /// While the suppressor is in ALARM, nothing is done. An alarm that goes into ALARM waits for its suppressor to do the same;
    /// if it leaves ALARM again before, nobody is told of either. When the suppressor leaves ALARM, the alarm waits once
    /// more, and then carries out the actions of the state that it is in.
    fn suppression(
        &self,
        suppressor: Option<(&Suppressor, Option<AlarmValue>)>,
    ) -> (Option<Suppression>, bool) {
        let before = self.before.suppression.as_ref();
        let Some((suppressor, state)) = suppressor else {
            // The suppressor was taken away while it held something back.
            return (None, self.has_changed || before.is_some());
        };
        let until = |by: &str, seconds: u32| Suppression {
            by: by.to_owned(),
            until_ms: Some(self.now_ms + i64::from(seconds) * 1000),
        };
        if state == Some(AlarmValue::Alarm) {
            let holds = self.has_changed || before.is_some();
            return (holds.then(|| Suppression { by: "Alarm".to_owned(), until_ms: None }), false);
        }
        match before {
            None if !self.has_changed => (None, false),
            None if self.next == AlarmValue::Alarm && suppressor.wait_s > 0 => {
                (Some(until("WaitPeriod", suppressor.wait_s)), false)
            }
            None => (None, true),
            Some(held) if held.by == "WaitPeriod" && self.has_changed => (None, false),
            Some(held) if held.by == "Alarm" && suppressor.extension_s > 0 => {
                (Some(until("ExtensionPeriod", suppressor.extension_s)), false)
            }
            Some(held) if held.until_ms.is_some_and(|due| due > self.now_ms) => (Some(held.clone()), false),
            Some(_) => (None, true),
        }
    }
}

/// What the history tells of the configuration.
pub fn configuration(alarm: &CompositeAlarm) -> Json {
    let suppressor = alarm.suppressor.as_ref();
    json!({
        "alarmRule": alarm.rule,
        "actionsSuppressor": suppressor.map(|it| &it.alarm),
        "actionsSuppressorWaitPeriod": suppressor.map(|it| it.wait_s),
        "actionsSuppressorExtensionPeriod": suppressor.map(|it| it.extension_s),
    })
}
