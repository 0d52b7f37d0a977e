//! Runs a query of CloudWatch Logs Insights and waits for its end.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value as Json, json};
use tokio::time::Instant;

use crate::arguments::{Output, QueryOptions};
use crate::client::Client;
use crate::failure::Failure;
use crate::streams::Streams;
use crate::{print, table, terminal};

/// Between two questions whether the query has ended: at first, and at most.
const ASK_FIRST: Duration = Duration::from_millis(20);
const ASK_EVERY: Duration = Duration::from_millis(500);
/// Where a row's event is kept; of no use to people.
const POINTER: &str = "@ptr";
/// Longer values are cut in tables; the other forms have all of them.
const CELL_CHARS_MAX: usize = 200;

pub async fn query(
    client: &Client,
    options: &QueryOptions,
    output: Output,
    streams: &mut Streams,
) -> Result<(), Failure> {
    let end_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() + 1;
    let mut input = json!({
        "logGroupNames": options.groups, "queryString": options.query, "endTime": end_s,
        "startTime": end_s.saturating_sub(options.since.as_secs().max(1)),
    });
    if let Some(limit) = options.limit {
        input["limit"] = json!(limit);
    }
    let started = client.call("logs", "StartQuery", &input).await?;
    let id = json!({"queryId": started["queryId"]});
    let answer = ended(client, &id, options.timeout).await?;
    match answer["status"].as_str().unwrap_or_default() {
        "Complete" => {}
        other => return Err(Failure::new(format!("the query ended as {other}"))),
    }
    let text = match output {
        Output::Table => in_columns(&answer),
        _ => print::rendered(&answer, output),
    };
    streams.data(&text)?;
    if output == Output::Table {
        streams.words(&counted(&answer));
    }
    Ok(())
}

/// The answer of a query that has ended. One that takes too long is stopped.
async fn ended(client: &Client, id: &Json, timeout: Duration) -> Result<Json, Failure> {
    let (began, mut wait) = (Instant::now(), ASK_FIRST);
    loop {
        let answer = client.call("logs", "GetQueryResults", id).await?;
        if !matches!(answer["status"].as_str(), Some("Scheduled" | "Running")) {
            return Ok(answer);
        }
        if began.elapsed() + wait > timeout {
            client.call("logs", "StopQuery", id).await?;
            let words = format!("the query took longer than {}", crate::quantity::words(timeout));
            return Err(
                Failure::new(words).hint("--timeout gives it more time, --since less to look through")
            );
        }
        // The service has no event for the end of a query: it is asked again.
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(ASK_EVERY);
    }
}

/// A column for each field, in the order in which they are first seen.
fn in_columns(answer: &Json) -> String {
    let rows = answer["results"].as_array().map(Vec::as_slice).unwrap_or_default();
    let fields = |row: &'_ Json| -> Vec<(String, String)> {
        let text = |cell: &Json, name: &str| cell[name].as_str().unwrap_or_default().to_owned();
        let cells = row.as_array().into_iter().flatten();
        cells
            .map(|cell| (text(cell, "field"), text(cell, "value")))
            .filter(|(name, _)| name != POINTER)
            .collect()
    };
    let rows: Vec<Vec<(String, String)>> = rows.iter().map(fields).collect();
    let mut names: Vec<&String> = Vec::new();
    for (name, _) in rows.iter().flatten() {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() {
        return String::new();
    }
    let mut lines = vec![names.iter().map(|name| cell(name)).collect::<Vec<_>>()];
    lines.extend(rows.iter().map(|row| {
        let value =
            |name: &&String| row.iter().find(|(known, _)| known == *name).map(|(_, value)| cell(value));
        names.iter().map(|name| value(name).unwrap_or_default()).collect()
    }));
    table::columns(&lines)
}

/// On one line, not endless, and without anything that a terminal would obey.
fn cell(text: &str) -> String {
    let text: String = terminal::harmless(text.trim_end()).replace(['\n', '\t'], " ");
    match text.char_indices().nth(CELL_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

fn counted(answer: &Json) -> String {
    let number = |name: &str| answer["statistics"][name].as_f64().unwrap_or_default();
    let rows = answer["results"].as_array().map_or(0, Vec::len);
    format!(
        "{rows} rows; {} of {} events matched, {} bytes scanned",
        number("recordsMatched"),
        number("recordsScanned"),
        number("bytesScanned")
    )
}
