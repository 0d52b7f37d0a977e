//! Export tasks: a group's events into a bucket.
//!
//! A task is a record; what is done for it may be done twice, so a start takes up what an earlier process has left. Source of
//! the form: CloudWatch Logs user guide, "Exporting log data to Amazon S3".

use std::collections::HashMap;
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::pin::Pin;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use pitbird_names::Scope;
use pitbird_records::{ExportStatus, ExportTask};
use pitbird_store::Transaction;
use pitbird_telemetry::logs::{EVENTS_PER_PAGE, GetQuery, LogEvent, ReadFrom, StreamOrder, StreamQuery};
use time::OffsetDateTime;
use tokio::task::JoinHandle;

use crate::{Error, State};

/// Text of one file before it is compressed, bytes.
const FILE_BYTES: usize = 16 << 20;
/// Streams that are asked for at one go.
const STREAMS: usize = 50;

/// A file for a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    pub scope: Scope,
    pub bucket: String,
    pub key: String,
    pub content: Vec<u8>,
}

/// Puts a file into a bucket: `Ok` when it is durable there, else why not. Buckets are not this crate's, so whoever builds
/// the service brings it.
pub type Keep =
    Arc<dyn Fn(Exported) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;

/// Takes up the tasks that haven't ended. Needs a tokio runtime.
pub fn resume(state: &Arc<State>) -> Result<(), pitbird_store::Error> {
    for found in state.store.list::<ExportTask>("")? {
        if !found.record.status.is_over() {
            drop(start(state.clone(), found.record));
        }
    }
    Ok(())
}

/// Works on a task until it has ended. The server's end cuts it off, and the next start takes it up.
pub fn start(state: Arc<State>, task: ExportTask) -> JoinHandle<()> {
    tokio::spawn(async move {
        let (status, message) = match run(&state, &task).await {
            Ok(status) => (status, None),
            Err(Error::Telemetry(pitbird_telemetry::Error::Closed)) => return,
            Err(error) => (ExportStatus::Failed, Some(error.to_string())),
        };
        if let Err(error) = turn(&state, &task, status, message).await {
            tracing::error!(%error, task = task.id, "an export task's end can't be written down");
        }
    })
}

/// Does all of it; how it ended.
async fn run(state: &State, task: &ExportTask) -> Result<ExportStatus, Error> {
    if turn(state, task, ExportStatus::Running, None).await? == ExportStatus::PendingCancel {
        return Ok(ExportStatus::Cancelled);
    }
    // The first file that AWS writes, so that one without permission fails at once.
    let tried = format!("{}/aws-logs-write-test", task.prefix);
    keep(state, task, tried, b"Permission Check Successful".to_vec()).await?;
    let (mut token, mut folders) = (None, Folders::default());
    loop {
        let query = StreamQuery {
            scope: task.scope.clone(),
            group: task.group.clone(),
            prefix: task.stream_prefix.clone(),
            order: StreamOrder::Name,
            descending: false,
            limit: STREAMS,
            token,
        };
        let page = state.telemetry.streams(query).await?;
        for stream in page.streams {
            if !export_stream(state, task, &stream.name, &mut folders).await? {
                return Ok(ExportStatus::Cancelled);
            }
        }
        token = page.token;
        if token.is_none() {
            return Ok(ExportStatus::Completed);
        }
    }
}

/// Exports a stream; `false` if the task was cancelled meanwhile.
async fn export_stream(
    state: &State,
    task: &ExportTask,
    stream: &str,
    folders: &mut Folders,
) -> Result<bool, Error> {
    let (mut from, mut text) = (ReadFrom::Head, String::new());
    loop {
        if is_cancelled(state, task)? {
            return Ok(false);
        }
        let query = GetQuery {
            scope: task.scope.clone(),
            group: task.group.clone(),
            stream: stream.to_owned(),
            start_ms: Some(task.from_ms),
            // The time that is named is still in. Source: CreateExportTask, `to`.
            end_ms: Some(task.to_ms.saturating_add(1)),
            limit: EVENTS_PER_PAGE,
            from,
        };
        let page = match state.telemetry.events(query).await {
            // It has been deleted since.
            Err(pitbird_telemetry::Error::NoStream) => return Ok(true),
            page => page?,
        };
        page.events.iter().for_each(|event| push_line(&mut text, event));
        let is_last = page.events.is_empty();
        if text.len() >= FILE_BYTES || (is_last && !text.is_empty()) {
            let key = format!("{}/{}/{}", task.prefix, task.id, folders.next_file(stream));
            keep(state, task, key, packed(std::mem::take(&mut text)).await?).await?;
        }
        if is_last {
            return Ok(true);
        }
        from = ReadFrom::Token(page.forward_token);
    }
}

/// Folders that have files, by their names' hashes, and how many. Streams whose names differ in nothing but slashes and dashes share one:
/// their files mustn't take each other's place.
#[derive(Default)]
struct Folders(HashMap<u64, u32>);

impl Folders {
    /// A stream's next file.
    fn next_file(&mut self, stream: &str) -> String {
        let folder = stream.replace('/', "-");
        let mut hasher = DefaultHasher::new();
        folder.hash(&mut hasher);
        let files = self.0.entry(hasher.finish()).or_default();
        let file = format!("{folder}/{files:06}.gz");
        *files += 1;
        file
    }
}

/// `2025-11-23T12:00:00.123Z message`.
fn push_line(text: &mut String, event: &LogEvent) {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(event.at_ms) * 1_000_000);
    let time = time.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (date, (hour, minute, second, milli)) = (time.date(), time.to_hms_milli());
    let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
    text.push_str(&format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z "));
    text.push_str(event.message.trim_end_matches('\n'));
    text.push('\n');
}

async fn packed(text: String) -> Result<Vec<u8>, Error> {
    let pack = move || {
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(text.as_bytes())?;
        packed.finish()
    };
    let packed = tokio::task::spawn_blocking(pack).await.map_err(|ended| Error::Export(ended.to_string()))?;
    packed.map_err(|error| Error::Export(error.to_string()))
}

async fn keep(state: &State, task: &ExportTask, key: String, content: Vec<u8>) -> Result<(), Error> {
    let file = Exported { scope: task.scope.clone(), bucket: task.bucket.clone(), key, content };
    (state.keep)(file).await.map_err(Error::Export)
}

fn is_cancelled(state: &State, task: &ExportTask) -> Result<bool, Error> {
    let key = ExportTask::key_of(&task.scope, &task.id);
    let found = state.store.get::<ExportTask>(&key)?;
    Ok(found.is_none_or(|found| found.record.status == ExportStatus::PendingCancel))
}

/// Writes a new status down, unless the task has been cancelled and this isn't its end; answers what is written there.
async fn turn(
    state: &State,
    task: &ExportTask,
    status: ExportStatus,
    message: Option<String>,
) -> Result<ExportStatus, Error> {
    let key = ExportTask::key_of(&task.scope, &task.id);
    let now_ms = crate::follow::now_ms();
    let write = move |tx: &mut Transaction<'_>| {
        let Some(found) = tx.get::<ExportTask>(&key)? else { return Ok(ExportStatus::PendingCancel) };
        let mut task = found.record;
        if status.is_over() {
            task.completed_ms = Some(now_ms);
        } else if task.status == ExportStatus::PendingCancel {
            return Ok(task.status);
        }
        (task.status, task.message) = (status, message);
        tx.put(&task)?;
        Ok(status)
    };
    state.store.write(write).await
}
