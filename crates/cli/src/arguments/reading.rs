//! What can be said to read logs and metrics.

use std::time::Duration;

use clap::{Args, Subcommand};

use crate::quantity;

#[derive(Debug, Args)]
pub struct TopOptions {
    /// How often to look
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = quantity::duration)]
    pub interval: Duration,
    /// Log group whose end is shown; may be given several times. Without one, those of the three functions that are invoked most
    #[arg(long = "group", value_name = "LOG_GROUP")]
    pub groups: Vec<String>,
    /// Only log events that match this CloudWatch filter pattern
    #[arg(long, value_name = "PATTERN")]
    pub filter: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum MetricsCommand {
    /// List metrics: their namespaces, names and dimensions
    List(MetricsListOptions),
    /// Show a metric's datapoints, in a table as a plot
    Show(MetricsShowOptions),
}

#[derive(Debug, Args)]
pub struct MetricsListOptions {
    /// Only of this namespace, as in AWS/Lambda
    pub namespace: Option<String>,
    /// Only of this name
    pub metric: Option<String>,
    /// Only with this dimension, of any value without one; may be given several times
    #[arg(long = "dimension", value_name = "NAME[=VALUE]")]
    pub dimensions: Vec<String>,
}

#[derive(Debug, Args)]
pub struct MetricsShowOptions {
    /// Namespace, as in AWS/Lambda
    pub namespace: String,
    /// Metric, as in Errors
    pub metric: String,
    /// Each of the metric's dimensions; may be given several times
    #[arg(long = "dimension", value_name = "NAME=VALUE", value_parser = dimension)]
    pub dimensions: Vec<(String, String)>,
    /// Statistic, as in Sum, p99 or TM(10%:90%)
    #[arg(long, value_name = "STATISTIC", default_value = "Average")]
    pub stat: String,
    /// Time that a datapoint stands for, in whole seconds
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = quantity::duration)]
    pub period: Duration,
    /// How far back to begin
    #[arg(long, value_name = "DURATION", default_value = "3h", value_parser = quantity::duration)]
    pub since: Duration,
}

#[derive(Debug, Args)]
pub struct QueryOptions {
    /// Query of CloudWatch Logs Insights, as in 'stats count(*) by @logStream'
    pub query: String,
    /// Log group to look through, as in /aws/lambda/app; may be given several times
    #[arg(long = "group", value_name = "GROUP", required = true)]
    pub groups: Vec<String>,
    /// How far back to begin
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = quantity::duration)]
    pub since: Duration,
    /// Rows at most, unless the query says so itself
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000), value_name = "ROWS")]
    pub limit: Option<u32>,
    /// How long the query may take; it is stopped then
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = quantity::duration)]
    pub timeout: Duration,
}

fn dimension(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    pair.ok_or_else(|| format!("{text:?} is no dimension; write NAME=VALUE"))
}
