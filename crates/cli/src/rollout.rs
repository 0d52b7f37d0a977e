//! Starts, watches and steers rollouts.

pub mod aws;
mod file;
mod follow;
mod history;
mod order;
mod plan;
mod schema;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value as Json, json};

use crate::arguments::{Output, ReasonOptions, RolloutCommand};
use crate::client::Client;
use crate::failure::Failure;
use crate::print;
use crate::streams::Streams;
use crate::table;
use crate::terminal;
use crate::watch::{self, Progress, RolloutView};

pub use order::start_input;

/// How often a rollout is looked at that is followed right after its start.
const INTERVAL: Duration = Duration::from_millis(500);
/// Pages of a list at most; a hundred rollouts each.
const PAGES_MAX: usize = 1000;

/// Does the command and gives its exit code: how the rollout ended where the command waited for that, else 0.
pub async fn run(
    client: &Client,
    command: &RolloutCommand,
    output: Output,
    streams: &mut Streams,
) -> Result<u8, Failure> {
    let rollout = match command {
        RolloutCommand::Start(options) => {
            let input = order::start_input(options)?;
            let rollout = call(client, "StartRollout", &input).await?;
            if options.watch {
                return follow::to_the_end(client, &name(&rollout), INTERVAL, output, streams).await;
            }
            rollout
        }
        RolloutCommand::Schema => {
            streams.data(&schema::text())?;
            return Ok(0);
        }
        RolloutCommand::Plan(options) => {
            let shown = plan::shown(client, options, output).await?;
            streams.data(&shown)?;
            return Ok(0);
        }
        RolloutCommand::Watch(options) => {
            return follow::to_the_end(client, &options.name, options.interval, output, streams).await;
        }
        RolloutCommand::History(options) => {
            let shown = history::shown(client, options, output).await?;
            streams.data(&shown)?;
            return Ok(0);
        }
        RolloutCommand::List(options) => {
            let status = options.status.map(|status| json!({"Status": status.as_str()}));
            let rollouts = list(client, status.unwrap_or_else(|| json!({}))).await?;
            streams.data(&listed(&rollouts, output))?;
            return Ok(0);
        }
        RolloutCommand::Status(options) => call(client, "GetRollout", &json!({"Name": options.name})).await?,
        RolloutCommand::Pause(options) => call(client, "PauseRollout", &reasoned(options)).await?,
        RolloutCommand::Resume(options) => call(client, "ResumeRollout", &reasoned(options)).await?,
        RolloutCommand::Abort(options) => call(client, "AbortRollout", &reasoned(options)).await?,
        RolloutCommand::Promote(options) => {
            call(client, "PromoteRollout", &json!({"Name": options.name, "Reason": options.reason})).await?
        }
    };
    streams.data(&shown(&rollout, output, streams.terminal.color))?;
    Ok(0)
}

fn reasoned(options: &ReasonOptions) -> Json {
    let mut input = json!({"Name": options.name});
    if let Some(reason) = &options.reason {
        input["Reason"] = json!(reason);
    }
    input
}

/// Calls an operation of the rollouts service and gives its `Rollout`.
async fn call(client: &Client, operation: &str, input: &Json) -> Result<Json, crate::client::Error> {
    let mut answer = client.call("rollouts", operation, input).await?;
    Ok(answer["Rollout"].take())
}

/// All that are asked for, page after page.
async fn list(client: &Client, mut input: Json) -> Result<Vec<Json>, Failure> {
    let mut rollouts = Vec::new();
    for _ in 0..PAGES_MAX {
        let mut page = client.call("rollouts", "ListRollouts", &input).await?;
        if let Json::Array(more) = page["Rollouts"].take() {
            rollouts.extend(more);
        }
        match page["NextToken"].take() {
            Json::Null => return Ok(rollouts),
            token => input["NextToken"] = token,
        }
    }
    Err(Failure::new(format!("the list of rollouts has more than {PAGES_MAX} pages")))
}

fn name(rollout: &Json) -> String {
    rollout["Name"].as_str().unwrap_or_default().to_owned()
}

/// One rollout, drawn for people, whole for scripts.
fn shown(rollout: &Json, output: Output, color: bool) -> String {
    match output {
        Output::Table => {
            let view = RolloutView::from_json(rollout, now());
            // What goes into a file or another program isn't cut.
            watch::render(&view, terminal::width().unwrap_or(usize::MAX), color)
        }
        _ => print::rendered(rollout, output),
    }
}

fn listed(rollouts: &[Json], output: Output) -> String {
    if output != Output::Table {
        return print::rendered(&json!({"Rollouts": rollouts}), output);
    }
    let mut rows =
        vec![["Name", "Status", "Canary %", "Target", "Canary", "Reason"].map(str::to_owned).to_vec()];
    for rollout in rollouts {
        let view = RolloutView::from_json(rollout, now());
        let row = [
            view.name,
            view.progress.words(),
            view.percent.to_string(),
            view.target,
            view.canary,
            view.reason,
        ];
        rows.push(row.map(|cell| cell.replace(char::is_control, " ")).to_vec());
    }
    table::columns(&rows)
}

/// The exit code of a command that waited for this.
fn exit_code(progress: Progress) -> u8 {
    match progress {
        Progress::Ended(outcome) => outcome.exit_code(),
        Progress::InProgress | Progress::Paused => 0,
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
