use std::sync::Arc;

use pitbird_records::{ExportStatus, ExportTask};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use super::Nothing;
use crate::{Error, State};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    task_id: String,
}

/// Has a task stop. What it has written stays.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let key = ExportTask::key_of(&call.caller.scope, &call.input.task_id);
    let cancel = move |tx: &mut Transaction<'_>| {
        let mut task = tx.get::<ExportTask>(&key)?.ok_or(Error::NoExportTask)?.record;
        if task.status.is_over() {
            return Err(Error::ExportOver);
        }
        task.status = ExportStatus::PendingCancel;
        tx.put(&task)?;
        Ok(())
    };
    state.store.write(cancel).await?;
    Ok(Nothing {})
}
