//! Lists metrics, and shows their datapoints.

mod plot;

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value as Json, json};

use crate::arguments::{MetricsCommand, MetricsListOptions, MetricsShowOptions, Output};
use crate::client::Client;
use crate::failure::Failure;
use crate::json::{epoch_ms, parse_timestamp};
use crate::streams::Streams;
use crate::{print, table, terminal};

use plot::Plot;

/// Metrics that are listed at most; a server keeps up to a million.
const LISTED_MAX: usize = 100_000;
/// A plot's height, lines.
const ROWS: usize = 12;

pub async fn run(
    client: &Client,
    command: &MetricsCommand,
    output: Output,
    streams: &mut Streams,
) -> Result<(), Failure> {
    match command {
        MetricsCommand::List(options) => list(client, options, output, streams).await,
        MetricsCommand::Show(options) => show(client, options, output, streams).await,
    }
}

async fn list(
    client: &Client,
    options: &MetricsListOptions,
    output: Output,
    streams: &mut Streams,
) -> Result<(), Failure> {
    let dimensions = options.dimensions.iter().map(|given| match given.split_once('=') {
        Some((name, value)) => json!({"Name": name, "Value": value}),
        None => json!({"Name": given}),
    });
    let mut input = json!({"Dimensions": dimensions.collect::<Vec<_>>()});
    let named = [("Namespace", &options.namespace), ("MetricName", &options.metric)];
    for (name, value) in named.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
        input[name] = json!(value);
    }
    let mut metrics: Vec<Json> = Vec::new();
    loop {
        let mut page = client.call("cloudwatch", "ListMetrics", &input).await?;
        if let Json::Array(more) = page["Metrics"].take() {
            metrics.extend(more);
        }
        input["NextToken"] = page["NextToken"].take();
        if input["NextToken"].is_null() {
            break;
        }
        if metrics.len() >= LISTED_MAX {
            streams.words(&format!("there are more than these {} metrics", metrics.len()));
            break;
        }
    }
    if output != Output::Table {
        streams.data(&print::rendered(&json!({"Metrics": metrics}), output))?;
        return Ok(());
    }
    let mut rows = vec![["Namespace", "Metric", "Dimensions"].map(str::to_owned).to_vec()];
    rows.extend(metrics.iter().map(|metric| {
        let text = |name: &str| terminal::harmless(metric[name].as_str().unwrap_or_default());
        vec![text("Namespace"), text("MetricName"), dimensions_of(metric)]
    }));
    streams.data(&table::columns(&rows))?;
    Ok(())
}

/// `FunctionName=f, Resource=f:live`.
fn dimensions_of(metric: &Json) -> String {
    let pair = |dimension: &Json| {
        let text = |name: &str| dimension[name].as_str().unwrap_or_default().to_owned();
        terminal::harmless(&format!("{}={}", text("Name"), text("Value")))
    };
    metric["Dimensions"].as_array().into_iter().flatten().map(pair).collect::<Vec<_>>().join(", ")
}

async fn show(
    client: &Client,
    options: &MetricsShowOptions,
    output: Output,
    streams: &mut Streams,
) -> Result<(), Failure> {
    let period_s = options.period.as_secs();
    if period_s == 0 || options.period.subsec_nanos() > 0 {
        return Err(Failure::usage("--period must be whole seconds").hint("write 1s, 60s, 5m or 1h"));
    }
    let end_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() + 1;
    let start_s = end_s.saturating_sub(options.since.as_secs().max(1));
    let dimensions: Vec<Json> =
        options.dimensions.iter().map(|(name, value)| json!({"Name": name, "Value": value})).collect();
    let metric =
        json!({"Namespace": options.namespace, "MetricName": options.metric, "Dimensions": dimensions});
    let query =
        json!({"Id": "m", "MetricStat": {"Metric": metric, "Period": period_s, "Stat": options.stat}});
    let mut input = json!({
        "StartTime": start_s, "EndTime": end_s, "ScanBy": "TimestampAscending", "MetricDataQueries": [query],
    });
    let mut points: Vec<(i64, f64)> = Vec::new();
    loop {
        let mut page = client.call("cloudwatch", "GetMetricData", &input).await?;
        for result in page["MetricDataResults"].as_array().into_iter().flatten() {
            points.extend(points_of(result));
        }
        input["NextToken"] = page["NextToken"].take();
        if input["NextToken"].is_null() {
            break;
        }
    }
    let title = match dimensions_of(&metric) {
        dimensions if dimensions.is_empty() => {
            format!("{} {} {}", options.namespace, options.metric, options.stat)
        }
        dimensions => format!("{} {} {} ({dimensions})", options.namespace, options.metric, options.stat),
    };
    match output {
        Output::Json => {
            let points: Vec<Json> = points
                .iter()
                .map(|(at_ms, value)| json!({"Timestamp": epoch_ms(*at_ms), "Value": value}))
                .collect();
            let shown =
                json!({"Metric": metric, "Stat": options.stat, "Period": period_s, "Datapoints": points});
            streams.data(&print::rendered(&shown, output))?;
        }
        Output::Text => {
            let line =
                |(at_ms, value): &(i64, f64)| format!("{}\t{value}\n", epoch_ms(*at_ms).unwrap_or_default());
            streams.data(&points.iter().map(line).collect::<String>())?;
        }
        Output::Table if points.is_empty() => {
            streams.words(&format!("{}: no datapoints", terminal::harmless(&title)));
            streams.words("hint: `pitbird metrics list NAMESPACE` says which dimensions metrics have; all are to be given");
        }
        Output::Table => {
            let plot = Plot {
                title: terminal::harmless(&title),
                period_ms: period_s as i64 * 1000,
                start_ms: start_s as i64 * 1000,
                end_ms: end_s as i64 * 1000,
                points: &points,
            };
            streams.data(&plot.drawn(
                terminal::width().unwrap_or(terminal::WIDTH),
                ROWS,
                streams.terminal.color,
            ))?;
        }
    }
    Ok(())
}

fn points_of(result: &Json) -> Vec<(i64, f64)> {
    let list = |name: &str| result[name].as_array().cloned().unwrap_or_default();
    let pair = |(at, value): (Json, Json)| {
        Some(((parse_timestamp(at.as_str()?)? * 1000.0).round() as i64, value.as_f64()?))
    };
    list("Timestamps").into_iter().zip(list("Values")).filter_map(pair).collect()
}
