//! What measuring and logging cost, written to standard output.
//!
//! `cargo run --release -p pitbird-telemetry --example measure`

use std::hint::black_box;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pitbird_names::Scope;
use pitbird_telemetry::logs::{FilterQuery, NewEvent, Pattern, Spread, StreamChoice};
use pitbird_telemetry::metrics::{
    Datum, Dimensions, Metric, MetricQuery, Probe, ProbeSpec, Resolution, Samples, Stat, Unit,
};
use pitbird_telemetry::{Config, Error, Telemetry};

const START: i64 = 1_763_899_200_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    let telemetry = Telemetry::open(dir.path(), &Config::default())?;
    runtime.block_on(telemetry.put(&Scope::default(), "bench", vec![datum(0, 0)]))?;
    say(&format!("resident, open: {} KiB", resident_kib()?))?;
    measurements(&telemetry)?;
    lines(&telemetry)?;
    runtime.block_on(calls(&telemetry))?;
    runtime.block_on(telemetry.close())?;
    let bytes: u64 = std::fs::read_dir(dir.path().join("logs"))?
        .filter_map(|file| Some(file.ok()?.metadata().ok()?.len()))
        .sum();
    say(&format!("logs on disk: {} MiB", bytes >> 20))
}

fn say(text: &str) -> Result<(), Box<dyn std::error::Error>> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}

fn resident_kib() -> Result<u64, Box<dyn std::error::Error>> {
    let pages = std::fs::read_to_string("/proc/self/statm")?;
    let resident: u64 = pages.split(' ').nth(1).ok_or("no resident size")?.parse()?;
    Ok(resident * 4)
}

fn probe(telemetry: &Telemetry, name: &str, metrics: usize) -> Arc<Probe> {
    let dimensions = |count: usize| -> Dimensions {
        (0..count).map(|number| (format!("d{number}"), name.to_owned())).collect()
    };
    telemetry.probe(ProbeSpec {
        scope: Scope::default(),
        namespace: "bench".into(),
        metrics: (0..metrics).map(|number| (format!("m{number}"), Unit::Count)).collect(),
        dimension_sets: (0..5).map(dimensions).collect(),
        resolution: Resolution::Minute,
        usage: None,
    })
}

/// Runs `work` a million times on each of `threads`, and gives the nanoseconds of one.
fn per_call(threads: usize, work: impl Fn(usize) + Sync) -> f64 {
    const CALLS: usize = 1_000_000;
    let spent: Duration = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let start = Instant::now();
                    (0..CALLS).for_each(&work);
                    start.elapsed()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("the work doesn't panic")).max()
    })
    .expect("there is a thread");
    spent.as_nanos() as f64 / CALLS as f64
}

fn measurements(telemetry: &Telemetry) -> Result<(), Box<dyn std::error::Error>> {
    let now_ms = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_millis() as i64;
    let gateway = probe(telemetry, "gateway", 5);
    let function = probe(telemetry, "function", 4);
    for threads in [1, 2] {
        let empty = per_call(threads, |number| {
            black_box((now_ms, number));
        });
        let both = per_call(threads, |number| {
            let latency = 3.0 + (number.wrapping_mul(2_654_435_761) % 4096) as f64 / 100.0;
            let failed = f64::from(number % 100 == 0);
            gateway.record(black_box(now_ms), &[1.0, 0.0, failed, latency, latency - 0.5]);
            function.record(black_box(now_ms), &[1.0, failed, latency - 0.7, 4.0]);
        });
        say(&format!("{threads} threads: one request's 9 measurements (2 probes): {:.1} ns", both - empty))?;
    }
    let totals = per_call(1, |_| {
        black_box(gateway.totals());
    });
    say(&format!("reading a probe's totals: {totals:.0} ns"))
}

fn lines(telemetry: &Telemetry) -> Result<(), Box<dyn std::error::Error>> {
    let config = Scope::default();
    let stream = telemetry.log_stream(&config, "/bench/lines", "one", Spread::One);
    let shared = telemetry.log_stream(&config, "/bench/lines", "many", Spread::Many);
    let id = "8f5ad7c4-5d3e-4bd5-bd8c-0d1f2a3b4c5d";
    // Half the room's worth at a time, so that nothing is dropped.
    let one = per_call(1, |number| {
        if number < 100_000 {
            stream.write(START + number as i64, |line| {
                line.extend(["START RequestId: ", id, " Version: $LATEST\n"])
            });
        }
    });
    say(&format!("one log line of 70 bytes, formatted: {:.0} ns", one * 10.0))?;
    let many = per_call(2, |number| {
        if number < 50_000 {
            shared.line(START + number as i64, &format!("{id} GET /orders 200 {number}\n"));
        }
    });
    say(&format!("one access log line on 2 threads: {:.0} ns each", many * 20.0))?;
    say(&format!("lines dropped: {}", telemetry.lines_dropped()))
}

async fn calls(telemetry: &Telemetry) -> Result<(), Box<dyn std::error::Error>> {
    let scope = Scope::default();
    match telemetry.create_stream(&scope, "/bench/calls", "s").await {
        Ok(()) | Err(Error::StreamExists) => {}
        Err(error) => return Err(error.into()),
    }
    let mut spent = Duration::ZERO;
    const BATCHES: i64 = 100;
    const BATCH: i64 = 5_000;
    for batch in 0..BATCHES {
        let events: Vec<NewEvent> = (0..BATCH).map(|number| event(batch * BATCH + number)).collect();
        let start = Instant::now();
        telemetry.append(&scope, "/bench/calls", "s", &events).await?;
        spent += start.elapsed();
    }
    let events = BATCHES * BATCH;
    say(&format!("PutLogEvents, durable: {:.0} events/s", events as f64 / spent.as_secs_f64()))?;

    let start = Instant::now();
    let (mut token, mut found, mut pages) = (None, 0, 0);
    loop {
        let query = FilterQuery {
            scope: scope.clone(),
            group: "/bench/calls".into(),
            streams: StreamChoice::All,
            start_ms: None,
            end_ms: None,
            pattern: Pattern::parse("e00007a120x")?,
            limit: 10_000,
            token,
        };
        let page = telemetry.filter(query).await?;
        (found, pages, token) = (found + page.events.len(), pages + 1, page.token);
        if token.is_none() {
            break;
        }
    }
    let rate = events as f64 / start.elapsed().as_secs_f64() / 1e6;
    say(&format!("FilterLogEvents, selective: {rate:.1} M events/s in {pages} pages, {found} found"))?;
    puts(telemetry).await
}

async fn puts(telemetry: &Telemetry) -> Result<(), Box<dyn std::error::Error>> {
    let scope = Scope::default();
    let start = Instant::now();
    for number in 0..200i64 {
        let data = (0..100).map(|metric| datum(metric, number)).collect();
        telemetry.put(&scope, "bench", data).await?;
    }
    let rate = 20_000.0 / start.elapsed().as_secs_f64();
    say(&format!("PutMetricData, durable, 100 at a time: {rate:.0} datapoints/s"))?;
    let queries = (0..100)
        .map(|metric| MetricQuery {
            metric: Metric {
                scope: scope.clone(),
                namespace: "bench".into(),
                name: format!("put{metric}"),
                dimensions: Dimensions::none(),
            },
            unit: None,
            period_s: 60,
            start_ms: START,
            end_ms: START + 86_400_000,
            stats: vec![Stat::Sum, Stat::Percentile(99.0)],
            now_ms: START,
        })
        .collect();
    let start = Instant::now();
    let found: usize = telemetry.statistics(queries).await?.iter().map(Vec::len).sum();
    say(&format!(
        "GetMetricData, 100 series, {found} datapoints: {:.1} ms",
        start.elapsed().as_secs_f64() * 1e3
    ))
}

fn datum(metric: i64, number: i64) -> Datum {
    Datum {
        name: format!("put{metric}"),
        dimensions: Dimensions::none(),
        unit: Unit::Count,
        at_ms: START + number * 60_000,
        resolution: Resolution::Minute,
        samples: Samples::Values(vec![(number as f64, 1.0)]),
    }
}

fn event(number: i64) -> NewEvent {
    let id = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let message = match number % 3 {
        0 => format!("START RequestId: {id:016x}-4bd5-bd8c-0d1f2a3b4c5d Version: $LATEST\n"),
        1 => format!("END RequestId: {id:016x}-4bd5-bd8c-0d1f2a3b4c5d\n"),
        _ => format!(
            "REPORT RequestId: {id:016x}-4bd5-bd8c-0d1f2a3b4c5d\tDuration: {}.{:02} ms\tBilled Duration: {} ms\t\
             Memory Size: 128 MB\tMax Memory Used: 36 MB\t\n",
            number % 40,
            number % 97,
            number % 40 + 1
        ),
    };
    NewEvent { at_ms: START + number / 5, message }
}
