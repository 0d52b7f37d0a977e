use std::sync::Arc;

use pitbird_records::Alarm;
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

/// Deletes all of the alarms, or none if one of them doesn't exist.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    let mut names = input.alarm_names;
    names.sort_unstable();
    names.dedup();
    let delete = move |tx: &mut Transaction<'_>| {
        let mut missing = Vec::new();
        for name in names {
            let key = Alarm::key_of(&caller.scope, &name);
            match tx.get::<Alarm>(&key)? {
                None => missing.push(name),
                Some(found) => {
                    tx.delete::<Alarm>(&key)?;
                    alarm::note_deleted(tx, &found.record, now_ms)?;
                }
            }
        }
        if missing.is_empty() { Ok(()) } else { Err(Error::NoAlarms(missing.join(", "))) }
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}
