//! What GetMetricData costs on a day of a hundred metrics, minute by minute, written to standard output.
//!
//! `cargo run --release -p pitbird-cloudwatch --example metric_math`

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pitbird_cloudwatch::State;
use pitbird_cloudwatch::query::{self, Identity, MetricDataQuery, MetricStat, Plan, Span};
use pitbird_names::Scope;
use pitbird_store::Store;
use pitbird_telemetry::metrics::{Datum, Dimensions, Resolution, Samples, Unit};
use pitbird_telemetry::{Config, Telemetry};

const METRICS: usize = 100;
const MINUTES: i64 = 1440;
const MINUTE_MS: i64 = 60_000;
/// Times that each request is made.
const ROUNDS: usize = 15;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let folder = tempfile::tempdir()?;
    let store = Store::open(&folder.path().join("store"))?;
    let telemetry = Telemetry::open(&folder.path().join("telemetry"), &Config::default())?;
    let state = State::new(store, telemetry);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let now_ms = since.as_millis() as i64 / MINUTE_MS * MINUTE_MS;
    runtime.block_on(fill(&state, now_ms))?;
    let span = Span { start_ms: now_ms - MINUTES * MINUTE_MS, end_ms: now_ms, now_ms };
    for (what, stat, expression) in [
        ("a sum", "Sum", "SUM(METRICS())"),
        ("a rate over gaps filled", "Average", "RATE(AVG(FILL(METRICS(), 0))) * 60"),
        ("the highest five", "Maximum", "SORT(METRICS(), MAX, DESC, 5)"),
        ("an average of percentiles", "p99", "AVG(METRICS())"),
        ("a search", "Sum", "SUM(SEARCH('{bench,number}', 'Sum', 60))"),
    ] {
        let plan = Arc::new(Plan::parse(&queries(stat, expression), &Scope::default())?);
        let mut spent = Vec::new();
        for _ in 0..ROUNDS {
            let start = Instant::now();
            let evaluated = runtime.block_on(query::evaluate(&state, &plan, span))?;
            spent.push(start.elapsed());
            if evaluated.results.first().is_none_or(|result| result.points.len() < MINUTES as usize - 2) {
                return Err(format!("{expression} gave too little").into());
            }
        }
        spent.sort();
        say(&format!("{what} of 100 series × 1440 minutes  {}", milliseconds(spent[ROUNDS / 2])))?;
    }
    runtime.block_on(state.telemetry.close())?;
    Ok(())
}

fn say(text: &str) -> Outcome {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}

fn milliseconds(spent: Duration) -> String {
    format!("{:.1} ms", spent.as_secs_f64() * 1000.0)
}

async fn fill(state: &State, now_ms: i64) -> Outcome {
    for number in 0..METRICS {
        let dimensions: Dimensions = [("number", number.to_string())].into_iter().collect();
        let datum = |minute: i64| {
            // Latencies of some functions: a few buckets each.
            let value = |sample: i64| (((minute * 7 + sample * 13 + number as i64) % 90 + 10) as f64, 1.0);
            Datum {
                name: "latency".to_owned(),
                dimensions: dimensions.clone(),
                unit: Unit::Milliseconds,
                at_ms: now_ms - (MINUTES - minute) * MINUTE_MS,
                resolution: Resolution::Minute,
                samples: Samples::Values((0..12).map(value).collect()),
            }
        };
        state.telemetry.put(&Scope::default(), "bench", (0..MINUTES).map(datum).collect()).await?;
    }
    Ok(())
}

/// All metrics at a statistic, and an expression over them.
fn queries(stat: &str, expression: &str) -> Vec<MetricDataQuery> {
    let query = |id: String| MetricDataQuery {
        id,
        metric_stat: None,
        expression: None,
        label: None,
        return_data: Some(false),
        period: None,
        account_id: None,
    };
    let metric = |number: usize| MetricDataQuery {
        metric_stat: Some(MetricStat {
            metric: Identity {
                namespace: Some("bench".to_owned()),
                metric_name: Some("latency".to_owned()),
                dimensions: Some(vec![query::Dimension {
                    name: "number".to_owned(),
                    value: number.to_string(),
                }]),
            },
            period: 60,
            stat: stat.to_owned(),
            unit: None,
        }),
        ..query(format!("m{number}"))
    };
    let mut queries: Vec<MetricDataQuery> = (0..METRICS).map(metric).collect();
    let expression = Some(expression.to_owned());
    queries.push(MetricDataQuery { expression, return_data: None, ..query("answer".to_owned()) });
    queries
}
