use std::sync::Arc;

use pitbird_records::{Bucket, ExportStatus, ExportTask};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::{Deserialize, Serialize};

use crate::{Error, State, export, group};

/// Where a task's files go if nobody says. Source: CreateExportTask.
const PREFIX: &str = "exportedlogs";
/// Tasks that are remembered in an account and region; the oldest that have ended go first.
const REMEMBERED: usize = 500;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    task_name: Option<String>,
    log_group_name: String,
    log_stream_name_prefix: Option<String>,
    from: i64,
    to: i64,
    destination: String,
    destination_prefix: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    task_id: String,
}

/// Begins to write a group's events into a bucket. Buckets have no policies here, so that none is asked whether CloudWatch
/// Logs may write there.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, request_id, now_ms, .. } = call;
    group::kept(&state, &caller.scope, &input.log_group_name).await?;
    if input.from >= input.to {
        return Err(Error::ExportTimes.into());
    }
    let bucket = state.store.get::<Bucket>(&input.destination).map_err(Error::from)?;
    if bucket.is_none_or(|bucket| bucket.record.scope.account != caller.scope.account) {
        return Err(Error::NoBucket.into());
    }
    let task = ExportTask {
        scope: caller.scope,
        // As unique as any.
        id: request_id,
        name: input.task_name,
        group: input.log_group_name,
        stream_prefix: input.log_stream_name_prefix,
        from_ms: input.from,
        to_ms: input.to,
        bucket: input.destination,
        prefix: input.destination_prefix.unwrap_or_else(|| PREFIX.to_owned()),
        status: ExportStatus::Pending,
        message: None,
        created_ms: now_ms,
        completed_ms: None,
    };
    let written = task.clone();
    let put = move |tx: &mut Transaction<'_>| {
        let mut others = tx.list::<ExportTask>(&ExportTask::prefix_of(&written.scope))?;
        // One at a time. Source: CloudWatch Logs quotas.
        if others.iter().any(|other| !other.record.status.is_over()) {
            return Err(Error::Limit);
        }
        others.sort_by_key(|other| other.record.created_ms);
        let surplus = (others.len() + 1).saturating_sub(REMEMBERED);
        for other in others.into_iter().take(surplus) {
            tx.delete::<ExportTask>(&ExportTask::key_of(&other.record.scope, &other.record.id))?;
        }
        tx.put(&written)?;
        Ok(())
    };
    state.store.write(put).await?;
    let task_id = task.id.clone();
    drop(export::start(state, task));
    Ok(Output { task_id })
}
