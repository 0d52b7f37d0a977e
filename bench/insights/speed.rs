//! How fast queries run over events that are in memory already: `cargo run --release -p pitbird-insights --example
//! insights_speed`.

#![allow(clippy::print_stdout, reason = "a program whose purpose is its output")]

use std::sync::Arc;
use std::time::Instant;

use pitbird_insights::{Event, Options, Query, Worker};

const EVENTS: usize = 10_000_000;
const THREADS: usize = 2;
const QUERIES: &[&str] = &[
    "filter @message like /x-error/ | stats count(*) by bin(5m)",
    "stats count(*) by bin(5m)",
    "fields @timestamp, @message | sort @timestamp desc | limit 20",
    "filter level = \"ERROR\" | stats count(*), avg(ms), pct(ms, 99) by path",
    "parse @message /\"ms\":(?<took>\\d+)/ | stats max(took) by bin(1h)",
];

fn main() {
    let messages: Vec<String> = (0..1000)
        .map(|n| {
            let level = if n % 10 == 0 { "ERROR" } else { "INFO" };
            let text = if n % 100 == 0 { "x-error" } else { "all is well" };
            format!(
                r#"{{"level":"{level}","path":"/p{}","ms":{},"message":"{text} with request number {n}"}}"#,
                n % 7,
                n * 3 % 500
            )
        })
        .collect();
    for text in QUERIES {
        let options = Options { limit: 1000, now_ms: 0, bytes_max: 64 << 20 };
        let query = Arc::new(Query::compile(text, options).expect("a query"));
        let start = Instant::now();
        let parts = std::thread::scope(|scope| {
            let part = |thread: usize| {
                let (query, messages) = (&query, &messages);
                scope.spawn(move || {
                    let mut worker = Worker::new(query.clone());
                    for n in (thread..EVENTS).step_by(THREADS) {
                        let at_ms = 1_764_324_000_000 + n as i64;
                        let message = &messages[n % messages.len()];
                        let event = Event {
                            log: "0:g",
                            stream: "s",
                            at_ms,
                            ingested_ms: at_ms,
                            id: n as u128,
                            pointer: &n,
                            message,
                        };
                        worker.push(&event).expect("room");
                    }
                    worker
                })
            };
            let threads: Vec<_> = (0..THREADS).map(part).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect::<Vec<_>>()
        });
        let whole = parts.into_iter().reduce(|mut whole, part| {
            whole.merge(part).expect("room");
            whole
        });
        let rows = whole.expect("a worker").finish().expect("room").rows.len();
        println!("{:6.2} s, {rows} rows: {text}", start.elapsed().as_secs_f64());
    }
}
