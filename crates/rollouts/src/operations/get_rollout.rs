use std::sync::Arc;

use pitbird_records::{key, prefix, rollout::entry_part};
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::{Entry, Error, State, find, shape};

/// Records shown when the caller doesn't say, and at most.
const RECORDS: i64 = 20;
const RECORDS_MAX: i64 = 1000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    name: String,
    /// Shows the records after this one, oldest first; without it the newest.
    records_after: Option<u64>,
    max_records: Option<i64>,
    /// Shows the plan and each record as the planner reads them, so that the rollout can be replayed.
    with_documents: Option<bool>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Answer, Fault> {
    let Call { caller, input, .. } = call;
    let store = &state.parts.store;
    let rollout = find::rollout(store, &caller.scope, &input.name)?;
    let with_documents = input.with_documents.unwrap_or_default();
    let count = input.max_records.unwrap_or(RECORDS).clamp(0, RECORDS_MAX) as usize;
    let after = input.records_after.unwrap_or_else(|| rollout.entries.saturating_sub(count as u64));
    let names = [&*rollout.name, &entry_part(after)];
    let prefix = prefix(&rollout.scope, &[&rollout.name]);
    let entries = match count {
        0 => Vec::new(),
        _ => store.page::<Entry>(&prefix, Some(&key(&rollout.scope, &names)), count).map_err(Error::from)?,
    };
    let records = entries.iter().map(|entry| shape::Record::new(&entry.record, with_documents)).collect();
    let plan = with_documents.then(|| serde_json::to_string(&rollout.plan).expect("a plan is plain data"));
    Ok(shape::Answer::new(&rollout, &state.parts.prices).with_records(records, plan))
}
