use std::sync::Arc;

use pitbird_records::ExportTask;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::{Error, State, page};

/// Tasks on a page. Source: DescribeExportTasks.
const LIMIT: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    task_id: Option<String>,
    status_code: Option<String>,
    next_token: Option<String>,
    limit: Option<u32>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    export_tasks: Vec<Described>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    task_id: String,
    task_name: Option<String>,
    log_group_name: String,
    from: i64,
    to: i64,
    destination: String,
    destination_prefix: String,
    status: Status,
    execution_info: Info,
}

#[derive(Debug, Serialize)]
struct Status {
    code: &'static str,
    message: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Info {
    creation_time: i64,
    completion_time: Option<i64>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let found = state.store.list::<ExportTask>(&ExportTask::prefix_of(&caller.scope)).map_err(Error::from)?;
    let is_wanted = |task: &ExportTask| {
        input.task_id.as_deref().is_none_or(|id| id == task.id)
            && input.status_code.as_deref().is_none_or(|code| code == task.status.as_str())
    };
    let tasks: Vec<ExportTask> = found.into_iter().map(|found| found.record).filter(is_wanted).collect();
    let limit = input.limit.map_or(LIMIT, |limit| limit as usize);
    let (tasks, next_token) = page::cut(tasks, input.next_token.as_deref(), limit, |task| &task.id)?;
    Ok(Output { export_tasks: tasks.into_iter().map(Described::from).collect(), next_token })
}

impl From<ExportTask> for Described {
    fn from(task: ExportTask) -> Described {
        Described {
            task_id: task.id,
            task_name: task.name,
            log_group_name: task.group,
            from: task.from_ms,
            to: task.to_ms,
            destination: task.bucket,
            destination_prefix: task.prefix,
            status: Status { code: task.status.as_str(), message: task.message },
            execution_info: Info { creation_time: task.created_ms, completion_time: task.completed_ms },
        }
    }
}
