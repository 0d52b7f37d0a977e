//! What ten thousand alarms cost, and how late they are: `cargo run --release -p pitbird-cloudwatch --example alarms_cycle`.
//!
//! Each alarm watches a series of its own. Cycles are evaluated with the program's own clock and nothing changing, then with all
//! alarms changing; at last the evaluator runs on the machine's clock until a minute's data have made all alarms fire.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pitbird_cloudwatch::{Due, State, service, start_evaluator, step};
use pitbird_names::Scope;
use pitbird_service::{Call, Caller, Service};
use pitbird_store::Store;
use pitbird_telemetry::alarm::State as AlarmValue;
use pitbird_telemetry::metrics::{Datum, Dimensions, Resolution, Samples, Unit};
use pitbird_telemetry::{Config, Telemetry};
use serde_json::{Value as Json, json};
use tokio::task::JoinSet;

const ALARMS: usize = 10_000;
/// Alarms that are set at the same time.
const SETTING: usize = 64;
/// Data that are put together.
const PUT: usize = 1000;
const CYCLES: i64 = 10;
const MINUTE_MS: i64 = 60_000;
/// How long firing is waited for, beyond the minute.
const PATIENCE: Duration = Duration::from_secs(90);

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Outcome {
    let folder = tempfile::tempdir()?;
    let store = Store::open(&folder.path().join("store"))?;
    let telemetry = Telemetry::open(&folder.path().join("telemetry"), &Config::default())?;
    let state = Arc::new(State::new(store, telemetry));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(measure(&state))?;
    runtime.block_on(state.telemetry.close())?;
    Ok(())
}

async fn measure(state: &Arc<State>) -> Outcome {
    let began = Instant::now();
    set_alarms(service(state.clone())).await?;
    say(&format!(
        "{ALARMS} alarms set  {:.2} ms each",
        began.elapsed().as_secs_f64() * 1000.0 / ALARMS as f64
    ))?;
    let start_ms = now_ms() / MINUTE_MS * MINUTE_MS;
    let (spent, took) = cycle(state, start_ms, 0).await?;
    say(&format!("first cycle, which reads all alarms  {spent:.0} ms of CPU, {took:.0} ms"))?;
    for minute in -4..CYCLES {
        put(state, start_ms + minute * MINUTE_MS, 1.0).await?;
    }
    let (spent, took) = cycle(state, start_ms, ALARMS).await?;
    say(&format!("a cycle, every state changes  {spent:.0} ms of CPU, {took:.0} ms"))?;
    let (mut all_spent, mut all_took) = (0.0, 0.0);
    for minute in 1..=CYCLES {
        let (spent, took) = cycle(state, start_ms + minute * MINUTE_MS, 0).await?;
        all_spent += spent;
        all_took += took;
    }
    let cycles = CYCLES as f64;
    say(&format!(
        "a cycle, nothing changes  {:.0} ms of CPU, {:.0} ms",
        all_spent / cycles,
        all_took / cycles
    ))?;
    lateness(state).await
}

/// One evaluation of all alarms: milliseconds of CPU of the whole process, and of time.
async fn cycle(state: &State, now_ms: i64, changes: usize) -> Outcome<(f64, f64)> {
    let (cpu_ms, began) = (cpu_ms()?, Instant::now());
    let changed = step(state, Due::All, now_ms).await?;
    if changed != changes {
        return Err(format!("{changed} alarms changed, not {changes}").into());
    }
    Ok((self::cpu_ms()? - cpu_ms, began.elapsed().as_secs_f64() * 1000.0))
}

/// From the end of a minute until the first and the last alarm have fired.
async fn lateness(state: &Arc<State>) -> Outcome {
    // Enough of a minute must be left to put its data.
    let minute_ms = (now_ms() + 20_000) / MINUTE_MS * MINUTE_MS;
    let ahead = u64::try_from(minute_ms - now_ms()).unwrap_or(0);
    tokio::time::sleep(Duration::from_millis(ahead)).await;
    put(state, minute_ms, 9.0).await?;
    let mut commits = state.store.watch();
    let evaluator = start_evaluator(state.clone());
    let (first, last) = (name(0), name(ALARMS - 1));
    let scope = Scope::default();
    let fired = |name: &str| -> Outcome<bool> {
        let standing = state.alarm_states(&scope, [name])?;
        Ok(standing.first().is_some_and(|standing| standing.state == AlarmValue::Alarm))
    };
    let mut first_ms = None;
    loop {
        tokio::time::timeout(PATIENCE, commits.changed()).await??;
        let late_ms = now_ms() - minute_ms - MINUTE_MS;
        if first_ms.is_none() && fired(&first)? {
            first_ms = Some(late_ms);
        }
        if fired(&last)? {
            let first_ms = first_ms.unwrap_or(late_ms);
            say(&format!(
                "firing, after the period's end  first {first_ms} ms, last of {ALARMS} {late_ms} ms"
            ))?;
            evaluator.stop().await;
            return Ok(());
        }
    }
}

async fn set_alarms(service: Service) -> Outcome {
    let service = Arc::new(service);
    let mut number = 0;
    while number < ALARMS {
        let mut batch = JoinSet::new();
        for number in number..(number + SETTING).min(ALARMS) {
            let input = json!({
                "AlarmName": name(number), "Namespace": "Bench", "MetricName": "latency", "Statistic": "Maximum",
                "Dimensions": [{"Name": "number", "Value": number.to_string()}], "Period": 60,
                "EvaluationPeriods": 3, "DatapointsToAlarm": 1, "Threshold": 5.0,
                "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "ignore",
            });
            let service = service.clone();
            batch.spawn(async move { set_alarm(&service, input).await });
        }
        while let Some(set) = batch.join_next().await {
            set??;
        }
        number += SETTING;
    }
    Ok(())
}

async fn set_alarm(service: &Service, input: Json) -> Outcome {
    let call = Call {
        caller: Caller::root(Scope::default()),
        trace_id: None,
        request_id: String::new(),
        now_ms: now_ms(),
        endpoint: String::new(),
        input: pitbird_wire::to_value(&input)?,
    };
    let answer = service.call("PutMetricAlarm", call).ok_or("there is no such operation")?;
    answer.await.map(drop).map_err(|fault| fault.into_told().message.into())
}

fn name(number: usize) -> String {
    format!("a{number:05}")
}

/// A value for each series, in a minute.
async fn put(state: &State, at_ms: i64, value: f64) -> Outcome {
    for first in (0..ALARMS).step_by(PUT) {
        let datum = |number: usize| {
            let dimensions: Dimensions = [("number", number.to_string())].into_iter().collect();
            Datum {
                name: "latency".to_owned(),
                dimensions,
                unit: Unit::Milliseconds,
                at_ms,
                resolution: Resolution::Minute,
                samples: Samples::Values(vec![(value, 1.0)]),
            }
        };
        let data = (first..(first + PUT).min(ALARMS)).map(datum).collect();
        state.telemetry.put(&Scope::default(), "Bench", data).await?;
    }
    Ok(())
}

/// What the process has used of processors, milliseconds; Linux counts in hundredths of a second.
fn cpu_ms() -> Outcome<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit_once(')').map(|(_, fields)| fields.split_whitespace()).ok_or("no fields")?;
    let ticks: Vec<f64> = fields.skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() * 10.0)
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

fn say(text: &str) -> Outcome {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}
