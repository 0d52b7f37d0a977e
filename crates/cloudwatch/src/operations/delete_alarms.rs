use std::sync::Arc;

use pitbird_names::Scope;
use pitbird_records::{Alarm, CompositeAlarm};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::shape::Nothing;
use crate::{Error, State, alarm};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    alarm_names: Vec<String>,
}

/// Deletes all of the alarms, or none if one of them doesn't exist or another alarm's rule names it.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    let mut names = input.alarm_names;
    names.sort_unstable();
    names.dedup();
    state.store.write(move |tx: &mut Transaction<'_>| delete(tx, &caller.scope, &names, now_ms)).await?;
    Ok(Nothing {})
}

fn delete(tx: &mut Transaction<'_>, scope: &Scope, names: &[String], now_ms: i64) -> Result<(), Error> {
    let (mut missing, mut composites) = (Vec::new(), 0);
    for name in names {
        if alarm::depending(tx, scope, name, names)? {
            let words = format!("Cannot delete {name} as there are composite alarm(s) depending on it.");
            return Err(Error::Invalid(words));
        }
        let key = Alarm::key_of(scope, name);
        if let Some(found) = tx.get::<Alarm>(&key)? {
            tx.delete::<Alarm>(&key)?;
            alarm::note_deleted(tx, &found.record, now_ms)?;
        } else if let Some(found) = tx.get::<CompositeAlarm>(&key)? {
            composites += 1;
            tx.delete::<CompositeAlarm>(&key)?;
            alarm::note_deleted(tx, &found.record, now_ms)?;
        } else {
            missing.push(name.as_str());
        }
    }
    if composites > 1 {
        return Err(Error::Invalid("You can delete at most one composite alarm in one call.".to_owned()));
    }
    if missing.is_empty() { Ok(()) } else { Err(Error::NoAlarms(missing.join(", "))) }
}
