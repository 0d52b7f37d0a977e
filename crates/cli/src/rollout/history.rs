//! All rollouts of a target, newest first: what came of them, who ordered what, and why.

use serde_json::{Value as Json, json};

use super::{call, list, now};
use crate::arguments::{HistoryOptions, Output};
use crate::client::Client;
use crate::failure::Failure;
use crate::json::parse_timestamp;
use crate::print;
use crate::quantity;
use crate::table;
use crate::watch::RolloutView;

pub async fn shown(client: &Client, options: &HistoryOptions, output: Output) -> Result<String, Failure> {
    let mut rollouts = list(client, json!({"Target": target(client, options).await?})).await?;
    let started =
        |rollout: &Json| rollout["StartedAt"].as_str().and_then(parse_timestamp).unwrap_or_default();
    rollouts.sort_by(|one, other| started(other).total_cmp(&started(one)));
    Ok(match output {
        Output::Table => page(&rollouts),
        _ => print::rendered(&json!({"Rollouts": rollouts}), output),
    })
}

/// The target that is named, or that of a rollout.
async fn target(client: &Client, options: &HistoryOptions) -> Result<Json, Failure> {
    if let (Some(api), Some(stage)) = (&options.rest_api, &options.stage) {
        return Ok(json!({"RestStage": {"RestApiId": api, "StageName": stage}}));
    }
    if let (Some(function), Some(alias)) = (&options.function, &options.alias) {
        return Ok(json!({"LambdaAlias": {"FunctionName": function, "AliasName": alias}}));
    }
    let Some(name) = &options.name else {
        return Err(Failure::usage("nothing says whose history").hint(
            "pitbird rollout history ROLLOUT, or --rest-api ID --stage NAME, or --function NAME --alias NAME",
        ));
    };
    Ok(call(client, "GetRollout", &json!({"Name": name, "MaxRecords": 0})).await?["Target"].take())
}

fn page(rollouts: &[Json]) -> String {
    let mut rows =
        vec![["Started", "Took", "Name", "Canary", "Outcome", "By", "Why"].map(str::to_owned).to_vec()];
    for rollout in rollouts {
        let view = RolloutView::from_json(rollout, now());
        let start = orders(rollout).find(|order| order["Order"] == "Start").cloned().unwrap_or_default();
        rows.push(clean([
            text(&rollout["StartedAt"]),
            quantity::words(view.elapsed),
            view.name,
            view.canary,
            view.progress.words(),
            text(&start["By"]),
            text(&start["Reason"]),
        ]));
        rows.push(clean(line("", "", &view.reason)));
        for order in orders(rollout).filter(|order| order["Order"] != "Start") {
            let late = if order["Obeyed"] == false { " (too late)" } else { "" };
            let what = format!("{}{late}", text(&order["Order"]).to_lowercase());
            let mut row = line(&text(&order["At"]), &what, "");
            (row[5], row[6]) = (text(&order["By"]), text(&order["Reason"]));
            rows.push(clean(row));
        }
    }
    table::columns(&rows)
}

/// Something of a rollout that is told below it.
fn line(at: &str, what: &str, outcome: &str) -> [String; 7] {
    let mut row = <[String; 7]>::default();
    (row[0], row[2], row[4]) = (at.to_owned(), what.to_owned(), outcome.to_owned());
    row
}

fn orders(rollout: &Json) -> impl Iterator<Item = &Json> {
    rollout["Orders"].as_array().into_iter().flatten()
}

fn text(value: &Json) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Names from outside give the terminal no orders.
fn clean(row: [String; 7]) -> Vec<String> {
    row.map(|cell| cell.replace(char::is_control, " ")).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_tells_who_why_and_what_came_of_it() {
        let rollout = json!({
            "Name": "v3", "Canary": {"DeploymentId": "d3"}, "Status": "Aborted",
            "StatusReason": "aborted: ordered by ann: wrong branch",
            "StartedAt": "2026-11-01T00:00:00.000Z", "EndedAt": "2026-11-01T00:01:05.000Z",
            "Orders": [
                {"At": "2026-11-01T00:00:00.000Z", "Order": "Start", "By": "ann", "Reason": "ticket\n7", "Obeyed": true},
                {"At": "2026-11-01T00:01:00.000Z", "Order": "Pause", "By": "bob", "Obeyed": false},
            ],
        });
        let expected = "\
Started                   Took    Name              Canary         Outcome                                By   Why
2026-11-01T00:00:00.000Z  1m 05s  v3                deployment d3  aborted                                ann  ticket 7
                                                                   aborted: ordered by ann: wrong branch
2026-11-01T00:01:00.000Z          pause (too late)                                                        bob
";
        assert_eq!(page(&[rollout]), expected);
    }
}
